"""Codes from an app: no session without them, none that works twice, no guessing, no way round."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from innkeeper.issuer.desk import one_time_codes, sign_in
from innkeeper.issuer.desk.registry import disable_person
from innkeeper.protocol import base64url
from tests.issuer import engines
from tests.issuer.house import ORIGIN, Answer, House, posted
from tests.issuer.http.people import ADA, BOB, STEP, App, at_account, half_way, hidden, is_signed_in, set_up
from tests.issuer.visitor import Visitor, redeem

SESSION, HALF = "innkeeper-native", "innkeeper-half-native"
MFA = "urn:innkeeper:acr:mfa"


@pytest.fixture
def house(own_house: House) -> House:
    """A house of its own for each test: tries and factors are remembered."""
    return own_house


@pytest.fixture
def app(house: House) -> App:
    """Ada has set up codes, in a browser of hers that is not used here."""
    return set_up(Visitor(house, "203.0.113.5"))[0]


def claims(house: House, visitor: Visitor, page: Answer) -> dict[str, object]:
    """The ID token's claims, once the page is gone through."""
    token = redeem(house, visitor.through(page).sent_back["code"]).json["id_token"]
    said: dict[str, object] = json.loads(base64url.decode(token.split(".")[1]))
    return said


@pytest.mark.usefixtures("app")
def test_the_password_alone_opens_no_session(visitor: Visitor) -> None:
    page = half_way(visitor)
    assert SESSION not in visitor.cookies
    assert page.status == 200
    assert not is_signed_in(visitor)
    assert 'id="sign-in"' in visitor.get("/account").text


def test_password_and_code_open_a_session_that_says_so(house: House, visitor: Visitor, app: App) -> None:
    page = visitor.submit(half_way(visitor), code=app.code(visitor))
    said = claims(house, visitor, page)
    assert (said["acr"], said["amr"]) == (MFA, ["pwd", "otp", "mfa"])
    assert HALF not in visitor.cookies


@pytest.mark.parametrize("ahead", [-1, 0, 1])
def test_a_clock_may_be_off_by_a_step(visitor: Visitor, app: App, ahead: int) -> None:
    visitor.house.clock.move(2 * STEP)
    visitor.submit(half_way(visitor), code=app.code(visitor, ahead))
    assert is_signed_in(visitor)


@pytest.mark.parametrize("ahead", [-2, 2, 1000])
def test_but_not_by_two(visitor: Visitor, app: App, ahead: int) -> None:
    visitor.house.clock.move(3 * STEP)
    assert visitor.submit(half_way(visitor), code=app.code(visitor, ahead)).status == 401
    assert not is_signed_in(visitor)


def test_a_code_opens_once(house: House, visitor: Visitor, app: App) -> None:
    code, onlooker = app.code(visitor), Visitor(house)
    visitor.submit(half_way(visitor), code=code)
    assert is_signed_in(visitor)
    assert onlooker.submit(half_way(onlooker), code=code).status == 401
    assert not is_signed_in(onlooker)


def test_a_code_sent_many_times_at_once_opens_one_session(house: House, app: App) -> None:
    visitors = [Visitor(house, f"10.0.0.{number}") for number in range(4)]
    pages = [half_way(one) for one in visitors]
    code = app.code(visitors[0])
    asked = [
        posted(
            "/sign-in/code",
            {**hidden(page), "code": code},
            one.remote,
            origin=ORIGIN,
            cookie="; ".join(f"{name}={value}" for name, value in one.cookies.items()),
        )
        for one, page in zip(visitors, pages, strict=True)
    ]
    assert sorted(one.status for one in house.ask_all(asked)) == [303, 401, 401, 401]


def test_the_code_that_set_the_app_up_does_not_sign_in(house: House) -> None:
    own, onlooker = Visitor(house), Visitor(house)
    app, _ = set_up(own)
    house.clock.move(-STEP)
    assert onlooker.submit(half_way(onlooker), code=app.code(onlooker)).status == 401


def test_a_recovery_code_opens_once_however_it_is_typed(house: House) -> None:
    _, codes = set_up(Visitor(house))
    assert len(set(codes)) == 10
    first, again = Visitor(house), Visitor(house)
    typed = codes[3].lower().replace("-", " ")
    assert visitor_signs_in(first, typed)
    assert not visitor_signs_in(again, codes[3])
    assert visitor_signs_in(again, codes[4].replace("-", ""))
    assert "8 recovery codes left" in again.get("/account").text


def visitor_signs_in(visitor: Visitor, code: str) -> bool:
    visitor.submit(half_way(visitor), code=code)
    return is_signed_in(visitor)


