"""The authorization endpoint: may this client ask this person for that? (RFC 6749 §4.1.1)

Three tables, in this order. ``PAGE_CHECKS`` decide whether the redirect URI can be trusted; their refusals are
shown on a page and never redirected. ``REQUEST_CHECKS`` are answered at the redirect URI. ``PERSON_CHECKS`` ask
whether somebody must sign in or consent first, which is no refusal unless the client said ``prompt=none``.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.delivery import PLAIN, Delivery
from innkeeper.issuer.core.effects import AddCode, GiveConsent
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import PKCE_ALWAYS, PKCE_OPTIONAL, Client, Code, Consent, Grant, Session
from innkeeper.issuer.core.scopes import Reach, reach, unknown_scope, unknown_target
from innkeeper.issuer.core.token import AUTHORIZATION_CODE
from innkeeper.protocol import errors, pkce
from innkeeper.protocol.parameters import Malformed, Parameters, scopes
from innkeeper.protocol.redirects import registered_for
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

RESPONSE_MODES = ("query", "fragment", "form_post")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization request that was found good: what a code would be cut for."""

    client: Client
    redirect_uri: str
    response_mode: str
    state: str | None
    reach: Reach
    challenge: str | None
    nonce: str | None
    prompts: frozenset[str]
    max_age: int | None
    login_hint: str
    confirmation: dict[str, str] = {}


class Progress(msgspec.Struct, frozen=True):
    """What the person did for this very request so far, as our own signed ticket says (times or None)."""

    started_at: int
    signed_in_at: int | None = None
    consented: bool = False
    denied: bool = False


class Fresh(msgspec.Struct, frozen=True):
    """Made before the decision: the new code's hash and the id of the grant it would lead to."""

    code_digest: bytes
    grant_id: str


class GiveCode(msgspec.Struct, frozen=True):
    authorization: Authorization


class AskSignIn(msgspec.Struct, frozen=True):
    authorization: Authorization


class AskConsent(msgspec.Struct, frozen=True):
    """``new`` are the scopes not allowed before."""

    authorization: Authorization
    session: Session
    new: frozenset[str]


class Turned(msgspec.Struct, frozen=True):
    """A refusal that may be told to the client at its redirect URI."""

    refusal: Refusal
    redirect_uri: str
    response_mode: str
    state: str | None


Outcome = GiveCode | AskSignIn | AskConsent | Turned


class Case(msgspec.Struct, frozen=True):
    ask: Parameters
    client: Client | None
    policy: Policy
    delivery: Delivery


class PersonCase(msgspec.Struct, frozen=True):
    authorization: Authorization
    progress: Progress
    session: Session | None
    consent: Consent | None
    now: int


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
        return Decision(_turned(ask, trail.refusal), trail)
    return Decision(_authorization(ask, client, policy), trail)


def admit(
    authorization: Authorization,
    progress: Progress,
    session: Session | None,
    consent: Consent | None,
    fresh: Fresh,
    policy: Policy,
    now: int,
) -> Decision[Outcome]:
    """A code, or the step the person still has to take."""
    case = PersonCase(authorization, progress, session, consent, now)
    trail = follow("authorize", PERSON_CHECKS, case)
    refusal = trail.refusal
    if refusal is None and session is not None:
        return _give_code(authorization, session, fresh, policy, now, trail)
    if refusal is None or (refusal.page is SIGN_IN_NEEDED and "none" not in authorization.prompts):
        return Decision(AskSignIn(authorization), trail)
    if refusal.page is CONSENT_NEEDED and "none" not in authorization.prompts and session is not None:
        allowed = consent.scopes if consent else frozenset()
        return Decision(AskConsent(authorization, session, authorization.reach.scopes - allowed), trail)
    turned = Turned(refusal, authorization.redirect_uri, authorization.response_mode, authorization.state)
    return Decision(turned, trail)


@check("RFC 6749 §3.1")
def the_client_and_its_redirect_are_named_once(case: Case) -> Seen | Refusal:
    """client_id and redirect_uri are sent, each once, or nobody could tell where an answer belongs."""
    doubled = case.ask.repeated & {"client_id", "redirect_uri"}
    if doubled:
        return Refusal(NO_REDIRECT, f"{min(doubled)} was sent more than once", "once", "more than once")
    missing = next((name for name in ("client_id", "redirect_uri") if name not in case.ask), None)
    if missing:
        return Refusal(NO_REDIRECT, f"{missing} is missing", missing, "no such parameter")
    return Seen(case.ask["client_id"])


