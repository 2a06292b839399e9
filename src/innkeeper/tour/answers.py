"""What a door said, in the hotel's words and in OAuth's, with the check that decided."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from innkeeper.tour.record import Hop
from innkeeper.tour.words import section_url, words

_ERROR = re.compile(r'\berror="([^"]+)"')


def answer_document(status: int, hop: Hop | None) -> dict[str, Any]:
    """The answer as data: the words for it, what was sent on the wire, the checks, the one that failed."""
    challenge = _header(hop, "www-authenticate")
    said = words().answers[_kind(status, challenge)]
    trail = judged(hop.trails[-1]) if hop and hop.trails else None
    return {
        "verdict": {
            "title": said.title,
            "oauth": said.oauth,
            "says": said.says,
            "spec": said.spec,
            "url": section_url(said.spec),
        },
        "challenge": challenge,
        "body": hop.reply_body.text if hop else "",
        "message": _message(hop),
        "trail": trail,
        "failed": next((step for step in trail["steps"] if not step["passed"]), None) if trail else None,
    }


def judged(trail: dict[str, Any]) -> dict[str, Any]:
    """A recorded trail with, for each check, its name as a label and the address of its section."""
    return trail | {"steps": [_step(step) for step in trail["steps"]]}


def _step(step: dict[str, Any]) -> dict[str, Any]:
    return step | {"label": label(step["name"]), "url": section_url(step["spec"])}


def label(name: str) -> str:
    """A check's name as one would write it: "Audience is this API"."""
    words_of_it = (_SPELLED.get(word, word) for word in name.split(" "))
    text = _WHOSE.sub(r"\1 \2’s\3", " ".join(words_of_it))
    return text[:1].upper() + text[1:]


_SPELLED = {"api": "API", "id": "ID", "jwt": "JWT", "pkce": "PKCE", "uri": "URI", "uris": "URIs"}

_WHOSE = re.compile(r"\b(the|this) (client|issuer|caller|person|pool|service|subject)s( own)?$")
"""Names of functions have no apostrophe; names of checks do."""


def _kind(status: int, challenge: str) -> str:
    if status == 200:
        return "passed"
    error = _ERROR.search(challenge)
    if error and error[1] in words().answers:
        return error[1]
    return str(status) if str(status) in words().answers else "other"


def _header(hop: Hop | None, name: str) -> str:
    return next((value for key, value in hop.reply_headers if key == name), "") if hop else ""


def _message(hop: Hop | None) -> str:
    """The one sentence in a JSON answer that is meant for people, if it has one."""
    try:
        body = msgspec.json.decode(hop.reply_body.text) if hop and hop.reply_body.text else {}
    except msgspec.DecodeError:
        return ""
    if not isinstance(body, dict):
        return ""
    return next((str(body[name]) for name in ("message", "error_description", "detail") if body.get(name)), "")
