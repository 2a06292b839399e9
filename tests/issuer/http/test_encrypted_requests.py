"""Request objects encrypted to the issuer: opened with its published key, and then trusted no more than others."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe as peer
from joserfc import jws as peer_jws
from joserfc.jwk import ECKey, OctKey
from joserfc.jwk import import_key as peers_key
from msgspec.structs import replace

from innkeeper.issuer.core.authorization_request import REQUEST_OBJECT
from innkeeper.keys import jwe, jwk, jws
from innkeeper.protocol import base64url
from tests.issuer.house import ASKED, ORIGIN, Answer, House
from tests.issuer.visitor import SHOP, Visitor

KEY = ec.generate_private_key(ec.SECP256R1())
MALLORYS = ec.generate_private_key(ec.SECP256R1())
FRONT = {"client_id": "shop", "redirect_uri": ASKED["redirect_uri"], "response_type": "code", "scope": "openid"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    realm = made.issuer.realm
    shop = made.run(realm.client("shop"))
    assert shop is not None
    changed = replace(shop, jwks=(jwk.public_document(KEY.public_key(), "shop-1", "ES256"),))
    made.run(realm.store.put_client(changed))
    made.run(realm.reload())
    yield made
    made.close()


def signed(house: House, key: Any = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """The shop's request in an object it signed."""
    said = {**ASKED, "iss": "shop", "aud": ORIGIN, "exp": house.clock() + 60, **changes}
    head = {"alg": "ES256", "kid": "shop-1", "typ": "oauth-authz-req+jwt", **(header or {})}
    return jws.compact(jws.encode_header(head).encode(), json.dumps(said).encode(), key, "ES256")


def published(house: House) -> dict[str, Any]:
    (key,) = [one for one in house.get("/jwks").json["keys"] if one["use"] == "enc"]
    return dict(key)


def encrypted(house: House, content: str, alg: str = "ECDH-ES", enc: str = "A256GCM", **header: Any) -> str:
    """As another library encrypts it to the issuer's published key."""
    key = published(house)
    head = {"alg": alg, "enc": enc, "cty": "JWT", "kid": key["kid"], **header}
    return peer.encrypt_compact(head, content, peers_key(key), algorithms=[alg, enc, "DEF"])


def asked(house: House, packed: str) -> Answer:
    return Visitor(house).get(f"/authorize?{urlencode({**FRONT, 'request': packed})}")


def refused(house: House, answer: Answer) -> str:
    """Why: told to the client as an error without the reason, which stays here."""
    assert answer.sent_back["error"] == "invalid_request_object"
    refusal = house.last.refusal
    assert refusal is not None
    assert refusal.page is REQUEST_OBJECT
    assert refusal.reason not in answer.location
    return refusal.reason


def test_a_request_object_encrypted_to_the_published_key_is_read(house: House) -> None:
    document = house.get("/.well-known/openid-configuration").json
    for alg in document["request_object_encryption_alg_values_supported"]:
        for enc in document["request_object_encryption_enc_values_supported"]:
            page = asked(house, encrypted(house, signed(house), alg, enc))
            assert 'id="sign-in"' in page.text, (alg, enc)


def test_an_encrypted_request_can_be_pushed(house: House) -> None:
    pushed = house.post("/par", {**SHOP, "request": encrypted(house, signed(house, state="from inside"))})
    assert pushed.status == 201, pushed.text
    visitor = Visitor(house)
    page = visitor.get(f"/authorize?{urlencode({'client_id': 'shop', 'request_uri': pushed.json['request_uri']})}")
    assert visitor.through(page).sent_back["state"] == "from inside"


def test_encryption_proves_nothing_about_who_sent_it(house: House) -> None:
    plain = json.dumps({**ASKED, "iss": "shop", "aud": ORIGIN})
    assert "does not verify" in refused(house, asked(house, encrypted(house, plain)))
    assert "does not verify" in refused(house, asked(house, encrypted(house, signed(house, MALLORYS))))
    header = base64url.encode_text(json.dumps({"alg": "none"}).encode())
    unsigned = f"{header}.{base64url.encode_text(plain.encode())}."
    assert "does not verify" in refused(house, asked(house, encrypted(house, unsigned)))


def test_an_object_inside_two_encryptions_is_not_unpacked(house: House) -> None:
    assert "five parts" in refused(house, asked(house, encrypted(house, encrypted(house, signed(house)))))


