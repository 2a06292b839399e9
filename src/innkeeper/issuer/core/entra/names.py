"""Names that Entra gives: tenants by their aliases, issuers by version, the resources that are Microsoft's own."""

from __future__ import annotations

import re

import msgspec

COMMON, ORGANIZATIONS, CONSUMERS = "common", "organizations", "consumers"
ALIASES = frozenset({COMMON, ORGANIZATIONS, CONSUMERS})

PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of personal accounts, which ``consumers`` stands for."""

GRAPH_ID = "00000003-0000-0000-c000-000000000000"
GRAPH_URL = "https://graph.microsoft.com"

MANAGEMENT_ID = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
MANAGEMENT_URL = "https://management.azure.com"
MANAGEMENT_URLS = ("https://management.azure.com", "https://management.core.windows.net")
"""Azure's resource manager, which the Azure command line asks for its subscriptions, by its newer and its older name."""

CLOUD = "https://login.microsoftonline.com"
CLOUD_HOSTS = ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net")

_STS = "https://sts.windows.net"

V1, V2 = 1, 2

GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DOMAIN = re.compile(r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z][a-zA-Z0-9-]{1,62}")


class Names(msgspec.Struct, frozen=True):
    """What the addresses begin with: ``login`` where people and programs ask for tokens, ``sts`` in version 1 issuers,
    ``graph`` of Microsoft Graph. On a twin all three are the origin that was asked. ``home`` is what version 2 issuers begin
    with, where that is not ``login``."""

    login: str
    sts: str
    graph: str
    home: str = ""

    @property
    def managements(self) -> tuple[str, ...]:
        """What the resource manager is called here."""
        return (*MANAGEMENT_URLS, f"{self.login}/management")

    def issuer(self, version: int, tenant: str) -> str:
        return f"{self.home or self.login}/{tenant}/v2.0" if version == V2 else f"{self.sts}/{tenant}/"


def names_at(origin: str, *, as_the_cloud: bool = False) -> Names:
    """The names in force at an origin: the cloud's own where it stands in for the cloud's host, else its own; issuers are
    spelt ``as_the_cloud`` spells them for verifiers that know no other."""
    host = origin.rpartition("//")[2]
    if host in CLOUD_HOSTS or origin in (GRAPH_URL, *MANAGEMENT_URLS):
        return Names(CLOUD, _STS, GRAPH_URL)
    if as_the_cloud:
        return Names(origin, _STS, origin, CLOUD)
    return Names(origin, origin, origin)


def is_tenant_name(text: str) -> bool:
    """Whether a tenant could be called this: an alias, a GUID or a domain."""
    return text in ALIASES or GUID.fullmatch(text) is not None or DOMAIN.fullmatch(text) is not None
