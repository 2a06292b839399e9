"""The audit log: who decided and changed what, one line each, in chains that nobody can alter unseen.

A chain is a file of JSON lines under ``audit/`` in the state folder. Each line has its number and ends in the SHA-256 of the
hash before it and of everything that stands before it in its own line: a line that was altered, put in, taken out or moved
breaks the chain there. What a chain cannot show by itself is that its newest lines are missing; so ``innkeeper audit verify``
prints each chain's head, to be kept elsewhere, and takes an older one to look for.

A chain has one writer at a time, which holds a lock on it; the next one goes on where the last one stopped. So several
workers, and commands beside them, each write a chain of their own and none is ever forked. A line is written before the
answer is sent: it outlives the process (kill -9), and the disk has it within a second. A line that a crash of the machine cut
short is set aside in a note, and the chain goes on after the last whole one.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from innkeeper.issuer.witness.line import Line
from innkeeper.protocol.refusals import UsageError

GENESIS = "0" * 64
"""What the first line of a chain follows."""

_END = b',"hash":"'
_LONGEST_TAIL = 1 << 20
_MOST_CHAINS = 1_000


class Batch:
    """Lines that the system takes together: those that came since the last ones. Nothing that one of them tells of may be
    handed out before ``keep`` has returned. ``error`` is why the system does not have them; None once it does."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.lines: list[Line] = []
        self.is_open = True
        self.error: OSError | None = OSError("the audit log was not written to the end")

    def keep(self) -> None:
        """Have the system take the lines, unless it has. Raises ``OSError`` where it did not, and there are none of them."""
        if self.is_open:
            self._chain.flush()
        if self.error is not None:
            raise self.error


