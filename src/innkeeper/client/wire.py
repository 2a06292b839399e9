"""Flows against the real world: one driver for threads, one for coroutines.

Redirects are never followed: a request here may carry a secret, and only the address it was made for may
see it. Answers are bounded in size and in time, and taken unencoded, so that none can be a bomb.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from urllib.parse import urlsplit

import httpx2

from innkeeper.client.asking import Answer, Ask, Chance, Flow, Now, Pause, Question, Result
from innkeeper.client.refused import Refused, quoted, refuse
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Page, Unreachable

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


def run(flow: Flow[Result], http: httpx2.Client | None = None) -> Result:
    """Drive a flow to its end and return what it returns. Raises what the flow raises, ``Unreachable`` included."""
    with ExitStack() as borrowed:
        borrowed.callback(flow.close)

        def client() -> httpx2.Client:
            nonlocal http
            http = http or borrowed.enter_context(httpx2.Client(timeout=_TIMEOUT, mounts=_LOOPBACK))
            return http

        try:
            question = next(flow)
            while True:
                try:
                    answer = _answer(question, client)
                except (Refused, Unreachable) as failure:
                    question = flow.throw(failure)
                else:
                    question = flow.send(answer)
        except StopIteration as end:
            value: Result = end.value
            return value


async def arun(flow: Flow[Result], http: httpx2.AsyncClient | None = None) -> Result:
    """``run`` for coroutines. Cancelling it closes the flow, which lets go of any lock it holds."""
    async with AsyncExitStack() as borrowed:
        borrowed.callback(flow.close)

        def client() -> httpx2.AsyncClient:
            nonlocal http
            if http is None:
                http = httpx2.AsyncClient(timeout=_TIMEOUT, mounts=_LOOPBACK)
                borrowed.push_async_callback(http.aclose)
            return http

        try:
            question = next(flow)
            while True:
                try:
                    answer = await _aanswer(question, client)
                except (Refused, Unreachable) as failure:
                    question = flow.throw(failure)
                else:
                    question = flow.send(answer)
        except StopIteration as end:
            value: Result = end.value
            return value


def _answer(question: Question, client: Callable[[], httpx2.Client]) -> Answer:
    if isinstance(question, Pause):
        time.sleep(question.seconds)
        return None
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
