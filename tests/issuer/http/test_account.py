"""The account page: what a person sees and changes there, and what nobody else can."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from innkeeper.issuer.desk.registry import disable_person, enable_person, reset_factors
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import FORM, PASSWORD, Answer, Asked, House
from tests.issuer.http.people import ADA, BOB, at_account, half_way, hidden, is_signed_in, set_up, words
from tests.issuer.visitor import Visitor, redeem, refresh

SESSION = "innkeeper-native"
NEW = "another long password"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def house(own_house: House) -> House:
    return own_house


def sessions_shown(page: Answer) -> list[str]:
    """The ids of the other sessions that can be ended."""
    return [one for one in re.findall(r'name="end" value="([^"]*)"', page.text) if one != "others"]


def change_password(visitor: Visitor, present: str = PASSWORD, new: str = NEW, again: str | None = None) -> Answer:
    page = at_account(visitor, "/account/password")
    return visitor.submit(page, present=present, new=new, again=new if again is None else again)


def test_only_whoever_is_signed_in_sees_an_account(visitor: Visitor) -> None:
    for path in ("/account", "/account/password", "/account/codes", "/account/passkeys", "/account/data"):
        page = visitor.get(path)
        assert 'id="sign-in"' in page.text
        assert "to go on to your account Email" in words(page)


def test_after_signing_in_the_page_that_was_asked_for_follows(visitor: Visitor) -> None:
    assert 'id="present"' in at_account(visitor, "/account/password").text


def test_cancelling_the_sign_in_leads_to_no_account_and_in_no_circle(visitor: Visitor) -> None:
    page = visitor.submit(visitor.get("/account"), decision="cancel")
    assert "Not signed in" in words(page)


def test_the_page_shows_ones_own_details_and_nobody_elses(house: House) -> None:
    ada, bob = Visitor(house), Visitor(house)
    assert "Ada <b>" in words(at_account(ada))
    assert "ada" not in words(at_account(bob, username=BOB)).lower()


# Sessions


def test_each_browser_is_listed_with_its_name_and_last_use(house: House) -> None:
    laptop, phone = Visitor(house), Visitor(house)
    laptop.submit(laptop.get("/account"), username=ADA, password=PASSWORD)
    fields = hidden(phone.get("/account"))
    phone.post("/sign-in", {**fields, "username": ADA, "password": PASSWORD}, user_agent=FIREFOX)
    house.clock.move(7200)
    phone.authorize(prompt="none")
    page = words(laptop.get("/account"))
    assert page.index("this browser") < page.index("Firefox on Linux"), "the last used first"
    assert "Last used 15 Jan 2027, 10:00 UTC, signed in since 15 Jan 2027, 08:00 UTC" in page


def test_another_browser_is_signed_out_and_what_hung_on_it_ends(house: House) -> None:
    here, there = Visitor(house), Visitor(house)
    tokens = redeem(house, there.code()).json
    page = at_account(here)
    (other,) = sessions_shown(page)
    after = here.submit(page, end=other)
    assert "That browser is signed out." in words(after)
    assert not is_signed_in(there)
    assert is_signed_in(here)
    assert refresh(house, tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_everywhere_else_is_all_but_here(house: House) -> None:
    here, others = Visitor(house), [Visitor(house) for _ in range(3)]
    for one in others:
        at_account(one)
    bob = Visitor(house)
    at_account(bob, username=BOB)
    here.submit(at_account(here), end="others")
    assert [is_signed_in(one) for one in (here, *others, bob)] == [True, False, False, False, True]


def test_nobody_ends_anothers_session(house: House) -> None:
    ada, second, bob = Visitor(house), Visitor(house), Visitor(house)
    at_account(second)
    (of_ada,) = sessions_shown(at_account(ada))
    bob.submit(at_account(bob, username=BOB), end=of_ada)
    assert is_signed_in(ada)
    assert is_signed_in(second)


def test_signing_in_again_leaves_one_session_in_a_browser(house: House, visitor: Visitor) -> None:
    at_account(visitor)
    for _ in range(3):
        visitor.sign_in(visitor.authorize(prompt="login"))
    assert sessions_shown(visitor.get("/account")) == []


# Applications


def test_an_application_is_listed_with_what_it_may_do_and_since_when(house: House, visitor: Visitor) -> None:
    redeem(house, visitor.code(scope="openid profile room:enter"))
    page = words(visitor.get("/account"))
    assert "The shop Open your room See your name and profile At The hotel. Since 15 Jan 2027, 08:00 UTC. shop" in page


def test_taking_back_ends_its_tokens_and_asks_anew(house: House, visitor: Visitor) -> None:
    tokens = redeem(house, visitor.code(scope="openid offline_access room:enter")).json
    assert "code" in visitor.authorize(prompt="none").sent_back
    page = visitor.submit(visitor.get("/account"), take_back="shop")
    assert "may do nothing for you any more" in words(page)
    assert "No application" in words(page)
    assert refresh(house, tokens["refresh_token"]).json["error"] == "invalid_grant"
    asked = {"token": tokens["access_token"], "client_id": "shop", "client_secret": "it's 20 % off: a+b/c=ü"}
    assert house.post("/introspect", asked).json == {"active": False}
    assert visitor.authorize(prompt="none").sent_back["error"] == "consent_required"


def test_taking_back_is_for_oneself_alone(house: House) -> None:
    ada, bob = Visitor(house), Visitor(house)
    tokens = redeem(house, ada.code()).json
    bob.sign_in(bob.authorize(), BOB)
    bob.submit(bob.get("/account"), take_back="shop")
    assert refresh(house, tokens["refresh_token"]).status == 200


def test_an_application_that_is_gone_can_still_be_taken_back(house: House, visitor: Visitor) -> None:
    redeem(house, visitor.code())
    house.run(house.issuer.realm.store.remove_client("shop"))
    house.run(house.issuer.realm.reload())
    page = visitor.get("/account")
    assert 'value="shop"' in page.text
    assert "No application" in words(visitor.submit(page, take_back="shop"))


def test_taking_back_what_was_never_given_does_no_harm(visitor: Visitor) -> None:
    assert visitor.submit(at_account(visitor), take_back="nobody").status == 200


# Data


def test_the_download_holds_what_is_remembered_and_no_secret(house: House, visitor: Visitor) -> None:
    redeem(house, visitor.code())
    set_up(visitor)
    answer = visitor.get("/account/data")
    assert answer.header("content-disposition") == 'attachment; filename="account.json"'
    assert answer.header("cache-control") == "no-store"
    document = answer.json
    assert document["username"] == ADA
    assert document["claims"]["email"] == "ada@example.org"
    assert [one["client_id"] for one in document["consents"]] == ["shop"]
    assert [one["scopes"] for one in document["grants"]] == [["openid", "room:enter"]]
    assert document["codes"]["recovery_codes_left"] == 10
    assert [one["browser"] for one in document["sessions"]] == ["A browser"]
    for secret in ("argon2", "password", "digest", "sealed", visitor.cookies[SESSION]):
        assert secret not in answer.text


# The password


def test_a_new_password_takes_the_place_of_the_old_one(house: House) -> None:
    here, there = Visitor(house), Visitor(house)
    at_account(there)
    assert "Your password is changed" in words(change_password(here))
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert there.sign_in(there.authorize(), ADA, PASSWORD).status == 401
    there.sign_in(there.authorize(), ADA, NEW)
    assert is_signed_in(there)


@pytest.mark.parametrize(
    ("present", "new", "again", "status"),
    [
        ("wrong", NEW, NEW, 401),
        ("", NEW, NEW, 401),
        (PASSWORD, "short", "short", 400),
        (PASSWORD, NEW, f"{NEW}!", 400),
        (PASSWORD, PASSWORD, PASSWORD, 400),
        (PASSWORD, ADA.upper(), ADA.upper(), 400),
        (PASSWORD, "", "", 400),
    ],
)
def test_a_password_that_is_not_changed(visitor: Visitor, present: str, new: str, again: str, status: int) -> None:
    assert change_password(visitor, present, new, again).status == status
    visitor.sign_in(visitor.authorize(prompt="login"), ADA, PASSWORD)
    assert is_signed_in(visitor)


def test_whoever_finds_a_browser_open_cannot_guess_the_password(visitor: Visitor) -> None:
    at_account(visitor)
    answers = [change_password(visitor, "wrong").status for _ in range(6)]
    assert answers == [401] * 5 + [429]
    assert change_password(visitor).status == 429, "not even the right one is looked at"


@pytest.mark.parametrize("path", ["/account/password", "/account/codes", "/account/passkeys"])
def test_ten_minutes_after_signing_in_it_is_asked_for_again(visitor: Visitor, path: str) -> None:
    at_account(visitor)
    visitor.house.clock.move(601)
    page = visitor.get(path)
    assert 'id="sign-in"' in page.text
    assert f'value="{ADA}"' in page.text, "the name is known"
    assert visitor.post(path, {**hidden(page), "do": "off"}).text == "" or 'id="sign-in"' in visitor.get(path).text
    assert 'id="back"' in visitor.sign_in(visitor.get(path)).text


def test_the_password_alone_does_not_take_codes_away(house: House, visitor: Visitor) -> None:
    at_account(visitor)
    app, _ = set_up(Visitor(house))
    page = visitor.get("/account/codes")
    assert 'id="sign-in"' in page.text, "this session is from before, by password alone"
    page = visitor.sign_in(page)
    assert 'name="code"' in page.text
    page = visitor.submit(page, code=app.code(visitor))
    assert 'id="turn-off"' in page.text


# Codes


def test_codes_are_turned_on_only_by_somebody_whose_app_shows_them(house: House, visitor: Visitor) -> None:
    page = at_account(visitor, "/account/codes")
    assert "otpauth://totp/The%20test%20inn:ada%40example.org" in page.text
    assert visitor.submit(page, code="000000").status == 401
    again = visitor.get("/account/codes")
    assert re.findall(r'id="secret">.*', page.text) == re.findall(r'id="secret">.*', again.text), "the same secret"
    visitor.submit(page, code="nothing")
    assert 'id="sign-in"' not in visitor.sign_in(visitor.authorize(prompt="login")).text
    assert is_signed_in(visitor)


def test_recovery_codes_are_shown_once_and_new_ones_replace_them(house: House, visitor: Visitor) -> None:
    _, first = set_up(visitor)
    page = visitor.get("/account/codes")
    assert not any(code in page.text for code in first)
    second = re.findall(r"<code>([A-Z0-9-]{14})</code>", visitor.submit(page, do="recovery").text)
    assert len(second) == 10
    assert not set(first) & set(second)
    other = Visitor(house)
    assert other.submit(half_way(other), code=first[0]).status == 401
    other.submit(half_way(other), code=second[0])
    assert is_signed_in(other)


def test_codes_are_turned_off_with_their_recovery_codes(house: House, visitor: Visitor) -> None:
    set_up(visitor)
    page = visitor.submit(visitor.get("/account/codes"), do="off")
    assert "Codes are off" in words(page)
    other = Visitor(house)
    other.sign_in(other.authorize())
    assert is_signed_in(other)
    assert house.run(house.issuer.realm.store.credentials("ada-1", "recovery")) == []


def test_setting_codes_up_makes_the_session_surer_under_a_new_cookie(house: House, visitor: Visitor) -> None:
    at_account(visitor)
    before = visitor.cookies[SESSION]
    set_up(visitor)
    assert visitor.cookies[SESSION] != before
    assert 'id="turn-off"' in visitor.get("/account/codes").text, "no second sign-in is asked for"


def test_guessing_at_the_setup_is_bounded(visitor: Visitor) -> None:
    page = at_account(visitor, "/account/codes")
    assert [visitor.submit(page, code="000000").status for _ in range(6)] == [401] * 5 + [429]


# Passkeys where there can be none


def test_at_a_bare_address_the_page_says_why_there_are_no_passkeys(visitor: Visitor) -> None:
    page = at_account(visitor, "/account/passkeys")
    assert "http://127.0.0.1:8400" in words(page)
    assert "INNKEEPER_PUBLIC_URL=http://localhost:8400" in words(page)
    assert "script-src" not in (page.header("content-security-policy") or "")
    assert "<script" not in page.text
    assert visitor.submit(page, passkey="{}", name="x").status == 400
    assert visitor.post("/sign-in", {**hidden(visitor.authorize(prompt="login")), "passkey": "{}"}).status == 400


# Forms that are not ours

POSTS: dict[str, tuple[str, dict[str, str], Callable[[Visitor], bool]]] = {
    "end a session": ("/account", {"end": "others"}, lambda one: len(sessions_shown(one.get("/account"))) == 1),
    "take back": ("/account", {"take_back": "shop"}, lambda one: 'value="shop"' in one.get("/account").text),
    "password": (
        "/account/password",
        {"present": PASSWORD, "new": NEW, "again": NEW},
        lambda one: one.sign_in(one.authorize(prompt="login"), ADA, NEW).status == 401,
    ),
    "turn codes off": ("/account/codes", {"do": "off"}, lambda one: 'id="turn-off"' in one.get("/account/codes").text),
    "recovery codes": (
        "/account/codes",
        {"do": "recovery"},
        lambda one: "10 recovery codes left" in words(one.get("/account")),
    ),
    "passkeys": ("/account/passkeys", {"remove": "x"}, lambda _: True),
}
FORGED: dict[str, dict[str, str]] = {
    "from a foreign page": {"origin": "https://evil.example"},
    "from nowhere": {"origin": "null"},
    "from another site": {"sec_fetch_site": "cross-site"},
}


@pytest.mark.parametrize(("path", "fields", "unchanged"), POSTS.values(), ids=POSTS.keys())
def test_a_foreign_form_changes_nothing(
    house: House, visitor: Visitor, path: str, fields: dict[str, str], unchanged: Callable[[Visitor], bool]
) -> None:
    visitor.code()
    set_up(visitor)
    other = Visitor(house)
    other.submit(half_way(other), code=set_code(house, other))
    proof = hidden(visitor.get(path))
    assert proof["csrf"]
    for headers in FORGED.values():
        assert visitor.post(path, {**proof, **fields}, **headers).status == 403
    for wrong in ({}, {"csrf": ""}, {"csrf": "made up"}, {"csrf": hidden(Visitor(house).authorize())["csrf"]}):
        assert visitor.post(path, {**wrong, **fields}).status == 403
    assert unchanged(visitor)


def set_code(house: House, visitor: Visitor) -> str:
    """A code for ada, read out of the store as nobody else could."""
    import pyotp

    from innkeeper.issuer.desk import factors

    realm = house.issuer.realm
    app = house.run(factors.app_of(realm, "ada-1"))
    assert app is not None
    return pyotp.TOTP(factors.opened(realm, "ada-1", app.sealed)).at(house.clock.now)


@pytest.mark.parametrize("body", ["a=1&a=2", "end=%ff", "take_back=" + "x" * 60_000, "=", "%00=%00"])
def test_nonsense_is_no_server_error(visitor: Visitor, body: str) -> None:
    at_account(visitor)
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    for path in ("/account", "/account/password", "/account/codes", "/account/passkeys"):
        asked = Asked("POST", path, b"", (("content-type", FORM), ("cookie", cookie)), (body.encode(),))
        assert visitor.house.ask(asked).status in (303, 400, 403)


def test_pages_are_kept_by_nobody_and_framed_by_nobody(visitor: Visitor) -> None:
    for path in ("/account", "/account/password", "/account/codes", "/account/passkeys"):
        page = at_account(visitor, path)
        assert page.header("cache-control") == "no-store"
        assert page.header("x-frame-options") == "DENY"
        assert "form-action 'self';" in (page.header("content-security-policy") or "")


def test_a_password_manager_finds_the_form(house: House) -> None:
    assert house.get("/.well-known/change-password").location == "/account/password"


# What an operator does


def test_a_shut_account_opens_nothing_and_nothing_of_it_goes_on(house: House, visitor: Visitor) -> None:
    tokens = redeem(house, visitor.code(scope="openid offline_access room:enter")).json
    house.run(disable_person(house.issuer.realm, ADA))
    assert not is_signed_in(visitor)
    assert visitor.sign_in(visitor.authorize()).status == 401
    assert refresh(house, tokens["refresh_token"]).json["error"] == "invalid_grant"
    house.run(enable_person(house.issuer.realm, ADA))
    visitor.sign_in(visitor.authorize())
    assert is_signed_in(visitor)


def test_whoever_lost_their_phone_is_helped(house: House, visitor: Visitor) -> None:
    set_up(visitor)
    house.run(reset_factors(house.issuer.realm, ADA))
    assert not is_signed_in(visitor), "whoever held the session has to sign in again"
    visitor.sign_in(visitor.authorize())
    assert is_signed_in(visitor)


@pytest.mark.parametrize("work", [disable_person, enable_person, reset_factors])
def test_an_operator_who_misspells_a_name_is_told(house: House, work: Callable[..., object]) -> None:
    with pytest.raises(UsageError, match="nobody named 'adda'"):
        house.run(work(house.issuer.realm, "adda"))  # type: ignore[arg-type]
