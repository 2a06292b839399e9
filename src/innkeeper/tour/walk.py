"""The tour without a screen: the agent's and the guest's flow against a running house, step by step.

For a terminal, a test, a script. It drives the sign-in and consent pages by their forms, as a browser would, and says
of each step what was expected and what came. Where the house has a tour, the walk is recorded there too, so that
each step comes with the checks that the house made. Loads no server.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx2
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from innkeeper.client.asking import Flow
from innkeeper.client.authorization import Pending, begin, complete
from innkeeper.client.credentials import Client, Secret
from innkeeper.client.discovery import discover
from innkeeper.client.grants import client_credentials
from innkeeper.client.refused import Refused
from innkeeper.client.token import Access, Token
from innkeeper.client.wire import arun
from innkeeper.protocol.redirects import with_parameters
from innkeeper.protocol.refusals import Unreachable
from innkeeper.tour import cards
from innkeeper.tour.forms import first_form
from innkeeper.tour.house import DOORS
from innkeeper.tour.marks import COOKIE, marked

Result = TypeVar("Result")
FlowName: TypeAlias = Literal["agent", "guest"]


class Seed(msgspec.Struct, frozen=True):
    """Who walks. The defaults are the guest and the clients that ``innkeeper up`` starts with."""

    username: str = "guest@hotel.example"
    password: str = "Correct-Horse-7"
    app: str = "guest-app"
    agent: tuple[str, str] = ("concierge", "concierge-secret")
    guest_scope: str = "openid room:enter gym:enter pool:enter"
    agent_scope: str = "room:enter gym:enter pool:enter"


class StepResult(msgspec.Struct, frozen=True):
    """One step as it went. ``ok``: it went as expected, a refusal included. ``trail`` as ``Trail.as_document``;
    ``page`` is where the house's tour shows the whole walk, "" where there is none."""

    flow: FlowName
    title: str
    expectation: str
    outcome: str
    ok: bool
    trail: dict[str, Any] | None = None
    page: str = ""


async def walk(
    base_url: str, *, http: Callable[[], httpx2.AsyncClient] = httpx2.AsyncClient, seed: Seed | None = None
) -> AsyncIterator[StepResult]:
    """Walk both flows at ``base_url``, which is the issuer's string too. A flow ends where a step it needs failed.

    ``http`` makes the clients, one for the app and one for the guest's browser. Raises ``Unreachable`` where
    nothing answers.
    """
    async with AsyncExitStack() as stack:
        app, browser = [await stack.enter_async_context(http()) for _ in range(2)]
        walker = _Walker(base_url.rstrip("/"), app, browser, seed or Seed())
        await walker.be_recorded()
        async for step in walker.agent():
            yield step
        async for step in walker.guest():
            yield step


class Knock(msgspec.Struct, frozen=True):
    """A card to hold to a door, and the beginnings of the outcomes that are as they should be."""

    title: str
    card: str
    door: str
    expected: tuple[str, ...]


