"""A device asks, a person answers elsewhere, the device is given its tokens; and nobody else can answer for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core.device_authorization import canonical
from innkeeper.issuer.core.token import DEVICE_CODE
from innkeeper.issuer.settings import SeedClient
from tests.issuer.house import HOTEL, ORIGIN, SECRET, SETTINGS, Answer, House, posted
from tests.issuer.visitor import Form, Visitor

GRANTS = ("authorization_code", "refresh_token", "device_code")
TV = SeedClient(
    id="tv",
    name="The television",
    grants=("refresh_token", "device_code"),
    scopes=["openid", "room:enter", "gym:enter"],
    native=True,
)
RADIO = replace(TV, id="radio", name="The radio", grants=("device_code",))
SHOP = {"client_id": "shop", "client_secret": SECRET}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[House]:
    shop, *others = SETTINGS.client
    settings = replace(SETTINGS, client=[replace(shop, grants=GRANTS), *others, TV, RADIO])
    made = House(tmp_path_factory.mktemp("house"), settings)
    yield made
    made.close()


def begin(house: House, **changes: str) -> dict[str, Any]:
    answer = house.post("/device_authorization", {"client_id": "tv", "scope": "openid room:enter", **changes})
    assert answer.status == 200, answer.body
    return answer.json


def poll(house: House, codes: dict[str, Any], **changes: str) -> Answer:
    form = {"grant_type": DEVICE_CODE, "device_code": codes["device_code"], "client_id": "tv", **changes}
    return house.token(form)


def error(answer: Answer) -> str:
    assert answer.status == 400
    assert answer.header("cache-control") == "no-store"
    return str(answer.json["error"])


def question(visitor: Visitor, codes: dict[str, Any], typed: str | None = None, who: str = "ada@example.org") -> Answer:
    """The page that asks yes or no, reached as a person does: open the page, sign in, type the code."""
    page = visitor.get("/device")
    if 'id="sign-in"' in page.text:
        page = visitor.sign_in(page, who)
    assert "user_code" in Form(page).ids
    return visitor.submit(page, user_code=codes["user_code"] if typed is None else typed)


def approve(house: House, codes: dict[str, Any]) -> None:
    done = question_and_allow(Visitor(house), codes)
    assert "Your device is connected" in done.text


def question_and_allow(visitor: Visitor, codes: dict[str, Any]) -> Answer:
    return visitor.allow(question(visitor, codes))


def test_the_device_is_given_two_codes_and_where_to_enter_one(house: House) -> None:
    codes = begin(house)
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes["user_code"])
    assert len(codes["device_code"]) == 43
    assert codes["verification_uri"] == f"{ORIGIN}/device"
    assert codes["verification_uri_complete"] == f"{ORIGIN}/device?user_code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)


def test_the_answer_is_stored_nowhere_on_its_way(house: House) -> None:
    answer = house.post("/device_authorization", {"client_id": "tv"})
    assert answer.header("cache-control") == "no-store"


def test_tokens_come_once_the_person_has_said_yes(house: House) -> None:
    codes = begin(house)
    assert error(poll(house, codes)) == "authorization_pending"
    approve(house, codes)
    tokens = poll(house, codes).json
    assert tokens["scope"] == "openid room:enter"
    assert {"access_token", "id_token", "refresh_token"} <= tokens.keys()
    introspected = house.post("/introspect", {"token": tokens["access_token"], **SHOP}).json
    assert (introspected["sub"], introspected["client_id"]) == ("ada-1", "tv")
    assert introspected["aud"] == [HOTEL, ORIGIN]


def test_the_refresh_token_goes_on_after_the_browser_signed_out(house: House) -> None:
    codes, visitor = begin(house), Visitor(house)
    question_and_allow(visitor, codes)
    tokens = poll(house, codes).json
    visitor.submit(visitor.get("/logout"), decision="logout")
    again = house.token({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "tv"})
    assert again.status == 200


def test_a_client_without_the_refresh_grant_gets_no_refresh_token(house: House) -> None:
    codes = begin(house, client_id="radio")
    approve(house, codes)
    assert "refresh_token" not in poll(house, codes, client_id="radio").json


def test_a_device_code_works_once(house: House) -> None:
    codes = begin(house)
    approve(house, codes)
    assert poll(house, codes).status == 200
    assert error(poll(house, codes)) == "invalid_grant"


def test_of_many_that_ask_at_once_one_is_given_tokens(house: House) -> None:
    codes = begin(house)
    approve(house, codes)
    form = {"grant_type": DEVICE_CODE, "device_code": codes["device_code"], "client_id": "tv"}
    statuses = sorted(answer.status for answer in house.ask_all([posted("/token", form)] * 8))
    assert statuses == [200, *[400] * 7]


def test_a_device_that_asks_too_soon_must_wait_five_seconds_longer_each_time(house: House) -> None:
    codes = begin(house)
    assert error(poll(house, codes)) == "authorization_pending"
    house.clock.move(4)
    assert error(poll(house, codes)) == "slow_down"
    house.clock.move(9)
    assert error(poll(house, codes)) == "slow_down"
    house.clock.move(15)
    assert error(poll(house, codes)) == "authorization_pending"
    house.clock.move(14)
    assert error(poll(house, codes)) == "slow_down"


def test_a_device_that_asks_too_soon_is_given_its_tokens_all_the_same_once_they_are_there(house: House) -> None:
    codes = begin(house)
    poll(house, codes)
    approve(house, codes)
    assert poll(house, codes).status == 200


def test_no_means_access_denied_for_good(house: House) -> None:
    codes, visitor = begin(house), Visitor(house)
    page = visitor.submit(question(visitor, codes), decision="deny")
    assert "Not connected" in page.text
    assert [error(poll(house, codes)) for _ in range(2)] == ["access_denied"] * 2
    assert "No device is waiting" in question(visitor, codes).text


def test_a_code_nobody_answered_in_time_has_expired(house: House) -> None:
    codes = begin(house)
    house.clock.move(599)
    assert error(poll(house, codes)) == "authorization_pending"
    house.clock.move(1)
    assert error(poll(house, codes)) == "expired_token"
    assert "No device is waiting" in question(Visitor(house), codes).text


def test_tokens_are_not_given_after_the_code_expired_though_the_person_said_yes(house: House) -> None:
    codes = begin(house)
    approve(house, codes)
    house.clock.move(600)
    assert error(poll(house, codes)) == "expired_token"


@pytest.mark.parametrize("spelled", ["bcdf-ghjk", "BCDFGHJK", " bc df gh jk "])
def test_capitals_dashes_and_spaces_make_no_difference(spelled: str) -> None:
    assert canonical(spelled) == canonical("BCDF-GHJK")


def test_the_code_is_found_however_it_is_typed(house: House) -> None:
    codes = begin(house)
    assert 'id="allow"' in question(Visitor(house), codes, codes["user_code"].lower().replace("-", " ")).text


def test_the_question_names_client_code_person_and_scopes_and_warns(house: House) -> None:
    codes = begin(house)
    page = question(Visitor(house), codes)
    for said in ("The television", codes["user_code"], "Ada &lt;b&gt;", "Open your room", "on your own device"):
        assert said in page.text
    assert {"allow", "deny"} <= Form(page).ids


def test_a_confidential_client_must_prove_itself(house: House) -> None:
    refused = house.post("/device_authorization", {"client_id": "shop"})
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    assert house.post("/device_authorization", SHOP).status == 200


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"client_id": "app"}, "unauthorized_client"),
        ({"client_id": "tv", "scope": "sauna:heat"}, "invalid_scope"),
        ({"client_id": "tv", "resource": "https://elsewhere.example"}, "invalid_target"),
        ([("client_id", "tv"), ("scope", "openid"), ("scope", "openid")], "invalid_request"),
    ],
)
def test_a_request_for_more_than_the_client_may_have_is_refused(house: House, sent: Any, code: str) -> None:
    assert error(house.post("/device_authorization", sent)) == code


def test_another_client_cannot_ask_with_the_code(house: House) -> None:
    codes = begin(house)
    approve(house, codes)
    assert error(poll(house, codes, client_id="radio")) == "invalid_grant"
    assert poll(house, codes).status == 200


def test_the_user_code_is_no_device_code(house: House) -> None:
    codes = begin(house)
    approve(house, codes)
    assert error(poll(house, {"device_code": codes["user_code"]})) == "invalid_grant"


def test_an_address_with_the_code_in_it_allows_nothing_by_itself(house: House) -> None:
    codes, visitor = begin(house), Visitor(house)
    page = visitor.sign_in(visitor.get(codes["verification_uri_complete"]))
    assert codes["user_code"] in page.text
    assert {"allow", "deny"} <= Form(page).ids
    for tail in ("&decision=allow", "&decision=allow&csrf=x", "&allow=1"):
        visitor.get(codes["verification_uri_complete"] + tail)
    assert error(poll(house, codes)) == "authorization_pending"


def test_another_site_cannot_press_the_button(house: House) -> None:
    codes, visitor = begin(house), Visitor(house)
    form = Form(question(visitor, codes)).hidden
    attacks: list[tuple[dict[str, str], dict[str, str]]] = [
        ({**form, "csrf": ""}, {}),
        ({**form, "csrf": "x" * 43}, {}),
        (form, {"origin": "https://evil.example"}),
        (form, {"sec_fetch_site": "cross-site"}),
        ({"csrf": form["csrf"], "user_code": codes["user_code"]}, {}),
        ({"csrf": form["csrf"], "ticket": ""}, {}),
    ]
    for sent, headers in attacks:
        visitor.post("/device", {**sent, "decision": "allow"}, **headers)
    house.clock.move(5)
    assert error(poll(house, codes)) == "authorization_pending"
    visitor.post("/device", {**form, "decision": "allow"})
    assert poll(house, codes).status == 200


def test_an_attacker_cannot_have_their_own_question_answered_by_someone_else(house: House) -> None:
    """The attacker brings the victim's browser to send the attacker's ticket: it was shown in another session."""
    codes = begin(house)
    attacker, victim = Visitor(house), Visitor(house)
    ticket = Form(question(attacker, codes, who="bob@example.org")).hidden["ticket"]
    own = Form(question(victim, begin(house))).hidden
    refused = victim.post("/device", {"csrf": own["csrf"], "ticket": ticket, "decision": "allow"})
    assert refused.status == 403
    assert error(poll(house, codes)) == "authorization_pending"


def test_the_code_in_the_form_does_not_replace_the_one_that_was_asked_about(house: House) -> None:
    mine, other, visitor = begin(house), begin(house), Visitor(house)
    page = question(visitor, mine)
    visitor.submit(page, decision="allow", user_code=other["user_code"])
    assert error(poll(house, other)) == "authorization_pending"
    assert poll(house, mine).status == 200


def test_the_first_answer_stands(house: House) -> None:
    codes, ada, bob = begin(house), Visitor(house), Visitor(house)
    to_ada, to_bob = question(ada, codes), question(bob, codes, who="bob@example.org")
    ada.allow(to_ada)
    assert "No device is waiting" in bob.allow(to_bob).text
    tokens = poll(house, codes).json
    assert house.post("/introspect", {"token": tokens["access_token"], **SHOP}).json["sub"] == "ada-1"


def test_codes_cannot_be_found_by_trying(house: House) -> None:
    codes, guesser = begin(house), Visitor(house)
    tries = [question(guesser, codes, f"BCDF-GHJ{last}", who="bob@example.org").status for last in "KLMNP"]
    assert tries == [400] * 5
    stopped = question(guesser, codes, who="bob@example.org")
    assert (stopped.status, 'id="allow"' in stopped.text) == (429, False)
    assert 'id="allow"' in question(Visitor(house), codes).text, "others are not held up"
    assert question(Visitor(house, "10.0.0.9"), codes, who="bob@example.org").status == 429, "nor does moving help"
    house.clock.move(61)
    assert question(guesser, codes, who="bob@example.org").status == 200


def test_finding_ones_own_device_does_not_buy_more_tries(house: House) -> None:
    guesser = Visitor(house)
    house.clock.move(61)
    for last in "KLMN":
        question(guesser, {}, f"BCDF-GHJ{last}", who="bob@example.org")
    assert question(guesser, begin(house), who="bob@example.org").status == 200
    question(guesser, {}, "BCDF-GHJQ", who="bob@example.org")
    assert question(guesser, {}, "BCDF-GHJR", who="bob@example.org").status == 429
    house.clock.move(61)


def test_a_person_who_cancels_the_sign_in_connects_nothing(house: House) -> None:
    codes, visitor = begin(house), Visitor(house)
    page = visitor.submit(visitor.get(codes["verification_uri_complete"]), decision="cancel")
    assert "Nothing was connected" in page.text
    assert error(poll(house, codes)) == "authorization_pending"


@pytest.mark.parametrize("query", ["user_code=a&user_code=b", urlencode({"user_code": "\u00fc" * 500}), "ticket=x.y"])
def test_nonsense_in_the_address_is_no_server_error(house: House, query: str) -> None:
    visitor = Visitor(house)
    visitor.sign_in(visitor.get("/device"))
    assert visitor.get(f"/device?{query}").status in (200, 400)


def test_a_giant_code_is_not_carried_along(house: House) -> None:
    answer = house.get(f"/device?user_code={'B' * 10_000}")
    assert answer.status == 303
    assert len(answer.location) < 1_000


def test_discovery_names_endpoint_and_grant(house: House) -> None:
    document = house.get("/.well-known/oauth-authorization-server").json
    assert document["device_authorization_endpoint"] == f"{ORIGIN}/device_authorization"
    assert DEVICE_CODE in document["grant_types_supported"]


def test_a_house_opened_again_remembers_who_waits(tmp_path: Path) -> None:
    settings = replace(SETTINGS, client=[*SETTINGS.client, TV])
    first = House(tmp_path, settings)
    codes = begin(first)
    approve(first, codes)
    first.close()
    second = House(tmp_path, settings)
    try:
        assert poll(second, codes).status == 200
    finally:
        second.close()
