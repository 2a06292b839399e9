"""What a dialect hands the desk: how its tokens are worded and signed."""

from __future__ import annotations

from typing import Any, Protocol

from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.core.token import Issue
from innkeeper.protocol.values import Value


class Stamp(Value, frozen=True, gc=False):
    """What a token bears that nobody decides: the time and its own id."""

    now: int
    jti: str


class Draft(Value, frozen=True, gc=False):
    """A token before it is signed. ``lifetime`` in seconds; ``purpose`` is that of the key to sign it with."""

    alg: str
    typ: str
    claims: dict[str, Any]
    lifetime: int
    purpose: str = ""


class TokenShape(Protocol):
    """The wording of a dialect's tokens."""

    access_type: str

    def access(self, issue: Issue, policy: Policy, stamp: Stamp) -> Draft: ...
    def identity(
        self, issue: Issue, person: Person | None, access_token: str, policy: Policy, stamp: Stamp, /
    ) -> Draft: ...
