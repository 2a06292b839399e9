"""Plays the acts of a chapter for a visit, one at a time, over real HTTP, and notes what came of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx2
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from innkeeper.client.asking import ask, get
from innkeeper.client.discovery import discover
from innkeeper.client.refused import Refused
from innkeeper.protocol.parameters import Malformed, parse_query
from innkeeper.protocol.refusals import Unreachable, UsageError
from innkeeper.tour import calling
from innkeeper.tour.book import Book
from innkeeper.tour.forge import FORGED, Forge
from innkeeper.tour.forms import first_form, link_beside
from innkeeper.tour.hands import at_noon
from innkeeper.tour.house import House
from innkeeper.tour.line import Line
from innkeeper.tour.makings import MAKINGS, proof, signed
from innkeeper.tour.plays import Act, act_key, chapter
from innkeeper.tour.visit import Done, Visit, played

DOCUMENT = "/.well-known/openid-configuration"
PAGES = 12
"""Pages that a browser answers before it gives up."""


class Came(msgspec.Struct, frozen=True):
    """What an act came to: the ``outcome`` in a few words, and the answer's fields to keep values from."""

    outcome: str
    fields: Mapping[str, str]


class Stage:
    """Plays chapters. ``clock`` gives whole seconds since the epoch."""

    def __init__(self, house: House, book: Book, line: Line, forge: Forge, clock: Callable[[], int]) -> None:
        self._house = house
        self._book = book
        self._line = line
        self._forge = forge
        self._clock = clock

    async def set(self, visit: Visit) -> Visit:
        """Prepare a chapter's visit: where the endpoints are, noon at the hotel. Raises ``Unreachable``."""
        metadata = await self._line.run(discover(self._house.base_url))
        document = await self._line.run(ask(get(f"{self._house.base_url}{DOCUMENT}", "the issuer's document")))
        known = {**_fields(document.body), **self._house.values()}
        ready = msgspec.structs.replace(visit, metadata=metadata, values=known, hands=at_noon(self._clock()))
        self._book.add(ready)
        return ready

    async def play(self, visit: Visit) -> Visit:
        """Play the next act. Raises ``UsageError`` where there is none."""
        told = chapter(visit.chapter)
        number = len(visit.acts) + 1
        if told is None or number > len(told.acts):
            raise UsageError("this chapter has ended; start it again")
        act = told.acts[number - 1]
        try:
            visit = await self._made(visit, act)
            came = await self._perform(visit, act, act_key(number))
        except (Refused, Unreachable, Malformed, httpx2.HTTPError) as trouble:
            came = Came(str(trouble), {})
        kept = {name: came.fields[source] for name, source in act.keep.items() if source in came.fields}
        done = Done(number, came.outcome, came.outcome.startswith(act.expect))
        after = played(self._book.visit(visit.id) or visit, done, {**visit.values, **kept}, visit.pocket)
        self._book.write(after)
        return after

    async def play_out(self, visit: Visit) -> Visit:
        """Play all acts that are left; stop where one surprises, since the next ones lean on it."""
        told = chapter(visit.chapter)
        while told and len(visit.acts) < len(told.acts) and all(one.ok for one in visit.acts):
            visit = await self.play(visit)
        return visit

    async def _made(self, visit: Visit, act: Act) -> Visit:
        values, pocket = dict(visit.values), dict(visit.pocket)
        for name, recipe in act.make.items():
            how, *given = recipe.split()
            if how in FORGED and visit.metadata:
                values[name] = await self._forge.make(how, values[given[0]], visit.metadata)
            elif how == "signed":
                values[name] = signed(filled(given[0], values), values)
            elif how == "key":
                pocket[name] = ec.generate_private_key(ec.SECP256R1())
            else:
                values[name] = MAKINGS[how](*(values[one] for one in given))
        return msgspec.structs.replace(visit, values=values, pocket=pocket)

    async def _perform(self, visit: Visit, act: Act, mark: str) -> Came:
        http = self._line.http(visit.id, mark)
        if act.walk:
            return await _Walk(http, self._house, visit.values, act).through()
        method, _, address = act.send.partition(" ")
        url = _with_query(filled(address, visit.values), all_filled(act.ask, visit.values))
        reply = await http.request(method, url, **self._content(visit, act, method, url))
        return Came(_outcome(reply), _fields(reply.content))

    def _content(self, visit: Visit, act: Act, method: str, url: str) -> dict[str, Any]:
        """Headers, credentials and body of a request."""
        values = visit.values
        headers = {"accept": "application/json", **all_filled(act.headers, values)}
        token = filled(act.bearer, values)
        if act.dpop:
            headers["dpop"] = proof(visit.pocket[act.dpop], method, url, self._clock(), token)
        if token:
            headers["authorization"] = f"{'DPoP' if act.dpop else 'Bearer'} {token}"
        content: dict[str, Any] = {"headers": headers}
        if act.form:
            content["data"] = all_filled(act.form, values)
        if act.call:
            headers |= calling.headers(act.call)
            content["json"] = calling.message(act.call, all_filled(act.arguments, values))
        if act.basic:
            content["auth"] = (values[act.basic], values[f"{act.basic}_secret"])
        return content


