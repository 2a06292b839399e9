"""Whether what a client says of itself can be: one rule a check, the same for registration and for documents."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import msgspec

from innkeeper.issuer.core.client_metadata import (
    IMPLICIT,
    IN_WORDS,
    Metadata,
    Rules,
    application_type_of,
    grants_needed,
    grants_of,
    keys_of,
    method_of,
    response_types_of,
)
from innkeeper.issuer.core.methods import PRIVATE_KEY_JWT, SECRETS, SELF_SIGNED_TLS, TLS
from innkeeper.issuer.core.mutual_tls import why_not_one_name
from innkeeper.issuer.core.profiles import HS256
from innkeeper.issuer.core.records import NATIVE, PAIRWISE, WEB
from innkeeper.protocol.errors import INVALID_CLIENT_METADATA, INVALID_REDIRECT_URI
from innkeeper.protocol.redirects import LOOPBACK_HOSTS, is_loopback, why_not_registrable
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

MOST_REDIRECTS = 50
MOST_KEYS = 16
LONGEST_NAME = 200
MOST_LANGUAGES = 100


class Sector(msgspec.Struct, frozen=True):
    """The document at ``sector_identifier_uri`` after the desk fetched it: redirect URIs, or why there are none."""

    redirect_uris: tuple[str, ...] = ()
    problem: str = ""


class Case(msgspec.Struct, frozen=True):
    """What is judged. ``problem`` says why the metadata could not be read."""

    said: Metadata
    rules: Rules
    sector: Sector | None = None
    problem: str = ""


@check("RFC 7591 §2")
def the_metadata_can_be_read(case: Case) -> Seen | Refusal:
    """The metadata is a JSON object, and each member that is known here is of the kind its specification says."""
    if case.problem:
        page = BAD_REDIRECT if "$.redirect_uris" in case.problem else BAD_METADATA
        return Refusal(page, case.problem, "a JSON object of client metadata", "another")
    return Seen("a JSON object")


@check("RFC 7591 §2")
def the_name_can_be_shown(case: Case) -> Seen | Refusal:
    """The name is short enough for a page and has no characters that hide or reverse what people read."""
    names = (case.said.client_name, *(value for _, value in _in_languages(case.said, "client_name")))
    for name in names:
        if len(name) > LONGEST_NAME or any(
            unicodedata.category(one) in ("Cc", "Zl", "Zp") or one in _TURNS for one in name
        ):
            return Refusal(
                BAD_METADATA, "client_name cannot be shown", f"{LONGEST_NAME} visible characters", repr(name)
            )
    if len(case.said.languages) > MOST_LANGUAGES:
        return Refusal(BAD_METADATA, "too many languages", f"{MOST_LANGUAGES}", str(len(case.said.languages)))
    return Seen(case.said.client_name or "none")


@check("RFC 7591 §2")
def what_is_chosen_is_spoken_here(case: Case) -> Seen | Refusal:
    """Each algorithm, method and kind chosen is one that the discovery document lists; requests alone may go unsigned."""
    for name, listed in CHOICES.items():
        chosen, spoken = getattr(case.said, name), case.rules.supported.get(listed, ())
        if chosen and (chosen not in spoken or (chosen == "none" and name not in _NONE_IS_A_CHOICE)):
            return Refusal(BAD_METADATA, f"{name} is not spoken here", " or ".join(spoken) or "nothing", chosen)
    for name in _ENCRYPTED:
        if getattr(case.said, f"{name}_enc") and not getattr(case.said, f"{name}_alg"):
            return Refusal(BAD_METADATA, f"{name}_enc needs {name}_alg", f"{name}_alg", "nothing")
    if case.said.id_token_signed_response_alg == HS256 and method_of(case.said, case.rules) not in SECRETS:
        return Refusal(BAD_METADATA, "ID tokens signed with a secret need a client that has one", HS256, "no secret")
    return Seen(method_of(case.said, case.rules))


@check("draft-ietf-oauth-client-id-metadata-document §4.1")
def a_public_document_holds_no_secret(case: Case) -> Seen | Refusal:
    """A client whose metadata anybody can read shares no secret with us."""
    method = method_of(case.said, case.rules)
    if case.rules.by_document and (method in SECRETS or case.said.client_secret):
        return Refusal(BAD_METADATA, "a published document cannot hold a secret", "none or private_key_jwt", method)
    return Seen(method)


@check("RFC 7591 §2.1")
def grants_and_response_types_fit(case: Case) -> Seen | Refusal:
    """What the client asks for leaves it a grant to use, and each response type has the grant it needs."""
    said, rules = case.said, case.rules
    grants, asked = grants_of(said, rules), frozenset(said.grant_types or ())
    if said.application_type not in ("", WEB, NATIVE):
        return Refusal(BAD_METADATA, "an unknown application_type", f"{WEB} or {NATIVE}", said.application_type)
    if said.response_types and not response_types_of(said, rules):
        spoken = " or ".join(rules.supported.get("response_types_supported", ()))
        return Refusal(
            BAD_METADATA, "none of the response types is spoken here", spoken, ", ".join(said.response_types)
        )
    if not grants:
        return Refusal(BAD_METADATA, "none of the grants can be had this way", _words(rules.grants), _words(asked))
    missing = grants_needed(said, rules) - grants
    if missing:
        return Refusal(BAD_METADATA, "a response type lacks its grant", _words(missing), _words(grants))
    return Seen(_words(grants))


@check("OpenID Connect Dynamic Registration §2")
def the_redirect_uris_may_be_registered(case: Case) -> Seen | Refusal:
    """Codes have somewhere to go: web addresses for web clients, the person's own device for native ones."""
    uris = case.said.redirect_uris
    if not uris and response_types_of(case.said, case.rules):
        return Refusal(BAD_REDIRECT, "no redirect URI, so no code could be sent anywhere", "redirect_uris", "none")
    if len(uris) > MOST_REDIRECTS:
        return Refusal(BAD_REDIRECT, "too many redirect URIs", f"{MOST_REDIRECTS} at most", str(len(uris)))
    for uri in uris:
        why = _why_not_redirect(uri, application_type_of(case.said), IMPLICIT in grants_of(case.said, case.rules))
        if why:
            return Refusal(BAD_REDIRECT, f"a redirect URI cannot be registered: {why}", "another", uri)
    return Seen(f"{len(uris)} as {application_type_of(case.said)}")


