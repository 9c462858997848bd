"""Which of several destinations is the best one: SIO_ADDRESS_LIST_SORT.

Part played:     the destination address selection of tcpip.sys.
Lives here:      the default policy table and the rules, for IPv6 addresses and IPv4 addresses mapped into them.
Lives elsewhere: the local address for a destination (interfaces), the record (defs/addresslist).
Left out:        rules 4 and 7 (home addresses, tunnels), of which a host tells nothing.
Sources:         using-sio-address-list-sort; RFC 6724, which replaces the RFC 3484 that the page names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from ...defs.constants import AF_INET, AF_INET6
from ...defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ...errors import WinsockError
from .interfaces import InterfaceAddress

_MAPPED: Final = bytes(10) + b"\xff\xff"

# RFC 6724, section 2.1: prefix, its length in bits, precedence, label.
_POLICIES: Final = (
    (bytes(15) + b"\1", 128, 50, 0),
    (_MAPPED + bytes(4), 96, 35, 4),
    (bytes(16), 96, 1, 3),
    (b"\x20\x01" + bytes(14), 32, 5, 5),
    (b"\x20\x02" + bytes(14), 16, 30, 2),
    (b"\x3f\xfe" + bytes(14), 16, 1, 12),
    (b"\xfe\xc0" + bytes(14), 10, 1, 11),
    (b"\xfc" + bytes(15), 7, 3, 13),
)
_OTHERS: Final = (40, 1)

_LINK_LOCAL, _SITE_LOCAL, _GLOBAL = 0x2, 0x5, 0xE  # scopes, numbered as in multicast addresses


def common_bits(one: bytes, other: bytes) -> int:
    """How many leading bits two addresses share."""
    difference = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return 8 * len(one) - difference.bit_length()


def _policy(packed: bytes) -> tuple[int, int]:
    """(precedence, label) of an address."""
    for prefix, bits, precedence, label in _POLICIES:
        if common_bits(packed, prefix) >= bits:
            return precedence, label
    return _OTHERS


def _scope(packed: bytes) -> int:
    if packed[:12] == _MAPPED:
        local = packed[12] == 127 or packed[12:14] == b"\xa9\xfe"
        return _LINK_LOCAL if local else _GLOBAL
    if packed[0] == 0xFF:
        return packed[1] & 0xF
    if (packed[0] == 0xFE and packed[1] & 0xC0 == 0x80) or packed == bytes(15) + b"\1":
        return _LINK_LOCAL
    return _SITE_LOCAL if packed[0] == 0xFE and packed[1] & 0xC0 == 0xC0 else _GLOBAL


def _with_scope(address: SockAddr, scope_id: int) -> SockAddr:
    return sockaddr_in6(address.packed, address.port, address.flowinfo, scope_id)


def _without_mapping(address: SockAddr) -> SockAddr:
    """The IPv4 address in a mapped one; any other as it is."""
    packed = address.packed
    return sockaddr_in(packed[12:], address.port) if packed[:12] == _MAPPED else address


def _mapped(address: SockAddr) -> bytes:
    """The 16 bytes of an address, IPv4 ones mapped."""
    return _MAPPED + address.packed if address.family == AF_INET else address.packed


def _rank(destination: SockAddr, source: SockAddr | None, usable: bool) -> tuple[int, ...]:
    """What decides between destinations, in the order of the rules; smaller is better."""
    there = destination.packed
    precedence, label = _policy(there)
    scope = _scope(there)
    if source is None:
        return True, True, True, True, -precedence, scope, 0
    here = _mapped(source)
    same_kind = (there[:12] == _MAPPED) == (here[:12] == _MAPPED)
    return (
        False,  # rule 1: can be reached
        scope != _scope(here),  # rule 2
        not usable,  # rule 3
        label != _policy(here)[1],  # rule 5
        -precedence,  # rule 6
        scope,  # rule 8
        -common_bits(there, here) if same_kind and there[:12] != _MAPPED else 0,  # rule 9, for IPv6
    )


def best_first(
    destinations: Iterable[SockAddr],
    source_for: Callable[[SockAddr], SockAddr],
    interfaces: Sequence[InterfaceAddress],
) -> list[SockAddr]:
    """The destinations that can be one, the best one first; equals keep their order (rule 10).

    A link-local destination without a scope gets that of the interface it is reached through. What is no address of a
    destination is left out: the unspecified address, and site-local ones, whose scope nobody can tell.

    Args:
        destinations: AF_INET6 addresses, IPv4 ones mapped.
        source_for: the local address for a destination; raises `WinsockError` when there is no way to it.
        interfaces: the host's addresses, for their states.
    """
    not_preferred = {row.address.packed for row in interfaces if not row.preferred}
    links = [row for row in interfaces if row.address.family == AF_INET6 and row.address.scope_id]
    ranked = []
    for given in destinations:
        destination = given
        scope = _scope(destination.packed)
        if not any(destination.packed) or (scope == _SITE_LOCAL and not destination.scope_id):
            continue
        if scope == _LINK_LOCAL and destination.packed[0] == 0xFE and not destination.scope_id and links:
            destination = _with_scope(destination, links[0].address.scope_id)
        source: SockAddr | None
        try:
            source = source_for(_without_mapping(destination))
        except WinsockError:
            source = None
        usable = source is not None and source.packed not in not_preferred
        ranked.append((_rank(destination, source, usable), destination))
    ranked.sort(key=lambda pair: pair[0])
    return [destination for _, destination in ranked]
