"""The admin API: JSON over the tables of readings and actions; what is refused is a problem document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec

from innkeeper.issuer.core.admin.change import (
    NOT_THIS_METHOD,
    TOO_LARGE,
    UNFIT,
    UNKNOWN_THING,
    UNREADABLE,
)
from innkeeper.issuer.core.admin.permissions import PERMISSIONS, api_of
from innkeeper.issuer.core.admin.plan import Plan
from innkeeper.issuer.desk.admin.acting import ABOUT, carry_out, plan
from innkeeper.issuer.desk.admin.actions import ACTIONS, Action
from innkeeper.issuer.desk.admin.entering import Visitor, by_token, judge
from innkeeper.issuer.desk.admin.house import House, Missing
from innkeeper.issuer.desk.admin.readings import READINGS, Reading, judged_query
from innkeeper.issuer.desk.admin.taking import MOST_BYTES, values_of
from innkeeper.issuer.desk.binding import Sender, nonce
from innkeeper.issuer.desk.matter import administered
from innkeeper.issuer.dialects.layout import Endpoint, Layout
from innkeeper.issuer.dialects.native.admin_openapi import openapi
from innkeeper.issuer.dialects.native.admin_problems import problem, refused, turned_away
from innkeeper.issuer.dialects.native.wire import shown_certificate
from innkeeper.protocol.exchange import NO_STORE, Reply, Request, json_reply
from innkeeper.protocol.parameters import Malformed, parse_query
from innkeeper.protocol.refusals import Page, Refusal, UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.trail import at_the_door

METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"})

Route = Reading | Action


class AdminApi:
    """What answers below ``/admin/api``. It is its own resource server: a token that was revoked opens nothing at once."""

    def __init__(self, house: House, layout: Layout) -> None:
        self._house = house
        self._realm = house.realm
        self._layout = layout

    def find(self, scope: Mapping[str, Any]) -> Endpoint | None:
        """See ``layout.Finder``. Ids may hold any character, so they are read from the path as it was sent."""
        sent = scope.get("raw_path") or scope["path"].encode("utf-8")
        path = sent.decode("latin-1").partition("?")[0]
        base = f"{self._layout.base}/admin/api"
        if path != base and not path.startswith(f"{base}/"):
            return None
        segments = tuple(unquote(one) for one in path.removeprefix(base).split("/") if one)
        return Endpoint(_Called(self, segments), METHODS)

    async def answer(self, request: Request, segments: Sequence[str]) -> Reply:
        """One call: who asks, what for, may they; then the answer."""
        if segments == ("openapi.json",) and request.method in READ:
            return json_reply(openapi(self._layout.issuer, api_of(self._layout.issuer)), headers=NO_STORE)
        visitor = await self._visitor(request)
        if isinstance(visitor, Refusal):
            scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
            return turned_away(visitor, scheme, nonce(self._realm))
        if not segments:
            return json_reply(self._index(visitor), headers=NO_STORE)
        found = [(route, key) for route in _ROUTES if (key := _key_in(route.path, segments)) is not None]
        route, key = next((one for one in found if _takes(one[0], request.method)), (None, ""))
        if route is None:
            return self._no_route([one for one, _ in found], request)
        administered(what=f"/admin/api{route.path}")
        if why := judge(self._realm, visitor, route.permission, writes=isinstance(route, Action)):
            return refused(why, route.permission)
        return await self._routed(route, key, visitor, request)

    async def _routed(self, route: Route, key: str, visitor: Visitor, request: Request) -> Reply:
        try:
            query = dict(parse_query(request.query).pairs())
            if isinstance(route, Reading):
                return await self._read(route, key, judged_query(route, query), request)
            return await self._change(route, key, visitor, request, query)
        except Missing as missing:
            return self._at_the_door(UNKNOWN_THING, str(missing))
        except (UsageError, Malformed) as unfit:
            return self._at_the_door(UNFIT, str(unfit))
        except NotStrict as unreadable:
            return self._at_the_door(UNREADABLE, f"the body is {unreadable}")

    async def _read(self, route: Reading, key: str, query: Mapping[str, str], request: Request) -> Reply:
        answer = await route.look(self._house, key, query)
        etag = (("etag", f'"{answer.version}"'),) if answer.version else ()
        if answer.version and answer.version in _versions(request.headers.get("if-none-match", "")):
            return Reply(304, (*etag, *NO_STORE))
        return json_reply(answer.document, headers=(*etag, *NO_STORE))

    async def _change(
        self, route: Action, key: str, visitor: Visitor, request: Request, query: Mapping[str, str]
    ) -> Reply:
        dry = _is_dry(query)
        if len(request.body) > MOST_BYTES:
            return self._at_the_door(
                TOO_LARGE, f"the body has {len(request.body)} bytes; at most {MOST_BYTES} are read"
            )
        values, expected = values_of(route.takes, _body(request)), _expected(request)
        act = plan if dry else carry_out
        outcome = await act(self._house, visitor.actor, route, key, values, expected)
        if isinstance(outcome, Refusal):
            return refused(outcome, route.permission)
        return _planned(outcome) if dry else await self._done(route, outcome)

    async def _done(self, route: Action, done: Plan) -> Reply:
        """What was changed, with what is told once, and the version that it has now."""
        document = {**done.as_document(), "done": True, **done.told}
        document.pop("version", None)
        reading = READINGS.get(done.what)
        key = f"{done.realm}/{done.key.rpartition('/')[2]}" if done.what == "key" else done.key
        now = await reading.look(self._house, key, {}) if reading is not None and done.after is not None else None
        etag = (("etag", f'"{now.version}"'),) if now is not None and now.version else ()
        return json_reply(document, 201 if route.makes else 200, (*etag, *NO_STORE))

    async def _visitor(self, request: Request) -> Visitor | Refusal:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        scheme = scheme.lower()
        known = scheme in ("bearer", "dpop")
        proof = None if scheme == "bearer" else request.headers.get("dpop", "" if scheme == "dpop" else None)
        certificate = shown_certificate(request) if request.certificate else None
        sender = Sender(proof if known else None, request.method, self._layout.url(request.path), certificate)
        return await by_token(self._realm, token.strip() if known else "", sender)

    def _index(self, visitor: Visitor) -> dict[str, Any]:
        """Who asks, and what is open to them."""
        routes = [one for one in _ROUTES if visitor.may(one.permission)]
        return {
            "issuer": self._realm.policy.issuer,
            "you": visitor.actor.who,
            "permissions": {name: says for name, says in PERMISSIONS.items() if visitor.may(name)},
            "routes": [f"{one.method if isinstance(one, Action) else 'GET'} {one.path}" for one in routes],
            "openapi": f"{api_of(self._realm.policy.issuer)}/openapi.json",
        }

    def _no_route(self, known: Sequence[Route], request: Request) -> Reply:
        if not known:
            return self._at_the_door(UNKNOWN_THING, f"nothing is at {request.path!r}; openapi.json lists what is")
        allowed = ", ".join(sorted({one.method if isinstance(one, Action) else "GET" for one in known}))
        reply = self._at_the_door(NOT_THIS_METHOD, f"{request.method} is not taken here; {allowed} is")
        return Reply(reply.status, (*reply.headers, ("allow", allowed)), reply.body)

    def _at_the_door(self, page: Page, reason: str) -> Reply:
        refusal = Refusal(page, reason)
        self._realm.observe(at_the_door(ABOUT, refusal, "RFC 9110 §15.5"))
        return problem(refusal, told=True)


class _Called(msgspec.Struct, frozen=True):
    """The admin API at the segments of a path."""

    api: AdminApi
    segments: tuple[str, ...]

    async def __call__(self, request: Request) -> Reply:
        return await self.api.answer(request, self.segments)


READ = ("GET", "HEAD")
_ROUTES: tuple[Route, ...] = (*READINGS.values(), *ACTIONS.values())


def _takes(route: Route, method: str) -> bool:
    return method == route.method if isinstance(route, Action) else method in READ


def _key_in(path: str, segments: Sequence[str]) -> str | None:
    """The key that these segments hold where a path has braces, "" for none; None where the path is another."""
    parts = path.strip("/").split("/")
    if len(parts) != len(segments):
        return None
    held = [said for part, said in zip(parts, segments, strict=True) if part.startswith("{")]
    fits = all(part == said or part.startswith("{") for part, said in zip(parts, segments, strict=True))
    return "/".join(held) if fits else None


def _planned(made: Plan) -> Reply:
    return json_reply({**made.as_document(), "done": False}, headers=NO_STORE)


def _is_dry(query: Mapping[str, str]) -> bool:
    """Whether the change is only to be shown. Raises ``UsageError`` for anything else in the query."""
    for name, value in query.items():
        if name != "dry_run" or value not in ("true", "false"):
            raise UsageError(
                f"{name}={value}: a change takes dry_run=true or dry_run=false in its query, and nothing else"
            )
    return query.get("dry_run") == "true"


def _expected(request: Request) -> str | None:
    """The version that the caller saw; one of several, or ``*``, is none in particular."""
    said = request.headers.get("if-match")
    if said is None:
        return None
    versions = _versions(said)
    return versions[0] if len(versions) == 1 else ""


def _versions(header: str) -> list[str]:
    return [one.strip().removeprefix("W/").strip('"') for one in header.split(",") if one.strip()]


def _body(request: Request) -> dict[str, Any]:
    """The object in the body; none is an empty one. Raises ``NotStrict``."""
    if not request.body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/merge-patch+json"):
        raise NotStrict(f"{kind or 'of no type'}, not application/json")
    return read_object(request.body)