@check("RFC 7591 §2")
def the_keys_can_be_used(case: Case) -> Seen | Refusal:
    """Public keys alone, by value or by reference but not both, and where the client signs or decrypts, some at all."""
    said = case.said
    if said.jwks is not None and said.jwks_uri:
        return Refusal(BAD_METADATA, "jwks and jwks_uri exclude each other", "one of them", "both")
    keys = keys_of(said)
    if said.jwks is not None and not 0 < len(keys) <= MOST_KEYS:
        return Refusal(BAD_METADATA, "jwks holds no usable number of keys", f"1 to {MOST_KEYS} keys", str(len(keys)))
    if any(_PRIVATE & key.keys() or not isinstance(key.get("kty"), str) for key in keys):
        return Refusal(BAD_METADATA, "jwks holds a private or nameless key", "public keys with kty", "another")
    needs = method_of(said, case.rules) in _METHODS_WITH_KEYS or any(
        getattr(said, f"{one}_alg") for one in _ENCRYPTED_TO
    )
    if needs and not keys and not said.jwks_uri:
        return Refusal(BAD_METADATA, "the client signs or decrypts, so its keys are needed", "jwks or jwks_uri", "none")
    return Seen(said.jwks_uri or f"{len(keys)} keys")


@check("RFC 8705 §2.1.2")
def a_certificate_is_known_by_one_name(case: Case) -> Seen | Refusal:
    """A client that proves itself by a name in its certificate says which, and only one."""
    if method_of(case.said, case.rules) != TLS:
        return Seen("no certificate")
    why = why_not_one_name(case.said)
    return Refusal(BAD_METADATA, why, "one tls_client_auth_… member", "another number") if why else Seen("one name")