@check("RFC 6749 §4.1.2.1")
def the_client_is_registered(case: Case) -> Seen | Refusal:
    """The client is one that this issuer knows."""
    sent = case.ask["client_id"]
    if case.client is None:
        return Refusal(UNKNOWN_CLIENT, f"no client {sent!r} is registered here", "a registered client_id", sent)
    return Seen(case.client.name)


@check("RFC 9700 §4.1.3")
def the_redirect_uri_is_registered(case: Case) -> Seen | Refusal:
    """The redirect URI equals a registered one to the character; only a loopback port may differ."""
    sent, client = case.ask["redirect_uri"], case.client
    registered = client.redirect_uris if client else ()
    match = registered_for(sent, registered, any_loopback_port=bool(client and client.native))
    if match is None:
        reason = "the redirect_uri is not one the client registered"
        return Refusal(REDIRECT_MISMATCH, reason, " or ".join(registered) or "none is registered", sent)
    return Seen(sent, match)


@check("RFC 6749 §3.1")
def no_parameter_is_repeated(case: Case) -> Seen | Refusal:
    """Each parameter is sent once; ``resource`` alone may repeat (RFC 8707 §2)."""
    repeated = case.ask.repeated - {"resource"}
    if repeated:
        return Refusal(REQUEST_WRONG, f"{min(repeated)!r} was sent more than once", "once", "more than once")
    return Seen("each once")


@check("RFC 9126 §4")
def the_reference_leads_to_a_request(case: Case) -> Seen | Refusal:
    """A request_uri of ours stands for a request that its client pushed a moment ago and that was not used yet."""
    if case.delivery.reference_problem:
        reason = case.delivery.reference_problem
        return Refusal(REFERENCE_DEAD, reason, "a request pushed by this client a moment ago", "none")
    return Seen("pushed" if case.delivery.pushed else "no reference")


@check("RFC 9101 §6")
def the_request_comes_in_a_way_that_is_taken(case: Case) -> Seen | Refusal:
    """Plain, pushed, or in an object that the client signed; not by a reference to somewhere else."""
    if case.delivery.unsupported:
        return Refusal(REQUEST_URI, "a request_uri that leads elsewhere was sent", "a pushed request", "a reference")
    if case.delivery.object_problem:
        return Refusal(REQUEST_OBJECT, case.delivery.object_problem, "a request object signed by the client", "another")
    return Seen("signed by the client" if case.delivery.signed else "plain parameters")


@check("RFC 9126 §5")
def the_request_was_pushed_where_it_must_be(case: Case) -> Seen | Refusal:
    """A client or realm that demands pushed requests takes no others."""
    must = case.policy.require_pushed or bool(case.client and case.client.require_pushed)
    if must and not case.delivery.pushed:
        return Refusal(NOT_PUSHED, "the request was not pushed", "a pushed request", "one from the browser")
    return Seen("pushed" if case.delivery.pushed else "not demanded")


@check("RFC 6749 §4.1.1")
def the_response_type_is_code(case: Case) -> Seen | Refusal:
    """The only response type is ``code``: tokens never travel through the browser's address bar."""
    sent = case.ask.get("response_type")
    if sent is None:
        return Refusal(REQUEST_WRONG, "response_type is missing", "code", "no such parameter")
    if sent != "code":
        return Refusal(RESPONSE_TYPE, f"no response type {sent!r} here", "code", sent)
    return Seen("code", "code")


@check("RFC 6749 §4.1.2.1")
def the_client_may_use_the_code_grant(case: Case) -> Seen | Refusal:
    """The client is registered for the authorization code grant."""
    grants = case.client.grants if case.client else frozenset()
    if AUTHORIZATION_CODE not in grants:
        return Refusal(NOT_FOR_CODE, "the client may not use codes", AUTHORIZATION_CODE, " ".join(sorted(grants)))
    return Seen(" ".join(sorted(grants)), AUTHORIZATION_CODE)


@check("OAuth 2.0 Multiple Response Types §2.1")
def the_response_mode_is_known(case: Case) -> Seen | Refusal:
    """The answer travels as query, fragment or form_post."""
    sent = case.ask.get("response_mode", "query")
    if sent not in RESPONSE_MODES:
        return Refusal(REQUEST_WRONG, f"no response_mode {sent!r}", " or ".join(RESPONSE_MODES), sent)
    return Seen(sent)


