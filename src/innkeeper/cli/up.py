"""``innkeeper up``: issuer, hotel and tour on this computer, joined into one site on one port."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from starlette.types import ASGIApp, Receive, Scope, Send

from innkeeper.cli.agents import ways_in
from innkeeper.cli.serving import Opening, OverTls, listen, run
from innkeeper.cli.state import MASTER_KEY
from innkeeper.cli.twin_show import SHOWN
from innkeeper.cli.witnessing import server_witness
from innkeeper.client import Client, Secret
from innkeeper.guard import Guard
from innkeeper.guard.keys import Freshness
from innkeeper.hotel import Book, make_hotel
from innkeeper.hotel.app import HotelSettings
from innkeeper.hotel.book import seeded
from innkeeper.hotel.mcp import BASE, HotelTools, make_tools
from innkeeper.hotel.orders import ByIssuer
from innkeeper.issuer.app import Issuer, open_issuer, open_seal, system_clock
from innkeeper.issuer.desk.key_care import Cupboard, rotate_key
from innkeeper.issuer.dialects.native.tokens import ACCESS_ALGORITHM
from innkeeper.issuer.settings import Settings, load
from innkeeper.issuer.store.upgrading import bring_up
from innkeeper.keys.authority import local_certificate
from innkeeper.protocol.refusals import UsageError
from innkeeper.tour.app import TourApp, make_tour
from innkeeper.tour.course import built
from innkeeper.tour.hands import hotel_time, locks_time
from innkeeper.tour.house import Twin
from innkeeper.tour.overhearing import observe as overhear

AGENT = "concierge"
APP = "guest-app"
KITCHEN = "room-service"
ACTING = {"concierge_agent": "concierge-agent", "spa_agent": "spa-agent"}
"""The agents that act one behind the other in the tour, by the name its acts have for them."""
TOOLS = "/hotel/mcp"
ASKED = ("openid", "room:enter", "gym:enter", "pool:enter")
"""What the guest's app asks for in the tour: one door less than there are, so that one is seen to stay shut."""


def command(
    config: Annotated[Path | None, typer.Option(help="The settings file; innkeeper.toml here by default.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Watch your own application's traffic at /tour/watch from the start.")
    ] = False,
) -> None:
    """Serve issuer, hotel and tour on this computer, all set up."""
    settings = load(config)
    if watch and not settings.server.only_this_computer:
        raise UsageError(
            f"--watch shows traffic to whoever is at this computer, and host {settings.server.host} lets others in"
        )
    if settings.server.tls_certificate:
        raise UsageError("tls_certificate is for `serve`; `up` makes a certificate for this computer by itself")
    listening = listen(settings.server.host, settings.server.port)
    over_tls = _over_tls(settings)
    origins = [f"https://localhost:{one.listening.getsockname()[1]}" for one in over_tls]
    run(Opening(lambda: _open(settings, origins, watch=watch)), listening, *over_tls)


def _over_tls(settings: Settings) -> list[OverTls]:
    """The socket for TLS, unless there shall be none or the usual port is taken. Raises ``UsageError``."""
    wanted = settings.server.tls_port
    if wanted == 0:
        return []
    try:
        listening = listen("127.0.0.1", wanted or _TLS_PORT)
    except UsageError:
        if wanted:
            raise
        print(
            f"port {_TLS_PORT} is in use, so nothing is served over TLS; TLS_PORT= takes another one", file=sys.stderr
        )
        return []
    certificate = local_certificate(
        Path(settings.server.state), open_seal(settings, os.environ.get(MASTER_KEY)), system_clock()
    )
    return [OverTls(listening, certificate)]


_TLS_PORT = 8443


@asynccontextmanager
async def _open(settings: Settings, origins: list[str], *, watch: bool) -> AsyncIterator[ASGIApp]:
    master = os.environ.get(MASTER_KEY)
    await bring_up(settings.database)
    witness = server_witness(settings, alone=True)
    issuer = await open_issuer(
        settings, development=True, observe=overhear, master=master, also_at=origins, witness=witness
    )
    guard, tools_guard = _guard(issuer, settings, "/hotel", _scopes(settings)), _guard(issuer, settings, TOOLS, BASE)
    tour = _tour(issuer, settings, (guard, tools_guard), watch=watch)
    book = seeded(hotel_time())
    try:
        async with AsyncExitStack() as open_things:
            await open_things.enter_async_context(issuer.watched())
            tools = _tools(issuer, settings, tools_guard, book)
            if tools:
                await open_things.enter_async_context(tools.opened())
            _greet(settings, origins, watch=watch)
            yield tour.wrap(Site(issuer, _hotel(issuer, guard, book), tools, tour))
    finally:
        await tour.aclose()
        issuer.close()


class Site:
    """Sends each path to whom it belongs: the hotel's to the hotel or its tools, the issuer's to the issuer, the rest to the
    tour."""

    def __init__(self, issuer: Issuer, hotel: ASGIApp, tools: HotelTools | None, tour: TourApp) -> None:
        self._issuer = issuer
        self._hotel = hotel
        self._tools = tools
        self._tour = tour

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if self._issuer.site.takes(scope):
            await self._issuer.site(scope, receive, send)
        elif self._tools and path in self._tools.paths:
            await self._tools.app(scope, receive, send)
        elif path == "/hotel" or path.startswith(_HOTELS):
            await self._hotel(scope, receive, send)
        else:
            await self._tour.app(scope, receive, send)


_HOTELS = ("/hotel/", "/.well-known/oauth-protected-resource")


