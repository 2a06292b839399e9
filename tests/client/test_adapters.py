"""One text decides what goes on a request, whatever library sends it: the same tests for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests

from innkeeper.client import Access, Auth, Client, Secret, TokenSource, aiohttp_auth, httpx_auth, requests_auth
from innkeeper.client.dpop import Proving
from innkeeper.protocol.refusals import UsageError
from innkeeper.testing import IssuerForTests, serving
from tests.client.door import Door, open_door

Call = Callable[[TokenSource, str, list[bytes]], list[int]]


def by_httpx2(source: TokenSource, at: str, bodies: list[bytes]) -> list[int]:
    with httpx2.Client(auth=Auth(source, at=at)) as api:
        return [api.post(f"{at}/orders?x=1", content=body).status_code for body in bodies]


def by_httpx2_async(source: TokenSource, at: str, bodies: list[bytes]) -> list[int]:
    async def call() -> list[int]:
        async with httpx2.AsyncClient(auth=Auth(source, at=at)) as api:
            return [(await api.post(f"{at}/orders?x=1", content=body)).status_code for body in bodies]

    return asyncio.run(call())


def by_httpx(source: TokenSource, at: str, bodies: list[bytes]) -> list[int]:
    with httpx.Client(auth=httpx_auth.Auth(source, at=at)) as api:
        return [api.post(f"{at}/orders?x=1", content=body).status_code for body in bodies]


def by_httpx_async(source: TokenSource, at: str, bodies: list[bytes]) -> list[int]:
    async def call() -> list[int]:
        async with httpx.AsyncClient(auth=httpx_auth.Auth(source, at=at)) as api:
            return [(await api.post(f"{at}/orders?x=1", content=body)).status_code for body in bodies]

    return asyncio.run(call())


def by_requests(source: TokenSource, at: str, bodies: list[bytes]) -> list[int]:
    with requests.Session() as api:
        api.auth = requests_auth.Auth(source, at=at)
        return [api.post(f"{at}/orders?x=1", data=body).status_code for body in bodies]


def by_aiohttp(source: TokenSource, at: str, bodies: list[bytes]) -> list[int]:
    async def call() -> list[int]:
        async with aiohttp.ClientSession(middlewares=[aiohttp_auth.Auth(source, at=at)]) as api:
            statuses = []
            for body in bodies:
                async with api.post(f"{at}/orders?x=1", data=body) as answer:
                    statuses.append(answer.status)
            return statuses

    return asyncio.run(call())


CALLERS: dict[str, Call] = {
    "httpx2": by_httpx2,
    "httpx2 async": by_httpx2_async,
    "httpx": by_httpx,
    "httpx async": by_httpx_async,
    "requests": by_requests,
    "aiohttp": by_aiohttp,
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerForTests]:
    with serving() as running:
        yield running


@pytest.fixture
def door() -> Iterator[Door]:
    with open_door() as opened:
        yield opened


@pytest.fixture(params=CALLERS)
def call(request: pytest.FixtureRequest) -> Call:
    return CALLERS[request.param]


def source(issuer: IssuerForTests, proving: Proving | None = None) -> TokenSource:
    machine = Client("machine", Secret("machine-secret"), proving)
    return TokenSource(issuer.url, machine, Access("orders:read", issuer.audience))


def test_every_request_bears_the_token(issuer: IssuerForTests, door: Door, call: Call) -> None:
    assert call(source(issuer), door.url, [b"one", b"two"]) == [200, 200]
    assert {scheme for scheme, _ in door.shown} == {"Bearer"}
    assert len({token for _, token in door.shown}) == 1


def test_a_token_that_is_turned_away_is_replaced_once_and_the_body_sent_again(
    issuer: IssuerForTests, door: Door, call: Call
) -> None:
    door.refuse_first = 1
    assert call(source(issuer), door.url, [b"body"]) == [200]
    assert (len(door.shown), door.bodies) == (2, [b"body", b"body"])


def test_a_door_that_always_says_no_is_asked_twice(issuer: IssuerForTests, door: Door, call: Call) -> None:
    door.refuse_first = 9
    assert call(source(issuer), door.url, [b"body"]) == [401]
    assert len(door.shown) == 2


def test_a_proof_goes_with_each_request_and_none_is_used_twice(issuer: IssuerForTests, door: Door, call: Call) -> None:
    assert call(source(issuer, Proving.new()), door.url, [b"one", b"two", b"three"]) == [200, 200, 200]
    assert ({scheme for scheme, _ in door.shown}, len(door.jtis)) == ({"DPoP"}, 3)


def test_a_nonce_that_is_demanded_is_given_and_remembered(issuer: IssuerForTests, door: Door, call: Call) -> None:
    door.nonce = "first"
    bound = source(issuer, Proving.new())
    assert call(bound, door.url, [b"one", b"two"]) == [200, 200]
    assert len(door.shown) == 3, "only the first request had to be sent twice"
    door.nonce = "second"
    assert call(bound, door.url, [b"three"]) == [200]
    assert len(door.shown) == 5


def test_a_bound_token_is_replaced_too(issuer: IssuerForTests, door: Door, call: Call) -> None:
    door.nonce, door.refuse_first = "n", 1
    assert call(source(issuer, Proving.new()), door.url, [b"body"]) == [200]


def test_no_other_door_sees_the_token(issuer: IssuerForTests, door: Door, call: Call) -> None:
    elsewhere = source(issuer)
    with pytest.raises(UsageError, match="not for"):
        CALLERS_AT_HOME[call](elsewhere, door.url)
    assert door.shown == []


def _call_elsewhere(make: Callable[[TokenSource], Any]) -> Callable[[TokenSource, str], None]:
    def elsewhere(token_source: TokenSource, url: str) -> None:
        made = make(token_source)
        if isinstance(made, requests_auth.Auth):
            requests.get(url, auth=made)
        elif isinstance(made, httpx_auth.Auth):
            httpx.get(url, auth=made)
        elif isinstance(made, aiohttp_auth.Auth):
            asyncio.run(_by_session(made, url))
        else:
            httpx2.get(url, auth=made)

    return elsewhere


async def _by_session(made: aiohttp_auth.Auth, url: str) -> None:
    async with aiohttp.ClientSession(middlewares=[made]) as api, api.get(url):
        pass


_HOME = "https://api.example"
CALLERS_AT_HOME: dict[Call, Callable[[TokenSource, str], None]] = {
    by_httpx2: _call_elsewhere(lambda one: Auth(one, at=_HOME)),
    by_httpx2_async: _call_elsewhere(lambda one: Auth(one, at=_HOME)),
    by_httpx: _call_elsewhere(lambda one: httpx_auth.Auth(one, at=_HOME)),
    by_httpx_async: _call_elsewhere(lambda one: httpx_auth.Auth(one, at=_HOME)),
    by_requests: _call_elsewhere(lambda one: requests_auth.Auth(one, at=_HOME)),
    by_aiohttp: _call_elsewhere(lambda one: aiohttp_auth.Auth(one, at=_HOME)),
}
