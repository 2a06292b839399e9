"""What AgentCore is told of an issuer: its own model takes it, and its authorizer, simulated, lets the right tokens in alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from innkeeper.cli.agentcore import command
from innkeeper.client.wire import run
from innkeeper.explain.agentcore import judging
from innkeeper.explain.authorizer import authorizer
from innkeeper.explain.kit import Wanted, authorizer_for, card_for, provider_for
from innkeeper.protocol.refusals import UsageError
from tests.explain import shapes

OURS = "https://inn.example"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
TOLD = {
    "authorization_endpoint": f"{OURS}/authorize",
    "token_endpoint": f"{OURS}/token",
    "grant_types_supported": [TOKEN_EXCHANGE],
}


def wanted(issuer: str, audience: str = "", client: str = "", scopes: str = "", **more: Any) -> Wanted:
    return Wanted(issuer=issuer, audience=audience, client=client, scopes=tuple(scopes.split()), **more)


INN = wanted(OURS, f"{OURS}/agent", "caller", "agents:invoke agents:read", metadata=TOLD)
COGNITO = wanted(shapes.POOL, "", shapes.APP_CLIENT, "agents/invoke")
ENTRA = wanted(shapes.V2, shapes.API, shapes.CALLER, "Agents.Invoke", metadata=TOLD)
ENTRA_MACHINE = wanted(shapes.V2, shapes.API, shapes.CALLER, "Agents.Invoke", machine=True, metadata=TOLD)
ENTRA_OLD = wanted(shapes.V1, f"api://{shapes.API}", shapes.CALLER, "Agents.Invoke", machine=True)


def inn(**changes: Any) -> str:
    said = {
        "iss": OURS,
        "aud": [f"{OURS}/agent"],
        "client_id": "caller",
        "scope": "agents:invoke",
        "sub": "p",
        "jti": "j",
    }
    return shapes.signed(said | changes)


def refused(told: Wanted, token: str) -> list[str]:
    config = authorizer(json.dumps(authorizer_for(told)).encode(), "kit")
    return [one.page.number for one in run(judging(config, token, shapes.KEYS)).refusals]


@pytest.mark.parametrize(
    ("told", "token"),
    [
        (INN, inn()),
        (COGNITO, shapes.cognito_machine()),
        (ENTRA, shapes.entra_v2(scp="Agents.Invoke")),
        (ENTRA_MACHINE, shapes.entra_v2()),
    ],
    ids=["innkeeper", "cognito", "entra", "entra for itself"],
)
def test_the_generated_authorizer_lets_the_issuer_s_tokens_in(told: Wanted, token: str) -> None:
    assert refused(told, token) == []


@pytest.mark.parametrize(
    ("told", "token", "numbers"),
    [
        (INN, inn(aud="https://elsewhere.example"), ["IK802"]),
        (INN, inn(client_id="another"), ["IK803"]),
        (INN, inn(scope="room:enter"), ["IK804"]),
        (COGNITO, shapes.cognito_machine(client_id="another"), ["IK803"]),
        (COGNITO, shapes.cognito_machine(scope="other/scope"), ["IK804"]),
        (COGNITO, shapes.cognito_identity(), ["IK803", "IK804"]),
        (ENTRA, shapes.entra_v2(scp="Agents.Invoke", azp="another"), ["IK805"]),
        (ENTRA, shapes.entra_v2(scp="Other"), ["IK804"]),
        (ENTRA_MACHINE, shapes.entra_v2(roles=["Other.Role"]), ["IK805"]),
        (ENTRA_MACHINE, shapes.entra_v2(aud="another"), ["IK802"]),
    ],
    ids=range(10),
)
def test_and_no_others(told: Wanted, token: str, numbers: list[str]) -> None:
    assert refused(told, token) == numbers


def test_entra_s_older_tokens_are_looked_up_where_their_issuer_has_its_document() -> None:
    rules = authorizer_for(ENTRA_OLD)["customJWTAuthorizer"]
    assert (
        rules["discoveryUrl"] == f"https://login.microsoftonline.com/{shapes.TENANT}/.well-known/openid-configuration"
    )
    assert rules["customClaims"][0]["inboundTokenClaimName"] == "appid"


@pytest.mark.parametrize("told", [INN, COGNITO, ENTRA], ids=["innkeeper", "cognito", "entra"])
def test_the_service_s_own_model_takes_what_is_generated(told: Wanted) -> None:
    session = pytest.importorskip("botocore.session", reason="botocore is not installed").get_session()
    from botocore.validate import ParamValidator

    model = session.get_service_model("bedrock-agentcore-control")
    taken = model.operation_model("CreateOauth2CredentialProvider").input_shape
    report = ParamValidator().validate(provider_for(told, "innkeeper"), taken)
    assert not report.has_errors(), report.generate_report()
    shape = model.operation_model("CreateGateway").input_shape.members["authorizerConfiguration"]
    report = ParamValidator().validate(authorizer_for(told), shape)
    assert not report.has_errors(), report.generate_report()


def test_an_agent_acts_for_people_by_token_exchange_where_the_issuer_speaks_it() -> None:
    own = provider_for(INN, "inn")["oauth2ProviderConfigInput"]["customOauth2ProviderConfig"]
    assert own["onBehalfOfTokenExchangeConfig"]["grantType"] == "TOKEN_EXCHANGE"
    pool = provider_for(COGNITO, "pool")["oauth2ProviderConfigInput"]["customOauth2ProviderConfig"]
    assert "onBehalfOfTokenExchangeConfig" not in pool
    assert "clientSecret" not in json.dumps([own, pool])


def test_a_card_says_how_its_callers_get_tokens() -> None:
    card = card_for(INN)
    flow = card["securitySchemes"]["oauth"]["flows"]["authorizationCode"]
    assert flow["tokenUrl"] == f"{OURS}/token"
    assert card["security"] == [{"oauth": ["agents:invoke", "agents:read"]}]
    assert card_for(ENTRA)["security"] == [{"oauth": [f"api://{shapes.API}/Agents.Invoke"]}]
    assert card_for(ENTRA_MACHINE)["security"] == [{"oauth": [f"api://{shapes.API}/.default"]}]
    with pytest.raises(UsageError, match="token_endpoint"):
        card_for(COGNITO)


def test_the_command_prints_what_the_simulator_reads(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"audience": "a", "client_id": "c", "scope": "s", "name": "inn", "machine": False}
    assert command(OURS, **said, part="authorizer") == 0
    printed = capsys.readouterr().out
    assert authorizer(printed.encode(), "printed").allowed_audience == ("a",)
    with pytest.raises(UsageError, match="--audience"):
        command(OURS, **{**said, "audience": ""}, part="authorizer")
