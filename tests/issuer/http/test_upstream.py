"""Signing in through another issuer: the way there and back, who somebody is here, and everything that must not work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core.records import Upstream
from innkeeper.issuer.desk.outside import Answer as Got
from innkeeper.issuer.desk.outside import NotReached, Outside, Sent
from innkeeper.issuer.settings import Settings
from innkeeper.protocol import pkce
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import ORIGIN, SETTINGS, Answer, Clock, House
from tests.issuer.signing import KEYS, said, unsigned, with_mac
from tests.issuer.visitor import Form, Visitor, redeem
from tests.keys.keyring import private_key

CLOUD = "https://login.cloud.example/tenant"
STAFF = Upstream(
    id="cloud", title="The cloud", issuer=CLOUD, client_id="inn", client_secret="s&cret", believe_email=True
)
BACK = f"{ORIGIN}/sign-in/from/cloud"


class Elsewhere:
    """The other issuer: its documents, and a token endpoint that says what a test wants. ``asked`` is what came there."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.nonce = ""
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.status = 200
        self.token: str | None = None
        self.down = False

    async def exchange(self, url: str, sent: Sent, most_bytes: int) -> Got:
        if self.down:
            raise NotReached("nobody answers")
        if url == f"{CLOUD}/.well-known/openid-configuration":
            return _json(self.document())
        if url == f"{CLOUD}/keys":
            return _json(KEYS)
        assert url == f"{CLOUD}/token", url
        self.asked.append({name: values[0] for name, values in parse_qs(sent.body.decode()).items()})
        self.headers.append(dict(sent.headers))
        if self.status != 200:
            return _json({"error": "invalid_grant"}, self.status)
        return _json({"id_token": self.token or self.vouched(), "token_type": "Bearer", "access_token": "x"})

    def document(self) -> dict[str, Any]:
        usual = {
            "issuer": CLOUD,
            "authorization_endpoint": f"{CLOUD}/authorize?flavour=a",
            "token_endpoint": f"{CLOUD}/token",
            "jwks_uri": f"{CLOUD}/keys",
        }
        return {name: value for name, value in {**usual, **self.metadata}.items() if value is not None}

    def vouched(self, **changes: Any) -> str:
        return said(self.said(**changes), "RS256")

    def said(self, **changes: Any) -> dict[str, Any]:
        now = self.clock()
        usual = {"iss": CLOUD, "aud": "inn", "sub": "u-77", "iat": now, "exp": now + 300, "nonce": self.nonce}
        person = {"email": "eve@staff.example", "email_verified": True, "name": "Eve Staff", "amr": ["pwd", "mfa"]}
        return {**usual, **person, **self.claims, **changes}


def _json(document: Any, status: int = 200) -> Got:
    return Got(status, {"content-type": "application/json"}, json.dumps(document).encode())


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere(Clock())


def opened(folder: Path, elsewhere: Elsewhere, settings: Settings = SETTINGS, upstream: Upstream = STAFF) -> House:
    return House(
        folder, replace(settings, upstream=[upstream]), clock=elsewhere.clock, outside=cast("Outside", elsewhere)
    )


@pytest.fixture
def house(tmp_path: Path, elsewhere: Elsewhere) -> Iterator[House]:
    made = opened(tmp_path, elsewhere)
    yield made
    made.close()


def sent_there(visitor: Visitor, elsewhere: Elsewhere, page: Answer | None = None) -> dict[str, str]:
    """Choose the other issuer on the sign-in page; the parameters that the browser is sent there with."""
    page = page or visitor.authorize()
    answer = visitor.submit(page, upstream="cloud")
    to = urlsplit(answer.location)
    assert answer.location.startswith(f"{CLOUD}/authorize?flavour=a&"), answer.location
    found = {name: values[0] for name, values in parse_qs(to.query).items()}
    elsewhere.nonce = found["nonce"]
    return found


