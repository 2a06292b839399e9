"""Second factors of a pool's users: an authenticator's codes, and codes that are sent."""

from __future__ import annotations

from hmac import compare_digest

from innkeeper.issuer.core.cognito import sign_in as core
from innkeeper.issuer.core.cognito.challenges import Waiting
from innkeeper.issuer.core.cognito.records import User
from innkeeper.issuer.core.effects import AddOnce, Effect
from innkeeper.issuer.core.throttling import second_step_lanes
from innkeeper.issuer.desk.cognito import codes, outbox
from innkeeper.issuer.desk.cognito.outbox import Letter
from innkeeper.issuer.desk.cognito.twin import OpenPool
from innkeeper.issuer.desk.one_time_codes import DRIFT, STEP, random_secret, step_of
from innkeeper.issuer.desk.realm import digest
from innkeeper.issuer.desk.throttle import give_back, take

SENT_TO = {core.EMAIL_OTP: "email", core.SMS_MFA: "phone_number", core.SMS_OTP: "phone_number"}
"""The challenges whose code is sent, and to which attribute."""


def new_totp(pool: OpenPool, sub: str) -> tuple[str, bytes]:
    """A secret for an authenticator, and the same sealed."""
    secret = random_secret()
    return secret, pool.realm.seal.close(secret.encode(), _purpose(sub))


def opened(pool: OpenPool, sub: str, sealed: bytes) -> str:
    return pool.realm.seal.open(sealed, _purpose(sub)).decode()


def totp_step(pool: OpenPool, sub: str, sealed: bytes, typed: str) -> int | None:
    """The time step whose code was typed; None for a wrong one."""
    return step_of(opened(pool, sub, sealed), typed, pool.now()) if sealed and typed else None


def once(sub: str, step: int) -> Effect:
    """A code of an authenticator works once."""
    return AddOnce("cognito totp", f"{sub}|{step}", (step + DRIFT + 2) * STEP)


async def may_try(pool: OpenPool, sub: str) -> bool:
    """Whether another code may be tried; it is counted."""
    return not await take(pool.realm, second_step_lanes(sub, None))


async def was_right(pool: OpenPool, sub: str) -> None:
    await give_back(pool.realm, second_step_lanes(sub, None))


async def send_code(pool: OpenPool, client_id: str, user: User, challenge: str) -> bytes:
    """Send a code for a challenge; its hash."""
    code, attribute = codes.new_code(), SENT_TO[challenge]
    letter = Letter(
        source="CustomMessage_Authentication",
        user=user,
        attribute=attribute,
        client_id=client_id,
        code=code,
        subject="Your authentication code",
        text="Your authentication code is {####}",
    )
    await pool.store.commit((await outbox.send(pool, letter),))
    return digest(f"{user.sub}\0{code}")


def sent_code_is(waiting: Waiting, typed: str) -> bool:
    return bool(waiting.code) and compare_digest(waiting.code, digest(f"{waiting.sub}\0{typed}"))


def _purpose(sub: str) -> str:
    return f"cognito authenticator of {sub}"
