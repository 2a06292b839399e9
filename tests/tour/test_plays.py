"""The chapters as data: whole, in order, and each act able to be played with what comes before it."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from innkeeper.tour.annexe import drawn
from innkeeper.tour.forge import FORGED
from innkeeper.tour.house import DOORS
from innkeeper.tour.makings import MAKINGS
from innkeeper.tour.plays import ORDER, Act, Chapter, chapter, chapters
from innkeeper.tour.told import chapter_document, contents, hotel_doors
from innkeeper.tour.visit import Done
from innkeeper.tour.words import section_url, words
from tests.tour.world import HOUSE, hop, visit

NAME = re.compile(r"\{(\w+)\}")
ALL = pytest.mark.parametrize("one", chapters(), ids=lambda one: one.key)
METADATA = re.compile(r"\w+_endpoint|jwks_uri|(cognito|entra)_\w+")


def test_the_chapters_are_told_in_their_order() -> None:
    keys = [one.key for one in chapters()]
    assert keys == [key for key in ORDER if key in keys]
    assert len(keys) >= 13
    assert chapter("no-such-chapter") is None


@ALL
def test_every_name_in_an_act_was_given_before(one: Chapter) -> None:
    given = set(HOUSE.values()) | set(drawn(lambda _: ""))
    for act in one.acts:
        given |= set(act.make)
        assert {name for name in named(act) if name not in given and not METADATA.fullmatch(name)} == set(), act.title
        given |= set(act.keep)


def named(act: Act) -> set[str]:
    recipes = [f"{{{name}}}" for recipe in act.make.values() for name in recipe.split()[1:] if "{" not in name]
    credentials = [f"{{{act.basic}}}{{{act.basic}_secret}}"] if act.basic else []
    tables = [*act.ask.values(), *act.form.values(), *act.headers.values(), *act.answers.values()]
    return set(NAME.findall(" ".join([act.send, act.walk, act.bearer, *tables, *recipes, *credentials])))


@ALL
def test_every_act_is_whole(one: Chapter) -> None:
    for act in one.acts:
        assert bool(act.send) != bool(act.walk), f"{act.title}: one thing is done in an act"
        assert act.by in one.lanes
        assert act.door in {"", *DOORS}
        assert not act.spec or section_url(act.spec), act.spec
        assert {recipe.split()[0] for recipe in act.make.values()} <= {*MAKINGS, *FORGED, "signed", "key"}
        assert not act.dpop or any(act.dpop in other.make for other in one.acts)
        assert re.match(r"[1-5]\d\d\b", act.expect)
        assert act.says.endswith((".", "?", "!"))


@ALL
def test_every_chapter_has_its_words(one: Chapter) -> None:
    assert one.question.endswith("?")
    assert section_url(one.spec)
    assert set(one.lanes) <= set(words().actors)
    assert 2 <= len(one.remember) <= 4
    texts = [one.lead, *one.remember, *(text for act in one.acts for text in (act.says, act.lesson))]
    assert [text for text in texts if text.count("`") % 2 or text.count("*") % 2] == []
    assert not one.needs or f"needs-{one.needs}" in words().plays


def test_an_act_is_told_with_what_came_of_it_and_the_next_one_waits() -> None:
    told = chapter("client-credentials")
    assert told is not None
    stopped = {"about": "guard", "outcome": "refused", "steps": [step("scopes are enough", passed=False)]}
    hops = [hop(n=1, label="act-1"), hop(n=2, label="act-2", to="doors", status=403, trails=(stopped,))]
    playing = visit(flow="chapter", chapter=told.key, acts=(Done(1, "200", True), Done(2, "403", False)))
    document = chapter_document(told, playing, hops, HOUSE)
    first, second, third = document["acts"][:3]
    assert (first["state"], first["passed"], first["hops"]) == ("done", True, [1])
    assert (second["ok"], second["failed"]["name"], second["lesson"]) == (False, "scopes are enough", "")
    assert third["state"] == "next"
    assert document["stuck"]
    assert not document["ended"]
    states = {door["key"]: door["state"] for door in hotel_doors(told, playing)}
    assert (states["gym"], states["vip"]) == ("refused", "closed")


def step(name: str, *, passed: bool) -> dict[str, object]:
    return {"name": name, "sentence": "", "spec": "RFC 6750 §3.1", "passed": passed, "expected": "a", "found": "b",
            "reason": "it is so", "hint": ""}  # fmt: skip


def test_a_chapter_that_needs_what_the_house_lacks_says_so() -> None:
    for entry in contents(replace(HOUSE, agents={})):
        told = chapter(entry["key"])
        assert told is not None
        assert entry["open"] is (not told.needs)
        assert bool(entry["needs"]) is bool(told.needs)
