"""What is encrypted here others can read, what others encrypt to our key is read here, and nothing else is."""

from __future__ import annotations

import json
import warnings
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe as peer
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from msgspec.structs import replace

from innkeeper.keys import jwe
from innkeeper.keys.ring import Ring, make
from innkeeper.keys.seal import Seal
from innkeeper.protocol import base64url
from tests.keys.keyring import private_key, rsa_key

NOW = 1_800_000_000
SEAL = Seal(b"k" * 32)
CONTENT = b'{"sub":"ada","name":"\xc3\x84da"}' * 20

RSA, EC, P384 = private_key("RS256"), private_key("ES256"), private_key("ES384")
DOCUMENTS: dict[str, dict[str, Any]] = {
    name: dict(key.as_dict(private=False, kid=name))
    for name, key in {
        "rsa": RSAKey(RSA, RSA),
        "ec": ECKey(EC, EC),
        "p-384": ECKey(P384, P384),
    }.items()
}
X25519 = OKPKey.generate_key("X25519")
PAIRS = [(alg, enc) for alg in jwe.ALGORITHMS for enc in jwe.ENCRYPTIONS]


def key_for(alg: str) -> Any:
    return RSA if alg.startswith("RSA") else EC


def document_for(alg: str) -> dict[str, Any]:
    return DOCUMENTS["rsa" if alg.startswith("RSA") else "ec"]


def peers_key(alg: str) -> Any:
    return RSAKey(RSA, RSA) if alg.startswith("RSA") else ECKey(EC, EC)


@pytest.mark.parametrize(("alg", "enc"), PAIRS)
def test_two_other_libraries_read_what_is_encrypted_here(alg: str, enc: str) -> None:
    token = jwe.encrypt(CONTENT, [document_for(alg)], alg, enc, "JWT")
    found = peer.decrypt_compact(token, peers_key(alg), algorithms=[alg, enc])
    assert found.plaintext == CONTENT
    assert {name: found.protected[name] for name in ("alg", "enc", "cty", "kid")} == {
        "alg": alg,
        "enc": enc,
        "cty": "JWT",
        "kid": document_for(alg)["kid"],
    }
    with warnings.catch_warnings(action="ignore"):  # Authlib speaks of its own successor
        from authlib.jose import JsonWebEncryption, JsonWebKey

        private = JsonWebKey.import_key(peers_key(alg).as_dict(private=True))
        assert JsonWebEncryption().deserialize_compact(token, private)["payload"] == CONTENT


@pytest.mark.parametrize(("alg", "enc"), PAIRS)
def test_what_another_library_encrypts_to_our_key_is_read_here(alg: str, enc: str) -> None:
    token = peer.encrypt_compact({"alg": alg, "enc": enc}, CONTENT, peers_key(alg), algorithms=[alg, enc])
    assert jwe.decrypt(token, key_for(alg)) == CONTENT


@pytest.mark.parametrize("key", [X25519, ECKey(P384, P384)], ids=["X25519", "P-384"])
def test_a_reader_may_have_another_curve(key: Any) -> None:
    token = jwe.encrypt(CONTENT, [key.as_dict(private=False)], "ECDH-ES+A256KW", "A256GCM")
    assert peer.decrypt_compact(token, key, algorithms=["ECDH-ES+A256KW", "A256GCM"]).plaintext == CONTENT


def test_a_key_published_for_encryption_goes_before_one_for_anything() -> None:
    first, second = {**DOCUMENTS["ec"], "kid": "any"}, {**DOCUMENTS["ec"], "kid": "enc", "use": "enc"}
    assert jwe.read_header(jwe.encrypt(b"x", [first, second], "ECDH-ES", "A128GCM"))["kid"] == "enc"


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [{**DOCUMENTS["ec"], "use": "sig"}],
        [{**DOCUMENTS["ec"], "alg": "ES256"}],
        [{**DOCUMENTS["ec"], "crv": "secp256k1"}],
        [{**DOCUMENTS["ec"], "x": DOCUMENTS["ec"]["y"]}],
        [{**DOCUMENTS["ec"], "x": 7}],
        [{"kty": "EC", "crv": "P-256"}],
        [{"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}],
        [{"kty": "OKP", "crv": "Ed25519", "x": X25519.as_dict()["x"]}],
        [DOCUMENTS["rsa"]],
    ],
    ids=[
        "no key",
        "to sign",
        "another algorithm",
        "unknown curve",
        "off the curve",
        "a number",
        "half a key",
        "oct",
        "Ed25519",
        "RSA",
    ],
)
def test_nothing_is_encrypted_to_a_key_that_is_not_for_it(keys: list[dict[str, Any]]) -> None:
    with pytest.raises(jwe.NoKeyFits):
        jwe.encrypt(b"x", keys, "ECDH-ES", "A128GCM")


