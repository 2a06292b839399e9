"""AWS through boto3: calls that say what they were for when they fail, and addresses that follow the endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from innkeeper.client.discovery import discover
from innkeeper.client.refused import quoted, refuse
from innkeeper.client.wire import run
from innkeeper.protocol.refusals import Unreachable
from innkeeper.provision import refusals

_GONE = {"ResourceNotFoundException"}
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "TokenRetrievalError"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"}


class Aws:
    """One region of one account. ``endpoint`` is another address than the cloud's, with credentials of its own."""

    def __init__(self, region: str, endpoint: str = "") -> None:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        self._failures = (ClientError, BotoCoreError)
        own = (
            {"endpoint_url": endpoint, "aws_access_key_id": "local", "aws_secret_access_key": "local"}
            if endpoint
            else {}
        )
        self.region = region
        self._sts: Any
        self.cognito: Any
        try:
            session = boto3.Session(region_name=region)
            self._sts, self.cognito = session.client("sts", **own), session.client("cognito-idp", **own)
        except BotoCoreError as failure:
            raise self._refused("the session", failure) from None

    @cached_property
    def account(self) -> str:
        try:
            return str(self._sts.get_caller_identity()["Account"])
        except self._failures as failure:
            raise self._refused("GetCallerIdentity", failure) from None

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """An operation of the user pools. Raises ``Refused`` and ``Unreachable``."""
        try:
            answer: dict[str, Any] = getattr(self.cognito, operation)(**members)
        except self._failures as failure:
            raise self._refused(operation, failure) from None
        return answer

    def found(self, operation: str, member: str, **members: Any) -> dict[str, Any] | None:
        """What an operation describes, under ``member`` or all of it; None where it is not there."""
        try:
            answer: dict[str, Any] = getattr(self.cognito, operation)(**members)
        except self._failures as failure:
            if _code(failure) in _GONE:
                return None
            raise self._refused(operation, failure) from None
        return answer[member] if member else answer

    def pages(self, operation: str, member: str, **members: Any) -> list[dict[str, Any]]:
        """Everything that a list operation lists."""
        try:
            pages = self.cognito.get_paginator(operation).paginate(PaginationConfig={"PageSize": 60}, **members)
            return [one for page in pages for one in page.get(member, ())]
        except self._failures as failure:
            raise self._refused(operation, failure) from None

    def changeable(self, operation: str, found: Mapping[str, Any]) -> dict[str, Any]:
        """The members of a description that an update operation takes."""
        takes = self.cognito.meta.service_model.operation_model(operation).input_shape.members
        return {name: value for name, value in found.items() if name in takes}

    def addresses(self, pool_id: str, domain_prefix: str) -> tuple[str, dict[str, str]]:
        """The issuer, and where tokens are got: as the cloud has them, or as another endpoint's document says."""
        issuer = f"{self.cognito.meta.endpoint_url}/{pool_id}"
        if ".amazonaws.com" in (urlsplit(issuer).hostname or ""):
            domain = f"https://{domain_prefix}.auth.{self.region}.amazoncognito.com/oauth2"
            return issuer, {"token_endpoint": f"{domain}/token", "authorization_endpoint": f"{domain}/authorize"}
        said = run(discover(issuer))
        names = ("token", "authorization")
        return issuer, {f"{name}_endpoint": said.endpoint(name) for name in names}

    def _refused(self, operation: str, failure: Exception) -> Exception:
        """The failure in our words: no credentials, no way there, or the cloud's own no."""
        kind, code = type(failure).__name__, _code(failure)
        if kind in _NO_CREDENTIALS or code in _EXPIRED:
            return refuse(refusals.NO_CREDENTIALS, f"AWS: {quoted(failure)}")
        if not code:
            return Unreachable(f"{operation} of Amazon Cognito in {self.region}: {quoted(failure)}")
        return refuse(refusals.CLOUD_REFUSED, f"Amazon Cognito: {quoted(failure)}", found=code)


def _code(failure: Exception) -> str:
    return str(getattr(failure, "response", {}).get("Error", {}).get("Code", ""))
