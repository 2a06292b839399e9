"""Refresh tokens rotate: each works once, a lost answer is forgiven for a moment, a copy ends the whole family."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddRefreshToken, RevokeGrant, SpendRefreshToken
from innkeeper.issuer.core.grants import refresh_token
from innkeeper.issuer.core.grants.refresh_token import BEYOND_GRANT, REFRESH_REPLAYED, REFRESH_UNUSABLE, Held
from innkeeper.issuer.core.policy import OPENID_SCOPES
from innkeeper.issuer.core.records import Client, RefreshToken
from innkeeper.issuer.core.scopes import SCOPE_NOT_ALLOWED, TARGET_UNKNOWN
from innkeeper.issuer.core.token import Fresh, Issue, TokenRequest
from innkeeper.protocol.refusals import Page
from tests.issuer.core.decided import granted, is_page, refused
from tests.issuer.core.facts import APP, GRANT, HOTEL, ISSUER, NOW, POLICY, REFRESH, SHOP, SPA

HELD = Held(REFRESH, GRANT)
GRACE = POLICY.refresh_grace


def refreshed(held: Held | None = HELD, client: Client = SHOP, now: int = NOW, **asked: Any) -> Decision[Issue]:
    ask = TokenRequest("refresh_token", refresh_token="refresh", **asked)
    return refresh_token.decide(ask, client, held, Fresh(b"successor"), POLICY, now)


def spent(ago: int, *, successor_used: bool = False) -> Held:
    """The token after it was spent ``ago`` seconds before ``NOW``."""
    return Held(replace(REFRESH, spent_at=NOW - ago, successor=b"successor"), GRANT, successor_used)


def test_a_refresh_token_is_spent_for_its_successor() -> None:
    decision = refreshed()
    issue = granted(decision, Issue)
    assert (issue.subject, issue.grant, issue.scopes, issue.audience) == (
        GRANT.sub,
        GRANT,
        GRANT.scopes,
        GRANT.audience,
    )
    assert (issue.refresh, issue.id_token, issue.nonce) == (True, True, None)
    successor = RefreshToken(digest=b"successor", grant_id=GRANT.id, expires_at=NOW + POLICY.refresh_lifetime)
    assert decision.effects == (SpendRefreshToken(REFRESH.digest, b"successor", NOW), AddRefreshToken(successor))
    assert [step.check for step in decision.trail.steps] == list(refresh_token.CHECKS)


@pytest.mark.parametrize("ago", [0, 1, GRACE])
def test_within_the_grace_the_same_successor_is_given_again_and_nothing_changes(ago: int) -> None:
    decision = refreshed(spent(ago))
    assert granted(decision, Issue).refresh
    assert decision.effects == ()


@pytest.mark.parametrize(
    "held",
    [spent(GRACE + 1), spent(100_000), spent(0, successor_used=True), spent(GRACE + 1, successor_used=True)],
    ids=["a second past the grace", "long after", "its successor was used at once", "late and its successor used"],
)
def test_a_second_use_past_the_grace_revokes_the_family(held: Held) -> None:
    decision = refreshed(held)
    assert is_page(refused(decision), REFRESH_REPLAYED)
    assert decision.effects == (RevokeGrant(GRANT.id, NOW),)


REVOKED = Held(REFRESH, replace(GRANT, revoked_at=NOW - 10))

REFUSED: dict[str, tuple[Held | None, dict[str, Any], Page]] = {
    "the token is unknown": (None, {}, REFRESH_UNUSABLE),
    "the token is another client's": (HELD, {"client": APP}, REFRESH_UNUSABLE),
    "a copy is tried by another client": (spent(GRACE + 1), {"client": APP}, REFRESH_UNUSABLE),
    "the grant was revoked": (REVOKED, {}, REFRESH_UNUSABLE),
    "the account was disabled": (Held(REFRESH, GRANT, disabled=True), {}, REFRESH_UNUSABLE),
    "a spent token's grant was revoked": (Held(spent(0).token, REVOKED.grant), {}, REFRESH_UNUSABLE),
    "the token expired": (HELD, {"now": REFRESH.expires_at + 1}, REFRESH_UNUSABLE),
    "the token expires this very second": (HELD, {"now": REFRESH.expires_at}, REFRESH_UNUSABLE),
    "a scope was never granted": (HELD, {"scopes": frozenset({"openid", "email"})}, BEYOND_GRANT),
    "a scope the client has but was not granted": (HELD, {"scopes": frozenset({"profile"})}, BEYOND_GRANT),
    "a resource was never granted": (HELD, {"resources": ("https://evil.example/",)}, TARGET_UNKNOWN),
    "no scope asked for is at the resource": (
        HELD,
        {"scopes": frozenset({"sauna:heat"}), "resources": (HOTEL,)},
        SCOPE_NOT_ALLOWED,
    ),
}


@pytest.mark.parametrize(("held", "changes", "page"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refresh_is_refused_and_changes_nothing_where(held: Held | None, changes: dict[str, Any], page: Page) -> None:
    decision = refreshed(held, **changes)
    assert is_page(refused(decision), page)
    assert decision.effects == ()


def test_the_reason_says_how_long_ago_it_was() -> None:
    assert "spent 90 s ago" in refused(refreshed(spent(90))).reason
    assert "expired 7 s ago" in refused(refreshed(now=REFRESH.expires_at + 7)).reason
    assert refused(refreshed(REVOKED)).found == "revoked 10 s ago"


def test_fewer_scopes_may_be_asked_for_and_the_grant_keeps_all() -> None:
    issue = granted(refreshed(scopes=frozenset({"room:enter"})), Issue)
    assert issue.scopes == {"room:enter"}
    assert not issue.id_token
    assert issue.grant == GRANT


def test_one_resource_may_be_named_and_its_scopes_remain() -> None:
    issue = granted(refreshed(resources=(SPA,)), Issue)
    assert (set(issue.scopes), issue.audience) == ({"openid", "sauna:heat"}, (SPA,))


def test_userinfo_may_be_named_as_the_resource() -> None:
    issue = granted(refreshed(resources=(ISSUER,)), Issue)
    assert (set(issue.scopes), issue.audience) == ({"openid"}, (ISSUER,))


ANY_SCOPES = st.frozensets(st.sampled_from([*GRANT.scopes, "profile", "nonsense"]))
ANY_RESOURCES = st.lists(st.sampled_from([HOTEL, SPA, ISSUER, "https://evil.example/"]), max_size=3).map(tuple)


def refused_for_nothing(decision: Decision[Issue]) -> bool:
    return not isinstance(decision.outcome, Issue) and refused(decision).page is SCOPE_NOT_ALLOWED


@given(ANY_SCOPES, ANY_RESOURCES)
def test_narrowing_never_widens(scopes: frozenset[str], resources: tuple[str, ...]) -> None:
    decision = refreshed(scopes=scopes, resources=resources)
    if not scopes <= GRANT.scopes or "https://evil.example/" in resources:
        refused(decision)
        return
    if refused_for_nothing(decision):
        assert scopes
        assert scopes.isdisjoint(OPENID_SCOPES)
        return
    issue = granted(decision, Issue)
    assert issue.scopes <= (scopes or GRANT.scopes)
    assert issue.scopes
    assert set(issue.audience) == set(resources or GRANT.audience)
    reachable = {one for uri in issue.audience if uri != ISSUER for one in POLICY.resources[uri].scopes}
    assert issue.scopes <= reachable | OPENID_SCOPES.keys()


@given(
    ago=st.none() | st.integers(-100, 1000),
    successor_used=st.booleans(),
    revoked=st.booleans(),
    left=st.integers(-50, 50),
    client=st.sampled_from([SHOP, APP]),
)
def test_a_family_is_revoked_by_its_own_client_only_and_only_for_a_replay(
    ago: int | None, successor_used: bool, revoked: bool, left: int, client: Client
) -> None:
    token = replace(REFRESH, spent_at=None if ago is None else NOW - ago, expires_at=NOW + left)
    grant = replace(GRANT, revoked_at=NOW - 1 if revoked else None)
    decision = refreshed(Held(token, grant, successor_used and ago is not None), client)
    standing = client is SHOP and not revoked
    replayed = ago is not None and (successor_used or ago > GRACE)
    assert (decision.effects == (RevokeGrant(GRANT.id, NOW),)) == (standing and replayed)
    assert isinstance(decision.outcome, Issue) == (standing and not replayed and left > 0)
    rotated = any(isinstance(effect, SpendRefreshToken) for effect in decision.effects)
    assert rotated == (isinstance(decision.outcome, Issue) and ago is None)
