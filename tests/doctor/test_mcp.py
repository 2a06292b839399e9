"""Each hop of an MCP client's first contact can break in its own way, and the hop that breaks is named."""

from __future__ import annotations

import httpx2
import pytest

from innkeeper.doctor.findings import Severity
from innkeeper.protocol.refusals import UsageError
from tests.doctor.test_issuers import Illness, at, missing, of, says
from tests.doctor.worlds import ISSUER, PRM, SERVER, World, numbers


def down(_: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused")


def resource(**members: object) -> Illness:
    def fall_ill(world: World) -> None:
        world.resource = {name: value for name, value in (world.resource | members).items() if value is not ...}

    return fall_ill


def unpublished(world: World) -> None:
    world.at |= dict.fromkeys(PRM, missing)


def unregistrable(world: World) -> None:
    says(client_id_metadata_document_supported=..., registration_endpoint=...)(world)


def answering(status: int, **headers: str) -> Illness:
    return at("/mcp", lambda _: httpx2.Response(status, headers=headers))


ILLNESSES: dict[str, Illness] = {
    "IK850": at("/mcp", down),
    "IK851": answering(200),
    "IK852": answering(307, location=f"{SERVER}/"),
    "IK853": of("challenge", "Basic realm=x"),
    "IK854": of("challenge", 'Bearer scope="tools:use"'),
    "IK855": of("challenge", f'Bearer scope="tools:use", resource_metadata="{PRM[0]}"'),
    "IK856": of("challenge", f'Bearer resource_metadata="https://tools.example{PRM[0]}"'),
    "IK857": of(
        "challenge",
        f'Bearer error="invalid_token", scope="tools:use", resource_metadata="https://tools.example{PRM[0]}"',
    ),
    "IK858": of("exposed", {}),
    "IK859": unpublished,
    "IK860": at(PRM[0], missing),
    "IK861": resource(resource="https://tools.example/"),
    "IK862": resource(authorization_servers=[]),
    "IK863": resource(scopes_supported=["tools:use", "offline_access"]),
    "IK864": resource(scopes_supported=["tools:use", "tools:break"]),
    "IK865": resource(resource="http://tools.example/mcp"),
    "IK866": of("preflight", {"access-control-allow-origin": "*", "access-control-allow-headers": "Content-Type"}),
    "IK867": of("bad", "Bearer"),
    "IK868": unregistrable,
    "IK869": resource(resource=f"{SERVER}/"),
}

ALONG = {
    "IK851": {"IK853", "IK854", "IK856", "IK858", "IK866", "IK867"},
    "IK852": {"IK853", "IK854", "IK856", "IK858", "IK866", "IK867"},
    "IK853": {"IK854", "IK856"},
    "IK859": {"IK860", "IK861", "IK862"},
    "IK865": {"IK861"},
    "IK866": {"IK834"},
}
"""What an illness brings along, because one cause shows at several hops."""


def test_a_healthy_server_is_healthy() -> None:
    report = World().server()
    assert (numbers(report), report.healthy) == (set(), True)
    assert [one.title for one in report.chapters][:3] == [
        "Reaching the server",
        "A request without a token",
        "The server's metadata",
    ]


@pytest.mark.parametrize("number", ILLNESSES)
def test_the_hop_that_breaks_is_named(number: str) -> None:
    world = World()
    ILLNESSES[number](world)
    found = numbers(world.server())
    assert number in found
    assert found <= {number, *ALONG.get(number, ())}


def test_what_mcp_clients_insist_on_is_an_error_here() -> None:
    world = World()
    says(code_challenge_methods_supported=...)(world)
    assert {one.severity for one in world.server().findings()} == {Severity.ERROR}


def test_an_issuer_behind_the_server_is_looked_at_like_any_other() -> None:
    world = World()
    says(issuer="https://other.example")(world)
    assert "IK813" in numbers(world.server())


def test_no_token_is_sent_but_one_that_is_none() -> None:
    world = World()
    world.server()
    shown = {one.headers["authorization"] for one in world.asked if "authorization" in one.headers}
    assert shown == {"Bearer innkeeper-doctor-knows-this-is-no-token"}


def test_an_address_that_cannot_be_one_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="http; that is for loopback"):
        World().server("http://tools.example/mcp")
    assert ISSUER.startswith("https")
