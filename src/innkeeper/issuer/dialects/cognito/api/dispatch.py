"""One POST, one operation: the target read, the signature asked for, the input read, the answer or the refusal worded."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import msgspec

from innkeeper.issuer.core.cognito import calling
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.desk.cognito.declined import Declined
from innkeeper.issuer.desk.cognito.faults import API, demand_none
from innkeeper.issuer.desk.cognito.twin import Place
from innkeeper.issuer.dialects.cognito.api import (
    branding,
    clients,
    groups,
    own_account,
    pools,
    refreshing,
    servers,
    sign_in,
    sign_up,
    users,
)
from innkeeper.issuer.dialects.cognito.api.operation import Operation
from innkeeper.issuer.dialects.cognito.api.service import KNOWN, UNSIGNED
from innkeeper.issuer.dialects.cognito.api.sts import answers as sts_answers
from innkeeper.issuer.dialects.cognito.api.sts import caller_identity
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import at_the_door, follow

TARGET = "AWSCognitoIdentityProviderService."

FAMILIES = (pools, clients, servers, branding, groups, users, sign_up, own_account, sign_in, refreshing)
OPERATIONS: dict[str, Operation] = {name: one for family in FAMILIES for name, one in family.OPERATIONS.items()}
"""Every operation that the twin does."""

JSON = ("content-type", "application/x-amz-json-1.1")
EXPOSED = ("access-control-expose-headers", "x-amzn-requestid,x-amzn-errortype,x-amzn-errormessage,date")
CORS = (("access-control-allow-origin", "*"), EXPOSED)
_ALLOWED = (
    "authorization,cache-control,content-type,x-amz-target,x-amz-user-agent,x-amz-date,x-amz-security-token,"
    "x-amz-content-sha256,amz-sdk-invocation-id,amz-sdk-request"
)
PREFLIGHT = (
    *CORS,
    ("access-control-allow-methods", "POST"),
    ("access-control-allow-headers", _ALLOWED),
    ("access-control-max-age", "172800"),
)
_TRIES = 5


class Api:
    """The JSON API of one place."""

    async def __call__(self, place: Place, request: Request) -> Reply:
        if request.method == "OPTIONS":
            return Reply(200, PREFLIGHT)
        if sts_answers(request):
            return caller_identity(place, request)
        call, ask = self._read(request)
        trail = follow("cognito api", calling.CHECKS, call)
        if trail.refusal is not None:
            place.twin.observe(trail)
            return refused(trail.refusal)
        here = msgspec.structs.replace(place, region=_region(place, call.authorization))
        return await self._do(here, call.operation, ask)

    def _read(self, request: Request) -> tuple[calling.Call, Any]:
        target = request.headers.get("x-amz-target", "")
        name = target.removeprefix(TARGET) if target.startswith(TARGET) else ""
        found = OPERATIONS.get(name)
        ask, problem = _input(found, request.body) if found else (None, "")
        authorization = request.headers.get("authorization", "")
        call = calling.Call(name, name in KNOWN, found is not None, name in UNSIGNED, authorization, problem)
        return call, ask

    async def _do(self, place: Place, name: str, ask: Any) -> Reply:
        for _ in range(_TRIES):
            try:
                await demand_none(place.twin.account, API)
                return _answer(await OPERATIONS[name].do(place, ask))
            except Declined as declined:
                named = declined.trail.known_as(f"cognito {name}")
                place.twin.observe(named)
                return refused(declined.refusal)
            except Lost:
                continue
        refusal = Refusal(calling.BUSY, "others changed it each time that it was tried", "nobody else", "others")
        place.twin.observe(at_the_door(f"cognito {name}", refusal, "Cognito API: ConcurrentModificationException"))
        return refused(refusal)


def _input(found: Operation, body: bytes) -> tuple[Any, str]:
    try:
        document = msgspec.json.decode(body or b"{}", type=dict[str, Any])
        if "everything" in found.takes.__struct_fields__:
            document = {**document, "Everything": dict(document)}
        return msgspec.convert(document, found.takes), ""
    except msgspec.DecodeError as error:
        return None, _in_their_words(str(error))


def _in_their_words(problem: str) -> str:
    missing = re.search(r"missing required field `(\w+)`", problem)
    if missing:
        name = missing[1][:1].lower() + missing[1][1:]
        return (
            f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        )
    return f"1 validation error detected: {problem}"


def _region(place: Place, authorization: str) -> str:
    """The region that a signature is for; an unsigned call's is that of the place."""
    found = calling.SIGNED.fullmatch(authorization.strip())
    return (found["region"] if found else None) or place.region


def _answer(output: object) -> Reply:
    return Reply(200, (JSON, ("x-amzn-requestid", str(uuid4())), *CORS), msgspec.json.encode(output))


def refused(refusal: Refusal) -> Reply:
    """A refusal, named in the body and in the headers: SDKs read one or the other."""
    said = refusal.wire
    named = (
        ("x-amzn-requestid", str(uuid4())),
        ("x-amzn-errortype", f"{refusal.error}:"),
        ("x-amzn-errormessage", said.encode("ascii", "replace").decode().replace("\n", " ").strip()),
    )
    body = {"__type": refusal.error, "message": said}
    return Reply(refusal.page.status, (JSON, *named, *CORS), msgspec.json.encode(body))
