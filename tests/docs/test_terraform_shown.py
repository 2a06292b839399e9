"""Terraform in the docs: a module is called with what it takes and needs, a provider is told what its schema has."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

import hcl2
import pytest

from tests.docs.blocks import Block, blocks
from tests.docs.test_documents import ROOT
from tests.terraform import schema
from tests.terraform.modules import bare, tree

SHOWN = blocks("hcl")
_NOT_AN_INPUT = {"source", "version", "providers", "for_each", "count", "depends_on", "__is_block__"}


@pytest.mark.parametrize("one", SHOWN, ids=lambda one: f"{one.page}-{one.number}")
def test_a_block_is_what_modules_and_providers_take(one: Block) -> None:
    whole = hcl2.loads(one.text)
    found = [
        *(wrong for name, body in named(whole, "module") for wrong in of_module(one, name, body)),
        *(wrong for name, body in named(whole, "provider") for wrong in of_provider(name, body)),
    ]
    assert set(whole) <= {"module", "provider"}, "only these two kinds are looked at"
    assert found == []


def named(whole: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in whole.get(kind, ()):
        for name, body in one.items():
            if isinstance(body, dict):
                yield bare(name), {key: value for key, value in body.items() if not key.startswith("__")}


def of_module(one: Block, name: str, body: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a call: no such module, an input it has not, one that it needs."""
    folder = _folder(one, bare(str(body["source"])))
    if not list(folder.glob("*.tf")):
        yield f"{name}: no module at {body['source']}"
        return
    inputs = {bare(key): said for each in tree(folder)["variable"] for key, said in each.items()}
    given = set(body) - _NOT_AN_INPUT
    yield from (f"{name}: takes no {key}" for key in sorted(given - set(inputs)))
    needed = {key for key, said in inputs.items() if "default" not in said}
    yield from (f"{name}: needs {key}" for key in sorted(needed - given))


def _folder(one: Block, source: str) -> Any:
    """Where a source leads: from the project's root, or for a module's own README from its examples."""
    home = ROOT / one.page
    beside = home.parent / "examples" / "basic" if home.parent.parent.name == "terraform" else ROOT
    return (beside / source).resolve()


def of_provider(name: str, body: dict[str, Any]) -> Iterator[str]:
    if why := schema.fetch():
        pytest.skip(f"the providers' schemas cannot be had: {why}")
    wheel = next(schema.SHELF.glob(f"cdktf_cdktf_provider_{name}-*.whl"))
    with ZipFile(wheel) as archive:
        parsed = ast.parse(archive.read(f"cdktf_cdktf_provider_{name}/provider/__init__.py"))
    config = next(one for one in parsed.body if isinstance(one, ast.ClassDef) and one.name.endswith("ProviderConfig"))
    made = next(one for one in config.body if isinstance(one, ast.FunctionDef) and one.name == "__init__")
    yield from (f"{name}: takes no {key}" for key in sorted(set(body) - {one.arg for one in made.args.kwonlyargs}))


def test_a_mistake_in_a_block_would_be_noticed() -> None:
    block = Block("docs/x.md", "hcl", 1, 1, "")
    call = {"source": '"./terraform/cognito"', "name_prefx": "x", "region": "eu-west-1", "api_identifier": "a"}
    assert list(of_module(block, "login", call)) == ["login: takes no name_prefx", "login: needs name_prefix"]
    assert list(of_module(block, "login", {"source": '"./terraform/okta"'})) == [
        'login: no module at "./terraform/okta"'
    ]
    assert list(of_provider("azuread", {"metadata_host": "x", "meta_host": "x"})) == ["azuread: takes no meta_host"]
