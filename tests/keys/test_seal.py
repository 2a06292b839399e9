"""What is sealed opens for the same master key in the same place, unchanged, and for nothing else."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.keys.seal import Seal, master_key
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import UsageError

SEAL = Seal(b"k" * 32)
SEALED = SEAL.close(b"the value", "a place")


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_again(value: bytes, purpose: str) -> None:
    sealed = SEAL.close(value, purpose)
    assert SEAL.open(sealed, purpose) == value
    assert len(value) < 4 or value not in sealed


def test_the_same_value_is_never_sealed_the_same_way_twice() -> None:
    assert len({SEAL.close(b"x", "p") for _ in range(100)}) == 100


def test_another_master_key_is_told_apart_with_the_remedy() -> None:
    with pytest.raises(UsageError, match=r"a place was sealed with another master key.*Restore the master key"):
        Seal(b"x" * 32).open(SEALED, "a place")


def test_a_sealed_value_opens_nowhere_else() -> None:
    with pytest.raises(UsageError):
        SEAL.open(SEALED, "another place")


@pytest.mark.parametrize("at", range(len(SEALED)))
def test_a_single_changed_bit_anywhere_shows(at: int) -> None:
    changed = bytes(byte ^ (1 if n == at else 0) for n, byte in enumerate(SEALED))
    with pytest.raises(UsageError):
        SEAL.open(changed, "a place")


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_a_value_cut_short_shows(length: int) -> None:
    with pytest.raises(UsageError):
        SEAL.open(SEALED[:length], "a place")


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_master_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(UsageError, match=rf"{size} bytes; it must have 32"):
        Seal(b"k" * size)


def test_the_master_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = master_key(tmp_path / "master.key", None)
    finally:
        os.umask(before)
    assert len(made) == 32
    assert stat.S_IMODE((tmp_path / "master.key").stat().st_mode) == 0o600
    assert master_key(tmp_path / "master.key", None) == made
    assert [one.name for one in tmp_path.iterdir()] == ["master.key"]


def test_each_state_has_a_master_key_of_its_own(tmp_path: Path) -> None:
    assert master_key(tmp_path / "a", None) != master_key(tmp_path / "b", None)


def test_processes_that_start_at_once_agree_on_one_master_key(tmp_path: Path) -> None:
    start = Barrier(8)

    def make(_: int) -> bytes:
        start.wait()
        return master_key(tmp_path / "master.key", None)

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(make, range(8)))) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["master.key"]


def test_a_master_key_that_could_not_be_written_whole_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        master_key(tmp_path / "master.key", None)
    assert list(tmp_path.iterdir()) == []


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    assert master_key(tmp_path / "master.key", base64url.encode_text(b"e" * 32)) == b"e" * 32
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["not base64!", "====", "é", "a"])
def test_a_master_key_that_cannot_be_read_names_its_place(tmp_path: Path, text: str) -> None:
    file = tmp_path / "master.key"
    file.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=str(file)):
        master_key(file, None)
    assert file.read_text("utf-8") == text
    with pytest.raises(UsageError, match="INNKEEPER_MASTER_KEY"):
        master_key(tmp_path / "none", text)


@pytest.mark.parametrize("place", ["missing/master.key", "."])
def test_a_place_where_no_file_can_be_is_a_usage_error(tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match="master key"):
        master_key(tmp_path / place, None)
