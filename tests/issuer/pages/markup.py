"""A page as its elements, for asking about ids, labels and what is inline."""

from __future__ import annotations

from html.parser import HTMLParser

from innkeeper.issuer.pages.render import render
from tests.issuer.pages.samples import PAGES

Attributes = dict[str, str | None]


class Markup(HTMLParser):
    """Every element in order with its attributes, and all text joined."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[Attributes]:
        return [attributes for name, attributes in self.elements if name == tag]

    def by_id(self, name: str) -> tuple[str, Attributes]:
        """The one element with this id."""
        found = [element for element in self.elements if element[1].get("id") == name]
        assert len(found) == 1, f"{len(found)} elements have the id {name!r}"
        return found[0]

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]


def sample(name: str, **changes: object) -> Markup:
    """A sample page, with some of its variables changed."""
    template, context = PAGES[name]
    return Markup(render(template, **{**context, **changes}).decode())
