"""Streamlit's st.login, unmodified, with Cognito's hosted page in headless Chromium."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.inn import Inn, free_port
from tests.twins.cognito.pool import GUEST, POOL
from tests.twins.parity import parity

pytestmark = [
    pytest.mark.outside,
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

APP = """
import streamlit as st
if st.user.is_logged_in:
    st.write(f"Hello {st.user.email}")
    st.write(f"from {st.user.iss}")
else:
    st.button("Log in", on_click=st.login)
"""


@pytest.fixture
def app(house: Inn, outsider: Callable[[str], Path], tmp_path: Path) -> Iterator[str]:
    """An app with a client of its own in the pool."""
    port = free_port()
    back = f"http://localhost:{port}/oauth2callback"
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    pools = boto3.client("cognito-idp", endpoint_url=house.url, region_name="us-east-1", **keys)
    client = pools.create_user_pool_client(
        UserPoolId=POOL,
        ClientName="streamlit",
        GenerateSecret=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=["openid", "email", "profile"],
        CallbackURLs=[back],
    )["UserPoolClient"]
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(
        f"""[auth]
redirect_uri = "{back}"
cookie_secret = "a-secret-of-a-test-that-signs-its-cookie"
client_id = "{client["ClientId"]}"
client_secret = "{client["ClientSecret"]}"
server_metadata_url = "{house.url}/{POOL}/.well-known/openid-configuration"
""",
        "utf-8",
    )
    (tmp_path / "app.py").write_text(APP, "utf-8")
    words = [str(outsider("streamlit") / "bin" / "streamlit"), "run", "app.py", "--server.headless", "true"]
    words += ["--server.port", str(port), "--server.address", "localhost", "--browser.gatherUsageStats", "false"]
    environment = {**os.environ, "HOME": str(tmp_path)}
    with (tmp_path / "streamlit.log").open("wb") as log:
        server = subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        yield f"http://localhost:{port}/"
    finally:
        server.terminate()
        server.wait()


@parity("Clients that others wrote", "observed")
def test_streamlits_login_in_a_browser(app: str, browser: Any, tmp_path: Path) -> None:
    """Streamlit's st.login signs in over the hosted page and reads the ID token."""
    context = browser.new_context()
    page = context.new_page()
    _open(page, app)
    page.get_by_role("button", name="Log in").click()
    page.fill("input#username", GUEST, timeout=60_000)
    page.fill("input#password", "Correct-Horse-7")
    page.click("button#sign-in")
    page.get_by_text(f"Hello {GUEST}").wait_for(timeout=60_000)
    assert page.get_by_text(f"/{POOL}").count() == 1
    context.close()


def _open(page: Any, address: str) -> None:
    """Open the app once its server listens."""
    from playwright.sync_api import Error

    for _ in range(600):
        try:
            page.goto(address)
        except Error:
            page.wait_for_timeout(100)
        else:
            return
    pytest.fail("Streamlit does not listen")
