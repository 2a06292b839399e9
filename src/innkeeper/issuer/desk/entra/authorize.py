"""The authorization endpoint at work: who is here, what they still have to do, and the code when nothing is left."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import msgspec

from innkeeper.issuer.core.effects import AddCode
from innkeeper.issuer.core.entra import authorize as core
from innkeeper.issuer.core.entra import consent, delegated, reach
from innkeeper.issuer.core.entra.asking import Ask, missing
from innkeeper.issuer.core.entra.codes import scopes
from innkeeper.issuer.core.entra.names import GRAPH_URL, V1
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.core.entra.reach import Target
from innkeeper.issuer.core.entra.scopes import Wish, Wishes, wishes
from innkeeper.issuer.core.entra.tokens import PUBLIC, client_info
from innkeeper.issuer.core.records import Code, Grant, Person, Session
from innkeeper.issuer.desk.entra.cloud import Cloud, Desk
from innkeeper.issuer.desk.entra.signing import Aside, access_token, id_token
from innkeeper.issuer.desk.realm import digest, random_id, random_value
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.identity import half_hash
from innkeeper.tokens.trail import Trail, follow

CODE_LIFETIME = 600
"""Seconds that a code is good."""


class Shown(msgspec.Struct, frozen=True):
    """A refusal that is shown as a page."""

    refusal: Refusal
    trail: Trail


class SentBack(msgspec.Struct, frozen=True):
    """A refusal that goes back to the application."""

    redirect: str
    refusal: Refusal


class SignIn(msgspec.Struct, frozen=True):
    """Somebody has to sign in first."""

    client: Party
    redirect: str


class AskConsent(msgspec.Struct, frozen=True):
    """The person has to be asked."""

    desk: Desk
    client: Party
    redirect: str
    person: Person
    session: Session
    lacking: tuple[consent.Lacking, ...]


class Given(msgspec.Struct, frozen=True):
    """Code and tokens, as the fields that travel back."""

    client: Party
    redirect: str
    fields: Mapping[str, str]


Outcome = Shown | SentBack | SignIn | AskConsent | Given


class Visitor(msgspec.Struct, frozen=True):
    """A person who is signed in, and at which tenant."""

    desk: Desk
    session: Session
    person: Person


class Standing(msgspec.Struct, frozen=True):
    """A request that may be answered at its redirect URI."""

    cloud: Cloud
    ask: Ask
    party: Party
    redirect: str
    platform: str
    ticket: Ticket

    @property
    def wishes(self) -> Wishes:
        return wishes(self.ask.get("scope"), self.ask.get("resource") if self.ask.version == V1 else "")

    @property
    def prompts(self) -> frozenset[str]:
        return frozenset(self.ask.get("prompt").split())


async def authorize(cloud: Cloud, ask: Ask, ticket: Ticket, visitor: Visitor | None) -> Outcome:
    """Answer an authorization request, as far as its person has come."""
    named = cloud.find(ask.authority)
    party = await cloud.party(named, ask.get("client_id"))
    redirect = core.redirect_of(party.application, ask.get("redirect_uri")) if party else None
    home = named or (cloud.find(party.home) if party else None) or cloud.first
    tenant = await named.tenant() if named else None
    case = core.Case(ask, tenant, party, redirect, home.switches.strict_pkce)
    trail = follow("authorize", core.PAGE_CHECKS, case)
    if trail.refusal or party is None or redirect is None:
        cloud.observe(named, trail)
        return Shown(trail.refusal or missing("client_id"), trail)
    standing = Standing(cloud, ask, party, *redirect, ticket)
    trail = trail.then(follow("authorize", core.REDIRECT_CHECKS, case))
    if not trail.refusal:
        trail = trail.then(follow("authorize", reach.ASKING_CHECKS, await _reach(standing, home)))
    if trail.refusal:
        cloud.observe(named, trail)
        return SentBack(standing.redirect, trail.refusal)
    return await _person(standing, trail, named, visitor)


async def _reach(standing: Standing, desk: Desk, person: str = "") -> reach.Case:
    asked = standing.wishes
    targets = tuple([await standing.cloud.target(desk, one) for one in asked.resources])
    version_2 = standing.ask.version != V1
    return reach.Case(
        tenant=await desk.tenant(),
        client=standing.party,
        wishes=asked,
        targets=targets or (Target(Wish(GRAPH_URL, ()), await standing.cloud.resource(desk, GRAPH_URL)),),
        person=person,
        parameter=standing.ask.get("resource") if version_2 else "",
        refuse_parameter=desk.switches.refuse_resource,
    )


async def _person(standing: Standing, trail: Trail, named: Desk | None, visitor: Visitor | None) -> Outcome:
    """Who is here, and whether they have to sign in, anew or at all."""
    ticket, ask = standing.ticket, standing.ask
    if visitor is not None and named is not None and visitor.desk.id != named.id:
        visitor = None
    fresh = visitor is not None and ticket.progress(visitor.session.id).signed_in_at is not None
    stale = visitor is not None and not fresh and (standing.prompts & _ASK_WHO or _too_old(ask, visitor))
    silent = core.NONE in standing.prompts
    case = core.Visit(standing.party, ticket.denied, silent, visitor is not None and not stale)
    trail = trail.then(follow("authorize", core.VISIT_CHECKS, case))
    if trail.refusal or visitor is None or stale:
        standing.cloud.observe(named, trail)
        return (
            SentBack(standing.redirect, trail.refusal) if trail.refusal else SignIn(standing.party, standing.redirect)
        )
    return await _consent(standing, trail, visitor)


_ASK_WHO = frozenset({core.LOGIN, core.SELECT, core.CREATE})


def _too_old(ask: Ask, visitor: Visitor) -> bool:
    age = ask.get("max_age")
    return age.isdigit() and visitor.session.auth_time + int(age) < visitor.desk.realm.now()


async def _consent(standing: Standing, trail: Trail, visitor: Visitor) -> Outcome:
    """Whether the person may use the application, and what they have to allow it."""
    desk, person = visitor.desk, visitor.person
    client = await standing.cloud.party(desk, standing.party.id) or standing.party
    found = await _reach(standing, desk, person.sub)
    trail = trail.then(follow("authorize", delegated.PERSON_CHECKS, delegated.Case(person, found)))
    openid = await standing.cloud.target(desk, Wish(GRAPH_URL, tuple(sorted(found.wishes.openid))))
    targets = (*found.targets, openid)
    progress = standing.ticket.progress(visitor.session.id)
    anew = core.CONSENT in standing.prompts and not progress.consented
    missing_now = consent.lacking(found.tenant, client, person.sub, targets, anew=anew)
    missing_now += await _behind(standing.cloud, desk, client, found)
    case = consent.Case(found.tenant, client, person, found.targets, missing_now)
    trail = trail if trail.refusal else trail.then(follow("authorize", consent.CHECKS, case))
    if trail.refusal:
        standing.cloud.observe(desk, trail)
        return (
            Shown(trail.refusal, trail)
            if trail.refusal.page is scopes.ADMIN_NEEDED
            else SentBack(standing.redirect, trail.refusal)
        )
    names = frozenset(scope.value for one in missing_now for scope in one.scopes)
    visit = core.Visit(client, denied=False, silent=core.NONE in standing.prompts, signed_in=True, asks=names)
    trail = trail.then(follow("authorize", core.CONSENT_CHECKS, visit))
    standing.cloud.observe(desk, trail)
    if trail.refusal:
        return SentBack(standing.redirect, trail.refusal)
    if missing_now:
        return AskConsent(desk, client, standing.redirect, person, visitor.session, missing_now)
    return await _give(standing, client, visitor, found)


async def _behind(cloud: Cloud, desk: Desk, client: Party, found: reach.Case) -> tuple[consent.Lacking, ...]:
    """What the APIs that know this client need of the APIs behind them, so that the person is asked once for all of it."""
    missing: tuple[consent.Lacking, ...] = ()
    for one in found.targets:
        api = one.resource
        if api is None or not one.wish.default or not consent.knows(api, client):
            continue
        named = [access.resource_app_id for access in api.application.required_resource_access]
        parties = [await cloud.resource(desk, name) for name in named]
        missing += consent.behind(found.tenant, api, [party for party in parties if party], found.person)
    return missing


async def _give(standing: Standing, client: Party, visitor: Visitor, found: reach.Case) -> Given:
    """Cut the code, and the tokens that come through the browser where they were asked for."""
    ask, desk = standing.ask, visitor.desk
    types = frozenset(ask.get("response_type").split())
    grant = grant_of(desk, client, visitor, standing.wishes, standing.platform)
    fields: dict[str, str] = {}
    code = random_value() if core.CODE in types else ""
    if code:
        record = Code(
            digest=digest(code),
            grant=grant,
            redirect_uri=ask.get("redirect_uri"),
            challenge=core.challenge_of(ask),
            nonce=ask.get("nonce") or None,
            expires_at=desk.realm.now() + CODE_LIFETIME,
        )
        await desk.realm.store.commit((AddCode(record),))
        fields["code"] = code
    if types - {core.CODE}:
        fields |= await _in_front(standing, client, visitor, found, grant, code)
    if ask.get("client_info"):
        fields["client_info"] = client_info(visitor.person.sub, desk.id)
    return Given(client, standing.redirect, {**fields, "session_state": _session_state(visitor)})


async def _in_front(
    standing: Standing, client: Party, visitor: Visitor, found: reach.Case, grant: Grant, code: str
) -> dict[str, str]:
    """Tokens that come through the browser."""
    case = delegated.Case(visitor.person, msgspec.structs.replace(found, client=client))
    issue = delegated.issue(case, grant, PUBLIC, nonce=standing.ask.get("nonce") or None)
    types, names, aside = standing.ask.get("response_type").split(), standing.cloud.names, Aside(standing.ask.address)
    fields: dict[str, str] = {}
    if core.TOKEN in types:
        cut = await access_token(visitor.desk, issue, names, aside)
        fields |= {"access_token": cut.token, "token_type": "Bearer", "expires_in": str(cut.lifetime - 1)}
        fields["scope"] = " ".join(issue.told)
    if core.ID_TOKEN in types:
        more = {"c_hash": half_hash(code, "RS256")} if code else {}
        more |= {"at_hash": half_hash(fields["access_token"], "RS256")} if "access_token" in fields else {}
        fields["id_token"] = await id_token(visitor.desk, issue, standing.ask.version, names, aside, more)
    return fields


def grant_of(desk: Desk, client: Party, visitor: Visitor, asked: Wishes, platform: str) -> Grant:
    """The authorization that a code or a device code stands for."""
    spelt = [scope for one in asked.resources for scope in one.spelt()]
    return Grant(
        id=random_id(),
        client_id=client.id,
        sub=visitor.person.sub,
        scopes=frozenset([*spelt, *asked.openid]),
        audience=tuple(one.resource for one in asked.resources[:1]),
        auth_time=visitor.session.auth_time,
        acr="1",
        amr=visitor.session.amr,
        session_id="",
        created_at=desk.realm.now(),
        details=({"type": "entra", "platform": platform},),
        sid=_session_state(visitor),
    )


def _session_state(visitor: Visitor) -> str:
    """The session as a GUID, the same as long as the browser stays signed in."""
    return str(uuid.UUID(bytes=visitor.desk.realm.mac("entra session", visitor.session.id)[:16]))
