"""Amazon Cognito: the parts of ``terraform/cognito``, made through boto3.

The pool is known again by its tag, everything in it by its name. Updates go by what the pool and its clients say of
themselves, because the API sets back what an update leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from innkeeper.client.refused import refuse
from innkeeper.provision import refusals
from innkeeper.provision.aws import Aws
from innkeeper.provision.inputs import CognitoInputs, Machine, Web
from innkeeper.provision.parts import Document, Part
from innkeeper.provision.record import Secret

MARK = "innkeeper-provision"
"""The tag of what is ours; its value is ``name_prefix``."""


class Cognito:
    """The parts of one user pool, in the order in which each needs the ones before it."""

    def __init__(self, aws: Aws, inputs: CognitoInputs) -> None:
        self.aws = aws
        self.inputs = inputs

    @cached_property
    def pool(self) -> Pool:
        return Pool(self)

    @cached_property
    def domain_prefix(self) -> str:
        return self.inputs.domain_prefix or f"{self.inputs.name_prefix}-{self.aws.account}"

    @cached_property
    def clients(self) -> list[AppClient]:
        machines = [AppClient(self, name, machine(self, one)) for name, one in self.inputs.machine_clients.items()]
        return [*machines, *(AppClient(self, name, web(self, one)) for name, one in self.inputs.web_clients.items())]

    def parts(self) -> Iterator[Part]:
        """What is to be there."""
        yield from (self.pool, SecondFactors(self), Domain(self, self.domain_prefix), Server(self))
        yield from self.clients
        if self.inputs.tier != "LITE":
            yield from (Style(self, client) for client in self.clients if client.name_here in self.inputs.web_clients)
        yield from (Group(self, *one) for one in self.inputs.groups.items())

    def unwanted(self) -> Iterator[Part]:
        """What an earlier run made and nobody asks for any more: clients that bear our names in our pool."""
        wanted = {client.name for client in self.clients}
        for found in self.pool.clients():
            if self.is_ours(found["ClientName"]) and found["ClientName"] not in wanted:
                yield AppClient(self, found["ClientName"].removeprefix(f"{self.inputs.name_prefix}-"), {})

    def made(self) -> list[Part]:
        """Everything there is of ours, in the order in which it can go. Raises ``Refused`` for a pool that is protected."""
        described = self.pool.find()
        if described is None:
            return []
        if described.get("DeletionProtection") == "ACTIVE":
            raise refuse(refusals.PROTECTED, f"the user pool {self.pool.id} has deletion protection")
        domain = described.get("Domain")
        clients = [
            AppClient(self, one["ClientName"].removeprefix(f"{self.inputs.name_prefix}-"), {})
            for one in self.pool.clients()
            if self.is_ours(one["ClientName"])
        ]
        return [*([Domain(self, domain)] if domain else []), *clients, self.pool]

    def strangers(self) -> list[str]:
        """What others put into our pool, in words."""
        others = [one["ClientName"] for one in self.pool.clients() if not self.is_ours(one["ClientName"])]
        people = self.aws.pages("list_users", "Users", UserPoolId=self.pool.id) if self.pool.id else []
        accounts = [f"{len(people)} account{'s' * (len(people) != 1)} of people"] if people else []
        return [*accounts, *(f"the app client {name}" for name in others)]

    def is_ours(self, client_name: str) -> bool:
        return client_name.startswith(f"{self.inputs.name_prefix}-")

    def full(self, scope: str) -> str:
        """A scope as requests and tokens spell it."""
        return f"{self.inputs.api_identifier}/{scope}"

    def secrets(self) -> Mapping[str, Secret]:
        """The clients' secrets, which Cognito tells whoever may describe them."""
        found = {client.name_here: (client.find() or {}).get("ClientSecret") for client in self.clients}
        return {name: Secret(text) for name, text in found.items() if text}

    def outputs(self) -> dict[str, Any]:
        """What ``terraform/cognito`` gives, under its names."""
        issuer, endpoints = self.aws.addresses(self.pool.id, self.domain_prefix)
        ids = {client.name_here: client.id for client in self.clients}
        return {
            "issuer": issuer,
            "discovery_url": f"{issuer}/.well-known/openid-configuration",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            **endpoints,
            "audience": sorted(ids.values()),
            "audience_claim": "client_id",
            "client_ids": ids,
            "client_secrets": {name: one.text for name, one in self.secrets().items()},
            "scopes": {name: self.full(name) for name in self.inputs.scopes},
            "request_scopes": {
                name: " ".join(sorted(map(self.full, one.scopes))) for name, one in self.inputs.machine_clients.items()
            },
            "user_pool_id": self.pool.id,
        }


