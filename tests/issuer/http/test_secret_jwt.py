"""Clients that sign with their secret (client_secret_jwt), and confusions of secrets and keys that all fail."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from innkeeper.issuer.app import open_issuer
from innkeeper.issuer.desk.registry import rotate_secret
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import Answer, House
from tests.issuer.signing import (
    KEYS,
    LONG_SECRET,
    assertion_claims,
    bank,
    by_key,
    proves,
    said,
    settings_for,
    unsigned,
    with_mac,
)
from tests.keys.keyring import private_key

BY_SECRET = {"token_endpoint_auth_method": "client_secret_jwt", "jwks": {}}
MAC = bank("mac", secret=LONG_SECRET, metadata=BY_SECRET)
MAC_WITH_KEYS = bank("mac-with-keys", secret=LONG_SECRET, metadata={**BY_SECRET, "jwks": KEYS})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("mac"), settings_for("oauth21", bank(), MAC, MAC_WITH_KEYS))
    yield made
    made.close()


def asked(house: House, proof: dict[str, str]) -> Answer:
    return house.token({"grant_type": "client_credentials", "scope": "room:enter", **proof})


def by_secret(house: House, client_id: str = "mac", secret: str = LONG_SECRET, alg: str = "HS256") -> dict[str, str]:
    return proves(with_mac(assertion_claims(house, client_id), secret.encode(), alg))


def is_not_believed(answer: Answer) -> bool:
    return (answer.status, answer.json["error"]) == (401, "invalid_client")


def test_an_assertion_with_a_mac_by_the_secret_proves_the_client(house: House) -> None:
    assert asked(house, by_secret(house)).status == 200
    assert asked(house, by_secret(house, "mac-with-keys")).status == 200


def test_it_works_once(house: House) -> None:
    proof = by_secret(house)
    assert asked(house, proof).status == 200
    assert is_not_believed(asked(house, proof))


def test_another_secret_or_another_hash_does_not(house: House) -> None:
    assert is_not_believed(asked(house, by_secret(house, secret=LONG_SECRET + "!")))
    for alg in ("HS384", "HS512"):
        assert is_not_believed(asked(house, by_secret(house, alg=alg)))


def test_the_digest_of_the_secret_is_not_the_secret(house: House) -> None:
    """Whoever reads the database finds the secret's hash, and no key to sign with."""
    client = house.run(house.issuer.realm.store.client("mac"))
    assert client is not None
    (kept,) = client.secrets
    assert LONG_SECRET.encode() not in kept.sealed
    for stolen in (kept.digest, kept.digest.hex().encode(), kept.sealed):
        proof = proves(with_mac(assertion_claims(house, "mac"), stolen))
        assert is_not_believed(asked(house, proof))


def test_the_secret_is_not_taken_as_it_is(house: House) -> None:
    assert is_not_believed(asked(house, {"client_id": "mac", "client_secret": LONG_SECRET}))


@pytest.mark.parametrize("client_id", ["bank", "mac-with-keys"])
def test_a_public_key_is_never_taken_for_a_secret(house: House, client_id: str) -> None:
    """Algorithm confusion: everybody knows the public key, so a MAC by it proves nothing."""
    public = private_key("RS256").public_key()
    document = next(one for one in KEYS["keys"] if one["alg"] == "RS256")
    guesses = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(document).encode(),
        msgspec.json.encode(document),
        document["n"].encode(),
        b"",
    ]
    for guess in guesses:
        assert is_not_believed(asked(house, proves(with_mac(assertion_claims(house, client_id), guess))))


def test_a_secret_is_never_taken_for_a_key(house: House) -> None:
    for alg in ("ES256", "RS256"):
        assert is_not_believed(asked(house, by_key(house, "mac", alg)))
        assert is_not_believed(asked(house, by_key(house, "mac-with-keys", alg)))
    assert is_not_believed(asked(house, by_secret(house, "bank")))
    assert is_not_believed(asked(house, by_secret(house, "shop")))


def test_no_signature_is_no_proof(house: House) -> None:
    for client_id in ("bank", "mac"):
        assert is_not_believed(asked(house, proves(unsigned(assertion_claims(house, client_id)))))
    stripped = said(assertion_claims(house, "bank")).rpartition(".")[0] + "."
    assert is_not_believed(asked(house, proves(stripped)))


def test_only_clients_that_sign_have_their_secret_sealed(house: House) -> None:
    shop = house.run(house.issuer.realm.store.client("shop"))
    assert shop is not None
    assert [one.sealed for one in shop.secrets] == [b""]


def test_a_new_secret_signs_and_the_old_one_for_as_long_as_was_said(house: House) -> None:
    realm = house.issuer.realm
    fresh = house.run(rotate_secret(realm, "mac-with-keys", 60))
    house.run(realm.reload())
    assert asked(house, by_secret(house, "mac-with-keys", fresh)).status == 200
    assert asked(house, by_secret(house, "mac-with-keys")).status == 200
    house.clock.move(60)
    assert is_not_believed(asked(house, by_secret(house, "mac-with-keys")))
    assert asked(house, by_secret(house, "mac-with-keys", fresh)).status == 200


def test_a_secret_too_short_to_sign_with_is_refused_when_it_is_set(house: House) -> None:
    short = bank("short", secret="thirty-one bytes are one too few"[:31], metadata=BY_SECRET)
    with pytest.raises(UsageError, match="shorter than 32"):
        house.run(open_issuer(replace(house.settings, client=[short]), development=False))


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "needs a secret"),
        ({"token_endpoint_auth_method": "magic"}, "no way 'magic'"),
        ({"jwsk": {}}, "did you mean 'jwks'"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"jwks": "x"}, "jwks"),
    ],
)
def test_metadata_in_the_settings_that_cannot_be_are_refused(
    house: House, metadata: dict[str, object], message: str
) -> None:
    wrong = replace(bank("wrong"), metadata=metadata)
    with pytest.raises(UsageError, match=message):
        house.run(open_issuer(replace(house.settings, client=[wrong]), development=False))


def test_an_unknown_profile_is_refused_with_the_near_one(house: House) -> None:
    with pytest.raises(UsageError, match="did you mean 'fapi2-security'"):
        house.run(open_issuer(replace(house.settings, profile="fapi2-securty"), development=False))
    wrong = replace(bank("wrong"), profile="none-such-thing")
    with pytest.raises(UsageError, match="choose from oauth21"):
        house.run(open_issuer(replace(house.settings, client=[wrong]), development=False))


def test_the_metadata_name_the_algorithm(house: House) -> None:
    document = house.get("/.well-known/openid-configuration").json
    assert "client_secret_jwt" in document["token_endpoint_auth_methods_supported"]
    named = document["token_endpoint_auth_signing_alg_values_supported"]
    assert [one for one in named if one.startswith("HS")] == ["HS256"]
    assert "HS256" not in document["request_object_signing_alg_values_supported"]
