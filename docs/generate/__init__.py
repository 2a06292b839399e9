"""Reference pages written from the code, so that they cannot say something else than it does.

One file a page; ``modules`` reads the source tree for all of them. ``python -m docs.generate`` writes
``docs/reference``; a test in ``tests/house`` fails when what stands there is out of date.
"""

from docs.generate.pages import PARITY, REFERENCE, WRITERS, module_readmes, pages, parity_pages

__all__ = ["PARITY", "REFERENCE", "WRITERS", "module_readmes", "pages", "parity_pages"]
