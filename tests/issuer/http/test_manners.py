"""HTTP as every endpoint speaks it: methods, cross-origin headers, caching. New endpoints are held to it as they come."""

from __future__ import annotations

import pytest

from innkeeper.issuer.dialects.layout import Endpoints
from tests.issuer.house import FORM, ORIGIN, Asked, House
from tests.issuer.visitor import ROBOT, Visitor, redeem

SHARED = ("/token", "/revoke", "/userinfo", "/jwks", "/.well-known/openid-configuration")
"""What pages of other origins may read."""

PRIVATE = ("/authorize", "/sign-in", "/consent", "/logout", "/introspect", "/par", "/_explain", "/static/house.css")
"""What they may not."""


def endpoints(house: House) -> Endpoints:
    return house.issuer.site._endpoints


def test_every_endpoint_is_either_for_all_origins_or_for_none(house: House) -> None:
    table = endpoints(house)
    assert {path for path in SHARED if not table[path].cors} == set()
    assert {path for path in PRIVATE if table[path].cors} == set()


def test_a_method_that_an_endpoint_does_not_take_is_told_which_it_does(house: House) -> None:
    for path, endpoint in endpoints(house).items():
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - endpoint.methods:
            answer = house.ask(Asked(method, path))
            assert answer.status == 405, (method, path)
            allowed = set((answer.header("allow") or "").split(", "))
            assert allowed - {"OPTIONS"} == endpoint.methods, path
            assert answer.header("cache-control") == "no-store"
            assert bool(answer.body) == (method != "HEAD"), "an answer to HEAD has no body"


def test_no_request_by_get_can_carry_a_secret_to_the_token_endpoint(house: House) -> None:
    answer = house.get("/token?grant_type=client_credentials&client_id=robot&client_secret=robot-secret")
    assert (answer.status, answer.header("allow")) == (405, "OPTIONS, POST")


@pytest.mark.parametrize("path", SHARED)
def test_a_preflight_is_answered_where_other_origins_may_call(house: House, path: str) -> None:
    answer = house.ask(
        Asked(
            "OPTIONS",
            path,
            headers=(
                ("origin", "https://spa.example"),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "authorization,content-type,dpop"),
            ),
        )
    )
    assert (answer.status, answer.body) == (204, b"")
    assert answer.every("access-control-allow-origin") == ["*"]
    methods = set((answer.header("access-control-allow-methods") or "").split(", "))
    assert methods - {"OPTIONS"} == endpoints(house)[path].methods
    headers = {one.lower() for one in (answer.header("access-control-allow-headers") or "").split(", ")}
    assert {"authorization", "content-type"} <= headers
    assert answer.header("access-control-allow-credentials") is None


@pytest.mark.parametrize("path", PRIVATE)
def test_a_preflight_is_refused_where_they_may_not(house: House, path: str) -> None:
    asked = Asked(
        "OPTIONS", path, headers=(("origin", "https://spa.example"), ("access-control-request-method", "POST"))
    )
    answer = house.ask(asked)
    assert answer.status == 405
    assert [name for name, _ in answer.headers if name.startswith("access-control")] == []


def test_answers_and_errors_are_readable_by_other_origins_exactly_where_they_may_call(house: House) -> None:
    for path, endpoint in endpoints(house).items():
        method = "GET" if "GET" in endpoint.methods else next(iter(endpoint.methods))
        for body in (b"", b"\xff", b"a" * 100_000):
            sent = Asked(
                "POST" if "POST" in endpoint.methods else method, path, b"", (("content-type", FORM),), (body,)
            )
            answer = house.ask(sent)
            expected = ["*"] if endpoint.cors else []
            assert answer.every("access-control-allow-origin") == expected, (path, body[:3])
            assert answer.header("access-control-allow-credentials") is None


def test_no_page_for_people_can_be_read_by_another_origin(house: House) -> None:
    visitor = Visitor(house)
    code = visitor.code()
    pages = [
        visitor.authorize(prompt="login"),
        visitor.authorize(prompt="consent"),
        visitor.get("/logout"),
        visitor.get("/consent"),
    ]
    assert [one for page in pages for one, _ in page.headers if one.startswith("access-control")] == []
    shared = redeem(house, code)
    assert shared.header("access-control-allow-origin") == "*"


