"""Which ID tokens are believed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from innkeeper.client import Access, Client, Refused, Token, begin, complete, discover, run
from innkeeper.keys.jwk import public_document
from innkeeper.tokens.identity import half_hash
from tests.client.issuer import ISSUER, StubIssuer

KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
AT = "the-access-token"


def signed_in(
    changes: Mapping[str, Any] | None = None,
    *,
    key: Any = KEY,
    alg: str = "ES256",
    kid: str | None = "k1",
    keys: object = None,
) -> Token:
    """A sign-in whose ID token differs from a good one in ``changes``; None takes a claim away."""
    stub = StubIssuer()
    stub.document["jwks_uri"] = f"{ISSUER}/jwks"
    published = {"keys": [public_document(KEY.public_key(), "k1", "ES256")]} if keys is None else keys
    stub.at["/jwks"] = lambda _: httpx2.Response(200, json=published)
    with stub.client() as http:
        metadata = run(discover(ISSUER), http)
        pending = run(begin(metadata, Client("guest-app"), Access("openid"), "http://127.0.0.1:1/callback"))
        nonce = parse_qs(urlsplit(pending.url).query)["nonce"][0]
        good = {"iss": ISSUER, "aud": "guest-app", "sub": "guest", "exp": int(time.time()) + 60, "nonce": nonce}
        claims = {name: value for name, value in (good | dict(changes or {})).items() if value is not None}
        id_token = jwt.encode(claims, key, alg, headers={"kid": kid} if kid else None)
        granted = {"access_token": AT, "token_type": "Bearer", "id_token": id_token}
        stub.at["/token"] = lambda _: httpx2.Response(200, json=granted)
        return run(complete(pending, urlencode(stub.authorize(pending.url))), http)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": ["guest-app"]},
        {"aud": ["guest-app", "another"], "azp": "guest-app"},
        {"at_hash": half_hash(AT, "ES256")},
    ],
)
def test_a_good_id_token_is_kept(changes: dict[str, Any]) -> None:
    assert signed_in(changes).id_token


def test_a_token_without_a_key_id_is_checked_with_every_key_that_fits() -> None:
    published = {"keys": [public_document(key.public_key(), kid, "ES256") for key, kid in ((OTHER, "o"), (KEY, "k"))]}
    assert signed_in(kid=None, keys=published).id_token


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": f"{ISSUER}/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "another-client"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": ["guest-app", "another"]}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "expired"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"at_hash": half_hash("another-token", "ES256")}, "at_hash"),
        ({"at_hash": 7}, "at_hash"),
    ],
)
def test_an_id_token_that_fails_one_check_spoils_the_sign_in(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(Refused) as caught:
        signed_in(changes)
    assert caught.value.number == "IK615"
    assert named in caught.value.refusal.reason


def test_a_signature_by_another_key_is_refused() -> None:
    with pytest.raises(Refused, match="no published key"):
        signed_in(key=OTHER)


def test_an_unsigned_id_token_is_refused() -> None:
    with pytest.raises(Refused, match="alg is none"):
        signed_in(key=None, alg="none")


def test_a_public_key_used_as_a_shared_secret_is_refused() -> None:
    public = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    with pytest.raises(Refused, match="alg is HS256"):
        signed_in(key=public, alg="HS256")


@pytest.mark.parametrize("keys", [{"keys": []}, {}, [], "nothing"])
def test_keys_that_cannot_be_read_or_are_none_believe_nothing(keys: object) -> None:
    with pytest.raises(Refused) as caught:
        signed_in(keys=keys)
    assert caught.value.number == "IK615"
