"""The way to an MCP server's tokens: whose document is believed, who the client is there, what is asked for and kept."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from innkeeper.client import Auth, Client, FileCache, MemoryCache, Refused, Secret, UsageError, run
from innkeeper.client.mcp import ANY_ISSUER, Grant, McpSource, machine, person
from innkeeper.client.registration import Description, register
from innkeeper.client.resource import covers, find_resource
from innkeeper.protocol.challenges import bearer
from tests.client.issuer import ISSUER, StubIssuer

SERVER = "https://tools.example/mcp"
PRM = "https://tools.example/.well-known/oauth-protected-resource/mcp"
CONCIERGE = Client("concierge", Secret("s:e c/ret"))


class World:
    """An MCP server and the stub issuer on one transport. ``needed`` are the scopes its one tool needs."""

    def __init__(self) -> None:
        self.issuer = StubIssuer()
        self.issuer.document |= {"scopes_supported": ["tools:use", "tools:break"]}
        self.resource: dict[str, Any] = {"resource": SERVER, "authorization_servers": [ISSUER]}
        self.scope, self.needed = "tools:use", "tools:use"
        self.tokens: list[str] = []
        self.bad: set[str] = set()
        self.wants: dict[str, Any] = {}
        self.visited: list[dict[str, list[str]]] = []
        self.other: Callable[[httpx2.Request], httpx2.Response] | None = None

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if str(request.url) == PRM:
            return httpx2.Response(200, json=self.resource)
        if request.url.host != "tools.example":
            other = self.other if request.url.host != "issuer.example" else None
            return other(request) if other else self.issuer(request)
        if request.url.path != "/mcp":
            return httpx2.Response(404)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.tokens.append(token)
        if not token or token in self.bad:
            said = bearer(scope=[self.scope] if self.scope else [], resource_metadata=PRM)
            return httpx2.Response(401, headers={"www-authenticate": str(said)})
        if self.wants and "max_age" not in self.visited[-1]:
            said = bearer(error="insufficient_user_authentication", resource_metadata=PRM, **self.wants)
            return httpx2.Response(401, headers={"www-authenticate": str(said)})
        if self.needed not in self.asked_scopes():
            said = bearer(error="insufficient_scope", scope=[self.needed], resource_metadata=PRM)
            return httpx2.Response(403, headers={"www-authenticate": str(said)})
        return httpx2.Response(200, json={})

    def asked_scopes(self) -> list[str]:
        asked = self.visited[-1]["scope"][0] if self.visited else self.issuer.asked("/token")[-1].get("scope", "")
        return asked.split()

    def http(self) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(self))

    def call(self, source: McpSource, times: int = 1) -> list[int]:
        auth = Auth(source, http=self.http())
        with httpx2.Client(transport=httpx2.MockTransport(self), auth=auth) as api:
            return [api.post(SERVER, json={}).status_code for _ in range(times)]

    def visitor(self) -> Grant:
        world = self

        class Person:
            redirect_uri = "http://127.0.0.1:9/callback"

            def visit(self, url: str) -> str:
                world.visited.append(parse_qs(urlsplit(url).query))
                return "&".join(f"{name}={value}" for name, value in world.issuer.authorize(url).items())

        return person(Person())


def test_a_machine_gets_its_token_at_the_first_401_and_keeps_it() -> None:
    world = World()
    source = McpSource(SERVER, machine(), clients={ISSUER: CONCIERGE})
    assert world.call(source, 3) == [200, 200, 200]
    assert world.tokens == ["", "token-1", "token-1", "token-1"]
    assert world.issuer.asked("/token")[0]["resource"] == SERVER
    assert source.token is not None


def test_an_issuer_that_refuses_the_resource_can_be_spared_it() -> None:
    world = World()
    assert world.call(McpSource(SERVER, machine(), clients={ISSUER: CONCIERGE}, send_resource=False)) == [200]
    assert "resource" not in world.issuer.asked("/token")[0]


def test_of_many_callers_one_signs_in_and_the_rest_take_its_token() -> None:
    world = World()
    source = McpSource(SERVER, world.visitor(), clients={ISSUER: Client("guest-app")})
    together = Barrier(6)

    def call(_: int) -> list[int]:
        together.wait(20)
        return world.call(source)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(call, range(6))) == [[200]] * 6
    assert len(world.visited) == 1


def test_credentials_go_to_their_own_issuer_alone() -> None:
    world = World()
    world.resource["authorization_servers"] = ["https://evil.example"]
    world.other = lambda _: httpx2.Response(
        200, json={"issuer": "https://evil.example", "token_endpoint": "https://evil.example/token"}
    )
    with pytest.raises(Refused) as caught:
        world.call(McpSource(SERVER, machine(), clients={ISSUER: CONCIERGE}))
    assert caught.value.number == "IK886"


def test_whoever_says_so_lets_the_server_choose_the_issuer() -> None:
    assert World().call(McpSource(SERVER, machine(), clients={ANY_ISSUER: CONCIERGE})) == [200]


def test_a_person_is_asked_for_what_the_challenge_names_then_for_the_union() -> None:
    world = World()
    source = McpSource(SERVER, world.visitor(), clients={ISSUER: Client("guest-app")})
    assert world.call(source) == [200]
    world.needed = "tools:break"
    assert world.call(source) == [200]
    assert [one["scope"][0] for one in world.visited] == ["tools:use", "tools:break tools:use"]


def test_without_a_challenge_all_that_the_server_lists_is_asked_for() -> None:
    world = World()
    world.scope = ""
    world.resource["scopes_supported"] = ["tools:use", "tools:break"]
    assert world.call(McpSource(SERVER, world.visitor(), clients={ISSUER: Client("guest-app")})) == [200]
    assert world.visited[0]["scope"] == ["tools:break tools:use"]


def test_a_ceiling_is_never_passed() -> None:
    world = World()
    source = McpSource(SERVER, world.visitor(), clients={ISSUER: Client("guest-app")}, ceiling=frozenset({"tools:use"}))
    assert world.call(source) == [200]
    world.needed = "tools:break"
    assert world.call(source) == [403]
    assert len(world.visited) == 1


def test_a_server_that_is_never_content_is_not_asked_for_ever() -> None:
    world = World()
    world.needed = "tools:never"
    world.issuer.document["scopes_supported"] = ["tools:use"]
    real = world.asked_scopes
    world.asked_scopes = lambda: [one for one in real() if one != "tools:never"]  # type: ignore[method-assign]
    assert world.call(McpSource(SERVER, world.visitor(), clients={ISSUER: Client("guest-app")})) == [403]
    assert len(world.visited) == 2


def test_a_turned_away_token_is_renewed_before_anyone_is_asked() -> None:
    world = World()
    source = McpSource(SERVER, world.visitor(), clients={ISSUER: Client("guest-app")})
    assert world.call(source) == [200]
    world.bad.add("token-1")
    assert world.call(source) == [200]
    assert (len(world.visited), world.tokens[-1]) == (1, "token-2")


def test_a_sign_in_that_has_to_be_newer_and_surer_is_asked_for_as_the_challenge_says() -> None:
    world = World()
    source = McpSource(SERVER, world.visitor(), clients={ISSUER: Client("guest-app")})
    assert world.call(source) == [200]
    world.wants = {"max_age": 60, "acr_values": ["mfa"]}
    assert world.call(source) == [200]
    asked = world.visited[-1]
    assert (asked["max_age"], asked["acr_values"], asked["scope"]) == (["60"], ["mfa"], ["tools:use"])
    assert not [one for one in world.issuer.asked("/token") if one["grant_type"] == "refresh_token"]


def test_an_age_that_is_no_number_is_not_passed_on() -> None:
    world = World()
    source = McpSource(SERVER, world.visitor(), clients={ISSUER: Client("guest-app")})
    assert world.call(source) == [200]
    world.bad = {"token-1"}
    told = f'Bearer error="insufficient_user_authentication", max_age="-1 evil", resource_metadata="{PRM}"'
    real = World.__call__

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = real(world, request)
        if found.status_code == 401 and request.headers.get("authorization"):
            return httpx2.Response(401, headers={"www-authenticate": told})
        return found

    with httpx2.Client(transport=httpx2.MockTransport(answer), auth=Auth(source, http=world.http())) as api:
        assert api.post(SERVER, json={}).status_code == 200
    assert "max_age" not in world.visited[-1]


def test_a_refresh_token_that_is_dead_leads_back_to_the_person() -> None:
    world = World()
    source = McpSource(SERVER, world.visitor(), clients={ISSUER: Client("guest-app")})
    assert world.call(source) == [200]
    world.issuer.refresh_tokens.clear()
    world.bad.add("token-1")
    assert world.call(source) == [200]
    assert len(world.visited) == 2


def test_a_document_of_another_server_is_not_believed() -> None:
    world = World()
    world.resource["resource"] = "https://other.example/mcp"
    with pytest.raises(Refused) as caught:
        world.call(McpSource(SERVER, machine(), clients={ISSUER: CONCIERGE}))
    assert caught.value.number == "IK883"
    assert world.issuer.requests == []


def test_a_document_that_lists_nobody_is_named() -> None:
    world = World()
    world.resource["authorization_servers"] = []
    with pytest.raises(Refused) as caught:
        world.call(McpSource(SERVER, machine(), clients={ISSUER: CONCIERGE}))
    assert caught.value.number == "IK884"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (SERVER, True),
        (f"{SERVER}/", True),
        ("https://TOOLS.example/mcp", True),
        ("https://tools.example", True),
        ("https://tools.example/mc", False),
        ("https://tools.example/mcp/more", False),
        ("http://tools.example/mcp", False),
        ("https://tools.example:8443/mcp", False),
        ("https://[broken", False),
    ],
)
def test_a_resource_covers_what_lies_below_it_and_nothing_else(resource: str, expected: bool) -> None:
    assert covers(resource, SERVER) is expected


def test_where_the_document_stands_is_tried_in_order() -> None:
    asked: list[str] = []

    def nothing(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(404)

    http = httpx2.Client(transport=httpx2.MockTransport(nothing))
    told = bearer(resource_metadata="https://tools.example/told")
    assert run(find_resource(SERVER, told), http) is None
    assert asked == [
        "https://tools.example/told",
        PRM,
        "https://tools.example/.well-known/oauth-protected-resource",
    ]
    asked.clear()
    assert run(find_resource(SERVER, bearer(resource_metadata="http://tools.example/told")), http) is None
    assert "http://tools.example/told" not in asked


def test_a_program_registers_as_what_it_is() -> None:
    world = World()
    world.issuer.document["registration_endpoint"] = f"{ISSUER}/register"
    said: list[dict[str, Any]] = []

    def registered(request: httpx2.Request) -> httpx2.Response:
        said.append(httpx2.Response(200, content=request.content).json())
        return httpx2.Response(201, json={"client_id": "guest-app"})

    world.issuer.at["/register"] = registered
    source = McpSource(SERVER, world.visitor(), description=Description("A program", ("http://127.0.0.1/callback",)))
    assert world.call(source, 2) == [200, 200]
    assert len(said) == 1
    assert (said[0]["application_type"], said[0]["token_endpoint_auth_method"]) == ("native", "none")
    assert said[0]["grant_types"] == ["authorization_code", "refresh_token"]


def test_a_registration_that_is_refused_says_so() -> None:
    stub = StubIssuer()
    stub.document["registration_endpoint"] = f"{ISSUER}/register"
    stub.at["/register"] = lambda _: httpx2.Response(400, json={"error": "invalid_redirect_uri"})
    from innkeeper.client import discover

    metadata = run(discover(ISSUER), stub.client())
    with pytest.raises(Refused) as caught:
        run(register(metadata, Description()), stub.client())
    assert (caught.value.number, caught.value.error) == ("IK885", "invalid_redirect_uri")


def test_a_document_of_the_programs_own_goes_before_registering() -> None:
    world = World()
    world.issuer.document |= {
        "client_id_metadata_document_supported": True,
        "registration_endpoint": f"{ISSUER}/register",
    }
    mine = "https://program.example/client.json"
    world.issuer.at["/token"] = lambda _: httpx2.Response(200, json={"access_token": "t", "token_type": "Bearer"})
    source = McpSource(SERVER, world.visitor(), client_document=mine, description=Description())
    assert world.call(source) == [200]
    assert world.visited[0]["client_id"] == [mine]
    assert world.issuer.asked("/register") == []


# From one run to the next


def kept_in(folder: Path, world: World, account: str = "ada", **more: Any) -> McpSource:
    """The source of a new process."""
    known = {ISSUER: CONCIERGE}
    return McpSource(SERVER, world.visitor(), clients=known, cache=FileCache(folder), account=account, **more)


def test_a_person_signs_in_once_for_all_runs_of_a_program(tmp_path: Path) -> None:
    world = World()
    assert world.call(kept_in(tmp_path, world)) == [200]
    assert world.call(kept_in(tmp_path, world), times=2) == [200, 200]
    assert len(world.visited) == 1
    assert len(world.issuer.asked("/token")) == 1


def test_what_was_kept_is_renewed_by_the_client_that_got_it(tmp_path: Path) -> None:
    world = World()
    first = kept_in(tmp_path, world)
    world.call(first)
    assert first.token is not None
    world.bad.add(first.token.access_token)
    assert world.call(kept_in(tmp_path, world)) == [200]
    assert world.issuer.asked("/token")[-1]["grant_type"] == "refresh_token"
    assert len(world.visited) == 1
    assert world.call(first) == [200], "the one that holds the old one finds the new one"
    assert len(world.issuer.asked("/token")) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"account": "bob"},
        {"ceiling": frozenset({"tools:use"})},
        {"client_document": "https://another.example/client.json"},
    ],
    ids=["another person's", "with a ceiling", "another program's"],
)
def test_nobody_takes_what_was_kept_for_somebody_else(tmp_path: Path, other: dict[str, Any]) -> None:
    world = World()
    world.call(kept_in(tmp_path, world))
    assert world.call(kept_in(tmp_path, world, **other)) == [200]
    assert len(world.visited) == 2


def test_whose_token_is_kept_has_to_be_said() -> None:
    with pytest.raises(UsageError, match="account="):
        McpSource(SERVER, machine(), cache=MemoryCache())
