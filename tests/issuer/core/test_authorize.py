"""Decisions of the authorization endpoint: what is shown on a page, what is told to the client, what a person must do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core import admission, authorization_request, authorize, responses
from innkeeper.issuer.core.admission import Progress
from innkeeper.issuer.core.authorization_request import Authorization
from innkeeper.issuer.core.authorize import AskConsent, AskSignIn, Fresh, GiveCode, Outcome, Turned
from innkeeper.issuer.core.consents import shown
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddCode, GiveConsent
from innkeeper.issuer.core.records import PKCE_ALWAYS, PKCE_OPTIONAL, Client, Consent, Session
from innkeeper.issuer.core.scopes import SCOPE_NOT_ALLOWED, TARGET_UNKNOWN
from innkeeper.protocol.parameters import scopes
from innkeeper.protocol.redirects import registered_for
from innkeeper.protocol.refusals import Page, Refusal
from tests.issuer.core.decided import ends_in, granted, is_page, refused
from tests.issuer.core.facts import (
    APP,
    ASKED,
    CHALLENGE,
    CONSENT,
    HOTEL,
    ISSUER,
    NOW,
    POLICY,
    SESSION,
    SHOP,
    SPA,
    examined,
    good,
    parameters,
)

Sent = str | list[str] | None

ON_A_PAGE: dict[str, tuple[Client | None, dict[str, Sent], Page]] = {
    "no client is named": (SHOP, {"client_id": None}, authorization_request.NO_REDIRECT),
    "the client's name is empty": (SHOP, {"client_id": ""}, authorization_request.NO_REDIRECT),
    "two clients are named": (SHOP, {"client_id": [SHOP.id, "app"]}, authorization_request.NO_REDIRECT),
    "one client is named twice": (SHOP, {"client_id": [SHOP.id, SHOP.id]}, authorization_request.NO_REDIRECT),
    "no redirect is named": (SHOP, {"redirect_uri": None}, authorization_request.NO_REDIRECT),
    "two redirects are named": (
        SHOP,
        {"redirect_uri": ["https://shop.example/callback", "https://evil.example/"]},
        authorization_request.NO_REDIRECT,
    ),
    "nobody knows the client": (None, {}, authorization_request.UNKNOWN_CLIENT),
    "the redirect is another's": (
        SHOP,
        {"redirect_uri": "https://evil.example/"},
        authorization_request.REDIRECT_MISMATCH,
    ),
    "the client registered none": (replace(SHOP, redirect_uris=()), {}, authorization_request.REDIRECT_MISMATCH),
}


@pytest.mark.parametrize(("client", "changes", "page"), ON_A_PAGE.values(), ids=ON_A_PAGE.keys())
def test_where_the_redirect_is_in_doubt_nobody_is_redirected(
    client: Client | None, changes: dict[str, Sent], page: Page
) -> None:
    decision = examined(client, **changes)
    assert isinstance(decision.outcome, Refusal)
    assert is_page(refused(decision), page)
    assert decision.effects == ()


def test_where_the_redirect_is_in_doubt_no_other_mistake_gets_one() -> None:
    everything_wrong: dict[str, Sent] = {"response_type": "token", "scope": "nonsense", "prompt": "none"}
    outcome = examined(redirect_uri="https://evil.example/", **everything_wrong).outcome
    assert isinstance(outcome, Refusal)
    assert outcome.page is authorization_request.REDIRECT_MISMATCH


NO_CODES = replace(SHOP, grants=frozenset({"client_credentials"}))
STRICT = replace(SHOP, pkce=PKCE_ALWAYS)

AT_THE_CLIENT: dict[str, tuple[Client, dict[str, Sent], Page]] = {
    "a parameter is repeated": (SHOP, {"scope": ["openid", "room:enter"]}, authorization_request.REQUEST_WRONG),
    "an unknown parameter is repeated": (SHOP, {"foo": ["1", "2"]}, authorization_request.REQUEST_WRONG),
    "state is repeated": (SHOP, {"state": ["a", "b"]}, authorization_request.REQUEST_WRONG),
    "the response mode is repeated": (
        SHOP,
        {"response_mode": ["query", "fragment"]},
        authorization_request.REQUEST_WRONG,
    ),
    "the response type is missing": (SHOP, {"response_type": None}, responses.RESPONSE_TYPE_MISSING),
    "tokens are asked for": (SHOP, {"response_type": "token"}, responses.RESPONSE_TYPE),
    "an ID token is asked for": (SHOP, {"response_type": "id_token"}, responses.RESPONSE_TYPE),
    "a code and a token are asked for": (SHOP, {"response_type": "code token"}, responses.RESPONSE_TYPE),
    "the response type is in capitals": (SHOP, {"response_type": "CODE"}, responses.RESPONSE_TYPE),
    "the client has no code grant": (NO_CODES, {}, responses.NOT_FOR_CODE),
    "the response mode is unknown": (SHOP, {"response_mode": "web_message"}, responses.RESPONSE_MODE),
    "a public client sends no proof key": (
        APP,
        {"code_challenge": None, "code_challenge_method": None},
        authorization_request.PROOF_KEY,
    ),
    "a public client's nonce stands in for none": (
        APP,
        {"code_challenge": None, "code_challenge_method": None, "nonce": "n"},
        authorization_request.PROOF_KEY,
    ),
    "a strict client sends a nonce only": (
        STRICT,
        {"code_challenge": None, "code_challenge_method": None, "nonce": "n"},
        authorization_request.PROOF_KEY,
    ),
    "a confidential client sends neither": (
        SHOP,
        {"code_challenge": None, "code_challenge_method": None},
        authorization_request.PROOF_KEY,
    ),
    "a nonce without openid": (
        SHOP,
        {"code_challenge": None, "code_challenge_method": None, "nonce": "n", "scope": "room:enter"},
        authorization_request.PROOF_KEY,
    ),
    "the method is plain": (SHOP, {"code_challenge_method": "plain"}, authorization_request.PROOF_KEY),
    "the method is missing, which means plain": (
        SHOP,
        {"code_challenge_method": None},
        authorization_request.PROOF_KEY,
    ),
    "the method is in small letters": (SHOP, {"code_challenge_method": "s256"}, authorization_request.PROOF_KEY),
    "a method without a challenge": (SHOP, {"code_challenge": None, "nonce": "n"}, authorization_request.PROOF_KEY),
    "an empty challenge": (APP, {"code_challenge": ""}, authorization_request.PROOF_KEY),
    "a short challenge": (SHOP, {"code_challenge": CHALLENGE[:-1]}, authorization_request.PROOF_KEY),
    "a long challenge": (SHOP, {"code_challenge": CHALLENGE + "A"}, authorization_request.PROOF_KEY),
    "a padded challenge": (SHOP, {"code_challenge": CHALLENGE[:-1] + "="}, authorization_request.PROOF_KEY),
    "a challenge with a line break": (SHOP, {"code_challenge": CHALLENGE + "\n"}, authorization_request.PROOF_KEY),
    "an unknown scope": (SHOP, {"scope": "openid room:paint"}, SCOPE_NOT_ALLOWED),
    "another client's scope": (SHOP, {"scope": "email"}, SCOPE_NOT_ALLOWED),
    "a scope in capitals": (SHOP, {"scope": "OPENID"}, SCOPE_NOT_ALLOWED),
    "an unknown resource": (SHOP, {"resource": "https://evil.example/"}, TARGET_UNKNOWN),
    "one resource of two unknown": (SHOP, {"resource": [HOTEL, "https://evil.example/"]}, TARGET_UNKNOWN),
    "a resource of other clients": (APP, {"resource": SPA}, TARGET_UNKNOWN),
    "a scope at a resource that has none of it": (SHOP, {"scope": "sauna:heat", "resource": HOTEL}, SCOPE_NOT_ALLOWED),
    "a resource longer than registered": (SHOP, {"resource": f"{HOTEL}/rooms"}, TARGET_UNKNOWN),
    "a resource with a fragment": (SHOP, {"resource": f"{HOTEL}#x"}, TARGET_UNKNOWN),
    "a resource that is no address": (SHOP, {"resource": "https://[::1"}, TARGET_UNKNOWN),
    "an unknown prompt": (SHOP, {"prompt": "maybe"}, authorization_request.REQUEST_WRONG),
    "prompt none with another": (SHOP, {"prompt": "none login"}, authorization_request.REQUEST_WRONG),
    "an age with a sign": (SHOP, {"max_age": "-1"}, authorization_request.REQUEST_WRONG),
    "an age with a fraction": (SHOP, {"max_age": "1.5"}, authorization_request.REQUEST_WRONG),
    "an age in words": (SHOP, {"max_age": "soon"}, authorization_request.REQUEST_WRONG),
    "an age in superscript": (SHOP, {"max_age": "²"}, authorization_request.REQUEST_WRONG),
    "an age of a hundred digits": (SHOP, {"max_age": "9" * 100}, authorization_request.REQUEST_WRONG),
}


@pytest.mark.parametrize(("client", "changes", "page"), AT_THE_CLIENT.values(), ids=AT_THE_CLIENT.keys())
def test_any_other_mistake_is_told_at_the_redirect_uri(client: Client, changes: dict[str, Sent], page: Page) -> None:
    at = client.redirect_uris[0]
    decision = examined(client, **{"client_id": client.id, "redirect_uri": at, "scope": "openid", **changes})
    assert is_page(refused(decision), page)
    turned = decision.outcome
    assert isinstance(turned, Turned)
    assert turned.redirect_uri == at
    assert turned.state == (None if isinstance(changes.get("state"), list) else ASKED["state"])
    assert decision.effects == ()


def test_a_refusal_travels_in_the_mode_that_was_asked_for() -> None:
    turned = examined(response_mode="form_post", scope="nonsense").outcome
    assert isinstance(turned, Turned)
    assert turned.response_mode == "form_post"


@pytest.mark.parametrize("mode", ["web_message", ["fragment", "query"], "", None])
def test_a_refusal_travels_as_query_where_the_mode_itself_is_in_doubt(mode: Sent) -> None:
    turned = examined(response_mode=mode, scope="nonsense").outcome
    assert isinstance(turned, Turned)
    assert turned.response_mode == "query"


def test_a_good_request_is_read_whole() -> None:
    wanted = good(
        scope="openid gym:enter",
        resource=HOTEL,
        response_mode="form_post",
        nonce="n-1",
        prompt="login consent",
        max_age="0",
        login_hint="ada",
    )
    assert (wanted.reach.scopes, wanted.reach.audience) == (scopes("openid gym:enter"), (HOTEL,))
    assert (wanted.response_mode, wanted.nonce, wanted.state) == ("form_post", "n-1", "s-1")
    assert (wanted.prompts, wanted.max_age, wanted.login_hint) == (scopes("login consent"), 0, "ada")
    assert wanted.challenge == CHALLENGE


def test_a_good_request_passes_every_check_there_is() -> None:
    decision = examined()
    granted(decision, Authorization)
    assert [step.check for step in decision.trail.steps] == [
        *authorization_request.PAGE_CHECKS,
        *authorization_request.REQUEST_CHECKS,
    ]


def test_a_confidential_client_may_let_its_nonce_stand_in_for_the_proof_key() -> None:
    wanted = good(code_challenge=None, code_challenge_method=None, nonce="n-1")
    assert (wanted.challenge, wanted.nonce) == (None, "n-1")


def test_a_client_excused_from_the_proof_key_needs_neither() -> None:
    excused = replace(SHOP, pkce=PKCE_OPTIONAL)
    decision = examined(excused, code_challenge=None, code_challenge_method=None, scope="room:enter")
    assert granted(decision, Authorization).challenge is None


def test_an_excused_client_that_sends_a_weak_proof_key_is_still_refused() -> None:
    excused = replace(SHOP, pkce=PKCE_OPTIONAL)
    assert is_page(refused(examined(excused, code_challenge_method="plain")), authorization_request.PROOF_KEY)


def test_unknown_parameters_are_ignored() -> None:
    assert good(foo="bar", ui_locales="de", display="touch") == good()


def test_an_empty_value_counts_as_not_sent() -> None:
    assert good(nonce="", max_age="", prompt="", response_mode="") == good()


def test_no_scope_named_means_all_the_clients_scopes() -> None:
    assert good(scope=None).reach.scopes == SHOP.scopes


values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.lists(st.text(max_size=8), max_size=3),
    st.sampled_from(["", "none", "openid", "S256", "0", "code", CHALLENGE, HOTEL, "https://evil.example/"]),
)
changes = st.dictionaries(
    st.sampled_from([*ASKED, "nonce", "prompt", "max_age", "response_mode", "resource", "foo"]),
    values,
    max_size=4,
)


@given(changes, st.sampled_from([SHOP, APP, STRICT, NO_CODES]))
def test_whatever_is_sent_only_a_registered_address_is_ever_answered(changed: dict[str, Sent], client: Client) -> None:
    sent: dict[str, Sent] = {**ASKED, "client_id": client.id, "redirect_uri": client.redirect_uris[0], **changed}
    decision = authorize.examine(parameters(sent), client, POLICY)
    outcome = decision.outcome
    if isinstance(outcome, Refusal):
        assert outcome.page in (authorization_request.NO_REDIRECT, authorization_request.REDIRECT_MISMATCH)
        assert ends_in(decision.trail, outcome)
        return
    assert registered_for(outcome.redirect_uri, client.redirect_uris, any_loopback_port=client.native)
    assert outcome.redirect_uri == sent["redirect_uri"] or [outcome.redirect_uri] == sent["redirect_uri"]
    assert outcome.response_mode in responses.RESPONSE_MODES
    if isinstance(outcome, Turned):
        assert ends_in(decision.trail, outcome.refusal)
        return
    assert outcome.reach.scopes <= client.scopes
    assert set(outcome.reach.audience) <= {HOTEL, SPA, ISSUER}
    assert outcome.reach.audience
    assert outcome.challenge or not (client.public or client.pkce == PKCE_ALWAYS)


def admitted(
    wanted: Authorization,
    progress: Progress | None = None,
    session: Session | None = SESSION,
    consent: Consent | None = CONSENT,
    now: int = NOW,
) -> Decision[Outcome]:
    fresh = Fresh(b"code digest", "grant id")
    return authorize.admit(wanted, progress or Progress(NOW - 10), session, consent, fresh, POLICY, now)


def test_whoever_signed_in_and_consented_before_gets_a_code_at_once() -> None:
    decision = admitted(good())
    assert granted(decision, GiveCode).authorization == good()
    (effect,) = decision.effects
    assert isinstance(effect, AddCode)
    code = effect.code
    assert (code.digest, code.redirect_uri, code.challenge, code.spent_at) == (
        b"code digest",
        ASKED["redirect_uri"],
        CHALLENGE,
        None,
    )
    assert code.expires_at == NOW + POLICY.code_lifetime
    grant = code.grant
    assert (grant.id, grant.client_id, grant.sub, grant.session_id) == ("grant id", SHOP.id, SESSION.sub, SESSION.id)
    assert (grant.auth_time, grant.acr, grant.amr) == (SESSION.auth_time, SESSION.acr, SESSION.amr)
    assert (grant.scopes, grant.audience) == (scopes("openid room:enter"), (HOTEL, ISSUER))


def test_a_grant_with_offline_access_outlives_its_session() -> None:
    asked = replace(good(), reach=replace(good().reach, scopes=frozenset({"openid", "offline_access"})))
    (effect,) = admitted(asked, Progress(NOW, consented=True)).effects
    assert isinstance(effect, AddCode)
    assert effect.code.grant.session_id == ""


PERSON_MUST: dict[str, tuple[dict[str, Sent], dict[str, Any], type, Page]] = {
    "sign in where nobody has": ({}, {"session": None}, AskSignIn, admission.SIGN_IN_NEEDED),
    "sign in anew for prompt login": ({"prompt": "login"}, {}, AskSignIn, admission.SIGN_IN_NEEDED),
    "sign in anew for prompt select_account": ({"prompt": "select_account"}, {}, AskSignIn, admission.SIGN_IN_NEEDED),
    "sign in anew past max_age": ({"max_age": "99"}, {}, AskSignIn, admission.SIGN_IN_NEEDED),
    "sign in anew for max_age 0": ({"max_age": "0"}, {}, AskSignIn, admission.SIGN_IN_NEEDED),
    "consent where they never did": ({}, {"consent": None}, AskConsent, admission.CONSENT_NEEDED),
    "consent to a scope they have not seen": ({"scope": "openid gym:enter"}, {}, AskConsent, admission.CONSENT_NEEDED),
    "consent to a place they have not seen": (
        {"resource": SPA, "scope": "openid"},
        {},
        AskConsent,
        admission.CONSENT_NEEDED,
    ),
    "consent anew for prompt consent": ({"prompt": "consent"}, {}, AskConsent, admission.CONSENT_NEEDED),
}


@pytest.mark.parametrize(("changed", "facts", "step", "page"), PERSON_MUST.values(), ids=PERSON_MUST.keys())
def test_a_person_must(changed: dict[str, Sent], facts: dict[str, Any], step: type, page: Page) -> None:
    decision = admitted(good(**changed), **facts)
    assert isinstance(decision.outcome, step)
    assert decision.trail.refusal is not None
    assert decision.trail.refusal.page is page
    assert ends_in(decision.trail, decision.trail.refusal)
    assert decision.effects == ()


@pytest.mark.parametrize(
    ("facts", "page"),
    [
        ({"session": None}, admission.SIGN_IN_NEEDED),
        ({"consent": None}, admission.CONSENT_NEEDED),
    ],
)
def test_prompt_none_shows_nothing_and_tells_the_client_instead(facts: dict[str, Any], page: Page) -> None:
    decision = admitted(good(prompt="none"), **facts)
    assert is_page(refused(decision), page)
    turned = decision.outcome
    assert isinstance(turned, Turned)
    assert (turned.redirect_uri, turned.state) == (ASKED["redirect_uri"], ASKED["state"])
    assert decision.effects == ()


def test_prompt_none_with_an_old_sign_in_is_told_that_a_sign_in_is_needed() -> None:
    assert is_page(refused(admitted(good(prompt="none", max_age="99"))), admission.SIGN_IN_NEEDED)


def test_prompt_none_gives_a_code_where_nothing_is_left_to_ask() -> None:
    assert granted(admitted(good(prompt="none")), GiveCode)


def test_a_sign_in_for_this_very_request_satisfies_prompt_login_and_max_age() -> None:
    signed_in = Progress(NOW - 10, signed_in_at=NOW - 5)
    assert granted(admitted(good(prompt="login", max_age="0"), signed_in), GiveCode)


def test_a_sign_in_recent_enough_satisfies_max_age() -> None:
    assert granted(admitted(good(max_age="100")), GiveCode)


def test_a_yes_for_this_very_request_satisfies_prompt_consent() -> None:
    said_yes = Progress(NOW - 10, consented=True)
    assert granted(admitted(good(prompt="consent"), said_yes, consent=None), GiveCode)


def test_a_trusted_client_needs_no_consent_unless_it_asks_for_it() -> None:
    trusted = replace(SHOP, trusted=True)
    plain = replace(good(), client=trusted)
    assert granted(admitted(plain, consent=None), GiveCode)
    asking = replace(good(prompt="consent"), client=trusted)
    assert isinstance(admitted(asking, consent=None).outcome, AskConsent)


def test_the_consent_page_is_told_what_is_new() -> None:
    outcome = admitted(good(scope="openid room:enter gym:enter")).outcome
    assert isinstance(outcome, AskConsent)
    assert (outcome.new, outcome.session) == (scopes("gym:enter"), SESSION)


@pytest.mark.parametrize("session", [SESSION, None])
def test_a_no_is_told_to_the_client_whatever_else_is_missing(session: Session | None) -> None:
    decision = admitted(good(), Progress(NOW, consented=True, denied=True), session)
    assert is_page(refused(decision), admission.DENIED)
    assert isinstance(decision.outcome, Turned)
    assert decision.effects == ()


@given(
    prompts=st.sets(st.sampled_from(["login", "consent", "select_account"])),
    quiet=st.booleans(),
    max_age=st.none() | st.integers(0, 200),
    signed_in=st.booleans(),
    consented=st.booleans(),
    denied=st.booleans(),
    session=st.sampled_from([None, SESSION]),
    consent=st.sampled_from([None, CONSENT, replace(CONSENT, scopes=frozenset({"openid"}))]),
)
def test_a_code_is_cut_exactly_where_a_person_is_there_recent_willing_and_asked(
    prompts: set[str],
    quiet: bool,
    max_age: int | None,
    signed_in: bool,
    consented: bool,
    denied: bool,
    session: Session | None,
    consent: Consent | None,
) -> None:
    asked = frozenset({"none"}) if quiet else frozenset(prompts)
    progress = Progress(NOW - 10, NOW - 5 if signed_in else None, consented, denied)
    decision = admitted(replace(good(), prompts=asked, max_age=max_age), progress, session, consent)
    young = max_age is None or max_age >= NOW - SESSION.auth_time
    recent = signed_in or (young and asked.isdisjoint({"login", "select_account"}))
    allowed = consented or (consent is CONSENT and "consent" not in asked)
    assert isinstance(decision.outcome, GiveCode) == (bool(session) and recent and allowed and not denied)
    assert bool(decision.effects) == isinstance(decision.outcome, GiveCode)
    if quiet:
        assert isinstance(decision.outcome, GiveCode | Turned)


def test_a_yes_is_remembered_beside_what_was_allowed_before() -> None:
    effect = authorize.remember(good(scope="sauna:heat"), SESSION, CONSENT, NOW)
    assert isinstance(effect, GiveConsent)
    assert effect.consent == Consent(
        sub=SESSION.sub,
        client_id=SHOP.id,
        scopes=frozenset({"openid", "room:enter", "sauna:heat"}),
        resources=frozenset({HOTEL, SPA, ISSUER}),
        given_at=NOW,
        shown=shown(SHOP),
    )


def test_a_first_yes_is_remembered_as_it_was_said() -> None:
    effect = authorize.remember(good(), SESSION, None, NOW)
    assert effect.consent.scopes == {"openid", "room:enter"}
    assert effect.consent.resources == {HOTEL, ISSUER}
