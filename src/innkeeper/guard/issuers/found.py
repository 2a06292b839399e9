"""Which preset reads an issuer's tokens, told from how the issuer writes itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from innkeeper.guard.issuers.native import native

if TYPE_CHECKING:
    from innkeeper.guard.issuers.preset import Preset


def preset_for(issuer: str) -> Preset:
    """The preset for an issuer given as a text. Raises ``UsageError`` where it cannot be one."""
    return next((make for fits, make in _known() if fits(issuer)), native)(issuer)


@cache
def _known() -> tuple[tuple[Callable[[str], bool], Callable[[str], Preset]], ...]:
    """Read from the top. Whatever fits nothing here is held to RFC 9068; a laxer provider is named by ``oidc``.

    Loaded when the first issuer is looked for: a guard that is told its preset needs none of the others.
    """
    from innkeeper.guard.issuers.auth0 import auth0, is_auth0
    from innkeeper.guard.issuers.cognito import cognito, is_cognito
    from innkeeper.guard.issuers.entra import entra, is_entra
    from innkeeper.guard.issuers.google import google, is_google
    from innkeeper.guard.issuers.keycloak import is_keycloak, keycloak
    from innkeeper.guard.issuers.okta import is_okta, okta

    return (
        (is_cognito, cognito),
        (is_entra, entra),
        (is_google, google),
        (is_okta, okta),
        (is_auth0, auth0),
        (is_keycloak, keycloak),
    )