@check("RFC 7636 §4.4.1")
def a_proof_key_is_sent_where_it_must_be(case: Case) -> Seen | Refusal:
    """A public client sends an S256 challenge; a confidential one does, or its nonce stands in (OAuth 2.1 §7.5.1)."""
    challenge, method, client = case.ask.get("code_challenge"), case.ask.get("code_challenge_method"), case.client
    if challenge is None:
        return _without_challenge(case, client)
    if method != pkce.METHOD:
        return Refusal(
            PROOF_KEY, "the challenge's method is not S256", pkce.METHOD, method or "none, which means plain"
        )
    if not pkce.is_challenge(challenge):
        return Refusal(PROOF_KEY, "the challenge is no SHA-256 in base64url", "43 characters of base64url", challenge)
    return Seen(challenge, "an S256 challenge")


@check("RFC 6749 §3.3")
def the_scopes_are_the_clients(case: Case) -> Seen | Refusal:
    """Every scope asked for is one the client may have."""
    asked = scopes(case.ask.get("scope"))
    refusal = unknown_scope(asked, case.client, case.policy) if case.client else None
    return refusal or Seen(" ".join(sorted(asked)) or "none named: all the client's")


@check("RFC 8707 §2.1")
def the_resources_are_the_clients(case: Case) -> Seen | Refusal:
    """Every resource named is registered and has a scope the client may have."""
    sent = case.ask.many("resource")
    refusal = unknown_target(sent, case.client, case.policy) if case.client else None
    return refusal or Seen(" ".join(sent) or "none named")


@check("OpenID Connect Core §3.1.2.1")
def prompt_and_max_age_make_sense(case: Case) -> Seen | Refusal:
    """``prompt`` holds known words and ``none`` stands alone; ``max_age`` is a number of seconds."""
    prompts, age = scopes(case.ask.get("prompt")), case.ask.get("max_age")
    if prompts - PROMPTS:
        return Refusal(REQUEST_WRONG, "an unknown prompt", " ".join(sorted(PROMPTS)), " ".join(sorted(prompts)))
    if "none" in prompts and len(prompts) > 1:
        return Refusal(REQUEST_WRONG, "prompt none with others", "none alone", " ".join(sorted(prompts)))
    if age is not None and not (age.isascii() and age.isdigit() and len(age) < 10):
        return Refusal(REQUEST_WRONG, "max_age is no number of seconds", "digits", age)
    return Seen(" ".join(sorted(prompts)) or "none asked")


@check("OpenID Connect Core §3.1.2.3")
def somebody_is_signed_in(case: PersonCase) -> Seen | Refusal:
    """A person is signed in, recently enough for ``max_age``, and anew where ``prompt`` asks for it."""
    session, ask, progress = case.session, case.authorization, case.progress
    if session is None:
        return Refusal(SIGN_IN_NEEDED, "nobody is signed in", "a session", "none")
    if ask.prompts & {"login", "select_account"} and progress.signed_in_at is None:
        return Refusal(SIGN_IN_NEEDED, "the client asks for a new sign-in", "signed in for this request", "before it")
    age = case.now - session.auth_time
    if ask.max_age is not None and progress.signed_in_at is None and age > ask.max_age:
        return Refusal(SIGN_IN_NEEDED, "the sign-in is too old", f"at most {ask.max_age} s", f"{age} s")
    return Seen(f"{session.sub}, {age} s ago")


@check("OpenID Connect Core §3.1.2.4")
def the_person_did_not_say_no(case: PersonCase) -> Seen | Refusal:
    """The person was not asked, or did not decline."""
    if case.progress.denied:
        return Refusal(DENIED, "the person declined", "allowed", "declined")
    return Seen("not declined")


@check("OpenID Connect Core §3.1.2.4")
def the_person_has_consented(case: PersonCase) -> Seen | Refusal:
    """The person allowed this client these scopes at these resources, now or before; a trusted client needs none."""
    ask, consent, asked = case.authorization, case.consent, case.authorization.reach
    if case.progress.consented:
        return Seen("allowed for this request")
    if "consent" in ask.prompts:
        return Refusal(CONSENT_NEEDED, "the client asks for consent anew", "allowed for this request", "before it")
    if ask.client.trusted:
        return Seen("the operator trusts the client")
    allowed = consent.scopes if consent else frozenset()
    where = consent.resources if consent else frozenset()
    if consent is None or not asked.scopes <= allowed or not where.issuperset(asked.audience):
        missing = " ".join(sorted(asked.scopes - allowed)) or " ".join(sorted(set(asked.audience) - where))
        return Refusal(CONSENT_NEEDED, f"not allowed yet: {missing}", " ".join(sorted(asked.scopes)), " ".join(allowed))
    return Seen(" ".join(sorted(allowed)), " ".join(sorted(asked.scopes)))


