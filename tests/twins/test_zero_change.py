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

from tests.inn import Inn, open_inn

ROOT = Path(__file__).parents[2]
INNKEEPER = str(Path(sys.executable).with_name("innkeeper"))
POOL = "us-east-1_innkeepr1"


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    with open_inn(tmp_path_factory.mktemp("zero-change")) as opened:
        yield opened


def ran(inn: Inn, script: str, *, cloud: str) -> Any:
    """What a Python program prints as JSON, with nothing of ours in its environment but what the run itself sets."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "INNKEEPER_", "SSL_"))}
    told = {"INNKEEPER_PORT": str(inn.port), "INNKEEPER_STATE": str(inn.folder / ".innkeeper"), "HOME": str(inn.folder)}
    words = [INNKEEPER, "twin", "run", f"--{cloud}", "--refuse-others", "--", sys.executable, "-c", script]
    done = subprocess.run(words, env={**usual, **told}, cwd=inn.folder, capture_output=True, text=True, check=False)
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


def test_the_example_of_a_job_runs_what_is_tested_here() -> None:
    lines = (ROOT / "examples" / "ci.yml").read_text("utf-8").splitlines()
    assert lines[-1].strip() == "- run: innkeeper twin run --refuse-others -- pytest"
