"""The key that follows another: of the same algorithm and purpose, named in the same way, with a certificate where that had one."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID

from innkeeper.keys.certified import make_certified
from innkeeper.keys.ring import make
from innkeeper.keys.seal import Seal
from innkeeper.keys.stored import StoredKey
from innkeeper.protocol import base64url


def rotate(
    stored: Sequence[StoredKey], alg: str, seal: Seal, *, now: int, publish_ahead: int, keep: int, purpose: str = ""
) -> tuple[StoredKey, list[StoredKey]]:
    """A new key for ``alg`` and ``purpose``, like the newest, and the changed old ones.

    The new key signs ``publish_ahead`` seconds from now (at once where there is none yet); the old ones stay
    published ``keep`` seconds after that, until the last token they signed has expired.
    """
    old = [one for one in stored if (one.alg, one.purpose) == (alg, purpose) and one.expires_at is None]
    start = now + publish_ahead if old else now
    fresh = successor(stored, alg, seal, now=now, active_from=start, purpose=purpose)
    return fresh, [msgspec.structs.replace(one, expires_at=start + keep) for one in old]


def successor(
    stored: Sequence[StoredKey], alg: str, seal: Seal, *, now: int, active_from: int, purpose: str = ""
) -> StoredKey:
    """A new key for ``alg`` and ``purpose``, like the newest of those that a realm has. Raises ``UsageError``."""
    own = [one for one in stored if (one.alg, one.purpose) == (alg, purpose)]
    newest = max(own, key=lambda one: one.active_from, default=None)
    if newest is not None and newest.certificate:
        return make_certified(_name_in(newest.certificate), seal, now=now, active_from=active_from)
    named = _padded if newest is not None and newest.kid.endswith("=") else str
    return make(alg, seal, now=now, active_from=active_from, purpose=purpose, named=named)


def _name_in(certificate: bytes) -> str:
    [name] = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


def _padded(thumbprint: str) -> str:
    """A thumbprint in the base64 that some clouds name their keys in."""
    return b64encode(base64url.decode(thumbprint)).decode("ascii")
