"""What other sites, other people and other browsers cannot make a visit do."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from innkeeper.protocol import base64url
from tests.issuer.house import ASKED, ORIGIN, PASSWORD, SETTINGS, Answer, House
from tests.issuer.visitor import SHOP, Form, Visitor, redeem

SESSION = "innkeeper-native"
ADA = {"username": "ada@example.org", "password": PASSWORD}


def at_sign_in(visitor: Visitor, **changes: str) -> dict[str, str]:
    """The hidden fields of a sign-in page."""
    return Form(visitor.authorize(prompt="login", **changes)).hidden


def at_consent(visitor: Visitor, **changes: str) -> dict[str, str]:
    """The hidden fields of a consent page."""
    page = visitor.authorize(prompt="consent", **changes)
    if 'id="sign-in"' in page.text:
        page = visitor.sign_in(page)
    assert 'id="allow"' in page.text
    return Form(page).hidden


def led_to_the_client(answer: Answer) -> bool:
    return (answer.header("location") or "").startswith("https://shop.example/")


FORGED: dict[str, dict[str, str]] = {
    "from a foreign page": {"origin": "https://evil.example"},
    "from a page without an origin": {"origin": "null"},
    "from an origin that begins like ours": {"origin": f"{ORIGIN}.evil.example"},
    "from another port": {"origin": "http://127.0.0.1:8401"},
    "from another scheme": {"origin": "https://127.0.0.1:8400"},
    "from another site": {"sec_fetch_site": "cross-site"},
    "from a site beside ours": {"sec_fetch_site": "same-site"},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_a_sign_in_form_counts_for_nothing(visitor: Visitor, headers: dict[str, str]) -> None:
    fields = at_sign_in(visitor)
    answer = visitor.post("/sign-in", {**fields, **ADA}, **headers)
    assert answer.status == 403
    assert SESSION not in visitor.cookies
    assert led_to_the_client(visitor.through(visitor.post("/sign-in", {**fields, **ADA})))


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_a_consent_form_counts_for_nothing(visitor: Visitor, headers: dict[str, str]) -> None:
    fields = at_consent(visitor)
    answer = visitor.post("/consent", {**fields, "decision": "allow"}, **headers)
    assert 'id="allow"' in answer.text
    assert led_to_the_client(visitor.post("/consent", {**fields, "decision": "allow"}))


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_a_sign_out_form_counts_for_nothing(visitor: Visitor, headers: dict[str, str]) -> None:
    visitor.code()
    fields = Form(visitor.get("/logout")).hidden
    visitor.post("/logout", {**fields, "decision": "logout"}, **headers)
    assert "code" in visitor.authorize(prompt="none").sent_back
    assert 'id="logged-out"' in visitor.post("/logout", {**fields, "decision": "logout"}).text
    assert visitor.authorize(prompt="none").sent_back["error"] == "login_required"


@pytest.mark.parametrize("csrf", [None, "", "x", "A" * 43], ids=["missing", "empty", "short", "made up"])
@pytest.mark.parametrize("cookie", [True, False], ids=["with its cookie", "without its cookie"])
def test_a_form_without_its_proof_counts_for_nothing(visitor: Visitor, csrf: str | None, cookie: bool) -> None:
    fields = at_sign_in(visitor)
    proof = fields.pop("csrf")
    if not cookie:
        visitor.cookies.clear()
    sent = {**fields, **ADA} if csrf is None else {**fields, **ADA, "csrf": csrf if cookie else proof}
    assert visitor.post("/sign-in", sent).status == 403
    assert SESSION not in visitor.cookies


def test_a_proof_from_another_browser_counts_for_nothing(house: House) -> None:
    mine, theirs = Visitor(house), Visitor(house)
    foreign = at_sign_in(mine)["csrf"]
    assert theirs.post("/sign-in", {**at_sign_in(theirs), **ADA, "csrf": foreign}).status == 403


def test_a_browser_that_says_nothing_of_itself_is_served(visitor: Visitor) -> None:
    fields = at_sign_in(visitor)
    body = {**fields, **ADA}
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    answer = visitor.house.post("/sign-in", body, cookie=cookie)
    assert answer.status == 303
    assert (
        answer.header(
            "set-cookie",
        )
        is not None
    )


def flags(line: str) -> set[str]:
    return {part.strip().lower() for part in line.split(";")[1:]}


def test_cookies_are_kept_from_scripts_and_other_sites(visitor: Visitor) -> None:
    house = visitor.house
    page = house.get(f"/sign-in?{urlencode({'ticket': at_sign_in(visitor)['ticket']})}")
    (form_cookie,) = page.every("set-cookie")
    fields = Form(page).hidden
    signed_in = house.post("/sign-in", {**fields, **ADA}, cookie=form_cookie.partition(";")[0])
    session_cookie, browser_cookie = signed_in.every("set-cookie")
    for line in (form_cookie, session_cookie):
        assert flags(line) == {"path=/", "httponly", "samesite=lax"}
    assert flags(browser_cookie) == {"path=/", "httponly", "samesite=lax", "max-age=34560000"}
    assert session_cookie.startswith(f"{SESSION}=")


@pytest.fixture(scope="module")
def tls_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    server = replace(SETTINGS.server, public_url="https://inn.example")
    made = House(tmp_path_factory.mktemp("tls"), replace(SETTINGS, server=server))
    yield made
    made.close()


def test_behind_tls_cookies_are_bound_to_host_and_tls(tls_house: House) -> None:
    page = tls_house.get(tls_house.get(f"/authorize?{urlencode(ASKED)}").location)
    (line,) = page.every("set-cookie")
    assert line.startswith("__Host-innkeeper-form-native=")
    assert flags(line) == {"path=/", "httponly", "samesite=lax", "secure"}
    cookie = line.partition(";")[0]
    answer = tls_house.post("/sign-in", {**Form(page).hidden, **ADA}, cookie=cookie, origin="https://inn.example")
    session, browser = answer.every("set-cookie")
    assert session.startswith("__Host-innkeeper-native=")
    assert browser.startswith("__Host-innkeeper-browser-native=")
    assert "secure" in flags(session) & flags(browser)


def test_every_sign_in_opens_a_session_of_its_own(visitor: Visitor) -> None:
    visitor.cookies[SESSION] = "chosen-by-someone-else"
    visitor.code()
    first = visitor.cookies[SESSION]
    visitor.sign_in(visitor.authorize(prompt="login"))
    assert len({first, visitor.cookies[SESSION], "chosen-by-someone-else"}) == 3


@pytest.mark.parametrize("cookie", ["x", "", "é", "a" * 5000, "'; DROP TABLE sessions; --"])
def test_a_made_up_session_is_nobody(visitor: Visitor, cookie: str) -> None:
    visitor.cookies[SESSION] = cookie
    assert visitor.authorize(prompt="none").sent_back["error"] == "login_required"


def changed(ticket: str) -> Iterator[str]:
    body, _, mac = ticket.partition(".")
    said = base64url.decode(body)
    yield body
    yield f"{body}."
    yield f".{mac}"
    yield ""
    yield f"{body}.{mac[:-1]}"
    yield f"{body}.{mac}A"
    yield f"{body}.{'A' * len(mac)}"
    yield f"{base64url.encode_text(said.replace(b'shop.example', b'evil.example'))}.{mac}"
    yield f"{base64url.encode_text(said + b' ')}.{mac}"
    yield f"{body}.{mac}.{mac}"
    yield "é.ü"


@pytest.mark.parametrize("path", ["/sign-in", "/consent", "/authorize"])
def test_a_ticket_that_was_changed_opens_nothing(visitor: Visitor, path: str) -> None:
    ticket = at_sign_in(visitor)["ticket"]
    for wrong in changed(ticket):
        answer = visitor.get(f"{path}?{urlencode({'ticket': wrong})}")
        assert answer.status == 400, wrong
        assert "evil.example" not in answer.text


def test_a_ticket_of_another_issuer_opens_nothing(house: House, tls_house: House) -> None:
    foreign = tls_house.get(f"/authorize?{urlencode(ASKED)}").location.partition("?")[2]
    assert house.get(f"/sign-in?{foreign}").status == 400


def test_a_ticket_lives_for_an_hour(visitor: Visitor) -> None:
    fields = at_sign_in(visitor)
    visitor.house.clock.move(3599)
    assert visitor.get(f"/sign-in?{urlencode({'ticket': fields['ticket']})}").status == 200
    visitor.house.clock.move(1)
    assert visitor.get(f"/sign-in?{urlencode({'ticket': fields['ticket']})}").status == 400
    assert visitor.post("/sign-in", {**fields, **ADA}).status == 400
    assert SESSION not in visitor.cookies


def test_a_yes_in_one_browser_does_not_count_in_another(house: House) -> None:
    mine, theirs = Visitor(house), Visitor(house)
    fields = at_consent(mine)
    after = house.post(
        "/consent",
        {**fields, "decision": "allow"},
        cookie="; ".join(f"{name}={value}" for name, value in mine.cookies.items()),
    )
    theirs.sign_in(theirs.authorize(prompt="login"), "bob@example.org")
    stolen = theirs.get(after.location)
    assert 'id="allow"' in stolen.text, "the other person is asked"
    assert led_to_the_client(mine.get(after.location))


def test_a_sign_in_for_one_browser_does_not_count_in_another(house: House) -> None:
    mine, theirs = Visitor(house), Visitor(house)
    theirs.code()
    fields = at_sign_in(mine)
    after = house.post(
        "/sign-in",
        {**fields, **ADA},
        cookie="; ".join(f"{name}={value}" for name, value in mine.cookies.items()),
    )
    assert 'id="sign-in"' in theirs.get(after.location).text, "prompt=login was not satisfied by somebody else"
    assert 'id="sign-in"' in Visitor(house).get(after.location).text


def test_a_yes_on_a_page_that_was_shown_to_someone_else_does_not_count(house: House) -> None:
    visitor = Visitor(house)
    shown_to_ada = at_consent(visitor)
    visitor.sign_in(visitor.authorize(prompt="login"), "bob@example.org")
    answer = visitor.post("/consent", {**shown_to_ada, "decision": "allow"})
    assert 'id="allow"' in answer.text
    assert "bob@example.org" in answer.text, "the page is shown anew, to the one who is here"
    bob = house.run(house.issuer.realm.store.consent("bob-2", "shop"))
    assert bob is None


def test_a_yes_after_signing_out_does_not_count(house: House) -> None:
    visitor = Visitor(house)
    fields = at_consent(visitor)
    visitor.cookies.pop(SESSION)
    assert 'id="sign-in"' in visitor.post("/consent", {**fields, "decision": "allow"}).text


def test_a_consent_page_that_is_loaded_again_after_the_yes_uses_nothing_up(house: House) -> None:
    visitor = Visitor(house)
    visitor.sign_in(visitor.authorize(prompt="login"))
    asked = {**ASKED, "scope": "openid gym:enter email", "client_id": "shop"}
    reference = house.post("/par", {**asked, **SHOP}).json["request_uri"]
    page = visitor.get(f"/authorize?{urlencode({'client_id': 'shop', 'request_uri': reference})}")
    assert 'id="allow"' in page.text
    visitor.allow(visitor.authorize(scope=asked["scope"]))
    again = visitor.get(f"/consent?{urlencode({'ticket': Form(page).hidden['ticket']})}")
    assert led_to_the_client(again)
    assert redeem(house, again.sent_back["code"]).status == 200


@pytest.mark.parametrize("decision", ["deny", "", "ALLOW", "allow "])
def test_anything_but_a_yes_is_a_no(visitor: Visitor, decision: str) -> None:
    answer = visitor.post("/consent", {**at_consent(visitor), "decision": decision})
    assert answer.sent_back == {
        "error": "access_denied",
        "error_description": "The person declined.",
        "state": "s-1",
        "iss": ORIGIN,
    }


def test_cancelling_the_sign_in_is_a_no(visitor: Visitor) -> None:
    answer = visitor.post("/sign-in", {**at_sign_in(visitor), "decision": "cancel"})
    assert answer.sent_back["error"] == "access_denied"


@pytest.mark.parametrize(
    "path",
    ["/sign-in", "/consent", "/authorize", "/logout"],
)
@pytest.mark.parametrize("name", ["next", "return_to", "redirect", "url", "redirect_uri", "post_logout_redirect_uri"])
def test_no_page_sends_anyone_to_an_address_from_the_query(visitor: Visitor, path: str, name: str) -> None:
    visitor.code()
    answer = visitor.house.get(
        f"{path}?{urlencode({name: 'https://evil.example/'})}", cookie=f"{SESSION}={visitor.cookies[SESSION]}"
    )
    assert answer.header("location") is None


def test_no_page_may_be_framed_and_none_leaks_its_address(visitor: Visitor) -> None:
    pages = [
        visitor.authorize(),
        visitor.authorize(prompt="consent"),
        visitor.get("/logout"),
        visitor.get("/authorize"),
    ]
    for page in pages:
        policy = page.header("content-security-policy") or ""
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "default-src 'none'" in policy
        assert page.header("x-frame-options") == "DENY"
        assert page.header("x-content-type-options") == "nosniff"
        assert page.header("cache-control") == "no-store"
        assert page.header("referrer-policy") in ("no-referrer", "same-origin")
        assert page.header("access-control-allow-origin") is None


SCRIPT = '"><script>alert(1)</script>'


def test_what_is_sent_is_shown_as_text_only(house: House) -> None:
    visitor = Visitor(house)
    pages = [
        visitor.authorize(login_hint=SCRIPT),
        visitor.authorize(state=SCRIPT, nonce=SCRIPT),
        visitor.authorize(client_id=SCRIPT),
        visitor.sign_in(visitor.authorize(), SCRIPT, "x"),
        visitor.authorize(response_mode="form_post", state=SCRIPT, scope=SCRIPT),
        visitor.get(f"/logout?{urlencode({'state': SCRIPT, 'client_id': SCRIPT, 'post_logout_redirect_uri': SCRIPT})}"),
    ]
    assert [page.text for page in pages if "<script>" in page.text] == []
    visitor.sign_in(visitor.authorize(prompt="login"))
    assert "Ada &lt;b&gt;" in visitor.authorize(prompt="consent").text


def test_a_code_from_one_browser_is_worth_nothing_without_its_verifier(visitor: Visitor) -> None:
    stolen = visitor.code()
    assert redeem(visitor.house, stolen, code_verifier="b" * 43).json["error"] == "invalid_grant"
    assert redeem(visitor.house, stolen, code_verifier="").json["error"] == "invalid_grant"
    assert redeem(visitor.house, stolen).status == 200, "whoever asked for it can still redeem it"
