"""Several pools in the settings, each with its own issuer, functions and switches."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from innkeeper.issuer.desk.cognito.seed import seeded_client_id, seeded_client_secret
from innkeeper.issuer.settings import SeedTwin
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import PASSWORD
from tests.twins.cognito.pool import GUEST, HOTEL, ISSUER, POOL, SETTINGS, Pool, asked, basic

SECOND = "eu-west-1_Second001"
CLOUDY = SeedTwin(
    dialect="cognito",
    id=SECOND,
    issuer="cloud",
    triggers={"one": "tests.twins.cognito.functions:add_claims"},
    switches={"lenient_scopes": True, "advertise_pkce": True},
)
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:one"


@pytest.fixture(scope="module")
def pools(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    folder = tmp_path_factory.mktemp("several") / "state"
    shutil.copytree(planted, folder)
    opened = Pool(folder, replace(SETTINGS, twin=[*SETTINGS.twin, CLOUDY]))
    yield opened
    opened.close()


def machine(pools: Pool, scope: str) -> dict[str, str]:
    client, secret = seeded_client_id(SECOND, "concierge"), seeded_client_secret(SECOND, "concierge")
    form = {"grant_type": "client_credentials", "scope": scope}
    answer = pools.house.post(f"/{SECOND}/oauth2/token", form, authorization=basic(client, secret))
    told: dict[str, str] = json.loads(answer.body)
    return told


def test_each_pool_spells_its_issuer_as_its_own_settings_say(pools: Pool) -> None:
    first, second = (
        json.loads(pools.house.get(f"/{one}/.well-known/openid-configuration").body) for one in (POOL, SECOND)
    )
    assert first["issuer"] == ISSUER
    assert second["issuer"] == f"https://cognito-idp.eu-west-1.amazonaws.com/{SECOND}"
    assert "code_challenge_methods_supported" not in first
    assert second["code_challenge_methods_supported"] == ["S256"]


def test_each_pool_has_its_own_functions(pools: Pool) -> None:
    config = {"PreTokenGenerationConfig": {"LambdaArn": ARN, "LambdaVersion": "V2_0"}}
    said = {"USERNAME": GUEST, "PASSWORD": PASSWORD}

    def sign_in(pool: str) -> str:
        pools.done("UpdateUserPool", {"UserPoolId": pool, "LambdaConfig": config})
        ask = {
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": seeded_client_id(pool, "guest-app"),
            "AuthParameters": said,
        }
        return pools.call("InitiateAuth", ask, authorization="").kind

    assert sign_in(SECOND) == ""
    assert sign_in(POOL) == "UnexpectedLambdaException"


def test_a_lenient_pool_leaves_out_scopes_that_the_client_does_not_have(pools: Pool) -> None:
    assert "access_token" in machine(pools, f"{HOTEL}/gym:enter {HOTEL}/roof:enter openid")
    assert machine(pools, f"{HOTEL}/roof:enter") == {"error": "invalid_scope"}
    wish = asked(client_id=seeded_client_id(SECOND, "concierge"), scope="openid roof:enter")
    query = "&".join(f"{name}={value}" for name, value in wish.items())
    assert pools.house.get(f"/{SECOND}/oauth2/authorize?{query}").location.startswith(f"/{SECOND}/login?")
    query = query.replace("openid roof:enter", "roof:enter")
    assert "error=invalid_scope" in pools.house.get(f"/{SECOND}/oauth2/authorize?{query}").location


def test_the_api_lists_the_pools_of_the_region_that_the_call_is_signed_for(pools: Pool) -> None:
    assert [one["Id"] for one in pools.done("ListUserPools", {"MaxResults": 60})["UserPools"]] == [POOL]


@pytest.mark.parametrize(
    ("twin", "says"),
    [
        (SeedTwin(dialect="cognito", id=POOL), f"two \\[\\[twin\\]\\] have the id {POOL}"),
        (
            SeedTwin(dialect="cognito", id=SECOND, switches={"lenient": True}),
            "no switch 'lenient'; there are lenient_scopes",
        ),
    ],
)
def test_settings_that_are_no_good_are_refused_by_name(tmp_path: Path, twin: SeedTwin, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Pool(tmp_path, replace(SETTINGS, twin=[*SETTINGS.twin, twin]))
