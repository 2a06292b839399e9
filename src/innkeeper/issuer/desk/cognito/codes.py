"""Codes that are sent and come back: to confirm a sign-up, to set a password anew, to verify an address."""

from __future__ import annotations

import secrets
from hmac import compare_digest

import msgspec

from innkeeper.issuer.core.cognito import accounts as core
from innkeeper.issuer.core.cognito import formats
from innkeeper.issuer.core.cognito.accounts import SentCode
from innkeeper.issuer.core.cognito.records import User
from innkeeper.issuer.core.effects import Effect, Lost
from innkeeper.issuer.desk.cognito.declined import Declined, demand
from innkeeper.issuer.desk.cognito.shelf import Shelf
from innkeeper.issuer.desk.cognito.twin import OpenPool
from innkeeper.issuer.desk.realm import digest

CODES = Shelf("code", SentCode)

SIGN_UP, FORGOTTEN = "sign up", "forgotten"
LIFETIMES = {SIGN_UP: 86400, FORGOTTEN: 3600}
"""Seconds that a code is good for; one to verify an address lives as long as one of a sign-up."""


def new_code() -> str:
    return formats.confirmation_code(secrets.token_bytes(8))


async def remember(pool: OpenPool, user: User, purpose: str, code: str) -> Effect:
    """The effect that makes a code good, and any before it no more."""
    key, ends = _key(user, purpose), pool.now() + LIFETIMES.get(purpose, 86400)
    before = await CODES.find(pool.store, key)
    return CODES.put(key, SentCode(_digest(user, code), ends), before.version if before else 0, expires_at=ends)


async def demand_code(pool: OpenPool, user: User | None, purpose: str, code: str) -> list[Effect]:
    """The effects that use a right code up. A wrong one is counted. Raises ``Declined``."""
    while True:
        kept = await CODES.find(pool.store, _key(user, purpose)) if user else None
        right = bool(user and kept and compare_digest(kept.record.digest, _digest(user, code)))
        try:
            demand("code", core.CODE_CHECKS, core.CodeCase(kept.record if kept else None, right, pool.now()))
        except Declined:
            if kept is not None and not right:
                counted = msgspec.structs.replace(kept.record, wrong=kept.record.wrong + 1)
                try:
                    await pool.store.commit((CODES.put(kept.key, counted, kept.version, kept.expires_at),))
                except Lost:
                    continue
            raise
        return [CODES.drop(kept)] if kept else []


def verifying(attribute: str) -> str:
    """The purpose of a code that verifies an address."""
    return f"verify {attribute}"


def _key(user: User, purpose: str) -> str:
    return f"{user.sub}|{purpose}"


def _digest(user: User, code: str) -> bytes:
    return digest(f"{user.sub}\0{code}")
