"""A whole issuer inside a test: its ASGI application, a state folder of its own, a clock that is moved by hand.

Requests go in as bytes and come out as bytes, with no server and no client library between to tidy them up.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from msgspec.structs import replace

from innkeeper.issuer.app import Issuer, open_issuer
from innkeeper.issuer.desk.outside import Outside
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.settings import SeedClient, SeedPerson, SeedResource, Settings
from innkeeper.issuer.witness.witness import Witness
from innkeeper.protocol import pkce
from innkeeper.protocol.refusals import Unreachable, UsageError
from innkeeper.tokens.trail import Trail
from tests.issuer import engines

Result = TypeVar("Result")
Pairs = dict[str, str] | Sequence[tuple[str, str]]

NOW = 1_800_000_000
ORIGIN = "http://127.0.0.1:8400"
HOTEL, SPA = f"{ORIGIN}/hotel", f"{ORIGIN}/spa"
PASSWORD = "Correct-Horse-7"
SECRET = "it's 20 % off: a+b/c=ü"
VERIFIER = "the-verifier-of-these-tests-is-43-letters-long"
FORM = "application/x-www-form-urlencoded"

SETTINGS = Settings(
    title="The test inn",
    resource=[
        SeedResource("{origin}/hotel", "The hotel", {"room:enter": "Open your room", "gym:enter": "Use the gym"}),
        SeedResource("{origin}/spa", "The spa", {"sauna:heat": "Heat the sauna"}),
    ],
    client=[
        SeedClient(
            id="shop",
            name="The shop",
            secret=SECRET,
            redirect_uris=["https://shop.example/callback", "https://shop.example/back?from=inn"],
            post_logout_redirect_uris=["https://shop.example/bye"],
            scopes=["openid", "profile", "email", "offline_access", "room:enter", "gym:enter", "sauna:heat"],
        ),
        SeedClient(
            id="app",
            name="The app",
            redirect_uris=["http://127.0.0.1/callback"],
            scopes=["openid", "room:enter", "gym:enter"],
            native=True,
        ),
        SeedClient(
            id="robot",
            name="The robot",
            secret="robot-secret",
            grants=("client_credentials",),
            scopes=["room:enter", "gym:enter"],
        ),
    ],
    person=[
        SeedPerson(
            sub="ada-1",
            username="ada@example.org",
            password=PASSWORD,
            claims={"name": "Ada <b>", "email": "ada@example.org"},
        ),
        SeedPerson(sub="bob-2", username="bob@example.org", password=PASSWORD),
    ],
)
"""Two people, a shop with a secret, a public app, a robot on its own behalf, two APIs."""

ASKED = {
    "client_id": "shop",
    "redirect_uri": "https://shop.example/callback",
    "response_type": "code",
    "scope": "openid room:enter",
    "state": "s-1",
    "nonce": "n-1",
    "code_challenge": pkce.challenge(VERIFIER),
    "code_challenge_method": "S256",
}
"""An authorization request of the shop that nothing is wrong with."""


class Clock:
    """Whole seconds, moved by hand."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def move(self, seconds: int) -> None:
        self.now += seconds


class Asked(NamedTuple):
    """A request as bytes. ``chunks`` are the pieces its body arrives in; ``cut`` breaks the line after them."""

    method: str
    path: str
    query: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    chunks: tuple[bytes, ...] = ()
    remote: str = "127.0.0.1"
    cut: bool = False
    scheme: str = "http"


class Answer(NamedTuple):
    """What came back. ``headers`` in the order sent, names as sent."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def every(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def json(self) -> dict[str, Any]:
        assert self.header("content-type") == "application/json", (self.status, self.headers, self.body[:200])
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def location(self) -> str:
        to = self.header("location")
        assert to is not None, (self.status, self.body[:200])
        return to

    @property
    def sent_back(self) -> dict[str, str]:
        """The parameters of a redirect's query, each of which came once."""
        found = parse_qs(urlsplit(self.location).query, keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in found.values()), found
        return {name: values[0] for name, values in found.items()}


