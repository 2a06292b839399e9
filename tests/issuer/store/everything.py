"""Every look-up and every change that a store knows, once: to see what each of them does to a database."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.core.records import Resource
from innkeeper.issuer.store.port import RealmStore
from tests.issuer.core.facts import ADA, CODE, CONSENT, GRANT, NOW, REFRESH, SESSION, SHOP

CHANGES: tuple[fx.Effect, ...] = (
    fx.PutClient(SHOP, new=True),
    fx.AddCode(CODE),
    fx.SpendCode(CODE.digest, NOW),
    fx.AddGrant(GRANT),
    fx.AddRefreshToken(REFRESH),
    fx.SpendRefreshToken(REFRESH.digest, b"x", NOW),
    fx.RevokeGrant(GRANT.id, NOW),
    fx.RevokeToken("x", NOW),
    fx.AddSession(SESSION),
    fx.ChangeSession(SESSION),
    fx.EndSession(SESSION.id, NOW),
    fx.GiveConsent(CONSENT),
    fx.TakeBackConsent(CONSENT.sub, CONSENT.client_id, NOW),
    fx.AddOnce("x", "x", NOW),
    fx.PutEntry("x", "y", b"", NOW),
    fx.PutEntry("x", "y", b"", NOW, 1),
    fx.DropEntry("x", "y", 2),
    fx.PutPerson(replace(ADA, sub="x", username="x")),
    fx.RemovePerson("x", 0),
    fx.PutCredential("x", "x", "x", b""),
    fx.RemoveCredential("x", "x", "x"),
    fx.RemoveClient(SHOP.id, NOW),
    fx.PutKey("k", b""),
    fx.Unchanged(fx.KEY, "k", b""),
    fx.PutResource(Resource("https://x.example", "X")),
    fx.RemoveResource("https://x.example"),
    fx.TellNodes(),
)
"""Every effect there is."""


async def everything(realm: RealmStore) -> None:
    """Every look-up of one record, or of somebody's, and every change."""
    await asyncio.gather(
        *(realm.client("x"), realm.person("x"), realm.person_named("x"), realm.put_person(ADA)),
        *(realm.session(b"x"), realm.consent("x", "x"), realm.code(b"x"), realm.grant("x")),
        *(realm.sessions("x"), realm.grants("x"), realm.consents("x")),
        *(
            realm.refresh_token(b"x"),
            realm.token_is_revoked("x"),
            realm.standing("x", "x", "x"),
            realm.secret("x"),
            realm.note("x"),
        ),
        *(realm.entry("x", "x"), realm.entries("x", "x"), realm.credential("x", "x"), realm.credentials("x", "x")),
        *(realm.put_secret("x", b""), realm.put_note("x", "")),
    )
    await realm.commit(CHANGES)
    await realm.purge(NOW, 100)
