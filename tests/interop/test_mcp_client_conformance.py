"""The Model Context Protocol's own conformance tool judges innkeeper's client: every scenario there is for authorization."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.test_mcp_conformance import TOOL, checks_in

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[2]
CLIENT = f"{sys.executable} -m tests.interop.mcp_client"
LEAST = 33
"""Scenarios the tool had when this was written: 25 required in 2026-07-28, 6 of extensions, 2 of 2025-03-26."""


class Ran(NamedTuple):
    """A scenario, whether the tool was content, and what it said of each check."""

    scenario: str
    content: bool
    checks: list[str]
    output: str

    @property
    def good(self) -> bool:
        return self.content and bool(self.checks) and set(self.checks) <= {"SUCCESS"}


def tool(*words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("node")), str(TOOL), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def judged(scenario: str, folder: Path) -> Ran:
    """Its exit code and the file it leaves; what it prints may be cut off when it ends."""
    own = folder / scenario.replace("/", "-")
    ran = tool("client", "--command", CLIENT, "--scenario", scenario, "--timeout", "90000", "-o", str(own))
    made = [one["status"] for one in checks_in(own) if one["status"] != "INFO"]
    return Ran(scenario, ran.returncode == 0, made, ran.stdout + ran.stderr)


@pytest.mark.usefixtures("run_node")
def test_every_authorization_scenario_for_clients_passes(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    scenarios = sorted(set(re.findall(r"auth/[a-z0-9-]+", tool("list").stdout)))
    assert len(scenarios) >= LEAST
    with ThreadPoolExecutor(4) as pool:
        ran = list(pool.map(lambda one: judged(one, tmp_path), scenarios))
    count = f"{sum(one.good for one in ran)} of {len(ran)} scenarios, {sum(len(one.checks) for one in ran)} checks"
    record_property("mcp client conformance", count)
    bad = [one for one in ran if not one.good]
    assert not bad, "\n\n".join(f"{one.scenario}: {one.checks}\n{one.output}" for one in bad)
