"""Tokens that say nothing by themselves, and tokens that may have been taken back: the issuer is asked."""

from __future__ import annotations

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from innkeeper.guard import Introspection, Refused, Verified, need
from innkeeper.guard.fetching import Outgoing
from innkeeper.guard.holder import CERTIFICATE
from innkeeper.protocol.exchange import Reply, json_reply
from innkeeper.protocol.refusals import Unreachable, UsageError
from tests.guard.holders import proof, sent, shown
from tests.guard.world import HOTEL, ISSUER, KID, NOW, World, claims, forge, number, run

ENDPOINT = f"{ISSUER}/introspect"
ASKING = Introspection(issuer=ISSUER, client_id="api:1", client_secret="s3cret/+", endpoint=ENDPOINT)
ALIVE: dict[str, Any] = {
    "active": True,
    "iss": ISSUER,
    "aud": HOTEL,
    "sub": "guest-204",
    "client_id": "guest-app",
    "scope": "room:enter gym:enter",
    "exp": NOW + 600,
}


class Desk:
    """An introspection endpoint: answers what it was set to, and notes what it was asked."""

    def __init__(self, world: World, answer: Any = ALIVE) -> None:
        self.world = world
        self.answer: Any = answer
        self.asked: list[Outgoing] = []

    def send(self, what: Outgoing) -> Reply:
        self.asked.append(what)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, Reply) else json_reply(self.answer)

    async def asend(self, what: Outgoing) -> Reply:
        return self.send(what)

    def guard(self, introspection: Introspection = ASKING, **more: Any) -> Any:
        return self.world.guard(introspection=introspection, send=self.asend, send_blocking=self.send, **more)


def desk(answer: Any = ALIVE) -> Desk:
    return Desk(World(), answer)


def test_an_opaque_token_is_what_the_issuer_says_it_is() -> None:
    at = desk()
    outcome = at.guard().verify_blocking("opaque-token", ["gym:enter"])
    assert isinstance(outcome, Verified)
    token = outcome.token
    assert (token.iss, token.sub, token.aud, token.client_id) == (ISSUER, "guest-204", (HOTEL,), "guest-app")
    (question,) = at.asked
    headers = dict(question.headers)
    assert (question.method, question.url) == ("POST", ENDPOINT)
    assert parse_qs(question.body.decode()) == {"token": ["opaque-token"], "token_type_hint": ["access_token"]}
    assert b64decode(headers["authorization"].removeprefix("Basic ")) == b"api%3A1:s3cret%2F%2B"
    names = [step.check.name for step in outcome.trail.steps]
    assert names[:3] == ["issuer answered", "token is active", "answer names an audience"]
    assert "audience is this api" in names
    assert run(at.guard().verify("opaque-token")).token == token


def test_the_endpoint_is_found_in_the_issuer_s_metadata_once() -> None:
    at = desk()
    at.world.pages[f"{ISSUER}/.well-known/oauth-authorization-server"] = json_reply(
        {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks", "introspection_endpoint": ENDPOINT}
    )
    guard = at.guard(Introspection(issuer=ISSUER, client_id="a", client_secret="b"))
    for text in ("one", "two"):
        assert number(guard.verify_blocking(text)) == "verified"
    assert [one.url for one in at.asked] == [ENDPOINT, ENDPOINT]
    assert len(at.world.fetched) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"active": False}, "IK572"),
        ({}, "IK572"),
        ({**ALIVE, "active": "true"}, "IK572"),
        ({**ALIVE, "active": 1}, "IK572"),
        ({**ALIVE, "aud": "https://other.example"}, "IK508"),
        ({name: value for name, value in ALIVE.items() if name != "aud"}, "IK574"),
        ({**ALIVE, "aud": 7}, "IK574"),
        ({**ALIVE, "scope": ["gym:enter"]}, "IK574"),
        ({**ALIVE, "exp": NOW - 31}, "IK509"),
        ({**ALIVE, "nbf": NOW + 31}, "IK510"),
        ({**ALIVE, "iss": "https://evil.example"}, "IK573"),
        (Reply(401), "IK573"),
        (Reply(500), "IK573"),
        (Reply(200, body=b"active"), "IK573"),
        (Reply(200, body=b'{"active":false,"active":true}'), "IK573"),
        (Unreachable("connection refused"), "IK573"),
        (OSError("no route"), "IK573"),
    ],
)
def test_every_other_answer_is_a_no_with_its_reason(answer: Any, expected: str) -> None:
    at = desk(answer)
    assert number(at.guard().verify_blocking("opaque")) == expected
    assert number(run(at.guard().verify("opaque"))) == expected


