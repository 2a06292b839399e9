"""An authenticator is set up: with an access token, or in the middle of a sign-in that demands one."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.cognito import challenges as words
from innkeeper.issuer.core.cognito import sign_in as core
from innkeeper.issuer.core.cognito.records import AppClient, User
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.desk.cognito import factors
from innkeeper.issuer.desk.cognito.challenges import demand_answer, waiting_for
from innkeeper.issuer.desk.cognito.steps import keep_waiting
from innkeeper.issuer.desk.cognito.twin import OpenPool, there
from innkeeper.issuer.desk.cognito.users import put, user_by_sub, with_account


async def associate(pool: OpenPool, user: User) -> str:
    """A secret for the user's authenticator, not in force yet."""
    secret, sealed = factors.new_totp(pool, user.sub)
    await pool.store.commit(put(with_account(user, totp=sealed, totp_on=False), user, pool.now()))
    return secret


async def associate_waiting(pool: OpenPool, client: AppClient, session: str) -> tuple[str, str]:
    """A secret in the middle of a sign-in, and the session that goes on. Raises ``Declined``."""
    kept = await waiting_for(pool, client, core.MFA_SETUP, session)
    secret, sealed = factors.new_totp(pool, kept.record.sub)
    return secret, await keep_waiting(pool, kept, msgspec.structs.replace(kept.record, totp=sealed))


async def verify(pool: OpenPool, user: User, code: str) -> None:
    """Put the authenticator in force with its first code. Raises ``Declined``."""
    await _in_force(pool, user, user.account.totp, code)


async def verify_waiting(pool: OpenPool, client: AppClient, session: str, code: str) -> str:
    """The same in the middle of a sign-in; the session that goes on. Raises ``Declined``."""
    kept = await waiting_for(pool, client, core.MFA_SETUP, session)
    user = there(await user_by_sub(pool, kept.record.sub))
    await _in_force(pool, user, kept.record.totp, code)
    return await keep_waiting(pool, kept, kept.record)


async def _in_force(pool: OpenPool, user: User, sealed: bytes, code: str) -> None:
    step = factors.totp_step(pool, user.sub, sealed, code) if await factors.may_try(pool, user.sub) else None
    demand_answer("authenticator", "" if code else "UserCode", words.FIRST_CODE_WRONG, right=step is not None)
    await factors.was_right(pool, user.sub)
    changed = with_account(user, totp=sealed, totp_on=True, preferred=user.account.preferred or core.SOFTWARE_TOKEN)
    try:
        await pool.store.commit([*put(changed, user, pool.now()), factors.once(user.sub, step or 0)])
    except Lost:
        demand_answer("authenticator", "", words.FIRST_CODE_WRONG, right=False)
