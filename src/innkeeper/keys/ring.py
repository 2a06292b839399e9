"""The key ring of a realm: which key signs now, which ones are published, and signing with them.

A new key is published before it signs and stays published after it stopped, so that no rotation makes a
verifier fail. The private half leaves the store sealed and is opened here only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from innkeeper.keys import jwe, jwk, jws
from innkeeper.keys.seal import Seal
from innkeeper.keys.stored import StoredKey
from innkeeper.keys.threads import THREADS
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.protocol.values import Value

DEFAULT_ALGORITHMS = ("ES256", "RS256", "ECDH-ES")
"""What a new realm has keys for: signing, and being written to in private."""

SIGNING_ALGORITHMS = ("ES256", "ES384", "EdDSA", "PS256", "RS256")
"""What keys can be made for that sign."""


class _Key(Value, frozen=True, gc=False):
    stored: StoredKey
    private: jws.PrivateKey
    public: jws.PublicKey
    document: dict[str, str]


class _Verified(Value, frozen=True, gc=False):
    """A token of ours, taken apart."""

    key: StoredKey
    typ: Any
    claims: dict[str, Any]


_VERIFIED_KEPT = 2_048
"""Tokens of ours whose signature is not verified again: a few megabytes. The oldest is forgotten first."""


class NotOurs(Exception):
    """The token was not signed by this ring; the message says why."""


class Ring:
    """A realm's keys, opened. Made anew when the keys change; otherwise nothing in it changes."""

    def __init__(self, stored: Iterable[StoredKey], seal: Seal) -> None:
        self._keys = {one.kid: _open(one, seal) for one in sorted(stored, key=lambda one: one.active_from)}
        self._lasting = sorted(self._keys.values(), key=_lasts, reverse=True)
        self._headers: dict[tuple[str, str], bytes] = {}
        self._verified: dict[bytes, _Verified] = {}

    def published(self, now: int) -> list[dict[str, str]]:
        """The public keys as a JWK set's members, newest first; the expired ones are left out."""
        return [key.document for key in reversed(self._keys.values()) if not _expired(key.stored, now)]

    def algorithms(self) -> list[str]:
        """The algorithms that this ring has keys for to sign with."""
        return sorted({key.stored.alg for key in self._keys.values()}.intersection(SIGNING_ALGORITHMS))

    def signs(self, alg: str, now: int) -> bool:
        """Whether a key signs with this algorithm now."""
        return alg in SIGNING_ALGORITHMS and self._lasting_longest(alg, now) is not None

    def opens(self, now: int) -> list[str]:
        """The algorithms with which somebody can encrypt to this ring's published keys."""
        keys = self._to_open(now)
        return [alg for alg in jwe.ALGORITHMS if any(jwe.opens(key.private, alg) for key in keys)]

    def decrypt(self, token: str, now: int) -> bytes:
        """What was encrypted to a published key of this ring. Raises ``jwe.NotDecrypted``."""
        header = jwe.read_header(token)
        kid, alg = header.get("kid"), str(header["alg"])
        for key in self._to_open(now):
            if kid in (None, key.stored.kid) and jwe.opens(key.private, alg):
                with suppress(jwe.NotDecrypted):
                    return jwe.decrypt(token, key.private)
        raise jwe.NotDecrypted("no key of ours opens it")

    def _to_open(self, now: int) -> list[_Key]:
        own = [key for key in self._keys.values() if key.stored.alg in jwe.ALGORITHMS]
        return [key for key in own if not _expired(key.stored, now)]

    def certified(self, now: int) -> list[StoredKey]:
        """The published keys that have a certificate, newest first."""
        return [
            one.stored for one in reversed(self._keys.values()) if one.stored.certificate and now < _end(one.stored)
        ]

    async def cut(
        self,
        alg: str,
        typ: str,
        claims: Mapping[str, Any],
        now: int,
        purpose: str = "",
        more: Callable[[str], Mapping[str, str]] | None = None,
    ) -> str:
        """A signed token. RSA signs in a thread where that gains anything: it takes ten times as long and holds no lock
        meanwhile.

        ``typ`` "" leaves the type out of the header; ``purpose`` is that of the key to sign with; ``more`` are further
        members of the header, given the key's ``kid``.
        """
        key = self._lasting_longest(alg, now, purpose)
        if key is None:
            raise UsageError(f"no key signs {alg} now. `innkeeper keys rotate --alg {alg}` makes one.")
        header = self._header(key, typ) if more is None else _longer_header(key, typ, more(key.stored.kid))
        body = msgspec.json.encode(claims)
        if alg[0] in "RP" and THREADS.gain:
            return await THREADS.run(jws.compact, header, body, key.private, alg)
        return jws.compact(header, body, key.private, alg)

    def read(self, token: str, typ: str | None, now: int | None = None) -> dict[str, Any]:
        """The claims of a token that this ring signed, expired or not. Raises ``NotOurs``.

        With ``now`` a key that is not published any more counts no more: whoever may have stolen it forges nothing.
        Without it, old keys are believed too, which does for a hint but not for a token that opens anything.
        """
        found = self._verified_before(token)
        if now is not None and _expired(found.key, now):
            raise NotOurs("signed with a key that was retired")
        if typ is not None and found.typ != typ:
            raise NotOurs(f"a token of type {found.typ!r}, not {typ!r}")
        return dict(found.claims)

    def _verified_before(self, token: str) -> _Verified:
        """The token with its signature verified: once, since a token that verified does so for as long as this ring is.

        Kept under a hash, so that no token is held in memory for it; nobody else's token is kept.
        """
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._verified.get(digest)
        if known is None:
            known = self._verify(token)
            if len(self._verified) >= _VERIFIED_KEPT:
                del self._verified[next(iter(self._verified))]
            self._verified[digest] = known
        return known

    def _verify(self, token: str) -> _Verified:
        try:
            parsed = jws.parse(token)
            key = self._keys.get(str(parsed.header.get("kid")))
            if key is None or parsed.header.get("alg") != key.stored.alg:
                raise NotOurs("signed with a key that is not this issuer's")
            if not jws.verify(parsed, key.public, key.stored.alg):
                raise NotOurs("the signature does not verify")
            return _Verified(key.stored, parsed.header.get("typ"), read_object(parsed.claims))
        except (jws.NotAToken, NotStrict) as error:
            raise NotOurs(str(error)) from None

    def _lasting_longest(self, alg: str, now: int, purpose: str = "") -> _Key | None:
        """The key that is published longest, the newest of several: what it signs now outlives no key.

        To a clock that was set back, a key may be of the future; where it was made to sign at once, it signs all the same.
        """
        for key in self._lasting:
            stored = key.stored
            if stored.alg != alg or stored.purpose != purpose:
                continue
            if stored.active_from <= max(now, stored.created_at) and now < _end(stored):
                return key
        return None

    def _header(self, key: _Key, typ: str) -> bytes:
        known = self._headers.get((key.stored.kid, typ))
        if known is None:
            alg, kid = key.stored.alg, key.stored.kid
            header = {"alg": alg, "typ": typ, "kid": kid} if typ else {"kid": kid, "alg": alg}
            known = self._headers[key.stored.kid, typ] = jws.encode_header(header).encode("ascii")
        return known


