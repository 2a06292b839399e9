"""``innkeeper profile`` prints what each profile asks, and nothing is left unsaid."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from innkeeper.cli import main
from innkeeper.cli.profile import RULES
from innkeeper.issuer.core.profiles import OAUTH21, PROFILES, Profile

NAMES = {"name", "summary", "specification"}


def test_every_rule_has_words_of_its_own_for_every_value_in_use() -> None:
    assert set(RULES) == set(Profile.__struct_fields__) - NAMES
    for rule, say in RULES.items():
        values = {getattr(one, rule) for one in PROFILES.values()}
        assert len({say(value) for value in values}) == len(values), rule


def test_all_are_listed_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile"]) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[: len(PROFILES)]] == list(PROFILES)


@pytest.mark.parametrize("name", PROFILES)
def test_one_is_shown_with_what_differs_from_the_default(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", name]) == 0
    marked = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  * ")]
    differing = [rule for rule in RULES if getattr(PROFILES[name], rule) != getattr(OAUTH21, rule)]
    assert len(marked) == len(differing)


def test_programs_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "fapi2-security", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)
    assert set(one) == set(Profile.__struct_fields__)
    assert one["require_pushed"] is True
    assert main(["profile", "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == list(PROFILES)


def test_an_unknown_one_is_answered_with_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "oauth2.1"]) == 2
    assert "did you mean 'oauth21'?" in capsys.readouterr().err


def test_message_signing_loosens_nothing_of_the_security_profile() -> None:
    security, signing = (msgspec.structs.asdict(PROFILES[name]) for name in ("fapi2-security", "fapi2-message-signing"))
    switches = ("require_pushed", "require_bound", "always_pkce", "issuer_audience", "secure_redirects")
    assert all(signing[name] and security[name] for name in switches)
    assert signing["auth_methods"] <= security["auth_methods"]
    assert set(signing["algorithms"]) <= set(security["algorithms"])


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INNKEEPER_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_client_is_registered_with_a_profile_and_its_keys_and_gets_no_secret(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}
    said = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key]}}
    (state / "bank.json").write_text(json.dumps(said))
    words = ["client", "add", "The bank", "--id", "bank", "--redirect-uri", "https://bank.example/back"]
    assert main([*words, "--profile", "fapi2-security", "--metadata", "bank.json"]) == 0
    assert "client_secret" not in capsys.readouterr().out
    assert main(["client", "show", "bank"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["profile"], shown["jwks"]) == ("fapi2-security", {"keys": [key]})
    assert shown["token_endpoint_auth_method"] == "private_key_jwt"
    assert main(["client", "rotate", "bank"]) == 2
    assert "no secret" in capsys.readouterr().err


def test_a_clients_profile_is_changed_and_given_back(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["client", "profile", "concierge", "fapi2-security"]) == 0
    main(["client", "show", "concierge"])
    assert json.loads(capsys.readouterr().out)["profile"] == "fapi2-security"
    assert main(["client", "profile", "concierge"]) == 0
    main(["client", "show", "concierge"])
    assert "profile" not in json.loads(capsys.readouterr().out)
    assert main(["client", "profile", "concierge", "fapi2"]) == 2
    assert "no profile 'fapi2'" in capsys.readouterr().err


def test_metadata_that_cannot_be_read_are_told(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "wrong.json").write_text("[]")
    for name in ("wrong.json", "missing.json"):
        assert main(["client", "add", "X", "--grant", "client_credentials", "--metadata", name]) == 2
        assert name in capsys.readouterr().err
