"""Microsoft's libraries for Node, unmodified, over TLS, with their own local settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NODE_PACKAGES
from tests.twins.entra.sdks import Twin
from tests.twins.entra.tenant import GUEST, TENANT
from tests.twins.parity import parity

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[3]


def play(twin: Twin, case: str) -> Any:
    """What a case of the script saw."""
    node = Path(sys.executable).with_name("node")
    if not node.exists() or not (NODE_PACKAGES / "node_modules" / "@azure").is_dir():
        pytest.skip("no Node, or its packages are not installed (make setup)")
    told = {
        "authority": twin.authority,
        "host": twin.host,
        "tenant": TENANT,
        "concierge": twin.concierge,
        "secret": twin.secret,
        "app": twin.app,
        "api": twin.api,
        "scope": twin.scope,
        "room": twin.room,
        "folder": str(twin.inn.folder),
        "port": twin.inn.tls_port,
    }
    command = [str(node), str(NODE_PACKAGES / "entra.js"), case, json.dumps(told), sys.executable, str(ROOT)]
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": twin.ca, "NODE_NO_WARNINGS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, cwd=NODE_PACKAGES, env=environment
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@parity("SDKs", "observed")
def test_msal_node_gets_a_token_for_an_application(twin: Twin) -> None:
    assert play(twin, "credentials")["azp"] == twin.concierge


@parity("SDKs", "observed")
def test_msal_node_is_told_the_code_of_a_refusal(twin: Twin) -> None:
    failed = play(twin, "refused")["failed"]
    assert "AADSTS7000215" in failed["message"], failed


@parity("SDKs", "observed")
def test_msal_node_signs_a_person_in_and_refreshes_silently(twin: Twin) -> None:
    seen = play(twin, "code")
    assert "room:enter" in seen["access"]["scp"].split(), seen
    assert (seen["id"]["preferred_username"], seen["silent"]) == (GUEST, False)
    assert seen["account"] == f"{seen['id']['oid']}.{TENANT}"


@parity("SDKs", "observed")
def test_msal_node_signs_a_device_in(twin: Twin) -> None:
    assert play(twin, "device")["preferred_username"] == GUEST


@parity("SDKs", "observed")
def test_msal_node_trades_a_persons_token_on_their_behalf(twin: Twin) -> None:
    seen = play(twin, "behalf")
    assert seen["incoming"]["oid"] == seen["outgoing"]["oid"], seen
    assert (seen["outgoing"]["azp"], seen["outgoing"]["aud"]) == (twin.concierge, twin.api)


@parity("SDKs", "observed")
def test_azure_identity_for_javascript_gets_a_token(twin: Twin) -> None:
    assert play(twin, "identity")["azp"] == twin.concierge


@parity("SDKs", "observed")
def test_passport_azure_ad_takes_a_good_token_and_no_changed_one(twin: Twin) -> None:
    seen = play(twin, "passport")
    assert "room:enter.all" in seen["good"]["roles"], seen
    assert "refused" in seen["changed"]
