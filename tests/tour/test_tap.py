"""The tap: what it records, what it lets pass, and that it holds nothing back."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow
from innkeeper.tour.book import Book
from innkeeper.tour.marks import marked
from innkeeper.tour.overhearing import observe
from innkeeper.tour.record import Hop
from innkeeper.tour.tap import Tap
from tests.tour.world import BASE, HOUSE, visit

NO = Page("IK999", "invalid_token", "No", "", "", "")


@check("RFC 0 §1")
def it_is_asked(case: str) -> Seen | Refusal:
    """Somebody asks."""
    return Seen(case)


async def site(scope: Any, receive: Any, send: Any) -> None:
    """Echoes the body, and reports a trail as an issuer does."""
    body = (await receive())["body"]
    observe(follow("token", (it_is_asked,), scope["path"]))
    headers = [(b"content-type", b"application/json"), (b"set-cookie", b"s=secret")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"got":', "more_body": True})
    await send({"type": "http.response.body", "body": b"%d}" % len(body)})


def book_after(*requests: tuple[str, str, dict[str, str], bytes], app: Any = site) -> Book:
    """The book after these requests (method, path, headers, body) went through a tapped site."""
    book = Book()
    book.add(visit())
    ticks = iter(range(1000))
    tapped = Tap(app, book, HOUSE.place, lambda: float(next(ticks)))

    async def send() -> None:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=tapped), base_url=BASE) as client:
            for method, path, headers, body in requests:
                await client.request(method, path, headers=headers, content=body)

    asyncio.run(send())
    return book


def the_one_hop(*request: Any) -> Hop:
    (hop,) = book_after(request).hops("v1")
    return hop


def test_a_back_channel_request_is_known_by_its_header_which_is_not_shown() -> None:
    hop = the_one_hop("POST", "/token?a=1", marked("v1", "mine"), b"x" * 10)
    assert (hop.carrier, hop.to, hop.method, hop.path, hop.query) == ("app", "desk", "POST", "/token", (("a", "1"),))
    assert (hop.label, hop.status, hop.took) == ("mine", 200, 1.0)
    assert hop.reply_body.fields == (("got", "10"),)
    assert "innkeeper-tour" not in dict(hop.headers)
    assert [trail["about"] for trail in hop.trails] == ["token"]
    assert hop.trails[0]["steps"][0]["found"] == "/token"


def test_a_browser_is_known_by_its_cookie() -> None:
    hop = the_one_hop("GET", "/authorize", {"cookie": "a=b; innkeeper_tour=v1"}, b"")
    assert (hop.carrier, hop.to) == ("browser", "desk")
    assert "v1" not in dict(hop.headers)["cookie"]
    assert "secret" not in dict(hop.reply_headers)["set-cookie"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/token", {}),
        ("/token", {"cookie": "innkeeper_tour=somebody"}),
        ("/token", {"innkeeper-tour": "somebody"}),
        ("/token", {"cookie": "innkeeper_tour="}),
        ("/token", {"cookie": "not_innkeeper_tour=v1"}),
        ("/static/house.css", {"cookie": "innkeeper_tour=v1"}),
        ("/tour/visits/v1", {"cookie": "innkeeper_tour=v1"}),
        ("/", {"cookie": "innkeeper_tour=v1"}),
    ],
)
def test_what_belongs_to_no_visit_or_matters_to_none_passes_unrecorded(path: str, headers: dict[str, str]) -> None:
    assert book_after(("GET", path, headers, b"")).hops("v1") == ()


def test_an_unmarked_request_reaches_the_site_with_its_very_own_channels() -> None:
    seen: list[Any] = []

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        seen.extend((receive, send))

    async def receive() -> Any:
        raise AssertionError("nobody asked")

    async def send(message: Any) -> None:
        raise AssertionError("nobody answered")

    tapped = Tap(noting, Book(), HOUSE.place, lambda: 0.0)
    asyncio.run(tapped({"type": "http", "path": "/token", "headers": []}, receive, send))
    assert seen == [receive, send]


def test_every_part_of_an_answer_goes_on_as_it_comes_and_the_record_stands_before_the_last() -> None:
    book = Book()
    book.add(visit())
    heard: list[tuple[bytes, int]] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        heard.append((message.get("body", b""), len(book.hops("v1"))))

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/token",
        "query_string": b"",
        "headers": [(b"innkeeper-tour", b"v1")],
    }
    asyncio.run(Tap(site, book, HOUSE.place, lambda: 0.0)(scope, receive, send))
    assert heard == [(b"", 0), (b'{"got":', 0), (b"0}", 1)]


def test_a_site_that_breaks_down_is_recorded_as_no_answer_and_stays_broken() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("down")

    book = Book()
    book.add(visit())
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/token",
        "query_string": b"",
        "headers": [(b"innkeeper-tour", b"v1")],
    }
    with pytest.raises(RuntimeError, match="down"):
        asyncio.run(Tap(broken, book, HOUSE.place, lambda: 0.0)(scope, None, None))  # type: ignore[arg-type]
    assert [hop.status for hop in book.hops("v1")] == [0]


def test_what_is_decided_outside_a_recorded_exchange_is_nobodys() -> None:
    observe(Trail("token"))
    hop = the_one_hop("GET", "/jwks", marked("v1"), b"")
    assert len(hop.trails) == 1


@pytest.mark.parametrize("query", ["a=%FF", "a=%00"])
def test_a_query_that_cannot_be_read_is_shown_as_it_came(query: str) -> None:
    assert the_one_hop("GET", f"/authorize?{query}", marked("v1"), b"").query == (("(unreadable)", query),)
