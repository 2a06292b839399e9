"""Graph's users, and what a person sees of themselves: /me and the OpenID userinfo."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.effects import Effect, EndSession, PutPerson, RemovePerson, RevokeGrant
from innkeeper.issuer.core.entra.documents import Document, bad
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.desk.entra.books import written
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.desk.passwords import hashed
from innkeeper.issuer.dialects.entra.graph import odata
from innkeeper.issuer.dialects.entra.graph.deleted import binned_person
from innkeeper.issuer.dialects.entra.graph.odata import Call, Refused
from innkeeper.issuer.dialects.entra.graph.principals import assignments
from innkeeper.protocol.exchange import Reply

_CLAIMS = {
    "displayName": "name",
    "givenName": "given_name",
    "surname": "family_name",
    "mail": "email",
    "preferredLanguage": "locale",
    "mobilePhone": "phone_number",
}
"""Properties that are OpenID claims under another name; all others are kept beside them as they are."""


class People:
    """``/users`` and ``/me``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def answer(self, call: Call) -> Reply:
        if call.segments[0] == "me":
            return await self._me(call)
        if len(call.segments) == 1:
            if call.method == "POST":
                return await self._create(call)
            return odata.many(call, [shown(one) for one in await self._desk.realm.store.people()])
        person = await self._named(call.segments[1])
        if len(call.segments) > 2:
            return await self._below(call, person)
        if call.method == "PATCH":
            await self._desk.realm.store.commit((PutPerson(await _changed(person, call.body), new=False),))
            return odata.nothing()
        if call.method == "DELETE":
            gone = binned_person(shown(person), person, call.now)
            await self._desk.books.change(lambda _: (None, [gone]), lambda _: [RemovePerson(person.sub, call.now)])
            return odata.nothing()
        return odata.one(call, shown(person))

    async def _me(self, call: Call) -> Reply:
        person = await self._desk.realm.store.person(str(call.caller.get("oid", "")))
        if person is None or "scp" not in call.caller:
            raise Refused(bad("/me request is only valid with delegated authentication flow."))
        return await self._below(call, person, 1) if len(call.segments) > 1 else odata.one(call, shown(person))

    async def _below(self, call: Call, person: Person, place: int = 2) -> Reply:
        what, page = call.segments[place], await self._desk.books.page()
        if what in ("memberOf", "transitiveMemberOf"):
            found = page.directory.groups_of(person.sub)
            return odata.many(
                call,
                [
                    {"@odata.type": "#microsoft.graph.group", "id": one.id, "displayName": one.display_name}
                    for one in found
                ],
            )
        if what in ("getMemberGroups", "getMemberObjects"):
            return odata.reply(
                {"@odata.context": call.context, "value": [one.id for one in page.directory.groups_of(person.sub)]}
            )
        if what == "revokeSignInSessions":
            await self._desk.realm.store.commit(await self._ended(person, call.now))
            return odata.reply({"@odata.context": call.context, "value": True})
        if what == "appRoleAssignments" and place == 2:
            return await assignments(self._desk, call, person.sub, at=False)
        raise odata.not_found(what)

    async def _ended(self, person: Person, now: int) -> Sequence[Effect]:
        """What signs a person out everywhere: their sessions end, and every refresh token is dead."""
        store = self._desk.realm.store
        sessions = [EndSession(one.id, now) for one in await store.sessions(person.sub) if one.ended_at is None]
        return [
            *sessions,
            *(RevokeGrant(one.id, now) for one in await store.grants(person.sub) if one.revoked_at is None),
        ]

    async def _named(self, name: str) -> Person:
        store = self._desk.realm.store
        person = await store.person(name) or await store.person_named(name)
        if person is None:
            raise odata.not_found(name)
        return person

    async def _create(self, call: Call) -> Reply:
        username, password = call.text("userPrincipalName"), (call.body.get("passwordProfile") or {}).get("password")
        if not isinstance(password, str) or len(password) < _SHORTEST:
            raise Refused(bad("The specified password does not comply with password complexity requirements."))
        if not self._desk.names_domain(username.rpartition("@")[2]):
            raise Refused(bad("The domain portion of the userPrincipalName property is invalid.", username))
        if await self._desk.person(username) is not None:
            raise Refused(
                bad("Another object with the same value for property userPrincipalName already exists.", username)
            )
        blank = Person(sub=str(uuid.uuid4()), username=username, created_at=call.now)
        person = await _changed(blank, call.body)
        await self._desk.realm.store.commit((PutPerson(person),))
        return odata.one(call, shown(person), 201)


_SHORTEST = 8


async def _changed(person: Person, said: Document) -> Person:
    """A person after properties were said of them."""
    claims: dict[str, Any] = dict(person.claims)
    rest = dict(claims.get("graph", {}))
    for name, value in said.items():
        if name in _CLAIMS:
            claims[_CLAIMS[name]] = value
        elif name not in ("userPrincipalName", "passwordProfile", "accountEnabled", "id") and "@odata" not in name:
            rest[name] = value
    profile = said.get("passwordProfile") or {}
    if "forceChangePasswordNextSignIn" in profile:
        claims["force_password_change"] = bool(profile["forceChangePasswordNextSignIn"])
    kept = {name: value for name, value in {**claims, "graph": rest}.items() if value is not None}
    return msgspec.structs.replace(
        person,
        username=str(said.get("userPrincipalName", person.username)),
        password=await hashed(profile["password"]) if profile.get("password") else person.password,
        disabled=not said["accountEnabled"] if "accountEnabled" in said else person.disabled,
        claims=kept,
    )


def shown(person: Person) -> Document:
    """A person as Graph reads them."""
    said = {name: person.claims.get(claim) for name, claim in _CLAIMS.items()}
    return {
        "id": person.sub,
        "userPrincipalName": person.username,
        **said,
        "displayName": said["displayName"] or person.username,
        "accountEnabled": not person.disabled,
        "businessPhones": [],
        "jobTitle": None,
        "officeLocation": None,
        "createdDateTime": written(person.created_at),
        "userType": "Member",
        **person.claims.get("graph", {}),
    }


async def userinfo(desk: Desk, claims: dict[str, Any], graph: str) -> Document | None:
    """What OpenID's userinfo tells: six members and no other. None for a token without a person or without openid."""
    person = await desk.realm.store.person(str(claims.get("oid", "")))
    if person is None or "openid" not in str(claims.get("scp", "")).split():
        return None
    said = person.claims
    found = {
        "sub": desk.pairwise(person.sub, str(claims.get("appid"))),
        "name": said.get("name"),
        "family_name": said.get("family_name"),
        "given_name": said.get("given_name"),
        "picture": f"{graph}/v1.0/me/photo/$value",
        "email": said.get("email"),
    }
    return {name: value for name, value in found.items() if value}
