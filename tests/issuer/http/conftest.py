"""An issuer for each module of this folder. People's passwords are hashed cheaply, or hashing would be all we measure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from innkeeper.issuer.desk import passwords
from tests.issuer.house import House
from tests.issuer.visitor import Visitor


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_hasher", cheap)
        nobody = cheap.hash("nobody's")
        patch.setattr(passwords, "_of_nobody", lambda: nobody)
        yield


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Shared by the tests of a module: each brings its own visitors, and the clock only ever moves on."""
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a house with keys and people, to copy from: making keys takes longer than most tests."""
    folder = tmp_path_factory.mktemp("furnished")
    House(folder).close()
    return folder


@pytest.fixture
def own_house(furnished: Path, tmp_path: Path) -> Iterator[House]:
    """A house of one test's own."""
    made = House(Path(shutil.copytree(furnished, tmp_path / "house")))
    yield made
    made.close()


@pytest.fixture
def visitor(house: House) -> Visitor:
    return Visitor(house)
