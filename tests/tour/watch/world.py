"""A site that is watched, without a server: it echoes, decides one thing, and hands out a token."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec

from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow
from innkeeper.tour.overhearing import observe
from innkeeper.tour.watch.again import Again
from innkeeper.tour.watch.keeping import Message
from innkeeper.tour.watch.ring import Ring
from innkeeper.tour.watch.tap import Watch
from tests.tour.world import BASE, HOUSE, NOW, token

NO = Page("IK999", "invalid_client", "No", "", "", "")


@check("RFC 0 §1")
def the_secret_fits(case: str) -> Seen | Refusal:
    """The secret is right."""
    return Refusal(NO, "it is another one") if "wrong" in case else Seen("it fits")


async def site(scope: Any, receive: Any, send: Any) -> None:
    """Decides by the body, and answers with a card and a voucher."""
    body = (await receive()).get("body", b"")
    if scope["path"] == "/down":
        raise RuntimeError("down")
    trail = follow("token", (the_secret_fits,), body.decode())
    observe(trail)
    answer = {"error": "invalid_client"} if trail.refusal else {"access_token": token(), "refresh_token": "voucher-new"}
    headers = [(b"content-type", b"application/json"), (b"set-cookie", b"session=crumbs; HttpOnly")]
    await send({"type": "http.response.start", "status": 401 if trail.refusal else 200, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(answer)})


class Watched:
    """The site with a ring; ``ask`` sends one request through it and gives the message that was kept."""

    def __init__(self, kept: int = 500) -> None:
        self.ring = Ring(kept)
        self.ring.on = True
        ticks = iter(range(100_000))
        self.app = Watch(site, self.ring, HOUSE.place, lambda: float(NOW), lambda: float(next(ticks)))
        self.again = Again(self.app, self.ring)

    def ask(self, method: str, address: str, headers: Mapping[str, str] = {}, **more: Any) -> Message | None:
        async def sent() -> None:
            transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
                await http.request(method, address, headers=dict(headers), **more)

        before = self.ring.last
        asyncio.run(sent())
        return next(iter(self.ring.messages(before)), None)

    def seen(self, method: str, address: str, headers: Mapping[str, str] = {}, **more: Any) -> Message:
        message = self.ask(method, address, headers, **more)
        assert message is not None
        return message
