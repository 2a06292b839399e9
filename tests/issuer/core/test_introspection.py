"""Introspection, revocation and userinfo: what a presented token is worth, and to whom that is told."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core import introspect, revoke, userinfo
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import RevokeGrant, RevokeToken
from innkeeper.issuer.core.grants.refresh_token import Held
from innkeeper.issuer.core.introspect import CALLER_PUBLIC, TOKEN_DEAD, TOKEN_MISSING, Found
from innkeeper.issuer.core.records import Client, Person
from innkeeper.issuer.core.revoke import NOT_THE_CLIENTS, Revoked
from innkeeper.issuer.core.userinfo import NO_OPENID, NO_TOKEN, TOKEN_REFUSED
from innkeeper.protocol.refusals import Page
from tests.issuer.core.decided import ends_in, granted, is_page, refused
from tests.issuer.core.facts import ADA, APP, GRANT, HOTEL, ISSUER, NOW, POLICY, REFRESH, ROBOT, SHOP

CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": ADA.sub,
    "aud": [HOTEL, ISSUER],
    "client_id": SHOP.id,
    "exp": NOW + 60,
    "iat": NOW - 60,
    "jti": "token-1",
    "scope": "openid profile room:enter",
    "gid": GRANT.id,
}
ACCESS = Found(CLAIMS, grant=GRANT)
HELD = Found(refresh=Held(REFRESH, GRANT))
NOTHING = Found()
REVOKED_GRANT = replace(GRANT, revoked_at=NOW - 1)


def introspected(found: Found, client: Client = SHOP, token: str = "a token") -> Decision[dict[str, Any]]:
    return introspect.decide(token, client, found, POLICY, NOW)


@pytest.mark.parametrize("client", [SHOP, ROBOT], ids=["its own client", "another, such as the API's"])
def test_a_live_access_token_says_all_it_says(client: Client) -> None:
    answer = granted(introspected(ACCESS, client), dict)
    assert answer == {"active": True, "token_type": "Bearer", **CLAIMS}


def test_a_live_refresh_token_says_whose_it_is_and_for_how_long() -> None:
    assert granted(introspected(HELD), dict) == {
        "active": True,
        "iss": ISSUER,
        "client_id": SHOP.id,
        "sub": GRANT.sub,
        "scope": "gym:enter openid room:enter sauna:heat",
        "exp": REFRESH.expires_at,
        "iat": GRANT.created_at,
    }


DEAD: dict[str, tuple[Found, Client]] = {
    "no token of ours": (NOTHING, SHOP),
    "an access token that expired": (replace(ACCESS, claims={**CLAIMS, "exp": NOW - 1}), SHOP),
    "an access token that expires now": (replace(ACCESS, claims={**CLAIMS, "exp": NOW}), SHOP),
    "an access token that was revoked": (replace(ACCESS, revoked=True), SHOP),
    "an access token of a revoked grant": (replace(ACCESS, grant=REVOKED_GRANT), SHOP),
    "a refresh token of another client": (HELD, ROBOT),
    "a refresh token that expired": (Found(refresh=Held(replace(REFRESH, expires_at=NOW), GRANT)), SHOP),
    "a refresh token that was spent": (Found(refresh=Held(replace(REFRESH, spent_at=NOW), GRANT)), SHOP),
    "a refresh token of a revoked grant": (Found(refresh=Held(REFRESH, REVOKED_GRANT)), SHOP),
    "a refresh token of a disabled account": (Found(refresh=Held(REFRESH, GRANT, disabled=True)), SHOP),
}


@pytest.mark.parametrize(("found", "client"), DEAD.values(), ids=DEAD.keys())
def test_a_token_is_told_dead_and_nothing_else_about_it(found: Found, client: Client) -> None:
    decision = introspected(found, client)
    assert decision.outcome == {"active": False}
    refusal = decision.trail.refusal
    assert refusal is not None
    assert is_page(refusal, TOKEN_DEAD)
    assert ends_in(decision.trail, refusal)


def test_a_public_client_learns_nothing_about_tokens() -> None:
    assert is_page(refused(introspected(ACCESS, APP)), CALLER_PUBLIC)


def test_a_question_about_no_token_is_refused() -> None:
    assert is_page(refused(introspected(NOTHING, token="")), TOKEN_MISSING)


def revoked(found: Found, client: Client = SHOP, token: str = "a token") -> Decision[Revoked]:
    return revoke.decide(token, client, found, NOW)


def test_a_refresh_token_takes_its_whole_grant_with_it() -> None:
    decision = revoked(HELD)
    assert granted(decision, Revoked)
    assert decision.effects == (RevokeGrant(GRANT.id, NOW),)


def test_an_access_token_goes_alone_and_is_remembered_until_it_would_have_expired() -> None:
    decision = revoked(ACCESS)
    assert granted(decision, Revoked)
    assert decision.effects == (RevokeToken("token-1", NOW + 60),)


def test_a_token_nobody_knows_is_revoked_without_a_trace() -> None:
    decision = revoked(NOTHING)
    assert granted(decision, Revoked)
    assert decision.effects == ()


@pytest.mark.parametrize("found", [HELD, ACCESS], ids=["refresh token", "access token"])
@pytest.mark.parametrize("client", [APP, ROBOT], ids=["public", "confidential"])
def test_nobody_revokes_another_clients_token(found: Found, client: Client) -> None:
    decision = revoked(found, client)
    assert is_page(refused(decision), NOT_THE_CLIENTS)
    assert decision.effects == ()


def test_revoking_no_token_is_refused() -> None:
    assert is_page(refused(revoked(NOTHING, token="")), TOKEN_MISSING)


def told(found: Found, person: Person | None = ADA, token: str = "a token") -> Decision[dict[str, Any]]:
    return userinfo.decide(token, found, person, POLICY, NOW)


def claiming(**changes: Any) -> Found:
    """The access token with some claims changed; None leaves one out."""
    said = {**CLAIMS, **changes}
    return Found({name: value for name, value in said.items() if value is not None}, grant=GRANT)


def test_userinfo_tells_the_claims_of_the_scopes_and_no_others() -> None:
    assert granted(told(ACCESS), dict) == {"sub": ADA.sub, "name": "Ada"}
    assert granted(told(claiming(scope="openid email")), dict) == {"sub": ADA.sub, "email": "ada@example.org"}
    assert granted(told(claiming(scope="openid")), dict) == {"sub": ADA.sub}


def test_userinfo_takes_an_audience_of_one_as_a_string() -> None:
    assert granted(told(claiming(aud=ISSUER)), dict)


NOT_FOR_USERINFO: dict[str, tuple[Found, Person | None, Page]] = {
    "a token of somebody else": (NOTHING, ADA, TOKEN_REFUSED),
    "a refresh token": (HELD, ADA, TOKEN_REFUSED),
    "a token that expires now": (claiming(exp=NOW), ADA, TOKEN_REFUSED),
    "a token that was revoked": (replace(ACCESS, revoked=True), ADA, TOKEN_REFUSED),
    "a token of a revoked grant": (replace(ACCESS, grant=REVOKED_GRANT), ADA, TOKEN_REFUSED),
    "a token for an API only": (claiming(aud=HOTEL), ADA, TOKEN_REFUSED),
    "a token for APIs only": (claiming(aud=[HOTEL]), ADA, TOKEN_REFUSED),
    "a token for an address that begins like ours": (claiming(aud=f"{ISSUER}/x"), ADA, TOKEN_REFUSED),
    "a token for nobody": (claiming(aud=None), ADA, TOKEN_REFUSED),
    "a token without openid": (claiming(scope="room:enter"), ADA, NO_OPENID),
    "a token without any scope": (claiming(scope=None), ADA, NO_OPENID),
    "a token with a scope that only begins so": (claiming(scope="openid2"), ADA, NO_OPENID),
    "a token of somebody who is gone": (ACCESS, None, TOKEN_REFUSED),
    "a token of somebody who was shut out": (ACCESS, replace(ADA, disabled=True), TOKEN_REFUSED),
}


@pytest.mark.parametrize(("found", "person", "page"), NOT_FOR_USERINFO.values(), ids=NOT_FOR_USERINFO.keys())
def test_userinfo_refuses(found: Found, person: Person | None, page: Page) -> None:
    decision = told(found, person)
    assert is_page(refused(decision), page)
    assert decision.effects == ()


def test_userinfo_without_a_token_is_told_only_that_one_is_needed() -> None:
    refusal = refused(told(NOTHING, token=""))
    assert refusal.page is NO_TOKEN
    assert (refusal.error, refusal.page.wire, refusal.page.status) == ("", "", 401)