def back(visitor: Visitor, state: str, **more: str) -> Answer:
    query = "&".join(f"{name}={value}" for name, value in {"code": "c-1", "state": state, **more}.items() if value)
    return visitor.get(f"/sign-in/from/cloud?{query}")


def signed_in(house: House, elsewhere: Elsewhere, visitor: Visitor | None = None) -> Answer:
    visitor = visitor or Visitor(house)
    return back(visitor, sent_there(visitor, elsewhere)["state"])


def test_somebody_new_signs_in_there_and_has_an_account_here(house: House, elsewhere: Elsewhere) -> None:
    visitor = Visitor(house)
    asked = sent_there(visitor, elsewhere)
    assert (asked["client_id"], asked["redirect_uri"], asked["response_type"]) == ("inn", BACK, "code")
    assert asked["code_challenge_method"] == "S256"
    consent = back(visitor, asked["state"])
    assert 'id="allow"' in consent.text
    assert pkce.challenge(elsewhere.asked[0]["code_verifier"]) == asked["code_challenge"]
    assert elsewhere.asked[0]["redirect_uri"] == BACK
    assert elsewhere.headers[0]["authorization"] == "Basic aW5uOnMlMjZjcmV0"
    token = redeem(house, visitor.allow(consent).sent_back["code"]).json
    person = house.get("/userinfo", authorization=f"Bearer {token['access_token']}")
    assert person.status in (200, 403)
    found = house.run(house.issuer.realm.store.person_named("eve@staff.example"))
    assert found is not None
    assert found.claims == {"name": "Eve Staff", "email": "eve@staff.example", "email_verified": True}
    assert found.password == ""


def test_the_same_person_comes_again_to_the_same_account_whatever_their_name_is_by_then(
    house: House, elsewhere: Elsewhere
) -> None:
    signed_in(house, elsewhere)
    elsewhere.claims = {"email": "eve.married@staff.example"}
    assert signed_in(house, elsewhere).status == 200
    assert [one.username for one in house.run(house.issuer.realm.store.people())].count("eve@staff.example") == 1
    assert house.run(house.issuer.realm.store.person_named("eve.married@staff.example")) is None


def test_how_sure_the_other_issuer_was_is_told_as_its_word(house: House, elsewhere: Elsewhere) -> None:
    visitor = Visitor(house)
    visitor.allow(signed_in(house, elsewhere, visitor))
    person = house.run(house.issuer.realm.store.person_named("eve@staff.example"))
    assert person is not None
    [session] = house.run(house.issuer.realm.store.sessions(person.sub))
    assert (session.acr, session.amr) == ("urn:innkeeper:acr:upstream", ("pwd", "mfa"))


def test_an_address_is_verified_only_where_the_operator_believes_it(tmp_path: Path, elsewhere: Elsewhere) -> None:
    house = opened(tmp_path, elsewhere, upstream=replace(STAFF, believe_email=False))
    signed_in(house, elsewhere)
    found = house.run(house.issuer.realm.store.person_named("eve@staff.example"))
    house.close()
    assert found is not None
    assert found.claims["email_verified"] is False


def test_an_account_here_is_not_taken_by_somebody_of_the_same_name(house: House, elsewhere: Elsewhere) -> None:
    elsewhere.claims = {"email": "ada@example.org"}
    answer = signed_in(house, elsewhere)
    assert answer.status == 409
    assert "connect the two" in answer.text
    assert house.run(house.issuer.realm.store.credentials("ada-1", "upstream")) == []


