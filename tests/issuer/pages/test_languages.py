"""The pages in every language that is promised: nothing is left unsaid, nothing that is filled in is lost."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx2
import pytest

from innkeeper.issuer.dialects.layout import Endpoint
from innkeeper.issuer.pages import speaking
from innkeeper.issuer.pages.dress import PLAIN
from innkeeper.issuer.pages.render import render
from innkeeper.issuer.pages.speaking import direction, dressed_one, language, translated
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.locales import SPOKEN, chosen
from tests.inn import Inn
from tests.issuer.pages.catalogues import LANGUAGES, OTHERS, compiled, messages, read, template
from tests.issuer.pages.samples import PAGES

PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}|</?\w+[^>]*>")


def asked(accept: str = "", query: str = "", form: str = "") -> Request:
    headers = {"accept-language": accept} | ({"content-type": "application/x-www-form-urlencoded"} if form else {})
    return Request("POST" if form else "GET", "/sign-in", query, headers, form.encode())


@pytest.mark.parametrize("spoken", OTHERS)
def test_a_catalogue_lacks_no_message_and_has_none_too_many(spoken: str) -> None:
    wanted, held = {one.id for one in messages(template())}, read(spoken)
    assert {one.id for one in messages(held)} == wanted, "run: python -m tests.issuer.pages.catalogues"
    unsaid = [one.id for one in messages(held) if not all(_forms(one.string))]
    assert unsaid == []
    assert not any(one.fuzzy for one in messages(held))


@pytest.mark.parametrize("spoken", OTHERS)
def test_what_is_filled_in_and_marked_up_is_the_same_in_every_language(spoken: str) -> None:
    for one in messages(read(spoken)):
        wanted = sorted(PLACEHOLDER.findall(_forms(one.id)[-1]))
        for said in _forms(one.string):
            found = sorted(PLACEHOLDER.findall(said))
            assert found == wanted or (isinstance(one.id, tuple) and set(found) <= set(wanted)), (one.id, said)
            assert said.strip() == said


@pytest.mark.parametrize("spoken", OTHERS)
def test_what_is_compiled_is_what_is_written(spoken: str) -> None:
    assert (LANGUAGES / f"{spoken}.mo").read_bytes() == compiled(read(spoken))


def _forms(said: Any) -> tuple[str, ...]:
    return said if isinstance(said, tuple) else (said,)


@pytest.mark.parametrize(
    ("ui_locales", "accept", "spoken"),
    [
        ("", "", "en"),
        ("", "de", "de"),
        ("", "de-CH", "de"),
        ("", "nl, fr;q=0.5, de;q=0.7", "de"),
        ("", "de;q=0, fr", "fr"),
        ("", "nl, *;q=0.1", "en"),
        ("", "de;q=high", "en"),
        ("fr-CA de", "es", "fr"),
        ("nl ja", "es", "ja"),
        ("nl", "es", "es"),
        ("../../etc", "\x00,;;=,", "en"),
        ("DE", "", "de"),
    ],
)
def test_the_language_is_what_the_client_asks_for_then_what_the_browser_wants(
    ui_locales: str, accept: str, spoken: str
) -> None:
    assert chosen(ui_locales, accept) == spoken


async def _speaks(request: Request) -> str:
    async def page(_: Request) -> Reply:
        return Reply(200, (), language().encode())

    return (await dressed_one(Endpoint(page, frozenset({"GET"})), PLAIN).handler(request)).body.decode()


REQUESTS = [
    (asked("fr"), "fr"),
    (asked("fr", "ui_locales=de"), "de"),
    (asked("fr", "lang=es"), "es"),
    (asked("fr", "ticket=eyJ.x"), "fr"),
    (asked("fr", "", "ui_locales=ja&username=x"), "ja"),
    (asked("fr", "ui_locales=de&ui_locales=es"), "fr"),
]


@pytest.mark.parametrize(("request_", "spoken"), REQUESTS, ids=str)
def test_a_page_speaks_as_its_request_wants(request_: Request, spoken: str) -> None:
    assert asyncio.run(_speaks(request_)) == spoken


@pytest.mark.parametrize("spoken", SPOKEN)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_can_be_drawn_in_every_language(name: str, spoken: str) -> None:
    page = drawn(name, spoken)
    assert f'<html lang="{spoken}" dir="ltr">' in page
    assert "%(" not in page


def drawn(name: str, spoken: str) -> str:
    token = speaking._at_hand.set((asked(spoken), PLAIN))
    try:
        template, context = PAGES[name]
        return render(template, **context).decode()
    finally:
        speaking._at_hand.reset(token)


def test_what_a_person_typed_is_escaped_whatever_is_said_around_it() -> None:
    token = speaking._at_hand.set((asked("de"), PLAIN))
    try:
        context = dict(PAGES["message"][1]) | {"title": "<b>%(x)s</b>", "text": "Not signed in"}
        page = render("message.html", **context).decode()
    finally:
        speaking._at_hand.reset(token)
    assert "&lt;b&gt;%(x)s&lt;/b&gt;" in page
    assert "Nicht angemeldet" in page


def test_outside_of_a_page_english_is_spoken_from_left_to_right() -> None:
    assert (language(), direction(), translated("Not signed in"), translated(None)) == (
        "en",
        "ltr",
        "Not signed in",
        "",
    )


def test_a_house_says_which_languages_it_speaks(house: Inn) -> None:
    with httpx2.Client(base_url=house.url, timeout=30, headers={"accept-language": "es"}) as browser:
        known = browser.get("/.well-known/openid-configuration").json()["ui_locales_supported"]
        assert known == list(SPOKEN)
        question = {
            "response_type": "code", "client_id": "guest-app", "redirect_uri": "http://127.0.0.1:1/callback", "scope": "openid",
            "code_challenge": "a" * 43, "code_challenge_method": "S256", "state": "s", "ui_locales": "de",
        }  # fmt: skip
        to = browser.get("/authorize", params=question).headers["location"]
        assert "<h1>Anmelden</h1>" in browser.get(to).text
        assert "Iniciar sesión" in browser.get("/account", follow_redirects=True).text
        pool = browser.get("/us-east-1_innkeepr1/login?client_id=none&lang=fr").text
        assert '<html lang="fr"' in pool
