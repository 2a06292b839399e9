"""Microsoft's Python libraries and fastapi-azure-auth, unmodified, over TLS, with their own local settings."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import msal
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    EnvironmentCredential,
    OnBehalfOfCredential,
)
from azure.identity.aio import CertificateCredential as AsyncCertificateCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.twins.entra.sdks import Twin, go_through
from tests.twins.entra.tenant import TENANT, claims
from tests.twins.parity import parity


@pytest.fixture(scope="module", autouse=True)
def no_other_bundle() -> Iterator[None]:
    """``verify`` gives way to these variables in some libraries, whoever set them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy"):
            patch.delenv(name, raising=False)
        yield


def confidential(twin: Twin, **changes: Any) -> msal.ConfidentialClientApplication:
    usual = {
        "client_credential": twin.secret,
        "authority": twin.authority,
        "instance_discovery": False,
        "verify": twin.ca,
    }
    return msal.ConfidentialClientApplication(twin.concierge, **{**usual, **changes})


@parity("SDKs", "observed")
def test_msal_python_gets_a_token_for_an_application_and_keeps_it(twin: Twin) -> None:
    app = confidential(twin)
    first = app.acquire_token_for_client([twin.scope])
    assert first.get("token_source") == "identity_provider", first
    assert claims(first["access_token"])["azp"] == twin.concierge
    assert app.acquire_token_for_client([twin.scope])["token_source"] == "cache"


@parity("SDKs", "observed")
def test_msal_python_is_told_the_code_of_a_refusal(twin: Twin) -> None:
    answer = confidential(twin, client_credential="wrong").acquire_token_for_client([twin.scope])
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [7000215])


@parity("SDKs", "observed")
def test_msal_python_finds_the_twin_by_instance_discovery_and_by_oidc_authority(twin: Twin) -> None:
    discovery = f"https://{twin.host}/common/discovery/instance"
    assert "access_token" in confidential(twin, instance_discovery=discovery).acquire_token_for_client([twin.scope])
    app = msal.ConfidentialClientApplication(
        twin.concierge, client_credential=twin.secret, oidc_authority=f"{twin.authority}/v2.0", verify=twin.ca
    )
    assert "access_token" in app.acquire_token_for_client([twin.scope])


@parity("SDKs", "observed")
def test_msal_python_signs_a_person_in_and_refreshes_silently(twin: Twin) -> None:
    app = msal.PublicClientApplication(twin.app, authority=twin.authority, instance_discovery=False, verify=twin.ca)
    flow = app.initiate_auth_code_flow(
        [twin.room], redirect_uri="http://localhost:5000/callback", response_mode="form_post"
    )
    back = go_through(twin, flow["auth_uri"])
    sent = {name: values[0] for name, values in parse_qs(back.query.decode()).items()}
    found = app.acquire_token_by_auth_code_flow(flow, sent)
    assert "room:enter" in claims(found["access_token"])["scp"].split(), found
    assert found["id_token_claims"]["tid"] == TENANT
    [account] = app.get_accounts()
    assert account["home_account_id"] == f"{found['id_token_claims']['oid']}.{TENANT}"
    silent = app.acquire_token_silent([twin.room], account=account, force_refresh=True)
    assert silent is not None
    assert silent["token_source"] == "identity_provider"


@parity("SDKs", "observed")
def test_msal_python_signs_a_device_in(twin: Twin) -> None:
    app = msal.PublicClientApplication(twin.app, authority=twin.authority, instance_discovery=False, verify=twin.ca)
    flow = app.initiate_device_flow([twin.room])
    go_through(twin, f"{flow['verification_uri']}?user_code={flow['user_code']}")
    flow["interval"] = 0
    found = app.acquire_token_by_device_flow(flow, exit_condition=lambda flow: True)
    assert "room:enter" in claims(found["access_token"])["scp"].split(), found


@parity("SDKs", "observed")
def test_msal_python_trades_a_persons_token_on_their_behalf(twin: Twin) -> None:
    app = confidential(twin)
    flow = app.initiate_auth_code_flow(
        [twin.room], redirect_uri="http://127.0.0.1:8765/callback", response_mode="form_post"
    )
    go_through(twin, flow["auth_uri"])
    guest = msal.PublicClientApplication(twin.app, authority=twin.authority, instance_discovery=False, verify=twin.ca)
    scope = f"api://{twin.concierge}/user_impersonation"
    flow = guest.initiate_auth_code_flow(
        [scope], redirect_uri="http://localhost:5000/callback", response_mode="form_post"
    )
    sent = {name: values[0] for name, values in parse_qs(go_through(twin, flow["auth_uri"]).query.decode()).items()}
    incoming = guest.acquire_token_by_auth_code_flow(flow, sent)["access_token"]
    found = app.acquire_token_on_behalf_of(incoming, [twin.room])
    assert claims(found["access_token"])["oid"] == claims(incoming)["oid"], found
    credential = OnBehalfOfCredential(
        TENANT,
        twin.concierge,
        client_secret=twin.secret,
        user_assertion=incoming,
        authority=f"https://{twin.host}",
        disable_instance_discovery=True,
        connection_verify=twin.ca,
    )
    assert claims(credential.get_token(twin.room).token)["azp"] == twin.concierge


class Certified:
    """An application with a certificate, made through Microsoft Graph, and its files."""

    def __init__(self, twin: Twin, folder: Path) -> None:
        key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a client")])
        start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start.replace(year=2040))
        made = builder.sign(key, SHA256())
        self.thumbprint = made.fingerprint(SHA1()).hex()
        self.public = made.public_bytes(Encoding.PEM).decode()
        self.private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self.file = folder / "client.pem"
        self.file.write_text(self.private + self.public, "ascii")
        self.client = _register(twin, made.public_bytes(Encoding.DER))