def test_head_is_get_without_a_body(house: House) -> None:
    for path, endpoint in endpoints(house).items():
        if "HEAD" not in endpoint.methods:
            continue
        got, head = house.ask(Asked("GET", path)), house.ask(Asked("HEAD", path))
        assert (head.status, head.body) == (got.status, b""), path
        told = {name for name, _ in got.headers}
        assert {name for name, _ in head.headers} == told, path


def test_the_length_said_is_the_length_sent(house: House) -> None:
    for path in endpoints(house):
        answer = house.ask(Asked("GET", path))
        assert answer.every("content-length") == [str(len(answer.body))], path


def test_no_header_is_sent_twice_and_none_holds_a_line_break(house: House) -> None:
    for path in endpoints(house):
        for method in ("GET", "POST", "OPTIONS"):
            answer = house.ask(
                Asked(method, path, b"state=%0D%0Ax:y", (("content-type", FORM),), (b"state=%0D%0Ax:y",))
            )
            names = [name for name, _ in answer.headers if name != "set-cookie"]
            assert len(names) == len(set(names)), (method, path, names)
            assert not any("\n" in value or "\r" in value for _, value in answer.headers)


def test_what_may_be_kept_says_so_and_what_may_not_too(house: House) -> None:
    kept = ("/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
    assert {house.get(path).header("cache-control") for path in kept} == {"public, max-age=300"}
    answers = [
        house.post("/token", {}),
        house.token({"grant_type": "client_credentials", **ROBOT}),
        house.post("/introspect", {"token": "x", **ROBOT}),
        house.post("/introspect", {}),
        house.post("/revoke", {"token": "x", **ROBOT}),
        house.get("/userinfo"),
        house.get("/userinfo", authorization="Bearer x"),
        house.get("/authorize"),
        house.get("/logout"),
        house.post("/par", {}),
    ]
    assert {answer.header("cache-control") for answer in answers} == {"no-store"}


@pytest.mark.parametrize(
    ("authorization", "status", "challenge"),
    [
        (None, 401, 'Bearer realm="innkeeper"'),
        ("Basic cm9ib3Q6eA==", 401, 'Bearer realm="innkeeper"'),
        ("Bearer", 401, 'Bearer realm="innkeeper"'),
        ("Bearer ", 401, 'Bearer realm="innkeeper"'),
        ("Bearer x", 401, 'error="invalid_token"'),
        ("Bearer a.b.c", 401, 'error="invalid_token"'),
        ("Bearer é", 401, 'error="invalid_token"'),
        ("Bearer x y", 401, 'error="invalid_token"'),
        ("Bearer " + "a" * 50_000, 401, 'error="invalid_token"'),
    ],
)
def test_userinfo_says_what_it_needs(house: House, authorization: str | None, status: int, challenge: str) -> None:
    answer = house.get("/userinfo", **({"authorization": authorization} if authorization else {}))
    assert (answer.status, answer.body) == (status, b"")
    said = answer.header("www-authenticate") or ""
    assert said == challenge if "error" not in challenge else challenge in said
    assert said.startswith("Bearer ")


def test_a_robots_token_does_not_open_userinfo(house: House) -> None:
    token = house.token({"grant_type": "client_credentials", **ROBOT}).json["access_token"]
    assert house.get("/userinfo", authorization=f"Bearer {token}").status == 401


def test_a_token_without_openid_is_told_which_scope_it_lacks(house: House, visitor: Visitor) -> None:
    token = redeem(house, visitor.code(scope="email", nonce=None)).json["access_token"]
    answer = house.get("/userinfo", authorization=f"Bearer {token}")
    assert answer.status == 403
    said = answer.header("www-authenticate") or ""
    assert 'error="insufficient_scope"' in said
    assert 'scope="openid"' in said


def test_an_error_tells_nothing_of_the_reason_outside_development(house: House) -> None:
    answer = house.post("/token", {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "guess"})
    refusal = house.last.refusal
    assert refusal is not None
    assert refusal.reason not in answer.text
    assert "error_uri" not in answer.json
    assert house.get("/_explain?id=x").status == 404
    assert ORIGIN not in answer.text
