"""What every test may lean on: a browser and a Node where the machine has them, and a plain reason where it has not.

In continuous integration nothing is skipped: what is missing there is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.inn import Inn, open_inn

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.postgres import Postgres

pytest_plugins = ["tests.reached"]

NODE_PACKAGES = Path(__file__).parent / "interop" / "node"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    """A house that is open for the whole run; ``house.url`` is its issuer. What a test changes there, others see."""
    with open_inn(tmp_path_factory.mktemp("house")) as inn:
        yield inn


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the whole run. Each test makes databases of its own there."""
    if find_spec("asyncpg") is None:
        _missing("asyncpg is not installed (pip install -e '.[postgres]')")
    from tests.postgres import FAST, binaries, postgres

    if binaries() is None:
        _missing("no PostgreSQL on this machine (Debian, Ubuntu: sudo apt install postgresql)")
    with postgres(*FAST) as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    return found or _missing("no Chromium on this machine (Debian, Ubuntu: sudo apt install chromium)")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium. One a module: while it lives, no other event loop can run in this thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def run_node() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a script of ``tests/interop/node`` with arguments; output is text, the exit code is not judged."""
    node = Path(sys.executable).with_name("node")
    if not node.exists() or not (NODE_PACKAGES / "node_modules").is_dir():
        _missing("no Node, or its packages are not installed (make setup)")

    def run(script: str, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        command = [str(node), str(NODE_PACKAGES / script), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, cwd=NODE_PACKAGES)

    return run


@pytest.fixture(scope="session")
def outsider() -> Callable[[str], Path]:
    """The folder of a client's environment, by its name."""

    def find(name: str) -> Path:
        folder = Path(__file__).parents[1] / ".outside" / name
        if not (folder / ".made").exists():
            pytest.skip(f"{folder} is not made (make outsiders)")
        return folder

    return find


def _missing(reason: str) -> str:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much of the specifications the ledger holds, and what tools that judge us counted."""
    from tests.specs.test_ledger import rules

    found = rules()
    differing = sum("divergence" in rule for rule in found)
    terminalreporter.write_line(f"ledger: {len(found)} rules, {len(found) - differing} witnessed, {differing} diverge")
    for report in terminalreporter.stats.get("passed", ()):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
