"""What a program is told in its environment, so that its runtime goes by the proxy and trusts the authority."""

from __future__ import annotations

from collections.abc import Mapping

from innkeeper.detour.hosts import COGNITO, Taken
from innkeeper.detour.trust import STORE_PASSWORD, Trust

_HERE = ("localhost", "127.0.0.1", "::1")

TRUST = {
    "SSL_CERT_FILE": "OpenSSL, and so Python's ssl, httpx, aiohttp, Ruby, PHP; Go; .NET on Linux; Rust's native-tls",
    "REQUESTS_CA_BUNDLE": "Python's requests, and so MSAL Python and the Azure CLI",
    "CURL_CA_BUNDLE": "curl",
    "AWS_CA_BUNDLE": "boto3 and the AWS CLI",
    "DENO_CERT": "Deno",
    "NODE_EXTRA_CA_CERTS": "Node.js, beside its own authorities",
}
"""Variables that name the file of trusted authorities, and who reads them."""

PROXY = ("HTTPS_PROXY", "https_proxy")
"""Variables that name the proxy for https. That for http is let be: no cloud signs people in over http."""


def trusting(trust: Trust) -> dict[str, str]:
    """What makes every runtime trust the authority."""
    files = dict.fromkeys(TRUST, str(trust.bundle))
    return {**files, "NODE_EXTRA_CA_CERTS": str(trust.authority)}


def proxied(taken: Taken, port: int, before: Mapping[str, str]) -> dict[str, str]:
    """What makes every runtime go by the proxy on ``port``; ``before`` is the environment it would have had."""
    address = f"http://127.0.0.1:{port}"
    direct = ",".join(dict.fromkeys([*_HERE, *_still_direct(taken, before)]))
    return {
        **dict.fromkeys(PROXY, address),
        "NO_PROXY": direct,
        "no_proxy": direct,
        "NODE_USE_ENV_PROXY": "1",  # Node.js 24 goes by a proxy only where it is told to
    }


def for_java(trust: Trust, port: int | None, before: Mapping[str, str]) -> dict[str, str]:
    """The same for a JVM, which reads no other variable."""
    options = [
        before.get("JAVA_TOOL_OPTIONS", ""),
        f"-Djavax.net.ssl.trustStore={trust.java}",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
        f"-Djavax.net.ssl.trustStorePassword={STORE_PASSWORD}",
        *([f"-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort={port}"] if port else []),
    ]
    return {"JAVA_TOOL_OPTIONS": " ".join(option for option in options if option)}


def for_aws(taken: Taken, before: Mapping[str, str]) -> dict[str, str]:
    """Credentials for the twin where the environment has none, so that a program's own are neither needed nor sent."""
    if COGNITO not in taken.clouds or before.get("AWS_ACCESS_KEY_ID") or before.get("AWS_PROFILE"):
        return {}
    return {"AWS_ACCESS_KEY_ID": "AKIAINNKEEPERTWIN000", "AWS_SECRET_ACCESS_KEY": "a-twin-checks-no-signature"}


def _still_direct(taken: Taken, before: Mapping[str, str]) -> list[str]:
    """The hosts that were to be reached without a proxy, less those that have to be taken to a twin."""
    listed = (before.get("no_proxy") or before.get("NO_PROXY") or "").split(",")
    names = [one.strip() for one in listed if one.strip()]
    return [name for name in names if name != "*" and not _covers_a_taken_host(taken, name.lstrip("*.").lower())]


def _covers_a_taken_host(taken: Taken, name: str) -> bool:
    return name in taken or any(
        name == parent or name.endswith(f".{parent}") or parent.endswith(f".{name}") for parent in taken.parents
    )
