"""Passkeys at work: the challenges that pages carry, sign-in by passkey, registration, the list on the account page.

A challenge is signed and not stored, so that showing a page writes nothing; it is remembered once it was used.
"""

from __future__ import annotations

from hmac import compare_digest
from secrets import token_bytes
from typing import Any

import msgspec

from innkeeper.issuer.core import passkeys as core
from innkeeper.issuer.core.assurance import rp_id
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Effect, Lost, PutCredential, RemoveCredential
from innkeeper.issuer.core.passkeys import Answered, Challenge, Offered, Registered
from innkeeper.issuer.core.records import Person, Session
from innkeeper.issuer.desk import passkey_answers as answers
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.factors import PASSKEY
from innkeeper.issuer.desk.passkey_answers import Site, Unverified
from innkeeper.issuer.desk.realm import Realm, random_value
from innkeeper.issuer.desk.sign_in import SignedIn, note_network
from innkeeper.issuer.store.port import Credential
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import Refusal

SIGN_IN = "sign-in"
REGISTER = "register"

_ALGORITHMS = (-8, -7, -257)
"""EdDSA, ES256, RS256 by their COSE numbers: what every device has at least one of."""

_NONCE, _TIME, _MAC = 16, 6, 16
_NAME = 64


class Passkey(msgspec.Struct, frozen=True, array_like=True):
    """A passkey as it is stored. ``name`` is its owner's word for it; times in seconds since the epoch."""

    public_key: bytes
    sign_count: int
    name: str
    since: int
    used_at: int
    shared: bool


_decode = msgspec.msgpack.Decoder(Passkey).decode


def site_of(realm: Realm, origin: str) -> Site | None:
    """What passkeys are made for here, or None where browsers make none."""
    name = rp_id(realm.policy.issuer)
    return Site(name, origin) if name else None


def sign_in_options(realm: Realm, site: Site, page: str) -> str:
    """What the sign-in page's script asks a device for (WebAuthn §5.5). ``page`` is what the browser's form proves."""
    return _json(
        {
            "challenge": _challenge(realm, SIGN_IN, page),
            "rpId": site.rp_id,
            "timeout": core.CHALLENGE_LIFETIME * 1000,
            "userVerification": "required",
        }
    )


async def registration_options(realm: Realm, site: Site, person: Person, session: Session) -> str:
    """What the account page's script asks a device for (WebAuthn §5.4): a key that is found without a user name."""
    held = await realm.store.credentials(person.sub, PASSKEY)
    return _json(
        {
            "challenge": _challenge(realm, REGISTER, session.id),
            "rp": {"id": site.rp_id, "name": realm.policy.title},
            "user": {
                "id": _handle(realm, person.sub),
                "name": person.username,
                "displayName": str(person.claims.get("name", person.username)),
            },
            "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in _ALGORITHMS],
            "timeout": core.CHALLENGE_LIFETIME * 1000,
            "excludeCredentials": [{"type": "public-key", "id": one.id} for one in held],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "none",
        }
    )


async def sign_in(realm: Realm, site: Site, caller: Caller, page: str, text: str) -> SignedIn | Refusal:
    """Open a session for whoever's passkey answered the page."""
    cookie = random_value()
    fresh = caller.fresh(cookie)
    while True:
        answered, stored = await _answered(realm, site, page, text)
        person = await realm.store.person(stored.sub) if stored else None
        now = realm.now()
        decision = core.sign_in(answered, person, fresh, realm.policy, now, caller.session)
        outcome, effects = decision.outcome, list[Effect](decision.effects)
        if stored and not isinstance(outcome, Refusal):
            used = msgspec.structs.replace(_decode(stored.record), sign_count=answered.sign_count, used_at=now)
            effects.append(PutCredential(stored.sub, PASSKEY, stored.id, _encode(used), stored.record))
            effects.append(await note_network(realm, stored.sub, caller.network))
        try:
            await realm.store.commit(effects)
        except Lost:
            caller = await caller.again(realm)
            continue
        realm.observe(decision.trail)
        return outcome if isinstance(outcome, Refusal) else SignedIn(outcome, cookie)


