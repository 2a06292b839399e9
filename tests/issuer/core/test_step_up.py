"""A client asks for a surer sign-in: who is asked for a code, who for a passkey, who is let through, who is turned away."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core import assurance, authorize
from innkeeper.issuer.core.admission import NOT_SURE_ENOUGH, SURER_NEEDED, Progress
from innkeeper.issuer.core.assurance import CODES, MFA, PASSKEY, PASSKEYS, PASSWORD
from innkeeper.issuer.core.authorize import AskCode, AskSignIn, Fresh, GiveCode, Turned
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddCode
from innkeeper.issuer.core.records import Wanted
from tests.issuer.core.decided import granted, is_page, refused
from tests.issuer.core.facts import CONSENT, NOW, POLICY, SESSION, SHOP, good

BOTH = frozenset({CODES, PASSKEYS})


def admitted(
    values: str | None = None,
    claim: dict[str, Any] | None = None,
    *,
    acr: str = PASSWORD,
    factors: frozenset[str] = BOTH,
    tried: bool = False,
    prompt: str | None = None,
) -> Decision[authorize.Outcome]:
    ask = good(acr_values=values, prompt=prompt)
    ask = replace(ask, claims=Wanted({"acr": claim}, {})) if claim else ask
    progress = Progress(NOW - 10, NOW - 5 if tried else None)
    session = replace(SESSION, acr=acr)
    fresh = Fresh(b"code digest", "grant-9")
    return authorize.admit(ask, progress, session, CONSENT, fresh, POLICY, NOW, None, factors)


def told(decision: Decision[authorize.Outcome]) -> str:
    granted(decision, GiveCode)
    (effect,) = decision.effects
    assert isinstance(effect, AddCode)
    return effect.code.grant.acr


def essential(*values: str) -> dict[str, Any]:
    return {"essential": True, "values": list(values)}


def test_whoever_can_give_a_code_is_asked_for_it() -> None:
    assert isinstance(admitted(MFA).outcome, AskCode)
    assert isinstance(admitted(MFA, factors=frozenset({CODES})).outcome, AskCode)
    assert isinstance(admitted(None, essential(MFA)).outcome, AskCode)
    assert isinstance(admitted(None, {"essential": True, "value": MFA}).outcome, AskCode)


def test_whoever_can_only_use_a_passkey_is_sent_to_sign_in_with_it() -> None:
    assert isinstance(admitted(MFA, factors=frozenset({PASSKEYS})).outcome, AskSignIn)
    assert isinstance(admitted(PASSKEY).outcome, AskSignIn)
    assert isinstance(admitted(None, essential(PASSKEY)).outcome, AskSignIn)


@pytest.mark.parametrize(("acr", "values"), [(MFA, MFA), (PASSKEY, MFA), (PASSKEY, PASSKEY), (PASSWORD, PASSWORD)])
def test_a_sign_in_that_is_sure_enough_goes_on(acr: str, values: str) -> None:
    assert told(admitted(values, acr=acr)) == values
    assert told(admitted(None, essential(values), acr=acr)) == values


def test_the_first_class_asked_for_that_was_met_is_told() -> None:
    assert told(admitted(f"{PASSKEY} {MFA} {PASSWORD}", acr=MFA)) == MFA
    assert told(admitted(f"{PASSWORD} {MFA}", acr=PASSKEY)) == PASSWORD
    assert told(admitted(None, acr=PASSKEY)) == PASSKEY


@pytest.mark.parametrize("values", ["1 2", "urn:mace:incommon:iap:silver", MFA])
def test_a_mere_wish_that_cannot_be_met_stops_nobody(values: str) -> None:
    assert told(admitted(values, factors=frozenset())) == PASSWORD
    assert told(admitted(None, {"values": values.split()}, factors=frozenset())) == PASSWORD


def test_whoever_signed_in_for_this_request_is_not_sent_round_again() -> None:
    assert told(admitted(PASSKEY, tried=True)) == PASSWORD
    assert is_page(refused(admitted(None, essential(PASSKEY), tried=True)), NOT_SURE_ENOUGH)


@pytest.mark.parametrize("values", [(MFA,), (PASSKEY, MFA), ("urn:example:gold",)])
def test_what_is_essential_and_cannot_be_met_is_refused_at_the_redirect(values: tuple[str, ...]) -> None:
    decision = admitted(None, essential(*values), factors=frozenset())
    assert isinstance(decision.outcome, Turned)
    assert is_page(refused(decision), NOT_SURE_ENOUGH)
    assert decision.outcome.refusal.error == "unmet_authentication_requirements"
    assert decision.effects == ()


def test_without_a_page_only_what_is_essential_is_refused() -> None:
    assert told(admitted(MFA, prompt="none")) == PASSWORD
    decision = admitted(None, essential(MFA), prompt="none")
    assert is_page(refused(decision), SURER_NEEDED)
    assert refused(decision).error == "login_required"


def test_a_client_may_have_registered_its_wish() -> None:
    ask = replace(good(), client=replace(SHOP, default_acr_values=(MFA,)))
    decision = authorize.admit(
        ask, Progress(NOW), SESSION, CONSENT, Fresh(b"c", "g"), POLICY, NOW, None, frozenset({CODES})
    )
    assert isinstance(decision.outcome, AskCode)


@pytest.mark.parametrize(
    "claim", [None, {}, {"essential": True}, {"values": [1, None]}, {"value": 7, "essential": True}]
)
def test_a_claim_that_names_no_class_asks_for_none(claim: Any) -> None:
    assert assurance.asked((), claim).values == ()
    assert assurance.asked((MFA,), claim) == assurance.Asked((MFA,))


def test_an_unknown_class_is_met_by_itself_alone() -> None:
    assert assurance.meets("urn:x", "urn:x")
    assert not assurance.meets("urn:x", PASSWORD)
    assert not assurance.meets(PASSKEY, "urn:x")
    assert not assurance.reachable(["urn:x"], BOTH)


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        ("https://inn.example", "inn.example"),
        ("https://inn.example:8443/realm", "inn.example"),
        ("http://localhost:8400", "localhost"),
        ("http://inn.localhost:8400", "inn.localhost"),
        ("http://127.0.0.1:8400", None),
        ("https://127.0.0.1:8443", None),
        ("https://[::1]:8443", None),
        ("http://inn.example", None),
        ("https://", None),
    ],
)
def test_passkeys_are_bound_to_a_name_that_browsers_accept(issuer: str, name: str | None) -> None:
    assert assurance.rp_id(issuer) == name
    assert (PASSKEY in assurance.supported(issuer)) is (name is not None)