def test_whoever_is_signed_in_connects_their_account_and_enters_by_it_from_then_on(
    house: House, elsewhere: Elsewhere
) -> None:
    elsewhere.claims = {"email": "ada@example.org", "sub": "ada-there"}
    ada = Visitor(house)
    ada.sign_in(ada.get("/account"))
    page = ada.get("/account/connected")
    to = ada.submit(page, connect="cloud")
    found = {name: values[0] for name, values in parse_qs(urlsplit(to.location).query).items()}
    elsewhere.nonce = found["nonce"]
    done = back(ada, found["state"])
    assert "Connected: you can sign in that way now." in done.text
    elsewhere.claims["email"] = "other@staff.example"
    other = Visitor(house)
    assert 'id="allow"' in signed_in(house, elsewhere, other).text
    assert house.run(house.issuer.realm.store.person_named("other@staff.example")) is None
    gone = ada.submit(ada.get("/account/connected"), disconnect="cloud")
    assert "Disconnected" in gone.text
    assert house.run(house.issuer.realm.store.credentials("ada-1", "upstream")) == []


def test_connecting_needs_a_sign_in_of_just_now_and_a_form_of_ours(house: House) -> None:
    stranger = Visitor(house)
    assert 'id="sign-in"' in stranger.get("/account/connected").text
    stranger.sign_in(stranger.get("/account"))
    answer = stranger.post("/account/connected", {"connect": "cloud", "csrf": "wrong"})
    assert answer.status == 403


def test_an_account_there_that_is_anothers_here_is_not_connected_twice(house: House, elsewhere: Elsewhere) -> None:
    signed_in(house, elsewhere)
    ada = Visitor(house)
    ada.sign_in(ada.get("/account"))
    to = ada.submit(ada.get("/account/connected"), connect="cloud")
    found = {name: values[0] for name, values in parse_qs(urlsplit(to.location).query).items()}
    elsewhere.nonce = found["nonce"]
    answer = back(ada, found["state"])
    assert (answer.status, "IK905" in answer.text or "somebody else" in answer.text) == (409, True)


def test_a_link_that_was_begun_by_one_person_does_not_land_with_another(house: House, elsewhere: Elsewhere) -> None:
    """Ada begins, Bob takes over her browser: what comes back connects nobody to Ada's account."""
    ada = Visitor(house)
    ada.sign_in(ada.get("/account"))
    to = ada.submit(ada.get("/account/connected"), connect="cloud")
    found = {name: values[0] for name, values in parse_qs(urlsplit(to.location).query).items()}
    elsewhere.nonce = found["nonce"]
    ada.cookies.pop("innkeeper-native")
    ada.sign_in(ada.get("/account"), "bob@example.org")
    back(ada, found["state"])
    assert house.run(house.issuer.realm.store.credentials("ada-1", "upstream")) == []
    assert house.run(house.issuer.realm.store.credentials("bob-2", "upstream")) == []


