"""Which preset an issuer gets, and the thin ones: Google, Okta, Auth0, Keycloak."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.guard import Verified, auth0, google, keycloak, okta
from innkeeper.guard.issuers.found import preset_for
from innkeeper.protocol.exchange import json_reply
from innkeeper.protocol.refusals import UsageError
from tests.guard.issuers.shapes import ENTRA, ENTRA_V1, POOL, POOL_ISSUER, POOL_ISSUER_UPDATED, TENANT, sealed
from tests.guard.world import HOTEL, NOW, World, number, public


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        (POOL_ISSUER, "cognito"),
        (POOL_ISSUER_UPDATED, "cognito"),
        (f"http://127.0.0.1:8400/{POOL}", "cognito"),
        ("https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_ABCdef123", "cognito"),
        ("https://cognito-idp.us-east-1.amazonaws.com", "native"),
        (ENTRA, "entra"),
        (ENTRA_V1, "entra"),
        (f"https://localhost:8443/{TENANT}/v2.0", "entra"),
        (f"https://example.com/{TENANT}", "native"),
        ("https://accounts.google.com", "google"),
        ("https://dev-1.okta.com/oauth2/default", "okta"),
        ("https://hotel.eu.auth0.com/", "auth0"),
        ("https://id.example/realms/hotel", "keycloak"),
        ("https://id.example/auth/realms/hotel", "keycloak"),
        ("https://issuer.example", "native"),
        ("http://127.0.0.1:8400", "native"),
    ],
)
def test_the_preset_is_found_from_how_the_issuer_writes_itself(issuer: str, name: str) -> None:
    assert preset_for(issuer).name == name


def judged(preset: Any, said: dict[str, Any], typ: Any = "JWT") -> Any:
    issuer = preset.issuer
    world = World()
    place = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
    world.pages[place] = json_reply({"issuer": issuer, "jwks_uri": "https://keys.example/k"})
    world.pages["https://keys.example/k"] = json_reply({"keys": [public("k1", "RS256")]})
    good = {"iss": issuer, "aud": HOTEL, "exp": NOW + 600, "iat": NOW, "sub": "someone"}
    return world.guard(preset).verify_blocking(sealed({"alg": "RS256", "typ": typ, "kid": "k1"}, good | said))


def test_a_service_account_of_google_s_is_a_machine() -> None:
    said = {"azp": "1234", "email": "app@project.iam.gserviceaccount.com", "email_verified": True}
    outcome = judged(google(), said)
    assert isinstance(outcome, Verified)
    assert (outcome.token.is_machine, outcome.token.client_id) == (True, "1234")
    assert number(judged(google(), said | {"at_hash": "x"})) == "IK504"
    assert number(judged(google(), said | {"aud": "1234.apps.googleusercontent.com"})) == "IK508"


def test_okta_s_access_tokens_name_their_client() -> None:
    issuer = okta("https://dev-1.okta.com/oauth2/default")
    outcome = judged(issuer, {"ver": 1, "cid": "0oa1", "uid": "00u1", "scp": ["orders", "openid"]}, ...)
    assert isinstance(outcome, Verified)
    assert (outcome.token.client_id, outcome.token.scope) == ("0oa1", {"orders", "openid"})
    assert not outcome.token.is_machine
    assert number(judged(issuer, {"ver": 1, "amr": ["pwd"], "idp": "00o1"}, ...)) == "IK504"
    machine = judged(issuer, {"cid": "0oa1", "sub": "0oa1"}, ...)
    assert isinstance(machine, Verified)
    assert machine.token.is_machine
    with pytest.raises(UsageError, match="organization"):
        okta("https://dev-1.okta.com")


def test_auth0_s_issuer_ends_in_a_slash_and_permissions_are_roles() -> None:
    issuer = auth0("https://hotel.eu.auth0.com")
    assert issuer.issuer == "https://hotel.eu.auth0.com/"
    said = {"aud": [HOTEL, "https://hotel.eu.auth0.com/userinfo"], "azp": "c1", "scope": "openid orders"}
    outcome = judged(issuer, said | {"permissions": ["orders:read"]})
    assert isinstance(outcome, Verified)
    assert (outcome.token.client_id, outcome.token.roles) == ("c1", {"orders:read"})
    machine = judged(issuer, {"azp": "c1", "sub": "c1@clients", "gty": "client-credentials"})
    assert isinstance(machine, Verified)
    assert machine.token.is_machine


def test_keycloak_says_what_kind_a_token_is_and_keeps_roles_in_two_places() -> None:
    issuer = keycloak("https://id.example/realms/hotel")
    said = {
        "typ": "Bearer",
        "azp": "web",
        "scope": "openid orders",
        "realm_access": {"roles": ["guest"]},
        "resource_access": {"orders": {"roles": ["clerk"]}, "odd": 7},
    }
    outcome = judged(issuer, said)
    assert isinstance(outcome, Verified)
    assert outcome.token.roles == {"guest", "orders/clerk"}
    assert number(judged(issuer, said | {"typ": "ID"})) == "IK504"
    assert number(judged(issuer, said | {"typ": ["Bearer"]})) == "IK504"
    machine = judged(issuer, said | {"preferred_username": "service-account-web"})
    assert isinstance(machine, Verified)
    assert machine.token.is_machine
