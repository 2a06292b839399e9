"""Signing in through another issuer, at work: send the browser there, redeem what it brings back, open the session."""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from innkeeper.issuer.core import upstream as core
from innkeeper.issuer.core.effects import DropEntry, Effect, Lost, PutEntry, RemoveCredential
from innkeeper.issuer.core.profiles import ALGORITHMS
from innkeeper.issuer.core.records import Person, Session, Upstream
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.client_keys import read_signed
from innkeeper.issuer.desk.fetching import ISSUER_METADATA
from innkeeper.issuer.desk.outside import NotFetched
from innkeeper.issuer.desk.realm import Realm, digest, random_id, random_value
from innkeeper.issuer.desk.sign_in import SignedIn, note_network
from innkeeper.protocol import pkce
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.redirects import with_parameters
from innkeeper.protocol.refusals import Refusal
from innkeeper.protocol.strict_json import NotStrict, read_object

WAITING = "upstream sign-in"
WAITS = 900
"""Seconds that somebody has to sign in at the other issuer."""

Vouched = core.Vouched

_ANSWER = 64 * 1024
_TOKEN_FIELDS = "application/x-www-form-urlencoded"


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """A browser that was sent to another issuer. ``asking`` is the person who wants to be linked, "" for a sign-in;
    ``consented`` says that whoever sits there has allowed the application that they came from."""

    upstream: str
    browser: str
    ticket: str
    nonce: str
    verifier: str
    redirect_uri: str
    asking: str = ""
    consented: bool = False


class Metadata(msgspec.Struct, frozen=True):
    """What is used of the other issuer's discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str = ""
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Keys(msgspec.Struct, frozen=True):
    """See ``client_keys.KeyHolder``."""

    jwks_uri: str
    jwks: tuple[dict[str, Any], ...] = ()


class Done(msgspec.Struct, frozen=True):
    """Somebody signed in, the ticket that they came with, and whether they allowed it before. ``vouched`` and ``token`` are
    what the other issuer said of them."""

    signed_in: SignedIn
    ticket: str
    linked: bool
    consented: bool
    vouched: core.Vouched
    token: str


async def metadata(realm: Realm, upstream: Upstream) -> Metadata | Refusal:
    """The other issuer's metadata, or why there are none that can be used."""
    url = f"{upstream.issuer}/.well-known/openid-configuration"
    try:
        document = await realm.fetcher.fetch(url, ISSUER_METADATA)
        found = msgspec.convert(read_object(document.body), Metadata)
    except (NotFetched, NotStrict, msgspec.ValidationError) as error:
        return Refusal(core.UPSTREAM_DOWN, f"its metadata cannot be used: {error}", url)
    if found.issuer != upstream.issuer:
        realm.fetcher.forget(url, ISSUER_METADATA)
        return Refusal(core.UPSTREAM_DOWN, "its metadata name another issuer", upstream.issuer, found.issuer)
    return found


async def begin(
    realm: Realm,
    upstream: Upstream,
    browser: str,
    ticket: str,
    redirect_uri: str,
    asking: str = "",
    *,
    consented: bool = False,
) -> str | Refusal:
    """Where to send the browser. ``browser`` is a proof that only this browser can show again; ``ticket`` is carried over."""
    known = await metadata(realm, upstream)
    if isinstance(known, Refusal):
        return known
    state, pending = (
        random_value(),
        Pending(upstream.id, browser, ticket, random_value(), random_value(), redirect_uri, asking, consented),
    )
    entry = PutEntry(WAITING, digest(state).hex(), msgspec.json.encode(pending), realm.now() + WAITS)
    await realm.store.commit((entry,))
    asked = {
        "response_type": "code",
        "client_id": upstream.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(upstream.scopes),
        "state": state,
        "nonce": pending.nonce,
        "code_challenge": pkce.challenge(pending.verifier),
        "code_challenge_method": "S256",
    }
    return with_parameters(known.authorization_endpoint, tuple(asked.items()))


async def finish(realm: Realm, upstream: Upstream, browser: str, answer: Parameters, caller: Caller) -> Done | Refusal:
    """Open a session for whom the other issuer vouches. The state is good once, whatever becomes of it."""
    pending = await _taken(realm, answer.get("state", ""))
    known = await metadata(realm, upstream)
    if isinstance(known, Refusal):
        return known
    ours = pending is not None and pending.upstream == upstream.id and secrets.compare_digest(pending.browser, browser)
    returned = core.Returned(
        upstream,
        ours,
        answer.get("code", ""),
        answer.get("error", ""),
        answer.get("iss", ""),
        known.authorization_response_iss_parameter_supported,
    )
    decision = core.judge_return(returned)
    if isinstance(decision.outcome, Refusal) or pending is None:
        realm.observe(decision.trail)
        return decision.outcome if isinstance(decision.outcome, Refusal) else Refusal(core.NOT_BEGUN_HERE, "none waits")
    token = await _redeemed(realm, upstream, known, pending, decision.outcome)
    if isinstance(token, Refusal):
        return token
    signed = await read_signed(realm, token, Keys(known.jwks_uri), ALGORITHMS)
    vouched = core.Vouched(upstream, pending.nonce, signed.problem, signed.claims)
    return await _committed(realm, caller, vouched, pending, token)


