"""What MCP clients in people's hands do, as it was recorded: their documents, redirects, scopes and retries. Each has to get in.

The documents and requests are theirs in form; the host is one of these tests, which is what a document's address is about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from innkeeper.issuer.desk.fetching import EVERY
from innkeeper.issuer.settings import Registration
from innkeeper.protocol import base64url
from tests.issuer.house import HOTEL, SETTINGS, VERIFIER, Answer, Asked, House, named
from tests.issuer.stranger import Stranger, house_and_stranger
from tests.issuer.visitor import Visitor

OPEN = replace(SETTINGS, registration=Registration(mode="open"))

CLAUDE_CODE = {
    "client_name": "Claude Code",
    "client_uri": "https://claude.ai",
    "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
"""Addresses without a port; its requests have one that was free (anthropics/claude-code#42301)."""

CLAUDE_AI = {
    **CLAUDE_CODE,
    "client_name": "Claude",
    "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
    "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
}
"""A public client that lists a grant for confidential ones (anthropics/claude-ai-mcp#487)."""

VS_CODE = {
    "client_name": "Visual Studio Code",
    "client_uri": "https://code.visualstudio.com",
    "redirect_uris": ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
    "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
"""A port of its own, and whichever is free where that is taken (microsoft/vscode#278512)."""

CURSOR = {
    "client_name": "Cursor",
    "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
"""No document: it registers, with a scheme of its own."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Stranger]]:
    with house_and_stranger(tmp_path_factory.mktemp("house"), OPEN) as made:
        yield made


@pytest.fixture
def house(pair: tuple[House, Stranger]) -> House:
    pair[0].clock.move(EVERY * 40)
    return pair[0]


@pytest.fixture
def there(pair: tuple[House, Stranger]) -> Stranger:
    return pair[1]


def publish(there: Stranger, path: str, document: dict[str, Any]) -> str:
    client_id = there.url(path)
    there.says(path, json.dumps({"client_id": client_id, **document}).encode(), cache_control="max-age=300")
    return client_id


def register(house: House, document: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(document).encode()
    headers = named({"content_type": "application/json"})
    answer = house.ask(Asked("POST", "/register", b"", headers, (body,)))
    assert answer.status == 201, answer.body
    return answer.json


def signs_in(house: House, client_id: str, redirect: str, scope: str, resource: str = HOTEL) -> Answer:
    """A whole sign-in as MCP clients make it: ``resource`` at both endpoints, PKCE, no nonce."""
    back = {"client_id": client_id, "redirect_uri": redirect}
    code = Visitor(house).code(**back, scope=scope, resource=resource, nonce=None)
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "resource": resource}
    return house.token({**form, **back})


def said(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    claims: dict[str, Any] = msgspec.json.decode(base64url.decode(answer.json["access_token"].split(".")[1]))
    return claims


@pytest.mark.parametrize(
    "redirect", ["http://localhost:54545/callback", "http://127.0.0.1:61000/callback", "http://localhost/callback"]
)
def test_claude_code_comes_back_on_whatever_port_is_free(house: House, there: Stranger, redirect: str) -> None:
    client_id = publish(there, "/oauth/claude-code-client-metadata", CLAUDE_CODE)
    claims = said(signs_in(house, client_id, redirect, "room:enter offline_access"))
    assert (claims["client_id"], claims["aud"]) == (client_id, HOTEL)


def test_claude_code_puts_a_slash_behind_the_resource_and_gets_the_registered_spelling(
    house: House, there: Stranger
) -> None:
    """anthropics/claude-code#52871: a server compares ``aud`` to the character."""
    client_id = publish(there, "/oauth/claude-code-client-metadata", CLAUDE_CODE)
    answer = signs_in(house, client_id, "http://localhost:54545/callback", "room:enter", f"{HOTEL}/")
    assert said(answer)["aud"] == HOTEL


def test_claude_gets_in_without_the_grant_that_is_not_for_it(house: House, there: Stranger) -> None:
    client_id = publish(there, "/oauth/mcp-oauth-client-metadata", CLAUDE_AI)
    answer = signs_in(house, client_id, CLAUDE_AI["redirect_uris"][0], "room:enter offline_access")
    assert "refresh_token" in answer.json
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "x", "client_id": client_id}
    assert house.token(form).json["error"] == "unauthorized_client"


def test_claude_registers_on_every_connect_twice_and_what_it_never_used_is_forgotten(house: House) -> None:
    """anthropics/claude-ai-mcp#966: who counts rows sees many; who is signed in must not notice that they go."""
    first, second = (register(house, {**CLAUDE_CODE, "application_type": "native"})["client_id"] for _ in range(2))
    used = signs_in(house, second, "http://localhost:54545/callback", "room:enter offline_access").json
    house.clock.move(2 * 86_400)
    for realm in house.realms:
        house.run(realm.store.purge(house.clock(), 1_000))
    renew = {"grant_type": "refresh_token", "refresh_token": used["refresh_token"], "client_id": second}
    assert house.token(renew).status == 200
    assert house.run(house.realms[0].store.client(first)) is None


@pytest.mark.parametrize(
    "redirect", ["http://127.0.0.1:33418/", "http://127.0.0.1:40001/", "https://vscode.dev/redirect"]
)
def test_vs_code_comes_back_on_its_port_on_another_or_through_its_page(
    house: House, there: Stranger, redirect: str
) -> None:
    client_id = publish(there, "/oauth/client-metadata.json", VS_CODE)
    assert said(signs_in(house, client_id, redirect, "room:enter offline_access"))["sub"] == "ada-1"


@pytest.mark.parametrize(
    "redirect", ["https://vscode.dev:8443/redirect", "https://vscode.dev/redirect/", "http://127.0.0.1:33418/other"]
)
def test_nothing_but_the_port_of_this_computer_may_differ(house: House, there: Stranger, redirect: str) -> None:
    client_id = publish(there, "/oauth/client-metadata.json", VS_CODE)
    answer = Visitor(house).authorize(client_id=client_id, redirect_uri=redirect, scope="room:enter", nonce=None)
    assert (answer.status, answer.header("location")) == (400, None)
    assert 'id="error-page"' in answer.text


def test_vs_code_registers_with_loopback_addresses_and_pages_of_its_own(house: House) -> None:
    redirects = [
        "https://insiders.vscode.dev/redirect",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
    ]
    told = register(house, {**VS_CODE, "redirect_uris": redirects, "application_type": "native"})
    assert "client_secret" not in told
    assert said(signs_in(house, told["client_id"], "http://127.0.0.1:40001/", "room:enter"))["sub"] == "ada-1"


def test_cursor_registers_a_scheme_of_its_own_and_is_sent_there(house: House) -> None:
    told = register(house, CURSOR)
    assert told["application_type"] == "native"
    assert (
        said(signs_in(house, told["client_id"], CURSOR["redirect_uris"][0], "room:enter offline_access"))["sub"]
        == "ada-1"
    )


def test_a_client_that_asks_for_offline_access_alone_beside_the_challenge_is_renewed(house: House) -> None:
    """Scope habits: the challenge's scopes, and offline_access because the issuer lists it; no openid, no nonce."""
    told = register(house, CURSOR)
    answer = signs_in(house, told["client_id"], CURSOR["redirect_uris"][0], "room:enter offline_access").json
    assert "id_token" not in answer
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "client_id": told["client_id"]}
    twice = [house.token({**form, "resource": HOTEL}) for _ in range(2)]
    assert [one.status for one in twice] == [200, 200], "parallel agents renew at once"
    assert twice[0].json["refresh_token"] == twice[1].json["refresh_token"]


def test_a_program_that_asks_in_the_clients_name_gets_nothing_without_the_person(house: House, there: Stranger) -> None:
    """Any local process can send a browser with Claude Code's id, a PKCE of its own and a port of its own. That the person
    allowed Claude Code before, and is signed in, is no word on who asks now: they are asked, and see where the answer goes."""
    client_id = publish(there, "/oauth/claude-code-client-metadata", CLAUDE_CODE)
    asked = {"client_id": client_id, "scope": "room:enter", "nonce": None}
    person = Visitor(house)
    assert "code" in person.through(person.authorize(redirect_uri="http://localhost:54545/callback", **asked)).sent_back
    shown = person.authorize(redirect_uri="http://localhost:6666/callback", **asked)
    assert 'id="allow"' in shown.text
    assert "localhost:6666" in shown.text
    assert "The answer goes to a program on this computer." in shown.text
    quiet = person.authorize(redirect_uri="http://localhost:6666/callback", prompt="none", **asked)
    assert quiet.sent_back["error"] == "consent_required"
    page = publish(there, "/oauth/mcp-oauth-client-metadata", CLAUDE_AI)
    web = {**asked, "client_id": page, "redirect_uri": CLAUDE_AI["redirect_uris"][0]}
    person.through(person.authorize(**web))
    assert "code" in person.authorize(**web).sent_back, "a page of its own host is asked about once"


def test_a_program_that_listens_in_the_clients_place_gets_a_code_that_is_worth_nothing(
    house: House, there: Stranger
) -> None:
    """The code was bound to a verifier that it never saw, and to the address that was asked for."""
    client_id = publish(there, "/oauth/claude-code-client-metadata", CLAUDE_CODE)
    honest, thief = "http://localhost:54545/callback", "http://localhost:6666/callback"
    code = Visitor(house).code(client_id=client_id, redirect_uri=honest, scope="room:enter", nonce=None)
    form = {"grant_type": "authorization_code", "code": code, "client_id": client_id}
    stolen = house.token({**form, "redirect_uri": honest, "code_verifier": "a" * 43})
    assert stolen.json["error"] == "invalid_grant"
    elsewhere = house.token({**form, "redirect_uri": thief, "code_verifier": VERIFIER})
    assert elsewhere.json["error"] == "invalid_grant"
