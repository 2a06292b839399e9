"""What is seen of somebody's own application: what is kept, whose it is, what is masked, what stays and for how long."""

from __future__ import annotations

import asyncio
from base64 import b64encode

import msgspec
import pytest

from innkeeper.tour.marks import marked
from innkeeper.tour.record import BODY_LIMIT, MASK
from innkeeper.tour.watch.choosing import Choice
from innkeeper.tour.watch.shown import document, row
from tests.tour.watch.world import Watched
from tests.tour.world import BASE, NOW, token

FORM = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "hush-hush"}


def test_a_message_is_kept_with_its_trail_and_its_client() -> None:
    message = Watched().seen("POST", "/token?a=1", data=FORM)
    assert (message.n, message.realm, message.client, message.method, message.path) == (
        1,
        "native",
        "app",
        "POST",
        "/token",
    )
    assert (message.status, message.outcome, message.origin, message.query) == (200, "ok", BASE, (("a", "1"),))
    assert [len(trail.steps) for trail in message.trails] == [1]


def test_a_refusal_names_the_check_that_said_no() -> None:
    message = Watched().seen("POST", "/token", data=FORM | {"client_secret": "wrong"})
    line = row(message, pinned=False)
    assert (line["outcome"], line["failed"], line["number"]) == ("refused", "The secret fits", "IK999")


def test_a_site_that_breaks_down_is_seen_as_failed() -> None:
    message = Watched().seen("GET", "/down")
    assert (message.status, message.outcome, message.trails) == (0, "failed", ())


@pytest.mark.parametrize("path", ["/tour", "/tour/watch/events", "/static/house.css", "/readyz", "/favicon.ico"])
def test_pages_of_the_tour_files_and_probes_are_nobodys_traffic(path: str) -> None:
    assert Watched().ask("GET", path) is None


def test_the_tours_own_requests_are_not_shown_as_somebody_elses() -> None:
    assert Watched().ask("GET", "/jwks", marked("v1")) is None


def test_nothing_is_kept_while_nobody_watches() -> None:
    watched = Watched()
    watched.ring.turn(on=False)
    assert watched.ask("GET", "/jwks") is None


@pytest.mark.parametrize(
    ("host", "path", "headers", "realm"),
    [
        ("cognito-idp.us-east-1.amazonaws.com", "/", {"x-amz-target": "X.InitiateAuth"}, "cognito"),
        ("login.microsoftonline.com", "/common/oauth2/v2.0/token", {}, "entra"),
        ("127.0.0.1:8400", "/", {"x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth"}, "cognito"),
        ("127.0.0.1:8400", "/v1.0/me", {}, "entra"),
        ("127.0.0.1:8400", "/hotel/gym", {}, "hotel"),
    ],
)
def test_the_realm_is_told_by_host_and_path(host: str, path: str, headers: dict[str, str], realm: str) -> None:
    message = Watched().seen("POST", path, {"host": host, **headers})
    assert message.realm == realm
    assert message.origin == (f"https://{host}" if "127" not in host else BASE)


def test_the_client_is_read_wherever_a_request_names_it() -> None:
    basic = b64encode(b"by%2Dbasic:secret").decode()
    said = [
        Watched().seen("POST", "/token", {"authorization": f"Basic {basic}"}).client,
        Watched().seen("GET", "/authorize?client_id=by-query").client,
        Watched().seen("POST", "/us-east-1_x", {"x-amz-target": "a.b"}, json={"ClientId": "by-json"}).client,
        Watched().seen("GET", "/hotel/gym", {"authorization": f"Bearer {token()}"}).client,
        Watched().seen("GET", "/hotel/gym", {"authorization": "Bearer opaque"}).client,
        Watched().seen("GET", "/hotel/gym", {"authorization": "Basic ?"}).client,
    ]
    assert said == ["by-basic", "by-query", "by-json", "guest-app", "", ""]


def test_passwords_and_cookies_are_gone_before_anything_is_kept() -> None:
    asked = {
        "AuthParameters": {"USERNAME": "guest", "PASSWORD": "Correct-Horse-7"},
        "ProposedPassword": "Correct-Horse-8",
    }
    by_json = Watched().seen("POST", "/", {"x-amz-target": "a.InitiateAuth", "cookie": "s=crumb"}, json=asked)
    by_form = Watched().seen(
        "POST", "/sign-in", data={"username": "guest", "password": "Correct-Horse-7", "csrf": "proof"}
    )
    for message in (by_json, by_form):
        kept = repr(message)
        assert "Correct-Horse" not in kept
        assert "crumb" not in kept
        assert "proof" not in kept
    assert by_json.content.lacks == ("PASSWORD", "ProposedPassword")
    assert by_form.content.lacks == ("password", "csrf")


def test_a_password_policy_is_no_password() -> None:
    policy = {"Policies": {"PasswordPolicy": {"MinimumLength": 8}}, "PasswordPolicyUrl": "x"}
    assert Watched().seen("POST", "/", {"x-amz-target": "a.b"}, json=policy).content.document == policy


