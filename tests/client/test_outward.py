"""Whoever follows strangers' addresses from a server goes out and never in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx2
import pytest

from innkeeper.client import Refused, discover, run
from innkeeper.client.outward import AsyncOutward, Outward, resolved

PUBLIC = "93.184.215.14"


class Wire:
    """Notes what would be sent, and where; answers with nothing."""

    def __init__(self) -> None:
        self.sent: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        return httpx2.Response(200, json={})


def outward(wire: Wire, *addresses: str) -> httpx2.Client:
    return httpx2.Client(transport=Outward(httpx2.MockTransport(wire), lambda _, __: addresses))


def test_a_public_host_is_reached_where_it_was_judged_and_by_its_name() -> None:
    wire = Wire()
    with outward(wire, PUBLIC) as http:
        http.post("https://tools.example:8443/mcp", content=b"x")
    (sent,) = wire.sent
    assert (sent.url.host, sent.url.port, sent.url.path) == (PUBLIC, 8443, "/mcp")
    assert sent.headers["host"] == "tools.example:8443"
    assert sent.extensions["sni_hostname"] == "tools.example"
    assert sent.read() == b"x"


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("10.0.0.5",),
        ("169.254.169.254",),
        ("192.168.1.1",),
        ("::1",),
        ("fd00::1",),
        ("::ffff:10.0.0.5",),
        (PUBLIC, "10.0.0.5"),
        (),
    ],
    ids=lambda one: " ".join(one) or "none",
)
def test_a_name_that_leads_inside_is_not_followed(addresses: Sequence[str]) -> None:
    wire = Wire()
    with outward(wire, *addresses) as http, pytest.raises(Refused) as refused:
        http.get("https://issuer.example/.well-known/openid-configuration")
    assert refused.value.refusal.page.number == "IK1513"
    assert wire.sent == []


def test_a_name_that_is_bound_anew_meanwhile_leads_nowhere_else() -> None:
    """Rebinding: the second answer of the resolver is never asked for."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    wire = Wire()
    with httpx2.Client(transport=Outward(httpx2.MockTransport(wire), lambda _, __: next(answers))) as http:
        http.get("https://issuer.example/")
        assert wire.sent[0].url.host == PUBLIC
        with pytest.raises(Refused, match="this very computer"):
            http.get("https://issuer.example/")


def test_each_hop_of_a_redirect_is_judged() -> None:
    def away(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(302, headers={"location": "https://inside.example/"})

    addresses = {"out.example": [PUBLIC], "inside.example": ["10.0.0.1"]}
    transport = Outward(httpx2.MockTransport(away), lambda host, _: addresses[host])
    with (
        httpx2.Client(transport=transport, follow_redirects=True) as http,
        pytest.raises(Refused, match=r"10\.0\.0\.1"),
    ):
        http.get("https://out.example/")


def test_what_can_be_read_on_its_way_is_not_sent() -> None:
    with outward(Wire(), PUBLIC) as http, pytest.raises(Refused, match="can be read"):
        http.get("http://issuer.example/")


def test_coroutines_go_the_same_way() -> None:
    wire = Wire()

    async def work() -> None:
        transport = AsyncOutward(
            httpx2.MockTransport(wire), lambda host, _: [PUBLIC] if host == "a.example" else ["::1"]
        )
        async with httpx2.AsyncClient(transport=transport) as http:
            await http.get("https://a.example/")
            with pytest.raises(Refused):
                await http.get("https://b.example/")

    asyncio.run(work())
    assert [one.url.host for one in wire.sent] == [PUBLIC]


def test_an_issuer_that_a_stranger_named_is_not_looked_for_inside() -> None:
    with httpx2.Client(transport=Outward()) as http, pytest.raises(Refused) as refused:
        run(discover("https://localhost"), http)
    assert refused.value.refusal.page.number == "IK1513"


def test_a_host_that_has_no_address_has_none() -> None:
    assert resolved("localhost", 443)
    assert resolved("no-such-host.invalid", 443) == []
