"""Our client before our guard: bound tokens, nonces and all, and a copied token that opens nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2

from innkeeper.client import Access, Auth, Client, Proving, Secret, TokenSource
from innkeeper.guard import Guard
from innkeeper.guard.asgi import GuardMiddleware, reply, token
from innkeeper.guard.holder import Dpop
from innkeeper.protocol.exchange import json_reply
from innkeeper.testing import serving

API = "https://api.example/orders"


async def orders(scope: Any, _: Any, send: Any) -> None:
    await reply(json_reply({"jkt": (token(scope).cnf or {}).get("jkt")}), send)


def test_a_bound_token_opens_the_door_with_its_proof_and_a_copy_of_it_does_not() -> None:
    proving = Proving.new()
    with serving() as issuer:
        guard = Guard(issuer.url, API, dpop=Dpop(required=True, nonces=True))
        machine = Client("machine", Secret("machine-secret"), proving)
        source = TokenSource(issuer.url, machine, Access("orders:read", API))

        async def call() -> tuple[list[dict[str, str]], int]:
            door = httpx2.ASGITransport(GuardMiddleware(orders, guard, {"/*": ["orders:read"]}))
            async with httpx2.AsyncClient(transport=door, auth=Auth(source, at=API)) as api:
                said = [(await api.get(f"{API}/{n}")).json() for n in range(3)]
            async with httpx2.AsyncClient(transport=door) as thief:
                copied = source.token().access_token
                answer = await thief.get(API, headers={"authorization": f"Bearer {copied}"})
            return said, answer.status_code

        assert asyncio.run(call()) == ([{"jkt": proving.thumbprint}] * 3, 401)
