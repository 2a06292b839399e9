"""An opaque token is explained by its issuer, for an API that it knows; the token is shown to nobody else."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import httpx2
import pytest

from innkeeper.cli import main
from innkeeper.client.credentials import Client, Secret
from innkeeper.client.refused import Refused
from innkeeper.client.wire import run
from innkeeper.explain import introspected
from innkeeper.explain.guarded import judged
from innkeeper.explain.verdicts import Verdict
from innkeeper.guard.issuers.native import native
from innkeeper.guard.unverified import UnverifiedToken, read_unverified
from innkeeper.protocol.refusals import UsageError
from tests.explain import shapes
from tests.inn import Inn

ISSUER = "https://issuer.example"
API = "https://api.example/orders"
ALIVE = {"active": True, "aud": API, "sub": "guest", "client_id": "app", "scope": "orders:read", "exp": 4_000_000_000}
READER = Client("orders", Secret("s3cret"))


class Desk:
    """An issuer that answers about tokens, whatever they are."""

    def __init__(self, answer: Any, status: int = 200) -> None:
        self.answer, self.status, self.asked = answer, status, list[httpx2.Request]()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if request.url.path == "/introspect":
            return httpx2.Response(self.status, json=self.answer)
        endpoint = f"{ISSUER}/introspect"
        return httpx2.Response(
            200, json={"issuer": ISSUER, "introspection_endpoint": endpoint, "token_endpoint": endpoint}
        )

    @property
    def http(self) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(self))


def explained(answer: Any, token: str = "opaque", scopes: tuple[str, ...] = (), audience: str | None = API) -> Verdict:
    told = run(introspected.asking(ISSUER, READER, token), Desk(answer).http)
    opaque = token.count(".") != 2
    said = UnverifiedToken({}, told.claims) if opaque else read_unverified(token)
    reading = introspected.reading(native(ISSUER), audience, scopes, told, is_opaque=opaque)
    return judged(reading, token, said, keys=shapes.KEYS)


def numbers(verdict: Verdict) -> list[str]:
    return [one.page.number for one in verdict.refusals]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"active": False}, ["IK572"]),
        ({"aud": "https://other.example"}, ["IK508"]),
        ({"aud": ...}, ["IK574"]),
        ({"exp": 1_700_000_000}, ["IK509"]),
        ({"scope": "orders:list"}, ["IK523"]),
        ({"iss": "https://other.example"}, ["IK573"]),
    ],
)
def test_the_issuer_s_answer_is_judged_as_a_guard_judges_it(change: dict[str, Any], expected: list[str]) -> None:
    answer = {name: value for name, value in (ALIVE | change).items() if value is not ...}
    assert numbers(explained(answer, scopes=("orders:read",)))[:1] == expected


def test_without_an_audience_whether_it_is_meant_for_the_api_is_not_asked() -> None:
    assert "audience is this api" in explained(ALIVE, audience=None).unasked


def test_a_jwt_that_was_taken_back_is_refused_by_what_its_issuer_says() -> None:
    claims = {"iss": ISSUER, "aud": API, "sub": "guest", "client_id": "app", "jti": "1"}
    token = shapes.signed(claims, {"typ": "at+jwt"})
    assert numbers(explained({"active": True}, token)) == []
    assert numbers(explained({"active": False}, token)) == ["IK572"]


def test_the_token_and_the_secret_go_to_the_issuer_s_endpoint_and_nowhere_else() -> None:
    desk = Desk(ALIVE)
    run(introspected.asking(ISSUER, READER, "opaque"), desk.http)
    shown = [one.url.path for one in desk.asked if b"opaque" in one.content or "authorization" in one.headers]
    assert shown == ["/introspect"]


def test_whoever_is_not_known_there_is_told_so() -> None:
    with pytest.raises(UsageError, match="client-secret"):
        run(introspected.asking(ISSUER, Client("orders"), "opaque"), Desk(ALIVE).http)
    with pytest.raises(Refused, match="invalid_client"):
        run(introspected.asking(ISSUER, READER, "opaque"), Desk({"error": "invalid_client"}, 401).http)


def test_the_command_asks_a_house_about_a_token_of_its_own(
    house: Inn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INNKEEPER_CLIENT_SECRET", "concierge-secret")

    def innkeeper(*words: str, text: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", StringIO(text))
        return main([*words, "--client-id", "concierge"]), capsys.readouterr().out

    code, token = innkeeper("token", "--issuer", house.url, "--scope", "gym:enter")
    assert code == 0
    words = ["explain", "--issuer", house.url, "--audience", f"{house.url}/hotel", "--json"]
    code, told = innkeeper(*words, text=token)
    assert code == 0, told
    assert "token is active" in [one["name"] for one in json.loads(told)["verdict"]["steps"]]
    code, told = innkeeper(*words, text="opaque-text-of-nobody")
    assert (code, json.loads(told)["verdict"]["refusals"]) == (1, ["IK572"])
    code, told = innkeeper(*words[:-1], text="opaque-text-of-nobody")
    assert (code, "Refused: the issuer says the token is not active" in told) == (1, True)
    assert innkeeper("explain", text="opaque")[0] == 2, "nobody is shown a token without being named"
