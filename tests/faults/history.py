"""What clients saw while things went wrong, and whether that can be true of an issuer that loses and doubles nothing.

A client here does what a good one does: it asks any node that takes it, tries again with the same code or token where no
answer came or 503 did, and goes on with what it was given. Then four things have to hold whatever failed in between:

- what was acknowledged works: the last refresh token that each client was given is good in the end;
- nothing works twice: no code is redeemed for two clients or twice for one;
- no family forks: whatever became of a token's answers, its successor is one and the same;
- nobody is falsely accused: a client that only tries again is never refused.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import httpx2

from tests.faults.families import Family, redeeming, refreshing

_PATIENCE = 120
"""Seconds after which what is waited for will not come any more, on however busy a machine."""

Url = Callable[[], str]
"""The address of some node that is to be asked now."""


class History:
    """Everything that clients were answered."""

    def __init__(self) -> None:
        self.given = 0
        """Answers with tokens."""
        self.unavailable = 0
        """Answers 503, each with Retry-After."""
        self.unanswered = 0
        """Requests that came to nobody, or to somebody who then was no more."""
        self.wrong: list[str] = []
        self._successors: dict[str, str] = {}
        self._redeemed: set[str] = set()

    def succeeded(self, old: str, new: str) -> None:
        """A refresh token was answered with another."""
        self.given += 1
        if self._successors.setdefault(old, new) != new:
            self.wrong.append("a token has two successors: the family forked")

    def redeemed(self, code: str) -> None:
        self.given += 1
        if code in self._redeemed:
            self.wrong.append("a code was redeemed twice")
        self._redeemed.add(code)

    def judge(self) -> None:
        """Fails where something was wrong, or where nothing happened at all."""
        assert not self.wrong, self.wrong[:5]
        assert self.given > 0


class Clients:
    """Clients at work on some nodes: each ``family`` rotates its token over and over, each code is redeemed once."""

    def __init__(self, history: History, url: Url) -> None:
        self.history = history
        self._url = url
        self._going = True
        self._tasks: list[asyncio.Task[None]] = []
        self._answered = asyncio.Event()
        self._http = httpx2.AsyncClient(timeout=30, limits=httpx2.Limits(max_connections=None))

    def rotate(self, families: Sequence[Family]) -> None:
        self._tasks += [asyncio.create_task(self._rotate(one)) for one in families]

    def redeem(self, codes: Sequence[str], families: list[Family]) -> None:
        """Redeem one code after another; those that gave tokens become families, for the judgement in the end."""
        self._tasks.append(asyncio.create_task(self._redeem(codes, families)))

    async def until_given(self, more: int) -> None:
        """Wait until so many more answers with tokens have come: whatever failed is over."""
        goal = self.history.given + more
        await self._until(lambda: self.history.given >= goal)

    async def until_unavailable(self) -> None:
        """Wait until somebody was answered 503."""
        goal = self.history.unavailable + 1
        await self._until(lambda: self.history.unavailable >= goal)

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE):
            while not holds() and not self.history.wrong:
                self._answered.clear()
                await self._answered.wait()

    async def stop(self) -> None:
        """Let everybody finish what they are at."""
        self._going = False
        await asyncio.gather(*self._tasks)

    async def judge(self, families: Sequence[Family]) -> None:
        """After ``stop``, with nodes at work: every family's newest token must be good."""
        for family in families:
            answer = await self._http.post(f"{self._url()}/token", data=refreshing(family.token))
            if answer.status_code != 200:
                self.history.wrong.append(f"an acknowledged token is not good: {answer.status_code} {answer.text}")
        await self._http.aclose()
        self.history.judge()

    async def _rotate(self, family: Family) -> None:
        while self._going:
            answer = await self._ask(refreshing(family.token))
            if answer is None:
                continue
            if answer.status_code != 200:
                self.history.wrong.append(f"a client that only tried again was refused: {answer.text}")
                return
            self.history.succeeded(family.token, answer.json()["refresh_token"])
            family.take(answer.json())
            self._answered.set()

    async def _redeem(self, codes: Sequence[str], families: list[Family]) -> None:
        for code in codes:
            answer, doubtful = None, False
            while self._going and answer is None:
                answer = await self._ask(redeeming(code))
                doubtful = doubtful or answer is None
            if answer is None:
                return
            if answer.status_code == 200:
                self.history.redeemed(code)
                families.append(Family(answer.json()["refresh_token"]))
                self._answered.set()
            elif not doubtful:
                self.history.wrong.append(f"a code that was never tried was refused: {answer.text}")

    async def _ask(self, form: dict[str, str]) -> httpx2.Response | None:
        """An answer; None where there was none, or one that says to try again."""
        try:
            answer = await self._http.post(f"{self._url()}/token", data=form)
        except httpx2.TransportError:
            self.history.unanswered += 1
            await asyncio.sleep(random.uniform(0, 0.05))
            return None
        if answer.status_code == 503:
            self.history.unavailable += 1
            self._answered.set()
            if "retry-after" not in answer.headers:
                self.history.wrong.append("503 without Retry-After")
            await asyncio.sleep(random.uniform(0, 0.05))
            return None
        if answer.status_code >= 500:
            self.history.wrong.append(f"{answer.status_code}: {answer.text}")
        return answer