@check("RFC 7591 §5")
def the_addresses_are_web_addresses(case: Case) -> Seen | Refusal:
    """Addresses that people follow or that we call are https; http on this computer will do for programs being made."""
    said = case.said
    for name in _WEB_PAGES:
        for uri in _every(getattr(said, name)):
            why = _why_not_web(uri)
            if why:
                return Refusal(BAD_METADATA, f"{name}: {why}", "an https URL", uri)
    for name, uri in (one for base in IN_WORDS[1:] for one in _in_languages(said, base)):
        why = _why_not_web(uri)
        if why:
            return Refusal(BAD_METADATA, f"{name}: {why}", "an https URL", uri)
    for uri in said.post_logout_redirect_uris:
        why = why_not_registrable(uri)
        if why:
            return Refusal(BAD_METADATA, f"a post_logout_redirect_uri cannot be registered: {why}", "another", uri)
    return Seen("all https")


@check("OpenID Connect Front-Channel Logout §2")
def frontchannel_logout_stays_with_the_client(case: Case) -> Seen | Refusal:
    """The address that browsers load at sign-out has scheme, host and port of a registered redirect URI."""
    uri = case.said.frontchannel_logout_uri
    origins = {urlsplit(one)[:2] for one in case.said.redirect_uris}
    if uri and urlsplit(uri)[:2] not in origins:
        return Refusal(BAD_METADATA, "frontchannel_logout_uri is of another origin", "a redirect URI's origin", uri)
    return Seen(uri or "none")


@check("OpenID Connect Core §8.1")
def a_pairwise_client_has_one_sector(case: Case) -> Seen | Refusal:
    """Pairwise subjects are made for one host: that of all redirect URIs, or of a document that lists them all."""
    said, sector = case.said, case.sector
    if sector is not None and sector.problem:
        return Refusal(
            BAD_METADATA, f"sector_identifier_uri: {sector.problem}", "a JSON array of redirect URIs", "none"
        )
    if sector is not None and not set(said.redirect_uris) <= set(sector.redirect_uris):
        missing = min(set(said.redirect_uris) - set(sector.redirect_uris))
        return Refusal(BAD_METADATA, "sector_identifier_uri leaves out a redirect URI", missing, "not listed")
    if said.subject_type == PAIRWISE and sector is None and len(_hosts(said.redirect_uris)) > 1:
        hosts = ", ".join(sorted(_hosts(said.redirect_uris)))
        return Refusal(BAD_METADATA, "redirect URIs of several hosts need a sector_identifier_uri", "one host", hosts)
    return Seen(sector_of(said) or "public subjects")


METADATA_CHECKS = (
    the_metadata_can_be_read,
    the_name_can_be_shown,
    what_is_chosen_is_spoken_here,
    a_public_document_holds_no_secret,
    grants_and_response_types_fit,
    the_redirect_uris_may_be_registered,
    the_keys_can_be_used,
    a_certificate_is_known_by_one_name,
    the_addresses_are_web_addresses,
    frontchannel_logout_stays_with_the_client,
    a_pairwise_client_has_one_sector,
)


def sector_of(said: Metadata) -> str:
    """The host that pairwise subjects are made for; "" for public ones."""
    if said.subject_type != PAIRWISE:
        return ""
    if said.sector_identifier_uri:
        return urlsplit(said.sector_identifier_uri).hostname or ""
    return next(iter(_hosts(said.redirect_uris)), "")


def _why_not_redirect(uri: str, application_type: str, implicit: bool) -> str | None:
    why = why_not_registrable(uri)
    if why:
        return why
    parts = urlsplit(uri)
    if "*" in parts.netloc:
        return "a host cannot be a pattern"
    if application_type == WEB and parts.scheme not in ("https", "http"):
        return "a private scheme is for native clients"
    if application_type == WEB and implicit and (parts.scheme == "http" or parts.hostname in LOOPBACK_HOSTS):
        return "tokens in a redirect need https, and not on localhost"
    return None


