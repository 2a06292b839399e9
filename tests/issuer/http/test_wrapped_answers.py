"""ID tokens and userinfo as a client registered for them: signed with its algorithm, encrypted to its key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwe as peer_jwe
from joserfc import jws as peer_jws
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from msgspec.structs import replace

from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.wrapping import NO_KEY
from innkeeper.issuer.settings import Registration
from innkeeper.keys import jwe
from innkeeper.keys.jws import parse
from innkeeper.keys.ring import SIGNING_ALGORITHMS
from innkeeper.protocol import base64url
from tests.issuer.house import HOTEL, ORIGIN, SETTINGS, SPA, Answer, Asked, House, named
from tests.issuer.stranger import Stranger, house_and_stranger
from tests.issuer.visitor import ROBOT, SHOP, Visitor, redeem

Change = Callable[..., Client]

_RSA, _EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
RSA, EC, X25519 = RSAKey(_RSA, _RSA), ECKey(_EC, _EC), OKPKey.generate_key("X25519")
PUBLISHED = (dict(RSA.as_dict(private=False, kid="r", use="enc")), dict(EC.as_dict(private=False, kid="e", use="enc")))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Stranger]]:
    with house_and_stranger(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture
def house(pair: tuple[House, Stranger]) -> House:
    return pair[0]


@pytest.fixture
def there(pair: tuple[House, Stranger]) -> Stranger:
    return pair[1]


@pytest.fixture
def shop(house: House) -> Iterator[Change]:
    """Changes what the shop registered, and puts it back afterwards."""
    realm = house.issuer.realm
    before = house.run(realm.client("shop"))
    assert before is not None

    def put(client: Client) -> Client:
        house.run(realm.store.put_client(client))
        house.run(realm.reload())
        return client

    yield lambda **changes: put(replace(before, **changes))
    put(before)


def tokens(house: House) -> dict[str, Any]:
    answer = redeem(house, Visitor(house).code())
    assert answer.status == 200, answer.text
    return answer.json


def verified(house: House, token: str, alg: str) -> dict[str, Any]:
    """The claims, as another library reads them with the published keys."""
    keys = KeySet.import_key_set(house.get("/jwks").json)
    read = peer_jws.deserialize_compact(token, keys, algorithms=[alg])
    assert read.protected["alg"] == alg
    claims: dict[str, Any] = json.loads(read.payload)
    return claims


def opened(token: str, alg: str, enc: str) -> str:
    read = peer_jwe.decrypt_compact(token, RSA if alg.startswith("RSA") else EC, algorithms=[alg, enc])
    assert (read.protected["alg"], read.protected["enc"]) == (alg, enc)
    assert read.plaintext is not None
    return read.plaintext.decode()


HASHES = {"ES384": hashlib.sha384, "EdDSA": hashlib.sha512}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", SIGNING_ALGORITHMS)
def test_an_id_token_is_signed_with_the_algorithm_that_was_registered(house: House, shop: Change, alg: str) -> None:
    shop(id_token_alg=alg)
    got = tokens(house)
    claims = verified(house, got["id_token"], alg)
    assert (claims["iss"], claims["aud"], claims["sub"], claims["nonce"]) == (ORIGIN, "shop", "ada-1", "n-1")
    whole = HASHES.get(alg, hashlib.sha256)(got["access_token"].encode()).digest()
    assert claims["at_hash"] == base64url.encode_text(whole[: len(whole) // 2])


def test_a_key_is_made_once_when_an_algorithm_is_first_used(house: House, shop: Change) -> None:
    def published() -> set[str]:
        return {one["kid"] for one in house.get("/jwks").json["keys"]}

    shop(id_token_alg="PS256")
    tokens(house)
    before = published()
    tokens(house)
    assert published() == before
    house.run(house.issuer.realm.reload())
    assert published() == before


def test_keys_are_made_for_a_client_before_it_looks_which_there_are(tmp_path: Path) -> None:
    settings = replace(SETTINGS, registration=Registration(mode="open"))
    shop = replace(settings.client[0], metadata={"userinfo_signed_response_alg": "ES384"})
    house = House(tmp_path, replace(settings, client=[shop, *settings.client[1:]]))

    def algorithms() -> set[str]:
        return {one["alg"] for one in house.get("/jwks").json["keys"] if one["use"] == "sig"}

    assert algorithms() == {"ES256", "ES384", "RS256"}
    said = {"redirect_uris": ["https://a.example/cb"], "id_token_signed_response_alg": "EdDSA"}
    body = json.dumps(said).encode()
    answer = house.ask(Asked("POST", "/register", headers=named({"content_type": "application/json"}), chunks=(body,)))
    assert answer.status == 201, answer.text
    assert algorithms() == {"ES256", "ES384", "RS256", "EdDSA"}
    house.close()


@pytest.mark.parametrize("enc", jwe.ENCRYPTIONS)
@pytest.mark.parametrize("alg", jwe.ALGORITHMS)
def test_an_id_token_is_signed_and_then_encrypted(house: House, shop: Change, alg: str, enc: str) -> None:
    shop(jwks=PUBLISHED, id_token_encrypted_response_alg=alg, id_token_encrypted_response_enc=enc, id_token_alg="ES256")
    inside = opened(tokens(house)["id_token"], alg, enc)
    assert verified(house, inside, "ES256")["sub"] == "ada-1"


def test_a_client_that_names_no_content_encryption_gets_the_default(house: House, shop: Change) -> None:
    shop(jwks=PUBLISHED, id_token_encrypted_response_alg="ECDH-ES")
    inside = opened(tokens(house)["id_token"], "ECDH-ES", "A128CBC-HS256")
    assert verified(house, inside, "RS256")["sub"] == "ada-1"


def test_a_key_of_another_kind_is_passed_over(house: House, shop: Change) -> None:
    signing = {**PUBLISHED[1], "use": "sig"}
    x25519 = dict(X25519.as_dict(private=False, kid="x"))
    shop(jwks=(PUBLISHED[0], signing, x25519), id_token_encrypted_response_alg="ECDH-ES")
    read = peer_jwe.decrypt_compact(tokens(house)["id_token"], X25519, algorithms=["ECDH-ES", "A128CBC-HS256"])
    assert read.protected["kid"] == "x"


@pytest.mark.parametrize(
    "changes",
    [
        {"jwks": ()},
        {"jwks": ({**PUBLISHED[1], "use": "sig"},)},
        {"jwks": ({"kty": "oct", "k": "c2VjcmV0"},)},
        {"jwks": (PUBLISHED[0],)},
        {"jwks": (), "jwks_uri": "https://nobody.example/jwks"},
    ],
    ids=["no keys", "a signing key", "a secret", "a key for another algorithm", "an address that gives nothing"],
)
def test_a_client_without_a_key_to_encrypt_to_is_told_so(house: House, shop: Change, changes: dict[str, Any]) -> None:
    shop(**changes, id_token_encrypted_response_alg="ECDH-ES")
    answer = redeem(house, Visitor(house).code())
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert answer.json["error_description"] == NO_KEY.wire
    assert answer.header("cache-control") == "no-store"
    assert house.last.refusal is not None
    assert house.last.refusal.page is NO_KEY


def test_a_key_that_the_client_has_changed_at_its_address_is_looked_up_again(
    house: House, there: Stranger, shop: Change
) -> None:
    def says(*keys: dict[str, Any]) -> None:
        there.says("/jwks", json.dumps({"keys": keys}).encode())

    shop(jwks_uri=there.url("/jwks"), id_token_encrypted_response_alg="RSA-OAEP-256")
    says(PUBLISHED[1])
    assert redeem(house, Visitor(house).code()).status == 400
    house.clock.move(31)
    says(PUBLISHED[0])
    assert verified(house, opened(tokens(house)["id_token"], "RSA-OAEP-256", "A128CBC-HS256"), "RS256")


# Userinfo


def userinfo(house: House, token: str, how: str = "GET") -> Answer:
    if how == "body":
        return house.post("/userinfo", {"access_token": token})
    return house.ask(Asked(how, "/userinfo", headers=named({"authorization": f"Bearer {token}"})))


@pytest.mark.parametrize("how", ["GET", "POST", "body"])
def test_userinfo_is_a_signed_jwt_where_that_was_registered(house: House, shop: Change, how: str) -> None:
    shop(userinfo_signed_response_alg="ES256")
    answer = userinfo(house, tokens(house)["access_token"], how)
    assert (answer.status, answer.header("content-type")) == (200, "application/jwt")
    assert answer.header("cache-control") == "no-store"
    assert answer.header("access-control-allow-origin") == "*"
    claims = verified(house, answer.text, "ES256")
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ORIGIN, "shop", "ada-1")


@pytest.mark.parametrize("how", ["GET", "POST", "body"])
def test_userinfo_is_plain_json_where_nothing_was_registered(house: House, how: str) -> None:
    assert userinfo(house, tokens(house)["access_token"], how).json["sub"] == "ada-1"


@pytest.mark.parametrize("form", [{"access_token": "{token}"}, [("access_token", "{token}"), ("access_token", "x")]])
def test_a_token_that_is_sent_twice_is_not_taken(house: House, form: Any) -> None:
    token = tokens(house)["access_token"]
    pairs = [(name, value.format(token=token)) for name, value in (form.items() if isinstance(form, dict) else form)]
    header = {"authorization": f"Bearer {token}"} if len(pairs) == 1 else {}
    answer = house.post("/userinfo", pairs, **header)
    assert answer.status == 400
    assert 'error="invalid_request"' in str(answer.header("www-authenticate"))
    assert answer.body == b""


def test_userinfo_is_signed_and_then_encrypted(house: House, shop: Change) -> None:
    shop(
        jwks=PUBLISHED,
        userinfo_signed_response_alg="PS256",
        userinfo_encrypted_response_alg="RSA-OAEP",
        userinfo_encrypted_response_enc="A256GCM",
    )
    answer = userinfo(house, tokens(house)["access_token"])
    assert answer.header("content-type") == "application/jwt"
    assert verified(house, opened(answer.text, "RSA-OAEP", "A256GCM"), "PS256")["sub"] == "ada-1"


def test_userinfo_may_be_encrypted_alone(house: House, shop: Change) -> None:
    shop(jwks=PUBLISHED, userinfo_encrypted_response_alg="ECDH-ES+A128KW", userinfo_encrypted_response_enc="A128GCM")
    answer = userinfo(house, tokens(house)["access_token"])
    assert "cty" not in jwe.read_header(answer.text)
    assert json.loads(opened(answer.text, "ECDH-ES+A128KW", "A128GCM"))["sub"] == "ada-1"


def test_userinfo_that_cannot_be_encrypted_is_refused(house: House, shop: Change) -> None:
    shop(jwks=(), userinfo_encrypted_response_alg="ECDH-ES")
    answer = userinfo(house, tokens(house)["access_token"])
    assert answer.status == 400
    assert 'error="invalid_request"' in str(answer.header("www-authenticate"))
    assert answer.body == b""


def test_a_refused_token_is_refused_as_ever(house: House, shop: Change) -> None:
    shop(userinfo_signed_response_alg="ES256")
    answer = userinfo(house, "no.such.token")
    assert answer.status == 401
    assert 'error="invalid_token"' in str(answer.header("www-authenticate"))


# Introspection

JWT = "application/token-introspection+jwt"


def introspected(house: House, token: str, accept: str = JWT, **client: str) -> Answer:
    return house.post("/introspect", {"token": token, **(client or ROBOT)}, accept=accept)


def test_an_introspection_is_answered_in_a_jwt_where_one_is_asked_for(house: House, shop: Change) -> None:
    shop(introspection_signed_response_alg="ES256")
    access = tokens(house)["access_token"]
    answer = introspected(house, access, **SHOP)
    assert (answer.status, answer.header("content-type")) == (200, JWT)
    assert answer.header("cache-control") == "no-store"
    assert parse(answer.text).header["typ"] == "token-introspection+jwt"
    claims = verified(house, answer.text, "ES256")
    assert set(claims) == {"iss", "aud", "iat", "token_introspection"}
    assert (claims["iss"], claims["aud"], claims["iat"]) == (ORIGIN, "shop", house.clock())
    assert claims["token_introspection"] == house.post("/introspect", {"token": access, **SHOP}).json


def test_an_introspection_is_signed_with_rs256_where_nothing_was_registered(house: House) -> None:
    answer = introspected(house, tokens(house)["access_token"])
    assert verified(house, answer.text, "RS256")["token_introspection"]["active"] is True


def test_an_introspection_is_encrypted_where_that_was_registered(house: House, shop: Change) -> None:
    shop(jwks=PUBLISHED, introspection_encrypted_response_alg="RSA-OAEP-256")
    answer = introspected(house, tokens(house)["access_token"], **SHOP)
    inside = opened(answer.text, "RSA-OAEP-256", "A128CBC-HS256")
    assert verified(house, inside, "RS256")["token_introspection"]["sub"] == "ada-1"


def test_a_dead_token_is_told_in_a_jwt_too(house: House) -> None:
    claims = verified(house, introspected(house, "no-such-token").text, "RS256")
    assert claims["token_introspection"] == {"active": False}


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", f"{JWT};q=0", f"{JWT}; q=0.000", "application/*", "application/jwt"]
)
def test_an_introspection_is_plain_json_where_no_jwt_is_asked_for(house: House, accept: str) -> None:
    assert introspected(house, tokens(house)["access_token"], accept).json["active"] is True


@pytest.mark.parametrize("accept", [f"application/json;q=0.5, {JWT};q=0.9", JWT.upper(), f"{JWT} ; q=0.1"])
def test_a_jwt_may_be_asked_for_among_others(house: House, accept: str) -> None:
    assert introspected(house, tokens(house)["access_token"], accept).header("content-type") == JWT


@pytest.mark.parametrize("form", [{}, {"client_id": "shop", "client_secret": "wrong"}, {"client_id": "app"}])
def test_who_may_not_ask_is_told_in_json(house: House, form: dict[str, str]) -> None:
    answer = house.post("/introspect", {"token": "t", **form}, accept=JWT)
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


def test_a_caller_for_one_resource_learns_nothing_of_tokens_for_others(house: House, shop: Change) -> None:
    access = tokens(house)["access_token"]
    form = {"grant_type": "client_credentials", "resource": HOTEL, **ROBOT}
    robots = house.token(form).json["access_token"]
    shop(resources=(SPA,))
    assert verified(house, introspected(house, robots, **SHOP).text, "RS256")["token_introspection"] == {
        "active": False
    }
    assert house.post("/introspect", {"token": robots, **SHOP}).json == {"active": False}
    assert house.post("/introspect", {"token": access, **SHOP}).json["active"] is True
    shop(resources=(SPA, HOTEL))
    assert house.post("/introspect", {"token": robots, **SHOP}).json["active"] is True


# The document


def test_the_document_names_what_answers_are_wrapped_in(house: House) -> None:
    document = house.get("/.well-known/openid-configuration").json
    for answer in ("id_token", "userinfo", "introspection"):
        assert document[f"{answer}_signing_alg_values_supported"] == list(SIGNING_ALGORITHMS)
        assert document[f"{answer}_encryption_alg_values_supported"] == list(jwe.ALGORITHMS)
        assert document[f"{answer}_encryption_enc_values_supported"] == list(jwe.ENCRYPTIONS)
    assert not {"none", "HS256", "RSA1_5", "dir"} & {*SIGNING_ALGORITHMS, *jwe.ALGORITHMS}