def test_the_store_knows_neither_secret_nor_recovery_codes(house: House, tmp_path: Path) -> None:
    app, codes = set_up(Visitor(house))
    kept = engines.everything(tmp_path / "house")
    secret = app._totp.secret
    assert ADA.encode() in kept, "what is looked for would be found"
    for told in (secret, base64url.encode_text(secret.encode()), codes[0], codes[0].replace("-", "")):
        assert told.encode() not in kept
        assert told.encode().hex().encode() not in kept


def test_guessing_codes_is_bounded_however_many_browsers_do_it(house: House, app: App) -> None:
    looked_at = 0
    for number in range(60):
        guesser = Visitor(house, f"198.51.100.{number % 250}")
        wrong = "000000" if app.code(guesser) != "000000" else "000001"
        looked_at += guesser.submit(half_way(guesser), code=wrong).status == 401
        house.clock.move(60)
    assert looked_at <= 13, "an hour of guessing"


def test_whoever_guesses_codes_does_not_hold_up_the_persons_own_browser(house: House) -> None:
    own, guesser = Visitor(house), Visitor(house, "198.51.100.9")
    app, _ = set_up(own)
    answers = [guesser.submit(half_way(guesser), code="12345").status for _ in range(7)]
    assert answers[-1] == 429
    own.submit(half_way(own), code=app.code(own))
    assert is_signed_in(own)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("code", ["", "0", "١٢٣٤٥٦", "12345é", "1234567", "AAAA-BBBB-CCCC", "9" * 60_000])
def test_nonsense_is_a_wrong_code(visitor: Visitor, code: str) -> None:
    assert visitor.submit(half_way(visitor), code=code).status == 401
    assert not is_signed_in(visitor)


def test_the_code_of_another_person_does_not_help(house: House, visitor: Visitor, app: App) -> None:
    bobs, recovery = set_up(Visitor(house), BOB)
    for wrong in (bobs.code(visitor), recovery[0]):
        assert visitor.submit(half_way(visitor), code=wrong).status == 401
    assert visitor.submit(half_way(visitor), code=app.code(visitor)).status == 200


def test_without_a_password_in_this_browser_a_code_opens_nothing(house: House, visitor: Visitor, app: App) -> None:
    fields = hidden(visitor.authorize())
    page = visitor.post("/sign-in/code", {**fields, "code": app.code(visitor)})
    assert 'id="sign-in"' in page.text
    assert SESSION not in visitor.cookies
    assert 'id="sign-in"' in visitor.get(f"/sign-in/code?{urlencode({'ticket': fields['ticket']})}").text


def test_the_ticket_alone_carries_no_password(house: House, visitor: Visitor, app: App) -> None:
    ticket, thief = hidden(half_way(visitor))["ticket"], Visitor(house)
    assert 'id="sign-in"' in thief.get(f"/sign-in/code?{urlencode({'ticket': ticket})}").text
    fields = {**hidden(thief.authorize()), "ticket": ticket, "code": app.code(thief)}
    assert 'id="sign-in"' in thief.post("/sign-in/code", fields).text
    assert SESSION not in thief.cookies


@pytest.mark.parametrize("cookie", ["made-up", "", "é", "A" * 4000])
def test_a_made_up_half_is_no_half(visitor: Visitor, app: App, cookie: str) -> None:
    fields = hidden(half_way(visitor))
    visitor.cookies[HALF] = cookie
    assert 'id="sign-in"' in visitor.post("/sign-in/code", {**fields, "code": app.code(visitor)}).text


def test_ten_minutes_after_the_password_it_is_asked_for_again(visitor: Visitor, app: App) -> None:
    page = half_way(visitor)
    visitor.house.clock.move(600)
    assert 'id="sign-in"' in visitor.submit(page, code=app.code(visitor)).text


def test_a_half_sign_in_is_used_once(visitor: Visitor, app: App) -> None:
    page, before = half_way(visitor), dict(visitor.cookies)
    visitor.submit(page, code=app.code(visitor))
    visitor.house.clock.move(STEP)
    visitor.cookies.clear()
    visitor.cookies.update(before)
    assert 'id="sign-in"' in visitor.submit(page, code=app.code(visitor)).text
    assert SESSION not in visitor.cookies


