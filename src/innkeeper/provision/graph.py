"""Microsoft Graph by plain HTTP: pages, errors in its own words, and patience with a directory that takes its time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from innkeeper.client.refused import quoted, refuse
from innkeeper.protocol.refusals import Unreachable
from innkeeper.provision import refusals

GRAPH = "https://graph.microsoft.com"
LOGIN = "https://login.microsoftonline.com"

_BUSY = {429, 503, 504}
_TRIES = 8
_LONGEST = 30.0  # seconds to wait for the directory at a time
_NOT_YET = ("does not reference a valid", "Not a valid reference update", "does not exist or one of its queried")
"""What the directory says of an object that was made a moment ago and is not known everywhere yet."""

Pause = Callable[[float], None]
Token = Callable[[], str]


class Graph:
    """Graph at ``base`` with its version. ``pause`` lets seconds pass."""

    def __init__(self, http: httpx2.Client, base: str, token: Token, pause: Pause) -> None:
        self._http = http
        self._base = f"{base.rstrip('/')}/v1.0"
        self._token = token
        self._pause = pause
        self._bearer = ""

    def one(self, path: str) -> dict[str, Any] | None:
        """An object; None where it is not there."""
        answer = self._send("GET", path)
        if answer.status_code == 404:
            return None
        return self._read("GET", path, answer)

    def all(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Everything in a list, page by page."""
        found: list[dict[str, Any]] = []
        ahead = path + ("?" + "&".join(f"${name}={quote(text)}" for name, text in query.items()) if query else "")
        while ahead:
            page = self._read("GET", ahead, self._send("GET", ahead))
            found += page.get("value", ())
            ahead = page.get("@odata.nextLink", "")
        return found

    def do(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Make, change or remove something. What refers to something just made is tried again for a while."""
        answer = self._send(method, path, document)
        for again in range(_TRIES):
            if not _not_yet(answer):
                break
            self._pause(min(2.0**again, _LONGEST))
            answer = self._send(method, path, document)
        return self._read(method, path, answer)

    def base_of(self, path: str) -> str:
        """An object's address, as references in a body spell it."""
        return f"{self._base}{path}"

    def _send(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> httpx2.Response:
        url = path if path.startswith("http") else self._base + path
        self._bearer = self._bearer or self._token()
        headers = {"authorization": f"Bearer {self._bearer}"}
        for tries_left in range(_TRIES, 0, -1):
            try:
                answer = self._http.request(method, url, json=document, headers=headers)
            except httpx2.HTTPError as failure:
                raise Unreachable(f"Microsoft Graph at {url} cannot be reached: {quoted(failure)}") from None
            if answer.status_code not in _BUSY or tries_left == 1:
                return answer
            self._pause(_wait(answer))
        raise AssertionError("a loop over tries ends inside")

    def _read(self, method: str, path: str, answer: httpx2.Response) -> dict[str, Any]:
        if answer.is_success:
            document: dict[str, Any] = answer.json() if answer.content else {}
            return document
        error = _error(answer)
        told = f"Microsoft Graph on {method} {path.partition('?')[0]}: {quoted(error.get('message', answer.text))}"
        hint = _NEEDS if answer.status_code == 403 else ""
        raise refuse(refusals.CLOUD_REFUSED, told, found=str(error.get("code", answer.status_code)), hint=hint)


def by_secret(http: httpx2.Client, login: str, tenant: str, client_id: str, secret: str, graph: str) -> Token:
    """Tokens for Graph of an application with a secret."""

    def token() -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "scope": f"{graph.rstrip('/')}/.default",
        }
        url = f"{login.rstrip('/')}/{tenant}/oauth2/v2.0/token"
        try:
            answer = http.post(url, data=form)
        except httpx2.HTTPError as failure:
            raise Unreachable(f"{url} cannot be reached: {quoted(failure)}") from None
        if not answer.is_success:
            said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            raise refuse(refusals.NO_CREDENTIALS, f"Entra ID: {quoted(said.get('error_description', answer.text))}")
        return str(answer.json()["access_token"])

    return token


def from_environment(http: httpx2.Client, tenant: str) -> Token:
    """Tokens for whoever azure-identity finds (az login, the environment, a managed identity); without it, for the
    application that the environment names with its secret."""
    login = os.environ.get("AZURE_AUTHORITY_HOST", LOGIN)
    try:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import DefaultAzureCredential
    except ModuleNotFoundError:
        return _by_environment_alone(http, login, tenant)

    def token() -> str:
        unknown = {} if login.rstrip("/") == LOGIN else {"disable_instance_discovery": True}
        try:
            credential = DefaultAzureCredential(**unknown)
            return str(credential.get_token(f"{GRAPH}/.default", tenant_id=tenant).token)
        except ClientAuthenticationError as failure:
            raise refuse(refusals.NO_CREDENTIALS, f"Entra ID: {quoted(failure.message)}") from None

    return token


def _by_environment_alone(http: httpx2.Client, login: str, tenant: str) -> Token:
    client_id, secret = os.environ.get("AZURE_CLIENT_ID"), os.environ.get("AZURE_CLIENT_SECRET")
    if not (client_id and secret):
        raise refuse(
            refusals.NO_CREDENTIALS, "neither azure-identity nor AZURE_CLIENT_ID and AZURE_CLIENT_SECRET are here"
        )
    return by_secret(http, login, tenant, client_id, secret, GRAPH)


def _error(answer: httpx2.Response) -> dict[str, Any]:
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _not_yet(answer: httpx2.Response) -> bool:
    if answer.status_code not in (400, 404):
        return False
    return any(text in str(_error(answer).get("message", "")) for text in _NOT_YET)


def _wait(answer: httpx2.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return min(float(said), _LONGEST) if said.isdigit() else 2.0


_NEEDS = (
    "Whoever sets this up needs the permissions Application.ReadWrite.All, AppRoleAssignment.ReadWrite.All, "
    "DelegatedPermissionGrant.ReadWrite.All and, for groups, Group.ReadWrite.All, each with an administrator's consent."
)
