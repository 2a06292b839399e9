"""Two clients of one person are told two names, which they cannot compare; each is told its own everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core.records import PAIRWISE
from innkeeper.issuer.desk.subjects import behind, told
from innkeeper.protocol import base64url
from tests.issuer.house import ASKED, SECRET, SETTINGS, VERIFIER, House
from tests.issuer.visitor import Visitor

ONE, TWO, SISTER = "shop", "other-shop", "sister-shop"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two shops and the first one's sister, all told pairwise names; and one that is told everybody's own."""
    shop = SETTINGS.client[0]
    shops = [shop, replace(shop, id=TWO), replace(shop, id=SISTER), replace(shop, id="open-shop")]
    made = House(tmp_path_factory.mktemp("house"), replace(SETTINGS, client=[*shops, *SETTINGS.client[1:]]))
    store = made.issuer.realm.store
    for one, sector in ((ONE, "shop.example"), (TWO, "other.example"), (SISTER, "shop.example")):
        client = made.run(store.client(one))
        assert client is not None
        made.run(store.put_client(replace(client, subject_type=PAIRWISE, sector_identifier=sector)))
        made.issuer.realm.forget_client(one)
    yield made
    made.close()


def tokens(house: House, client: str = ONE, username: str = "ada@example.org", **changes: str) -> dict[str, Any]:
    """What a client is given after a person signed in."""
    visitor = Visitor(house)
    page = visitor.authorize(client_id=client, **changes)
    answer = visitor.sign_in(page, username)
    answer = visitor.allow(answer) if 'id="allow"' in answer.text else answer
    form = {
        "grant_type": "authorization_code",
        "code": answer.sent_back["code"],
        "redirect_uri": ASKED["redirect_uri"],
        "code_verifier": VERIFIER,
        "client_id": client,
        "client_secret": SECRET,
    }
    found: dict[str, Any] = house.token(form).json
    return found


def sub_of(token: str) -> str:
    sub = json.loads(base64url.decode(token.split(".")[1]))["sub"]
    assert isinstance(sub, str)
    return sub


def subject(house: House, client: str = ONE, **how: str) -> str:
    return sub_of(tokens(house, client, **how)["id_token"])


def test_a_client_is_told_the_same_name_each_time_and_each_person_another(house: House) -> None:
    assert subject(house) == subject(house)
    assert subject(house) != subject(house, username="bob@example.org")


def test_clients_of_different_sectors_are_told_different_names_and_of_one_sector_the_same(house: House) -> None:
    assert len({subject(house, ONE), subject(house, TWO), subject(house, "open-shop")}) == 3
    assert subject(house, ONE) == subject(house, SISTER)
    assert subject(house, "open-shop") == "ada-1"


def test_the_name_says_nothing_of_the_person_and_fits_where_names_go(house: House) -> None:
    sub = subject(house)
    assert sub.isascii()
    assert len(sub) <= 255
    assert "ada-1" not in sub
    assert b"ada-1" not in base64url.decode(sub.removeprefix("pw-"))


def test_every_endpoint_tells_a_client_the_same_name(house: House) -> None:
    given = tokens(house, scope="openid room:enter offline_access")
    alone = tokens(house, scope="openid profile")
    sub = sub_of(given["id_token"])
    shop = {"client_id": ONE, "client_secret": SECRET}
    assert sub_of(given["access_token"]) == sub
    assert house.post("/introspect", {**shop, "token": given["access_token"]}).json["sub"] == sub
    assert house.post("/introspect", {**shop, "token": given["refresh_token"]}).json["sub"] == sub
    info = house.get("/userinfo", authorization=f"Bearer {alone['access_token']}").json
    assert (info["sub"], info["name"]) == (sub, "Ada <b>")
    again = house.token({**shop, "grant_type": "refresh_token", "refresh_token": given["refresh_token"]}).json
    assert sub_of(again["id_token"]) == sub_of(again["access_token"]) == sub


def test_a_hint_with_a_pairwise_name_is_of_its_person(house: House) -> None:
    visitor = Visitor(house)
    page = visitor.authorize()
    answer = visitor.sign_in(page)
    assert "code" in (visitor.allow(answer) if 'id="allow"' in answer.text else answer).sent_back
    ada, bob = tokens(house)["id_token"], tokens(house, username="bob@example.org")["id_token"]
    assert "code" in visitor.authorize(prompt="none", id_token_hint=ada).sent_back
    assert visitor.authorize(prompt="none", id_token_hint=bob).sent_back["error"] == "login_required"


def test_a_name_that_was_not_given_out_here_is_nobodys(house: House) -> None:
    realm = house.issuer.realm
    client = house.run(realm.client(ONE))
    assert client is not None
    name = told(realm, client, "ada-1")
    assert behind(realm, name) == "ada-1"
    changed = name[:-3] + ("AAA" if name[-3:] != "AAA" else "BBB")
    for forged in (changed, "pw-", "pw-!!", "pw-AAAA", "ada-1"):
        assert behind(realm, forged) == forged


def test_discovery_lists_both_kinds(house: House) -> None:
    assert house.get("/.well-known/openid-configuration").json["subject_types_supported"] == ["public", "pairwise"]
