"""A house in its own colours, with its own mark and templates: what is taken, what is refused, and that it is safe."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx2
import pytest

from innkeeper.issuer.pages import speaking
from innkeeper.issuer.pages.dress import PAIRS, PLAIN, contrast, dress_of
from innkeeper.issuer.pages.render import render
from innkeeper.issuer.settings import Theme
from innkeeper.protocol.exchange import Request
from innkeeper.protocol.refusals import UsageError
from tests.inn import Inn, free_port, opened_by
from tests.issuer.pages.samples import PAGES

INK = Theme(accent="#7a1f2b", on_accent="#ffffff", lobby="#2b1216")


def test_colours_become_variables_of_the_stylesheet_by_day_and_by_night() -> None:
    style = dress_of(Theme(accent="#7a1f2b", dark_accent="#e8a0a8", dark_on_accent="#2b0a10")).style.decode()
    assert style == (
        ":root{--accent:#7a1f2b;--accent-strong:#7a1f2b;}"
        "@media(prefers-color-scheme:dark){:root{--accent:#e8a0a8;--accent-strong:#e8a0a8;--on-accent:#2b0a10;}}"
    )
    assert PLAIN.style == b""


@pytest.mark.parametrize(
    ("theme", "why"),
    [
        (Theme(accent="#ffcc00"), "theme.on_accent #fdf9ef on theme.accent #ffcc00 has a contrast of 1.4"),
        (Theme(link="#d0a060"), "links on the page needs 4.5"),
        (Theme(lobby_ink="#17362f"), "contrast of 1.00"),
        (Theme(dark_link="#333333"), "links on the page in the dark"),
        (Theme(accent="red"), "a colour is written as #1f4d42"),
        (Theme(accent="#fff;}body{"), "a colour is written as #1f4d42"),
        (Theme(logo="/nowhere/mark.svg"), "cannot be read"),
        (Theme(logo="mark.gif"), "one of .svg, .png, .webp"),
        (Theme(templates="/nowhere/at/all"), "there is no folder"),
    ],
)
def test_what_nobody_could_read_is_refused_with_the_reason(theme: Theme, why: str) -> None:
    with pytest.raises(UsageError, match=why.replace(".", r"\.").replace("#", "#")):
        dress_of(theme)


def test_contrast_is_what_wcag_computes() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert {ink for ink, *_ in PAIRS} >= {"on_accent", "link", "lobby_ink"}


def test_a_template_in_the_folder_takes_the_houses_place_and_stays_escaped(tmp_path: Path) -> None:
    (tmp_path / "message.html").write_text(
        '{% extends "house/message.html" %}{% block picture %}<p id="ours">{{ text }}</p>{% endblock %}', "utf-8"
    )
    (tmp_path / "base.html").write_text("<i>{% block title %}{% endblock %}{% block main %}{% endblock %}</i>", "utf-8")
    mine = dress_of(Theme(templates=str(tmp_path)))
    token = speaking._at_hand.set((Request("GET", "/", "", {}, b""), mine))
    try:
        context = dict(PAGES["message"][1]) | {"text": "<script>"}
        page = render("message.html", **context).decode()
        other = render("device.html", **PAGES["device"][1]).decode()
    finally:
        speaking._at_hand.reset(token)
    assert page.startswith("<i>"), "its base is the folder's, too"
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "XXXX-XXXX" in other


def test_a_house_in_its_own_dress(tmp_path: Path) -> None:
    (tmp_path / "mark.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "utf-8")
    (tmp_path / "innkeeper.toml").write_text(
        'title = "The Anchor"\n[theme]\nlogo = "mark.svg"\naccent = "#7a1f2b"\n'
        '[[client]]\nid = "concierge"\nname = "c"\nsecret = "concierge-secret"\ngrants = ["client_credentials"]\n'
        '[[client]]\nid = "guest-app"\nname = "g"\nredirect_uris = ["http://127.0.0.1/callback"]\n',
        "utf-8",
    )
    inn = Inn(free_port(), tmp_path)
    words = [str(Path(sys.executable).with_name("innkeeper")), "up"]
    told = {"INNKEEPER_PORT": str(inn.port), "INNKEEPER_TLS_PORT": "0", "INNKEEPER_STATE": str(tmp_path / "state")}
    with opened_by(words, inn, told), httpx2.Client(base_url=inn.url, timeout=30) as browser:
        page = browser.get("/account", follow_redirects=True).text
        assert "The Anchor" in page
        style = next(part.split('"')[0] for part in page.split('href="') if "theme.css" in part)
        answer = browser.get(style)
        assert "--accent:#7a1f2b" in answer.text
        assert "immutable" in answer.headers["cache-control"]
        assert browser.get(style, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
        mark = browser.get("/static/logo.svg")
        assert (mark.status_code, mark.headers["content-type"]) == (200, "image/svg+xml")
        assert "default-src 'none'" in mark.headers["content-security-policy"]
