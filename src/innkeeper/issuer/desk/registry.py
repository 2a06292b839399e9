"""Who is known here: clients, people, keys, and what a new house starts with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from innkeeper.issuer.core.admin.permissions import known_roles
from innkeeper.issuer.core.effects import Effect, PutPerson, RevokeGrant
from innkeeper.issuer.core.methods import BASIC, NONE, POST, SECRETS
from innkeeper.issuer.core.profiles import known_profile
from innkeeper.issuer.core.records import NATIVE, WEB, Agent, Client, Person, Resource
from innkeeper.issuer.core.token import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, PARAMETERS_OF, SHORT_NAMES
from innkeeper.issuer.desk.agents import note_owner
from innkeeper.issuer.desk.client_secrets import keep
from innkeeper.issuer.desk.declared import with_metadata
from innkeeper.issuer.desk.factors import without_factors
from innkeeper.issuer.desk.open_sessions import ended
from innkeeper.issuer.desk.passwords import hash_seed
from innkeeper.issuer.desk.realm import Realm, random_id, random_value
from innkeeper.issuer.settings import SeedAgent, SeedClient, SeedPerson, SeedResource, Settings
from innkeeper.issuer.store.port import RealmStore
from innkeeper.keys.seal import Seal
from innkeeper.protocol.redirects import why_not_registrable
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.resources import why_not_a_resource

_SEED_NOTE = "seed"


class NewClient(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says of a client to be registered; ``metadata`` under the names of RFC 7591 §2."""

    name: str
    id: str = ""
    public: bool = False
    redirect_uris: Sequence[str] = ()
    post_logout_redirect_uris: Sequence[str] = ()
    grants: Sequence[str] = ()
    scopes: Sequence[str] = ()
    resources: Sequence[str] = ()
    profile: str = ""
    metadata: Mapping[str, Any] = {}
    agent: Agent | None = None

    @property
    def keeps_secret(self) -> bool:
        """Whether it is given a secret: it is not public, and the way it proves itself needs one."""
        return not self.public and self.metadata.get("token_endpoint_auth_method", BASIC) in SECRETS


async def add_client(realm: Realm, new: NewClient) -> tuple[Client, str | None]:
    """Register a client. Its secret, None where it has none, is told here only. Raises ``UsageError``."""
    secret = random_value() if new.keeps_secret else None
    client = client_of(realm, new, secret)
    if await realm.store.client(client.id) is not None:
        raise UsageError(f"a client {client.id!r} is registered already; choose another id")
    await realm.store.put_client(client)
    return client, secret


def as_agent(realm: Realm, new: NewClient, owner: Person, purpose: str) -> NewClient:
    """A client that is to be an agent for which this person answers. Raises ``UsageError``."""
    if not purpose.strip() or not purpose.isprintable():
        raise UsageError("an agent needs a purpose: a sentence for the people it acts for")
    if not new.scopes:
        raise UsageError("an agent needs a --scope: the most that it may ever do")
    return msgspec.structs.replace(new, agent=Agent(owner=owner.sub, purpose=purpose.strip(), since=realm.now()))


async def known_client(realm: Realm, client_id: str) -> Client:
    """The client that is registered by that id. Raises ``UsageError``."""
    client = await realm.store.client(client_id)
    if client is None:
        raise UsageError(f"no client {client_id!r}; `innkeeper client list` shows them")
    return client


async def rotate_secret(realm: Realm, client_id: str, overlap: int) -> str:
    """Give a client a new secret; the old ones work for ``overlap`` more seconds. Raises ``UsageError``."""
    changed, secret = with_new_secret(realm, await known_client(realm, client_id), overlap)
    await realm.store.put_client(changed)
    return secret


def with_new_secret(realm: Realm, client: Client, overlap: int) -> tuple[Client, str]:
    """The client with a new secret before its old ones, and that secret. Raises ``UsageError``."""
    if not client.auth_methods & SECRETS:
        raise UsageError(f"client {client.id!r} has no secret: it is public, or proves itself by a key")
    now, secret = realm.now(), random_value()
    end = now + overlap
    old = [one for one in client.secrets if one.expires_at is None or one.expires_at > now]
    kept = [
        msgspec.structs.replace(one, expires_at=end if one.expires_at is None else min(one.expires_at, end))
        for one in old
    ]
    fresh = keep(realm.seal, client.id, client.auth_methods, secret, now, id_token_alg=client.id_token_alg)
    return msgspec.structs.replace(client, secrets=(fresh, *kept), development=False), secret


async def disable_person(realm: Realm, username: str) -> None:
    """Shut an account: its person is signed out everywhere, and what they allowed ends. Raises ``UsageError``."""
    await realm.store.commit(await shutting(realm, await person_named(realm, username)))


