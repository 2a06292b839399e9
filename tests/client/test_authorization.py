"""What may be believed of an authorization response, and what must never reach the token endpoint."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from innkeeper.client import Access, Client, Pending, Refused, Token, begin, complete, discover, run
from innkeeper.client.authorization import Return, checks_pkce, judge
from innkeeper.client.discovery import Metadata
from innkeeper.protocol import pkce
from innkeeper.protocol.parameters import parse_query
from tests.client.issuer import ISSUER, StubIssuer, refusal

GUEST = Client("guest-app")
ROOM = Access("room:enter", "https://hotel.example")
HERE = "http://127.0.0.1:5000/callback"


def begun(stub: StubIssuer, access: Access = ROOM, *, pkce_known: bool = False) -> Pending:
    with stub.client() as http:
        metadata = run(discover(stub.issuer), http)
    return run(begin(metadata, GUEST, access, HERE, pkce_known=pkce_known))


def finished(stub: StubIssuer, pending: Pending, back: dict[str, str] | str) -> Token:
    with stub.client() as http:
        return run(complete(pending, back if isinstance(back, str) else urlencode(back)), http)


def test_a_person_who_says_yes_gives_the_client_a_token() -> None:
    stub = StubIssuer()
    pending = begun(stub)
    token = finished(stub, pending, stub.authorize(pending.url))
    assert (token.access_token, token.refresh_token) == ("token-1", "refresh-1")
    assert stub.asked("/token") == [
        {
            "grant_type": "authorization_code",
            "code": "code-1",
            "redirect_uri": HERE,
            "code_verifier": pending.verifier,
            "resource": "https://hotel.example",
            "client_id": "guest-app",
        }
    ]


def test_the_address_for_the_browser_holds_every_safeguard() -> None:
    pending = begun(StubIssuer())
    sent = {name: values[0] for name, values in parse_qs(urlsplit(pending.url).query).items()}
    assert sent == {
        "response_type": "code",
        "client_id": "guest-app",
        "redirect_uri": HERE,
        "state": pending.state,
        "code_challenge": pkce.challenge(pending.verifier),
        "code_challenge_method": "S256",
        "scope": "room:enter",
        "resource": "https://hotel.example",
    }
    assert pkce.is_verifier(pending.verifier)


def test_state_verifier_and_nonce_are_new_every_time_and_differ() -> None:
    stub = StubIssuer()
    seen = [
        value for pending in (begun(stub), begun(stub)) for value in (pending.state, pending.verifier, pending.nonce)
    ]
    assert len(set(seen)) == 6
    assert min(map(len, seen)) >= 43


def test_an_authorization_endpoint_with_a_query_keeps_it() -> None:
    stub = StubIssuer()
    stub.document["authorization_endpoint"] = f"{ISSUER}/authorize?tenant=7"
    assert begun(stub).url.startswith(f"{ISSUER}/authorize?tenant=7&response_type=code&")


def answer(pending: Pending, **changes: str | None) -> dict[str, str]:
    full = {"code": "stolen", "state": pending.state, "iss": ISSUER} | changes
    return {name: value for name, value in full.items() if value is not None}


@pytest.mark.parametrize("state", [None, "", "another", "x" * 10_000])
def test_an_answer_with_another_state_is_turned_away_and_its_code_goes_nowhere(state: str | None) -> None:
    stub = StubIssuer()
    pending = begun(stub)
    with pytest.raises(Refused) as caught:
        finished(stub, pending, answer(pending, state=state))
    assert caught.value.number == "IK610"
    assert stub.asked("/token") == []


@pytest.mark.parametrize(
    "iss", ["https://evil.example", f"{ISSUER}/", "https://ISSUER.example", f"{ISSUER}:443", f"{ISSUER} ", "null"]
)
def test_a_mixed_up_answer_is_refused_to_the_character_and_its_code_goes_nowhere(iss: str) -> None:
    stub = StubIssuer()
    pending = begun(stub)
    with pytest.raises(Refused) as caught:
        finished(stub, pending, answer(pending, iss=iss))
    assert caught.value.number == "IK612"
    assert stub.asked("/token") == []


@pytest.mark.parametrize("iss", [None, ""])
def test_a_promised_iss_must_come(iss: str | None) -> None:
    stub = StubIssuer()
    pending = begun(stub)
    with pytest.raises(Refused) as caught:
        finished(stub, pending, answer(pending, iss=iss))
    assert caught.value.number == "IK611"
    assert stub.asked("/token") == []


@pytest.mark.parametrize("promise", [None, False])
def test_an_iss_that_was_never_promised_may_stay_away_but_not_be_wrong(promise: bool | None) -> None:
    stub = StubIssuer()
    stub.document["authorization_response_iss_parameter_supported"] = promise
    pending = begun(stub)
    back = stub.authorize(pending.url)
    with pytest.raises(Refused, match=r"evil\.example"):
        finished(stub, pending, {**back, "iss": "https://evil.example"})
    del back["iss"]
    assert finished(stub, pending, back).access_token == "token-1"


def test_the_words_of_a_mixed_up_answer_are_not_even_shown() -> None:
    stub = StubIssuer()
    pending = begun(stub)
    lure = answer(pending, code=None, error="access_denied", error_description="call 0123", iss="https://evil.example")
    with pytest.raises(Refused) as caught:
        finished(stub, pending, lure)
    assert caught.value.number == "IK612"
    assert "call 0123" not in str(caught.value)
    assert caught.value.error != "access_denied"


def test_a_no_keeps_its_code_and_the_issuers_words() -> None:
    stub = StubIssuer()
    pending = begun(stub)
    with pytest.raises(Refused) as caught:
        finished(stub, pending, answer(pending, error="access_denied", error_description="The guest\x1b[2J declined"))
    assert (caught.value.number, caught.value.error) == ("IK613", "access_denied")
    assert "The guest[2J declined" in str(caught.value)
    assert stub.asked("/token") == []


def test_an_answer_with_neither_code_nor_error_is_refused() -> None:
    stub = StubIssuer()
    pending = begun(stub)
    with pytest.raises(Refused) as caught:
        finished(stub, pending, answer(pending, code=None))
    assert caught.value.number == "IK614"


@pytest.mark.parametrize("extra", ["code=again", "state=again", "iss=again"])
def test_a_parameter_sent_twice_is_refused(extra: str) -> None:
    stub = StubIssuer()
    pending = begun(stub)
    with pytest.raises(Refused) as caught:
        finished(stub, pending, f"{urlencode(answer(pending))}&{extra}")
    assert caught.value.number in {"IK610", "IK611", "IK612", "IK614"}
    assert stub.asked("/token") == []


@pytest.mark.parametrize("query", ["code=%ff", "code=%00", "&".join(f"a{i}=1" for i in range(300))])
def test_an_answer_that_is_no_text_is_refused(query: str) -> None:
    stub = StubIssuer()
    with pytest.raises(Refused) as caught:
        finished(stub, begun(stub), query)
    assert caught.value.number == "IK614"


@pytest.mark.parametrize("methods", [None, [], ["plain"]])
def test_an_issuer_that_does_not_say_it_checks_pkce_is_refused_unless_one_knows_better(
    methods: list[str] | None,
) -> None:
    stub = StubIssuer()
    stub.document["code_challenge_methods_supported"] = methods
    with pytest.raises(Refused) as caught:
        begun(stub)
    assert caught.value.number == "IK606"
    pending = begun(stub, pkce_known=True)
    assert "code_challenge_method=S256" in pending.url
    assert finished(stub, pending, stub.authorize(pending.url)).access_token == "token-1"


@pytest.mark.parametrize(
    ("issuer", "known"),
    [
        ("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", True),
        ("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc", True),
        ("https://cognito-idp.evil.example/eu-central-1_abc", False),
        ("https://cognito-idp.x.evil.example/.amazonaws.com", False),
        ("https://login.microsoftonline.com.evil.example/x", False),
        ("https://issuer.example", False),
    ],
)
def test_the_clouds_that_check_pkce_without_saying_are_known_by_their_host(issuer: str, known: bool) -> None:
    assert checks_pkce(Metadata(issuer)) is known


def test_a_cloud_that_says_what_it_supports_is_taken_at_its_word() -> None:
    assert not checks_pkce(Metadata("https://login.microsoftonline.com/x/v2.0", code_challenge_methods_supported=()))


def test_a_code_is_worth_nothing_with_another_verifier() -> None:
    stub = StubIssuer()
    first, second = begun(stub), begun(stub)
    code = stub.authorize(first.url)["code"]
    with pytest.raises(Refused) as caught:
        finished(stub, second, answer(second, code=code))
    assert caught.value.error == "invalid_grant"


def test_the_checks_stand_in_the_order_that_trusts_nothing_too_early() -> None:
    pending = begun(StubIssuer())
    trail = judge(Return(pending, parse_query(urlencode(answer(pending)))))
    assert [step.check.name for step in trail.steps] == [
        "state is ours",
        "issuer is the one asked",
        "issuer said yes",
        "code came",
    ]
    assert trail.refusal is None


def test_an_id_token_nobody_asked_for_is_dropped() -> None:
    stub = StubIssuer()
    pending = begun(stub)
    granted = {"access_token": "a", "token_type": "Bearer", "id_token": "unasked"}
    stub.at["/token"] = lambda _: httpx2.Response(200, json=granted)
    assert finished(stub, pending, stub.authorize(pending.url)).id_token is None


def test_nothing_of_a_pending_authorization_is_printed() -> None:
    pending = begun(StubIssuer())
    assert pending.verifier not in repr(pending)
    assert pending.state not in repr(pending)


def test_the_token_endpoints_no_reaches_the_caller() -> None:
    stub = StubIssuer()
    pending = begun(stub)
    stub.at["/token"] = lambda _: refusal("invalid_grant", description="expired")
    with pytest.raises(Refused, match="expired"):
        finished(stub, pending, stub.authorize(pending.url))
