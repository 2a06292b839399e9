"""MSAL for Java, unmodified, with its own local settings and in zero-change mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from innkeeper.detour.trust import STORE_PASSWORD
from tests.twins.conftest import Run
from tests.twins.entra.sdks import Twin
from tests.twins.entra.tenant import TENANT, claims
from tests.twins.parity import parity

pytestmark = pytest.mark.outside

SOURCE = Path(__file__).parents[1] / "outside" / "java" / "Daemon.java"


@parity("SDKs", "observed")
def test_with_its_own_settings(twin: Twin, outsider: Callable[[str], Path], run: Run, tmp_path: Path) -> None:
    """MSAL for Java gets a token for an application and is told the code of a refusal."""
    store = tmp_path / "trusted.p12"
    told = ["-storetype", "PKCS12", "-storepass", STORE_PASSWORD, "-keystore", str(store)]
    assert run("keytool", "-importcert", "-noprompt", "-alias", "twin", "-file", twin.ca, *told).returncode == 0
    trusting = [f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={STORE_PASSWORD}"]
    program = ["java", *trusting, "-cp", f"{outsider('java')}/*", str(SOURCE), f"{twin.authority}/", twin.concierge]
    done = run(*program, twin.secret, twin.scope, "local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert claims(done.stdout.strip())["azp"] == twin.concierge
    assert "AADSTS7000215" in run(*program, "wrong", twin.scope, "local").stdout


def test_with_microsofts_own_authority(twin: Twin, outsider: Callable[[str], Path], rerouted: Run) -> None:
    authority = f"https://login.microsoftonline.com/{TENANT}/"
    program = ["java", "-cp", f"{outsider('java')}/*", str(SOURCE), authority, twin.concierge, twin.secret, twin.scope]
    done = rerouted(*program)
    assert done.returncode == 0, done.stdout + done.stderr
    assert claims(done.stdout.strip().splitlines()[-1])["iss"] == f"https://login.microsoftonline.com/{TENANT}/v2.0"
