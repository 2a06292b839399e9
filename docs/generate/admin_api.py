"""The admin API, route by route, each with its scope and with the command that does the same at the machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docs.generate.refusals import numbered
from innkeeper.issuer.core.admin.permissions import PERMISSIONS, ROLES
from innkeeper.issuer.desk.admin.actions import ACTIONS, Action, Nothing
from innkeeper.issuer.desk.admin.readings import READINGS
from innkeeper.issuer.dialects.native.admin_openapi import schemas

COMMANDS: Mapping[str, str] = {
    "clients": "client list", "client": "client show", "agents": "agent list", "agent": "agent show", "people": "user list",
    "person": "user show", "resources": "resource list", "resource": "resource show", "realms": "realm list",
    "realm": "realm show", "keys": "keys list", "key": "keys show", "policy": "policy show", "roles": "admin roles",
    "audit": "audit find", "health": "admin health",
    "client.add": "client add", "client.change": "client change", "client.rotate-secret": "client rotate",
    "client.remove": "client remove", "client.invite": "client invite",
    "agent.add": "agent add", "agent.pause": "agent pause", "agent.resume": "agent resume", "agent.revoke": "agent revoke",
    "person.add": "user add", "person.change": "user change", "person.password": "user password",
    "person.lock": "user disable", "person.unlock": "user enable", "person.reset-factors": "user reset-factors",
    "person.sign-out": "user sign-out", "person.erase": "user erase",
    "resource.add": "resource add", "resource.change": "resource change", "resource.remove": "resource remove",
    "key.rotate": "keys rotate", "key.retire": "keys retire", "key.revoke": "keys revoke", "policy.change": "policy set",
}  # fmt: skip
"""The command that does what each reading or change does."""


def page() -> str:
    return "\n".join(
        ["# The admin API\n", _INTRODUCTION, *_scopes(), *_readings(), *_actions(), *_bodies(), *_refused()]
    )


def _scopes() -> Iterator[str]:
    yield "## Scopes\n\n| scope | what it allows | roles that have it |\n|---|---|---|"
    for name, says in PERMISSIONS.items():
        having = ", ".join(f"`{role}`" for role, one in ROLES.items() if name in one.permissions)
        yield f"| `{name}` | {says} | {having} |"
    yield ""


def _readings() -> Iterator[str]:
    yield "## Reading\n\nFilters go into the query. Lists come by `limit`; `next` is what to send for more.\n"
    yield "| route | what it shows | scope | filters | command |\n|---|---|---|---|---|"
    for one in READINGS.values():
        filters = ", ".join(f"`{name}`" for name in one.filters) or "–"
        yield f"| `GET {one.path}` | {one.says} | `{one.permission}` | {filters} | {_command(one.name)} |"
    yield ""


def _actions() -> Iterator[str]:
    yield f"## Changing\n\n{_CHANGING}\n"
    yield "| route | what it does | scope | takes | command |\n|---|---|---|---|---|"
    for one in ACTIONS.values():
        grave = " **Ends something for somebody, or cannot be taken back.**" if one.grave else ""
        yield f"| `{one.method} {one.path}` | {one.does}.{grave} | `{one.permission}` | {_takes(one)} | {_command(one.name)} |"
    yield ""


def _takes(action: Action) -> str:
    name = action.takes.__name__
    return "–" if action.takes is Nothing else f"[{name}](#{name.lower()})"


def _command(name: str) -> str:
    return f"`innkeeper {COMMANDS[name]}`"


def _bodies() -> Iterator[str]:
    yield "## What changes take\n"
    known = schemas()
    for name in dict.fromkeys(one.takes.__name__ for one in ACTIONS.values() if one.takes is not Nothing):
        yield from _body(name, known[name])


def _body(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    said = " ".join(str(schema.get("description", "")).replace("``", "`").split())
    yield f"### {name}\n\n{said}\n\n| member | kind | |\n|---|---|---|"
    for member, one in schema["properties"].items():
        yield f"| `{member}` | {_kind(one)} | {'needed' if member in schema.get('required', ()) else ''} |"
    yield ""


def _kind(schema: Mapping[str, Any]) -> str:
    """A member's kind in words; what may be left out may be null, which is not said each time."""
    for choices in (schema.get("anyOf"),):
        if choices:
            return " or ".join(_kind(one) for one in choices if one.get("type") != "null")
    if "enum" in schema:
        return "one of " + ", ".join(f"`{one}`" for one in schema["enum"])
    if "$ref" in schema:
        return f"an object, {schema['$ref'].rpartition('/')[2]}"
    kind = _KINDS[schema["type"]]
    limits = [f"{words} {schema[name]}" for name, words in _LIMITS.items() if name in schema]
    return " ".join([kind, *limits])


_KINDS = {
    "string": "text",
    "integer": "a number",
    "boolean": "true or false",
    "array": "a list of texts",
    "object": "an object",
}
_LIMITS = {"minimum": "from", "maximum": "to"}


def _refused() -> Iterator[str]:
    yield "## What it refuses\n\n| number | status | |\n|---|---|---|"
    for one in numbered():
        if one.page.number.startswith("IK16") and len(one.page.number) == 6:
            number = one.page.number
            yield f"| [{number}](refusals.md#{number.lower()}) | {one.page.status} | {one.page.title} |"
    yield ""


_CHANGING = """Bodies are JSON objects. `dry_run=true` shows the difference and changes nothing. A change to what is there wants `If-Match`
with the `ETag` that was read, a `*` for whatever it is. People who ask need a sign-in of the last ten minutes."""

_INTRODUCTION = """It is at `/admin/api` below the issuer, which is its resource, too: tokens are asked for with that `resource`. How to
use it stands in [Administer](../how-to/administer.md); `/admin/api/openapi.json` says the same as this page to programs. Every
route is also a command at the machine, and nearly all of it is in the console at `/admin`. `{id}` is what the lists call a thing
by; what has a slash in it is sent with `%2F`.
"""
