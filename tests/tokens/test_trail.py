"""What a check saw is told in words, whether it was kept as words or as names."""

from __future__ import annotations

import pytest

from innkeeper.tokens.trail import Seen


@pytest.mark.parametrize(
    ("seen", "found", "expected"),
    [
        (Seen("code", "code"), "code", "code"),
        (Seen(frozenset({"room:enter", "gym:enter"})), "gym:enter room:enter", ""),
        (Seen("none", frozenset({"none", "client_secret_basic"})), "none", "client_secret_basic or none"),
        (Seen(("b", "a")), "b a", ""),
        (Seen(), "", ""),
    ],
)
def test_what_was_seen_is_told_in_words(seen: Seen, found: str, expected: str) -> None:
    assert (seen.found, seen.expected) == (found, expected)
