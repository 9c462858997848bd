"""Which of the datagrams that the host delivers a socket may have.

Part played:     the receive path of tcpip.sys, as far as it differs from the host's.
Lives here:      the rules, and the options they come from.
Lives elsewhere: dropping what a socket may not have (datagram), groups (membership), the options' rows (options).
Loopback:        IP_MULTICAST_LOOP and IPV6_MULTICAST_LOOP act on the receiving socket: with it off, nothing sent to a
                 group from this machine arrives. Hosts have the option on the sending side, where it stays on.
Cost:            a socket with none of these options set is never looked at.
Sources:         ip-multicast-2, ipproto-ip-socket-options (IP_MULTICAST_LOOP, IP_RECEIVE_BROADCAST, IP_IFLIST),
                 so-reuse-multicastport; R5.37, A67 of the project's reference.
"""

from __future__ import annotations

import time
from typing import Any, Final

import attrs

from ...defs.constants import (
    AF_INET6,
    IP_GET_IFLIST,
    IP_IFLIST,
    IP_MULTICAST_LOOP,
    IP_RECEIVE_BROADCAST,
    IPPROTO_IP,
    IPPROTO_IPV6,
    MSG_BCAST,
    MSG_MCAST,
    SO_REUSE_MULTICASTPORT,
)
from .datagram import Ancillary, DatagramSocket
from .hostsocket import HostSocket
from .interfaces import HostNetwork
from .messages import Arrival, ask_for_destinations
from .translate import windows_address

_MAPPED: Final = bytes(10) + b"\xff\xff"
_LOOPBACK: Final = bytes(15) + b"\1"

# New addresses are rare, and looking for them takes longer than receiving.
_FRESH_S: Final = 1.0


@attrs.define
class Screen:
    """What a socket does not take.

    Attributes:
        host_family: the host's family of the senders' addresses.
        no_loop: the levels at which nothing that was sent to a group from here arrives.
        only_groups: nothing arrives but what was sent to a group.
        no_broadcast: nothing arrives that was broadcast.
        interfaces: by level, the indexes of the interfaces that data may arrive through; no entry for any.
    """

    host_family: int
    no_loop: frozenset[int]
    only_groups: bool
    no_broadcast: bool
    interfaces: dict[int, frozenset[int]]
    _local: frozenset[bytes] = frozenset()
    _looked_at: float = -_FRESH_S

    def wants(self, ancillary: Ancillary, sender: Any) -> bool:
        """True for a datagram that the socket may have; what the host does not tell counts in its favour."""
        source = windows_address(sender, self.host_family).packed
        level = IPPROTO_IPV6
        if len(source) == 4 or source.startswith(_MAPPED):
            level, source = IPPROTO_IP, source[-4:]
        arrival = Arrival.of(ancillary, level)
        if arrival.destination is None:
            return True
        addressed = arrival.flags()
        if addressed & MSG_MCAST:
            if level in self.no_loop and self._is_ours(source):
                return False
        elif self.only_groups or (self.no_broadcast and addressed & MSG_BCAST):
            return False
        listed = self.interfaces.get(level)
        return listed is None or not arrival.interface or arrival.interface in listed

    def _is_ours(self, address: bytes) -> bool:
        """True for an address of this machine."""
        if address == _LOOPBACK or (len(address) == 4 and address[0] == 127):
            return True
        now = time.monotonic()
        if now - self._looked_at >= _FRESH_S:
            self._local = frozenset(row.address.packed for row in HostNetwork().interfaces())
            self._looked_at = now
        return address in self._local


def screen(endpoint: HostSocket) -> None:
    """Have a socket's options decide from now on what it receives; to be called when one of them has changed."""
    if not isinstance(endpoint, DatagramSocket):
        return
    settings = endpoint.settings
    levels = (IPPROTO_IP, IPPROTO_IPV6) if endpoint.family == AF_INET6 else (IPPROTO_IP,)
    # IPv6 has the same numbers for its options.
    made = Screen(
        host_family=endpoint.host_family,
        no_loop=frozenset(level for level in levels if not settings.get((level, IP_MULTICAST_LOOP), 1)),
        only_groups=bool(settings.get(SO_REUSE_MULTICASTPORT)),
        no_broadcast=not settings.get((IPPROTO_IP, IP_RECEIVE_BROADCAST), 1),
        interfaces={
            level: frozenset(settings[level, IP_GET_IFLIST]) for level in levels if settings.get((level, IP_IFLIST))
        },
    )
    needed = bool(made.no_loop or made.only_groups or made.no_broadcast or made.interfaces)
    if needed:
        ask_for_destinations(endpoint)
    endpoint.restrict(made if needed else None)
