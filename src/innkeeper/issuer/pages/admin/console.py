"""The console's rooms: the overview, the lists, the page of each thing, rules, the audit log, health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlencode

import msgspec

from innkeeper.issuer.core.admin.change import UNFIT, UNKNOWN_THING
from innkeeper.issuer.desk.admin.actions import ACTIONS
from innkeeper.issuer.desk.admin.house import House, Missing
from innkeeper.issuer.desk.admin.readings import READINGS
from innkeeper.issuer.dialects.layout import Endpoint, Layout
from innkeeper.issuer.pages.admin.books import audit_context, line_context
from innkeeper.issuer.pages.admin.changing import Changing
from innkeeper.issuer.pages.admin.entrance import Entrance, Guest
from innkeeper.issuer.pages.admin.sections import KEY_CHANGES, SECTIONS, Section, key_facts, key_row
from innkeeper.issuer.pages.speaking import marked, midway, translated, worded
from innkeeper.issuer.pages.visit import Malformed, Visits
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.refusals import Refusal, UsageError

METHODS = frozenset({"GET", "HEAD", "POST"})
_A_PAGE = "20"


class Console:
    """What answers at ``/admin`` and below, but for the API."""

    def __init__(self, house: House, layout: Layout, visits: Visits) -> None:
        self._house = house
        self._entrance = Entrance(house, layout, visits)
        self._changing = Changing(self._entrance)
        self._rooms = {
            "": self._overview,
            "do": self._changing.room,
            "policy": self._policy,
            "audit": self._audit,
            "health": self._health,
        }

    def find(self, scope: Mapping[str, Any]) -> Endpoint | None:
        """See ``layout.Finder``."""
        sent = scope.get("raw_path") or scope["path"].encode("utf-8")
        path, at = sent.decode("latin-1").partition("?")[0], self._entrance.at
        if path != at and not path.startswith(f"{at}/"):
            return None
        segments = tuple(unquote(one) for one in path.removeprefix(at).split("/") if one)
        return Endpoint(_Visited(self, segments), METHODS)

    async def answer(self, request: Request, segments: Sequence[str]) -> Reply:
        return await self._entrance.enter(request, segments, self._room)

    async def _room(self, guest: Guest, segments: Sequence[str]) -> Reply:
        first = segments[0] if segments else ""
        try:
            if first in SECTIONS:
                return await self._section(guest, SECTIONS[first], segments)
            room = self._rooms.get(first)
            if room is not None:
                return await room(guest, segments)
        except Missing as missing:
            return self._refused(guest, Refusal(UNKNOWN_THING, str(missing)))
        except (UsageError, Malformed) as unfit:
            return self._refused(guest, Refusal(UNFIT, str(unfit)))
        return self._refused(guest, Refusal(UNKNOWN_THING, f"the console has no page {'/'.join(segments)!r}"))

    def _refused(self, guest: Guest, refusal: Refusal) -> Reply:
        return self._entrance.refused(guest, self._entrance.noted(refusal))

    async def _section(self, guest: Guest, section: Section, segments: Sequence[str]) -> Reply:
        if len(segments) > 2:
            return await self._keys(guest, segments)
        if no := self._entrance.may_not(guest, READINGS[section.reading].permission, segments):
            return no
        if len(segments) == 2:
            return await self._thing(guest, section, segments[1])
        return await self._list(guest, section)

    async def _list(self, guest: Guest, section: Section) -> Reply:
        reading = READINGS[section.reading]
        query = {name: text for name in reading.filters if (text := guest.form.get(name, ""))}
        found = (await reading.look(self._house, "", {"limit": _A_PAGE, **query})).document
        rows = [section.row(one) for one in found["items"]]
        more = {**query, "after": found["next"]} if found["next"] else None
        return self._entrance.page(
            "list.html",
            guest,
            title=section.title,
            lead=section.lead,
            rows=[{"href": self._entrance.address(section.name, one.key), "row": one} for one in rows],
            total=found["total"],
            searchable="q" in reading.filters,
            query=query,
            filters=[
                {"name": name, "label": label, "choices": choices, "value": query.get(name, "")}
                for name, label, choices in section.filters
            ],
            empty=section.empty,
            adds=self._offers(guest, section.adds, ""),
            at=self._entrance.address(section.name),
            more=f"{self._entrance.address(section.name)}?{urlencode(more)}" if more else None,
            done=_done(guest),
            crumbs=[],
        )

    async def _thing(self, guest: Guest, section: Section, key: str) -> Reply:
        found = (await READINGS[section.one].look(self._house, key, {})).document
        changes = [one for one in section.changes if _suits(one, found)]
        may_see_keys = section.name == "realms" and guest.visitor.may("admin:keys:read")
        row = section.row(found)
        return self._entrance.page(
            "thing.html",
            guest,
            title=row.title,
            row=row,
            facts=_facts(section.facts(found)),
            changes=self._offers(guest, changes, key),
            links=[(marked("Keys"), self._entrance.address("realms", key, "keys"))] if may_see_keys else [],
            crumbs=[(translated(section.title), self._entrance.address(section.name))],
            done=_done(guest),
        )

    async def _keys(self, guest: Guest, segments: Sequence[str]) -> Reply:
        """``realms/NAME/keys`` and one key below it."""
        part, realm, what, *kid = segments
        if part != "realms" or what != "keys" or len(kid) > 1:
            raise Missing(f"the console has no page {'/'.join(segments)!r}")
        if no := self._entrance.may_not(guest, "admin:keys:read", segments):
            return no
        at, crumbs = (
            self._entrance.address("realms", realm, "keys"),
            [
                (translated("Realms and keys"), self._entrance.address("realms")),
                (realm, self._entrance.address("realms", realm)),
            ],
        )
        if kid:
            found = (await READINGS["key"].look(self._house, f"{realm}/{kid[0]}", {})).document
            changes = KEY_CHANGES if found["does"] != "withdrawn" else ()
            return self._entrance.page(
                "thing.html", guest, title=worded("Key {id}…", id=found["kid"][:12]), row=key_row(found), links=[],
                facts=_facts(key_facts(found)), changes=self._offers(guest, changes, f"{realm}/{found['kid']}"),
                crumbs=[*crumbs, (translated("Keys"), at)], done=_done(guest),
            )  # fmt: skip
        found = (await READINGS["keys"].look(self._house, realm, {"limit": "200"})).document
        rows = [key_row(one) for one in found["items"]]
        return self._entrance.page(
            "list.html", guest, title=marked("Keys"), lead=worded("What {realm} signs with, and what others encrypt to.", realm=realm),
            rows=[{"href": f"{at}/{one.key}", "row": one} for one in rows], total=found["total"], searchable=False,
            query={}, filters=[], empty=marked("No key is here."), adds=self._offers(guest, ("key.rotate",), realm), at=at,
            more=None, done=_done(guest), crumbs=crumbs,
        )  # fmt: skip

    async def _overview(self, guest: Guest, _: Sequence[str]) -> Reply:
        cards = []
        for section in SECTIONS.values():
            reading = READINGS[section.reading]
            if guest.visitor.may(reading.permission):
                total = (await reading.look(self._house, "", {"limit": "1"})).document["total"]
                cards.append({"title": section.title, "total": total, "lead": section.lead,
                              "href": self._entrance.address(section.name)})  # fmt: skip
        seen = guest.visitor.may("admin:health:read")
        notices = (await READINGS["health"].look(self._house, "", {})).notices if seen else ()
        recent = await self._recent(guest)
        return self._entrance.page(
            "overview.html", guest, cards=cards, notices=notices, recent=recent,
            audit=self._entrance.address("audit"), roles=sorted(guest.person.roles),
        )  # fmt: skip

    async def _recent(self, guest: Guest) -> list[dict[str, Any]] | None:
        if self._house.audit is None or not guest.visitor.may("admin:audit:read"):
            return None
        found = self._house.audit({"about": "administration", "outcome": "passed", "limit": "6"})
        rows: list[dict[str, Any]] = audit_context(found, {}, self._entrance.address("audit"))["rows"]
        return rows

    async def _policy(self, guest: Guest, segments: Sequence[str]) -> Reply:
        if no := self._entrance.may_not(guest, "admin:policies:read", segments):
            return no
        rules = (await READINGS["policy"].look(self._house, "", {})).document["rules"]
        return self._entrance.page(
            "policy.html", guest, rules=rules, changes=self._offers(guest, ("policy.change",), ""), done=_done(guest)
        )

    async def _audit(self, guest: Guest, segments: Sequence[str]) -> Reply:
        if no := self._entrance.may_not(guest, "admin:audit:read", segments):
            return no
        at, reading = self._entrance.address("audit"), READINGS["audit"]
        if len(segments) == 3:
            found = (await reading.look(self._house, "", {"line": f"{segments[1]}.{segments[2]}"})).document
            if not found["lines"]:
                raise Missing(f"no line {segments[2]} in the chain {segments[1]!r}")
            return self._entrance.page("line.html", guest, at=at, **line_context(found["lines"][0]))
        query = {name: text for name in reading.filters if (text := guest.form.get(name, ""))}
        found = (await reading.look(self._house, "", {"limit": "30", **query})).document
        return self._entrance.page("audit.html", guest, at=at, **audit_context(found, query, at))

    async def _health(self, guest: Guest, segments: Sequence[str]) -> Reply:
        if no := self._entrance.may_not(guest, "admin:health:read", segments):
            return no
        found = await READINGS["health"].look(self._house, "", {})
        return self._entrance.page(
            "health.html", guest, health=found.document, notices=found.notices, audit=self._entrance.address("audit")
        )

    def _offers(self, guest: Guest, names: Sequence[str], key: str) -> list[dict[str, Any]]:
        """The changes that are open to them, as links: what somebody may not do is not shown."""
        offered = [ACTIONS[one] for one in names if guest.visitor.may(ACTIONS[one].permission)]
        keys = [key] if key else []
        return [
            {"words": OFFERS[one.name], "href": self._entrance.address("do", one.name, *keys), "grave": one.grave}
            for one in offered
        ]


class _Visited(msgspec.Struct, frozen=True):
    """The console at the segments of a path."""

    console: Console
    segments: tuple[str, ...]

    async def __call__(self, request: Request) -> Reply:
        return await self.console.answer(request, self.segments)


OFFERS = {
    "client.add": marked("Add a client"),
    "client.invite": marked("Invite clients"),
    "client.change": marked("Change"),
    "client.rotate-secret": marked("New secret"),
    "client.remove": marked("Remove"),
    "agent.add": marked("Add an agent"),
    "agent.pause": marked("Pause"),
    "agent.resume": marked("Let it act again"),
    "agent.revoke": marked("Revoke for good"),
    "person.add": marked("Add a person"),
    "person.change": marked("Change"),
    "person.password": marked("Set a password"),
    "person.sign-out": marked("Sign out everywhere"),
    "person.reset-factors": marked("Reset second factors"),
    "person.lock": marked("Lock"),
    "person.unlock": marked("Unlock"),
    "person.erase": marked("Erase"),
    "resource.add": marked("Add a resource"),
    "resource.change": marked("Change"),
    "resource.remove": marked("Remove"),
    "key.rotate": marked("New key"),
    "key.retire": marked("Retire"),
    "key.revoke": marked("Revoke at once"),
    "policy.change": marked("Change the rules"),
}
"""The words on the button of each change."""


_SUITS = {"agent.pause": ("active",), "agent.resume": ("paused",), "agent.revoke": ("active", "paused")}
"""The states of an agent in which each change to it makes sense."""


def _suits(name: str, document: Mapping[str, Any]) -> bool:
    """Whether a change makes sense as the thing is now."""
    if name in ("person.lock", "person.unlock"):
        return bool(document["locked"]) is (name == "person.unlock")
    if name in _SUITS:
        return document["status"] in _SUITS[name]
    if name == "client.rotate-secret":
        return bool(document["secrets"])
    return True


def _facts(facts: Sequence[tuple[str, Any]]) -> list[tuple[str, list[str]]]:
    """Each fact with its values; what is empty is left out."""
    listed = ((name, [value] if isinstance(value, str) else [str(one) for one in value]) for name, value in facts)
    return [(name, values) for name, values in listed if values and values != [""]]


def _done(guest: Guest) -> str | None:
    """What the page says after something was done; the address names which."""
    action = ACTIONS.get(guest.form.get("done", ""))
    return worded("Done: {what}.", what=midway(translated(action.does))) if action else None
