"""The Terraform modules: held to the providers' schemas, alike in what they take and give, telling in what they refuse."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.terraform import schema
from tests.terraform.modules import MODULES, ROOT, bare, blocks, declared, references, tree

FOLDERS = [folder for name in MODULES for folder in (ROOT / name, ROOT / name / "examples" / "basic")]
ALIKE = ("cognito", "entra")

TERRAFORM = shutil.which("terraform")
needs_terraform = pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform on this machine")


@pytest.fixture(scope="module")
def _schemas() -> None:
    why = schema.fetch()
    if why:
        pytest.skip(f"the providers' schemas cannot be had: {why}")


@pytest.mark.usefixtures("_schemas")
@pytest.mark.parametrize("module", MODULES)
def test_every_argument_and_block_is_one_that_the_provider_takes(module: str) -> None:
    assert list(misfits(ROOT / module)) == []


def misfits(folder: Path) -> Iterator[str]:
    for one in declared(tree(folder)):
        kind = schema.kind(one.kind)
        if kind is None:
            yield f"{one.kind}: no such resource"
            continue
        for path, names in blocks(one.body):
            where = ".".join((one.kind, one.name, *path))
            if path[:1] == ("lifecycle",):
                continue
            takes = kind.within(path) if path else kind.block
            if takes is None:
                yield f"{where}: no such block"
                continue
            yield from (f"{where}: takes no {name}" for name in sorted(names - takes.arguments - schema.META))
            yield from (f"{where}: needs {name}" for name in sorted(takes.required - names))


@pytest.mark.usefixtures("_schemas")
@pytest.mark.parametrize("module", MODULES)
def test_everything_that_is_read_from_a_resource_is_there_to_be_read(module: str) -> None:
    text = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / module).glob("*.tf")))
    here = {(one.kind, one.name) for one in declared(tree(ROOT / module))}
    read = set(references(text))
    assert read
    assert {(kind, name) for kind, name, _ in read} <= here
    unknown = [f"{kind}.{attribute}" for kind, _, attribute in read if not readable(kind, attribute)]
    assert unknown == []


def readable(kind: str, attribute: str) -> bool:
    known = schema.kind(kind)
    return known is not None and attribute in known.attributes


@pytest.mark.usefixtures("_schemas")
def test_the_checker_sees_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        """
        resource "aws_cognito_user_pool" "x" {
          nam = "typo"
          pasword_policy { minimum_length = 8 }
          password_policy { minimum_lenght = 8 }
          dynamic "lambda_config" {
            for_each = []
            content { pre_token = "x" }
          }
        }
        resource "aws_cognito_userpool" "y" {}
        """,
        "utf-8",
    )
    assert sorted(misfits(tmp_path)) == [
        "aws_cognito_user_pool.x.lambda_config: takes no pre_token",
        "aws_cognito_user_pool.x.password_policy: takes no minimum_lenght",
        "aws_cognito_user_pool.x.pasword_policy: no such block",
        "aws_cognito_user_pool.x: needs name",
        "aws_cognito_user_pool.x: takes no nam",
        "aws_cognito_user_pool.x: takes no pasword_policy",
        "aws_cognito_userpool: no such resource",
    ]


def names(module: str, block: str) -> set[str]:
    return {bare(name) for one in tree(ROOT / module).get(block, ()) for name in one}


def test_both_clouds_take_the_same_and_give_the_same() -> None:
    theirs = {module: names(module, "variable") for module in ALIKE}
    assert theirs["cognito"] & theirs["entra"] >= {
        "name_prefix", "api_identifier", "scopes", "machine_clients", "web_clients", "groups",
    }  # fmt: skip
    given = {module: names(module, "output") for module in ALIKE}
    shared = given["cognito"] & given["entra"]
    assert shared >= {"issuer", "discovery_url", "token_endpoint", "audience", "client_ids", "client_secrets", "scopes"}
    assert given["cognito"] - shared == {"user_pool_id"}
    assert given["entra"] - shared == {"roles", "tenant_id"}


@pytest.mark.parametrize("module", ALIKE)
def test_secrets_are_never_in_a_plain_output(module: str) -> None:
    outputs = {bare(name): body for one in tree(ROOT / module)["output"] for name, body in one.items()}
    secret = {
        name for name, body in outputs.items() if re.search(r"client_secret\b|password|\.value\b", str(body["value"]))
    }
    assert secret - {"roles"} == {"client_secrets"}
    assert outputs["client_secrets"]["sensitive"] is True


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_variable_and_output_says_what_it_is(folder: Path) -> None:
    whole = tree(folder)
    for block in ("variable", "output"):
        for one in whole.get(block, ()):
            for name, body in one.items():
                assert str(body.get("description", "")).strip('"').rstrip(".").count(" ") >= 2, f"{block} {name}"


def plan(folder: Path, told: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """What Terraform says of a module's variables alone, which needs no provider."""
    (folder / "told.auto.tfvars.json").write_text(json.dumps(told), "utf-8")
    words = ["terraform", f"-chdir={folder}", "plan", "-no-color", "-input=false", "-lock=false"]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