@pytest.mark.parametrize(
    ("alg", "enc"),
    [("RSA1_5", "A128GCM"), ("dir", "A128GCM"), ("RSA-OAEP", "A192GCM"), ("ECDH-ES", "none"), ("RSA", "A128GCM")],
)
def test_nothing_is_encrypted_in_a_way_that_is_not_read_here(alg: str, enc: str) -> None:
    with pytest.raises(jwe.NoKeyFits, match="here"):
        jwe.encrypt(b"x", DOCUMENTS.values(), alg, enc)


@pytest.mark.parametrize("bits", [1024, 16384])
def test_a_key_of_an_unusual_size_costs_nothing(bits: int) -> None:
    modulus = base64url.encode_text((1 << bits - 1 | 1).to_bytes(bits // 8))
    with pytest.raises(jwe.NoKeyFits):
        jwe.encrypt(b"x", [{"kty": "RSA", "n": modulus, "e": "AQAB"}], "RSA-OAEP", "A128GCM")


def with_header(header: dict[str, Any], rest: str = "a2V5.aXY.Y29udGVudA.dGFn") -> str:
    return f"{base64url.encode_text(json.dumps(header).encode())}.{rest}"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RSA1_5", "enc": "A128GCM"},
        {"alg": "dir", "enc": "A128GCM"},
        {"alg": "A128KW", "enc": "A128GCM"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2**31, "p2s": "c2FsdA"},
        {"alg": "none", "enc": "A128GCM"},
        {"alg": "RSA-OAEP", "enc": "none"},
        {"alg": "RSA-OAEP"},
        {"alg": ["RSA-OAEP"], "enc": "A128GCM"},
        {"alg": "RSA-OAEP", "enc": "A128GCM", "zip": "DEF"},
        {"alg": "RSA-OAEP", "enc": "A128GCM", "crit": ["exp"], "exp": 1},
        {"alg": "RSA-OAEP", "enc": "A128GCM", "pad": "x" * 1024},
        {"alg": "ECDH-ES", "enc": "A128GCM", "epk": {"a": {"b": {"c": {"d": {}}}}}},
    ],
    ids=str,
)
def test_a_header_that_asks_for_anything_else_is_not_read(header: dict[str, Any]) -> None:
    with pytest.raises(jwe.NotDecrypted, match=r"read|header"):
        jwe.read_header(with_header(header))


def test_a_compressed_bomb_is_refused_before_it_is_opened() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000)[2:-4]
    header = {"alg": "RSA-OAEP", "enc": "A128GCM"}
    honest = peer.encrypt_compact(header, bomb[:20_000], RSAKey(RSA, RSA), algorithms=["RSA-OAEP", "A128GCM"])
    _, _, rest = honest.partition(".")
    with pytest.raises(jwe.NotDecrypted, match="zip"):
        jwe.decrypt(with_header({**header, "zip": "DEF"}, rest), RSA)


def test_a_token_longer_than_any_is_not_read() -> None:
    with pytest.raises(jwe.NotDecrypted, match="more than"):
        jwe.read_header(with_header({"alg": "RSA-OAEP", "enc": "A128GCM"}, f"a.b.{'c' * jwe.LIMIT}.d"))


