"""Entra's tokens at the guard: both versions, one tenant or many, people and applications, and why others are refused."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.guard import ANY_TENANT, Guard, Verified, entra
from innkeeper.protocol.refusals import UsageError
from tests.guard.issuers.shapes import (
    API_ID,
    API_URI,
    DAEMON,
    ENTRA,
    ENTRA_V1,
    LOGIN,
    OTHER_TENANT,
    TENANT,
    USER,
    add_tenant,
    entra_app_v1,
    entra_app_v2,
    entra_person_v1,
    entra_person_v2,
    entra_token,
    entra_world,
)
from tests.guard.world import NOW, number

ORGANIZATIONS = f"{LOGIN}/organizations/v2.0"


def verdict(
    said: dict[str, Any], issuer: Any = ENTRA, which: int = 0, scopes: tuple[str, ...] = (), **header: Any
) -> Any:
    guard = entra_world().guard(issuer, [API_ID, API_URI])
    return guard.verify_blocking(entra_token(said, which, **header), scopes)


def everywhere(said: dict[str, Any], which: int = 0, tenants: Any = (TENANT,)) -> Any:
    guard = entra_world("organizations").guard(entra(ORGANIZATIONS, tenants=tenants), [API_ID, API_URI])
    return guard.verify_blocking(entra_token(said, which))


@pytest.mark.parametrize("shape", [entra_app_v1, entra_app_v2])
def test_an_application_s_roles_are_its_scopes(shape: Any) -> None:
    outcome = verdict(shape(), scopes=("Orders.Read",))
    assert isinstance(outcome, Verified)
    token = outcome.token
    assert (token.is_machine, token.client_id) == (True, DAEMON)
    assert token.scope == token.roles == {"Orders.Read", "Orders.Write"}
    assert number(verdict(shape(roles=["Orders.Read"]), scopes=("Orders.Write",))) == "IK523"


@pytest.mark.parametrize("shape", [entra_person_v1, entra_person_v2])
def test_a_person_s_scopes_are_what_was_consented_to(shape: Any) -> None:
    outcome = verdict(shape(), scopes=("orders.read",))
    assert isinstance(outcome, Verified)
    token = outcome.token
    assert (token.is_machine, token.client_id, token.claims["oid"]) == (False, DAEMON, USER)


def test_a_role_of_a_person_is_no_scope() -> None:
    said = entra_person_v2(roles=["Orders.Write"])
    assert number(verdict(said, scopes=("Orders.Write",))) == "IK523"
    outcome = verdict(said)
    assert isinstance(outcome, Verified)
    assert outcome.token.roles == {"Orders.Write"}


@pytest.mark.parametrize(
    ("change", "machine"),
    [({"idtyp": "app"}, True), ({"idtyp": "user"}, False), ({}, False), ({"scp": ..., "roles": ["R"]}, True)],
)
def test_who_acts_is_told_by_idtyp_and_else_by_scp(change: dict[str, Any], machine: bool) -> None:
    outcome = verdict(entra_person_v2(**{"roles": ["R"], **change}))
    assert isinstance(outcome, Verified)
    assert outcome.token.is_machine is machine


@pytest.mark.parametrize("nothing", [{"roles": ...}, {"roles": []}, {"roles": None}, {"roles": "Orders.Read"}])
def test_a_token_with_neither_scp_nor_roles_is_refused(nothing: dict[str, Any]) -> None:
    for shape in (entra_app_v1, entra_app_v2):
        assert number(verdict(shape(**nothing))) in {"IK558", "IK507"}


@pytest.mark.parametrize("scp", ["", " ", "/", ...])
def test_an_unscoped_token_of_a_person_is_refused(scp: Any) -> None:
    assert number(verdict(entra_person_v2(scp=scp))) == "IK558"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (entra_app_v2(ver="1.0"), "IK553"),
        (entra_app_v1(ver="2.0"), "IK553"),
        (entra_app_v2(ver=...), "IK553"),
        (entra_app_v2(ver=2), "IK553"),
        (entra_app_v2(tid=OTHER_TENANT), "IK554"),
        (entra_app_v1(tid=OTHER_TENANT), "IK554"),
        (entra_app_v2(tid=...), "IK554"),
        (entra_app_v2(tid=[TENANT]), "IK554"),
        (entra_app_v2(iss=f"{LOGIN}/{OTHER_TENANT}/v2.0", tid=OTHER_TENANT), "IK502"),
        (entra_app_v1(iss=f"https://sts.windows.net/{OTHER_TENANT}/", tid=OTHER_TENANT), "IK502"),
        (entra_app_v1(iss=ENTRA_V1.rstrip("/")), "IK502"),
        (entra_app_v2(iss=f"{LOGIN}/hotel.example/v2.0"), "IK502"),
        (entra_app_v2(aud="bbbbbbbb-0000-4000-8000-00000000ffff"), "IK508"),
        (entra_app_v2(exp=NOW - 31), "IK509"),
    ],
)
def test_what_does_not_belong_together_is_refused(said: dict[str, Any], expected: str) -> None:
    assert number(verdict(said)) == expected


def test_both_spellings_of_the_api_count_as_the_guard_was_told() -> None:
    guard = entra_world().guard(ENTRA, API_ID)
    assert number(guard.verify_blocking(entra_token(entra_app_v1()))) == "IK508"
    assert number(guard.verify_blocking(entra_token(entra_app_v1(aud=API_ID)))) == "verified"


@pytest.mark.parametrize("shape", [entra_app_v1, entra_app_v2])
def test_a_key_of_another_tenant_is_refused_although_it_is_in_the_set(shape: Any) -> None:
    assert number(verdict(shape(), which=1)) == "IK555"
    assert number(everywhere(shape(), which=1)) == "IK555"


def test_a_tenant_s_own_key_signs_for_that_tenant() -> None:
    said = entra_app_v2(iss=f"{LOGIN}/{OTHER_TENANT}/v2.0", tid=OTHER_TENANT)
    assert number(everywhere(said, which=1, tenants=[OTHER_TENANT])) == "verified"


@pytest.mark.parametrize("shape", [entra_app_v1, entra_app_v2])
def test_an_api_for_several_tenants_takes_those_on_its_list(shape: Any) -> None:
    assert number(everywhere(shape())) == "verified"
    assert number(everywhere(shape(), tenants=[OTHER_TENANT])) == "IK556"
    assert number(everywhere(shape(), tenants=[TENANT.upper(), OTHER_TENANT])) == "verified"
    assert number(everywhere(shape(), tenants=ANY_TENANT)) == "verified"
    assert number(everywhere(shape(tid=OTHER_TENANT), tenants=ANY_TENANT)) == "IK554"


def test_a_header_seen_before_does_not_carry_a_key_over_to_another_tenant() -> None:
    guard = entra_world("organizations").guard(entra(ORGANIZATIONS, tenants=ANY_TENANT), API_ID)
    theirs = entra_app_v2(iss=f"{LOGIN}/{OTHER_TENANT}/v2.0", tid=OTHER_TENANT)
    assert number(guard.verify_blocking(entra_token(theirs, 1))) == "verified"
    assert number(guard.verify_blocking(entra_token(entra_app_v2(), 1))) == "IK555"


def test_many_tenants_need_one_reading_of_the_keys() -> None:
    world = entra_world("organizations")
    guard = world.guard(entra(ORGANIZATIONS, tenants=ANY_TENANT), API_ID)
    for n in range(20):
        tenant = f"{n:08}-2222-4333-8444-555555555555"
        token = entra_token(entra_app_v2(iss=f"{LOGIN}/{tenant}/v2.0", tid=tenant))
        assert number(guard.verify_blocking(token)) == "verified"
    assert len(world.fetched) == 2
    assert guard.issuers == (ORGANIZATIONS,)


@pytest.mark.parametrize("aud", ["00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"])
def test_a_token_for_graph_is_named_before_its_signature_is_looked_at(aud: str) -> None:
    outcome = verdict(entra_person_v1(aud=aud), nonce="abc", kid="another")
    assert number(outcome) == "IK552"
    assert "nonce" in outcome.refusal.reason


@pytest.mark.parametrize("aud", [[API_ID], [API_ID, "https://graph.microsoft.com"], {"a": 1}, None])
def test_odd_audiences_are_no_stumble(aud: Any) -> None:
    assert number(verdict(entra_app_v2(aud=aud))) in {"verified", "IK507"}


def test_only_listed_applications_where_a_list_is_kept() -> None:
    preset = entra(ENTRA, clients=["another"])
    for said in (entra_app_v1(), entra_app_v2(), entra_app_v2(azp=...)):
        assert number(verdict(said, issuer=preset)) == "IK557"
    assert number(verdict(entra_app_v2(azp=["another"]), issuer=preset)) == "IK507"
    assert number(verdict(entra_app_v1(), issuer=entra(ENTRA, clients=[DAEMON]))) == "verified"


@pytest.mark.parametrize("origin", ["https://localhost:8443", "http://127.0.0.1:8400"])
def test_a_twin_is_known_by_its_path(origin: str) -> None:
    world = entra_world(TENANT, origin, origin)
    guard = world.guard(f"{origin}/{TENANT}/v2.0", [API_ID, API_URI])
    assert number(guard.verify_blocking(entra_token(entra_app_v2(iss=f"{origin}/{TENANT}/v2.0")))) == "verified"
    first = entra_token(entra_app_v1(iss=f"{origin}/{TENANT}/", idp=f"{origin}/{TENANT}/"))
    assert number(guard.verify_blocking(first)) == "verified"
    assert number(guard.verify_blocking(entra_token(entra_app_v2(iss=f"{origin}/{TENANT}/v2.0", roles=...)))) == "IK558"


def test_an_issuer_of_version_1_names_the_same_tenant() -> None:
    guard = entra_world().guard(ENTRA_V1, [API_ID, API_URI])
    assert number(guard.verify_blocking(entra_token(entra_app_v1()))) == "verified"
    assert number(guard.verify_blocking(entra_token(entra_app_v2()))) == "verified"
    assert guard.issuers == (ENTRA,)


def test_one_tenant_beside_another_issuer() -> None:
    world = entra_world()
    add_tenant(world, OTHER_TENANT)
    guard = world.guard([ENTRA, f"{LOGIN}/{OTHER_TENANT}/v2.0"], API_ID)
    theirs = entra_app_v2(iss=f"{LOGIN}/{OTHER_TENANT}/v2.0", tid=OTHER_TENANT)
    for said in (entra_app_v2(), theirs):
        assert number(guard.verify_blocking(entra_token(said))) == "verified"


@pytest.mark.parametrize(
    ("issuer", "more", "says"),
    [
        (f"{LOGIN}/hotel.example/v2.0", {}, "GUID"),
        (ORGANIZATIONS, {}, "ANY_TENANT"),
        (f"{LOGIN}/common/v2.0", {"tenants": ["hotel.example"]}, "GUID"),
        (ORGANIZATIONS, {"tenants": TENANT}, "list"),
        (ENTRA, {"tenants": [OTHER_TENANT]}, "one tenant"),
        (ENTRA, {"tenants": ANY_TENANT}, "one tenant"),
        (ENTRA, {"clients": DAEMON}, "list"),
    ],
)
def test_a_preset_that_would_not_be_safe_is_a_mistake_said_aloud(issuer: str, more: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        entra(issuer, **more)


def test_graph_is_nobody_s_own_api() -> None:
    with pytest.raises(UsageError, match="own API"):
        Guard(ENTRA, ["https://graph.microsoft.com"])
