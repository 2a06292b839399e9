"""From what Terraform made to a profile, and from a profile to a token, a verdict, an examination and a walk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from innkeeper.client.profiles import Profile, from_outputs, keep, load
from innkeeper.protocol.refusals import UsageError
from tests.inn import Inn, open_inn

INNKEEPER = str(Path(sys.executable).with_name("innkeeper"))


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    with open_inn(tmp_path_factory.mktemp("connect")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INNKEEPER_PROFILES", str(tmp_path / "profiles"))


def outputs(inn: Inn) -> dict[str, Any]:
    """What a module would give for the inn, as terraform output -json wraps it."""
    hotel = f"{inn.url}/hotel"
    plain: dict[str, Any] = {
        "issuer": inn.url,
        "token_endpoint": f"{inn.url}/token",
        "audience": [hotel],
        "audience_claim": "aud",
        "resource": hotel,
        "client_ids": {"concierge": "concierge"},
        "client_secrets": {"concierge": "concierge-secret"},
        "scopes": {"gym": "gym:enter"},
        "request_scopes": {"concierge": "gym:enter"},
    }
    return {
        name: {"value": one, "type": "string", "sensitive": name == "client_secrets"} for name, one in plain.items()
    }


def told(*words: str, standard_input: str = "", ending: int = 0) -> str:
    done = subprocess.run([INNKEEPER, *words], input=standard_input, capture_output=True, text=True, check=False)
    assert done.returncode == ending, (done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_a_profile_takes_the_place_of_every_option(inn: Inn) -> None:
    said = told("connect", "hotel", "--outputs", "-", standard_input=json.dumps(outputs(inn)))
    assert f"concierge at {inn.url}" in said
    assert "concierge-secret" not in said
    token = told("token", "--profile", "hotel").strip()
    verdict = json.loads(told("explain", "-", "--profile", "hotel", "--json", standard_input=token))
    assert verdict["verdict"]["outcome"] == "passed", verdict["verdict"]
    assert "gym:enter" in str(verdict["claims"])
    assert inn.url in told("doctor", "--profile", "hotel")


def test_what_is_said_beside_a_profile_goes_before_it(inn: Inn) -> None:
    told("connect", "hotel", "--outputs", "-", standard_input=json.dumps(outputs(inn)))
    token = told("token", "--profile", "hotel", "--scope", "pool:enter").strip()
    assert "pool:enter" in told("explain", token)
    refused = told("explain", token, "--profile", "hotel", "--audience", "https://other.example", ending=1)
    assert "Refused" in refused


def test_the_agents_walk_goes_to_the_profiles_issuer(inn: Inn) -> None:
    told("connect", "hotel", "--outputs", "-", standard_input=json.dumps(outputs(inn)))
    steps = json.loads(told("tour", "--profile", "hotel", "--json"))
    assert [(step["outcome"], step["ok"]) for step in steps] == [
        ("metadata of the same name", True),
        ("a token", True),
        ("accepted", True),
        ("refused", True),
        ("refused", True),
        ("refused", True),
    ]


def test_a_walk_with_a_wrong_secret_says_which_step_went_wrong(inn: Inn) -> None:
    document = outputs(inn)
    document["client_secrets"]["value"] = {"concierge": "wrong"}
    told("connect", "wrong", "--outputs", "-", standard_input=json.dumps(document))
    steps = json.loads(told("tour", "--profile", "wrong", "--json", ending=1))
    assert [step["ok"] for step in steps] == [True, False]
    assert steps[1]["outcome"].startswith("invalid_client: ")


@pytest.mark.parametrize(("cloud", "maker"), [("cognito", "Amazon Cognito"), ("entra", "Microsoft Entra ID")])
def test_a_twin_of_the_inn_here_gives_a_profile_of_the_same_shape(
    inn: Inn, monkeypatch: pytest.MonkeyPatch, cloud: str, maker: str
) -> None:
    monkeypatch.setenv("INNKEEPER_PORT", str(inn.port))
    monkeypatch.setenv("INNKEEPER_STATE", str(inn.folder / ".innkeeper"))
    told("connect", "pool", "--twin", cloud, "--client", "concierge")
    token = told("token", "--profile", "pool").strip()
    verdict = json.loads(told("explain", "-", "--profile", "pool", "--json", standard_input=token))
    assert verdict["verdict"]["outcome"] == "passed", verdict["verdict"]
    assert verdict["maker"] == maker
    assert all(step["ok"] for step in json.loads(told("tour", "--profile", "pool", "--json")))


def test_a_profile_is_for_its_owner_alone(inn: Inn) -> None:
    path = keep("mine", Profile(issuer=inn.url, client_id="x"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


COGNITO = {
    "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a",
    "token_endpoint": "https://hotel.auth.eu-west-1.amazoncognito.com/oauth2/token",
    "audience": ["id-a", "id-b"],
    "audience_claim": "client_id",
    "client_ids": {"agent": "id-a", "app": "id-b"},
    "client_secrets": {"agent": "s"},
    "scopes": {"read": "api/read"},
    "request_scopes": {"agent": "api/read"},
}


def test_the_one_client_with_a_secret_is_taken_and_others_by_name() -> None:
    profile = from_outputs(COGNITO)
    assert (profile.client_id, profile.scope, profile.audience_of_this_client) == ("id-a", "api/read", "id-a")
    assert profile.pkce_known
    app = from_outputs(COGNITO, "app")
    assert (app.client_id, app.client_secret, app.scope) == ("id-b", "", "openid api/read")


def test_a_module_that_was_passed_on_whole_is_found() -> None:
    secrets = {"value": COGNITO["client_secrets"], "sensitive": True}
    nested = {"login": {"value": {**COGNITO, "client_secrets": None}}, "client_secrets": secrets}
    assert from_outputs({"other": {"value": 1}, **nested}).client_id == "id-a"


@pytest.mark.parametrize(
    ("said", "client", "why"),
    [
        ({"a": {"value": 1}}, "", "have no issuer and no client_ids"),
        ({**COGNITO, "client_ids": {}}, "", "have no client_ids"),
        (COGNITO, "nobody", "--client 'nobody': the clients are agent, app"),
        ({**COGNITO, "client_secrets": {}}, "", "there are several clients: name one with --client, of agent, app"),
    ],
)
def test_outputs_that_will_not_do_are_refused_with_what_is_wrong(said: dict[str, Any], client: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        from_outputs(said, client)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("connect", "x", "--outputs", "-", "--twin", "cognito"), "give one of --outputs, --terraform and --twin"),
        (("connect", "x", "--outputs", "/nowhere.json"), "cannot read /nowhere.json"),
        (("connect", "x", "--outputs", "-"), "is not JSON"),
        (("connect", "../x", "--outputs", "-"), "a name has up to 64 letters"),
        (("connect", "x"), "nobody is here to be asked"),
        (("connect", "x", "--twin", "okta"), "--twin 'okta': the settings have cognito, entra"),
        (("token", "--profile", "nowhere"), "there is no profile 'nowhere'. innkeeper connect makes one."),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(words: tuple[str, ...], why: str) -> None:
    standard_input = json.dumps(COGNITO) if "../x" in words else ""
    said = told(*words, standard_input=standard_input, ending=2)
    assert why in said
    assert said.count("\n") == 1


def test_a_near_name_is_suggested_and_a_spoilt_profile_is_named(tmp_path: Path) -> None:
    path = keep("hotel", from_outputs(COGNITO))
    with pytest.raises(UsageError, match="Did you mean 'hotel'"):
        load("hotle")
    path.write_text('{"issuer": 1}', "utf-8")
    with pytest.raises(UsageError, match=r"cannot read the profile .*innkeeper connect writes it anew"):
        load("hotel")
    assert os.environ["INNKEEPER_PROFILES"] == str(tmp_path / "profiles")