SECRETS = {
    "client_secret": "s3cret",
    "code": "c0de-once",
    "code_verifier": "verif1er",
    "refresh_token": "v0ucher",
    "subject_token": "t0ken",
    "assertion": "assert1on",
    "device_code": "dev1ce",
}


def test_what_opens_something_is_masked_and_revealed_when_asked() -> None:
    headers = {
        "authorization": "Basic YXBwOnMzY3JldA==",
        "dpop": "pr00f",
        "referer": f"{BASE}/back?code=c0de-once&state=x",
    }
    message = Watched().seen("POST", f"/token?id_token_hint={token()}", headers, data=SECRETS | {"scope": "gym:enter"})
    masked = msgspec.json.encode(document(message, NOW, revealed=False, pinned=False)).decode()
    for secret in (*SECRETS.values(), "YXBwOnMzY3JldA", "pr00f", token().rpartition(".")[2], "voucher-new"):
        assert secret not in masked
    assert "gym:enter" in masked
    assert "state=x" in masked
    shown = msgspec.json.encode(document(message, NOW, revealed=True, pinned=False)).decode()
    for secret in (*SECRETS.values(), "YXBwOnMzY3JldA", "voucher-new"):
        assert secret in shown
    assert "crumbs" not in shown


def test_a_masked_token_still_says_what_it_says() -> None:
    message = Watched().seen("GET", "/hotel/gym", {"authorization": f"Bearer {token()}"})
    [one, *_] = document(message, NOW, revealed=False, pinned=False)["tokens"]
    claims = {claim["name"]: claim["value"] for claim in one["claims"]}
    assert claims["sub"] == "guest-204"
    assert one["parts"][2] == MASK
    assert one["title"] == "An access token"


def test_the_code_of_an_error_is_no_code_that_opens_something() -> None:
    message = Watched().seen(
        "POST", "/v1.0/me", json={"error": {"code": "InvalidToken", "message": "no"}, "code": "once"}
    )
    said = document(message, NOW, revealed=False, pinned=False)["request"]["body"]["text"]
    assert "InvalidToken" in said
    assert "once" not in said


def test_a_long_body_is_known_by_its_size_alone() -> None:
    message = Watched().seen("POST", "/token", data={"scope": "x" * BODY_LIMIT})
    assert (message.content.kind, message.content.pairs) == ("other", ())


def test_the_ring_is_bounded_and_what_is_pinned_stays() -> None:
    watched = Watched(kept=3)
    for _ in range(2):
        watched.seen("GET", "/jwks")
    assert watched.ring.pin(1) is True
    for _ in range(4):
        watched.seen("GET", "/jwks")
    assert [one.n for one in watched.ring.messages()] == [1, 4, 5, 6]
    watched.ring.clear()
    assert [one.n for one in watched.ring.messages()] == [1]
    assert watched.ring.pin(1) is False
    assert list(watched.ring.messages()) == []
    assert watched.ring.pin(9) is None


def test_pins_are_bounded_too() -> None:
    watched = Watched()
    watched.ring._most_pinned = 1
    for _ in range(2):
        watched.seen("GET", "/jwks")
    assert [watched.ring.pin(1), watched.ring.pin(2)] == [True, None]


def test_whoever_comes_back_gets_what_it_missed_and_nothing_twice() -> None:
    watched = Watched()
    for _ in range(3):
        watched.seen("GET", "/jwks")

    async def heard() -> list[list[int]]:
        got = []
        news = watched.ring.news(1, patience=5)
        got.append([one.n for one in await anext(news)])
        waiting = asyncio.ensure_future(anext(news))
        await asyncio.sleep(0)
        watched.ring.add(watched.ring.messages()[0])
        got.append([one.n for one in await waiting])
        await news.aclose()
        return got

    assert asyncio.run(heard()) == [[2, 3], [4]]


def test_a_silent_stream_ends_so_that_a_server_can_stop() -> None:
    async def heard() -> int:
        return len([fresh async for fresh in Watched().ring.news(0, patience=0.001)])

    assert asyncio.run(heard()) == 1


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({}, True),
        ({"realm": "native"}, True),
        ({"realm": "entra"}, False),
        ({"client": "app"}, True),
        ({"client": "ap"}, False),
        ({"outcome": "refused"}, True),
        ({"outcome": "ok"}, False),
        ({"text": "SECRET FITS"}, True),
        ({"text": "ik999"}, True),
        ({"text": "nothing of it"}, False),
        ({"pinned": "yes"}, False),
    ],
)
def test_a_choice_takes_what_fits(asked: dict[str, str], fits: bool) -> None:
    message = Watched().seen("POST", "/token", data=FORM | {"client_secret": "wrong"})
    choice = Choice.of(asked)
    assert choice.takes(row(message, pinned=False)) is fits
    assert Choice.of(dict(pair.split("=") for pair in choice.query.replace("+", " ").split("&") if pair)) == choice
