"""What a request wishes of pages and claims beyond what is spoken here does no harm: it is let be, never refused."""

from __future__ import annotations

import pytest

from tests.issuer.house import House
from tests.issuer.visitor import Visitor


@pytest.mark.parametrize(
    "wish",
    [
        {"ui_locales": "fr-CA fr en"},
        {"ui_locales": "not//a..language ' or 1=1"},
        {"claims_locales": "de ja-Kana-JP"},
        {"display": "page"},
        {"display": "popup"},
        {"display": "wap"},
        {"display": "holographic"},
        {"acr_values": "urn:example:moon urn:example:sun"},
        {"login_hint": "nobody@nowhere.example"},
        {"request_context": "an unknown parameter"},
    ],
    ids=str,
)
def test_a_wish_that_cannot_be_granted_does_no_harm(house: House, wish: dict[str, str]) -> None:
    visitor = Visitor(house)
    answer = visitor.through(visitor.authorize(**wish))
    assert set(answer.sent_back) == {"code", "state", "iss"}


def test_a_wish_is_never_repeated_on_a_page(house: House) -> None:
    wish = "<script>alert(1)</script>"
    page = Visitor(house).authorize(ui_locales=wish, display=wish, claims_locales=wish, acr_values=wish)
    assert 'id="sign-in"' in page.text
    assert "alert(1)" not in page.text


@pytest.mark.parametrize("name", ["ui_locales", "display", "claims_locales", "acr_values"])
def test_a_wish_made_twice_is_refused_as_every_parameter_is(house: House, name: str) -> None:
    twice = Visitor(house).get(f"{AUTHORIZE}&{name}=a&{name}=b")
    assert twice.sent_back["error"] == "invalid_request"


AUTHORIZE = "/authorize?client_id=shop&redirect_uri=https%3A%2F%2Fshop.example%2Fcallback&response_type=code"


@pytest.mark.parametrize("wish", [{"ui_locales": "fr"}, {"logout_hint": "ada"}], ids=str)
def test_a_sign_out_may_wish_too(house: House, wish: dict[str, str]) -> None:
    visitor = Visitor(house)
    visitor.code()
    query = "&".join(f"{name}={value}" for name, value in wish.items())
    page = visitor.get(f"/logout?{query}")
    assert 'id="logged-out"' in visitor.submit(page, decision="logout").text


def test_the_document_says_which_wishes_are_heard(house: House) -> None:
    document = house.get("/.well-known/openid-configuration").json
    assert document["display_values_supported"] == ["page", "popup"]
    assert document["ui_locales_supported"] == ["en", "de", "fr", "es", "ja"]
    assert "create" not in document["prompt_values_supported"]
    assert "claims_locales_supported" not in document
