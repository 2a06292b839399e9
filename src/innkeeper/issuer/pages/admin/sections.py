"""The parts of the console: which lists there are, what their rows show, what the page of one thing shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from innkeeper.issuer.pages.moments import details, moment

Document = Mapping[str, Any]


class Row(msgspec.Struct, frozen=True):
    """A line of a list: the thing's key, its title, a line about it, small words beside it."""

    key: str
    title: str
    about: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    code: str = ""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part with a list. ``adds`` are the changes offered above it; ``filters`` are choices beside the search."""

    name: str
    title: str
    lead: str
    reading: str
    one: str
    row: Callable[[Document], Row]
    facts: Callable[[Document], list[tuple[str, Any]]]
    key: str = "id"
    adds: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    filters: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    empty: str = "Nothing is here yet."


def _client_row(one: Document) -> Row:
    tags = [("public", "")] if one["public"] else []
    tags += [("registered itself", "warn")] if one["registered_by"] == "itself" else []
    return Row(one["id"], one["name"], ", ".join(one["grants"]), tuple(tags), one["id"])


def _client_facts(one: Document) -> list[tuple[str, Any]]:
    secrets = [_secret(each) for each in one["secrets"]]
    return [
        ("Client ID", one["id"]),
        ("Grants", one["grants"]),
        ("Scopes", one["scopes"]),
        ("Resources", one["resources"] or "Those that have one of its scopes"),
        ("Redirect URIs", one["redirect_uris"]),
        ("After signing out", one["post_logout_redirect_uris"]),
        ("Proves itself by", one["metadata"].get("token_endpoint_auth_method", "")),
        ("Secrets", secrets),
        ("Lives by", one["profile"] or "The issuer's rules"),
        ("PKCE", one["pkce"]),
        ("Registered by", one["registered_by"]),
        ("Since", moment(one["created_at"])),
    ]


def _secret(one: Document) -> str:
    until = f", good until {moment(one['expires_at'])}" if one["expires_at"] else ""
    return f"Made {moment(one['created_at'])}{until}"


_STATUS = {"active": ("active", "good"), "paused": ("paused", "warn"), "revoked": ("revoked", "bad")}


def _agent_row(one: Document) -> Row:
    return Row(one["id"], one["name"], one["purpose"], (_STATUS[one["status"]],), one["id"])


def _agent_facts(one: Document) -> list[tuple[str, Any]]:
    own = [("Purpose", one["purpose"]), ("Answered for by", one["owner"]), ("Now", one["status"])]
    return [*own, *(fact for fact in _client_facts(one) if fact[0] in _OF_AGENTS)]


_OF_AGENTS = {"Client ID", "Grants", "Scopes", "Resources", "Proves itself by", "Secrets", "Since"}


def _person_row(one: Document) -> Row:
    tags = [(role, "good") for role in one["roles"]] + ([("locked", "bad")] if one["locked"] else [])
    return Row(one["sub"], one["username"], str(one["claims"].get("name", "")), tuple(tags), one["sub"])


def _person_facts(one: Document) -> list[tuple[str, Any]]:
    places = [f"{each['browser'] or 'A browser'}, last used {moment(each['used_at'])}" for each in one["signed_in"]]
    return [
        ("Signs in as", one["username"]),
        ("Subject", one["sub"]),
        ("Account", "Locked" if one["locked"] else "Open"),
        ("Roles", one["roles"] or "None"),
        ("Second factors", one["second_factors"] or "None"),
        ("Signed in", places or "Nowhere"),
        ("Applications", f"{one['grants']} with something allowed" if one["grants"] else "None"),
        *((name, value) for name, value in details(one["claims"])),
        ("Since", moment(one["created_at"])),
    ]


def _resource_row(one: Document) -> Row:
    count = len(one["scopes"])
    return Row(one["uri"], one["name"], f"{count} scope{'' if count == 1 else 's'}", (), one["uri"])


def _resource_facts(one: Document) -> list[tuple[str, Any]]:
    return [
        ("Address", one["uri"]),
        ("Scopes", [f"{name}: {says}" for name, says in one["scopes"].items()] or "None"),
        *([("Authorization details", one["details"])] if one["details"] else []),
    ]


def _realm_row(one: Document) -> Row:
    return Row(one["name"], one["title"], one["issuer"], ((one["dialect"], ""),), one["name"])


def _realm_facts(one: Document) -> list[tuple[str, Any]]:
    return [("Issuer", one["issuer"]), ("Dialect", one["dialect"]), ("Keys remembered", str(one["keys"]))]


_DOES = {
    "signs": ("signs", "good"),
    "next": ("signs soon", ""),
    "leaving": ("still published, then leaves", "warn"),
    "retired": ("retired", "warn"),
    "withdrawn": ("withdrawn", "bad"),
    "decrypts": ("opens what is encrypted to it", "good"),
}


def key_row(one: Document) -> Row:
    about = f"since {moment(one['signs_from'])}"
    return Row(one["kid"], f"{one['alg']} {one['purpose']}".strip(), about, (_DOES[one["does"]],), one["kid"])


def key_facts(one: Document) -> list[tuple[str, Any]]:
    until = moment(one["published_until"]) if one["published_until"] else "Until it is rotated"
    return [
        ("Key ID", one["kid"]),
        ("Algorithm", one["alg"]),
        *([("Signs only", one["purpose"])] if one["purpose"] else []),
        ("Now", _DOES[one["does"]][0]),
        ("Made", moment(one["created_at"])),
        ("Signs from", moment(one["signs_from"])),
        ("Published", until),
    ]


SECTIONS: dict[str, Section] = {
    one.name: one
    for one in (
        Section(
            name="clients", title="Clients", lead="The applications that get tokens here.", reading="clients",
            one="client", row=_client_row, facts=_client_facts, adds=("client.add", "client.invite"),
            changes=("client.change", "client.rotate-secret", "client.remove"),
            filters=(("kind", "Kind", ("public", "confidential")),),
            empty="No client is here yet. Add the first one, or let clients register themselves.",
        ),
        Section(
            name="agents", title="Agents", lead="Programs that act for people by their own judgement.",
            reading="agents", one="agent", row=_agent_row, facts=_agent_facts, adds=("agent.add",),
            changes=("agent.pause", "agent.resume", "agent.revoke"),
            filters=(("state", "State", ("active", "paused", "revoked")),),
            empty="No agent is here yet. Each has somebody who answers for it, and a purpose.",
        ),
        Section(
            name="people", title="People", lead="Whoever signs in here.", reading="people", one="person",
            row=_person_row, facts=_person_facts, key="sub", adds=("person.add",),
            changes=(
                "person.change", "person.password", "person.sign-out", "person.reset-factors", "person.lock",
                "person.unlock", "person.erase",
            ),
            filters=(("state", "Account", ("open", "locked")),),
            empty="Nobody has an account yet.",
        ),
        Section(
            name="resources", title="Resources", lead="The APIs that tokens are cut for, with their scopes.",
            reading="resources", one="resource", row=_resource_row, facts=_resource_facts, key="uri",
            adds=("resource.add",), changes=("resource.change", "resource.remove"),
            empty="No resource is here yet, so no scope but OpenID's.",
        ),
        Section(
            name="realms", title="Realms and keys", lead="The issuers that this server is, and what they sign with.",
            reading="realms", one="realm", row=_realm_row, facts=_realm_facts, key="name",
        ),
    )
}  # fmt: skip
"""Every part with a list, in the order of the menu."""

KEY_CHANGES = ("key.retire", "key.revoke")