class _InPool:
    """A part of the pool."""

    final: frozenset[str] = frozenset()

    def __init__(self, cloud: Cognito) -> None:
        self.cloud = cloud
        self.aws = cloud.aws

    @property
    def of_pool(self) -> dict[str, str]:
        return {"UserPoolId": self.cloud.pool.id}

    def found(self, operation: str, member: str, **named: str) -> Document | None:
        """What an operation describes; None where it, or the pool, is not there."""
        if not self.cloud.pool.id:
            return None
        return self.aws.found(operation, member, **self.of_pool, **named)


class Pool(_InPool):
    """The user pool; ``id`` is "" as long as it is not there."""

    kind = "user pool"

    def __init__(self, cloud: Cognito) -> None:
        super().__init__(cloud)
        self.name = cloud.inputs.name_prefix
        self._id = ""

    @property
    def id(self) -> str:
        if not self._id:
            self.find()
        return self._id

    def wanted(self) -> Document:
        inputs = self.cloud.inputs
        lambdas = {"LambdaArn": inputs.token_customization_lambda_arn, "LambdaVersion": "V3_0"}
        trigger = {"PreTokenGenerationConfig": lambdas} if inputs.token_customization_lambda_arn else {}
        return {
            "UserPoolTier": inputs.tier,
            "DeletionProtection": "ACTIVE" if inputs.deletion_protection else "INACTIVE",
            "UserPoolTags": {**inputs.tags, MARK: inputs.name_prefix},
            **({"LambdaConfig": trigger} if trigger else {}),
            **ALWAYS,
        }

    def find(self) -> Document | None:
        if self._id:
            return self.aws.found("describe_user_pool", "UserPool", UserPoolId=self._id)
        named = [one["Id"] for one in self.aws.pages("list_user_pools", "UserPools") if one["Name"] == self.name]
        ours = [one for key in named if _is_marked(one := self._described(key), self.name)]
        if len(ours) > 1:
            both = ", ".join(one["Id"] for one in ours)
            raise refuse(refusals.MARKED_TWICE, f"the user pools {both} bear the tag {MARK}={self.name}")
        if not ours:
            return None
        self._id = ours[0]["Id"]
        return ours[0]

    def _described(self, key: str) -> Document:
        return self.aws.found("describe_user_pool", "UserPool", UserPoolId=key) or {}

    def make(self) -> None:
        made = self.aws.call("create_user_pool", PoolName=self.name, **self.wanted(), **ONCE)
        self._id = made["UserPool"]["Id"]

    def change(self, found: Document) -> None:
        stays = self.aws.changeable("UpdateUserPool", found)
        self.aws.call("update_user_pool", **{**stays, **self.wanted()}, UserPoolId=self.id)

    def remove(self) -> None:
        self.aws.call("delete_user_pool", UserPoolId=self.id)
        self._id = ""

    def clients(self) -> list[dict[str, Any]]:
        return self.aws.pages("list_user_pool_clients", "UserPoolClients", **self.of_pool) if self.id else []


def _is_marked(described: Document, prefix: str) -> bool:
    return bool(described.get("UserPoolTags", {}).get(MARK) == prefix)


