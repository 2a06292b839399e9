"""Applications that prove themselves by certificate or by another issuer's word, in all the forms real clients send."""

from __future__ import annotations

import datetime
import json
import uuid
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha1, sha256
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.issuer.house import ORIGIN, Answer
from tests.twins.entra.tenant import API, CLIENT, GUEST, TENANT, Tenant, access, body, claims, code_of
from tests.twins.parity import parity

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ENDPOINT = f"{ORIGIN}/{TENANT}/oauth2/v2.0/token"
SCOPE = f"api://{API}/.default"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Holder(NamedTuple):
    """An application with a certificate, and the key behind it."""

    client: str
    key: Key
    der: bytes


def certificate(key: Key) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a client")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start)
    return builder.not_valid_after(start + datetime.timedelta(days=3650)).sign(key, SHA256()).public_bytes(Encoding.DER)


def registered(tenant: Tenant, key: Key) -> Holder:
    der = certificate(key)
    credential = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": b64encode(der).decode(), "displayName": "x"}
    made = tenant.graph("POST", "/v1.0/applications", {"displayName": "Certified", "keyCredentials": [credential]})
    client = body(made)["appId"]
    assert tenant.graph("POST", "/v1.0/servicePrincipals", {"appId": client}).status == 201
    return Holder(client, key, der)


@pytest.fixture(scope="module")
def holder(tenant: Tenant) -> Holder:
    return registered(tenant, rsa.generate_private_key(65537, 2048))


def encoded(data: bytes, *, padded: bool = False) -> str:
    text = urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


def signed(header: dict[str, Any], said: dict[str, Any], key: Key, *, padded: bool = False, asn1: bool = False) -> str:
    head, payload = (encoded(json.dumps(one).encode(), padded=padded) for one in (header, said))
    data = f"{head}.{payload}".encode()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        assert asn1
        signature = key.sign(data, ec.ECDSA(SHA256()))
    elif header["alg"] == "PS256":
        signature = key.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
    else:
        signature = key.sign(data, padding.PKCS1v15(), SHA256())
    return f"{head}.{payload}.{encoded(signature, padded=padded)}"


def said_by(tenant: Tenant, client: str, **changes: Any) -> dict[str, Any]:
    now = tenant.house.clock.now
    usual = {"aud": ENDPOINT, "iss": client, "sub": client, "jti": str(uuid.uuid4()), "exp": now + 600, "iat": now}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def sent(tenant: Tenant, client: str, assertion: str, **changes: str) -> Answer:
    form = {
        "grant_type": "client_credentials",
        "client_id": client,
        "client_assertion_type": TYPE,
        "client_assertion": assertion,
        "scope": SCOPE,
        **changes,
    }
    return tenant.token(form)


def short(der: bytes) -> bytes:
    return sha1(der).digest()


def long(der: bytes) -> bytes:
    return sha256(der).digest()


@parity("Certificates", "observed")
@pytest.mark.parametrize(
    "form",
    [
        "documented: PS256, x5t#S256",
        "MSAL Python with a public certificate: padded x5t#S256, lines in x5c, dates as fractions, no nbf",
        "MSAL Python with a thumbprint: RS256, padded x5t",
        "azure-identity's async credential: padded segments",
        "msal-node: nbf, no iat",
        "azuread's Terraform provider: RS256, kid of a padded thumbprint",
        "a thumbprint in hexadecimal",
        "x5c alone",
    ],
)
def test_each_real_clients_form_is_read(tenant: Tenant, holder: Holder, form: str) -> None:
    der, said, padded = holder.der, said_by(tenant, holder.client), False
    header: dict[str, Any] = {"alg": "PS256", "typ": "JWT", "x5t#S256": encoded(long(der))}
    if "lines" in form:
        lines = b64encode(der).decode()
        header |= {
            "x5t#S256": encoded(long(der), padded=True),
            "x5c": ["\n".join(lines[at : at + 64] for at in range(0, len(lines), 64))],
        }
        said |= {"exp": said["exp"] + 0.25, "iat": said["iat"] + 0.25}
    elif "padded x5t" in form:
        header = {"alg": "RS256", "typ": "JWT", "x5t": encoded(short(der), padded=True)}
    elif "segments" in form:
        padded = True
        header["x5t#S256"] = encoded(long(der), padded=True)
    elif "nbf" in form:
        said = {**said_by(tenant, holder.client, iat=None), "nbf": tenant.house.clock.now}
    elif "kid" in form:
        header = {"alg": "RS256", "typ": "JWT", "kid": encoded(short(der), padded=True)}
    elif "hexadecimal" in form:
        header = {"alg": "RS256", "typ": "JWT", "x5t": short(der).hex().upper()}
    elif "x5c" in form:
        header = {"alg": "RS256", "typ": "JWT", "x5c": [b64encode(der).decode()]}
    answer = sent(tenant, holder.client, signed(header, said, holder.key, padded=padded))
    assert claims(access(answer))["azpacr"] == "2", form