def test_a_compressed_request_is_not_unpacked(house: House) -> None:
    bomb = encrypted(house, "x" * 100, zip="DEF")
    assert "'zip' is not read" in refused(house, asked(house, bomb))
    _, _, rest = encrypted(house, zlib.compress(b"0" * 10_000_000)[2:-4].hex()[:8000]).partition(".")
    head = base64url.encode_text(json.dumps({"alg": "ECDH-ES", "enc": "A256GCM", "zip": "DEF"}).encode())
    assert "'zip' is not read" in refused(house, asked(house, f"{head}.{rest}"))


@pytest.mark.parametrize("alg", ["RSA1_5", "dir", "A256KW", "PBES2-HS512+A256KW", "RSA-OAEP-384"])
def test_other_ways_of_encrypting_are_not_read(house: House, alg: str) -> None:
    head = base64url.encode_text(json.dumps({"alg": alg, "enc": "A256GCM", "p2c": 2**31 - 1}).encode())
    assert "is not read here" in refused(house, asked(house, f"{head}.a2V5.aXY.Y29udGVudA.dGFn"))


def test_an_object_encrypted_to_a_signing_key_or_to_another_issuer_is_not_read(house: House) -> None:
    elsewhere = ECKey(MALLORYS, MALLORYS)
    for kid in (published(house)["kid"], "unknown", house.get("/jwks").json["keys"][0]["kid"]):
        head = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": kid}
        packed = peer.encrypt_compact(head, signed(house), elsewhere, algorithms=["ECDH-ES", "A256GCM"])
        assert "no key of ours" in refused(house, asked(house, packed))


@pytest.mark.parametrize("where", ["inner", "outer"])
@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "kid"])
def test_a_key_named_by_the_sender_is_not_looked_at(house: House, name: str, where: str) -> None:
    brought: dict[str, Any] = {
        "jwk": jwk.public_document(MALLORYS.public_key(), "shop-1", "ES256"),
        "jku": "https://mallory.example/jwks",
        "x5u": "https://mallory.example/x5",
        "x5c": ["MIIB"],
        "kid": "../../../../dev/null",
    }
    header = {name: brought[name]}
    if where == "inner":
        packed = encrypted(house, signed(house, MALLORYS, header))
        assert "does not verify" in refused(house, asked(house, packed))
    else:
        head = {"alg": "ECDH-ES", "enc": "A256GCM", **header}
        elsewhere = ECKey(MALLORYS, MALLORYS)
        packed = peer.encrypt_compact(head, signed(house), elsewhere, algorithms=["ECDH-ES", "A256GCM"])
        assert "no key of ours" in refused(house, asked(house, packed))


def test_a_public_key_is_no_shared_secret(house: House) -> None:
    """Algorithm confusion: an HMAC under the client's published key, or under ours."""
    for document in (jwk.public_document(KEY.public_key(), "shop-1", "ES256"), published(house)):
        secret = OctKey.import_key(json.dumps(document))
        said = {**ASKED, "iss": "shop", "aud": ORIGIN}
        token = peer_jws.serialize_compact({"alg": "HS256", "kid": "shop-1"}, json.dumps(said), secret)
        assert "HS256" in refused(house, asked(house, encrypted(house, token)))
        assert "HS256" in refused(house, asked(house, token))


def test_an_object_longer_than_any_is_not_read(house: House) -> None:
    packed = encrypted(house, signed(house, state="s" * 12_000))
    assert len(packed) < jwe.LIMIT
    too_long = encrypted(house, signed(house, state="s" * 13_000))
    for one, why in (
        (too_long, "more than the 16384 read"),
        (f"{packed}{'A' * jwe.LIMIT}", "more than the 32768 read"),
    ):
        answer = house.post("/par", {**SHOP, "request": one})
        assert (answer.status, answer.json["error"]) == (400, "invalid_request_object")
        assert house.last.refusal is not None
        assert why in house.last.refusal.reason


def test_a_client_that_registered_an_algorithm_signs_with_that_one(house: House) -> None:
    realm = house.issuer.realm
    shop = house.run(realm.client("shop"))
    assert shop is not None
    house.run(realm.store.put_client(replace(shop, request_object_signing_alg="PS256")))
    house.run(realm.reload())
    try:
        assert "none of PS256" in refused(house, asked(house, signed(house)))
    finally:
        house.run(realm.store.put_client(shop))
        house.run(realm.reload())


def test_the_key_to_encrypt_with_signs_nothing_and_is_published_as_such(house: House) -> None:
    key = published(house)
    assert set(key) == {"kty", "crv", "x", "y", "use", "kid"}
    verifying, left_out = jwk.read_set(house.get("/jwks").json)
    assert key["kid"] not in {one.kid for one in verifying}
    assert len(left_out) == 1
