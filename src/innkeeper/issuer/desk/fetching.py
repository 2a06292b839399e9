"""Fetching others' documents: client metadata, key sets, request objects; and telling others that something happened.

Bounded in size, time, number and rate, because the addresses come from strangers. ``outside`` connects.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import urljoin

import msgspec

from innkeeper.issuer.desk.limits import Bucket
from innkeeper.issuer.desk.outside import Answer, NotFetched, NotReached, Outside, Sent, take_apart

JSON = re.compile(r"application/(?:[\w.-]+\+)?json")
ANYTHING = re.compile(r".*", re.DOTALL)

SECONDS = 5.0
"""For one document, redirects included: somebody waits for it in a browser."""

DOCUMENTS_KEPT = 1_000
AT_ONCE = 32
"""Fetches under way at a time, over all hosts."""

BURST, EVERY = 20, 3
"""A host is asked at most this often at once, and then again every so many seconds."""


class Kind(msgspec.Struct, frozen=True):
    """A kind of document: the most bytes it may have, its content types, how long a copy is good (seconds).

    What the server says of its cache is heard between ``shortest`` and ``longest``; ``usual`` is for a server that
    says nothing. ``in_need``: how old a copy may be that is used when the server cannot be reached.
    """

    name: str
    most_bytes: int
    types: re.Pattern[str] = JSON
    shortest: int = 60
    usual: int = 3600
    longest: int = 86400
    redirects: bool = True
    in_need: int = 0


CLIENT_DOCUMENT = Kind("client metadata document", 5 * 1024, redirects=False, in_need=86400)
KEY_SET = Kind("key set", 64 * 1024, usual=600, in_need=86400)
ISSUER_METADATA = Kind("issuer metadata", 64 * 1024, redirects=False, in_need=86400)
SECTOR_DOCUMENT = Kind("sector identifier document", 64 * 1024)
REQUEST_OBJECT = Kind("request object", 64 * 1024, ANYTHING, shortest=0, usual=0, longest=0, redirects=False)
"""Its signature says what it is; servers label it in many ways. Never kept: a request is asked once."""


class Document(msgspec.Struct, frozen=True):
    """A document as it was got, and until when a copy is good (seconds since the epoch)."""

    url: str
    body: bytes
    fetched_at: int
    fresh_until: int


class Fetcher:
    """Gets documents for a realm. ``redirects`` is how many hops are followed, for kinds that allow any: 0 by default,
    because a client's own server has no reason to send us elsewhere. ``seconds`` is for one document."""

    def __init__(
        self, outside: Outside, clock: Callable[[], int], *, redirects: int = 0, seconds: float = SECONDS
    ) -> None:
        self._outside = outside
        self._now = clock
        self._redirects = redirects
        self._seconds = seconds
        self._kept: OrderedDict[tuple[str, str], Document] = OrderedDict()
        self._under_way: dict[tuple[str, str], asyncio.Task[Document]] = {}
        self._hosts = Bucket(BURST, EVERY)
        self._room = asyncio.Semaphore(AT_ONCE)

    async def fetch(self, url: str, kind: Kind, *, newest: int | None = None) -> Document:
        """The document at ``url``, from memory while it is good. Raises ``NotFetched``; failures are not remembered.

        With ``newest`` a copy that is as old as so many seconds is fetched again, fresh or not: for a key that is
        missing in a key set. Callers that want the same document at the same time wait for one fetch.
        """
        key, now = (kind.name, url), self._now()
        known = self._kept.get(key)
        if known is not None and now < known.fresh_until and (newest is None or now - known.fetched_at < newest):
            return known
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._get(url, kind))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._landed(key, done))
        try:
            return await asyncio.shield(task)
        except NotReached:
            if known is not None and now - known.fetched_at <= kind.in_need:
                return known
            raise

    def forget(self, url: str, kind: Kind) -> None:
        """Keep no copy of a document that turned out to be no good."""
        self._kept.pop((kind.name, url), None)

    async def post(
        self,
        url: str,
        body: bytes,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        *,
        most_bytes: int = 4096,
    ) -> Answer:
        """Tell a server something; its answer, whatever the status, with a bounded body. Raises ``NotFetched``."""
        sent = Sent("POST", {"content-type": content_type, "accept": "application/json", **(headers or {})}, body)
        return await self._in_time(url, self._exchange(url, sent, most_bytes))

    def _landed(self, key: tuple[str, str], done: asyncio.Task[Document]) -> None:
        """Keep what a fetch brought, and nothing of a document that its server took back. Whoever waits for the fetch,
        if anybody still does, learns of a failure from the task."""
        self._under_way.pop(key, None)
        if done.cancelled():
            return
        failure = done.exception()
        if failure is None:
            self._keep(key, done.result())
        elif not isinstance(failure, NotReached):
            self._kept.pop(key, None)

    async def _get(self, url: str, kind: Kind) -> Document:
        return self._document(url, kind, await self._in_time(url, self._followed(url, kind)))

    async def _followed(self, url: str, kind: Kind) -> Answer:
        at, hops = url, self._redirects if kind.redirects else 0
        while True:
            answer = await self._exchange(at, _GET, kind.most_bytes)
            if answer.status not in _REDIRECTS or hops == 0:
                return answer
            hops -= 1
            at = urljoin(at, answer.headers.get("location", ""))

    async def _exchange(self, url: str, sent: Sent, most_bytes: int) -> Answer:
        host = take_apart(url).host
        wait = self._hosts.take(host, self._now())
        if wait:
            raise NotReached(f"{host} was asked too often; wait {wait} s")
        async with self._room:
            return await self._outside.exchange(url, sent, most_bytes)

    async def _in_time(self, url: str, exchange: Coroutine[Any, Any, Answer]) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                return await exchange
        except TimeoutError:
            raise NotReached(f"{url} took longer than {self._seconds:g} s") from None

    def _document(self, url: str, kind: Kind, answer: Answer) -> Document:
        if answer.status >= 500:
            raise NotReached(f"the server answered {answer.status}")
        if answer.status != 200:
            raise NotFetched(f"the server answered {answer.status} instead of 200")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise NotFetched("the server packed the document, though it was asked not to")
        said = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not kind.types.fullmatch(said):
            raise NotFetched(f"the document is {said or 'of no type'}, not JSON")
        now = self._now()
        return Document(url, answer.body, now, now + lifetime(answer.headers.get("cache-control", ""), kind))

    def _keep(self, key: tuple[str, str], document: Document) -> None:
        if document.fresh_until <= self._now():
            return
        self._kept[key] = document
        self._kept.move_to_end(key)
        if len(self._kept) > DOCUMENTS_KEPT:
            self._kept.popitem(last=False)


def lifetime(cache_control: str, kind: Kind) -> int:
    """Seconds that a document of this kind is kept, as its server wishes within the kind's bounds (RFC 9111 §5.2.2)."""
    said = {one.strip().lower() for one in cache_control.split(",")}
    if said & {"no-store", "no-cache"}:
        return kind.shortest
    ages = [one.removeprefix("max-age=").strip('"') for one in said if one.startswith("max-age=")]
    wish = int(ages[0]) if len(ages) == 1 and _SECONDS.fullmatch(ages[0]) else kind.usual
    return min(max(wish, kind.shortest), kind.longest)


_GET = Sent("GET", {"accept": "application/json, */*;q=0.1"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SECONDS = re.compile(r"[0-9]{1,9}")
