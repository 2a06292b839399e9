"""How an authorization request arrived: in plain parameters, pushed beforehand, or packed into a signed object."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.parameters import Parameters


class Delivery(msgspec.Struct, frozen=True):
    """The facts of it. A problem is a sentence that says why a reference or an address led nowhere, an object is no
    good or an unknown client is unknown; ``unsupported`` names a parameter that asks for a way that is not taken here."""

    pushed: bool = False
    signed: bool = False
    reference_problem: str = ""
    address_problem: str = ""
    object_problem: str = ""
    client_problem: str = ""
    unsupported: str = ""


PLAIN = Delivery()


class Case(msgspec.Struct, frozen=True):
    """A request as it arrived, and what it is judged by."""

    ask: Parameters
    client: Client | None
    policy: Policy
    delivery: Delivery
