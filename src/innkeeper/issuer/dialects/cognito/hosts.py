"""The cloud's host names: what each leads to, so that a request routed here under its real name finds its pool."""

from __future__ import annotations

import re

import msgspec

POOL_PATH = re.compile(r"/(?P<pool>[a-z]{2}(?:-[a-z]+)+-\d_[0-9a-zA-Z]{1,40})(?P<rest>/.*)?")

_API = re.compile(r"(?:issuer-)?cognito-idp(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com|api\.aws)")
_DOMAIN = re.compile(r"(?P<prefix>[a-z0-9-]+)\.auth(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazoncognito\.com")
_STS = re.compile(r"sts(?:\.(?P<region>[a-z0-9-]+))?\.amazonaws\.com")


class Routed(msgspec.Struct, frozen=True):
    """Where a request is meant to go: a region's API and issuers, or, with ``prefix``, one pool's domain."""

    region: str
    prefix: str = ""


def routed(host: str) -> Routed | None:
    """What a host name of the cloud means; None for any other host."""
    name = host.partition(":")[0].lower()
    if found := _API.fullmatch(name):
        return Routed(found["region"])
    if found := _DOMAIN.fullmatch(name):
        return Routed(found["region"], found["prefix"])
    if found := _STS.fullmatch(name):
        return Routed(found["region"] or "us-east-1")
    return None