def test_an_issuer_that_does_not_answer_is_503_and_never_a_pass() -> None:
    at = desk(Unreachable("down"))
    guard = at.guard()
    outcome = guard.verify_blocking("opaque")
    assert isinstance(outcome, Refused)
    assert guard.challenge(outcome).status == 503


def test_an_answer_is_believed_for_a_while_and_never_past_the_token_s_end() -> None:
    at = desk()
    guard = at.guard()
    for _ in range(3):
        guard.verify_blocking("opaque")
    assert len(at.asked) == 1
    at.world.now = NOW + 30
    guard.verify_blocking("opaque")
    assert len(at.asked) == 2
    at.answer = {**ALIVE, "exp": NOW + 35}
    at.world.now = NOW + 61
    assert number(guard.verify_blocking("opaque")) == "verified"
    at.world.now = NOW + 65
    assert number(guard.verify_blocking("opaque")) == "IK509"


def test_an_answer_without_an_end_is_believed_no_longer_than_others() -> None:
    at = desk({name: value for name, value in ALIVE.items() if name != "exp"})
    guard = at.guard()
    assert number(guard.verify_blocking("opaque")) == "verified"
    at.world.now = NOW + 30
    at.answer = {"active": False}
    assert number(guard.verify_blocking("opaque")) == "IK572"


def test_scopes_and_bindings_of_an_opaque_token_are_judged_like_any() -> None:
    from innkeeper.keys import jwk

    at = desk({**ALIVE, "cnf": {"jkt": jwk.thumbprint(shown())}, "roles": ["clerk"]})
    guard = at.guard()
    assert number(guard.verify_blocking("opaque")) == "IK513"
    assert number(guard.admit_blocking(sent("opaque", scheme="Bearer"))) == "IK566"
    assert (
        number(guard.admit_blocking(sent("opaque", proof("opaque")), need("gym:enter", roles=["clerk"]))) == "verified"
    )
    assert number(guard.admit_blocking(sent("opaque", proof("opaque")), ["vip:enter"])) == "IK523"
    at.answer = {**ALIVE, "cnf": {CERTIFICATE: "x"}}
    assert number(guard.admit_blocking(sent("other", scheme="Bearer"))) == "IK568"


def test_a_jwt_is_not_asked_about_unless_that_was_wished_for() -> None:
    at = desk()
    guard = at.guard()
    assert number(guard.verify_blocking(forge())) == "verified"
    assert number(guard.verify_blocking("a.b.c")) == "IK501"
    assert at.asked == []


def test_without_introspection_an_opaque_token_is_no_jwt() -> None:
    assert number(World().guard().verify_blocking("opaque")) == "IK501"


# --- revocation ----------------------------------------------------------------------------------------------------

WATCHING = msgspec.structs.replace(ASKING, every=20.0)


def test_a_revoked_jwt_is_refused_within_the_time_that_was_given() -> None:
    at = desk({"active": True})
    guard = at.guard(WATCHING)
    token = forge()
    outcome = guard.verify_blocking(token)
    assert isinstance(outcome, Verified)
    assert "token is active" in [step.check.name for step in outcome.trail.steps]
    at.answer = {"active": False}
    at.world.now = NOW + 19
    assert number(guard.verify_blocking(token)) == "verified"
    at.world.now = NOW + 20
    assert number(guard.verify_blocking(token)) == "IK572"
    assert len(at.asked) == 2


def test_a_jwt_is_held_to_its_own_claims_whatever_the_answer_adds() -> None:
    at = desk({"active": True, "scope": "vip:enter", "aud": "https://x.example"})
    guard = at.guard(WATCHING)
    assert number(guard.verify_blocking(forge(), ["vip:enter"])) == "IK523"
    assert number(guard.verify_blocking(forge(claims(jti="t2")), ["gym:enter"])) == "verified"


