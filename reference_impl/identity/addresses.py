"""The client's address: the peer, or what trusted proxies say about it; and as whom limits count it."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_impl.settings.reader import Network

_HOST_BITS = 64


@lru_cache(4096)
def trusted(address: str, proxies: tuple[Network, ...]) -> bool:
    """Say whether an address is one of the proxies'."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in proxies)


@lru_cache(4096)
def plain(address: str) -> str:
    """Return an address in its shortest form: one of IPv4 that a socket of both kinds shows as IPv6, as IPv4."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


@lru_cache(4096)
def counted(address: str) -> str:
    """Return as whom limits count an address: one of IPv6 as its /64, all of which is one client's (RFC 6177)."""
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return str(ipaddress.IPv6Network((int(parsed) >> _HOST_BITS << _HOST_BITS, _HOST_BITS)))


def client_address(peer: str, forwarded_for: str | None, proxies: tuple[Network, ...]) -> str:
    """Return the nearest address that is no trusted proxy; X-Forwarded-For counts only from trusted ones."""
    if not forwarded_for or not proxies or not trusted(peer, proxies):
        return peer
    address = peer
    for part in reversed(forwarded_for.split(",")):
        candidate = part.strip()
        try:
            ipaddress.ip_address(candidate)
        except ValueError:
            return address
        address = plain(candidate)
        if not trusted(address, proxies):
            return address
    return address
