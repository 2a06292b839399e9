"""The pages of the site in one folder: those of ``docs/``, and what they link to elsewhere in the project.

A link out of ``docs/`` to Markdown brings that page along, to a source file brings a page that shows it, so that every link
works without a network. What the table of contents says is read from ``docs/index.md``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = "docs"
OTHERS = "project"
"""The folder of the site for pages that stand outside ``docs/``."""

_FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?)([^)\s>]+)(>?(?: \"[^\"]*\")?\))")
_ENTRY = re.compile(r"\[([^\]]+)\]\(([^)#]+\.md)\)")
_LANGUAGES = {".py": "python", ".toml": "toml", ".tf": "terraform", ".yaml": "yaml", ".yml": "yaml", ".json": "json"}


class Gathered(NamedTuple):
    """``pages``: Markdown by its path on the site. ``files``: what is copied as it is, by its path on the site."""

    pages: dict[str, str]
    files: dict[str, Path]


def gather() -> Gathered:
    """Every page that can be reached from ``docs/``, its links as they are on the site."""
    found = Gathered({}, {})
    ahead = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / DOCS).rglob("*.md"))]
    while ahead:
        source = ahead.pop()
        place = placed(source)
        if place in found.pages or place in found.files:
            continue
        if _is_picture(source):
            found.files[place] = ROOT / source
            continue
        found.pages[place] = _page(source)
        ahead += [target for target in _targets(source) if (ROOT / target).exists()]
    return found


def contents() -> list[tuple[str, list[tuple[str, str]]]]:
    """The parts of the table of contents, each with its pages: title and path on the site."""
    index = (ROOT / DOCS / "index.md").read_text("utf-8")
    parts = re.split(r"^## +(.+)$", index, flags=re.MULTILINE)[1:]
    return [(title, list(_entries(body))) for title, body in zip(parts[::2], parts[1::2], strict=True)]


def placed(source: str) -> str:
    """Where a file of the project stands on the site, with the ending of its page."""
    if source.startswith(f"{DOCS}/"):
        return source.removeprefix(f"{DOCS}/")
    here = f"{OTHERS}/{source}"
    return here if source.endswith(".md") or _is_picture(source) else f"{here}.md"


def _entries(body: str) -> Iterator[tuple[str, str]]:
    for title, target in _ENTRY.findall(body):
        yield title[:1].upper() + title[1:], placed(posixpath.normpath(f"{DOCS}/{target}"))


def _page(source: str) -> str:
    path = ROOT / source
    if path.is_dir():
        names = sorted(one.name for one in path.iterdir() if one.name[:1] not in "._")
        return _UNSEARCHED + f"# {source}\n\n" + "\n".join(f"- `{name}`" for name in names) + "\n"
    text = path.read_text("utf-8")
    if not source.endswith(".md"):
        language = _LANGUAGES.get(path.suffix, "text")
        return f"{_UNSEARCHED}# {path.name}\n\n`{source}`\n\n````{language}\n{text}\n````\n"
    return _outside_fences(text, lambda prose: _LINK.sub(lambda link: _relinked(link, source), prose))


def _relinked(link: re.Match[str], source: str) -> str:
    target = _target(link[2], source)
    if target is None:
        return link[0]
    anchor = link[2].partition("#")[1:]
    here = posixpath.dirname(placed(source)) or "."
    return f"{link[1]}{posixpath.relpath(placed(target), here)}{''.join(anchor)}{link[3]}"


def _targets(source: str) -> list[str]:
    if not source.endswith(".md"):
        return []
    prose = _FENCE.sub("", (ROOT / source).read_text("utf-8"))
    found = [_target(link[2], source) for link in _LINK.finditer(prose)]
    nested = [_target(part, source) for link in _LINK.finditer(prose) for part in _INNER.findall(link[1])]
    return [target for target in (*found, *nested) if target]


def _target(link: str, source: str) -> str | None:
    """The file of the project that a link leads to; None where it leads elsewhere or stays on the page."""
    name = link.partition("#")[0]
    if not name or re.match(r"[a-z][a-z+.-]*:", name):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), name))


def _outside_fences(text: str, change: object) -> str:
    """The text with what stands outside of blocks of code changed."""
    assert callable(change)
    parts, last = [], 0
    for block in _FENCE.finditer(text):
        parts += [change(text[last : block.start()]), block[0]]
        last = block.end()
    return "".join([*parts, change(text[last:])])


def _is_picture(source: str) -> bool:
    return source.endswith((".png", ".svg", ".jpg"))


_INNER = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
_UNSEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"
