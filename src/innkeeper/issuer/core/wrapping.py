"""How a client wants what it is told: plain, signed, encrypted to its key (OpenID Connect Core §10)."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.profiles import HS256, Profile
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.errors import INVALID_REQUEST
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

DEFAULT_SIGNING = "RS256"
"""What signs where a client that wants a signature names no algorithm."""

DEFAULT_ENCRYPTION = "A128CBC-HS256"
"""What content is encrypted with where a client names none (OpenID Connect Dynamic Registration §2)."""


class Wrapping(msgspec.Struct, frozen=True):
    """What is put around an answer. ``signing`` is the algorithm of its signature; ``alg`` and ``enc`` are those of
    its encryption, which goes around the signature. "" is none."""

    signing: str = ""
    alg: str = ""
    enc: str = ""


PLAIN = Wrapping()
"""Nothing around it."""


def of_id_token(client: Client, signing: str) -> Wrapping:
    """An ID token is always signed; the issuer's dialect says how."""
    return _wrapping(signing, client.id_token_encrypted_response_alg, client.id_token_encrypted_response_enc)


def of_userinfo(client: Client, profile: Profile) -> Wrapping:
    """Userinfo is plain JSON for a client that registered nothing."""
    wanted = client.userinfo_signed_response_alg
    signing = profile.algorithm(wanted) if wanted else ""
    return _wrapping(signing, client.userinfo_encrypted_response_alg, client.userinfo_encrypted_response_enc)


def of_introspection(client: Client, profile: Profile) -> Wrapping:
    """An introspection asked for as a JWT is always signed."""
    signing = profile.algorithm(client.introspection_signed_response_alg or DEFAULT_SIGNING)
    return _wrapping(signing, client.introspection_encrypted_response_alg, client.introspection_encrypted_response_enc)


def of_response(client: Client, profile: Profile) -> Wrapping:
    """An authorization response asked for as a JWT is always signed."""
    signing = profile.algorithm(client.authorization_signed_response_alg or DEFAULT_SIGNING)
    return _wrapping(signing, client.authorization_encrypted_response_alg, client.authorization_encrypted_response_enc)


def signing_of(client: Client, profile: Profile) -> frozenset[str]:
    """What a client's answers are signed with: keys are made for it before the client has looked which there are."""
    wrappings = (of_userinfo(client, profile), of_introspection(client, profile), of_response(client, profile))
    return frozenset(
        {profile.id_token_algorithm(client.id_token_alg), *(one.signing for one in wrappings)} - {"", HS256}
    )


def _wrapping(signing: str, alg: str, enc: str) -> Wrapping:
    return Wrapping(signing, alg, (enc or DEFAULT_ENCRYPTION) if alg else "")


class Case(msgspec.Struct, frozen=True):
    """A client that wants its answers encrypted. ``problem`` says why no key of its own can be encrypted to."""

    client_id: str
    wrapping: Wrapping
    problem: str


def judge(case: Case) -> Trail:
    """Whether an answer can be encrypted to the client."""
    return follow("encryption", CHECKS, case)


@check("OpenID Connect Core §10.2.1")
def a_key_of_the_client_can_be_encrypted_to(case: Case) -> Seen | Refusal:
    """A client that wants encrypted answers has published a key for the algorithm it registered."""
    if case.problem:
        return Refusal(NO_KEY, case.problem, f"a key for {case.wrapping.alg}", f"none of {case.client_id!r}")
    return Seen(case.client_id, f"a key for {case.wrapping.alg}")


CHECKS = (a_key_of_the_client_can_be_encrypted_to,)

NO_KEY = Page(
    "IK227",
    INVALID_REQUEST,
    "The answer cannot be encrypted to the client",
    "The client registered to have this answer encrypted, but none of its keys can be: its jwks_uri gives no keys, or "
    "none of the kind that the algorithm needs with use enc or without use.",
    "Publish an RSA key for RSA-OAEP, a P-256 or X25519 key for ECDH-ES, with use enc; or register without encryption.",
    "The client has no key that the response could be encrypted to.",
)