class House:
    """An issuer that is open until ``close``; ``trails`` are the decisions it made."""

    def __init__(
        self,
        folder: Path,
        settings: Settings = SETTINGS,
        *,
        clock: Clock | None = None,
        development: bool = False,
        outside: Outside | None = None,
        also_at: Sequence[str] = (),
        witness: Callable[[Clock], Witness] | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self._witness = witness(self.clock) if witness else None
        self.trails: list[Trail] = []
        self._runner = asyncio.Runner()
        server = replace(settings.server, state=str(folder), database_url=engines.database_of(folder))
        self.settings = replace(settings, server=server)
        self._nodes = [self._opened(development, outside, also_at) for _ in range(engines.nodes())]
        self.issuer = self._nodes[0]

    def _opened(self, development: bool, outside: Outside | None, also_at: Sequence[str]) -> Issuer:
        observe, clock = self.trails.append, self.clock
        try:
            return self.run(
                open_issuer(
                    self.settings,
                    development=development,
                    observe=observe,
                    clock=clock,
                    outside=outside,
                    also_at=also_at,
                    witness=self._witness,
                )
            )
        except UsageError:
            self._runner.close()
            raise

    def close(self) -> None:
        for node in self._nodes:
            node.close()
        self._runner.close()

    @property
    def nodes(self) -> list[Issuer]:
        """Its issuers, who share one memory."""
        return list(self._nodes)

    @property
    def realms(self) -> list[Realm]:
        """The native realm in each of its nodes."""
        return [node.realm for node in self._nodes]

    def run(self, work: Awaitable[Result]) -> Result:
        """Wait for something in this house's event loop."""

        async def wait() -> Result:
            return await work

        return self._runner.run(wait())

    def ask(self, asked: Asked) -> Answer:
        return self.run(self._answer(asked))

    def ask_all(self, asked: Iterable[Asked]) -> list[Answer]:
        """All requests at the same time."""

        async def all_at_once() -> list[Answer]:
            return await asyncio.gather(*(self._answer(one) for one in asked))

        return self.run(all_at_once())

    async def _answer(self, asked: Asked) -> Answer:
        """The answer of the node whose turn it is: no two requests in a row come to the same, where there are several."""
        if len(self._nodes) == 1:
            return await answer(self.issuer, asked)
        self._nodes.append(node := self._nodes.pop(0))
        with suppress(Unreachable):
            await node.look()  # as each node does by itself, while it is watched
        return await answer(node, asked)

    def get(self, url: str, **headers: str) -> Answer:
        path, _, query = url.removeprefix(ORIGIN).partition("?")
        return self.ask(Asked("GET", path, query.encode("ascii"), named(headers)))

    def post(self, path: str, form: Pairs, **headers: str) -> Answer:
        return self.ask(posted(path, form, **headers))

    def token(self, form: Pairs, **headers: str) -> Answer:
        return self.post("/token", form, **headers)

    @property
    def last(self) -> Trail:
        """The newest decision."""
        return self.trails[-1]


def posted(path: str, form: Pairs, remote: str = "127.0.0.1", **headers: str) -> Asked:
    """A form sent by POST. Headers are given with ``_`` for ``-``."""
    body = urlencode(form).encode("ascii")
    return Asked("POST", path, b"", named({"content_type": FORM, **headers}), (body,), remote)


def named(headers: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name.replace("_", "-"), value) for name, value in headers.items())


async def answer(issuer: Issuer, asked: Asked) -> Answer:
    """Put one request to the issuer's ASGI application."""
    pieces = list(asked.chunks)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if pieces:
            body = pieces.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(pieces) or asked.cut}
        return {"type": "http.disconnect"} if asked.chunks or asked.cut else {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "scheme": asked.scheme,
        "method": asked.method,
        "path": asked.path,
        "query_string": asked.query,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in asked.headers],
        "client": (asked.remote, 50000),
    }
    await issuer.site(scope, receive, send)
    if not sent:
        return Answer(0, [], b"")
    start, *bodies = sent
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], headers, b"".join(one["body"] for one in bodies))
