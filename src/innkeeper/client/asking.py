"""What a flow may ask of the world: an HTTP request, the time, a random text, a pause.

A flow is a generator: it yields a question and is sent the answer, so that one text serves threads and
coroutines, and a test can play the world by hand. ``wire`` drives flows against the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar, cast
from urllib.parse import urlencode

import msgspec

from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.parameters import FORM


class Ask(msgspec.Struct, frozen=True):
    """One HTTP request to make. ``purpose`` names it for people, such as "the token endpoint"."""

    purpose: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def __repr__(self) -> str:  # headers and body hold secrets
        return f"<Ask {self.method} {self.url}>"


class Now(msgspec.Struct, frozen=True):
    """What time is it, in seconds since 1970?"""


class Chance(msgspec.Struct, frozen=True):
    """A text of ``size`` random bytes, as base64url characters."""

    size: int = 32


class Pause(msgspec.Struct, frozen=True):
    """Wait a little."""

    seconds: float


class Work(msgspec.Struct, frozen=True):
    """Do something that takes its time and is not ours, such as waiting for a person; what it returns is the answer."""

    do: Callable[[], str]


Question: TypeAlias = Ask | Now | Chance | Pause | Work
Answer: TypeAlias = Reply | float | str | None
Result = TypeVar("Result")
Flow: TypeAlias = Generator[Question, Answer, Result]


def ask(request: Ask) -> Flow[Reply]:
    """Make a request. The wire throws ``Unreachable`` into the flow where no answer comes."""
    return cast(Reply, (yield request))


def now() -> Flow[float]:
    """The time."""
    return cast(float, (yield Now()))


def chance(size: int = 32) -> Flow[str]:
    """``size`` random bytes as base64url text: 43 characters for 32 bytes."""
    return cast(str, (yield Chance(size)))


def pause(seconds: float) -> Flow[None]:
    """Let ``seconds`` pass."""
    yield Pause(seconds)


def work(do: Callable[[], str]) -> Flow[str]:
    """What ``do`` returns; it runs in a thread of its own where the caller is a coroutine."""
    return cast(str, (yield Work(do)))


def get(url: str, purpose: str) -> Ask:
    """A GET for a JSON document."""
    return Ask(purpose, "GET", url, (("accept", "application/json"),))


def post(url: str, purpose: str, form: list[tuple[str, str]], headers: tuple[tuple[str, str], ...] = ()) -> Ask:
    """A form POST that wants JSON back."""
    fixed = (("accept", "application/json"), ("content-type", FORM))
    return Ask(purpose, "POST", url, fixed + headers, urlencode(form).encode("ascii"))
