"""What MCP clients ask of a server, hop by hop, before anyone signs in, and what came of each (no token, no sign-in)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from innkeeper.client.asking import Ask, Flow
from innkeeper.doctor.probes import ORIGIN, Answer, Issuer, issuer, look, preflight, probe
from innkeeper.protocol.challenges import Challenge, parse
from innkeeper.protocol.parameters import Malformed
from innkeeper.protocol.resource_metadata import metadata_url
from innkeeper.protocol.well_known import PROTECTED_RESOURCE, why_not_an_issuer

VERSION = "2026-07-28"
WANTED_HEADERS = ("authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name")

_CALL = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
_HEADERS = (
    ("accept", "application/json, text/event-stream"),
    ("content-type", "application/json"),
    ("mcp-protocol-version", VERSION),
    ("mcp-method", "tools/list"),
    ("origin", ORIGIN),
)
_NO_TOKEN = "innkeeper-doctor-knows-this-is-no-token"


class Server(msgspec.Struct, frozen=True):
    """What an MCP server showed. ``documents`` are its metadata: at the challenge's address, at its path, at the root."""

    url: str
    bare: Answer
    bad_token: Answer | None = None
    preflight: Answer | None = None
    documents: Mapping[str, Answer] = msgspec.field(default_factory=dict)
    issuer: Issuer | None = None

    @property
    def challenge(self) -> Challenge | None:
        return bearer_challenge(self.bare)

    @property
    def document(self) -> Answer | None:
        """The first metadata document found, in the order clients look."""
        found = (one for one in self.documents.values() if one.status == 200 and one.document is not None)
        return next(found, None)

    @property
    def metadata(self) -> Mapping[str, Any]:
        return (self.document.document if self.document else None) or {}

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.metadata.get(name)
        return tuple(map(str, value)) if isinstance(value, list) else ()


def bearer_challenge(answer: Answer) -> Challenge | None:
    """The Bearer challenge in an answer; None where there is none that can be read."""
    try:
        found = parse(answer.header("www-authenticate") or "")
    except Malformed:
        return None
    return next((one for one in found if one.scheme.lower() == "bearer"), None)


def server(url: str) -> Flow[Server]:
    """Replay what a client does at first contact with the MCP server at ``url``."""
    bare = yield from probe(Ask("the MCP server", "POST", url, _HEADERS, _CALL))
    shown = Server(url, bare)
    if bare.trouble:
        return shown
    shown = msgspec.structs.replace(
        shown,
        preflight=(yield from probe(preflight(url, "the MCP server", "POST", ", ".join(WANTED_HEADERS)))),
        bad_token=(yield from probe(call(url, _NO_TOKEN))),
        documents=(yield from _documents(url, shown.challenge)),
    )
    named = shown.texts("authorization_servers")
    if named and why_not_an_issuer(named[0]) is None:
        shown = msgspec.structs.replace(shown, issuer=(yield from issuer(named[0])))
    return shown


def call(url: str, token: str) -> Ask:
    """A request to the MCP server with a token: for the list of its tools."""
    return Ask("the MCP server", "POST", url, (*_HEADERS, ("authorization", f"Bearer {token}")), _CALL)


def _documents(url: str, challenge: Challenge | None) -> Flow[dict[str, Answer]]:
    """The metadata where clients look for it, each address once."""
    told = (challenge.get("resource_metadata") or "") if challenge else ""
    places = {
        "the challenge": urljoin(url, told) if told else "",
        "the path": metadata_url(url),
        "the root": f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/.well-known/{PROTECTED_RESOURCE}",
    }
    asked: dict[str, Answer] = {}
    found: dict[str, Answer] = {}
    for place, address in places.items():
        if address.startswith(("https://", "http://")):
            if address not in asked:
                asked[address] = yield from probe(look(address, "the MCP server's metadata"))
            found[place] = asked[address]
    return found
