"""Clients that have environments of their own below ``.outside``, which ``make outsiders`` makes before it runs these tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.inn import Inn

INNKEEPER = str(Path(sys.executable).with_name("innkeeper"))

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A program with nothing of ours in its environment but what it is told, in a folder of its own."""

    def run(*words: str, **told: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "AZURE_", "INNKEEPER_", "SSL_"))
        }
        environment = {**kept, "HOME": str(tmp_path), **told}
        return subprocess.run(
            words, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )

    return run


@pytest.fixture
def rerouted(run: Run, house: Inn) -> Run:
    """The same with the cloud's real addresses: ``innkeeper twin run`` and nothing else."""

    def rerouted(*words: str, **told: str) -> subprocess.CompletedProcess[str]:
        own = {"INNKEEPER_PORT": str(house.port), "INNKEEPER_STATE": str(house.folder / ".innkeeper")}
        return run(INNKEEPER, "twin", "run", "--entra", "--refuse-others", "--", *words, **own, **told)

    return rerouted


def document(done: subprocess.CompletedProcess[str]) -> Any:
    """What a program printed as JSON."""
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
