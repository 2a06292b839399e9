"""Whatever is exchanged by whomever: the new token lies within the old one, the client and the request."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core.grants.token_exchange import ACCESS_TOKEN, NOT_SENT, Case, Presented, Wanted, decide
from innkeeper.issuer.core.scopes import Reach
from innkeeper.issuer.core.token import TOKEN_EXCHANGE, Issue, TokenRequest
from innkeeper.protocol.refusals import Refusal
from tests.issuer.core.facts import HOTEL, ISSUER, NOW, POLICY, ROBOT, SPA

SCOPES = ("openid", "profile", "offline_access", "room:enter", "gym:enter", "sauna:heat")
some_scopes = st.frozensets(st.sampled_from(SCOPES))
many_scopes = st.frozensets(st.sampled_from(SCOPES), min_size=4)
some_places = st.lists(st.sampled_from([HOTEL, SPA, ISSUER, "https://elsewhere.example"]), unique=True).map(tuple)
places = st.lists(st.sampled_from([HOTEL, HOTEL, SPA, ISSUER]), unique=True, min_size=1).map(tuple)
nothing = st.just(frozenset[str]())
nowhere = st.just(())
keys = st.sampled_from([{}, {}, {}, {"jkt": "mine"}, {"jkt": "another"}, {"x5t#S256": "mine"}])
chains = st.sampled_from([None, {"sub": "a"}, {"sub": "a", "act": {"sub": "b", "act": {"sub": "c"}}}])


@st.composite
def tokens(draw: st.DrawFn) -> Presented:
    said: dict[str, Any] = {
        "client_id": draw(st.sampled_from([ROBOT.id, "another"])),
        "exp": NOW + draw(st.integers(-10, 5_000)),
        "cnf": draw(keys),
        "act": draw(chains),
    }
    claims = {name: value for name, value in said.items() if value}
    return Presented(
        claims,
        Reach(draw(many_scopes), draw(places)),
        "ada-1",
        revoked=draw(st.sampled_from([False, False, True])),
    )


@given(tokens(), nothing | nothing | some_scopes, nowhere | nowhere | some_places, many_scopes, keys)
def test_an_exchange_only_ever_narrows(
    subject: Presented, asked: frozenset[str], targets: tuple[str, ...], may: frozenset[str], proved: dict[str, str]
) -> None:
    client = replace(ROBOT, scopes=may)
    ask = TokenRequest(TOKEN_EXCHANGE, scopes=asked, confirmation=proved)
    decision = decide(Case(ask, Wanted(ACCESS_TOKEN, targets=targets), client, subject, NOT_SENT, POLICY, NOW))
    issue = decision.outcome
    if isinstance(issue, Refusal):
        assert decision.trail.refusal is issue
        return
    assert isinstance(issue, Issue)
    assert issue.scopes <= subject.reach.scopes & may
    assert issue.scopes <= asked or not asked
    assert set(issue.audience) <= set(subject.reach.audience)
    assert set(issue.audience) <= set(targets) or not targets
    assert issue.lifetime is not None
    assert 0 < issue.lifetime <= subject.says("exp") - NOW
    assert not subject.revoked
    assert not issue.refresh
    assert not issue.id_token
    bound = subject.says("cnf") or {}
    assert bound.items() <= issue.confirmation.items()
    assert ends_with(issue.actor, subject.says("act"))


def ends_with(chain: Any, before: Any) -> bool:
    """Whether everybody who acted before is still in the chain, and at most one more."""
    return chain == before or (isinstance(chain, dict) and chain.get("act") == before)
