"""Names of one API that differ by issuer: each counts in the tokens of its own issuer, and nowhere else."""

from __future__ import annotations

import pytest

from innkeeper.guard import Guard, Verified, cognito, entra, oidc
from innkeeper.protocol.exchange import json_reply
from innkeeper.protocol.refusals import UsageError
from tests.guard.issuers.shapes import POOL_ISSUER
from tests.guard.world import HOTEL, ISSUER, World, claims, forge, number, public

OTHER = "https://other.example"
NAMES = {ISSUER: HOTEL, OTHER: ["api://hotel", "hotel"]}


@pytest.fixture
def guard() -> Guard:
    world = World()
    world.pages[f"{OTHER}/.well-known/oauth-authorization-server"] = json_reply(
        {"issuer": OTHER, "jwks_uri": f"{OTHER}/jwks"}
    )
    world.pages[f"{OTHER}/jwks"] = json_reply({"keys": [public()]})
    return world.guard([ISSUER, OTHER], NAMES)


@pytest.mark.parametrize(
    ("issuer", "audience", "outcome"),
    [
        (ISSUER, HOTEL, "verified"),
        (ISSUER, "api://hotel", "IK508"),
        (OTHER, "api://hotel", "verified"),
        (OTHER, "hotel", "verified"),
        (OTHER, HOTEL, "IK508"),
    ],
)
def test_a_name_counts_in_the_tokens_of_its_issuer_alone(
    guard: Guard, issuer: str, audience: str, outcome: str
) -> None:
    found = guard.verify_blocking(forge(claims(iss=issuer, aud=audience)))
    assert number(found) == outcome
    if isinstance(found, Verified):
        assert found.audience == audience
    else:
        assert found.trail.steps[-1].outcome.expected == (HOTEL if issuer == ISSUER else "api://hotel, hotel")


def test_the_api_is_published_under_the_first_name_that_is_a_url(guard: Guard) -> None:
    assert guard.door.resource == HOTEL


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({ISSUER: HOTEL}, f"'{OTHER}' has none"),
        ({ISSUER: HOTEL, OTHER: ""}, f"the audience of '{OTHER}' is empty"),
        ({ISSUER: HOTEL, OTHER: []}, f"the audience of '{OTHER}' is empty"),
        ({**NAMES, f"{OTHER}/": HOTEL}, f"'{OTHER}/': that is none of the guard's issuers"),
    ],
)
def test_no_issuer_is_left_without_an_audience(names: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Guard([ISSUER, OTHER], names)  # type: ignore[arg-type]


def test_presets_are_named_by_their_issuer_and_companions_share_the_names() -> None:
    guard = Guard([oidc(ISSUER), cognito(POOL_ISSUER)], {ISSUER: HOTEL, POOL_ISSUER: "app-client"})
    known = {one.preset.issuer: one.audiences for one in guard._shelves.values()}
    assert known[ISSUER] == {HOTEL}
    assert {names for issuer, names in known.items() if issuer != ISSUER} == {frozenset({"app-client"})}
    assert len(known) == 3


def test_what_no_api_can_be_called_is_refused_for_the_issuer_that_it_is_given_for() -> None:
    tenant = entra("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0")
    graph = next(iter(tenant.forbidden))
    with pytest.raises(UsageError, match="own API"):
        Guard([ISSUER, tenant], {ISSUER: HOTEL, tenant.issuer: graph})
    assert Guard([ISSUER, tenant], {ISSUER: graph, tenant.issuer: "api://hotel"}).issuers