async def links_of(realm: Realm, sub: str) -> frozenset[str]:
    """The names of the upstreams that a person is linked to."""
    return frozenset(one.id.partition(" ")[0] for one in await realm.store.credentials(sub, core.LINK))


async def unlink(realm: Realm, sub: str, upstream: str) -> None:
    """Forget a person's links to an upstream."""
    found = await realm.store.credentials(sub, core.LINK)
    mine = [one.id for one in found if one.id.partition(" ")[0] == upstream]
    await realm.store.commit([RemoveCredential(sub, core.LINK, one) for one in mine])


async def _taken(realm: Realm, state: str) -> Pending | None:
    """The sign-in that waits for a state, which is over with this."""
    key = digest(state).hex()
    entry = await realm.store.entry(WAITING, key)
    if entry is None or entry.expires_at <= realm.now():
        return None
    try:
        await realm.store.commit((DropEntry(WAITING, key, entry.version),))
    except Lost:
        return None
    return msgspec.json.decode(entry.record, type=Pending)


async def _redeemed(realm: Realm, upstream: Upstream, known: Metadata, pending: Pending, code: str) -> str | Refusal:
    """The ID token that the other issuer gives for the code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": pending.redirect_uri,
        "code_verifier": pending.verifier,
    }
    headers, more = _proof(upstream, known)
    body = urlencode({**form, **more}).encode()
    try:
        answer = await realm.fetcher.post(known.token_endpoint, body, _TOKEN_FIELDS, headers, most_bytes=_ANSWER)
        said = read_object(answer.body)
    except (NotFetched, NotStrict) as error:
        return Refusal(core.UPSTREAM_DOWN, f"its token endpoint cannot be used: {error}", "a token answer")
    token = said.get("id_token")
    if answer.status != 200 or not isinstance(token, str):
        return Refusal(
            core.UPSTREAM_DOWN, "it gave no ID token", "200 and an id_token", f"{answer.status} {said.get('error')}"
        )
    return token


def _proof(upstream: Upstream, known: Metadata) -> tuple[dict[str, str], dict[str, str]]:
    """How we prove ourselves there: a header, or fields of the form (RFC 6749 §2.3.1)."""
    if not upstream.client_secret:
        return {}, {"client_id": upstream.client_id}
    if "client_secret_basic" not in known.token_endpoint_auth_methods_supported:
        return {}, {"client_id": upstream.client_id, "client_secret": upstream.client_secret}
    pair = f"{quote_plus(upstream.client_id)}:{quote_plus(upstream.client_secret)}"
    return {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}, {}


async def _committed(
    realm: Realm, caller: Caller, vouched: core.Vouched, pending: Pending, token: str
) -> Done | Refusal:
    cookie = random_value()
    fresh, new_sub = caller.fresh(cookie), random_id()
    while True:
        known = await _known(realm, vouched, pending, caller.session, new_sub)
        decision = core.decide(vouched, known, fresh, realm.policy, realm.now(), caller.session)
        outcome, effects = decision.outcome, list[Effect](decision.effects)
        if isinstance(outcome, Session):
            effects.append(await note_network(realm, outcome.sub, caller.network))
        try:
            await realm.store.commit(effects)
        except Lost:
            caller = await caller.again(realm)
            continue
        realm.observe(decision.trail)
        if isinstance(outcome, Refusal):
            return outcome
        signed_in = SignedIn(outcome, cookie)
        return Done(signed_in, pending.ticket, bool(pending.asking), pending.consented, vouched, token)


async def _known(
    realm: Realm, vouched: core.Vouched, pending: Pending, session: Session | None, new_sub: str
) -> core.Known:
    link = await realm.store.credential(core.LINK, vouched.link) if vouched.subject else None
    wanted = core.username(vouched.upstream, vouched.claims, vouched.subject)
    return core.Known(
        linked=await realm.store.person(link.sub) if link else None,
        asking=await _asking(realm, pending, session),
        namesake=await realm.store.person_named(wanted),
        fresh_sub=new_sub,
    )


async def _asking(realm: Realm, pending: Pending, session: Session | None) -> Person | None:
    """The person who wants to be linked, where they are still the one who is signed in."""
    if not pending.asking or session is None or session.sub != pending.asking:
        return None
    return await realm.store.person(pending.asking)
