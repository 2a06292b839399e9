"""Authlib's OAuth2Session, unmodified, gets tokens of a house and validates its ID tokens."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from authlib.common.security import generate_token  # type: ignore[import-untyped]
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from authlib.oauth2.rfc7523 import PrivateKeyJWT  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from tests.inn import Inn
from tests.interop.houses import CONCIERGE, CONCIERGE_POST, GUEST_APP, SCOPES, Registered, register_signer
from tests.interop.visitor import sent_back

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def metadata(house: Inn) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(f"{house.url}/.well-known/openid-configuration", timeout=10).json()
    return document


def session(client: Registered, metadata: dict[str, Any]) -> OAuth2Session:
    return OAuth2Session(
        client.client_id,
        client.secret or None,
        scope=SCOPES,
        redirect_uri=client.redirect_uri,
        token_endpoint_auth_method=client.way,
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
        revocation_endpoint_auth_method=client.way,
    )


@pytest.mark.parametrize("client", [CONCIERGE, CONCIERGE_POST], ids=lambda one: one.way)
def test_a_machine_gets_a_token(client: Registered, metadata: dict[str, Any]) -> None:
    with session(client, metadata) as authlib:
        token = authlib.fetch_token(grant_type="client_credentials", scope="room:enter")
    assert (token["token_type"], token["scope"]) == ("Bearer", "room:enter")


def test_a_machine_that_signs_gets_a_token(metadata: dict[str, Any], house: Inn) -> None:
    signer = register_signer(house)
    with session(signer, metadata) as authlib:
        authlib.client_secret = ECKey.import_key(dict(signer.key))
        authlib.register_client_auth_method(PrivateKeyJWT(metadata["token_endpoint"], alg="ES256"))
        token = authlib.fetch_token(grant_type="client_credentials", scope="room:enter")
    assert token["scope"] == "room:enter"


@pytest.mark.parametrize("client", [GUEST_APP, CONCIERGE], ids=lambda one: one.client_id)
def test_a_guest_signs_in_and_the_id_token_is_valid(client: Registered, metadata: dict[str, Any]) -> None:
    verifier, nonce = generate_token(48), generate_token()
    with session(client, metadata) as authlib:
        url, _ = authlib.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
        token = authlib.fetch_token(authorization_response=sent_back(url), code_verifier=verifier)
        claims = validated(token, metadata, nonce, client.client_id)
        person = authlib.get(metadata["userinfo_endpoint"]).json()
        fresh = authlib.refresh_token()
    assert claims["sub"] == person["sub"] == "guest-204"
    assert fresh["refresh_token"] != token["refresh_token"]


def test_a_revoked_refresh_token_is_of_no_more_use(metadata: dict[str, Any]) -> None:
    verifier = generate_token(48)
    with session(GUEST_APP, metadata) as authlib:
        url, _ = authlib.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
        token = authlib.fetch_token(authorization_response=sent_back(url), code_verifier=verifier)
        gone = authlib.revoke_token(metadata["revocation_endpoint"], token["refresh_token"], "refresh_token")
        assert gone.status_code == 200
        with pytest.raises(OAuthError, match="invalid_grant"):
            authlib.refresh_token()


def validated(token: dict[str, Any], metadata: dict[str, Any], nonce: str, client_id: str) -> CodeIDToken:
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"])
    wanted = {"iss": {"essential": True, "value": metadata["issuer"]}, "aud": {"essential": True, "value": client_id}}
    sent = {"nonce": nonce, "client_id": client_id, "access_token": token["access_token"]}
    claims = CodeIDToken(decoded.claims, decoded.header, wanted, sent)
    claims.validate(now=int(time.time()), leeway=2)
    return claims
