"""The authorization endpoint: what is shown as a page, what is sent back, what waits for a person, what is given."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from innkeeper.issuer.core.entra import asking
from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.asking import Ask, missing
from innkeeper.issuer.core.entra.codes import grants as codes
from innkeeper.issuer.core.entra.codes import people, scopes
from innkeeper.issuer.core.entra.directory import PUBLIC, SPA, Application
from innkeeper.issuer.core.entra.grants.authorization_code import PLAIN
from innkeeper.issuer.core.entra.names import V1
from innkeeper.issuer.core.entra.parties import Party, Tenant
from innkeeper.protocol.redirects import registered_for
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check

CODE, ID_TOKEN, TOKEN = "code", "id_token", "token"
QUERY, FRAGMENT, FORM_POST = "query", "fragment", "form_post"

LOGIN, NONE, CONSENT, SELECT, ADMIN_CONSENT, CREATE = (
    "login",
    "none",
    "consent",
    "select_account",
    "admin_consent",
    "create",
)


class Case(msgspec.Struct, frozen=True):
    """``redirect`` is where the answer goes and its platform, None where nothing registered fits."""

    ask: Ask
    tenant: Tenant | None
    party: Party | None
    redirect: tuple[str, str] | None
    strict_pkce: bool = False

    @property
    def types(self) -> frozenset[str]:
        return frozenset(self.ask.get("response_type").split())

    @property
    def platform(self) -> str:
        return self.redirect[1] if self.redirect else ""


def redirect_of(application: Application, sent: str) -> tuple[str, str] | None:
    """The redirect URI that is used, and its platform; where none was sent, the first that is registered."""
    for platform, uris in application.redirects.items():
        if not sent and uris:
            return uris[0], platform
        loopback = [one for one in uris if platform == PUBLIC or one.startswith("http://localhost")]
        if sent and (sent in uris or registered_for(sent, loopback, any_loopback_port=True)):
            return sent, platform
    return None


def mode_of(ask: Ask) -> str:
    """How the answer goes back: as asked, else in the query for a code alone, in the fragment for tokens."""
    tokens = set(ask.get("response_type").split()) & {ID_TOKEN, TOKEN}
    return ask.get("response_mode") or (FRAGMENT if tokens else QUERY)


def safe_mode_of(ask: Ask) -> str:
    """How an error goes back: as ``mode_of``, where that can be."""
    tokens = set(ask.get("response_type").split()) & {ID_TOKEN, TOKEN}
    mode = mode_of(ask)
    known = mode in (QUERY, FRAGMENT, FORM_POST) and not (mode == QUERY and tokens)
    return mode if known else FRAGMENT if tokens else QUERY


def challenge_of(ask: Ask) -> str | None:
    """The challenge as it is stored with the code; plain is the method where none is named."""
    challenge = ask.get("code_challenge")
    if not challenge:
        return None
    return challenge if ask.get("code_challenge_method") == "S256" else PLAIN + challenge


@check("AADSTS 50011")
def the_redirect_uri_is_registered(case: Case) -> Seen | Refusal:
    """The redirect URI is one that the application registered, letter by letter; on localhost the port is let be."""
    if case.redirect is None:
        sent, client = case.ask.get("redirect_uri"), case.party.id if case.party else ""
        known = [uri for uris in case.party.application.redirects.values() for uri in uris] if case.party else []
        return refuse(
            codes.REDIRECT_UNKNOWN,
            "nothing registered fits",
            expected=" or ".join(known),
            found=sent,
            redirect=sent,
            client=client,
        )
    return Seen(case.redirect[0])


@check("AADSTS 700038")
def the_response_type_is_known(case: Case) -> Seen | Refusal:
    """response_type is made of code, id_token and token."""
    sent = case.ask.get("response_type")
    if not case.types or case.types - {CODE, ID_TOKEN, TOKEN}:
        return refuse(codes.RESPONSE_TYPE_WRONG, "no such type", expected="code", found=sent, type=sent)
    return Seen(sent)


@check("AADSTS 700054")
def the_response_type_is_switched_on(case: Case) -> Seen | Refusal:
    """Tokens come through the browser only where the registration allows it."""
    implicit = case.party.application.web.implicit_grant_settings if case.party else None
    off = {
        ID_TOKEN: not (implicit and implicit.enable_id_token_issuance),
        TOKEN: not (implicit and implicit.enable_access_token_issuance),
    }
    for one in (ID_TOKEN, TOKEN):
        if one in case.types and off[one]:
            return refuse(codes.RESPONSE_TYPE_OFF, "the registration does not allow it", found=one, type=one)
    return Seen(case.ask.get("response_type"))


@check("AADSTS 70007")
def the_response_mode_fits(case: Case) -> Seen | Refusal:
    """The mode is query, fragment or form_post; and tokens never travel in a query."""
    sent = case.ask.get("response_mode")
    tokens = case.types & {ID_TOKEN, TOKEN}
    if sent and (sent not in (QUERY, FRAGMENT, FORM_POST) or (sent == QUERY and tokens)):
        return refuse(
            codes.RESPONSE_MODE_WRONG, "it does not fit", expected="fragment or form_post", found=sent, mode=sent
        )
    return Seen(mode_of(case.ask))


@check("AADSTS 900144")
def something_is_asked_for(case: Case) -> Seen | Refusal:
    """Version 2 wants a scope; version 1 may do without a resource for a sign-in alone."""
    if case.ask.version != V1 and not case.ask.get("scope"):
        return missing("scope")
    return Seen(case.ask.get("scope") or case.ask.get("resource"))


@check("AADSTS 900144")
def an_id_token_has_a_nonce(case: Case) -> Seen | Refusal:
    """An ID token that comes through the browser is tied to the request by a nonce."""
    if ID_TOKEN in case.types and not case.ask.get("nonce"):
        return missing("nonce")
    return Seen("a nonce" if case.ask.get("nonce") else "no nonce needed")


@check("AADSTS 50147")
def the_challenge_is_one(case: Case) -> Seen | Refusal:
    """A challenge has 43 to 128 letters; its method is S256 or, as the cloud takes it too, plain."""
    challenge, method = case.ask.get("code_challenge"), case.ask.get("code_challenge_method") or "plain"
    methods = ("S256",) if case.strict_pkce else ("S256", "plain")
    if challenge and (not 43 <= len(challenge) <= 128 or method not in methods):
        return refuse(codes.CHALLENGE_WRONG, "length or method", expected=" or ".join(methods), found=method)
    return Seen(method if challenge else "no challenge")


@check("AADSTS 9002325")
def a_single_page_application_uses_pkce(case: Case) -> Seen | Refusal:
    """A code for a single-page application is bound by a challenge."""
    if case.platform == SPA and CODE in case.types and not case.ask.get("code_challenge"):
        return refuse(codes.CHALLENGE_MISSING, "no code_challenge", expected="a challenge", found="none")
    return Seen(case.platform)


class Visit(msgspec.Struct, frozen=True):
    """How far the person came. ``silent``: nothing may be shown (prompt=none); ``signed_in`` whether that will do;
    ``asks`` the scopes that they have to allow yet."""

    client: Party
    denied: bool
    silent: bool
    signed_in: bool
    asks: frozenset[str] = frozenset()


@check("AADSTS 65004")
def the_person_did_not_decline(case: Visit) -> Seen | Refusal:
    """Nobody pressed Cancel."""
    return refuse(scopes.DECLINED, "Cancel was pressed") if case.denied else Seen("not declined")


@check("AADSTS 50058")
def somebody_is_signed_in_where_nothing_may_be_shown(case: Visit) -> Seen | Refusal:
    """prompt=none needs a session; all other requests may ask for one."""
    if case.silent and not case.signed_in:
        return refuse(people.NO_SESSION, "nobody is signed in", expected="a session", found="none")
    return Seen("signed in" if case.signed_in else "a page is shown")


@check("AADSTS 65001")
def nothing_is_to_be_asked_where_nothing_may_be_shown(case: Visit) -> Seen | Refusal:
    """prompt=none needs consent that was given before; all other requests may ask for it."""
    if case.silent and case.asks:
        lacks, what = " ".join(sorted(case.asks)), {"client": case.client.id, "name": case.client.name}
        return refuse(people.INTERACTION_NEEDED, "consent is missing", expected=lacks, found="none", **what)
    return Seen(case.asks or "nothing to ask")


VISIT_CHECKS = (the_person_did_not_decline, somebody_is_signed_in_where_nothing_may_be_shown)
CONSENT_CHECKS = (nothing_is_to_be_asked_where_nothing_may_be_shown,)

PAGE_CHECKS = (
    asking.the_tenant_is_spelt_as_one,
    asking.the_tenant_is_here,
    asking.the_request_can_be_read,
    asking.the_client_is_named,
    asking.the_client_is_in_the_tenant,
    asking.the_client_is_for_that_many_tenants,
    the_redirect_uri_is_registered,
    the_response_type_is_known,
)
"""What fails here is shown as a page: nothing can be sent back to an address that is not believed."""

REDIRECT_CHECKS = (
    asking.the_client_is_enabled,
    the_response_mode_fits,
    the_response_type_is_switched_on,
    something_is_asked_for,
    an_id_token_has_a_nonce,
    the_challenge_is_one,
    a_single_page_application_uses_pkce,
)
"""What fails here is sent back to the application."""


def fields(answer: Mapping[str, str], ask: Ask) -> list[tuple[str, str]]:
    """What travels back, with the state that was sent."""
    state = ask.get("state")
    return [*((name, value) for name, value in answer.items() if value), *([("state", state)] if state else [])]