ALWAYS: Document = {
    "AutoVerifiedAttributes": ["email"],
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    "Policies": {
        "PasswordPolicy": {
            "MinimumLength": 12,
            "RequireLowercase": True,
            "RequireNumbers": True,
            "RequireSymbols": False,
            "RequireUppercase": True,
            "TemporaryPasswordValidityDays": 7,
        }
    },
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
}
"""What the module says of every pool."""

ONCE: Document = {"UsernameAttributes": ["email"], "UsernameConfiguration": {"CaseSensitive": False}}
"""What is said of a pool when it is made, and never after."""


class SecondFactors(_InPool):
    """One-time codes, for whoever wants them. They are set apart from the pool, as a pool without SMS needs it."""

    kind, name = "second factors", "by an app"

    def wanted(self) -> Document:
        return {"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": True}}

    def find(self) -> Document | None:
        found = self.found("get_user_pool_mfa_config", "")
        return found if found and found.get("SoftwareTokenMfaConfiguration") else None

    def make(self) -> None:
        self.aws.call("set_user_pool_mfa_config", **self.of_pool, **self.wanted())

    def change(self, found: Document) -> None:  # noqa: ARG002 - the whole is sent
        self.make()

    def remove(self) -> None:
        """It goes with the pool."""


class Domain(_InPool):
    """Where people and programs sign in."""

    kind = "domain"

    def __init__(self, cloud: Cognito, name: str) -> None:
        super().__init__(cloud)
        self.name = name

    def wanted(self) -> Document:
        return {"ManagedLoginVersion": 1 if self.cloud.inputs.tier == "LITE" else 2}

    def find(self) -> Document | None:
        found = self.aws.found("describe_user_pool_domain", "DomainDescription", Domain=self.name)
        if not found or not found.get("Status"):
            return None
        if found.get("UserPoolId") != self.cloud.pool.id:
            raise refuse(refusals.NOT_OURS, f"the domain {self.name} is that of the user pool {found['UserPoolId']}")
        return found

    def make(self) -> None:
        """A pool has one domain with a prefix: another one of ours goes first."""
        before = (self.cloud.pool.find() or {}).get("Domain")
        if before:
            self.aws.call("delete_user_pool_domain", **self.of_pool, Domain=before)
        self.aws.call("create_user_pool_domain", **self.of_pool, Domain=self.name, **self.wanted())

    def change(self, found: Document) -> None:  # noqa: ARG002 - the whole is sent
        self.aws.call("update_user_pool_domain", **self.of_pool, Domain=self.name, **self.wanted())

    def remove(self) -> None:
        self.aws.call("delete_user_pool_domain", **self.of_pool, Domain=self.name)


class Server(_InPool):
    """The API with its scopes."""

    kind = "resource server"

    def __init__(self, cloud: Cognito) -> None:
        super().__init__(cloud)
        self.name = cloud.inputs.api_identifier

    def wanted(self) -> Document:
        scopes = [{"ScopeName": name, "ScopeDescription": text} for name, text in self.cloud.inputs.scopes.items()]
        return {"Name": f"{self.cloud.inputs.name_prefix} API", "Scopes": scopes}

    def find(self) -> Document | None:
        return self.found("describe_resource_server", "ResourceServer", Identifier=self.name)

    def make(self) -> None:
        self.aws.call("create_resource_server", **self.of_pool, Identifier=self.name, **self.wanted())

    def change(self, found: Document) -> None:  # noqa: ARG002 - the whole is sent
        self.aws.call("update_resource_server", **self.of_pool, Identifier=self.name, **self.wanted())

    def remove(self) -> None:
        self.aws.call("delete_resource_server", **self.of_pool, Identifier=self.name)


