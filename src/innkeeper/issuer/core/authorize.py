"""The authorization endpoint: may this client ask this person for that?

First the request is examined without its person (``authorization_request``), then its person (``admission``).
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from innkeeper.issuer.core import assurance
from innkeeper.issuer.core.admission import (
    CONSENT_NEEDED,
    PERSON_CHECKS,
    SIGN_IN_NEEDED,
    SURER_NEEDED,
    PersonCase,
    Progress,
    wished,
)
from innkeeper.issuer.core.authorization_request import (
    PAGE_CHECKS,
    REQUEST_CHECKS,
    UNKNOWN_CLIENT,
    Authorization,
    wanted,
)
from innkeeper.issuer.core.consents import has_changed, shown
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.delivery import PLAIN, Case, Delivery
from innkeeper.issuer.core.effects import AddCode, AddGrant, Effect, GiveConsent
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import (
    Client,
    Code,
    Consent,
    Grant,
    Session,
)
from innkeeper.issuer.core.responses import CODE, mode_of, parameter
from innkeeper.issuer.core.token import Issue
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Trail, follow


class Fresh(msgspec.Struct, frozen=True):
    """Made before the decision: the new code's hash, the id of the grant it would lead to, and that of one for tokens
    that go through the browser."""

    code_digest: bytes
    grant_id: str
    front_grant_id: str = ""


class GiveCode(msgspec.Struct, frozen=True):
    """A code, and in ``front`` what else its response type asks for: tokens through the browser, or these alone."""

    authorization: Authorization
    front: Issue | None = None


class AskSignIn(msgspec.Struct, frozen=True):
    authorization: Authorization


class AskCode(msgspec.Struct, frozen=True):
    """The person is signed in, and a code from their app would make it as sure as the client asks."""

    authorization: Authorization


class AskConsent(msgspec.Struct, frozen=True):
    """``new`` are the scopes not allowed before; ``changed`` where the client looks otherwise than when it was allowed."""

    authorization: Authorization
    session: Session
    new: frozenset[str]
    changed: bool = False


class Turned(msgspec.Struct, frozen=True):
    """A refusal that may be told to the client at its redirect URI."""

    refusal: Refusal
    redirect_uri: str
    response_mode: str
    state: str | None


Outcome = GiveCode | AskSignIn | AskCode | AskConsent | Turned


def examine(
    ask: Parameters, client: Client | None, policy: Policy, delivery: Delivery = PLAIN
) -> Decision[Authorization | Turned]:
    """The request without its person: good, to be refused on a page (``Refusal``), or at the redirect URI."""
    case = Case(ask, client, policy, delivery)
    trail = follow("authorize", PAGE_CHECKS, case)
    if trail.refusal or client is None:
        return Decision(trail.refusal or Refusal(UNKNOWN_CLIENT, "no client"), trail)
    trail = trail.then(follow("authorize", REQUEST_CHECKS, case))
    if trail.refusal:
        return Decision(_turned(case, trail.refusal), trail)
    return Decision(wanted(ask, client, policy), trail)


def admit(
    authorization: Authorization,
    progress: Progress,
    session: Session | None,
    consent: Consent | None,
    fresh: Fresh,
    policy: Policy,
    now: int,
    hinted: str | None = None,
    factors: frozenset[str] = frozenset(),
) -> Decision[Outcome]:
    """A code, or the step the person still has to take."""
    case = PersonCase(authorization, progress, session, consent, now, hinted, factors)
    trail = follow("authorize", PERSON_CHECKS, case)
    refusal = trail.refusal
    if refusal is None and session is not None:
        return _give_code(authorization, session, fresh, policy, now, trail)
    quiet = "none" in authorization.prompts
    tried = session is not None and progress.signed_in_at is not None
    if refusal is None or (refusal.page is SIGN_IN_NEEDED and not quiet and not tried):
        return Decision(AskSignIn(authorization), trail)
    if refusal.page is SURER_NEEDED and not quiet:
        return Decision(_step_up(authorization, factors), trail)
    if refusal.page is CONSENT_NEEDED and not quiet and session is not None:
        return Decision(_ask_consent(authorization, session, consent), trail)
    turned = Turned(refusal, authorization.redirect_uri, authorization.response_mode, authorization.state)
    return Decision(turned, trail)


def _step_up(ask: Authorization, factors: frozenset[str]) -> AskCode | AskSignIn:
    """A code, where that is enough; else the sign-in page, for a passkey."""
    by_code = assurance.CODES in factors and any(assurance.meets(assurance.MFA, one) for one in wished(ask).values)
    return AskCode(ask) if by_code else AskSignIn(ask)


def _ask_consent(ask: Authorization, session: Session, consent: Consent | None) -> AskConsent:
    allowed = consent.scopes if consent else frozenset()
    return AskConsent(ask, session, ask.to_allow - allowed, has_changed(ask.client, consent))


def _turned(case: Case, refusal: Refusal) -> Turned:
    """The answer at the redirect URI; parameters that are themselves in doubt fall back to the default."""
    ask = case.ask
    mode = mode_of(parameter(ask, "response_mode"), parameter(ask, "response_type"), case.client, case.policy)
    return Turned(refusal, ask["redirect_uri"], mode, parameter(ask, "state"))


def _give_code(
    ask: Authorization,
    session: Session,
    fresh: Fresh,
    policy: Policy,
    now: int,
    trail: Trail,
) -> Decision[Outcome]:
    offline = "offline_access" in ask.reach.scopes
    grant = Grant(
        id=fresh.grant_id,
        client_id=ask.client.id,
        sub=session.sub,
        scopes=ask.reach.scopes,
        audience=ask.reach.audience,
        auth_time=session.auth_time,
        acr=assurance.told(session.acr, wished(ask)),
        amr=session.amr,
        session_id="" if offline else session.id,
        sid=session.id,
        created_at=now,
        confirmation=ask.confirmation,
        claims=ask.claims,
        details=ask.details,
    )
    code = Code(
        digest=fresh.code_digest,
        grant=grant,
        redirect_uri=ask.redirect_uri,
        challenge=ask.challenge,
        nonce=ask.nonce,
        expires_at=now + min(policy.code_lifetime, policy.profile_for(ask.client).longest_code),
    )
    effects: tuple[Effect, ...] = (AddCode(code),) if CODE in ask.response_type else ()
    if ask.response_type == {CODE}:
        return Decision(GiveCode(ask), trail, effects)
    front = _in_front(ask, msgspec.structs.replace(grant, id=fresh.front_grant_id, confirmation={}))
    return Decision(GiveCode(ask, front), trail, (*effects, AddGrant(front.grant)) if front.grant else effects)


def _in_front(ask: Authorization, grant: Grant) -> Issue:
    """What travels through the browser. It has a grant of its own, so that it can be revoked before a code is redeemed."""
    return Issue(
        client=ask.client,
        subject=grant.sub,
        scopes=grant.scopes,
        audience=grant.audience,
        grant=grant,
        nonce=ask.nonce,
        details=grant.details,
    )


def remember(authorization: Authorization, session: Session, consent: Consent | None, now: int) -> GiveConsent:
    """What to remember once the person said yes: the scopes and resources allowed before and these; of a client that
    has changed since, only these."""
    client = authorization.client
    kept = None if has_changed(client, consent) else consent
    return GiveConsent(
        Consent(
            sub=session.sub,
            client_id=client.id,
            scopes=(kept.scopes if kept else frozenset()) | authorization.to_allow,
            resources=(kept.resources if kept else frozenset()) | set(authorization.reach.audience),
            given_at=now,
            shown=shown(client),
        )
    )


def origin_of(uri: str) -> str:
    """The origin of a redirect URI, or its scheme for an app's own (for a page's Content-Security-Policy)."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
