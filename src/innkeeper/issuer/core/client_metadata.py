"""Client metadata: what a client says of itself, judged, kept and said back to it (RFC 7591)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from innkeeper.issuer.core.methods import BASIC, NONE
from innkeeper.issuer.core.records import NATIVE, PUBLIC, WEB, Client, Secret
from innkeeper.issuer.core.token import AUTHORIZATION_CODE, DEVICE_CODE, REFRESH_TOKEN
from innkeeper.protocol.redirects import is_loopback

IMPLICIT = "implicit"
IN_WORDS = ("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri")
"""What is for people, and may come in several languages."""

_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
"""A language as RFC 5646 writes it."""
Seconds = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Strings = tuple[str, ...]


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says, under the names of RFC 7591 §2 and of the specifications that add to it; None and empty
    values were not sent. Members that nobody here knows are ignored (§2). ``languages`` are those of ``IN_WORDS`` that
    came with the tag of a language (§2.2)."""

    client_id: str = ""
    client_secret: str = ""
    languages: dict[str, str] = {}
    client_name: str = ""
    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    contacts: Strings = ()
    software_id: str = ""
    software_version: str = ""
    application_type: str = ""
    redirect_uris: Strings = ()
    post_logout_redirect_uris: Strings = ()
    request_uris: Strings = ()
    initiate_login_uri: str = ""
    grant_types: Strings | None = None
    response_types: Strings | None = None
    scope: str | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str = ""
    subject_type: str = PUBLIC
    sector_identifier_uri: str = ""
    default_max_age: Seconds | None = None
    require_auth_time: bool = False
    default_acr_values: Strings = ()
    authorization_details_types: Strings = ()

    token_endpoint_auth_method: str = ""
    token_endpoint_auth_signing_alg: str = ""
    require_pushed_authorization_requests: bool = False
    require_signed_request_object: bool = False
    dpop_bound_access_tokens: bool = False
    request_object_signing_alg: str = ""
    request_object_encryption_alg: str = ""
    request_object_encryption_enc: str = ""
    id_token_signed_response_alg: str = ""
    id_token_encrypted_response_alg: str = ""
    id_token_encrypted_response_enc: str = ""
    userinfo_signed_response_alg: str = ""
    userinfo_encrypted_response_alg: str = ""
    userinfo_encrypted_response_enc: str = ""
    introspection_signed_response_alg: str = ""
    introspection_encrypted_response_alg: str = ""
    introspection_encrypted_response_enc: str = ""
    authorization_signed_response_alg: str = ""
    authorization_encrypted_response_alg: str = ""
    authorization_encrypted_response_enc: str = ""

    tls_client_certificate_bound_access_tokens: bool = False
    tls_client_auth_subject_dn: str = ""
    tls_client_auth_san_dns: str = ""
    tls_client_auth_san_uri: str = ""
    tls_client_auth_san_ip: str = ""
    tls_client_auth_san_email: str = ""

    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str = ""
    frontchannel_logout_session_required: bool = False
    backchannel_token_delivery_mode: str = ""
    backchannel_client_notification_endpoint: str = ""
    backchannel_authentication_request_signing_alg: str = ""
    backchannel_user_code_parameter: bool = False


class Unreadable(ValueError):
    """A member is of another kind than its specification says; the message names it."""


class Rules(msgspec.Struct, frozen=True):
    """What a registrant may have. ``supported`` is the issuer's own discovery document, so that nothing can be
    registered that is not spoken here; ``grants`` and ``scopes`` are what this way of registering gives at most.

    ``by_document`` says that the client publishes its metadata on the web: it has no shared secret then.
    """

    supported: Mapping[str, Any]
    grants: frozenset[str]
    scopes: frozenset[str]
    by_document: bool = False


class Registrant(msgspec.Struct, frozen=True):
    """Who the metadata becomes: see the fields of ``Client`` that are named alike. ``now`` is since when it is known."""

    id: str
    origin: str
    now: int
    secrets: tuple[Secret, ...] = ()
    registration_token: bytes = b""
    unused_until: int = 0


def read(document: Mapping[str, Any]) -> Metadata:
    """The members known here. A null counts as not sent (RFC 7592 §2.2). Raises ``Unreadable``."""
    said = {name: value for name, value in document.items() if value is not None and name != "languages"}
    languages = {name: value for name, value in said.items() if is_in_a_language(name)}
    try:
        return msgspec.convert({**said, "languages": languages} if languages else said, Metadata)
    except msgspec.ValidationError as error:
        raise Unreadable(str(error)) from None


def is_in_a_language(name: str) -> bool:
    """Whether a member is words or an address for people, with the tag of their language (§2.2)."""
    base, mark, tag = name.partition("#")
    return bool(mark) and base in IN_WORDS and _TAG.fullmatch(tag) is not None


def method_of(said: Metadata, rules: Rules) -> str:
    """How the client authenticates: a secret in Basic by default, nothing where its metadata is its document."""
    return said.token_endpoint_auth_method or (NONE if rules.by_document else BASIC)


def response_types_of(said: Metadata, rules: Rules) -> frozenset[str]:
    """Those asked for that are spoken here, each with its words in the order of the alphabet; ``code`` by default."""
    if said.response_types is None:
        uses_codes = said.grant_types is None or AUTHORIZATION_CODE in said.grant_types
        return frozenset({"code"}) if uses_codes else frozenset()
    spoken = {_sorted_words(one) for one in rules.supported.get("response_types_supported", ())}
    return frozenset(_sorted_words(one) for one in said.response_types) & spoken


