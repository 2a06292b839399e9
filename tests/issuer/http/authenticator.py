"""A passkey device in software, honest or not: every field of its answers can be set to what an attacker would send."""

from __future__ import annotations

import json
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from innkeeper.protocol import base64url

ORIGIN = "http://localhost:8400"
UP, UV, BE, BS, AT = 1, 4, 8, 16, 64
"""Flags of authenticator data (WebAuthn §6.1): present, verified, may be copied, is copied, has a new key."""


class Device:
    """One passkey. ``handle`` is the person that it was made for, as the site named them."""

    def __init__(self, *, origin: str = ORIGIN, rp_id: str = "localhost", flags: int = UP | UV, count: int = 0) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = token_bytes(32)
        self.origin = origin
        self.rp_id = rp_id
        self.flags = flags
        self.count = count
        self.handle = ""

    def create(self, options: dict[str, Any], **changes: Any) -> str:
        """The answer to a registration page."""
        self.handle = options["user"]["id"]
        said = self._said("webauthn.create", options["challenge"], **changes)
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(changes, self._new_key())}
        return self._answer({"clientDataJSON": said, "attestationObject": cbor2.dumps(statement)}, changes)

    def get(self, options: dict[str, Any], **changes: Any) -> str:
        """The answer to a sign-in page."""
        self.count += 1 if self.count else 0
        said, data = self._said("webauthn.get", options["challenge"], **changes), self._data(changes)
        signed = changes.get("signed", data + sha256(said).digest())
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        handle = base64url.decode(changes.get("handle", self.handle))
        parts = {"clientDataJSON": said, "authenticatorData": data, "signature": signature, "userHandle": handle}
        return self._answer(parts, changes)

    def _said(self, kind: str, challenge: str, **changes: Any) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps({**said, **changes.get("said", {})}).encode()

    def _data(self, changes: dict[str, Any], more: bytes = b"") -> bytes:
        flags = changes.get("flags", self.flags) | (AT if more else 0)
        rp_id: str = changes.get("rp_id", self.rp_id)
        count: int = changes.get("count", self.count)
        return sha256(rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big") + more

    def _new_key(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        return bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose

    def _answer(self, parts: dict[str, bytes], changes: dict[str, Any]) -> str:
        name = base64url.encode_text(changes.get("id", self.id))
        response = {key: base64url.encode_text(part) for key, part in parts.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
