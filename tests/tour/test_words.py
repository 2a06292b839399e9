"""Everything that can be shown has its words, and every section its address."""

from __future__ import annotations

import pytest

from innkeeper.tokens.access import REQUIRED
from innkeeper.tokens.words import CLAIMS, HEADER
from innkeeper.tour.cards import CARDS
from innkeeper.tour.house import DOORS
from innkeeper.tour.pages import ticked
from innkeeper.tour.replay import LANES, glossary
from innkeeper.tour.words import section_url, words

AUTHORIZE = (
    "response_type client_id redirect_uri scope state nonce code_challenge code_challenge_method resource prompt"
)


@pytest.mark.parametrize("name", [*REQUIRED, "scope", "auth_time", "acr", "amr", "gid", "nonce", "at_hash", "sid"])
def test_every_claim_the_issuer_writes_is_explained(name: str) -> None:
    assert CLAIMS[name].says.endswith(".")


@pytest.mark.parametrize("name", AUTHORIZE.split())
def test_every_parameter_of_the_authorization_request_is_explained(name: str) -> None:
    word = words().parameter(name, "authorize")
    assert word is not None
    assert word.spec


def test_every_card_door_and_lane_has_a_name() -> None:
    assert set(words().cards) == set(CARDS)
    assert set(words().doors) == set(DOORS)
    assert {lane for lanes in LANES.values() for lane in lanes} <= set(words().actors)


def test_a_word_for_the_place_wins_over_the_general_one() -> None:
    special, general = words().parameter("code", "token"), words().parameter("code", "callback")
    assert special is not None
    assert general is not None
    assert "spent" in special.says
    assert special != general
    assert words().parameter("no-such-parameter", "token") is None


def test_every_section_named_has_an_address() -> None:
    said = words()
    named = [*said.parameters.values(), *said.headers.values(), *CLAIMS.values(), *HEADER.values()]
    specs = {word.spec for word in named} | {entry["spec"] for entry in glossary()}
    specs |= {hop.spec for hop in said.hops.values()} | {answer.spec for answer in said.answers.values()}
    assert [spec for spec in specs if spec and not section_url(spec)] == []


@pytest.mark.parametrize(
    ("spec", "url"),
    [
        ("RFC 6749 §4.1.1", "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1"),
        ("RFC 9068", "https://www.rfc-editor.org/rfc/rfc9068"),
        ("OpenID Connect Core §3.1.2.1", "https://openid.net/specs/openid-connect-core-1_0.html#rfc.section.3.1.2.1"),
        ("House rules §3", ""),
    ],
)
def test_a_section_leads_to_where_it_can_be_read(spec: str, url: str) -> None:
    assert section_url(spec) == url


def test_names_between_backticks_become_code_and_everything_is_escaped() -> None:
    assert ticked("see `iss` & <b>") == "see <code>iss</code> &amp; &lt;b&gt;"


def test_backticks_come_in_pairs() -> None:
    said = words()
    sentences = [word.says for table in (said.parameters, said.headers) for word in table.values()]
    assert [text for text in sentences + [one.says for one in said.glossary] if text.count("`") % 2] == []
