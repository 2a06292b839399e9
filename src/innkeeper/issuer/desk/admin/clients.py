"""Changes to clients, planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from innkeeper.issuer.core.admin.permissions import of_administration
from innkeeper.issuer.core.admin.plan import Plan, Sentence
from innkeeper.issuer.core.effects import CLIENT, PutClient, RemoveClient
from innkeeper.issuer.core.profiles import known_profile
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.desk import registration
from innkeeper.issuer.desk.admin.house import House, Missing
from innkeeper.issuer.desk.admin.showing import client_document
from innkeeper.issuer.desk.declared import with_metadata
from innkeeper.issuer.desk.realm import random_value
from innkeeper.issuer.desk.registry import NewClient, client_of, judge_client, long_names, with_new_secret
from innkeeper.protocol.refusals import UsageError


class ClientChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be otherwise; None leaves it as it is. ``metadata`` adds to what is registered or replaces it."""

    name: str | None = None
    grants: Sequence[str] | None = None
    scopes: Sequence[str] | None = None
    resources: Sequence[str] | None = None
    redirect_uris: Sequence[str] | None = None
    post_logout_redirect_uris: Sequence[str] | None = None
    profile: str | None = None
    pkce: Literal["always", "or-nonce", "optional"] | None = None
    may_act: str | None = None
    trusted: bool | None = None
    metadata: Mapping[str, Any] | None = None


class NewSecret(msgspec.Struct, frozen=True, kw_only=True):
    """``keep``: seconds that the old secrets go on working."""

    keep: int = 0


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """How many clients may register with it, and for how many seconds it is good."""

    uses: int = 1
    seconds: int = 86_400


async def add(house: House, _: str, said: NewClient) -> Plan:
    if said.agent is not None:
        raise UsageError("agent: an agent is added as one, with its owner and purpose: POST /agents")
    secret = random_value() if said.keeps_secret else None
    client = client_of(house.realm, said, secret)
    told = {"client_id": client.id, **({"client_secret": secret} if secret else {})}
    follows = (Sentence("It is given a secret, which is shown once."),) if secret else ()
    return planned("client.add", None, client, (PutClient(client),), told=told, follows=follows)


async def change(house: House, key: str, said: ClientChange) -> Plan:
    before = await _known(house, key)
    seen = await house.seen(CLIENT, key)
    after = _changed(house, before, said)
    effects = (seen.still, PutClient(after, new=False))
    return planned("client.change", before, after, effects, version=seen.version)


async def rotate(house: House, key: str, said: NewSecret) -> Plan:
    before = await _known(house, key)
    seen = await house.seen(CLIENT, key)
    after, secret = with_new_secret(house.realm, before, said.keep)
    old = Sentence("The old secrets stop working at once.")
    if said.keep:
        old = Sentence("The old secrets work for {count} more seconds.", {"count": said.keep})
    effects = (seen.still, PutClient(after, new=False))
    told = {"client_id": key, "client_secret": secret}
    follows = (old, Sentence("The new one is shown once."))
    return planned("client.rotate-secret", before, after, effects, seen.version, told, follows)


async def remove(house: House, key: str, _: object) -> Plan:
    before = await _known(house, key)
    seen = await house.seen(CLIENT, key)
    follows = (Sentence("Everything that people allowed it ends, and its refresh tokens with it."),)
    effects = (seen.still, RemoveClient(key, house.realm.now()))
    return planned("client.remove", before, None, effects, version=seen.version, follows=follows)


async def invite(house: House, _: str, said: Invitation) -> Plan:
    token, effect = registration.invitation(house.realm, said.uses, said.seconds)
    return Plan(
        action="client.invite",
        what="invitation",
        key=effect.key[:12],
        after={"uses": said.uses, "expires_at": house.realm.now() + said.seconds},
        effects=(effect,),
        told={"initial_access_token": token},
        follows=(Sentence("Whoever has it registers clients without being asked. It is shown once."),),
    )


def _changed(house: House, client: Client, said: ClientChange) -> Client:
    """The client as it is asked to be, judged as if it were new. Raises ``UsageError``."""
    given = {name: value for name in _AS_NAMED if (value := getattr(said, name)) is not None}
    listed = {name: tuple(value) for name in _LISTS if (value := getattr(said, name)) is not None}
    grants = {"grants": long_names(said.grants)} if said.grants is not None else {}
    scopes = {"scopes": frozenset(said.scopes)} if said.scopes is not None else {}
    changed = msgspec.structs.replace(client, **given, **listed, **grants, **scopes)
    as_new = NewClient(
        name=changed.name,
        public=changed.public,
        redirect_uris=changed.redirect_uris,
        post_logout_redirect_uris=changed.post_logout_redirect_uris,
        scopes=tuple(said.scopes or ()),
        resources=tuple(said.resources or ()),
    )
    judge_client(house.realm, as_new, changed.grants)
    if changed.profile:
        known_profile(changed.profile)
    return with_metadata(changed, said.metadata) if said.metadata else changed


_AS_NAMED = ("name", "profile", "pkce", "may_act", "trusted")
_LISTS = ("resources", "redirect_uris", "post_logout_redirect_uris")


async def _known(house: House, key: str) -> Client:
    client = await house.realm.store.client(key)
    if client is None:
        raise Missing(f"no client {key!r}; `innkeeper client list` shows them")
    return client


def planned(
    action: str,
    before: Client | None,
    after: Client | None,
    effects: tuple[Any, ...],
    version: str = "",
    told: dict[str, str] | None = None,
    follows: tuple[Sentence, ...] = (),
    show: Callable[[Client], dict[str, Any]] = client_document,
) -> Plan:
    """The plan of a change to a client, which is shown as ``show`` does."""
    client = after or before
    if client is None:
        raise ValueError("a plan is of something that is there before or after")
    return Plan(
        action=action,
        what=action.partition(".")[0],
        key=client.id,
        name=client.name,
        before=show(before) if before else None,
        after=show(after) if after else None,
        effects=effects,
        version=version,
        told=told or {},
        follows=follows,
        before_permissions=of_administration(before.scopes if before else ()),
        after_permissions=of_administration(after.scopes if after else ()),
    )
