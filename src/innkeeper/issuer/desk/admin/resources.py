"""Changes to resources and their scopes, planned."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from innkeeper.issuer.core.admin.permissions import api_of
from innkeeper.issuer.core.admin.plan import Plan, Sentence
from innkeeper.issuer.core.effects import RESOURCE, Effect, PutResource, RemoveResource
from innkeeper.issuer.core.policy import ADMINISTRATION, OPENID_SCOPES
from innkeeper.issuer.core.records import Resource
from innkeeper.issuer.desk.admin.house import House, Missing
from innkeeper.issuer.desk.admin.showing import resource_document
from innkeeper.protocol.parameters import is_scope
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.resources import registered_spelling, why_not_a_resource


class NewResource(msgspec.Struct, frozen=True, kw_only=True):
    """``uri`` is its address, as tokens name it; ``scopes`` are names with a sentence for people each."""

    uri: str
    name: str
    scopes: Mapping[str, str] = {}


class ResourceChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be otherwise; None leaves it as it is. ``scopes`` are all of them."""

    name: str | None = None
    scopes: Mapping[str, str] | None = None


async def add(house: House, _: str, said: NewResource) -> Plan:
    policy = house.realm.policy
    if why := why_not_a_resource(said.uri):
        raise UsageError(f"resource {said.uri!r}: {why}")
    if known := registered_spelling(said.uri, (*policy.resources, policy.issuer)):
        raise UsageError(f"resource {said.uri!r} is here already, as {known!r}; change that one")
    resource = Resource(said.uri, said.name or said.uri, _judged(said.scopes))
    return _plan("resource.add", None, resource, (PutResource(resource),))


async def change(house: House, key: str, said: ResourceChange) -> Plan:
    before = _known(house, key)
    seen = await house.seen(RESOURCE, key)
    after = msgspec.structs.replace(
        before,
        name=said.name or before.name,
        scopes=before.scopes if said.scopes is None else _judged(said.scopes),
        development=False,
    )
    gone = sorted(before.scopes.keys() - after.scopes.keys())
    said_of = {"scopes": ", ".join(gone)}
    no_more = Sentence("Tokens are cut with {scopes} no more; those that are out go on until they expire.", said_of)
    follows = (no_more,) if gone else ()
    effects = (seen.still, PutResource(after, new=False))
    return _plan("resource.change", before, after, effects, seen.version, follows)


async def remove(house: House, key: str, _: object) -> Plan:
    before = _known(house, key)
    seen = await house.seen(RESOURCE, key)
    follows = (Sentence("No token is cut for it any more; those that are out go on until they expire."),)
    return _plan("resource.remove", before, None, (seen.still, RemoveResource(key)), seen.version, follows)


def _known(house: House, key: str) -> Resource:
    policy = house.realm.policy
    if key == api_of(policy.issuer):
        raise UsageError(f"resource {key!r} is the admin API itself, which is always there as it is")
    found = policy.resources.get(key)
    if found is None:
        raise Missing(f"no resource {key!r}; `innkeeper resource list` shows them")
    return found


def _judged(scopes: Mapping[str, str]) -> dict[str, str]:
    for one in scopes:
        if not is_scope(one):
            raise UsageError(f"scope {one!r}: a scope is printable ASCII without spaces, quotes and backslashes")
        if one.startswith(ADMINISTRATION) or one in OPENID_SCOPES:
            raise UsageError(f"scope {one!r} is the issuer's own; give it another name")
    return {name: says or name for name, says in scopes.items()}


def _plan(
    action: str,
    before: Resource | None,
    after: Resource | None,
    effects: tuple[Effect, ...],
    version: str = "",
    follows: tuple[Sentence, ...] = (),
) -> Plan:
    one = after or before
    if one is None:
        raise ValueError("a plan is of something that is there before or after")
    return Plan(
        action=action,
        what="resource",
        key=one.uri,
        name=one.name,
        before=resource_document(before) if before else None,
        after=resource_document(after) if after else None,
        effects=effects,
        version=version,
        follows=follows,
    )
