"""The names of the ways in which a client proves itself, as it registers them."""

from __future__ import annotations

NONE = "none"
BASIC = "client_secret_basic"
POST = "client_secret_post"
SECRET_JWT = "client_secret_jwt"
PRIVATE_KEY_JWT = "private_key_jwt"
TLS = "tls_client_auth"
SELF_SIGNED_TLS = "self_signed_tls_client_auth"

SECRETS = frozenset({BASIC, POST, SECRET_JWT})
"""Those that need a secret."""

ALWAYS = (BASIC, POST, SECRET_JWT, PRIVATE_KEY_JWT, NONE)
"""Those that need nothing but us; certificates need a proxy that is believed about them."""

ALL = frozenset({*ALWAYS, TLS, SELF_SIGNED_TLS})
