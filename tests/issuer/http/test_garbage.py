"""Whatever is sent to whichever endpoint: an answer with a client error at worst, and no word of what is inside."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from innkeeper.protocol import base64url
from tests.issuer.house import ASKED, FORM, HOTEL, ORIGIN, VERIFIER, Answer, Asked, House
from tests.issuer.visitor import ROBOT, SHOP, Form, Visitor, redeem

INSIDE = re.compile(rb"Traceback|File \"|innkeeper\.|site-packages|sqlite3|\.py\b|Exception|<object at")
"""What an answer would hold if the inside of the house leaked out."""

bounded = settings(
    max_examples=30,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def nothing_fails_inside(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    failed = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert [(one.getMessage(), one.exc_info and one.exc_info[1]) for one in failed] == []


def is_proper(answer: Answer, asked: object = None) -> bool:
    """Whether the answer is one that a caller may be given."""
    assert 200 <= answer.status < 500, (asked, answer)
    assert INSIDE.search(answer.body) is None, (asked, answer)
    assert not any("\n" in value or "\r" in value for _, value in answer.headers)
    to = answer.header("location")
    assert to is None or to.startswith(("/", f"{ORIGIN}/", "https://shop.example/", "http://127.0.0.1")), to
    return True


@pytest.fixture(scope="module")
def real(house: House) -> dict[str, str]:
    """Values that are good somewhere, to be sent everywhere."""
    visitor = Visitor(house)
    tokens = redeem(house, visitor.code()).json
    page = visitor.authorize(prompt="login")
    return {**tokens, **Form(page).hidden, "code": visitor.code(), "cookie": visitor.cookies["innkeeper-native"]}


NAMES = sorted(
    {
        *ASKED,
        *SHOP,
        *("grant_type", "code", "code_verifier", "refresh_token", "resource", "token", "token_type_hint"),
        *("client_assertion", "client_assertion_type", "access_token", "id_token_hint", "post_logout_redirect_uri"),
        *("ticket", "csrf", "username", "password", "decision", "prompt", "max_age", "response_mode", "login_hint"),
        *("request", "request_uri", "claims", "acr_values", "id", "user_code", "device_code", "authorization_details"),
        *("subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type"),
        *("assertion", "audience", "binding_message", "login_hint_token", "client_notification_token"),
        *("requested_expiry", "auth_req_id", "dpop_jkt", "display", "ui_locales", "foo", ""),
    }
)
STRANGE = ("", " ", "\x01", "é🗝", "\ud7ff", "a" * 3000, "../../etc/passwd", "'; DROP TABLE codes; --", "<script>", "%00", "-1",
           "9" * 30, "null", "[]", "{}", '{"a":', "a.b.c", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.", "https://[::1", "http://@")  # fmt: skip
GRANTS = ("authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code",
          "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer",
          "urn:openid:params:grant-type:ciba")  # fmt: skip

values = st.one_of(
    st.sampled_from(STRANGE),
    st.sampled_from([*ASKED.values(), *SHOP.values(), *ROBOT.values(), *GRANTS, HOTEL, VERIFIER]),
    st.text(max_size=40),
)
pairs = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=10)
bodies = st.one_of(
    pairs.map(lambda sent: urlencode(sent, errors="replace").encode()),
    st.binary(max_size=300),
    st.text(alphabet='%&=+;{}[]"\\:,.0123456789abcdefABCDEF', max_size=200).map(str.encode),
)
kinds = st.sampled_from([FORM, f"{FORM}; charset=utf-8", f"{FORM};charset=utf-16", "application/json", "text/plain", "", "\xff", "multipart/form-data; boundary=x", "application/jwt"])  # fmt: skip
extra_headers = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "authorization",
                "cookie",
                "origin",
                "sec-fetch-site",
                "dpop",
                "accept",
                "if-none-match",
                "x-forwarded-for",
                "host",
                "client-cert",
                "content-length",
            ]
        ),
        st.one_of(
            st.sampled_from(
                [
                    "Basic Og==",
                    "Basic x",
                    "Bearer x",
                    "Bearer a.b.c",
                    "DPoP x",
                    "basic cm9ib3Q6cm9ib3Qtc2VjcmV0",
                    "null",
                    "*",
                    "-1",
                    ORIGIN,
                    "innkeeper-native=x; innkeeper-form-native=y",
                ]
            ),
            st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40),
        ),
    ),
    max_size=3,
)


@st.composite
def requests(draw: st.DrawFn, path: str) -> Asked:
    method = draw(st.sampled_from(["GET", "POST", "POST", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"]))
    body, query = draw(bodies), draw(bodies)
    headers = (("content-type", draw(kinds)), *draw(extra_headers))
    pieces = (body,) if draw(st.booleans()) else tuple(body[at : at + 7] for at in range(0, len(body), 7))
    return Asked(method, path, query, headers, pieces or (b"",), draw(st.sampled_from(["127.0.0.1", "::1", "", "x"])))


def paths(house: House) -> list[str]:
    return sorted(path for path in house.issuer.site._endpoints if not path.startswith("/static/"))


def test_there_is_something_to_send_to(house: House) -> None:
    assert len(paths(house)) >= 12


@given(st.data())
@bounded
def test_garbage_gets_a_proper_answer(house: House, data: st.DataObject) -> None:
    for path in paths(house):
        asked = data.draw(requests(path), label=path)
        assert is_proper(house.ask(asked), asked)


@given(st.data())
@bounded
def test_what_is_good_elsewhere_gets_a_proper_answer_everywhere(
    house: House, real: dict[str, str], data: st.DataObject
) -> None:
    good: dict[str, Any] = {"token": real["access_token"], "id_token_hint": real["id_token"], "subject_token": real["id_token"],
                            "actor_token": real["access_token"], "assertion": real["id_token"], "request": real["id_token"], **real}  # fmt: skip
    for path in paths(house):
        sent = dict(data.draw(pairs))
        for name in data.draw(st.sets(st.sampled_from([*sorted(good), *GRANTS]), max_size=6)):
            sent.update({"grant_type": name} if name in GRANTS else {name: good[name]})
        proof = data.draw(st.sampled_from([SHOP, ROBOT, {"client_id": "app"}, {}]))
        body = urlencode({**sent, **proof}, errors="replace").encode()
        cookie = f"innkeeper-native={real['cookie']}"
        bearer = data.draw(st.sampled_from([(), (("authorization", f"Bearer {real['access_token']}"),)]))
        headers = (("content-type", FORM), ("cookie", cookie), *bearer)
        for asked in (Asked("POST", path, b"", headers, (body,)), Asked("GET", path, body, headers)):
            assert is_proper(house.ask(asked), (path, sent, proof))


@given(pairs, st.sampled_from(["GET", "POST"]))
@bounded
def test_an_authorization_request_with_garbage_in_it_is_answered_where_it_may_be(
    house: House, sent: list[tuple[str, str]], method: str
) -> None:
    body = urlencode([*ASKED.items(), *sent], errors="replace").encode()
    post = method == "POST"
    answer = house.ask(
        Asked(method, "/authorize", b"" if post else body, (("content-type", FORM),), (body,) if post else ())
    )
    assert is_proper(answer, sent)
    if answer.header("location") and not answer.location.startswith("/"):
        assert answer.location.startswith("https://shop.example/callback")


@given(
    st.binary(max_size=200), st.binary(max_size=200), st.sampled_from(["/sign-in", "/consent", "/authorize", "/logout"])
)
@bounded
def test_a_ticket_of_garbage_opens_nothing(house: House, body: bytes, mac: bytes, path: str) -> None:
    ticket = f"{base64url.encode_text(body)}.{base64url.encode_text(mac)}"
    answer = house.get(f"{path}?{urlencode({'ticket': ticket})}")
    assert answer.status in (200, 400)
    assert answer.header("location") is None


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=100))
@bounded
def test_a_header_of_garbage_is_refused(house: House, value: str) -> None:
    for prefix in ("", "Basic ", "Bearer ", "DPoP "):
        sent = {"authorization": prefix + value}
        assert is_proper(house.post("/token", {"grant_type": "client_credentials"}, **sent), value)
        assert house.get("/userinfo", **sent).status == 401
        assert is_proper(house.get("/authorize", cookie=value), value)


def test_after_all_of_it_the_house_still_serves(house: House, visitor: Visitor) -> None:
    assert redeem(house, visitor.code()).status == 200
