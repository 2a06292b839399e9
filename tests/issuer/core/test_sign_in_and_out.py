"""Signing in by name and password, and being signed out at a client's request."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core import logout, sign_in
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddSession, ChangeSession, EndSession
from innkeeper.issuer.core.logout import LOGOUT_WRONG, WAY_BACK, AskFirst, LogoutRequest, SignedOut
from innkeeper.issuer.core.records import Client, Person, Session
from innkeeper.issuer.core.sessions import Fresh
from innkeeper.issuer.core.sign_in import NO_MATCH, TOO_MANY, Attempt, HalfWay
from innkeeper.protocol.refusals import Page
from tests.issuer.core.decided import granted, is_page, refused
from tests.issuer.core.facts import ADA, APP, NOW, POLICY, SESSION, SHOP


def attempted(attempt: Attempt, person: Person | None = ADA) -> Decision[Session | HalfWay]:
    return sign_in.decide(attempt, person, Fresh("sid-9", b"cookie digest"), POLICY, NOW)


def test_the_right_name_and_password_open_a_session() -> None:
    decision = attempted(Attempt("ada", matches=True))
    session = granted(decision, Session)
    assert session == Session(
        id="sid-9",
        digest=b"cookie digest",
        sub=ADA.sub,
        auth_time=NOW,
        acr=POLICY.acr,
        amr=("pwd",),
        expires_at=NOW + POLICY.session_lifetime,
        opened_at=NOW,
    )
    assert decision.effects == (AddSession(session),)


def test_whoever_signs_in_again_goes_on_with_the_session_under_a_new_cookie() -> None:
    decision = sign_in.decide(Attempt("ada", matches=True), ADA, Fresh("sid-9", b"new"), POLICY, NOW, SESSION)
    session = granted(decision, Session)
    assert (session.id, session.digest, session.auth_time) == (SESSION.id, b"new", NOW)
    assert decision.effects == (ChangeSession(session),)


def test_the_session_of_another_person_is_not_gone_on_with() -> None:
    theirs = replace(SESSION, sub="bob-2")
    decision = sign_in.decide(Attempt("ada", matches=True), ADA, Fresh("sid-9", b"new"), POLICY, NOW, theirs)
    assert granted(decision, Session).id == "sid-9"


def test_the_password_of_somebody_with_codes_opens_no_session() -> None:
    decision = attempted(Attempt("ada", matches=True, needs_code=True))
    assert granted(decision, HalfWay) == HalfWay(ADA.sub)
    assert decision.effects == ()


SHUT = replace(ADA, disabled=True)

NO_ENTRY: dict[str, tuple[Attempt, Person | None, Page]] = {
    "the name is unknown": (Attempt("bob", matches=False), None, NO_MATCH),
    "the name is unknown, whatever the comparison says": (Attempt("bob", matches=True), None, NO_MATCH),
    "the password is another": (Attempt("ada", matches=False), ADA, NO_MATCH),
    "the account is disabled": (Attempt("ada", matches=True), SHUT, NO_MATCH),
    "there were too many tries": (Attempt("ada", matches=False, wait=30), ADA, TOO_MANY),
    "there were too many tries, even if this one is right": (Attempt("ada", matches=True, wait=1), ADA, TOO_MANY),
}


@pytest.mark.parametrize(("attempt", "person", "page"), NO_ENTRY.values(), ids=NO_ENTRY.keys())
def test_nobody_enters_where(attempt: Attempt, person: Person | None, page: Page) -> None:
    decision = attempted(attempt, person)
    assert is_page(refused(decision), page)
    assert decision.effects == ()


def test_the_answer_does_not_tell_a_wrong_name_from_a_wrong_password_or_a_shut_account() -> None:
    answers = {
        (refused(decision).page.wire, refused(decision).page.status)
        for decision in (
            attempted(Attempt("bob", matches=False), None),
            attempted(Attempt("ada", matches=False)),
            attempted(Attempt("ada", matches=True), SHUT),
        )
    }
    assert len(answers) == 1


BACK = SHOP.post_logout_redirect_uris[0]
HINT = {"aud": SHOP.id, "sid": SESSION.id, "sub": ADA.sub}


def asked(
    ask: LogoutRequest, client: Client | None = SHOP, session: Session | None = SESSION
) -> Decision[SignedOut | AskFirst]:
    return logout.decide(ask, client, session, NOW)


def test_a_hint_of_this_very_session_signs_out_at_once_and_leads_back() -> None:
    decision = asked(LogoutRequest(SHOP.id, BACK, "s-1", HINT))
    assert granted(decision, SignedOut) == SignedOut(SESSION, BACK)
    assert decision.effects == (EndSession(SESSION.id, NOW),)


@pytest.mark.parametrize(
    "ask",
    [
        LogoutRequest(),
        LogoutRequest(SHOP.id),
        LogoutRequest(SHOP.id, BACK),
        LogoutRequest(hint={**HINT, "sid": "sid-of-another-session"}),
        LogoutRequest(hint={"aud": SHOP.id, "sub": ADA.sub}),
    ],
    ids=["nothing", "a client", "a client and its way back", "a hint of another session", "a hint of no session"],
)
def test_without_a_hint_of_this_session_the_person_is_asked_first(ask: LogoutRequest) -> None:
    decision = asked(ask)
    assert granted(decision, AskFirst).client is SHOP
    assert decision.effects == ()


def test_whoever_confirms_is_signed_out_and_led_back() -> None:
    decision = asked(LogoutRequest(SHOP.id, BACK, confirmed=True))
    assert granted(decision, SignedOut).redirect_uri == BACK
    assert decision.effects == (EndSession(SESSION.id, NOW),)


def test_whoever_is_not_signed_in_is_not_asked() -> None:
    decision = asked(LogoutRequest(SHOP.id, BACK), session=None)
    assert granted(decision, SignedOut) == SignedOut(None, BACK)
    assert decision.effects == ()


def test_a_native_client_is_led_back_on_any_loopback_port() -> None:
    ask = LogoutRequest(APP.id, "http://127.0.0.1:9876/bye", confirmed=True)
    assert granted(asked(ask, APP), SignedOut).redirect_uri == "http://127.0.0.1:9876/bye"


REFUSED: dict[str, tuple[LogoutRequest, Client | None, Page]] = {
    "the hint is no token of ours": (LogoutRequest(hint_problem="another key"), SHOP, LOGOUT_WRONG),
    "hint and client disagree": (LogoutRequest(APP.id, hint=HINT), APP, LOGOUT_WRONG),
    "the way back is not registered": (LogoutRequest(SHOP.id, "https://evil.example/"), SHOP, WAY_BACK),
    "the way back is a near miss": (LogoutRequest(SHOP.id, BACK + "/"), SHOP, WAY_BACK),
    "the way back is for signing in": (LogoutRequest(SHOP.id, SHOP.redirect_uris[0]), SHOP, WAY_BACK),
    "the way back comes without a client": (LogoutRequest(redirect_uri=BACK), None, WAY_BACK),
    "the way back comes with an unknown client": (LogoutRequest("nobody", BACK), None, WAY_BACK),
}


@pytest.mark.parametrize(("ask", "client", "page"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("confirmed", [False, True])
def test_nobody_is_signed_out_or_sent_anywhere_where(
    ask: LogoutRequest, client: Client | None, page: Page, confirmed: bool
) -> None:
    decision = asked(replace(ask, confirmed=confirmed), client)
    assert is_page(refused(decision), page)
    assert decision.effects == ()
