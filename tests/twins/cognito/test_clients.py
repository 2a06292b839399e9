"""Clients that others wrote for Amazon Cognito, unmodified, against a house that runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

import boto3
import botocore
import httpx2
import pytest
from authlib.integrations.requests_client import OAuth2Session
from botocore.config import Config
from joserfc import jwt
from joserfc.jwk import KeySet
from pycognito import Cognito
from pycognito.aws_srp import AWSSRP

from innkeeper.issuer.desk.cognito.seed import seeded_client_id, seeded_client_secret
from tests.inn import Inn, free_port, open_inn
from tests.twins.cognito.pool import GUEST, POOL
from tests.twins.parity import parity

PASSWORD = "Correct-Horse-7"
CONCIERGE, SECRET = seeded_client_id(POOL, "concierge"), seeded_client_secret(POOL, "concierge")
APP = seeded_client_id(POOL, "guest-app")
CALLBACK = "http://127.0.0.1:8765/callback"
REGION = "us-east-1"
BIN = Path(sys.executable).parent
LAPTOP = Path(__file__).parents[3] / "src" / "innkeeper" / "issuer" / "laptop.toml"

pytestmark = (
    pytest.mark.filterwarnings(  # boto3, requests and botocore leave their connections to the garbage collector
        "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    )
)

RunNode = Callable[..., subprocess.CompletedProcess[str]]


class Cloudy(NamedTuple):
    """A house whose pool spells its issuer as the cloud does."""

    inn: Inn
    issuer: str = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    with open_inn(tmp_path_factory.mktemp("inn")) as opened:
        yield opened


@pytest.fixture(scope="module")
def cloudy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloudy]:
    folder = tmp_path_factory.mktemp("cloudy")
    text = LAPTOP.read_text("utf-8").replace(f'id = "{POOL}"', f'id = "{POOL}"\nissuer = "cloud"')
    (folder / "innkeeper.toml").write_text(text, "utf-8")
    with open_inn(folder) as opened:
        yield Cloudy(opened)


def api(inn: Inn, **more: Any) -> Any:
    """The JSON API through boto3, with credentials that are nobody's."""
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"} if not more else {}
    return boto3.client("cognito-idp", endpoint_url=inn.url, region_name=REGION, **keys, **more)


def keys_of(inn: Inn) -> dict[str, Any]:
    document: dict[str, Any] = httpx2.get(f"{inn.url}/{POOL}/.well-known/jwks.json").json()
    return document


@parity("Clients that others wrote", "observed")
def test_boto3_signs_in_without_credentials_and_raises_typed_errors(inn: Inn) -> None:
    """boto3 signs in without AWS credentials, and raises the typed exceptions of the service."""
    unsigned = api(inn, config=Config(signature_version=botocore.UNSIGNED))
    said = {"USERNAME": GUEST, "PASSWORD": PASSWORD}
    tokens = unsigned.initiate_auth(AuthFlow="USER_PASSWORD_AUTH", ClientId=APP, AuthParameters=said)
    told = unsigned.get_user(AccessToken=tokens["AuthenticationResult"]["AccessToken"])
    assert told["Username"] == GUEST
    with pytest.raises(unsigned.exceptions.NotAuthorizedException, match="Incorrect username or password"):
        unsigned.initiate_auth(AuthFlow="USER_PASSWORD_AUTH", ClientId=APP, AuthParameters={**said, "PASSWORD": "no"})
    with pytest.raises(unsigned.exceptions.ClientError, match="Missing Authentication Token"):
        unsigned.list_users(UserPoolId=POOL)


@parity("Clients that others wrote", "observed")
def test_boto3_sets_up_a_pool_and_everything_in_it(inn: Inn) -> None:
    """boto3 makes a pool, a resource server, a client, users and groups, reads them back as dates and types, and pages."""
    signed = api(inn)
    pool = signed.create_user_pool(PoolName="from boto3")["UserPool"]
    assert pool["CreationDate"].tzinfo is not None
    of = {"UserPoolId": pool["Id"]}
    scopes = [{"ScopeName": "read", "ScopeDescription": "Read"}]
    signed.create_resource_server(**of, Identifier="my-api", Name="API", Scopes=scopes)
    with pytest.raises(signed.exceptions.ScopeDoesNotExistException):
        signed.create_user_pool_client(**of, ClientName="early", AllowedOAuthScopes=["other/read"])
    client = signed.create_user_pool_client(
        **of,
        ClientName="machine",
        GenerateSecret=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=["my-api/read"],
    )["UserPoolClient"]
    form = {"grant_type": "client_credentials", "scope": "my-api/read"}
    basic = httpx2.BasicAuth(client["ClientId"], client["ClientSecret"])
    answer = httpx2.post(f"{inn.url}/{pool['Id']}/oauth2/token", data=form, auth=basic)
    assert answer.status_code == 200
    for number in range(4):
        signed.admin_create_user(**of, Username=f"user-{number}", MessageAction="SUPPRESS")
    pages = signed.get_paginator("list_users").paginate(**of, PaginationConfig={"PageSize": 3})
    assert [one["Username"] for page in pages for one in page["Users"]] == [f"user-{number}" for number in range(4)]
    signed.create_group(**of, GroupName="staff")
    signed.admin_add_user_to_group(**of, GroupName="staff", Username="user-1")
    groups = signed.admin_list_groups_for_user(**of, Username="user-1")["Groups"]
    assert [one["GroupName"] for one in groups] == ["staff"]
    signed.delete_user_pool(**of)
    with pytest.raises(signed.exceptions.ResourceNotFoundException):
        signed.describe_user_pool(**of)


