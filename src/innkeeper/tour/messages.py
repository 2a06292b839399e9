"""One recorded exchange as data for the page: title, explanation, and each part of request and response explained."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

from innkeeper.protocol.parameters import Malformed, parse_query
from innkeeper.tokens.words import CLAIMS, Word
from innkeeper.tour.answers import judged
from innkeeper.tour.house import House
from innkeeper.tour.marks import THIEF
from innkeeper.tour.plays import act_key, chapter
from innkeeper.tour.reading import described
from innkeeper.tour.record import MASK, Body, Hop, Pairs
from innkeeper.tour.visit import Visit
from innkeeper.tour.words import section_url, words

_BY_PATH = {
    "/authorize": "authorize",
    "/token": "token",
    "/userinfo": "userinfo",
    "/jwks": "jwks",
    "/callback": "callback",
    "/revoke": "revoke",
    "/introspect": "introspect",
    "/device_authorization": "device-authorization",
    "/device": "device",
    "/bc-authorize": "backchannel",
    "/approvals": "approvals",
}
_PAGES = ("sign-in", "consent")
_NOTHING = Word("")


def kind_of(hop: Hop) -> str:
    """Which of the kinds of message in ``words.toml`` this is."""
    if hop.to in {"doors", "annexe"}:
        return "door" if hop.to == "doors" else "annexe"
    if hop.path.startswith("/.well-known/"):
        return "discovery"
    if hop.to in {"cognito", "entra"}:
        return _cloud_kind(hop)
    if hop.path.endswith("/leave"):
        return "leave"
    for page in _PAGES:
        if hop.path == f"/{page}":
            return page if hop.method == "POST" else f"{page}-page"
    kind = _BY_PATH.get(hop.path, "other")
    return _CLOSER[kind](hop) if kind in _CLOSER else kind


def _cloud_kind(hop: Hop) -> str:
    """A cloud's endpoints by the last words of their paths; all else there are pages for people."""
    if "/.well-known/" in hop.path:
        return "jwks" if hop.path.endswith("jwks.json") else "discovery"
    ending = hop.path.rpartition("/")[2].lower()
    if hop.carrier == "app" and ending == "token":
        return _token_kind(hop)
    return {"userinfo": "userinfo", "revoke": "revoke", "keys": "jwks"}.get(ending, "cloud-page")


def hop_document(hop: Hop, visit: Visit, house: House) -> dict[str, Any]:
    """The exchange, explained."""
    kind = kind_of(hop)
    said = words().hops[kind]
    act = _act(hop, visit)
    return {
        "n": hop.n,
        "kind": kind,
        "from": act.by if act else THIEF if hop.label.startswith(f"{THIEF}-") else hop.carrier,
        "to": hop.to,
        "act": act.n if act else 0,
        "title": act.title if act and act.alone else _door_title(hop, visit) or said.title,
        "oauth": said.oauth,
        "explain": said.explain,
        "spec": said.spec,
        "url": section_url(said.spec),
        "took_ms": round(hop.took * 1000, 1),
        "request": request_document(hop, kind, house.base_url),
        "response": response_document(hop, kind),
        "trails": judged_trails(hop),
    }


class _Played(NamedTuple):
    """The act of a chapter that a message belongs to; ``alone``: the act is this one message."""

    n: int
    by: str
    title: str
    alone: bool


def _act(hop: Hop, visit: Visit) -> _Played | None:
    told = chapter(visit.chapter)
    for number, act in enumerate(told.acts if told else (), 1):
        if hop.label == act_key(number):
            return _Played(number, act.by, act.title, alone=not act.walk)
    return None


def note_document(url: str) -> dict[str, Any]:
    """The authorization request that is about to be carried, its parameters explained."""
    return _next(url)


def _token_kind(hop: Hop) -> str:
    if hop.label == "other":
        return "token-other"
    return _BY_GRANT.get(dict(hop.body.fields).get("grant_type", ""), "token")


_BY_GRANT = {
    "client_credentials": "token-agent",
    "refresh_token": "token-refresh",
    "urn:ietf:params:oauth:grant-type:device_code": "token-device",
    "urn:ietf:params:oauth:grant-type:token-exchange": "token-exchange",
    "urn:openid:params:grant-type:ciba": "token-ciba",
}


def _authorize_kind(hop: Hop) -> str:
    """What came of the note: another page first, a claim ticket, or a no."""
    location = _location(hop)
    if "/callback?" in location:
        return "authorize-ticket" if "code=" in location else "authorize-no"
    return "authorize-consent" if location.startswith("/consent") else "authorize"


def _approvals_kind(hop: Hop) -> str:
    """What waits for a person: the list, one question of it, or the answer."""
    if hop.method == "POST":
        return "approvals-answer"
    return "approvals-question" if any(name == "request" for name, _ in hop.query) else "approvals"


