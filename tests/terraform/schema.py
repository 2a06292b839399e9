"""What the providers' resources take, read from the bindings that their maker generated from the providers' own schemas.

The bindings are packages on PyPI; they are opened as archives and read as text, and never run.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import msgspec

BINDINGS = {
    "aws": "cdktf-cdktf-provider-aws==21.22.1",
    "azuread": "cdktf-cdktf-provider-azuread==14.3.1",
    "random": "cdktf-cdktf-provider-random==12.0.1",
}
"""The package for each provider: hashicorp/aws 6.25, hashicorp/azuread 3.7, hashicorp/random 3.7."""

SHELF = Path(sys.prefix) / "schemas"
"""Where the packages are kept from run to run, beside what else is installed."""

META = frozenset({"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"})
"""What every resource takes, whatever its provider."""


class Block(msgspec.Struct, frozen=True):
    """What a resource or a nested block takes."""

    arguments: frozenset[str]
    required: frozenset[str]


class Kind(msgspec.Struct, frozen=True):
    """A resource or a data source: ``block`` what it takes, ``attributes`` what can be read from it."""

    name: str
    block: Block
    attributes: frozenset[str]
    nested: dict[str, Block]

    def within(self, path: tuple[str, ...]) -> Block | None:
        """The nested block at a path of names, None where there is none."""
        return self.nested.get(self.name + "".join(map(_camel, path)))


def fetch() -> str:
    """Get the packages that are not here yet; "" or why that could not be done."""
    SHELF.mkdir(exist_ok=True)
    missing = [package for package in BINDINGS.values() if not _wheel(package)]
    if not missing:
        return ""
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(SHELF), *missing]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stderr.strip()


@cache
def kind(name: str) -> Kind | None:
    """A resource such as ``aws_cognito_user_pool``, or a data source with ``data_`` before it; None if there is none."""
    prefix = "data_" if name.startswith("data_") else ""
    provider, _, rest = name.removeprefix("data_").partition("_")
    package = BINDINGS[provider]
    folder = f"cdktf_cdktf_provider_{provider}/{prefix}{f'{provider}_' if prefix else ''}{rest}/__init__.py"
    with ZipFile(_wheel(package) or "") as archive:
        if folder not in archive.namelist():
            return None
        tree = ast.parse(archive.read(folder))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    named = next(one for one, node in classes.items() if _is_resource(node))
    nested = {one: _block(node) for one, node in classes.items() if not one.endswith(("OutputReference", "Config"))}
    attributes = frozenset(node.name.rstrip("_") for node in classes[named].body if isinstance(node, ast.FunctionDef))
    nested |= {one: _block(node) for one, node in classes.items() if one.endswith("Config") and one != f"{named}Config"}
    return Kind(named, _block(classes[f"{named}Config"]), attributes, nested)


def _is_resource(node: ast.ClassDef) -> bool:
    return any(
        ast.unparse(base).rpartition(".")[2].startswith(("TerraformResource", "TerraformDataSource"))
        for base in node.bases
    )


def _block(node: ast.ClassDef) -> Block:
    made = next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
    if made is None:
        return Block(frozenset(), frozenset())
    pairs = zip(made.args.kwonlyargs, made.args.kw_defaults, strict=True)
    takes = {one.arg.strip("_"): default is None for one, default in pairs}
    return Block(frozenset(takes) - META, frozenset(name for name, needed in takes.items() if needed) - META)


def _wheel(package: str) -> Path | None:
    name, _, version = package.partition("==")
    return next(SHELF.glob(f"{name.replace('-', '_')}-{version}-*.whl"), None)


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
