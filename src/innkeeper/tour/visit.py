"""A visit to the hotel and the stages it goes through, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from innkeeper.client.authorization import Pending
from innkeeper.client.discovery import Metadata
from innkeeper.protocol.refusals import UsageError
from innkeeper.tour.hands import NOW, Hands

Flow = Literal["guest", "agent", "walk", "chapter"]
Stage = Literal["ready", "away", "carded", "failed"]
Event = Literal["leave", "card", "fail"]

Turn = Literal[
    "clock-now", "clock-dawn", "clock-noon", "clock-night", "clock-later", "clock-checkout",
    "desk-checkout",
    "keys-rotate", "card-copy", "card-back", "card-revoke", "card-renew",
]  # fmt: skip
TURNS: tuple[Turn, ...] = get_args(Turn)
"""What can befall a visit that has a card."""

STAGES: dict[tuple[Stage, Event], Stage] = {
    ("ready", "leave"): "away",
    ("away", "leave"): "away",
    ("ready", "card"): "carded",
    ("away", "card"): "carded",
    ("ready", "fail"): "failed",
    ("away", "fail"): "failed",
}
"""What may happen when. A card in hand and a failure are both final: another try is another visit."""


class Try(msgspec.Struct, frozen=True):
    """One card held to one door. ``hop`` is the number of the recorded exchange."""

    n: int
    card: str
    door: str
    status: int
    hop: int


class Done(msgspec.Struct, frozen=True):
    """One act of a chapter as it was played: what came of it, and whether that was what had to."""

    n: int
    outcome: str
    ok: bool


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One person's or agent's visit.

    ``pending`` is what the app keeps to itself while the browser is away, to recognise the answer by.
    ``cards`` are the cards held to doors so far, by name. ``trouble`` says, in a sentence, why a failed visit failed.
    ``voucher`` is a guest's refresh token; ``stolen`` says that a thief holds a copy of the card, and ``turn`` what
    befell the visit last. ``hands`` is how the clock is moved for this visit. Of a chapter: its name, the ``acts`` played so far, the
    ``values`` they left, and the private keys in the ``pocket`` of whoever needs one.
    """

    id: str
    flow: Flow
    started_at: int
    stage: Stage = "ready"
    metadata: Metadata | None = None
    pending: Pending | None = None
    card: str | None = None
    identity: str | None = None
    cards: dict[str, str] = {}
    tries: tuple[Try, ...] = ()
    trouble: str = ""
    voucher: str = ""
    stolen: bool = False
    turn: str = ""
    hands: Hands = NOW
    chapter: str = ""
    acts: tuple[Done, ...] = ()
    values: Mapping[str, str] = {}
    pocket: Mapping[str, Any] = {}


def moved(visit: Visit, event: Event) -> Visit:
    """The visit after ``event``. Raises ``UsageError`` where that cannot happen now."""
    stage = STAGES.get((visit.stage, event))
    if stage is None:
        raise UsageError(f"a visit that is {visit.stage!r} cannot {event!r}; start another one")
    return msgspec.structs.replace(visit, stage=stage)


def opened(visit: Visit, metadata: Metadata, pending: Pending | None = None) -> Visit:
    """The visit that knows where the issuer's endpoints are, and for a guest what it will ask there."""
    return msgspec.structs.replace(visit, metadata=metadata, pending=pending)


def carded(visit: Visit, card: str, identity: str | None = None, voucher: str = "") -> Visit:
    """The visit with its keycard, and a guest's with the ID token and the refresh token that came along."""
    return msgspec.structs.replace(moved(visit, "card"), pending=None, card=card, identity=identity, voucher=voucher)


def failed(visit: Visit, trouble: str) -> Visit:
    """The visit that ended without a card."""
    return msgspec.structs.replace(moved(visit, "fail"), pending=None, trouble=trouble)


def holding(visit: Visit, name: str, token: str) -> Visit:
    """The visit with one more card in hand."""
    return msgspec.structs.replace(visit, cards=visit.cards | {name: token})


def tried(visit: Visit, card: str, door: str, status: int, hop: int) -> Visit:
    """The visit with one more door tried."""
    one = Try(len(visit.tries) + 1, card, door, status, hop)
    return msgspec.structs.replace(visit, tries=(*visit.tries, one), turn="")


def played(visit: Visit, done: Done, values: Mapping[str, str], pocket: Mapping[str, Any]) -> Visit:
    """The visit with one more act of its chapter played."""
    return msgspec.structs.replace(visit, acts=(*visit.acts, done), values=values, pocket=pocket)
