"""Whom a token speaks of, as its client is told: everybody's own name, or one that no other sector's client is told.

Pairwise subjects (OpenID Connect Core §8.1) are the person's ``sub`` under the realm's secret, together with the
client's sector: the same each time, told apart from all others, and readable by nobody but this issuer.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from innkeeper.issuer.core.records import PAIRWISE, Client
from innkeeper.issuer.desk.realm import Realm
from innkeeper.protocol import base64url

_MARK = "pw-"
_SECTOR_BYTES = 16


def told(realm: Realm, client: Client, sub: str) -> str:
    """The ``sub`` that this client is told for a person, or for itself."""
    if client.subject_type != PAIRWISE or sub == client.id:
        return sub
    sector = sha256((client.sector_identifier or client.id).encode()).digest()[:_SECTOR_BYTES]
    return _MARK + base64url.encode_text(_cipher(realm).encrypt(sector + sub.encode(), None))


def behind(realm: Realm, subject: str) -> str:
    """The person's own ``sub`` behind one that was told to a client; any other value as it is."""
    if not subject.startswith(_MARK):
        return subject
    try:
        sealed = base64url.decode(subject.removeprefix(_MARK))
        return _cipher(realm).decrypt(sealed, None)[_SECTOR_BYTES:].decode()
    except (ValueError, InvalidTag):
        return subject


def _cipher(realm: Realm) -> AESSIV:
    return AESSIV(realm.mac("pairwise subject", "authentication") + realm.mac("pairwise subject", "encryption"))
