"""A test of somebody's own code with the clouds' real addresses, by a fixture instead of a wrapper."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import msal
import pytest

from innkeeper.testing import RoutedClouds
from tests.docs.blocks import block

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
"""boto3 and requests leave their connections to the garbage collector."""


@pytest.fixture(scope="module", autouse=True)
def _opened_before() -> Iterator[None]:
    """Some earlier test has used urllib, which keeps the proxies that it first saw."""
    request = urllib.request
    before, request._opener = request._opener, request.build_opener()
    yield
    request._opener = before


def test_boto3_finds_the_pool_at_amazons_own_address(innkeeper_clouds: RoutedClouds) -> None:
    pools = boto3.client("cognito-idp", region_name="us-east-1").list_user_pools(MaxResults=10)["UserPools"]
    assert [one["Id"] for one in pools] == [innkeeper_clouds.cognito["pool"]]


def test_the_page_on_testing_shows_a_test_that_passes(innkeeper_clouds: RoutedClouds) -> None:
    names: dict[str, Any] = {"boto3": boto3}
    exec(block("docs/how-to/test-your-api.md", "python", 3).text, names)
    names["test_it"](innkeeper_clouds)


def test_msal_gets_a_token_at_microsofts_own_address(innkeeper_clouds: RoutedClouds) -> None:
    entra = innkeeper_clouds.entra
    machine = next(one for one in entra["clients"] if one["name"] == "machine")
    authority = f"https://login.microsoftonline.com/{entra['tenant']}"
    app = msal.ConfidentialClientApplication(machine["id"], authority=authority, client_credential=machine["secret"])
    answer = app.acquire_token_for_client([entra["apis"][0]["default_scope"]])
    assert answer["token_source"] == "identity_provider", answer


def test_plain_http_gets_a_token_of_cognito_by_its_domain(innkeeper_clouds: RoutedClouds) -> None:
    machine = next(one for one in innkeeper_clouds.cognito["clients"] if one["name"] == "machine")
    form = {"grant_type": "client_credentials", "client_id": machine["id"], "client_secret": machine["secret"]}
    url = "https://us-east-1innkeepr1.auth.us-east-1.amazoncognito.com/oauth2/token"
    with urllib.request.urlopen(url, data=urllib.parse.urlencode(form).encode(), timeout=10) as answer:
        assert json.load(answer)["token_type"] == "Bearer"


def test_other_hosts_are_out_of_reach(innkeeper_clouds: RoutedClouds) -> None:
    with pytest.raises(urllib.error.URLError, match="403"):
        urllib.request.urlopen("https://example.com", timeout=10)


def test_nothing_of_it_stays_in_the_environment() -> None:
    assert "127.0.0.1" not in os.environ.get("HTTPS_PROXY", "")
