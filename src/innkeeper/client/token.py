"""What is asked for and what is got: access and token, as plain values."""

from __future__ import annotations

from math import ceil
from typing import Any

import msgspec


class Access(msgspec.Struct, frozen=True):
    """The access wanted: scope names, and the API they are for (RFC 8707 §2).

    ``acr_values`` and ``max_age`` (seconds) say how surely and how lately the person has to have signed in (RFC 9470 §4);
    they are sent where a person is asked, and nowhere else.
    """

    scope: str = ""
    resource: str | None = None
    acr_values: str = ""
    max_age: int | None = None

    def form(self) -> list[tuple[str, str]]:
        """The parameters it becomes; an empty scope is not sent."""
        pairs = [("scope", self.scope)] if self.scope else []
        return [*pairs, ("resource", self.resource)] if self.resource else pairs

    def sign_in(self) -> list[tuple[str, str]]:
        """The parameters about the sign-in, for an authorization request."""
        pairs = [("acr_values", self.acr_values)] if self.acr_values else []
        return pairs if self.max_age is None else [*pairs, ("max_age", str(self.max_age))]

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.scope.split())


class Token(msgspec.Struct, frozen=True, omit_defaults=True):
    """A token answer (RFC 6749 §5.1). ``expires_at`` in seconds since 1970, None where the issuer named no end.

    ``id_token`` is the one of the sign-in, checked when it came. ``kind`` is Bearer or DPoP; ``jkt`` is the thumbprint of
    the key that a DPoP token is bound to.
    """

    access_token: str
    issuer: str
    client_id: str
    scope: str = ""
    resource: str | None = None
    expires_at: int | None = None
    refresh_token: str | None = None
    id_token: str | None = None
    kind: str = "Bearer"
    jkt: str = ""

    def __repr__(self) -> str:  # a token in a log is a token lost
        return f"<Token from {self.issuer} for {self.client_id}: {self.scope or 'no scope'}>"

    def fresh(self, now: float, leeway: float = 30) -> bool:
        """Whether it will still be good ``leeway`` seconds from ``now``; one without an end is taken as good."""
        return self.expires_at is None or now + leeway < self.expires_at

    def as_answer(self, now: float) -> dict[str, Any]:
        """The members a token endpoint would send, ``expires_in`` counted from ``now``."""
        answer: dict[str, Any] = {"access_token": self.access_token, "token_type": self.kind}
        if self.expires_at is not None:
            answer["expires_in"] = max(0, ceil(self.expires_at - now))
        rest = {"scope": self.scope, "refresh_token": self.refresh_token, "id_token": self.id_token}
        return answer | {name: value for name, value in rest.items() if value}
