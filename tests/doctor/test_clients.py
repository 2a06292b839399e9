"""What an issuer does for one client: each illness is found by its number, and a healthy one has none."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import httpx2
import msgspec
import pytest

from innkeeper.cli import main
from innkeeper.client.browser import login
from innkeeper.client.credentials import Client, Secret
from innkeeper.client.token import Access, Token
from innkeeper.doctor.client_probes import STRAY
from innkeeper.doctor.clients import REDIRECT_CHECKS, REFRESH_CHECKS, TOKEN_CHECKS
from innkeeper.doctor.examination import examine_client
from innkeeper.doctor.findings import Chapter, Report
from innkeeper.keys import jws
from tests.doctor.worlds import ISSUER, NOW, SERVER, World, numbers
from tests.inn import Inn
from tests.interop.visitor import sent_back
from tests.keys.keyring import private_key

PUBLIC, CALLBACK = Client("app"), "http://127.0.0.1/callback"
RIGHT = f"Basic {b64encode(b'night-porter:right').decode()}"
MACHINE = Client("night-porter", Secret("right"))
WITH_REFRESH = Token(access_token="opaque", issuer=ISSUER, client_id="app", refresh_token="r0")


class Desk(World):
    """A healthy issuer that answers clients, too. Its members are what an illness changes."""

    def __init__(self) -> None:
        super().__init__()
        self.any_port = self.checks_redirects = self.checks_pkce = self.checks_secrets = self.rotates = True
        self.grace = self.lets_in = True
        self.successors: Iterator[str] | None = None
        self.returned: dict[str, str] = {"iss": ISSUER}
        self.answered = {"cache-control": "no-store"}
        self.refusal: dict[str, Any] = {"error": "invalid_grant"}
        self.claims: dict[str, Any] = {}
        self.renewals: list[str] = []

    def _issuer(self, request: httpx2.Request, path: str) -> httpx2.Response:
        if path == "/inn/authorize" and request.method == "GET":
            return self._authorize(dict(request.url.params))
        if path == "/inn/token" and request.method == "POST":
            form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
            return self._token(form, request.headers.get("authorization", ""))
        return super()._issuer(request, path)

    def _server(self, request: httpx2.Request, path: str) -> httpx2.Response:
        if self.lets_in and request.headers.get("authorization"):
            return httpx2.Response(200, json={})
        return super()._server(request, path)

    def _authorize(self, asked: dict[str, str]) -> httpx2.Response:
        redirect = asked["redirect_uri"]
        if (redirect == STRAY and self.checks_redirects) or (":47113" in redirect and not self.any_port):
            return httpx2.Response(400)
        error = "login_required" if "code_challenge" in asked or not self.checks_pkce else "invalid_request"
        said = {"error": error, "state": asked["state"], **self.returned}
        return httpx2.Response(302, headers={"location": str(httpx2.URL(redirect, params=said))})

    def _token(self, form: dict[str, str], shown: str) -> httpx2.Response:
        if form["grant_type"] == "authorization_code":
            return httpx2.Response(400, json=self.refusal)
        if form["grant_type"] == "refresh_token":
            return self._renewed(form["refresh_token"])
        if self.checks_secrets and shown != RIGHT:
            return httpx2.Response(401, json={"error": "invalid_client"})
        return self._given({"access_token": self._made(form)})

    def _renewed(self, token: str) -> httpx2.Response:
        if token in self.renewals and not self.grace:
            self.renewals = ["r0", "r1"]
            return httpx2.Response(400, json={"error": "invalid_grant"})
        self.renewals.append(token)
        if self.successors:
            return self._given({"access_token": "opaque", "refresh_token": next(self.successors)})
        return self._given({"access_token": "opaque", "refresh_token": "r1" if self.rotates else token})

    def _given(self, answer: dict[str, Any]) -> httpx2.Response:
        return httpx2.Response(200, json={"token_type": "Bearer", "expires_in": 600} | answer, headers=self.answered)

    def _made(self, form: dict[str, str]) -> str:
        said = {"iss": ISSUER, "aud": form.get("resource", "x"), "sub": "m", "client_id": "m", "jti": "j"} | self.claims
        header = jws.encode_header({"alg": "RS256", "kid": "k1", "typ": "at+jwt"})
        body = msgspec.json.encode({"iat": int(NOW), "exp": int(NOW) + 600} | said)
        return jws.compact(header.encode(), body, private_key("RS256"), "RS256")


def found(desk: Desk, client: Client = PUBLIC, token: Token | None = None) -> set[str]:
    return numbers(Report(ISSUER, chapters(desk, client, token)))


def chapters(desk: Desk, client: Client, token: Token | None = None) -> tuple[Chapter, ...]:
    redirect = CALLBACK if client.public else ""
    access, http = Access("a", SERVER), desk._http()
    return examine_client(
        ISSUER, client, access, redirect_uri=redirect, token=token, mcp=SERVER, http=http, clock=lambda: NOW
    )


def ill(**members: Any) -> Desk:
    desk = Desk()
    for name, value in members.items():
        assert hasattr(desk, name), name
        setattr(desk, name, value)
    return desk


def test_a_healthy_issuer_has_none() -> None:
    assert found(Desk(), MACHINE) == set()
    assert found(Desk(), PUBLIC, WITH_REFRESH) == set()


def _unauthorized(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(400, json={"error": "unauthorized_client"})


ILLNESSES: list[tuple[str, Client, dict[str, Any]]] = [
    ("IK870", MACHINE, {"at": {"/inn/token": _unauthorized}}),
    ("IK871", MACHINE, {"answered": {}}),
    ("IK872", MACHINE, {"checks_secrets": False}),
    ("IK873", MACHINE, {"claims": {"aud": "https://other.example"}}),
    ("IK874", MACHINE, {"claims": {"jti": ""}}),
    ("IK875", PUBLIC, {"any_port": False}),
    ("IK876", PUBLIC, {"checks_redirects": False}),
    ("IK877", PUBLIC, {"checks_pkce": False}),
    ("IK878", PUBLIC, {"returned": {}}),
    ("IK878", PUBLIC, {"returned": {"iss": ISSUER, "state": "another"}}),
    ("IK879", PUBLIC, {"refusal": {}}),
    ("IK841", PUBLIC, {"rotates": False}),
    ("IK842", PUBLIC, {"successors": iter("abcdef")}),
    ("IK843", PUBLIC, {"grace": False}),
    ("IK844", MACHINE, {"lets_in": False}),
]


@pytest.mark.parametrize(("number", "client", "members"), ILLNESSES)
def test_each_illness_is_found_by_its_number(number: str, client: Client, members: dict[str, Any]) -> None:
    assert number in found(ill(**members), client, WITH_REFRESH if client is PUBLIC else None)


def test_an_api_s_name_in_a_cloud_s_words_is_no_illness_where_no_api_was_asked_for() -> None:
    desk = ill(claims={"aud": "https://wherever.example"})
    seen = examine_client(ISSUER, MACHINE, Access("a"), http=desk._http(), clock=lambda: NOW)
    assert numbers(Report(ISSUER, seen)) == set()


def test_no_secret_and_no_token_stands_in_the_report() -> None:
    desk = Desk()
    said = json.dumps(Report(ISSUER, chapters(desk, MACHINE) + chapters(desk, PUBLIC, WITH_REFRESH)).as_document())
    made = [one for request in desk.asked for one in (request.url.params.get("state"),) if one]
    assert not any(secret in said for secret in ("right", "eyJ", '"r0"', '"r1"', *made))


def test_each_check_belongs_to_a_chapter() -> None:
    titles = [one.title for one in chapters(Desk(), PUBLIC, WITH_REFRESH)]
    assert titles == ["Sent back to app", "A token for app", "Its renewal"]
    assert len(REDIRECT_CHECKS + TOKEN_CHECKS + REFRESH_CHECKS) == 14


# --- a real house ----------------------------------------------------------------------------------------------------


def test_a_house_does_all_of_it_for_its_clients(house: Inn) -> None:
    hotel = Access("gym:enter", f"{house.url}/hotel")
    machine = examine_client(house.url, Client("concierge", Secret("concierge-secret")), hotel)
    assert [one.number for one in _findings(machine)] == []
    guest = Client("guest-app")
    token = login(house.url, guest, hotel, redirect=CALLBACK, show=_visit, timeout=30)
    assert token.refresh_token
    seen = examine_client(house.url, guest, hotel, redirect_uri=CALLBACK, token=token)
    assert [one.number for one in _findings(seen)] == []


def _visit(url: str) -> None:
    """Somebody at a browser, beside the program that waits for its answer."""
    Thread(target=lambda: httpx2.get(sent_back(url)), daemon=True).start()


def _findings(seen: tuple[Chapter, ...]) -> list[Any]:
    return [one.finding.page for one in Report("", seen).findings() if one.finding]


def test_the_command_asks_for_the_client_and_takes_its_secret_from_the_environment(
    house: Inn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INNKEEPER_CLIENT_SECRET", "concierge-secret")
    resource = f"{house.url}/hotel"
    words = ["doctor", house.url, "--client-id", "concierge", "--resource", resource, "--scope", "gym:enter", "--json"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert json.loads(said)["chapters"][-1]["title"] == "A token for concierge"
    assert "concierge-secret" not in said
    monkeypatch.setenv("INNKEEPER_CLIENT_SECRET", "another")
    assert main(words) == 1
    assert "IK870" in capsys.readouterr().out
    assert main(["doctor", house.url, "--sign-in"]) == 2
