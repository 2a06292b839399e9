"""The Model Context Protocol's own conformance tool, unmodified, judges a house as an authorization server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import NODE_PACKAGES
from tests.inn import Inn, free_port
from tests.interop.visitor import sent_back

pytestmark = pytest.mark.interop

TOOL = NODE_PACKAGES / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
LINK = re.compile(r"https?://\S+/authorize\?\S+")


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    node = str(Path(sys.executable).with_name("node"))
    tool = [node, str(TOOL), "authorization", *arguments]
    process = subprocess.Popen(tool, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def checks_in(folder: Path) -> list[dict[str, Any]]:
    return [check for file in folder.rglob("checks.json") for check in json.loads(file.read_text("utf-8"))]


def test_every_check_for_an_authorization_server_passes(
    house: Inn,
    tmp_path: Path,
    run_node: Callable[..., subprocess.CompletedProcess[str]],
    record_property: Callable[[str, object], None],
) -> None:
    port = str(free_port())
    asked = ("--url", house.url, "--client-id", "guest-app", "--port", port, "-o", str(tmp_path))
    with running(*asked) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if link := LINK.search(line):
                httpx2.get(sent_back(link[0]))
        code = process.wait(timeout=30)
    found = {check["id"]: check["status"] for check in checks_in(tmp_path)}
    good = sum(one in {"SUCCESS", "INFO"} for one in found.values())
    record_property(
        "mcp authorization server conformance", f"{good} of {len(found)} checks: {', '.join(sorted(found))}"
    )
    assert code == 0, "".join(said)
    assert len(found) >= 2, "".join(said)
    assert set(found.values()) <= {"SUCCESS", "INFO"}, found
