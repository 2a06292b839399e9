"""Sealing what must not lie open in a database: private keys and realm secrets (AES-256-GCM, NIST SP 800-38D)."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import UsageError

_VERSION = b"\x01"
_NONCE = 12


class Seal:
    """A master key that seals and opens. ``purpose`` binds a sealed value to its place: it opens nowhere else."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != 32:
            raise UsageError(
                f"the master key has {len(master_key)} bytes; it must have 32. Restore it from its backup."
            )
        self._aead = AESGCM(master_key)

    def close(self, value: bytes, purpose: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + nonce + self._aead.encrypt(nonce, value, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """The value. Raises ``UsageError`` where another master key sealed it or it was changed."""
        try:
            value = self._aead.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], purpose.encode())
        except (InvalidTag, ValueError):
            value = None
        if value is None or sealed[:1] != _VERSION:
            raise UsageError(
                f"{purpose} was sealed with another master key than the one at hand. "
                "Restore the master key that belongs to this database."
            )
        return value


def master_key(path: Path, environment: str | None) -> bytes:
    """The master key: 32 bytes, base64url in ``environment``, else in the file at ``path``, made on first use (0600).

    Raises ``UsageError`` where it cannot be read, written or decoded.
    """
    if environment:
        return _decode(environment, "INNKEEPER_MASTER_KEY")
    try:
        return _decode(path.read_text("ascii").strip(), str(path))
    except FileNotFoundError:
        return _make(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the master key {path}: {error}") from None


def _make(path: Path) -> bytes:
    """A new key, on the disk and whole before its name is there; of several that make one at once, one's stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(base64url.encode_text(secrets.token_bytes(32)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        _remember_names(path.parent)
    except OSError as error:
        raise UsageError(f"cannot write the master key {path}: {error.strerror}. Choose another STATE.") from None
    finally:
        draft.unlink(missing_ok=True)
    return _decode(path.read_text("ascii").strip(), str(path))


def _remember_names(folder: Path) -> None:
    """Put a folder's list of names on the disk, where the system can (Windows cannot)."""
    with suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _decode(text: str, where: str) -> bytes:
    try:
        return base64url.decode(text)
    except base64url.NotBase64Url:
        raise UsageError(f"{where} is not base64url of 32 bytes. Restore the master key from its backup.") from None
