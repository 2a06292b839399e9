"""The stylesheet keeps its promises: contrast in light and in dark, no unknown token, no missing class, no outside."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

import innkeeper.issuer.pages
from tests.issuer.pages.markup import sample
from tests.issuer.pages.samples import PAGES

CSS = re.sub(r"/\*.*?\*/", "", (files(innkeeper.issuer.pages) / "static/house.css").read_text("utf-8"), flags=re.DOTALL)
DARK_AT = CSS.index("@media (prefers-color-scheme: dark)")
DARK_END = CSS.index("\n}\n", DARK_AT)


def tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", css))


LIGHT = tokens(CSS[:DARK_AT])
SCHEMES = {"light": LIGHT, "dark": LIGHT | tokens(CSS[DARK_AT:DARK_END])}
SURFACES = ("sunk", "paper", "raised")
INKS = ("ink", "ink-soft", "ink-faint", "link", "brass", "good", "bad", "warn")
EDGES = ("line-strong", "focus", "accent")
LOBBY_INKS = ("lobby-ink", "lobby-soft", "lamp")
RULES = re.findall(r"([^{}]+)\{([^{}]+)\}", CSS)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, definition)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def painted() -> list[tuple[str, str, str]]:
    """Every rule that sets both its ink and its ground: selector, ink, ground."""
    found = []
    for selector, body in RULES:
        ink = re.search(r"(?<![\w-])color: var\(--([\w-]+)\)", body)
        ground = re.search(r"background: var\(--([\w-]+)\)", body)
        if ink and ground:
            found.append((selector.strip(), ink[1], ground[1]))
    return found


def test_the_measure_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ink", INKS)
def test_text_can_be_read_on_every_surface(scheme: str, ink: str) -> None:
    colours = SCHEMES[scheme]
    faint = {surface: contrast(colours[ink], colours[surface]) for surface in SURFACES}
    assert min(faint.values()) >= 4.5, faint


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("edge", EDGES)
def test_controls_and_focus_can_be_made_out_on_every_surface(scheme: str, edge: str) -> None:
    colours = SCHEMES[scheme]
    faint = {surface: contrast(colours[edge], colours[surface]) for surface in SURFACES}
    assert min(faint.values()) >= 3, faint


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ink", LOBBY_INKS)
def test_text_can_be_read_in_the_lobby(scheme: str, ink: str) -> None:
    colours = SCHEMES[scheme]
    assert min(contrast(colours[ink], colours[ground]) for ground in ("lobby", "lobby-deep")) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("selector", "ink", "ground"), painted())
def test_a_rule_that_sets_ink_and_ground_sets_a_readable_pair(
    selector: str, ink: str, ground: str, scheme: str
) -> None:
    colours = SCHEMES[scheme]
    assert contrast(colours[ink], colours[ground]) >= 4.5


def test_the_rules_that_paint_were_found() -> None:
    assert {".button", ".notice-bad", ".field input", "body"} <= {selector for selector, _, _ in painted()}


def test_dark_changes_every_colour_but_those_of_the_lobby_and_the_bright_brass() -> None:
    same = {name for name in LIGHT if SCHEMES["dark"][name] == LIGHT[name]}
    assert {name for name in same if not name.startswith(("lobby", "lamp"))} == {"brass-bright"}


def test_every_token_used_is_defined() -> None:
    assert set(re.findall(r"var\(--([\w-]+)\)", CSS)) <= set(re.findall(r"--([\w-]+):", CSS))


def test_no_colour_is_written_outside_the_tokens() -> None:
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", CSS[DARK_END:]) == []


def test_the_stylesheet_asks_for_nothing_from_elsewhere() -> None:
    assert not re.search(r"url\(|@import|@font-face|https?:", CSS)


@pytest.mark.parametrize("page", PAGES)
def test_every_class_on_a_page_has_a_rule(page: str) -> None:
    used = {name for _, attributes in sample(page).elements for name in (attributes.get("class") or "").split()}
    assert used
    assert used <= set(re.findall(r"\.([a-z][\w-]*)", CSS))
