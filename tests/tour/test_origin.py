"""Which forms are taken."""

from __future__ import annotations

import pytest

from innkeeper.tour.origin import why_foreign
from tests.tour.world import BASE

OURS = {"host": "127.0.0.1:8400"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin", "origin": BASE},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"sec-fetch-site": "none"},
        {"origin": BASE},
    ],
)
def test_our_own_forms_and_programs_are_taken(headers: dict[str, str]) -> None:
    assert why_foreign(OURS | headers, BASE) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"host": "evil.example", "sec-fetch-site": "same-origin"},
        {"host": "localhost:8400"},
    ],
)
def test_anybody_elses_are_not(headers: dict[str, str]) -> None:
    assert why_foreign(OURS | headers, BASE)
