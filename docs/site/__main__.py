"""Build the site: ``python -m docs.site [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.site.build import open_and_build
from docs.site.gather import ROOT


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site"
    open_and_build(folder)
    print(f"the site is in {folder}: open {folder / 'index.html'}")


main()
