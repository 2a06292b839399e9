"""``innkeeper serve`` for a bench: on the port in ``PORT``, signing access tokens as the first argument says; the other
arguments are its own."""

from __future__ import annotations

import os
import sys


def main(algorithm: str) -> None:
    os.environ["INNKEEPER_PORT"] = os.environ["PORT"]
    from innkeeper.cli import main as innkeeper
    from innkeeper.issuer.dialects.native import tokens

    tokens.ACCESS_ALGORITHM = algorithm
    sys.argv = ["innkeeper", "serve", *sys.argv[2:]]
    innkeeper()


if __name__ == "__main__":
    main(sys.argv[1])
