"""``innkeeper keys``: the keys that sign and those that others encrypt to; new ones, old ones, stolen ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from innkeeper.cli.administering import Config, PlanOnly, change, look, print_json
from innkeeper.cli.state import with_keys
from innkeeper.issuer.app import NATIVE_REALM
from innkeeper.issuer.core.admin.plan import Plan
from innkeeper.issuer.desk.key_care import AHEAD, Cupboard
from innkeeper.keys import jwe
from innkeeper.keys.stored import StoredKey

app = typer.Typer(help="List, rotate, retire and revoke keys.", no_args_is_help=True, add_completion=False)

RealmName = Annotated[str, typer.Option("--realm", help="Whose keys: native, or a twin's id.")]
Kid = Annotated[str, typer.Argument(help="The key's id, or how it begins.", metavar="KID")]


@app.command("list")
def list_all(realm: RealmName = "", config: Config = None) -> None:
    """List every key and what it does now."""

    async def read(cupboard: Cupboard) -> tuple[list[StoredKey], int]:
        keys = await cupboard.memory.keys()
        return sorted(keys, key=lambda one: (one.alg, one.purpose, one.active_from)), cupboard.now

    keys, now = with_keys(config, realm, read)
    for one in keys:
        print(f"{one.kid}  {one.alg:7} {_state(one, now)}{f', {one.purpose}' if one.purpose else ''}")


@app.command("show")
def show(kid: Kid, realm: RealmName = "", config: Config = None) -> None:
    """Print a key as JSON: what it does now, never its private half."""
    print_json(look(config, "key", f"{realm or NATIVE_REALM}/{kid}"))


@app.command("rotate")
def rotate(
    alg: Annotated[
        str,
        typer.Option(
            help="The algorithm: ES256, RS256, PS256, ES384 or EdDSA; ECDH-ES or RSA-OAEP-256 for a key to encrypt to."
        ),
    ] = "ES256",
    ahead: Annotated[int, typer.Option(help="Seconds that the new key is published before it signs.")] = AHEAD,
    purpose: Annotated[str, typer.Option(help="What alone it signs, in a twin with several keys.")] = "",
    realm: RealmName = "",
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Make a new key. It is published at once, signs a while later, and the old one stays published after that."""
    values = {"alg": alg, "ahead": ahead, "purpose": purpose}
    done = change(config, "key.rotate", realm or NATIVE_REALM, values, plan=plan)
    if done is None:
        return
    key = _kept(config, realm, done.told["kid"])
    does = "opens what is encrypted to it" if alg in jwe.ALGORITHMS else f"signs from {_time(key.active_from)}"
    print(f"{key.kid}  {key.alg:7} {does}")


@app.command("retire")
def retire(kid: Kid, realm: RealmName = "", plan: PlanOnly = False, config: Config = None) -> None:
    """Have a key sign no more. It stays published until the last token that it signed has expired."""
    done = change(config, "key.retire", f"{realm or NATIVE_REALM}/{kid}", {}, plan=plan)
    if done is None:
        return
    key = _kept(config, realm, done.key)
    print(f"{key.kid}  {key.alg:7} published until {_time(key.expires_at or 0)}")


@app.command("revoke")
def revoke(
    kid: Kid,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    realm: RealmName = "",
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Take a stolen key away at once, on every node, and with it all tokens that it signed. Another one takes its place."""
    if not yes and not plan:
        typer.confirm(f"Every token that key {kid} signed stops working now. Go on?", abort=True)
    done: Plan | None = change(config, "key.revoke", f"{realm or NATIVE_REALM}/{kid}", {}, plan=plan)
    if done is None:
        return
    gone = _kept(config, realm, done.key)
    print(f"{gone.kid}  {gone.alg:7} withdrawn")
    if "kid" in done.told:
        fresh = _kept(config, realm, done.told["kid"])
        print(f"{fresh.kid}  {fresh.alg:7} takes its place")


def _kept(config: Path | None, realm: str, kid: str) -> StoredKey:
    """The key as it is remembered now."""

    async def read(cupboard: Cupboard) -> StoredKey:
        return next(one for one in await cupboard.memory.keys() if one.kid == kid)

    return with_keys(config, realm, read)


def _state(key: StoredKey, now: int) -> str:
    if key.expires_at is not None and key.expires_at <= now:
        return f"withdrawn since {_time(key.expires_at)}"
    if key.active_from > now and key.alg not in jwe.ALGORITHMS:
        return f"published, signs from {_time(key.active_from)}"
    if key.expires_at is not None:
        return f"published until {_time(key.expires_at)}"
    return "opens what is encrypted to it" if key.alg in jwe.ALGORITHMS else "signs"


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
