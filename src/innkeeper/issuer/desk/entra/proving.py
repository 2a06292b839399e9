"""What a caller sent to prove itself, looked at: secrets compared by digest, assertions verified with known keys."""

from __future__ import annotations

from hmac import compare_digest

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from innkeeper.issuer.core.entra.asking import Ask
from innkeeper.issuer.core.entra.assertions import Assertion, Unreadable, names, read
from innkeeper.issuer.core.entra.client_proof import EXPIRED, JWT_BEARER, RIGHT, WRONG, Proof
from innkeeper.issuer.core.entra.directory import Application
from innkeeper.issuer.core.entra.names import ALIASES, CLOUD, V1, V2
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.desk.client_keys import read_signed
from innkeeper.issuer.desk.entra.cloud import Cloud, Desk
from innkeeper.issuer.desk.fetching import KEY_SET
from innkeeper.issuer.desk.outside import NotFetched
from innkeeper.issuer.desk.realm import Realm, digest
from innkeeper.keys import jws
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.strict_json import NotStrict, read_object


async def proof_of(cloud: Cloud, desk: Desk, party: Party, ask: Ask, now: int) -> Proof:
    """The facts about what a request proves."""
    half = _missing_half(ask)
    secret, text = ask.get("client_secret"), ask.get("client_assertion")
    state = _secret_state(party.application, secret, now) if secret else ""
    if half or not text:
        return Proof(secret=state, half=half)
    try:
        assertion = read(text)
    except Unreadable as error:
        return Proof(secret=state, unreadable=str(error))
    proof = Proof(secret=state, assertion=assertion, addresses=addresses(cloud, desk))
    if assertion.text("iss") == party.id:
        return msgspec.structs.replace(proof, signature=_own_key(party.application, assertion, now))
    return await _federated(cloud, desk, proof, text)


def _missing_half(ask: Ask) -> str:
    kind, text = ask.get("client_assertion_type"), ask.get("client_assertion")
    if text and kind != JWT_BEARER:
        return "client_assertion_type"
    return "client_assertion" if kind and not text else ""


def _secret_state(application: Application, secret: str, now: int) -> str:
    """How a secret compares. All are compared, so that the time tells nothing."""
    sent = digest(secret)
    alike = [one for one in application.passwords if compare_digest(one.digest, sent)]
    if not alike:
        return WRONG
    return RIGHT if any(one.start <= now < one.end for one in alike) else EXPIRED


def addresses(cloud: Cloud, desk: Desk) -> frozenset[str]:
    """Every name that an assertion may call the token endpoint by."""
    tenants = (desk.id, *desk.domains, *ALIASES)
    endings = ("oauth2/v2.0/token", "oauth2/token")
    hosts = {cloud.names.login, CLOUD}
    found = {f"{host}/{tenant}/{ending}" for host in hosts for tenant in tenants for ending in endings}
    return frozenset(found | {cloud.names.issuer(version, desk.id) for version in (V1, V2)})


def _own_key(application: Application, assertion: Assertion, now: int) -> str:
    """ "" where a certificate of the application that the header points at verifies the assertion, else why not."""
    live = [one for one in application.certificates if one.start <= now < one.end]
    pointed = [one for one in live if names(assertion, one.der)]
    if not pointed:
        return "the key was not found: no registered certificate has the header's thumbprint"
    if any(_verifies(assertion, one.der) for one in pointed):
        return ""
    return "the signature is not the registered certificate's"


def _verifies(assertion: Assertion, der: bytes) -> bool:
    key = x509.load_der_x509_certificate(der).public_key()
    if (
        isinstance(key, ec.EllipticCurvePublicKey)
        and assertion.signature[:1] == b"\x30"
        and assertion.algorithm == "ES256"
    ):
        return _verifies_asn1(assertion, key)
    parsed = jws.Parsed({}, b"", assertion.signature, assertion.signing_input)
    return isinstance(key, jws.PublicKey) and jws.verify(parsed, key, assertion.algorithm)


def _verifies_asn1(assertion: Assertion, key: ec.EllipticCurvePublicKey) -> bool:
    """A signature in the form that certificates use and JOSE does not; one known client sends it."""
    try:
        key.verify(assertion.signature, assertion.signing_input, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


async def _federated(cloud: Cloud, desk: Desk, proof: Proof, text: str) -> Proof:
    """Another issuer's word: a tenant's of this house by its own keys, anybody else's by the keys that they publish."""
    assertion = proof.assertion
    if assertion is None:
        return proof
    for one in cloud:
        if assertion.text("iss") in (cloud.names.issuer(V1, one.id), cloud.names.issuer(V2, one.id)):
            why = _why_not_ours(one.realm, text)
            return msgspec.structs.replace(proof, signature=why, ours=True, app_only="scp" not in assertion.claims)
    signed = await read_signed(desk.realm, text, await _keys_of(desk.realm, assertion.text("iss")))
    return msgspec.structs.replace(proof, signature=signed.problem)


def _why_not_ours(realm: Realm, text: str) -> str:
    try:
        realm.ring.read(text, "JWT", realm.now())
    except NotOurs as error:
        return str(error)
    return ""


class _Keys(msgspec.Struct, frozen=True):
    """See ``client_keys.KeyHolder``."""

    jwks_uri: str
    jwks: tuple[dict[str, object], ...] = ()


async def _keys_of(realm: Realm, issuer: str) -> _Keys | None:
    """Where an issuer publishes its keys, by its discovery document; None where it cannot be got."""
    try:
        document = await realm.fetcher.fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration", KEY_SET)
        found = read_object(document.body).get("jwks_uri")
    except (NotFetched, NotStrict):
        return None
    return _Keys(found) if isinstance(found, str) else None
