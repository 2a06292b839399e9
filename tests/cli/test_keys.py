"""``innkeeper keys`` as an operator types it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def run(run: Run) -> Run:
    return partial(run, "keys")


def listed(run: Run, alg: str = "ES256") -> dict[str, str]:
    """What each key of an algorithm does, by its id."""
    rows = [line.split(maxsplit=2) for line in run("list").stdout.splitlines()]
    return {kid: does for kid, found, does in rows if found == alg}


def test_a_key_is_rotated_and_the_old_one_stays_for_a_while(run: Run) -> None:
    (old,) = listed(run)
    made = run("rotate")
    fresh = made.stdout.split()[0]
    does = listed(run)
    assert does.keys() == {old, fresh}
    assert does[old].startswith("published until")
    assert does[fresh].startswith("published, signs from")


def test_a_rotation_in_a_hurry_is_refused_and_told_why(run: Run) -> None:
    refused = run("rotate", "--ahead", "10")
    assert (refused.returncode, "600 seconds before it signs" in refused.stderr) == (2, True)
    assert len(listed(run)) == 1


def test_a_revoked_key_is_gone_and_another_takes_its_place(run: Run) -> None:
    (stolen,) = listed(run)
    assert run("revoke", "--yes", "--", stolen).returncode == 0
    does = listed(run)
    assert does.pop(stolen).startswith("withdrawn since")
    assert list(does.values()) == ["signs"]


def test_nobody_revokes_without_a_yes(run: Run) -> None:
    (key,) = listed(run)
    assert run("revoke", "--", key).returncode != 0
    assert listed(run)[key] == "signs"


def test_what_is_not_there_is_told(run: Run) -> None:
    (only,) = listed(run)
    assert "no other key signs ES256" in run("retire", "--", only).stderr
    assert "no keys begin with 'nobody'" in run("retire", "nobody").stderr
    assert "no realm 'nowhere' has keys here" in run("list", "--realm", "nowhere").stderr


def test_the_master_key_comes_from_where_the_settings_say(run: Run, tmp_path: Path) -> None:
    before = listed(run)
    (tmp_path / ".innkeeper" / "master.key").rename(tmp_path / "kept-elsewhere")
    (tmp_path / "innkeeper.toml").write_text('[keys]\nmaster = "command:cat kept-elsewhere"\n', "utf-8")
    assert listed(run) == before
    assert not (tmp_path / ".innkeeper" / "master.key").exists()
    (tmp_path / "innkeeper.toml").write_text('[keys]\nmaster = "file:nowhere"\n', "utf-8")
    assert "cannot read nowhere" in run("list").stderr