class TestTheWayBack:
    """Login CSRF, replay, mix-up: what comes back counts once, in the browser that was sent, from whom it was sent to."""

    def test_an_answer_is_good_once(self, house: House, elsewhere: Elsewhere) -> None:
        visitor = Visitor(house)
        state = sent_there(visitor, elsewhere)["state"]
        assert back(visitor, state).status == 200
        again = back(visitor, state)
        assert (again.status, "did not begin here" in again.text) == (400, True)
        assert len(elsewhere.asked) == 1

    def test_an_answer_to_another_browser_signs_nobody_in(self, house: House, elsewhere: Elsewhere) -> None:
        state = sent_there(Visitor(house), elsewhere)["state"]
        victim = Visitor(house)
        victim.authorize()
        assert back(victim, state).status == 400
        assert elsewhere.asked == []

    def test_a_browser_without_cookies_is_not_let_in(self, house: House, elsewhere: Elsewhere) -> None:
        state = sent_there(Visitor(house), elsewhere)["state"]
        assert back(Visitor(house), state).status == 400

    def test_an_answer_that_comes_too_late_is_over(self, house: House, elsewhere: Elsewhere) -> None:
        visitor = Visitor(house)
        state = sent_there(visitor, elsewhere)["state"]
        house.clock.move(901)
        assert back(visitor, state).status == 400

    def test_a_state_nobody_made_is_refused(self, house: House) -> None:
        assert back(Visitor(house), "made-up").status == 400

    def test_another_issuers_answer_is_refused(self, house: House, elsewhere: Elsewhere) -> None:
        visitor = Visitor(house)
        answer = back(visitor, sent_there(visitor, elsewhere)["state"], iss="https://evil.example")
        assert (answer.status, elsewhere.asked) == (400, [])

    def test_an_issuer_that_announces_its_name_must_say_it(self, house: House, elsewhere: Elsewhere) -> None:
        elsewhere.metadata = {"authorization_response_iss_parameter_supported": True}
        visitor = Visitor(house)
        assert back(visitor, sent_there(visitor, elsewhere)["state"]).status == 400
        other = Visitor(house)
        assert back(other, sent_there(other, elsewhere)["state"], iss=CLOUD).status == 200

    def test_an_error_there_is_told_without_its_words(self, house: House, elsewhere: Elsewhere) -> None:
        visitor = Visitor(house)
        state = sent_there(visitor, elsewhere)["state"]
        answer = back(visitor, state, code="", error="access_denied", error_description="<b>evil</b>")
        assert answer.status == 403
        assert "evil" not in answer.text

    def test_another_upstreams_place_takes_no_answer_of_this_one(self, tmp_path: Path, elsewhere: Elsewhere) -> None:
        other = replace(STAFF, id="other")
        house = House(
            tmp_path,
            replace(SETTINGS, upstream=[STAFF, other]),
            clock=elsewhere.clock,
            outside=cast("Outside", elsewhere),
        )
        visitor = Visitor(house)
        state = sent_there(visitor, elsewhere)["state"]
        answer = visitor.get(f"/sign-in/from/other?code=c-1&state={state}")
        house.close()
        assert (answer.status, elsewhere.asked) == (400, [])

    @pytest.mark.parametrize("query", ["state=a&state=b", "code=%ff", ""])
    def test_what_cannot_be_read_is_refused(self, house: House, query: str) -> None:
        assert Visitor(house).get(f"/sign-in/from/cloud?{query}").status == 400

    def test_there_is_no_place_for_an_upstream_that_is_not_set(self, house: House) -> None:
        assert Visitor(house).get("/sign-in/from/nobody?code=a&state=b").status == 400


FORGED: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "a slash more": {"iss": f"{CLOUD}/"},
    "another client": {"aud": "other"},
    "several clients": {"aud": ["inn", "other"]},
    "another party": {"azp": "other"},
    "no audience": {"aud": None},
    "expired": {"exp": 1},
    "no end": {"exp": None},
    "an end in words": {"exp": "2999"},
    "no beginning": {"iat": None},
    "from the future": {"iat": 1_900_000_000},
    "not valid yet": {"nbf": 1_900_000_000},
    "another nonce": {"nonce": "other"},
    "no nonce": {"nonce": None},
    "nobody": {"sub": ""},
    "a number": {"sub": 7},
}


@pytest.mark.parametrize("wrong", FORGED)
def test_an_id_token_that_does_not_hold_signs_nobody_in(house: House, elsewhere: Elsewhere, wrong: str) -> None:
    elsewhere.claims = FORGED[wrong]
    answer = signed_in(house, elsewhere)
    assert answer.status == 403
    assert "could not be verified" in answer.text
    assert house.last.refusal is not None
    assert house.last.refusal.page.number == "IK903"
    assert house.run(house.issuer.realm.store.person_named("eve@staff.example")) is None


@pytest.mark.parametrize("how", ["unsigned", "mac by the secret", "another's key", "no token", "garbage"])
def test_an_id_token_by_nobodys_key_signs_nobody_in(house: House, elsewhere: Elsewhere, how: str) -> None:
    visitor = Visitor(house)
    state = sent_there(visitor, elsewhere)["state"]
    claims = elsewhere.said()
    elsewhere.token = {
        "unsigned": unsigned(claims),
        "mac by the secret": with_mac(claims, b"s&cret"),
        "another's key": said(claims, "RS256", private_key("RS256", 1)),
        "no token": "",
        "garbage": "a.b.c",
    }[how] or None
    if how == "no token":
        elsewhere.status = 400
    answer = back(visitor, state)
    assert answer.status in (403, 502)
    assert house.run(house.issuer.realm.store.person_named("eve@staff.example")) is None