def _scopes(settings: Settings) -> Iterable[str]:
    return next((one.scopes for one in settings.resource if one.uri == "{origin}/hotel"), {})


def _guard(issuer: Issuer, settings: Settings, path: str, scopes: Iterable[str]) -> Guard:
    """The guard of an API of the hotel's. ``scopes`` are published: there are clients that ask for all of them at once."""
    return Guard(
        settings.origin,
        f"{settings.origin}{path}",
        scopes_supported=scopes,
        observe=issuer.realm.observe,
        explain=issuer.explanations.address,
        clock=locks_time,
        freshness=SEEN_SOON,
    )


SEEN_SOON = Freshness(interval=1)
"""On one's own computer a key that was just rotated by a command is looked up soon: nobody floods the issuer here."""


def _hotel(issuer: Issuer, guard: Guard, book: Book) -> ASGIApp:
    observe, explain = issuer.realm.observe, issuer.explanations.address
    kept = HotelSettings(book=book)
    return make_hotel(guard=guard, settings=kept, clock=hotel_time, observe=observe, explain=explain)


def _tools(issuer: Issuer, settings: Settings, guard: Guard, book: Book) -> HotelTools | None:
    """The hotel's MCP server, where the settings know it as a resource."""
    if all(one.uri != f"{{origin}}{TOOLS}" for one in settings.resource):
        return None
    asks = next((one for one in settings.client if one.id == KITCHEN and one.secret), None)
    where = settings.origin + issuer.layout.approvals
    return make_tools(
        guard=guard,
        settings=HotelSettings(book=book),
        asking=ByIssuer(settings.origin, Client(KITCHEN, Secret(asks.secret)), guard, where) if asks else None,
        clock=hotel_time,
        observe=issuer.realm.observe,
        explain=issuer.explanations.address,
    )


def _tour(issuer: Issuer, settings: Settings, guards: Iterable[Guard], *, watch: bool) -> TourApp:
    agent = next((one for one in settings.client if one.id == AGENT), None)
    if agent is None or all(one.id != APP for one in settings.client):
        raise UsageError(f"the tour needs the clients {AGENT!r} and {APP!r} in the settings; `serve` needs neither")

    async def cut_expired(claims: Mapping[str, Any]) -> str:
        return await issuer.cut_again(claims, system_clock() - _AN_HOUR)

    async def rotate_keys() -> None:
        await rotate_key(Cupboard.of(issuer.realm), ACCESS_ALGORITHM, ahead=0)
        await issuer.realm.reload()
        for guard in guards:
            await guard.refresh()

    return make_tour(
        base_url=settings.origin,
        client_id=APP,
        agent=(AGENT, agent.secret),
        resource=f"{settings.origin}/hotel",
        scopes=ASKED,
        cut_expired=cut_expired,
        rotate_keys=rotate_keys,
        replays=Path(settings.server.state) / "replays",
        clock=system_clock,
        guest=next(((one.username, one.password) for one in settings.person), ("", "")),
        agents=_acting(settings),
        twins=[_twin(SHOWN[one.dialect](settings, one)) for one in settings.twin if one.dialect in SHOWN],
        watch=watch if settings.server.only_this_computer else None,
        lessons=built(Path.cwd()) if settings.server.only_this_computer else None,
    )


def _acting(settings: Settings) -> dict[str, str]:
    """The agents that the tour sends for a guest, as it has to know them; none where the settings lack one of the two."""
    secrets = {one.id: one.secret for one in settings.agent if one.secret}
    if not set(ACTING.values()) <= secrets.keys():
        return {}
    return ACTING | {f"{name}_secret": secrets[client] for name, client in ACTING.items()}


def _twin(shown: Mapping[str, Any]) -> Twin:
    """A cloud's desk, as the tour has to know it."""
    known = {"issuer": shown["issuer"], **shown["endpoints"]}
    known |= {"api": shown["apis"][0]["identifier_uris"][0]} if "apis" in shown else {}
    for client in shown["clients"]:
        role = {AGENT: "agent", APP: "app"}.get(client["name"])
        if role:
            known |= {role: client["id"], f"{role}_secret": client["secret"] or ""}
    return Twin(shown["dialect"], f"/{shown.get('pool') or shown['tenant']}", known)


_AN_HOUR = 3600


def _for_agents(settings: Settings) -> list[str]:
    """How to add the hotel's tools to what people have agents in."""
    if all(one.uri != f"{{origin}}{TOOLS}" for one in settings.resource):
        return []
    ways = ways_in("hotel", f"{settings.origin}{TOOLS}")
    return [f"  for agents    {settings.origin}{TOOLS}", *(f"    {name:<12}{line}" for name, line in ways.items())]


def _greet(settings: Settings, origins: list[str], *, watch: bool) -> None:
    people = ", ".join(f"{one.username} / {one.password}" for one in settings.person[:1])
    lines = (
        f"innkeeper is open on {settings.origin}",
        f"  the tour      {settings.origin}/",
        *([f"  your traffic  {settings.origin}/tour/watch"] if watch else []),
        f"  the issuer    {settings.origin}/.well-known/openid-configuration",
        f"  the hotel     {settings.origin}/hotel",
        *_for_agents(settings),
        *(f"  the console   {settings.origin}/admin    (as {one.username})" for one in settings.person if one.roles),
        *(f"  over TLS      {origin}    (its authority: {settings.server.state}/ca.pem)" for origin in origins),
        f"  sign in as    {people}",
        f"  state         {settings.server.state}    (Ctrl-C closes the inn; nothing is lost)",
    )
    print("\n".join(lines), file=sys.stderr, flush=True)
