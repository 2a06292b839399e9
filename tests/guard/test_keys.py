"""An issuer's keys: fetched once, refetched seldom, good for a while when the issuer is gone."""

from __future__ import annotations

import asyncio
import threading

import pytest

from innkeeper.guard import Freshness, Guard, oidc
from innkeeper.guard.decision import Refused
from innkeeper.guard.issuers.native import native
from innkeeper.protocol.exchange import Reply, json_reply
from innkeeper.protocol.refusals import UsageError
from tests.guard.world import ISSUER, KID, NOW, World, claims, forge, number, public, run


def fresh(n: int) -> str:
    """A good token nobody has seen yet."""
    return forge(claims(jti=f"t{n}"))


def unknown(n: int) -> str:
    return forge(which=1, header={"kid": f"unknown-{n}"})


def test_keys_are_found_through_the_metadata_and_fetched_once() -> None:
    world = World()
    guard = world.guard()
    assert {number(guard.verify_blocking(fresh(n))) for n in range(20)} == {"verified"}
    assert world.fetched == [f"{ISSUER}/.well-known/oauth-authorization-server", f"{ISSUER}/jwks"]


@pytest.mark.parametrize("form", [0, 1, 2])
def test_each_of_the_three_well_known_forms_is_found(form: int) -> None:
    issuer = "https://login.example/tenant/v2.0"
    place = [
        "https://login.example/.well-known/oauth-authorization-server/tenant/v2.0",
        "https://login.example/.well-known/openid-configuration/tenant/v2.0",
        "https://login.example/tenant/v2.0/.well-known/openid-configuration",
    ][form]
    world = World()
    world.pages = {
        place: json_reply({"issuer": issuer, "jwks_uri": "https://keys.example/k"}),
        "https://keys.example/k": json_reply({"keys": [public()]}),
    }
    assert number(world.guard(issuer).verify_blocking(forge(claims(iss=issuer)))) == "verified"


@pytest.mark.parametrize("named", [f"{ISSUER}/", "https://ISSUER.example", "https://evil.example", None, 7])
def test_a_document_that_names_another_issuer_is_not_believed(named: object) -> None:
    world = World()
    world.pages[f"{ISSUER}/.well-known/oauth-authorization-server"] = json_reply(
        {"issuer": named, "jwks_uri": f"{ISSUER}/jwks"}
    )
    outcome = world.guard().verify_blocking(forge())
    assert number(outcome) == "IK512"
    assert "is of issuer" in outcome.trail.as_document()["refusal"]["reason"]
    assert world.jwks_fetches() == 0


def test_a_foreign_document_in_one_form_does_not_hide_the_right_one_in_another() -> None:
    world = World()
    right = world.pages.pop(f"{ISSUER}/.well-known/oauth-authorization-server")
    world.pages[f"{ISSUER}/.well-known/oauth-authorization-server"] = json_reply({"issuer": "https://x.example"})
    world.pages[f"{ISSUER}/.well-known/openid-configuration"] = right
    assert number(world.guard().verify_blocking(forge())) == "verified"


@pytest.mark.parametrize("jwks_uri", ["http://issuer.example/jwks", "file:///etc/passwd", "jwks", "", None, ["x"]])
def test_keys_are_never_fetched_in_the_open(jwks_uri: object) -> None:
    world = World()
    world.pages[f"{ISSUER}/.well-known/oauth-authorization-server"] = json_reply(
        {"issuer": ISSUER, "jwks_uri": jwks_uri}
    )
    assert number(world.guard().verify_blocking(forge())) == "IK512"
    assert all("well-known" in url for url in world.fetched)


@pytest.mark.parametrize(
    "page",
    [Reply(500), Reply(302, (("location", "https://evil.example"),)), Reply(200, body=b"<html>"), json_reply([]),
     json_reply({"keys": []}), json_reply({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}), json_reply({"keys": "x"}),
     Reply(200, body=b'{"keys":[],"keys":[]}')],
)  # fmt: skip
def test_a_key_set_that_cannot_be_used_is_as_good_as_none(page: Reply) -> None:
    world = World()
    world.pages[f"{ISSUER}/jwks"] = page
    assert number(world.guard().verify_blocking(forge())) == "IK512"


def test_a_known_place_of_keys_needs_no_discovery() -> None:
    world = World()
    assert number(world.guard(native(ISSUER, jwks_uri=f"{ISSUER}/jwks")).verify_blocking(forge())) == "verified"
    assert world.fetched == [f"{ISSUER}/jwks"]


