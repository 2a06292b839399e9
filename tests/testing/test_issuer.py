"""The issuer for tests: real tokens, forged ones that a guard judges as it should, time and trouble on demand."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from innkeeper.guard import Guard, cognito, entra, oidc
from innkeeper.guard.decision import Refused
from innkeeper.guard.unverified import read_unverified
from innkeeper.protocol.refusals import Unreachable
from innkeeper.testing import IssuerForTests, serving
from innkeeper.testing.clock import Clock
from innkeeper.testing.issuer import usual
from tests.docs.blocks import block

NUMBERS = {
    "wrong_audience": "IK508",
    "wrong_issuer": "IK502",
    "expired": "IK509",
    "not_yet": "IK510",
    "other_key": "IK506",
    "unknown_kid": "IK505",
    "embedded_key": "IK505",
    "tampered": "IK506",
    "unsigned": "IK503",
    "public_key_as_secret": "IK503",
    "id_token": "IK504",
}


def number(guard: Guard, token: str, *scopes: str) -> str:
    outcome = guard.verify_blocking(token, scopes)
    return outcome.refusal.page.number if isinstance(outcome, Refused) else "verified"


def test_what_the_page_on_testing_shows_is_run(innkeeper_issuer: IssuerForTests) -> None:
    page, forge = "docs/how-to/test-your-api.md", innkeeper_issuer.forge
    names: dict[str, Any] = {"pytest": pytest, "forge": forge}
    exec(block(page, "python", 1).text, names)
    names["test_a_token_opens_it"](innkeeper_issuer)
    [spoilt] = names["test_a_bad_one_does_not"].pytestmark
    assert set(spoilt.args[1]) <= set(NUMBERS)
    for one in spoilt.args[1]:
        names["test_a_bad_one_does_not"](innkeeper_issuer, one)
    forged = read_unverified(eval(block(page, "python", 2).text, names)).claims
    assert ("jti" in forged, forged["department"], forged["sub"]) == (False, "kitchen", "guest-204")


def test_real_and_forged_tokens_are_both_good(innkeeper_issuer: IssuerForTests) -> None:
    guard = Guard(innkeeper_issuer.url, innkeeper_issuer.audience)
    assert number(guard, innkeeper_issuer.token(scope="orders:read"), "orders:read") == "verified"
    assert number(guard, innkeeper_issuer.forge(scope=["orders:read"]), "orders:read") == "verified"
    assert number(guard, innkeeper_issuer.forge(scope="orders:read"), "orders:write") == "IK523"


@pytest.mark.parametrize("spoilt", NUMBERS)
def test_each_bad_token_is_bad_in_its_own_way(innkeeper_issuer: IssuerForTests, spoilt: str) -> None:
    guard = Guard(innkeeper_issuer.url, innkeeper_issuer.audience)
    assert number(guard, getattr(innkeeper_issuer.forge, spoilt)()) == NUMBERS[spoilt]


def test_claims_can_be_changed_and_left_out(innkeeper_issuer: IssuerForTests) -> None:
    said = read_unverified(innkeeper_issuer.forge("me", aud=["a", "b"], jti=..., gid="g", lifetime=5)).claims
    assert ("jti" in said, said["sub"], said["aud"], said["gid"]) == (False, "me", ["a", "b"], "g")
    assert said["exp"] - said["iat"] == 5


def test_cloud_shaped_tokens_are_as_the_clouds_cut_them_and_their_keys_are_served(
    innkeeper_issuer: IssuerForTests,
) -> None:
    forge = innkeeper_issuer.forge
    pool = Guard(cognito(forge.cognito_issuer), "1example23456789012345678a")
    assert number(pool, forge.cognito(), "api/read") == "verified"
    assert number(pool, forge.cognito_id_token()) == "IK550"
    tenant = Guard(entra(forge.entra_issuer(2)), ["api://orders", "0b3e1f7e-98a2-4c0c-9d55-3b3c3ec6a001"])
    assert number(tenant, forge.entra(version=1), "Orders.Read") == "verified"
    assert number(tenant, forge.entra("0b3e1f7e-98a2-4c0c-9d55-3b3c3ec6a001", version=2), "Orders.Read") == "verified"
    assert number(tenant, forge.entra(roles=..., version=2)) == "IK558"
    machine = read_unverified(forge.cognito())
    assert set(machine.claims) == {
        *("sub", "token_use", "scope", "auth_time", "iss", "exp", "iat", "version", "jti", "client_id"),
    }
    assert dict(machine.header).keys() == {"kid", "alg"}
    first = read_unverified(forge.entra(version=1)).claims
    assert (first["exp"] - first["iat"], first["ver"], "appid" in first, "idp" in first) == (3900, "1.0", True, True)


def test_the_clock_moves_the_issuer_and_nobody_else(innkeeper_issuer: IssuerForTests) -> None:
    guard = Guard(innkeeper_issuer.url, innkeeper_issuer.audience)
    innkeeper_issuer.clock.move(-3600)
    assert number(guard, innkeeper_issuer.token(scope="orders:read")) == "IK509"
    with_it = Guard(innkeeper_issuer.url, innkeeper_issuer.audience, clock=innkeeper_issuer.clock)
    assert number(with_it, innkeeper_issuer.token(scope="orders:read")) == "verified"


def test_a_clock_runs_stands_and_is_set_right() -> None:
    clock = Clock()
    clock.stop(1000)
    clock.move(5)
    assert (clock(), clock.whole()) == (1005, 1005)
    clock.reset()
    assert clock() > 1_700_000_000


def test_rotated_keys_end_old_tokens_or_leave_them(innkeeper_issuer: IssuerForTests) -> None:
    old = innkeeper_issuer.forge()
    innkeeper_issuer.rotate_keys(keep_old=True)
    assert number(Guard(innkeeper_issuer.url, innkeeper_issuer.audience), old) == "verified"
    innkeeper_issuer.rotate_keys()
    guard = Guard(innkeeper_issuer.url, innkeeper_issuer.audience)
    assert number(guard, old) == "IK505"
    assert number(guard, innkeeper_issuer.forge()) == "verified"
    innkeeper_issuer.reset()
    assert number(Guard(innkeeper_issuer.url, innkeeper_issuer.audience), old) == "verified"


def test_faults_hit_the_paths_they_were_ordered_for(innkeeper_issuer: IssuerForTests) -> None:
    faults, url = innkeeper_issuer.faults, innkeeper_issuer.url
    faults.fail(502, "/jwks")
    assert httpx2.get(f"{url}/jwks").status_code == 502
    assert httpx2.get(f"{url}/.well-known/openid-configuration").status_code == 200
    faults.unreachable_keys()
    with pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(f"{url}/jwks")
    faults.clear()
    faults.slow(5, "/jwks")
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.get(f"{url}/jwks", timeout=0.05)
    assert faults.seen == ["/jwks"]


def test_a_guard_goes_on_with_its_keys_and_a_new_one_says_that_it_cannot_tell(innkeeper_issuer: IssuerForTests) -> None:
    token, settled = innkeeper_issuer.forge(), Guard(innkeeper_issuer.url, innkeeper_issuer.audience)
    assert number(settled, token) == "verified"
    innkeeper_issuer.faults.unreachable()
    assert number(settled, innkeeper_issuer.forge()) == "verified"
    assert number(Guard(innkeeper_issuer.url, innkeeper_issuer.audience), token) == "IK512"


def test_reset_forgets_what_was_registered_granted_and_changed(innkeeper_issuer: IssuerForTests) -> None:
    said: dict[str, Any] = {"client_name": "Stray", "redirect_uris": ["http://127.0.0.1/cb"]}
    registered = httpx2.post(f"{innkeeper_issuer.url}/register", json=said)
    assert registered.status_code == 201, registered.text
    innkeeper_issuer.token(scope="orders:read")
    assert innkeeper_issuer.trails
    innkeeper_issuer.reset()
    assert innkeeper_issuer.trails == []
    stray = json.loads(registered.text)["client_id"]
    answer = httpx2.post(f"{innkeeper_issuer.url}/token", data={"grant_type": "refresh_token", "client_id": stray})
    assert answer.json()["error"] == "invalid_client"
    assert innkeeper_issuer.token(scope="orders:read")


def test_decisions_can_be_looked_at(innkeeper_issuer: IssuerForTests) -> None:
    innkeeper_issuer.token(scope="orders:read")
    assert any(trail.refusal is None for trail in innkeeper_issuer.trails)


def test_it_stands_alone_and_is_gone_after_its_block() -> None:
    with serving(usual()) as issuer:
        assert httpx2.get(issuer.jwks_uri).status_code == 200
        assert isinstance(issuer.forge(), str)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(issuer.jwks_uri)


def test_one_that_is_not_open_says_so() -> None:
    with pytest.raises(Unreachable, match="not open"):
        IssuerForTests(1, usual()).reset()
    assert oidc("https://issuer.example").name == "oidc"