def _why_not_web(uri: str) -> str | None:
    why = why_not_registrable(uri.partition("#")[0])
    if why:
        return why
    return None if uri.startswith("https:") or is_loopback(uri) else "it is no https URL"


def _hosts(uris: Iterable[str]) -> frozenset[str]:
    return frozenset(urlsplit(uri).hostname or "" for uri in uris)


def _in_languages(said: Metadata, base: str) -> Iterable[tuple[str, str]]:
    """A member in every language it came in."""
    return ((name, value) for name, value in said.languages.items() if name.partition("#")[0] == base)


def _every(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if value else ()


def _words(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


_METHOD = "token_endpoint_auth_method"
_NONE_IS_A_CHOICE = frozenset({_METHOD, "request_object_signing_alg"})
_METHODS_WITH_KEYS = frozenset({PRIVATE_KEY_JWT, SELF_SIGNED_TLS})
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_TURNS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows: ``moc.knab`` reads as another name after one."""

_WEB_PAGES = (
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "jwks_uri",
    "sector_identifier_uri",
    "initiate_login_uri",
    "request_uris",
    "backchannel_logout_uri",
    "frontchannel_logout_uri",
    "backchannel_client_notification_endpoint",
)
_ENCRYPTED_TO = (
    "id_token_encrypted_response",
    "userinfo_encrypted_response",
    "introspection_encrypted_response",
    "authorization_encrypted_response",
)
_ENCRYPTED = (*_ENCRYPTED_TO, "request_object_encryption")

CHOICES: Mapping[str, str] = {
    _METHOD: "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg": "token_endpoint_auth_signing_alg_values_supported",
    "subject_type": "subject_types_supported",
    "request_object_signing_alg": "request_object_signing_alg_values_supported",
    "request_object_encryption_alg": "request_object_encryption_alg_values_supported",
    "request_object_encryption_enc": "request_object_encryption_enc_values_supported",
    "id_token_signed_response_alg": "id_token_signing_alg_values_supported",
    "id_token_encrypted_response_alg": "id_token_encryption_alg_values_supported",
    "id_token_encrypted_response_enc": "id_token_encryption_enc_values_supported",
    "userinfo_signed_response_alg": "userinfo_signing_alg_values_supported",
    "userinfo_encrypted_response_alg": "userinfo_encryption_alg_values_supported",
    "userinfo_encrypted_response_enc": "userinfo_encryption_enc_values_supported",
    "introspection_signed_response_alg": "introspection_signing_alg_values_supported",
    "introspection_encrypted_response_alg": "introspection_encryption_alg_values_supported",
    "introspection_encrypted_response_enc": "introspection_encryption_enc_values_supported",
    "authorization_signed_response_alg": "authorization_signing_alg_values_supported",
    "authorization_encrypted_response_alg": "authorization_encryption_alg_values_supported",
    "authorization_encrypted_response_enc": "authorization_encryption_enc_values_supported",
    "backchannel_token_delivery_mode": "backchannel_token_delivery_modes_supported",
    "backchannel_authentication_request_signing_alg": "backchannel_authentication_request_signing_alg_values_supported",
}
"""What a client chooses, and the list in the discovery document that it chooses from."""

BAD_METADATA = Page(
    "IK401",
    INVALID_CLIENT_METADATA,
    "Something the client says of itself cannot be",
    "A member is of the wrong kind, contradicts another, or chooses what this issuer does not speak.",
    "The reason names the member and what it may be; the discovery document lists what is spoken here.",
    "The client metadata are not valid.",
)
BAD_REDIRECT = Page(
    "IK402",
    INVALID_REDIRECT_URI,
    "A redirect URI cannot be registered",
    "Codes travel to redirect URIs, so these are https, or lead to the person's own device for a native client; none "
    "has a fragment, a user part or a pattern.",
    "Register https addresses, or for a program on a person's device application_type native with http on 127.0.0.1, "
    "[::1] or localhost, or a private scheme.",
    "A redirect URI is missing or not valid.",
)
