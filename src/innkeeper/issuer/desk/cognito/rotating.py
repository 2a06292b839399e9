"""A pool's two signing keys change: each new one is published before it signs, each old one after it stopped."""

from __future__ import annotations

from innkeeper.issuer.desk.cognito.twin import ACCESS, IDENTITY, OpenPool
from innkeeper.issuer.desk.key_care import Cupboard, rotate_key


async def rotate(pool: OpenPool, ahead: int) -> None:
    """New keys for access and ID tokens, which sign ``ahead`` seconds from now. Clients are told nothing, as in the cloud."""
    cupboard = Cupboard(pool.store, pool.realm.seal, LONGEST, pool.now())
    for purpose in (ACCESS, IDENTITY):
        await rotate_key(cupboard, "RS256", ahead, purpose)
    await pool.realm.reload()


LONGEST = 86_400
"""Seconds that an access or ID token lives at most."""
