"""The inputs of ``innkeeper provision``: those of the Terraform modules, by the same names, defaults, rules and words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from innkeeper.protocol.refusals import UsageError
from innkeeper.provision.inputs import RULES, CognitoInputs, EntraInputs, Inputs, gathered, read
from tests.terraform.modules import ROOT, bare, tree
from tests.terraform.test_modules import BAD, GOOD

KINDS: dict[str, type[Inputs]] = {"cognito": CognitoInputs, "entra": EntraInputs}
CASES = [case for case in BAD if case[0] in KINDS]


def variables(module: str) -> dict[str, dict[str, Any]]:
    return {bare(name): body for one in tree(ROOT / module)["variable"] for name, body in one.items()}


@pytest.mark.parametrize("module", KINDS)
def test_they_have_the_names_and_defaults_of_the_modules_variables(module: str) -> None:
    inputs = msgspec.to_builtins(read(KINDS[module], GOOD[module]))
    theirs = variables(module)
    assert set(inputs) == set(theirs)
    given = {name for name in theirs if "default" not in theirs[name]}
    assert given == set(GOOD[module])
    defaults = {name: plain(body["default"]) for name, body in theirs.items() if name not in given}
    assert {name: text(inputs[name]) for name in defaults} == {name: text(one) for name, one in defaults.items()}


def plain(value: Any) -> Any:
    """A default as the parser reads it, without its marks; None members are those that Terraform leaves out."""
    if isinstance(value, dict):
        return {bare(name): plain(one) for name, one in value.items() if not name.startswith("__")}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return bare(value) if isinstance(value, str) else value


def text(value: Any) -> str:
    """Values alike, whatever else a struct has."""
    return (
        json.dumps(value, sort_keys=True)
        .replace(', "federated_credential": null', "")
        .replace('"federated_credential": null, ', "")
    )


@pytest.mark.parametrize("module", KINDS)
def test_every_validation_of_the_module_is_a_rule_here_in_the_same_words(module: str) -> None:
    source = "".join((ROOT / module / name).read_text("utf-8") for name in ("variables.tf", "main.tf"))
    theirs = {json.loads(found) for found in re.findall(r'error_message = (".*")$', source, re.MULTILINE)}
    assert len(theirs) > 10
    assert theirs - {message for _, _, message in RULES[KINDS[module]]} == set()


@pytest.mark.parametrize("module", KINDS)
def test_what_is_good_for_terraform_is_good_here(module: str) -> None:
    assert read(KINDS[module], GOOD[module]).name_prefix == "hotel-dev"


@pytest.mark.parametrize(
    ("module", "told", "says"), CASES, ids=[f"{number} {one[0]}: {one[2]}" for number, one in enumerate(CASES)]
)
def test_what_terraform_refuses_is_refused_here(module: str, told: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(KINDS[module], {**GOOD[module], **told})
    assert says in str(refused.value)
    assert str(refused.value).startswith(f"{next(iter(told))}: ")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"regoin": "eu-west-1"}, "there is no input 'regoin'. Did you mean region"),
        ({"zzz": 1}, "The inputs are access_token_minutes, "),
        ({"tier": 1}, "the inputs: Expected `str`, got `int`"),
        ({"machine_clients": {"a": {"scopes": ["read"], "secret": "x"}}}, "unknown field `secret`"),
    ],
)
def test_an_input_that_is_none_is_told(said: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        read(CognitoInputs, {**GOOD["cognito"], **said})


def test_a_missing_input_is_named_with_the_way_to_give_it() -> None:
    with pytest.raises(UsageError, match=r"region is missing: give --set region=\.\.\., or a file"):
        read(CognitoInputs, {"name_prefix": "hotel", "api_identifier": "hotel"})


def test_files_and_words_are_laid_over_each_other(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfvars.json").write_text('{"name_prefix": "hotel", "region": "eu-west-1"}', "utf-8")
    (tmp_path / "more.toml").write_text('region = "eu-west-2"\n[scopes]\nread = "Read"\n', "utf-8")
    files = [tmp_path / "terraform.tfvars.json", tmp_path / "more.toml"]
    found = gathered(files, ["tier=LITE", "access_token_minutes=5", 'tags={"a": "b"}'])
    assert found == {
        "name_prefix": "hotel",
        "region": "eu-west-2",
        "scopes": {"read": "Read"},
        "tier": "LITE",
        "access_token_minutes": 5,
        "tags": {"a": "b"},
    }


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("gone.json", None, "cannot read"),
        ("broken.json", "{", "is neither JSON nor TOML"),
        ("list.json", "[]", "holds no inputs by name"),
    ],
)
def test_a_file_that_will_not_do_is_named(tmp_path: Path, name: str, content: str | None, why: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(UsageError, match=why):
        gathered([tmp_path / name], [])
    with pytest.raises(UsageError, match="write NAME=VALUE"):
        gathered([], ["region"])
