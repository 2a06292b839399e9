"""Signing in on another device: a code to type there, and asking until somebody has.

The sections named below are those of RFC 8628.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from innkeeper.client.asking import Ask, Flow, ask, now, pause, post
from innkeeper.client.credentials import Client, proof
from innkeeper.client.discovery import Metadata, private
from innkeeper.client.grants import UNREADABLE_ANSWER, device_token, refusal
from innkeeper.client.refused import Refused, quoted, refuse
from innkeeper.client.token import Access, Token
from innkeeper.protocol import errors
from innkeeper.protocol.refusals import Page, Unreachable
from innkeeper.protocol.strict_json import NotStrict, read_object

NOBODY_CAME = Page(
    "IK881",
    error=errors.EXPIRED_TOKEN,
    title="Nobody entered the code in time",
    cause="The code that was shown has expired before anyone signed in with it.",
    remedy="Start again, and enter the code sooner.",
    wire="",
)
DECLINED = Page(
    "IK882",
    error=errors.ACCESS_DENIED,
    title="The sign-in was declined",
    cause="Somebody entered the code and said no.",
    remedy="Start again, and allow the access.",
    wire="",
)

_INTERVAL, _SLOWER = 5, 5
_NO = {errors.EXPIRED_TOKEN: NOBODY_CAME, errors.ACCESS_DENIED: DECLINED, "authorization_declined": DECLINED}


class DeviceCode(msgspec.Struct, frozen=True):
    """What to show: ``user_code`` to type at ``verification_uri``, or ``complete``, the address with the code in it."""

    device_code: str
    user_code: str
    verification_uri: str
    complete: str
    expires_at: float
    interval: int

    def __repr__(self) -> str:
        return f"<DeviceCode for {self.verification_uri}>"


def begin(metadata: Metadata, client: Client, access: Access) -> Flow[DeviceCode]:
    """Ask for a code (§3.1). Raises ``Refused``."""

    def request() -> Flow[Ask]:
        headers, shown = yield from proof(client, metadata)
        endpoint = metadata.endpoint("device_authorization")
        return post(endpoint, "the device authorization endpoint", access.form() + shown, headers)

    reply = yield from ask((yield from request()))
    if reply.status != 200:
        raise refusal(reply, "the device authorization endpoint")
    try:
        answer = read_object(reply.body)
        return _code(answer, metadata, (yield from now()))
    except (NotStrict, KeyError, TypeError, ValueError):
        raise refuse(
            UNREADABLE_ANSWER, "the device authorization endpoint's answer lacks a code or an address"
        ) from None


def wait(metadata: Metadata, client: Client, access: Access, code: DeviceCode) -> Flow[Token]:
    """Ask until somebody has entered the code (§3.4, §3.5). Raises ``Refused`` where it was declined or ran out."""
    interval = code.interval
    while (yield from now()) < code.expires_at:
        yield from pause(interval)
        try:
            return (yield from device_token(metadata, client, access, code.device_code))
        except Refused as refused:
            if refused.error == errors.SLOW_DOWN:
                interval += _SLOWER
            elif refused.error in _NO:
                raise refuse(_NO[refused.error], refused.refusal.reason, error=refused.error) from None
            elif refused.error != errors.AUTHORIZATION_PENDING:
                raise
        except Unreachable:
            interval *= 2
    raise refuse(NOBODY_CAME, "the code has expired", error=errors.EXPIRED_TOKEN)


def sign_in(metadata: Metadata, client: Client, access: Access, show: Callable[[DeviceCode], object]) -> Flow[Token]:
    """The whole of it: get a code, ``show`` it, wait."""
    code = yield from begin(metadata, client, access)
    show(code)
    return (yield from wait(metadata, client, access, code))


def _code(answer: dict[str, Any], metadata: Metadata, moment: float) -> DeviceCode:
    address = str(answer["verification_uri"])
    if not private(address, metadata.issuer):
        raise refuse(UNREADABLE_ANSWER, f"the address to visit is not private: {quoted(address, 120)}")
    complete = answer.get("verification_uri_complete")
    interval = answer.get("interval", _INTERVAL)
    return DeviceCode(
        device_code=str(answer["device_code"]),
        user_code=quoted(answer["user_code"], 40),
        verification_uri=address,
        complete=complete if isinstance(complete, str) and private(complete, metadata.issuer) else "",
        expires_at=moment + float(answer["expires_in"]),
        interval=max(1, int(interval)),
    )
