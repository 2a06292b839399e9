"""Is the caller the client it says it is? By secret, by signed assertion, or by being public."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core import client_authentication as core
from innkeeper.issuer.core.client_authentication import (
    NOT_AUTHENTICATED,
    PROOF_UNREADABLE,
    TWO_PROOFS,
    Assertion,
    Facts,
    Proof,
)
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddOnce
from innkeeper.issuer.core.methods import BASIC, NONE, POST, PRIVATE_KEY_JWT
from innkeeper.issuer.core.records import Client, Secret
from innkeeper.protocol.refusals import Page
from tests.issuer.core.decided import granted, is_page, refused
from tests.issuer.core.facts import APP, ISSUER, NOW, POLICY, SECRET, SHOP, digest

TOKEN_URL = f"{ISSUER}/token"
AUDIENCES = frozenset({ISSUER, TOKEN_URL})
SIGNER = replace(SHOP, id="signer", auth_methods=frozenset({PRIVATE_KEY_JWT}), secrets=())
CLAIMS: dict[str, Any] = {"iss": "signer", "sub": "signer", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "j-1"}


def proved(proof: Proof, client: Client | None = SHOP, assertion: Assertion | None = None) -> Decision[Client]:
    return core.authenticate(proof, Facts(client, AUDIENCES, assertion), POLICY, NOW)


def asserted(signature: str = "valid", *, replayed: bool = False, **changes: Any) -> Decision[Client]:
    """The decision on the good assertion with some claims changed; None leaves one out."""
    said = {**CLAIMS, **changes}
    claims = {name: value for name, value in said.items() if value is not None}
    proof = Proof((PRIVATE_KEY_JWT,), SIGNER.id, assertion="the assertion")
    return proved(proof, SIGNER, Assertion(signature, claims, replayed))


@pytest.mark.parametrize("method", [BASIC, POST])
def test_a_client_proves_itself_by_its_secret(method: str) -> None:
    decision = proved(Proof((method,), SHOP.id, SECRET))
    assert granted(decision, Client) is SHOP
    assert decision.effects == ()


def test_a_public_client_only_says_its_name() -> None:
    assert granted(proved(Proof((NONE,), APP.id), APP), Client) is APP


def test_both_secrets_open_while_one_replaces_the_other() -> None:
    rotated = replace(SHOP, secrets=(Secret(digest("new"), NOW), Secret(digest("old"), NOW - 9, NOW + 1)))
    assert granted(proved(Proof((BASIC,), SHOP.id, "new"), rotated), Client)
    assert granted(proved(Proof((BASIC,), SHOP.id, "old"), rotated), Client)


EXPIRED = replace(SHOP, secrets=(Secret(digest(SECRET), NOW - 9, NOW),))
SECRETLESS = replace(SHOP, secrets=())

REFUSED: dict[str, tuple[Proof, Client | None, Page]] = {
    "it names nobody": (Proof((NONE,)), None, NOT_AUTHENTICATED),
    "it names nobody and has a secret": (Proof((POST,), None, SECRET), None, NOT_AUTHENTICATED),
    "nobody knows it": (Proof((BASIC,), "nobody", SECRET), None, NOT_AUTHENTICATED),
    "the secret is another": (Proof((BASIC,), SHOP.id, "guess"), SHOP, NOT_AUTHENTICATED),
    "the secret is empty": (Proof((BASIC,), SHOP.id, ""), SHOP, NOT_AUTHENTICATED),
    "the secret is missing": (Proof((NONE,), SHOP.id), SHOP, NOT_AUTHENTICATED),
    "the secret has a space too many": (Proof((BASIC,), SHOP.id, SECRET + " "), SHOP, NOT_AUTHENTICATED),
    "the secret expires this very second": (Proof((BASIC,), SHOP.id, SECRET), EXPIRED, NOT_AUTHENTICATED),
    "no secret was ever set": (Proof((BASIC,), SHOP.id, ""), SECRETLESS, NOT_AUTHENTICATED),
    "a public client shows a secret": (Proof((BASIC,), APP.id, "guess"), APP, NOT_AUTHENTICATED),
    "a public client shows an empty secret": (Proof((POST,), APP.id, ""), APP, NOT_AUTHENTICATED),
    "a signing client shows a secret": (Proof((POST,), SIGNER.id, SECRET), SIGNER, NOT_AUTHENTICATED),
    "a client with a secret signs": (Proof((PRIVATE_KEY_JWT,), SHOP.id, None, "x"), SHOP, NOT_AUTHENTICATED),
    "it proves itself twice": (Proof((BASIC, POST), SHOP.id, SECRET), SHOP, TWO_PROOFS),
    "it signs and shows its secret": (Proof((POST, PRIVATE_KEY_JWT), SIGNER.id, SECRET, "x"), SIGNER, TWO_PROOFS),
    "it does so in three ways": (Proof((BASIC, POST, PRIVATE_KEY_JWT), SHOP.id, SECRET, "x"), SHOP, TWO_PROOFS),
    "it cannot be read": (Proof((), problem="no colon"), None, PROOF_UNREADABLE),
}


@pytest.mark.parametrize(("proof", "client", "page"), REFUSED.values(), ids=REFUSED.keys())
def test_a_caller_is_not_believed_where(proof: Proof, client: Client | None, page: Page) -> None:
    decision = proved(proof, client)
    assert is_page(refused(decision), page)
    assert decision.effects == ()


@given(st.text())
def test_no_other_text_is_the_secret(text: str) -> None:
    decision = proved(Proof((POST,), SHOP.id, text))
    assert (decision.outcome is SHOP) == (text == SECRET)


def test_a_signed_assertion_proves_the_client_and_is_spent() -> None:
    decision = asserted()
    assert granted(decision, Client) is SIGNER
    (effect,) = decision.effects
    assert isinstance(effect, AddOnce)
    assert effect.expires_at >= CLAIMS["exp"] + POLICY.leeway


def test_each_client_spends_its_own_assertions() -> None:
    names = [("a", "1"), ("a", "2"), ("b", "1"), ("a b", "c"), ("a", "b c"), ("a", ""), ("", "a"), ("1 a", "b")]
    assert len({core.assertion_key(client_id, jti) for client_id, jti in names}) == len(names)


FINE: dict[str, dict[str, Any]] = {
    "the token endpoint is its audience": {"aud": TOKEN_URL},
    "its audience is a list": {"aud": ["https://other.example", ISSUER]},
    "it says no iat": {"iat": None},
    "it expired within the leeway": {"exp": NOW - POLICY.leeway + 1},
    "our clocks differ by the leeway": {"iat": NOW + POLICY.leeway, "nbf": NOW + POLICY.leeway},
    "it lives as long as it may": {"exp": NOW + POLICY.assertion_lifetime},
    "its times have fractions": {"exp": NOW + 60.5, "iat": NOW - 0.5},
}


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE.keys())
def test_an_assertion_is_believed_where(changes: dict[str, Any]) -> None:
    assert granted(asserted(**changes), Client) is SIGNER


BROKEN: dict[str, dict[str, Any]] = {
    "its signature is another's": {"signature": "no registered key verifies it"},
    "it was used before": {"replayed": True},
    "iss is another": {"iss": "shop"},
    "iss is missing": {"iss": None},
    "iss is a list": {"iss": ["signer"]},
    "sub is another": {"sub": "shop"},
    "sub is missing": {"sub": None},
    "aud is another": {"aud": "https://other.example"},
    "aud is ours with a slash": {"aud": f"{ISSUER}/"},
    "aud is missing": {"aud": None},
    "aud is empty": {"aud": []},
    "aud is a number": {"aud": 1},
    "aud is an object": {"aud": {ISSUER: True}},
    "aud is a list of lists": {"aud": [[ISSUER]]},
    "aud is a list of objects": {"aud": [{"is": ISSUER}]},
    "exp is missing": {"exp": None},
    "exp is past": {"exp": NOW - POLICY.leeway},
    "exp is long past": {"exp": 0},
    "exp is text": {"exp": str(NOW + 60)},
    "exp is true": {"exp": True},
    "exp is too far": {"exp": NOW + POLICY.assertion_lifetime + POLICY.leeway + 1},
    "exp is beyond all time": {"exp": 1e300},
    "nbf is ahead": {"nbf": NOW + POLICY.ahead + 1},
    "iat is ahead": {"iat": NOW + POLICY.ahead + 1},
    "nbf is text": {"nbf": "soon"},
    "iat is text": {"iat": "yesterday"},
    "jti is missing": {"jti": None},
    "jti is empty": {"jti": ""},
    "jti is a number": {"jti": 7},
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN.keys())
def test_an_assertion_is_not_believed_where(changes: dict[str, Any]) -> None:
    decision = asserted(**changes)
    assert is_page(refused(decision), NOT_AUTHENTICATED)
    assert decision.effects == ()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*CLAIMS, "nbf"]), anything, max_size=3))
def test_strange_claims_are_refused_never_a_crash(changes: dict[str, Any]) -> None:
    decision = asserted(**changes)
    outcome = decision.outcome
    if isinstance(outcome, Client):
        assert CLAIMS["iss"] == changes.get("iss", "signer") == changes.get("sub", "signer")
        assert isinstance(changes.get("jti", "j-1"), str)
    else:
        assert refused(decision).page is NOT_AUTHENTICATED


def test_a_stranger_learns_nothing_from_the_answer() -> None:
    answers = [
        refused(proved(proof, client)).page for proof, client, page in REFUSED.values() if page is NOT_AUTHENTICATED
    ]
    assert len(answers) > 5
    assert {(one.error, one.wire, one.status) for one in answers} == {("invalid_client", NOT_AUTHENTICATED.wire, 401)}


def test_no_secret_is_written_into_the_reason() -> None:
    for proof, client, _ in REFUSED.values():
        trail = proved(proof, client).trail.as_document()
        assert SECRET not in str(trail)
        assert "guess" not in str(trail)
