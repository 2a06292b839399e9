"""The guard as a Lambda authorizer of Amazon API Gateway: REST APIs (TOKEN and REQUEST) and HTTP APIs (payload 2.0)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from innkeeper.guard.arrival import arrival
from innkeeper.guard.credentials import Credentials
from innkeeper.guard.decision import Refused, Verified
from innkeeper.guard.guard import Guard
from innkeeper.guard.routes import Needed, Routes

Event = Mapping[str, Any]
Handler = Callable[[Event, Any], dict[str, Any]]


class Unauthorized(Exception):
    """Raised for API Gateway: its message, exactly this word, makes the answer 401."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def authorizer(guard: Guard, routes: Mapping[str, Needed] | None = None, *, simple: bool = True) -> Handler:
    """The authorizer's handler: ``handler = authorizer(guard, {"GET /orders": ["orders:read"]})``.

    ``routes`` are paths without the stage. ``simple`` is for HTTP APIs with simple responses; without it they get a policy, as
    REST APIs always do. A caller without a good token gets 401, one whose token is not enough 403; of a challenge API
    Gateway lets an authorizer say nothing (set ``WWW-Authenticate`` in a gateway response, with the address of the metadata).
    The token's claims reach the integration in the authorizer's context.
    """
    table = Routes(routes or {})

    def handler(event: Event, _: Any) -> dict[str, Any]:
        sent, path = _sent(event, guard)
        needed = table.needed(sent.method, path)
        outcome = guard.admit_blocking(sent, needed) if needed is not None else None
        if isinstance(outcome, Refused) and outcome.status != 403:
            raise Unauthorized
        if _is_http_api(event) and simple:
            return {"isAuthorized": not isinstance(outcome, Refused), "context": _context(outcome)}
        return _policy(event, outcome)

    return handler


def _is_http_api(event: Event) -> bool:
    return event.get("version") == "2.0"


def _sent(event: Event, guard: Guard) -> tuple[Credentials, str]:
    """What the request behind an event carries, and its path without the stage."""
    if event.get("type") == "TOKEN":
        return _from_token(event, guard)
    return _from_http_api(event, guard) if _is_http_api(event) else _from_rest_api(event, guard)


def _from_token(event: Event, guard: Guard) -> tuple[Credentials, str]:
    """A REST API that hands over one header; method and path stand in the ARN of what is called."""
    _, _, method, path = (*str(event["methodArn"]).split("/", 3), "", "", "")[:4]
    path = f"/{path}"
    headers = [("authorization", str(event.get("authorizationToken", "")))]
    return arrival(guard, headers, method=method, path=path), path


def _from_rest_api(event: Event, guard: Guard) -> tuple[Credentials, str]:
    request = event.get("requestContext", {})
    several = event.get("multiValueHeaders") or {name: [one] for name, one in (event.get("headers") or {}).items()}
    headers = [(name, value) for name, values in several.items() for value in values]
    query = "&".join(f"{name}=" for name in (event.get("queryStringParameters") or {}))
    certificate = (request.get("identity", {}).get("clientCert") or {}).get("clientCertPem", "")
    path = str(event.get("path", "/"))
    origin = f"https://{request.get('domainName', '')}"
    sent = arrival(
        guard,
        headers,
        method=str(event.get("httpMethod", "")),
        path=path,
        query=query,
        origin=origin,
        certificate=certificate,
    )
    return sent, path


def _from_http_api(event: Event, guard: Guard) -> tuple[Credentials, str]:
    request = event["requestContext"]
    http, stage = request["http"], str(request.get("stage", ""))
    path = str(http["path"])
    within = path.removeprefix(f"/{stage}") if stage != "$default" and path.startswith(f"/{stage}/") else path
    certificate = (request.get("authentication") or {}).get("clientCert", {}).get("clientCertPem", "")
    sent = arrival(
        guard,
        (event.get("headers") or {}).items(),
        method=str(http["method"]),
        path=path,
        query=str(event.get("rawQueryString", "")),
        origin=f"https://{request.get('domainName', '')}",
        certificate=certificate,
    )
    return sent, within or "/"


def _context(outcome: Verified | Refused | None) -> dict[str, Any]:
    """What the integration is told: flat, and of texts, as API Gateway wants it."""
    if not isinstance(outcome, Verified):
        return {}
    token = outcome.token
    said = {
        "sub": token.sub,
        "client_id": token.client_id,
        "iss": token.iss,
        "scope": " ".join(sorted(token.scope)),
        "is_machine": "true" if token.is_machine else "false",
    }
    return {name: value for name, value in said.items() if value}


def _policy(event: Event, outcome: Verified | Refused | None) -> dict[str, Any]:
    """An IAM policy for the one method that is called: one for more would be cached, and open other doors."""
    allowed = not isinstance(outcome, Refused)
    what = str(event.get("methodArn") or event.get("routeArn"))
    return {
        "principalId": outcome.token.sub if isinstance(outcome, Verified) else "anyone",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow" if allowed else "Deny", "Resource": what}],
        },
        "context": _context(outcome),
    }
