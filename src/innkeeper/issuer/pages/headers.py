"""The headers around every page: what a browser may load, frame, remember and send (CSP Level 3, RFC 9700 §4.16)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from innkeeper.protocol.redirects import why_not_registrable

PAGE_HEADERS = (
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
)


def content_security_policy(
    form_targets: Sequence[str] = (), *, scripts: bool = False, frames: Sequence[str] = ()
) -> str:
    """The policy of one page: our own styles and images, no frame, and scripts only where ``scripts`` is set.

    ``form_targets`` are the URIs to which the answer to this page's form may redirect; ``frames`` those that the page
    loads in frames, whose origins alone it may.
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
    if frames:
        origins = dict.fromkeys(f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, frames))
        directives.append(" ".join(("frame-src", *origins)))
    return "; ".join([*directives, "script-src 'self'"] if scripts else directives)


def form_sources(target: str) -> tuple[str, ...]:
    """The ``form-action`` sources (CSP Level 3 §6.4.2) that let a form's answer reach the redirect URI ``target``.

    Chromium holds ``form-action`` against every redirect after a form was sent, also those the client makes on
    its own from its callback, to a host we cannot know; where a source is missing, the browser stops and the
    person is told nothing. So an https client gets ``https:``; a loopback client any loopback port, and ``https:``;
    an app's private scheme only that scheme. ``[::1]`` can only be said as ``http:``, since a source cannot hold
    an IPv6 address. A URI that could not be registered opens nothing: no redirect can lead there.
    """
    if why_not_registrable(target) is not None:
        return ()
    parts = urlsplit(target)
    if parts.scheme == "https":
        return ("https:",)
    if parts.scheme != "http":
        return (f"{parts.scheme}:",)
    return ("http:", "https:") if parts.hostname == "::1" else ("http://127.0.0.1:*", "http://localhost:*", "https:")
