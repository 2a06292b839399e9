"""Public keys as documents (RFC 7517)."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.keys import jwk
from tests.keys.keyring import ALGS, private_key, rsa_key


def document(of: str = "ES256", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {**jwk.public_document(private_key(of).public_key(), "k1", of), **changes}
    return {name: value for name, value in made.items() if value is not ...}


@pytest.mark.parametrize("alg", ALGS)
def test_a_public_key_survives_being_published_and_read(alg: str) -> None:
    key = jwk.read_public(document(alg))
    assert (key.kid, key.alg) == ("k1", alg)
    assert key.key == private_key(alg).public_key()


@pytest.mark.parametrize("alg", ALGS)
def test_a_published_document_holds_no_private_member(alg: str) -> None:
    assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & document(alg).keys()


def test_private_parts_published_by_mistake_are_ignored() -> None:
    assert jwk.read_public(document(d="c2VjcmV0")).key == private_key("ES256").public_key()


@pytest.mark.parametrize("alg", ALGS)
def test_the_thumbprint_is_joserfcs_too(alg: str) -> None:
    from joserfc.jwk import import_key

    assert jwk.thumbprint(document(alg)) == import_key(document(alg)).thumbprint()


def test_the_thumbprint_sees_only_the_required_members() -> None:
    assert jwk.thumbprint(document(kid="another", use=..., alg=...)) == jwk.thumbprint(document())


def test_a_key_without_kid_and_alg_is_read() -> None:
    key = jwk.read_public(document(kid=..., alg=..., use=...))
    assert (key.kid, key.alg) == ("", None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"use": "enc"}, "use 'enc'"),
        ({"use": None}, "use None"),
        ({"key_ops": ["sign"]}, "key_ops"),
        ({"key_ops": "verify"}, "key_ops"),
        ({"key_ops": 7}, "key_ops"),
        ({"kty": "oct"}, "kty 'oct'"),
        ({"kty": "AKP"}, "kty 'AKP'"),
        ({"kty": ...}, "'kty' is missing"),
        ({"kty": 7}, "'kty' is no string"),
        ({"kid": 7}, "'kid' is no string"),
        ({"alg": ["ES256"]}, "'alg' is no string"),
        ({"crv": "P-521"}, "crv 'P-521'"),
        ({"crv": "secp256k1"}, "crv 'secp256k1'"),
        ({"x": ...}, "'x' is missing"),
        ({"x": "a="}, "'x' is not base64url"),
        ({"x": "AQ"}, "32 bytes each"),
        ({"x": "A" * 43}, "k1"),
        ({"x": "__________________________________________8"}, "k1"),
    ],
)
def test_an_unusable_key_is_refused_with_the_member_that_is_wrong(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(jwk.UnusableKey, match=reason):
        jwk.read_public(document(**changes))


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.raises(jwk.UnusableKey, match="1024 bits"):
        jwk.read_public(jwk.public_document(rsa_key(0, 1024).public_key(), "short", "RS256"))


def test_an_rsa_key_too_long_to_check_cheaply_is_refused() -> None:
    with pytest.raises(jwk.UnusableKey, match="16384 bits"):
        jwk.read_public(document("RS256", n="_" * 2730 + "w"))


@pytest.mark.parametrize("e", ["AQ", "Ag", "BA", ""])
def test_an_rsa_exponent_that_signs_nothing_is_refused(e: str) -> None:
    with pytest.raises(jwk.UnusableKey):
        jwk.read_public(document("RS256", e=e))


@pytest.mark.parametrize(("crv", "reason"), [("X25519", "X25519"), ("Ed448", "Ed448")])
def test_okp_curves_that_do_not_sign_here_are_refused(crv: str, reason: str) -> None:
    with pytest.raises(jwk.UnusableKey, match=reason):
        jwk.read_public(document("EdDSA", crv=crv))


def test_an_ed25519_key_of_another_length_is_refused() -> None:
    with pytest.raises(jwk.UnusableKey):
        jwk.read_public(document("EdDSA", x="AQ"))


def test_a_set_keeps_what_can_be_used_and_says_why_the_rest_cannot() -> None:
    keys, left_out = jwk.read_set({"keys": [document(), document(use="enc"), "nonsense", document("RS256", kid="k2")]})
    assert [key.kid for key in keys] == ["k1", "k2"]
    assert left_out[0].startswith("use 'enc'")
    assert "'kty' is missing" in left_out[1]


@pytest.mark.parametrize("wrong", [{}, {"keys": None}, {"keys": "abc"}, {"keys": {"a": 1}}])
def test_a_set_without_a_list_is_no_set(wrong: dict[str, Any]) -> None:
    with pytest.raises(jwk.UnusableKey, match="not a JWK set"):
        jwk.read_set(wrong)
