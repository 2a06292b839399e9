"""Chains of the audit log: what is altered is seen, what dies goes on, and nobody forks one."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from innkeeper.issuer.witness.audit import GENESIS, Chain, Verdict, chains, lines, open_chain, verify
from innkeeper.issuer.witness.line import Line
from innkeeper.protocol.refusals import UsageError
from tests.issuer.witness.disk import full_disk

BIG = 1 << 30


def opened(folder: Path, rotate_at: int = BIG) -> Chain:
    return open_chain(folder, "serve", 1_800_000_000, rotate_at)


def line(number: int, **more: object) -> Line:
    return Line(
        at=1_800_000_000 + number, what="/token", about="token", outcome="passed", client=f"client {number}", **more
    )  # type: ignore[arg-type]


def written(folder: Path, count: int, rotate_at: int = BIG) -> None:
    chain = opened(folder, rotate_at)
    for number in range(count):
        chain.write(line(number))
    chain.close()


def judged(folder: Path, *heads: str) -> list[Verdict]:
    return [verify(name, files, frozenset(heads)) for name, files in chains(folder).items()]


def test_a_chain_that_nobody_touched_holds(tmp_path: Path) -> None:
    written(tmp_path, 5)
    (verdict,) = judged(tmp_path)
    assert (verdict.problem, verdict.lines, verdict.first, len(verdict.head)) == ("", 6, 1, len(GENESIS))


def test_the_next_writer_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    for _ in range(3):
        written(tmp_path, 2)
    (verdict,) = judged(tmp_path)
    assert (verdict.problem, verdict.lines) == ("", 7)
    assert [one["n"] for one in lines(chains(tmp_path)["serve-1"])] == list(range(1, 8))


def test_two_writers_at_once_have_a_chain_each(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.write(line(1))
    second.write(line(2))
    assert first.path != second.path
    first.close()
    third = opened(tmp_path)
    assert third.path == first.path
    assert [one.problem for one in judged(tmp_path)] == ["", ""]


@settings(max_examples=80, deadline=None)
@given(data=some.data())
def test_whatever_is_altered_in_the_middle_is_seen(
    tmp_path_factory: pytest.TempPathFactory, data: some.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("audit")
    written(folder, 6)
    path = folder / "serve-1.jsonl"
    rows = path.read_bytes().splitlines(keepends=True)
    number = data.draw(some.integers(0, len(rows) - 2))
    match data.draw(some.sampled_from(["byte", "gone", "twice", "swapped"])):
        case "byte":
            at = data.draw(some.integers(0, len(rows[number]) - 2))
            new = data.draw(some.integers(32, 126).filter(lambda one: one != rows[number][at]))
            rows[number] = rows[number][:at] + bytes([new]) + rows[number][at + 1 :]
        case "gone" if number > 0:
            del rows[number]
        case "twice":
            rows.insert(number, rows[number])
        case _:
            rows[number], rows[number + 1] = rows[number + 1], rows[number]
    path.write_bytes(b"".join(rows))
    (verdict,) = judged(folder)
    assert verdict.problem


def test_newest_lines_that_are_gone_are_seen_by_a_head_that_was_kept(tmp_path: Path) -> None:
    written(tmp_path, 4)
    path, (before,) = tmp_path / "serve-1.jsonl", judged(tmp_path)
    written(tmp_path, 2)
    assert judged(tmp_path, before.head)[0].anchored
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    (verdict,) = judged(tmp_path, before.head)
    assert (verdict.problem, verdict.anchored) == ("", False)


def test_a_chain_goes_on_over_its_files(tmp_path: Path) -> None:
    written(tmp_path, 40, rotate_at=2_000)
    written(tmp_path, 5, rotate_at=2_000)
    files = chains(tmp_path)["serve-1"]
    assert len(files) > 3
    assert all(one.stat().st_size < 3_000 for one in files)
    (verdict,) = judged(tmp_path)
    assert verdict.problem == ""
    clients = [one["client"] for one in lines(files) if "client" in one]
    assert clients == [f"client {number}" for number in [*range(40), *range(5)]]


def test_where_old_files_were_taken_away_the_rest_still_holds(tmp_path: Path) -> None:
    written(tmp_path, 40, rotate_at=2_000)
    chains(tmp_path)["serve-1"][0].unlink()
    (verdict,) = judged(tmp_path)
    assert verdict.problem == ""
    assert verdict.first > 1
    chains(tmp_path)["serve-1"][1].unlink()
    (verdict,) = judged(tmp_path)
    assert "has number" in verdict.problem


def test_a_torn_line_is_set_aside_and_the_chain_goes_on(tmp_path: Path) -> None:
    written(tmp_path, 3)
    path = tmp_path / "serve-1.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    written(tmp_path, 1)
    (verdict,) = judged(tmp_path)
    assert verdict.problem == ""
    assert [one["about"] for one in lines([path])] == ["beginning", "token", "token", "torn line", "token"]


KILLED = """
import os, signal, sys
from pathlib import Path
from innkeeper.issuer.witness.audit import open_chain
from innkeeper.issuer.witness.line import Line

chain = open_chain(Path(sys.argv[1]), "serve", 1, int(sys.argv[2]))
for number in range(10**6):
    chain.write(Line(at=number, client=str(number)))
    os.write(1, b"%d\\n" % number)
