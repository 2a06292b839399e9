"""Every setting with its kind and default, from the structs that hold them; the reasons are their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from innkeeper.issuer.settings import ENVIRONMENT, Server, Settings


def page() -> str:
    return "\n".join(["# Settings\n", _INTRODUCTION, *_section("", Settings), *_environment()])


def _section(name: str, struct: type[msgspec.Struct]) -> Iterator[str]:
    tables = []
    rows = []
    for field in msgspec.structs.fields(struct):
        inner = _struct_in(field.type)
        if inner:
            tables.append((f"[{field.name}]" if inner is field.type else f"[[{field.name}]]", inner))
        else:
            rows.append(f"| `{field.encode_name}` | {_kind(field.type)} | {_default(field)} |")
    yield f"## {f'`{name}`' if name else 'At the top'}\n\n{inspect.getdoc(struct)}\n"
    if rows:
        yield "\n".join(["| key | kind | default |", "|---|---|---|", *rows, ""])
    for title, inner in tables:
        yield from _section(title, inner)


def _environment() -> Iterator[str]:
    rows = (f"| `{name}` | `[server]` `{key}` |" for name, key in ENVIRONMENT.items() if key in _keys(Server))
    yield "\n".join(["## In the environment\n", "| variable | instead of |", "|---|---|", *rows, ""])


def _keys(struct: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(struct)]


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    for one in (kind, *get_args(kind)):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return one
    return None


def _kind(kind: Any) -> str:
    words = {str: "text", int: "number", bool: "true or false", dict: "table", list: "list", tuple: "list"}
    if get_origin(kind) is Annotated:
        return _kind(get_args(kind)[0])
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(f'`"{one}"`' for one in get_args(kind))
    return words.get(get_origin(kind) or kind, str(kind))


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "must be given"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f"`{msgspec.json.encode(value).decode()}`"


_INTRODUCTION = """One TOML file: the one named by `--config`, else `innkeeper.toml` in the working directory, else the settings for a
laptop that come with innkeeper. An unknown key is an error that names the near one. Times are in seconds.
"""
