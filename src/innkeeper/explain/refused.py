"""A refusal that somebody was told, in whichever words: a number, an AADSTS code, an exception, an error's JSON; what it means."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

import innkeeper
from innkeeper.issuer.core.entra.aadsts import Aadsts
from innkeeper.protocol.refusals import Page

COGNITO, ENTRA, NATIVE = "cognito", "entra", "native"


class Told(msgspec.Struct, frozen=True):
    """What of a refusal was told: our ``number``, Microsoft's ``code``, the ``error`` by its name, the sentence after it."""

    number: str = ""
    code: int = 0
    error: str = ""
    said: str = ""


class Known(msgspec.Struct, frozen=True):
    """A page, and whose dialect it is: ``cognito``, ``entra`` or ``native``."""

    page: Page
    dialect: str


def read(text: str) -> Told | None:
    """What a text says of a refusal; None where it says nothing that is known here."""
    text = text.strip()
    if text.startswith("{"):
        return _in_json(text)
    number = _NUMBER.search(text)
    code = _AADSTS.search(text)
    if number or code:
        return Told(number=number[0].upper() if number else "", code=int(code[1]) if code else 0, said=text)
    found = _RAISED.search(text) or _EXCEPTION.search(text) or _NAMED.fullmatch(text)
    if found:
        error, said = found["error"], (found["said"] or "").strip()
        return Told(error=error, said=said) if any(_named(one, error) for one in known()) else None
    return Told(said=text) if any(_says(one.page, text) for one in known()) else None


def meant(told: Told, dialect: str = "") -> list[Known]:
    """The pages that fit, the likeliest first; of one ``dialect`` alone where it is given."""
    pages = [one for one in known() if dialect in ("", one.dialect)]
    if told.number:
        return [one for one in pages if one.page.number == told.number]
    if told.code:
        return [one for one in pages if isinstance(one.page, Aadsts) and one.page.code == told.code]
    named = [one for one in pages if not told.error or _named(one, told.error)]
    exact = [one for one in named if _says(one.page, told.said)]
    return exact or sorted(named, key=lambda one: -_likeness(one.page, told.said))


@cache
def known() -> tuple[Known, ...]:
    """Every numbered refusal of the house, in the order of its number; not those of parts that are not installed."""
    house = Path(innkeeper.__file__).parent
    found = {known.page.number: known for path in sorted(house.rglob("*.py")) for known in _declared(house, path)}
    return tuple(found[number] for number in sorted(found, key=lambda number: int(number[2:])))


def _declared(house: Path, path: Path) -> Iterator[Known]:
    names = _DECLARES.findall(path.read_text("utf-8"))
    if not names:
        return
    parts = path.relative_to(house.parent).with_suffix("").parts
    try:
        module = importlib.import_module(".".join(parts))
    except ImportError:
        return
    dialect = next((one for one in (COGNITO, ENTRA) if one in parts and "core" in parts), NATIVE)
    for name in names:
        if isinstance(page := getattr(module, name), Page):
            yield Known(page, dialect)


def _in_json(text: str) -> Told | None:
    try:
        document = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return None
    error = document.get("error") or document.get("__type")
    if isinstance(error, Mapping):  # Microsoft Graph's
        return Told(error=str(error.get("code", "")), said=str(error.get("message", "")))
    if not error:
        return None
    said = str(document.get("error_description") or document.get("message") or "")
    code = _AADSTS.search(said)
    return Told(code=int(code[1]) if code else 0, error=str(error).rpartition("#")[2], said=said)


def _named(known: Known, error: str) -> bool:
    return bool(error) and known.page.error == error


def _says(page: Page, said: str) -> bool:
    return bool(said and page.wire) and _sentence(page.wire).fullmatch(said) is not None


@cache
def _sentence(wire: str) -> re.Pattern[str]:
    """What a page says on the wire, with anything at all where it names a value of the case."""
    return re.compile(re.sub(r"\\\{\w+\\\}", ".*", re.escape(wire.rstrip("."))) + r"\.?", re.DOTALL)


def _likeness(page: Page, said: str) -> float:
    return SequenceMatcher(None, page.wire.lower(), said.lower()).ratio() if said else 0.0


_NUMBER = re.compile(r"\bIK\d{3,4}\b", re.IGNORECASE)
_AADSTS = re.compile(r"\bAADSTS(\d+)\b", re.IGNORECASE)
_RAISED = re.compile(r"\((?P<error>\w+)\) when calling the \w+ operation[^:]*:\s*(?P<said>.*)$", re.DOTALL)
"""As boto3 and the AWS command line put it."""

_EXCEPTION = re.compile(r"\b(?P<error>[A-Z]\w+Exception)\b(?::\s*(?P<said>.*))?$", re.DOTALL)
_NAMED = re.compile(r"(?P<error>[A-Za-z]\w+)(?:[:,]\s*(?P<said>.*))?", re.DOTALL)
_DECLARES = re.compile(r'^(\w+) = \w+\(\s*"IK\d+"', re.MULTILINE)