@parity("Clients that others wrote", "observed")
def test_the_aws_command_line(inn: Inn) -> None:
    """The AWS command line signs in and describes a pool, and says the service's errors."""

    def aws(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": inn.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = [sys.executable, str(BIN / "aws"), *words, "--output", "json"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)

    described = aws("cognito-idp", "describe-user-pool", "--user-pool-id", POOL)
    assert json.loads(described.stdout)["UserPool"]["Id"] == POOL, described.stderr
    who = aws("sts", "get-caller-identity")
    assert re.fullmatch(r"\d{12}", json.loads(who.stdout)["Account"])
    ask = ("cognito-idp", "initiate-auth", "--auth-flow", "USER_PASSWORD_AUTH", "--client-id", APP)
    signed_in = aws(*ask, "--auth-parameters", f"USERNAME={GUEST},PASSWORD={PASSWORD}")
    assert json.loads(signed_in.stdout)["AuthenticationResult"]["TokenType"] == "Bearer"
    refused = aws(*ask, "--auth-parameters", f"USERNAME={GUEST},PASSWORD=wrong")
    assert "NotAuthorizedException" in refused.stderr


@parity("Clients that others wrote", "observed")
def test_pycognito_proves_the_password_and_verifies_tokens(cloudy: Cloudy, monkeypatch: pytest.MonkeyPatch) -> None:
    """pycognito proves the password (SRP), verifies both tokens with the pool's keys, refreshes and changes attributes."""
    user = Cognito(POOL, APP, username=GUEST, session=_session(monkeypatch, cloudy.inn))
    user.pool_jwk = keys_of(cloudy.inn)
    user.authenticate(PASSWORD)
    assert user.access_claims["username"] == GUEST
    assert user.id_claims["iss"] == cloudy.issuer
    before = user.access_token
    user.renew_access_token()
    assert user.access_token != before
    user.update_profile({"nickname": "Ada"})
    assert user.get_user(attr_map={}).nickname == "Ada"
    user.logout()
    wrong = AWSSRP(username=GUEST, password="wrong", pool_id=POOL, client_id=APP, client=api(cloudy.inn))
    with pytest.raises(wrong.client.exceptions.NotAuthorizedException):
        wrong.authenticate_user()
    confidential = AWSSRP(
        username=GUEST,
        password=PASSWORD,
        pool_id=POOL,
        client_id=CONCIERGE,
        client_secret=SECRET,
        client=api(cloudy.inn),
    )
    assert "IdToken" in confidential.authenticate_user()["AuthenticationResult"]


def _session(monkeypatch: pytest.MonkeyPatch, inn: Inn) -> boto3.Session:
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", inn.url)
    return boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=REGION)


def told(inn: Inn, **more: Any) -> str:
    confidential = {"id": CONCIERGE, "secret": SECRET}
    document = {"url": inn.url, "pool": POOL, "app": APP, "confidential": confidential, "username": GUEST}
    return json.dumps({**document, "password": PASSWORD, **more})


def walked(run_node: RunNode, walk: str, arguments: str) -> dict[str, Any]:
    done = run_node("cognito.js", walk, arguments)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.interop
@parity("Clients that others wrote", "observed")
def test_amazon_cognito_identity_js(inn: Inn, run_node: RunNode) -> None:
    """amazon-cognito-identity-js proves the password (SRP), refreshes, reads attributes and signs out everywhere."""
    answer = walked(run_node, "identityJs", told(inn))
    assert (answer["username"], answer["email"], answer["refreshed"], answer["out"]) == (GUEST, GUEST, True, "SUCCESS")
    assert answer["wrong"]["code"] == "NotAuthorizedException"


