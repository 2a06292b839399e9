"""Tokens in the operating system's own keeper of secrets: Keychain, Secret Service, Credential Locker."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import keyring
import msgspec
from keyring.errors import KeyringError, PasswordDeleteError

from innkeeper.client.cache import FileCache, Key, Slot
from innkeeper.client.token import Token
from innkeeper.protocol.refusals import UsageError

SERVICE = "innkeeper"


class KeyringCache:
    """Keeps tokens in the system's keyring; locks are files, as with ``FileCache``, so that processes renew only once.

    Raises ``UsageError`` where the system has no keyring that can be used, as on servers without a session.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._locks = FileCache(folder)

    def slot(self, key: Key) -> Slot:
        encoded = msgspec.json.encode(key)
        beside = self._locks.folder / f"{sha256(encoded).hexdigest()[:32]}.keyring"
        return _KeyringSlot(self._locks.slot(key), encoded.decode(), beside)

    def kept(self) -> list[Key]:
        """What tokens are kept for: keyrings list nothing, so a note without any secret lies beside each lock."""
        return [
            msgspec.json.decode(path.read_bytes(), type=Key) for path in sorted(self._locks.folder.glob("*.keyring"))
        ]


class _KeyringSlot:
    def __init__(self, lock: Slot, name: str, beside: Path) -> None:
        self._lock, self._name, self._note = lock, name, beside

    def try_lock(self) -> bool:
        return self._lock.try_lock()

    def release(self) -> None:
        self._lock.release()

    def read(self) -> Token | None:
        try:
            kept = keyring.get_password(SERVICE, self._name)
            return msgspec.json.decode(kept, type=Token) if kept else None
        except msgspec.MsgspecError:
            return None
        except KeyringError as error:
            raise _unusable(error) from None

    def write(self, token: Token) -> None:
        try:
            keyring.set_password(SERVICE, self._name, msgspec.json.encode(token).decode())
            self._note.write_text(self._name, "utf-8")
        except KeyringError as error:
            raise _unusable(error) from None

    def clear(self) -> None:
        self._note.unlink(missing_ok=True)
        try:
            keyring.delete_password(SERVICE, self._name)
        except PasswordDeleteError:
            return
        except KeyringError as error:
            raise _unusable(error) from None


def _unusable(error: KeyringError) -> UsageError:
    return UsageError(f"no keyring can be used here ({error}); keep tokens in files: FileCache, or without --keyring")