def test_a_bad_jwt_is_not_asked_about() -> None:
    at = desk({"active": True})
    guard = at.guard(WATCHING)
    assert number(guard.verify_blocking(forge(which=1))) == "IK506"
    assert number(guard.verify_blocking(forge(claims(aud="x")))) == "IK508"
    assert at.asked == []


def test_when_nobody_answers_a_jwt_is_not_let_in_either() -> None:
    at = desk(Unreachable("down"))
    assert number(at.guard(WATCHING).verify_blocking(forge())) == "IK573"


def test_the_api_s_own_list_is_asked_at_every_request_of_a_remembered_token_too() -> None:
    taken_back: set[str] = set()
    guard = World().guard(revoked=lambda token: token.jti in taken_back)
    token = forge()
    outcome = guard.verify_blocking(token)
    assert isinstance(outcome, Verified)
    assert "token was not taken back" in [step.check.name for step in outcome.trail.steps]
    taken_back.add("t1")
    assert number(guard.verify_blocking(token)) == "IK575"
    taken_back.clear()
    assert number(guard.verify_blocking(token)) == "verified"


# --- signed answers ------------------------------------------------------------------------------------------------

SIGNED = msgspec.structs.replace(ASKING, signed=True)


def signed(inner: Any = ALIVE, header: dict[str, Any] | None = None, which: int = 0, **said: Any) -> Reply:
    envelope = {"iss": ISSUER, "aud": "api:1", "iat": NOW, "token_introspection": inner, **said}
    head = {"typ": "token-introspection+jwt", "kid": KID, **(header or {})}
    return Reply(200, body=forge(envelope, header=head, which=which).encode())


def test_a_signed_answer_is_read_with_the_issuer_s_keys() -> None:
    at = desk(signed())
    assert number(at.guard(SIGNED).verify_blocking("opaque", ["gym:enter"])) == "verified"
    assert number(run(at.guard(SIGNED).verify("opaque"))) == "verified"
    assert dict(at.asked[0].headers)["accept"] == "application/token-introspection+jwt"


@pytest.mark.parametrize(
    "answer",
    [
        json_reply(ALIVE),
        signed(which=1),
        signed(header={"typ": "at+jwt"}),
        signed(header={"kid": "another"}),
        signed(aud="somebody"),
        signed(aud=["somebody", "else"]),
        signed(iss="https://evil.example"),
        signed(inner="active"),
        signed(inner={**ALIVE, "iss": "https://evil.example"}),
        Reply(500),
    ],
)
def test_an_answer_that_should_be_signed_and_is_not_rightly_is_no_answer(answer: Reply) -> None:
    assert number(desk(answer).guard(SIGNED).verify_blocking("opaque")) == "IK573"


def test_a_signed_no_is_a_no() -> None:
    assert number(desk(signed({"active": False})).guard(SIGNED).verify_blocking("opaque")) == "IK572"


def test_a_flood_of_texts_that_nobody_knows_leads_to_so_many_questions_in_a_second() -> None:
    at = desk({"active": False})
    guard = at.guard(msgspec.structs.replace(ASKING, most=3))
    told = [number(guard.verify_blocking(f"junk-{n}")) for n in range(50)]
    assert told == ["IK572"] * 3 + ["IK573"] * 47
    assert len(at.asked) == 3
    at.answer = ALIVE
    at.world.now += 1
    assert number(guard.verify_blocking("opaque")) == "verified"
    assert number(guard.verify_blocking("opaque")) == "verified"
    assert len(at.asked) == 4, "who is known already costs no question"


@pytest.mark.parametrize(
    "more",
    [
        {"most": 0},
        {"client_secret": ""},
        {"client_id": ""},
        {"endpoint": "http://issuer.example/introspect"},
        {"remembered": 0},
        {"remembered": 3601},
        {"every": -1},
    ],
)
def test_settings_that_cannot_work_are_a_mistake_said_aloud(more: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="introspection"):
        Introspection(**{"issuer": ISSUER, "client_id": "a", "client_secret": "b", **more})


def test_only_an_issuer_that_is_trusted_is_asked() -> None:
    with pytest.raises(UsageError, match="none of the guard's issuers"):
        World().guard(introspection=msgspec.structs.replace(ASKING, issuer="https://other.example"))