class _Walk:
    """A browser on its way through the pages, answering forms and following a link, until it would be back at the app or has no form left."""

    def __init__(self, http: httpx2.AsyncClient, house: House, values: Mapping[str, str], act: Act) -> None:
        self._http = http
        self._house = house
        self._act = act
        self._back = filled(act.ask.get("redirect_uri", "{back}"), values)
        self._start = _with_query(filled(act.walk, values), all_filled(act.ask, values))
        given = {"username": values["guest"], "password": values["guest_secret"], "decision": "allow"}
        self._answers = given | all_filled(act.answers, values)
        self._follow = filled(act.follow, values)

    async def through(self) -> Came:
        reply = await self._http.get(self._start)
        for _ in range(PAGES):
            location = reply.headers.get("location", "")
            if location.startswith(f"{self._back}?"):
                return _returned(location)
            if location:
                reply = await self._http.get(urljoin(self._house.base_url, location))
            elif (form := first_form(reply.text)) is not None:
                target = urljoin(self._house.base_url, form.action)
                reply = await self._http.post(target, data=form.filled(**self._answers))
            elif link := link_beside(reply.text, self._follow):
                reply = await self._http.get(urljoin(self._house.base_url, link))
            else:
                return Came(_outcome(reply), {})
        return Came(f"no end after {PAGES} pages", {})


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each name between braces replaced by its value. Raises ``UsageError`` for one that is not there."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise UsageError(f"the act needs {found[1]!r}, which no act before it has given")
        return values[found[1]]

    return _NAME.sub(value, text)


def all_filled(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """``filled`` for each value of a table."""
    return {name: filled(text, values) for name, text in texts.items()}


_NAME = re.compile(r"\{(\w+)\}")
_ALIVE = {"true": "active", "false": "inactive"}
_ERROR = re.compile(r'\berror="([^"]+)"')


def _with_query(url: str, ask: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(ask)}" if ask else url


def _returned(location: str) -> Came:
    """The browser is back at the app: with a code, or with an error."""
    fields = dict(parse_query(location.partition("?")[2]).pairs())
    return Came(f"302 {'code' if 'code' in fields else fields.get('error', 'nothing')}", fields)


def _outcome(reply: httpx2.Response) -> str:
    """The status, and the error code where one was sent."""
    error, fields = _ERROR.search(reply.headers.get("www-authenticate", "")), _fields(reply.content)
    said = error[1] if error else fields.get("error", "") or _ALIVE.get(fields.get("active", ""), "")
    return f"{reply.status_code} {said}".strip()


def _fields(body: bytes) -> dict[str, str]:
    """The top-level fields of a JSON answer as text."""
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    if not isinstance(document, dict):
        return {}
    return {str(name): _text(value) for name, value in document.items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
