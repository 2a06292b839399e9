"""A guest at the browser: opens the address given, signs in, and answers the consent page with the button named.

Run as ``python guest.py URL [allow|deny]``; it stands in for a browser through the variable BROWSER.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser

import httpx2

ANSWERS = {"username": "guest@hotel.example", "password": "Correct-Horse-7"}


class Form(HTMLParser):
    """The first form of a page: where it goes, what it holds, and its buttons by id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: dict[str, dict[str, str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = have.get("action", "")
        elif tag == "input" and "name" in have:
            self.fields[have["name"]] = have.get("value", "")
        elif tag == "button" and "id" in have:
            self.buttons[have["id"]] = {have["name"]: have.get("value", "")} if "name" in have else {}


def visit(url: str, decision: str) -> httpx2.Response:
    """Go where the pages lead, until one has no form of the issuer's any more."""
    with httpx2.Client(follow_redirects=True, timeout=20) as browser:
        page = browser.get(url)
        for button in ("sign-in", decision):
            form = Form(page.text)
            if button in form.buttons:
                filled = {name: ANSWERS.get(name, value) for name, value in form.fields.items()}
                page = browser.post(page.url.join(form.action), data=filled | form.buttons[button])
        return page


if __name__ == "__main__":
    visit(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "allow")
