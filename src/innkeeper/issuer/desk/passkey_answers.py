"""What a device answered, read and verified by the WebAuthn library, which is loaded on first use and run in a thread.

A stranger chose every byte that comes in here. Whatever the library stumbles over is a sentence and no failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from innkeeper.protocol import base64url
from innkeeper.protocol.strict_json import NotStrict, read_object

Found = TypeVar("Found")

LONGEST = 16_384
"""Characters of an answer that are read; devices send about a thousand."""


class Unverified(Exception):
    """The answer is no good; the message says why."""


class Site(msgspec.Struct, frozen=True):
    """What an answer has to be made for: the site's name and the origin of its pages."""

    rp_id: str
    origin: str


class Answer(msgspec.Struct, frozen=True):
    """An answer before it is verified: which challenge it claims to be to, by which passkey, of which person."""

    document: dict[str, Any]
    challenge: bytes
    credential_id: str
    handle: str


class NewKey(msgspec.Struct, frozen=True):
    credential_id: str
    public_key: bytes
    sign_count: int
    shared: bool


def read(text: str) -> Answer:
    """The answer that a page's script sent, as ``PublicKeyCredential.toJSON`` words it. Raises ``Unverified``."""
    if len(text) > LONGEST:
        raise Unverified("the answer is longer than any device's")
    try:
        document = read_object(text.encode())
        response = document["response"]
        said = read_object(base64url.decode(response["clientDataJSON"]))
        handle = response.get("userHandle") or ""
        if said.get("crossOrigin"):
            raise Unverified("the answer was given in a frame of another site")
        return Answer(document, base64url.decode(said["challenge"]), str(document["id"]), str(handle))
    except (NotStrict, base64url.NotBase64Url, LookupError, TypeError, AttributeError) as error:
        raise Unverified(f"the answer cannot be read: {error}") from None


async def verify_new(answer: Answer, site: Site) -> NewKey:
    """A new passkey. Raises ``Unverified``."""
    return await _guarded(_verify_new, answer, site)


async def verify_sign_in(answer: Answer, site: Site, public_key: bytes) -> int:
    """The device's count of signatures. Raises ``Unverified``."""

    def verify(answer: Answer, site: Site) -> int:
        from webauthn import verify_authentication_response

        done = verify_authentication_response(
            credential=answer.document,
            expected_challenge=answer.challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        return done.new_sign_count

    return await _guarded(verify, answer, site)


def _verify_new(answer: Answer, site: Site) -> NewKey:
    from webauthn import verify_registration_response
    from webauthn.helpers.structs import CredentialDeviceType

    done = verify_registration_response(
        credential=answer.document,
        expected_challenge=answer.challenge,
        expected_rp_id=site.rp_id,
        expected_origin=site.origin,
        require_user_verification=True,
    )
    shared = done.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    return NewKey(base64url.encode_text(done.credential_id), done.credential_public_key, done.sign_count, shared)


async def _guarded(verify: Callable[[Answer, Site], Found], answer: Answer, site: Site) -> Found:
    def work() -> Found:
        try:
            return verify(answer, site)
        except Exception as error:  # noqa: BLE001 - the library's parsers raise whatever a stranger's bytes provoke
            raise Unverified(f"the answer does not verify: {error}") from None

    return await asyncio.to_thread(work)
