"""RFC 4647: the language in which somebody is spoken to, of those that are spoken here.

What a client asks for by ``ui_locales`` (OpenID Connect Core §3.1.2.1) comes first, then what the browser says in
Accept-Language (RFC 9110 §12.5.4).
"""

from __future__ import annotations

from collections.abc import Iterable

SPOKEN = ("en", "de", "fr", "es", "ja")
"""The languages of the pages, as ``ui_locales_supported`` tells them. The first one is spoken where no other is wanted."""

_MOST = 16
"""Ranges that are looked at: nobody reads more languages, and the header is a stranger's."""


def chosen(ui_locales: str, accept_language: str) -> str:
    """The language to speak."""
    wanted = (*ui_locales.split()[:_MOST], *_preferred(accept_language))
    return next((found for one in wanted if (found := _spoken(one))), SPOKEN[0])


def _spoken(wanted: str) -> str:
    """The language for a range, by leaving out its last subtags one by one (§3.4); "" where it is not spoken."""
    subtags = wanted.strip().lower().split("-")
    if subtags == ["*"]:
        return SPOKEN[0]
    return subtags[0] if subtags[0] in SPOKEN else ""


def _preferred(header: str) -> Iterable[str]:
    """The ranges of an Accept-Language header, the most wanted first; those with weight 0 are not wanted."""
    weighed = [(_weight(part), part.partition(";")[0]) for part in header.split(",")[:_MOST]]
    return [one for weight, one in sorted(weighed, key=lambda each: -each[0]) if weight > 0]


def _weight(part: str) -> float:
    _, _, said = part.partition(";")
    name, _, value = said.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
