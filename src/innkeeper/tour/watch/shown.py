"""What is shown of a message: a row of the list, or the whole of it with every part explained. Masked unless revealed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from innkeeper.tour.answers import label
from innkeeper.tour.messages import judged_trails, kind_of, request_document, response_document
from innkeeper.tour.reading import token_document
from innkeeper.tour.record import MASK, Body, Hop, Pairs, Place
from innkeeper.tour.watch.keeping import Content, Message
from innkeeper.tour.watch.masking import TOKEN, Masks
from innkeeper.tour.words import section_url, words

_PLACES: dict[str, Place] = {"native": "desk", "hotel": "doors", "cognito": "cognito", "entra": "entra"}
_LONGEST_PATH = 80


def row(message: Message, *, pinned: bool) -> dict[str, Any]:
    """A line of the list."""
    refused = next((trail.steps[-1] for trail in reversed(message.trails) if trail.refusal), None)
    failed = label(refused.check.name) if refused and message.outcome != "ok" else ""
    return {
        "n": message.n,
        "at": datetime.fromtimestamp(message.at).astimezone().strftime("%H:%M:%S.%f")[:-3],
        "realm": message.realm,
        "client": message.client,
        "method": message.method,
        "path": message.path if len(message.path) < _LONGEST_PATH else f"{message.path[: _LONGEST_PATH - 1]}…",
        "title": title(message),
        "status": message.status,
        "outcome": message.outcome,
        "checks": sum(len(trail.steps) for trail in message.trails),
        "failed": failed,
        "number": _number(message) if failed else "",
        "took_ms": round(message.took * 1000, 1),
        "pinned": pinned,
        "again": message.again,
    }


def _number(message: Message) -> str:
    return next((refusal.page.number for trail in reversed(message.trails) if (refusal := trail.refusal)), "")


def title(message: Message) -> str:
    """What a message is about: an action of a cloud's API by its own name, anything else in the tour's words."""
    target = next((value for name, value in message.headers if name == "x-amz-target"), "")
    if target:
        return target.rpartition(".")[2]
    kind = kind_of(_hop(message, Masks()))
    return "" if kind in {"other", "cloud-page"} else words().hops[kind].title


def document(message: Message, now: int, *, revealed: bool, pinned: bool) -> dict[str, Any]:
    """A message opened: both halves, every decision, and the tokens that were in it. ``now`` is for what is said of time."""
    masks = Masks(revealed=revealed)
    hop = _hop(message, masks)
    kind = kind_of(hop)
    said = words().hops[kind]
    return {
        **row(message, pinned=pinned),
        "title": title(message) or said.title,
        "oauth": said.oauth,
        "explain": said.explain,
        "spec": said.spec,
        "url": section_url(said.spec),
        "origin": message.origin,
        "began": message.at,
        "revealed": revealed,
        "request": request_document(hop, kind, message.origin),
        "response": response_document(hop, kind),
        "trails": judged_trails(hop),
        "tokens": [_token(n, token, masks, now) for n, token in enumerate(tokens(message), 1)],
        "masked": any(MASK in text for text in _texts(hop)),
    }


def tokens(message: Message) -> Sequence[str]:
    """The signed tokens in a message, as they were sent, each once."""
    places = [value for _, value in (*message.query, *message.headers, *message.content.pairs, *message.reply_headers)]
    places += [msgspec.json.encode(one.document).decode() for one in (message.content, message.reply) if one.document]
    found = (token for text in places for token in TOKEN.findall(text) if token.count(".") == 2)
    return list(dict.fromkeys(found))


def _token(n: int, token: str, masks: Masks, now: int) -> dict[str, Any]:
    shown = masks.token(token)
    told = token_document(f"seen-{n}", token, now) | {"raw": shown, "parts": shown.split(".")}
    names = {one["name"]: one["value"] for one in told["header"]}
    kind = names.get("typ", "JWT")
    return told | {"title": _TYPES.get(kind.lower(), "A token"), "oauth": f"{kind}, {names.get('alg', 'no alg')}"}


_TYPES = {"at+jwt": "An access token", "dpop+jwt": "A proof of possession", "jwt": "A signed token"}


def _hop(message: Message, masks: Masks) -> Hop:
    headers = dict(message.headers)
    person = "text/html" in headers.get("accept", "") or headers.get("sec-fetch-mode") == "navigate"
    return Hop(
        n=message.n,
        carrier="browser" if person else "app",
        to=_PLACES[message.realm],
        method=message.method,
        path=message.path,
        query=masks.pairs(message.query),
        headers=masks.headers(message.headers),
        body=_body(message.content, masks),
        status=message.status,
        reply_headers=masks.headers(message.reply_headers),
        reply_body=_body(message.reply, masks),
        trails=tuple(trail.as_document() for trail in message.trails),
        took=message.took,
    )


def _body(content: Content, masks: Masks) -> Body:
    if content.kind == "form":
        return Body("form", content.size, masks.pairs(content.pairs))
    if content.kind != "json":
        return Body(content.kind, content.size)
    masked = masks.document(content.document)
    pretty = msgspec.json.format(msgspec.json.encode(masked), indent=2).decode()
    return Body("json", content.size, _members(masked), pretty)


def _members(document: Any) -> Pairs:
    if not isinstance(document, dict):
        return ()
    return tuple((name, _text(value)) for name, value in document.items())


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _texts(hop: Hop) -> Iterator[str]:
    for name, value in (*hop.query, *hop.headers, *hop.body.fields, *hop.reply_headers, *hop.reply_body.fields):
        if name not in {"cookie", "set-cookie"}:
            yield value
