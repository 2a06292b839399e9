"""Resource indicators: naming the API a token is for (RFC 8707)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit


def why_not_a_resource(uri: str) -> str | None:
    """None where ``uri`` may name a resource, else the rule it breaks (§2: absolute, no fragment)."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "it is not a URI"
    if not parts.scheme or not (parts.netloc or parts.path):
        return "it is not an absolute URI"
    if "#" in uri:
        return "it has a fragment"
    return None


def registered_spelling(sent: str, registered: Iterable[str]) -> str | None:
    """The registered spelling of the resource that ``sent`` names, or None.

    The comparison ignores one trailing slash and the case of scheme and host, because clients normalise
    URLs and differ in exactly these; the token always bears the registered spelling.
    """
    wanted = _canonical(sent)
    return next((one for one in registered if _canonical(one) == wanted), None)


def _canonical(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri
    spelled = parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl()
    return spelled.removesuffix("/")
