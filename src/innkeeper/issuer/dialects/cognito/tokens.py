"""A pool's tokens: which claims, in which order, of which type."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.cognito.attributes import as_claims
from innkeeper.issuer.core.cognito.triggers import Changes, changed
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.core.token import Issue
from innkeeper.issuer.desk.cognito.cutting import CLIENTS_OWN, OAUTH
from innkeeper.issuer.desk.cognito.twin import ACCESS, IDENTITY
from innkeeper.issuer.desk.shape import Draft, Stamp
from innkeeper.tokens.identity import half_hash

ALGORITHM = "RS256"


class CognitoShape:
    """See ``desk.shape.TokenShape``. The header is ``kid`` and ``alg`` alone: no token of a pool says its type."""

    access_type = ""

    def access(self, issue: Issue, policy: Policy, stamp: Stamp) -> Draft:
        lifetime = issue.lifetime or policy.access_lifetime
        times = {"auth_time": issue.grant.auth_time if issue.grant else stamp.now, "iss": policy.issuer}
        build = _of_a_client if issue.more["way"] == CLIENTS_OWN else _of_a_user
        claims = build(issue, times, stamp, stamp.now + lifetime)
        return Draft(ALGORITHM, "", changed(claims, issue.more.get("access", Changes())), lifetime, ACCESS)

    def identity(self, issue: Issue, _: Person | None, access_token: str, policy: Policy, stamp: Stamp, /) -> Draft:
        more, grant = issue.more, issue.grant
        lifetime = more["id_lifetime"]
        told = as_claims(more["attributes"])
        claims: dict[str, Any] = {"at_hash": half_hash(access_token, ALGORITHM)} if more["way"] == OAUTH else {}
        claims["sub"] = issue.subject
        _put(claims, "cognito:groups", more["groups"])
        _move(claims, told, "email_verified")
        claims["iss"] = policy.issuer
        _move(claims, told, "phone_number_verified")
        claims["cognito:username"] = more["username"]
        email = told.pop("email", None)
        claims.update(told)
        _put(claims, "nonce", issue.nonce)
        claims["origin_jti"] = more["origin_jti"]
        claims["aud"] = issue.client.id
        claims["event_id"] = more["event_id"]
        claims["token_use"] = IDENTITY
        claims["auth_time"] = grant.auth_time if grant else stamp.now
        claims["exp"], claims["iat"], claims["jti"] = stamp.now + lifetime, stamp.now, stamp.jti
        _put(claims, "email", email)
        return Draft(ALGORITHM, "", changed(claims, more.get("identity", Changes())), lifetime, IDENTITY)


def _of_a_client(issue: Issue, times: dict[str, Any], stamp: Stamp, expires: int) -> dict[str, Any]:
    return {
        "sub": issue.client.id,
        "token_use": ACCESS,
        "scope": " ".join(issue.more["scopes"]),
        **times,
        "exp": expires,
        "iat": stamp.now,
        "version": 2,
        "jti": stamp.jti,
        "client_id": issue.client.id,
    }


def _of_a_user(issue: Issue, times: dict[str, Any], stamp: Stamp, expires: int) -> dict[str, Any]:
    more = issue.more
    claims: dict[str, Any] = {"sub": issue.subject}
    _put(claims, "cognito:groups", more["groups"])
    claims["iss"] = times["iss"]
    if more["way"] == OAUTH:
        claims["version"] = 2
    claims["client_id"] = issue.client.id
    _put(claims, "aud", issue.audience[0] if issue.audience else None)
    if more["revocable"]:
        claims["origin_jti"] = more["origin_jti"]
    claims["event_id"] = more["event_id"]
    claims["token_use"] = ACCESS
    claims["scope"] = " ".join(more["scopes"])
    claims["auth_time"] = times["auth_time"]
    claims["exp"], claims["iat"], claims["jti"] = expires, stamp.now, stamp.jti
    claims["username"] = more["username"]
    _put(claims, "act", issue.actor)
    return claims


def _put(claims: dict[str, Any], name: str, value: object) -> None:
    if value:
        claims[name] = value


def _move(claims: dict[str, Any], told: dict[str, Any], name: str) -> None:
    if name in told:
        claims[name] = told.pop(name)
