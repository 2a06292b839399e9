"""A token that says nothing by itself, or that may have been taken back: what its issuer says of it.

The one reader that shows a token to anybody: to its issuer, and only for whoever gives the id and secret of an API there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from innkeeper.client.asking import Flow, ask, post
from innkeeper.client.credentials import Client, proof
from innkeeper.client.discovery import discover
from innkeeper.client.grants import refusal
from innkeeper.explain.guarded import Reading, audiences_of
from innkeeper.guard.guard import Guard
from innkeeper.guard.introspection import INQUIRY_CHECKS, Introspection
from innkeeper.guard.issuers.preset import Preset
from innkeeper.guard.scopes import SCOPE_CHECKS
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.verification import PRESENTED_CHECKS, SIGNED_CHECKS, USE_CHECKS


class Told(msgspec.Struct, frozen=True):
    """The issuer's answer, and what it says of the token; nothing for one that it calls dead."""

    reply: Reply
    claims: Mapping[str, Any]


def asking(issuer: str, client: Client, token: str) -> Flow[Told]:
    """Ask ``issuer`` about ``token`` as ``client``, an API that is registered there. Raises ``Refused``, ``Unreachable``,
    ``UsageError``."""
    if client.public:
        raise UsageError(
            "an issuer answers only whom it knows: give --client-secret ('-' reads it from standard input) or --signing-key, too"
        )
    metadata = yield from discover(issuer)
    headers, shown = yield from proof(client, metadata)
    form = [("token", token), ("token_type_hint", "access_token"), *shown]
    asked = post(metadata.endpoint("introspection"), "the introspection endpoint", form, headers)
    reply = yield from ask(asked)
    if reply.status != 200:
        raise refusal(reply, "the introspection endpoint")
    try:
        return Told(reply, read_object(reply.body))
    except NotStrict as error:
        raise UsageError(f"the introspection endpoint's answer cannot be read: {error}") from None


def reading(preset: Preset, audience: str | None, scopes: Iterable[str], told: Told, *, is_opaque: bool) -> Reading:
    """A guard that asks its issuer about every token: ``told`` is the answer it gets."""
    audiences = audiences_of(audience, told.claims)
    asked = Introspection(
        issuer=preset.issuer, client_id="-", client_secret="-", endpoint=f"{preset.issuer}/answered", every=1
    )

    def build(**world: Any) -> Guard:
        return Guard(preset, audiences, remembered=0, introspection=asked, send_blocking=lambda _: told.reply, **world)

    own = () if is_opaque else (*PRESENTED_CHECKS, *preset.early, *SIGNED_CHECKS, *preset.checks)
    return Reading(
        f"{audience or 'an API'}, which asks {preset.issuer}",
        (preset,),
        audiences,
        build,
        tuple(scopes),
        unnamed=not audience,
        checks=(*own, *INQUIRY_CHECKS, *USE_CHECKS, *SCOPE_CHECKS),
    )
