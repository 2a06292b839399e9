"""The outbox: mail and SMS that a pool would have sent. They stay on this computer for a day, where a page shows them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from innkeeper.issuer.core.cognito import formats
from innkeeper.issuer.core.cognito.records import User
from innkeeper.issuer.core.effects import Effect
from innkeeper.issuer.desk.cognito.shelf import Shelf
from innkeeper.issuer.desk.cognito.triggers import Event, call
from innkeeper.issuer.desk.cognito.twin import OpenPool

KEPT = 86400
CODE_PLACE, NAME_PLACE = "{####}", "{username}"
MEDIA = {"email": "EMAIL", "phone_number": "SMS"}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message: by which ``medium`` (EMAIL or SMS) to whom; ``code`` is the one that it holds."""

    at: int
    medium: str
    to: str
    subject: str
    text: str
    code: str = ""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent: why (as the custom message function is told), to which attribute of whom, for which client."""

    source: str
    user: User
    attribute: str
    client_id: str
    code: str
    subject: str = "Your verification code"
    text: str = f"Your confirmation code is {CODE_PLACE}"


MESSAGES = Shelf("message", Message)


async def send(pool: OpenPool, letter: Letter) -> Effect:
    """The effect that puts a message into the outbox, worded by the pool and, where it has one, its function."""
    now, subject, text = pool.now(), letter.subject, await _worded(pool, letter)
    if isinstance(text, tuple):
        subject, text = text
    message = Message(
        at=now,
        medium=MEDIA.get(letter.attribute, "EMAIL"),
        to=letter.user.attributes.get(letter.attribute, letter.user.username),
        subject=subject,
        text=text.replace(CODE_PLACE, letter.code).replace(NAME_PLACE, letter.user.username),
        code=letter.code,
    )
    return MESSAGES.put(f"{now:012}{secrets.token_hex(6)}", message, expires_at=now + KEPT)


async def sent(pool: OpenPool) -> Sequence[Message]:
    """The messages of the last day, the newest first."""
    kept = await MESSAGES.all(pool.store)
    return [one.record for one in reversed(kept) if one.expires_at > pool.now()]


def delivery(user: User, attribute: str) -> dict[str, str]:
    """CodeDeliveryDetails: where a code went, as its reader may know."""
    to = formats.masked(attribute, user.attributes.get(attribute, ""))
    return {"AttributeName": attribute, "DeliveryMedium": MEDIA.get(attribute, "EMAIL"), "Destination": to}


async def _worded(pool: OpenPool, letter: Letter) -> str | tuple[str, str]:
    template = pool.pool.said.get("VerificationMessageTemplate") or {}
    said = pool.pool.said
    by_mail = letter.attribute == "email"
    text = letter.text
    if letter.source in ("CustomMessage_SignUp", "CustomMessage_ResendCode", "CustomMessage_ForgotPassword"):
        text = template.get("EmailMessage") or said.get("EmailVerificationMessage") or text if by_mail else text
    subject = template.get("EmailSubject") or said.get("EmailVerificationSubject") or letter.subject
    event = Event(
        trigger="CustomMessage",
        source=letter.source,
        client_id=letter.client_id,
        user=letter.user,
        request={"codeParameter": CODE_PLACE, "usernameParameter": NAME_PLACE},
        response={"smsMessage": None, "emailMessage": None, "emailSubject": None},
    )
    answer = await call(pool, event) or {}
    if by_mail:
        return str(answer.get("emailSubject") or subject), str(answer.get("emailMessage") or text)
    return str(answer.get("smsMessage") or text)
