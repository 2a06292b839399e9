"""Notebooks are run against a house, kept without what belongs to one run, and compared by what does not change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.inn import Inn

FOLDER = Path(__file__).parent
NAMES = ("innkeeper", "aws_cognito", "azure_entra_id", "agents")
USUAL = {"port": "8400", "tls_port": "8443"}
"""Where a house is that was opened by ``make up``; outputs speak of no other."""


def path_of(name: str) -> Path:
    return FOLDER / f"{name}.ipynb"


def read(path: Path) -> NotebookNode:
    return nbformat.reads(path.read_text("utf-8"), as_version=4)


def write(path: Path, notebook: NotebookNode) -> None:
    path.write_text(nbformat.writes(notebook) + "\n", "utf-8")


def played(notebook: NotebookNode, inn: Inn, environment: Mapping[str, str]) -> NotebookNode:
    """Run every cell against a running house, and return the notebook with what was shown. Raises what a cell raises."""
    told = {
        "INNKEEPER_PORT": str(inn.port),
        "INNKEEPER_TLS_PORT": str(inn.tls_port),
        "INNKEEPER_STATE": str(inn.folder / ".innkeeper"),
        "INNKEEPER_PROFILES": str(inn.folder / "profiles"),
        **environment,
    }
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    _awake(inn)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        coalesce_streams=True,
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute(env=told)
    return clean(notebook, inn)


def _awake(inn: Inn) -> None:
    """Ask each issuer once, with patience: the first to ask waits for keys to be made, and a reader's client is impatient."""
    for path in ("", "/us-east-1_innkeepr1", "/5a9b7f1e-3c42-4d7a-8e15-0c6d2f4b9a31/v2.0"):
        httpx2.get(f"{inn.url}{path}/.well-known/openid-configuration", timeout=120).raise_for_status()


def clean(notebook: NotebookNode, inn: Inn) -> NotebookNode:
    """Without moments of this run, and with the usual addresses in place of this house's."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            output.pop("metadata", None)
            if output.output_type in ("display_data", "execute_result"):
                output.metadata = {}
                output.data = {kind: _usual(text, inn) for kind, text in output.data.items()}
            elif output.output_type == "stream":
                output.text = _usual(output.text, inn)
    return notebook


def _usual(text: str, inn: Inn) -> str:
    for own, usual in ((inn.port, USUAL["port"]), (inn.tls_port, USUAL["tls_port"])):
        text = text.replace(f":{own}", f":{usual}")
    return text


def outputs(notebook: NotebookNode) -> Iterator[tuple[str, dict[str, str]]]:
    """What each cell shows, by kind: text that was printed, pictures, tables."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "stream":
                yield cell.id, {output.name: output.text}
            elif output.output_type == "error":
                yield cell.id, {"error": f"{output.ename}: {output.evalue}"}
            else:
                yield cell.id, dict(output.data)


def shape(notebook: NotebookNode) -> list[tuple[str, dict[str, str]]]:
    """What is shown, with a mark in the place of whatever is another at each run: numbers, ids, long random words."""
    return [(cell, {kind: _masked(text) for kind, text in shown.items()}) for cell, shown in outputs(notebook)]


def _masked(text: str) -> str:
    for pattern, mark in _CHANGING:
        text = pattern.sub(mark, text)
    return text


_CHANGING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "GUID"),
    (re.compile(r"[A-Za-z0-9_+/=-]{18,}"), "WORD"),
    (re.compile(r"\b\w{6,10}…"), "BEGINNING"),
    (re.compile(r"\d+(\.\d+)?"), "0"),
)

_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.")
_MACHINE = re.compile(r"(?<![\w.-])/(?:home|root|tmp|Users|work|private|var)/[\w.-]+")


def leaks(text: str, secrets: Mapping[str, str]) -> list[str]:
    """What may not stand in what is published: whole tokens, secrets by their names, paths of some machine."""
    found = [f"a token: {one[0][:12]}…" for one in _TOKEN.finditer(text)]
    found += [f"a path of some machine: {one[0]}" for one in _MACHINE.finditer(text)]
    return [*found, *(f"the secret of {name}" for name, secret in secrets.items() if secret and secret in text)]


def text_of(notebook: NotebookNode) -> str:
    """Everything in it that people see."""
    cells: list[Any] = notebook.cells
    shown = [text for _, kinds in outputs(notebook) for text in kinds.values()]
    return "\n".join([*(cell.source for cell in cells), *shown])
