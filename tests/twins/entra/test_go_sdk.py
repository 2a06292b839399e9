"""MSAL Go, unmodified, over TLS, with its own local settings and in zero-change mode; on machines that have Go."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.twins.conftest import Run
from tests.twins.entra.sdks import Twin
from tests.twins.entra.tenant import TENANT, claims
from tests.twins.parity import parity

pytestmark = pytest.mark.interop

PROGRAM = Path(__file__).parent / "go"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = shutil.which("go")
    if go is None:
        pytest.skip("no Go on this machine")
    made = tmp_path_factory.mktemp("go") / "entra"
    built = subprocess.run(
        [go, "build", "-o", str(made), "."], cwd=PROGRAM, capture_output=True, text=True, check=False, timeout=300
    )
    if built.returncode and "dial tcp" in built.stderr:
        pytest.skip("Go's modules cannot be got here")
    assert built.returncode == 0, built.stderr
    return made


def run(program: Path, twin: Twin, secret: str) -> subprocess.CompletedProcess[str]:
    command = [str(program), twin.authority, twin.concierge, secret, twin.scope, "local"]
    environment = {**os.environ, "SSL_CERT_FILE": twin.ca, "SSL_CERT_DIR": ""}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


@parity("SDKs", "observed")
def test_msal_go_gets_a_token_for_an_application_and_is_told_the_code_of_a_refusal(program: Path, twin: Twin) -> None:
    done = run(program, twin, twin.secret)
    assert done.returncode == 0, done.stdout
    assert claims(done.stdout.strip())["azp"] == twin.concierge
    refused = run(program, twin, "wrong")
    assert (refused.returncode, "AADSTS7000215" in refused.stdout) == (1, True)


def test_msal_go_with_microsofts_own_authority_finds_the_twin(program: Path, twin: Twin, rerouted: Run) -> None:
    authority = f"https://login.microsoftonline.com/{TENANT}"
    done = rerouted(str(program), authority, twin.concierge, twin.secret, twin.scope)
    assert done.returncode == 0, done.stdout + done.stderr
    assert claims(done.stdout.strip())["iss"] == f"{authority}/v2.0"
