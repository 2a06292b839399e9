"""Flows against the real world: one driver for threads, one for coroutines.

Redirects are never followed: a request here may carry a secret, and only the address it was made for may
see it. Answers are bounded in size and in time, and taken unencoded, so that none can be a bomb.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Generator
from contextlib import AsyncExitStack, ExitStack, closing
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

import httpx2

from innkeeper.client.asking import Answer, Ask, Chance, Flow, Now, Pause, Question, Result, Work
from innkeeper.client.refused import Refused, quoted, refuse
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Page, Unreachable

Failure: TypeAlias = Refused | Unreachable
Step = TypeVar("Step")

ANSWER_LIMIT = 512 * 1024  # bytes; the largest honest document, a key set with certificates, is a tenth of this
TIME_LIMIT = 30.0  # seconds for one whole answer, however slowly it drips

ANSWER_UNBOUNDED = Page(
    "IK601",
    error="server_error",
    title="The answer was too large or encoded",
    cause=f"An issuer's answer passed {ANSWER_LIMIT // 1024} KiB, or came compressed although that was not asked for.",
    remedy="Check that the address is an issuer's and not a download.",
    wire="",
)


class Answering:
    """Answers questions in a thread; the HTTP client is opened when the first request is made. Use it as a block."""

    def __init__(self, http: httpx2.Client | None = None) -> None:
        self._http = http
        self._borrowed = ExitStack()

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: object) -> None:
        self._borrowed.close()

    def answer(self, question: Question) -> Answer | Failure:
        """The answer, or the failure to be thrown into the flow in its place."""
        try:
            return _answer(question, self._client)
        except (Refused, Unreachable) as failure:
            return failure

    def _client(self) -> httpx2.Client:
        if self._http is None:
            self._http = self._borrowed.enter_context(httpx2.Client(timeout=_TIMEOUT, mounts=_LOOPBACK))
        return self._http


class AsyncAnswering:
    """``Answering`` for coroutines."""

    def __init__(self, http: httpx2.AsyncClient | None = None) -> None:
        self._http = http
        self._borrowed = AsyncExitStack()

    async def __aenter__(self) -> AsyncAnswering:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._borrowed.aclose()

    async def answer(self, question: Question) -> Answer | Failure:
        """The answer, or the failure to be thrown into the flow in its place."""
        try:
            return await _aanswer(question, self._client)
        except (Refused, Unreachable) as failure:
            return failure

    def _client(self) -> httpx2.AsyncClient:
        if self._http is None:
            self._http = httpx2.AsyncClient(timeout=_TIMEOUT, mounts=_LOOPBACK)
            self._borrowed.push_async_callback(self._http.aclose)
        return self._http


def advance(flow: Generator[Step, Any, Any], answer: Any) -> Step:
    """Tell a flow what it asked for, or throw what kept it from being known; its next step is returned."""
    return flow.throw(answer) if isinstance(answer, (Refused, Unreachable)) else flow.send(answer)


def run(flow: Flow[Result], http: httpx2.Client | None = None) -> Result:
    """Drive a flow to its end and return what it returns. Raises what the flow raises, ``Unreachable`` included."""
    with closing(flow), Answering(http) as world:
        try:
            question = next(flow)
            while True:
                question = advance(flow, world.answer(question))
        except StopIteration as end:
            value: Result = end.value
            return value


async def arun(flow: Flow[Result], http: httpx2.AsyncClient | None = None) -> Result:
    """``run`` for coroutines. Cancelling it closes the flow, which lets go of any lock it holds."""
    with closing(flow):
        async with AsyncAnswering(http) as world:
            try:
                question = next(flow)
                while True:
                    question = advance(flow, await world.answer(question))
            except StopIteration as end:
                value: Result = end.value
                return value


def _answer(question: Question, client: Callable[[], httpx2.Client]) -> Answer:
    if isinstance(question, Pause):
        time.sleep(question.seconds)
        return None
    if isinstance(question, Work):
        return question.do()
    if not isinstance(question, Ask):
        return _known(question)
    intake, http = _Intake(question), client()
    try:
        response = http.send(_request(question, http), stream=True, follow_redirects=False, auth=None)
        try:
            intake.open(response)
            for chunk in response.iter_bytes():
                intake.add(chunk)
        finally:
            response.close()
    except _FAILURES as failure:
        raise _unreachable(question, failure) from None
    return intake.reply(response)


async def _aanswer(question: Question, client: Callable[[], httpx2.AsyncClient]) -> Answer:
    if isinstance(question, Pause):
        await asyncio.sleep(question.seconds)
        return None
    if isinstance(question, Work):
        return await asyncio.to_thread(question.do)
    if not isinstance(question, Ask):
        return _known(question)
    intake, http = _Intake(question), client()
    try:
        response = await http.send(_request(question, http), stream=True, follow_redirects=False, auth=None)
        try:
            intake.open(response)
            async for chunk in response.aiter_bytes():
                intake.add(chunk)
        finally:
            await response.aclose()
    except _FAILURES as failure:
        raise _unreachable(question, failure) from None
    return intake.reply(response)


class _Intake:
    """An answer as it arrives, given up on when it grows too large or takes too long."""

    def __init__(self, question: Ask) -> None:
        self._question = question
        self._deadline = time.monotonic() + TIME_LIMIT
        self._body = bytearray()

    def open(self, response: httpx2.Response) -> None:
        encoding = response.headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            raise refuse(ANSWER_UNBOUNDED, f"{self._question.purpose} sent {quoted(encoding, 40)}-encoded content")

    def add(self, chunk: bytes) -> None:
        self._body += chunk
        if len(self._body) > ANSWER_LIMIT:
            raise refuse(ANSWER_UNBOUNDED, f"{self._question.purpose} sent more than {ANSWER_LIMIT // 1024} KiB")
        if time.monotonic() > self._deadline:
            raise Unreachable(f"{self._question.purpose} took more than {TIME_LIMIT:.0f} s: {self._question.url}")

    def reply(self, response: httpx2.Response) -> Reply:
        headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        return Reply(response.status_code, headers, bytes(self._body))


def _known(question: Now | Chance) -> Answer:
    return time.time() if isinstance(question, Now) else secrets.token_urlsafe(question.size)


def _request(question: Ask, http: httpx2.Client | httpx2.AsyncClient) -> httpx2.Request:
    headers = [*question.headers, ("accept-encoding", "identity")]
    return http.build_request(question.method, question.url, headers=headers, content=question.body or None)


def _unreachable(question: Ask, failure: Exception) -> Unreachable:
    said = quoted(failure) or type(failure).__name__
    hint = ""
    if "CERTIFICATE_VERIFY_FAILED" in said:
        hint = "; for a local certificate authority set SSL_CERT_FILE to its file"
    elif isinstance(failure, httpx2.ConnectError):
        hint = f"; is {urlsplit(question.url).netloc} up and the address right?"
    return Unreachable(f"{question.purpose} at {question.url} cannot be reached: {said}{hint}")


_FAILURES = (httpx2.HTTPError, httpx2.InvalidURL)
_TIMEOUT = httpx2.Timeout(10, connect=5)
# A proxy from the environment must never see what is meant for this very computer.
_LOOPBACK = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
