"""One change or one look of an administrator's, made by a command: planned, shown, made by the same core as the admin API."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from innkeeper.cli.state import with_house
from innkeeper.issuer.core.admin.change import Actor
from innkeeper.issuer.core.admin.plan import Difference, Plan
from innkeeper.issuer.desk.admin import acting
from innkeeper.issuer.desk.admin.actions import ACTIONS
from innkeeper.issuer.desk.admin.house import House, Missing
from innkeeper.issuer.desk.admin.readings import READINGS
from innkeeper.issuer.desk.admin.taking import values_of
from innkeeper.protocol.refusals import Refusal, UsageError

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; innkeeper.toml here by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Show what would change, and change nothing.")]

WHATEVER_IT_IS = "*"
"""The version that a command names: it is made at once after what it changes was read."""


class Refused(Exception):
    """A change that was refused; ``refusal`` says why. The command line tells it with its number."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def change(config: Path | None, name: str, key: str, values: Mapping[str, Any], *, plan: bool) -> Plan | None:
    """Make the change and return it, or only show it. Raises ``UsageError``, ``Refused``."""
    action = ACTIONS[name]
    taken = values_of(action.takes, {one: value for one, value in values.items() if value is not None})

    async def work(house: House, actor: Actor) -> Plan | Refusal:
        act = acting.plan if plan else acting.carry_out
        return await act(house, actor, action, await _key(house, action.kind, key), taken, WHATEVER_IT_IS)

    outcome = with_house(config, work)
    if isinstance(outcome, Refusal):
        raise _raised(outcome)
    if plan:
        show(outcome)
        return None
    return outcome


def look(config: Path | None, name: str, key: str = "", query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """What a reading shows. Raises ``UsageError``."""

    async def work(house: House, _: Actor) -> Mapping[str, Any]:
        found = await READINGS[name].look(house, await _key(house, name, key), query or {})
        return found.document

    try:
        return with_house(config, work)
    except Missing as missing:
        raise UsageError(str(missing)) from None


def show(plan: Plan) -> None:
    """Print a plan as people read it: - what is, + what will be, and what follows."""
    print(f"{ACTIONS[plan.action].does}: {plan.name or plan.key}")
    for one in plan.differences:
        print("\n".join(_lines(one)))
    if not plan.differences:
        print("  nothing changes")
    for sentence in plan.follows:
        print(f"  {sentence}")
    sys.stdout.flush()
    print("This is the plan; nothing was changed.", file=sys.stderr)


def print_json(document: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def _lines(one: Difference) -> list[str]:
    if isinstance(one.before, list | None) and isinstance(one.after, list | None) and (one.before or one.after):
        before, after = one.before or [], one.after or []
        gone = [f"  - {one.path}: {_shown(value)}" for value in before if value not in after]
        return gone + [f"  + {one.path}: {_shown(value)}" for value in after if value not in before]
    sides = (("-", one.before), ("+", one.after))
    return [f"  {mark} {one.path}: {_shown(value)}" for mark, value in sides if value is not None]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


async def _key(house: House, kind: str, key: str) -> str:
    """The id of a thing; people are called by the name that they sign in with, too."""
    if kind == "person" and key:
        named = await house.realm.store.person_named(key)
        known = named or await house.realm.store.person(key)
        if known is None:
            raise UsageError(f"nobody named {key!r}; `innkeeper user list` shows who is here")
        return known.sub
    return key


def _raised(refusal: Refusal) -> Exception:
    """What does not fit was asked wrongly; the rest is refused with its number."""
    asked_wrongly = refusal.page.status in (404, 409, 422) and not refusal.expected
    return UsageError(refusal.reason) if asked_wrongly else Refused(refusal)
