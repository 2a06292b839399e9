"""Records as every engine keeps them: MessagePack, with what changes later (ends, spending) in columns beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from innkeeper.issuer.core.records import Client, Code, Consent, Grant, Person, RefreshToken, Resource, Session
from innkeeper.issuer.store.port import HeldToken, Standing
from innkeeper.keys.stored import StoredKey

encode = msgspec.msgpack.encode

client = msgspec.msgpack.Decoder(Client).decode
resource = msgspec.msgpack.Decoder(Resource).decode
person = msgspec.msgpack.Decoder(Person).decode
consent = msgspec.msgpack.Decoder(Consent).decode
key = msgspec.msgpack.Decoder(StoredKey).decode

_session = msgspec.msgpack.Decoder(Session).decode
_code: Callable[[bytes], Code] = msgspec.msgpack.Decoder(Code).decode
_grant = msgspec.msgpack.Decoder(Grant).decode


def session(record: bytes, ended_at: int | None) -> Session:
    found = _session(record)
    return found if ended_at is None else replace(found, ended_at=ended_at)


def code(record: bytes, spent_at: int | None) -> Code:
    found = _code(record)
    return found if spent_at is None else replace(found, spent_at=spent_at)


def grant(record: bytes, revoked_at: int | None) -> Grant:
    found = _grant(record)
    return found if revoked_at is None else replace(found, revoked_at=revoked_at)


def held(token: RefreshToken, successor_spent: int | bool | None, *whose: Any) -> HeldToken:
    """``whose``: the grant's record, when it was revoked, and the person's record."""
    given, revoked_at, behind = whose
    known = None if behind is None else person(behind)
    return HeldToken(token, grant(given, revoked_at), bool(successor_spent), known)


def standing(revoked: int | bool, given: bytes | None, revoked_at: int | None, behind: bytes | None) -> Standing:
    return Standing(
        bool(revoked),
        None if given is None else grant(given, revoked_at),
        None if behind is None else person(behind),
    )
