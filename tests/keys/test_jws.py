"""Signed tokens taken apart, verified and made (RFC 7515)."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from innkeeper.keys import jws
from innkeeper.protocol import base64url
from tests.keys.keyring import ALGS, private_key, rsa_key

CLAIMS = b'{"iss":"http://127.0.0.1:8400","sub":"guest-204"}'


def made(alg: str = "ES256", header: dict[str, object] | None = None, claims: bytes = CLAIMS) -> str:
    return jws.compact(
        jws.encode_header(header or {"alg": alg, "typ": "at+jwt"}).encode(), claims, private_key(alg), alg
    )


def raw(header: bytes, claims: bytes = CLAIMS, signature: bytes = b"s") -> str:
    return b".".join(map(base64url.encode, (header, claims, signature))).decode()


@pytest.mark.parametrize("alg", ALGS)
def test_a_token_verifies_with_its_own_key_and_no_other(alg: str) -> None:
    parsed = jws.parse(made(alg))
    assert parsed.claims == CLAIMS
    for other in ALGS:
        key = private_key(other).public_key()
        assert jws.verify(parsed, key, alg) is (type(key) is type(private_key(alg).public_key()) and _same(alg, other))


def _same(alg: str, other: str) -> bool:
    return alg == other or {alg, other} == {"RS256", "PS256"}


@pytest.mark.parametrize("alg", ALGS)
def test_one_changed_bit_anywhere_breaks_the_signature(alg: str) -> None:
    parsed = jws.parse(made(alg))
    key = private_key(alg).public_key()
    for at in range(0, len(parsed.signature), 7):
        bent = bytearray(parsed.signature)
        bent[at] ^= 1
        assert not jws.verify(jws.Parsed(parsed.header, parsed.claims, bytes(bent), parsed.signing_input), key, alg)
    bent = bytearray(parsed.signing_input)
    bent[-1] ^= 1
    assert not jws.verify(jws.Parsed(parsed.header, parsed.claims, parsed.signature, bytes(bent)), key, alg)


def test_alg_none_never_verifies() -> None:
    parsed = jws.parse(raw(b'{"alg":"none"}', signature=b""))
    for alg in ("none", "None", "NONE", "nOnE", ""):
        assert not any(jws.verify(parsed, private_key(one).public_key(), alg) for one in ALGS)


@pytest.mark.parametrize("form", ["pem", "der", "jwk"])
def test_a_public_key_is_never_taken_for_a_shared_secret(form: str) -> None:
    public = rsa_key().public_key()
    secret = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps({"kty": "RSA"}).encode(),
    }[form]
    signing_input = base64url.encode(b'{"alg":"HS256"}') + b"." + base64url.encode(CLAIMS)
    mac = hmac.digest(secret, signing_input, hashlib.sha256)
    parsed = jws.parse(signing_input + b"." + base64url.encode(mac))
    assert not any(jws.verify(parsed, public, alg) for alg in ("HS256", *ALGS))


def test_an_rsa_key_does_not_verify_under_an_elliptic_algorithm_nor_the_other_way() -> None:
    assert not jws.verify(jws.parse(made("ES256")), private_key("RS256").public_key(), "ES256")
    assert not jws.verify(jws.parse(made("RS256")), private_key("ES256").public_key(), "RS256")


def test_a_short_rsa_key_neither_signs_nor_verifies() -> None:
    short = rsa_key(0, 1024)
    with pytest.raises(ValueError, match="cannot sign"):
        jws.sign(b"x", short, "RS256")
    assert not jws.verify(jws.parse(made("RS256")), short.public_key(), "RS256")


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\xff" * 64, b"\0" * 63, b"\0" * 65, b"\0" * 32 + b"\1" * 32])
def test_hollow_ecdsa_signatures_do_not_verify(signature: bytes) -> None:
    """CVE-2022-21449: r and s of zero satisfied one famous verifier."""
    parsed = jws.parse(raw(b'{"alg":"ES256"}', signature=signature))
    assert not jws.verify(parsed, private_key("ES256").public_key(), "ES256")


def test_a_der_signature_is_not_a_jose_signature() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    key = private_key("ES256")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    parsed = jws.parse(made())
    der = key.sign(parsed.signing_input, ec.ECDSA(SHA256()))
    assert not jws.verify(jws.Parsed(parsed.header, CLAIMS, der, parsed.signing_input), key.public_key(), "ES256")


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "1 part where"),
        ("abc", "1 part where"),
        ("a.b", "2 parts where"),
        ("a.b.c.d", "4 parts where"),
        ("a.b.c.d.e", "encrypted"),
        ("e30.e30=.e30", "alphabet"),
        ("e30 .e30.e30", "alphabet"),
        ("e30.e30.e30\n", "alphabet"),
        ("e30.e+0.e30", "alphabet"),
        ("e30.e/0.e30", "alphabet"),
        ("e30.e30.é", "ASCII"),
        ("e30.e.e30", "no bytes encode to"),
        ("e30.e31.e30", "stray bits"),
        ("e30.e30.AB", "stray bits"),
        (".e30.e30", "header: not JSON"),
        (raw(b"[]"), "not an object"),
        (raw(b"null"), "not an object"),
        (raw(b'"alg"'), "not an object"),
        (raw(b'{"alg":'), "not JSON"),
        (raw(b"\xff{}"), "not JSON"),
        (raw('{"alg":"ES256"}'.encode("utf-16")), "not JSON"),
        (raw(b'{"alg":NaN}'), "not JSON"),
        (raw(b'{"alg":"ES256","alg":"none"}'), "'alg' stands twice"),
        (raw(b'{"alg":"ES256", "alg" :"none"}'), "'alg' stands twice"),
        (raw(b'{"alg":"ES256","\\u0061lg":"none"}'), "'alg' stands twice"),
        (raw(b'{"alg":"ES256","x":{"y":1,"y":2}}'), "'y' stands twice"),
        (raw(b'{"alg":"ES256","crit":["exp"]}'), "crit"),
        (raw(b'{"alg":"ES256","crit":[],"b64":false}'), "crit"),
        (raw(b'{"alg":"ES256","b64":false}'), "b64"),
        (raw(b'{"alg":"ES256","b64":0}'), "b64"),
        (raw(b'{"alg":' + b"[" * 7 + b"]" * 7 + b"}"), "deeper"),
        (raw(b'{"alg":["ES256"]}'), "'alg' is no string"),
        (raw(b'{"alg":"ES256","kid":7}'), "'kid' is no string"),
        (raw(b'{"alg":"ES256","kid":null}'), "'kid' is no string"),
        (raw(b'{"alg":"ES256","typ":{"a":1}}'), "'typ' is no string"),
        ("e30." + "A" * 20_000 + ".e30", "more than the 16384"),
    ],
)
def test_what_is_no_token_is_refused_with_a_plain_reason(token: str, reason: str) -> None:
    with pytest.raises(jws.NotAToken, match=reason):
        jws.parse(token)


def test_a_deeply_nested_header_within_the_size_limit_costs_no_stack() -> None:
    with pytest.raises(jws.NotAToken, match="deeper"):
        jws.parse(raw(b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", claims=b"{}"))


def test_brackets_inside_a_string_are_not_nesting() -> None:
    assert jws.parse(raw(b'{"alg":"ES256","x":"[[[[[[{{{{\\"[["}')).header["x"] == '[[[[[[{{{{"[['


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(jws.NotAToken, match="not JSON"):
        jws.parse(raw(b'{"alg":"ES256","kid":"\\ud800"}'))


def test_white_space_in_a_header_is_allowed_and_not_a_repetition() -> None:
    assert jws.parse(raw(b'{ "alg" : "ES256" ,\r\n "kid":"a" }')).header == {"alg": "ES256", "kid": "a"}


def test_a_header_read_once_cannot_be_changed_for_the_next_token() -> None:
    header = jws.parse(made()).header
    with pytest.raises(TypeError):
        header["alg"] = "none"  # type: ignore[index]


def test_text_and_bytes_parse_alike() -> None:
    token = made()
    assert jws.parse(token) == jws.parse(token.encode())


def test_signing_with_a_key_of_another_kind_is_a_mistake_said_aloud() -> None:
    with pytest.raises(ValueError, match="cannot sign 'RS256'"):
        jws.sign(b"x", private_key("ES256"), "RS256")
    with pytest.raises(ValueError, match="cannot sign 'none'"):
        jws.sign(b"x", private_key("ES256"), "none")
