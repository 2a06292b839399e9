"""Sessions end: which clients signed in under each, and how they come to know."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from innkeeper.issuer.core import backchannel_logout as core
from innkeeper.issuer.core.effects import Effect, EndSession, Lost, PutEntry
from innkeeper.issuer.core.frontchannel_logout import frames
from innkeeper.issuer.core.records import Client, Session
from innkeeper.issuer.core.wrapping import of_id_token
from innkeeper.issuer.desk.outside import NotFetched
from innkeeper.issuer.desk.realm import Realm, random_id
from innkeeper.issuer.desk.subjects import told
from innkeeper.issuer.desk.wrapping import wrap
from innkeeper.protocol.parameters import FORM
from innkeeper.protocol.refusals import Refusal

SIGNED_IN = "signed in"


class Noted(msgspec.Struct, frozen=True, array_like=True):
    """A client that signed this person in, and the address that browsers load when they leave ("" for none).

    It is noted then, because whoever leaves does not wait until a client's own document is read again.
    """

    sub: str
    frontchannel_logout_uri: str = ""


async def note_client(realm: Realm, session: Session, client: Client) -> None:
    """Remember that a client signs somebody in under this session."""
    key, until = f"{session.id}/{client.id}", session.expires_at
    known, note = await realm.store.entry(SIGNED_IN, key), Noted(session.sub, client.frontchannel_logout_uri)
    record = msgspec.msgpack.encode(note)
    if known is not None and (known.record, known.expires_at) == (record, until):
        return
    try:
        await realm.store.commit((PutEntry(SIGNED_IN, key, record, until, known.version if known else 0),))
    except Lost:
        return  # Another request has noted it at the same time.


async def end_sessions(realm: Realm, effects: Sequence[Effect]) -> tuple[str, ...]:
    """Commit effects, and tell the clients of every session that ends by them, without waiting for any of their servers.

    What is left to be told by the browser, where it is the one that signs out: addresses for it to load.
    """
    await realm.store.commit(effects)
    left: list[str] = []
    for effect in effects:
        if isinstance(effect, EndSession):
            left += await _tell(realm, effect.session_id)
    return tuple(left)


async def _tell(realm: Realm, session_id: str) -> tuple[str, ...]:
    entries = await realm.store.entries(SIGNED_IN, f"{session_id}/")
    noted = {one.key.partition("/")[2]: msgspec.msgpack.decode(one.record, type=Noted) for one in entries}
    for client_id, one in noted.items():
        realm.errands.start(_deliver(realm, client_id, one.sub, session_id))
    return frames([one.frontchannel_logout_uri for one in noted.values()], session_id, realm.policy)


async def _deliver(realm: Realm, client_id: str, sub: str, session_id: str) -> None:
    """Take a logout token to the client's server, where it has one for that, in several tries."""
    client = await realm.client(client_id)
    if client is None or not client.backchannel_logout_uri:
        return
    signing = realm.policy.profile_for(client).id_token_algorithm(client.id_token_alg)
    claims = core.claims(client, told(realm, client, sub), session_id, realm.policy, realm.now(), random_id())
    token = await wrap(realm, client, claims, core.TYPE, of_id_token(client, signing))
    if isinstance(token, Refusal):
        return
    for tries in range(1, core.TRIES + 1):
        news = await _said(realm, client.backchannel_logout_uri, token)
        realm.observe(core.judge(news))
        pause = core.wait_before_next(news, tries)
        if pause is None:
            return
        await realm.errands.pause(pause)


async def _said(realm: Realm, uri: str, token: str) -> core.Told:
    body = urlencode({"logout_token": token}).encode("ascii")
    try:
        answer = await realm.fetcher.post(uri, body, FORM)
    except NotFetched as error:
        return core.Told(uri, problem=str(error))
    return core.Told(uri, answer.status)
