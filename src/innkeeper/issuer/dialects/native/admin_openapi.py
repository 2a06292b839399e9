"""The admin API as an OpenAPI document, drawn from the tables of readings and actions."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

from innkeeper import __version__
from innkeeper.issuer.core.admin.permissions import PERMISSIONS
from innkeeper.issuer.desk.admin.actions import ACTIONS, Action, Nothing
from innkeeper.issuer.desk.admin.readings import READINGS, Reading

_REF = "#/components/schemas/{name}"


def openapi(issuer: str, server: str) -> dict[str, Any]:
    """The document for an issuer whose admin API is at ``server``."""
    flows = {
        "authorizationCode": {
            "authorizationUrl": f"{issuer}/authorize",
            "tokenUrl": f"{issuer}/token",
            "scopes": dict(PERMISSIONS),
        },
        "clientCredentials": {"tokenUrl": f"{issuer}/token", "scopes": dict(PERMISSIONS)},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "innkeeper's admin API",
            "version": __version__,
            "description": "Tokens name this server as their resource. Changes take dry_run=true, which shows what would "
            "change, and If-Match with the ETag that was read.",
        },
        "servers": [{"url": server}],
        "security": [{"oauth": []}],
        "paths": paths(),
        "components": {
            "schemas": {**schemas(), **_PROBLEM},
            "responses": {
                "Problem": {
                    "description": "Refused: which value, by which rule, and what helps",
                    "content": {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}},
                }
            },
            "securitySchemes": {"oauth": {"type": "oauth2", "flows": flows}},
        },
    }


@cache
def paths() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for reading in READINGS.values():
        found.setdefault(reading.path, {})["get"] = _reading(reading)
    for action in ACTIONS.values():
        found.setdefault(action.path, {})[action.method.lower()] = _action(action)
    return found


@cache
def schemas() -> dict[str, Any]:
    """What the changes take."""
    kinds = [one.takes for one in ACTIONS.values() if one.takes is not Nothing]
    _, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    return {name: {**schema, "additionalProperties": False} for name, schema in components.items()}


def _reading(reading: Reading) -> dict[str, Any]:
    query = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in reading.filters]
    return {
        "operationId": f"read-{reading.name}",
        "summary": reading.says,
        "security": [{"oauth": [reading.permission]}],
        "parameters": [*_in_path(reading.path), *query],
        "responses": {"200": {"description": reading.says}, **_errors("401", "403", "404", "422")},
    }


def _action(action: Action) -> dict[str, Any]:
    dry = {"name": "dry_run", "in": "query", "schema": {"type": "boolean"}, "description": "Show what would change."}
    version = {
        "name": "If-Match",
        "in": "header",
        "required": not action.makes,
        "schema": {"type": "string"},
        "description": "The ETag with which the thing was read.",
    }
    body = {"content": {"application/json": {"schema": {"$ref": _REF.format(name=action.takes.__name__)}}}}
    done = "201" if action.makes else "200"
    return {
        "operationId": action.name,
        "summary": action.does,
        "security": [{"oauth": [action.permission]}],
        "parameters": [*_in_path(action.path), dry, *([] if action.makes else [version])],
        **({} if action.takes is Nothing else {"requestBody": {"required": True, **body}}),
        "responses": {
            done: {"description": "Done: what changed, and what is told once"},
            **({"200": {"description": "What would change"}} if done == "201" else {}),
            **_errors("400", "401", "403", "404", "409", "412", "413", "422", "428"),
        },
    }


def _in_path(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", path)
    return [{"name": one, "in": "path", "required": True, "schema": {"type": "string"}} for one in names]


def _errors(*statuses: str) -> dict[str, Any]:
    return {one: {"$ref": "#/components/responses/Problem"} for one in statuses}


_PROBLEM: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "code", "detail", "remedy"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "The number of the refusal, as IK1606"},
            "error": {"type": "string"},
            "detail": {"type": "string", "description": "What it was in this case, with the value"},
            "expected": {"type": "string"},
            "found": {"type": "string"},
            "rule": {"type": "string"},
            "remedy": {"type": "string"},
        },
    }
}
