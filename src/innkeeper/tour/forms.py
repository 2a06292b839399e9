"""The forms and links of sign-in and consent pages, found and used as a person would, for a walk without a screen."""

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


def link_beside(page: str, words: str) -> str | None:
    """The address of the last link before some words of a page, as an entry of a list has it; None where they do not stand."""
    reader = _Links()
    reader.feed(page)
    return next((address for address, text in reader.found if words and words in text), None)


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


class _Links(HTMLParser):
    """Each link of a page, with all text from it to the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (address := dict(attrs).get("href")):
            self.found.append((address, ""))

    def handle_data(self, data: str) -> None:
        if self.found:
            address, text = self.found[-1]
            self.found[-1] = address, text + data