async def shutting(realm: Realm, person: Person) -> list[Effect]:
    """What shuts an account: nobody signs in with it, its sessions end, and so does all that it allowed."""
    grants = [one for one in await realm.store.grants(person.sub) if one.revoked_at is None]
    ends = [RevokeGrant(one.id, realm.now()) for one in grants]
    shut = PutPerson(msgspec.structs.replace(person, disabled=True), new=False)
    return [shut, *await ended(realm, person.sub), *ends]


async def enable_person(realm: Realm, username: str) -> None:
    """Open an account again. What ended with its shutting stays ended. Raises ``UsageError``."""
    person = await person_named(realm, username)
    await realm.store.put_person(msgspec.structs.replace(person, disabled=False))


async def reset_factors(realm: Realm, username: str) -> None:
    """Take away codes, recovery codes and passkeys, and sign the person out: the password alone signs in then.

    Raises ``UsageError``.
    """
    person = await person_named(realm, username)
    await realm.store.commit([*await without_factors(realm, person.sub), *await ended(realm, person.sub)])


async def person_named(realm: Realm, username: str) -> Person:
    """Whoever signs in by that name. Raises ``UsageError``."""
    person = await realm.store.person_named(username)
    if person is None:
        raise UsageError(f"nobody named {username!r}; `innkeeper user list` shows who is here")
    return person


async def plant(store: RealmStore, seal: Seal, settings: Settings, now: int) -> None:
    """Put the settings' resources, clients and people into a store, again only once these settings change."""
    mark = _mark(settings)
    if await store.note(_SEED_NOTE) == mark:
        return
    for old in await store.resources():
        if old.development:
            await store.remove_resource(old.uri)
    for resource in settings.resource:
        await store.put_resource(_seed_resource(resource, settings.origin))
    for client in settings.client:
        await store.put_client(_seed_client(client, seal, settings.origin, now))
    for person in settings.person:
        await store.put_person(_seed_person(person, now))
    for agent in settings.agent:
        await _plant_agent(store, seal, settings, agent, now)
    await store.put_note(_SEED_NOTE, mark)


def _mark(settings: Settings) -> str:
    """What tells these seeds from others."""
    seeds = (settings.origin, settings.resource, settings.client, settings.person, settings.agent)
    return sha256(msgspec.json.encode(seeds)).hexdigest()


async def _plant_agent(store: RealmStore, seal: Seal, settings: Settings, seed: SeedAgent, now: int) -> None:
    """An agent that was paused or revoked meanwhile stays so. Raises ``UsageError``."""
    owner = await store.person_named(seed.owner)
    if owner is None:
        raise UsageError(f"agent {seed.id!r}: its owner {seed.owner!r} is nobody here; name a [[person]]")
    by_platform = any(rule.client == seed.id for one in settings.trusted_issuer for rule in one.workloads)
    if (seed.secret and seed.jwks) or not (seed.secret or seed.jwks or by_platform):
        ways = "give one of the two, or a rule for it in [[trusted_issuer.workloads]]"
        raise UsageError(f"agent {seed.id!r}: it proves itself with a secret or with jwks; {ways}")
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": seed.jwks}} if seed.jwks else {}
    plain = SeedClient(
        id=seed.id, name=seed.name, secret=seed.secret, grants=seed.grants, scopes=seed.scopes, metadata=keys
    )
    before = await store.client(seed.id)
    agent = Agent(owner=owner.sub, purpose=seed.purpose, status=seed.status, since=now)
    if before is not None and before.agent is not None:
        agent = msgspec.structs.replace(agent, status=before.agent.status, since=before.agent.since)
    resources = tuple(uri.replace("{origin}", settings.origin) for uri in seed.resources)
    client = _seed_client(plain, seal, settings.origin, now)
    await store.put_client(msgspec.structs.replace(client, resources=resources, agent=agent))
    await note_owner(store, client.id, owner.sub)


async def is_planted(store: RealmStore) -> bool:
    """Whether some settings were planted already."""
    return await store.note(_SEED_NOTE) != ""


async def development_records(store: RealmStore) -> list[str]:
    """The clients and people whose secrets everybody knows."""
    clients = [f"client {one.id}" for one in await store.clients() if one.development]
    return clients + [f"person {one.username}" for one in await store.people() if one.development]


def judge_password(password: str) -> None:
    """Raise ``UsageError`` for a password that cannot be taken."""
    if len(password) < 8:
        raise UsageError("the password is shorter than 8 characters; choose a longer one")


def judge_client(realm: Realm, new: NewClient, grants: frozenset[str]) -> None:
    """Raise ``UsageError`` for the first thing about the client that cannot be."""
    _judge_names((*new.redirect_uris, *new.post_logout_redirect_uris), grants)
    if not grants:
        raise UsageError("a public client needs a --redirect-uri, where codes are sent, or a --grant it can use")
    if AUTHORIZATION_CODE in grants and not new.redirect_uris:
        raise UsageError("a client that uses codes needs a --redirect-uri, where the code is sent")
    if CLIENT_CREDENTIALS in grants and new.public:
        raise UsageError("a public client has no secret, so it cannot use client_credentials; leave out --public")
    _judge_reach(realm, new)


