"""The one place where store, keys, clock, desk and dialects are joined into an issuer that answers HTTP.

``opening`` opens an issuer on ``ground``, what all its realms share; one module per kind of realm joins that realm's
dialect with its pages: ``native`` here, a cloud's twin beside it. Called by ``cli`` and ``testing``.
"""

from __future__ import annotations

from innkeeper.issuer.app.ground import open_seal, open_state, outside_of, system_clock
from innkeeper.issuer.app.native import NATIVE_REALM, policy_of
from innkeeper.issuer.app.opening import Issuer, open_issuer

__all__ = [
    "NATIVE_REALM",
    "Issuer",
    "open_issuer",
    "open_seal",
    "open_state",
    "outside_of",
    "policy_of",
    "system_clock",
]
