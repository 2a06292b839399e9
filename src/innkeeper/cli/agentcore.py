"""``innkeeper agentcore``: what to tell Amazon Bedrock AgentCore of an issuer, as JSON to hand to its commands."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
import typer

from innkeeper.client.asking import ask, get
from innkeeper.client.wire import run
from innkeeper.explain.authorizer import authorizer
from innkeeper.explain.kit import Wanted, authorizer_for, card_for, provider_for
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object

Part = Literal["authorizer", "provider", "card", "all"]


def command(
    issuer: Annotated[str, typer.Argument(help="The issuer, as its tokens write it in iss.")],
    audience: Annotated[str, typer.Option(help="Your agent's name in aud; a user pool of Cognito writes none.")] = "",
    client_id: Annotated[str, typer.Option(help="The client that calls the agent, or that the agent is.")] = "",
    scope: Annotated[str, typer.Option(help="The scopes, or Entra's roles, with spaces between.")] = "",
    name: Annotated[str, typer.Option(help="The credential provider's name.")] = "innkeeper",
    part: Annotated[Part, typer.Option(help="Which of the three to print.")] = "all",
    machine: Annotated[bool, typer.Option("--machine", help="Callers act for themselves, not for a person.")] = False,
) -> int:
    """Print the authorizer's configuration, the credential provider's, and the security block of the agent's card.

    The issuer's document is read where it can be reached; innkeeper, Cognito and Entra ID are told apart by the issuer.
    Check a token against the first with: innkeeper explain - --as FILE. The secret is left out: add clientSecret, or where it is kept.
    """
    if not client_id or not scope.split() or not (audience or _is_cognito(issuer)):
        raise UsageError("give --client-id and --scope, and --audience unless the issuer is a user pool of Cognito")
    wanted = Wanted(issuer=issuer, audience=audience, client=client_id, scopes=tuple(scope.split()), machine=machine)
    parts = _parts(wanted, name, part)
    if "authorizerConfiguration" in parts:
        authorizer(json.dumps(parts).encode(), "the generated configuration")
    print(json.dumps(parts, indent=2))
    return 0


def _parts(wanted: Wanted, name: str, part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if part in ("authorizer", "all"):
        found["authorizerConfiguration"] = authorizer_for(wanted)
    if part in ("provider", "card", "all"):
        known = msgspec.structs.replace(wanted, metadata=_read(wanted))
        found |= {"oauth2CredentialProvider": provider_for(known, name)} if part != "card" else {}
        found |= {"agentCard": card_for(known)} if part != "provider" else {}
    return found


def _read(wanted: Wanted) -> dict[str, Any]:
    """The issuer's document; empty where it says something else."""
    reply = run(ask(get(wanted.discovery, "the issuer's metadata")))
    try:
        return read_object(reply.body) if reply.status == 200 else {}
    except NotStrict:
        return {}


def _is_cognito(issuer: str) -> bool:
    return Wanted(issuer=issuer, audience="", client="", scopes=()).maker.name == "COGNITO"
