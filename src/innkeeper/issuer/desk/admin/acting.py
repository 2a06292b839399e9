"""A change carried out: planned, judged against who wants it, committed whole, taken up and entered in the books."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.admin.change import (
    ALREADY_THERE,
    CHANGE_CHECKS,
    CHANGED_MEANWHILE,
    UNFIT,
    UNKNOWN_THING,
    Actor,
    Change,
)
from innkeeper.issuer.core.admin.permissions import EVERYTHING, permissions_of
from innkeeper.issuer.core.admin.plan import Difference, Plan
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.desk.admin.actions import Action
from innkeeper.issuer.desk.admin.house import House, Missing
from innkeeper.issuer.desk.leaving import end_sessions
from innkeeper.issuer.desk.matter import administered, concerns, edited
from innkeeper.protocol.refusals import Refusal, UsageError
from innkeeper.tokens.trail import Trail, at_the_door, follow

ABOUT = "administration"


async def plan(
    house: House, actor: Actor, action: Action, key: str, values: Any, expected: str | None
) -> Plan | Refusal:
    """What a change would change, for somebody who may make it."""
    trail, made = await _planned(house, actor, action, key, values, expected)
    if trail.refusal:
        house.realm.observe(trail)
    return trail.refusal or made or Refusal(UNKNOWN_THING, "nothing was planned")


async def carry_out(
    house: House, actor: Actor, action: Action, key: str, values: Any, expected: str | None
) -> Plan | Refusal:
    """Make the change. Where somebody else was faster, that is said; it is not tried again behind anybody's back."""
    administered(actor.who)
    trail, made = await _planned(house, actor, action, key, values, expected)
    concerns(house.realm.name, client=actor.client, subject=actor.sub)
    if made is None or trail.refusal:
        house.realm.observe(trail)
        return trail.refusal or Refusal(UNKNOWN_THING, "nothing was planned")
    try:
        await _commit(house, made)
    except Lost:
        page = CHANGED_MEANWHILE if made.version else ALREADY_THERE
        lost = Refusal(page, f"somebody else was faster with {made.what} {made.key!r}", made.version, "another")
        house.realm.observe(at_the_door(ABOUT, lost, "RFC 9110 §13.1.1"))
        return lost
    house.realm.observe(trail)
    edited(f"{action.name} {made.realm or house.realm.name} {made.key}", _booked(made))
    await house.take_up(made.realm or house.realm.name, client=made.key if made.what in ("client", "agent") else "")
    return made


async def _planned(
    house: House, actor: Actor, action: Action, key: str, values: Any, expected: str | None
) -> tuple[Trail, Plan | None]:
    try:
        made = await action.plan(house, key, values)
    except Missing as missing:
        return at_the_door(ABOUT, Refusal(UNKNOWN_THING, str(missing), "one that is there", key), _READ), None
    except UsageError as unfit:
        page = ALREADY_THERE if "already" in str(unfit) and action.makes else UNFIT
        return at_the_door(ABOUT, Refusal(page, str(unfit)), _READ), None
    others = await _others(house, made) if made.before_permissions >= EVERYTHING else True
    return follow(ABOUT, CHANGE_CHECKS, Change(made, actor, expected, others)), made


_READ = "RFC 9110 §15.5.21"


def _booked(made: Plan) -> tuple[Difference, ...]:
    """What goes into the books. Of somebody who is erased they keep nothing personal."""
    if made.action != "person.erase":
        return made.differences
    return tuple(one for one in made.differences if one.path in ("sub", "roles", "locked", "created_at"))


async def _others(house: House, made: Plan) -> bool:
    """Whether after the change somebody can still do everything."""
    if made.what != "person" or made.after_permissions >= EVERYTHING:
        return True
    people = await house.realm.store.people()
    able = (one for one in people if not one.disabled and permissions_of(one.roles) >= EVERYTHING)
    return any(one.sub != made.sub for one in able)


async def _commit(house: House, made: Plan) -> None:
    if made.realm and made.realm != house.realm.name:
        await house.store.realm(made.realm).commit(made.effects)
        return
    await end_sessions(house.realm, made.effects)
