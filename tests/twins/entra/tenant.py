"""The twin's tenant inside a test: its application, a clock moved by hand, and what the settings seeded it with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from msgspec.structs import replace

from innkeeper.issuer.desk.entra.seeding import guid, secret_of
from innkeeper.issuer.settings import SeedTwin, load
from innkeeper.protocol import base64url, pkce
from tests.issuer.house import ORIGIN, PASSWORD, VERIFIER, Answer, Asked, House, named
from tests.issuer.visitor import Visitor

TENANT = "5a9b7f1e-3c42-4d7a-8e15-0c6d2f4b9a31"
OTHER = "7c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f"
GUEST, ADMIN = "guest@hotel.example", "admin@hotel.example"
HOTEL = f"{ORIGIN}/hotel"
GRAPH = "https://graph.microsoft.com"

CONCIERGE = guid(TENANT, "application", "concierge")
SECRET = secret_of(TENANT, "concierge", "concierge-secret")
CARETAKER = guid(TENANT, "application", "caretaker")
CARETAKER_SECRET = secret_of(TENANT, "caretaker", "caretaker-secret")
APP = guid(TENANT, "application", "guest-app")
API = guid(TENANT, "application", "{origin}/hotel")
CALLBACK = "http://127.0.0.1:8765/callback"
APP_CALLBACK = "http://localhost:5000/callback"
CLIENT = {"client_id": CONCIERGE, "client_secret": SECRET}


class Tenant:
    """A house with the twin in it."""

    def __init__(self, house: House) -> None:
        self.house = house

    def get(self, path: str, **headers: str) -> Answer:
        return self.house.get(path if path.startswith("/") else f"/{TENANT}/{path}", **headers)

    def token(
        self, form: dict[str, str], path: str = "oauth2/v2.0/token", authority: str = TENANT, **headers: str
    ) -> Answer:
        return self.house.post(f"/{authority}/{path}", form, **headers)

    def client_credentials(self, scope: str = f"api://{API}/.default", **changes: str) -> Answer:
        form = {"grant_type": "client_credentials", **CLIENT, "scope": scope, **changes}
        return self.token({name: value for name, value in form.items() if value})

    def graph(self, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
        """A call of Microsoft Graph as the caretaker."""
        bearer = token or access(
            self.token(
                {
                    "grant_type": "client_credentials",
                    "client_id": CARETAKER,
                    "client_secret": CARETAKER_SECRET,
                    "scope": f"{GRAPH}/.default",
                }
            )
        )
        path, _, query = path.partition("?")
        headers = {"authorization": f"Bearer {bearer}", "content_type": "application/json"}
        chunks = (json.dumps(body).encode(),) if body is not None else ()
        return self.house.ask(Asked(method, path, query.encode("ascii"), named(headers), chunks))

    def browser(self) -> Visitor:
        return Visitor(self.house)

    def authorize(
        self, browser: Visitor, authority: str = TENANT, path: str = "oauth2/v2.0/authorize", **changes: str
    ) -> Answer:
        """An authorization request of the guest's app, with some parameters changed; "" leaves one out."""
        asked = {
            "client_id": APP,
            "response_type": "code",
            "redirect_uri": APP_CALLBACK,
            "scope": f"openid profile offline_access api://{API}/room:enter",
            "state": "s-1",
            "code_challenge": pkce.challenge(VERIFIER),
            "code_challenge_method": "S256",
            **changes,
        }
        sent = {name: value for name, value in asked.items() if value}
        return browser.get(f"/{authority}/{path}?{urlencode(sent)}")

    def through(self, browser: Visitor, page: Answer, username: str = GUEST) -> Answer:
        """What comes after signing in and accepting, as far as a page asks for it."""
        if 'id="sign-in"' in page.text:
            page = browser.sign_in(page, username, PASSWORD)
        return browser.allow(page) if 'id="allow"' in page.text else page

    def code(self, browser: Visitor | None = None, username: str = GUEST, **changes: str) -> str:
        browser = browser or self.browser()
        answer = self.through(browser, self.authorize(browser, **changes), username)
        assert "code" in answer.sent_back, answer.location
        return answer.sent_back["code"]

    def redeem(self, code: str, /, **changes: str) -> Answer:
        form = {
            "grant_type": "authorization_code",
            "client_id": APP,
            "code": code,
            "redirect_uri": APP_CALLBACK,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.token({name: value for name, value in form.items() if value})

    def signed_in(self, **changes: str) -> dict[str, Any]:
        """The tokens of a person who signed in to the guest's app."""
        answer = self.redeem(self.code(**changes))
        assert answer.status == 200, answer.text
        return body(answer)


@contextmanager
def open_tenant(
    folder: Path, *tenants: SeedTwin, issuer: Literal["local", "cloud"] = "local", **switches: bool
) -> Iterator[Tenant]:
    settings = load(None, {})
    entra = [replace(one, switches=switches, issuer=issuer) for one in settings.twin if one.dialect == "entra"]
    house = House(folder, replace(settings, twin=[*entra, *tenants]), development=True)
    try:
        yield Tenant(house)
    finally:
        house.close()


def body(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.body)
    return found


def access(answer: Answer) -> str:
    assert answer.status == 200, answer.text
    return str(body(answer)["access_token"])


def claims(token: str) -> dict[str, Any]:
    return _part(token, 1)


def header(token: str) -> dict[str, Any]:
    return _part(token, 0)


def _part(token: str, place: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64url.decode(token.split(".")[place]))
    return found


def code_of(answer: Answer) -> int:
    """The AADSTS number of an error answer, whose description begins with it."""
    found = body(answer)
    assert found["error_description"].startswith(f"AADSTS{found['error_codes'][0]}: "), found
    return int(found["error_codes"][0])


def fragment(answer: Answer) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).fragment).items()}
