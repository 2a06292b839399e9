"""``guard.toml``: the arguments of a ``Guard``, written down, so that whoever explains reads as the API does."""

from __future__ import annotations

import inspect
import pkgutil
import tomllib
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from innkeeper.explain.guarded import Reading
from innkeeper.guard import issuers
from innkeeper.guard.audiences import named
from innkeeper.guard.guard import Guard
from innkeeper.guard.holder import Dpop
from innkeeper.guard.issuers.found import preset_for
from innkeeper.guard.issuers.preset import Preset
from innkeeper.guard.keys import Freshness
from innkeeper.protocol.refusals import UsageError

_SETTINGS = ("audience", "resource", "scopes_supported", "scope_prefix", "implies", "leeway", "freshness", "dpop")
"""The guard's arguments that say what it takes; the others are functions, or belong to a program that runs on."""


def presets() -> dict[str, Callable[..., Preset]]:
    """Every preset of the guard, by name."""
    names = [one.name for one in pkgutil.iter_modules(issuers.__path__)]
    modules = {name: import_module(f"{issuers.__name__}.{name}") for name in names}
    return {name: getattr(module, name) for name, module in modules.items() if hasattr(module, name)}


def read(path: Path, scopes: Iterable[str] = ()) -> Reading:
    """The reading that a file describes; ``scopes`` in place of the file's, where there are any. Raises ``UsageError``.

    ``issuer`` names issuers, whose presets are found as the ``Guard`` finds them; each ``[[trust]]`` is a ``preset`` with
    its arguments. ``audience`` (a text, a list, or a table of them by issuer) and the rest are the ``Guard``'s own; ``scopes`` is
    what the request needs.
    """
    document = _document(path)
    own = _texts(document.pop("scopes", []), path, "scopes")
    needed = tuple(scopes) or tuple(own)
    trusted = _trusted(document.pop("issuer", []), document.pop("trust", []), path)
    _known(document, ("issuer", "trust", "scopes", *_SETTINGS), str(path))
    for name, make in (("freshness", Freshness), ("dpop", Dpop)):
        if name in document:
            document[name] = _called(make, document[name], f"{path}, {name}")
    given = document.get("audience", [])
    of_each = given if isinstance(given, dict) else {}
    by_issuer = {issuer: tuple(_texts(names, path, f"audience of {issuer}")) for issuer, names in of_each.items()}
    if by_issuer:
        named(by_issuer, [one.issuer for one in trusted])
    shared = () if by_issuer else tuple(_texts(given, path, "audience"))
    audiences = shared or tuple(name for names in by_issuer.values() for name in names)

    def build(**world: Any) -> Guard:
        return Guard(trusted, **document, remembered=0, **world)

    if not audiences:
        raise UsageError(f"{path}: a guard needs an audience: this API's name in 'aud'")
    implies = document.get("implies", {})
    return Reading(f"the guard of {path}", trusted, audiences, build, needed, implies=implies, by_issuer=by_issuer)


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from None


def _trusted(named: Any, tables: Any, path: Path) -> tuple[Preset, ...]:
    known = presets()
    found = [preset_for(one) for one in _texts(named, path, "issuer")]
    for table in tables if isinstance(tables, list) else [tables]:
        arguments = dict(table)
        name = str(arguments.pop("preset", "") or preset_for(str(arguments.get("issuer", ""))).name)
        if name not in known:
            raise UsageError(f"{path}: {_unknown('preset', name, known)}")
        found.append(_called(known[name], arguments, f"{path}, preset {name}"))
    if not found:
        raise UsageError(f"{path}: give issuer = 'https://…', or a [[trust]] with preset and issuer")
    return tuple(found)


def _called(make: Callable[..., Any], arguments: Mapping[str, Any], where: str) -> Any:
    _known(arguments, _settings(make), where)
    try:
        return make(**arguments)
    except TypeError as error:
        raise UsageError(f"{where}: {str(error).partition(') ')[2] or error}") from None


def _settings(make: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(make).parameters)


def _known(given: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for name in given:
        if name not in set(known):
            raise UsageError(f"{where}: {_unknown('key', name, known)}")


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"unknown {what} {name!r}: {f'did you mean {near[0]!r}?' if near else ', '.join(sorted(known))}"


def _texts(value: Any, path: Path, name: str) -> list[str]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise UsageError(f"{path}: {name} is a text or a list of texts")
    return listed
