"""Faults on demand: a code that the token endpoint answers the next requests with, whatever they are."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.effects import DropEntry, Effect, Lost, PutEntry
from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.codes import BY_CODE
from innkeeper.issuer.desk.entra.books import FOR_EVER
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.protocol.refusals import Refusal, UsageError

_KIND, _KEY = "entra fault", "token"


class Fault(msgspec.Struct, frozen=True):
    """``code`` is Microsoft's; ``times`` how many requests more it is told."""

    code: int
    times: int


async def ask_for(desk: Desk, code: int, times: int) -> None:
    """Answer the next ``times`` token requests with this code; 0 takes it back. Raises ``UsageError``."""
    if code not in BY_CODE:
        raise UsageError(
            f"AADSTS{code} is none of the codes that the twin answers with; docs/reference/refusals.md lists them"
        )
    entry = await desk.realm.store.entry(_KIND, _KEY)
    version, fault = entry.version if entry else 0, Fault(code, times)
    await desk.realm.store.commit((PutEntry(_KIND, _KEY, msgspec.msgpack.encode(fault), FOR_EVER, version),))


async def due(desk: Desk) -> Refusal | None:
    """The refusal that was asked for, told once more."""
    while True:
        entry = await desk.realm.store.entry(_KIND, _KEY)
        fault = _decode(entry.record) if entry else None
        if entry is None or fault is None or fault.times < 1:
            return None
        left = msgspec.msgpack.encode(Fault(fault.code, fault.times - 1))
        put = PutEntry(_KIND, _KEY, left, FOR_EVER, entry.version)
        effect: Effect = put if fault.times > 1 else DropEntry(_KIND, _KEY, entry.version)
        try:
            await desk.realm.store.commit((effect,))
        except Lost:
            continue
        page = BY_CODE[fault.code]
        return refuse(page, "it was asked for (innkeeper twin fault)", **dict.fromkeys(_NAMES, "(asked for)"))


_decode = msgspec.msgpack.Decoder(Fault).decode
_NAMES = (
    *(
        "tenant",
        "client",
        "name",
        "parameter",
        "allowed",
        "method",
        "endpoint",
        "detail",
        "subject",
        "issuer",
        "audience",
    ),
    *(
        "origin",
        "scope",
        "resource",
        "resource_name",
        "user",
        "provider",
        "grant",
        "issued",
        "redirect",
        "type",
        "mode",
    ),
)
"""What the codes' sentences name of a request; here there is none that they speak of."""
