"""The line of those who act, read from a token that may say anything."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.tokens.acting import chain


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"sub": "ada"}, ()),
        ({"sub": "ada", "act": {"sub": "concierge"}}, ("ada", "concierge")),
        ({"sub": "ada", "act": {"sub": "spa", "act": {"sub": "concierge"}}}, ("ada", "concierge", "spa")),
        ({"act": {"act": {}}}, ("nobody named", "somebody without a name", "somebody without a name")),
        ({"sub": "ada", "act": "concierge"}, ()),
    ],
    ids=str,
)
def test_the_subject_stands_first_and_who_acts_now_last(claims: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert chain(claims) == expected


def test_a_chain_without_an_end_has_one() -> None:
    endless: dict[str, Any] = {"sub": "x"}
    endless["act"] = endless
    assert len(chain(endless)) == 51
