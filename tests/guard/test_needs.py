"""What a request may need beside scopes: a kind of caller, roles, groups, details, a sign-in that is strong and recent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.guard import Refused, Verified, need
from innkeeper.guard.decision import Asked, admits
from innkeeper.guard.needs import NOTHING, Needs, as_needs
from innkeeper.protocol.challenges import parse
from innkeeper.protocol.refusals import UsageError
from tests.guard.world import NOW, World, claims, forge, number

ROOM = {"type": "room", "number": 204, "actions": ["enter", "clean"], "until": {"day": 3}}


def verdict(needed: Needs, **said: Any) -> Verified | Refused:
    return World().guard().verify_blocking(forge(claims(**said)), needed)


@pytest.mark.parametrize(
    ("said", "needed", "expected"),
    [
        ({}, need("gym:enter", caller="person"), "verified"),
        ({}, need(caller="machine"), "IK559"),
        ({"sub": "guest-app"}, need(caller="machine"), "verified"),
        ({"sub": "guest-app"}, need(caller="person"), "IK559"),
        ({"roles": ["clerk", "chef"]}, need(roles=["clerk"]), "verified"),
        ({"roles": [{"value": "clerk"}, {"x": 1}, 7]}, need(roles=["clerk"]), "verified"),
        ({"roles": ["chef"]}, need(roles=["clerk", "chef"]), "IK560"),
        ({"roles": "clerk"}, need(roles=["clerk"]), "IK560"),
        ({}, need(roles=["clerk"]), "IK560"),
        ({"groups": ["vip"]}, need(groups=["vip"]), "verified"),
        ({"groups": ["VIP"]}, need(groups=["vip"]), "IK561"),
        ({"_claim_names": {"groups": "src1"}}, need(groups=["vip"]), "IK562"),
        ({"hasgroups": True}, need(groups=["vip"]), "IK562"),
        ({"hasgroups": "true"}, need(groups=["vip"]), "IK561"),
        ({"acr": "mfa"}, need(acr=["mfa", "hwk"]), "verified"),
        ({"acr": "pwd"}, need(acr=["mfa", "hwk"]), "IK564"),
        ({}, need(acr=["mfa"]), "IK564"),
        ({"acrs": ["c1", "c2"]}, need(acr=["c2"]), "verified"),
        ({"acrs": "c1"}, need(acr=["c1"]), "IK564"),
        ({"auth_time": NOW - 300}, need(max_age=300), "verified"),
        ({"auth_time": NOW - 330}, need(max_age=300), "verified"),
        ({"auth_time": NOW - 331}, need(max_age=300), "IK565"),
        ({}, need(max_age=300), "IK565"),
        ({"auth_time": NOW}, need(max_age=0), "verified"),
        ({}, need("vip:enter", roles=["clerk"], max_age=1), "IK523"),
    ],
)
def test_a_token_is_enough_or_is_told_what_is_missing(said: dict[str, Any], needed: Needs, expected: str) -> None:
    assert number(verdict(needed, **said)) == expected


@pytest.mark.parametrize(
    ("wanted", "granted"),
    [
        ({"type": "room"}, True),
        ({"type": "room", "number": 204}, True),
        ({"type": "room", "number": 205}, False),
        ({"type": "room", "number": "204"}, False),
        ({"type": "room", "number": True}, False),
        ({"type": "room", "actions": ["enter"]}, True),
        ({"type": "room", "actions": "clean"}, True),
        ({"type": "room", "actions": ["enter", "burn"]}, False),
        ({"type": "room", "until": {"day": 3}}, True),
        ({"type": "room", "until": {"day": 4}}, False),
        ({"type": "room", "floor": 2}, False),
        ({"type": "suite"}, False),
    ],
)
def test_a_detail_is_granted_where_every_field_of_it_stands_in_one_that_was(wanted: Any, granted: bool) -> None:
    outcome = verdict(need(details=[wanted]), authorization_details=[{"type": "other"}, ROOM])
    assert number(outcome) == ("verified" if granted else "IK563")


@pytest.mark.parametrize("odd", [None, {}, "room", [7, "room", None], [[]]])
def test_odd_details_grant_nothing(odd: Any) -> None:
    assert number(verdict(need(details=[{"type": "room"}]), authorization_details=odd)) == "IK563"


def test_two_details_may_be_granted_by_two_others_but_one_not_by_two_together() -> None:
    both = [{"type": "room", "number": 1}, {"type": "room", "number": 2, "view": "sea"}]
    assert number(verdict(need(details=both), authorization_details=both)) == "verified"
    mixed = need(details=[{"type": "room", "number": 1, "view": "sea"}])
    assert number(verdict(mixed, authorization_details=both)) == "IK563"


def test_no_api_asks_for_what_is_between_client_and_issuer() -> None:
    with pytest.raises(UsageError, match="issuer's own"):
        need("gym:enter", "offline_access")
    with pytest.raises(UsageError, match="issuer's own"):
        World().guard(scopes_supported=["gym:enter", "offline_access"])


def test_a_step_up_is_challenged_with_all_that_the_next_sign_in_has_to_be() -> None:
    guard = World().guard()
    outcome = guard.verify_blocking(
        forge(claims(acr="pwd", auth_time=NOW)), need("gym:enter", acr=["mfa", "hwk"], max_age=60)
    )
    assert isinstance(outcome, Refused)
    answer = guard.challenge(outcome)
    (challenge,) = parse(answer.header("www-authenticate") or "")
    assert answer.status == 401
    assert challenge.get("error") == "insufficient_user_authentication"
    assert (challenge.get("acr_values"), challenge.get("max_age")) == ("mfa hwk", "60")
    assert challenge.get("scope") == "gym:enter"


def test_only_a_step_up_tells_how_to_sign_in() -> None:
    guard = World().guard()
    outcome = guard.verify_blocking(forge(), need("vip:enter", acr=["mfa"]))
    assert isinstance(outcome, Refused)
    said = guard.challenge(outcome).header("www-authenticate") or ""
    assert "insufficient_scope" in said
    assert "acr_values" not in said


def test_a_remembered_token_is_held_to_each_request_s_own_needs() -> None:
    world = World()
    guard = world.guard()
    token = forge(claims(auth_time=NOW, exp=NOW + 3600))
    assert number(guard.verify_blocking(token, need(max_age=60))) == "verified"
    world.now = NOW + 91
    assert number(guard.verify_blocking(token)) == "verified"
    assert number(guard.verify_blocking(token, need(max_age=60))) == "IK565"


def test_needs_that_mean_nothing_are_a_mistake_said_aloud() -> None:
    for given_ in (
        {"roles": "clerk"},
        {"acr": "mfa"},
        {"groups": "vip"},
        {"max_age": -1},
        {"details": [{"number": 1}]},
    ):
        with pytest.raises(UsageError):
            need(**given_)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="one by one"):
        need("room:enter gym:enter")


def test_needs_add_up() -> None:
    both = need("a", acr=["x", "y"], max_age=60).and_also(
        need("b", acr=["y"], max_age=30, caller="person", roles=["r"])
    )
    assert both == need("a", "b", acr=["y"], max_age=30, caller="person", roles=["r"])
    assert NOTHING.and_also(need("a")) == need("a")
    with pytest.raises(UsageError):
        need(caller="person").and_also(need(caller="machine"))
    with pytest.raises(UsageError):
        need(acr=["a"]).and_also(need(acr=["b"]))


def test_scopes_alone_are_plain() -> None:
    assert as_needs(()) is NOTHING
    assert as_needs(["a"]) == need("a")
    assert need("a").is_plain
    assert not any(one.is_plain for one in (need(max_age=0), need(caller="person"), need(roles=["r"])))


names = st.sampled_from(("a", "b", "c"))


@given(
    roles=st.sets(names),
    groups=st.sets(names),
    acr=names,
    age=st.integers(0, 200),
    machine=st.booleans(),
    needed=st.builds(
        Needs,
        scopes=st.just(frozenset()),
        roles=st.frozensets(names, max_size=2),
        groups=st.frozensets(names, max_size=1),
        details=st.just(()),
        acr=st.lists(names, max_size=2).map(tuple),
        max_age=st.none() | st.integers(0, 200),
        caller=st.sampled_from(("anyone", "person", "machine")),
    ),
)
@settings(deadline=None)
def test_yes_is_said_exactly_where_every_check_passes(
    roles: set[str], groups: set[str], acr: str, age: int, machine: bool, needed: Needs
) -> None:
    said = claims(roles=sorted(roles), groups=sorted(groups), acr=acr, auth_time=NOW - age)
    said["sub"] = "guest-app" if machine else "guest-204"
    guard = World().guard()
    outcome = guard.verify_blocking(forge(said))
    assert isinstance(outcome, Verified)
    asked = Asked(needed, NOW)
    known = outcome._known
    from innkeeper.guard.decision import drawn

    assert admits(known, asked, guard._rules) is (
        drawn(known.evidence(guard._rules), asked, guard._rules).refusal is None
    )
