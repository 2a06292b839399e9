"""Custom challenges: the pool's own functions decide what is asked and who gets in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core.cognito import challenges as words
from innkeeper.issuer.core.cognito import sign_in as core
from innkeeper.issuer.core.cognito.records import AppClient, User
from innkeeper.issuer.desk.cognito.challenges import begun, demand_answer, use_up, wait_for, waiting_for
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.steps import Next
from innkeeper.issuer.desk.cognito.triggers import Event, call
from innkeeper.issuer.desk.cognito.twin import OpenPool, there
from innkeeper.issuer.desk.cognito.users import user_by_sub

Rounds = tuple[Mapping[str, Any], ...]


async def begin(pool: OpenPool, client: AppClient, user: User, rounds: Rounds) -> Next:
    """The next challenge that the functions want, or the user signed in. Raises ``Declined`` where they let nobody in."""
    demand("sign-in", core.CHECKS[4:], core.Case(client, user.username, user, True, 0, pool.now()))
    asked = {"session": list(rounds), "userNotFound": False}
    defined = await _call(pool, client, user, "DefineAuthChallenge", asked, {})
    if defined.get("issueTokens"):
        return Next(user=user)
    wanted = str(defined.get("challengeName") or "")
    demand_answer(core.CUSTOM, "", words.CUSTOM_WRONG, right=bool(wanted) and not defined.get("failAuthentication"))
    made = await _call(pool, client, user, "CreateAuthChallenge", {"challengeName": wanted, **asked}, {})
    waiting = begun(pool, client, core.CUSTOM, user.sub, user.username)
    private = {"private": json.dumps(made.get("privateChallengeParameters") or {}), "rounds": json.dumps(list(rounds))}
    kept = msgspec.structs.replace(waiting, answer={**private, "metadata": str(made.get("challengeMetadata") or "")})
    told = {name: str(value) for name, value in (made.get("publicChallengeParameters") or {}).items()}
    parameters = {"USERNAME": user.username, **told}
    return Next(user=user, challenge=core.CUSTOM, session=await wait_for(pool, kept), parameters=parameters)


async def verify(pool: OpenPool, client: AppClient, session: str, said: Mapping[str, str]) -> Next:
    """What an answer to a custom challenge leads to. Raises ``Declined``."""
    kept = await waiting_for(pool, client, core.CUSTOM, session)
    demand_answer(core.CUSTOM, "" if said.get("ANSWER") else "ANSWER", words.CUSTOM_WRONG, right=True)
    user, before = there(await user_by_sub(pool, kept.record.sub)), kept.record.answer
    request = {"privateChallengeParameters": json.loads(before["private"]), "challengeAnswer": said["ANSWER"]}
    answer = await _call(pool, client, user, "VerifyAuthChallengeResponse", request, {"answerCorrect": None})
    demand_answer(core.CUSTOM, "", words.SESSION_BAD, right=await use_up(pool, kept))
    result = {"challengeName": core.CUSTOM, "challengeResult": bool(answer.get("answerCorrect"))}
    rounds = (*json.loads(before["rounds"]), {**result, "challengeMetadata": before["metadata"] or None})
    return await begin(pool, client, user, rounds)


async def _call(
    pool: OpenPool, client: AppClient, user: User, trigger: str, request: dict[str, Any], response: dict[str, Any]
) -> Mapping[str, Any]:
    source = f"{trigger}_Authentication"
    event = Event(trigger=trigger, source=source, client_id=client.id, user=user, request=request, response=response)
    answer = await call(pool, event)
    demand_answer(core.CUSTOM, "", words.CUSTOM_WRONG, right=answer is not None)
    return answer or {}
