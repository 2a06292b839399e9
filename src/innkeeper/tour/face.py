"""The face of a keycard: what is printed on it are claims of the real token, each under its own name. Pure."""

from __future__ import annotations

from typing import Any

from innkeeper.tour.house import DOORS
from innkeeper.tour.reading import clock_text, token_document

SCOPES = tuple(dict.fromkeys(door.scope for door in DOORS.values()))


def face(token: str) -> dict[str, Any]:
    """What is printed on the card: its claims by name, which doors, from when until when, and how it is sealed."""
    document = token_document("access", token, 0)
    claims = {claim["name"]: claim["value"] for claim in document["claims"]}
    header = {member["name"]: member["value"] for member in document["header"]}
    granted = claims.get("scope", "").split()
    beside = tuple(one for one in granted if one not in SCOPES and ":" in one and "/" not in one)
    return {
        "claims": claims,
        "scopes": [{"scope": scope, "granted": scope in granted} for scope in (*SCOPES, *beside)],
        "until": _clock(claims.get("exp", "")),
        "since": _clock(claims.get("iat", "")),
        "alg": header.get("alg", ""),
        "actor": next(reversed(document["acting"]), ""),
        "acting": document["acting"],
        "bound": bool(claims.get("cnf")),
    }


def _clock(moment: str) -> dict[str, Any]:
    return {"moment": int(moment), "text": clock_text(int(moment))} if moment.isdecimal() else {"moment": 0, "text": ""}