def test_the_session_is_new_and_none_that_somebody_planted(visitor: Visitor, app: App) -> None:
    planted = Visitor(visitor.house)
    at_account(planted, username=BOB)
    visitor.cookies[SESSION] = chosen = planted.cookies[SESSION]
    visitor.submit(half_way(visitor), code=app.code(visitor))
    assert visitor.cookies[SESSION] != chosen
    assert ADA in visitor.get("/account").text
    assert BOB in planted.get("/account").text, "the planted session is still bob's"


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}],
    ids=["foreign", "null", "cross-site"],
)
def test_a_foreign_form_counts_for_nothing(visitor: Visitor, app: App, headers: dict[str, str]) -> None:
    fields = {**hidden(half_way(visitor)), "code": app.code(visitor)}
    assert visitor.post("/sign-in/code", fields, **headers).status == 403
    assert SESSION not in visitor.cookies
    assert visitor.post("/sign-in/code", {**fields, "csrf": "made up"}).status == 403
    visitor.post("/sign-in/code", fields)
    assert is_signed_in(visitor), "the refused forms did not spend the code"


def test_a_disabled_account_does_not_get_from_password_to_code(visitor: Visitor, app: App) -> None:
    page = half_way(visitor)
    visitor.house.run(disable_person(visitor.house.issuer.realm, ADA))
    assert visitor.submit(page, code=app.code(visitor)).status == 401
    assert SESSION not in visitor.cookies


def test_what_changes_while_a_password_is_compared_counts(
    house: House, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def matches_while_the_account_is_shut(stored: str | None, password: str) -> bool:
        await disable_person(house.issuer.realm, ADA)
        return True

    monkeypatch.setattr(sign_in, "matches", matches_while_the_account_is_shut)
    assert visitor.sign_in(visitor.authorize()).status == 401
    assert SESSION not in visitor.cookies


def test_cancelling_is_a_no(visitor: Visitor, app: App) -> None:
    assert visitor.submit(half_way(visitor), decision="cancel").sent_back["error"] == "access_denied"
    assert HALF not in visitor.cookies


# A client that asks for more than a password


def test_a_session_is_made_surer_by_a_code_alone(house: House, visitor: Visitor) -> None:
    at_account(visitor)
    app, _ = set_up(Visitor(house))
    before = visitor.cookies[SESSION]
    page = visitor.authorize(acr_values=MFA)
    assert 'name="code"' in page.text
    assert 'name="password"' not in page.text
    said = claims(house, visitor, visitor.submit(page, code=app.code(visitor)))
    assert said["acr"] == MFA
    assert visitor.cookies[SESSION] != before
    visitor.cookies[SESSION] = before
    assert not is_signed_in(visitor), "the cookie from before opens nothing any more"


def test_a_session_that_is_sure_enough_is_not_asked_again(house: House, visitor: Visitor, app: App) -> None:
    visitor.through(visitor.submit(half_way(visitor), code=app.code(visitor)))
    assert "code" in visitor.authorize(acr_values=MFA).sent_back


def test_whoever_has_no_app_goes_on_unless_it_is_essential(house: House, visitor: Visitor) -> None:
    assert claims(house, visitor, visitor.authorize(acr_values=f"{MFA} 1"))["acr"] == "urn:innkeeper:acr:password"
    wish = json.dumps({"id_token": {"acr": {"essential": True, "values": [MFA]}}})
    back = visitor.authorize(claims=wish).sent_back
    assert back["error"] == "unmet_authentication_requirements"
    assert "code" not in back


def test_an_essential_class_is_reached_by_whoever_can(house: House, visitor: Visitor) -> None:
    at_account(visitor)
    app, _ = set_up(Visitor(house))
    wish = json.dumps({"id_token": {"acr": {"essential": True, "values": [MFA]}}})
    assert visitor.authorize(claims=wish, prompt="none").sent_back["error"] == "login_required"
    page = visitor.authorize(claims=wish)
    assert claims(house, visitor, visitor.submit(page, code=app.code(visitor)))["acr"] == MFA


def test_discovery_lists_the_classes_that_can_be_reached(house: House) -> None:
    listed = house.get("/.well-known/openid-configuration").json["acr_values_supported"]
    assert listed == ["urn:innkeeper:acr:password", MFA], "no passkeys at a bare address"


# RFC 6238 Appendix B, the SHA-1 column, cut to six digits

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
TOTP = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


@pytest.mark.parametrize(("at", "code"), TOTP.items())
def test_the_vectors_of_the_rfc(at: int, code: str) -> None:
    assert one_time_codes.step_of(SECRET, code, at) == at // 30
    assert one_time_codes.step_of(SECRET, code, at + 30) == at // 30
    assert one_time_codes.step_of(SECRET, code, at + 90) is None


def test_the_address_for_the_app_names_the_account_and_the_issuer() -> None:
    uri = one_time_codes.address(SECRET, "ada@example.org", "The test inn")
    assert uri == f"otpauth://totp/The%20test%20inn:ada%40example.org?secret={SECRET}&issuer=The%20test%20inn"
