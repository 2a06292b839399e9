"""The discovery document: what this issuer is and does, and nothing it does not (RFC 8414 §2)."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core import assurance
from innkeeper.issuer.core.authorization_request import prompts_of
from innkeeper.issuer.core.backchannel import MODES
from innkeeper.issuer.core.claims import CLAIMS_OF_SCOPE
from innkeeper.issuer.core.client_metadata import IMPLICIT
from innkeeper.issuer.core.details import types
from innkeeper.issuer.core.methods import NONE, SECRET_JWT
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.profiles import HS256, PROFILES, Profile
from innkeeper.issuer.core.records import PAIRWISE, PUBLIC
from innkeeper.issuer.core.registration import OFF
from innkeeper.issuer.core.responses import modes
from innkeeper.issuer.core.token import PARAMETERS_OF
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.keys import jwe, shared
from innkeeper.keys.ring import SIGNING_ALGORITHMS
from innkeeper.protocol import pkce
from innkeeper.protocol.locales import SPOKEN
from innkeeper.tokens import dpop


def document(layout: Layout, policy: Policy, readable: list[str]) -> dict[str, Any]:
    """One document for RFC 8414 and OpenID Connect Discovery §3 alike.

    ``readable`` are the algorithms with which something can be encrypted to this issuer.
    """
    methods = list(policy.auth_methods)
    confidential = [one for one in methods if one != NONE]
    profile = PROFILES[policy.profile]
    algorithms = list(profile.algorithms)
    signing = [*algorithms, *([shared.ALGORITHM] if SECRET_JWT in methods else [])]
    return {
        "issuer": layout.issuer,
        "authorization_endpoint": layout.url(layout.authorize),
        "token_endpoint": layout.url(layout.token),
        "userinfo_endpoint": layout.url(layout.userinfo),
        "jwks_uri": layout.url(layout.jwks),
        **_registration(layout, policy),
        "revocation_endpoint": layout.url(layout.revoke),
        "introspection_endpoint": layout.url(layout.introspect),
        "pushed_authorization_request_endpoint": layout.url(layout.push),
        "device_authorization_endpoint": layout.url(layout.device_authorization),
        "backchannel_authentication_endpoint": layout.url(layout.backchannel),
        "backchannel_token_delivery_modes_supported": list(MODES),
        "backchannel_user_code_parameter_supported": False,
        "backchannel_authentication_request_signing_alg_values_supported": algorithms,
        "require_pushed_authorization_requests": policy.require_pushed or profile.require_pushed,
        "end_session_endpoint": layout.url(layout.logout),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "scopes_supported": sorted(policy.usual_scopes()),
        "response_types_supported": list(profile.response_types),
        "response_modes_supported": list(modes(None, policy)),
        "grant_types_supported": [*PARAMETERS_OF, *([IMPLICIT] if len(profile.response_types) > 1 else [])],
        "code_challenge_methods_supported": [pkce.METHOD],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": signing,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": signing,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": signing,
        "dpop_signing_alg_values_supported": [one for one in dpop.ALGORITHMS if one in algorithms],
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": [PUBLIC, PAIRWISE],
        "acr_values_supported": assurance.supported(policy.issuer),
        "prompt_values_supported": sorted(prompts_of(policy)),
        "display_values_supported": ["page", "popup"],
        "ui_locales_supported": list(SPOKEN),
        "claim_types_supported": ["normal"],
        "claims_supported": _claims(),
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_object_signing_alg_values_supported": [*algorithms, *(["none"] if profile.unsigned_requests else [])],
        "request_uri_parameter_supported": profile.request_uris,
        "require_request_uri_registration": profile.request_uris,
        **_wrapping(algorithms, readable),
        "id_token_signing_alg_values_supported": _id_token_algorithms(profile),
        **_mutual_tls(layout, policy),
        **_details(policy),
        **_vouching(policy),
    }


def _id_token_algorithms(profile: Profile) -> list[str]:
    listed = [one for one in SIGNING_ALGORITHMS if one in profile.algorithms]
    return [*listed, HS256] if profile.secret_id_tokens else listed


def _registration(layout: Layout, policy: Policy) -> dict[str, Any]:
    registers = {} if policy.registration == OFF else {"registration_endpoint": layout.url(layout.register)}
    return {**registers, "client_id_metadata_document_supported": policy.client_documents != OFF}


def _wrapping(algorithms: list[str], readable: list[str]) -> dict[str, Any]:
    """What answers are signed with, keys for which are made when they are first needed, and how they are encrypted."""
    signing = [one for one in SIGNING_ALGORITHMS if one in algorithms]
    wrapped: dict[str, Any] = {
        "request_object_encryption_alg_values_supported": readable,
        "request_object_encryption_enc_values_supported": list(jwe.ENCRYPTIONS),
    }
    for answer in ("id_token", "userinfo", "introspection", "authorization"):
        wrapped[f"{answer}_signing_alg_values_supported"] = signing
        wrapped[f"{answer}_encryption_alg_values_supported"] = list(jwe.ALGORITHMS)
        wrapped[f"{answer}_encryption_enc_values_supported"] = list(jwe.ENCRYPTIONS)
    return wrapped


def _details(policy: Policy) -> dict[str, Any]:
    """The types of authorization details (RFC 9396 §10); nothing where no resource takes any."""
    named = types(policy)
    return {"authorization_details_types_supported": named} if named else {}


def _vouching(policy: Policy) -> dict[str, Any]:
    """That identity assertions are redeemed; nothing where no organization's are."""
    if not any(one.identity_assertions for one in policy.trusted_issuers.values()):
        return {}
    return {"authorization_grant_profiles_supported": ["urn:ietf:params:oauth:grant-profile:id-jag"]}


def _mutual_tls(layout: Layout, policy: Policy) -> dict[str, Any]:
    """What concerns TLS certificates (RFC 8705 §3.3, §5); nothing where none reach us."""
    if not policy.mutual_tls and not policy.client_authorities:
        return {}
    paths = {
        "token_endpoint": layout.token,
        "userinfo_endpoint": layout.userinfo,
        "revocation_endpoint": layout.revoke,
        "introspection_endpoint": layout.introspect,
        "pushed_authorization_request_endpoint": layout.push,
        "device_authorization_endpoint": layout.device_authorization,
    }
    aliases = {"mtls_endpoint_aliases": {name: layout.mtls + path for name, path in paths.items()}}
    return {"tls_client_certificate_bound_access_tokens": True, **(aliases if layout.mtls else {})}


def _claims() -> list[str]:
    always = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"]
    return always + [name for names in CLAIMS_OF_SCOPE.values() for name in names]