def test_an_account_that_was_shut_opens_nothing(house: House, elsewhere: Elsewhere) -> None:
    signed_in(house, elsewhere)
    store = house.issuer.realm.store
    person = house.run(store.person_named("eve@staff.example"))
    assert person is not None
    house.run(store.put_person(replace(person, disabled=True)))
    assert signed_in(house, elsewhere).status == 403


def test_nobody_new_is_taken_in_where_the_operator_says_so(tmp_path: Path, elsewhere: Elsewhere) -> None:
    house = opened(tmp_path, elsewhere, upstream=replace(STAFF, new_people=False))
    answer = signed_in(house, elsewhere)
    house.close()
    assert (answer.status, "no account here" in answer.text) == (403, True)


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": f"{CLOUD}/"}, {"token_endpoint": None}, {"jwks_uri": 7}, {"authorization_endpoint": None}],
)
def test_metadata_that_will_not_do_are_said_on_the_page_and_lead_nowhere(
    house: House, elsewhere: Elsewhere, metadata: dict[str, Any]
) -> None:
    elsewhere.metadata = metadata
    visitor = Visitor(house)
    answer = visitor.submit(visitor.authorize(), upstream="cloud")
    assert (answer.status, answer.header("location")) == (502, None)
    assert "cannot be reached now" in answer.text


def test_an_issuer_that_is_down_hinders_nobody_else(house: House, elsewhere: Elsewhere) -> None:
    elsewhere.down = True
    visitor = Visitor(house)
    page = visitor.authorize()
    assert visitor.submit(page, upstream="cloud").status == 502
    assert 'id="allow"' in visitor.sign_in(page).text


def test_going_elsewhere_needs_a_form_of_ours(house: House) -> None:
    visitor = Visitor(house)
    page = visitor.authorize()
    answer = visitor.post("/sign-in", {**Form(page).hidden, "upstream": "cloud", "csrf": "wrong"})
    assert (answer.status, answer.header("location")) == (403, None)


def test_without_passwords_there_is_no_field_for_one_and_none_is_taken(tmp_path: Path, elsewhere: Elsewhere) -> None:
    house = opened(tmp_path, elsewhere, replace(SETTINGS, passwords=False))
    visitor = Visitor(house)
    page = visitor.authorize()
    tried = visitor.sign_in(page)
    there = sent_there(visitor, elsewhere, page)
    house.close()
    assert 'id="password"' not in page.text
    assert 'id="with-cloud"' in page.text
    assert (tried.status, "Passwords open nothing here." in tried.text) == (403, True)
    assert there["state"]


def test_the_page_may_lead_to_where_it_sends_people(tmp_path: Path, elsewhere: Elsewhere) -> None:
    house = opened(tmp_path, elsewhere, upstream=replace(STAFF, issuer="http://127.0.0.1:9"))
    page = Visitor(house).authorize()
    house.close()
    assert "http://127.0.0.1:*" in str(page.header("content-security-policy"))


def test_a_secret_goes_into_the_form_where_the_issuer_wants_it_there(house: House, elsewhere: Elsewhere) -> None:
    elsewhere.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    signed_in(house, elsewhere)
    assert elsewhere.asked[0]["client_secret"] == "s&cret"
    assert "authorization" not in elsewhere.headers[0]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (replace(SETTINGS, passwords=False), "needs an \\[\\[upstream\\]\\]"),
        (replace(SETTINGS, upstream=[STAFF, STAFF]), "the same id"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, settings: Settings, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        House(tmp_path, settings)