def make(
    alg: str,
    seal: Seal,
    *,
    now: int,
    active_from: int,
    purpose: str = "",
    named: Callable[[str], str] = lambda thumbprint: thumbprint,
) -> StoredKey:
    """A new signing key, sealed. ``named`` makes its ``kid`` of its thumbprint. Raises ``UsageError`` for an algorithm
    that no key is made for."""
    if alg not in _MAKERS:
        raise UsageError(f"no keys are made for {alg!r}; choose one of {', '.join(_MAKERS)}")
    private = _MAKERS[alg]()
    document = jwk.public_document(private.public_key(), "", alg)
    kid = named(jwk.thumbprint(document))
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = seal.close(der, purpose_of(kid))
    return StoredKey(kid=kid, alg=alg, sealed=sealed, created_at=now, active_from=active_from, purpose=purpose)


_MAKERS: dict[str, Callable[[], jws.PrivateKey]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "EdDSA": Ed25519PrivateKey.generate,
    "ECDH-ES": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RSA-OAEP-256": lambda: rsa.generate_private_key(65537, 2048),
}


def _open(stored: StoredKey, seal: Seal) -> _Key:
    der = seal.open(stored.sealed, purpose_of(stored.kid))
    private = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)  # our own, and the seal unbroken
    if not isinstance(private, jws.PrivateKey):
        raise UsageError(f"signing key {stored.kid} is of a kind that signs nothing here. Retire it.")
    public = private.public_key()
    return _Key(stored, private, public, _document(stored, public))


def _document(stored: StoredKey, public: jws.PublicKey) -> dict[str, str]:
    """The key as it is published; one for encryption names no algorithm, since it serves several."""
    if stored.alg not in jwe.ALGORITHMS:
        return jwk.public_document(public, stored.kid, stored.alg)
    document = jwk.public_document(public, stored.kid, stored.alg, "enc")
    return {name: value for name, value in document.items() if name != "alg"}


def purpose_of(kid: str) -> str:
    """What a private key is sealed for."""
    return f"signing key {kid}"


def _longer_header(key: _Key, typ: str, more: Mapping[str, str]) -> bytes:
    header = {"typ": typ, "alg": key.stored.alg, **more, "kid": key.stored.kid}
    return jws.encode_header(header).encode("ascii")


_NEVER = 1 << 62


def _lasts(key: _Key) -> tuple[int, int]:
    return key.stored.expires_at or _NEVER, key.stored.active_from


def _end(stored: StoredKey) -> int:
    return _NEVER if stored.expires_at is None else stored.expires_at


def _expired(stored: StoredKey, now: int) -> bool:
    return _end(stored) <= now
