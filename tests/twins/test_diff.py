"""``innkeeper twin diff`` against a running house."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.inn import Inn

INNKEEPER = str(Path(sys.executable).with_name("innkeeper"))


def diff(inn: Inn, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "INNKEEPER_PORT": str(inn.port), "INNKEEPER_STATE": str(inn.folder / ".innkeeper")}
    command = [INNKEEPER, "twin", "diff", *words]
    return subprocess.run(
        command, cwd=inn.folder, env=environment, capture_output=True, text=True, timeout=90, check=False
    )


@pytest.mark.parametrize("words", [(), ("--person",)], ids=["agent", "person"])
def test_each_realm_gives_a_token_to_the_same_agent_and_person(house: Inn, words: tuple[str, ...]) -> None:
    done = diff(house, *words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    assert set(found) == {"native", "cognito", "entra"}
    assert found["native"]["iss"] == house.url
    assert found["cognito"]["token_use"] == "access"
    assert (found["entra"]["ver"], "scp" in found["entra"]) == ("2.0", bool(words))


def test_the_claims_stand_side_by_side(house: Inn) -> None:
    lines = diff(house).stdout.splitlines()
    assert lines[0].split() == ["claim", "native", "cognito", "entra"]
    assert any(line.startswith("azpacr") for line in lines)


def test_a_shut_house_is_said_in_one_sentence(tmp_path: Path) -> None:
    done = diff(Inn(1, tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "innkeeper up" in done.stderr
