"""What the Terraform modules say is what is asked of the twins: each resource is made by a call, each plain value sent as it stands.

The modules are read as HCL; the calls are those of ``innkeeper provision``, whose inputs, outputs and rules are the modules' own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from innkeeper.provision.aws import Aws
from innkeeper.provision.cognito import Cognito
from innkeeper.provision.entra import Entra
from innkeeper.provision.graph import Graph, by_secret
from innkeeper.provision.inputs import CognitoInputs, EntraInputs, read
from innkeeper.provision.parts import applied, removed, surveyed
from tests.inn import Inn
from tests.terraform.modules import ROOT, bare, declared, tree
from tests.twins.entra.tenant import CARETAKER, CARETAKER_SECRET, TENANT

Calls = list[tuple[str, Any]]
"""Operations with what was sent, in their order."""

COGNITO = {
    "aws_cognito_user_pool": "CreateUserPool",
    "aws_cognito_user_pool_domain": "CreateUserPoolDomain",
    "aws_cognito_resource_server": "CreateResourceServer",
    "aws_cognito_user_pool_client": "CreateUserPoolClient",
    "aws_cognito_managed_login_branding": "CreateManagedLoginBranding",
    "aws_cognito_user_group": "CreateGroup",
}
ENTRA = {
    "azuread_application_registration": "POST /applications",
    "azuread_application_identifier_uri": "PATCH /applications/*",
    "azuread_application_permission_scope": "POST /applications",
    "azuread_application_app_role": "POST /applications",
    "azuread_application_owner": "POST /applications",
    "azuread_service_principal": "POST /servicePrincipals",
    "azuread_application": "POST /applications",
    "azuread_app_role_assignment": "POST /servicePrincipals/*/appRoleAssignedTo",
    "azuread_application_password": "POST /applications/*/addPassword",
    "azuread_application_federated_identity_credential": "POST /applications/*/federatedIdentityCredentials",
    "azuread_service_principal_delegated_permission_grant": "POST /oauth2PermissionGrants",
    "azuread_group": "POST /groups",
}
"""The call that makes each kind of resource."""

NO_CALL = {"random_uuid"}
OTHERWISE = {"made by Terraform"}
"""A value that provision says in its own words."""


def resources(module: str) -> list[tuple[str, dict[str, Any]]]:
    return [(one.kind, one.body) for one in declared(tree(ROOT / module)) if not one.kind.startswith("data_")]


def literals(body: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that stands in a resource as it is, without a variable in it, by its argument's name."""
    if isinstance(body, dict):
        for inner, value in body.items():
            if not inner.startswith("__") and bare(inner) not in ("lifecycle", "for_each", "depends_on"):
                yield from literals(value, bare(inner))
    elif isinstance(body, list) and any(isinstance(one, dict) for one in body):
        for one in body:
            yield from literals(one, name)
    elif isinstance(body, list) and body and all(_plain(one) for one in body):
        yield name, [bare(one) if isinstance(one, str) else one for one in body]
    elif _plain(body):
        yield name, bare(body) if isinstance(body, str) else body


def _plain(value: Any) -> bool:
    return isinstance(value, (bool, int)) or (isinstance(value, str) and "${" not in value and value.startswith('"'))


