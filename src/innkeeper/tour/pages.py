"""The tour's pages: templates filled in from a visit's document, and the headers around them."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

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
    """A page, or a picture. In HTML and SVG every value is escaped; a variable that a template names must be given."""
    rendered = _templates().get_template(template).render(context)
    return _trimmed(rendered) if template.endswith(".html") else rendered


def _trimmed(html: str) -> str:
    """Without the indentation of the templates, which weighs as much as the words; what is preformatted stays."""
    return "".join(part if part.startswith("<pre") else _INDENT.sub("\n", part) for part in _PREFORMATTED.split(html))


_PREFORMATTED = re.compile(r"(<pre.*?</pre>)", re.DOTALL)
_INDENT = re.compile(r"\s*\n\s*")


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("innkeeper.tour", "templates"),
        autoescape=select_autoescape(("html", "svg")),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["ticked"] = ticked
    made.filters["breaking"] = breaking
    made.globals["house_version"] = version_of
    made.globals["tour_version"] = _version()
    made.globals["glossary"] = glossary()
    return made


def breaking(name: str) -> Markup:
    """A name as HTML that may be broken after its underscores, where it is too long for a line."""
    return Markup("_<wbr>").join(name.split("_"))


def ticked(text: str) -> Markup:
    """A sentence as HTML: names of claims and parameters stand between backticks, what is stressed between stars."""
    return Markup("").join(_ticked(part, n) for n, part in enumerate(text.split("`")))


def _ticked(part: str, n: int) -> Markup:
    if n % 2:
        return Markup("<code>{}</code>").format(part)
    return Markup("").join(
        Markup("<em>{}</em>").format(one) if m % 2 else Markup.escape(one) for m, one in enumerate(part.split("*"))
    )


def _version() -> str:
    """A digest of the static files: their addresses change when they do."""
    digest = hashlib.sha256()
    for file in sorted(STATIC.rglob("*")):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
