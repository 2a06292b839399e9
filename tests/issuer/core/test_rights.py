"""Whatever an agent, a person and a request hold: what an agent may do lies within each of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core.rights import ceiling, effective, unapproved
from innkeeper.issuer.core.scopes import Reach
from tests.issuer.core.facts import HOTEL, ISSUER, POLICY, ROBOT, SPA

SCOPES = ("openid", "profile", "room:enter", "gym:enter", "sauna:heat", "offline_access")
PLACES = (HOTEL, SPA, ISSUER, "https://elsewhere.example")
scopes = st.frozensets(st.sampled_from(SCOPES))
places = st.lists(st.sampled_from(PLACES), unique=True).map(tuple)
reaches = st.builds(Reach, scopes, places)
RISKY = replace(
    POLICY,
    resources={**POLICY.resources, HOTEL: replace(POLICY.resources[HOTEL], approval=frozenset({"room:enter"}))},
)


@given(reaches, reaches, scopes, places, st.booleans())
def test_rights_only_ever_shrink(
    person: Reach, agent: Reach, asked: frozenset[str], targets: tuple[str, ...], alone: bool
) -> None:
    opened = effective(person, agent, asked, targets, RISKY, alone=alone)
    assert opened.scopes <= person.scopes & agent.scopes
    assert opened.scopes <= asked or not asked
    assert set(opened.audience) <= set(person.audience) & set(agent.audience)
    assert set(opened.audience) <= set(targets) or not targets
    if not alone and HOTEL in opened.audience and "room:enter" in opened.scopes:
        assert "room:enter" in asked, "what is risky is given only to whoever named it"
        assert unapproved(opened, (), RISKY) == ("room:enter",)


@given(reaches, reaches, reaches, scopes)
def test_a_chain_never_has_more_than_its_narrowest_link(
    person: Reach, first: Reach, second: Reach, asked: frozenset[str]
) -> None:
    one = effective(person, first, frozenset(), (), RISKY, alone=True)
    two = effective(one, second, asked, (), RISKY, alone=True)
    assert two.scopes <= person.scopes & first.scopes & second.scopes
    assert set(two.audience) <= set(person.audience) & set(first.audience) & set(second.audience)


@given(reaches, reaches, scopes)
def test_more_rights_of_anybody_never_take_any_away(person: Reach, agent: Reach, more: frozenset[str]) -> None:
    before = effective(person, agent, frozenset(), (), RISKY)
    wider = Reach(person.scopes | more, person.audience)
    assert before.scopes <= effective(wider, agent, frozenset(), (), RISKY).scopes


def test_a_ceiling_never_lets_anybody_work_while_the_person_is_away() -> None:
    client = replace(ROBOT, scopes=frozenset(SCOPES))
    assert "offline_access" not in ceiling(client, POLICY).scopes
    assert ceiling(client, POLICY).audience == (HOTEL, SPA, ISSUER)
