"""What a person reads before they say yes: who asks, for what, where it works, for how long."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from tests.issuer.house import HOTEL, SPA, Answer, House
from tests.issuer.visitor import Visitor


def page_for(visitor: Visitor, username: str = "ada@example.org", **asked: str | None) -> Answer:
    page = visitor.authorize(prompt="login consent", **asked)
    page = visitor.sign_in(page, username)
    assert 'id="allow"' in page.text
    return page


def scopes_on(page: Answer) -> list[str]:
    """The scopes in the order they are listed."""
    listed = page.text[page.text.index('class="asks"') : page.text.index('class="facts"')]
    return re.findall(r"<code[^>]*>([^<]+)</code>", listed)


def test_an_apis_scopes_come_before_a_profiles_and_openid_says_nothing(visitor: Visitor) -> None:
    page = page_for(visitor, scope="openid profile room:enter email gym:enter")
    assert scopes_on(page) == ["gym:enter", "room:enter", "email", "profile"]
    assert "Open your room" in page.text
    assert "See your e-mail address" in page.text


def test_openid_alone_asks_only_to_know_who_signed_in(visitor: Visitor) -> None:
    page = page_for(visitor, scope="openid")
    assert scopes_on(page) == []
    assert "Know that you signed in" in page.text


def test_the_places_where_it_works_are_those_that_were_asked_for(visitor: Visitor) -> None:
    page = page_for(visitor, scope="openid room:enter", resource=HOTEL)
    assert HOTEL in page.text
    assert SPA not in page.text
    both = page_for(visitor, scope="openid room:enter sauna:heat")
    assert HOTEL in both.text
    assert SPA in both.text


def test_what_is_new_is_marked_beside_what_was_allowed_before(visitor: Visitor) -> None:
    first = page_for(visitor, "bob@example.org", scope="openid room:enter")
    assert ">new<" not in first.text, "where all is new nothing is marked"
    visitor.allow(first)
    second = page_for(visitor, "bob@example.org", scope="openid room:enter gym:enter")
    assert second.text.count(">new<") == 1
    gym = second.text.index("Use the gym")
    assert gym < second.text.index(">new<") < second.text.index("Open your room")


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("openid room:enter", "30 days after its last use, or until you sign out"),
        ("openid offline_access", "30 days after its last use."),
    ],
)
def test_how_long_it_lasts_is_said(visitor: Visitor, scope: str, words: str) -> None:
    text = " ".join(page_for(visitor, scope=scope).text.split())
    assert words in text
    assert "Checked again every 10 minutes" in text


def test_a_client_that_cannot_refresh_has_minutes(house: House, visitor: Visitor) -> None:
    store = house.issuer.realm.store
    shop = house.run(store.client("shop"))
    assert shop is not None
    brief = replace(shop, id="brief", grants=frozenset({"authorization_code"}))
    house.run(store.put_client(brief))
    text = " ".join(page_for(visitor, client_id="brief").text.split())
    assert "10 minutes." in text
    assert "days" not in text
    assert "Checked again" not in text


def test_who_asks_who_is_asked_and_where_the_answer_goes_is_said(visitor: Visitor) -> None:
    page = page_for(visitor, redirect_uri="https://shop.example/back?from=inn")
    for words in ("The shop", "Ada &lt;b&gt;", "ada@example.org", "shop.example"):
        assert words in page.text
    assert "a program on this computer" not in page.text


def test_somebody_else_can_sign_in_for_the_same_request(visitor: Visitor) -> None:
    page = page_for(visitor)
    found = re.search(r'href="(/sign-in\?ticket=[^"]+)"', page.text)
    assert found is not None
    other = visitor.sign_in(visitor.get(found[1]), "bob@example.org")
    assert "bob@example.org" in other.text
    assert visitor.through(other).location.startswith("https://shop.example/callback?code=")
