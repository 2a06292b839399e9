"""How an authorization request arrives: pushed, in a signed object, or by a reference that leads nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core import admission, authorization_request, authorize, pushed, request_object, responses
from innkeeper.issuer.core.authorization_request import Authorization
from innkeeper.issuer.core.authorize import Turned
from innkeeper.issuer.core.delivery import PLAIN, Delivery
from innkeeper.protocol.refusals import Page
from tests.issuer.core.decided import granted, is_page, refused
from tests.issuer.core.facts import APP, ASKED, CONSENT, ISSUER, NOW, POLICY, SESSION, SHOP, good, parameters

OBJECT: dict[str, Any] = {"iss": SHOP.id, "aud": ISSUER, "exp": NOW + 60, "nbf": NOW, **ASKED}


def judged(changes: dict[str, Any], header: dict[str, Any] | None = None, problem: str = "") -> Page | None:
    case = request_object.Case(problem, header or {"alg": "ES256"}, {**OBJECT, **changes}, SHOP, POLICY, NOW)
    refusal = request_object.judge(case).refusal
    return refusal.page if refusal else None


def test_a_request_object_of_the_client_stands_for_the_request() -> None:
    assert judged({}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "robot"},
        {"client_id": "robot"},
        {"aud": "https://other.example"},
        {"aud": []},
        {"exp": NOW - 60},
        {"exp": "tomorrow"},
        {"nbf": NOW + 60},
        {"request": "e30.e30.e30"},
        {"request_uri": "https://shop.example/r"},
        {"sub": SHOP.id},
    ],
    ids=str,
)
def test_a_request_object_with_one_thing_wrong_is_refused(changes: dict[str, Any]) -> None:
    assert judged(changes) is authorization_request.REQUEST_OBJECT


def test_an_unverified_object_and_another_kind_of_token_are_refused() -> None:
    assert judged({}, problem="no registered key verifies it") is authorization_request.REQUEST_OBJECT
    assert judged({}, {"alg": "ES256", "typ": "at+jwt"}) is authorization_request.REQUEST_OBJECT
    assert judged({}, {"alg": "ES256", "typ": "oauth-authz-req+jwt"}) is None


def test_the_request_inside_an_object_is_worded_as_a_query_is() -> None:
    inside = request_object.parameters(
        {**OBJECT, "max_age": 60, "resource": ["https://a.example", "https://b.example"]}
    )
    assert inside["max_age"] == "60"
    assert inside.many("resource") == ("https://a.example", "https://b.example")
    assert not {"iss", "aud", "exp", "nbf"} & set(inside)


@pytest.mark.parametrize(
    ("delivery", "page"),
    [
        (Delivery(object_problem="no key verifies it"), authorization_request.REQUEST_OBJECT),
        (Delivery(unsupported="request_uri"), authorization_request.REQUEST_URI),
    ],
)
def test_a_request_that_came_badly_is_told_at_the_redirect_uri(delivery: Delivery, page: Page) -> None:
    decision = authorize.examine(parameters({**ASKED}), SHOP, POLICY, delivery)
    assert is_page(refused(decision), page)
    assert isinstance(decision.outcome, Turned)


def test_a_reference_that_leads_nowhere_is_shown_on_a_page_even_beside_a_good_request() -> None:
    decision = authorize.examine(parameters({**ASKED}), SHOP, POLICY, Delivery(reference_problem="nothing there"))
    assert is_page(refused(decision), authorization_request.REFERENCE_DEAD)
    assert not isinstance(decision.outcome, Turned)


def test_a_client_that_must_push_cannot_come_from_the_browser() -> None:
    strict = replace(SHOP, require_pushed=True)
    ask = parameters({**ASKED})
    assert is_page(refused(authorize.examine(ask, strict, POLICY)), authorization_request.NOT_PUSHED)
    assert is_page(
        refused(authorize.examine(ask, SHOP, replace(POLICY, require_pushed=True))), authorization_request.NOT_PUSHED
    )
    granted(authorize.examine(ask, strict, POLICY, Delivery(pushed=True)), Authorization)


def test_a_good_request_may_be_pushed() -> None:
    ask = parameters({**ASKED})
    granted(pushed.decide(ask, ask, SHOP, PLAIN, POLICY), pushed.Pushed)


@pytest.mark.parametrize(
    ("changes", "page"),
    [
        ({"request_uri": f"{pushed.URN}x"}, pushed.REFERENCE_PUSHED),
        ({"client_id": APP.id}, pushed.REFERENCE_PUSHED),
        ({"redirect_uri": "https://evil.example/"}, authorization_request.REDIRECT_MISMATCH),
        ({"response_type": "token"}, responses.RESPONSE_TYPE),
    ],
    ids=str,
)
def test_a_pushed_request_is_judged_at_once_and_never_redirected(changes: dict[str, str], page: Page) -> None:
    ask = parameters({**ASKED, **changes})
    decision = pushed.decide(ask, ask, SHOP, PLAIN, POLICY)
    assert is_page(refused(decision), page)
    assert not isinstance(decision.outcome, Turned)


def test_a_hint_at_another_person_asks_for_a_sign_in_once_and_then_tells_the_client() -> None:
    wanted = replace(good(), id_token_hint="a.b.c")
    fresh = authorize.Fresh(b"code", "grant-2")

    def outcome(hinted: str | None, *, signed_in_at: int | None = None, quiet: bool = False) -> object:
        ask = replace(wanted, prompts=frozenset({"none"})) if quiet else wanted
        progress = admission.Progress(NOW, signed_in_at, consented=True)
        return authorize.admit(ask, progress, SESSION, CONSENT, fresh, POLICY, NOW, hinted).outcome

    assert isinstance(outcome(SESSION.sub), authorize.GiveCode)
    assert isinstance(outcome("grace-1"), authorize.AskSignIn)
    assert isinstance(outcome(None), authorize.AskSignIn)
    told = outcome("grace-1", signed_in_at=NOW)
    assert isinstance(told, Turned)
    assert told.refusal.page is admission.SIGN_IN_NEEDED
    assert isinstance(outcome("grace-1", quiet=True), Turned)
