"""Secure remote password at work: a challenge that carries its own state, sealed, and the proof that answers it.

Nothing is stored for a proof that never comes; the block that the client echoes holds all, and works once.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from hmac import compare_digest

import msgspec

from innkeeper.issuer.core.cognito import challenges as words
from innkeeper.issuer.core.cognito import sign_in as core
from innkeeper.issuer.core.cognito import srp
from innkeeper.issuer.core.cognito.records import AppClient, User
from innkeeper.issuer.core.effects import AddOnce, Lost
from innkeeper.issuer.desk.cognito.challenges import demand_answer
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.sign_in import before_sign_in
from innkeeper.issuer.desk.cognito.twin import OpenPool, there
from innkeeper.issuer.desk.cognito.users import find_user, user_by_sub, verifier_of
from innkeeper.issuer.desk.realm import digest
from innkeeper.issuer.desk.throttle import give_back, take
from innkeeper.keys.seal import Seal
from innkeeper.protocol.refusals import UsageError

_PURPOSE = "cognito proof of a password"
_ONCE = "cognito proof"
NEEDED = ("PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP")


class Block(msgspec.Struct, frozen=True, array_like=True):
    """What the echoed block holds, sealed: the exchange, of which client, for whom ("" for nobody), until when."""

    challenge: srp.Challenge
    client_id: str
    sub: str
    name: str
    expires_at: int
    custom: bool = False


class Proved(msgspec.Struct, frozen=True):
    user: User
    custom: bool


async def begin_proof(
    pool: OpenPool, client: AppClient, name: str, public: str, *, custom: bool = False
) -> dict[str, str]:
    """The parameters of PASSWORD_VERIFIER. For a stranger whom the client hides, they look the same. Raises ``Declined``."""
    good = srp.public_of(public) is not None
    demand_answer(core.PASSWORD_VERIFIER, "" if good else "SRP_A", words.ANSWER_BAD, right=True)
    user = await find_user(pool, name)
    if user is None and not client.hides_users:
        demand("sign-in", core.CHECKS[1:2], core.Case(client, name, user, False, 0, pool.now()))
    salt, kept = _remembered(pool, user, name)
    secret = secrets.token_bytes(64)
    challenge = srp.Challenge(salt, srp.server_public(kept, secret), secret, public)
    block = Block(challenge, client.id, user.sub if user else "", name, pool.now() + client.session_lifetime, custom)
    named = user.username if user else name
    return {
        "USERNAME": named,
        "USER_ID_FOR_SRP": named,
        "SALT": salt,
        "SRP_B": challenge.public,
        "SECRET_BLOCK": b64encode(_sealed(pool.realm.seal, pool.pool.id, block)).decode("ascii"),
    }


def _remembered(pool: OpenPool, user: User | None, name: str) -> tuple[str, bytes]:
    """Salt and verifier of a user; of nobody, those of a password that nobody has, the same each time."""
    kept = verifier_of(pool, user) if user else None
    if user is not None and kept is not None:
        return user.account.salt, kept
    salt = pool.realm.mac("salt of nobody", name)[:16].hex()
    return salt, srp.verifier(pool.pool.short_name, name, pool.realm.mac("password of nobody", name).hex(), salt)


async def proved_by(pool: OpenPool, client: AppClient, said: Mapping[str, str]) -> Proved:
    """The user whose password was proved. Raises ``Declined``."""
    missing = next((one for one in NEEDED if not said.get(one)), "")
    demand_answer(core.PASSWORD_VERIFIER, missing, words.PROOF_WRONG, right=True)
    raw = srp.block_of(said["PASSWORD_CLAIM_SECRET_BLOCK"]) or b""
    block = _opened(pool.realm.seal, pool.pool.id, raw)
    good = block is not None and block.client_id == client.id and block.expires_at > pool.now()
    demand_answer(core.PASSWORD_VERIFIER, "", words.PROOF_WRONG, right=good and await _first(pool, raw, there(block)))
    return await _judged(pool, client, there(block), raw, said)


async def _judged(pool: OpenPool, client: AppClient, block: Block, raw: bytes, said: Mapping[str, str]) -> Proved:
    lanes = core.lanes(block.name)
    wait = await take(pool.realm, lanes)
    user = await user_by_sub(pool, block.sub) if block.sub else None
    kept = verifier_of(pool, user) if user else None
    right = not wait and user is not None and kept is not None and _fits(pool, user, kept, block, raw, said)
    demand("sign-in", core.CHECKS, core.Case(client, block.name, user, right, wait, pool.now()))
    await give_back(pool.realm, lanes)
    await before_sign_in(pool, client, there(user))
    return Proved(there(user), block.custom)


def _fits(pool: OpenPool, user: User, kept: bytes, block: Block, raw: bytes, said: Mapping[str, str]) -> bool:
    key = srp.key(kept, block.challenge)
    if key is None or user.account.salt != block.challenge.salt:
        return False
    expected = srp.signature(key, pool.pool.short_name, user.username, raw, said["TIMESTAMP"])
    return compare_digest(expected.encode(), said["PASSWORD_CLAIM_SIGNATURE"].encode())


async def _first(pool: OpenPool, raw: bytes, block: Block) -> bool:
    """Whether the block comes back for the first time."""
    try:
        await pool.store.commit((AddOnce(_ONCE, digest(raw.hex()).hex(), block.expires_at),))
    except Lost:
        return False
    return True


def _sealed(seal: Seal, pool_id: str, block: Block) -> bytes:
    return seal.close(msgspec.msgpack.encode(block), f"{_PURPOSE} in {pool_id}")


def _opened(seal: Seal, pool_id: str, raw: bytes) -> Block | None:
    try:
        return msgspec.msgpack.decode(seal.open(raw, f"{_PURPOSE} in {pool_id}"), type=Block)
    except (UsageError, msgspec.DecodeError):
        return None
