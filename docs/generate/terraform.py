"""What each Terraform module takes and gives, from the variables and outputs it declares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).parents[2] / "terraform"

MODULES = {
    "cognito": "a user pool of Amazon Cognito as the issuer",
    "entra": "applications of Microsoft Entra ID as API and clients",
    "agentcore": "a gateway of Amazon Bedrock AgentCore that takes either one's tokens",
}


def page() -> str:
    return "\n".join(["# Terraform modules\n", _INTRODUCTION, *(line for name in MODULES for line in _module(name))])


def readmes() -> dict[str, str]:
    """The text of each module's README, by module: what it needs, an example, its tables."""
    return {name: "\n".join(_readme(name)) for name in MODULES}


def _readme(name: str) -> Iterator[str]:
    yield f"# `terraform/{name}`: {MODULES[name]}\n"
    yield f"{_needs(name)}\n"
    example = (ROOT / name / "examples" / "basic" / "main.tf").read_text("utf-8")
    yield f"From [`examples/basic`](examples/basic/main.tf):\n\n```hcl\n{_call(example)}\n```\n"
    yield _CONNECT[name]
    yield from _tables(name)
    made = sorted({kind.strip('"') for kind, _ in _blocks(name, "resource")})
    yield f"Made of: {', '.join(f'`{kind}`' for kind in made)}.\n"
    yield "[All modules side by side](../../docs/reference/terraform.md)"


def _needs(name: str) -> str:
    """The versions that the module asks for, as a sentence."""
    with (ROOT / name / "versions.tf").open(encoding="utf-8") as file:
        asked = hcl2.load(file)["terraform"][0]
    providers = [
        f"`{_said_plainly(one['source'])}` `{_said_plainly(one['version'])}`"
        for block in asked["required_providers"]
        for provider, one in block.items()
        if not provider.startswith("__")
    ]
    return f"Terraform `{_said_plainly(asked['required_version'])}`, {' and '.join(providers)}."


def _call(example: str) -> str:
    """The block in an example that calls the module itself."""
    start = example.rindex("module ", 0, example.index('source = "../.."'))
    return example[start : example.index("\n}\n", start) + 2]


def _module(name: str) -> Iterator[str]:
    yield f"## `terraform/{name}`: {MODULES[name]}\n"
    yield f"An example stands in [`examples/basic`](../../terraform/{name}/examples/basic/main.tf).\n"
    yield from _tables(name)


def _tables(name: str) -> Iterator[str]:
    variables = [_variable(*one) for one in _blocks(name, "variable")]
    yield "\n".join(["| input | kind | default | meaning |", "|---|---|---|---|", *variables, ""])
    outputs = [
        f"| `{one}`{' (secret)' if body.get('sensitive') else ''} | {_said(body)} |"
        for one, body in _blocks(name, "output")
    ]
    yield "\n".join(["| output | meaning |", "|---|---|", *outputs, ""])


def _blocks(module: str, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((ROOT / module).glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            for block in hcl2.load(file).get(kind, ()):
                yield from ((name.strip('"'), body) for name, body in block.items())


def _variable(name: str, body: dict[str, Any]) -> str:
    kind = str(body["type"]).removeprefix("${").removesuffix("}").partition("(")[0]
    default = "required" if "default" not in body else f"`{_value(body['default'])}`"
    return f"| `{name}` | {kind} | {default} | {_said(body)} |"


def _said_plainly(text: str) -> str:
    return text.strip('"')


def _said(body: dict[str, Any]) -> str:
    return str(body["description"]).removeprefix('"').removesuffix('"').replace('\\"', '"').replace("|", "\\|")


def _value(value: Any) -> str:
    """A default as Terraform spells it, on one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_value(one)}" for key, one in value.items() if not key.startswith("__"))
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


_INTRODUCTION = """\
Three modules set up the clouds for an API, programs and people. `cognito` and `entra` take the same inputs where the clouds
allow it and give the same outputs, so that what comes after (`innkeeper connect`, a gateway, a notebook) need not know
which cloud it is. Secrets are in one output alone, which Terraform does not print unless it is asked for by name.
"""

_FOR_PROGRAMS = """\
After `terraform apply`, `innkeeper connect NAME --terraform FOLDER` makes a profile of the outputs, for
`innkeeper token --profile NAME`, `explain`, `doctor` and the notebooks. The same without Terraform: `innkeeper provision {cloud}`.
"""

_CONNECT = {
    "cognito": _FOR_PROGRAMS.format(cloud="cognito"),
    "entra": _FOR_PROGRAMS.format(cloud="entra"),
    "agentcore": """\
`innkeeper explain - --as FILE` judges a token by the output `authorizer_json` as AgentCore would.
""",
}
