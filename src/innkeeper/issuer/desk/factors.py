"""A person's second factors in the store: the secret of their app, sealed; recovery codes, as MACs; passkeys."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core import second_factor as core
from innkeeper.issuer.core.assurance import CODES, PASSKEYS
from innkeeper.issuer.core.effects import Effect, PutCredential, RemoveCredential
from innkeeper.issuer.core.second_factor import RECOVERY, TOTP, USED_RECOVERY, USED_STEP, Typed
from innkeeper.issuer.desk import one_time_codes as codes
from innkeeper.issuer.desk.realm import Realm
from innkeeper.tokens.trail import Trail, follow

PASSKEY = "passkey"


class App(msgspec.Struct, frozen=True, array_like=True):
    """An app that shows codes: its sealed secret, and when it was set up."""

    sealed: bytes
    since: int


_decode = msgspec.msgpack.Decoder(App).decode


async def needs_code(realm: Realm, sub: str | None) -> bool:
    """Whether the person's password alone does not sign them in."""
    return await app_of(realm, sub) is not None if sub else False


async def factors_of(realm: Realm, sub: str) -> frozenset[str]:
    """What else the person has to sign in with: ``codes``, ``passkeys``."""
    found = {CODES} if await needs_code(realm, sub) else set[str]()
    return frozenset(found | {PASSKEYS}) if await realm.store.credentials(sub, PASSKEY) else frozenset(found)


async def app_of(realm: Realm, sub: str) -> App | None:
    """The app that shows the person's codes."""
    found = await realm.store.credential(TOTP, sub)
    return _decode(found.record) if found else None


async def recovery_codes_left(realm: Realm, sub: str) -> int:
    return len(await realm.store.credentials(sub, RECOVERY))


async def matched(realm: Realm, sub: str, typed: str, wait: int = 0) -> Typed:
    """What was typed, beside what the person has."""
    if wait:
        return Typed(wait=wait)
    text = codes.canonical(typed)
    if not codes.looks_like_a_code(text):
        return await _recovery(realm, sub, text)
    app = await app_of(realm, sub)
    return await against(realm, sub, opened(realm, sub, app.sealed), text) if app else Typed()


async def against(realm: Realm, sub: str, secret: str, typed: str) -> Typed:
    """A code beside one secret."""
    step = codes.step_of(secret, codes.canonical(typed), realm.now())
    if step is None:
        return Typed()
    return Typed(step, spent=await realm.store.entry(USED_STEP, f"{sub}:{step}") is not None)


def judged(typed: Typed) -> Trail:
    """The trail of a code alone."""
    return follow("code", core.CODE_CHECKS, core.Case(typed, core.Standing()))


def sealed(realm: Realm, sub: str, secret: str) -> bytes:
    return realm.seal.close(secret.encode("ascii"), f"codes of {sub}")


def opened(realm: Realm, sub: str, sealed: bytes) -> str:
    return realm.seal.open(sealed, f"codes of {sub}").decode("ascii")


def set_up(realm: Realm, sub: str, secret: str) -> Effect:
    """The person's codes come from this secret from now on."""
    record = msgspec.msgpack.encode(App(sealed(realm, sub, secret), realm.now()))
    return PutCredential(sub, TOTP, sub, record)


async def new_recovery_codes(realm: Realm, sub: str) -> tuple[list[str], list[Effect]]:
    """Ten new codes, told here only, and the effects that put them in the place of the old ones."""
    made = [codes.random_recovery_code() for _ in range(codes.RECOVERY_CODES)]
    put = [PutCredential(sub, RECOVERY, _recovery_id(realm, sub, one), b"") for one in made]
    return [codes.shown(one) for one in made], [*await _without(realm, sub, RECOVERY), *put]


async def without_codes(realm: Realm, sub: str) -> list[Effect]:
    """Neither app nor recovery codes from now on."""
    return [*await _without(realm, sub, TOTP), *await _without(realm, sub, RECOVERY)]


async def without_factors(realm: Realm, sub: str) -> list[Effect]:
    """Nothing but the password from now on."""
    return [*await without_codes(realm, sub), *await _without(realm, sub, PASSKEY)]


async def _recovery(realm: Realm, sub: str, text: str) -> Typed:
    key = _recovery_id(realm, sub, text)
    found = await realm.store.credential(RECOVERY, key)
    if found is None or found.sub != sub:
        return Typed()
    return Typed(recovery=key, spent=await realm.store.entry(USED_RECOVERY, key) is not None)


def _recovery_id(realm: Realm, sub: str, text: str) -> str:
    """A keyed hash: whoever reads the database alone cannot try out codes."""
    return realm.mac("recovery code", f"{sub}\0{text}").hex()


async def _without(realm: Realm, sub: str, kind: str) -> list[Effect]:
    return [RemoveCredential(sub, kind, one.id) for one in await realm.store.credentials(sub, kind)]
