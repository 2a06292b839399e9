"""Where tokens are kept between uses: in memory, or in files that only their owner may read.

A cache hands out slots, one for each issuer, client, resource and scope. A slot is locked while its token
is renewed, so that of many threads, coroutines and processes one asks the issuer and the rest take its result.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Protocol

import msgspec

from innkeeper.client.token import Access, Token
from innkeeper.protocol.refusals import UsageError


class Key(msgspec.Struct, frozen=True):
    """What a kept token is for; another issuer's, client's or API's token is never mistaken for it."""

    issuer: str
    client_id: str
    resource: str | None
    scope: str

    @classmethod
    def of(cls, issuer: str, client_id: str, access: Access) -> Key:
        """The key; the order of scope names does not matter."""
        return cls(issuer, client_id, access.resource, " ".join(sorted(access.scopes)))


class Slot(Protocol):
    """The place of one token. ``read``, ``write`` and ``clear`` are for whoever got True from ``try_lock``."""

    def try_lock(self) -> bool:
        """Take the slot if it is free, without waiting."""

    def release(self) -> None:
        """Let the slot go; harmless where it is not held."""

    def read(self) -> Token | None:
        """The token kept, or None."""

    def write(self, token: Token) -> None:
        """Keep ``token`` in place of the one before."""

    def clear(self) -> None:
        """Keep nothing."""


class Cache(Protocol):
    """A keeper of tokens."""

    def slot(self, key: Key) -> Slot:
        """The slot of ``key``, not locked; each caller gets one of its own."""


class MemoryCache:
    """Keeps tokens for as long as the program runs; safe across threads."""

    def __init__(self) -> None:
        self._places: dict[Key, _Place] = {}

    def slot(self, key: Key) -> Slot:
        return _MemorySlot(self._places.setdefault(key, _Place()))


class _Place:
    def __init__(self) -> None:
        self.lock = Lock()
        self.token: Token | None = None


class _MemorySlot:
    def __init__(self, place: _Place) -> None:
        self._place = place
        self._held = False

    def try_lock(self) -> bool:
        self._held = self._place.lock.acquire(blocking=False)
        return self._held

    def release(self) -> None:
        if self._held:
            self._held = False
            self._place.lock.release()

    def read(self) -> Token | None:
        return self._place.token

    def write(self, token: Token) -> None:
        self._place.token = token

    def clear(self) -> None:
        self._place.token = None


class FileCache:
    """Keeps tokens in ``folder``, one file (mode 0600) and one lock file each; safe across processes.

    The default folder is ``INNKEEPER_TOKENS``, else ``innkeeper/tokens`` in the user's state folder. Raises
    ``UsageError`` where it cannot be written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def slot(self, key: Key) -> Slot:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(self.folder, error) from None
        return _FileSlot(self.folder / sha256(msgspec.json.encode(key)).hexdigest()[:32], key)

    def kept(self) -> list[Key]:
        """What tokens are kept for; damaged files are passed over."""
        found = (_read(path) for path in sorted(self.folder.glob("*.json")))
        return [one.key for one in found if one]


def default_folder() -> Path:
    """Where tokens are kept unless told otherwise."""
    if named := os.environ.get("INNKEEPER_TOKENS"):
        return Path(named)
    state = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "innkeeper" / "tokens"


class _Kept(msgspec.Struct, frozen=True):
    key: Key
    token: Token


def _read(path: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, ValueError):
        return None


class _FileSlot:
    def __init__(self, path: Path, key: Key) -> None:
        self._path, self._key = path.with_suffix(".json"), key
        self._lock_path = path.with_suffix(".lock")
        self._lock: int | None = None

    def try_lock(self) -> bool:
        try:
            handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(self._lock_path, error) from None
        if _lock(handle):
            self._lock = handle
            return True
        os.close(handle)
        return False

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)  # the system lets go of the lock with it
            self._lock = None

    def read(self) -> Token | None:
        """A file that is missing, damaged or for another key counts as none: the token can be had anew."""
        kept = _read(self._path)
        return kept.token if kept and kept.key == self._key else None

    def write(self, token: Token) -> None:
        """Whole or not at all: written beside, flushed to disk, moved into place."""
        beside = self._path.with_suffix(f".{os.getpid()}.tmp")
        try:
            beside.unlink(missing_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(_Kept(self._key, token)))
                file.flush()
                os.fsync(handle)
            beside.replace(self._path)
        except OSError as error:
            raise _unusable(self._path, error) from None

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)


def _unusable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"tokens cannot be kept in {path}: {error.strerror}; name another folder with INNKEEPER_TOKENS")


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
