"""The device grant at work: hand out the two codes, find the one a person types, take the answer."""

from __future__ import annotations

import secrets

import msgspec

from innkeeper.issuer.core.effects import DropEntry, Lost, PutEntry
from innkeeper.issuer.core.entra.grants.device_code import (
    ALLOWED,
    ALPHABET,
    DENIED,
    LENGTH,
    LIFETIME,
    PENDING,
    Waiting,
    canonical,
)
from innkeeper.issuer.core.records import Grant
from innkeeper.issuer.core.throttling import USER_CODE as USER_CODE_TRIES
from innkeeper.issuer.core.throttling import Lane
from innkeeper.issuer.desk.entra.cloud import Cloud, Desk
from innkeeper.issuer.desk.realm import digest, random_value
from innkeeper.issuer.desk.throttle import give_back, take

DEVICE, USER_CODE = "entra device", "entra user code"

_decode = msgspec.msgpack.Decoder(Waiting).decode


class Codes(msgspec.Struct, frozen=True):
    """What a device is given."""

    device_code: str
    user_code: str


async def begin(desk: Desk, client_id: str, scope: str, authority: str, version: int) -> Codes:
    """Remember a device's request under two codes that nobody else has."""
    while True:
        device, typed = random_value(), "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        until = desk.realm.now() + LIFETIME
        waiting = Waiting(
            client_id=client_id, scope=scope, authority=authority, user_code=typed, expires_at=until, version=version
        )
        key = digest(device).hex()
        try:
            await desk.realm.store.commit(
                (
                    PutEntry(DEVICE, key, msgspec.msgpack.encode(waiting), until),
                    PutEntry(USER_CODE, typed, key.encode("ascii"), until),
                )
            )
        except Lost:
            continue
        return Codes(device, typed)


async def find_waiting(desk: Desk, device: str) -> tuple[Waiting, str, int] | None:
    """The request behind a device code, its key and its version."""
    entry = await desk.realm.store.entry(DEVICE, digest(device).hex())
    return (_decode(entry.record), entry.key, entry.version) if entry else None


async def typed_code(cloud: Cloud, typed: str, sub: str, by: Desk) -> tuple[Desk, Waiting] | None:
    """The live request behind a code that a person typed, whichever tenant's device it is. Tries are counted."""
    lanes = (Lane(USER_CODE_TRIES, (sub,)),)
    if await take(by.realm, lanes):
        return None
    for desk in cloud:
        name = await desk.realm.store.entry(USER_CODE, canonical(typed))
        entry = await desk.realm.store.entry(DEVICE, name.record.decode("ascii")) if name else None
        waiting = _decode(entry.record) if entry else None
        if waiting is not None and waiting.expires_at > desk.realm.now() and waiting.state == PENDING:
            await give_back(by.realm, lanes)
            return desk, waiting
    return None


async def answer(desk: Desk, waiting: Waiting, tenant: str, grant: Grant | None) -> bool:
    """Take a person's yes (a grant) or no (None). False where the request is gone or was answered already."""
    name = await desk.realm.store.entry(USER_CODE, waiting.user_code)
    entry = await desk.realm.store.entry(DEVICE, name.record.decode("ascii")) if name else None
    if name is None or entry is None:
        return False
    state = ALLOWED if grant else DENIED
    changed = msgspec.structs.replace(_decode(entry.record), state=state, tenant=tenant, grant=grant)
    try:
        await desk.realm.store.commit(
            (
                PutEntry(DEVICE, entry.key, msgspec.msgpack.encode(changed), entry.expires_at, entry.version),
                DropEntry(USER_CODE, waiting.user_code, name.version),
            )
        )
    except Lost:
        return False
    return True
