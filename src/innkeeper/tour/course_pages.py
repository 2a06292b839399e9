"""The course's pages, served beside the tour where they have been built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from innkeeper.tour.course import AT


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
