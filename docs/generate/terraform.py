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


def _module(name: str) -> Iterator[str]:
    yield f"## `terraform/{name}`: {MODULES[name]}\n"
    yield f"An example stands in [`examples/basic`](../../terraform/{name}/examples/basic/main.tf).\n"
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
