"""The seeded pool inside a test: its clients, its endpoints, its JSON API, in a house whose clock is moved by hand."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from innkeeper.issuer.core.cognito.srp import secret_hash
from innkeeper.issuer.desk.cognito.seed import seeded_client_id, seeded_client_secret
from innkeeper.issuer.settings import SeedClient, SeedPerson, SeedResource, SeedTwin, Settings
from innkeeper.protocol import pkce
from tests.issuer.house import ORIGIN, PASSWORD, VERIFIER, Answer, Asked, House

POOL = "us-east-1_innkeepr1"
BASE = f"/{POOL}"
ISSUER = f"{ORIGIN}{BASE}"
GUEST = "guest@hotel.example"
HOTEL = f"{ORIGIN}/hotel"
CALLBACK = "http://127.0.0.1:8765/callback"
CONCIERGE, GUEST_APP = seeded_client_id(POOL, "concierge"), seeded_client_id(POOL, "guest-app")
SECRET = seeded_client_secret(POOL, "concierge")
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=key/20261127/us-east-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=abc"
)
TARGET = "AWSCognitoIdentityProviderService."
DOORS = ("gym:enter", "pool:enter", "room:enter", "vip:enter")

SETTINGS = Settings(
    title="The hotel",
    resource=[SeedResource("{origin}/hotel", "The hotel", dict.fromkeys(DOORS, "Open a door"))],
    client=[
        SeedClient(
            id="concierge",
            name="The concierge",
            secret="concierge-secret",
            grants=("authorization_code", "client_credentials", "refresh_token"),
            redirect_uris=[CALLBACK],
            post_logout_redirect_uris=["http://127.0.0.1:8765/"],
            scopes=["openid", "profile", "email", "phone", *DOORS],
        ),
        SeedClient(
            id="guest-app",
            name="The guest's app",
            native=True,
            redirect_uris=["http://127.0.0.1/callback"],
            post_logout_redirect_uris=["http://127.0.0.1/"],
            scopes=["openid", "profile", "email", "phone", *DOORS],
        ),
    ],
    person=[
        SeedPerson(
            sub="guest-204",
            username=GUEST,
            password=PASSWORD,
            claims={"name": "Ada Guest", "email": GUEST, "email_verified": True, "phone_number": "+44 20 7946 0204"},
        )
    ],
    twin=[SeedTwin(dialect="cognito", id=POOL)],
)


class Told(NamedTuple):
    """An answer of the JSON API."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def kind(self) -> str:
        return str(self.body.get("__type", ""))

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


class Pool:
    """The pool, with whoever asks it."""

    def __init__(self, folder: Path, settings: Settings = SETTINGS) -> None:
        self.house = House(folder, settings, development=True)
        self.clock = self.house.clock
        self.cookies: dict[str, str] = {}

    def close(self) -> None:
        self.house.close()

    def get(self, path: str, **query: str) -> Answer:
        url = f"{BASE}{path}" + (f"?{urlencode(query)}" if query else "")
        return self.house.get(url, cookie=self._cookie()) if self.cookies else self.house.get(url)

    def post(self, path: str, form: Any, **headers: str) -> Answer:
        return self.house.post(f"{BASE}{path}", form, **headers)

    def token(self, form: Any, **headers: str) -> Answer:
        return self.post("/oauth2/token", form, **headers)

    def call(self, operation: str, document: Any = None, **headers: str) -> Told:
        """One operation of the JSON API, signed as an administrator unless told otherwise."""
        sent = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": TARGET + operation,
            "authorization": SIGNED,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        body = json.dumps(document or {}).encode()
        asked = Asked("POST", "/", b"", tuple((name, value) for name, value in sent.items() if value), (body,))
        answer = self.house.ask(asked)
        return Told(answer.status, json.loads(answer.body or b"{}"), dict(answer.headers))

    def done(self, operation: str, document: Any = None) -> dict[str, Any]:
        told = self.call(operation, document)
        assert told.status == 200, told.body
        return told.body

    def sign_in(self, **more: str) -> dict[str, Any]:
        """The guest, by name and password."""
        parameters = {"USERNAME": GUEST, "PASSWORD": PASSWORD, **more}
        told = self.call(
            "InitiateAuth",
            {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": GUEST_APP, "AuthParameters": parameters},
            authorization="",
        )
        assert told.status == 200, told.body
        result: dict[str, Any] = told.body["AuthenticationResult"]
        return result

    def keys(self) -> KeySet:
        return KeySet.import_key_set(json.loads(self.get("/.well-known/jwks.json").body))

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token that verifies with the pool's keys."""
        return dict(jwt.decode(token, self.keys(), algorithms=["RS256"]).claims)

    def authorize(self, **changed: str | None) -> Answer:
        return self.get("/oauth2/authorize", **asked(**changed))

    def browse(self, **changed: str | None) -> Answer:
        """The whole way of a browser that signs the guest in: authorize, the page, the form; the redirect at its end."""
        answer = self.authorize(**changed)
        if answer.status != 302 or not answer.location.startswith(f"{BASE}/login"):
            return answer
        return self.send_form(answer.location, username=GUEST, password=PASSWORD)

    def send_form(self, address: str, **fields: str) -> Answer:
        """Open a page with a form and send it filled in."""
        page = self.house.get(address, **({"cookie": self._cookie()} if self.cookies else {}))
        assert page.status == 200, (page.status, page.body[:300])
        self._keep(page)
        return self.fill(page, **fields)

    def fill(self, page: Answer, origin: str = ORIGIN, **fields: str) -> Answer:
        action = _found(r'<form method="post" action="([^"]*)"', page.text).replace("&amp;", "&")
        hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
        path = urlsplit(action)
        body = urlencode({**hidden, **fields}).encode()
        headers = (
            ("content-type", "application/x-www-form-urlencoded"),
            ("cookie", self._cookie()),
            ("origin", origin),
        )
        answer = self.house.ask(Asked("POST", path.path, path.query.encode(), headers, (body,)))
        self._keep(answer)
        return answer

    def code(self, **changed: str | None) -> str:
        return self.browse(**changed).sent_back["code"]

    def redeem(self, code: str, **changed: str) -> Answer:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **changed}
        return self.token({name: value for name, value in form.items() if value}, authorization=basic())

    def by_code(self, **changed: str | None) -> dict[str, Any]:
        answer = self.redeem(self.code(**changed))
        assert answer.status == 200, answer.body
        tokens: dict[str, Any] = json.loads(answer.body)
        return tokens

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _keep(self, answer: Answer) -> None:
        for line in answer.every("set-cookie"):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text[:500]
    return found[1]


def asked(**changed: str | None) -> dict[str, str]:
    """An authorization request of the concierge that nothing is wrong with; None leaves a parameter out."""
    usual = {
        "response_type": "code",
        "client_id": CONCIERGE,
        "redirect_uri": CALLBACK,
        "scope": "openid email",
        "state": "s-1",
        **changed,
    }
    return {name: value for name, value in usual.items() if value is not None}


def basic(client: str = CONCIERGE, secret: str = SECRET) -> str:
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


def hashed(username: str, client: str = CONCIERGE, secret: str = SECRET) -> str:
    return secret_hash(secret, username, client)


CHALLENGE = {"code_challenge": pkce.challenge(VERIFIER), "code_challenge_method": "S256"}
