"""Write every reference page anew, and say which ones changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from docs.generate.pages import PARITY, REFERENCE, module_readmes, pages, parity_pages

ROOT = REFERENCE.parents[1]


def main() -> None:
    for folder, texts in ((REFERENCE, pages()), (PARITY, parity_pages())):
        folder.mkdir(exist_ok=True)
        _write({folder / name: text for name, text in texts.items()})
    _write(module_readmes())


def _write(texts: Mapping[Path, str]) -> None:
    for page, text in texts.items():
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
            print(f"{page.relative_to(ROOT)} written")


main()
