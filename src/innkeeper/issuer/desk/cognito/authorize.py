"""A pool's authorization endpoint at work: judge the request, know the browser, cut a code or tokens."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.cognito import authorize as core
from innkeeper.issuer.core.cognito.records import OPENID, AppClient, User
from innkeeper.issuer.core.effects import AddCode, AddGrant, AddSession, EndSession
from innkeeper.issuer.core.records import Code, Session
from innkeeper.issuer.desk.cognito.cutting import OAUTH, Giving, Tokens, cut, new_grant
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.twin import OpenPool, random_uuid, there
from innkeeper.issuer.desk.cognito.users import user_by_sub
from innkeeper.issuer.desk.realm import digest, random_value
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Trail, follow


class Asked(msgspec.Struct, frozen=True):
    """A request that may be answered at its redirect URI; ``refusal`` where it is answered with an error."""

    client: AppClient
    sent: Parameters
    scopes: frozenset[str]
    trail: Trail
    session: Session | None = None

    @property
    def refusal(self) -> Refusal | None:
        return self.trail.refusal

    @property
    def redirect_uri(self) -> str:
        return self.sent["redirect_uri"]


class Answer(msgspec.Struct, frozen=True):
    """A code, or tokens for the implicit grant."""

    code: str = ""
    tokens: Tokens | None = None


async def judge(pool: OpenPool, sent: Parameters, cookie: str | None) -> Asked:
    """The request, judged. Raises ``Declined`` where nothing may be sent to its redirect URI."""
    kept = await pool.client(sent.get("client_id", ""))
    session = await session_of(pool, cookie)
    known, lenient = await pool.custom_scopes(), pool.ways.switches.lenient_scopes
    case = core.Case(pool.pool, sent, kept.record if kept else None, known, session is not None, lenient)
    address = demand("authorize", core.ADDRESS_CHECKS, case)
    trail = address.then(follow("authorize", core.REQUEST_CHECKS, case))
    client = there(kept).record
    return Asked(client, sent, core.scopes_of(case, client), trail, session)


async def session_of(pool: OpenPool, cookie: str | None) -> Session | None:
    """The live session that a cookie stands for."""
    return await pool.realm.session(cookie)


async def open_session(pool: OpenPool, user: User) -> str:
    """Sign a browser in: the cookie that stands for it."""
    cookie, now = random_value(), pool.now()
    session = Session(
        id=random_uuid(),
        digest=digest(cookie),
        sub=user.sub,
        auth_time=now,
        acr="",
        amr=(),
        expires_at=now + pool.realm.policy.session_lifetime,
        opened_at=now,
    )
    await pool.store.commit((AddSession(session),))
    return cookie


async def end_session(pool: OpenPool, cookie: str | None) -> None:
    session = await session_of(pool, cookie)
    if session is not None:
        await pool.store.commit((EndSession(session.id, pool.now()),))


async def answer(pool: OpenPool, asked: Asked, user: User, auth_time: int) -> Answer:
    """What a judged request is answered with, for a user who is signed in. Raises ``Declined``."""
    resource = (asked.sent.many("resource") or ("",))[0]
    made = new_grant(pool, asked.client, user, asked.scopes, OAUTH, resource)
    grant = msgspec.structs.replace(made, auth_time=auth_time)
    pool.realm.observe(asked.trail)
    if asked.sent["response_type"] == "token":
        await pool.store.commit((AddGrant(grant),))
        giving = Giving(
            client=asked.client,
            user=user,
            grant=grant,
            scopes=grant.scopes,
            source="TokenGeneration_HostedAuth",
            identity=OPENID in grant.scopes,
            nonce=asked.sent.get("nonce"),
        )
        return Answer(tokens=await cut(pool, giving))
    code = random_uuid()
    record = Code(
        digest=digest(code),
        grant=grant,
        redirect_uri=asked.redirect_uri,
        challenge=asked.sent.get("code_challenge"),
        nonce=asked.sent.get("nonce"),
        expires_at=pool.now() + pool.realm.policy.code_lifetime,
    )
    await pool.store.commit((AddCode(record),))
    return Answer(code=code)


async def user_of(pool: OpenPool, session: Session) -> User:
    return there(await user_by_sub(pool, session.sub))
