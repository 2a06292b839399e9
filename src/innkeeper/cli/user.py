"""``innkeeper user``: make accounts, list them, set a password, shut and open them, help who lost a phone."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from innkeeper.cli.state import with_realm
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.registry import add_person, disable_person, enable_person, reset_factors, set_password

app = typer.Typer(
    help="Add people, list them, set passwords, shut accounts.", no_args_is_help=True, add_completion=False
)

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; innkeeper.toml here by default.")]


@app.command("add")
def add(
    username: Annotated[str, typer.Argument(help="The name to sign in with, such as an e-mail address.")],
    name: Annotated[str, typer.Option(help="The person's full name.")] = "",
    email: Annotated[str, typer.Option(help="The e-mail address; the user name where that is one.")] = "",
    config: Config = None,
) -> None:
    """Make an account. The password is asked for, or read from a pipe's first line; never from an argument."""
    claims: dict[str, object] = {"name": name} if name else {}
    if address := email or (username if "@" in username else ""):
        claims |= {"email": address, "email_verified": False}
    password = _password()
    person = with_realm(config, lambda realm: add_person(realm, username, password, claims))
    print(f"sub  {person.sub}")


@app.command("list")
def list_all(config: Config = None) -> None:
    """List everybody."""

    async def read(realm: Realm) -> list[Person]:
        return list(await realm.store.people())

    people = with_realm(config, read)
    width = max((len(one.username) for one in people), default=0)
    for one in people:
        print(f"{one.username:{width}}  {one.sub}{'  disabled' if one.disabled else ''}")


@app.command("password")
def password(username: Annotated[str, typer.Argument(help="Whose.")], config: Config = None) -> None:
    """Set somebody's password. It is asked for, or read from a pipe's first line."""
    new = _password()
    with_realm(config, lambda realm: set_password(realm, username, new))


@app.command("disable")
def disable(username: Annotated[str, typer.Argument(help="Whose.")], config: Config = None) -> None:
    """Shut an account: nobody signs in with it, its sessions end, and so does all that it allowed."""
    with_realm(config, lambda realm: disable_person(realm, username))


@app.command("enable")
def enable(username: Annotated[str, typer.Argument(help="Whose.")], config: Config = None) -> None:
    """Open a shut account again."""
    with_realm(config, lambda realm: enable_person(realm, username))


@app.command("reset-factors")
def reset(username: Annotated[str, typer.Argument(help="Whose.")], config: Config = None) -> None:
    """Take away somebody's codes, recovery codes and passkeys: for people who lost their phone."""
    with_realm(config, lambda realm: reset_factors(realm, username))


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Password: ")
