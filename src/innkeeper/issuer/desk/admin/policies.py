"""Changes to a realm's rules, planned: what is set here stands in the place of what the settings say, until it is put back."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.admin.plan import Plan, Sentence
from innkeeper.issuer.core.admin.rules import NAMES, OVERRIDES, Rules, judged, overridden, record_of, rules_of
from innkeeper.issuer.core.effects import DropEntry, Effect, PutEntry, TellNodes
from innkeeper.issuer.desk.admin.house import House
from innkeeper.issuer.desk.admin.showing import rules_document
from innkeeper.protocol.refusals import UsageError

FOR_GOOD = 1 << 40
"""A time that does not come: such an entry is forgotten by nobody."""

UNSET = "settings"


class RulesChange(msgspec.Struct, frozen=True, kw_only=True):
    """``set`` are rules with their values; ``unset`` are those that go back to what the settings say."""

    set: Rules = Rules()
    unset: tuple[str, ...] = ()


async def change(house: House, _: str, said: RulesChange) -> Plan:
    realm = house.realm
    for name in said.unset:
        if name not in NAMES:
            raise UsageError(f"no rule {name!r} to put back; choose from {', '.join(NAMES)}")
    entry = await realm.store.entry(OVERRIDES, "")
    now = rules_of(entry.record if entry else b"")
    wanted = {name: value for name in NAMES if (value := getattr(judged(said.set), name)) is not None}
    kept = {name: value for name in NAMES if name not in said.unset and (value := getattr(now, name)) is not None}
    rules = Rules(**{**kept, **wanted})
    version = entry.version if entry else 0
    record = record_of(rules)
    effects: tuple[Effect, ...] = (PutEntry(OVERRIDES, "", record, FOR_GOOD, version), TellNodes())
    if rules == Rules() and entry is not None:
        effects = (DropEntry(OVERRIDES, "", version), TellNodes())
    return Plan(
        action="policy.change",
        what="policy",
        key=realm.name,
        name=realm.policy.title,
        before=rules_document(realm.policy),
        after=rules_document(overridden(realm.told, record)),
        effects=effects,
        version=await version_now(house),
        follows=(Sentence("What was given before keeps its own lifetime."),),
    )


async def version_now(house: House) -> str:
    """Never "": there are always rules."""
    entry = await house.realm.store.entry(OVERRIDES, "")
    return house.version_of(b"%d" % entry.version + entry.record if entry else b"as the settings say")
