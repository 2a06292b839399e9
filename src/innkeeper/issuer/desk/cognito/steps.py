"""A sign-in step by step, for the JSON API and the hosted pages: what follows the password, and what each answer leads to."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from innkeeper.issuer.core.cognito import challenges as words
from innkeeper.issuer.core.cognito import formats
from innkeeper.issuer.core.cognito import sign_in as core
from innkeeper.issuer.core.cognito.accounts import CHANGE_CHECKS, Change
from innkeeper.issuer.core.cognito.attributes import required
from innkeeper.issuer.core.cognito.challenges import Waiting
from innkeeper.issuer.core.cognito.records import CONFIRMED, AppClient, User
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.desk.cognito import factors
from innkeeper.issuer.desk.cognito.accounts import set_password
from innkeeper.issuer.desk.cognito.challenges import begun, demand_answer, use_up, wait_for, waiting_for
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.shelf import Kept
from innkeeper.issuer.desk.cognito.twin import OpenPool, there
from innkeeper.issuer.desk.cognito.users import user_by_sub, with_attributes


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """What comes now: a challenge with its session and parameters, or ("") the user is signed in."""

    user: User
    challenge: str = ""
    session: str = ""
    parameters: dict[str, str] = {}
    available: tuple[str, ...] = ()


async def after_password(pool: OpenPool, client: AppClient, user: User) -> Next:
    return await put(pool, client, user, core.after_password(pool.pool, user))


async def put(pool: OpenPool, client: AppClient, user: User, challenge: str) -> Next:
    """Put a challenge to a user; none where it is ""."""
    if not challenge:
        return Next(user=user)
    waiting = begun(pool, client, challenge, user.sub, user.username)
    if challenge in factors.SENT_TO:
        code = await factors.send_code(pool, client.id, user, challenge)
        waiting = msgspec.structs.replace(waiting, code=code)
    session = await wait_for(pool, waiting)
    return Next(user=user, challenge=challenge, session=session, parameters=_parameters(pool, user, challenge))


def _parameters(pool: OpenPool, user: User, challenge: str) -> dict[str, str]:
    """What a client is told with a challenge; lists and objects are JSON texts."""
    told: dict[str, str] = {}
    if challenge == core.NEW_PASSWORD:
        said = {name: value for name, value in user.attributes.items() if name != "sub"}
        missing = [f"userAttributes.{one}" for one in required(pool.pool) if one not in said]
        told = {"requiredAttributes": json.dumps(missing), "userAttributes": json.dumps(said)}
    elif challenge == core.MFA_SETUP:
        told = {"MFAS_CAN_SETUP": json.dumps([core.SOFTWARE_TOKEN])}
    elif challenge == core.SELECT_MFA:
        told = {"MFAS_CAN_CHOOSE": json.dumps(core.factors(user))}
    elif challenge in factors.SENT_TO:
        attribute = factors.SENT_TO[challenge]
        to = formats.masked(attribute, user.attributes.get(attribute, ""))
        medium = "EMAIL" if attribute == "email" else "SMS"
        told = {"CODE_DELIVERY_DELIVERY_MEDIUM": medium, "CODE_DELIVERY_DESTINATION": to}
    return {"USER_ID_FOR_SRP": user.username, **told}


async def answer(pool: OpenPool, client: AppClient, challenge: str, session: str, responses: Mapping[str, str]) -> Next:
    """What an answer leads to. Raises ``Declined``."""
    kept = await waiting_for(pool, client, challenge, session)
    user = there(await user_by_sub(pool, kept.record.sub))
    return await ANSWERS[challenge](_Answer(pool, client, kept, user, responses))


class _Answer(msgspec.Struct, frozen=True):
    pool: OpenPool
    client: AppClient
    kept: Kept[Waiting]
    user: User
    responses: Mapping[str, str]

    @property
    def waiting(self) -> Waiting:
        return self.kept.record

    def response(self, *names: str) -> str:
        """The first of some responses that came. Raises ``Declined`` where none did."""
        found = next((self.responses[name] for name in names if self.responses.get(name)), "")
        demand_answer(self.waiting.name, "" if found else names[0], words.CODE_WRONG, right=True)
        return found

    async def settled(self) -> None:
        """The session is used up. Raises ``Declined`` where somebody used it up before."""
        used = await use_up(self.pool, self.kept)
        case = words.Case(self.waiting if used else None, self.client.id, self.waiting.name, self.pool.now())
        demand("challenge", words.CHECKS, case)


async def _new_password(one: _Answer) -> Next:
    pool, password = one.pool, one.response("NEW_PASSWORD")
    prefix = "userAttributes."
    said = {name.removeprefix(prefix): text for name, text in one.responses.items() if name.startswith(prefix)}
    demand("attributes", CHANGE_CHECKS, Change(pool.pool, said, one.client, one.user))
    missing = [name for name in required(pool.pool) if name not in {**one.user.attributes, **said}]
    demand_answer(core.NEW_PASSWORD, f"userAttributes.{missing[0]}" if missing else "", words.CODE_WRONG, right=True)
    changed = with_attributes(one.user, said)
    user = await set_password(pool, changed, password, CONFIRMED)
    await one.settled()
    return await put(pool, one.client, user, core.after_new_password(pool.pool, user))


async def _software_token(one: _Answer) -> Next:
    code = one.response("SOFTWARE_TOKEN_MFA_CODE")
    allowed = await factors.may_try(one.pool, one.user.sub)
    step = factors.totp_step(one.pool, one.user.sub, one.user.account.totp, code) if allowed else None
    fresh = step is not None and await _used_first(one.pool, one.user.sub, step)
    demand_answer(core.SOFTWARE_TOKEN, "", words.CODE_WRONG, right=fresh)
    await factors.was_right(one.pool, one.user.sub)
    await one.settled()
    return Next(user=one.user)


async def _used_first(pool: OpenPool, sub: str, step: int) -> bool:
    try:
        await pool.store.commit((factors.once(sub, step),))
    except Lost:
        return False
    return True


async def _sent_code(one: _Answer) -> Next:
    code = one.response(f"{one.waiting.name}_CODE", "ANSWER")
    right = await factors.may_try(one.pool, one.user.sub) and factors.sent_code_is(one.waiting, code)
    demand_answer(one.waiting.name, "", words.CODE_WRONG, right=right)
    await factors.was_right(one.pool, one.user.sub)
    await one.settled()
    return Next(user=one.user)


async def _select(one: _Answer) -> Next:
    chosen = one.response("ANSWER")
    able = core.factors(one.user)
    demand_answer(core.SELECT_MFA, "" if chosen in able else "ANSWER", words.CODE_WRONG, right=True)
    await one.settled()
    return await put(one.pool, one.client, one.user, chosen)


async def _set_up(one: _Answer) -> Next:
    """The authenticator was associated and verified under the session that is answered now."""
    demand_answer(core.MFA_SETUP, "", words.SESSION_BAD, right=one.user.account.totp_on)
    await one.settled()
    return Next(user=one.user)


ANSWERS: dict[str, Callable[[_Answer], Awaitable[Next]]] = {
    core.NEW_PASSWORD: _new_password,
    core.SOFTWARE_TOKEN: _software_token,
    core.SMS_MFA: _sent_code,
    core.SMS_OTP: _sent_code,
    core.EMAIL_OTP: _sent_code,
    core.SELECT_MFA: _select,
    core.MFA_SETUP: _set_up,
}


async def keep_waiting(pool: OpenPool, kept: Kept[Waiting], changed: Waiting) -> str:
    """Go on waiting under a new session, with what was learned."""
    await use_up(pool, kept)
    return await wait_for(pool, changed)