async def register(realm: Realm, site: Site, session: Session, text: str, name: str) -> Refusal | None:
    """Remember a new passkey of the session's person."""
    while True:
        decision, effects = await _registered(realm, site, session, text, name)
        try:
            await realm.store.commit((*decision.effects, *effects))
        except Lost:
            continue
        realm.observe(decision.trail)
        return decision.outcome


async def passkeys_of(realm: Realm, sub: str) -> list[tuple[str, Passkey]]:
    """A person's passkeys by their ids, the oldest first."""
    found = [(one.id, _decode(one.record)) for one in await realm.store.credentials(sub, PASSKEY)]
    return sorted(found, key=lambda one: one[1].since)


async def remove(realm: Realm, sub: str, credential_id: str) -> None:
    """Forget a passkey, where it is this person's."""
    await realm.store.commit((RemoveCredential(sub, PASSKEY, credential_id),))


async def _answered(realm: Realm, site: Site, page: str, text: str) -> tuple[Answered, Credential | None]:
    """An answer to the sign-in page, and the stored passkey that it claims to be by."""
    try:
        answer = answers.read(text)
    except Unverified as error:
        return Answered(Challenge(problem=str(error))), None
    challenge = await _recognised(realm, SIGN_IN, page, answer.challenge)
    stored = await realm.store.credential(PASSKEY, answer.credential_id)
    if stored is None or challenge.problem:
        return Answered(challenge), None
    passkey = _decode(stored.record)
    registered = Registered(stored.sub, passkey.sign_count, passkey.shared)
    owner = stored.sub if answer.handle == _handle(realm, stored.sub) else "another"
    try:
        count = await answers.verify_sign_in(answer, site, passkey.public_key)
    except Unverified as error:
        return Answered(challenge, registered, owner, str(error)), stored
    return Answered(challenge, registered, owner, sign_count=count), stored


async def _registered(
    realm: Realm, site: Site, session: Session, text: str, name: str
) -> tuple[Decision[None], list[Effect]]:
    held, now = len(await realm.store.credentials(session.sub, PASSKEY)), realm.now()
    try:
        answer = answers.read(text)
        challenge = await _recognised(realm, REGISTER, session.id, answer.challenge)
    except Unverified as error:
        return core.register(Offered(Challenge(problem=str(error))), now), []
    try:
        new = await answers.verify_new(answer, site)
    except Unverified as error:
        return core.register(Offered(challenge, str(error), held=held), now), []
    taken = await realm.store.credential(PASSKEY, new.credential_id) is not None
    decision = core.register(Offered(challenge, taken=taken, held=held), now)
    record = Passkey(new.public_key, new.sign_count, _named(name), now, 0, new.shared)
    put = PutCredential(session.sub, PASSKEY, new.credential_id, _encode(record))
    return decision, [] if decision.outcome else [put]


async def _recognised(realm: Realm, purpose: str, page: str, challenge: bytes) -> Challenge:
    """Whether a challenge is one that we gave to this page, and whether it was used."""
    seed, mac = challenge[: _NONCE + _TIME], challenge[_NONCE + _TIME :]
    if not compare_digest(mac, _mac(realm, purpose, page, seed)):
        return Challenge(problem="the challenge is none of this page's")
    if int.from_bytes(seed[_NONCE:], "big") + core.CHALLENGE_LIFETIME <= realm.now():
        return Challenge(problem="the challenge is too old")
    key = challenge.hex()
    return Challenge(key, spent=await realm.store.entry(core.CHALLENGE, key) is not None)


def _challenge(realm: Realm, purpose: str, page: str) -> str:
    seed = token_bytes(_NONCE) + realm.now().to_bytes(_TIME, "big")
    return base64url.encode_text(seed + _mac(realm, purpose, page, seed))


def _mac(realm: Realm, purpose: str, page: str, seed: bytes) -> bytes:
    return realm.mac("passkey challenge", f"{purpose}\0{page}\0{seed.hex()}")[:_MAC]


def _handle(realm: Realm, sub: str) -> str:
    """The person as their devices know them: a name that tells nothing (WebAuthn §14.6.1)."""
    return base64url.encode_text(realm.mac("passkey owner", sub))


def _named(name: str) -> str:
    return " ".join(name.split())[:_NAME] or "Passkey"


def _encode(passkey: Passkey) -> bytes:
    return msgspec.msgpack.encode(passkey)


def _json(document: dict[str, Any]) -> str:
    return msgspec.json.encode(document).decode()
