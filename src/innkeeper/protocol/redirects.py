"""Redirect URIs: what may be registered, and which sent one equals a registered one (RFC 8252)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import SplitResult, urlencode, urlsplit

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
_DANGEROUS_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "about", "blob", "ws", "wss"})


def why_not_registrable(uri: str) -> str | None:
    """None where ``uri`` may be registered as a redirect URI, else the rule it breaks, in words."""
    parts = _split(uri)
    if parts is None or not parts.scheme:
        return "it is not an absolute URI"
    if not uri.isascii():
        return "it has a character outside ASCII; write the host in punycode and percent-encode the rest"
    if "#" in uri:
        return "it has a fragment (RFC 6749 §3.1.2)"
    if parts.scheme in _DANGEROUS_SCHEMES:
        return f"the scheme {parts.scheme!r} can run or read things in a browser"
    if "@" in parts.netloc:
        return "it has a user part, which makes hosts easy to confuse"
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        return "http is for loopback addresses only; elsewhere use https"
    if parts.scheme in {"http", "https"} and not parts.hostname:
        return "it names no host"
    return None


def registered_for(sent: str, registered: Iterable[str], *, any_loopback_port: bool) -> str | None:
    """The registered URI that ``sent`` equals, or None.

    Compared as strings, character by character (RFC 9700 §4.1.3). With ``any_loopback_port`` an http URI on
    a loopback address or ``localhost`` may differ from its registration in the port alone (RFC 8252 §7.3).
    """
    candidates = tuple(registered)
    if sent in candidates:
        return sent
    if not any_loopback_port:
        return None
    bare = _without_loopback_port(sent)
    if bare is None:
        return None
    return next((one for one in candidates if _without_loopback_port(one) == bare), None)


def is_loopback(uri: str) -> bool:
    """Whether a URI leads to a program on this very computer."""
    parts = _split(uri)
    return parts is not None and parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK_HOSTS


def host_of(uri: str) -> str:
    """Where a redirect goes, for people: the host with its port, or the private scheme of an app."""
    parts = _split(uri)
    if parts is None:
        return uri
    return parts.netloc or f"{parts.scheme}:"


def with_parameters(uri: str, parameters: Sequence[tuple[str, str]], *, fragment: bool = False) -> str:
    """``uri`` with response parameters added to its query, or as its fragment (RFC 6749 §4.1.2)."""
    encoded = urlencode(parameters)
    if fragment:
        return f"{uri}#{encoded}"
    return f"{uri}{'&' if '?' in uri else '?'}{encoded}"


def _split(uri: str) -> SplitResult | None:
    if any(character <= " " or character == "\x7f" or character == "\\" for character in uri):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _without_loopback_port(uri: str) -> str | None:
    """A loopback URI without its port and otherwise untouched; None for any other URI."""
    parts = _LOOPBACK.fullmatch(uri)
    if parts is None or int(parts["port"] or 0) > _LAST_PORT:
        return None
    return parts["host"] + (parts["rest"] or "")


_LOOPBACK = re.compile(
    r"(?P<host>http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::(?P<port>[0-9]{1,5}))?(?P<rest>[/?][^#]*)?"
)
_LAST_PORT = 65_535
