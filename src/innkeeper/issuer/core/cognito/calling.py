"""A call of the JSON API: whether it can be read, whether it is one of the service's, whether it is signed."""

from __future__ import annotations

import re

import msgspec

from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

SIGNED = re.compile(
    r"AWS4-(?:HMAC-SHA256|ECDSA-P256-SHA256)\s+Credential=(?P<key>[^/\s,]+)/\d{8}/(?:(?P<region>[a-z0-9-]+)/)?[a-z0-9-]+/aws4_request"
    r"\s*,\s*SignedHeaders=[^,\s]+\s*,\s*Signature=[0-9a-zA-Z/+=]+"
)


class Call(msgspec.Struct, frozen=True):
    """``operation`` as the target names it; ``known`` that the service has it, ``here`` that the twin does; ``problem``
    says what is wrong with the input, ``unsigned`` that the operation needs no signature."""

    operation: str
    known: bool
    here: bool
    unsigned: bool
    authorization: str
    problem: str = ""


@check("AWS JSON protocol: X-Amz-Target")
def the_operation_is_the_services(call: Call) -> Seen | Refusal:
    """The target names an operation of the service."""
    if not call.known:
        return Refusal(
            UNKNOWN_OPERATION, "no operation of that name", "an operation of Cognito", call.operation or "nothing"
        )
    return Seen(call.operation)


@check("Signature Version 4")
def administrators_sign(call: Call) -> Seen | Refusal:
    """An operation that AWS authorizes comes with a signature of the right form; whose it is, is not verified here."""
    if call.unsigned:
        return Seen("needs none")
    if not call.authorization:
        return Refusal(NOT_SIGNED, "no Authorization header", "a signature", "nothing")
    if not SIGNED.fullmatch(call.authorization.strip()):
        return Refusal(NOT_SIGNED, "the signature has another form", "AWS4-HMAC-SHA256 Credential=...", "another")
    return Seen("signed")


@check("innkeeper: operations of the twin")
def the_twin_has_the_operation(call: Call) -> Seen | Refusal:
    """The operation is one that the twin does."""
    if not call.here:
        said = f"The operation {call.operation} is not in this twin of Cognito."
        return Refusal(NOT_HERE, "the twin does not do it", "an operation of the twin", call.operation, said=said)
    return Seen(call.operation)


class Parts(msgspec.Struct, frozen=True):
    """The names of what an operation was asked with, beside its members."""

    operation: str
    names: tuple[str, ...]


