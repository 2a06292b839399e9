"""Somebody makes an account, because a client asks for that (prompt=create) or because they have none yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.issuer.house import SETTINGS, Answer, House
from tests.issuer.signing import read
from tests.issuer.visitor import Form, Visitor, redeem

GOOD = {"username": "cleo@example.org", "name": "Cleo", "password": "Quiet-Harbour-9", "again": "Quiet-Harbour-9"}


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, replace(SETTINGS, sign_up="open"))
    yield made
    made.close()


def asked(house: House, visitor: Visitor | None = None, **changes: str | None) -> tuple[Visitor, Answer]:
    someone = visitor or Visitor(house)
    return someone, someone.authorize(prompt="create", **changes)


def test_a_client_that_asks_for_it_gets_a_person_with_a_new_account(open_house: House) -> None:
    visitor, page = asked(open_house, scope="openid profile email")
    assert {"username", "password", "sign-up"} <= Form(page).ids
    back = visitor.allow(visitor.submit(page, **GOOD)).sent_back
    tokens = redeem(open_house, back["code"]).json
    claims = read(tokens["id_token"])
    person = open_house.get("/userinfo", authorization=f"Bearer {tokens['access_token']}").json
    assert claims["sub"] == person["sub"] not in ("ada-1", "bob-2")
    assert (person["name"], person["email"], person["email_verified"]) == ("Cleo", "cleo@example.org", False)
    assert claims["acr"] == "urn:innkeeper:acr:password"


def test_the_account_opens_with_its_password_from_then_on(open_house: House) -> None:
    visitor, page = asked(open_house)
    visitor.submit(page, **GOOD)
    other = Visitor(open_house)
    assert 'id="allow"' in other.sign_in(other.authorize(), GOOD["username"], GOOD["password"]).text
    stranger = Visitor(open_house)
    assert stranger.sign_in(stranger.authorize(), GOOD["username"], "another").status == 401


def test_whoever_is_signed_in_already_makes_another_account_all_the_same(open_house: House) -> None:
    visitor = Visitor(open_house)
    visitor.code()
    _, page = asked(open_house, visitor)
    back = visitor.allow(visitor.submit(page, **GOOD)).sent_back
    assert read(redeem(open_house, back["code"]).json["id_token"])["sub"] != "ada-1"


def test_the_hint_fills_the_name_in_and_each_page_leads_to_the_other(open_house: House) -> None:
    visitor, page = asked(open_house, login_hint="cleo@example.org")
    assert 'value="cleo@example.org"' in page.text
    to_sign_in = page.text.partition('id="to-sign-in" href="')[2].partition('"')[0].replace("&amp;", "&")
    page = visitor.get(to_sign_in)
    assert "sign-in" in Form(page).ids
    to_sign_up = page.text.partition('id="to-sign-up" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "sign-up" in Form(visitor.get(to_sign_up)).ids


@pytest.mark.parametrize(
    ("changes", "status", "number"),
    [
        ({"username": "ada@example.org"}, 409, "IK126"),
        ({"username": "ADA@EXAMPLE.ORG"}, 409, "IK126"),
        ({"username": ""}, 400, "IK125"),
        ({"username": " cleo"}, 400, "IK125"),
        ({"username": "cl\u202eeo"}, 400, "IK125"),
        ({"username": "x" * 201}, 400, "IK125"),
        ({"name": "line\u2028break"}, 400, "IK125"),
        ({"password": "short", "again": "short"}, 400, "IK125"),
        ({"again": "Quiet-Harbour-8"}, 400, "IK125"),
        ({"password": GOOD["username"], "again": GOOD["username"]}, 400, "IK125"),
    ],
    ids=str,
)
def test_no_account_is_made_of(open_house: House, changes: dict[str, str], status: int, number: str) -> None:
    visitor, page = asked(open_house)
    answer = visitor.submit(page, **{**GOOD, **changes})
    assert answer.status == status
    refusal = open_house.last.refusal
    assert refusal is not None
    assert refusal.page.number == number
    assert GOOD["password"] not in answer.text
    assert len(open_house.run(open_house.issuer.realm.store.people())) == 2


def test_of_many_that_want_one_name_at_once_one_gets_it(open_house: House) -> None:
    from tests.issuer.house import posted

    visitor, page = asked(open_house)
    form = {**Form(page).hidden, **GOOD}
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    answers = open_house.ask_all([posted("/sign-up", form, cookie=cookie, sec_fetch_site="same-origin")] * 4)
    assert sorted(one.status for one in answers) == [303, 409, 409, 409]


def test_another_site_makes_no_account(open_house: House) -> None:
    visitor, page = asked(open_house)
    form = Form(page)
    answer = visitor.post(
        form.action, {**form.hidden, **GOOD}, origin="https://evil.example", sec_fetch_site="cross-site"
    )
    assert answer.status == 403
    assert len(open_house.run(open_house.issuer.realm.store.people())) == 2


def test_one_network_makes_accounts_in_moderation(open_house: House) -> None:
    statuses = []
    for number in range(12):
        visitor, page = asked(open_house)
        statuses.append(visitor.submit(page, **{**GOOD, "username": f"cleo-{number}"}).status)
    assert statuses[-1] == 429
    assert statuses.count(429) == 2


def test_whoever_changes_their_mind_is_told_to_the_client(open_house: House) -> None:
    visitor, page = asked(open_house)
    assert visitor.submit(page, decision="cancel").sent_back["error"] == "access_denied"


@pytest.mark.parametrize("prompt", ["create none", "none create"])
def test_silence_makes_no_account(open_house: House, prompt: str) -> None:
    assert Visitor(open_house).authorize(prompt=prompt).sent_back["error"] == "invalid_request"


def test_what_is_no_ticket_leads_nowhere(open_house: House) -> None:
    assert Visitor(open_house).get("/sign-up?ticket=x").status == 400
    assert Visitor(open_house).get("/sign-up").status == 400


def test_the_metadata_say_so_where_it_is_open_and_it_is_unknown_elsewhere(open_house: House, house: House) -> None:
    assert "create" in open_house.get("/.well-known/openid-configuration").json["prompt_values_supported"]
    assert "create" not in house.get("/.well-known/openid-configuration").json["prompt_values_supported"]
    assert Visitor(house).authorize(prompt="create").sent_back["error"] == "invalid_request"
    assert house.get("/sign-up").status == 404
    page = Visitor(house).authorize()
    assert "to-sign-up" not in page.text
