"""Was the token taken back, by a list of this API's own: a function that is asked at every request, remembered or not."""

from __future__ import annotations

from innkeeper.protocol.errors import INVALID_TOKEN
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import Value
from innkeeper.tokens.trail import Check, Seen, check


class Standing(Value, frozen=True, gc=False):
    """Whether the API's own list has the token."""

    is_revoked: bool


@check("RFC 7009 §1")
def token_was_not_taken_back(case: Standing) -> Seen | Refusal:
    """The token must not be on the list of those taken back."""
    if case.is_revoked:
        return Refusal(TAKEN_BACK, "it is on the list of tokens taken back", "not on the list", "on the list")
    return Seen("not on the list")


REVOCATION_CHECKS: tuple[Check[Standing], ...] = (token_was_not_taken_back,)

TAKEN_BACK = Page(
    "IK575",
    INVALID_TOKEN,
    "The token was taken back",
    "The function given as revoked= says so: the person signed out, an administrator withdrew it, or the client was removed.",
    "Get a new token, if that is still granted.",
    "The access token is malformed, expired, revoked, or not meant for this resource.",
    401,
)
