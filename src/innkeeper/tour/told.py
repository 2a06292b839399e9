"""A chapter as one document: its words, its acts with what came of each, and the tokens that were cut on the way. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from innkeeper.tour.answers import judged
from innkeeper.tour.course import address
from innkeeper.tour.face import face
from innkeeper.tour.house import DOORS, House
from innkeeper.tour.plays import ORDER, Act, Chapter, act_key, chapters
from innkeeper.tour.reading import token_document
from innkeeper.tour.record import Hop
from innkeeper.tour.visit import Done, Visit
from innkeeper.tour.words import section_url, words


def contents(house: House) -> list[dict[str, Any]]:
    """The chapters as a table of contents. One that needs what this house lacks says so."""
    return [_entry(one, house) for one in chapters()]


def chapter_document(told: Chapter, visit: Visit | None, hops: Sequence[Hop], house: House) -> dict[str, Any]:
    """A chapter; with a visit, as far as it has been played."""
    done = {one.n: one for one in visit.acts} if visit else {}
    acts = [_act(number, act, done, visit, hops) for number, act in enumerate(told.acts, 1)]
    played = [one for one in acts if one["state"] == "done"]
    before, after = _around(told)
    return {
        **_entry(told, house),
        "lead": told.lead,
        "who": told.who,
        "remember": told.remember,
        "acts": acts,
        "played": len(played),
        "ended": visit is not None and len(done) >= len(told.acts),
        "stuck": any(not one["ok"] for one in played),
        "last": played[-1] if played else None,
        "face": _face(told, visit),
        "yourself": yourself(told, house),
        "before": _entry(before, house) if before else None,
        "after": _entry(after, house) if after else None,
    }


def _around(told: Chapter) -> tuple[Chapter | None, Chapter | None]:
    """The chapters before and after; a flow that is being compared stands alone."""
    keys = [one.key for one in chapters()]
    if told.key not in keys:
        return None, None
    at = keys.index(told.key)
    return (chapters()[at - 1] if at else None), (chapters()[at + 1] if at + 1 < len(keys) else None)


def chapter_tokens(visit: Visit, now: int) -> list[dict[str, Any]]:
    """Each different token among the values of a visit, newest name first, taken apart."""
    found = {value: name for name, value in visit.values.items() if value.count(".") == 2 and value.startswith("eyJ")}
    return [_token(name, value, now) for value, name in found.items()]


def hotel_doors(told: Chapter, visit: Visit | None) -> list[dict[str, Any]]:
    """The doors as this chapter has left them: the last act at each door decides."""
    states = {}
    for one in visit.acts if visit else ():
        if door := told.acts[one.n - 1].door:
            states[door] = "open" if one.outcome.startswith("200") else "refused"
    return [_door(key, states.get(key, "closed")) for key in DOORS]


def yourself(told: Chapter, house: House) -> list[dict[str, str]]:
    """What to type for the same result, with this house's addresses."""
    known = {name: value for name, value in house.values().items() if name in _TOLD}
    lines = [{"says": one.says, "line": _filled(one.line, known), "prints": one.prints} for one in told.yourself]
    play = f"innkeeper tour --issuer {house.base_url} --chapter {told.key}"
    return [*lines, {"says": words().plays["terminal"], "line": play, "prints": ""}]


def _face(told: Chapter, visit: Visit | None) -> dict[str, Any] | None:
    """The card that was shown last, or else the one cut last."""
    shown = [name for one in (visit.acts if visit else ()) for name in _cards(told.acts[one.n - 1])]
    held = [visit.values[name] for name in shown if name in visit.values] if visit else []
    return face(held[-1]) if held else None


def _cards(act: Act) -> list[str]:
    """The access tokens that an act cuts or shows, by the name of their value."""
    cut = [name for name, source in act.keep.items() if source == "access_token"]
    return [*cut, *([act.bearer.strip("{}")] if act.bearer else [])]


COURSE = {
    **{
        key: key
        for key in ("who-and-what", "history", "discovery", "claims", "client-credentials", "device", "ciba", "refresh")
    },
    **{key: key for key in ("dpop", "exchange", "cognito", "entra", "mistakes")},
    "api-key": "who-and-what",
    "code": "code-and-pkce",
    "revocation": "life-and-death",
    "mcp": "agents",
}
"""The page of the course that goes with a chapter, by the chapter's key."""

_TOLD = frozenset({"origin", "hotel", "mcp", "annexe", "api_key"})
"""What may stand in a command line that is shown."""


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _entry(told: Chapter, house: House) -> dict[str, Any]:
    return {
        "key": told.key,
        "number": ORDER.index(told.key) + 1 if told.key in ORDER else 0,
        "title": told.title,
        "question": told.question,
        "oauth": told.oauth,
        "spec": told.spec,
        "url": section_url(told.spec),
        "course": _course(told.key, house),
        "open": not told.needs or told.needs in house.features,
        "needs": words().plays.get(f"needs-{told.needs}", ""),
    }


def _course(key: str, house: House) -> dict[str, str] | None:
    """The page of the course that goes with a chapter: its file in the project's folder, and its address where it is served."""
    if key not in COURSE:
        return None
    page = f"docs/tutorial/{COURSE[key]}.md"
    return {"page": page, "url": address(page) if house.course else ""}


def _act(number: int, act: Act, done: Mapping[int, Done], visit: Visit | None, hops: Sequence[Hop]) -> dict[str, Any]:
    mine = [hop for hop in hops if hop.label == act_key(number)]
    came = done.get(number)
    actor = words().actors[act.by]
    return {
        "n": number,
        "by": act.by,
        "who": actor.hotel,
        "role": actor.oauth,
        "title": act.title,
        "says": act.says,
        "spec": act.spec,
        "url": section_url(act.spec),
        "door": act.door,
        "expect": act.expect,
        "state": "done" if came else "next" if visit and number == len(done) + 1 else "later",
        "outcome": came.outcome if came else "",
        "passed": came.outcome[:3] in _GOOD if came else False,
        "ok": came.ok if came else True,
        "lesson": act.lesson if came and came.ok else "",
        "failed": _failed(mine),
        "hops": [hop.n for hop in mine],
    }


_GOOD = frozenset({"200", "201", "302 code"[:3]})


def _failed(hops: Sequence[Hop]) -> dict[str, Any] | None:
    """The check that decided, where the act's last message was refused."""
    trails = [trail for hop in hops[-1:] for trail in hop.trails if trail["outcome"] == "refused"]
    if not trails or (hops[-1].status < 400):
        return None
    told = judged(trails[-1])
    return next((step for step in told["steps"] if not step["passed"]), None)


def _token(name: str, value: str, now: int) -> dict[str, Any]:
    said = words().values.get(name)
    document = token_document("access", value, now)
    kind = next((one["value"] for one in document["header"] if one["name"] == "typ"), "")
    return document | {
        "kind": name,
        "title": said.name if said else name,
        "oauth": said.short if said else kind,
    }


def _door(key: str, state: str) -> dict[str, Any]:
    door, said = DOORS[key], words().doors[key]
    return {"key": key, "name": said.name, "says": said.says, "scope": door.scope, "path": door.path, "state": state}
