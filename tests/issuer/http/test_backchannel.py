"""A program asks for somebody elsewhere: they are asked on their own page, once, and only they can answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from innkeeper.issuer.core.token import CIBA
from innkeeper.issuer.desk.outside import Answer as Told
from innkeeper.issuer.desk.outside import NotFetched
from tests.issuer.house import HOTEL, ORIGIN, SETTINGS, Answer, House, posted
from tests.issuer.visitor import ROBOT, SHOP, Form, Visitor

GRANTS = ("authorization_code", "refresh_token", "ciba")
ADA, BOB = "ada@example.org", "bob@example.org"
BELL = "https://shop.example/bell"
TOKEN = "a-token-of-the-shop-for-us"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[House]:
    shop, app, robot = SETTINGS.client
    clients = [
        replace(shop, grants=GRANTS),
        replace(app, grants=("authorization_code", "ciba")),
        replace(robot, grants=("client_credentials", "ciba"), scopes=["openid", "room:enter"]),
    ]
    made = House(tmp_path_factory.mktemp("house"), replace(SETTINGS, client=clients))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def everybody_has_forgotten(house: House) -> None:
    """What earlier tests left waiting has expired."""
    house.clock.move(1_000)


def ask(house: House, **changes: str) -> Answer:
    form = {"scope": "openid room:enter", "login_hint": ADA, "binding_message": "K7-42", **SHOP, **changes}
    return house.post("/bc-authorize", {name: value for name, value in form.items() if value})


def begin(house: House, **changes: str) -> str:
    answer = ask(house, **changes)
    assert answer.status == 200, answer.body
    assert answer.header("cache-control") == "no-store"
    return str(answer.json["auth_req_id"])


def poll(house: House, auth_req_id: str, **changes: str) -> Answer:
    return house.token({"grant_type": CIBA, "auth_req_id": auth_req_id, **SHOP, **changes})


def error(answer: Answer, status: int = 400) -> str:
    assert answer.status == status, answer.body
    return str(answer.json["error"])


def at_home(house: House, who: str = ADA) -> tuple[Visitor, Answer]:
    """Somebody opens the page of what waits for them."""
    visitor = Visitor(house)
    return visitor, visitor.sign_in(visitor.get("/approvals"), who)


def questions(page: Answer) -> list[str]:
    return re.findall(r'href="([^"]*/approvals\?request=[^"]+)"', page.text)


def question(house: House, who: str = ADA) -> tuple[Visitor, Answer]:
    visitor, page = at_home(house, who)
    (url,) = questions(page)
    return visitor, visitor.get(url)


def answered(house: House, decision: str = "allow") -> Answer:
    visitor, page = question(house)
    return visitor.submit(page, decision=decision)


def test_the_client_is_told_what_to_ask_with_and_how_often(house: House) -> None:
    answer = ask(house).json
    assert answer.keys() == {"auth_req_id", "expires_in", "interval"}
    assert (len(answer["auth_req_id"]), answer["expires_in"], answer["interval"]) == (43, 300, 5)


def test_tokens_come_once_the_person_has_said_yes_on_their_own_page(house: House) -> None:
    auth_req_id = begin(house)
    assert error(poll(house, auth_req_id)) == "authorization_pending"
    assert "Allowed." in answered(house).text
    tokens = poll(house, auth_req_id).json
    assert {"access_token", "id_token", "refresh_token"} <= tokens.keys()
    introspected = house.post("/introspect", {"token": tokens["access_token"], **SHOP}).json
    assert (introspected["sub"], introspected["client_id"], introspected["aud"]) == ("ada-1", "shop", [HOTEL, ORIGIN])
    assert error(poll(house, auth_req_id)) == "invalid_grant"
    assert questions(at_home(house)[1]) == []


def test_the_question_shows_who_asks_for_what_and_the_message(house: House) -> None:
    begin(house, binding_message="Room <204>")
    page = question(house)[1]
    for said in ("The shop", "Room &lt;204&gt;", "Open your room", "Ada &lt;b&gt;"):
        assert said in page.text
    assert {"allow", "deny", "binding_message"} <= Form(page).ids


def test_no_means_access_denied(house: House) -> None:
    auth_req_id = begin(house)
    assert "Not allowed." in answered(house, "deny").text
    assert error(poll(house, auth_req_id)) == "access_denied"


def test_a_request_expires_when_it_was_asked_to(house: House) -> None:
    auth_req_id = begin(house, requested_expiry="30")
    house.clock.move(29)
    assert error(poll(house, auth_req_id)) == "authorization_pending"
    house.clock.move(1)
    assert error(poll(house, auth_req_id)) == "expired_token"
    assert questions(at_home(house)[1]) == []


def test_a_request_waits_no_longer_than_the_policy_lets_it(house: House) -> None:
    assert ask(house, requested_expiry="999999999").json["expires_in"] == 900


def test_asking_too_often_slows_down(house: House) -> None:
    auth_req_id = begin(house)
    poll(house, auth_req_id)
    assert error(poll(house, auth_req_id)) == "slow_down"
    house.clock.move(9)
    assert error(poll(house, auth_req_id)) == "slow_down"
    house.clock.move(15)
    assert error(poll(house, auth_req_id)) == "authorization_pending"


def test_another_client_cannot_ask_with_the_id(house: House) -> None:
    auth_req_id = begin(house)
    answered(house)
    assert error(poll(house, auth_req_id, **ROBOT)) == "invalid_grant"
    assert poll(house, auth_req_id).status == 200


def test_of_many_that_ask_at_once_one_is_given_tokens(house: House) -> None:
    auth_req_id = begin(house)
    answered(house)
    form = {"grant_type": CIBA, "auth_req_id": auth_req_id, **SHOP}
    statuses = sorted(answer.status for answer in house.ask_all([posted("/token", form)] * 8))
    assert statuses == [200, *[400] * 7]


def test_an_id_token_of_the_clients_own_names_the_person(house: House) -> None:
    auth_req_id = begin(house)
    answered(house)
    id_token = poll(house, auth_req_id).json["id_token"]
    house.clock.move(10_000)
    assert ask(house, login_hint="", id_token_hint=id_token).status == 200
    assert error(ask(house, login_hint="", id_token_hint=id_token, **ROBOT)) == "invalid_request"
    assert error(ask(house, login_hint="", id_token_hint=id_token[:-8] + "AAAAAAAA")) == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"login_hint": ""}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"login_hint": "", "id_token_hint": "a.b.c"}, "invalid_request"),
        ({"login_hint": "", "login_hint_token": "a.b.c"}, "invalid_request"),
        ({"request": "a.b.c"}, "invalid_request"),
        ({"login_hint": "nobody@example.org"}, "unknown_user_id"),
        ({"scope": "room:enter"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "openid tea:pour"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"binding_message": "x" * 101}, "invalid_binding_message"),
        ({"binding_message": "allow\u202eevil"}, "invalid_binding_message"),
        ({"binding_message": "two\nlines"}, "invalid_binding_message"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "-1"}, "invalid_request"),
        ({"requested_expiry": "soon"}, "invalid_request"),
        ({"requested_expiry": "9" * 30}, "invalid_request"),
        ({"requested_expiry": "\u0663"}, "invalid_request"),
        ({"client_id": "app", "client_secret": ""}, "unauthorized_client"),
    ],
    ids=str,
)
def test_a_request_that_is_not_good_is_refused(house: House, changes: dict[str, str], code: str) -> None:
    assert error(ask(house, **changes)) == code


def test_a_client_must_prove_itself(house: House) -> None:
    assert error(ask(house, client_secret="wrong"), 401) == "invalid_client"


def test_a_person_is_not_pestered(house: House) -> None:
    for _ in range(3):
        begin(house)
    assert error(ask(house), 403) == "access_denied"
    assert ask(house, login_hint=BOB).status == 200, "others can be asked"
    assert ask(house, **ROBOT).status == 200, "and other clients may ask"


def test_nobody_sees_or_answers_what_waits_for_another(house: House) -> None:
    auth_req_id = begin(house)
    ada, page = question(house)
    bob, bobs = at_home(house, BOB)
    assert questions(bobs) == []
    url = next(iter(questions(at_home(house)[1])))
    assert 'id="allow"' not in bob.get(url).text
    form = Form(page).hidden
    bob.post("/approvals", {**form, "decision": "allow"})
    begin(house, login_hint=BOB)
    own = Form(bob.get(questions(bob.get("/approvals"))[0])).hidden
    bob.post("/approvals", {**own, "ticket": form["ticket"], "decision": "allow"})
    assert error(poll(house, auth_req_id)) == "authorization_pending"
    ada.post("/approvals", {**form, "decision": "allow"})
    assert poll(house, auth_req_id).status == 200


def test_another_site_cannot_press_the_button(house: House) -> None:
    auth_req_id = begin(house)
    visitor, page = question(house)
    form = Form(page).hidden
    key = questions(visitor.get("/approvals"))[0].partition("=")[2]
    attacks: list[tuple[dict[str, str], dict[str, str]]] = [
        ({**form, "csrf": ""}, {}),
        (form, {"origin": "https://evil.example"}),
        (form, {"sec_fetch_site": "cross-site"}),
        ({"csrf": form["csrf"], "request": key}, {}),
    ]
    for sent, headers in attacks:
        visitor.post("/approvals", {**sent, "decision": "allow"}, **headers)
    visitor.get(f"/approvals?request={key}&decision=allow")
    assert error(poll(house, auth_req_id)) == "authorization_pending"


def test_the_first_answer_stands(house: House) -> None:
    auth_req_id = begin(house)
    (one, first), (two, second) = question(house), question(house)
    one.submit(first, decision="deny")
    assert "answered already" in two.submit(second, decision="allow").text
    assert error(poll(house, auth_req_id)) == "access_denied"


class Outdoors:
    """In place of the way outside: notes what is sent, and answers as told."""

    def __init__(self, status: int | None) -> None:
        self.sent: list[tuple[str, dict[str, str], Any]] = []
        self._status = status

    async def post(self, url: str, body: bytes, kind: str, headers: dict[str, str]) -> Told:
        await asyncio.sleep(0)
        self.sent.append((url, {"content-type": kind, **headers}, msgspec.json.decode(body)))
        if self._status is None:
            raise NotFetched("it is away")
        return Told(self._status, {}, b"")


@pytest.fixture
def told_by_ping(house: House) -> Iterator[None]:
    change_shop(house, backchannel_token_delivery_mode="ping", backchannel_client_notification_endpoint=BELL)
    yield
    change_shop(house, backchannel_token_delivery_mode="", backchannel_client_notification_endpoint="")


def change_shop(house: House, **fields: str) -> None:
    realm = house.issuer.realm

    async def change() -> None:
        client = await realm.store.client("shop")
        assert client is not None
        await realm.store.put_client(replace(client, **fields))
        await realm.reload()

    house.run(change())


@pytest.mark.parametrize("status", [204, 500, None], ids=str)
@pytest.mark.parametrize("decision", ["allow", "deny"])
@pytest.mark.usefixtures("told_by_ping")
def test_a_client_is_told_that_the_answer_is_there(
    house: House, monkeypatch: pytest.MonkeyPatch, status: int | None, decision: str
) -> None:
    outdoors = Outdoors(status)
    monkeypatch.setattr(house.issuer.realm, "fetcher", outdoors)
    auth_req_id = begin(house, client_notification_token=TOKEN)
    answered(house, decision)
    told = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}
    assert outdoors.sent == [(BELL, told, {"auth_req_id": auth_req_id})]
    trail = next(one for one in reversed(house.trails) if one.about == "ping")
    assert (trail.refusal is None) == (status == 204)
    assert poll(house, auth_req_id).status == (200 if decision == "allow" else 400)


@pytest.mark.parametrize(
    "token", ["", "short", "x" * 1025, "not a bearer token, this one"], ids=["none", "short", "long", "spaces"]
)
@pytest.mark.usefixtures("told_by_ping")
def test_a_client_that_wants_to_be_told_sends_a_token_for_it(house: House, token: str) -> None:
    assert error(ask(house, client_notification_token=token)) == "invalid_request"


def test_what_the_client_is_told_with_does_not_lie_open(house: House) -> None:
    change_shop(house, backchannel_token_delivery_mode="ping", backchannel_client_notification_endpoint=BELL)
    try:
        auth_req_id = begin(house, client_notification_token=TOKEN)
    finally:
        change_shop(house, backchannel_token_delivery_mode="", backchannel_client_notification_endpoint="")
    kept = house.run(house.issuer.realm.store.entries("backchannel request", ""))
    assert kept
    assert all(secret.encode() not in one.record for one in kept for secret in (TOKEN, auth_req_id))


def test_discovery_names_endpoint_modes_and_grant(house: House) -> None:
    document = house.get("/.well-known/openid-configuration").json
    assert document["backchannel_authentication_endpoint"] == f"{ORIGIN}/bc-authorize"
    assert document["backchannel_token_delivery_modes_supported"] == ["poll", "ping"]
    assert CIBA in document["grant_types_supported"]
