"""Run the notebooks anew against a house of their own, and write what they show into them: ``python -m notebooks [NAME]...``"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from notebooks.playing import NAMES, path_of, played, read, write
from tests.inn import open_inn


def main(names: list[str]) -> None:
    unknown = set(names) - set(NAMES)
    if unknown:
        raise SystemExit(f"there is no notebook {unknown.pop()!r}: there are {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory() as folder, open_inn(Path(folder)) as inn:
        for name in names or NAMES:
            write(path_of(name), played(read(path_of(name)), inn, {}))
            print(f"notebooks/{name}.ipynb written")


main(sys.argv[1:])
