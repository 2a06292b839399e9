"""The guard as a Lambda authorizer, in the events of REST and HTTP APIs."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.guard.aws_lambda import Unauthorized
from tests.guard.examples import example
from tests.guard.holders import bound_token
from tests.guard.test_holder import CERTIFIED, HOLDER, OTHER
from tests.guard.world import World, claims, forge

ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/GET"


def http_api(token: str = "", path: str = "/orders", stage: str = "$default", method: str = "GET") -> dict[str, Any]:
    """An HTTP API's event, payload 2.0."""
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"{ARN}{path}",
        "identitySource": [token],
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"authorization": token, "host": "api.example"} if token else {"host": "api.example"},
        "requestContext": {
            "domainName": "api.example",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "stage": stage,
        },
    }


def rest_request(token: str = "", path: str = "/orders", **more: Any) -> dict[str, Any]:
    """A REST API's event for an authorizer of type REQUEST."""
    headers = {"Authorization": token} if token else {}
    return {
        "type": "REQUEST",
        "methodArn": f"{ARN}{path}",
        "resource": path,
        "path": path,
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "requestContext": {"stage": "prod", "domainName": "api.example", "identity": {}},
        **more,
    }


def rest_token(token: str = "", path: str = "/orders") -> dict[str, Any]:
    """A REST API's event for an authorizer of type TOKEN."""
    return {"type": "TOKEN", "authorizationToken": token, "methodArn": f"{ARN}{path}"}


def asked(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = example("lambda_authorizer").make_handler(World().guard(), **more)(event, None)
    return answer


def effect(answer: dict[str, Any]) -> str:
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    return str(statement["Effect"])


def test_an_http_api_is_told_yes_and_who_it_is() -> None:
    assert asked(http_api(f"Bearer {forge()}")) == {
        "isAuthorized": True,
        "context": {
            "sub": "guest-204",
            "client_id": "guest-app",
            "iss": "https://issuer.example",
            "scope": "gym:enter room:enter",
            "is_machine": "false",
        },
    }


@pytest.mark.parametrize("event", [rest_request, rest_token])
def test_a_rest_api_gets_a_policy_for_the_one_method_that_is_called(event: Any) -> None:
    answer = asked(event(f"Bearer {forge()}"))
    assert (effect(answer), answer["principalId"]) == ("Allow", "guest-204")
    assert answer["policyDocument"]["Statement"][0]["Resource"] == f"{ARN}/orders"
    assert all(isinstance(value, str) for value in answer["context"].values())


@pytest.mark.parametrize("event", [http_api, rest_request, rest_token])
@pytest.mark.parametrize("token", ["", "Bearer x", f"Bearer {forge(which=1)}", f"Bearer {bound_token()}"])
def test_no_good_token_is_401(event: Any, token: str) -> None:
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        asked(event(token))


def test_a_token_that_is_not_enough_is_403() -> None:
    poor = f"Bearer {forge(claims(scope='pool:enter'))}"
    assert asked(http_api(poor)) == {"isAuthorized": False, "context": {}}
    for event in (rest_request(poor), rest_token(poor)):
        assert effect(asked(event)) == "Deny"
    assert effect(asked(http_api(poor), simple=False)) == "Deny"


def test_an_http_api_may_want_policies() -> None:
    assert effect(asked(http_api(f"Bearer {forge()}"), simple=False)) == "Allow"


def test_what_is_open_is_open_and_the_stage_is_no_part_of_a_path() -> None:
    assert asked(http_api(path="/health"))["isAuthorized"]
    assert asked(http_api(path="/prod/health", stage="prod"))["isAuthorized"]
    assert effect(asked(rest_request(path="/health"))) == "Allow"
    with pytest.raises(Unauthorized):
        asked(http_api(path="/prod/healthy", stage="prod"))


def test_a_certificate_that_api_gateway_saw_counts() -> None:
    def event(pem: str) -> dict[str, Any]:
        found = http_api(f"Bearer {CERTIFIED}")
        found["requestContext"]["authentication"] = {"clientCert": {"clientCertPem": pem}}
        return found

    assert asked(event(HOLDER.pem))["isAuthorized"]
    with pytest.raises(Unauthorized):
        asked(event(OTHER.pem))
    identity = {"identity": {"clientCert": {"clientCertPem": HOLDER.pem}}, "domainName": "api.example"}
    assert effect(asked(rest_request(f"Bearer {CERTIFIED}", requestContext=identity))) == "Allow"


def test_two_headers_are_one_too_many() -> None:
    event = rest_request(f"Bearer {forge()}", multiValueHeaders={"Authorization": [f"Bearer {forge()}", "Bearer x"]})
    with pytest.raises(Unauthorized):
        asked(event)
