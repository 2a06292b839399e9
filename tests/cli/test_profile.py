"""``innkeeper profile`` prints what each profile asks, and nothing is left unsaid."""

from __future__ import annotations

import json

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
