"""A client that looks otherwise than when it was allowed something is looked at anew."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core import authorize
from innkeeper.issuer.core.admission import Progress
from innkeeper.issuer.core.authorize import AskConsent, Fresh, GiveCode
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.records import Client, Secret
from tests.issuer.core.decided import granted
from tests.issuer.core.facts import CONSENT, NOW, POLICY, SESSION, SHOP, good

MORE = {"redirect_uris": (*SHOP.redirect_uris, "https://elsewhere.example/callback")}
LOOKS = {
    "its name": replace(SHOP, name="The bank"),
    "its logo": replace(SHOP, logo_uri="https://shop.example/logo.png"),
    "its site": replace(SHOP, client_uri="https://elsewhere.example/"),
    "where its answers go": replace(SHOP, **MORE),
    "an app's scheme": replace(SHOP, redirect_uris=(*SHOP.redirect_uris, "com.example.app:/back")),
}
SAME = {
    "a new secret": replace(SHOP, secrets=(Secret(b"x", NOW),)),
    "another path of the same host": replace(SHOP, redirect_uris=(*SHOP.redirect_uris, "https://shop.example/other")),
    "another order": replace(SHOP, redirect_uris=(*SHOP.redirect_uris, *SHOP.redirect_uris)),
    "a new contact": replace(SHOP, contacts=("a@shop.example",)),
}


def admitted(client: Client) -> Decision[authorize.Outcome]:
    ask = replace(good(), client=client)
    return authorize.admit(ask, Progress(NOW), SESSION, CONSENT, Fresh(b"c", "g"), POLICY, NOW)


@pytest.mark.parametrize("client", LOOKS.values(), ids=LOOKS.keys())
def test_the_person_is_asked_anew_where_the_client_changed(client: Client) -> None:
    outcome = admitted(client).outcome
    assert isinstance(outcome, AskConsent)
    assert outcome.changed


@pytest.mark.parametrize("client", SAME.values(), ids=SAME.keys())
def test_the_person_is_left_in_peace_over(client: Client) -> None:
    granted(admitted(client), GiveCode)


def test_a_client_that_the_operator_trusts_may_change() -> None:
    granted(admitted(replace(SHOP, name="The bank", trusted=True)), GiveCode)


def test_a_yes_to_a_changed_client_counts_for_what_was_asked_now_alone() -> None:
    wider = replace(CONSENT, scopes=CONSENT.scopes | {"gym:enter"})
    bank = replace(SHOP, name="The bank")
    effect = authorize.remember(replace(good(), client=bank), SESSION, wider, NOW)
    assert effect.consent.scopes == {"openid", "room:enter"}
    again = authorize.admit(
        replace(good(), client=bank), Progress(NOW), SESSION, effect.consent, Fresh(b"c", "g"), POLICY, NOW
    )
    granted(again, GiveCode)
