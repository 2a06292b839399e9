"""The forms of sign-in and consent pages, found and filled in as a browser would, for a walk without a screen."""

from __future__ import annotations

from html.parser import HTMLParser

import msgspec


class Form(msgspec.Struct, frozen=True):
    """A form that is sent by POST: where to, and its fields with the values they came with."""

    action: str
    fields: dict[str, str]

    def filled(self, **values: str) -> dict[str, str]:
        """The fields to send, with ``values`` filled in."""
        return self.fields | values


def first_form(page: str) -> Form | None:
    """The first POST form of a page, or None."""
    reader = _Reader()
    reader.feed(page)
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: Form | None = None
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and self.found is None and said.get("method", "").lower() == "post":
            self.found, self._inside = Form(said.get("action", ""), {}), True
        elif tag == "input" and self._inside and self.found and said.get("name"):
            self.found.fields[said["name"]] = said.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
