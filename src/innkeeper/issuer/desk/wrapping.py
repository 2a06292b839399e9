"""Put around an answer what its client registered: our signature, and encryption to the client's key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.profiles import HS256
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.wrapping import NO_KEY, Case, Wrapping, judge, signing_of
from innkeeper.issuer.desk.client_keys import keys_of
from innkeeper.issuer.desk.client_secrets import sign
from innkeeper.issuer.desk.outside import NotFetched
from innkeeper.issuer.desk.realm import Realm
from innkeeper.keys import jwe
from innkeeper.keys.ring import make
from innkeeper.protocol.refusals import Refusal

_HALF_A_MINUTE = 30


async def wrap(realm: Realm, client: Client, claims: Mapping[str, Any], typ: str, wrapping: Wrapping) -> str | Refusal:
    """The claims as the client wants them: a signed JWT, inside an encrypted one, or encrypted JSON.

    Refused where the client has no key to encrypt to.
    """
    signed = await _signed(realm, client, claims, typ, wrapping.signing) if wrapping.signing else ""
    if not wrapping.alg:
        return signed
    content = signed.encode("ascii") or msgspec.json.encode(claims)
    try:
        return await _encrypted(realm, client, content, wrapping, cty="JWT" if signed else "")
    except (NotFetched, jwe.NoKeyFits) as error:
        trail = judge(Case(client.id, wrapping, str(error)))
    realm.observe(trail)
    return trail.refusal or Refusal(NO_KEY, "no key")


async def provide(realm: Realm, *algorithms: str) -> None:
    """See to it that the realm has a key for each of these algorithms, and publishes it. Raises ``UsageError``."""
    async with realm.making_keys:
        missing = [alg for alg in algorithms if not realm.ring.signs(alg, realm.now())]
        if missing:
            now = realm.now()
            made = [await asyncio.to_thread(make, alg, realm.seal, now=now, active_from=now) for alg in missing]
            await realm.store.put_keys(made)
            await realm.reload()


async def provide_for(realm: Realm, *clients: Client) -> None:
    """See to it that the realm has the keys that these clients' answers are signed with."""
    needed = {alg for one in clients for alg in signing_of(one, realm.policy.profile_for(one))}
    await provide(realm, *sorted(needed))


async def _signed(realm: Realm, client: Client, claims: Mapping[str, Any], typ: str, alg: str) -> str:
    """A JWT signed by this realm. Where a key is missing, all that the client needs are made at once: it will look
    which there are, and keep what it finds for a while."""
    if alg == HS256:
        return sign(realm, client, claims, typ)
    if not realm.ring.signs(alg, realm.now()):
        await provide(realm, alg)
        await provide_for(realm, client)
    return await realm.ring.cut(alg, typ, claims, realm.now())


async def _encrypted(realm: Realm, client: Client, content: bytes, wrapping: Wrapping, cty: str) -> str:
    """To a key that the client has, or else has had for half a minute at most. Raises ``NotFetched``, ``NoKeyFits``."""

    def to(keys: Sequence[Mapping[str, Any]]) -> str:
        return jwe.encrypt(content, keys, wrapping.alg, wrapping.enc, cty)

    try:
        return to(await keys_of(realm, client))
    except jwe.NoKeyFits:
        return to(await keys_of(realm, client, newest=_HALF_A_MINUTE))
