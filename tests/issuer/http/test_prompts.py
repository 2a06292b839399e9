"""What a client may ask of the moment of sign-in: silence, a new sign-in, a new consent, a recent one."""

from __future__ import annotations

import pytest

from innkeeper.tokens.trail import Trail
from tests.issuer.house import ORIGIN, Answer, House
from tests.issuer.visitor import SHOP, Visitor, redeem


def is_turned_back(answer: Answer, error: str) -> bool:
    """Whether the client is told the error at its redirect URI, with state and issuer, and nobody sees a page."""
    assert answer.status == 303
    assert answer.location.startswith("https://shop.example/callback?")
    sent = answer.sent_back
    assert (sent["error"], sent["state"], sent["iss"]) == (error, "s-1", ORIGIN)
    assert set(sent) == {"error", "error_description", "state", "iss"}
    return True


def asks_for(answer: Answer) -> str:
    """The button of the page that was shown."""
    return next(name for name in ("sign-in", "allow") if f'id="{name}"' in answer.text)


def last(house: House, about: str) -> Trail:
    return next(trail for trail in reversed(house.trails) if trail.about == about)


def test_silence_without_a_session_tells_that_a_sign_in_is_needed(visitor: Visitor) -> None:
    assert is_turned_back(visitor.authorize(prompt="none"), "login_required")
    assert visitor.cookies == {}


def test_silence_without_consent_tells_that_consent_is_needed(house: House) -> None:
    visitor = Visitor(house)
    visitor.sign_in(visitor.authorize(), "bob@example.org")
    assert is_turned_back(visitor.authorize(prompt="none"), "consent_required")
    assert asks_for(visitor.authorize()) == "allow", "and the person can still be asked"


def test_silence_gives_a_code_where_nothing_is_left_to_ask(house: House, visitor: Visitor) -> None:
    visitor.code()
    answer = visitor.authorize(prompt="none")
    assert redeem(house, answer.sent_back["code"]).status == 200


def test_silence_for_more_than_was_allowed_tells_that_consent_is_needed(visitor: Visitor) -> None:
    visitor.code()
    assert is_turned_back(visitor.authorize(prompt="none", scope="openid sauna:heat"), "consent_required")


@pytest.mark.parametrize("prompt", ["none login", "none consent", "nothing", "none none2"])
def test_silence_that_speaks_is_an_invalid_request(visitor: Visitor, prompt: str) -> None:
    assert is_turned_back(visitor.authorize(prompt=prompt), "invalid_request")


@pytest.mark.parametrize("prompt", ["login", "select_account"])
def test_a_new_sign_in_is_asked_for_once(house: House, visitor: Visitor, prompt: str) -> None:
    visitor.code()
    house.clock.move(30)
    page = visitor.authorize(prompt=prompt)
    assert asks_for(page) == "sign-in"
    assert "code" in visitor.through(page).sent_back
    assert asks_for(visitor.authorize(prompt=prompt)) == "sign-in", "and again for the next request"


def test_after_a_new_sign_in_the_id_token_says_when_it_was(house: House, visitor: Visitor) -> None:
    visitor.code()
    house.clock.move(1000)
    answer = visitor.through(visitor.authorize(prompt="login"))
    token = redeem(house, answer.sent_back["code"]).json["access_token"]
    told = house.post("/introspect", {"token": token, **SHOP}).json
    assert told["auth_time"] == house.clock()


def test_a_new_consent_is_asked_for_once(visitor: Visitor) -> None:
    visitor.code()
    page = visitor.authorize(prompt="consent")
    assert asks_for(page) == "allow"
    assert "code" in visitor.allow(page).sent_back
    assert asks_for(visitor.authorize(prompt="consent")) == "allow"


def test_sign_in_and_consent_can_both_be_asked_for(visitor: Visitor) -> None:
    visitor.code()
    page = visitor.authorize(prompt="login consent")
    assert asks_for(page) == "sign-in"
    page = visitor.sign_in(page)
    assert asks_for(page) == "allow"
    assert "code" in visitor.allow(page).sent_back


def test_somebody_else_may_sign_in_instead(house: House, visitor: Visitor) -> None:
    visitor.code()
    page = visitor.sign_in(visitor.authorize(prompt="select_account"), "bob@example.org")
    token = redeem(house, visitor.allow(page).sent_back["code"]).json["access_token"]
    assert house.post("/introspect", {"token": token, **SHOP}).json["sub"] == "bob-2"


def test_a_sign_in_may_be_as_old_as_the_client_says(house: House, visitor: Visitor) -> None:
    visitor.code()
    house.clock.move(100)
    assert "code" in visitor.authorize(max_age="100").sent_back
    assert asks_for(visitor.authorize(max_age="99")) == "sign-in"
    assert is_turned_back(visitor.authorize(max_age="99", prompt="none"), "login_required")
    assert "code" in visitor.through(visitor.authorize(max_age="99")).sent_back
    assert "code" in visitor.authorize(max_age="99").sent_back


def test_an_age_of_nothing_asks_each_time_and_lets_in(house: House, visitor: Visitor) -> None:
    visitor.code()
    page = visitor.authorize(max_age="0")
    assert asks_for(page) == "sign-in"
    house.clock.move(5)
    assert "code" in visitor.through(page).sent_back


def test_the_name_that_the_client_hints_at_is_filled_in(visitor: Visitor) -> None:
    assert 'value="ada@example.org"' in visitor.authorize(login_hint="ada@example.org").text


def test_a_hint_at_who_is_signed_in_goes_through_and_at_another_does_not(house: House) -> None:
    ada, bob = Visitor(house), Visitor(house)
    hint = redeem(house, ada.code()).json["id_token"]
    bob.through(bob.sign_in(bob.authorize(), "bob@example.org"))
    assert "code" in ada.authorize(prompt="none", id_token_hint=hint).sent_back
    assert is_turned_back(bob.authorize(prompt="none", id_token_hint=hint), "login_required")


def test_what_was_decided_is_told_to_whoever_observes(house: House, visitor: Visitor) -> None:
    visitor.authorize(prompt="none")
    refusal = last(house, "authorize").refusal
    assert refusal is not None
    assert (refusal.error, refusal.page.number) == ("login_required", "IK120")
    document = last(house, "authorize").as_document()
    assert document["outcome"] == "refused"
    assert [step["passed"] for step in document["steps"]].count(False) == 1
    assert document["steps"][-1]["passed"] is False
