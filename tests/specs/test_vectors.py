"""The specifications' own examples, read from ``vectors/``, against our code and, for what we leave out, joserfc.

An example that we refuse on purpose (HS256, ES512, none) is first shown to be a good vector, so that the
refusal is ours and not a slip of the pen.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from joserfc import jws as joserfc_jws
from joserfc.jwk import import_key

from innkeeper.keys import jwk, jws
from innkeeper.protocol import pkce
from innkeeper.protocol.strict_json import read_object
from innkeeper.tokens import access
from innkeeper.tokens.trail import Seen, follow
from innkeeper.tokens.verification import EXPIRED, USE_CHECKS, Expected, Presented, Use, type_is_access_token

VECTORS = Path(__file__).parent / "vectors"


def vectors(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    return document


RFC7515: dict[str, Any] = vectors("rfc7515")["examples"]
RFC7517: dict[str, Any] = vectors("rfc7517")["examples"]
RFC7519 = vectors("rfc7519")
RFC7636 = vectors("rfc7636")
RFC7638 = vectors("rfc7638")
RFC8037 = vectors("rfc8037")
RFC9068 = vectors("rfc9068")


@pytest.mark.parametrize("example", ["A.1", "A.2", "A.3", "A.4"])
def test_the_vector_is_the_one_of_the_specification(example: str) -> None:
    one = RFC7515[example]
    seen = joserfc_jws.deserialize_compact(one["compact"], import_key(one["key"]), algorithms=[one["alg"]])
    assert seen.payload.decode() == one["payload"]


@pytest.mark.parametrize("example", ["A.2", "A.3"])
def test_rfc7515_signatures_that_we_verify(example: str) -> None:
    one = RFC7515[example]
    parsed = jws.parse(one["compact"])
    assert parsed.header == {"alg": one["alg"]}
    assert parsed.claims.decode() == one["payload"]
    assert jws.verify(parsed, jwk.read_public(one["key"]).key, one["alg"])


@pytest.mark.parametrize("example", ["A.2", "A.3"])
def test_one_changed_bit_of_an_rfc7515_example_is_noticed(example: str) -> None:
    one = RFC7515[example]
    parsed = jws.parse(one["compact"])
    key = jwk.read_public(one["key"]).key
    first, *rest = parsed.signature
    for forged in (
        msgspec.structs.replace(parsed, signature=bytes([first ^ 1, *rest])),
        msgspec.structs.replace(parsed, signing_input=parsed.signing_input[:-1] + b"A"),
    ):
        assert not jws.verify(forged, key, one["alg"])


@pytest.mark.parametrize("example", ["A.1", "A.4", "A.5"])
def test_rfc7515_examples_whose_algorithm_we_do_not_speak_verify_under_no_key(example: str) -> None:
    one = RFC7515[example]
    parsed = jws.parse(one["compact"])
    assert parsed.header["alg"] == one["alg"]
    for key in (jwk.read_public(RFC7515["A.2"]["key"]).key, jwk.read_public(RFC7515["A.3"]["key"]).key):
        assert not jws.verify(parsed, key, one["alg"])


def test_rfc7515_the_same_claims_signed_anew_with_the_rsa_key_give_the_same_token() -> None:
    one = RFC7515["A.2"]
    private = import_key(one["key"]).private_key
    assert isinstance(private, RSAPrivateKey)
    header = jws.encode_header({"alg": "RS256"})
    assert jws.compact(header.encode(), one["payload"].encode(), private, "RS256") == one["compact"]


def test_rfc7517_a_set_gives_its_signature_keys_and_says_why_another_is_left_out() -> None:
    keys, left_out = jwk.read_set(RFC7517["A.1"])
    assert [(key.kid, key.alg) for key in keys] == [("2011-04-29", "RS256")]
    assert len(left_out) == 1
    assert "'enc'" in left_out[0]


def test_rfc7517_private_parts_published_by_mistake_are_not_kept() -> None:
    with_private, _ = jwk.read_set(RFC7517["A.2"])
    public_only, _ = jwk.read_set(RFC7517["A.1"])
    assert [jwk.public_document(one.key, one.kid, "RS256") for one in with_private] == [
        jwk.public_document(one.key, one.kid, "RS256") for one in public_only
    ]


def test_rfc7517_shared_secrets_are_no_verifying_keys() -> None:
    keys, left_out = jwk.read_set(RFC7517["A.3"])
    assert keys == ()
    assert len(left_out) == 2


@pytest.mark.parametrize("section", ["3.1", "6.1"])
def test_rfc7519_example_tokens_are_read_as_printed(section: str) -> None:
    one = RFC7519["examples"][section]
    parsed = jws.parse(one["compact"])
    assert parsed.header == one["header"]
    assert read_object(parsed.claims) == RFC7519["claims"]


def test_rfc7636_the_challenge_of_appendix_b() -> None:
    assert pkce.challenge(RFC7636["verifier"]) == RFC7636["challenge"]
    assert pkce.is_verifier(RFC7636["verifier"])
    assert pkce.is_challenge(RFC7636["challenge"])


def test_rfc7638_the_thumbprint_of_section_3_1_whatever_else_the_key_says() -> None:
    bare = {name: RFC7638["key"][name] for name in ("e", "kty", "n")}
    for key in (RFC7638["key"], bare, {**bare, "use": "sig", "kid": "another"}):
        assert jwk.thumbprint(key) == RFC7638["thumbprint"]


def test_rfc8037_the_ed25519_example() -> None:
    parsed = jws.parse(RFC8037["compact"])
    assert parsed.claims.decode() == RFC8037["payload"]
    assert jws.verify(parsed, jwk.read_public(RFC8037["key"]).key, "EdDSA")
    assert jwk.thumbprint(RFC8037["key"]) == RFC8037["thumbprint"]


def test_rfc9068_the_example_is_an_access_token_while_it_lives() -> None:
    claims = RFC9068["claims"]
    case = Presented(RFC9068["header"], claims, (claims["iss"],), Expected(claims["iss"]))
    assert isinstance(type_is_access_token(case), Seen)
    token = access.read(claims)
    assert (token.sub, token.client_id) == ("5ba552d67", "s6BhdRkqt3")
    assert token.scope == frozenset({"openid", "profile", "reademail"})
    assert not token.is_machine
    audiences = frozenset({claims["aud"]})
    assert follow("guard", USE_CHECKS, Use(token, audiences, claims["iat"] + 1)).refusal is None
    late = follow("guard", USE_CHECKS, Use(token, audiences, claims["exp"] + 31)).refusal
    assert late is not None
    assert late.page is EXPIRED


def test_rfc9068_the_same_facts_build_the_same_claims() -> None:
    claims = RFC9068["claims"]
    built = access.build(
        issuer=claims["iss"],
        subject=claims["sub"],
        audience=[claims["aud"]],
        client_id=claims["client_id"],
        now=claims["iat"],
        lifetime=claims["exp"] - claims["iat"],
        jti=claims["jti"],
        scope=claims["scope"].split(),
    )
    assert built == claims