PAGE_CHECKS = (
    the_reference_leads_to_a_request,
    the_client_and_its_redirect_are_named_once,
    the_client_is_registered,
    the_redirect_uri_is_registered,
)
REQUEST_CHECKS = (
    no_parameter_is_repeated,
    the_request_comes_in_a_way_that_is_taken,
    the_request_was_pushed_where_it_must_be,
    the_response_type_is_code,
    the_client_may_use_the_code_grant,
    the_response_mode_is_known,
    a_proof_key_is_sent_where_it_must_be,
    the_scopes_are_the_clients,
    the_resources_are_the_clients,
    prompt_and_max_age_make_sense,
)
PERSON_CHECKS = (the_person_did_not_say_no, somebody_is_signed_in, the_person_has_consented)


def _without_challenge(case: Case, client: Client | None) -> Seen | Refusal:
    if "code_challenge_method" in case.ask:
        return Refusal(PROOF_KEY, "a method came without a challenge", "code_challenge", "nothing")
    if client is None or client.public or client.pkce == PKCE_ALWAYS:
        return Refusal(PROOF_KEY, "no code_challenge came", "an S256 challenge", "nothing")
    openid = "openid" in scopes(case.ask.get("scope"))
    if client.pkce == PKCE_OPTIONAL or (openid and "nonce" in case.ask):
        return Seen("none; the client's secret and nonce stand in")
    return Refusal(PROOF_KEY, "neither code_challenge nor an OpenID nonce came", "an S256 challenge", "nothing")


def _authorization(ask: Parameters, client: Client, policy: Policy) -> Authorization:
    asked = scopes(ask.get("scope")) or client.scopes
    max_age = ask.get("max_age")
    return Authorization(
        client=client,
        redirect_uri=ask["redirect_uri"],
        response_mode=ask.get("response_mode", "query"),
        state=ask.get("state"),
        reach=reach(asked, ask.many("resource"), client, policy),
        challenge=ask.get("code_challenge"),
        nonce=ask.get("nonce"),
        prompts=scopes(ask.get("prompt")),
        max_age=int(max_age) if max_age is not None else None,
        login_hint=ask.get("login_hint", ""),
        confirmation={"jkt": ask["dpop_jkt"]} if "dpop_jkt" in ask else {},
    )


def _turned(ask: Parameters, refusal: Refusal) -> Turned:
    """The answer at the redirect URI; parameters that are themselves in doubt fall back to the default."""
    mode = _one(ask, "response_mode")
    return Turned(refusal, ask["redirect_uri"], mode if mode in RESPONSE_MODES else "query", _one(ask, "state"))


def _one(ask: Parameters, name: str) -> str | None:
    try:
        return ask.get(name)
    except Malformed:
        return None


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
        acr=session.acr,
        amr=session.amr,
        session_id="" if offline else session.id,
        created_at=now,
        confirmation=ask.confirmation,
    )
    code = Code(
        digest=fresh.code_digest,
        grant=grant,
        redirect_uri=ask.redirect_uri,
        challenge=ask.challenge,
        nonce=ask.nonce,
        expires_at=now + policy.code_lifetime,
    )
    return Decision(GiveCode(ask), trail, (AddCode(code),))


def remember(authorization: Authorization, session: Session, consent: Consent | None, now: int) -> GiveConsent:
    """What to remember once the person said yes: the scopes and resources allowed before and these."""
    before = consent.scopes if consent else frozenset()
    where = consent.resources if consent else frozenset()
    return GiveConsent(
        Consent(
            sub=session.sub,
            client_id=authorization.client.id,
            scopes=before | authorization.reach.scopes,
            resources=where | set(authorization.reach.audience),
            given_at=now,
        )
    )


