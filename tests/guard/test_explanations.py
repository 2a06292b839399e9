"""The page that says, in development, why a request was refused."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from innkeeper.guard.asgi import GuardMiddleware
from innkeeper.guard.explanations import Explanations
from innkeeper.protocol.challenges import parse
from innkeeper.protocol.refusals import UsageError
from tests.guard.world import HOTEL, World, claims, forge

ORIGIN = "http://127.0.0.1:8500"


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("called")


def explained(token: str, accept: str = "application/json") -> tuple[httpx2.Response, httpx2.Response]:
    """The refusal of a token, and the page that it leads to."""
    why = Explanations(ORIGIN)
    guard = World().guard(audience=HOTEL, observe=why.observe, explain=why.address)
    app = why.around(GuardMiddleware(nobody, guard))

    async def work() -> tuple[httpx2.Response, httpx2.Response]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN) as client:
            refused = await client.get("/", headers={"authorization": f"Bearer {token}"})
            (challenge,) = parse(refused.headers["www-authenticate"])
            page = await client.get(challenge.get("error_uri") or "", headers={"accept": accept})
            return refused, page

    return asyncio.run(work())


def test_a_refusal_leads_to_the_trail_that_says_why() -> None:
    refused, page = explained(forge(claims(aud="https://other.example")))
    assert refused.status_code == 401
    assert page.json()["refusal"]["number"] == "IK508"
    assert "other.example" in page.json()["refusal"]["reason"]
    assert page.headers["cache-control"] == "no-store"


def test_a_browser_gets_a_page_and_what_the_token_says_is_text_there() -> None:
    _, page = explained(forge(claims(aud="<script>alert(1)</script>$number")), "text/html")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "IK508" in page.text
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "audience is this api" in page.text


def test_the_token_is_nowhere_on_the_page() -> None:
    token = forge(claims(aud="x"))
    for accept in ("text/html", "application/json"):
        _, page = explained(token, accept)
        assert token not in page.text
        assert token.rpartition(".")[2] not in page.text


def test_only_the_last_few_hundred_are_kept_and_no_other_id_leads_anywhere() -> None:
    why = Explanations(ORIGIN)
    guard = World().guard(observe=why.observe, explain=why.address)
    for n in range(510):
        guard.verify_blocking(f"nonsense {n}")
    assert len(why._kept) == 500
    for query in ("", "id=", "id=x", "id"):
        assert why.page(query).status == 404


@pytest.mark.parametrize(
    "origin", ["https://api.example", "http://192.0.2.1:8500", "", "http://127.0.0.1.evil.example"]
)
def test_there_is_no_such_page_for_the_world(origin: str) -> None:
    with pytest.raises(UsageError, match="loopback"):
        Explanations(origin)
