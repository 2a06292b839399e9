"""``innkeeper keys``: the keys that sign and those that others encrypt to, and new ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from innkeeper.cli.state import with_realm
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.registry import rotate_key
from innkeeper.keys import jwe
from innkeeper.keys.ring import StoredKey

app = typer.Typer(help="List and rotate keys.", no_args_is_help=True, add_completion=False)

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; innkeeper.toml here by default.")]


@app.command("list")
def list_all(config: Config = None) -> None:
    """List every key and what it does now."""

    async def read(realm: Realm) -> tuple[list[StoredKey], int]:
        return sorted(await realm.store.keys(), key=lambda one: (one.alg, one.active_from)), realm.now()

    keys, now = with_realm(config, read)
    for one in keys:
        print(f"{one.kid}  {one.alg:7} {_state(one, now)}")


@app.command("rotate")
def rotate(
    alg: Annotated[
        str,
        typer.Option(
            help="The algorithm: ES256, RS256, PS256, ES384 or EdDSA; ECDH-ES or RSA-OAEP-256 for a key to encrypt to."
        ),
    ] = "ES256",
    ahead: Annotated[int, typer.Option(help="Seconds that the new key is published before it signs.")] = 600,
    config: Config = None,
) -> None:
    """Make a new key. It is published at once, signs a while later, and the old one stays published after that."""
    key = with_realm(config, lambda realm: rotate_key(realm, alg, ahead))
    does = "opens what is encrypted to it" if alg in jwe.ALGORITHMS else f"signs from {_time(key.active_from)}"
    print(f"{key.kid}  {key.alg:7} {does}")


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
