"""Templates to bytes, and bytes to replies. A variable that a template names must be given: none is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)

from innkeeper.issuer.pages.compare import visible
from innkeeper.issuer.pages.files import static_reply, version_of
from innkeeper.issuer.pages.headers import PAGE_HEADERS, content_security_policy
from innkeeper.issuer.pages.speaking import counted, direction, dress, knows, language, translated
from innkeeper.protocol.exchange import Reply

__all__ = ["page_reply", "render", "static_reply"]

SCRIPTED = frozenset({"form_post.html"})
"""The pages that always load a script. Each works without it."""


def render(template: str, **context: Any) -> bytes:
    """The page ``template`` filled in, as UTF-8. Every value is escaped.

    Raises ``jinja2.UndefinedError`` for a variable that is not given, ``TemplateNotFound`` for an unknown page.
    """
    return templates(dress().templates).get_template(template).render(context).encode()


def page_reply(
    template: str,
    status: int = 200,
    headers: Sequence[tuple[str, str]] = (),
    *,
    form_targets: Sequence[str] = (),
    scripted: bool = False,
    frames: Sequence[str] = (),
    **context: Any,
) -> Reply:
    """The page as a reply, with ``headers`` after the ones that keep it safe.

    ``form_targets``: the URIs to which the answer to this page's form may redirect a browser, directly or at the
    end of a chain. A sign-in that may lead straight back to the client needs the client's redirect URI here.
    ``scripted`` lets the page load our own scripts, where it offers passkeys. ``frames`` are the addresses that the
    page loads in frames, which the template finds under that name.
    """
    policy = content_security_policy(form_targets, scripts=scripted or template in SCRIPTED, frames=frames)
    body = render(template, frames=frames, **context)
    return Reply(status, (*PAGE_HEADERS, ("content-security-policy", policy), *headers), body)


@cache
def templates(folder: str) -> Environment:
    """The templates: those in ``folder`` first, then the house's own, which are under ``house/`` too. All are escaped."""
    own = PackageLoader("innkeeper.issuer.pages", "templates")
    loaders: list[BaseLoader] = [FileSystemLoader(folder)] if folder else []
    made = Environment(
        loader=ChoiceLoader([*loaders, own, PrefixLoader({"house": own})]),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(translated, counted, newstyle=True)  # type: ignore[attr-defined]
    made.filters["visible"] = visible
    made.filters["tr"] = translated
    made.globals |= {
        "version_of": version_of,
        "language": language,
        "direction": direction,
        "dress": dress,
        "knows": knows,
    }
    return made
