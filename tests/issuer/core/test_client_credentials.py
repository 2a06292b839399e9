"""A client on its own behalf gets what it is registered for and nothing about people."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.grants import client_credentials
from innkeeper.issuer.core.grants.client_credentials import NOBODY_SIGNED_IN
from innkeeper.issuer.core.policy import OPENID_SCOPES
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.scopes import SCOPE_NOT_ALLOWED, TARGET_UNKNOWN
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.protocol.refusals import Page
from tests.issuer.core.decided import granted, is_page, refused
from tests.issuer.core.facts import HOTEL, POLICY, ROBOT, SHOP, SPA


def asked(client: Client = ROBOT, **ask: Any) -> Decision[Issue]:
    return client_credentials.decide(TokenRequest("client_credentials", **ask), client, POLICY)


def test_a_client_that_names_nothing_gets_all_it_has() -> None:
    decision = asked()
    issue = granted(decision, Issue)
    assert (issue.subject, issue.scopes, issue.audience) == (ROBOT.id, ROBOT.scopes, (HOTEL,))
    assert (issue.grant, issue.id_token, issue.refresh) == (None, False, False)
    assert decision.effects == ()


def test_scopes_and_resource_narrow_the_token() -> None:
    issue = granted(asked(SHOP, scopes=frozenset({"room:enter", "sauna:heat"}), resources=(SPA,)), Issue)
    assert (set(issue.scopes), issue.audience) == ({"sauna:heat"}, (SPA,))


def test_scopes_about_people_are_left_out_where_none_were_named() -> None:
    issue = granted(asked(SHOP), Issue)
    assert issue.scopes == SHOP.scopes - OPENID_SCOPES.keys()


def test_each_scope_brings_the_resource_that_has_it() -> None:
    issue = granted(asked(SHOP, scopes=frozenset({"room:enter", "sauna:heat"})), Issue)
    assert set(issue.audience) == {HOTEL, SPA}


BOUND = replace(SHOP, resources=(SPA,))

REFUSED: dict[str, tuple[Client, dict[str, Any], Page]] = {
    "an unknown scope": (ROBOT, {"scopes": frozenset({"room:paint"})}, SCOPE_NOT_ALLOWED),
    "another client's scope": (ROBOT, {"scopes": frozenset({"sauna:heat"})}, SCOPE_NOT_ALLOWED),
    "one scope of two": (ROBOT, {"scopes": frozenset({"room:enter", "sauna:heat"})}, SCOPE_NOT_ALLOWED),
    "openid": (SHOP, {"scopes": frozenset({"openid"})}, NOBODY_SIGNED_IN),
    "a profile": (SHOP, {"scopes": frozenset({"profile", "room:enter"})}, NOBODY_SIGNED_IN),
    "an unknown resource": (ROBOT, {"resources": ("https://evil.example/",)}, TARGET_UNKNOWN),
    "a resource without a scope for it": (ROBOT, {"resources": (SPA,)}, TARGET_UNKNOWN),
    "a scope at a resource that has none of it": (
        SHOP,
        {"scopes": frozenset({"room:enter"}), "resources": (SPA,)},
        SCOPE_NOT_ALLOWED,
    ),
    "a resource it is not bound to": (BOUND, {"resources": (HOTEL,)}, TARGET_UNKNOWN),
}


@pytest.mark.parametrize(("client", "ask", "page"), REFUSED.values(), ids=REFUSED.keys())
def test_a_client_does_not_get(client: Client, ask: dict[str, Any], page: Page) -> None:
    decision = asked(client, **ask)
    assert is_page(refused(decision), page)
    assert decision.effects == ()


def test_a_client_bound_to_one_resource_gets_that_one() -> None:
    assert granted(asked(BOUND), Issue).audience == (SPA,)
    assert set(granted(asked(BOUND), Issue).scopes) == {"sauna:heat"}


@pytest.mark.parametrize("sent", [f"{HOTEL}/", HOTEL.replace("https", "HTTPS"), HOTEL.replace("api", "API")])
def test_a_resource_is_understood_as_clients_spell_it_and_written_as_it_is_registered(sent: str) -> None:
    assert granted(asked(resources=(sent,)), Issue).audience == (HOTEL,)


@given(
    st.frozensets(st.sampled_from([*SHOP.scopes, "nonsense"])),
    st.lists(st.sampled_from([HOTEL, SPA, "https://evil.example/"]), max_size=3),
)
def test_whatever_is_asked_no_more_is_given_than_asked_registered_and_reachable(
    scopes: frozenset[str], resources: list[str]
) -> None:
    decision = asked(SHOP, scopes=scopes, resources=tuple(resources))
    if not isinstance(decision.outcome, Issue):
        refused(decision)
        return
    issue = decision.outcome
    assert issue.scopes
    assert issue.scopes <= (scopes or SHOP.scopes)
    assert issue.scopes <= SHOP.scopes - OPENID_SCOPES.keys()
    assert set(issue.audience) == set(resources or issue.audience)
    assert all(any(one in POLICY.resources[uri].scopes for uri in issue.audience) for one in issue.scopes)
