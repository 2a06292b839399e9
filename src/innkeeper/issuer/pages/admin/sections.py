"""The parts of the console: which lists there are, what their rows show, what the page of one thing shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from innkeeper.issuer.pages.moments import details, moment
from innkeeper.issuer.pages.speaking import counted, marked, translated, worded

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
    empty: str = marked("Nothing is here yet.")


def _client_row(one: Document) -> Row:
    tags = [(marked("public"), "")] if one["public"] else []
    tags += [(marked("registered itself"), "warn")] if one["registered_by"] == "itself" else []
    return Row(one["id"], one["name"], ", ".join(one["grants"]), tuple(tags), one["id"])


def _client_facts(one: Document) -> list[tuple[str, Any]]:
    secrets = [_secret(each) for each in one["secrets"]]
    return [
        (marked("Client ID"), one["id"]),
        (marked("Grants"), one["grants"]),
        (marked("Scopes"), one["scopes"]),
        (marked("Resources"), one["resources"] or translated("Those that have one of its scopes")),
        (marked("Redirect URIs"), one["redirect_uris"]),
        (marked("After signing out"), one["post_logout_redirect_uris"]),
        (marked("Proves itself by"), one["metadata"].get("token_endpoint_auth_method", "")),
        (marked("Secrets"), secrets),
        (marked("Lives by"), one["profile"] or translated("The issuer’s rules")),
        (marked("PKCE"), one["pkce"]),
        (marked("Registered by"), translated(_REGISTERED_BY.get(one["registered_by"], one["registered_by"]))),
        (marked("Since"), moment(one["created_at"])),
    ]


_REGISTERED_BY = {
    "itself": marked("itself"),
    "its own document": marked("its own document"),
    "an operator": marked("an operator"),
}


def _secret(one: Document) -> str:
    made = moment(one["created_at"])
    if one["expires_at"]:
        return worded("Made {when}, good until {until}", when=made, until=moment(one["expires_at"]))
    return worded("Made {when}", when=made)


_STATUS = {
    "active": (marked("active"), "good"),
    "paused": (marked("paused"), "warn"),
    "revoked": (marked("revoked"), "bad"),
}


def _agent_row(one: Document) -> Row:
    return Row(one["id"], one["name"], one["purpose"], (_STATUS[one["status"]],), one["id"])


def _agent_facts(one: Document) -> list[tuple[str, Any]]:
    own = [
        (marked("Purpose"), one["purpose"]),
        (marked("Answered for by"), one["owner"]),
        (marked("Now"), translated(one["status"])),
    ]
    return [*own, *(fact for fact in _client_facts(one) if fact[0] in _OF_AGENTS)]


_OF_AGENTS = {"Client ID", "Grants", "Scopes", "Resources", "Proves itself by", "Secrets", "Since"}


def _person_row(one: Document) -> Row:
    tags = [(role, "good") for role in one["roles"]] + ([(marked("locked"), "bad")] if one["locked"] else [])
    return Row(one["sub"], one["username"], str(one["claims"].get("name", "")), tuple(tags), one["sub"])


def _person_facts(one: Document) -> list[tuple[str, Any]]:
    places = [
        worded(
            "{browser}, last used {when}",
            browser=translated(each["browser"] or "A browser"),
            when=moment(each["used_at"]),
        )
        for each in one["signed_in"]
    ]
    count, none = one["grants"], translated("None")
    allowed = counted("{count} with something allowed", "{count} with something allowed", count).format(count=count)
    return [
        (marked("Signs in as"), one["username"]),
        (marked("Subject"), one["sub"]),
        (marked("Account"), translated("Locked") if one["locked"] else translated("Open")),
        (marked("Roles"), one["roles"] or none),
        (marked("Second factors"), one["second_factors"] or none),
        (marked("Signed in"), places or translated("Nowhere")),
        (marked("Applications"), allowed if count else none),
        *((name, value) for name, value in details(one["claims"])),
        (marked("Since"), moment(one["created_at"])),
    ]


def _resource_row(one: Document) -> Row:
    count = len(one["scopes"])
    about = counted("{count} scope", "{count} scopes", count).format(count=count)
    return Row(one["uri"], one["name"], about, (), one["uri"])


def _resource_facts(one: Document) -> list[tuple[str, Any]]:
    return [
        (marked("Address"), one["uri"]),
        (marked("Scopes"), [f"{name}: {says}" for name, says in one["scopes"].items()] or translated("None")),
        *([(marked("Authorization details"), one["details"])] if one["details"] else []),
    ]


def _realm_row(one: Document) -> Row:
    return Row(one["name"], one["title"], one["issuer"], ((one["dialect"], ""),), one["name"])


def _realm_facts(one: Document) -> list[tuple[str, Any]]:
    return [
        (marked("Issuer"), one["issuer"]),
        (marked("Dialect"), one["dialect"]),
        (marked("Keys remembered"), str(one["keys"])),
    ]


_DOES = {
    "signs": (marked("signs"), "good"),
    "next": (marked("signs soon"), ""),
    "leaving": (marked("still published, then leaves"), "warn"),
    "retired": (marked("retired"), "warn"),
    "withdrawn": (marked("withdrawn"), "bad"),
    "decrypts": (marked("opens what is encrypted to it"), "good"),
}


def key_row(one: Document) -> Row:
    about = worded("since {when}", when=moment(one["signs_from"]))
    return Row(one["kid"], f"{one['alg']} {one['purpose']}".strip(), about, (_DOES[one["does"]],), one["kid"])


def key_facts(one: Document) -> list[tuple[str, Any]]:
    until = moment(one["published_until"]) if one["published_until"] else translated("Until it is rotated")
    return [
        (marked("Key ID"), one["kid"]),
        (marked("Algorithm"), one["alg"]),
        *([(marked("Signs only"), one["purpose"])] if one["purpose"] else []),
        (marked("Now"), translated(_DOES[one["does"]][0])),
        (marked("Made"), moment(one["created_at"])),
        (marked("Signs from"), moment(one["signs_from"])),
        (marked("Published"), until),
    ]


SECTIONS: dict[str, Section] = {
    one.name: one
    for one in (
        Section(
            name="clients", title=marked("Clients"), lead=marked("The applications that get tokens here."), reading="clients",
            one="client", row=_client_row, facts=_client_facts, adds=("client.add", "client.invite"),
            changes=("client.change", "client.rotate-secret", "client.remove"),
            filters=(("kind", marked("Kind"), (marked("public"), marked("confidential"))),),
            empty=marked("No client is here yet. Add the first one, or let clients register themselves."),
        ),
        Section(
            name="agents", title=marked("Agents"), lead=marked("Programs that act for people by their own judgement."),
            reading="agents", one="agent", row=_agent_row, facts=_agent_facts, adds=("agent.add",),
            changes=("agent.pause", "agent.resume", "agent.revoke"),
            filters=(("state", marked("State"), (marked("active"), marked("paused"), marked("revoked"))),),
            empty=marked("No agent is here yet. Each has somebody who answers for it, and a purpose."),
        ),
        Section(
            name="people", title=marked("People"), lead=marked("Whoever signs in here."), reading="people", one="person",
            row=_person_row, facts=_person_facts, key="sub", adds=("person.add",),
            changes=(
                "person.change", "person.password", "person.sign-out", "person.reset-factors", "person.lock",
                "person.unlock", "person.erase",
            ),
            filters=(("state", marked("Account"), (marked("open"), marked("locked"))),),
            empty=marked("Nobody has an account yet."),
        ),
        Section(
            name="resources", title=marked("Resources"), lead=marked("The APIs that tokens are cut for, with their scopes."),
            reading="resources", one="resource", row=_resource_row, facts=_resource_facts, key="uri",
            adds=("resource.add",), changes=("resource.change", "resource.remove"),
            empty=marked("No resource is here yet, so no scope but OpenID’s."),
        ),
        Section(
            name="realms", title=marked("Realms and keys"), lead=marked("The issuers that this server is, and what they sign with."),
            reading="realms", one="realm", row=_realm_row, facts=_realm_facts, key="name",
        ),
    )
}  # fmt: skip
"""Every part with a list, in the order of the menu."""

KEY_CHANGES = ("key.retire", "key.revoke")
