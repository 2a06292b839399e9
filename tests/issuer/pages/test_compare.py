"""Sent against registered: what differs is marked, and nothing else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.issuer.pages.compare import Segments, compare, compare_words, visible

CALLBACK = "http://127.0.0.1:8765/callback"
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
WORD = st.text("abc:", min_size=1, max_size=6)


def joined(segments: Segments) -> str:
    return "".join(text for text, _ in segments)


def differing(segments: Segments) -> list[str]:
    return [text for text, differs in segments if differs]


@pytest.mark.parametrize(
    ("sent", "in_sent", "in_registered"),
    [
        (CALLBACK, [], []),
        (CALLBACK + "/", ["/"], [""]),
        (CALLBACK[:-1], [""], ["k"]),
        (CALLBACK.replace("8765", "8766"), ["6"], ["5"]),
        (CALLBACK.replace("http:", "https:"), ["s"], [""]),
        (CALLBACK.replace("127.0.0.1", "localhost"), ["localhost"], ["127.0.0.1"]),
        (CALLBACK.replace("callback", "Callback") + "/", ["C", "/"], ["c", ""]),
        (CALLBACK + " ", [" "], [""]),
        ("", [""], [CALLBACK]),
    ],
)
def test_only_the_characters_that_differ_are_marked(sent: str, in_sent: list[str], in_registered: list[str]) -> None:
    compared = compare(sent, [CALLBACK])
    assert differing(compared.sent) == in_sent
    assert differing(compared.registered[0]) == in_registered


def test_the_nearest_registered_value_stands_first_and_is_the_one_cut() -> None:
    compared = compare(CALLBACK + "/", ["https://far.example/", CALLBACK, "http://127.0.0.1:8765/other"])
    assert [joined(one) for one in compared.registered] == [
        CALLBACK,
        "http://127.0.0.1:8765/other",
        "https://far.example/",
    ]
    assert [differing(one) for one in compared.registered] == [[""], [], []]


def test_chance_letters_in_common_are_not_shown_as_the_same() -> None:
    compared = compare("https://a.example/xaybzc", ["https://a.example/lambda-z-core"])
    assert differing(compared.sent) == ["xaybzc"]


def test_against_nothing_all_of_what_was_sent_differs() -> None:
    assert compare("x", []).sent == (("x", True),)
    assert compare("x", []).registered == ()


def test_very_long_texts_are_compared_coarsely_but_at_once() -> None:
    sent, registered = "s" + "ab" * 4000 + "s", "r" + "ba" * 4000 + "r"
    assert differing(compare(sent, [registered]).sent) == [sent]


@given(TEXT, st.lists(TEXT, max_size=4))
def test_both_sides_can_be_read_whole_from_their_segments(sent: str, registered: list[str]) -> None:
    compared = compare(sent, registered)
    assert joined(compared.sent) == sent
    assert sorted(joined(one) for one in compared.registered) == sorted(registered)


@given(TEXT, TEXT)
def test_the_same_is_the_same_on_both_sides(sent: str, registered: str) -> None:
    compared = compare(sent, [registered])
    same = ["".join(text for text, differs in side if not differs) for side in (compared.sent, compared.registered[0])]
    assert same[0] == same[1]
    assert bool(differing(compared.sent)) == (sent != registered)


@given(TEXT, TEXT)
def test_neighbouring_segments_never_say_the_same_thing(sent: str, registered: str) -> None:
    for side in (compare(sent, [registered]).sent, *compare(sent, [registered]).registered):
        assert all(a[1] != b[1] for a, b in pairwise(side))
        assert all(text or differs for text, differs in side)


def test_of_several_words_only_the_unknown_one_is_marked() -> None:
    compared = compare_words("gym:enter roomenter", ["room:enter", "gym:enter", "pool:enter"])
    assert compared.what == "scope"
    assert compared.sent == (("gym:enter room", False), ("", True), ("enter", False))
    assert [joined(one) for one in compared.registered] == ["room:enter", "gym:enter", "pool:enter"]
    assert differing(compared.registered[0]) == [":"]


def test_a_word_that_is_like_none_is_marked_whole() -> None:
    compared = compare_words("admin", ["room:enter", "gym:enter"])
    assert compared.sent == (("admin", True),)
    assert [differing(one) for one in compared.registered] == [[], []]


def test_a_space_too_many_between_words_is_marked() -> None:
    assert differing(compare_words("a  b", ["a", "b"]).sent) == [" "]


@given(st.lists(WORD, min_size=1, max_size=4), st.lists(WORD, max_size=4, unique=True))
def test_words_too_can_be_read_whole(words: list[str], registered: list[str]) -> None:
    compared = compare_words(" ".join(words), registered)
    assert joined(compared.sent) == " ".join(words)
    assert sorted(joined(one) for one in compared.registered) == sorted(registered)


def test_what_cannot_be_seen_is_made_visible() -> None:
    assert visible("a b\t\u200b\u202e") == "a b⟨U+0009⟩⟨U+200B⟩⟨U+202E⟩"


def test_where_it_differs_a_space_and_a_foreign_letter_are_told_too() -> None:
    assert visible("a е", differs=True) == "a␣е⟨U+0435⟩"
    assert visible("Zoë") == "Zoë"
