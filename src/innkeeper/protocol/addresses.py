"""Which network addresses a stranger's URL may lead to: public ones, none of special use (RFC 6890)."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address

_SPECIAL_4 = {
    "0.0.0.0/8": "this very network",
    "10.0.0.0/8": "a private network",
    "100.64.0.0/10": "a carrier's shared addresses",
    "127.0.0.0/8": "this very computer",
    "168.63.129.16/32": "a cloud's own services",
    "169.254.0.0/16": "the local link, where clouds keep their metadata",
    "172.16.0.0/12": "a private network",
    "192.0.0.0/24": "protocol assignments",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "an anycast sink",
    "192.52.193.0/24": "multicast tunnels",
    "192.88.99.0/24": "relays from IPv6",
    "192.168.0.0/16": "a private network",
    "192.175.48.0/24": "an anycast sink",
    "198.18.0.0/15": "benchmarks",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved addresses and broadcast",
}
_SPECIAL_6 = {
    "2001::/23": "protocol assignments and tunnels",
    "2001:db8::/32": "documentation",
    "2002::/16": "a tunnel that hides an IPv4 address",
    "2620:4f:8000::/48": "an anycast sink",
    "3fff::/20": "documentation",
}
_NETWORKS_4 = tuple((ipaddress.IPv4Network(network), what) for network, what in _SPECIAL_4.items())
_NETWORKS_6 = tuple((ipaddress.IPv6Network(network), what) for network, what in _SPECIAL_6.items())
_LOOPBACK_4 = ipaddress.IPv4Network("127.0.0.0/8")
_LOOPBACK_6 = ipaddress.IPv6Address("::1")
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
"""All that is handed out for the public Internet. What embeds an IPv4 address (``::ffff:0:0/96`` mapped,
``64:ff9b::/96`` translated) lies outside, and so do loopback, link-local, unique local and multicast addresses."""


def why_not_public(address: str) -> str | None:
    """None where ``address`` is on the public Internet, else what it is instead, in words."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "no network address"
    if isinstance(known, IPv4Address):
        return next((what for network, what in _NETWORKS_4 if known in network), None)
    return _why_not_public_6(known)


def is_loopback_address(address: str) -> bool:
    """Whether an address is this very computer, written plainly: an IPv4 address inside IPv6 is not."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return False
    return known in _LOOPBACK_4 if isinstance(known, IPv4Address) else known == _LOOPBACK_6


def _why_not_public_6(address: IPv6Address) -> str | None:
    if address.ipv4_mapped is not None:
        return "an IPv4 address in disguise"
    if address not in _GLOBAL_6:
        return "outside the public Internet"
    return next((what for network, what in _NETWORKS_6 if address in network), None)
