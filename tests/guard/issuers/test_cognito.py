"""Cognito's tokens at the guard: which are taken, for whom they count as meant, and why the others are not."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.guard import Guard, Refused, Verified, cognito
from innkeeper.protocol.refusals import UsageError
from tests.guard.issuers.shapes import (
    APP_CLIENT,
    COGNITO_KIDS,
    POOL,
    POOL_ISSUER,
    POOL_ISSUER_UPDATED,
    USER,
    add_pool,
    cognito_id,
    cognito_machine,
    cognito_person,
    cognito_token,
    cognito_world,
    sealed,
)
from tests.guard.world import NOW, World, number

API = "https://api.hotel.example"


def verdict(said: dict[str, Any], audience: Any = APP_CLIENT, issuer: Any = POOL_ISSUER, which: int = 0) -> Any:
    return cognito_world().guard(issuer, audience).verify_blocking(cognito_token(said, which))


def test_a_machine_s_token_is_taken_where_its_client_is_named() -> None:
    outcome = verdict(cognito_machine())
    assert isinstance(outcome, Verified)
    token = outcome.token
    assert (token.is_machine, token.client_id, token.aud) == (True, APP_CLIENT, (APP_CLIENT,))
    assert token.scope == {"my-api/read", "my-api/write"}
    assert "aud" not in token.claims


def test_a_person_s_token_tells_the_person_and_their_groups() -> None:
    outcome = verdict(cognito_person())
    assert isinstance(outcome, Verified)
    assert (outcome.token.sub, outcome.token.is_machine) == (USER, False)
    assert outcome.token.groups == {"guests", "vip"}
    assert outcome.token.claims["username"] == "guest"


def test_a_sign_in_through_the_sdk_gives_a_token_without_a_version() -> None:
    said = cognito_person(version=..., scope="aws.cognito.signin.user.admin", event_id=...)
    assert number(verdict(said)) == "verified"


def test_scopes_are_compared_whole_with_the_resource_server_before_them() -> None:
    guard = cognito_world().guard(POOL_ISSUER, APP_CLIENT)
    token = cognito_token(cognito_machine())
    assert number(guard.verify_blocking(token, ["my-api/read"])) == "verified"
    assert number(guard.verify_blocking(token, ["read"])) == "IK523"


def test_a_client_that_is_not_named_is_refused_and_told_what_stands_in_for_aud() -> None:
    outcome = verdict(cognito_machine(), audience=API)
    assert number(outcome) == "IK508"
    assert "no aud" in outcome.refusal.remedy


def test_a_token_bound_to_this_api_needs_no_client_to_be_named() -> None:
    outcome = verdict(cognito_person(aud=API), audience=API)
    assert isinstance(outcome, Verified)
    assert outcome.token.aud == (API,)


@pytest.mark.parametrize("aud", ["https://other.example", f"{API}/", "", [], ["https://other.example"]])
def test_a_token_bound_to_another_api_is_refused_although_its_client_is_named(aud: Any) -> None:
    assert number(verdict(cognito_person(aud=aud), audience=[API, APP_CLIENT])) in {"IK507", "IK508"}


@pytest.mark.parametrize("which", [0, 1])
def test_an_id_token_is_refused_and_named_whichever_key_signed_it(which: int) -> None:
    outcome = verdict(cognito_id(), which=which)
    assert number(outcome) == "IK550"
    assert "ID token" in outcome.refusal.reason


def test_an_id_token_is_refused_after_its_header_was_seen_with_an_access_token() -> None:
    guard = cognito_world().guard(POOL_ISSUER, APP_CLIENT)
    assert number(guard.verify_blocking(cognito_token(cognito_machine()))) == "verified"
    assert number(guard.verify_blocking(cognito_token(cognito_id(client_id=APP_CLIENT)))) == "IK550"


@pytest.mark.parametrize("use", [..., "", "ACCESS", "refresh", 7, None, ["access"], {"access": 1}])
def test_no_other_use_is_access(use: Any) -> None:
    assert number(verdict(cognito_machine(token_use=use))) == "IK550"


@pytest.mark.parametrize("client", [..., "", None, 7, [APP_CLIENT]])
def test_a_token_without_a_client_is_refused(client: Any) -> None:
    assert number(verdict(cognito_machine(client_id=client, sub=USER))) in {"IK507", "IK508", "IK551"}
    assert number(verdict(cognito_machine(client_id=client, sub=USER, aud=API), audience=API)) in {"IK507", "IK551"}


def test_listed_clients_are_the_only_ones_whatever_their_tokens_name() -> None:
    preset = cognito(POOL_ISSUER, clients=["another"])
    assert number(verdict(cognito_machine(), issuer=preset)) == "IK551"
    assert number(verdict(cognito_person(aud=API), audience=API, issuer=preset)) == "IK551"
    assert number(verdict(cognito_machine(), issuer=cognito(POOL_ISSUER, clients=[APP_CLIENT]))) == "verified"


def test_a_client_named_in_aud_does_not_stand_in_for_another_client_s_token() -> None:
    for aud in (APP_CLIENT, [APP_CLIENT], [API, APP_CLIENT]):
        assert number(verdict(cognito_person(aud=aud, client_id="other"), audience=[API, APP_CLIENT])) == "IK551"
    assert number(verdict(cognito_person(aud=APP_CLIENT))) == "verified"


def test_both_hosts_of_amazon_are_read_each_with_its_own_keys() -> None:
    world = cognito_world()
    add_pool(world, POOL_ISSUER_UPDATED)
    guard = world.guard(POOL_ISSUER, APP_CLIENT)
    for issuer in (POOL_ISSUER, POOL_ISSUER_UPDATED):
        assert number(guard.verify_blocking(cognito_token(cognito_machine(iss=issuer)))) == "verified"
    assert guard.issuers == (POOL_ISSUER,)
    assert [url for url in world.fetched if "jwks" in url] == [
        f"{issuer}/.well-known/jwks.json" for issuer in (POOL_ISSUER, POOL_ISSUER_UPDATED)
    ]
    updated = world.guard(POOL_ISSUER_UPDATED, APP_CLIENT)
    assert number(updated.verify_blocking(cognito_token(cognito_machine()))) == "verified"


@pytest.mark.parametrize(
    "iss",
    ["https://cognito-idp.us-east-1.amazonaws.com/us-east-1_OTHERpool", "https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_8KX012Qnq",
     f"{POOL_ISSUER}/", "https://guest.auth.us-east-1.amazoncognito.com", "https://cognito-idp.us-east-1.amazonaws.com.evil.example/us-east-1_8KX012Qnq"],
)  # fmt: skip
def test_another_pool_is_another_issuer(iss: str) -> None:
    assert number(verdict(cognito_machine(iss=iss))) == "IK502"


@pytest.mark.parametrize(
    "issuer",
    [f"http://127.0.0.1:8400/{POOL}", f"https://localhost:8443/{POOL}", f"https://twin.example/pools/{POOL}"],
)
def test_a_twin_is_known_by_the_pool_in_its_path(issuer: str) -> None:
    world = cognito_world(issuer)
    guard = world.guard(issuer, APP_CLIENT)
    assert guard._rules.shelf_of(issuer).preset.name == "cognito"  # type: ignore[union-attr]
    assert number(guard.verify_blocking(cognito_token(cognito_machine(iss=issuer)))) == "verified"
    assert number(guard.verify_blocking(cognito_token(cognito_id(iss=issuer)))) == "IK550"


@pytest.mark.parametrize("alg", ["ES256", "PS256"])
def test_cognito_signs_with_rs256_alone(alg: str) -> None:
    token = sealed({"kid": COGNITO_KIDS[0], "alg": alg}, cognito_machine(), alg=alg)
    assert number(cognito_world().guard(POOL_ISSUER, APP_CLIENT).verify_blocking(token)) == "IK503"


def test_an_issuer_that_is_no_pool_is_a_mistake_said_aloud() -> None:
    for issuer in ("https://guest.auth.us-east-1.amazoncognito.com", "https://cognito-idp.us-east-1.amazonaws.com"):
        with pytest.raises(UsageError, match="no user pool"):
            cognito(issuer)
    with pytest.raises(UsageError, match="region"):
        cognito("https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_8KX012Qnq")
    with pytest.raises(UsageError, match="list"):
        cognito(POOL_ISSUER, clients=APP_CLIENT)
    with pytest.raises(UsageError, match="audience"):
        Guard(POOL_ISSUER, "")


def test_an_expired_token_is_refused_as_any_is() -> None:
    assert number(verdict(cognito_machine(exp=NOW - 31, iat=NOW - 3631))) == "IK509"


def test_threads_and_coroutines_agree_on_all_of_them() -> None:
    from tests.guard.world import run

    for said in (cognito_machine(), cognito_person(), cognito_id(), cognito_machine(token_use="x")):
        world: World = cognito_world()
        outcome = run(world.guard(POOL_ISSUER, APP_CLIENT).verify(cognito_token(said)))
        assert number(outcome) == number(verdict(said))
        assert isinstance(outcome, (Verified, Refused))
