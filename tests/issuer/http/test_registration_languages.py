"""Names and addresses that a client registers in several languages (RFC 7591 §2.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.issuer.settings import SeedClient
from tests.issuer.house import ORIGIN, SETTINGS, Answer, House, posted

REDIRECT = "https://client.example/callback"
SAID = {
    "client_name": "The nightingale",
    "client_name#fr": "Le rossignol",
    "client_name#ja-Jpan-JP": "\u5c0f\u591c\u9cf4\u9ce5",
    "tos_uri#fr": "https://client.example/fr/conditions",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    seed = SeedClient(id="seed", name="Seed", redirect_uris=[REDIRECT], metadata={"client_name#de": "Samen"})
    registration = replace(SETTINGS.registration, mode="open")
    settings = replace(SETTINGS, registration=registration, client=[*SETTINGS.client, seed])
    made = House(tmp_path_factory.mktemp("languages"), settings)
    yield made
    made.close()


def registered(house: House, **said: Any) -> Answer:
    asking = posted("/register", {}, content_type="application/json")
    return house.ask(asking._replace(chunks=(json.dumps({"redirect_uris": [REDIRECT], **said}).encode(),)))


def test_what_a_client_says_in_other_languages_is_kept_and_said_back(house: House) -> None:
    answer = registered(house, **SAID)
    assert answer.status == 201, answer.body
    assert SAID.items() <= answer.json.items()
    path = answer.json["registration_client_uri"].removeprefix(ORIGIN)
    bearer = f"Bearer {answer.json['registration_access_token']}"
    assert SAID.items() <= house.get(path, authorization=bearer).json.items()


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_name#fr": "moc.knab\u202e"},
        {"client_name#fr": "x" * 201},
        {"client_name#fr": 7},
        {"logo_uri#fr": "javascript:alert(1)"},
        {"tos_uri#fr": "http://client.example/"},
        {f"client_name#{one}{two}": "x" for one in "abcdefghijk" for two in "abcdefghij"},
    ],
    ids=["direction", "long", "number", "script", "http", "many"],
)
def test_they_are_held_to_the_same_rules(house: House, wrong: dict[str, Any]) -> None:
    answer = registered(house, **wrong)
    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    "name", ["client_name#", "client_name#!", "redirect_uris#fr", "languages", "client_name#fr#de"]
)
def test_what_is_no_language_of_such_a_member_is_ignored(house: House, name: str) -> None:
    answer = registered(house, **{name: "x"})
    assert answer.status == 201, answer.body
    assert name not in answer.json


def test_the_settings_may_say_them_too(house: House) -> None:
    seed = house.run(house.issuer.realm.client("seed"))
    assert seed is not None
    assert seed.languages == {"client_name#de": "Samen"}
