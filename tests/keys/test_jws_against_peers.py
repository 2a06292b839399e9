"""Our verifier beside joserfc and PyJWT on generated tokens: where two refuse, we never accept."""

from __future__ import annotations

import json
from typing import Any

import jwt as pyjwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from innkeeper.keys import jwk, jws
from innkeeper.protocol import base64url
from innkeeper.protocol.strict_json import NotStrict, read_object
from tests.keys.keyring import ALGS, private_key

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")

algs = st.sampled_from(ALGS)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
claim_sets = st.dictionaries(st.text(max_size=8), values, max_size=6)


def ours(token: str, alg: str) -> bytes | None:
    try:
        parsed = jws.parse(token)
    except jws.NotAToken:
        return None
    fits = parsed.header.get("alg") == alg and jws.verify(parsed, private_key(alg).public_key(), alg)
    return parsed.claims if fits else None


def joserfcs(token: str, alg: str) -> bytes | None:
    key = import_key(dict(jwk.public_document(private_key(alg).public_key(), "k1", alg)))
    try:
        return joserfc_jws.deserialize_compact(token, key, algorithms=[alg]).payload
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def pyjwts(token: str, alg: str) -> bytes | None:
    try:
        payload: bytes = pyjwt.PyJWS().decode(token, private_key(alg).public_key(), algorithms=[alg])
    except (pyjwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return payload


def token_of(alg: str, claims: dict[str, Any], header: dict[str, Any] | None = None) -> str:
    head = jws.encode_header({"alg": alg, "kid": "k1", **(header or {})})
    return jws.compact(head.encode(), json.dumps(claims).encode(), private_key(alg), alg)


@given(algs, claim_sets)
@settings(deadline=None, max_examples=150)
def test_what_we_sign_all_three_accept(alg: str, claims: dict[str, Any]) -> None:
    token = token_of(alg, claims)
    expected = json.dumps(claims).encode()
    assert ours(token, alg) == joserfcs(token, alg) == pyjwts(token, alg) == expected


@given(algs, claim_sets)
@settings(deadline=None, max_examples=100)
def test_what_the_peers_sign_we_accept(alg: str, claims: dict[str, Any]) -> None:
    payload = json.dumps(claims).encode()
    assert ours(pyjwt.PyJWS().encode(payload, private_key(alg), alg), alg) == payload
    assert ours(_signed_by_joserfc(payload, alg), alg) == payload


def _signed_by_joserfc(payload: bytes, alg: str) -> str:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    kind = {"E": ECKey, "R": RSAKey, "P": RSAKey}[alg[0]] if alg != "EdDSA" else OKPKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = private_key(alg).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return joserfc_jws.serialize_compact({"alg": alg}, payload, kind.import_key(pem), algorithms=[alg])


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, str]:
    """A good token, then bent in a few places: characters replaced, dropped, put in, parts swapped or doubled."""
    alg = draw(algs)
    token = token_of(alg, draw(claim_sets))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(token)))
        how = draw(st.sampled_from(("replace", "drop", "insert", "swap", "double")))
        char = draw(st.sampled_from("AZaz09-_=.+/ \n%é\0") | st.characters(codec="utf-8"))
        if how == "replace":
            token = token[:at] + char + token[at + 1 :]
        elif how == "drop":
            token = token[:at] + token[at + 1 :]
        elif how == "insert":
            token = token[:at] + char + token[at:]
        else:
            parts = token.split(".")
            token = ".".join(parts[::-1] if how == "swap" else [*parts, parts[-1]])
    return alg, token


@given(mutated())
@settings(deadline=None, max_examples=600)
def test_a_bent_token_is_never_accepted_by_us_alone(case: tuple[str, str]) -> None:
    alg, token = case
    if ours(token, alg) is not None:
        assert joserfcs(token, alg) is not None
        assert pyjwts(token, alg) is not None


headers = st.dictionaries(
    st.sampled_from(("alg", "kid", "typ", "crit", "b64", "jwk", "cty", "zip", "x")), values, max_size=5
)


@given(algs, headers, claim_sets, st.booleans())
@settings(deadline=None, max_examples=300)
def test_an_odd_header_is_never_accepted_by_us_alone(
    alg: str, header: dict[str, Any], claims: dict[str, Any], keep_alg: bool
) -> None:
    head = {**header, "alg": alg} if keep_alg else header
    signing_input = base64url.encode(json.dumps(head).encode()) + b"." + base64url.encode(json.dumps(claims).encode())
    token = (signing_input + b"." + base64url.encode(jws.sign(signing_input, private_key(alg), alg))).decode()
    if ours(token, alg) is not None:
        assert joserfcs(token, alg) is not None or pyjwts(token, alg) is not None


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_\-]*\.[A-Za-z0-9_\-]*\.[A-Za-z0-9_\-]*", fullmatch=True), algs)
@settings(deadline=None, max_examples=400)
def test_noise_is_refused_without_a_stumble(token: str, alg: str) -> None:
    assert ours(token, alg) is None


@given(st.binary(max_size=80))
@settings(deadline=None, max_examples=300)
def test_base64url_is_the_inverse_of_itself_and_canonical(data: bytes) -> None:
    text = base64url.encode_text(data)
    assert base64url.decode(text) == data
    if text:
        for other in {chr(ord(text[-1]) ^ bit) for bit in (1, 2, 3, 4)} - {text[-1]}:
            try:
                assert base64url.decode(text[:-1] + other) != data
            except base64url.NotBase64Url:
                continue


@given(st.text(max_size=80) | values.map(json.dumps) | claim_sets.map(lambda it: json.dumps(it, indent=1)))
@settings(deadline=None, max_examples=400)
def test_strict_json_reads_exactly_the_objects_that_json_reads_without_repetition(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    try:
        mine = read_object(data)
    except NotStrict:
        return
    assert mine == json.loads(data)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=1, max_size=5), st.sampled_from(("", " "))
)
@settings(deadline=None)
def test_strict_json_refuses_every_repetition(pairs: list[tuple[str, int]], space: str) -> None:
    text = "{" + ",".join(f'"{name}"{space}:{value}' for name, value in pairs) + "}"
    names = [name for name, _ in pairs]
    try:
        read_object(text.encode())
    except NotStrict as error:
        said = str(error)
    else:
        said = ""
    assert ("twice" in said) is (len(set(names)) < len(names))