@pytest.mark.interop
@parity("Clients that others wrote", "observed")
def test_aws_amplify(inn: Inn, run_node: RunNode) -> None:
    """AWS Amplify 6 signs in, tells who it is, refreshes and signs out."""
    answer = walked(run_node, "amplify", told(inn))
    assert answer["done"] == {"isSignedIn": True, "nextStep": {"signInStep": "DONE"}}
    assert (answer["who"], answer["email"], answer["use"], answer["refreshed"]) == (GUEST, GUEST, "access", True)
    assert answer["wrong"]["name"] == "NotAuthorizedException"


@pytest.mark.interop
@parity("Clients that others wrote", "observed")
def test_the_javascript_sdk(inn: Inn, run_node: RunNode) -> None:
    """@aws-sdk/client-cognito-identity-provider sends hashes and signatures, reads dates and typed errors."""
    answer = walked(run_node, "sdk", told(inn))
    assert (answer["username"], answer["found"], answer["created"]) == (GUEST, [GUEST], True)
    assert [answer[one]["name"] for one in ("missing", "wrong", "nobody")] == ["NotAuthorizedException"] * 3
    assert "SECRET_HASH was not received" in answer["missing"]["message"]


@pytest.mark.interop
@parity("Clients that others wrote", "observed")
def test_aws_jwt_verify(cloudy: Cloudy, run_node: RunNode) -> None:
    """aws-jwt-verify takes access, ID and machine tokens where issuers are spelt as the cloud's, and each only as what it is."""
    said = {"USERNAME": GUEST, "PASSWORD": PASSWORD}
    signed_in = api(cloudy.inn).initiate_auth(AuthFlow="USER_PASSWORD_AUTH", ClientId=APP, AuthParameters=said)
    result, scope = signed_in["AuthenticationResult"], f"{cloudy.inn.url}/hotel/gym:enter"
    form = {"grant_type": "client_credentials", "scope": scope}
    machine = httpx2.post(f"{cloudy.inn.url}/{POOL}/oauth2/token", data=form, auth=(CONCIERGE, SECRET)).json()
    tokens = {
        "access": result["AccessToken"],
        "id": result["IdToken"],
        "machine": machine["access_token"],
        "scope": scope,
    }
    answer = walked(run_node, "verify", told(cloudy.inn, tokens=tokens, jwks=keys_of(cloudy.inn)))
    assert answer == {
        "access": GUEST,
        "id": GUEST,
        "crossed": ["CognitoJwtInvalidTokenUseError", "CognitoJwtInvalidTokenUseError"],
        "another": "CognitoJwtInvalidClientIdError",
        "machine": CONCIERGE,
        "scope": "JwtInvalidScopeError",
        "fetched": True,
    }


@pytest.mark.interop
@parity("Clients that others wrote", "observed")
def test_auth_js_with_its_cognito_provider(inn: Inn, run_node: RunNode) -> None:
    """Auth.js (next-auth 5) signs in with its Cognito provider over the hosted page."""
    client = api(inn).create_user_pool_client(
        UserPoolId=POOL,
        ClientName="authjs",
        GenerateSecret=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=["openid", "email", "profile"],
        CallbackURLs=["http://127.0.0.1:8765/auth/callback/cognito"],
    )["UserPoolClient"]
    confidential = {"id": client["ClientId"], "secret": client["ClientSecret"]}
    answer = walked(run_node, "authjs", told(inn, confidential=confidential))
    assert answer["session"]["user"] == {"name": "Ada Guest", "email": GUEST}


class Visitor:
    """A browser without scripts: follows redirects of the pool, fills in the one form of a page."""

    def __init__(self) -> None:
        self._browser = httpx2.Client()

    def arrive(self, address: str) -> str:
        answer = self._browser.get(address)
        while answer.is_redirect:
            to = urljoin(str(answer.url), answer.headers["location"])
            if to.startswith(CALLBACK):
                return to
            answer = self._browser.get(to)
        return self._filled(answer)

    def _filled(self, page: httpx2.Response) -> str:
        action = re.search(r'<form method="post" action="([^"]*)"', page.text)
        hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
        assert action, page.text[:300]
        form = {**hidden, "username": GUEST, "password": PASSWORD}
        answer = self._browser.post(urljoin(str(page.url), action[1].replace("&amp;", "&")), data=form)
        return str(answer.headers["location"])


