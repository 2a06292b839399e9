"""Tokens that travel through the browser, for the profile that allows them (OpenID Connect Core §3.2.2.5, §3.3.2.5)."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.claims import of
from innkeeper.issuer.core.responses import ID_TOKEN, TOKEN
from innkeeper.issuer.core.token import Issue
from innkeeper.issuer.core.wrapping import of_id_token
from innkeeper.issuer.desk.realm import Realm, random_id
from innkeeper.issuer.desk.shape import Stamp
from innkeeper.issuer.desk.subjects import told
from innkeeper.issuer.desk.wrapping import wrap
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens import identity

Fields = list[tuple[str, str]]


async def in_front(realm: Realm, issue: Issue, words: frozenset[str], code: str) -> Fields | Refusal:
    """The parameters that the response has besides its code. ``words`` are those of the response type."""
    stamp, fields = Stamp(realm.now(), random_id()), Fields()
    seen = msgspec.structs.replace(issue, subject=told(realm, issue.client, issue.subject))
    access = ""
    if TOKEN in words:
        draft = realm.shape.access(seen, realm.policy, stamp)
        access = await realm.ring.cut(draft.alg, draft.typ, draft.claims, stamp.now)
        fields += [("access_token", access), ("token_type", "Bearer"), ("expires_in", str(draft.lifetime))]
        fields += [("scope", " ".join(sorted(issue.scopes)))] if issue.scopes else []
    if ID_TOKEN in words:
        token = await _identity(realm, issue, seen, access, code, stamp)
        if isinstance(token, Refusal):
            return token
        fields.append(("id_token", token))
    return fields


async def _identity(realm: Realm, issue: Issue, seen: Issue, access: str, code: str, stamp: Stamp) -> str | Refusal:
    """The ID token, tied to what travels with it. Where nothing does, no token opens userinfo, so it tells all (§5.4)."""
    person = await realm.store.person(issue.subject)
    draft = realm.shape.identity(seen, person, access, realm.policy, stamp)
    claims = {**draft.claims, "c_hash": identity.half_hash(code, draft.alg)} if code else draft.claims
    if person is not None and not access and not code:
        claims = {**of(person, issue.scopes, {}), **claims}
    return await wrap(realm, issue.client, claims, draft.typ, of_id_token(issue.client, draft.alg))
