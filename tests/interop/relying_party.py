"""A plain relying party and its person, for checks of a house over HTTP: registers itself, asks, redeems."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.cli.guest import ANSWERS, Form

CALLBACK = "https://rp.example/callback"
BUTTONS = ("sign-in", "allow")
ONE_BY_ONE = httpx2.Limits(max_keepalive_connections=0)
"""No connection outlives its answer, so that none has to be closed."""


class Answer(NamedTuple):
    """Where the client's answer came (``params`` from query, fragment or form) and which buttons a person pressed."""

    params: dict[str, str]
    pressed: tuple[str, ...]
    page: httpx2.Response
    redirect: str = ""


class Party:
    """A client that registered itself with ``metadata``, at the issuer ``url``."""

    def __init__(self, url: str, **metadata: Any) -> None:
        self.http = httpx2.Client(base_url=url, timeout=20, limits=ONE_BY_ONE)
        self.found = self.http.get("/.well-known/openid-configuration").json()
        wish = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_post", **metadata}
        answer = self.http.post(self.found["registration_endpoint"], json=wish)
        assert answer.status_code == 201, answer.text
        self.registered = answer.json()
        self.id: str = self.registered["client_id"]
        self.verifier = secrets.token_urlsafe(40)

    def url(self, **params: str | None) -> str:
        """An authorization request; a parameter that is None is left out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        usual = {
            "client_id": self.id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        sent = {name: value for name, value in {**usual, **params}.items() if value is not None}
        return str(httpx2.URL(self.found["authorization_endpoint"], params=sent))

    def redeem(self, code: str, **more: str | None) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
            "client_id": self.id,
            "client_secret": self.registered.get("client_secret"),
            **more,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        return self.http.post(self.found["token_endpoint"], data=sent)

    def tokens(self, person: Person, **params: str | None) -> dict[str, Any]:
        answer = self.redeem(person.answer(self.url(**params)).params["code"])
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def claims(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """What the ID token says, once its signature is verified by the published keys."""
        keys = KeySet.import_key_set(self.http.get(self.found["jwks_uri"]).json())
        known = self.found["id_token_signing_alg_values_supported"]
        claims: dict[str, Any] = jwt.decode(tokens["id_token"], keys, algorithms=known).claims
        assert (claims["iss"], claims["aud"]) == (self.found["issuer"], self.id)
        return claims

    def userinfo(self, token: str) -> dict[str, Any]:
        answer = self.http.get(self.found["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document


class Person:
    """Somebody at a browser that keeps its cookies."""

    def __init__(self, **answers: str) -> None:
        self.http = httpx2.Client(timeout=20, limits=ONE_BY_ONE)
        self.answers = {**ANSWERS, **answers}

    def answer(self, url: str, method: str = "GET", most: int = 12) -> Answer:
        """Follow and answer the pages until the client has its answer, or a page has nothing to press."""
        target = httpx2.URL(url)
        if method == "POST":
            page = self.http.post(target.copy_with(query=None), data=dict(parse_qsl(target.query.decode())))
        else:
            page = self.http.get(target)
        pressed: list[str] = []
        for _ in range(most):
            if page.is_redirect:
                to = page.url.join(page.headers["location"])
                if to.host != target.host:
                    parts = urlsplit(str(to))
                    return Answer(dict(parse_qsl(parts.query or parts.fragment)), tuple(pressed), page, str(to))
                page = self.http.get(to)
                continue
            form = Form(page.text)
            name = next((one for one in BUTTONS if one in form.buttons), None)
            if name is None:
                outside = form.action.startswith("https://rp.example")
                return Answer(form.fields if outside else {}, tuple(pressed), page)
            pressed.append(name)
            filled = {key: self.answers.get(key, value) for key, value in form.fields.items()}
            page = self.http.post(page.url.join(form.action), data=filled | form.buttons[name])
        raise AssertionError(f"{url} leads nowhere")

    def sees(self, url: str) -> httpx2.Response:
        """The first page behind a request, with nothing pressed."""
        return self.http.get(url, follow_redirects=True)
