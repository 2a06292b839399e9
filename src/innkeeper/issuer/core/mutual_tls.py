"""Clients that prove themselves by their TLS certificate, and tokens that only its holder can use (RFC 8705).

The proxy that ends TLS makes sure that the caller holds the certificate's key; that is all it is believed about. Who
the certificate speaks for is judged here: by the key that a client registered, or by a name in it that one of the
realm's authorities vouches for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from innkeeper.issuer.core.records import Client
from innkeeper.keys.certificates import Certificate, same_address, same_name
from innkeeper.protocol.errors import INVALID_CLIENT, INVALID_REQUEST, INVALID_TOKEN
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

CONFIRMATION = "x5t#S256"
"""The member of ``cnf`` that holds a certificate's SHA-256 (§3.1)."""


class Names(Protocol):
    """Where a client says by which name in its certificate it is known."""

    @property
    def tls_client_auth_subject_dn(self) -> str: ...


class Case(msgspec.Struct, frozen=True):
    """A client and the certificate that its request came with.

    ``vouched_for`` says that an authority of the realm signed it, ``registered`` that its key is among the client's.
    """

    client: Client
    certificate: Certificate | None
    now: int
    vouched_for: bool = False
    registered: bool = False


def confirmation(client: Client | None, certificate: Certificate | None, *, also: bool = False) -> dict[str, str]:
    """The ``cnf`` member for a client that registered to have its tokens bound so, or, with ``also``, for any caller."""
    wants = client is not None and client.tls_client_certificate_bound_access_tokens
    if certificate is None or not (also or wants):
        return {}
    return {CONFIRMATION: certificate.thumbprint}


def not_the_holder(bound: Mapping[str, object], certificate: Certificate | None) -> Refusal | None:
    """The refusal where a token is bound to another certificate than the one its bearer showed, or to one at all."""
    expected = bound.get(CONFIRMATION)
    found = certificate.thumbprint if certificate else ""
    if expected is None or expected == found:
        return None
    return Refusal(OTHER_CERTIFICATE, "the token is bound to another certificate", str(expected), found or "none")


def why_not_one_name(said: Names) -> str | None:
    """Why a certificate could never be compared with what a client says of its name; None where it can (§2.1.2)."""
    named = [kind for kind in _NAMES if getattr(said, f"tls_client_auth_{kind}")]
    if len(named) != 1:
        return f"tls_client_auth needs one tls_client_auth_… member, and {len(named)} came"
    name = said.tls_client_auth_subject_dn
    if name and not same_name(name, name):
        return "tls_client_auth_subject_dn is not written as RFC 4514 does, such as CN=shop.example,O=The shop"
    return None


@check("RFC 8705 §2")
def a_certificate_came(case: Case) -> Seen | Refusal:
    """The connection was made with a TLS certificate, and it is in force."""
    one = case.certificate
    if one is None:
        return Refusal(CERTIFICATE_WRONG, "no certificate came", "a TLS certificate", "none")
    if not one.not_before <= case.now <= one.not_after:
        rule = f"{one.not_before} to {one.not_after}"
        return Refusal(CERTIFICATE_WRONG, "the certificate is not in force now", rule, str(case.now))
    return Seen(one.subject or one.thumbprint)


@check("RFC 8705 §2.1")
def an_authority_vouches_for_it(case: Case) -> Seen | Refusal:
    """One of the realm's authorities signed the certificate, for use by clients."""
    if not case.vouched_for:
        return Refusal(
            CERTIFICATE_WRONG, "no authority of this realm vouches for the certificate", "one that does", "none"
        )
    return Seen("an authority of this realm")


@check("RFC 8705 §2.1.2")
def its_name_is_the_registered_one(case: Case) -> Seen | Refusal:
    """The one name that the client registered stands in the certificate."""
    registered = [(kind, name) for kind in _NAMES if (name := getattr(case.client, f"tls_client_auth_{kind}"))]
    if len(registered) != 1 or case.certificate is None:
        return Refusal(CERTIFICATE_WRONG, "the client did not register one name", "one name", str(len(registered)))
    kind, name = registered[0]
    found = _NAMES[kind](case.certificate)
    same = _COMPARED.get(kind, str.__eq__)
    if not any(same(name, one) for one in found):
        return Refusal(CERTIFICATE_WRONG, f"the certificate's {kind} is not the registered one", name, " ".join(found))
    return Seen(name)


@check("RFC 8705 §2.2")
def its_key_is_the_clients(case: Case) -> Seen | Refusal:
    """The certificate's key is among those that the client registered; who signed it does not matter."""
    if not case.registered:
        found = case.certificate.key if case.certificate else ""
        return Refusal(
            CERTIFICATE_WRONG, "the certificate's key is not in the client's jwks", "a registered key", found
        )
    return Seen("a registered key")


BY_NAME_CHECKS = (a_certificate_came, an_authority_vouches_for_it, its_name_is_the_registered_one)
BY_KEY_CHECKS = (a_certificate_came, its_key_is_the_clients)

_NAMES: Mapping[str, Callable[[Certificate], tuple[str, ...]]] = {
    "subject_dn": lambda one: (one.subject,),
    "san_dns": lambda one: one.dns,
    "san_uri": lambda one: one.uris,
    "san_ip": lambda one: one.addresses,
    "san_email": lambda one: one.emails,
}
_COMPARED: Mapping[str, Callable[[str, str], bool]] = {"subject_dn": same_name, "san_ip": same_address}

CERTIFICATE_WRONG = Page(
    "IK205",
    INVALID_CLIENT,
    "The TLS certificate does not prove the client",
    "No certificate came from a proxy that is believed, it is not in force, no authority of the realm signed it, the "
    "name that the client registered is not in it, or its key is not in the client's jwks.",
    "Compare the certificate with the client's tls_client_auth_… member or jwks. Check that the proxy asks for "
    "certificates, that trusted_proxies names it and client_certificate_header its header.",
    "The client could not be authenticated.",
    401,
)
CERTIFICATE_MISSING = Page(
    "IK252",
    INVALID_REQUEST,
    "The client must bring its TLS certificate",
    "The client is registered with tls_client_certificate_bound_access_tokens, so it gets no token that a thief could "
    "use, but the request came without a certificate.",
    "Call the endpoints under mtls_endpoint_aliases of the discovery document, with the client's certificate.",
    "A TLS client certificate is required.",
)
OTHER_CERTIFICATE = Page(
    "IK324",
    INVALID_TOKEN,
    "The token is bound to another TLS certificate",
    "A bound token works only over a connection that was made with the certificate it was cut for.",
    "Use the certificate that the token was got with. A stolen token is of no use.",
    "The token is bound to another certificate.",
    401,
)