class Chain:
    """One chain, open for writing. Made by ``open_chain``."""

    def __init__(self, path: Path, descriptor: int, number: int, head: str, rotate_at: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._number = number
        self._head = head
        self._rotate_at = rotate_at
        self._size = os.fstat(descriptor).st_size
        self._unsynced = False
        self._batch = Batch(self)

    def write(self, line: Line) -> None:
        """Add a line; it is the system's once this returns. Raises ``OSError``."""
        self.add(line).keep()

    def add(self, line: Line) -> Batch:
        """Add a line; it is the system's once the batch is kept."""
        if self._size >= self._rotate_at:
            self.flush()
            try:
                self._rotate(line.at)
            except OSError as error:
                lost = Batch(self)
                lost.is_open, lost.error = False, error
                return lost
        self._batch.lines.append(line)
        return self._batch

    def flush(self) -> None:
        """Have the system take the lines that came since the last time. Whether it did stands in their batch."""
        batch = self._batch
        if not batch.lines:
            return
        self._batch, batch.is_open = Batch(self), False
        try:
            self._put(batch.lines)
            batch.error = None
        except OSError as error:
            batch.error = error

    def sync(self) -> None:
        """Have the disk take what the system has. May be called in a thread of its own, as nothing else here."""
        if self._unsynced:
            self._unsynced = False
            _flush(self._descriptor)

    def close(self) -> None:
        self.flush()
        self.sync()
        os.close(self._descriptor)

    def _put(self, lines: list[Line]) -> None:
        number, head, pieces = self._number, self._head, list[bytes]()
        for line in lines:
            number += 1
            body = b'{"n":%d,' % number + _encode(line)[1:-1]
            head = _hash(head, body)
            pieces += (body, _END, head.encode("ascii"), b'"}\n')
        data = b"".join(pieces)
        written = os.write(self._descriptor, data)
        if written != len(data):
            os.ftruncate(self._descriptor, self._size)
            raise OSError("the audit log took only a part of its lines: is the disk full?")
        self._number, self._head, self._size, self._unsynced = number, head, self._size + written, True

    def _rotate(self, at: int) -> None:
        """Close this file under a number of its own and begin the next; the chain goes on over both."""
        self.sync()
        kept, draft = self.path.with_suffix(f".{self._number}.jsonl"), self.path.with_suffix(".draft")
        fresh = os.open(draft, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _lock(fresh)
            os.link(self.path, kept)
            draft.rename(self.path)  # at no moment is there no file, or one that nobody has locked
        except OSError:
            os.close(fresh)
            _unnumber(self.path)
            raise
        os.close(self._descriptor)
        self._descriptor, self._size = fresh, 0
        self._batch.lines.append(Line(at=at, what="audit", about="rotation", outcome=kept.name))


_flush = getattr(os, "fdatasync", os.fsync)
_encode = msgspec.json.Encoder().encode


def open_chain(folder: Path, name: str, now: int, rotate_at: int) -> Chain:
    """The first chain of that name that nobody else writes: ``serve-1``, ``serve-2`` and so on. Raises ``UsageError``."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1, _MOST_CHAINS):
            chain = _taken(folder / f"{name}-{number}.jsonl", now, rotate_at)
            if chain is not None:
                return chain
    except OSError as error:
        raise UsageError(f"the audit log in {folder} cannot be written: {error.strerror or error}") from None
    raise UsageError(f"the audit log in {folder} has {_MOST_CHAINS} writers already")


def _taken(path: Path, now: int, rotate_at: int) -> Chain | None:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        _lock(descriptor)
        free = path.stat().st_ino == os.fstat(descriptor).st_ino  # else it was rotated away before it was locked
    except (BlockingIOError, FileNotFoundError):
        free = False
    if not free:
        os.close(descriptor)
        return None
    _unnumber(path)
    last, torn = _last_line(descriptor)
    if torn:
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - torn)
    before = _segments(path)
    if last is None and before:
        last = _read(before[-1].read_bytes().splitlines()[-1])
    number, head = (last.number, last.hash) if last else (0, GENESIS)
    chain = Chain(path, descriptor, number, head, rotate_at)
    if last is None:
        chain.write(
            Line(at=now, what="audit", about="beginning", outcome=f"{secrets.token_hex(8)} {socket.gethostname()}")
        )
    if torn:
        chain.write(Line(at=now, what="audit", about="torn line", outcome=f"{torn} bytes set aside"))
    return chain


def _lock(descriptor: int) -> None:
    """Hold a file for this process alone, until it is closed. Raises ``BlockingIOError`` where another one does."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Read(NamedTuple):
    """A line as it stands in a chain."""

    number: int
    body: bytes
    hash: str
    document: dict[str, Any]


def _read(line: bytes) -> Read | None:
    """A line taken apart; None where it is none."""
    body, mark, end = line.rpartition(_END)
    if not mark or len(end) != 66 or not end.endswith(b'"}'):
        return None
    try:
        document = msgspec.json.decode(body + b"}")
    except msgspec.DecodeError:
        return None
    number = document.get("n") if isinstance(document, dict) else None
    return Read(number, body, end[:64].decode("latin-1"), document) if isinstance(number, int) else None


def read_line(line: bytes) -> dict[str, Any] | None:
    """What stands in a line with its hash, unverified; None where it is none."""
    read = _read(line)
    return None if read is None else {**read.document, "hash": read.hash}


def _last_line(descriptor: int) -> tuple[Read | None, int]:
    """The last whole line of a file, and how many bytes of a torn one follow it."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - _LONGEST_TAIL)
    tail = os.pread(descriptor, size - start, start)
    whole, newline, torn = tail.rpartition(b"\n")
    if not newline:
        return None, len(torn)
    return _read(whole.rpartition(b"\n")[2]), len(torn)


def _hash(before: str, body: bytes) -> str:
    return sha256(before.encode("ascii") + body).hexdigest()


def _segments(path: Path) -> list[Path]:
    """The closed files of a chain, oldest first."""
    stem = path.name.removesuffix(".jsonl")
    numbered = [
        (one.name.removeprefix(f"{stem}.").removesuffix(".jsonl"), one) for one in path.parent.glob(f"{stem}.*.jsonl")
    ]
    return [one for number, one in sorted((int(number), one) for number, one in numbered if number.isdigit())]


def _unnumber(path: Path) -> None:
    """Take back the number of a file that is still written: its rotation did not come to an end."""
    for newest in _segments(path)[-1:]:
        if newest.samefile(path):
            newest.unlink()


def chains(folder: Path) -> dict[str, list[Path]]:
    """The files of every chain in a folder, oldest first, by the chain's name."""
    names = sorted({one.name.split(".")[0] for one in folder.glob("*.jsonl")})
    found: dict[str, list[Path]] = {}
    for name in names:
        newest = folder / f"{name}.jsonl"
        found[name] = [*_segments(newest), *([newest] if newest.exists() else [])]
    return found


def lines(files: list[Path]) -> Iterator[dict[str, Any]]:
    """What stands in a chain's files, unverified, oldest first; what is no line is passed over."""
    for path in files:
        with path.open("rb") as file:
            for raw in file:
                if (line := read_line(raw.rstrip(b"\n"))) is not None:
                    yield line


class Verdict(NamedTuple):
    """What verifying a chain came to. ``problem`` is "" where it holds; ``first`` is the number that it begins with."""

    chain: str
    lines: int
    first: int
    head: str
    problem: str
    anchored: bool


def verify(name: str, files: list[Path], expected: frozenset[str] = frozenset()) -> Verdict:
    """Follow a chain from its first line that is here; ``expected`` are older heads, of which one has to be met."""
    head, first, count, anchored = "", 0, 0, False
    for path in files:
        data = path.read_bytes()
        whole, _, torn = data.rpartition(b"\n")
        for position, raw in enumerate(whole.split(b"\n") if whole else []):
            read = _read(raw)
            place = f"{path.name} line {position + 1}"
            if read is None:
                return Verdict(name, count, first, head, f"{place} is no line of an audit log", anchored)
            if count == 0:
                first, head = read.number, GENESIS if read.number == 1 else ""
            elif read.number != first + count:
                return Verdict(
                    name, count, first, head, f"{place} has number {read.number}, not {first + count}", anchored
                )
            if head and _hash(head, read.body) != read.hash:
                return Verdict(name, count, first, head, f"{place} does not follow the line before it", anchored)
            count, head = count + 1, read.hash
            anchored = anchored or head in expected
        if torn and path is not files[-1]:
            return Verdict(name, count, first, head, f"{path.name} ends in half a line", anchored)
    return Verdict(name, count, first, head, "", anchored)
