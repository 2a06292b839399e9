"""The tables as both engines have them: their columns in order, for whoever copies all of them from one to another."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.effects import CLIENT, KEY, PERSON, RESOURCE

TEXT, NUMBER, BYTES, MAYBE_NUMBER, MAYBE_BYTES = str, int, bytes, int | None, bytes | None

TABLES: dict[str, dict[str, Any]] = {
    "clients": {"realm": TEXT, "id": TEXT, "unused_until": MAYBE_NUMBER, "record": BYTES},
    "resources": {"realm": TEXT, "uri": TEXT, "position": NUMBER, "record": BYTES},
    "people": {"realm": TEXT, "sub": TEXT, "username": TEXT, "record": BYTES},
    "sessions": {
        "realm": TEXT,
        "digest": BYTES,
        "id": TEXT,
        "sub": TEXT,
        "expires_at": NUMBER,
        "ended_at": MAYBE_NUMBER,
        "record": BYTES,
    },
    "consents": {"realm": TEXT, "sub": TEXT, "client_id": TEXT, "record": BYTES},
    "codes": {"realm": TEXT, "digest": BYTES, "expires_at": NUMBER, "spent_at": MAYBE_NUMBER, "record": BYTES},
    "grants": {
        "realm": TEXT,
        "id": TEXT,
        "sub": TEXT,
        "client_id": TEXT,
        "session_id": TEXT,
        "expires_at": NUMBER,
        "revoked_at": MAYBE_NUMBER,
        "record": BYTES,
    },
    "refresh_tokens": {
        "realm": TEXT,
        "digest": BYTES,
        "grant_id": TEXT,
        "expires_at": NUMBER,
        "spent_at": MAYBE_NUMBER,
        "successor": MAYBE_BYTES,
    },
    "revoked_tokens": {"realm": TEXT, "jti": TEXT, "expires_at": NUMBER},
    "entries": {
        "realm": TEXT,
        "kind": TEXT,
        "key": TEXT,
        "expires_at": NUMBER,
        "version": NUMBER,
        "record": BYTES,
    },
    "credentials": {"realm": TEXT, "kind": TEXT, "id": TEXT, "sub": TEXT, "record": BYTES},
    "signing_keys": {"realm": TEXT, "kid": TEXT, "record": BYTES},
    "secrets": {"realm": TEXT, "name": TEXT, "sealed": BYTES},
    "notes": {"realm": TEXT, "name": TEXT, "text": TEXT},
}
"""Every table but the migrations' own."""

SHELVES: dict[str, tuple[str, str]] = {
    CLIENT: ("clients", "id"),
    PERSON: ("people", "sub"),
    RESOURCE: ("resources", "uri"),
    KEY: ("signing_keys", "kid"),
}
"""The table of each kind of record, and the column of its key."""
