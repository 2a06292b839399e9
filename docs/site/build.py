"""Joining it all: pages gathered, flows recorded, diagrams woven in, and Zensical called."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.site.gather import Gathered, contents, gather
from docs.site.record import recordings
from docs.site.weave import asked, woven
from tests.inn import open_inn

HERE = Path(__file__).parent


def open_and_build(folder: Path) -> None:
    """Open a house for as long as it takes to record its messages, and build the site into ``folder``."""
    with tempfile.TemporaryDirectory() as state, open_inn(Path(state)) as inn:
        build(folder, inn.url)


def build(folder: Path, url: str) -> None:
    """Build the site into ``folder``, anew, with what the house at ``url`` plays. Raises ``ValueError`` for complaints."""
    gathered = gather()
    flows = recordings(url, (one.chapter for text in gathered.pages.values() for one in asked(text)))
    pages = {place: woven(text, flows) for place, text in gathered.pages.items()}
    with tempfile.TemporaryDirectory() as made:
        _lay(Path(made), Gathered(pages, gathered.files))
        _generate(Path(made))
        _bring_home(Path(made) / "site")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(Path(made) / "site", folder)


def _lay(made: Path, gathered: Gathered) -> None:
    for place, text in gathered.pages.items():
        page = made / "docs" / place
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, "utf-8")
    for place, file in gathered.files.items():
        (made / "docs" / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, made / "docs" / place)
    shutil.copytree(HERE / "looks", made / "docs" / "looks")
    settings = (HERE / "zensical.toml").read_text("utf-8").replace("nav = []", f"nav = {_navigation()}")
    (made / "zensical.toml").write_text(settings, "utf-8")


def _navigation() -> str:
    """The table of contents as Zensical wants it, in TOML."""
    parts = [f"{{ {json.dumps(title)} = [{_listed(pages)}] }}" for title, pages in contents()]
    return "[" + ", ".join(['{ "Start" = "index.md" }', *parts]) + "]"


def _listed(pages: list[tuple[str, str]]) -> str:
    return ", ".join(f"{{ {json.dumps(title)} = {json.dumps(place)} }}" for title, place in pages)


def _generate(made: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
        cwd=made,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise ValueError(f"the site was not built:\n{ran.stdout}{ran.stderr}")


def _bring_home(site: Path) -> None:
    """Have pages load the one script that the generator would fetch from elsewhere from their own folder; and where a table
    has nothing to say above a column, say nothing: an empty heading is read out."""
    for page in site.rglob("*.html"):
        up = "../" * (len(page.relative_to(site).parts) - 1)
        text = page.read_text("utf-8")
        page.write_text(text.replace(_SHIM, f"{up}looks/worker.js").replace("<th></th>", "<td></td>"), "utf-8")


_SHIM = "https://unpkg.com/iframe-worker/shim"
"""With it the generator's search works in pages read from a folder; ``looks/worker.js`` does the same."""
