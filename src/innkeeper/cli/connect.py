"""``innkeeper connect``: from what Terraform made, or a twin, to a profile that the other commands take."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from innkeeper.client.profiles import Profile, from_outputs, keep
from innkeeper.protocol.refusals import UsageError


def command(
    name: Annotated[str, typer.Argument(help="What the profile shall be called.")],
    outputs: Annotated[
        str, typer.Option(help="A file with what terraform output -json printed; '-' reads it from standard input.")
    ] = "",
    terraform: Annotated[
        Path | None, typer.Option(help="The folder of a Terraform configuration that was applied, to ask it.")
    ] = None,
    twin: Annotated[str, typer.Option(help="A twin of the inn here: cognito or entra.")] = "",
    client: Annotated[str, typer.Option(help="Which client, where there are several.")] = "",
    config: Annotated[Path | None, typer.Option(help="With --twin: the inn's settings file.")] = None,
) -> None:
    """Remember an issuer and a client there under a name, for --profile of token, login, explain, doctor and tour.

    Without --outputs, --terraform or --twin you are asked. The profile is a file that only you can read.
    """
    if sum(map(bool, (outputs, terraform, twin))) > 1:
        raise UsageError("give one of --outputs, --terraform and --twin: where shall the profile come from?")
    if twin:
        profile = from_outputs(_twin(twin, config), client)
    elif outputs or terraform:
        profile = from_outputs(_read(outputs) if outputs else _terraform(terraform or Path()), client)
    else:
        profile = _asked()
    path = keep(name, profile)
    print(f"{path}: {profile.client_id} at {profile.issuer}")
    print(f"Try: innkeeper token --profile {name} | innkeeper explain --profile {name}")


def _read(source: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {source}: {error}") from None
    return _document(text, source)


def _terraform(folder: Path) -> dict[str, Any]:
    words = ["terraform", f"-chdir={folder}", "output", "-json"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, our own words
    except FileNotFoundError:
        raise UsageError("there is no terraform here; --outputs takes what terraform output -json printed") from None
    if done.returncode:
        raise UsageError(f"terraform output failed in {folder}: {done.stderr.strip().splitlines()[-1]}")
    return _document(done.stdout, "what Terraform printed")


def _document(text: str, source: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{source} is not JSON: {error}. Write it with: terraform output -json") from None
    if not isinstance(document, dict) or not document:
        raise UsageError(f"{source} holds no outputs. Was the configuration applied?")
    return document


def _twin(dialect: str, config: Path | None) -> dict[str, Any]:
    """A twin in the words of the modules' outputs."""
    from innkeeper.cli.twin_show import shown_twins

    twins = {one["dialect"]: one for one in shown_twins(config)}
    if dialect not in twins:
        raise UsageError(f"--twin {dialect!r}: the settings have {', '.join(twins) or 'no twins'}")
    twin = twins[dialect]
    return {**_clients(twin), **(_of_entra(twin) if "apis" in twin else _of_cognito(twin))}


def _clients(twin: dict[str, Any]) -> dict[str, Any]:
    return {
        "issuer": twin["issuer"],
        "token_endpoint": twin["endpoints"]["token"],
        "client_ids": {one["name"]: one["id"] for one in twin["clients"]},
        "client_secrets": {one["name"]: one["secret"] for one in twin["clients"] if one["secret"]},
    }


def _of_cognito(twin: dict[str, Any]) -> dict[str, Any]:
    """An API there knows its tokens by their client; scopes are asked for one by one. Where two APIs have a scope of one
    name, that of the API with the shorter name is meant."""
    named = {one["name"]: " ".join(scope for scope in one["scopes"] if "/" in scope) for one in twin["clients"]}
    return {
        "audience": [one["id"] for one in twin["clients"]],
        "audience_claim": "client_id",
        "scopes": {one.rpartition("/")[2]: one for one in sorted(twin["scopes"], key=len, reverse=True) if "/" in one},
        "request_scopes": {one["name"]: named[one["name"]] for one in twin["clients"] if one["secret"]},
    }


def _of_entra(twin: dict[str, Any]) -> dict[str, Any]:
    """The first API; a machine asks for everything it was assigned there."""
    api = twin["apis"][0]
    return {
        "audience": [api["id"]],
        "audience_claim": "aud",
        "scopes": {one.rpartition("/")[2]: one for one in api["scopes"]},
        "roles": {one.removesuffix(".all"): one for one in api["roles"]},
        "request_scopes": {one["name"]: api["default_scope"] for one in twin["clients"] if one["secret"]},
    }


def _asked() -> Profile:
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to be asked: give --outputs, --terraform or --twin")
    return Profile(
        issuer=typer.prompt("Issuer, as its tokens write it in iss"),
        client_id=typer.prompt("Client id"),
        client_secret=typer.prompt("Client secret (empty for none)", default="", hide_input=True, show_default=False),
        scope=typer.prompt("Scopes, with spaces between", default="", show_default=False),
        audience=tuple(typer.prompt("The API's name in aud", default="", show_default=False).split()),
    )
