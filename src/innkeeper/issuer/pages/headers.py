"""The headers around every page: what a browser may load, frame, remember and send (CSP Level 3, RFC 9700 §4.16)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from innkeeper.protocol.redirects import LOOPBACK_HOSTS
from innkeeper.protocol.refusals import UsageError

PAGE_HEADERS = (
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
)

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_LOOPBACK = ("http://127.0.0.1:*", "http://localhost:*", "https:")


def content_security_policy(form_targets: Sequence[str] = (), *, scripts: bool = False) -> str:
    """The policy of one page: our own styles and images, no frame, and scripts only where ``scripts`` is set.

    ``form_targets`` are the URIs to which the answer to this page's form may redirect. Raises ``UsageError``
    for a target that is not an absolute URI.
    """
    sources = dict.fromkeys(source for target in form_targets for source in form_sources(target))
    directives = [
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        " ".join(("form-action 'self'", *sources)),
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    return "; ".join([*directives, "script-src 'self'"] if scripts else directives)


def form_sources(target: str) -> tuple[str, ...]:
    """The ``form-action`` sources (CSP §6.4.2) that let a form's answer reach the redirect URI ``target``.

    Chromium holds ``form-action`` against every redirect after a form was sent, also those the client makes on
    its own from its callback, to a host we cannot know; a target that is missing stops the browser without a
    word to the person. So an https client gets ``https:``; a loopback client any loopback port, and ``https:``;
    an app's private scheme only that scheme. ``[::1]`` can only be said as ``http:``, since a source
    cannot hold an IPv6 address. Firefox and Safari hold redirects to less; nothing here is wrong for them.
    """
    scheme, host = _parts(target)
    if scheme == "https":
        return ("https:",)
    if scheme != "http":
        return (f"{scheme}:",)
    return _LOOPBACK if host in LOOPBACK_HOSTS and ":" not in host else ("http:", "https:")


def _parts(target: str) -> tuple[str, str]:
    try:
        parts = urlsplit(target)
    except ValueError:
        parts = urlsplit("")
    if not _SCHEME.fullmatch(parts.scheme):
        raise UsageError(f"form target {target!r} is not an absolute URI; pass the whole redirect URI")
    return parts.scheme, parts.hostname or ""
