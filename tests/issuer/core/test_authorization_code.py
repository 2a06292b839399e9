"""A code is redeemed once, by the client it was cut for, with the verifier that only this client knows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddGrant, AddRefreshToken, RevokeGrant, SpendCode
from innkeeper.issuer.core.grants import authorization_code
from innkeeper.issuer.core.grants.authorization_code import CODE_SPENT, CODE_UNUSABLE, VERIFIER_WRONG
from innkeeper.issuer.core.records import Client, Code, RefreshToken
from innkeeper.issuer.core.scopes import TARGET_UNKNOWN
from innkeeper.issuer.core.token import Fresh, Issue, TokenRequest
from innkeeper.protocol.refusals import Page
from tests.issuer.core.decided import granted, is_page, refused
from tests.issuer.core.facts import APP, CODE, GRANT, HOTEL, NOW, POLICY, SHOP, SPA, VERIFIER

ASK = TokenRequest(
    "authorization_code", code="code", redirect_uri="https://shop.example/callback", code_verifier=VERIFIER
)
BARE = replace(CODE, challenge=None)
"""A code of a confidential client whose nonce stood in for the proof key."""


def redeemed(
    code: Code | None = CODE, client: Client = SHOP, now: int = NOW, *, signed_out: bool = False, **changes: Any
) -> Decision[Issue]:
    ask, fresh = replace(ASK, **changes), Fresh(b"refresh digest")
    return authorization_code.decide(ask, client, code, fresh, POLICY, now, signed_out=signed_out)


def test_a_code_gives_everything_that_was_asked_for_and_is_spent() -> None:
    decision = redeemed()
    issue = granted(decision, Issue)
    grant = replace(GRANT, created_at=NOW)
    assert (issue.client, issue.subject, issue.grant) == (SHOP, GRANT.sub, grant)
    assert (issue.scopes, issue.audience) == (GRANT.scopes, GRANT.audience)
    assert (issue.id_token, issue.nonce, issue.refresh) == (True, CODE.nonce, True)
    refresh = RefreshToken(digest=b"refresh digest", grant_id=GRANT.id, expires_at=NOW + POLICY.refresh_lifetime)
    assert decision.effects == (SpendCode(CODE.digest, NOW), AddGrant(grant), AddRefreshToken(refresh))
    assert [step.check for step in decision.trail.steps] == list(authorization_code.CHECKS)


def test_a_client_without_the_refresh_grant_gets_no_refresh_token() -> None:
    decision = redeemed(client=replace(SHOP, grants=frozenset({"authorization_code"})))
    assert not granted(decision, Issue).refresh
    assert [type(effect) for effect in decision.effects] == [SpendCode, AddGrant]


def test_without_openid_there_is_no_id_token() -> None:
    grant = replace(GRANT, scopes=frozenset({"room:enter"}), audience=(HOTEL,))
    assert not granted(redeemed(replace(CODE, grant=grant)), Issue).id_token


def test_the_redirect_uri_may_be_left_out() -> None:
    assert granted(redeemed(redirect_uri=""), Issue)


def test_a_code_without_a_challenge_is_redeemed_without_a_verifier() -> None:
    assert granted(redeemed(BARE, code_verifier=""), Issue)


REFUSED: dict[str, tuple[Code | None, dict[str, Any], Page]] = {
    "the code is unknown": (None, {}, CODE_UNUSABLE),
    "the code is another client's": (CODE, {"client": APP}, CODE_UNUSABLE),
    "the code expired": (CODE, {"now": CODE.expires_at + 1}, CODE_UNUSABLE),
    "the code expires this very second": (CODE, {"now": CODE.expires_at}, CODE_UNUSABLE),
    "its person has signed out since": (CODE, {"signed_out": True}, CODE_UNUSABLE),
    "the redirect differs": (CODE, {"redirect_uri": "https://shop.example/callback/"}, CODE_UNUSABLE),
    "the redirect differs in case": (CODE, {"redirect_uri": "https://SHOP.example/callback"}, CODE_UNUSABLE),
    "the verifier is missing": (CODE, {"code_verifier": ""}, VERIFIER_WRONG),
    "the verifier is another": (CODE, {"code_verifier": "b" * 43}, VERIFIER_WRONG),
    "the verifier is the challenge": (CODE, {"code_verifier": CODE.challenge}, VERIFIER_WRONG),
    "the verifier is too short": (CODE, {"code_verifier": VERIFIER[:42]}, VERIFIER_WRONG),
    "the verifier is too long": (CODE, {"code_verifier": "a" * 129}, VERIFIER_WRONG),
    "the verifier has a space": (CODE, {"code_verifier": VERIFIER + " "}, VERIFIER_WRONG),
    "the verifier has a line break": (CODE, {"code_verifier": VERIFIER + "\n"}, VERIFIER_WRONG),
    "the verifier has an umlaut": (CODE, {"code_verifier": VERIFIER + "ü"}, VERIFIER_WRONG),
    "a verifier comes for a code without a challenge": (BARE, {}, VERIFIER_WRONG),
    "the resource was not granted": (CODE, {"resources": ("https://evil.example/",)}, TARGET_UNKNOWN),
    "one resource of two was not granted": (CODE, {"resources": (HOTEL, "https://evil.example/")}, TARGET_UNKNOWN),
}


@pytest.mark.parametrize(("code", "changes", "page"), REFUSED.values(), ids=REFUSED.keys())
def test_a_code_is_refused_and_stays_unspent_where(code: Code | None, changes: dict[str, Any], page: Page) -> None:
    decision = redeemed(code, **changes)
    assert is_page(refused(decision), page)
    assert decision.effects == ()


SPENT = replace(CODE, spent_at=NOW - 5)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"now": NOW + 100_000},
        {"code_verifier": "b" * 43},
        {"code_verifier": ""},
        {"redirect_uri": "https://evil.example/"},
    ],
    ids=["at once", "long after", "with a wrong verifier", "without a verifier", "with a wrong redirect"],
)
def test_a_spent_code_revokes_what_it_gave_however_it_comes_back(changes: dict[str, Any]) -> None:
    decision = redeemed(SPENT, **changes)
    assert is_page(refused(decision), CODE_SPENT)
    assert decision.effects == (RevokeGrant(GRANT.id, changes.get("now", NOW)),)


def test_the_reason_says_how_long_ago_it_was() -> None:
    assert "redeemed 5 s ago" in refused(redeemed(SPENT)).reason
    assert "expired 7 s ago" in refused(redeemed(now=CODE.expires_at + 7)).reason


def test_another_client_with_a_spent_code_revokes_nothing() -> None:
    decision = redeemed(SPENT, client=APP)
    assert is_page(refused(decision), CODE_UNUSABLE)
    assert decision.effects == ()


@pytest.mark.parametrize(
    ("resources", "audience", "scopes"),
    [
        ((HOTEL,), (HOTEL,), {"openid", "room:enter", "gym:enter"}),
        ((SPA,), (SPA,), {"openid", "sauna:heat"}),
        ((SPA, HOTEL), (SPA, HOTEL), {"openid", "room:enter", "gym:enter", "sauna:heat"}),
        ((HOTEL, HOTEL), (HOTEL,), {"openid", "room:enter", "gym:enter"}),
    ],
)
def test_a_resource_named_at_redemption_narrows_the_token_but_not_the_grant(
    resources: tuple[str, ...], audience: tuple[str, ...], scopes: set[str]
) -> None:
    issue = granted(redeemed(resources=resources), Issue)
    assert issue.audience == audience
    assert issue.scopes == scopes
    assert issue.grant == replace(GRANT, created_at=NOW)


@given(
    spent=st.none() | st.integers(NOW - 100, NOW),
    late=st.integers(-60, 60),
    verifier=st.sampled_from([VERIFIER, "", "b" * 43]) | st.text(max_size=50),
    redirect=st.sampled_from(["", ASK.redirect_uri, "https://evil.example/"]),
    client=st.sampled_from([SHOP, APP]),
    resources=st.lists(st.sampled_from([HOTEL, SPA, "https://evil.example/"]), max_size=3),
)
def test_a_code_is_redeemed_only_where_all_of_it_fits(
    spent: int | None, late: int, verifier: str, redirect: str, client: Client, resources: list[str]
) -> None:
    now = CODE.expires_at + late
    code = replace(CODE, spent_at=spent)
    decision = redeemed(code, client, now, code_verifier=verifier, redirect_uri=redirect, resources=tuple(resources))
    fits = (
        spent is None
        and late < 0
        and verifier == VERIFIER
        and redirect != "https://evil.example/"
        and client is SHOP
        and "https://evil.example/" not in resources
    )
    if fits:
        issue = granted(decision, Issue)
        assert issue.scopes <= GRANT.scopes
        assert set(issue.audience) <= set(GRANT.audience)
        assert SpendCode(CODE.digest, now) in decision.effects
    else:
        refused(decision)
        revoked = spent is not None and client is SHOP
        assert decision.effects == ((RevokeGrant(GRANT.id, now),) if revoked else ())
