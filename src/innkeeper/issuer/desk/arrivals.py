"""People and clients of another issuer, taken in: each once, however often the export is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from innkeeper.issuer.core.effects import Effect, PutPerson
from innkeeper.issuer.core.imports.arriving import Arrivals, Joining, Left, Newcomer
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.desk.realm import Realm, random_value
from innkeeper.issuer.desk.registry import NewClient, client_of
from innkeeper.protocol.refusals import UsageError

SHORTEST_SECRET = 16
"""Letters that a client's secret has at least: it is stored as a plain hash, which only holds for what nobody guesses."""


class Told(msgspec.Struct, frozen=True):
    """What became of one of them: it came, it was here, it was made whole, or it stays behind."""

    sign: Literal["+", "=", "~", "-"]
    what: str
    why: str = ""


async def settle(realm: Realm, arrivals: Arrivals, *, write: bool) -> AsyncIterator[Told]:
    """Take them in, or with ``write`` off only say what would come of it."""
    for person in arrivals.people:
        yield await _person(realm, person, write=write)
    for client in arrivals.clients:
        async for told in _client(realm, client, write=write):
            yield told
    for left in arrivals.left:
        yield _behind(left)


def _behind(left: Left) -> Told:
    return Told("-", left.what, left.why)


async def _person(realm: Realm, new: Newcomer, *, write: bool) -> Told:
    what = f"person {new.username}"
    here = await realm.store.person(new.sub)
    if here is not None:
        return await _made_whole(realm, here, new, what, write=write)
    if await realm.store.person_named(new.username) is not None:
        return Told("-", what, "somebody else here has that name")
    person = Person(
        sub=new.sub,
        username=new.username,
        password=new.password,
        claims=new.claims,
        created_at=new.created_at or realm.now(),
        disabled=new.disabled,
    )
    return await _put(realm, PutPerson(person), Told("+", what, _with(new)), write=write)


async def _made_whole(realm: Realm, here: Person, new: Newcomer, what: str, *, write: bool) -> Told:
    """A password that another file of the same issuer brings is given to who has none yet."""
    if here.password or not new.password:
        return Told("=", what, "is here already")
    changed = PutPerson(replace(here, password=new.password), new=False)
    return await _put(realm, changed, Told("~", what, "the password came now"), write=write)


async def _put(realm: Realm, effect: Effect, told: Told, *, write: bool) -> Told:
    if write:
        await realm.store.commit((effect,))
    return told


def _with(new: Newcomer) -> str:
    notes = ["with the password" if new.password else "without a password", *(["shut"] if new.disabled else [])]
    return ", ".join(notes)


async def _client(realm: Realm, new: Joining, *, write: bool) -> AsyncIterator[Told]:
    what = f"client {new.id}"
    if await realm.store.client(new.id) is not None:
        yield Told("=", what, "is here already")
        return
    known = realm.policy.known_scopes()
    scopes = [scope for scope in new.scopes if scope in known]
    secret, weak = (new.secret, "") if len(new.secret) >= SHORTEST_SECRET or not new.secret else ("", _WEAK)
    wanted = NewClient(
        name=new.name,
        id=new.id,
        public=new.public,
        redirect_uris=new.redirect_uris,
        post_logout_redirect_uris=new.post_logout_redirect_uris,
        grants=new.grants,
        scopes=scopes,
    )
    try:
        client = client_of(realm, wanted, None if new.public else secret or random_value())
    except UsageError as refused:
        yield Told("-", what, str(refused))
        return
    if write:
        await realm.store.put_client(client)
    yield Told("+", what, "" if new.public else "with its secret" if secret else f"{weak}{_ROTATE}")
    for scope in sorted(set(new.scopes) - known):
        yield Told("-", f"{what}: scope {scope!r}", "no resource here has it; name it in the settings first")


_WEAK = f"its secret has fewer than {SHORTEST_SECRET} letters; "
_ROTATE = "without a secret: `innkeeper client rotate` gives it one"
