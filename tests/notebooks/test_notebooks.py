"""The notebooks run, show what is committed, and give nothing away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from innkeeper.cli.twin_show import shown_twins
from innkeeper.client.profiles import from_outputs, write
from innkeeper.provision.aws import Aws
from innkeeper.provision.cognito import Cognito
from innkeeper.provision.inputs import CognitoInputs
from innkeeper.provision.inputs import read as read_inputs
from innkeeper.provision.parts import applied
from notebooks.playing import FOLDER, NAMES, leaks, outputs, path_of, played, read, shape, text_of
from tests.inn import Inn


@pytest.mark.parametrize("name", NAMES)
def test_a_run_shows_what_is_committed(house: Inn, name: str) -> None:
    committed = read(path_of(name))
    run = played(read(path_of(name)), house, {})
    assert [cell.execution_count for cell in run.cells if cell.cell_type == "code"] == [
        cell.execution_count for cell in committed.cells if cell.cell_type == "code"
    ]
    assert shape(run) == shape(committed), "run `make notebooks` and look at what changed"


def test_the_same_cells_go_to_wherever_the_profile_leads(house: Inn) -> None:
    """A pool that `innkeeper provision` made, in the place of a cloud's: another issuer, API, client and scopes."""
    inputs = read_inputs(
        CognitoInputs, {"name_prefix": "notebook", "region": "us-east-1", "api_identifier": "https://api.hotel.example"}
    )
    cloud = Cognito(Aws("us-east-1", house.url), inputs)
    assert len(list(applied(cloud.parts()))) == 5
    write(house.folder / "profiles" / "cloud.json", from_outputs(cloud.outputs()))
    run = played(read(path_of("aws_cognito")), house, {"INNKEEPER_PROFILE": "cloud"})
    shown = "\n".join(text for _, kinds in outputs(run) for text in kinds.values())
    assert "https://api.hotel.example/read" in shown
    assert "Come in. I know you as" in shown
    assert "us-east-1_innkeepr1" not in shown
    refused = dict(shape(run))["code-23"]["text/plain"]
    assert refused == dict(shape(read(path_of("aws_cognito"))))["code-23"]["text/plain"]


@pytest.mark.parametrize("name", NAMES)
def test_no_token_no_secret_and_no_path_of_a_machine_is_in_it(name: str) -> None:
    notebook = read(path_of(name))
    secrets = {
        f"{client['name']} at {twin['dialect']}": client["secret"]
        for twin in shown_twins(None)
        for client in twin["clients"]
    }
    assert len(secrets) >= 5
    assert leaks(text_of(notebook), secrets) == []
    of_the_laptop = {"concierge": "concierge-secret", "the guest": "Correct-Horse-7"}
    shown = "\n".join(text for _, kinds in outputs(notebook) for text in kinds.values())
    assert leaks(shown, of_the_laptop) == [], "even these, which everybody knows, are shown in no output"


def test_a_leak_would_be_noticed() -> None:
    token = ".".join(("eyJhbGciOiJFUzI1NiJ9", "eyJzdWIiOiJhZGEifQ", "c2lnbmF0dXJl"))
    said = f"Bearer {token} kept in {Path('/home') / 'ada'}/x with hunter2"
    assert len(leaks(said, {"ada": "hunter2", "nobody": ""})) == 3


@pytest.mark.parametrize("name", NAMES)
def test_it_is_kept_as_it_was_played_without_errors(name: str) -> None:
    notebook = read(path_of(name))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = {kind for _, shown in outputs(notebook) for kind in shown}
    assert kinds <= {"stdout", "text/plain", "image/svg+xml", "text/html"}
    assert {"stdout", "image/svg+xml"} <= kinds
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_in_it_leads_somewhere(name: str) -> None:
    text = "\n".join(cell.source for cell in read(path_of(name)).cells if cell.cell_type == "markdown")
    targets = [one for one in re.findall(r"\]\(([^)]+)\)", text) if "://" not in one]
    assert [one for one in targets if not (FOLDER / one).exists()] == []


def test_the_readme_tells_of_all_of_them() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    assert sorted(re.findall(r"\]\((\w+\.ipynb)\)", text)) == sorted(f"{name}.ipynb" for name in NAMES)
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)
