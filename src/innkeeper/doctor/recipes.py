"""What to configure so that something accepts an issuer's tokens, as text to paste: one file of ``texts`` a target."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from string import Template
from typing import Any

import msgspec

from innkeeper.explain.kit import Wanted, authorizer_for
from innkeeper.protocol.refusals import UsageError

_FOLDER = files("innkeeper.doctor") / "texts"


def targets() -> list[str]:
    """Everything there is a recipe for."""
    return sorted(one.name.removesuffix(".txt") for one in _FOLDER.iterdir() if one.name.endswith(".txt"))


def recipe(target: str, issuer: str, metadata: Mapping[str, Any], audience: str, client: str, scopes: str) -> str:
    """The text for ``target``. What was not given stands in capitals, to be replaced. Raises ``UsageError``."""
    if target not in targets():
        near = get_close_matches(target, targets(), n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(targets())}"
        raise UsageError(f"--for {target!r}: {meant}")
    api, caller, wanted = audience or "YOUR-API", client or "CLIENT-ID", scopes.split() or ["SCOPE"]
    told = Wanted(issuer=issuer, audience=api, client=caller, scopes=tuple(wanted))
    words = {
        "issuer": issuer,
        "audience": api,
        "client": caller,
        "scopes": " ".join(wanted),
        "scope_list": _json(wanted),
        "scope_words": ", ".join(map(_json, wanted)),
        "jwks_uri": str(metadata.get("jwks_uri", f"{issuer}/JWKS")),
        "discovery": f"{issuer.removesuffix('/')}/.well-known/openid-configuration",
        "token_endpoint": str(metadata.get("token_endpoint", "TOKEN-ENDPOINT")),
        "authorizer": _json(authorizer_for(told), indent=2),
        "algorithms": _json(_algorithms(metadata)),
    }
    text = (_FOLDER / f"{target}.txt").read_text("utf-8")
    return Template(text).substitute(words)


def _algorithms(metadata: Mapping[str, Any]) -> list[str]:
    said = metadata.get("id_token_signing_alg_values_supported")
    listed = [str(one) for one in said] if isinstance(said, list) else []
    return [one for one in listed if one != "none" and not one.startswith("HS")] or ["RS256"]


def _json(value: Any, indent: int = 0) -> str:
    encoded = msgspec.json.encode(value)
    return (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()
