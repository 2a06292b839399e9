"""A visit for elsewhere: as an HTTP archive (HAR 1.2), as Markdown with a diagram, as an SVG. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from innkeeper.tour.pages import page

Document = dict[str, Any]


def har(document: Document) -> bytes:
    """The messages as an HTTP archive, which browsers and proxies read."""
    entries = [_entry(hop, hop.get("began", document["started_at"])) for hop in document["hops"]]
    log = {"version": "1.2", "creator": {"name": "innkeeper", "version": "1"}, "entries": entries}
    return msgspec.json.format(msgspec.json.encode({"log": log}), indent=2)


def markdown(document: Document) -> str:
    """The messages as Markdown, with a sequence diagram that code hosts draw."""
    return page("replay.md", visit=document)


def svg(document: Document) -> str:
    """The messages as a picture of their own."""
    return page("sequence.svg", visit=document, width=WIDTH, moving=False)


def moving(document: Document) -> str:
    """The picture in which one message comes after the other; still, for whoever prefers that."""
    return page("sequence.svg", visit=document, width=WIDTH, moving=True)


WIDTH = 960


def _entry(hop: Document, started_at: float) -> Document:
    request, response = hop["request"], hop["response"]
    return {
        "startedDateTime": datetime.fromtimestamp(started_at, UTC).isoformat(),
        "time": hop["took_ms"],
        "comment": hop["title"],
        "cache": {},
        "timings": {"send": 0, "wait": hop["took_ms"], "receive": 0},
        "request": {
            "method": request["method"],
            "url": request["url"],
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(request["headers"]),
            "queryString": _pairs(request["params"]),
            "headersSize": -1,
            "bodySize": request["body"]["size"],
            **_posted(request["body"]),
        },
        "response": {
            "status": response["status"],
            "statusText": response["phrase"],
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(response["headers"]),
            "content": _content(response["body"]),
            "redirectURL": response["next"]["url"] if response["next"] else "",
            "headersSize": -1,
            "bodySize": response["body"]["size"],
        },
    }


def _pairs(parts: list[Document]) -> list[dict[str, str]]:
    return [{"name": part["name"], "value": part["value"]} for part in parts]


def _posted(body: Document) -> Document:
    if body["kind"] != "form":
        return {}
    return {"postData": {"mimeType": "application/x-www-form-urlencoded", "params": _pairs(body["params"])}}


def _content(body: Document) -> Document:
    kinds = {"json": "application/json", "page": "text/html", "none": "x-unknown"}
    return {"size": body["size"], "mimeType": kinds.get(body["kind"], "application/octet-stream"), "text": body["text"]}