@parity("Certificates", "observed")
def test_an_elliptic_signature_in_asn1_is_read_as_the_terraform_provider_sends_it(tenant: Tenant) -> None:
    curved = registered(tenant, ec.generate_private_key(ec.SECP256R1()))
    header = {"alg": "ES256", "typ": "JWT", "kid": encoded(short(curved.der), padded=True)}
    assert (
        sent(tenant, curved.client, signed(header, said_by(tenant, curved.client), curved.key, asn1=True)).status == 200
    )


@parity("Certificates", "inferred")
@pytest.mark.parametrize(
    "audience",
    [
        f"{ORIGIN}/hotel.example/oauth2/v2.0/token",
        f"{ORIGIN}/{TENANT}/oauth2/token",
        f"{ORIGIN}/{TENANT}/v2.0",
        f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
    ],
)
def test_the_token_endpoint_may_be_called_by_its_other_names(tenant: Tenant, holder: Holder, audience: str) -> None:
    header = {"alg": "RS256", "x5t": encoded(short(holder.der))}
    said = said_by(tenant, holder.client, aud=audience)
    assert sent(tenant, holder.client, signed(header, said, holder.key)).status == 200


@parity("Certificates", "documented")
@pytest.mark.parametrize(
    "wrong",
    [
        "another key",
        "unknown thumbprint",
        "audience",
        "subject",
        "expired",
        "not yet",
        "no exp",
        "none",
        "HS256",
        "text",
    ],
)
def test_what_does_not_hold_is_refused(tenant: Tenant, holder: Holder, wrong: str) -> None:
    now, header = tenant.house.clock.now, {"alg": "RS256", "x5t": encoded(short(holder.der))}
    changes = {
        "audience": {"aud": "https://other.example/token"},
        "subject": {"sub": CLIENT["client_id"]},
        "expired": {"exp": now - 301},
        "not yet": {"nbf": now + 301},
        "no exp": {"exp": None},
    }
    said, key = said_by(tenant, holder.client, **changes.get(wrong, {})), holder.key
    if wrong == "another key":
        key = rsa.generate_private_key(65537, 2048)
    if wrong == "unknown thumbprint":
        header["x5t"] = encoded(b"x" * 20)
    text = signed(header, said, key)
    if wrong in ("none", "HS256"):
        head, payload, signature = text.split(".")
        head = encoded(json.dumps({**header, "alg": wrong}).encode())
        text = f"{head}.{payload}.{'' if wrong == 'none' else signature}"
    if wrong == "text":
        text = "made-up"
    answer = sent(tenant, holder.client, text)
    assert (answer.status, body(answer)["error"], code_of(answer)) == (401, "invalid_client", 700027)


@parity("Certificates", "documented")
def test_an_assertion_needs_its_type(tenant: Tenant, holder: Holder) -> None:
    assert code_of(sent(tenant, holder.client, "x", client_assertion_type="other")) == 90014


@pytest.fixture(scope="module")
def federated(tenant: Tenant) -> str:
    """An application for which the concierge's own token, of the same tenant, may speak."""
    made = body(tenant.graph("POST", "/v1.0/applications", {"displayName": "Federated"}))
    tenant.graph("POST", "/v1.0/servicePrincipals", {"appId": made["appId"]})
    subject = claims(access(tenant.client_credentials()))["sub"]
    credential = {"name": "own", "issuer": f"{ORIGIN}/{TENANT}/v2.0", "subject": subject, "audiences": [API]}
    where = f"/v1.0/applications/{made['id']}/federatedIdentityCredentials"
    assert tenant.graph("POST", where, credential).status == 201
    return str(made["appId"])


@parity("Federated credentials", "documented")
def test_issuer_subject_and_audience_that_match_exactly_stand_in_for_a_secret(tenant: Tenant, federated: str) -> None:
    assertion = access(tenant.client_credentials())
    said = claims(access(sent(tenant, federated, assertion)))
    assert (said["azp"], said["azpacr"]) == (federated, "2")


@parity("Federated credentials", "documented")
def test_a_near_miss_names_what_it_missed(tenant: Tenant, federated: str) -> None:
    caretaker = tenant.client_credentials(client_id=CLIENT["client_id"], scope=f"{CLIENT['client_id']}/.default")
    assert code_of(sent(tenant, federated, access(caretaker))) == 700212
    person = tenant.signed_in(login_hint=GUEST)["access_token"]
    assert code_of(sent(tenant, federated, person)) == 700213
    said = said_by(tenant, federated, iss="https://issuer.example", sub="x")
    text = signed({"alg": "RS256"}, said, rsa.generate_private_key(65537, 2048))
    assert code_of(sent(tenant, federated, text)) == 700211
