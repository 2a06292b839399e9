"""A pool's functions at work: Python callables and http addresses that stand for Lambda triggers on this computer."""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec

from innkeeper.issuer.core.cognito.records import User
from innkeeper.issuer.core.cognito.triggers import FUNCTION_ANSWER, FUNCTION_MISSING, FUNCTION_REFUSED
from innkeeper.issuer.desk.cognito.declined import Declined
from innkeeper.issuer.desk.cognito.twin import OpenPool
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import at_the_door

_PATIENCE = 5.0
"""Seconds that a function has, as in the cloud."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Which function is called, why, for whom; ``request`` and ``response`` are the trigger's own parts."""

    trigger: str
    source: str
    client_id: str
    user: User | None = None
    username: str = ""
    request: dict[str, Any] = {}
    response: dict[str, Any] = {}
    version: str = "1"


async def call(pool: OpenPool, event: Event) -> Mapping[str, Any] | None:
    """The function's response; None where the pool has no function for this. Raises ``Declined``."""
    arn = _named(pool.pool.said.get("LambdaConfig") or {}, event.trigger)
    if not arn:
        return None
    known = pool.ways.triggers
    local = known.get(arn) or known.get(arn.rpartition(":")[2]) or ""
    if not local:
        raise _declined(FUNCTION_MISSING, f"nothing here stands for {arn}", f"{event.trigger} invocation failed.")
    answer = await _answer(local, _document(pool, event), event.trigger)
    response = answer.get("response") if isinstance(answer, dict) else None
    if not isinstance(response, dict):
        raise _declined(FUNCTION_ANSWER, f"{event.trigger} did not return its event", "Unrecognizable lambda output")
    return response


def has(pool: OpenPool, trigger: str) -> bool:
    return bool(_named(pool.pool.said.get("LambdaConfig") or {}, trigger))


def _named(config: Mapping[str, Any], trigger: str) -> str:
    if trigger == "PreTokenGeneration" and config.get("PreTokenGenerationConfig"):
        return str(config["PreTokenGenerationConfig"].get("LambdaArn", ""))
    return str(config.get(trigger) or "")


def _document(pool: OpenPool, event: Event) -> dict[str, Any]:
    user, config = event.user, pool.pool.said.get("LambdaConfig") or {}
    version = config.get("PreTokenGenerationConfig", {}).get("LambdaVersion", "V1_0")
    attributes = {"userAttributes": {**user.attributes, "cognito:user_status": user.account.status}} if user else {}
    return {
        "version": version[1:2] if event.trigger == "PreTokenGeneration" else event.version,
        "triggerSource": event.source,
        "region": pool.pool.region,
        "userPoolId": pool.pool.id,
        "userName": user.username if user else event.username,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": event.client_id},
        "request": {**attributes, **event.request},
        "response": dict(event.response),
    }


async def _answer(local: str, document: dict[str, Any], trigger: str) -> object:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await (_over_http if "://" in local else _in_python)(local, document)
    except (TimeoutError, httpx2.HTTPError, ImportError, AttributeError, msgspec.DecodeError) as error:
        reason = f"{local} could not be called: {type(error).__name__}: {error}"
        raise _declined(FUNCTION_MISSING, reason, f"{trigger} invocation failed.") from None
    except Exception as error:  # noqa: BLE001 - the function is the pool owner's code, and may raise whatever it likes
        raise _declined(
            FUNCTION_REFUSED, f"{local} raised {error!r}", f"{trigger} failed with error {error}."
        ) from None


async def _in_python(local: str, document: dict[str, Any]) -> object:
    module, _, name = local.partition(":")
    function = getattr(importlib.import_module(module), name)
    if inspect.iscoroutinefunction(function):
        return await function(document, None)
    return await asyncio.to_thread(function, document, None)


async def _over_http(local: str, document: dict[str, Any]) -> object:
    async with httpx2.AsyncClient(timeout=_PATIENCE, trust_env=False) as caller:
        answer = await caller.post(local, json=document)
    if answer.status_code != httpx2.codes.OK:
        raise RuntimeError(answer.text[:200])
    return msgspec.json.decode(answer.content)


def _declined(page: Page, reason: str, said: str) -> Declined:
    refusal = Refusal(page, reason, "a function that answers", "none", said=said)
    return Declined(at_the_door("trigger", refusal, "Cognito Lambda triggers"), refusal)
