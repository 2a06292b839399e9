from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twins.cognito.pool import Pool


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a house whose pool was planted: making its keys takes a second, so it is done once."""
    folder = tmp_path_factory.mktemp("planted")
    Pool(folder).close()
    return folder


@pytest.fixture
def pool(planted: Path, tmp_path: Path) -> Iterator[Pool]:
    folder = tmp_path / "state"
    shutil.copytree(planted, folder)
    opened = Pool(folder)
    yield opened
    opened.close()
