"""The tour's pages: templates filled in from a visit's document, and the headers around them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from innkeeper.issuer.pages.files import version_of
from innkeeper.tour.replay import glossary

STATIC = Path(str(files("innkeeper.tour") / "static"))

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    ),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""What a browser may load, frame, remember and tell. The pages show tokens, so nobody may keep them."""


def page(template: str, **context: Any) -> str:
    """A page as HTML. Every value is escaped, and a variable that a template names must be given."""
    return _templates().get_template(template).render(context)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("innkeeper.tour", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["house_version"] = version_of
    made.globals["tour_version"] = _version()
    made.globals["glossary"] = glossary()
    return made


def _version() -> str:
    """A digest of the static files: their addresses change when they do."""
    digest = hashlib.sha256()
    for file in sorted(STATIC.rglob("*")):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