_CLOSER = {"token": _token_kind, "authorize": _authorize_kind, "approvals": _approvals_kind}


def judged_trails(hop: Hop) -> list[dict[str, Any]]:
    """The decisions of an exchange, each with its verdict."""
    return [_judged(trail, hop) for trail in _longest(hop.trails)]


def _longest(trails: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The trails without those that a later one continues, as a hotel's does its guard's."""
    told = list(trails)
    return [one for n, one in enumerate(told) if not any(_continues(later, one) for later in told[n + 1 :])]


def _continues(later: dict[str, Any], earlier: dict[str, Any]) -> bool:
    return bool(later["steps"][: len(earlier["steps"])] == earlier["steps"])


def _judged(trail: dict[str, Any], hop: Hop) -> dict[str, Any]:
    """A trail with its verdict: one that stops while the answer is no error only asks for something first."""
    refused = trail["outcome"] == "refused"
    verdict = (
        "passed" if not refused else "not yet" if hop.status < 400 and "error=" not in _location(hop) else "refused"
    )
    return judged(trail) | {"verdict": verdict}


def _location(hop: Hop) -> str:
    return next((value for name, value in hop.reply_headers if name == "location"), "")


def _door_title(hop: Hop, visit: Visit) -> str:
    one = next((one for one in visit.tries if one.hop == hop.n), None)
    if one is None:
        return ""
    return f"{words().cards[one.card].name}, held to: {words().doors[one.door].name}"


def request_document(hop: Hop, kind: str, origin: str) -> dict[str, Any]:
    """The request of an exchange, each part explained; ``origin`` is where it was sent."""
    context = kind.partition("-")[0]
    return {
        "method": hop.method,
        "url": origin + hop.path + (f"?{urlencode(hop.query)}" if hop.query else ""),
        "path": hop.path,
        "params": _parameters(hop.query, context),
        "headers": _headers(hop.headers, context),
        "body": _body(hop.body, context),
        "curl": _curl(hop, origin)
        if hop.carrier == "app" and "html" not in dict(hop.headers).get("accept", "")
        else "",
    }


def response_document(hop: Hop, kind: str) -> dict[str, Any]:
    """The answer of an exchange, each part explained."""
    context = kind.partition("-")[0]
    location = _location(hop)
    return {
        "status": hop.status,
        "phrase": _phrase(hop.status),
        "headers": _headers(_beside_location(hop.reply_headers), f"{context}.reply"),
        "body": _body(hop.reply_body, f"{context}.reply", context),
        "next": _next(location) if location else None,
    }


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no answer" if not status else ""


def _next(location: str) -> dict[str, Any]:
    """Where a redirect leads, its parameters explained."""
    address, _, query = location.partition("?")
    try:
        pairs: Iterable[tuple[str, str]] = parse_query(query).pairs()
    except Malformed:
        pairs = ()
    context = "callback" if address.endswith("/callback") else "authorize"
    return {"url": location, "address": address, "params": _parameters(pairs, context)}


def _parameters(pairs: Iterable[tuple[str, str]], *contexts: str) -> list[dict[str, Any]]:
    return [_part(name, value, words().parameter(name, *contexts) or CLAIMS.get(name)) for name, value in pairs]


def _headers(pairs: Pairs, context: str) -> list[dict[str, Any]]:
    """Headers, those that matter here first."""
    parts = [_part(name, value, words().header(name, context)) for name, value in pairs]
    return sorted(parts, key=lambda part: not part["says"])


def _beside_location(pairs: Pairs) -> Pairs:
    """The headers without the one that is told as where to go next."""
    return tuple((name, value) for name, value in pairs if name != "location")


def _part(name: str, value: str, word: Word | None) -> dict[str, Any]:
    return {"name": name, "value": value, "masked": MASK in value, **described(word or _NOTHING)}


def _body(body: Body, *contexts: str) -> dict[str, Any]:
    return {
        "kind": body.kind,
        "size": body.size,
        "params": _parameters(body.fields, *contexts),
        "text": body.text,
    }


def _curl(hop: Hop, origin: str) -> str:
    """The same request for a terminal; what was masked stands as a variable to be filled in."""
    url = origin + hop.path + (f"?{urlencode(hop.query)}" if hop.query else "")
    parts = ["curl", "-i", shlex.quote(url)]
    for name, value in hop.headers:
        if name == "authorization":
            basic = value.lower().startswith("basic")
            parts += ["-u", '"$CLIENT_ID:$CLIENT_SECRET"'] if basic else ["-H", shlex.quote(f"{name}: {value}")]
    for name, value in hop.body.fields:
        parts += ["--data-urlencode", f'"{name}=$SECRET"' if value == MASK else shlex.quote(f"{name}={value}")]
    return " ".join(parts)
