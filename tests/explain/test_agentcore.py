"""Amazon Bedrock AgentCore's authorizer, simulated: each known mismatch is refused for its reason, and the right
configuration lets the token in."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from innkeeper.client.wire import run
from innkeeper.explain.agentcore import judging
from innkeeper.explain.authorizer import authorizer
from innkeeper.explain.verdicts import Verdict
from innkeeper.protocol.refusals import UsageError
from tests.explain import shapes


def configuration(**members: Any) -> bytes:
    return json.dumps({"customJWTAuthorizer": members}).encode()


def explained(token: str, issuer: str, **members: Any) -> Verdict:
    config = authorizer(configuration(discoveryUrl=shapes.discovery(issuer), **members), "agentcore.json")
    return run(judging(config, token, shapes.KEYS))


def numbers(verdict: Verdict) -> list[str]:
    return [one.page.number for one in verdict.refusals]


def texts(verdict: Verdict) -> str:
    return "\n".join(f"{one.place}: {one.text}" for one in verdict.mends)


def rule(name: str, kind: str, operator: str, *values: str) -> dict[str, Any]:
    one = {"matchValueString": values[0]} if operator != "CONTAINS_ANY" else {"matchValueStringList": list(values)}
    return {
        "inboundTokenClaimName": name,
        "inboundTokenClaimValueType": kind,
        "authorizingClaimMatchValue": {"claimMatchOperator": operator, "claimMatchValue": one},
    }


def test_cognito_access_tokens_have_no_aud_and_allowed_audience_rejects_them_all() -> None:
    verdict = explained(shapes.cognito_machine(), shapes.POOL, allowedAudience=[shapes.APP_CLIENT])
    assert numbers(verdict) == ["IK802"]
    assert f'"allowedClients": ["{shapes.APP_CLIENT}"]' in texts(verdict)
    assert "terraform: custom_jwt_authorizer" in texts(verdict)


def test_cognito_access_tokens_pass_by_client_and_scope() -> None:
    said = {"allowedClients": [shapes.APP_CLIENT], "allowedScopes": ["agents/invoke"]}
    assert numbers(explained(shapes.cognito_machine(), shapes.POOL, **said)) == []


def test_a_cognito_id_token_passes_allowed_audience_by_accident_and_is_caught_by_asking_for_an_access_token() -> None:
    token = shapes.cognito_identity()
    assert numbers(explained(token, shapes.POOL, allowedAudience=[shapes.APP_CLIENT])) == []
    required = rule("token_use", "STRING", "EQUALS", "access")
    strict = explained(token, shapes.POOL, allowedAudience=[shapes.APP_CLIENT], customClaims=[required])
    assert numbers(strict) == ["IK805"]


def test_an_entra_v1_token_does_not_fit_the_v2_discovery_url() -> None:
    verdict = explained(shapes.entra_v1(), shapes.V2, allowedAudience=[shapes.API])
    assert numbers(verdict) == ["IK801", "IK802"]
    assert "requested_access_token_version = 2" in texts(verdict)
    assert f"login.microsoftonline.com/{shapes.TENANT}/.well-known/openid-configuration" in texts(verdict)


def test_an_entra_v1_token_passes_with_its_own_issuer_and_audience() -> None:
    assert numbers(explained(shapes.entra_v1(), shapes.V1.rstrip("/"), allowedAudience=[f"api://{shapes.API}"])) == [
        "IK801"
    ], "the issuer's slash is in the document, and only there"


def test_entra_v2_has_no_client_id_for_allowed_clients() -> None:
    verdict = explained(shapes.entra_v2(), shapes.V2, allowedClients=[shapes.CALLER])
    assert numbers(verdict) == ["IK803"]
    assert '"inboundTokenClaimName": "azp"' in texts(verdict)


def test_entra_v2_passes_by_guid_and_azp() -> None:
    rules = [rule("azp", "STRING", "EQUALS", shapes.CALLER)]
    assert numbers(explained(shapes.entra_v2(), shapes.V2, allowedAudience=[shapes.API], customClaims=rules)) == []


def test_entra_machines_have_roles_and_allowed_scopes_is_useless() -> None:
    verdict = explained(shapes.entra_v2(), shapes.V2, allowedScopes=["Agents.Invoke"])
    assert numbers(verdict) == ["IK804"]
    assert '"matchValueString": "Agents.Invoke"' in texts(verdict)
    rules = [rule("roles", "STRING_ARRAY", "CONTAINS", "Agents.Invoke")]
    assert numbers(explained(shapes.entra_v2(), shapes.V2, customClaims=rules)) == []


def test_entra_scopes_are_bare_in_the_token() -> None:
    person = shapes.entra_v2(scp="Agents.Invoke", roles=[])
    verdict = explained(person, shapes.V2, allowedScopes=[f"api://{shapes.API}/Agents.Invoke"])
    assert numbers(verdict) == ["IK804"]
    assert numbers(explained(person, shapes.V2, allowedScopes=["Agents.Invoke"])) == []


def test_a_list_that_is_not_configured_is_not_asked() -> None:
    verdict = explained(shapes.cognito_machine(), shapes.POOL, allowedClients=[shapes.APP_CLIENT])
    assert verdict.unasked == {
        "an audience is allowed",
        "a scope is allowed",
        "every custom claim matches",
        "the workload is allowed",
    }


def test_everything_wrong_is_said_at_once() -> None:
    old = shapes.cognito_machine(exp=1_700_000_000)
    verdict = explained(old, "https://other.example", allowedClients=["someone"], allowedScopes=["x"])
    assert numbers(verdict) == ["IK801", "IK509", "IK803", "IK804"]


def test_a_forged_token_is_refused_for_its_signature() -> None:
    token = shapes.cognito_machine()
    assert numbers(explained(token[:-6] + "AAAAAA", shapes.POOL, allowedClients=[shapes.APP_CLIENT])) == ["IK506"]


@pytest.mark.parametrize("operator", ["CONTAINS", "CONTAINS_ANY"])
def test_lists_are_matched_by_contains(operator: str) -> None:
    token = shapes.cognito_machine(**{"cognito:groups": ["agents", "guests"]})
    for value, expected in (("agents", []), ("chefs", ["IK805"])):
        rules = [rule("cognito:groups", "STRING_ARRAY", operator, value)]
        assert numbers(explained(token, shapes.POOL, customClaims=rules)) == expected


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"discoveryUrl": "https://issuer.example"}, "address of a document"),
        ({"discoveryUrl": shapes.discovery(shapes.POOL), "allowedAudience": []}, "allowedAudience is empty"),
        ({"discoveryUrl": shapes.discovery(shapes.POOL), "allowedClient": ["a"]}, "did you mean 'allowedClients'"),
        (
            {
                "discoveryUrl": shapes.discovery(shapes.POOL),
                "customClaims": [rule("aud", "STRING", "EQUALS", "api://x")],
            },
            "'api://x' cannot be matched",
        ),
        (
            {
                "discoveryUrl": shapes.discovery(shapes.POOL),
                "allowedWorkloadConfiguration": {"hostingEnvironments": [{"arn": "my-gateway"}]},
            },
            "'my-gateway' is no ARN",
        ),
        (
            {
                "discoveryUrl": shapes.discovery(shapes.POOL),
                "allowedWorkloadConfiguration": {"workloadIdentities": ["a b"]},
            },
            "'a b' is no name",
        ),
        (
            {"discoveryUrl": shapes.discovery(shapes.POOL), "customClaims": [rule("a", "STRING", "CONTAINS", "x")]},
            "STRING goes with EQUALS",
        ),
    ],
)
def test_a_configuration_that_the_service_would_not_take_is_an_error(members: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        authorizer(configuration(**members), "agentcore.json")


GATEWAY = "arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/front-desk"
WORKLOADS = {"hostingEnvironments": [{"arn": GATEWAY}], "workloadIdentities": ["night-porter"]}


@pytest.mark.parametrize(
    ("workload", "expected"), [("", []), (GATEWAY, []), ("night-porter", []), (f"{GATEWAY}-2", ["IK806"])]
)
def test_a_workload_rule_is_judged_by_whoever_says_what_the_request_came_through(
    workload: str, expected: list[str]
) -> None:
    members = {"allowedClients": [shapes.APP_CLIENT], "allowedWorkloadConfiguration": WORKLOADS}
    config = authorizer(configuration(discoveryUrl=shapes.discovery(shapes.POOL), **members), "agentcore.json")
    verdict = run(judging(config, shapes.cognito_machine(), shapes.KEYS, workload))
    assert numbers(verdict) == expected
    assert ("the workload is allowed" in verdict.unasked) is (not workload)


def test_a_private_endpoint_is_said_where_keys_were_had_from_here() -> None:
    private = {"selfManagedLatticeResource": {"resourceConfigurationIdentifier": "rcfg-1"}}
    said = {"allowedClients": [shapes.APP_CLIENT], "privateEndpoint": private}
    steps = explained(shapes.cognito_machine(), shapes.POOL, **said).trail.as_document()["steps"]
    assert "private endpoint" in next(one["found"] for one in steps if "discovery url" in one["name"])


def test_the_whole_request_of_the_create_call_is_understood() -> None:
    inner = json.loads(configuration(discoveryUrl=shapes.discovery(shapes.POOL), allowedClients=["a"]))
    whole = json.dumps({"agentRuntimeName": "x", "authorizerConfiguration": inner}).encode()
    assert authorizer(whole, "agentcore.json").allowed_clients == ("a",)


def test_keys_are_fetched_by_the_discovery_url_and_the_token_is_sent_nowhere() -> None:
    asked: list[httpx2.Request] = []

    def world(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        document = {"issuer": shapes.V1, "jwks_uri": "https://login.microsoftonline.com/keys"}
        return httpx2.Response(200, json=shapes.KEYS if request.url.path == "/keys" else document)

    url = f"https://login.microsoftonline.com/{shapes.TENANT}/.well-known/openid-configuration"
    config = authorizer(configuration(discoveryUrl=url, allowedAudience=[f"api://{shapes.API}"]), "a.json")
    token = shapes.entra_v1()
    verdict = run(judging(config, token), httpx2.Client(transport=httpx2.MockTransport(world)))
    assert numbers(verdict) == []
    assert [str(one.url) for one in asked] == [url, "https://login.microsoftonline.com/keys"]
    assert not any(token in str(one.headers) + str(one.url) + one.content.decode() for one in asked)


def test_where_keys_cannot_be_had_the_rest_is_judged_and_the_verdict_left_open() -> None:
    def world(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(503)

    http = httpx2.Client(transport=httpx2.MockTransport(world))
    url = shapes.discovery(shapes.POOL)
    good = authorizer(configuration(discoveryUrl=url, allowedClients=[shapes.APP_CLIENT]), "a.json")
    verdict = run(judging(good, shapes.cognito_machine()), http)
    assert (numbers(verdict), verdict.undecided) == (["IK800"], True)
    wrong = authorizer(configuration(discoveryUrl=url, allowedClients=["another"]), "a.json")
    verdict = run(judging(wrong, shapes.cognito_machine()), http)
    assert (numbers(verdict), verdict.undecided) == (["IK800", "IK803"], False)
