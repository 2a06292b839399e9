"""The same flow at several desks, side by side: hop by hop, and claim by claim. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from innkeeper.tour.house import House
from innkeeper.tour.plays import Comparison, comparisons
from innkeeper.tour.words import section_url, words

Played = Mapping[str, Mapping[str, Any]]
"""By desk, the replay of the visit in which the flow was played there."""


def desks_of(told: Comparison, house: House) -> list[str]:
    """The desks of this comparison that this house has, its own first."""
    return [desk for desk in told.desks if desk == "native" or desk in house.features]


def comparison_document(told: Comparison, played: Played, house: House) -> dict[str, Any]:
    """A comparison; with replays, all that differs between them."""
    desks = desks_of(told, house)
    return {
        "key": told.key,
        "title": told.title,
        "says": told.says,
        "spec": told.spec,
        "url": section_url(told.spec),
        "remember": told.remember,
        "others": [{"key": one.key, "title": one.title} for one in comparisons() if one.key != told.key],
        "desks": [_desk(desk, played) for desk in desks],
        "steps": _steps(told, desks, played) if played else [],
        "tokens": _tokens([desk for desk in desks if desk in played], played),
    }


def _desk(desk: str, played: Played) -> dict[str, str]:
    actor = words().actors["desk" if desk == "native" else desk]
    visit = f"/tour/visits/{played[desk]['id']}" if desk in played else ""
    return {"key": desk, "name": actor.hotel, "oauth": actor.oauth, "visit": visit}


def _steps(told: Comparison, desks: Sequence[str], played: Played) -> list[dict[str, Any]]:
    """Each step of the flow, with the message it came to at each desk and the names that not all of them used."""
    titles = [act.title for act in next(iter(told.desks.values()))]
    return [_step(n, title, [(desk, played.get(desk)) for desk in desks]) for n, title in enumerate(titles, 1)]


def _step(n: int, title: str, replays: Sequence[tuple[str, Mapping[str, Any] | None]]) -> dict[str, Any]:
    hops = [_ends(replay, n) if replay else None for _, replay in replays]
    asked = [_named(first, "request") if first else {} for first, _ in (pair or (None, None) for pair in hops)]
    said = [_named(last, "response") if last else {} for _, last in (pair or (None, None) for pair in hops)]
    return {
        "title": title,
        "lines": [_line(pair) for pair in hops],
        "asked": _rows(asked),
        "said": _rows(said),
    }


def _ends(replay: Mapping[str, Any], n: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The first and the last message of an act."""
    mine = [hop for hop in replay["hops"] if hop["act"] == n]
    return (mine[0], mine[-1]) if mine else None


def _line(pair: tuple[dict[str, Any], dict[str, Any]] | None) -> dict[str, Any] | None:
    if pair is None:
        return None
    first, last = pair
    return {
        "method": first["request"]["method"],
        "path": first["request"]["path"],
        "status": last["response"]["status"],
        "phrase": last["response"]["phrase"],
    }


def _named(hop: Mapping[str, Any], half: str) -> dict[str, str]:
    """The parameters of half a message by name; of metadata and headers, nothing."""
    part = hop[half]
    after = part["next"]["params"] if half == "response" and part["next"] else []
    listed = [*part.get("params", []), *part["body"]["params"], *after]
    return {one["name"]: one["value"] for one in listed}


def _rows(columns: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """A row for each name that somebody used: its value at each desk, None where it is missing there."""
    names = dict.fromkeys(name for column in columns for name in column)
    rows = [{"name": name, "says": "", "cells": [column.get(name) for column in columns]} for name in names]
    return [row | {"everywhere": None not in row["cells"]} for row in rows]


def _tokens(desks: Sequence[str], played: Played) -> list[dict[str, Any]]:
    """Each kind of token, claim by claim across the desks."""
    kinds = dict.fromkeys(token["kind"] for desk in desks for token in played[desk]["tokens"])
    return [_token(kind, [_of_kind(played[desk]["tokens"], kind) for desk in desks]) for kind in kinds]


def _of_kind(tokens: Sequence[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next((one for one in tokens if one["kind"] == kind), {"header": [], "claims": []})


def _token(kind: str, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    said = words().values.get(kind)
    rows = []
    for part in ("header", "claims"):
        columns = [{one["name"]: one["value"] for one in token[part]} for token in found]
        meant = {one["name"]: one["says"] for token in found for one in token[part]}
        rows += [row | {"part": part, "says": meant[row["name"]]} for row in _rows(columns)]
    return {"kind": kind, "title": said.name if said else kind, "oauth": said.short if said else "", "rows": rows}
