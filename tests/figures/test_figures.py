"""Figures are drawn from plain values, say the same in words, and hold no whole token."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from innkeeper.figures import Figure, Message, acting, claims, common, hours, ladder, matrix, parts
from innkeeper.guard import Guard
from innkeeper.keys.jws import NotAToken

HEADER, PAYLOAD, SEAL = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9", "eyJzdWIiOiJhZGEiLCJleHAiOjE4MDAwMDAwMDB9", "c2VhbA"
TOKEN = f"{HEADER}.{PAYLOAD}.{SEAL}"


def texts(figure: Figure) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(figure.source).iter() if one.text]


def test_every_member_is_shown_with_its_meaning() -> None:
    figure = claims(TOKEN)
    shown = texts(figure)
    assert {"alg", "typ", "sub", "exp", "ES256", "ada", "2027-01-15 08:00:00 UTC"} <= set(shown)
    assert "sub: ada\n    Whom the token is about" in str(figure)


@pytest.mark.parametrize("figure", [parts(TOKEN), claims(TOKEN)])
def test_the_seal_is_left_out(figure: Figure) -> None:
    assert SEAL not in figure.source
    assert PAYLOAD not in figure.source


def test_what_is_no_token_is_refused() -> None:
    with pytest.raises(NotAToken):
        parts("sk-live-not-a-token")


def test_markup_in_a_token_stays_text() -> None:
    figure = ladder([Message("<script>", "b", "</svg><img src=x>", True)])
    assert "<script>" not in figure.source
    assert "<script>" in texts(figure)


@pytest.mark.parametrize(("now", "state"), [(1000, "open"), (1600, "shut"), (900, "shut")])
def test_a_line_of_time_says_whether_it_opens_now(now: int, state: str) -> None:
    figure = hours({"iat": 1000, "exp": 1600}, now)
    assert str(figure).endswith(state)
    assert "opens, for 10 minutes" in texts(figure)


def test_a_chain_of_actors_is_drawn_as_the_errand_went() -> None:
    said = {"sub": "guest-204", "act": {"sub": "housekeeper", "act": {"sub": "concierge"}}}
    assert str(acting(said, {"guest-204": "Ada"})) == "Ada → concierge → housekeeper"
    assert str(acting({"sub": "ada"})) == "ada"


def test_what_both_may_is_in_the_middle() -> None:
    figure = common({"Ada": ["room", "gym"], "the agent": ["gym", "pool"]}, ["gym"])
    assert str(figure).splitlines() == ["Ada: gym, room", "the agent: gym, pool", "both: gym"]
    assert sorted(one for one in texts(figure) if one in {"room", "gym", "pool"}) == ["gym", "pool", "room"]


def test_a_row_for_each_token_ends_at_the_check_that_refused_it() -> None:
    guard = Guard("https://desk.example", "https://api.example")
    figure = matrix({"no token": guard.verify_blocking("x"), "another's": guard.verify_blocking(TOKEN)})
    assert "no token: refused, The token is not a signed JWT [IK501]" in str(figure)
    assert texts(figure).count("✗") == 2


def test_a_figure_has_a_picture_and_words_for_jupyter() -> None:
    bundle = hours({"iat": 1000, "exp": 1600}, 1000)._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert set(claims(TOKEN)._repr_mimebundle_()) == {"text/html", "text/plain"}
