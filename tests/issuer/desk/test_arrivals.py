"""Exports of other issuers, in the forms they really have: who comes, with which password, and what is said of the rest."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from argon2 import PasswordHasher
from argon2.low_level import Type, hash_secret_raw

from innkeeper.issuer.core.imports import auth0, cognito, keycloak
from innkeeper.issuer.core.imports.arriving import Arrivals
from innkeeper.issuer.desk import passwords
from innkeeper.issuer.desk.arrivals import Told, settle
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.older_passwords import is_older
from innkeeper.issuer.desk.sign_in import SignedIn, sign_in
from innkeeper.protocol.refusals import Refusal, UsageError
from tests.issuer.house import House

EXPORTS = Path(__file__).parent / "exports"
PASSWORD = "a good old password"
SALT = b"sixteen bytes!!!"


def export(name: str) -> Any:
    text = (
        (EXPORTS / name)
        .read_text("utf-8")
        .replace("%BCRYPT%", bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode())
    )
    return [json.loads(line) for line in text.splitlines()] if name.endswith("ndjson") else json.loads(text)


def realm_export() -> Any:
    """Keycloak's, with the passwords of its users hashed as Keycloak hashes them."""
    document = export("keycloak.json")
    raw = hash_secret_raw(PASSWORD.encode(), SALT, 2, 64, 1, 32, Type.ID)
    secrets = {
        "argon2": raw,
        "pbkdf2-sha256": hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, 1000, 64),
        "pbkdf2-sha512": hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), SALT, 1000, 64),
    }
    for user in document["users"]:
        for credential in user.get("credentials", []):
            kind = json.loads(credential.get("credentialData", "{}")).get("algorithm")
            if kind in secrets:
                value, salt = (base64.b64encode(one).decode() for one in (secrets[kind], SALT))
                credential["secretData"] = json.dumps({"value": value, "salt": salt, "additionalParameters": {}})
    return document


def settled(house: House, arrivals: Arrivals, *, write: bool = True) -> list[Told]:
    async def all_told() -> list[Told]:
        return [one async for one in settle(house.issuer.realm, arrivals, write=write)]

    return house.run(all_told())


def signed_in(house: House, username: str, password: str = PASSWORD) -> SignedIn | Refusal:
    answer = house.run(sign_in(house.issuer.realm, Caller("192.0.2.7"), username, password))
    assert isinstance(answer, (SignedIn, Refusal))
    return answer


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    made = House(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("username", ["ada", "bob", "cora"])
def test_people_of_keycloak_sign_in_with_their_password_and_it_is_stored_anew(house: House, username: str) -> None:
    settled(house, keycloak.read(realm_export()))
    assert isinstance(signed_in(house, username, "another"), Refusal)
    assert isinstance(signed_in(house, username), SignedIn)
    person = house.run(house.issuer.realm.store.person_named(username))
    assert person is not None
    assert person.password.startswith("$argon2id$")
    assert not is_older(person.password)
    assert isinstance(signed_in(house, username), SignedIn)


def test_people_of_auth0_sign_in_by_bcrypt_and_keep_their_sub(house: House) -> None:
    settled(house, auth0.read(export("auth0-users.ndjson")))
    first = settled(house, auth0.read(export("auth0-hashes.ndjson")))
    assert [(one.sign, one.why) for one in first if one.sign == "~"] == [("~", "the password came now")]
    assert isinstance(signed_in(house, "ada@hotel.example"), SignedIn)
    person = house.run(house.issuer.realm.store.person_named("ada@hotel.example"))
    assert person is not None
    assert person.sub == "auth0|60425dc43519d90068f82973"
    assert person.password.startswith("$argon2id$")


def test_a_wrong_password_stores_nothing_anew(house: House) -> None:
    settled(house, auth0.read(export("auth0-hashes.ndjson")))
    assert isinstance(signed_in(house, "ada@hotel.example", "wrong"), Refusal)
    person = house.run(house.issuer.realm.store.person_named("ada@hotel.example"))
    assert person is not None
    assert is_older(person.password)


def test_people_of_cognito_come_without_a_password_and_cannot_sign_in_by_an_empty_one(house: House) -> None:
    told = settled(house, cognito.read(export("cognito.json")))
    assert Told("+", "person ada@hotel.example", "without a password") in told
    assert isinstance(signed_in(house, "ada@hotel.example", ""), Refusal)
    assert any("Cognito gives no hashes" in one.why for one in told)


@pytest.mark.parametrize("issuer", ["keycloak", "cognito"])
def test_the_same_export_twice_changes_nothing_more(house: House, issuer: str) -> None:
    arrivals = keycloak.read(realm_export()) if issuer == "keycloak" else cognito.read(export("cognito.json"))
    first, second = settled(house, arrivals), settled(house, arrivals)
    came = {one.what for one in first if one.sign == "+"}
    assert came
    assert {one.what for one in second if one.sign == "="} == came
    assert [one for one in second if one.sign in "+~"] == []


def test_a_plan_writes_nothing(house: House) -> None:
    planned = settled(house, keycloak.read(realm_export()), write=False)
    assert house.run(house.issuer.realm.store.person_named("ada")) is None
    assert house.run(house.issuer.realm.store.client("booking")) is None
    assert settled(house, keycloak.read(realm_export())) == planned


def test_clients_come_with_secret_grants_and_exact_redirects(house: House) -> None:
    told = settled(house, keycloak.read(realm_export()))
    booking = house.run(house.issuer.realm.store.client("booking"))
    assert booking is not None
    assert booking.redirect_uris == ("https://booking.example/callback",)
    assert booking.grants == {"authorization_code", "refresh_token", "client_credentials"}
    assert not booking.public
    assert len(booking.secrets) == 1
    behind = {one.what: one.why for one in told if one.sign == "-"}
    assert "wildcard" in behind["client 'booking': redirect URI 'https://booking.example/*'"]
    assert "client 'old-saml'" in behind
    assert "client 'booking': the implicit flow" in behind
    assert "account-console" not in str(told)


def test_clients_of_auth0_and_cognito_come_too(house: House) -> None:
    told = settled(house, auth0.read(export("auth0-clients.json")))
    told += settled(house, cognito.read(export("cognito.json")))
    spa = house.run(house.issuer.realm.store.client("Kq3VcFmSpaClientId00000000000001"))
    assert spa is not None
    assert spa.public
    agent = house.run(house.issuer.realm.store.client("2mmjvk1nrdss8264qn1igthm4k"))
    assert agent is not None
    assert agent.grants == {"client_credentials"}
    assert any("http://auth0.com/oauth/grant-type/password-realm" in one.what for one in told)


def test_what_stays_behind_is_named(house: House) -> None:
    behind = {one.what: one.why for one in settled(house, keycloak.read(realm_export())) if one.sign == "-"}
    assert "bcrypt-by-a-plugin" in behind["dan: the password"]
    assert behind["dan: a credential of type 'otp'"]
    assert behind["identity providers"]


@pytest.mark.parametrize(
    ("read", "document"),
    [(keycloak.read, {"users": []}), (keycloak.read, []), (auth0.read, [{"name": "x"}]), (auth0.read, ["x"]), (cognito.read, {"x": 1})],
)  # fmt: skip
def test_another_file_is_refused_and_told_what_was_looked_for(read: Any, document: Any) -> None:
    with pytest.raises(UsageError, match="this is no"):
        read(document)
