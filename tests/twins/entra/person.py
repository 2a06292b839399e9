"""A person at a browser, for clients that are not written in Python: told the inn and an address, prints where it led."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.inn import Inn
from tests.twins.entra.sdks import Twin, go_through

if __name__ == "__main__":
    folder, tls_port, url = sys.argv[1:4]
    print(go_through(Twin(Inn(0, Path(folder), int(tls_port))), url))