def _register(twin: Twin, der: bytes) -> str:
    from base64 import b64encode

    client, secret = twin.caretaker
    token = confidential_of(twin, client, secret).acquire_token_for_client([f"https://{twin.host}/.default"])
    headers = {"authorization": f"Bearer {token['access_token']}"}
    key = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": b64encode(der).decode()}
    context = ssl.create_default_context(cafile=twin.ca)
    with httpx2.Client(base_url=f"https://{twin.host}/v1.0", verify=context, headers=headers, trust_env=False) as graph:
        made = graph.post("/applications", json={"displayName": "Certified", "keyCredentials": [key]})
        assert made.status_code == 201, made.text
        app_id = str(made.json()["appId"])
        assert graph.post("/servicePrincipals", json={"appId": app_id}).status_code == 201
    return app_id


def confidential_of(twin: Twin, client: str, secret: Any) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        client, client_credential=secret, authority=twin.authority, instance_discovery=False, verify=twin.ca
    )


@pytest.fixture(scope="module")
def certified(twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return Certified(twin, tmp_path_factory.mktemp("certified"))


@parity("SDKs", "observed")
def test_msal_python_proves_itself_by_certificate_in_both_its_ways(twin: Twin, certified: Certified) -> None:
    ways = [
        {"private_key": certified.private, "public_certificate": certified.public},
        {"private_key": certified.private, "thumbprint": certified.thumbprint},
    ]
    for way in ways:
        found = confidential_of(twin, certified.client, way).acquire_token_for_client([twin.scope])
        assert claims(found["access_token"])["azpacr"] == "2", found


def local(twin: Twin) -> dict[str, Any]:
    return {"authority": f"https://{twin.host}", "disable_instance_discovery": True, "connection_verify": twin.ca}


@parity("SDKs", "observed")
def test_azure_identity_gets_tokens_by_secret_certificate_and_environment(
    twin: Twin, certified: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = ClientSecretCredential(TENANT, twin.concierge, twin.secret, **local(twin))
    assert claims(secret.get_token(twin.scope).token)["azpacr"] == "1"
    by_certificate = CertificateCredential(TENANT, certified.client, str(certified.file), **local(twin))
    assert claims(by_certificate.get_token(twin.scope).token)["azpacr"] == "2"
    told = {"TENANT_ID": TENANT, "CLIENT_ID": twin.concierge, "CLIENT_SECRET": twin.secret}
    for name, value in {**told, "AUTHORITY_HOST": f"https://{twin.host}"}.items():
        monkeypatch.setenv(f"AZURE_{name}", value)
    environment = EnvironmentCredential(disable_instance_discovery=True, connection_verify=twin.ca)
    assert claims(environment.get_token(twin.scope).token)["azp"] == twin.concierge
    wrong = ClientSecretCredential(TENANT, twin.concierge, "wrong", **local(twin))
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        wrong.get_token(twin.scope)


@parity("SDKs", "observed")
def test_azure_identitys_async_credentials_work_too(twin: Twin, certified: Certified) -> None:
    async def tokens() -> list[str]:
        found = []
        async with AsyncClientSecretCredential(TENANT, twin.concierge, twin.secret, **local(twin)) as credential:
            found.append((await credential.get_token(twin.scope)).token)
        certificate = AsyncCertificateCredential(TENANT, certified.client, str(certified.file), **local(twin))
        async with certificate as credential:
            found.append((await credential.get_token(twin.scope)).token)
        return found

    assert [claims(one)["azpacr"] for one in asyncio.run(tokens())] == ["1", "2"]


@pytest.fixture
def api(twin: Twin) -> Iterator[Any]:
    """An API guarded by fastapi-azure-auth, as its readme builds one."""
    from fastapi import FastAPI, Security
    from fastapi_azure_auth.auth import AzureAuthorizationCodeBearerBase

    context = ssl.create_default_context(cafile=twin.ca)
    scheme = AzureAuthorizationCodeBearerBase(
        app_client_id=twin.api,
        tenant_id=TENANT,
        openid_config_url=f"{twin.authority}/v2.0/.well-known/openid-configuration",
        openapi_authorization_url=f"{twin.authority}/oauth2/v2.0/authorize",
        openapi_token_url=f"{twin.authority}/oauth2/v2.0/token",
        scopes={twin.room: "enter"},
        http_client_config={"verify": context},
    )

    async def lifespan(_: Any) -> AsyncIterator[None]:
        await scheme.openid_config.load_config()
        yield

    from contextlib import asynccontextmanager

    app = FastAPI(lifespan=asynccontextmanager(lifespan))

    @app.get("/room", dependencies=[Security(scheme, scopes=["room:enter"])])
    async def room() -> dict[str, bool]:
        return {"open": True}

    return app


@parity("SDKs", "observed")
def test_fastapi_azure_auth_lets_a_persons_token_in_and_an_applications_not(twin: Twin, api: Any) -> None:
    from starlette.testclient import TestClient

    app = msal.PublicClientApplication(twin.app, authority=twin.authority, instance_discovery=False, verify=twin.ca)
    flow = app.initiate_auth_code_flow(
        [twin.room], redirect_uri="http://localhost:5000/callback", response_mode="form_post"
    )
    sent = {name: values[0] for name, values in parse_qs(go_through(twin, flow["auth_uri"]).query.decode()).items()}
    person = app.acquire_token_by_auth_code_flow(flow, sent)["access_token"]
    machine = confidential(twin).acquire_token_for_client([twin.scope])["access_token"]
    with TestClient(api) as client:
        assert client.get("/room", headers={"authorization": f"Bearer {person}"}).json() == {"open": True}
        refused = client.get("/room", headers={"authorization": f"Bearer {machine}"})
        assert refused.status_code == 403
