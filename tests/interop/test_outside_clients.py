"""The outside clients are the ones that were pinned, and they load."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from tests.conftest import NODE_PACKAGES


@pytest.mark.interop
def test_the_outside_clients_are_the_pinned_ones(run_node: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    ran = run_node("versions.js")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == json.loads((NODE_PACKAGES / "package.json").read_text("utf-8"))["dependencies"]
