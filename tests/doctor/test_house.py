"""The doctor at the bed of a real house: healthy over http and TLS, and recipes filled from what it says of itself."""

from __future__ import annotations

import ast
import importlib
import json
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from innkeeper.doctor.examination import examine_issuer
from innkeeper.doctor.findings import Severity
from innkeeper.doctor.recipes import recipe, targets
from innkeeper.doctor.transport import dial
from innkeeper.explain.authorizer import authorizer
from innkeeper.protocol.refusals import UsageError
from tests.inn import Inn

COGNITO = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123"
ENTRA = "https://login.microsoftonline.com/3f1c2c3e-4c4b-4a50-9a52-0d6ff0a3a111/v2.0"


def doctor(shell: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["innkeeper", "doctor", *words], env=dict(shell), capture_output=True, text=True, check=False)


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    import os
    import sys

    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "100"}


def test_a_house_is_healthy(house: Inn) -> None:
    report = examine_issuer(house.url)
    assert list(report.findings(Severity.WARNING)) == []


def test_its_tls_is_seen_and_trusted_only_with_its_authority(house: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    untrusted = dial(house.tls_url)
    assert untrusted is not None
    assert "certificate" in untrusted.trouble
    monkeypatch.setenv("SSL_CERT_FILE", str(house.authority))
    line = dial(house.tls_url)
    assert line is not None
    assert (line.trouble, line.version) == ("", "TLSv1.3")
    assert line.ends > 0
    assert ssl.HAS_TLSv1_3
    assert dial(house.url) is None


def test_the_command_says_it_and_its_exit_code_too(house: Inn, shell: dict[str, str]) -> None:
    well = doctor(shell, house.url)
    assert (well.returncode, "✓" in well.stdout) == (0, True), well.stdout + well.stderr
    ill = doctor(shell, f"{house.url}/", "--json")
    assert ill.returncode == 1
    said = json.loads(ill.stdout)
    assert "IK813" in {one.get("number") for chapter in said["chapters"] for one in chapter["checks"]}
    assert doctor(shell).returncode == 2
    assert doctor(shell, "http://127.0.0.1:1").returncode == 3


def test_a_hotel_is_a_resource_like_an_mcp_server(house: Inn, shell: dict[str, str]) -> None:
    door = doctor(shell, "--mcp", f"{house.url}/hotel/gym", "--all")
    assert door.returncode == 1
    assert "IK861" in door.stdout
    assert "of another resource" in door.stdout


@pytest.mark.parametrize("target", targets())
def test_a_recipe_is_filled(house: Inn, shell: dict[str, str], target: str) -> None:
    words = ("--for", target, "--audience", "https://api.example", "--client-id", "app", "--scope", "a:read")
    ran = doctor(shell, house.url, *words)
    assert ran.returncode == 0, ran.stderr
    assert house.url in ran.stdout
    if target in PROGRAMS:
        check_imports(ast.parse(ran.stdout))


PROGRAMS = {"asgi", "django", "fastapi", "fastmcp", "flask", "lambda", "mcp", "pyjwt"}


def check_imports(program: ast.Module) -> None:
    """Everything a recipe imports is there."""
    for node in ast.walk(program):
        if isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            assert [one.name for one in node.names if not hasattr(module, one.name)] == []


@pytest.mark.parametrize(("issuer", "member"), [(COGNITO, "allowedClients"), (ENTRA, "customClaims")])
def test_the_authorizer_of_a_cloud_is_one_that_agentcore_takes(issuer: str, member: str) -> None:
    text = recipe("agentcore", issuer, {}, "0b3e1f7e-98a2-4c0c-9d55-3b3c3ec6a001", "app-1", "agents/invoke")
    config = text[text.index("{") :]
    authorizer(config.encode(), "agentcore.json")
    assert member in json.loads(config)["customJWTAuthorizer"]


def test_an_unknown_target_names_the_near_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'fastapi'"):
        recipe("fastap", COGNITO, {}, "", "", "")
