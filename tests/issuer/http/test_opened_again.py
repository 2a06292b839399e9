"""The house is closed and opened again, its keys change while it serves, its disk fills: nothing acknowledged is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec.structs import replace

from innkeeper.issuer.desk.key_care import KEPT, Cupboard, rotate_key
from innkeeper.issuer.desk.registry import NewClient, add_client, rotate_secret
from innkeeper.issuer.store.sqlite import SqliteStore
from innkeeper.keys.jws import parse
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import SETTINGS, Answer, House
from tests.issuer.visitor import ROBOT, SHOP, Visitor, redeem, refresh


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """One of its own for each test."""
    made = House(tmp_path)
    yield made
    made.close()


def opened_again(house: House, **changes: Any) -> House:
    """The same state, opened by a process that starts anew, at the same time of day."""
    house.close()
    return House(Path(house.settings.server.state), replace(SETTINGS, **changes), clock=house.clock)


def kid(token: str) -> str:
    return str(parse(token).header["kid"])


def verifies(house: House, token: str) -> bool:
    keys = KeySet.import_key_set(house.get("/jwks").json)  # type: ignore[arg-type]
    try:
        jwt.decode(token, keys, ["ES256", "RS256"])
    except (JoseError, ValueError):
        return False
    return True


def test_everything_given_before_is_good_after(tmp_path: Path) -> None:
    house = House(tmp_path)
    visitor = Visitor(house)
    tokens, unspent = redeem(house, visitor.code()).json, visitor.code()
    page = visitor.authorize(prompt="consent")
    keys, seen = house.get("/jwks").json, house.get("/.well-known/openid-configuration").json

    again = opened_again(house)
    visitor.house = again
    assert again.get("/jwks").json == keys
    assert again.get("/.well-known/openid-configuration").json == seen
    assert verifies(again, tokens["access_token"])
    assert again.post("/introspect", {"token": tokens["access_token"], **ROBOT}).json["active"] is True
    assert again.get("/userinfo", authorization=f"Bearer {tokens['access_token']}").status == 200
    assert redeem(again, unspent).status == 200
    successor = refresh(again, tokens["refresh_token"]).json["refresh_token"]
    assert "code" in visitor.authorize(prompt="none").sent_back, "the session lives on"
    assert "code" in visitor.allow(page).sent_back, "so does a page that was open"

    once_more = opened_again(again)
    assert refresh(once_more, tokens["refresh_token"]).json["refresh_token"] == successor, "the same successor"
    assert redeem(once_more, unspent).json["error"] == "invalid_grant", "and a spent code stays spent"
    assert refresh(once_more, successor).status in (200, 400)
    once_more.close()


def test_what_was_revoked_stays_revoked(tmp_path: Path) -> None:
    house = House(tmp_path)
    visitor = Visitor(house)
    tokens = redeem(house, visitor.code()).json
    house.post("/revoke", {"token": tokens["access_token"], **SHOP})
    visitor.submit(visitor.get("/logout"), decision="logout")
    again = opened_again(house)
    assert again.post("/introspect", {"token": tokens["access_token"], **ROBOT}).json == {"active": False}
    assert refresh(again, tokens["refresh_token"]).json["error"] == "invalid_grant"
    again.close()


def test_clients_that_were_added_and_secrets_that_were_changed_stay(tmp_path: Path) -> None:
    house = House(tmp_path)
    client, secret = house.run(add_client(house.issuer.realm, NewClient(name="Added", scopes=("room:enter",))))
    changed = house.run(rotate_secret(house.issuer.realm, "robot", 60))
    again = opened_again(house)
    proof = {"client_id": client.id, "client_secret": str(secret)}
    assert again.token({"grant_type": "client_credentials", **proof}).status == 200
    assert (
        again.token({"grant_type": "client_credentials", "client_id": "robot", "client_secret": changed}).status == 200
    )
    assert again.token({"grant_type": "client_credentials", **ROBOT}).status == 200, "the old one for a minute more"
    again.clock.move(60)
    assert again.token({"grant_type": "client_credentials", **ROBOT}).json["error"] == "invalid_client"
    again.close()


def test_new_settings_take_effect_at_the_next_start(tmp_path: Path) -> None:
    house = House(tmp_path)
    robot = replace(SETTINGS.client[2], secret="another secret")
    again = opened_again(house, client=[*SETTINGS.client[:2], robot], title="Renamed")
    assert again.token({"grant_type": "client_credentials", **ROBOT}).json["error"] == "invalid_client"
    proof = {"client_id": "robot", "client_secret": "another secret"}
    assert again.token({"grant_type": "client_credentials", **proof}).status == 200
    assert "Renamed" in Visitor(again).authorize().text
    again.close()


@pytest.mark.usefixtures("on_a_file")
def test_a_lost_master_key_is_told_in_one_line_and_nothing_is_damaged(tmp_path: Path) -> None:
    House(tmp_path).close()
    key = (tmp_path / "master.key").read_bytes()
    database = (tmp_path / "innkeeper.db").read_bytes()
    (tmp_path / "master.key").write_text("A" * 43 + "\n")
    with pytest.raises(UsageError, match="another master key") as refused:
        House(tmp_path)
    assert "\n" not in str(refused.value)
    (tmp_path / "master.key").write_bytes(key)
    assert (tmp_path / "innkeeper.db").read_bytes() == database
    House(tmp_path).close()


def test_two_houses_on_one_state_know_what_the_other_does(tmp_path: Path) -> None:
    one = House(tmp_path)
    other = House(tmp_path, clock=one.clock)
    code = Visitor(one).code()
    tokens = redeem(other, code).json
    assert redeem(one, code).json["error"] == "invalid_grant"
    assert refresh(other, tokens["refresh_token"]).json["error"] == "invalid_grant", "the replay was seen there"
    assert one.get("/jwks").json == other.get("/jwks").json
    one.close()
    other.close()


# Keys change while it serves


def take_up(house: House) -> None:
    """What a running server does within half a second of a change by another process."""
    house.run(house.issuer.realm.reload())


def test_a_new_key_is_published_first_signs_later_and_the_old_one_fades(house: House) -> None:
    def token() -> str:
        answer: str = house.token({"grant_type": "client_credentials", **ROBOT}).json["access_token"]
        return answer

    before = token()
    fresh = house.run(rotate_key(Cupboard.of(house.issuer.realm), "ES256", 300))
    take_up(house)
    assert kid(token()) == kid(before) != fresh.kid
    assert {fresh.kid, kid(before)} <= {key["kid"] for key in house.get("/jwks").json["keys"]}
    house.clock.move(299)
    last_of_the_old = token()
    assert kid(last_of_the_old) == kid(before)
    house.clock.move(1)
    assert kid(token()) == fresh.kid
    house.clock.move(598)
    assert verifies(house, last_of_the_old)
    assert house.post("/introspect", {"token": last_of_the_old, **ROBOT}).json["active"] is True
    house.clock.move(KEPT)
    assert kid(before) not in {key["kid"] for key in house.get("/jwks").json["keys"]}
    assert verifies(house, token())


def test_a_token_signed_with_a_key_that_was_retired_opens_nothing_whatever_it_says(house: House) -> None:
    realm = house.issuer.realm
    old = realm.ring
    claims = old.read(house.token({"grant_type": "client_credentials", **ROBOT}).json["access_token"], "at+jwt")
    house.run(rotate_key(Cupboard.of(realm), "ES256", 0))
    house.clock.move(KEPT)
    take_up(house)
    stolen = house.run(old.cut("ES256", "at+jwt", {**claims, "exp": house.clock() + 600}, claims["iat"]))
    assert house.post("/introspect", {"token": stolen, **ROBOT}).json == {"active": False}


def test_the_key_of_id_tokens_can_change_too_and_old_hints_still_sign_out(house: House) -> None:
    visitor = Visitor(house)
    hint = redeem(house, visitor.code()).json["id_token"]
    fresh = house.run(rotate_key(Cupboard.of(house.issuer.realm), "RS256", 0))
    take_up(house)
    tokens = redeem(house, visitor.code()).json
    assert kid(tokens["id_token"]) == fresh.kid
    assert verifies(house, tokens["id_token"])
    house.clock.move(7200)
    assert 'id="logged-out"' in visitor.get(f"/logout?id_token_hint={hint}").text


# The disk is full


def is_told_to_try_again(answer: Answer) -> bool:
    assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable"), answer
    assert (answer.header("retry-after"), answer.header("cache-control")) == ("2", "no-store")
    return True


@pytest.fixture
def full_disk(house: House, on_a_file: None) -> Iterator[sqlite3.Connection]:
    """The database can grow no more until ``max_page_count`` is raised."""
    store = house.issuer._store
    assert isinstance(store, SqliteStore)
    writing = store._writer._connection
    yield writing
    writing.execute("PRAGMA max_page_count=1000000")


def test_a_full_disk_is_told_and_nothing_is_lost_or_given_twice(house: House, full_disk: sqlite3.Connection) -> None:
    visitor = Visitor(house)
    token, code = redeem(house, visitor.code()).json["refresh_token"], visitor.code()
    pages = full_disk.execute("PRAGMA page_count").fetchone()[0]
    full_disk.execute(f"PRAGMA max_page_count={pages}")
    refused: list[Answer] = []
    for _ in range(400):
        answer = visitor.authorize(prompt="none")
        if answer.status == 503:
            refused.append(answer)
            break
    assert refused, "the disk never filled"
    assert is_told_to_try_again(refused[0])
    outcomes = [redeem(house, code), refresh(house, token)]
    assert all(answer.status == 200 or is_told_to_try_again(answer) for answer in outcomes)
    assert house.post("/introspect", {"token": token, **SHOP}).status == 200, "reading goes on"
    assert house.get("/jwks").status == 200

    full_disk.execute("PRAGMA max_page_count=1000000")
    again = [redeem(house, code), refresh(house, token)]
    assert again[0].status == (400 if outcomes[0].status == 200 else 200)
    assert again[1].status == 200
    assert "code" in visitor.authorize(prompt="none").sent_back
