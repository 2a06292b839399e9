"""What a decision wants remembered. A store commits a decision's effects all together or not at all.

A conditional effect (``Spend…``) that finds its condition gone makes the whole commit fail as ``Lost``; the desk
then fetches the facts again and decides anew.
"""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.records import Client, Code, Consent, Grant, Person, RefreshToken, Resource, Session


class Lost(Exception):
    """Somebody else spent it first: nothing was committed, decide again."""


class Effect(msgspec.Struct, frozen=True):
    """Something to remember."""


class PutClient(Effect, frozen=True):
    """Remember a client. Conditional: where ``new``, nobody has its id yet; else it must still be here."""

    client: Client
    new: bool = True


class RemoveClient(Effect, frozen=True):
    """Forget a client; its grants end and what people allowed it is forgotten with it. Twice does no harm."""

    client_id: str
    at: int


class PutPerson(Effect, frozen=True):
    """Remember a person. Conditional: nobody else has the name, and where ``new``, nobody the ``sub``; else they must
    still be here."""

    person: Person
    new: bool = True


class RemovePerson(Effect, frozen=True):
    """Forget a person; their sessions and grants end, and what they allowed is forgotten with them. Twice does no harm."""

    sub: str
    at: int


class PutResource(Effect, frozen=True):
    """Remember a resource. Conditional: where ``new``, nobody has its URI yet; else it must still be here."""

    resource: Resource
    new: bool = True


class RemoveResource(Effect, frozen=True):
    """Forget a resource. Twice does no harm."""

    uri: str


class PutKey(Effect, frozen=True):
    """Remember a signing key, as the desk encoded it, new or in the place of what is known of it."""

    kid: str
    record: bytes


class Unchanged(Effect, frozen=True):
    """Conditional: what is remembered under this ``key`` is still this very record, byte by byte.

    ``shelf`` says of what kind it is: one of ``SHELVES``. It comes before the effect that relies on it.
    """

    shelf: str
    key: str
    record: bytes


class TellNodes(Effect, frozen=True):
    """Have every node notice that something changed that it keeps in memory, where no other effect does."""


class AddCode(Effect, frozen=True):
    code: Code


class SpendCode(Effect, frozen=True):
    """Conditional: the code must be unspent."""

    digest: bytes
    at: int


class AddGrant(Effect, frozen=True):
    grant: Grant


class RevokeGrant(Effect, frozen=True):
    """End a grant: its refresh tokens and, where they are looked up, its access tokens. Twice does no harm."""

    grant_id: str
    at: int


class AddRefreshToken(Effect, frozen=True):
    token: RefreshToken


class SpendRefreshToken(Effect, frozen=True):
    """Conditional: the token must be unspent and its grant not revoked."""

    digest: bytes
    successor: bytes
    at: int


class RevokeToken(Effect, frozen=True):
    """Refuse one access token from now on; forgotten once it has expired by itself."""

    jti: str
    expires_at: int


class AddSession(Effect, frozen=True):
    session: Session


class ChangeSession(Effect, frozen=True):
    """Conditional: the session must not be over. It gets a new cookie, and the old one opens nothing any more."""

    session: Session


class EndSession(Effect, frozen=True):
    """Sign out: the session and the grants that were tied to it (those without offline_access)."""

    session_id: str
    at: int


class GiveConsent(Effect, frozen=True):
    consent: Consent


class TakeBackConsent(Effect, frozen=True):
    """Forget what a person allowed a client, and end everything that it led to."""

    sub: str
    client_id: str
    at: int


class AddOnce(Effect, frozen=True):
    """Conditional: nothing of this ``kind`` and ``key`` was added before and is still remembered.

    For everything that may be used once: a client assertion's or a DPoP proof's ``jti``.
    """

    kind: str
    key: str
    expires_at: int


class PutEntry(Effect, frozen=True):
    """Remember something short-lived. Conditional: it must still be of ``version``, 0 meaning not there yet.

    ``record`` is the desk's own encoding; the store only keeps it until ``expires_at``.
    """

    kind: str
    key: str
    record: bytes
    expires_at: int
    version: int = 0


class DropEntry(Effect, frozen=True):
    """Conditional: forget something short-lived, which must still be of ``version``."""

    kind: str
    key: str
    version: int


class PutCredential(Effect, frozen=True):
    """Remember a person's way of signing in, such as a passkey; ``id`` is unique within its ``kind``.

    Conditional: no other person has that ``id``, and where ``before`` is given, it is what is remembered now.
    """

    sub: str
    kind: str
    id: str
    record: bytes
    before: bytes | None = None


class RemoveCredential(Effect, frozen=True):
    sub: str
    kind: str
    id: str


CLIENT, PERSON, RESOURCE, KEY = SHELVES = ("client", "person", "resource", "key")
"""What ``Unchanged`` can be said of."""
