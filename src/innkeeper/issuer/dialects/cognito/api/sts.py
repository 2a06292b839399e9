"""STS beside it: GetCallerIdentity alone, which Terraform asks before anything else."""

from __future__ import annotations

from uuid import uuid4
from xml.sax.saxutils import escape

from innkeeper.issuer.desk.cognito.twin import Place
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import FORM, Malformed, parse_form

XML = ("content-type", "text/xml")
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def answers(request: Request) -> bool:
    """Whether a request is one of the query protocol's, which STS speaks."""
    return request.headers.get("content-type", "").startswith(FORM) and "x-amz-target" not in request.headers


def caller_identity(place: Place, request: Request) -> Reply:
    """Who calls, whoever it is: the one account of the twin."""
    try:
        action = parse_form(request.body, request.headers.get("content-type", "")).get("Action", "")
    except Malformed:
        action = ""
    if action != "GetCallerIdentity":
        return Reply(400, (XML,), _error(action).encode())
    account = place.twin.account_id
    body = (
        f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}"><GetCallerIdentityResult>'
        f"<Arn>arn:aws:iam::{account}:root</Arn><UserId>{account}</UserId><Account>{account}</Account>"
        f"</GetCallerIdentityResult><ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )
    return Reply(200, (XML,), body.encode())


def _error(action: str) -> str:
    message = escape(f"Could not find operation {action or 'without a name'} for version 2011-06-15")
    return (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>InvalidAction</Code>'
        f"<Message>{message}</Message></Error><RequestId>{uuid4()}</RequestId></ErrorResponse>"
    )
