"""The catalogues of the pages' words: ``python -m tests.issuer.pages.catalogues`` takes up what is new and compiles them.

What is said stands in the templates and, within ``marked``, in code; with it go the sentences of core and desk that people
meet: OpenID's scopes, refusals that are shown in a form, and what the console says of changes, roles and rules.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from docs.generate.refusals import numbered
from innkeeper.issuer.core.admin.permissions import PERMISSIONS, ROLES
from innkeeper.issuer.core.admin.rules import SAYS
from innkeeper.issuer.core.policy import OPENID_SCOPES
from innkeeper.issuer.core.records import ACTIVE, PAUSED, REVOKED
from innkeeper.issuer.desk import admin
from innkeeper.issuer.desk.admin.actions import ACTIONS
from innkeeper.issuer.pages import speaking
from innkeeper.protocol.locales import SPOKEN

PAGES = Path(speaking.__file__).parent
DESK = Path(admin.__file__).parent
LANGUAGES = PAGES / "languages"
OTHERS = SPOKEN[1:]

FIRST = datetime(2026, 11, 28, tzinfo=UTC)
"""The date in the heads of the catalogues: always the same, so that a change shows what changed."""

_KEYWORDS = {
    "_": None,
    "marked": None,
    "translated": None,
    "worded": None,
    "counted": (1, 2),
    "gettext": None,
    "ngettext": (1, 2),
}
_MET = (*range(125, 128), *range(130, 140), 142, *range(160, 163), *range(900, 908))
"""The numbers of refusals that are told to people in a form or on the page of an answer."""
_IN_CONSOLE = (1603, 1607, 1608, 1609, 1610, 1611, 1613, 1614)
"""Those that have the console's page, with their title, cause and remedy."""


def said() -> Iterator[tuple[str | tuple[str, str], str]]:
    """Every message, and where it is said."""
    for path in sorted(PAGES.rglob("*")):
        method = {".html": "jinja2", ".py": "python"}.get(path.suffix)
        if method:
            options = {"newstyle_gettext": "true", "trimmed": "false"}
            data = io.BytesIO(path.read_bytes())
            for _, message, _, _ in extract(f"{_METHODS[method]}", data, _KEYWORDS, options=options):
                yield _plain(message), path.relative_to(PAGES).as_posix()
    for sentence in OPENID_SCOPES.values():
        yield sentence, "core/policy"
    for status in (ACTIVE, PAUSED, REVOKED):
        yield status, "core/records"
    for one in numbered():
        number = int(one.page.number[2:])
        if number in _MET and one.page.wire:
            yield one.page.wire, one.page.number
        if number in _IN_CONSOLE:
            yield from ((text, one.page.number) for text in (one.page.title, one.page.cause, one.page.remedy))


def administered() -> Iterator[tuple[str, str]]:
    """What the console says of changes, roles, permissions and rules, and of what follows from a change."""
    for action in ACTIONS.values():
        yield action.does, "desk/admin/actions"
    for says in (*PERMISSIONS.values(), *(role.says for role in ROLES.values())):
        yield says, "core/admin/permissions"
    for says in SAYS.values():
        yield says, "core/admin/rules"
    for path in sorted(DESK.glob("*.py")):
        for _, message, _, _ in extract("python", io.BytesIO(path.read_bytes()), {"Sentence": None}):
            yield str(message), f"desk/admin/{path.stem}"


_METHODS = {"jinja2": "jinja2.ext:babel_extract", "python": "python"}


def _plain(message: str | tuple[str, ...]) -> str | tuple[str, str]:
    return message if isinstance(message, str) else (message[0], message[1])


def template() -> Catalog:
    """All that is said, in English."""
    catalog = Catalog(project="innkeeper", charset="utf-8")
    for message, place in (*said(), *administered()):
        catalog.add(message, locations=[(place, 0)])
    return catalog


def read(language: str) -> Catalog:
    """A catalogue as it is kept; an empty one where there is none yet."""
    path = LANGUAGES / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def messages(catalog: Catalog) -> list[Message]:
    return [one for one in catalog if one.id]


def compiled(catalog: Catalog) -> bytes:
    made = io.BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def update(language: str) -> int:
    """Take up what is new, leave out what is gone, compile; how many messages still have no words."""
    catalog = read(language)
    catalog.update(template(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.project, catalog.version, catalog.header_comment = (
        "innkeeper",
        "1",
        f"# The words of the pages: {language}.",
    )
    catalog.creation_date = catalog.revision_date = FIRST
    catalog.last_translator = catalog.language_team = catalog.msgid_bugs_address = "innkeeper"
    LANGUAGES.mkdir(exist_ok=True)
    with (LANGUAGES / f"{language}.po").open("wb") as file:
        write_po(file, catalog, width=120, sort_output=True, omit_header=False, include_lineno=False)
    (LANGUAGES / f"{language}.mo").write_bytes(compiled(catalog))
    return sum(not (all(one.string) if isinstance(one.string, tuple) else one.string) for one in messages(catalog))


if __name__ == "__main__":
    for one in OTHERS:
        print(f"{one}: {update(one)} messages without words")
