"""Profiles: named sets of rules, one of which is in force for each client. No part of one can be switched off.

A realm has a profile, and an operator may give a client another one. A client that registers itself cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

import msgspec

from innkeeper.issuer.core.methods import ALL, PRIVATE_KEY_JWT, SELF_SIGNED_TLS, TLS
from innkeeper.protocol.refusals import UsageError

ALGORITHMS = ("ES256", "ES384", "EdDSA", "PS256", "RS256")
"""What may sign here at all: client assertions, request objects, DPoP proofs."""

HS256 = "HS256"
"""What a shared secret signs with."""

QUERY_MODES = ("query", "fragment", "form_post")
JWT_MODES = ("jwt", "query.jwt", "fragment.jwt", "form_post.jwt")

CODE_ONLY = ("code",)
WITH_TOKENS = ("id_token", "id_token token", "code id_token", "code token", "code id_token token")
"""The implicit and hybrid response types, spelled in the order in which they are registered."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A set of rules. The defaults are OAuth 2.1's.

    ``auth_methods`` a client may use; ``algorithms`` that client and issuer may sign with for one another.
    ``require_pushed``: requests come by the back channel. ``require_signed``: and in an object signed by the client.
    ``unsigned_requests``: request objects with alg none are read. ``request_uris``: an object may stand at an address
    that its client registered. ``merged_requests``: what an object does not say may stand beside it, as OpenID Connect
    has it and RFC 9101 does not. ``secret_id_tokens``: ID tokens may be signed with the client's secret.
    ``require_bound``: every token is bound to a key.
    ``always_pkce``: confidential clients too, whatever they registered; ``pkce_optional``: they need neither PKCE nor a
    nonce. ``longest_code`` and ``longest_request_object`` in seconds; the latter, where given, makes nbf and exp
    compulsory. ``issuer_audience``: an assertion is addressed to the issuer in a single string, nothing else.
    ``secure_redirects``: answers go to https, or to a native client's loopback. ``rotate_refresh``: a refresh token works
    once. ``drop_unknown_scopes``: a client gets the scopes it may have instead of a refusal for the others.
    ``binding_message``: a backchannel request shows words that its person sees on both screens.
    ``device_grant``: a request may be started on one device and allowed on another, where people can be led astray.
    """

    name: str
    summary: str
    specification: str
    auth_methods: frozenset[str] = ALL
    algorithms: tuple[str, ...] = ALGORITHMS
    response_types: tuple[str, ...] = CODE_ONLY
    response_modes: tuple[str, ...] = (*QUERY_MODES, *JWT_MODES)
    require_pushed: bool = False
    require_signed: bool = False
    unsigned_requests: bool = False
    request_uris: bool = True
    merged_requests: bool = False
    secret_id_tokens: bool = False
    require_bound: bool = False
    always_pkce: bool = False
    pkce_optional: bool = False
    issuer_audience: bool = False
    secure_redirects: bool = False
    rotate_refresh: bool = True
    drop_unknown_scopes: bool = False
    device_grant: bool = True
    binding_message: bool = False
    longest_code: int = 600
    longest_request_object: int | None = None

    def id_token_algorithm(self, registered: str) -> str:
        """What an ID token is signed with: the client's secret too, where the profile allows that."""
        return registered if registered == HS256 and self.secret_id_tokens else self.algorithm(registered)

    def algorithm(self, registered: str) -> str:
        """What we sign with for a client that registered this algorithm, where the profile allows it."""
        return registered if registered in self.algorithms else self.algorithms[0]


OAUTH21 = Profile(
    name="oauth21",
    summary="The default: codes with PKCE or, for confidential OpenID clients, a nonce; exact redirect URIs; "
    "refresh tokens that work once.",
    specification="OAuth 2.1 (draft-ietf-oauth-v2-1), RFC 9700",
)
MCP = Profile(
    name="mcp-2026-07-28",
    summary="For agents and the servers they call: PKCE for everybody, and a client that asks for scopes it may not "
    "have is given the others, as the protocol's clients expect.",
    specification="Model Context Protocol, authorization, 2026-07-28",
    always_pkce=True,
    drop_unknown_scopes=True,
)
CERTIFICATION = Profile(
    name="oidc-certification",
    summary="For the OpenID certification suite only: adds the implicit and hybrid response types, unsigned request "
    "objects and ID tokens signed with a secret, and asks confidential clients for no PKCE. Less safe than the default.",
    specification="OpenID Connect Core 1.0",
    response_types=(*CODE_ONLY, *WITH_TOKENS),
    unsigned_requests=True,
    merged_requests=True,
    secret_id_tokens=True,
    pkce_optional=True,
)
FAPI_SECURITY = Profile(
    name="fapi2-security",
    summary="For money and health: pushed requests, PKCE, clients that prove themselves with a key, tokens bound to one.",
    specification="FAPI 2.0 Security Profile",
    auth_methods=frozenset({PRIVATE_KEY_JWT, TLS, SELF_SIGNED_TLS}),
    algorithms=("ES256", "PS256", "EdDSA"),
    require_pushed=True,
    request_uris=False,
    require_bound=True,
    always_pkce=True,
    issuer_audience=True,
    secure_redirects=True,
    rotate_refresh=False,
    device_grant=False,
    binding_message=True,
    longest_code=60,
)
FAPI_MESSAGE_SIGNING = msgspec.structs.replace(
    FAPI_SECURITY,
    name="fapi2-message-signing",
    summary="Like fapi2-security, and requests and answers are signed, so that either side can prove what was said.",
    specification="FAPI 2.0 Message Signing",
    response_modes=JWT_MODES,
    require_signed=True,
    longest_request_object=3600,
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {one.name: one for one in (OAUTH21, MCP, CERTIFICATION, FAPI_SECURITY, FAPI_MESSAGE_SIGNING)}
)
"""Every profile by its name, in the order in which they are shown."""


def known_profile(name: str) -> str:
    """The name, where a profile has it. Raises ``UsageError``."""
    if name not in PROFILES:
        near = get_close_matches(name, PROFILES, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(PROFILES)}"
        raise UsageError(f"no profile {name!r}: {advice}")
    return name
