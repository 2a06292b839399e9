"""The plugin in a stranger's test run: it brings its fixtures, loads nothing before they are asked for, sets back."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pytest_run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:innkeeper", "-p", "innkeeper.testing.plugin", "-q", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)


def test_the_examples_tests_of_an_api_with_a_guard_of_its_own_pass() -> None:
    ran = pytest_run(ROOT, "examples/test_pyjwt_api.py", "-W", "error")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "19 passed" in ran.stdout


def test_nothing_of_the_server_is_loaded_before_a_test_asks() -> None:
    code = "import innkeeper.testing.plugin, innkeeper.testing, sys; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"uvicorn", "argon2", "starlette", "cryptography", "httpx2", "sqlite3"} & set(out)


def test_settings_can_be_overridden_and_each_test_starts_anew(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        """
import pytest
from innkeeper.issuer.settings import SeedClient, SeedResource, Settings

@pytest.fixture(scope="session")
def innkeeper_settings():
    return Settings(
        resource=[SeedResource("https://mine.example", "Mine", {"a": "A"})],
        client=[SeedClient(id="robot", name="R", secret="robot-secret", grants=("client_credentials",), scopes=["a"])],
    )

def test_one(innkeeper_issuer):
    assert innkeeper_issuer.audience == "https://mine.example"
    assert innkeeper_issuer.token("robot", "robot-secret", scope="a")
    innkeeper_issuer.clock.move(5000)
    innkeeper_issuer.faults.fail()

def test_two(innkeeper_issuer):
    assert innkeeper_issuer.faults.seen == []
    assert innkeeper_issuer.token("robot", "robot-secret", scope="a")
""",
        "utf-8",
    )
    ran = pytest_run(tmp_path, "test_it.py")
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


def test_pytest_finds_it_by_the_packages_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"innkeeper": "innkeeper.testing.plugin"}