@pytest.mark.parametrize("alg", ["RSA-OAEP", "ECDH-ES+A128KW"])
def test_a_wrong_key_and_a_changed_token_look_alike(alg: str) -> None:
    token = jwe.encrypt(CONTENT, [document_for(alg)], alg, "A128CBC-HS256")
    *front, tag = token.split(".")
    others = rsa_key(1) if alg.startswith("RSA") else private_key("ES256", 1)
    changed = ".".join((*front, base64url.encode_text(bytes(16))))
    assert tag != changed.rpartition(".")[2]
    said = set()
    for text, key in ((token, others), (changed, key_for(alg)), (token, EC if alg.startswith("RSA") else RSA)):
        with pytest.raises(jwe.NotDecrypted) as refused:
            jwe.decrypt(text, key)
        said.add(str(refused.value))
    assert len(said) == 1


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_header_brings_along_opens_nothing(name: str) -> None:
    mallory = ECKey(private_key("ES256", 1), private_key("ES256", 1))
    brought: dict[str, Any] = {
        "jwk": mallory.as_dict(private=False),
        "jku": "https://mallory.example/jwks",
        "x5u": "https://mallory.example/x5",
        "x5c": ["MIIB"],
    }
    header = {"alg": "ECDH-ES", "enc": "A128GCM", name: brought[name]}
    token = peer.encrypt_compact(header, b"x", mallory, algorithms=["ECDH-ES", "A128GCM"])
    with pytest.raises(jwe.NotDecrypted, match="no key of ours"):
        jwe.decrypt(token, EC)


def test_a_point_off_the_curve_teaches_nobody_anything() -> None:
    epk = {"kty": "EC", "crv": "P-256", "x": base64url.encode_text(b"\1" * 32), "y": base64url.encode_text(b"\2" * 32)}
    with pytest.raises(jwe.NotDecrypted, match="no key of ours"):
        jwe.decrypt(with_header({"alg": "ECDH-ES", "enc": "A128GCM", "epk": epk}, ".aXZpdml2aXZpdml2.YQ.dGFn"), EC)


TOKENS = [jwe.encrypt(b"x", [document_for(alg)], alg, enc) for alg, enc in PAIRS]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_damage_to_a_token_raises_anything_unforeseen(data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(TOKENS))
    place = data.draw(st.integers(0, len(token)))
    damaged = token[:place] + data.draw(st.text(max_size=8)) + token[data.draw(st.integers(place, len(token))) :]
    for key in (RSA, EC):
        try:
            assert jwe.decrypt(damaged, key) == b"x"
        except jwe.NotDecrypted:
            continue


def test_a_ring_publishes_a_key_to_write_to_and_reads_what_was_written() -> None:
    stored = [make(alg, SEAL, now=NOW, active_from=NOW) for alg in ("ES256", "ECDH-ES")]
    ring = Ring(stored, SEAL)
    (document,) = [one for one in ring.published(NOW) if one["use"] == "enc"]
    assert set(document) == {"kty", "crv", "x", "y", "use", "kid"}
    assert ring.algorithms() == ["ES256"]
    assert ring.opens(NOW) == ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"]
    for alg in ring.opens(NOW):
        token = jwe.encrypt(CONTENT, ring.published(NOW), alg, "A256GCM")
        assert ring.decrypt(token, NOW) == CONTENT


def test_a_ring_signs_with_no_key_that_opens_and_opens_with_none_that_signs() -> None:
    ring = Ring([make("ES256", SEAL, now=NOW, active_from=NOW)], SEAL)
    (signing,) = ring.published(NOW)
    assert not ring.signs("ECDH-ES", NOW)
    with pytest.raises(jwe.NotDecrypted):
        ring.decrypt(jwe.encrypt(b"x", [{**signing, "use": "enc", "alg": "ECDH-ES"}], "ECDH-ES", "A128GCM"), NOW)


def test_a_retired_key_and_a_key_by_another_name_open_nothing() -> None:
    stored = make("ECDH-ES", SEAL, now=NOW, active_from=NOW)
    (document,) = Ring([stored], SEAL).published(NOW)
    token = jwe.encrypt(b"x", [document], "ECDH-ES", "A128GCM")
    retired = Ring([replace(stored, expires_at=NOW + 10)], SEAL)
    assert retired.decrypt(token, NOW + 9) == b"x"
    with pytest.raises(jwe.NotDecrypted):
        retired.decrypt(token, NOW + 10)
    renamed = jwe.encrypt(b"x", [{**document, "kid": "another"}], "ECDH-ES", "A128GCM")
    with pytest.raises(jwe.NotDecrypted):
        retired.decrypt(renamed, NOW)


def test_a_secret_is_no_key_here() -> None:
    secret = OctKey.generate_key(128)
    token = peer.encrypt_compact({"alg": "A128KW", "enc": "A128GCM"}, b"x", secret, algorithms=["A128KW", "A128GCM"])
    with pytest.raises(jwe.NotDecrypted):
        jwe.decrypt(token, EC)
