"""Write every reference page anew, and say which ones changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from docs.generate.pages import PARITY, REFERENCE, pages, parity_pages


def main() -> None:
    for folder, texts in ((REFERENCE, pages()), (PARITY, parity_pages())):
        _write(folder, texts)


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        page = folder / name
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
            print(f"docs/{folder.name}/{name} written")


main()
