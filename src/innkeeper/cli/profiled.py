"""``--profile``: what a profile says stands in for options that were not given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import click
import typer

from innkeeper.client.profiles import Profile, load

ByName = Callable[[Profile], dict[str, Any]]


def _option(stands_in: ByName) -> Any:
    """The option ``--profile``; ``stands_in`` gives a command's parameters what the profile says of them."""

    def taken(context: typer.Context, name: str) -> str:
        if name:
            said = {parameter: value for parameter, value in stands_in(load(name)).items() if value not in ("", None)}
            context.default_map = {**(context.default_map or {}), **said}
            for parameter in context.command.params:
                if parameter.name in said and isinstance(parameter, click.Parameter):
                    parameter.required = False
        return name

    return typer.Option(
        callback=taken,
        is_eager=True,
        envvar="INNKEEPER_PROFILE",
        help="A profile of innkeeper connect.",
        show_default=False,
    )


def _for_a_token(profile: Profile) -> dict[str, Any]:
    return {
        "issuer": profile.issuer,
        "client_id": profile.client_id,
        "client_secret": profile.client_secret,
        "scope": profile.scope,
        "resource": profile.resource,
        "pkce_known": profile.pkce_known or None,
    }


def _for_a_reader(profile: Profile) -> dict[str, Any]:
    return {"issuer": profile.issuer, "audience": profile.audience_of_this_client}


Caller = Annotated[str, _option(_for_a_token)]
"""For commands that get tokens."""

Reader = Annotated[str, _option(_for_a_reader)]
"""For commands that judge tokens."""

Issuer = Annotated[str, _option(lambda profile: {"issuer": profile.issuer})]
"""For commands that need the issuer alone."""
