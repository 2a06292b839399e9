"""What a check stands on: an emulator under an address, a pool made in it, and the ways to ask it."""

from __future__ import annotations

import itertools
import json
import re
from base64 import urlsafe_b64decode
from contextlib import suppress
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import boto3
import httpx2
from botocore.config import Config
from botocore.exceptions import ClientError

PASSWORD = "Correct-Horse-7"
ADA, EVE = "ada@example.org", "eve@example.org"
"""User names that every emulator takes: one of them wants addresses always."""
CALLBACK = "http://localhost:8765/callback"
_numbers = itertools.count(1)
_QUICK = Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=15, parameter_validation=False)


class Ground:
    """A fresh pool of one emulator. Everything is asked through ``api`` (boto3, any credentials) and ``http``."""

    def __init__(self, url: str) -> None:
        self.url = url
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        self.api: Any = boto3.client("cognito-idp", endpoint_url=url, region_name="us-east-1", config=_QUICK, **keys)
        self.http = httpx2.Client(timeout=15)
        self.number = next(_numbers)

    def close(self) -> None:
        self.http.close()
        self.api.close()

    @cached_property
    def pool(self) -> str:
        made = self.api.create_user_pool(PoolName=f"pool-{self.number}", AutoVerifiedAttributes=["email"])
        return str(made["UserPool"]["Id"])

    def client(self, **said: Any) -> dict[str, Any]:
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        usual = {"ClientName": "app", "ExplicitAuthFlows": flows, "PreventUserExistenceErrors": "ENABLED"}
        made = self.api.create_user_pool_client(UserPoolId=self.pool, **{**usual, **said})["UserPoolClient"]
        return dict(made)

    @cached_property
    def app(self) -> str:
        return str(self.client()["ClientId"])

    @cached_property
    def ada(self) -> str:
        """A user with a password."""
        said = [{"Name": "email", "Value": "ada@example.org"}, {"Name": "email_verified", "Value": "true"}]
        of = {"UserPoolId": self.pool, "Username": ADA}
        self.api.admin_create_user(**of, UserAttributes=said, MessageAction="SUPPRESS")
        self.api.admin_set_user_password(**of, Password=PASSWORD, Permanent=True)
        return ADA

    def sign_in(self, password: str = PASSWORD, client: str = "", **more: str) -> dict[str, Any]:
        said = {"USERNAME": self.ada, "PASSWORD": password, **more}
        client = client or self.app
        return dict(self.api.initiate_auth(AuthFlow="USER_PASSWORD_AUTH", ClientId=client, AuthParameters=said))

    def tokens(self, **more: str) -> dict[str, str]:
        return dict(self.sign_in(**more)["AuthenticationResult"])

    def machine(self) -> dict[str, Any]:
        """A client for client credentials, with two scopes of a resource server."""
        scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")]
        self.api.create_resource_server(UserPoolId=self.pool, Identifier="my-api", Name="API", Scopes=scopes)
        self.domain_if_it_can()
        return self.client(
            GenerateSecret=True,
            ExplicitAuthFlows=[],
            AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=["my-api/read", "my-api/write"],
        )

    def domain(self) -> str:
        name = f"bench-{self.number}"
        self.api.create_user_pool_domain(UserPoolId=self.pool, Domain=name)
        return name

    def domain_if_it_can(self) -> None:
        """Some serve the endpoints of a domain without knowing domains; that is a check of its own."""
        with suppress(ClientError):
            self.domain()

    def web(self) -> dict[str, Any]:
        """A client for people, with the code grant."""
        self.domain_if_it_can()
        return self.client(
            GenerateSecret=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=["openid", "email"],
            CallbackURLs=[CALLBACK],
            SupportedIdentityProviders=["COGNITO"],
        )

    @cached_property
    def oauth(self) -> str:
        """Where the pool's domain answers: below the pool's path, or at the root."""
        for base in (f"{self.url}/{self.pool}", self.url):
            if self.http.post(f"{base}/oauth2/token", data={}).status_code not in (404, 405, 501):
                return base
        raise AssertionError("no /oauth2/token")

    def token(self, client: dict[str, Any], **form: str) -> httpx2.Response:
        basic = (client["ClientId"], client["ClientSecret"])
        return self.http.post(f"{self.oauth}/oauth2/token", data=form, auth=basic)

    def browse(self, client: dict[str, Any], **more: str) -> httpx2.Response:
        """Sign ada in on the hosted page; the answer to the form."""
        _ = self.ada
        page = self.http.get(f"{self.oauth}/oauth2/authorize", params=self.request(client, **more))
        while page.is_redirect:
            page = self.http.get(urljoin(str(page.url), page.headers["location"]))
        form = re.search(r"<form[^>]*>", page.text)
        assert form, "no form on the page"
        action = re.search(r'action="([^"]*)"', form[0])
        to = urljoin(str(page.url), (action[1] if action else "").replace("&amp;", "&"))
        hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
        return self.http.post(to, data={**hidden, "username": ADA, "password": PASSWORD})

    def request(self, client: dict[str, Any], **more: str) -> dict[str, str]:
        usual = {"response_type": "code", "client_id": client["ClientId"], "redirect_uri": CALLBACK}
        return {**usual, "scope": "openid email", "state": "s", **more}

    def code(self, client: dict[str, Any], **more: str) -> str:
        back = self.browse(client, **more).headers["location"]
        assert back.startswith(CALLBACK), back
        return parse_qs(urlsplit(back).query)["code"][0]

    def redeem(self, client: dict[str, Any], code: str, **more: str) -> httpx2.Response:
        return self.token(client, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, **more)

    def published(self) -> list[dict[str, str]]:
        return list(self.http.get(f"{self.url}/{self.pool}/.well-known/jwks.json").json()["keys"])

    def refused(self, kind: str, operation: str, **said: Any) -> str:
        """Demand that an operation is refused with a kind of exception; its message."""
        try:
            getattr(self.api, operation)(**said)
        except ClientError as error:
            told = error.response["Error"]
            assert told["Code"] == kind, f"{told['Code']} instead of {kind}"
            return str(told["Message"])
        raise AssertionError(f"not refused, {kind} was due")


def part(token: str, which: int = 1) -> dict[str, Any]:
    """The header (0) or the claims (1) of a token, unverified."""
    text = token.split(".")[which]
    document: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return document
