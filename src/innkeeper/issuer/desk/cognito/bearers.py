"""Tokens of a pool that come back: at userInfo, and at the JSON API's operations on one's own account."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.cognito.endpoints import USER_INFO_CHECKS, BearerCase
from innkeeper.issuer.core.cognito.records import User
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.twin import OpenPool, there
from innkeeper.issuer.desk.cognito.users import user_by_sub
from innkeeper.keys.ring import NotOurs


def claims_of(pool: OpenPool, token: str) -> dict[str, Any]:
    """The claims of a token that this pool signed, under the issuer that it has here; none for any other."""
    try:
        claims = pool.realm.ring.read(token, None, pool.now())
    except NotOurs:
        return {}
    return claims if claims.get("iss") == pool.realm.policy.issuer else {}


async def bearer_case(pool: OpenPool, token: str) -> BearerCase:
    """What there is to know of a token that came as a bearer's."""
    claims = claims_of(pool, token)
    grant = await pool.store.grant(str(claims.get("origin_jti", "")))
    user = await user_by_sub(pool, grant.sub) if grant else None
    return BearerCase(token, claims, grant, user, pool.now())


async def user_info(pool: OpenPool, token: str) -> tuple[User, dict[str, Any]]:
    """Whose token it is, and its claims. Raises ``Declined``."""
    case = await bearer_case(pool, token)
    pool.realm.observe(demand("userinfo", USER_INFO_CHECKS, case))
    return there(case.user), dict(case.claims)