def test_a_flood_of_unknown_kids_fetches_once_an_interval() -> None:
    world = World()
    guard = world.guard()
    assert number(guard.verify_blocking(forge())) == "verified"
    for second in range(95):
        world.now = NOW + second
        assert {number(guard.verify_blocking(unknown(n))) for n in range(5)} == {"IK505"}
    assert world.jwks_fetches() == 1 + 3


def test_a_flood_by_coroutines_shares_one_fetch() -> None:
    world = World()

    async def flood() -> list[str]:
        world.slow = asyncio.Event()
        guard = world.guard()
        work = [asyncio.create_task(guard.verify(unknown(n))) for n in range(50)]
        await asyncio.sleep(0)
        world.slow.set()
        return [number(one) for one in await asyncio.gather(*work)]

    assert set(run(flood())) == {"IK505"}
    assert world.jwks_fetches() == 1


def test_a_caller_who_gives_up_does_not_take_the_fetch_along() -> None:
    world = World()

    async def one_leaves() -> str:
        world.slow = asyncio.Event()
        guard = world.guard()
        first, second = (asyncio.create_task(guard.verify(fresh(n))) for n in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        world.slow.set()
        return number(await second)

    assert run(one_leaves()) == "verified"
    assert world.jwks_fetches() == 1


def test_threads_share_one_fetch() -> None:
    world = World()
    guard = world.guard()
    gate = threading.Barrier(8)
    found: list[str] = []

    def ask(n: int) -> None:
        gate.wait()
        found.append(number(guard.verify_blocking(fresh(n))))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == ["verified"] * 8
    assert world.jwks_fetches() == 1


def test_a_guard_serves_one_event_loop_after_another() -> None:
    world = World()
    guard = world.guard(remembered=0)
    assert number(run(guard.verify(forge()))) == "verified"
    world.now += 601
    assert number(run(guard.verify(forge(claims(exp=NOW + 9999))))) == "verified"
    assert world.jwks_fetches() == 2


def test_a_rotated_key_is_found_by_its_unknown_kid() -> None:
    world = World()
    guard = world.guard()
    guard.verify_blocking(forge())
    world.publish([public(), public("k2", which=1)])
    world.now += 31
    assert number(guard.verify_blocking(forge(which=1, header={"kid": "k2"}))) == "verified"
    assert number(guard.verify_blocking(forge())) == "verified"


def test_a_guard_that_is_told_of_new_keys_takes_them_at_once() -> None:
    world = World()
    guard = world.guard()
    run(guard.refresh())
    assert world.jwks_fetches() == 0, "what was never read is not read before somebody comes"
    guard.verify_blocking(forge())
    world.publish([public(), public("k2", which=1)])
    assert number(run(guard.verify(forge(which=1, header={"kid": "k2"})))) == "IK505"
    run(guard.refresh())
    assert number(run(guard.verify(forge(which=1, header={"kid": "k2"})))) == "verified"


def test_a_withdrawn_key_stops_working_within_the_lifetime_also_for_tokens_remembered() -> None:
    world = World()
    guard = world.guard()
    long = forge(claims(exp=NOW + 9999))
    assert number(guard.verify_blocking(long)) == "verified"
    world.publish([public("k2", which=1)])
    world.now = NOW + 599
    assert number(guard.verify_blocking(long)) == "verified"
    world.now = NOW + 600
    assert number(guard.verify_blocking(long)) == "IK505"


def test_a_refetch_that_withdraws_a_key_ends_the_tokens_remembered_under_it_at_once() -> None:
    world = World()
    guard = world.guard()
    assert number(guard.verify_blocking(forge())) == "verified"
    world.publish([public("k2", which=1)])
    world.now += 31
    assert number(guard.verify_blocking(forge(which=1, header={"kid": "k2"}))) == "verified"
    assert number(guard.verify_blocking(forge())) == "IK505"


def test_an_issuer_that_is_down_leaves_cached_keys_serving_within_bounds_and_then_503() -> None:
    world = World()
    guard = world.guard()
    long = claims(exp=NOW + 99999)
    assert number(guard.verify_blocking(forge(long))) == "verified"
    world.down = True
    for age in (601, 1800, 4199):
        world.now = NOW + age
        assert number(guard.verify_blocking(forge(long | {"jti": str(age)}))) == "verified"
    world.now = NOW + 4200
    outcome = guard.verify_blocking(forge(long))
    assert isinstance(outcome, Refused)
    assert (number(outcome), outcome.status) == ("IK512", 503)
    answer = guard.challenge(outcome)
    assert (answer.status, answer.header("retry-after"), answer.header("www-authenticate")) == (503, "5", None)
    world.down = False
    world.now += 5
    assert number(guard.verify_blocking(forge(long))) == "verified"


def test_an_issuer_that_is_down_is_not_pressed() -> None:
    world = World()
    world.down = True
    guard = world.guard()
    for tenth in range(100):
        world.now = NOW + tenth / 10
        assert number(guard.verify_blocking(fresh(tenth))) == "IK512"
    attempts = sum(url.endswith("oauth-authorization-server") for url in world.fetched)
    assert attempts == 2


def test_keys_that_look_as_if_from_the_future_are_read_again() -> None:
    world = World()
    guard = world.guard(remembered=0)
    guard.verify_blocking(forge())
    world.now = NOW - 100
    assert number(guard.verify_blocking(forge(claims(iat=NOW - 200)))) == "verified"
    assert world.jwks_fetches() == 2


def test_after_a_failure_the_place_of_the_keys_is_looked_up_anew() -> None:
    world = World()
    guard = world.guard()
    guard.verify_blocking(forge())
    world.pages[f"{ISSUER}/.well-known/oauth-authorization-server"] = json_reply(
        {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/moved"}
    )
    world.pages[f"{ISSUER}/moved"] = world.pages.pop(f"{ISSUER}/jwks")
    world.now += 600
    long = forge(claims(exp=NOW + 9999))
    assert number(guard.verify_blocking(long)) == "verified"
    world.now += 5
    assert number(guard.verify_blocking(long)) == "verified"
    assert world.fetched[-1] == f"{ISSUER}/moved"


def test_weak_keys_in_a_set_are_left_out_and_the_good_one_serves() -> None:
    world = World()
    world.publish([{"kty": "oct", "k": "c2VjcmV0", "kid": KID}, public(KID), {"kty": "RSA", "n": "AQAB", "e": "AQAB"}])
    assert number(world.guard().verify_blocking(forge())) == "verified"


def test_two_keys_under_one_kid_are_both_tried() -> None:
    world = World()
    world.publish([public(KID, which=1), public(KID)])
    assert number(world.guard().verify_blocking(forge())) == "verified"


def test_no_more_than_four_keys_are_tried_for_one_token() -> None:
    world = World()
    world.publish([*(public(f"x{n}", which=n) for n in range(1, 5)), public(KID)])
    assert number(world.guard().verify_blocking(forge(header={"kid": ...}))) == "IK506"
    assert number(world.guard().verify_blocking(forge())) == "verified"


@pytest.mark.parametrize("setting", [{"lifetime": 0}, {"grace": -1}, {"interval": 0}, {"lifetime": 1e9}])
def test_freshness_has_bounds(setting: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="between 1 s and a day"):
        Freshness(**setting)


@pytest.mark.parametrize(
    "issuer", ["http://issuer.example", "issuer", "", f"{ISSUER}?x", f"{ISSUER}/.well-known/jwks.json"]
)
def test_an_issuer_that_could_not_be_trusted_is_a_mistake_said_aloud(issuer: str) -> None:
    with pytest.raises(UsageError, match="issuer"):
        Guard(issuer, "https://api.example")


@pytest.mark.parametrize("audience", ["", (), [], [""], ["a", " "], None])
def test_a_guard_without_audience_cannot_be_built(audience: object) -> None:
    with pytest.raises(UsageError, match="audience"):
        Guard(ISSUER, audience)  # type: ignore[arg-type]


def test_a_guard_without_issuer_or_with_one_twice_cannot_be_built() -> None:
    with pytest.raises(UsageError, match="needs an issuer"):
        Guard((), "https://api.example")
    with pytest.raises(UsageError, match="given twice"):
        Guard([ISSUER, oidc(ISSUER)], "https://api.example")


@pytest.mark.parametrize("leeway", [-1, 301])
def test_leeway_has_bounds(leeway: float) -> None:
    with pytest.raises(UsageError, match="leeway"):
        Guard(ISSUER, "https://api.example", leeway=leeway)
