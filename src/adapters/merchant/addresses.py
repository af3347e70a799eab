"""Which addresses of the internet protocol belong to everybody, and so may be sent to unasked."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

# Addresses that stand for an IPv4 address behind a translator (RFC 6052) or a relay (RFC 3056).
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
_RELAYED: Final = IPv6Network("2002::/16")
# Of the registry of special addresses what not every Python that we run on knows.
_SPECIAL: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv6Network("3fff::/20"))


def is_public(address: str) -> bool:
    """Whether an address as a socket takes it is one of the public internet; false for what is none.

    Private, loopback, link-local (where clouds keep their credentials), shared, reserved and multicast ones
    are not, in whatever form IPv6 writes an IPv4 address.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.scope_id is not None or found.is_site_local:
            return False
        found = _within(found) or found
    if any(found.version == network.version and found in network for network in _SPECIAL):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def _within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is meant by an IPv6 one."""
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _RELAYED:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return address.ipv4_mapped
