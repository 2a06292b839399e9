"""The course's pages beside the tour, where they have been built (``make docs``); elsewhere chapters name the page's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

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


def routes(site: Path) -> list[Mount]:
    return [Mount(AT, _Pages(directory=site, html=True))]


class _Pages(StaticFiles):
    """The built pages. What they load, they load from themselves; their generator writes scripts and styles into them."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["content-security-policy"] = _POLICY
        response.headers["x-content-type-options"] = "nosniff"
        response.headers["referrer-policy"] = "same-origin"
        return response


_POLICY = "; ".join(
    (
        "default-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "worker-src 'self' blob:",
        "form-action 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
    )
)
