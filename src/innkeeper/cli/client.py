"""``innkeeper client``: register clients, list and show them, give one a new secret, remove it, invite others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from innkeeper.cli.administering import Config, Json, PlanOnly, change, print_json
from innkeeper.cli.state import with_realm
from innkeeper.issuer.core.client_metadata import describe
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.registry import known_client
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object

app = typer.Typer(help="Add, list and change clients.", no_args_is_help=True, add_completion=False)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Its name, as people see it on the consent page.")],
    public: Annotated[bool, typer.Option("--public", help="It cannot keep a secret: an app, a CLI, a page.")] = False,
    redirect_uri: Annotated[list[str] | None, typer.Option(help="Where codes are sent; repeat for several.")] = None,
    grant: Annotated[list[str] | None, typer.Option(help="A grant it may use; repeat for several.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="A scope it may have; all where none is named.")] = None,
    resource: Annotated[list[str] | None, typer.Option(help="A resource it may use; all where none is named.")] = None,
    post_logout_redirect_uri: Annotated[list[str] | None, typer.Option(help="Where signing out leads.")] = None,
    client_id: Annotated[str, typer.Option("--id", help="Its client_id; a random one by default.")] = "",
    profile: Annotated[str, typer.Option(help="The rules it lives by, where they are not the issuer's.")] = "",
    metadata: Annotated[Path | None, typer.Option(help="A JSON file with more of RFC 7591, such as jwks.")] = None,
    plan: PlanOnly = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Register a client. Its secret is shown once and stored as a hash."""
    new = {
        "name": name,
        "id": client_id,
        "public": public,
        "redirect_uris": redirect_uri or [],
        "post_logout_redirect_uris": post_logout_redirect_uri or [],
        "grants": grant or [],
        "scopes": _words(scope),
        "resources": resource or [],
        "profile": profile,
        "metadata": _read(metadata) if metadata else {},
    }
    done = change(config, "client.add", "", new, plan=plan)
    if done is None:
        return
    made, secret = done.told["client_id"], done.told.get("client_secret")
    if as_json:
        client = with_realm(config, lambda realm: known_client(realm, made))
        print_json({**describe(client), **({"client_secret": secret} if secret else {})})
        return
    print(f"client_id      {made}")
    if secret:
        print(f"client_secret  {secret}", flush=True)
        print("The secret is stored as a hash and will not be shown again.", file=sys.stderr)


@app.command("list")
def list_all(as_json: Json = False, config: Config = None) -> None:
    """List every client."""

    async def read(realm: Realm) -> list[Client]:
        return list(await realm.store.clients())

    clients = with_realm(config, read)
    if as_json:
        print_json([describe(one) for one in clients])
        return
    width = max((len(one.id) for one in clients), default=0)
    for one in clients:
        kind = "public" if one.public else "confidential"
        print(f"{one.id:{width}}  {kind:12}  {one.name}  ({', '.join(sorted(one.grants))})")


@app.command("rotate")
def rotate(
    client_id: Annotated[str, typer.Argument(help="The client_id.")],
    keep: Annotated[int, typer.Option(help="Seconds that the old secrets go on working.")] = 0,
    plan: PlanOnly = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Give a client a new secret."""
    done = change(config, "client.rotate-secret", client_id, {"keep": keep}, plan=plan)
    if done is None:
        return
    secret = done.told["client_secret"]
    if as_json:
        print_json({"client_id": client_id, "client_secret": secret})
        return
    print(f"client_secret  {secret}", flush=True)
    still = f"work for {keep} more seconds" if keep else "no longer work"
    print(f"The old secrets {still}. The new one is stored as a hash and will not be shown again.", file=sys.stderr)


@app.command("show")
def show(client_id: Annotated[str, typer.Argument(help="The client_id.")], config: Config = None) -> None:
    """Print what is registered of a client, as JSON under the names of RFC 7591. A secret is never shown."""
    client = with_realm(config, lambda realm: known_client(realm, client_id))
    print_json({**describe(client), **({"profile": client.profile} if client.profile else {})})


@app.command("change")
def alter(
    client_id: Annotated[str, typer.Argument(help="The client_id.")],
    name: Annotated[str | None, typer.Option(help="Its name, as people see it.")] = None,
    redirect_uri: Annotated[list[str] | None, typer.Option(help="All that it has from now on.")] = None,
    post_logout_redirect_uri: Annotated[list[str] | None, typer.Option(help="All that it has from now on.")] = None,
    grant: Annotated[list[str] | None, typer.Option(help="All that it may use from now on.")] = None,
    add_scope: Annotated[list[str] | None, typer.Option(help="A scope that it may have, too.")] = None,
    remove_scope: Annotated[list[str] | None, typer.Option(help="A scope that it may have no more.")] = None,
    metadata: Annotated[Path | None, typer.Option(help="A JSON file with members of RFC 7591 to set.")] = None,
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Change a client: what is named, and nothing else."""
    adds, removes = _words(add_scope), _words(remove_scope)
    scopes = None
    if adds or removes:
        known = with_realm(config, lambda realm: known_client(realm, client_id))
        scopes = sorted({*known.scopes, *adds} - {*removes})
    values = {
        "name": name,
        "redirect_uris": redirect_uri or None,
        "post_logout_redirect_uris": post_logout_redirect_uri or None,
        "grants": grant or None,
        "scopes": scopes,
        "metadata": _read(metadata) if metadata else None,
    }
    if change(config, "client.change", client_id, values, plan=plan):
        print(f"{client_id} is changed.", file=sys.stderr)


@app.command("profile")
def profile(
    client_id: Annotated[str, typer.Argument(help="The client_id.")],
    name: Annotated[str, typer.Argument(help="One that `innkeeper profile` lists; the issuer's without.")] = "",
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Let a client live by another profile, from its next request on."""
    if change(config, "client.change", client_id, {"profile": name}, plan=plan):
        print(f"{client_id} lives by {name or 'the profile of the issuer'} now.", file=sys.stderr)


@app.command("remove")
def remove(
    client_id: Annotated[str, typer.Argument(help="The client_id.")], plan: PlanOnly = False, config: Config = None
) -> None:
    """Forget a client, and end everything that people allowed it."""
    if change(config, "client.remove", client_id, {}, plan=plan) is None:
        return
    print(f"{client_id} is no longer a client here.", file=sys.stderr)


@app.command("invite")
def send_invitation(
    uses: Annotated[int, typer.Option(min=1, max=10_000, help="How many clients may register with it.")] = 1,
    seconds: Annotated[int, typer.Option(min=60, max=31_536_000, help="How long it is good for.")] = 86_400,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Print an initial access token, with which a client registers itself where registration is by invitation."""
    done = change(config, "client.invite", "", {"uses": uses, "seconds": seconds}, plan=False)
    token = done.told["initial_access_token"] if done else ""
    if as_json:
        print_json({"initial_access_token": token, "uses": uses, "expires_in": seconds})
        return
    print(token)


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_object(file.read_bytes())
    except (OSError, NotStrict) as error:
        raise UsageError(f"cannot read the metadata in {file}: {error}") from None


def _words(values: list[str] | None) -> list[str]:
    """Scopes given one by one or several in one value, as they stand in a request."""
    return [word for value in values or () for word in value.split()]
