"""A visit as one document: every message explained, every token taken apart, every door with its answer.

Pure. The pages are drawn from this document and ``replay.json`` is this document, so that what a person sees
and what a program reads are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from innkeeper.tour.answers import answer_document
from innkeeper.tour.cards import CARDS
from innkeeper.tour.commands import commands
from innkeeper.tour.face import face
from innkeeper.tour.hands import clock_document
from innkeeper.tour.house import DOORS, House
from innkeeper.tour.marks import THIEF
from innkeeper.tour.messages import hop_document, note_document
from innkeeper.tour.plays import chapter
from innkeeper.tour.reading import differences, token_document
from innkeeper.tour.record import Hop
from innkeeper.tour.told import chapter_tokens
from innkeeper.tour.visit import TURNS, Try, Visit
from innkeeper.tour.words import Named, section_url, words

LANES = {
    "guest": ("browser", "app", "desk", "doors"),
    "agent": ("app", "desk", "doors"),
    "walk": ("browser", "app", "desk", "doors"),
}
"""Who takes part in a visit. A chapter says itself who does."""


def replay(visit: Visit, hops: Sequence[Hop], house: House, now: int) -> dict[str, Any]:
    """The whole record of a visit. ``now`` in seconds, for what is said of time."""
    by_number = {hop.n: hop for hop in hops}
    return {
        "id": visit.id,
        "flow": visit.flow,
        "title": _title(visit),
        "stage": visit.stage,
        "trouble": visit.trouble,
        "started_at": visit.started_at,
        "lanes": [
            {"key": lane} | _named(_actor(visit, lane))
            for lane in _lanes(visit, with_thief=visit.stolen or any(_by_thief(hop) for hop in hops))
        ],
        "note": note_document(visit.pending.url) if visit.pending else None,
        "hops": [hop_document(hop, visit, house) for hop in hops],
        "tokens": chapter_tokens(visit, now) if visit.chapter else _tokens(visit, now),
        "card": face(visit.card) if visit.card else None,
        "cards": [_card(name, visit) for name in CARDS if name != "identity" or visit.identity],
        "hotel": [_door(door, visit.tries) for door in DOORS],
        "commands": commands(visit, house) if visit.card else [],
        "clock": clock_document(visit.hands, now) | ({"sky": ""} if visit.chapter else {}),
        "stolen": visit.stolen,
        "turn": _turn(visit.turn) if visit.turn else None,
        "turns": [_turn(turn) for turn in TURNS if turn not in _hidden(visit)],
        "doors": [_try(one, visit, by_number.get(one.hop)) for one in visit.tries],
    }


def _title(visit: Visit) -> str:
    told = chapter(visit.chapter)
    return told.title if told else words().plays[f"visit-{visit.flow}"]


def glossary() -> list[dict[str, str]]:
    """The whole hotel in OAuth's words."""
    return [_named(entry) for entry in words().glossary]


def entrance() -> list[dict[str, Any]]:
    """The doors before anyone has come."""
    return [_door(door, ()) for door in DOORS]


def _lanes(visit: Visit, *, with_thief: bool) -> tuple[str, ...]:
    if told := chapter(visit.chapter):
        return told.lanes
    *others, doors = LANES[visit.flow]
    return (*others[:-1], *((THIEF,) if with_thief else ()), others[-1], doors)


def _by_thief(hop: Hop) -> bool:
    return hop.label.startswith(f"{THIEF}-")


def _actor(visit: Visit, lane: str) -> Named:
    return words().actors["agent" if lane == "app" and visit.flow == "agent" else lane]


def _named(entry: Named) -> dict[str, str]:
    return {
        "hotel": entry.hotel,
        "oauth": entry.oauth,
        "says": entry.says,
        "spec": entry.spec,
        "url": section_url(entry.spec),
    }


def _tokens(visit: Visit, now: int) -> list[dict[str, Any]]:
    held = (("access", visit.card), ("id", visit.identity))
    names = {kind: words().values[kind] for kind, _ in held}
    return [
        token_document(kind, token, now) | {"title": names[kind].name, "oauth": names[kind].short}
        for kind, token in held
        if token
    ]


def _turn(key: str) -> dict[str, str]:
    said = words().turns[key]
    return {"key": key, "kind": key.partition("-")[0], "name": said.name, "says": said.says}


def _hidden(visit: Visit) -> frozenset[str]:
    """What cannot happen now: a card is copied once; without a voucher a guest has no way to another card."""
    away = {"card-copy"} if visit.stolen else {"card-back"}
    guest = visit.flow == "guest"
    stays = {"desk-checkout"} if not guest or not visit.voucher else set()
    return frozenset(away | stays | ({"card-renew"} if guest and not visit.voucher else set()))


def _card(name: str, visit: Visit) -> dict[str, Any]:
    said = words().cards[name]
    token = visit.cards.get(name, "")
    changed = differences(visit.card, token) if token and visit.card and name != "real" else []
    return {"key": name, "name": said.name, "short": said.short, "says": said.says, "raw": token, "changed": changed}


def _door(key: str, tries: Sequence[Try]) -> dict[str, Any]:
    door, said = DOORS[key], words().doors[key]
    last = next((one for one in reversed(tries) if one.door == key), None)
    state = "closed" if last is None else "open" if last.status == 200 else "refused"
    return {"key": key, "name": said.name, "says": said.says, "scope": door.scope, "path": door.path, "state": state}


def _try(one: Try, visit: Visit, hop: Hop | None) -> dict[str, Any]:
    return {
        "n": one.n,
        "card": _card(one.card, visit),
        "door": _door(one.door, visit.tries),
        "status": one.status,
        "opened": one.status == 200,
        "hop": one.hop,
        **answer_document(one.status, hop),
    }
