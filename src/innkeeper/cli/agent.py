"""``innkeeper agent``: programs that act for people by their own judgement: add, show, pause, resume and revoke them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from innkeeper.cli.administering import PlanOnly, change
from innkeeper.cli.state import with_realm
from innkeeper.issuer.core.client_metadata import describe
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.desk import agents
from innkeeper.issuer.desk.realm import Realm
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object

app = typer.Typer(help="Add agents, and pause, resume and revoke them.", no_args_is_help=True, add_completion=False)

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; innkeeper.toml here by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AgentId = Annotated[str, typer.Argument(metavar="ID", help="The agent's client_id.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Its name, as people see it.")],
    owner: Annotated[str, typer.Option(help="The user name of the person who answers for it.")],
    purpose: Annotated[str, typer.Option(help="What it is for, in a sentence for those it acts for.")],
    scope: Annotated[list[str], typer.Option(help="A scope it may have at most; repeat for several.")],
    resource: Annotated[list[str] | None, typer.Option(help="A resource it may use; all where none is named.")] = None,
    jwks: Annotated[Path | None, typer.Option(help="Its public keys (a JWK set); without, it gets a secret.")] = None,
    grant: Annotated[list[str] | None, typer.Option(help="A grant it may use, instead of the usual two.")] = None,
    agent_id: Annotated[str, typer.Option("--id", help="Its client_id; a random one by default.")] = "",
    plan: PlanOnly = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Add an agent. It acts for itself (client_credentials) and, by token exchange, for people.

    Its scopes and resources are a ceiling: whoever it acts for, it gets no more than that, no more than the person has,
    and no more than it asks for.
    """
    values = {
        "name": name,
        "owner": owner,
        "purpose": purpose,
        "id": agent_id,
        "scopes": [word for value in scope for word in value.split()],
        "resources": resource or [],
        "grants": grant or None,
        "jwks": _read(jwks) if jwks else None,
    }
    done = change(config, "agent.add", "", values, plan=plan)
    if done is None:
        return
    secret = done.told.get("client_secret")
    client = with_realm(config, lambda realm: agents.known_agent(realm, done.key))
    if as_json:
        _print_json({**_document(client, owner), **({"client_secret": secret} if secret else {})})
        return
    print(f"client_id      {client.id}")
    if secret:
        print(f"client_secret  {secret}", flush=True)
        print("The secret is stored as a hash and will not be shown again.", file=sys.stderr)


@app.command("list")
def list_all(as_json: Json = False, config: Config = None) -> None:
    """List every agent: its status, its name, who answers for it and what it is for."""
    found = with_realm(config, _all)
    if as_json:
        _print_json([_document(client, owner) for client, owner in found])
        return
    width = max((len(client.id) for client, _ in found), default=0)
    for client, owner in found:
        if client.agent is not None:
            print(f"{client.id:{width}}  {client.agent.status:7}  {client.name} of {owner}: {client.agent.purpose}")


@app.command("show")
def show(agent_id: AgentId, config: Config = None) -> None:
    """Print an agent as JSON: who answers for it, its status, and the most that it may do."""

    async def read(realm: Realm) -> tuple[Client, str]:
        client = await agents.known_agent(realm, agent_id)
        return client, await _owner(realm, client)

    _print_json(_document(*with_realm(config, read)))


@app.command("pause")
def pause(agent_id: AgentId, plan: PlanOnly = False, config: Config = None) -> None:
    """Let an agent do nothing from now on, and what it was given count for nothing where it is looked up."""
    _change(config, agent_id, "agent.pause", "is paused", plan=plan)


@app.command("resume")
def resume(agent_id: AgentId, plan: PlanOnly = False, config: Config = None) -> None:
    """Let a paused agent act again."""
    _change(config, agent_id, "agent.resume", "is active", plan=plan)


@app.command("revoke")
def revoke(agent_id: AgentId, plan: PlanOnly = False, config: Config = None) -> None:
    """Stop an agent for good."""
    _change(config, agent_id, "agent.revoke", "is revoked, for good", plan=plan)


def _change(config: Path | None, agent_id: str, action: str, outcome: str, *, plan: bool) -> None:
    if change(config, action, agent_id, {}, plan=plan):
        print(f"{agent_id} {outcome}.", file=sys.stderr)


async def _all(realm: Realm) -> list[tuple[Client, str]]:
    found = [one for one in await realm.store.clients() if one.agent is not None]
    return [(one, await _owner(realm, one)) for one in found]


async def _owner(realm: Realm, client: Client) -> str:
    owner = await realm.store.person(client.agent.owner) if client.agent else None
    return owner.username if owner else "nobody"


def _document(client: Client, owner: str) -> dict[str, Any]:
    agent = client.agent
    said = (
        {"owner": owner, "purpose": agent.purpose, "status": agent.status, "status_since": agent.since} if agent else {}
    )
    return {**describe(client), "resources": list(client.resources), **said}


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_object(file.read_bytes())
    except (OSError, NotStrict) as error:
        raise UsageError(f"cannot read the keys in {file}: {error}") from None


def _print_json(document: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
