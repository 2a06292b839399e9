"""Asking, and writing down what came: status, headers, body, or why nothing came. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from innkeeper.client.asking import Ask, Flow, ask, now
from innkeeper.client.refused import Refused, quoted
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Unreachable
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.protocol.well_known import issuer_documents

ORIGIN = "https://app.example"
"""The web page that asks, as far as CORS is concerned."""


class Answer(msgspec.Struct, frozen=True):
    """What came of one request. ``trouble`` says why no answer came; ``document`` is its JSON object, ``flaw`` why there
    is none in it. ``at`` is our time when it came."""

    method: str
    url: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    trouble: str = ""
    document: dict[str, Any] | None = None
    flaw: str = ""
    at: float = 0

    def header(self, name: str) -> str | None:
        """All headers of that name, joined."""
        found = [value for key, value in self.headers if key == name]
        return ", ".join(found) if found else None

    @property
    def skew(self) -> float | None:
        """Seconds by which the server's clock is ahead of ours; None where it tells no time."""
        try:
            told = parsedate_to_datetime(self.header("date") or "").timestamp()
        except ValueError:
            return None
        return told - self.at

    @property
    def line(self) -> str:
        """The exchange in a line."""
        return f"{self.method} {self.url} → {self.trouble or self.status}"


class Issuer(msgspec.Struct, frozen=True):
    """What an issuer showed. ``forms`` are its documents in the order clients try them."""

    issuer: str
    forms: tuple[Answer, ...]
    keys: Answer | None = None
    preflight: Answer | None = None
    authorize: Answer | None = None

    @property
    def found(self) -> Answer | None:
        """The first form that is a document: what a client goes by."""
        return next((one for one in self.forms if one.status == 200 and one.document is not None), None)

    @property
    def metadata(self) -> Mapping[str, Any]:
        return (self.found.document if self.found else None) or {}

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A member that is a list of texts; None where it is absent."""
        value = self.metadata.get(name)
        return tuple(map(str, value)) if isinstance(value, list) else None

    def address(self, name: str) -> str:
        value = self.metadata.get(name)
        return value if isinstance(value, str) else ""

    @property
    def asked(self) -> tuple[str, ...]:
        more = (self.keys, self.preflight, self.authorize)
        return tuple(one.line for one in (*self.forms, *more) if one)


def probe(request: Ask) -> Flow[Answer]:
    """Make a request and write down what came of it."""
    blank = Answer(request.method, request.url)
    try:
        reply = yield from ask(request)
    except (Unreachable, Refused) as failure:
        return msgspec.structs.replace(blank, trouble=quoted(failure))
    document, flaw = _read(reply)
    return msgspec.structs.replace(
        blank,
        status=reply.status,
        headers=tuple(reply.headers),
        body=reply.body,
        document=document,
        flaw=flaw,
        at=(yield from now()),
    )


def look(url: str, purpose: str) -> Ask:
    """A GET as a page's script makes it."""
    return Ask(purpose, "GET", url, (("accept", "application/json"), ("origin", ORIGIN)))


def preflight(url: str, purpose: str, method: str, headers: str) -> Ask:
    """The question a browser asks before a script's request."""
    asked = (
        ("origin", ORIGIN),
        ("access-control-request-method", method),
        ("access-control-request-headers", headers),
    )
    return Ask(purpose, "OPTIONS", url, asked)


def issuer(identifier: str) -> Flow[Issuer]:
    """Everything an issuer shows without being asked to sign anyone in."""
    forms: tuple[Answer, ...] = ()
    for url in issuer_documents(identifier):
        forms += ((yield from probe(look(url, "the issuer's metadata"))),)
    shown = Issuer(identifier, forms)
    if shown.found is None:
        return shown
    keys = preflighted = authorize = None
    if address := shown.address("jwks_uri"):
        keys = yield from probe(look(address, "the issuer's keys"))
    if address := shown.address("token_endpoint"):
        preflighted = yield from probe(
            preflight(address, "the token endpoint", "POST", "authorization, content-type, dpop")
        )
    if address := shown.address("authorization_endpoint"):
        authorize = yield from probe(preflight(address, "the authorization endpoint", "GET", "authorization"))
    return Issuer(identifier, shown.forms, keys, preflighted, authorize)


def answers(shown: Issuer) -> Iterator[Answer]:
    """Every answer that came."""
    yield from (one for one in (*shown.forms, shown.keys, shown.preflight) if one and not one.trouble)


def _read(reply: Reply) -> tuple[dict[str, Any] | None, str]:
    try:
        return read_object(reply.body), ""
    except NotStrict as error:
        return None, str(error)
