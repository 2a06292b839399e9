"""The command line as a person has it: a shell, a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``innkeeper`` is found, 80 columns wide, in UTC, with nothing left from elsewhere."""
    scripts = Path(sys.executable).parent
    guest = Path(__file__).with_name("guest.py")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INNKEEPER_")}
    return kept | {
        "PATH": f"{scripts}{os.pathsep}{kept['PATH']}",
        "COLUMNS": "80",
        "TZ": "UTC",
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
        "GUEST": f"{sys.executable} {guest} %s",
    }


@pytest.fixture
def run(tmp_path: Path, shell: dict[str, str]) -> Run:
    """``innkeeper`` with some words, to its end."""

    def ran(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["innkeeper", *words]
        return subprocess.run(command, cwd=tmp_path, env=shell, capture_output=True, text=True, check=False)

    return ran
