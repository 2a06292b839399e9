"""The proxies before this server, and what is believed of them: who calls, and with which certificate.

Anybody can send these headers. They count when the connection comes from a proxy that the settings name, which has to
set them anew on every request; from anybody else they are not even seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.values import Value

FORWARDED_FOR = "x-forwarded-for"


class Proxies(Value, frozen=True, gc=False):
    """``networks`` whose word is believed; ``certificate_header`` in lower case, "" where none is used."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    certificate_header: str = ""

    def believes(self, address: str) -> bool:
        """Whether a connection from this address is one of our proxies'."""
        if not self.networks:
            return False
        try:
            found = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None) or found
        return any(mapped in network for network in self.networks)

    def caller(self, peer: str, headers: Mapping[str, str]) -> str:
        """Whose request it is: the last address in X-Forwarded-For that is no proxy's, else the peer itself."""
        caller = peer
        if FORWARDED_FOR not in headers:
            return caller
        for hop in reversed(headers[FORWARDED_FOR].split(",")):
            if not self.believes(caller) or not hop.strip():
                return caller
            caller = hop.strip()
        return caller

    def certificate(self, peer: str, headers: Mapping[str, str], own: str = "") -> str:
        """The caller's certificate as the proxy spells it; "" where there is none to believe in.

        ``own`` is the one that the connection was made with: the caller's, unless a proxy made it.
        """
        if not self.believes(peer):
            return own
        return headers.get(self.certificate_header, "") if self.certificate_header else ""

    def seen(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The headers that endpoints get to see: none of those that only a proxy may set."""
        if FORWARDED_FOR not in headers and self.certificate_header not in headers:
            return headers
        hidden = (self.certificate_header, FORWARDED_FOR)
        return {name: value for name, value in headers.items() if name not in hidden}


NO_PROXIES = Proxies()


def proxies(trusted: Sequence[str], certificate_header: str) -> Proxies:
    """The proxies that the settings name. Raises ``UsageError``."""
    header = certificate_header.lower()
    if header and not _TOKEN.fullmatch(header):
        raise UsageError(f"client_certificate_header {certificate_header!r} is no name of a header")
    if header and not trusted:
        raise UsageError("client_certificate_header needs trusted_proxies: anybody else could send that header")
    return Proxies(tuple(_network(one) for one in trusted), header)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise UsageError(f"trusted_proxies: {error}; write an address such as 10.0.0.7, or a network") from None


_TOKEN = re.compile(r"[a-z0-9!#$%&'*+.^`|~-]+")
