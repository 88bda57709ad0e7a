"""Which addresses customers may make us call: the public ones, and the networks that the settings allow."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from chappe.host.errors import TargetRefused

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# IANA special-purpose address registries (RFC 6890 and what was registered since), multicast, class E.
# Written out because `is_global` of the standard library changes between patch releases of Python.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# RFC 4291, section 2.4: only 2000::/3 is handed out for global unicast; these are its exceptions.
_GLOBAL_UNICAST_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052, section 2.1

_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


def carried(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, NAT64 or 6to4."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def is_permitted(address: Address, allow: Sequence[Network] = ()) -> bool:
    """Whether a connection may be opened: the address is public, or lies in an allowed network.

    An IPv6 address that stands for an IPv4 address is as good as that one. Teredo is never public.
    """
    if any(address in network for network in allow if network.version == address.version):
        return True
    if embedded := carried(address):
        return is_permitted(embedded, allow)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return address in _GLOBAL_UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


def read_address(host: str) -> Address | None:
    """The address that a URL's host spells, None for a name.

    IPv4 is read as browsers and inet_aton do (URL standard, section 3.5): one to four parts in decimal,
    octal or hexadecimal, the last one filling the rest. Raises ValueError for a host that ends like an
    address and is none (`1.2.3.4.5`, `127.0.0.256`, `example.0x7f`).
    """
    if ":" in host:
        if "%" in host:
            raise ValueError("an IPv6 zone is not possible in a URL of a customer")
        return IPv6Address(host)
    parts = host.removesuffix(".").split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        raise ValueError(f"{host} is neither an address nor a name")
    numbers = [_read_part(part) for part in parts]
    room = 256 ** (5 - len(parts))
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= room:
        raise ValueError(f"a part of {host} is too large")
    head = sum(number << (24 - 8 * place) for place, number in enumerate(numbers[:-1]))
    return IPv4Address(head + numbers[-1])


def _read_part(part: str) -> int:
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    if len(part) > 1 and part.startswith("0"):
        return int(part, 8)
    return int(part)


def check(host: str, address: str, allow: Sequence[Network] = ()) -> None:
    """Raise TargetRefused unless `address`, to which `host` leads, may be called."""
    if not is_permitted(ip_address(address), allow):
        leads = "" if host == address else f", the address of {host},"
        raise TargetRefused(
            f"{address}{leads} is not a public address. If it may be called, add its network to the "
            f'setting [outgoing] allow, for example allow = ["{ip_network(address.partition("%")[0])}"]'
        )
