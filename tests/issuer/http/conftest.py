"""An issuer for each module of this folder. People's passwords are hashed cheaply, or hashing would be all we measure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from innkeeper.issuer.desk import passwords
from tests.issuer import engines
from tests.issuer.house import House
from tests.issuer.visitor import Visitor

ON_BOTH_ENGINES = {
    "test_nothing_works_twice",
    "test_guest_path",
    "test_device",
    "test_backchannel",
    "test_token_exchange",
    "test_jwt_bearer",
    "test_guessing",
    "test_second_factor",
    "test_account",
    "test_registration",
    "test_fapi",
    "test_health",
    "test_admin_api",
}
"""Modules whose tests run on SQLite and on PostgreSQL. All others run on one: INNKEEPER_TEST_DATABASE says which."""


LOOKS_INSIDE = {"test_development", "test_sign_out_everywhere", "test_two_ways"}
"""Modules whose tests look into the one process that answers."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in ON_BOTH_ENGINES and engines.CHOSEN not in os.environ:
        metafunc.parametrize("engine", engines.ALL, indirect=True, scope="module")


@pytest.fixture(scope="module", autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """What the houses of this module remember in."""
    name = getattr(request, "param", os.environ.get(engines.CHOSEN, engines.SQLITE))
    nodes = 1 if request.module.__name__.rpartition(".")[2] in LOOKS_INSIDE else 2
    with engines.remembering_in(name, request, nodes):
        yield name


@pytest.fixture
def on_a_file(engine: str) -> None:
    """For tests of what can happen to a file."""
    if engine != engines.SQLITE:
        pytest.skip(f"{engines.CHOSEN}={engine}, and this is about SQLite's file")


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_hasher", cheap)
        nobody = cheap.hash("nobody's")
        patch.setattr(passwords, "_of_nobody", lambda: nobody)
        yield


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[House]:
    """Shared by the tests of a module: each brings its own visitors, and the clock only ever moves on."""
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def furnished_houses() -> dict[str, Path]:
    """Those made so far, by engine."""
    return {}


@pytest.fixture
def furnished(furnished_houses: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, engine: str) -> Path:
    """The state of a house with keys and people, to copy from: making keys takes longer than most tests."""
    if engine not in furnished_houses:
        furnished_houses[engine] = tmp_path_factory.mktemp("furnished")
        House(furnished_houses[engine]).close()
    return furnished_houses[engine]


@pytest.fixture
def own_house(furnished: Path, tmp_path: Path) -> Iterator[House]:
    """A house of one test's own."""
    made = House(Path(shutil.copytree(furnished, tmp_path / "house")))
    yield made
    made.close()
    engines.forget(tmp_path / "house")


@pytest.fixture
def visitor(house: House) -> Visitor:
    return Visitor(house)