@parity("Clients that others wrote", "observed")
def test_authlib_with_the_hosted_page(inn: Inn) -> None:
    """Authlib signs in over the hosted page with PKCE and nonce, verifies the ID token, refreshes and asks userInfo."""
    base = f"{inn.url}/{POOL}"
    metadata = httpx2.get(f"{base}/.well-known/openid-configuration").json()
    session = OAuth2Session(
        CONCIERGE, SECRET, scope="openid email profile", redirect_uri=CALLBACK, code_challenge_method="S256"
    )
    verifier = "v" * 64
    address, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-1"
    )
    back = Visitor().arrive(address)
    tokens = session.fetch_token(
        metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
    )
    claims = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys_of(inn)), algorithms=["RS256"]).claims
    assert (claims["nonce"], claims["email"], claims["iss"]) == ("n-1", GUEST, metadata["issuer"])
    assert session.get(metadata["userinfo_endpoint"]).json()["username"] == GUEST
    assert session.refresh_token(metadata["token_endpoint"])["access_token"] != tokens["access_token"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
    again = httpx2.post(metadata["token_endpoint"], data=form, auth=(CONCIERGE, SECRET))
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})


@pytest.mark.browser
@parity("Clients that others wrote", "observed")
def test_the_hosted_page_in_a_browser(inn: Inn, browser: Any) -> None:
    """Authlib signs a person in who fills in the hosted page in headless Chromium, a wrong password first, without scripts."""
    more = {"token_endpoint_auth_method": "none", "code_challenge_method": "S256"}
    session = OAuth2Session(APP, scope="openid", redirect_uri=CALLBACK, **more)
    base, verifier = f"{inn.url}/{POOL}/oauth2", "w" * 64
    address, state = session.create_authorization_url(f"{base}/authorize", code_verifier=verifier)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    landed: list[str] = []
    page.route(f"{CALLBACK}*", lambda route: (landed.append(route.request.url), route.fulfill(body="back"))[1])
    page.goto(address)
    page.fill("input#username", GUEST)
    page.fill("input#password", "wrong")
    page.click("button#sign-in")
    page.wait_for_selector("#problem")
    page.fill("input#username", GUEST)
    page.fill("input#password", PASSWORD)
    page.click("button#sign-in")
    page.wait_for_url(f"{CALLBACK}*")
    context.close()
    assert parse_qs(urlsplit(landed[0]).query)["state"] == [state]
    session.fetch_token(f"{base}/token", authorization_response=landed[0], state=state, code_verifier=verifier)
    assert session.get(f"{base}/userInfo").json()["username"] == GUEST


SERVICE = """
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from fastapi_cognito import CognitoAuth, CognitoSettings, CognitoToken
from pydantic_settings import BaseSettings
import sys

class Settings(BaseSettings):
    check_expiration: bool = True
    jwt_header_prefix: str = "Bearer"
    jwt_header_name: str = "Authorization"
    userpools: dict = {"inn": {"region": "us-east-1", "userpool_id": sys.argv[1], "app_client_id": sys.argv[2]}}

cognito = CognitoAuth(settings=CognitoSettings.from_global_settings(Settings()), userpool_name="inn")
app = FastAPI()

@app.get("/")
async def who(token: CognitoToken = Depends(cognito.auth_required)):
    return {"username": token.username}

import json, os, urllib.request
from hashlib import sha256
import boto3
api = boto3.client("cognito-idp", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
said = {"USERNAME": sys.argv[3], "PASSWORD": sys.argv[4]}
result = api.initiate_auth(AuthFlow="USER_PASSWORD_AUTH", ClientId=sys.argv[2], AuthParameters=said)["AuthenticationResult"]
client = TestClient(app)
good = client.get("/", headers={"Authorization": f"Bearer {result['AccessToken']}"})
bad = client.get("/", headers={"Authorization": f"Bearer {result['AccessToken'][:-8]}AAAAAAAA"})
print(json.dumps([good.status_code, good.json(), bad.status_code]))
"""


@parity("Clients that others wrote", "observed")
def test_fastapi_cognito_and_boto3_with_the_clouds_real_addresses(tmp_path: Path) -> None:
    """fastapi-cognito and boto3, told nothing, reach the twin under the cloud's own host names and take its tokens."""
    (tmp_path / "service.py").write_text(textwrap.dedent(SERVICE), "utf-8")
    words = [str(BIN / "innkeeper"), "twin", "run", "--cognito", "--"]
    words += [sys.executable, "service.py", POOL, APP, GUEST, PASSWORD]
    environment = {**os.environ, "INNKEEPER_PORT": str(free_port()), "INNKEEPER_STATE": str(tmp_path / "state")}
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    status, body, refused = json.loads(done.stdout.splitlines()[-1])
    assert (status, body) == (200, {"username": GUEST})
    assert refused in (401, 403)
