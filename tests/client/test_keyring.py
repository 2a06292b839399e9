"""Tokens in the system's keyring: kept, locked, listed and forgotten as files are, and told where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as Failing
from keyring.errors import PasswordDeleteError

from innkeeper.client import Access, KeyringCache, Token
from innkeeper.client.cache import Key
from innkeeper.protocol.refusals import UsageError

KEY = Key.of("https://issuer.example", "app", Access("a b"))
TOKEN = Token("secret-token", KEY.issuer, KEY.client_id, "a b", kind="DPoP", jkt="x")


class Remembering(KeyringBackend):
    """A keyring for as long as the test runs."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def ring() -> Iterator[Remembering]:
    before = keyring.get_keyring()
    ring = Remembering()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def test_a_token_is_kept_listed_and_forgotten(ring: Remembering, tmp_path: Path) -> None:
    cache = KeyringCache(tmp_path)
    slot, other = cache.slot(KEY), cache.slot(KEY)
    assert (slot.try_lock(), other.try_lock()) == (True, False)
    assert slot.read() is None
    slot.write(TOKEN)
    slot.release()
    assert cache.slot(KEY).read() == TOKEN
    assert cache.kept() == [KEY]
    slot.clear()
    slot.clear()
    assert (cache.slot(KEY).read(), cache.kept(), ring.kept) == (None, [], {})


def test_no_secret_lies_in_the_files(ring: Remembering, tmp_path: Path) -> None:
    slot = KeyringCache(tmp_path).slot(KEY)
    assert slot.try_lock()
    slot.write(TOKEN)
    slot.release()
    assert not any("secret-token" in path.read_text("utf-8") for path in tmp_path.iterdir())
    assert any("secret-token" in kept for kept in ring.kept.values())


def test_what_was_damaged_counts_as_none(ring: Remembering, tmp_path: Path) -> None:
    slot = KeyringCache(tmp_path).slot(KEY)
    slot.write(TOKEN)
    ring.kept = dict.fromkeys(ring.kept, "no json")
    assert slot.read() is None


def test_a_system_without_a_keyring_is_told(ring: Remembering, tmp_path: Path) -> None:
    keyring.set_keyring(Failing())
    slot = KeyringCache(tmp_path).slot(KEY)
    for use in (slot.read, lambda: slot.write(TOKEN), slot.clear):
        with pytest.raises(UsageError, match="without --keyring"):
            use()
