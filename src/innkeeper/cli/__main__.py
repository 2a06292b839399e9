"""``python -m innkeeper.cli``: the same front door, by way of a particular Python."""

from __future__ import annotations

import sys

from innkeeper.cli import main

sys.exit(main())
