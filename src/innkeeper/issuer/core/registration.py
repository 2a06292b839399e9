"""Clients that register themselves, and look after it (OpenID Connect Dynamic Registration, RFC 7592)."""

from __future__ import annotations

from hmac import compare_digest

import msgspec

from innkeeper.issuer.core.client_metadata import Metadata, Registrant, client_of, method_of
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Effect, PutClient, RemoveClient
from innkeeper.issuer.core.metadata_checks import BAD_METADATA, METADATA_CHECKS, Case, sector_of
from innkeeper.issuer.core.methods import SECRETS
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.profiles import HS256
from innkeeper.issuer.core.records import Client, Secret
from innkeeper.protocol.errors import INVALID_TOKEN, TEMPORARILY_UNAVAILABLE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

OFF = "off"
OPEN = "open"
INVITED = "invited"
MODES = (OFF, OPEN, INVITED)

DYNAMIC = "dynamic"
"""The origin of a client that registered itself."""


class Door(msgspec.Struct, frozen=True):
    """Whether a stranger may register at all. ``invited`` says that an initial access token came that is good;
    ``wait`` is how many seconds its address has to pause for."""

    policy: Policy
    invited: bool = False
    wait: int = 0


class Fresh(msgspec.Struct, frozen=True):
    """Made before a decision: an id, a secret as it is stored, and the hash of a registration token."""

    id: str
    secret: Secret
    registration_token: bytes


class Keeper(msgspec.Struct, frozen=True):
    """Whoever comes back for a registration: the client it names, and the hash of the token it shows."""

    client: Client | None
    token: bytes


class Update(msgspec.Struct, frozen=True):
    """What a client sends to replace its registration, beside the client as it is."""

    said: Metadata
    client: Client
    secret_matches: bool


def open_door(door: Door) -> Trail:
    """May the caller register?"""
    return follow("registration", DOOR_CHECKS, door)


def register(case: Case, door: Door, fresh: Fresh, now: int) -> Decision[Client]:
    """The new client, remembered: for good where it was invited, else only for a while unless it is used."""
    trail = follow("registration", METADATA_CHECKS, case)
    if trail.refusal:
        return Decision(trail.refusal, trail)
    who = Registrant(
        fresh.id,
        DYNAMIC,
        now,
        secrets=_secrets(case, fresh),
        registration_token=fresh.registration_token,
        unused_until=0 if door.invited else now + door.policy.unused_client_lifetime,
    )
    client = client_of(case.said, case.rules, who, sector_of(case.said))
    return Decision(client, trail, (PutClient(client),))


def admit(keeper: Keeper) -> Decision[Client]:
    """The client whose registration the caller may read, change and end."""
    trail = follow("registration", KEEPER_CHECKS, keeper)
    if trail.refusal or keeper.client is None:
        return Decision(trail.refusal or Refusal(NOT_THE_KEEPER, "no client"), trail)
    return Decision(keeper.client, trail)


def change(case: Case, update: Update, fresh: Fresh) -> Decision[Client]:
    """The client with its metadata replaced: what is not said anew is as if it had never been said (§2.2)."""
    trail, client = follow("registration", METADATA_CHECKS, case), update.client
    if not trail.refusal:
        trail = trail.then(follow("registration", UPDATE_CHECKS, update))
    if trail.refusal:
        return Decision(trail.refusal, trail)
    same_method = method_of(case.said, case.rules) in client.auth_methods
    can_sign = case.said.id_token_signed_response_alg != HS256 or any(one.sealed for one in client.secrets)
    who = Registrant(
        client.id,
        client.origin,
        client.created_at,
        secrets=client.secrets if same_method and can_sign else _secrets(case, fresh),
        registration_token=client.registration_token,
    )
    changed = client_of(case.said, case.rules, who, sector_of(case.said))
    return Decision(changed, trail, (PutClient(changed, new=False),))


def remove(client: Client, now: int) -> tuple[Effect, ...]:
    """Forget a client, and everything that people allowed it (§2.3)."""
    return (RemoveClient(client.id, now),)


@check("RFC 7591 §3")
def the_caller_was_invited(door: Door) -> Seen | Refusal:
    """Where registration is not open to all, the request carries an initial access token that an operator gave out."""
    if door.policy.registration == INVITED and not door.invited:
        return Refusal(
            NOT_INVITED, "no initial access token that is good", "Authorization: Bearer …", "none or another"
        )
    return Seen("open to all" if door.policy.registration == OPEN else "invited")


@check("RFC 7591 §5")
def the_caller_registers_in_moderation(door: Door) -> Seen | Refusal:
    """One address registers a few clients at once and then one now and again."""
    if door.wait:
        return Refusal(TOO_MANY, "too many registrations from this address", "a pause", f"{door.wait} s to go")
    return Seen("in moderation")


DOOR_CHECKS = (the_caller_was_invited, the_caller_registers_in_moderation)


@check("RFC 7592 §2")
def the_token_is_the_registrations_own(keeper: Keeper) -> Seen | Refusal:
    """The registration token, hashed, is the one that this very client was given."""
    digest = keeper.client.registration_token if keeper.client else b""
    if not digest or not compare_digest(digest, keeper.token):
        return Refusal(NOT_THE_KEEPER, "no such registration, or another's token", "its registration token", "another")
    return Seen("its registration token")


KEEPER_CHECKS = (the_token_is_the_registrations_own,)


@check("RFC 7592 §2.2")
def the_update_speaks_of_the_client(update: Update) -> Seen | Refusal:
    """The metadata name the client itself, and where they name a secret, its own."""
    if update.said.client_id != update.client.id:
        return Refusal(BAD_METADATA, "client_id is not the client's", update.client.id, update.said.client_id or "none")
    if update.said.client_secret and not update.secret_matches:
        return Refusal(BAD_METADATA, "client_secret is not the client's; it is chosen here", "its secret", "another")
    return Seen(update.client.id)


UPDATE_CHECKS = (the_update_speaks_of_the_client,)


def _secrets(case: Case, fresh: Fresh) -> tuple[Secret, ...]:
    return (fresh.secret,) if method_of(case.said, case.rules) in SECRETS else ()


NOT_INVITED = Page(
    "IK404",
    INVALID_TOKEN,
    "Registration here is by invitation",
    "The issuer registers clients that bring an initial access token; none came, or it was used up or has expired.",
    "Ask the operator for one (`innkeeper client invite`) and send it as a Bearer token.",
    "An initial access token is needed.",
    401,
)
TOO_MANY = Page(
    "IK405",
    TEMPORARILY_UNAVAILABLE,
    "Too many registrations",
    "One address registered many clients in a short time. A client registers once and keeps its id.",
    "Wait, and reuse the client_id that was given before.",
    "Too many registrations. Try again later.",
    429,
)
NOT_THE_KEEPER = Page(
    "IK406",
    INVALID_TOKEN,
    "The registration token is not good",
    "It belongs to another client, or the client was removed or never registered itself.",
    "Send the registration_access_token that came with the registration, as a Bearer token, to registration_client_uri.",
    "The registration token is not valid.",
    401,
)
