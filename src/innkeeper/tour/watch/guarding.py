"""Who may look: somebody at this computer, in a page of this house. What is refused is numbered."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

from innkeeper.protocol.addresses import is_loopback_address
from innkeeper.protocol.errors import ACCESS_DENIED, INVALID_REQUEST
from innkeeper.protocol.refusals import Page, Refusal

NOT_FROM_HERE = Page(
    "IK750",
    ACCESS_DENIED,
    "Traffic is shown on this computer alone",
    "The request came from another computer, by another name of this one, or from a page of another site.",
    "Open the page at the very address that `innkeeper up` prints, in a browser on the same computer.",
    "This is shown to nobody but the person at this computer.",
    403,
)
MESSAGE_GONE = Page(
    "IK751",
    INVALID_REQUEST,
    "This message is no longer here",
    "Only the last messages are kept, in memory, and those that were pinned.",
    "Pin a message that is to stay, or let the application send it again.",
    "There is no such message here.",
    404,
)
NOT_AGAIN = Page(
    "IK752",
    INVALID_REQUEST,
    "This message cannot be sent again",
    "A part of the request was not kept and not given anew: its body was too long or of a kind that is not read, or a "
    "password stood in it.",
    "Fill in what is missing, or let the application send it again.",
    "This message cannot be sent again as it is.",
    409,
)
PINS_TAKEN = Page(
    "IK753",
    INVALID_REQUEST,
    "No more messages can be pinned",
    "Pinned messages stay until they are let go, so their number is bounded.",
    "Let go of one that is no longer needed.",
    "No more messages can be pinned.",
    409,
)


def admit(request: Request, base_url: str, *, link: bool = False) -> None:
    """Raises ``HTTPException`` unless somebody at this computer asks. A page that is opened by a ``link`` may be linked from
    anywhere: whoever linked it sees nothing of it."""
    why = _why_not(request, base_url, link=link)
    if why:
        raise denied(Refusal(NOT_FROM_HERE, why))


def _why_not(request: Request, base_url: str, *, link: bool) -> str:
    peer, host = request.client.host if request.client else "", request.headers.get("host", "")
    if not is_loopback_address(peer):
        return f"the request came from {peer or 'nowhere'}"
    if f"http://{host}" != base_url:
        return f"the request was sent to {host or 'no name'}, and the house is at {base_url}"
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    followed = link and request.headers.get("sec-fetch-dest") == "document"
    if not followed and (site or "same-origin") not in {"same-origin", "none"}:
        return "a page of another site sent the request"
    if origin is not None and origin != base_url:
        return f"a page at {origin[:80]} sent the request"
    return ""


def denied(refusal: Refusal) -> HTTPException:
    """A refusal as the tour answers it: with its number and the reason, for it never leaves this computer."""
    page = refusal.page
    return HTTPException(page.status, f"{page.title} [{page.number}]: {refusal.reason}. {refusal.remedy}")
