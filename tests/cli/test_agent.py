"""``innkeeper agent`` as an operator types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from innkeeper.cli import main

Run = Callable[..., tuple[int, str, str]]

SETTINGS = """
[[resource]]
uri = "{origin}/hotel"
name = "The hotel"
scopes = { "gym:enter" = "Use the gym", "pool:enter" = "Use the pool" }

[[person]]
sub = "grace-1"
username = "grace@hotel.example"
password = "Correct-Horse-7"
"""
KEY = {"kty": "EC", "crv": "P-256", "kid": "1", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}
KEY["y"] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
SPA = (
    *("add", "The spa's agent", "--id", "spa", "--owner", "grace@hotel.example"),
    *("--purpose", "Plans treatments", "--scope", "gym:enter pool:enter"),
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in a folder of its own: exit code, output, error output."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "innkeeper.toml").write_text(SETTINGS)

    def ran(*words: str) -> tuple[int, str, str]:
        code = main(["agent", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return ran


def test_an_agent_is_added_paused_resumed_and_revoked_for_good(run: Run) -> None:
    code, out, _ = run(*SPA)
    assert (code, out.splitlines()[0]) == (0, "client_id      spa")
    assert run("list")[1] == "spa  active   The spa's agent of grace@hotel.example: Plans treatments\n"
    assert run("pause", "spa")[2] == "spa is paused.\n"
    shown = json.loads(run("show", "spa")[1])
    assert (shown["owner"], shown["status"], shown["scope"]) == (
        "grace@hotel.example",
        "paused",
        "gym:enter pool:enter",
    )
    assert run("resume", "spa")[2] == "spa is active.\n"
    assert run("revoke", "spa")[2] == "spa is revoked, for good.\n"
    assert json.loads(run("list", "--json")[1])[0]["status"] == "revoked"
    code, _, told = run("resume", "spa")
    assert (code, "revoked, which is for good" in told) == (2, True)


def test_an_agent_with_a_key_gets_no_secret(run: Run, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [KEY]}))
    code, out, err = run(*SPA, "--jwks", "keys.json", "--json")
    assert code == 0, err
    said = json.loads(out)
    assert "client_secret" not in said
    assert said["token_endpoint_auth_method"] == "private_key_jwt"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"grace@hotel.example": "ghost"}, "nobody named 'ghost'"),
        ({"Plans treatments": " "}, "needs a purpose"),
        ({"gym:enter pool:enter": "moon:enter"}, "no scope 'moon:enter'"),
        ({"gym:enter pool:enter": ""}, "needs a --scope"),
    ],
    ids=str,
)
def test_what_makes_no_agent_is_said(run: Run, changes: dict[str, str], word: str) -> None:
    code, _, told = run(*(changes.get(one, one) for one in SPA))
    assert (code, word in told) == (2, True), told
    assert "no agent 'spa'" in run("pause", "spa")[2]
