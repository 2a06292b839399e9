"""The page a person sees in the browser when the sign-in came back to this computer."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

from innkeeper.protocol.exchange import Reply

CLOSE = "You may close this window and go back to your terminal."


def signed_in(issuer: str) -> Reply:
    """It worked."""
    return _window(200, "done", "✓", "You are signed in", f"{issuer} has given this computer its token.", CLOSE)


def refused(reason: str, remedy: str) -> Reply:
    """It did not; why, and what to try."""
    return _window(400, "refused", "✕", "No token was given", f"{reason[:1].upper()}{reason[1:]}.", remedy)


def interrupted() -> Reply:
    """The program stopped while the answer was on its way."""
    return _window(400, "refused", "✕", "No token was given", "The program that asked has stopped.", "Start again.")


def not_here() -> Reply:
    """Some other address at the loopback port."""
    text = "This program waits for one answer at one address, and this is another."
    return _window(404, "refused", "?", "Nothing here", text, "Finish signing in, in the tab that was opened for it.")


def _window(status: int, mood: str, mark: str, title: str, text: str, aside: str) -> Reply:
    template, style, policy = _parts()
    words = {"mood": mood, "mark": mark, "title": title, "text": text, "aside": aside}
    page = template.substitute({name: escape(value) for name, value in words.items()}, style=style)
    headers = (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", policy),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    )
    return Reply(status, headers, page.encode("utf-8"))


@cache
def _parts() -> tuple[Template, str, str]:
    """The page, its style, and a policy under which nothing but that style can run or load."""
    here = files("innkeeper.client")
    style = (here / "window.css").read_text("utf-8")
    digest = b64encode(sha256(style.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"
    return Template((here / "window.html").read_text("utf-8")), style, policy
