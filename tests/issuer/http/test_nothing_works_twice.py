"""What is good once is good once: codes, refresh tokens, assertions; and what is over is over."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.issuer.house import HOTEL, VERIFIER, Answer, House, posted
from tests.issuer.visitor import ROBOT, SHOP, Visitor, redeem, refresh


def is_refused(answer: Answer, error: str = "invalid_grant") -> bool:
    """Whether the token endpoint answered with this error exactly as RFC 6749 §5.2 says."""
    assert (answer.status, answer.json["error"]) == (400, error), answer
    assert (answer.header("cache-control"), answer.header("pragma")) == ("no-store", "no-cache")
    assert set(answer.json) == {"error", "error_description"}
    return True


def is_active(house: House, token: str, asker: dict[str, str] = ROBOT) -> bool:
    answer = house.post("/introspect", {"token": token, **asker})
    assert (answer.status, answer.header("cache-control")) == (200, "no-store")
    active: bool = answer.json["active"]
    assert active or answer.json == {"active": False}, "a dead token is told nothing about"
    return active


def opens_userinfo(house: House, token: str) -> bool:
    answer = house.get("/userinfo", authorization=f"Bearer {token}")
    if answer.status == 401:
        challenge = answer.header("www-authenticate") or ""
        assert challenge.startswith("Bearer ")
        assert 'error="invalid_token"' in challenge
        assert (answer.body, answer.header("cache-control")) == (b"", "no-store")
    return answer.status == 200


def test_a_reused_code_is_refused_and_revokes_all_it_gave(house: House, visitor: Visitor) -> None:
    code = visitor.code()
    tokens = redeem(house, code).json
    later = refresh(house, tokens["refresh_token"]).json
    assert is_active(house, tokens["access_token"])
    assert opens_userinfo(house, later["access_token"])

    assert is_refused(redeem(house, code))
    for given in (tokens, later):
        assert is_refused(refresh(house, given["refresh_token"]))
        assert not is_active(house, given["access_token"])
        assert not is_active(house, given["refresh_token"], SHOP)
        assert not opens_userinfo(house, given["access_token"])
    assert house.trails[-1].refusal is not None


def test_a_reused_code_leaves_what_other_codes_gave(house: House, visitor: Visitor) -> None:
    spent, other = visitor.code(), redeem(house, visitor.code()).json
    redeem(house, spent)
    assert is_refused(redeem(house, spent))
    assert is_active(house, other["access_token"])
    assert refresh(house, other["refresh_token"]).status == 200


def test_another_client_cannot_use_a_code_nor_spoil_it(house: House, visitor: Visitor) -> None:
    code = visitor.code()
    theirs = {"grant_type": "authorization_code", "code": code, "client_id": "app", "code_verifier": VERIFIER}
    assert is_refused(house.token(theirs))
    tokens = redeem(house, code).json
    assert is_refused(house.token(theirs)), "nor revoke what it gave"
    assert is_active(house, tokens["access_token"])


WRONG_ONCE: dict[str, dict[str, str]] = {
    "a wrong verifier": {"code_verifier": "b" * 43},
    "no verifier": {"code_verifier": ""},
    "another redirect": {"redirect_uri": "https://shop.example/back?from=inn"},
    "an unknown resource": {"resource": "https://evil.example/"},
}


@pytest.mark.parametrize("changes", WRONG_ONCE.values(), ids=WRONG_ONCE.keys())
def test_a_wrong_redemption_spends_nothing(house: House, visitor: Visitor, changes: dict[str, str]) -> None:
    code = visitor.code()
    assert is_refused(redeem(house, code, **changes), "invalid_target" if "resource" in changes else "invalid_grant")
    assert redeem(house, code).status == 200


@pytest.mark.parametrize("code", ["x", "a" * 43, "é", "../..", "x" * 10_000, "'; DROP TABLE codes; --"])
def test_a_made_up_code_is_refused(house: House, code: str) -> None:
    assert is_refused(redeem(house, code))


def test_a_code_lives_for_a_minute(house: House, visitor: Visitor) -> None:
    in_time, too_late = visitor.code(), visitor.code()
    house.clock.move(59)
    assert redeem(house, in_time).status == 200
    house.clock.move(1)
    assert is_refused(redeem(house, too_late))


def test_an_access_token_lives_for_ten_minutes(house: House, visitor: Visitor) -> None:
    token = redeem(house, visitor.code()).json["access_token"]
    house.clock.move(599)
    assert is_active(house, token)
    assert opens_userinfo(house, token)
    house.clock.move(1)
    assert not is_active(house, token)
    assert not opens_userinfo(house, token)


def test_a_refresh_token_lives_for_thirty_days_from_its_last_rotation(house: House, visitor: Visitor) -> None:
    token = redeem(house, visitor.code()).json["refresh_token"]
    for _ in range(2):
        house.clock.move(30 * 86_400 - 1)
        token = refresh(house, token).json["refresh_token"]
    house.clock.move(30 * 86_400)
    assert is_refused(refresh(house, token))


def test_a_session_lives_for_twelve_hours(house: House, visitor: Visitor) -> None:
    visitor.code()
    house.clock.move(12 * 3600 - 1)
    assert "code" in visitor.authorize(prompt="none").sent_back
    house.clock.move(1)
    assert visitor.authorize(prompt="none").sent_back["error"] == "login_required"
    assert 'id="sign-in"' in visitor.authorize().text


def test_a_lost_answer_is_given_again_within_the_grace(house: House, visitor: Visitor) -> None:
    token = redeem(house, visitor.code()).json["refresh_token"]
    first = refresh(house, token).json["refresh_token"]
    house.clock.move(60)
    assert refresh(house, token).json["refresh_token"] == first
    assert refresh(house, first).status == 200


def test_a_refresh_token_replayed_after_the_grace_revokes_the_family(house: House, visitor: Visitor) -> None:
    tokens = redeem(house, visitor.code()).json
    stolen = tokens["refresh_token"]
    successor = refresh(house, stolen).json
    house.clock.move(61)
    assert is_active(house, successor["access_token"])
    assert is_refused(refresh(house, stolen))
    assert is_refused(refresh(house, successor["refresh_token"]))
    assert not is_active(house, successor["access_token"])
    assert not opens_userinfo(house, successor["access_token"])


def test_a_refresh_token_replayed_once_its_successor_was_used_revokes_the_family(
    house: House, visitor: Visitor
) -> None:
    stolen = redeem(house, visitor.code()).json["refresh_token"]
    second = refresh(house, stolen).json["refresh_token"]
    third = refresh(house, second).json["refresh_token"]
    assert is_refused(refresh(house, stolen)), "within the grace, but the successor was used"
    assert is_refused(refresh(house, third))


def test_a_grandparent_replayed_within_the_grace_revokes_the_family(house: House, visitor: Visitor) -> None:
    first = redeem(house, visitor.code()).json["refresh_token"]
    newest = first
    for _ in range(5):
        newest = refresh(house, newest).json["refresh_token"]
    assert is_refused(refresh(house, first))
    assert is_refused(refresh(house, newest))


def test_another_client_cannot_use_a_refresh_token_nor_revoke_its_family(house: House, visitor: Visitor) -> None:
    token = redeem(house, visitor.code()).json["refresh_token"]
    spent = token
    token = refresh(house, token).json["refresh_token"]
    house.clock.move(100)
    for stolen in (spent, token):
        assert is_refused(house.token({"grant_type": "refresh_token", "refresh_token": stolen, "client_id": "app"}))
    assert refresh(house, token).status == 200


def test_a_robot_cannot_refresh_at_all(house: House) -> None:
    answer = house.token({"grant_type": "refresh_token", "refresh_token": "x", **ROBOT})
    assert is_refused(answer, "unauthorized_client")


def test_a_code_is_worth_nothing_once_its_person_has_signed_out(house: House) -> None:
    visitor = Visitor(house)
    code, offline = visitor.code(), visitor.code(scope="openid offline_access", prompt="consent")
    visitor.submit(visitor.get("/logout"), decision="logout")
    assert is_refused(redeem(house, code))
    assert redeem(house, offline).status == 200, "unless they allowed to go on without them"


# Taking back


def test_revoking_a_refresh_token_ends_the_grant(house: House, visitor: Visitor) -> None:
    tokens = redeem(house, visitor.code()).json
    answer = house.post("/revoke", {"token": tokens["refresh_token"], **SHOP})
    assert (answer.status, answer.body, answer.header("cache-control")) == (200, b"", "no-store")
    assert is_refused(refresh(house, tokens["refresh_token"]))
    assert not is_active(house, tokens["access_token"])


def test_revoking_an_access_token_leaves_the_grant(house: House, visitor: Visitor) -> None:
    tokens = redeem(house, visitor.code()).json
    assert house.post("/revoke", {"token": tokens["access_token"], **SHOP}).status == 200
    assert not is_active(house, tokens["access_token"])
    assert not opens_userinfo(house, tokens["access_token"])
    assert is_active(house, refresh(house, tokens["refresh_token"]).json["access_token"])


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "nonsense", ""])
def test_a_wrong_hint_does_no_harm(house: House, visitor: Visitor, hint: str) -> None:
    tokens = redeem(house, visitor.code()).json
    for kind in ("access_token", "refresh_token"):
        form = {"token": tokens[kind], "token_type_hint": hint}
        assert house.post("/introspect", {**form, **SHOP}).json["active"] is True
        assert house.post("/revoke", {**form, **SHOP}).status == 200
        assert house.post("/introspect", {**form, **SHOP}).json == {"active": False}


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "a" * 43, "x" * 20_000, "e30.e30."])
def test_revoking_nothing_is_fine(house: House, token: str) -> None:
    answer = house.post("/revoke", {"token": token, **SHOP})
    assert (answer.status, answer.body) == (200, b"")


def test_nobody_revokes_or_reads_another_clients_refresh_token(house: House, visitor: Visitor) -> None:
    tokens = redeem(house, visitor.code()).json
    for kind in ("refresh_token", "access_token"):
        for thief in (ROBOT, {"client_id": "app"}):
            answer = house.post("/revoke", {"token": tokens[kind], **thief})
            assert is_refused(answer)
    assert not is_active(house, tokens["refresh_token"], ROBOT)
    assert is_active(house, tokens["refresh_token"], SHOP)
    assert is_active(house, tokens["access_token"])


def test_introspection_tells_what_a_token_says(house: House, visitor: Visitor) -> None:
    tokens = redeem(house, visitor.code()).json
    told = house.post("/introspect", {"token": tokens["access_token"], **ROBOT}).json
    assert (told["active"], told["sub"], told["client_id"], told["token_type"]) == (True, "ada-1", "shop", "Bearer")
    assert (told["scope"], HOTEL in told["aud"]) == ("openid room:enter", True)
    told = house.post("/introspect", {"token": tokens["refresh_token"], **SHOP}).json
    assert (told["active"], told["sub"], told["client_id"]) == (True, "ada-1", "shop")
    assert "aud" not in told or HOTEL in told["aud"]
    assert is_active(house, tokens["id_token"]) is False, "an ID token opens nothing"


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
def test_a_question_without_a_token_is_an_invalid_request(house: House, path: str) -> None:
    assert is_refused(house.post(path, SHOP), "invalid_request")
    assert is_refused(house.post(path, {"token": "", **SHOP}), "invalid_request")


# At the same moment


def test_of_64_redemptions_of_one_code_one_wins_and_the_rest_take_it_back(house: House, visitor: Visitor) -> None:
    form = {"grant_type": "authorization_code", "code": visitor.code(), "code_verifier": VERIFIER, **SHOP}
    answers = house.ask_all(posted("/token", form) for _ in range(64))
    won = [answer for answer in answers if answer.status == 200]
    assert len(won) == 1
    assert all(is_refused(answer) for answer in answers if answer.status != 200)
    assert is_refused(refresh(house, won[0].json["refresh_token"])), "somebody had a copy: nobody keeps anything"
    assert not is_active(house, won[0].json["access_token"])


def test_of_64_refreshes_of_one_token_all_get_the_same_successor(house: House, visitor: Visitor) -> None:
    token = redeem(house, visitor.code()).json["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token, **SHOP}
    answers = house.ask_all(posted("/token", form) for _ in range(64))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1
    assert len({answer.json["access_token"] for answer in answers}) == 64
    assert refresh(house, answers[0].json["refresh_token"]).status == 200


def test_64_people_at_once_do_not_get_in_each_others_way(house: House) -> None:
    visitor = Visitor(house)
    codes = [visitor.code() for _ in range(64)]
    forms = [{"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, **SHOP} for code in codes]
    answers = house.ask_all(posted("/token", form) for form in forms)
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 64


def test_a_refresh_and_a_revocation_at_once_leave_nothing_alive(house: House, visitor: Visitor) -> None:
    token = redeem(house, visitor.code()).json["refresh_token"]
    asked = [posted("/token", {"grant_type": "refresh_token", "refresh_token": token, **SHOP}) for _ in range(8)]
    answers = house.ask_all([*asked[:4], posted("/revoke", {"token": token, **SHOP}), *asked[4:]])
    given = [answer.json for answer in answers if answer.status == 200 and answer.body]
    assert all(is_refused(refresh(house, one["refresh_token"])) for one in given)
    assert not any(is_active(house, one["access_token"]) for one in given)
    assert is_refused(refresh(house, token))


# Whoever is gone


def test_a_disabled_account_opens_nothing_more(house: House) -> None:
    visitor = Visitor(house)
    store = house.issuer.realm.store
    page = visitor.sign_in(visitor.authorize(prompt="login"), "bob@example.org")
    tokens = redeem(house, visitor.through(page).sent_back["code"]).json
    bob = house.run(store.person("bob-2"))
    assert bob is not None
    house.run(store.put_person(replace(bob, disabled=True)))
    try:
        refused: dict[str, Any] = {
            "userinfo": opens_userinfo(house, tokens["access_token"]),
            "refresh": refresh(house, tokens["refresh_token"]).status == 200,
            "a code": "code" in visitor.authorize(prompt="none").sent_back,
            "sign-in": "code"
            in (visitor.sign_in(visitor.authorize(prompt="login"), "bob@example.org").header("location") or ""),
        }
        assert {what for what, open_still in refused.items() if open_still} == set()
    finally:
        house.run(store.put_person(bob))
