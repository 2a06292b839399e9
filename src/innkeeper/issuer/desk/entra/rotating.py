"""A tenant's signing key changes: the new one is published before it signs, the old one after it stopped."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra.tokens import LONG_LIFETIME
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.keys.certified import make_certified
from innkeeper.keys.stored import StoredKey

CERTIFIED = "accounts.accesscontrol.windows.net"
"""The name in the certificates of the cloud's keys."""


async def rotate(desk: Desk, ahead: int) -> StoredKey:
    """A new key, which signs ``ahead`` seconds from now. Clients are told nothing, as in the cloud."""
    realm, now = desk.realm, desk.realm.now()
    fresh = make_certified(CERTIFIED, realm.seal, now=now, active_from=now + ahead)
    stored = [one for one in await realm.store.keys() if one.certificate and one.expires_at is None]
    end = now + ahead + LONG_LIFETIME
    await realm.store.put_keys([fresh, *(msgspec.structs.replace(one, expires_at=end) for one in stored)])
    await realm.reload()
    return fresh