"""


def test_lines_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    """Fifteen writers are killed in the middle of their work, through rotations: every line that was told of is there."""
    for turn in range(15):
        with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), "20000"], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            told = [writer.stdout.readline() for _ in range(50 + 37 * turn)]
            writer.kill()
            rest = writer.stdout.read().splitlines()
        acknowledged = int((rest[-1:] or [told[-1]])[0])
        (verdict,) = judged(tmp_path)
        assert verdict.problem == ""
        newest = [one["client"] for one in lines(chains(tmp_path)["serve-1"]) if "client" in one]
        assert str(acknowledged) in newest[-3:]


def test_a_full_disk_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    chain = opened(tmp_path)
    chain.write(line(1))
    with full_disk(chain), pytest.raises(OSError, match="No space"):
        chain.write(line(2))
    chain.write(line(3))
    (verdict,) = judged(tmp_path)
    assert (verdict.problem, verdict.lines) == ("", 3)


def test_lines_that_came_together_are_written_together_and_stand_before_any_of_them_is_kept(tmp_path: Path) -> None:
    chain, path = opened(tmp_path), tmp_path / "serve-1.jsonl"
    before = path.read_bytes()
    batches = [chain.add(line(number)) for number in range(5)]
    assert path.read_bytes() == before
    batches[3].keep()
    assert [one.get("client") for one in lines([path])][1:] == [f"client {number}" for number in range(5)]
    for one in batches:
        one.keep()
    chain.close()
    (verdict,) = judged(tmp_path)
    assert (verdict.problem, verdict.lines) == ("", 6)


def test_one_that_has_to_be_written_now_takes_those_before_it_along(tmp_path: Path) -> None:
    chain = opened(tmp_path)
    waiting = chain.add(line(1))
    chain.write(line(2))
    assert [one.get("client") for one in lines([chain.path])][1:] == ["client 1", "client 2"]
    waiting.keep()
    chain.add(line(3))
    chain.close()
    assert [one.get("client") for one in lines([chain.path])][3:] == ["client 3"]


def test_the_disk_takes_lines_in_a_thread_while_others_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, over, write = opened(tmp_path), threading.Event(), os.write

    def slowly(descriptor: int, data: bytes) -> int:
        time.sleep(0.0001)  # which lets other threads go on, as a busy disk does
        return write(descriptor, data)

    def syncing() -> None:
        while not over.is_set():
            chain.sync()

    monkeypatch.setattr(os, "write", slowly)
    thread = threading.Thread(target=syncing)
    thread.start()
    try:
        for number in range(200):
            batches = [chain.add(line(number)) for _ in range(3)]
            time.sleep(0.0001)
            for one in batches:
                one.keep()
    finally:
        over.set()
        thread.join()
    (verdict,) = judged(tmp_path)
    assert (verdict.problem, verdict.lines) == ("", 601)


def test_where_the_disk_is_full_every_one_of_a_batch_is_told_and_the_chain_goes_on(tmp_path: Path) -> None:
    chain = opened(tmp_path)
    with full_disk(chain):
        batches = [chain.add(line(number)) for number in range(3)]
        for one in (*batches, *batches):
            with pytest.raises(OSError, match="No space"):
                one.keep()
    later = chain.add(line(7))
    later.keep()
    with pytest.raises(OSError, match="No space"):
        batches[0].keep()
    (verdict,) = judged(tmp_path)
    assert (verdict.problem, verdict.lines) == ("", 2)


def test_a_batch_of_which_only_a_part_fits_leaves_none_of_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, write = opened(tmp_path), os.write
    before = chain.path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda to, data: write(to, data[: len(data) // 2]))
        batches = [chain.add(line(number)) for number in range(4)]
        for one in batches:
            with pytest.raises(OSError, match="only a part"):
                one.keep()
    assert chain.path.read_bytes() == before
    chain.write(line(5))
    (verdict,) = judged(tmp_path)
    assert (verdict.problem, verdict.lines) == ("", 2)


@pytest.mark.parametrize("size", [1, 3, 32])
def test_a_chain_holds_over_rotations_however_many_lines_come_together(tmp_path: Path, size: int) -> None:
    chain = opened(tmp_path, 1_000)
    for first in range(0, 96, size):
        batches = [chain.add(line(number)) for number in range(first, first + size)]
        batches[-1].keep()
    chain.close()
    (verdict,) = judged(tmp_path)
    assert verdict.problem == ""
    told = [one["client"] for one in lines(chains(tmp_path)["serve-1"]) if "client" in one]
    assert told == [f"client {number}" for number in range(96)]
    assert len(chains(tmp_path)["serve-1"]) > 2


def test_a_rotation_that_fails_is_told_and_the_next_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = opened(tmp_path, 300)
    chain.write(line(1))
    for step in ("link", "rename"):
        with monkeypatch.context() as patch:
            patch.setattr(os if step == "link" else Path, step, full)
            for _ in range(2):
                with pytest.raises(OSError, match="No space"):
                    chain.add(line(2)).keep()
            assert len(chains(tmp_path)["serve-1"]) == 1
    chain.write(line(3))
    chain.close()
    (verdict,) = judged(tmp_path)
    assert verdict.problem == ""
    assert [one["about"] for one in lines(chains(tmp_path)["serve-1"])] == ["beginning", "token", "rotation", "token"]


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_writer_that_died_while_it_rotated_leaves_no_line_twice(tmp_path: Path) -> None:
    written(tmp_path, 3)
    path = tmp_path / "serve-1.jsonl"
    os.link(path, tmp_path / "serve-1.4.jsonl")
    (tmp_path / "serve-1.draft").touch()
    written(tmp_path, 2)
    (verdict,) = judged(tmp_path)
    assert (verdict.problem, verdict.lines) == ("", 6)
    assert chains(tmp_path)["serve-1"] == [path]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("no folder")
    with pytest.raises(UsageError, match="cannot be written"):
        opened(tmp_path / "audit")
