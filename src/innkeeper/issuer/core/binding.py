"""Binding tokens to a key their holder keeps: what a client must bring, and what a grant remembers of it."""

from __future__ import annotations

from collections.abc import Mapping

from innkeeper.issuer.core.mutual_tls import CERTIFICATE_MISSING, CONFIRMATION
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.errors import INVALID_DPOP_PROOF, INVALID_GRANT, INVALID_REQUEST
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen


def brought(client: Client, confirmation: Mapping[str, str], *, required: bool = False) -> Seen | Refusal:
    """Whether a client that always binds its tokens has proved a key; ``required`` where its profile binds them all."""
    if required and not confirmation:
        return Refusal(NOT_BOUND, "the profile gives out bound tokens only", "a DPoP proof or a certificate", "neither")
    if client.tls_client_certificate_bound_access_tokens and CONFIRMATION not in confirmation:
        reason = "the client's tokens are always bound to its certificate, but none came"
        return Refusal(CERTIFICATE_MISSING, reason, "a TLS certificate", "none")
    if client.dpop_bound and "jkt" not in confirmation:
        return Refusal(PROOF_MISSING, "the client's tokens are always bound, but no proof came", "a DPoP proof", "none")
    return Seen(tuple(confirmation) or "no key")


def same_key(remembered: Mapping[str, str], proved: Mapping[str, str]) -> Seen | Refusal:
    """Whether the key that was proved now is the one that a code or refresh token is bound to, if it is."""
    for kind, expected in remembered.items():
        found = proved.get(kind, "")
        if found != expected:
            return Refusal(KEY_DIFFERS, "the grant is bound to another key", expected, found or "no proof")
    return Seen(", ".join(remembered.values()) or "not bound")


def kept(client: Client, proved: Mapping[str, str]) -> dict[str, str]:
    """What a refresh token is bound to: a public client's key. A confidential client proves itself anyway (§5)."""
    return dict(proved) if client.public else {}


PROOF_MISSING = Page(
    "IK250",
    INVALID_DPOP_PROOF,
    "The client must bring a DPoP proof",
    "The client is registered with dpop_bound_access_tokens, so it gets no token that a thief could use.",
    "Send a DPoP header with a proof for this request; most OAuth libraries make it once they are given a key.",
    "A DPoP proof is required.",
)
KEY_DIFFERS = Page(
    "IK251",
    INVALID_GRANT,
    "The grant is bound to another key",
    "The code was asked for with dpop_jkt, or the refresh token was given to the holder of a key; the proof or the "
    "certificate of this request is of another key, or there is none.",
    "Use the same key for the whole life of a grant. Sign in again with a new one.",
    "The grant is bound to another key.",
)
NOT_BOUND = Page(
    "IK253",
    INVALID_REQUEST,
    "The profile gives out bound tokens only",
    "The client lives by a profile in which a stolen token must be of no use, so every token is bound to a key: by a "
    "DPoP proof, or by the TLS certificate of a client registered for that.",
    "Send a DPoP proof with the request, or register tls_client_certificate_bound_access_tokens and use a certificate.",
    "A DPoP proof or a TLS client certificate is required.",
)
