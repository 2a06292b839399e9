"""Requests that no good client sends: every endpoint answers with the exact error, tells nothing, and loses nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.issuer.house import ASKED, FORM, HOTEL, Answer, Asked, House
from tests.issuer.visitor import ROBOT, SHOP, Form, Visitor, redeem

PROGRAMS = ("/token", "/introspect", "/revoke", "/par")
"""The endpoints that programs send forms to."""

PAGES = ("/authorize", "/sign-in", "/consent", "/logout")
"""The endpoints that people's browsers send forms to."""

GOOD = {
    "/token": {"grant_type": "client_credentials", **ROBOT},
    "/introspect": {"token": "x", **ROBOT},
    "/revoke": {"token": "x", **ROBOT},
    "/par": {**ASKED, **SHOP},
}


@pytest.fixture(autouse=True)
def nothing_fails_inside(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


def is_invalid_request(answer: Answer, status: int = 400) -> bool:
    """Whether the answer is RFC 6749 §5.2's, to the header."""
    assert (answer.status, answer.json["error"]) == (status, "invalid_request"), answer
    assert (answer.header("cache-control"), answer.header("www-authenticate")) == ("no-store", None)
    assert set(answer.json) <= {"error", "error_description"}
    return True


def is_error_page(answer: Answer, status: int = 400) -> bool:
    """Whether a person is told, and nobody is sent anywhere."""
    assert answer.status == status
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert (answer.header("location"), answer.header("cache-control")) == (None, "no-store")
    return True


def test_the_requests_that_are_broken_below_are_good_when_whole(house: House) -> None:
    assert [house.post(path, form).status for path, form in GOOD.items()] == [200, 200, 200, 201]


BODIES: dict[str, tuple[str, bytes]] = {
    "JSON": ("application/json", b'{"grant_type":"client_credentials"}'),
    "JSON said to be a form": (FORM, b'{"grant_type":"client_credentials"}'),
    "a multipart form": ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--\r\n"),
    "plain text": ("text/plain", b"grant_type=client_credentials"),
    "a form that does not say so": ("", b"grant_type=client_credentials"),
    "a form with two types": (f"{FORM}, application/json", b"grant_type=client_credentials"),
    "bytes that are no UTF-8": (FORM, b"grant_type=\xff\xfe"),
    "escapes that are no UTF-8": (FORM, b"grant_type=%FF%FE"),
    "half a surrogate pair": (FORM, b"grant_type=%ED%A0%80"),
    "an overlong encoding": (FORM, b"grant_type=%C0%AF"),
    "a NUL": (FORM, b"grant_type=a\0b"),
    "an escaped NUL": (FORM, b"grant_type=a%00b"),
    "201 parameters": (FORM, b"&".join(b"p%d=1" % n for n in range(201))),
}


@pytest.mark.parametrize(("kind", "body"), BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("path", PROGRAMS)
def test_a_program_that_sends_no_form_is_told_so(house: House, path: str, kind: str, body: bytes) -> None:
    good = urlencode(GOOD[path]).encode()
    whole = body if kind != FORM or body.startswith(b"{") else good + b"&" + body
    if body.startswith(b"{") and kind == FORM:
        answer = house.ask(Asked("POST", path, headers=(("content-type", kind),), chunks=(whole,)))
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")
        return
    assert is_invalid_request(house.ask(Asked("POST", path, headers=(("content-type", kind),), chunks=(whole,))))


@pytest.mark.parametrize(("kind", "body"), BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("path", PAGES)
def test_a_browser_that_sends_no_form_gets_a_page(house: House, path: str, kind: str, body: bytes) -> None:
    answer = house.ask(Asked("POST", path, headers=(("content-type", kind),), chunks=(body,)))
    assert (
        answer.status == 200 if path == "/logout" and body.startswith(b"{") and kind == FORM else is_error_page(answer)
    )


QUERIES = {
    "bytes that are no UTF-8": b"%FF%FE",
    "raw bytes": b"\xff\xfe",
    "a NUL": b"%00",
    "half a surrogate pair": b"%ED%A0%80",
}


@pytest.mark.parametrize("value", QUERIES.values(), ids=QUERIES.keys())
@pytest.mark.parametrize("path", [*PAGES, "/_explain"])
@pytest.mark.parametrize("name", [b"client_id", b"ticket", b"id", b"id_token_hint"])
def test_an_address_that_cannot_be_read_gets_a_page(house: House, path: str, name: bytes, value: bytes) -> None:
    answer = house.ask(Asked("GET", path, name + b"=" + value))
    assert answer.status in (200, 400, 404), answer
    assert answer.header("location") is None
    assert answer.header("content-type") == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", [*PROGRAMS, *PAGES, "/userinfo"])
@pytest.mark.parametrize("pieces", [1, 64], ids=["at once", "in pieces"])
def test_a_body_of_a_megabyte_is_refused(house: House, path: str, pieces: int) -> None:
    chunk = b"a" * (1_048_576 // pieces)
    answer = house.ask(Asked("POST", path, headers=(("content-type", FORM),), chunks=(chunk,) * pieces))
    assert is_invalid_request(answer, 413)


def test_a_body_at_the_limit_is_read(house: House) -> None:
    form = urlencode(GOOD["/token"]).encode() + b"&pad="
    padded = form + b"a" * (65_536 - len(form))
    assert house.ask(Asked("POST", "/token", headers=(("content-type", FORM),), chunks=(padded,))).status == 200
    longer = house.ask(Asked("POST", "/token", headers=(("content-type", FORM),), chunks=(padded, b"a")))
    assert is_invalid_request(longer, 413)


def test_a_body_in_pieces_is_read_whole(house: House) -> None:
    body = urlencode(GOOD["/token"]).encode()
    pieces = tuple(body[at : at + 1] for at in range(len(body)))
    assert house.ask(Asked("POST", "/token", headers=(("content-type", FORM),), chunks=pieces)).status == 200


@pytest.mark.parametrize("path", [*PROGRAMS, *PAGES])
def test_a_request_whose_line_breaks_halfway_is_not_acted_on(house: House, path: str) -> None:
    seen = len(house.trails)
    body = urlencode(GOOD.get(path, ASKED)).encode()
    answer = house.ask(Asked("POST", path, headers=(("content-type", FORM),), chunks=(body,), cut=True))
    assert len(house.trails) == seen, "a decision was made on half a request"
    assert answer.status in (0, 400)


def test_a_code_in_a_request_that_was_cut_off_stays_good(house: House, visitor: Visitor) -> None:
    code = visitor.code()
    form = urlencode({"grant_type": "authorization_code", "code": code, "code_verifier": "x", **SHOP}).encode()
    house.ask(Asked("POST", "/token", headers=(("content-type", FORM),), chunks=(form[:-30],), cut=True))
    assert redeem(house, code).status == 200


REPEATABLE = {
    "/token": ("grant_type", "client_id", "client_secret", "scope", "code", "refresh_token", "redirect_uri", "foo"),
    "/introspect": ("token", "token_type_hint", "client_id", "client_secret", "foo"),
    "/revoke": ("token", "token_type_hint", "client_id", "client_secret", "foo"),
    "/par": ("client_id", "redirect_uri", "state", "request", "request_uri", "client_assertion", "foo"),
}


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in REPEATABLE.items() for name in names])
@pytest.mark.parametrize("same", [True, False], ids=["alike", "differing"])
def test_a_program_that_repeats_a_parameter_is_refused(house: House, path: str, name: str, same: bool) -> None:
    value = GOOD[path].get(name, "1")
    others = [pair for pair in GOOD[path].items() if pair[0] != name]
    assert is_invalid_request(house.post(path, [*others, (name, value), (name, value if same else "2")]))


@pytest.mark.parametrize("order", [("", "robot"), ("robot", "")], ids=["empty first", "empty last"])
def test_a_parameter_sent_once_empty_and_once_not_is_sent_twice(house: House, order: tuple[str, str]) -> None:
    form = [("grant_type", "client_credentials"), ("client_secret", "robot-secret")]
    assert is_invalid_request(house.post("/token", [*form, *(("client_id", one) for one in order)]))


def test_only_resource_may_be_repeated(house: House) -> None:
    form = [*GOOD["/token"].items(), ("resource", HOTEL), ("resource", HOTEL)]
    assert house.post("/token", form).status == 200


def sign_in_page(visitor: Visitor) -> Answer:
    page = visitor.authorize()
    assert 'id="sign-in"' in page.text
    return page


@pytest.mark.parametrize("name", ["csrf", "ticket", "username", "password", "decision"])
def test_a_sign_in_form_with_a_field_twice_is_refused_with_a_page(visitor: Visitor, name: str) -> None:
    page = sign_in_page(visitor)
    fields = {**Form(page).hidden, "username": "ada@example.org", "password": "Correct-Horse-7"}
    pairs = [*fields.items(), (name, fields.get(name, "cancel")), (name, "another")]
    assert is_error_page(visitor.post("/sign-in", pairs))
    assert list(visitor.cookies) == ["innkeeper-form-native"]


@pytest.mark.parametrize("name", ["csrf", "ticket", "decision"])
def test_a_consent_form_with_a_field_twice_is_refused_with_a_page(visitor: Visitor, name: str) -> None:
    page = visitor.sign_in(sign_in_page(visitor))
    page = page if 'id="allow"' in page.text else visitor.authorize(prompt="consent")
    fields = {**Form(page).hidden, "decision": "allow"}
    assert is_error_page(visitor.post("/consent", [*fields.items(), (name, "deny")]))


@pytest.mark.parametrize("name", ["csrf", "ticket", "decision"])
def test_a_sign_out_form_with_a_field_twice_is_refused_with_a_page(visitor: Visitor, name: str) -> None:
    visitor.sign_in(sign_in_page(visitor))
    fields = {**Form(visitor.get("/logout")).hidden, "decision": "logout"}
    assert is_error_page(visitor.post("/logout", [*fields.items(), (name, "cancel")]))


WRONG = {
    "no such client": {"client_id": "nobody"},
    "no such redirect": {"redirect_uri": "https://evil.example/callback"},
    "a client with a NUL": {"client_id": "shop\x01"},
    "another client's redirect": {"client_id": "app"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_request_that_cannot_be_trusted_is_never_redirected(
    house: House, changes: dict[str, str], method: str
) -> None:
    sent = urlencode({**ASKED, **changes, "response_mode": "form_post", "response_type": "token"}).encode()
    post = method == "POST"
    asked = Asked(method, "/authorize", b"" if post else sent, (("content-type", FORM),), (sent,) if post else ())
    answer = house.ask(asked)
    assert is_error_page(answer)
    assert 'id="error-page"' in answer.text or method == "HEAD"
    assert "evil.example" not in answer.text, "outside development nothing that was sent is shown"
    assert "evil.example" not in (answer.header("content-security-policy") or "")


def test_nothing_at_all_is_an_error_page(house: House) -> None:
    assert is_error_page(house.get("/authorize"))


HEADERS = {
    "no colon": "Basic cm9ib3Q=",
    "no base64": "Basic robot:robot-secret",
    "base64url": "Basic cm9ib3Q6_-8",
    "not UTF-8": "Basic /zr/",
    "bad escapes": "Basic JUZGOiVGRg==",
    "nothing": "Basic ",
    "two headers": "Basic cm9ib3Q6cm9ib3Qtc2VjcmV0, Basic cm9ib3Q6cm9ib3Qtc2VjcmV0",
    "another client than the form": "Basic c2hvcDp4",
}


@pytest.mark.parametrize("value", HEADERS.values(), ids=HEADERS.keys())
@pytest.mark.parametrize("path", PROGRAMS)
def test_a_broken_authorization_header_is_an_invalid_request(house: House, path: str, value: str) -> None:
    form = {"client_id": "robot", "grant_type": "client_credentials", "token": "x"}
    assert is_invalid_request(house.post(path, form, authorization=value))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nowhere",
        "/token/",
        "//token",
        "/TOKEN",
        "/token%00",
        "/../etc/passwd",
        "/static/",
        "/static/../app.py",
        "/static/house.css/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_address_that_is_none_of_ours_is_not_found(house: House, path: str, method: str) -> None:
    assert house.ask(Asked(method, path)).status == 404
