"""``innkeeper user``: make accounts, list and show them, set a password, lock and erase them, help who lost a phone."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from innkeeper.cli.administering import Config, Json, PlanOnly, change, look, print_json
from innkeeper.cli.state import with_realm
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.desk.realm import Realm
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object

app = typer.Typer(
    help="Add people, list them, set passwords, lock accounts.", no_args_is_help=True, add_completion=False
)

Whose = Annotated[str, typer.Argument(help="The name that they sign in with, or their sub.")]


@app.command("add")
def add(
    username: Annotated[str, typer.Argument(help="The name to sign in with, such as an e-mail address.")],
    name: Annotated[str, typer.Option(help="The person's full name.")] = "",
    email: Annotated[str, typer.Option(help="The e-mail address; the user name where that is one.")] = "",
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Make an account. The password is asked for, or read from a pipe's first line; never from an argument."""
    claims: dict[str, object] = {"name": name} if name else {}
    if address := email or (username if "@" in username else ""):
        claims |= {"email": address, "email_verified": False}
    values = {"username": username, "password": _password(), "claims": claims}
    if done := change(config, "person.add", "", values, plan=plan):
        print(f"sub  {done.told['sub']}")


@app.command("list")
def list_all(as_json: Json = False, config: Config = None) -> None:
    """List everybody."""

    async def read(realm: Realm) -> list[Person]:
        return list(await realm.store.people())

    people = with_realm(config, read)
    if as_json:
        print_json([{"sub": one.sub, "username": one.username, "locked": one.disabled} for one in people])
        return
    width = max((len(one.username) for one in people), default=0)
    for one in people:
        print(f"{one.username:{width}}  {one.sub}{'  disabled' if one.disabled else ''}")


@app.command("show")
def show(username: Whose, config: Config = None) -> None:
    """Print what is known of somebody and where they are signed in, as JSON. Nothing secret is shown."""
    print_json(look(config, "person", username))


@app.command("change")
def alter(
    username: Whose,
    rename: Annotated[str | None, typer.Option(help="The name to sign in with from now on.")] = None,
    claims: Annotated[Path | None, typer.Option(help="A JSON file with all their OpenID claims from now on.")] = None,
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Change what is known of somebody."""
    values = {"username": rename, "claims": _read(claims) if claims else None}
    if change(config, "person.change", username, values, plan=plan):
        print(f"{rename or username} is changed.", file=sys.stderr)


@app.command("password")
def password(username: Whose, plan: PlanOnly = False, config: Config = None) -> None:
    """Set somebody's password, and sign them out. It is asked for, or read from a pipe's first line."""
    change(config, "person.password", username, {"password": _password()}, plan=plan)


@app.command("disable")
def disable(username: Whose, plan: PlanOnly = False, config: Config = None) -> None:
    """Lock an account: nobody signs in with it, its sessions end, and so does all that it allowed."""
    change(config, "person.lock", username, {}, plan=plan)


@app.command("enable")
def enable(username: Whose, plan: PlanOnly = False, config: Config = None) -> None:
    """Unlock an account."""
    change(config, "person.unlock", username, {}, plan=plan)


@app.command("reset-factors")
def reset(username: Whose, plan: PlanOnly = False, config: Config = None) -> None:
    """Take away somebody's codes, recovery codes and passkeys: for people who lost their phone."""
    change(config, "person.reset-factors", username, {}, plan=plan)


@app.command("sign-out")
def sign_out(username: Whose, plan: PlanOnly = False, config: Config = None) -> None:
    """Sign somebody out of every browser. The clients that asked to be told are told."""
    change(config, "person.sign-out", username, {}, plan=plan)


@app.command("erase")
def erase(
    username: Whose,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Forget somebody and all that is remembered of them. This cannot be taken back."""
    if not yes and not plan:
        typer.confirm(f"Everything that is remembered of {username} goes. Go on?", abort=True)
    change(config, "person.erase", username, {}, plan=plan)


def _read(file: Path) -> dict[str, object]:
    try:
        return read_object(file.read_bytes())
    except (OSError, NotStrict) as error:
        raise UsageError(f"cannot read the claims in {file}: {error}") from None


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Password: ")
