"""The native tokens: access tokens in ES256, ID tokens in the algorithm the client registered."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.claims import of
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.core.token import Issue
from innkeeper.issuer.desk.shape import Draft, Stamp
from innkeeper.tokens import access, identity

ACCESS_ALGORITHM = "ES256"


class NativeShape:
    """See ``desk.shape.TokenShape``."""

    access_type = access.TYPE

    def access(self, issue: Issue, policy: Policy, stamp: Stamp) -> Draft:
        """``gid`` names the grant, so that revoking it reaches this token wherever it is looked up."""
        lifetime = policy.access_lifetime if issue.lifetime is None else issue.lifetime
        claims = access.build(
            issuer=policy.issuer,
            subject=issue.subject,
            audience=issue.audience,
            client_id=issue.client.id,
            now=stamp.now,
            lifetime=lifetime,
            jti=stamp.jti,
            scope=issue.scopes,
            extra=_more_claims(issue),
        )
        return Draft(ACCESS_ALGORITHM, access.TYPE, claims, lifetime)

    def identity(
        self, issue: Issue, person: Person | None, access_token: str, policy: Policy, stamp: Stamp, /
    ) -> Draft:
        """The person's claims are at userinfo; the ID token has those that were asked for in it by name (Core §5.5)."""
        grant = issue.grant
        alg = policy.profile_for(issue.client).id_token_algorithm(issue.client.id_token_alg)
        claims = identity.build(
            issuer=policy.issuer,
            subject=issue.subject,
            client_id=issue.client.id,
            now=stamp.now,
            lifetime=policy.id_lifetime,
            auth_time=grant.auth_time if grant else stamp.now,
            acr=grant.acr if grant else policy.acr,
            amr=grant.amr if grant else (),
            access_token=access_token,
            nonce=issue.nonce,
            session_id=grant.sid if grant else "",
            alg=alg,
            extra=of(person, frozenset(), grant.claims.id_token) if person and grant else {},
        )
        return Draft(alg, identity.TYPE, claims, policy.id_lifetime)


def _more_claims(issue: Issue) -> dict[str, Any]:
    """What an access token says beyond RFC 9068's required claims: of its person, its grant, its key, its actor."""
    grant, claims = issue.grant, dict[str, Any]()
    if grant is not None:
        claims = {"auth_time": grant.auth_time, "acr": grant.acr, "amr": list(grant.amr), "gid": grant.id}
    if issue.confirmation:
        claims["cnf"] = issue.confirmation
    if issue.details:
        claims["authorization_details"] = list(issue.details)
    if issue.actor is not None:
        claims["act"] = issue.actor
    if issue.may_act or issue.client.may_act:
        claims["may_act"] = issue.may_act or {"sub": issue.client.may_act}
    return claims
