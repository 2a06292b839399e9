"""People's passwords: argon2id, off the event loop, a few at a time; those that came from another issuer as they were."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from innkeeper.issuer.desk import older_passwords

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


def hash_password(password: str) -> str:
    """An argon2id string with the library's parameters (RFC 9106 §4, second choice)."""
    return _hasher.hash(password)


@lru_cache(maxsize=64)
def hash_seed(password: str) -> str:
    """As ``hash_password``, for a password that stands in the settings: whoever shares it shares the hash, and a house whose people
    all have the same opens in three quarters of the time."""
    return hash_password(password)


async def hashed(password: str) -> str:
    """As ``hash_password``, beside the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, hash_password, password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one. Takes as long for nobody (None) and for an account that has none ("")."""
    loop = asyncio.get_running_loop()
    right = await loop.run_in_executor(_threads, _verify, stored, password)
    return right and bool(stored)


@cache
def _of_nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe())


def _verify(stored: str | None, password: str) -> bool:
    if stored and older_passwords.is_older(stored):
        return older_passwords.verify(stored, password)
    try:
        return _hasher.verify(stored or _of_nobody(), password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
