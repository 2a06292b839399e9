"""The documentation stays true: reference pages are as the code is, links lead somewhere, nothing foreign is told."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from docs.generate import PARITY, REFERENCE, WRITERS, module_readmes, pages, parity_pages

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_ANCHOR = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")

MACHINE = re.compile(r"(?<![\w.-])/(?:work|root|opt/wheels)/")
REGISTRIES = [
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("crates", "io"))
]


@cache
def tracked() -> list[Path]:
    """The project's own files: those that git tracks, and new ones that it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("no git checkout: which files belong to the project cannot be told")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_reference_page_is_as_the_code_is(name: str) -> None:
    written = (REFERENCE / name).read_text("utf-8") if (REFERENCE / name).exists() else ""
    is_current = written == pages(name)[name]
    assert is_current, f"docs/reference/{name} is out of date: run `make docs`"


def test_a_parity_page_is_as_the_tests_are() -> None:
    written = {page.name: page.read_text("utf-8") for page in PARITY.glob("*.md")}
    outdated = [name for name, text in parity_pages().items() if written.pop(name, "") != text]
    assert (outdated, list(written)) == ([], []), "docs/parity is out of date: run `make docs`"


def test_each_terraform_modules_readme_is_as_the_module_is() -> None:
    written = {page: page.read_text("utf-8") if page.exists() else "" for page in module_readmes()}
    assert len(written) == 3
    assert written == module_readmes(), "a README under terraform/ is out of date: run `make docs`"


def test_no_reference_page_is_left_over() -> None:
    assert sorted(page.name for page in REFERENCE.glob("*.md")) == sorted(WRITERS)


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in _documents()
        for target in _targets(page)
        if not _exists(page, target)
    ]
    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    seen, ahead = set(), [ROOT / "docs" / "index.md"]
    while ahead:
        page = ahead.pop()
        seen.add(page)
        near = ((page.parent / target.partition("#")[0]).resolve() for target in _targets(page))
        ahead += [one for one in near if one.suffix == ".md" and one.exists() and one not in seen]
    lost = [
        page.relative_to(ROOT).as_posix()
        for page in _documents()
        if page.is_relative_to(ROOT / "docs") and page not in seen
    ]
    assert lost == []


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of some machine and no registry's address: neither means anything to a reader."""
    told = [
        f"{path.relative_to(ROOT)}: {found}"
        for path in tracked()
        if path != Path(__file__)
        for found in _foreign(path.read_bytes().decode("utf-8", "replace"))
    ]
    assert told == []


def test_foreign_words_are_noticed() -> None:
    assert _foreign("kept in /root/keys, served by registry." + "npmjs.org") == ["/root/", "npmjs.org"]
    assert _foreign("the /work/er and ./work/ and https://a.example/root/x") == ["/work/"]


def _foreign(text: str) -> list[str]:
    return [found[0] for found in MACHINE.finditer(text)] + [host for host in REGISTRIES if host in text]


def _documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


@cache
def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text("utf-8"))


def _targets(page: Path) -> list[str]:
    return [unquote(target) for target in _LINK.findall(_prose(page)) if not re.match(r"[a-z]+:", target)]


def _exists(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    place = (page.parent / name).resolve() if name else page
    return place.exists() and (not anchor or anchor in _anchors(place))


@cache
def _anchors(page: Path) -> set[str]:
    text = _prose(page)
    return {_slug(heading) for heading in _HEADING.findall(text)} | set(_ANCHOR.findall(text))


def _slug(heading: str) -> str:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