NO_PARTS = frozenset({"TARGET_ACR_VALUES", "MAX_AGE", "WEB_AUTHN", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"})
"""Step-up, passkeys and devices, which operations of the twin may be asked for and which it does not do."""


@check("innkeeper: operations of the twin")
def the_twin_has_every_part(parts: Parts) -> Seen | Refusal:
    """Nothing is asked for that the twin would have to pass over."""
    for one in parts.names:
        if one in NO_PARTS:
            said = f"{parts.operation} with {one} is not in this twin of Cognito."
            return Refusal(NOT_HERE, "the twin does not do it", "parts that the twin does", one, said=said)
    return Seen(parts.names)


PART_CHECKS = (the_twin_has_every_part,)


@check("AWS JSON protocol: input")
def the_input_fits(call: Call) -> Seen | Refusal:
    """The input is a JSON object with the operation's members, each of its kind."""
    if call.problem:
        return Refusal(INPUT_BAD, call.problem, "the operation's members", "others", said=call.problem)
    return Seen("fits")


CHECKS = (the_operation_is_the_services, administrators_sign, the_twin_has_the_operation, the_input_fits)

UNKNOWN_OPERATION = Page(
    "IK1160",
    "UnknownOperationException",
    "The service has no such operation",
    "X-Amz-Target is missing, misspelt, or names an operation that came into the service later than this twin.",
    "Send X-Amz-Target: AWSCognitoIdentityProviderService.OPERATION; an SDK does.",
    "The operation is not known.",
    level="inferred",
)
NOT_SIGNED = Page(
    "IK1161",
    "MissingAuthenticationTokenException",
    "The operation has to be signed",
    "Administrators' operations are signed with AWS credentials. The twin takes any credentials, for it has nobody to ask, but "
    "it refuses a call without: code that forgets them would fail in the cloud.",
    "Give the SDK credentials, any will do here: AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local.",
    "Missing Authentication Token",
    level="documented",
    terraform='provider "aws" { access_key = "local", secret_key = "local" }',
    console="The console signs for you.",
)
NOT_HERE = Page(
    "IK1162",
    "UnsupportedOperationException",
    "The twin does not do this operation",
    "The cloud has it, the twin does not: devices, import jobs, identity providers, risk and replicas are not in it.",
    "See the parity page for what is; test this part against the cloud.",
    "The operation is not in this twin of Cognito.",
    level="inferred",
    console="The cloud's console has it; here there is nothing to click.",
    terraform="Leave the resource out when the provider points here, for example with count = var.local ? 0 : 1.",
)
INPUT_BAD = Page(
    "IK1163",
    "InvalidParameterException",
    "The input does not fit the operation",
    "The body is no JSON object, a member is missing, or one is of another kind.",
    "Read the message; an SDK checks most of this before it sends.",
    "Invalid input.",
    level="inferred",
)
BUSY = Page(
    "IK1164",
    "ConcurrentModificationException",
    "Somebody else changed it at the same moment",
    "Two calls changed the same record; this one came second, and nothing of it was done.",
    "Call again.",
    "Another operation is in progress. Please try again.",
    level="documented",
)
TOO_MANY_CALLS = Page(
    "IK1172",
    "TooManyRequestsException",
    "Too many requests in a second",
    "Each group of operations has a quota for the account and region. The twin has none; innkeeper twin fault asks for this.",
    "Wait and try again, longer each time; SDKs do, up to their number of attempts.",
    "Rate exceeded",
    level="documented",
    console="Service Quotas, Amazon Cognito user pools.",
    terraform="aws_servicequotas_service_quota asks for more.",
)
BROKEN = Page(
    "IK1173",
    "InternalErrorException",
    "The service failed",
    "Something inside the cloud went wrong. The twin answers this only where innkeeper twin fault asks for it.",
    "Try again; SDKs do, for it has status 500.",
    "Something went wrong",
    500,
    level="documented",
)
TOKEN_BAD = Page(
    "IK1165",
    "NotAuthorizedException",
    "The access token is of no use here",
    "It is no access token of this pool, has expired, was revoked, or lacks the scope aws.cognito.signin.user.admin.",
    "Sign in anew; at /oauth2/authorize ask for aws.cognito.signin.user.admin.",
    "Invalid Access Token",
    level="observed",
)
REFRESH_TOKEN_BAD = Page(
    "IK1166",
    "NotAuthorizedException",
    "The refresh token is of no use",
    "It is unknown, of another client, expired, or was revoked.",
    "Sign in anew.",
    "Invalid Refresh Token",
    level="observed",
)
REUSED = Page(
    "IK1167",
    "RefreshTokenReuseException",
    "The refresh token was rotated out",
    "Rotation is on for the client, and the token was used before, longer ago than the grace period.",
    "Keep the newest refresh token.",
    "Refresh token has been rotated.",
    level="documented",
    terraform="refresh_token_rotation { retry_grace_period_seconds = 60 }",
    console="App client, Refresh token rotation: the grace period.",
)
CLIENT_REFUSED = Page(
    "IK1168",
    "NotAuthorizedException",
    "The app client did not prove itself",
    "The client's secret is missing or another, or the client may not do this.",
    "Send the client's secret; see its ExplicitAuthFlows.",
    "Invalid client credentials.",
    level="inferred",
    console="App client, Show client secret.",
    terraform="aws_cognito_user_pool_client.NAME.client_secret",
)
WRONG_TYPE = Page(
    "IK1169",
    "UnsupportedTokenTypeException",
    "Only refresh tokens can be revoked",
    "An access or ID token was sent.",
    "Send the refresh token of the sign-in.",
    "Unsupported token type.",
    level="documented",
)
REVOCATION_OFF = Page(
    "IK1170",
    "UnsupportedOperationException",
    "Revocation is off for the client",
    "EnableTokenRevocation is false.",
    "Set EnableTokenRevocation=True.",
    "Token revocation is not enabled for this client.",
    level="documented",
    console="App client, Advanced: Enable token revocation.",
    terraform="enable_token_revocation = true",
)
