"""``innkeeper admin``: who administers, by which roles; how the server is doing; which realms it serves."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from innkeeper.cli.administering import Config, Json, PlanOnly, change, look, print_json
from innkeeper.cli.state import with_realm
from innkeeper.issuer.core.admin.permissions import ADMIN, ROLES
from innkeeper.issuer.desk.admin.showing import person_record
from innkeeper.issuer.desk.realm import Realm

app = typer.Typer(help="Say who administers, and what they may do.", no_args_is_help=True, add_completion=False)

Whose = Annotated[str, typer.Argument(help="The name that they sign in with, or their sub.")]
Role = Annotated[str, typer.Option(help="One that `innkeeper admin roles` lists, or a single permission.")]


@app.command("grant")
def grant(username: Whose, role: Role = ADMIN, plan: PlanOnly = False, config: Config = None) -> None:
    """Give somebody a role: they administer in the console at /admin from now on."""
    has = look(config, "person", username)["roles"]
    if change(config, "person.change", username, {"roles": sorted({*has, role})}, plan=plan):
        print(f"{username} has the role {role} now.", file=sys.stderr)


@app.command("revoke")
def revoke(
    username: Whose,
    role: Annotated[str, typer.Option(help="The role to take away; all of them where none is named.")] = "",
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Take a role away from somebody, or all that they have."""
    left = sorted({*look(config, "person", username)["roles"]} - {role}) if role else []
    if change(config, "person.change", username, {"roles": left}, plan=plan):
        print(f"{username} has {', '.join(left) if left else 'no role'} now.", file=sys.stderr)


@app.command("list")
def list_all(as_json: Json = False, config: Config = None) -> None:
    """List everybody who has a role."""

    async def read(realm: Realm) -> list[dict[str, Any]]:
        return [person_record(one) for one in await realm.store.people() if one.roles]

    found = with_realm(config, read)
    if as_json:
        print_json([{"sub": one["sub"], "username": one["username"], "roles": one["roles"]} for one in found])
        return
    if not found:
        print("Nobody administers. `innkeeper admin grant NAME` lets somebody.", file=sys.stderr)
    width = max((len(one["username"]) for one in found), default=0)
    for one in found:
        print(f"{one['username']:{width}}  {', '.join(one['roles'])}{'  locked' if one['locked'] else ''}")


@app.command("roles")
def roles() -> None:
    """List the roles there are, with their permissions."""
    for name, role in ROLES.items():
        print(f"{name}: {role.says}")
        for one in sorted(role.permissions):
            print(f"  {one}")


@app.command("health")
def health(config: Config = None) -> None:
    """Say what an administrator should look at, as JSON."""
    print_json(look(config, "health"))