GOOD: dict[str, dict[str, Any]] = {
    "cognito": {"name_prefix": "hotel-dev", "region": "eu-west-1", "api_identifier": "https://api.hotel.example"},
    "entra": {
        "name_prefix": "hotel-dev",
        "tenant_id": "11111111-2222-3333-4444-555555555555",
        "secrets_begin": "2026-11-27T00:00:00Z",
    },
    "agentcore": {
        "name": "tools",
        "role_arn": "arn:aws:iam::123456789012:role/gateway",
        "login": {
            "discovery_url": "https://issuer.example/.well-known/openid-configuration",
            "audience": ["tools"],
            "audience_claim": "aud",
        },
    },
}

WEB = {"redirect_uris": ["http://localhost:8765/callback"]}

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("cognito", {"name_prefix": "Hotel"}, "lower-case letters"),
    ("cognito", {"region": "Ireland"}, "region's code"),
    ("cognito", {"domain_prefix": "my-cognito-login"}, "must not contain"),
    ("cognito", {"api_identifier": "https://api.hotel.example/"}, "no slash at its end"),
    ("cognito", {"scopes": {"a b": "x"}}, "no space"),
    ("cognito", {"scopes": {}}, "1 to 100 scopes"),
    ("cognito", {"machine_clients": {"a": {"scopes": ["fly"]}}}, "must be one of those named in scopes"),
    ("cognito", {"machine_clients": {"a": {"scopes": []}}}, "at least one scope"),
    ("cognito", {"web_clients": {"a": {"redirect_uris": []}}}, "at least one redirect URI"),
    ("cognito", {"web_clients": {"a": {"redirect_uris": ["http://hotel.example/back"]}}}, "no other http address"),
    ("cognito", {"web_clients": {"a": {"redirect_uris": ["http://localhost.evil.example/"]}}}, "no other http address"),
    ("cognito", {"web_clients": {"a": {"redirect_uris": ["https://hotel.example/#x"]}}}, "no fragment"),
    ("cognito", {"web_clients": {"a": {**WEB, "scopes": ["fly"]}}}, "not named in scopes"),
    ("cognito", {"access_token_minutes": 1}, "between 5 and 1440"),
    ("cognito", {"refresh_token_days": 4000}, "between 1 and 3650"),
    ("cognito", {"tier": "FREE"}, "LITE, ESSENTIALS or PLUS"),
    ("cognito", {"token_customization_lambda_arn": "my-function"}, "ARN"),
    ("entra", {"tenant_id": "hotel.example"}, "must be a GUID"),
    ("entra", {"api_identifier": "https://api.hotel.example/"}, "no slash at its end"),
    ("entra", {"api_identifier": "hotel"}, "must begin with api:// or https://"),
    ("entra", {"scopes": {"a b": "x"}}, "no space"),
    ("entra", {"machine_clients": {"a": {"scopes": ["fly"]}}}, "must be one of those named in scopes"),
    ("entra", {"web_clients": {"a": {"redirect_uris": ["https://*.hotel.example/"]}}}, "no asterisk"),
    ("entra", {"web_clients": {"a": {**WEB, "logout_uris": ["https://a.example/", "https://b.example/"]}}}, "at most one"),
    ("entra", {"secret_days": 1000}, "between 1 and 730"),
    ("entra", {"secrets_begin": "today"}, "must be a time"),
    ("agentcore", {"role_arn": "gateway"}, "role's ARN"),
    ("agentcore", {"login": {"discovery_url": "https://issuer.example", "audience": ["a"], "audience_claim": "aud"}}, "ends in"),
    ("agentcore", {"login": {**GOOD["agentcore"]["login"], "audience": []}}, "would take any token"),
    ("agentcore", {"required_claims": {"azp": {"equals": "a", "contains": "b"}}}, "either equals or contains"),
    ("agentcore", {"required_claims": {"roles": {"contains": "room:enter"}}}, "no colon"),
]  # fmt: skip


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The variables of each module on their own, with an output so that there is something to plan."""
    made = {}
    for module in MODULES:
        folder = tmp_path_factory.mktemp(module)
        shutil.copy(ROOT / module / "variables.tf", folder)
        (folder / "output.tf").write_text('output "done" {\n  value = true\n}\n', "utf-8")
        made[module] = folder
    return made


@needs_terraform
@pytest.mark.parametrize("module", MODULES)
def test_the_variables_take_what_is_good(variables: dict[str, Path], module: str) -> None:
    said = plan(variables[module], GOOD[module])
    assert said.returncode == 0, said.stderr


@needs_terraform
@pytest.mark.parametrize(
    ("module", "told", "says"), BAD, ids=[f"{number} {module}: {says}" for number, (module, _, says) in enumerate(BAD)]
)
def test_a_bad_value_is_refused_in_words_that_help(
    variables: dict[str, Path], module: str, told: dict[str, Any], says: str
) -> None:
    said = plan(variables[module], {**GOOD[module], **told})
    assert said.returncode == 1
    assert says in " ".join(said.stderr.split())


@needs_terraform
def test_the_files_are_formatted_as_terraform_formats_them() -> None:
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", str(ROOT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@needs_terraform
@pytest.mark.parametrize("module", MODULES)
def test_terraform_itself_validates_and_tests_the_module_where_it_has_the_providers(
    module: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT, tmp_path / "terraform")
    folder = tmp_path / "terraform" / module
    begun = subprocess.run(
        ["terraform", f"-chdir={folder}", "init", "-backend=false", "-input=false"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if begun.returncode:
        pytest.skip("the providers cannot be had here")
    for verb in ("validate", "test"):
        done = subprocess.run(["terraform", f"-chdir={folder}", verb], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
