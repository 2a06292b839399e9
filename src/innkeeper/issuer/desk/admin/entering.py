"""Who wants to administer: by an access token at the admin API, by a session in the console; judged before anything is shown."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.admin.access import ARRIVAL_CHECKS, RIGHTS_CHECKS, TOKEN_REFUSED, Arrival, Wish
from innkeeper.issuer.core.admin.change import Actor
from innkeeper.issuer.core.admin.permissions import EVERYTHING, api_of, of_administration, permissions_of
from innkeeper.issuer.core.records import Person, Session
from innkeeper.issuer.desk.admin.acting import ABOUT
from innkeeper.issuer.desk.binding import Sender, prove
from innkeeper.issuer.desk.factors import factors_of
from innkeeper.issuer.desk.introspect import find
from innkeeper.issuer.desk.matter import administered, concerns
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.subjects import behind
from innkeeper.protocol.parameters import scopes
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import follow


class Visitor(msgspec.Struct, frozen=True):
    """Somebody who administers: who they are, and what a wish of theirs is judged by."""

    actor: Actor
    wish: Wish

    def may(self, permission: str) -> bool:
        """Whether they may do this at all, however fresh their sign-in is."""
        return permission in self.actor.permissions


async def by_token(realm: Realm, token: str, sender: Sender) -> Visitor | Refusal:
    """Whoever an access token stands for. A token bound to a key comes with a proof by that key."""
    found = await find(realm, token)
    claims = found.claims or {}
    client_id, told = str(claims.get("client_id", "")), str(claims.get("sub", ""))
    sub = behind(realm, told) if told and told != client_id else ""
    concerns(realm.name, client=client_id, subject=sub)
    bound = await prove(realm, sender, access_token=token, bound_to=(claims.get("cnf") or {}).get("jkt"))
    person = await realm.store.person(sub) if sub else None
    client = await realm.client(client_id)
    audience = api_of(realm.policy.issuer)
    call = Arrival(token, found, audience, realm.now(), sub, person, client, sender.certificate)
    trail = bound.trail.known_as(ABOUT)
    trail = trail if trail.refusal else trail.then(follow(ABOUT, ARRIVAL_CHECKS, call))
    if trail.refusal or client is None:
        realm.observe(trail)
        return trail.refusal or Refusal(TOKEN_REFUSED, "no client behind the token")
    given = of_administration(scopes(claims.get("scope")))
    if person is None:
        held, who = of_administration(client.scopes), f"client {client_id}"
        return _visitor(Actor(who, given & held, client=client_id), given, held, realm.now())
    held, who = permissions_of(person.roles), f"person {sub} by client {client_id}"
    factors, grant = await factors_of(realm, sub), found.grant
    signed_in = (grant.auth_time, grant.acr) if grant else (int(claims.get("auth_time", 0)), str(claims.get("acr", "")))
    actor = Actor(who, given & held, sub=sub, client=client_id)
    return _visitor(actor, given, held, realm.now(), signed_in, factors)


async def by_session(realm: Realm, session: Session, person: Person) -> Visitor:
    """Whoever is signed in in a browser."""
    held = permissions_of(person.roles)
    actor = Actor(f"person {person.sub}", held, sub=person.sub)
    factors = await factors_of(realm, person.sub)
    return _visitor(actor, EVERYTHING, held, realm.now(), (session.auth_time, session.acr), factors)


def judge(realm: Realm, visitor: Visitor, needs: str, *, writes: bool) -> Refusal | None:
    """Why they may not do what needs this permission, or None."""
    administered(visitor.actor.who)
    trail = follow(ABOUT, RIGHTS_CHECKS, msgspec.structs.replace(visitor.wish, needs=needs, writes=writes))
    if trail.refusal:
        realm.observe(trail)
    return trail.refusal


def operator(who: str) -> Actor:
    """Whoever runs commands at the machine itself, with the database and the master key in their hands."""
    return Actor(who, EVERYTHING, operator=True)


def _visitor(
    actor: Actor,
    given: frozenset[str],
    held: frozenset[str],
    now: int,
    signed_in: tuple[int, str] | None = None,
    factors: frozenset[str] = frozenset(),
) -> Visitor:
    at, acr = signed_in or (None, "")
    return Visitor(actor, Wish("", False, actor.who, given, held, now, at, acr, factors))
