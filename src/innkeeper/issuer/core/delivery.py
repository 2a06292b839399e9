"""How an authorization request arrived: in plain parameters, pushed beforehand, or packed into a signed object."""

from __future__ import annotations

import msgspec


class Delivery(msgspec.Struct, frozen=True):
    """The facts of it. A problem is a sentence that says why a reference led nowhere or an object is no good;
    ``unsupported`` names a parameter that asks for a way that is not taken here."""

    pushed: bool = False
    signed: bool = False
    reference_problem: str = ""
    object_problem: str = ""
    unsupported: str = ""


PLAIN = Delivery()
