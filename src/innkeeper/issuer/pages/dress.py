"""The look of a house: its colours and its mark, and templates of its own, as the settings have them. Colours are judged
before anything is served: text that many cannot read is refused (WCAG 2.2 §1.4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from innkeeper.issuer.pages.files import version_of
from innkeeper.issuer.settings import Theme
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.refusals import UsageError

ENOUGH = 4.5
"""The contrast of text that everybody can read."""

_PAPER = {"": "#f3eee4", "dark_": "#191a15"}
_USUAL = MappingProxyType(
    {
        "accent": "#1f4d42",
        "on_accent": "#fdf9ef",
        "link": "#1c5a4b",
        "lobby": "#17362f",
        "lobby_ink": "#f2e9d6",
        "dark_accent": "#dcb264",
        "dark_on_accent": "#1b1506",
        "dark_link": "#e3bf7d",
    }
)
"""The colours of the house stylesheet, which hold where the settings name no other."""

PAIRS = (
    ("on_accent", "accent", "text on buttons"),
    ("link", "", "links on the page"),
    ("lobby_ink", "lobby", "the name on its panel"),
    ("dark_on_accent", "dark_accent", "text on buttons in the dark"),
    ("dark_link", "dark_", "links on the page in the dark"),
)
"""Which colour has to be read on which; "" and "dark_" are the page itself."""

_VARIABLES = {"lobby": ("--lobby", "--lobby-deep"), "accent": ("--accent", "--accent-strong")}
_LOGOS = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
_LARGEST_LOGO = 256 * 1024


class Dress:
    """Made by ``dress_of``. ``logo`` is the name under which the mark is served, ``templates`` the folder that comes before
    the house's own."""

    def __init__(self, theme: Theme, logo: bytes, kind: str) -> None:
        self.templates = theme.templates
        self.logo = f"logo{kind}" if logo else "mark.svg"
        self._logo = logo
        self._kind = _LOGOS.get(kind, "")
        self._colours = {name: value for name in _USUAL if (value := getattr(theme, name))}

    @cached_property
    def style(self) -> bytes:
        """The stylesheet that goes after the house's; empty where nothing differs from it."""
        day = "".join(_lines(self._colours, dark=False))
        night = "".join(_lines(self._colours, dark=True))
        return f":root{{{day}}}@media(prefers-color-scheme:dark){{:root{{{night}}}}}".encode() if self._colours else b""

    @cached_property
    def style_version(self) -> str:
        return sha256(self.style).hexdigest()[:16]

    @cached_property
    def logo_version(self) -> str:
        return sha256(self._logo).hexdigest()[:16] if self._logo else version_of("mark.svg")

    def files(self) -> Mapping[str, tuple[bytes, str]]:
        """What is served beside the house's own files, by name: bytes and their kind."""
        made = {"theme.css": (self.style, "text/css; charset=utf-8")} if self.style else {}
        return made | ({self.logo: (self._logo, self._kind)} if self._logo else {})


def dress_of(theme: Theme) -> Dress:
    """The dress that the settings describe. Raises ``UsageError`` for what cannot be read, by us or by people."""
    for name in _USUAL:
        value = getattr(theme, name)
        if value and not _COLOUR.fullmatch(value):
            raise UsageError(f"theme.{name} is {value!r}: a colour is written as #1f4d42")
    _refuse_unreadable(theme)
    if theme.templates and not Path(theme.templates).is_dir():
        raise UsageError(f"theme.templates: there is no folder {theme.templates}")
    logo = Path(theme.logo)
    return Dress(theme, _read(logo), logo.suffix.lower()) if theme.logo else Dress(theme, b"", "")


def _read(logo: Path) -> bytes:
    if logo.suffix.lower() not in _LOGOS:
        raise UsageError(f"theme.logo {logo}: it has to be one of {', '.join(_LOGOS)}")
    try:
        data = logo.read_bytes()
    except OSError as error:
        raise UsageError(f"theme.logo {logo} cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST_LOGO:
        raise UsageError(
            f"theme.logo {logo} has {len(data)} bytes; {_LARGEST_LOGO} are the most, for every page loads it"
        )
    return data


def _refuse_unreadable(theme: Theme) -> None:
    def colour(name: str) -> str:
        return _PAPER[name] if name in _PAPER else getattr(theme, name) or _USUAL[name]

    for ink, ground, what in PAIRS:
        ratio = contrast(colour(ink), colour(ground))
        if ratio < ENOUGH:
            on = f"theme.{ground}" if ground not in _PAPER else "the page"
            raise UsageError(
                f"theme.{ink} {colour(ink)} on {on} {colour(ground)} has a contrast of {ratio:.2f}, and {what} needs {ENOUGH} "
                f"to be readable for everybody (WCAG 2.2 AA): make the one lighter or the other darker"
            )


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _lines(colours: Mapping[str, str], *, dark: bool) -> Iterator[str]:
    for name, value in colours.items():
        if name.startswith("dark_") is dark:
            plain = name.removeprefix("dark_")
            for variable in _VARIABLES.get(plain, (f"--{plain.replace('_', '-')}",)):
                yield f"{variable}:{value};"


_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
PLAIN = Dress(Theme(), b"", "")
"""The house's own look."""


class Served:
    """Answers with a file of a dress."""

    def __init__(self, body: bytes, kind: str) -> None:
        self._body = body
        self._kind = kind
        self._version = sha256(body).hexdigest()[:16]

    async def __call__(self, request: Request) -> Reply:
        fresh = f"v={self._version}" in request.query
        cache = "public, max-age=31536000, immutable" if fresh else "no-cache"
        headers = (("cache-control", cache), ("etag", f'"{self._version}"'))
        if f'"{self._version}"' in request.headers.get("if-none-match", ""):
            return Reply(304, headers)
        safe = (
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"),
        )
        return Reply(200, (("content-type", self._kind), *safe, *headers), self._body)
