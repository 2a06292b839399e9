"""Programs with the clouds' real addresses and no settings, run as ``innkeeper twin run`` runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from innkeeper.detour.names import why_not
from tests.inn import Inn, open_inn

ROOT = Path(__file__).parents[2]
INNKEEPER = str(Path(sys.executable).with_name("innkeeper"))
NODE = Path(sys.executable).with_name("node")
MODULES = ROOT / "tests" / "interop" / "node" / "node_modules"
POOL = "us-east-1_innkeepr1"
PYTHON = (sys.executable, "-c")


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    with open_inn(tmp_path_factory.mktemp("zero-change")) as opened:
        yield opened


def ran(
    inn: Inn,
    script: str,
    *more: str,
    cloud: str,
    words: tuple[str, ...] = PYTHON,
    by: tuple[str, ...] = ("--refuse-others",),
) -> Any:
    """What a program prints as JSON, with nothing of ours in its environment but what the run itself sets."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "INNKEEPER_", "SSL_"))}
    told = {"INNKEEPER_PORT": str(inn.port), "INNKEEPER_STATE": str(inn.folder / ".innkeeper"), "HOME": str(inn.folder)}
    usual["NODE_PATH"] = str(MODULES)
    command = [INNKEEPER, "twin", "run", f"--{cloud}", *by, "--", *words, script, *more]
    done = subprocess.run(command, env={**usual, **told}, cwd=inn.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "refused a connection" not in done.stderr
    return json.loads(done.stdout)


BOTO3 = f"""
import boto3, json, urllib.parse, urllib.request
pools = boto3.client("cognito-idp", region_name="us-east-1")
[client] = [one for one in pools.list_user_pool_clients(UserPoolId="{POOL}", MaxResults=60)["UserPoolClients"]
            if one["ClientName"] == "concierge"]
secret = pools.describe_user_pool_client(UserPoolId="{POOL}", ClientId=client["ClientId"])["UserPoolClient"]["ClientSecret"]
domain = pools.describe_user_pool(UserPoolId="{POOL}")["UserPool"]["Domain"]
form = {{"grant_type": "client_credentials", "client_id": client["ClientId"], "client_secret": secret}}
url = f"https://{{domain}}.auth.us-east-1.amazoncognito.com/oauth2/token"
token = json.load(urllib.request.urlopen(url, data=urllib.parse.urlencode(form).encode()))["access_token"]
who = boto3.client("sts", region_name="us-east-1").get_caller_identity()["Account"]
import jwt
keys = jwt.PyJWKClient(f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}/.well-known/jwks.json")
print(json.dumps({{"claims": jwt.decode(token, keys.get_signing_key_from_jwt(token), algorithms=["RS256"]), "who": who}}))
"""


def test_boto3_without_an_endpoint_finds_the_twin_and_its_tokens_name_the_cloud(inn: Inn) -> None:
    said = ran(inn, BOTO3, cloud="cognito")
    assert said["claims"]["iss"] == f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
    assert said["claims"]["token_use"] == "access"
    assert len(said["who"]) == 12


TENANT = "5a9b7f1e-3c42-4d7a-8e15-0c6d2f4b9a31"

MSAL = f"""
import json, sys, msal, urllib.request
twin = json.loads(sys.argv[1])
[concierge] = [one for one in twin["clients"] if one["name"] == "concierge"]
app = msal.ConfidentialClientApplication(
    concierge["id"], authority="https://login.microsoftonline.com/{TENANT}", client_credential=concierge["secret"])
answer = app.acquire_token_for_client([twin["apis"][0]["default_scope"]])
import jwt
keys = jwt.PyJWKClient("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys")
token = answer["access_token"]
claims = jwt.decode(
    token, keys.get_signing_key_from_jwt(token), algorithms=["RS256"], audience=twin["apis"][0]["id"],
    issuer="https://login.microsoftonline.com/{TENANT}/v2.0")
print(json.dumps(claims))
"""


def test_msal_with_microsofts_own_authority_finds_the_twin(inn: Inn) -> None:
    claims = ran(inn, MSAL, entra(inn), cloud="entra")
    assert claims["tid"] == TENANT
    assert claims["roles"]


AZURE = """
import json, sys
from azure.identity import ClientSecretCredential
twin = json.loads(sys.argv[1])
[concierge] = [one for one in twin["clients"] if one["name"] == "concierge"]
credential = ClientSecretCredential(twin["tenant"], concierge["id"], concierge["secret"])
print(json.dumps(len(credential.get_token(twin["apis"][0]["default_scope"]).token.split("."))))
"""


def test_azure_identity_without_a_setting_finds_the_twin(inn: Inn) -> None:
    assert ran(inn, AZURE, entra(inn), cloud="entra") == 3


MSAL_NODE = f"""
const {{ ConfidentialClientApplication }} = require('@azure/msal-node');
const twin = JSON.parse(process.argv[1]);
const concierge = twin.clients.find((one) => one.name === 'concierge');
const auth = {{ clientId: concierge.id, authority: 'https://login.microsoftonline.com/{TENANT}', clientSecret: concierge.secret }};
new ConfidentialClientApplication({{ auth }})
  .acquireTokenByClientCredential({{ scopes: [twin.apis[0].default_scope] }})
  .then((answer) => console.log(JSON.stringify(answer.tokenType)));
"""


def test_msal_node_with_microsofts_own_authority_finds_the_twin(inn: Inn) -> None:
    assert ran(inn, MSAL_NODE, entra(inn), cloud="entra", words=(str(NODE), "-e")) == "Bearer"


ASYNC_AND_API = """
import asyncio, json, sys
from azure.identity.aio import ClientSecretCredential
twin = json.loads(sys.argv[1])
[concierge] = [one for one in twin["clients"] if one["name"] == "concierge"]
api = twin["apis"][0]

async def get():
    async with ClientSecretCredential(twin["tenant"], concierge["id"], concierge["secret"]) as credential:
        return (await credential.get_token(api["default_scope"])).token

token = asyncio.run(get())
from fastapi import FastAPI, Security
from fastapi.testclient import TestClient
from fastapi_azure_auth import SingleTenantAzureAuthorizationCodeBearer
scheme = SingleTenantAzureAuthorizationCodeBearer(app_client_id=api["id"], tenant_id=twin["tenant"])
app = FastAPI()

@app.get("/", dependencies=[Security(scheme)])
async def door():
    return {"open": True}

client = TestClient(app)
good = client.get("/", headers={"authorization": f"Bearer {token}"})
changed = client.get("/", headers={"authorization": f"Bearer {token[:-8]}AAAAAAAA"})
print(json.dumps([good.status_code, good.json(), changed.status_code]))
"""


def test_azure_identitys_async_credentials_and_fastapi_azure_auth_find_the_twin(inn: Inn) -> None:
    """The classes of fastapi-azure-auth that know Microsoft's address alone."""
    assert ran(inn, ASYNC_AND_API, entra(inn), cloud="entra") == [200, {"open": True}, 401]


IDENTITY_AND_PASSPORT = """
const { ClientSecretCredential } = require('@azure/identity');
const { BearerStrategy } = require('passport-azure-ad');
const twin = JSON.parse(process.argv[1]);
const concierge = twin.clients.find((one) => one.name === 'concierge');
const [api] = twin.apis;
const identityMetadata = `https://login.microsoftonline.com/${twin.tenant}/v2.0/.well-known/openid-configuration`;
const options = { identityMetadata, clientID: api.id, audience: api.id, loggingNoPII: true };
const strategy = new BearerStrategy(options, (token, done) => done(null, { id: token.sub }, token));
const answer = (text) => new Promise((resolve) => {
  strategy.success = (user, info) => resolve(info.roles.length > 0);
  strategy.fail = (challenge) => resolve(String(challenge));
  strategy.error = (error) => resolve(String(error));
  strategy.authenticate({ headers: { authorization: `Bearer ${text}` }, query: {}, body: {} }, {});
});
new ClientSecretCredential(twin.tenant, concierge.id, concierge.secret)
  .getToken(api.default_scope)
  .then(async ({ token }) => [await answer(token), typeof (await answer(token.slice(0, -8) + 'AAAAAAAA'))])
  .then((seen) => console.log(JSON.stringify(seen)));
"""


def test_azure_identity_for_javascript_and_passport_azure_ad_find_the_twin(inn: Inn) -> None:
    assert ran(inn, IDENTITY_AND_PASSPORT, entra(inn), cloud="entra", words=(str(NODE), "-e")) == [True, "string"]


AWS_NODE = f"""
const {{ CognitoIdentityProviderClient, ListUserPoolClientsCommand }} = require('@aws-sdk/client-cognito-identity-provider');
new CognitoIdentityProviderClient({{ region: 'us-east-1' }})
  .send(new ListUserPoolClientsCommand({{ UserPoolId: '{POOL}', MaxResults: 60 }}))
  .then((answer) => console.log(JSON.stringify(answer.UserPoolClients.map((one) => one.ClientName))));
"""


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can be done here")
def test_the_aws_sdk_for_javascript_without_an_endpoint_finds_the_twin_by_names(inn: Inn) -> None:
    """It connects for itself, whatever the environment says of proxies."""
    assert "concierge" in ran(inn, AWS_NODE, cloud="cognito", words=(str(NODE), "-e"), by=("--names",))


def entra(inn: Inn) -> str:
    """What ``innkeeper twin show`` says of the tenant."""
    told = {"INNKEEPER_PORT": str(inn.port), "INNKEEPER_STATE": str(inn.folder / ".innkeeper")}
    words = [INNKEEPER, "twin", "show", "--json"]
    shown = subprocess.run(words, env={**os.environ, **told}, cwd=inn.folder, capture_output=True, check=True)
    return json.dumps(next(one for one in json.loads(shown.stdout)["twins"] if one["dialect"] == "entra"))


def test_the_example_of_a_job_runs_what_is_tested_here() -> None:
    lines = (ROOT / "examples" / "ci.yml").read_text("utf-8").splitlines()
    assert lines[-1].strip() == "- run: innkeeper twin run --refuse-others -- pytest"