class AppClient(_InPool):
    """A client. Whether it has a secret is settled when it is made."""

    kind = "app client"
    final = frozenset({"GenerateSecret"})

    def __init__(self, cloud: Cognito, name: str, document: Document) -> None:
        super().__init__(cloud)
        self.name_here = name
        self.name = f"{cloud.inputs.name_prefix}-{name}"
        self._document = document

    @property
    def id(self) -> str:
        named = [one["ClientId"] for one in self.cloud.pool.clients() if one["ClientName"] == self.name]
        if len(named) > 1:
            raise refuse(refusals.MARKED_TWICE, f"two clients of the pool are called {self.name}: {', '.join(named)}")
        return named[0] if named else ""

    def wanted(self) -> Document:
        return self._document

    def find(self) -> Document | None:
        key = self.id
        found = self.found("describe_user_pool_client", "UserPoolClient", ClientId=key) if key else None
        return None if found is None else {**found, "GenerateSecret": "ClientSecret" in found}

    def make(self) -> None:
        self.aws.call("create_user_pool_client", **self.of_pool, ClientName=self.name, **self._document)

    def change(self, found: Document) -> None:
        stays = self.aws.changeable("UpdateUserPoolClient", found)
        told = {name: value for name, value in self._document.items() if name not in self.final}
        self.aws.call("update_user_pool_client", **{**stays, **told})

    def remove(self) -> None:
        self.aws.call("delete_user_pool_client", **self.of_pool, ClientId=self.id)


def machine(cloud: Cognito, one: Machine) -> Document:
    """A program's client, as the module has it."""
    return {
        "GenerateSecret": True,
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["client_credentials"],
        "AllowedOAuthScopes": sorted(map(cloud.full, one.scopes)),
        "AccessTokenValidity": cloud.inputs.access_token_minutes,
        "TokenValidityUnits": {"AccessToken": "minutes"},
    }


def web(cloud: Cognito, one: Web) -> Document:
    """The client of an application that people sign in to."""
    return {
        "GenerateSecret": not one.public,
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid", "profile", "email", *sorted(map(cloud.full, one.scopes))],
        "CallbackURLs": sorted(one.redirect_uris),
        "LogoutURLs": sorted(one.logout_uris),
        "SupportedIdentityProviders": ["COGNITO"],
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
        "PreventUserExistenceErrors": "ENABLED",
        "EnableTokenRevocation": True,
        "AccessTokenValidity": cloud.inputs.access_token_minutes,
        "IdTokenValidity": cloud.inputs.access_token_minutes,
        "RefreshTokenValidity": cloud.inputs.refresh_token_days,
        "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
    }


class Style(_InPool):
    """Managed login shows nothing for a client without a style: Cognito's own is given to each."""

    kind = "managed login style"

    def __init__(self, cloud: Cognito, client: AppClient) -> None:
        super().__init__(cloud)
        self.name, self._client = client.name, client

    def wanted(self) -> Document:
        return {"UseCognitoProvidedValues": True}

    def find(self) -> Document | None:
        key = self._client.id
        if not key:
            return None
        return self.found("describe_managed_login_branding_by_client", "ManagedLoginBranding", ClientId=key)

    def make(self) -> None:
        key = self._client.id
        self.aws.call("create_managed_login_branding", **self.of_pool, ClientId=key, **self.wanted())

    def change(self, found: Document) -> None:
        key = found["ManagedLoginBrandingId"]
        self.aws.call(
            "update_managed_login_branding", **self.of_pool, ManagedLoginBrandingId=key, UseCognitoProvidedValues=True
        )

    def remove(self) -> None:
        """It goes with its client."""


class Group(_InPool):
    """A group of people."""

    kind = "group"

    def __init__(self, cloud: Cognito, name: str, description: str) -> None:
        super().__init__(cloud)
        self.name, self._description = name, description

    def wanted(self) -> Document:
        return {"Description": self._description}

    def find(self) -> Document | None:
        return self.found("get_group", "Group", GroupName=self.name)

    def make(self) -> None:
        self.aws.call("create_group", **self.of_pool, GroupName=self.name, **self.wanted())

    def change(self, found: Document) -> None:  # noqa: ARG002 - the whole is sent
        self.aws.call("update_group", **self.of_pool, GroupName=self.name, **self.wanted())

    def remove(self) -> None:
        """It goes with the pool."""