def origin_of(uri: str) -> str:
    """The origin of a redirect URI, or its scheme for an app's own (for a page's Content-Security-Policy)."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


NO_REDIRECT = Page(
    "IK101",
    errors.INVALID_REQUEST,
    "The request does not say who asks or where to answer",
    "client_id or redirect_uri is missing or was sent twice, so no answer can safely be sent anywhere.",
    "Send client_id and redirect_uri, each once.",
    "The request lacks client_id or redirect_uri.",
)
UNKNOWN_CLIENT = Page(
    "IK102",
    errors.INVALID_REQUEST,
    "This client is not registered here",
    "The client_id is misspelt, or belongs to another issuer.",
    "Compare it with `innkeeper client list`, or register the client with `innkeeper client add`.",
    "The client is not known here.",
)
REDIRECT_MISMATCH = Page(
    "IK103",
    errors.INVALID_REQUEST,
    "The redirect URI is not registered for this client",
    "Redirect URIs are compared character by character, because a near miss is how codes are stolen. Usual "
    "differences: http for https, localhost for 127.0.0.1, a trailing slash, a port, upper case.",
    "Register exactly the URI that is sent, or send exactly the one that is registered. Programs on this computer "
    "may use any loopback port when the client is registered as native.",
    "The redirect URI is not registered for this client.",
)
REQUEST_WRONG = Page(
    "IK110",
    errors.INVALID_REQUEST,
    "A parameter is missing, repeated or malformed",
    "A parameter has a value that its specification does not allow, came twice, or did not come.",
    "The reason names the parameter and what it may be.",
    "A parameter is missing, repeated or malformed.",
)
RESPONSE_TYPE = Page(
    "IK111",
    errors.UNSUPPORTED_RESPONSE_TYPE,
    "Only the response type code is spoken here",
    "The implicit and hybrid types put tokens into the browser's address bar; OAuth 2.1 removed them.",
    "Send response_type=code and redeem the code at the token endpoint.",
    "The response type is not supported.",
)
NOT_FOR_CODE = Page(
    "IK112",
    errors.UNAUTHORIZED_CLIENT,
    "The client may not use the authorization code grant",
    "The client is registered for other grants only, for example client_credentials.",
    "Register it for authorization_code, or let it get its token from the token endpoint directly.",
    "The client is not allowed to use this grant.",
)
PROOF_KEY = Page(
    "IK113",
    errors.INVALID_REQUEST,
    "PKCE is missing or not S256",
    "Without a proof key anyone who sees the code can redeem it. Public clients always send one; confidential ones "
    "send one or an OpenID nonce. The method plain protects nothing and is refused.",
    "Make a random verifier, send code_challenge = BASE64URL(SHA256(verifier)) and code_challenge_method=S256, "
    "keep the verifier for the token request. Every current OAuth library has a switch for it.",
    "An S256 code challenge is required.",
)
REQUEST_OBJECT = Page(
    "IK114",
    errors.INVALID_REQUEST_OBJECT,
    "The request object is no good",
    "The request came packed into a JWT that no key of the client verifies, or that is addressed to another issuer, "
    "has expired, names another client, or holds a further object.",
    "Sign it with a key the client registered, aud the issuer, iss and client_id the client, exp some minutes ahead.",
    "The request object is not valid.",
)
REQUEST_URI = Page(
    "IK115",
    errors.REQUEST_URI_NOT_SUPPORTED,
    "Requests by reference are not read here",
    "The parameters were to be fetched from an address of the client's, which this issuer does not do.",
    "Push the request beforehand, or send it plainly; discovery says request_uri_parameter_supported false.",
    "The request_uri parameter is not supported.",
)
REFERENCE_DEAD = Page(
    "IK116",
    errors.INVALID_REQUEST_URI,
    "The request_uri leads to no request",
    "A pushed request is kept for a minute, for the client that pushed it, and until it has led to a code.",
    "Push the request again and send the browser on at once, with the same client_id.",
    "The request_uri is not valid or no longer valid.",
)
NOT_PUSHED = Page(
    "IK117",
    errors.INVALID_REQUEST,
    "The request must be pushed",
    "The client or the realm takes pushed authorization requests only (RFC 9126).",
    "Send the parameters to the pushed_authorization_request_endpoint first, then the browser with the request_uri.",
    "The request must be pushed first.",
)
SIGN_IN_NEEDED = Page(
    "IK120",
    errors.LOGIN_REQUIRED,
    "Somebody has to sign in first",
    "The client said prompt=none, so no page may be shown, but nobody is signed in, or not recently enough.",
    "Send the person again without prompt=none.",
    "The person has to sign in.",
)
CONSENT_NEEDED = Page(
    "IK121",
    errors.CONSENT_REQUIRED,
    "The person has to consent first",
    "The client said prompt=none, but the person never allowed it these scopes.",
    "Send the person again without prompt=none.",
    "The person has to consent.",
)
DENIED = Page(
    "IK122",
    errors.ACCESS_DENIED,
    "The person said no",
    "On the sign-in or consent page, the person declined.",
    "Respect it; explain why the scopes are needed and ask again when the person starts over.",
    "The person declined.",
)
