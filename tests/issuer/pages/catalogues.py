"""The catalogues of the pages' words: ``python -m tests.issuer.pages.catalogues`` takes up what is new and compiles them.

What is said stands in the templates and, within ``marked``, in code; with it go the sentences of core that people meet:
OpenID's scopes, and refusals that are shown in a form.
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
from innkeeper.issuer.core.policy import OPENID_SCOPES
from innkeeper.issuer.core.records import ACTIVE, PAUSED, REVOKED
from innkeeper.issuer.pages import speaking
from innkeeper.protocol.locales import SPOKEN

PAGES = Path(speaking.__file__).parent
LANGUAGES = PAGES / "languages"
OTHERS = SPOKEN[1:]

FIRST = datetime(2026, 11, 28, tzinfo=UTC)
"""The date in the heads of the catalogues: always the same, so that a change shows what changed."""

_KEYWORDS = {"_": None, "marked": None, "translated": None, "counted": (1, 2), "gettext": None, "ngettext": (1, 2)}
_MET = (*range(125, 128), *range(130, 140), 142, *range(160, 163), *range(900, 908))
"""The numbers of refusals that are told to people in a form or on the page of an answer."""


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
        if int(one.page.number[2:]) in _MET and one.page.wire:
            yield one.page.wire, one.page.number


_METHODS = {"jinja2": "jinja2.ext:babel_extract", "python": "python"}


def _plain(message: str | tuple[str, ...]) -> str | tuple[str, str]:
    return message if isinstance(message, str) else (message[0], message[1])


def template() -> Catalog:
    """All that is said, in English."""
    catalog = Catalog(project="innkeeper", charset="utf-8")
    for message, place in said():
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
