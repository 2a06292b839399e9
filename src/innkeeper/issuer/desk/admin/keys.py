"""Changes to signing keys, planned. A key is named by its realm and its id: ``native/KID``."""

from __future__ import annotations

import asyncio

import msgspec

from innkeeper.issuer.core.admin.plan import Plan, Sentence
from innkeeper.issuer.core.effects import KEY, Effect, PutKey, Unchanged
from innkeeper.issuer.desk.admin.house import House, Missing
from innkeeper.issuer.desk.admin.showing import key_document
from innkeeper.issuer.desk.key_care import (
    AHEAD,
    Cupboard,
    judge_ahead,
    known_key,
    retirement,
    revocation,
    rotation,
)
from innkeeper.keys.stored import StoredKey
from innkeeper.protocol.refusals import UsageError

_encode = msgspec.msgpack.encode


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """``ahead``: seconds that it is published before it signs; ``purpose``: what alone it signs, in a twin with several."""

    alg: str = "ES256"
    ahead: int = AHEAD
    purpose: str = ""


async def rotate(house: House, key: str, said: NewKey) -> Plan:
    """A new key; ``key`` names the realm alone."""
    judge_ahead(said.ahead)
    cupboard, stored = await _opened(house, key)
    fresh, changed = await asyncio.to_thread(rotation, cupboard, stored, said.alg, said.ahead, said.purpose)
    effects: list[Effect] = []
    for old in changed:
        effects += [await _still(cupboard, old.kid), _put(old)]
    stays = Sentence("The old key signs until then and stays published as long as a token of its is good.")
    return Plan(
        action="key.rotate",
        what="key",
        key=f"{key}/{fresh.kid}",
        realm=key,
        name=fresh.kid,
        before={one.kid: key_document(_by(stored, one.kid), cupboard.now) for one in changed},
        after={one.kid: key_document(one, cupboard.now) for one in (*changed, fresh)},
        effects=(*effects, _put(fresh)),
        told={"kid": fresh.kid},
        follows=(stays,) if changed else (),
    )


async def retire(house: House, key: str, _: object) -> Plan:
    cupboard, stored, kid = await _named(house, key)
    before, after = retirement(cupboard, stored, kid)
    follows = (Sentence("It signs no more, and stays published until the last token that it signed has expired."),)
    return await _plan("key.retire", house, cupboard, (before, after), follows=follows)


async def revoke(house: House, key: str, _: object) -> Plan:
    cupboard, stored, kid = await _named(house, key)
    before, after, fresh = await asyncio.to_thread(revocation, cupboard, stored, kid)
    follows = (
        Sentence(
            "Every token that it signed stops working now, on every node. Who remembers the key set believes them until then."
        ),
        *((Sentence("A new key, {key}…, takes its place at once.", {"key": fresh.kid[:12]}),) if fresh else ()),
    )
    return await _plan("key.revoke", house, cupboard, (before, after), fresh, follows)


async def _plan(
    action: str,
    house: House,
    cupboard: Cupboard,
    change: tuple[StoredKey, StoredKey],
    fresh: StoredKey | None = None,
    follows: tuple[Sentence, ...] = (),
) -> Plan:
    before, after = change
    still = await _still(cupboard, before.kid)
    return Plan(
        action=action,
        what="key",
        key=before.kid,
        name=before.kid,
        realm=cupboard.name,
        before=key_document(before, cupboard.now),
        after=key_document(after, cupboard.now),
        effects=(still, *((_put(fresh),) if fresh else ()), _put(after)),
        version=house.version_of(still.record),
        told={"kid": fresh.kid} if fresh else {},
        follows=follows,
    )


async def _opened(house: House, realm: str) -> tuple[Cupboard, list[StoredKey]]:
    cupboard = house.cupboard(realm)
    return cupboard, list(await cupboard.memory.keys())


async def _named(house: House, key: str) -> tuple[Cupboard, list[StoredKey], str]:
    realm, _, kid = key.partition("/")
    cupboard, stored = await _opened(house, realm)
    try:
        return cupboard, stored, known_key(stored, kid, cupboard.now).kid
    except UsageError as error:
        if "withdrawn" in str(error):
            raise
        raise Missing(str(error)) from None


async def _still(cupboard: Cupboard, kid: str) -> Unchanged:
    record = await cupboard.memory.record(KEY, kid)
    if record is None:
        raise Missing(f"no key {kid!r}")
    return Unchanged(KEY, kid, record)


def _put(key: StoredKey) -> PutKey:
    return PutKey(key.kid, _encode(key))


def _by(stored: list[StoredKey], kid: str) -> StoredKey:
    return next(one for one in stored if one.kid == kid)