def _judge_names(uris: Iterable[str], grants: frozenset[str]) -> None:
    for uri in uris:
        why = why_not_registrable(uri)
        if why:
            raise UsageError(f"redirect URI {uri!r} cannot be registered: {why}")
    for grant in sorted(grants - PARAMETERS_OF.keys()):
        raise UsageError(f"no grant {grant!r}; choose from {', '.join((*PARAMETERS_OF, *SHORT_NAMES))}")


def _judge_reach(realm: Realm, new: NewClient) -> None:
    known = realm.policy.known_scopes()
    for scope in new.scopes:
        if scope not in known:
            raise UsageError(f"no scope {scope!r}; choose from {', '.join(sorted(known))}")
    for uri in new.resources:
        if uri not in realm.policy.resources:
            raise UsageError(f"no resource {uri!r}; choose from {', '.join(realm.policy.resources) or 'none yet'}")


def client_of(realm: Realm, new: NewClient, secret: str | None) -> Client:
    """The client that is described. Raises ``UsageError`` for the first thing about it that cannot be."""
    grants = long_names(new.grants or _usual_grants(new))
    judge_client(realm, new, grants)
    client_id = new.id or random_id()
    said = new.metadata
    method, alg = said.get("token_endpoint_auth_method", BASIC), said.get("id_token_signed_response_alg")
    client = Client(
        id=client_id,
        name=new.name,
        auth_methods=frozenset({NONE}) if secret is None else frozenset({BASIC, POST}),
        secrets=()
        if secret is None
        else (keep(realm.seal, client_id, (method,), secret, realm.now(), id_token_alg=alg),),
        redirect_uris=tuple(new.redirect_uris),
        post_logout_redirect_uris=tuple(new.post_logout_redirect_uris),
        grants=grants,
        scopes=frozenset(new.scopes) or realm.policy.usual_scopes(),
        resources=tuple(new.resources),
        application_type=NATIVE if new.public else WEB,
        profile=known_profile(new.profile) if new.profile else "",
        agent=new.agent,
        created_at=realm.now(),
    )
    return with_metadata(client, new.metadata)


def long_names(grants: Sequence[str]) -> frozenset[str]:
    """Grants as requests name them; an operator may write the short names of those that are URNs."""
    return frozenset(SHORT_NAMES.get(one, one) for one in grants)


def _usual_grants(new: NewClient) -> tuple[str, ...]:
    if new.redirect_uris:
        return (AUTHORIZATION_CODE, "refresh_token")
    return () if new.public else (CLIENT_CREDENTIALS,)


def _seed_resource(seed: SeedResource, origin: str) -> Resource:
    uri = seed.uri.replace("{origin}", origin)
    why = why_not_a_resource(uri)
    if why:
        raise UsageError(f"resource {uri!r}: {why}")
    risky = frozenset(seed.scopes if seed.approval is True else seed.approval or ())
    if strange := risky - seed.scopes.keys():
        raise UsageError(f"resource {uri!r}: approval names {min(strange)!r}, which is none of its scopes")
    return Resource(uri, seed.name, seed.scopes, development=True, details=seed.details, approval=risky)


def _seed_client(seed: SeedClient, seal: Seal, origin: str, now: int) -> Client:
    """The client that the settings describe. Raises ``UsageError`` for what could not be registered either."""
    redirects, ways_back = (
        tuple(uri.replace("{origin}", origin) for uri in uris)
        for uris in (seed.redirect_uris, seed.post_logout_redirect_uris)
    )
    grants = long_names(seed.grants)
    _judge_names((*redirects, *ways_back), grants)
    said = seed.metadata
    method, alg = said.get("token_endpoint_auth_method", BASIC), said.get("id_token_signed_response_alg")
    client = Client(
        id=seed.id,
        name=seed.name,
        auth_methods=frozenset({BASIC, POST}) if seed.secret else frozenset({NONE}),
        secrets=(keep(seal, seed.id, (method,), seed.secret, now, id_token_alg=alg),) if seed.secret else (),
        redirect_uris=redirects,
        post_logout_redirect_uris=ways_back,
        grants=grants,
        scopes=frozenset(seed.scopes),
        application_type=NATIVE if seed.native else WEB,
        pkce=seed.pkce,
        profile=known_profile(seed.profile) if seed.profile else "",
        may_act=seed.may_act,
        created_at=now,
        development=bool(seed.secret),
    )
    return with_metadata(client, seed.metadata)


def _seed_person(seed: SeedPerson, now: int) -> Person:
    return Person(
        sub=seed.sub,
        username=seed.username,
        password=hash_seed(seed.password),
        claims=seed.claims,
        roles=known_roles(seed.roles),
        created_at=now,
        development=True,
    )
