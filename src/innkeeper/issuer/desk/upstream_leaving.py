"""Signing out, where people signed in at another issuer: they leave there, too, and are gone here when they leave there."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core import upstream_logout as core
from innkeeper.issuer.core.effects import Effect, EndSession, Lost, PutEntry
from innkeeper.issuer.core.profiles import ALGORITHMS
from innkeeper.issuer.core.records import Session, Upstream
from innkeeper.issuer.desk import upstream as desk
from innkeeper.issuer.desk.client_keys import read_signed
from innkeeper.issuer.desk.leaving import end_sessions
from innkeeper.issuer.desk.realm import Realm, digest
from innkeeper.protocol.redirects import with_parameters
from innkeeper.protocol.refusals import Refusal

FROM = "session from upstream"
NAMED = "session from upstream by name"


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """Where a session comes from. ``sealed`` is the other issuer's ID token, which nobody but it is ever shown; empty where
    nobody signs out there."""

    upstream: str
    sealed: bytes = b""


async def note(realm: Realm, upstream: Upstream, session: Session, vouched: desk.Vouched, token: str) -> None:
    """Remember where a session comes from, so that each side can end it on the other."""
    until, purpose = session.expires_at, _purpose(session.id)
    sealed = realm.seal.close(token.encode(), purpose) if upstream.sign_out != "none" else b""
    record = msgspec.msgpack.encode(Origin(upstream.id, sealed))
    sid = vouched.claims.get("sid")
    names = [f"sub {vouched.subject}", *([f"sid {sid}"] if isinstance(sid, str) and sid else [])]
    wanted = [(FROM, session.id, record), *((NAMED, _named(upstream, one, session.id), b"") for one in names)]
    for kind, key, value in wanted:
        known = await realm.store.entry(kind, key)
        try:
            await realm.store.commit((PutEntry(kind, key, value, until, known.version if known else 0),))
        except Lost:
            continue  # The same sign-in was noted at the same time.


async def way_out(realm: Realm, session: Session | None, back: str, state: str) -> str | None:
    """Where the browser goes to sign out at the issuer that a session comes from; None where it does not."""
    entry = await realm.store.entry(FROM, session.id) if session else None
    origin = msgspec.msgpack.decode(entry.record, type=Origin) if entry else None
    upstream = realm.policy.upstreams.get(origin.upstream) if origin else None
    if session is None or origin is None or upstream is None or upstream.sign_out == "none":
        return None
    known = await desk.metadata(realm, upstream)
    if isinstance(known, Refusal) or not known.end_session_endpoint:
        return None
    asked = {"client_id": upstream.client_id}
    if upstream.sign_out == "cognito":
        asked["logout_uri"] = back
    else:
        hint = realm.seal.open(origin.sealed, _purpose(session.id)).decode() if origin.sealed else ""
        asked |= {"post_logout_redirect_uri": back, "state": state, **({"id_token_hint": hint} if hint else {})}
    return with_parameters(known.end_session_endpoint, tuple(asked.items()))


async def received(realm: Realm, upstream: Upstream, token: str) -> Refusal | None:
    """End the sessions here of whom the other issuer says that they signed out there."""
    known = await desk.metadata(realm, upstream)
    if isinstance(known, Refusal):
        return known
    signed = await read_signed(realm, token, desk.Keys(known.jwks_uri), ALGORITHMS)
    case = core.Case(upstream, signed.problem, signed.claims, realm.policy, realm.now())
    while True:
        used = await realm.store.entry(core.USED, case.name) is not None
        decision = core.decide(msgspec.structs.replace(case, replayed=used))
        if isinstance(decision.outcome, Refusal):
            realm.observe(decision.trail)
            return decision.outcome
        try:
            await end_sessions(realm, (*decision.effects, *await _ends(realm, upstream, decision.outcome)))
        except Lost:
            continue
        realm.observe(decision.trail)
        return None


async def _ends(realm: Realm, upstream: Upstream, ended: core.Ended) -> list[Effect]:
    name = f"sid {ended.sid}" if ended.sid else f"sub {ended.subject}"
    found = await realm.store.entries(NAMED, _named(upstream, name, ""))
    return [EndSession(one.key.partition("/")[2], realm.now()) for one in found]


def _named(upstream: Upstream, name: str, session_id: str) -> str:
    return f"{digest(f'{upstream.id} {name}').hex()}/{session_id}"


def _purpose(session_id: str) -> str:
    return f"upstream ID token of {session_id}"