def sent(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every member of what was sent, by its name in the API: as text, so that lists and numbers compare."""
    if isinstance(value, Mapping):
        for inner, one in value.items():
            yield from sent(one, inner)
    elif isinstance(value, (list, tuple)) and any(isinstance(one, Mapping) for one in value):
        for one in value:
            yield from sent(one, name)
    else:
        yield _spelt(name), json.dumps(sorted(value) if isinstance(value, (list, tuple)) else value)


def _spelt(name: str) -> str:
    """A name without the ways in which Terraform and the APIs write it: min_length, MinLength, minLength."""
    return re.sub(r"[^a-z]", "", name.lower())


def unsaid(module: str, calls: Calls) -> list[str]:
    """What the module says and no call did."""
    told = {pair for _, document in calls for pair in sent(document)}
    told |= {(name, json.dumps([json.loads(value)])) for name, value in told if not value.startswith("[")}
    return [
        f"{kind}: {name} = {value}"
        for kind, body in resources(module)
        if kind not in NO_CALL
        for name, value in literals(body)
        if str(value) not in OTHERWISE
        and (_spelt(name), json.dumps(sorted(value) if isinstance(value, list) else value)) not in told
    ]


HOTEL: dict[str, Any] = {
    "machine_clients": {"agent": {"scopes": ["read"]}},
    "web_clients": {
        "app": {"redirect_uris": ["http://localhost:8765/callback"], "scopes": ["read"], "public": True},
        "site": {"redirect_uris": ["https://site.example/back"], "scopes": ["write"]},
    },
    "groups": {"guests": "People who stay here"},
}


def test_cognitos_module_is_replayed_applied_planned_empty_and_destroyed(house: Inn) -> None:
    own = {"name_prefix": "replayed", "region": "us-east-1", "api_identifier": "hotel"}
    lambdas = {"token_customization_lambda_arn": "arn:aws:lambda:us-east-1:123456789012:function:claims"}
    aws, calls = Aws("us-east-1", house.url), Calls()
    aws.cognito.meta.events.register(
        "before-parameter-build.cognito-identity-provider.*",
        lambda params, model, **_: calls.append((model.name, dict(params))),
    )
    cloud = Cognito(aws, read(CognitoInputs, {**HOTEL, **own, **lambdas}))
    made = [one.action for one in applied(cloud.parts(), cloud.unwanted())]
    assert set(made) == {"make"}
    assert {kind for kind, _ in resources("cognito")} == set(COGNITO)
    assert set(COGNITO.values()) <= {operation for operation, _ in calls}
    assert unsaid("cognito", calls) == []
    assert {one.action for one in surveyed(cloud.parts(), cloud.unwanted())} == {"keep"}
    assert len(list(removed(cloud.made()))) == 5
    assert cloud.made() == []


class Listening(httpx2.BaseTransport):
    """The way to the twin, with an ear on what is written."""

    def __init__(self) -> None:
        self._way = httpx2.HTTPTransport()
        self.calls = Calls()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        path = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "*", request.url.path.removeprefix("/v1.0"))
        if request.headers.get("content-type", "").startswith("application/json"):
            self.calls.append((f"{request.method} {path}", json.loads(request.read())))
        return self._way.handle_request(request)

    def close(self) -> None:
        self._way.close()


def test_entras_module_is_replayed_applied_planned_empty_and_destroyed(house: Inn) -> None:
    trusted = {"issuer": "https://issuer.example", "subject": "ci"}
    machines = {**HOTEL["machine_clients"], "ci": {"scopes": ["write"], "federated_credential": trusted}}
    said = {**HOTEL, "name_prefix": "replayed", "tenant_id": TENANT, "machine_clients": machines}
    heard = Listening()
    with httpx2.Client(transport=heard, timeout=60) as http:
        token = by_secret(http, house.url, TENANT, CARETAKER, CARETAKER_SECRET, "https://graph.microsoft.com")
        graph = Graph(http, house.url, token, lambda _: None)
        cloud = Entra(graph, read(EntraInputs, said), {}, lambda *_: None, datetime.now(UTC), house.url)
        assert {one.action for one in applied(cloud.parts(), cloud.unwanted())} == {"make"}
        assert {kind for kind, _ in resources("entra")} - NO_CALL == set(ENTRA)
        assert set(ENTRA.values()) <= {operation for operation, _ in heard.calls}
        assert unsaid("entra", heard.calls) == []
        assert {one.action for one in surveyed(cloud.parts(), cloud.unwanted())} == {"keep"}
        assert len(list(removed(cloud.made()))) == 6
        assert cloud.made() == []


@pytest.mark.parametrize("module", ["cognito", "entra"])
def test_a_value_that_no_call_said_is_noticed(module: str) -> None:
    assert len(unsaid(module, [])) > 10
