"""The package's face: light to import, and every name where it says."""

from __future__ import annotations

import subprocess
import sys

import pytest

import innkeeper.client


def test_every_public_name_can_be_had() -> None:
    assert len(innkeeper.client.__all__) > 15
    for name in innkeeper.client.__all__:
        assert getattr(innkeeper.client, name) is not None


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Manager'"):
        _ = innkeeper.client.Manager


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = "import sys, innkeeper.client; print(sorted({'httpx2', 'cryptography', 'msgspec'} & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