class _Walker:
    """One walk: who walks, with which clients, and whether the house's tour records it."""

    def __init__(self, base_url: str, app: httpx2.AsyncClient, browser: httpx2.AsyncClient, seed: Seed) -> None:
        self._base_url = base_url
        self._resource = f"{base_url}/hotel"
        self._app = app
        self._browser = browser
        self._seed = seed
        self._visit = self._page = ""
        self._told = 0

    async def be_recorded(self) -> None:
        """Ask the house's tour, if it has one, to keep this walk."""
        headers = {"accept": "application/json"}
        reply = await self._send(self._app, "POST", "/tour/visits", data={"flow": "walk"}, headers=headers)
        if reply.status_code == 201:
            self._visit, self._page = reply.json()["id"], reply.json()["page"]
            self._app.headers.update(marked(self._visit))
            self._browser.cookies.set(COOKIE, self._visit)

    async def agent(self) -> AsyncIterator[StepResult]:
        """Client credentials, then cards that must not work."""
        metadata, said = await self._run(discover(self._base_url), "metadata")
        yield await self._step("agent", "The agent finds the front desk", "metadata", said)
        if metadata is None:
            return
        client = Client(self._seed.agent[0], Secret(self._seed.agent[1]))
        access = Access(self._seed.agent_scope, self._resource)
        token, said = await self._run(client_credentials(metadata, client, access), "a keycard")
        yield await self._step("agent", "The agent asks for a keycard in its own name", "a keycard", said)
        if token is None:
            return
        other = Access(resource=f"{self._resource}/mcp")
        foreign, _ = await self._run(client_credentials(metadata, client, other), "a keycard")
        for knock in _agents_knocks(token.access_token, foreign.access_token if foreign else ""):
            yield await self._knock("agent", knock)

    async def guest(self) -> AsyncIterator[StepResult]:
        """Authorization code with PKCE: through the pages, back with a code, and to the doors."""
        pending, said = await self._run(self._note(), "an authorization request")
        yield await self._step("guest", "The app writes a note for the desk", "an authorization request", said)
        if pending is None:
            return
        query = await self._through_the_pages(pending)
        said = "a code" if "code=" in query else query
        yield await self._step("guest", "The guest signs in and allows the app", "a code", said)
        token, said = await self._run(complete(pending, query), "a keycard")
        yield await self._step("guest", "The app exchanges the code for a keycard", "a keycard", said)
        if token is None:
            return
        for knock in _guests_knocks(token):
            yield await self._knock("guest", knock)
        _, said = await self._run(complete(pending, query), "a keycard")
        yield await self._step("guest", "The code is shown a second time", "invalid_grant", said)

    def _note(self) -> Flow[Pending]:
        """The authorization request; it asks for the pages even where the desk knows the guest."""
        metadata = yield from discover(self._base_url)
        access = Access(self._seed.guest_scope, self._resource)
        pending = yield from begin(metadata, Client(self._seed.app), access, f"{self._base_url}/callback")
        return msgspec.structs.replace(pending, url=with_parameters(pending.url, (("prompt", "login consent"),)))

    async def _through_the_pages(self, pending: Pending) -> str:
        """Follow redirects and answer forms until the browser would be back at the app: the query it would bring."""
        reply = await self._send(self._browser, "GET", pending.url)
        for _ in range(_PATIENCE):
            if not reply.has_redirect_location:
                reply = await self._answered(reply)
            location = reply.headers.get("location")
            if location is None:
                return f"the page again: {reply.status_code} {reply.reason_phrase}"
            if location.startswith(f"{pending.redirect_uri}?"):
                return urlsplit(location).query
            reply = await self._send(self._browser, "GET", location)
        return f"no end after {_PATIENCE} pages"

    async def _answered(self, page: httpx2.Response) -> httpx2.Response:
        """What comes of filling in the page's form; the page itself where it has none."""
        form = first_form(page.text)
        if form is None:
            return page
        return await self._send(self._browser, "POST", form.action, data=form.filled(**self._answers()))

    def _answers(self) -> dict[str, str]:
        return {"username": self._seed.username, "password": self._seed.password, "decision": "allow"}

    async def _knock(self, flow: FlowName, knock: Knock) -> StepResult:
        bearer = {"authorization": f"Bearer {knock.card}"} if knock.card else {}
        reply = await self._send(self._app, "GET", self._resource + DOORS[knock.door].path, headers=bearer)
        return await self._step(flow, knock.title, " or ".join(knock.expected), _door_said(reply), *knock.expected)

    async def _step(self, flow: FlowName, title: str, expectation: str, said: str, *accepted: str) -> StepResult:
        went_well = said.startswith(accepted or (expectation,))
        return StepResult(flow, title, expectation, said, went_well, await self._trail(), self._page)

    async def _trail(self) -> dict[str, Any] | None:
        """The last checks that the house made in this step, if its tour tells them."""
        if not self._visit:
            return None
        reply = await self._send(self._app, "GET", f"/tour/visits/{self._visit}/replay.json")
        hops = reply.json()["hops"] if reply.status_code == 200 else []
        fresh = [hop for hop in hops if hop["n"] > self._told]
        self._told = max((hop["n"] for hop in hops), default=0)
        return next((hop["trails"][-1] for hop in reversed(fresh) if hop["trails"]), None)

    async def _run(self, flow: Flow[Result], found: str) -> tuple[Result | None, str]:
        """What a flow gives, and how that went in words: ``found``, or the error."""
        try:
            return await arun(flow, self._app), found
        except Refused as refused:
            return None, f"{refused.error}: {refused}"

    async def _send(self, client: httpx2.AsyncClient, method: str, url: str, **how: Any) -> httpx2.Response:
        address = urljoin(self._base_url, url)
        try:
            return await client.request(method, address, follow_redirects=False, **how)
        except httpx2.HTTPError as failure:
            raise Unreachable(f"{address} does not answer: {failure}") from None


def _agents_knocks(real: str, foreign: str) -> tuple[Knock, ...]:
    own_key = ec.generate_private_key(ec.SECP256R1())
    refused = ("401 invalid_token",)
    return (
        Knock("The agent's card at the gym", real, "gym", _OPEN_IN_HOURS),
        Knock("The agent's card at the VIP lounge", real, "vip", ("403 insufficient_scope",)),
        Knock("No card at all", "", "gym", ("401",)),
        Knock("A tampered card", cards.tampered(real), "gym", refused),
        Knock("A card with no seal: alg none", cards.unsigned(real), "gym", refused),
        Knock("A card sealed with a key made at home", cards.homemade(real, own_key), "gym", refused),
        Knock("A card for another hotel", foreign, "gym", refused),
    )


def _guests_knocks(token: Token) -> tuple[Knock, ...]:
    return (
        Knock("The guest's card at their own room", token.access_token, "room-204", ("200",)),
        Knock("The guest's card at somebody else's room", token.access_token, "room-305", ("403",)),
        Knock("The guest's card at the pool", token.access_token, "pool", _OPEN_IN_HOURS),
        Knock("The guest's card at the VIP lounge", token.access_token, "vip", ("403 insufficient_scope",)),
        Knock("The ID token in place of a card", token.id_token or "", "gym", ("401 invalid_token",)),
    )


def _door_said(reply: httpx2.Response) -> str:
    """Status, and the error code or else the sentence that came with it."""
    code = _ERROR.search(reply.headers.get("www-authenticate", ""))
    try:
        message = str(reply.json().get("message", ""))
    except ValueError:
        message = ""
    return f"{reply.status_code} {code[1] if code else message}".strip()


_OPEN_IN_HOURS = ("200", "403 It is closed at this hour")
_PATIENCE = 12
_ERROR = re.compile(r'\berror="([^"]+)"')