def grants_of(said: Metadata, rules: Rules) -> frozenset[str]:
    """Those asked for that are spoken here and given to such a client; what its response types need by default.

    The rest is left out, not refused (RFC 7591 §2): one document serves a client at many issuers.
    """
    asked = _grants_for(response_types_of(said, rules)) if said.grant_types is None else frozenset(said.grant_types)
    given = asked & frozenset(rules.supported.get("grant_types_supported", ())) & rules.grants
    return given & OF_PUBLIC_CLIENTS if method_of(said, rules) == NONE else given


def grants_needed(said: Metadata, rules: Rules) -> frozenset[str]:
    """The grants that its response types cannot do without (RFC 7591 §2.1)."""
    return _grants_for(response_types_of(said, rules))


def application_type_of(said: Metadata) -> str:
    """As it says; where it does not, native if every redirect leads to a program on the person's own device."""
    if said.application_type:
        return said.application_type
    own_device = said.redirect_uris and all(
        (is_loopback(uri) and uri.startswith("http:")) or not uri.startswith(("http:", "https:"))
        for uri in said.redirect_uris
    )
    return NATIVE if own_device else WEB


def keys_of(said: Metadata) -> tuple[dict[str, Any], ...]:
    """The keys of its ``jwks``; what is no object among them is left out."""
    keys = (said.jwks or {}).get("keys", ())
    return tuple(key for key in keys if isinstance(key, dict)) if isinstance(keys, list) else ()


def client_of(said: Metadata, rules: Rules, who: Registrant, sector: str) -> Client:
    """The client that the metadata describe, once every check has passed. ``sector`` is its sector identifier.

    The scopes that a stranger names on registering itself are its usual ones, no ceiling: clients of MCP name what the first
    challenge named, and ask for more when a tool needs it. It could have named none and asked for all; people say yes to each.
    """
    named = rules.scopes if said.scope is None else frozenset(said.scope.split()) & rules.scopes
    is_stranger = who.unused_until > 0 and bool(named)
    scopes = rules.scopes if is_stranger else named
    return Client(
        id=who.id,
        name=said.client_name or who.id,
        auth_methods=frozenset({method_of(said, rules)}),
        secrets=who.secrets,
        jwks=keys_of(said),
        grants=grants_of(said, rules),
        response_types=response_types_of(said, rules),
        scopes=scopes,
        scopes_named=said.scope is not None,
        usual_scopes=named if is_stranger and said.scope is not None else frozenset(),
        application_type=application_type_of(said),
        id_token_alg=said.id_token_signed_response_alg or "RS256",
        require_pushed=said.require_pushed_authorization_requests,
        dpop_bound=said.dpop_bound_access_tokens,
        sector_identifier=sector,
        created_at=who.now,
        origin=who.origin,
        registration_token=who.registration_token,
        unused_until=who.unused_until,
        **{name: getattr(said, name) for name in _KEPT_AS_SAID},
    )


def describe(client: Client) -> dict[str, Any]:
    """What is registered, under the names it is registered with (RFC 7591 §3.2.1); never a secret.

    Scopes that the client did not name are not registered but simply this issuer's, and there are clients that give up
    when told more of them than they know.
    """
    always = {
        "client_id": client.id,
        "client_id_issued_at": client.created_at,
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": sorted(client.grants),
        "response_types": sorted(client.response_types),
        **({"scope": " ".join(sorted(client.usual))} if client.scopes_named else {}),
        "token_endpoint_auth_method": min(client.auth_methods),
        "application_type": client.application_type,
        "subject_type": client.subject_type,
        "id_token_signed_response_alg": client.id_token_alg,
        "require_auth_time": client.require_auth_time,
        "dpop_bound_access_tokens": client.dpop_bound,
        "require_pushed_authorization_requests": client.require_pushed,
    }
    said = {name: getattr(client, name) for name in _KEPT_AS_SAID if name not in {*always, "languages"}}
    more = {
        name: value
        for name, value in said.items()
        if value not in ("", ()) and value is not None and value is not False
    }
    keys = {"jwks": {"keys": list(client.jwks)}} if client.jwks else {}
    return {**always, **more, **client.languages, **keys}


OF_PUBLIC_CLIENTS = frozenset({AUTHORIZATION_CODE, REFRESH_TOKEN, IMPLICIT, DEVICE_CODE})
"""Grants that need no proof of who the client is, because a person says yes to each."""

_SPELT_OTHERWISE = frozenset({"jwks", "application_type", "response_types"})
_KEPT_AS_SAID = tuple(
    name for name in Metadata.__struct_fields__ if name in Client.__struct_fields__ and name not in _SPELT_OTHERWISE
)


def _grants_for(response_types: frozenset[str]) -> frozenset[str]:
    words = {word for one in response_types for word in one.split()}
    codes = {AUTHORIZATION_CODE} if "code" in words else set()
    return frozenset(codes | ({IMPLICIT} if words & {"token", "id_token"} else set()))


def _sorted_words(response_type: str) -> str:
    return " ".join(sorted(response_type.split()))
