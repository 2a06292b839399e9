"""A broker before another issuer: people allow an application before anything goes there, and leave on both sides at once.

The attacks are those that brokers are known for: a deputy that is confused, a consent that is phished, a sign-out that is forged.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from msgspec.structs import replace

from innkeeper.cli.broker import cloud_of, settings_for, told
from innkeeper.issuer.core.backchannel_logout import EVENT
from innkeeper.issuer.settings import Registration, Server
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import HOTEL, ORIGIN, SETTINGS, Answer, Clock, House
from tests.issuer.http.test_upstream import CLOUD, STAFF, Elsewhere, back, opened
from tests.issuer.signing import said as signed
from tests.issuer.visitor import Form, Visitor, redeem

BROKER = replace(STAFF, consent_first=True, sign_out="openid")
ALONE = replace(SETTINGS, passwords=False, registration=Registration(mode="open"))


@pytest.fixture
def elsewhere() -> Elsewhere:
    there = Elsewhere(Clock())
    there.metadata = {"end_session_endpoint": f"{CLOUD}/logout"}
    return there


@pytest.fixture
def house(tmp_path: Path, elsewhere: Elsewhere) -> Iterator[House]:
    made = opened(tmp_path, elsewhere, ALONE, BROKER)
    yield made
    made.close()


def went(answer: Answer, elsewhere: Elsewhere) -> dict[str, str]:
    """The parameters with which a browser was sent to the other issuer."""
    assert answer.location.startswith(f"{CLOUD}/authorize"), answer.location
    found = {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}
    elsewhere.nonce = found["nonce"]
    return found


def allowed(visitor: Visitor, elsewhere: Elsewhere, **asked: str) -> Answer:
    """Allow the application, sign in there, come back."""
    page = visitor.authorize(**asked)
    return back(visitor, went(visitor.submit(page, decision="allow"), elsewhere)["state"])


def register(house: House, redirect: str, name: str = "A client") -> str:
    import json

    from tests.issuer.house import Asked

    body = json.dumps({"client_name": name, "redirect_uris": [redirect], "token_endpoint_auth_method": "none"}).encode()
    answer = house.ask(Asked("POST", "/register", b"", (("content-type", "application/json"),), (body,)))
    assert answer.status == 201, answer.body
    return str(answer.json["client_id"])


def test_people_allow_an_application_before_anything_goes_to_the_cloud(house: House, elsewhere: Elsewhere) -> None:
    visitor = Visitor(house)
    page = visitor.authorize()
    for word in ("Allow <bdi>The shop</bdi>?", "Open your room", "shop.example", "login.cloud.example"):
        assert word in page.text
    assert elsewhere.asked == []
    answer = back(visitor, went(visitor.submit(page, decision="allow"), elsewhere)["state"])
    token = redeem(house, answer.sent_back["code"]).json
    assert answer.sent_back["iss"] == ORIGIN
    assert token["access_token"].count(".") == 2
    assert "x" not in token.values(), "the cloud's own access token stays behind"
    person = house.run(house.issuer.realm.store.person_named("eve@staff.example"))
    assert person is not None
    consent = house.run(house.issuer.realm.store.consent(person.sub, "shop"))
    assert consent is not None
    assert "room:enter" in consent.scopes


def test_who_allows_nothing_is_sent_nowhere(house: House, elsewhere: Elsewhere) -> None:
    visitor = Visitor(house)
    answer = visitor.submit(visitor.authorize(), decision="cancel")
    assert answer.sent_back["error"] == "access_denied"
    assert elsewhere.asked == []


def test_somebody_signed_in_is_asked_here_and_nothing_goes_to_the_cloud(house: House, elsewhere: Elsewhere) -> None:
    visitor = Visitor(house)
    allowed(visitor, elsewhere)
    before = len(elsewhere.asked)
    client = register(house, "https://other.example/cb")
    page = visitor.authorize(client_id=client, redirect_uri="https://other.example/cb")
    assert "Signed in as" in page.text
    assert "other.example" in page.text
    assert len(elsewhere.asked) == before


# The confused deputy: a client of the attacker's rides on what people allowed another one at the cloud


def test_a_client_that_registered_itself_gets_no_code_on_the_strength_of_an_earlier_sign_in(
    house: House, elsewhere: Elsewhere
) -> None:
    visitor = Visitor(house)
    allowed(visitor, elsewhere)
    evil = register(house, "https://evil.example/cb", "The shop")
    asked = {"client_id": evil, "redirect_uri": "https://evil.example/cb"}
    for cookies in (dict(visitor.cookies), {}):
        victim = Visitor(house)
        victim.cookies = cookies
        page = victim.authorize(**asked)
        assert page.status == 200, "no code, and no way to the cloud, before a yes"
        assert "evil.example" in page.text


def test_a_yes_of_the_attackers_own_counts_in_no_other_browser(house: House, elsewhere: Elsewhere) -> None:
    """Consent phishing: the attacker allows their client, and lures somebody to the rest of the way."""
    evil = register(house, "https://evil.example/cb")
    attacker, victim = Visitor(house), Visitor(house)
    page = attacker.authorize(client_id=evil, redirect_uri="https://evil.example/cb")
    state = went(attacker.submit(page, decision="allow"), elsewhere)["state"]
    lured = back(victim, state)
    assert lured.status == 400
    assert "evil.example" not in (lured.header("location") or "")
    assert back(attacker, state).status == 400, "the state is good once"


def test_the_attackers_ticket_after_their_yes_gives_the_victim_the_question_again(
    house: House, elsewhere: Elsewhere
) -> None:
    evil = register(house, "https://evil.example/cb")
    asked = {"client_id": evil, "redirect_uri": "https://evil.example/cb"}
    attacker, victim = Visitor(house), Visitor(house)
    allowed(victim, elsewhere)
    page = attacker.authorize(**asked)
    ticket = Form(page).hidden["ticket"]
    lured = victim.get(f"/authorize?{urlencode({'ticket': ticket})}")
    assert lured.status == 200
    assert 'id="allow"' in lured.text


def test_another_site_cannot_press_the_button(house: House, elsewhere: Elsewhere) -> None:
    visitor = Visitor(house)
    form = Form(visitor.authorize())
    sent = {**form.hidden, "decision": "allow"}
    assert visitor.post(form.action, sent, origin="https://evil.example", sec_fetch_site="cross-site").status == 403
    assert elsewhere.asked == []


# Leaving


def signed_in_twice(house: House, elsewhere: Elsewhere) -> tuple[Visitor, Visitor]:
    one, two = Visitor(house), Visitor(house)
    elsewhere.claims = {"sid": "s-one"}
    allowed(one, elsewhere)
    elsewhere.claims = {"sid": "s-two"}
    allowed(two, elsewhere)
    return one, two


def is_in(visitor: Visitor) -> bool:
    return "Signed in as" in visitor.get("/account").text


def logout_token(elsewhere: Elsewhere, **changes: Any) -> str:
    now = elsewhere.clock()
    usual = {"iss": CLOUD, "aud": "inn", "iat": now, "jti": f"l-{now}", "events": {EVENT: {}}, "sub": "u-77"}
    return signed({**usual, **changes}, "RS256", typ="logout+jwt")


def tell(house: House, token: str, upstream: str = "cloud") -> Answer:
    return house.post(f"/sign-in/left/{upstream}", {"logout_token": token})


def test_who_signs_out_there_is_signed_out_here(house: House, elsewhere: Elsewhere) -> None:
    one, two = signed_in_twice(house, elsewhere)
    assert tell(house, logout_token(elsewhere, sid="s-one", jti="a")).status == 200
    assert (is_in(one), is_in(two)) == (False, True)
    assert tell(house, logout_token(elsewhere, jti="b")).status == 200
    assert not is_in(two)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"iat": 1},
        {"exp": 1},
        {"events": {}},
        {"events": None},
        {"nonce": "n"},
        {"sub": None},
        {"jti": None},
    ],
    ids=str,
)
def test_a_sign_out_that_is_not_the_clouds_word_ends_nothing(
    house: House, elsewhere: Elsewhere, changes: dict[str, Any]
) -> None:
    visitor = Visitor(house)
    allowed(visitor, elsewhere)
    assert tell(house, logout_token(elsewhere, **changes)).json["error"] == "invalid_request"
    assert house.last.refusal is not None
    assert house.last.refusal.page.number == "IK908"
    assert is_in(visitor)


def test_a_sign_out_works_once_for_its_upstream_alone(house: House, elsewhere: Elsewhere) -> None:
    visitor, token = Visitor(house), logout_token(elsewhere)
    assert tell(house, token).status == 200
    allowed(visitor, elsewhere)
    assert tell(house, token).status == 400
    assert tell(house, "a.b.c").status == 400
    assert tell(house, logout_token(elsewhere, jti="n"), "nowhere").status == 400
    assert house.post("/sign-in/left/cloud", {}).status == 400
    assert is_in(visitor)


def test_who_signs_out_here_signs_out_there_and_comes_back_to_where_they_were_going(
    house: House, elsewhere: Elsewhere
) -> None:
    visitor = Visitor(house)
    allowed(visitor, elsewhere)
    asked = {"client_id": "shop", "post_logout_redirect_uri": "https://shop.example/bye", "state": "s"}
    page = visitor.get(f"/logout?{urlencode(asked)}")
    away = visitor.submit(page, decision="logout")
    assert away.location.startswith(f"{CLOUD}/logout?")
    sent = away.sent_back
    assert (sent["client_id"], sent["post_logout_redirect_uri"]) == ("inn", f"{ORIGIN}/logout/done")
    assert sent["id_token_hint"].count(".") == 2
    assert visitor.get(f"/logout/done?state={sent['state']}").location == "https://shop.example/bye?state=s"
    assert not is_in(visitor)


def test_the_way_back_leads_only_where_this_issuer_sealed(house: House) -> None:
    ticket = Form(Visitor(house).authorize()).hidden["ticket"]
    for state in ("", "https://evil.example", ticket):
        answer = house.get(f"/logout/done?{urlencode({'state': state})}")
        assert (answer.status, 'id="logged-out"' in answer.text) == (200, True)


def test_a_pool_is_left_in_its_own_way(tmp_path: Path, elsewhere: Elsewhere) -> None:
    house = opened(tmp_path, elsewhere, ALONE, replace(BROKER, sign_out="cognito"))
    try:
        visitor = Visitor(house)
        allowed(visitor, elsewhere)
        away = visitor.submit(visitor.get("/logout"), decision="logout")
        assert away.sent_back == {"client_id": "inn", "logout_uri": f"{ORIGIN}/logout/done"}
    finally:
        house.close()


# The command


def test_the_command_knows_the_clouds_by_name() -> None:
    entra = cloud_of("entra", "5a9b7f1e-3c42-4d7a-8e15-0c6d2f4b9a31", "")
    assert entra.issuer == "https://login.microsoftonline.com/5a9b7f1e-3c42-4d7a-8e15-0c6d2f4b9a31/v2.0"
    pool = cloud_of("cognito", "", "eu-west-1_Abc")
    assert (pool.issuer, pool.sign_out) == ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc", "cognito")
    assert cloud_of("https://login.example/", "", "").issuer == "https://login.example"
    made = settings_for(pool, "c", "s", HOTEL, ["room:enter=Open your room", "x"], Server(port=8500), "", {})
    assert made.resource[0].scopes == {"room:enter": "Open your room", "x": "x"}
    assert (made.passwords, made.registration.mode, made.upstream[0].consent_first) == (False, "open", True)
    assert any("http://127.0.0.1:8500/sign-in/from/cognito" in line for line in told(pool, made, HOTEL))
    through = settings_for(pool, "c", "s", HOTEL, (), Server(), "", {"HTTPS_PROXY": "http://127.0.0.1:1"})
    assert through.fetching.proxy_hosts == list(pool.hosts)


@pytest.mark.parametrize(
    ("upstream", "tenant", "pool", "word"),
    [("entra", "", "", "--tenant"), ("entra", "common", "", "--tenant"), ("cognito", "", "x", "--pool"),
     ("okta", "", "", "https address")],
)  # fmt: skip
def test_the_command_says_what_it_needs(upstream: str, tenant: str, pool: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        cloud_of(upstream, tenant, pool)
