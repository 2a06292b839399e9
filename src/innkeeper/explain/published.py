"""An issuer's keys for whoever explains: fetched, or given in a file where the issuer cannot be reached from here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from innkeeper.client.asking import Flow, ask, get
from innkeeper.keys.jwk import UnusableKey, VerifyingKey, read_set
from innkeeper.keys.jws import ALGORITHMS, Parsed, verify
from innkeeper.protocol.refusals import Unreachable, UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.verification import Signature


class Published(msgspec.Struct, frozen=True):
    """What an issuer publishes: its own spelling of itself, and its keys. ``obstacle`` says why there is none of it."""

    issuer: str = ""
    keys: tuple[VerifyingKey, ...] = ()
    obstacle: str = ""

    def signature(self, parsed: Parsed) -> Signature:
        """How a token's signature stands under these keys."""
        if self.obstacle:
            return "keys out of reach"
        alg, kid = parsed.header.get("alg"), parsed.header.get("kid")
        algorithm = ALGORITHMS.get(alg) if isinstance(alg, str) else None
        fitting = [
            one.key
            for one in self.keys
            if algorithm and one.alg in {None, alg} and kid in {None, one.kid} and algorithm.fits(one.key)
        ]
        if not fitting:
            return "no key"
        return "valid" if any(verify(parsed, key, str(alg)) for key in fitting) else "invalid"


def fetched(discovery_url: str) -> Flow[Published]:
    """What the document at ``discovery_url`` and its key set say."""
    issuer = ""
    try:
        document = yield from _object(discovery_url, "the discovery document")
        issuer, jwks_uri = str(document.get("issuer", "")), document.get("jwks_uri")
        if not isinstance(jwks_uri, str):
            return Published(issuer, obstacle=f"{discovery_url} names no jwks_uri")
        keys, _ = read_set((yield from _object(jwks_uri, "the issuer's keys")))
        return Published(issuer, keys)
    except (Unreachable, NotStrict, UnusableKey) as error:
        return Published(issuer, obstacle=str(error))


def from_file(path: Path) -> Mapping[str, Any]:
    """A JWK set in a file. Raises ``UsageError``."""
    try:
        document = read_object(path.read_bytes())
        read_set(document)
    except (OSError, NotStrict, UnusableKey) as error:
        raise UsageError(f"keys {path}: {error}; give a JWK set, as an issuer's jwks_uri answers it") from None
    return document


def _object(url: str, purpose: str) -> Flow[dict[str, Any]]:
    reply = yield from ask(get(url, purpose))
    if reply.status != 200:
        raise NotStrict(f"{url} answered {reply.status}")
    try:
        return read_object(reply.body)
    except NotStrict as error:
        raise NotStrict(f"{url}: {error}") from None
