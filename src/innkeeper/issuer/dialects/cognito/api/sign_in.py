"""Operations that sign a user in: begin, answer a challenge, refresh, revoke."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core.cognito import calling
from innkeeper.issuer.core.cognito import sign_in as words
from innkeeper.issuer.core.cognito.challenges import ANSWER_BAD
from innkeeper.issuer.core.cognito.records import (
    ADMIN_AUTH,
    CHOICE_AUTH,
    CUSTOM_AUTH,
    OWN_ACCOUNT,
    PASSWORD_AUTH,
    REFRESH_AUTH,
    SRP_AUTH,
    AppClient,
    User,
)
from innkeeper.issuer.core.effects import AddGrant
from innkeeper.issuer.desk.cognito import steps
from innkeeper.issuer.desk.cognito.accounts import migrate
from innkeeper.issuer.desk.cognito.challenges import begun, demand_answer, use_up, wait_for, waiting_for
from innkeeper.issuer.desk.cognito.custom import begin as begin_custom
from innkeeper.issuer.desk.cognito.custom import verify as verify_custom
from innkeeper.issuer.desk.cognito.cutting import API, Giving, Tokens, cut, new_grant
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.proofs import begin_proof, proved_by
from innkeeper.issuer.desk.cognito.sign_in import after_sign_in, demand_hash, with_password
from innkeeper.issuer.desk.cognito.steps import Next
from innkeeper.issuer.desk.cognito.token import new_refresh_token
from innkeeper.issuer.desk.cognito.twin import OpenPool, Place, there
from innkeeper.issuer.desk.cognito.users import find_user, user_by_sub
from innkeeper.issuer.dialects.cognito.api.operation import Input, Operation, Output, operation
from innkeeper.issuer.dialects.cognito.api.refreshing import refresh_by_api


class InitiateAuth(Input, frozen=True, kw_only=True):
    auth_flow: str
    client_id: str
    auth_parameters: dict[str, str] = {}
    session: str = ""


class AdminInitiateAuth(InitiateAuth, frozen=True, kw_only=True):
    user_pool_id: str


class Begun(msgspec.Struct, frozen=True):
    """A sign-in that begins: where, of which client, with which parameters."""

    pool: OpenPool
    client: AppClient
    said: Mapping[str, str]

    def parameter(self, name: str) -> str:
        """A parameter that has to be there. Raises ``Declined``."""
        found = self.said.get(name, "")
        demand_answer("InitiateAuth", "" if found else name, ANSWER_BAD, right=True)
        return found

    def demand_hash(self, user: User | None = None) -> str:
        """The user name, with its secret hash demanded. Raises ``Declined``."""
        name = self.parameter("USERNAME")
        names = (name, user.username) if user else (name,)
        demand_hash(self.pool, self.client, self.said.get("SECRET_HASH"), *names)
        return name


def _demand_parts(operation_name: str, said: Mapping[str, str], *more: str) -> None:
    """Raises ``Declined`` where something is asked for that the twin does not do."""
    names = (*said, said.get("PREFERRED_CHALLENGE", ""), *more)
    demand(operation_name, calling.PART_CHECKS, calling.Parts(operation_name, names))


async def initiate(place: Place, ask: InitiateAuth) -> Output:
    _demand_parts("InitiateAuth", ask.auth_parameters)
    pool, client = await place.client(ask.client_id)
    return await _begin(Begun(pool, client, ask.auth_parameters), ask.auth_flow, FLOWS)


async def admin_initiate(place: Place, ask: AdminInitiateAuth) -> Output:
    _demand_parts("AdminInitiateAuth", ask.auth_parameters)
    pool, kept = await place.client_of(ask.user_pool_id, ask.client_id)
    return await _begin(Begun(pool, kept.record, ask.auth_parameters), ask.auth_flow, ADMIN_FLOWS)


async def _begin(begun_now: Begun, flow: str, flows: Mapping[str, Flow]) -> Output:
    known = flows.get(flow)
    needs = known[0] if known else ""
    demand("flow", words.FLOW_CHECKS, words.FlowCase(begun_now.client, flow, needs, known is not None))
    return await there(known)[1](begun_now)


async def _password(one: Begun) -> Output:
    name = one.demand_hash()
    user = await with_password(one.pool, one.client, name, one.parameter("PASSWORD"), migrate)
    return await go_on(one.pool, one.client, await steps.after_password(one.pool, one.client, user))


async def _srp(one: Begun) -> Output:
    name = one.demand_hash()
    told = await begin_proof(one.pool, one.client, name, one.parameter("SRP_A"))
    return {"ChallengeName": words.PASSWORD_VERIFIER, "ChallengeParameters": told}


async def _refresh(one: Begun) -> Output:
    return await refresh_by_api(one.pool, one.client, one.parameter("REFRESH_TOKEN"), one.said.get("SECRET_HASH"))


async def _custom(one: Begun) -> Output:
    name = one.demand_hash()
    if one.said.get("CHALLENGE_NAME") == "SRP_A":
        told = await begin_proof(one.pool, one.client, name, one.parameter("SRP_A"), custom=True)
        return {"ChallengeName": words.PASSWORD_VERIFIER, "ChallengeParameters": told}
    user = await find_user(one.pool, name)
    demand("sign-in", words.CHECKS[1:2], words.Case(one.client, name, user, True, 0, one.pool.now()))
    return await go_on(one.pool, one.client, await begin_custom(one.pool, one.client, there(user), ()))


async def _choice(one: Begun) -> Output:
    """The user chooses how to prove who they are, at once with PREFERRED_CHALLENGE or in the next step."""
    name = one.demand_hash()
    user = await find_user(one.pool, name)
    demand("sign-in", words.CHECKS[1:2], words.Case(one.client, name, user, True, 0, one.pool.now()))
    chosen = one.said.get("PREFERRED_CHALLENGE", "")
    if chosen:
        return await _chosen(one, there(user), chosen, one.said)
    waiting = begun(one.pool, one.client, words.SELECT, there(user).sub, there(user).username)
    told = {"ChallengeName": words.SELECT, "Session": await wait_for(one.pool, waiting), "ChallengeParameters": {}}
    return {**told, "AvailableChallenges": _available(one.pool, there(user))}


def _available(pool: OpenPool, user: User) -> list[str]:
    allowed = (
        (pool.pool.said.get("Policies") or {}).get("SignInPolicy", {}).get("AllowedFirstAuthFactors", ["PASSWORD"])
    )
    has = {words.EMAIL_OTP: "email", words.SMS_OTP: "phone_number"}
    by_code = [name for name, attribute in has.items() if name in allowed and user.attributes.get(attribute)]
    return [words.PASSWORD, words.PASSWORD_SRP, *by_code]


async def _chosen(one: Begun, user: User, chosen: str, said: Mapping[str, str]) -> Output:
    able = _available(one.pool, user)
    demand_answer(words.SELECT, "" if chosen in able else "ANSWER", ANSWER_BAD, right=True)
    if chosen == words.PASSWORD:
        if not said.get("PASSWORD"):
            waiting = begun(one.pool, one.client, words.PASSWORD, user.sub, user.username)
            session = await wait_for(one.pool, waiting)
            return {"ChallengeName": words.PASSWORD, "Session": session, "ChallengeParameters": {}}
        proved = await with_password(one.pool, one.client, user.username, said["PASSWORD"])
        return await go_on(one.pool, one.client, await steps.after_password(one.pool, one.client, proved))
    if chosen == words.PASSWORD_SRP:
        asked = said.get("SRP_A", "")
        demand_answer(words.PASSWORD_SRP, "" if asked else "SRP_A", ANSWER_BAD, right=True)
        told = await begin_proof(one.pool, one.client, user.username, asked)
        return {"ChallengeName": words.PASSWORD_VERIFIER, "ChallengeParameters": told}
    demand("sign-in", words.CHECKS[4:], words.Case(one.client, user.username, user, True, 0, one.pool.now()))
    return await go_on(one.pool, one.client, await steps.put(one.pool, one.client, user, chosen))


class RespondToAuthChallenge(Input, frozen=True, kw_only=True):
    client_id: str
    challenge_name: str
    session: str = ""
    challenge_responses: dict[str, str] = {}


class AdminRespondToAuthChallenge(RespondToAuthChallenge, frozen=True, kw_only=True):
    user_pool_id: str


async def respond(place: Place, ask: RespondToAuthChallenge) -> Output:
    pool, client = await place.client(ask.client_id)
    return await _respond(pool, client, ask)


async def admin_respond(place: Place, ask: AdminRespondToAuthChallenge) -> Output:
    pool, kept = await place.client_of(ask.user_pool_id, ask.client_id)
    return await _respond(pool, kept.record, ask)


async def _respond(pool: OpenPool, client: AppClient, ask: RespondToAuthChallenge) -> Output:
    said, one = ask.challenge_responses, Begun(pool, client, ask.challenge_responses)
    _demand_parts("RespondToAuthChallenge", {}, ask.challenge_name, said.get("ANSWER", ""))
    user = await find_user(pool, said.get("USERNAME", ""))
    one.demand_hash(user)
    if ask.challenge_name == words.PASSWORD_VERIFIER:
        proof = await proved_by(pool, client, said)
        if proof.custom:
            srp = {"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}
            verifier = {**srp, "challengeName": "PASSWORD_VERIFIER"}
            return await go_on(pool, client, await begin_custom(pool, client, proof.user, (srp, verifier)))
        return await go_on(pool, client, await steps.after_password(pool, client, proof.user))
    if ask.challenge_name == words.CUSTOM:
        return await go_on(pool, client, await verify_custom(pool, client, ask.session, said))
    if ask.challenge_name in (words.SELECT, words.PASSWORD):
        kept = await waiting_for(pool, client, ask.challenge_name, ask.session)
        chosen = one.parameter("ANSWER") if ask.challenge_name == words.SELECT else words.PASSWORD
        answered = await _chosen(one, there(await user_by_sub(pool, kept.record.sub)), chosen, said)
        await use_up(pool, kept)
        return answered
    known = ask.challenge_name if ask.challenge_name in steps.ANSWERS else ""
    demand_answer(ask.challenge_name, "" if known else "ChallengeName", ANSWER_BAD, right=True)
    return await go_on(pool, client, await steps.answer(pool, client, ask.challenge_name, ask.session, said))


async def go_on(pool: OpenPool, client: AppClient, after: Next) -> Output:
    """The next challenge, or the tokens of whoever is signed in."""
    if after.challenge:
        told: dict[str, Any] = {"ChallengeName": after.challenge, "Session": after.session}
        return {**told, "ChallengeParameters": after.parameters}
    await after_sign_in(pool, client, after.user)
    return {"AuthenticationResult": result_of(await _signed_in(pool, client, after.user)), "ChallengeParameters": {}}


async def _signed_in(pool: OpenPool, client: AppClient, user: User) -> Tokens:
    grant = new_grant(pool, client, user, frozenset({OWN_ACCOUNT}), API)
    refresh, keep = new_refresh_token(pool, client, grant)
    await pool.store.commit((AddGrant(grant), keep))
    giving = Giving(
        client=client,
        user=user,
        grant=grant,
        scopes=grant.scopes,
        source="TokenGeneration_Authentication",
        refresh=refresh,
    )
    return await cut(pool, giving)


def result_of(tokens: Tokens) -> dict[str, Any]:
    """AuthenticationResultType, without what was not cut."""
    told: dict[str, Any] = {"AccessToken": tokens.access, "ExpiresIn": tokens.expires_in, "TokenType": "Bearer"}
    if tokens.refresh:
        told["RefreshToken"] = tokens.refresh
    return {**told, "IdToken": tokens.identity} if tokens.identity else told


Flow = tuple[str, Callable[[Begun], Awaitable[Output]]]

FLOWS: dict[str, Flow] = {
    "USER_PASSWORD_AUTH": (PASSWORD_AUTH, _password),
    "USER_SRP_AUTH": (SRP_AUTH, _srp),
    "REFRESH_TOKEN_AUTH": (REFRESH_AUTH, _refresh),
    "REFRESH_TOKEN": (REFRESH_AUTH, _refresh),
    "CUSTOM_AUTH": (CUSTOM_AUTH, _custom),
    "USER_AUTH": (CHOICE_AUTH, _choice),
}
ADMIN_FLOWS: dict[str, Flow] = {
    **{name: flow for name, flow in FLOWS.items() if name != "USER_PASSWORD_AUTH"},
    "ADMIN_USER_PASSWORD_AUTH": (ADMIN_AUTH, _password),
    "ADMIN_NO_SRP_AUTH": (ADMIN_AUTH, _password),
}
"""The flows that each operation begins, and what allows each on a client."""

OPERATIONS: dict[str, Operation] = {
    "InitiateAuth": operation(InitiateAuth, initiate),
    "AdminInitiateAuth": operation(AdminInitiateAuth, admin_initiate),
    "RespondToAuthChallenge": operation(RespondToAuthChallenge, respond),
    "AdminRespondToAuthChallenge": operation(AdminRespondToAuthChallenge, admin_respond),
}
