"""In which language and which dress pages are drawn: chosen for the request at hand, when a page is drawn and not before.

Texts stand in templates and in code in English; catalogues under ``languages/`` have them in the others (gettext). What a
catalogue lacks is said in English.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

import msgspec

from innkeeper.issuer.core.admin.plan import Sentence
from innkeeper.issuer.desk.tickets import carried
from innkeeper.issuer.dialects.layout import Endpoint, Endpoints
from innkeeper.issuer.pages.dress import PLAIN, Dress
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.locales import SPOKEN, chosen
from innkeeper.protocol.parameters import Malformed, parse_form, parse_query

FROM_THE_RIGHT = frozenset({"ar", "fa", "he", "ur"})
"""Languages that are written from right to left. None is spoken yet; the pages would hold."""


def marked(text: str) -> str:
    """A text that is translated when it is shown: catalogues are made from what stands in here."""
    return text


def dressed(endpoints: Endpoints, dress: Dress) -> Endpoints:
    """Endpoints whose pages are drawn in a dress and in their caller's language; those that programs call are left alone."""
    return {path: endpoint if endpoint.cors else _dressed(endpoint, dress) for path, endpoint in endpoints.items()}


def dressed_one(endpoint: Endpoint, dress: Dress) -> Endpoint:
    """One of them."""
    return endpoint if endpoint.cors else _dressed(endpoint, dress)


def _dressed(endpoint: Endpoint, dress: Dress) -> Endpoint:
    return Endpoint(_Answering(endpoint.handler, dress), endpoint.methods)


class _Answering(msgspec.Struct, frozen=True):
    handler: Callable[[Request], Awaitable[Reply]]
    dress: Dress

    async def __call__(self, request: Request) -> Reply:
        _at_hand.set((request, self.dress))
        return await self.handler(request)


_at_hand: ContextVar[tuple[Request, Dress] | None] = ContextVar("innkeeper_page", default=None)


def dress() -> Dress:
    """The dress of the page at hand."""
    at_hand = _at_hand.get()
    return at_hand[1] if at_hand else PLAIN


def language() -> str:
    """The language of the page at hand; English where nobody asked for one."""
    at_hand = _at_hand.get()
    return _language_of(at_hand[0]) if at_hand else SPOKEN[0]


def direction() -> str:
    """From where to where that language is written."""
    return "rtl" if language() in FROM_THE_RIGHT else "ltr"


def _language_of(request: Request) -> str:
    """What the request or its ticket asks for (Cognito calls it ``lang``), then what the browser wants."""
    return chosen(_asked(request), request.headers.get("accept-language", ""))


def _asked(request: Request) -> str:
    try:
        asked = parse_query(request.query)
        if request.method == "POST" and "ticket" not in asked:
            asked = parse_form(request.body, request.headers.get("content-type", ""))
        said = asked.get("ui_locales") or asked.get("lang") or ""
        return said or carried(asked.get("ticket", ""), "ui_locales")
    except Malformed:
        return ""


def translated(text: str | Sentence | None) -> str:
    """A text in the language of the page at hand; as it is, where the catalogue does not know it. It is no HTML."""
    if isinstance(text, Sentence):
        return worded(text.text, **text.values)
    return catalogue(language()).gettext(text) if text else ""


def worded(text: str, **values: str | int) -> str:
    """A text in that language with values filled in."""
    return translated(text).format(**values)


def midway(text: str) -> str:
    """A text as it stands in the middle of a sentence. German writes its nouns with capitals wherever they stand."""
    return text if language() == "de" else f"{text[:1].lower()}{text[1:]}"


def counted(one: str, many: str, number: int) -> str:
    """A text by number in that language."""
    return catalogue(language()).ngettext(one, many, number)


def knows(text: str) -> bool:
    """Whether a text can be said in the language of the page at hand."""
    return language() == SPOKEN[0] or translated(text) != text


@cache
def catalogue(spoken: str) -> NullTranslations:
    """What is said in a language, read when it is first spoken."""
    if spoken == SPOKEN[0]:
        return NullTranslations()
    with (files(__package__) / "languages" / f"{spoken}.mo").open("rb") as file:
        return GNUTranslations(file)
