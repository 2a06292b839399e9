"""Where the course's pages are beside the tour, once they have been built (``make docs``); elsewhere chapters name the page's file."""

from __future__ import annotations

from pathlib import Path

AT = "/course"
BUILT = "site"
"""The folder that ``make docs`` builds into, in the project's folder."""


def built(folder: Path) -> Path | None:
    """The built site in a folder; None where there is none, or another's of the same name."""
    site = folder / BUILT
    ours = (site / "tutorial" / "index.html", site / "looks" / "bell.svg")
    return site if all(one.is_file() for one in ours) else None


def address(page: str) -> str:
    """Where a page of the course is served: ``docs/tutorial/code-and-pkce.md`` by its path on the site."""
    return f"{AT}/{page.removeprefix('docs/').removesuffix('.md')}.html"
