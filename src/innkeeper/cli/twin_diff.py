"""``innkeeper twin diff``: the same agent's or person's tokens from every realm of a running house, claim by claim."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import httpx2
import msgspec
import typer
from rich.table import Table

from innkeeper.cli.show import show
from innkeeper.cli.twin_show import SHOWN
from innkeeper.cli.walking import Walker
from innkeeper.guard.unverified import read_unverified
from innkeeper.issuer.settings import SeedClient, Settings, load
from innkeeper.protocol import pkce
from innkeeper.protocol.refusals import Unreachable, UsageError

AGENT, PERSON = "concierge", "guest-app"
_VERIFIER = "a-verifier-that-guards-nothing-but-a-comparison"
_LONGEST = 44


class Side(NamedTuple):
    """A realm, and what it has to be told: the addresses, a client, a scope and where its answer goes."""

    name: str
    authorize: str
    token: str
    client: str
    secret: str
    scope: str
    redirect: str


def command(
    person: Annotated[
        bool, typer.Option("--person", help="Sign a guest in; else the concierge acts for itself.")
    ] = False,
    config: Annotated[Path | None, typer.Option(help="The settings file; innkeeper.toml here by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
) -> None:
    """Get one token from each realm of the running house, and lay their claims side by side."""
    settings = load(config)
    found = {
        side.name: _claims(settings, side, person=person) for side in _sides(settings, PERSON if person else AGENT)
    }
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    table = Table("claim", *found, box=None, pad_edge=False)
    for name in dict.fromkeys(name for claims in found.values() for name in claims):
        table.add_row(name, *(_short(claims, name) for claims in found.values()))
    show(table)


def _sides(settings: Settings, name: str) -> list[Side]:
    client = next((one for one in settings.client if one.id == name), None)
    if client is None:
        raise UsageError(f"the settings have no client {name!r}, which the realms are compared by")
    shown = [SHOWN[one.dialect](settings, one) for one in settings.twin if one.dialect in SHOWN]
    return [_native(settings, client), *(_twin(one, name) for one in shown)]


def _native(settings: Settings, client: SeedClient) -> Side:
    origin = settings.origin
    redirect = client.redirect_uris[0] if client.redirect_uris else ""
    scope = next((one for api in settings.resource for one in api.scopes if one in client.scopes), "")
    return Side("native", f"{origin}/authorize", f"{origin}/token", client.id, client.secret, scope, redirect)


def _twin(shown: Mapping[str, Any], name: str) -> Side:
    client = next(one for one in shown["clients"] if one["name"] == name)
    scope = next((one for one in client["scopes"] if ":" in one), "")
    if client["secret"] and "apis" in shown:
        scope = shown["apis"][0]["default_scope"]
    endpoints, redirects = shown["endpoints"], client["redirect_uris"] or [""]
    return Side(
        shown["dialect"],
        endpoints["authorize"],
        endpoints["token"],
        client["id"],
        client["secret"] or "",
        scope,
        redirects[0],
    )


def _claims(settings: Settings, side: Side, *, person: bool) -> dict[str, Any]:
    """The claims of the access token that a realm gives. Raises ``Unreachable`` where the house is shut."""
    form = {
        "client_id": side.client,
        "client_secret": side.secret,
        "scope": side.scope,
        "grant_type": "client_credentials",
    }
    try:
        with httpx2.Client(trust_env=False, timeout=30) as browser:
            if person:
                form = _redeeming(settings, side, Walker(browser, settings.origin))
            answer = browser.post(side.token, data={name: value for name, value in form.items() if value})
    except httpx2.TransportError as error:
        raise Unreachable(
            f"nothing answers at {settings.origin}: {error}. Start the house with `innkeeper up`."
        ) from None
    if answer.status_code != 200:
        raise UsageError(f"{side.name} gave no token: {answer.text[:300]}")
    return dict(read_unverified(str(answer.json()["access_token"])).claims)


def _redeeming(settings: Settings, side: Side, walker: Walker) -> dict[str, str]:
    """What redeems the code of a guest who signed in, as a browser would, at the realm's own pages."""
    guest = next(iter(settings.person), None)
    if guest is None:
        raise UsageError("the settings have no [[person]] to sign in")
    asked = {
        "client_id": side.client,
        "response_type": "code",
        "redirect_uri": side.redirect,
        "scope": f"openid {side.scope}",
        "state": "twin-diff",
        "code_challenge": pkce.challenge(_VERIFIER),
        "code_challenge_method": pkce.METHOD,
    }
    back = walker.through(f"{side.authorize}?{httpx2.QueryParams(asked)}", guest.username, guest.password)
    code = back.params.get("code")
    if not code:
        raise UsageError(f"{side.name} gave no code: {back}")
    return {
        "grant_type": "authorization_code",
        "client_id": side.client,
        "code": code,
        "redirect_uri": side.redirect,
        "code_verifier": _VERIFIER,
    }


def _short(claims: Mapping[str, Any], name: str) -> str:
    if name not in claims:
        return ""
    value = claims[name]
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
