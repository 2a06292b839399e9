"""Clients that prove themselves by a signature (private_key_jwt, RFC 7523), with every published way to cheat at it."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from innkeeper.issuer.core.records import Client
from innkeeper.keys import jwk
from innkeeper.keys.jws import PrivateKey, compact, encode_header
from innkeeper.protocol import base64url
from tests.issuer.house import ORIGIN, Answer, House, posted
from tests.keys.keyring import private_key

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGS = ("ES256", "ES384", "EdDSA", "PS256", "RS256")
_numbers = itertools.count()


def keys() -> tuple[dict[str, Any], ...]:
    """The public keys of the signing client, one for each algorithm."""
    return tuple(jwk.public_document(private_key(alg).public_key(), alg, alg) for alg in ALGS)


@pytest.fixture(scope="module")
def signer(house: House) -> House:
    """The house, with a client that signs."""
    made = Client(
        id="signer",
        name="The signer",
        auth_methods=frozenset({"private_key_jwt"}),
        jwks=keys(),
        grants=frozenset({"client_credentials"}),
        scopes=frozenset({"room:enter"}),
    )
    other = msgspec.structs.replace(made, id="other", jwks=())
    for client in (made, other):
        house.run(house.issuer.realm.store.put_client(client))
    return house


def signed(house: House, alg: str = "ES256", key: PrivateKey | None = None, **changes: Any) -> str:
    """The good assertion with some of its header (``header``) or claims changed; None leaves one out."""
    header = {"alg": alg, "typ": "JWT", "kid": alg, **changes.pop("header", {})}
    now = house.clock()
    claims = {"iss": "signer", "sub": "signer", "aud": ORIGIN, "exp": now + 60, "iat": now, "jti": f"j{next(_numbers)}"}
    said = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    kept = {name: value for name, value in header.items() if value is not None}
    return compact(encode_header(kept).encode(), msgspec.json.encode(said), key or private_key(alg), alg)


def asked(house: House, assertion: str, **fields: str) -> Answer:
    form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": assertion, **fields}
    return house.token(form)


def is_not_believed(answer: Answer) -> bool:
    assert (answer.status, answer.json["error"]) == (401, "invalid_client"), answer
    assert (answer.header("www-authenticate") or "").startswith("Basic ")
    assert answer.header("cache-control") == "no-store"
    return True


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("fields", [{}, {"client_id": "signer"}], ids=["named by its subject", "named twice"])
def test_a_signature_by_a_registered_key_proves_the_client(signer: House, alg: str, fields: dict[str, str]) -> None:
    assert asked(signer, signed(signer, alg), **fields).status == 200


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
def test_it_does_so_at_every_endpoint(signer: House, path: str) -> None:
    form = {"token": "x", "client_assertion_type": TYPE, "client_assertion": signed(signer)}
    assert signer.post(path, form).status == 200


def test_a_key_without_a_name_is_found_too(signer: House) -> None:
    assert asked(signer, signed(signer, header={"kid": None})).status == 200


@pytest.mark.parametrize("audience", [ORIGIN, f"{ORIGIN}/token", [ORIGIN], ["https://x.example", f"{ORIGIN}/token"]])
def test_it_may_be_addressed_to_the_issuer_or_its_token_endpoint(signer: House, audience: object) -> None:
    assert asked(signer, signed(signer, aud=audience)).status == 200


def test_an_assertion_works_once(signer: House) -> None:
    assertion = signed(signer)
    assert asked(signer, assertion).status == 200
    assert is_not_believed(asked(signer, assertion))
    assert is_not_believed(
        signer.post("/introspect", {"token": "x", "client_assertion_type": TYPE, "client_assertion": assertion})
    )


def test_of_64_that_use_one_assertion_at_once_one_is_believed(signer: House) -> None:
    form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": signed(signer)}
    answers = signer.ask_all(posted("/token", form) for _ in range(64))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 63


def test_an_assertion_that_was_used_is_remembered_until_it_expires(signer: House) -> None:
    assertion = signed(signer, exp=signer.clock() + 300)
    assert asked(signer, assertion).status == 200
    signer.clock.move(304)
    signer.run(signer.issuer.realm.store.purge(signer.clock(), 1000))
    assert is_not_believed(asked(signer, assertion))


CHEATS: dict[str, dict[str, Any]] = {
    "another key": {"key": private_key("ES256", 7)},
    "another client as issuer": {"iss": "other"},
    "another client as subject": {"sub": "other"},
    "another client altogether": {"iss": "other", "sub": "other"},
    "nobody": {"iss": None, "sub": None},
    "a stranger": {"iss": "nobody", "sub": "nobody"},
    "another issuer": {"aud": "https://other.example"},
    "an issuer that begins alike": {"aud": f"{ORIGIN}.evil.example"},
    "the userinfo endpoint": {"aud": f"{ORIGIN}/userinfo"},
    "no audience": {"aud": None},
    "an audience of nothing": {"aud": []},
    "an audience of lists": {"aud": [[ORIGIN]]},
    "no expiry": {"exp": None},
    "an expiry long past": {"exp": 1},
    "an expiry far away": {"exp": 4_000_000_000},
    "an expiry in words": {"exp": "never"},
    "a start far away": {"nbf": 4_000_000_000},
    "an issue time far away": {"iat": 4_000_000_000},
    "no jti": {"jti": None},
    "an empty jti": {"jti": ""},
    "a jti that is a number": {"jti": 7},
    "another key's name": {"header": {"kid": "RS256"}},
    "a name that is a path": {"header": {"kid": "../../../dev/null"}},
    "a name that is SQL": {"header": {"kid": "' OR '1'='1"}},
    "a name that is a number": {"header": {"kid": 7}},
    "critical extensions": {"header": {"crit": ["exp"]}},
    "another algorithm's name": {"header": {"alg": "RS256"}},
    "no algorithm": {"header": {"alg": None}},
}


@pytest.mark.parametrize("changes", CHEATS.values(), ids=CHEATS.keys())
def test_it_is_not_believed_with(signer: House, changes: dict[str, Any]) -> None:
    assert is_not_believed(asked(signer, signed(signer, **changes)))


def test_its_own_key_inside_the_header_does_not_count(signer: House) -> None:
    mine = private_key("ES256", 8)
    document = jwk.public_document(mine.public_key(), "mine", "ES256")
    for header in (
        {"jwk": document},
        {"jku": "https://evil.example/jwks", "kid": "mine"},
        {"x5u": "https://evil.example"},
    ):
        assert is_not_believed(asked(signer, signed(signer, key=mine, header=header)))


def raw(header: dict[str, Any], claims: dict[str, Any], signature: bytes) -> str:
    return f"{encode_header(header)}.{base64url.encode_text(msgspec.json.encode(claims))}.{base64url.encode_text(signature)}"


def claims_now(house: House) -> dict[str, Any]:
    now = house.clock()
    return {"iss": "signer", "sub": "signer", "aud": ORIGIN, "exp": now + 60, "jti": f"raw{next(_numbers)}"}


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", [b"", b"x"])
def test_no_signature_is_no_proof(signer: House, alg: str, signature: bytes) -> None:
    assert is_not_believed(asked(signer, raw({"alg": alg, "kid": "ES256"}, claims_now(signer), signature)))


@pytest.mark.parametrize(
    "form", [(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)]
)
def test_a_public_key_taken_for_a_shared_secret_is_no_proof(signer: House, form: tuple[Encoding, PublicFormat]) -> None:
    secret = private_key("RS256").public_key().public_bytes(*form)
    header, claims = {"alg": "HS256", "kid": "RS256"}, claims_now(signer)
    unsigned = raw(header, claims, b"").rpartition(".")[0]
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(unsigned.encode())
    assert is_not_believed(asked(signer, f"{unsigned}.{base64url.encode_text(mac.finalize())}"))


def test_a_signature_of_zeros_is_no_proof(signer: House) -> None:
    assert is_not_believed(asked(signer, raw({"alg": "ES256", "kid": "ES256"}, claims_now(signer), bytes(64))))


def test_a_name_that_stands_twice_is_not_read(signer: House) -> None:
    body = msgspec.json.encode(claims_now(signer))
    doubled = body[:-1] + b',"sub":"other"}'
    token = compact(encode_header({"alg": "ES256", "kid": "ES256"}).encode(), doubled, private_key("ES256"), "ES256")
    assert is_not_believed(asked(signer, token, client_id="signer"))


@pytest.mark.parametrize(
    "assertion",
    ["x", "..", "a.b", "a.b.c.d.e", "é.ü.ß", "e30.e30.e30", "e30=.e30=.AA==", "[" * 3000, "A" * 20_000 + ".e30.AA"],
)
def test_what_is_no_token_is_no_proof(signer: House, assertion: str) -> None:
    assert is_not_believed(asked(signer, assertion))
    assert is_not_believed(asked(signer, assertion, client_id="signer"))


def test_deep_nesting_costs_nothing(signer: House) -> None:
    body = b'{"a":' * 4000 + b"1" + b"}" * 4000
    token = compact(encode_header({"alg": "ES256"}).encode(), body, private_key("ES256"), "ES256")
    assert asked(signer, token, client_id="signer").status in (401, 413)


def test_a_client_without_keys_proves_nothing(signer: House) -> None:
    assert is_not_believed(asked(signer, signed(signer, iss="other", sub="other"), client_id="other"))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"client_assertion_type": "urn:example:other"}, "invalid_request"),
        ({"client_assertion_type": ""}, "invalid_request"),
        ({"client_secret": "x"}, "invalid_request"),
        ({"client_id": "other"}, "invalid_client"),
    ],
    ids=["another type", "no type", "a secret as well", "another client_id"],
)
def test_an_assertion_that_is_sent_wrongly_is_refused(signer: House, fields: dict[str, str], error: str) -> None:
    assert asked(signer, signed(signer), **fields).json["error"] == error


def test_an_assertion_and_a_header_are_two_proofs(signer: House) -> None:
    form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": signed(signer)}
    answer = signer.token(form, authorization="Basic c2lnbmVyOng=")
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_a_request_refused_for_two_proofs_spends_no_assertion(signer: House) -> None:
    assertion = signed(signer)
    assert asked(signer, assertion, client_secret="x").status == 400
    assert asked(signer, assertion).status == 200
