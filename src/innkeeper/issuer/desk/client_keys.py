"""Signatures made by a client: verified against the keys it registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from innkeeper.issuer.core.profiles import ALGORITHMS
from innkeeper.issuer.desk.fetching import KEY_SET
from innkeeper.issuer.desk.outside import NotFetched
from innkeeper.issuer.desk.realm import Realm
from innkeeper.keys import jwk, jws
from innkeeper.protocol.strict_json import NotStrict, read_object

UNSIGNED = "none"
"""The algorithm that is none (RFC 7515 §6)."""


class KeyHolder(Protocol):
    """Whose signature is verified: a client, or an issuer that is trusted."""

    @property
    def jwks(self) -> tuple[dict[str, Any], ...]: ...
    @property
    def jwks_uri(self) -> str: ...


class Signed(msgspec.Struct, frozen=True):
    """A JWT from a client. ``problem`` is empty where a key of the client verifies it, else says why not."""

    problem: str
    header: dict[str, Any] = {}
    claims: dict[str, Any] = {}


async def read_signed(
    realm: Realm, token: str, client: KeyHolder | None, allowed: Sequence[str] = ALGORITHMS
) -> Signed:
    """Take a client's JWT apart and verify it with the keys it registered, or has at the address it registered.

    What the JWT's own header says of keys (``jwk``, ``jku``, ``x5u``, ``x5c``) is not read: it is the sender's word.
    """
    try:
        parsed = jws.parse(token)
        claims = read_object(parsed.claims)
    except (jws.NotAToken, NotStrict) as error:
        return Signed(str(error))
    header = dict(parsed.header)
    alg, kid = header.get("alg"), header.get("kid")
    if alg not in allowed:
        return Signed(f"alg {alg!r} is none of {', '.join(allowed)}", header, claims)

    def verified(documents: Sequence[dict[str, Any]]) -> bool:
        usable = [one for one in documents if kid is None or one.get("kid") in (None, kid)]
        keys, _ = jwk.read_set({"keys": usable[:_KEYS_TRIED]})
        return any(key.alg in (None, alg) and jws.verify(parsed, key.key, str(alg)) for key in keys)

    try:
        known = await keys_of(realm, client)
        if verified(known) or verified(await _newer_keys_of(realm, client, _old_enough(kid, known))):
            return Signed("", header, claims)
    except NotFetched as error:
        return Signed(f"the jwks_uri gives no keys: {error}", header, claims)
    return Signed("no registered key verifies it", header, claims)


def read_unsigned(token: str) -> Signed | None:
    """A JWT that says it is not signed, and is not; None for any other. Nobody is known to have said it."""
    try:
        parsed = jws.parse(token)
        claims = read_object(parsed.claims)
    except (jws.NotAToken, NotStrict):
        return None
    if parsed.header.get("alg") != UNSIGNED or parsed.signature:
        return None
    return Signed("", dict(parsed.header), claims)


async def has_key(realm: Realm, client: KeyHolder | None, thumbprint: str) -> bool:
    """Whether the key of this RFC 7638 thumbprint is one of the client's. Keys that cannot be fetched are none."""
    try:
        known = await keys_of(realm, client)
        return _among(known, thumbprint) or _among(await _newer_keys_of(realm, client, _HALF_A_MINUTE), thumbprint)
    except NotFetched:
        return False


def _among(documents: Sequence[dict[str, Any]], thumbprint: str) -> bool:
    for one in documents:
        try:
            if thumbprint and jwk.thumbprint(one) == thumbprint:
                return True
        except jwk.UnusableKey:
            continue
    return False


async def keys_of(realm: Realm, client: KeyHolder | None, *, newest: int | None = None) -> Sequence[dict[str, Any]]:
    """The public keys of a client as JWKs: those it registered, else those at its ``jwks_uri``. Raises ``NotFetched``."""
    if client is None or client.jwks or not client.jwks_uri:
        return client.jwks if client else ()
    document = await realm.fetcher.fetch(client.jwks_uri, KEY_SET, newest=newest)
    try:
        keys = read_object(document.body).get("keys")
    except NotStrict as error:
        realm.fetcher.forget(client.jwks_uri, KEY_SET)
        raise NotFetched(f"it is {error}") from None
    if not isinstance(keys, list):
        realm.fetcher.forget(client.jwks_uri, KEY_SET)
        raise NotFetched("it has no list of keys")
    return [one for one in keys if isinstance(one, dict)]


async def _newer_keys_of(realm: Realm, client: KeyHolder | None, newest: int) -> Sequence[dict[str, Any]]:
    """The keys once more, in case the client has changed them since; ``newest`` is how old a copy does, in seconds."""
    if client is None or client.jwks or not client.jwks_uri:
        return ()
    return await keys_of(realm, client, newest=newest)


def _old_enough(kid: object, known: Sequence[dict[str, Any]]) -> int:
    """How old a copy of the keys does, in seconds, for a signature that none of them verifies: none at all where it
    names a key that is not among them, since the client has made a new one. A host is asked so often only, all the same."""
    return 0 if kid is not None and all(one.get("kid") != kid for one in known) else _HALF_A_MINUTE


_HALF_A_MINUTE = 30
_KEYS_TRIED = 16
"""A stranger's key set is not let us verify one signature hundreds of times."""
