"""Token exchange at work, for the token endpoint and for GetDerivedToken."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.cognito import exchange as core
from innkeeper.issuer.core.cognito.exchange import TYPES, Presented
from innkeeper.issuer.core.cognito.records import AppClient
from innkeeper.issuer.desk.cognito.bearers import claims_of
from innkeeper.issuer.desk.cognito.cutting import Giving, Tokens, cut
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.twin import OpenPool, there
from innkeeper.issuer.desk.cognito.users import user_by_sub
from innkeeper.protocol.parameters import Parameters


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is exchanged for what; types as the endpoint or the JSON API call them."""

    subject: str
    subject_type: str
    actor: str = ""
    actor_type: str = ""
    scopes: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


async def exchange(pool: OpenPool, client: AppClient, sent: Parameters) -> Tokens:
    """The endpoint's exchange. Raises ``Declined``."""
    wanted = Wanted(
        subject=sent["subject_token"],
        subject_type=sent["subject_token_type"],
        actor=sent.get("actor_token", ""),
        actor_type=sent.get("actor_token_type", ""),
        scopes=tuple(sent.get("scope", "").split()),
        targets=(*sent.many("audience"), *sent.many("resource")),
    )
    return await derive(pool, client, wanted)


async def derive(pool: OpenPool, client: AppClient, wanted: Wanted) -> Tokens:
    """An access token of the same user for another client. Raises ``Declined``."""
    subject = Presented(TYPES.get(wanted.subject_type, ""), claims_of(pool, wanted.subject))
    actor = Presented(TYPES.get(wanted.actor_type, ""), claims_of(pool, wanted.actor)) if wanted.actor else None
    grant = await pool.store.grant(str(subject.claims.get("origin_jti", "")))
    user = await user_by_sub(pool, grant.sub) if grant else None
    case = core.Case(client, subject, actor, grant, user, wanted.scopes, wanted.targets, pool.now())
    demand("token exchange", core.CHECKS, case)
    bound = msgspec.structs.replace(there(grant), audience=wanted.targets)
    giving = Giving(
        client=client,
        user=there(user),
        grant=bound,
        scopes=core.granted(case),
        source="TokenGeneration_TokenExchange",
        identity=False,
        actor=core.actor_of(case),
    )
    return await cut(pool, giving)
