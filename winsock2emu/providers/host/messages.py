"""WSASendMsg and WSARecvMsg: a datagram with what there is beside its data.

Part played:     the control data of AFD's send and receive requests, and the two extension functions of mswsock.
Lives here:      control data, Windows' on the one side and the host's on the other; the options that switch it on; the
                 flags that tell how a datagram came.
Lives elsewhere: layout (defs/controldata), waiting, truncation and reports from the network (datagram).
Order:           what is received stands in the order of the table below. No page and no observation fixes one.
Short room:      an object that does not fit is left out with all that follow; the call fails with WSAEMSGSIZE although
                 the datagram itself may be whole, and MSG_CTRUNC says why.
Broadcast:       the host tells where a datagram was sent to and which local address that means; they differ for a
                 broadcast. It does so once it has been told to, so of datagrams that came before the first WSARecvMsg
                 only those to 255.255.255.255 count as broadcasts.
Dual stack:      an IPv4 datagram has IPv4's objects, if IPv4's options are on, and none of IPv6's.
Interfaces:      IP_ORIGINAL_ARRIVAL_IF is the interface of arrival: the host does not tell through which one a tunnel's
                 packet came before.
Sources:         nc-mswsock-lpfn_wsarecvmsg, nf-winsock2-wsasendmsg, ns-ws2def-wsamsg, ip-pktinfo, ipv6-pktinfo,
                 ipproto-ip-socket-options, ipproto-ipv6-socket-options; R7.19-R7.21, B19, B24 of the project's
                 reference.
"""

from __future__ import annotations

import _socket
import errno
import struct
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import attrs

from ...defs.codes import WSAEADDRNOTAVAIL, WSAEINVAL, WSAEMSGSIZE, WSAEOPNOTSUPP
from ...defs.constants import (
    AF_INET6,
    IP_ECN,
    IP_HOPLIMIT,
    IP_ORIGINAL_ARRIVAL_IF,
    IP_PKTINFO,
    IP_PKTINFO_EX,
    IP_RECVDSTADDR,
    IP_RECVIF,
    IP_RECVTOS,
    IP_RECVTTL,
    IP_TOS,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ECN,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    IPV6_PKTINFO_EX,
    IPV6_RECVDSTADDR,
    IPV6_RECVIF,
    IPV6_RECVTCLASS,
    IPV6_TCLASS,
    IPV6_V6ONLY,
    MSG_BCAST,
    MSG_CTRUNC,
    MSG_MCAST,
    MSG_OOB,
    MSG_PARTIAL,
    MSG_PEEK,
    MSG_TRUNC,
)
from ...defs.controldata import WSA_CMSG_LEN, ControlMessage, control_data, control_messages
from ...defs.records import ReceivedMessage
from ...errors import WinsockError
from .datagram import Ancillary, DatagramSocket
from .hostsocket import HostSocket
from .translate import HOST_INET, HOST_INET6, HOST_TRUNC, windows_address

_SOCK_DGRAM: Final = int(_socket.SOCK_DGRAM)
_BAD_SOURCE: Final = (errno.EINVAL, errno.ENODEV, errno.ENXIO, errno.ENETUNREACH, errno.EADDRNOTAVAIL)

_ECN_BITS: Final = 0x03
_LIMITED_BROADCAST: Final = b"\xff\xff\xff\xff"
_MAPPED: Final = bytes(10) + b"\xff\xff"
_ROOM: Final = 512  # bytes; all that the host has to tell of a datagram


@attrs.frozen
class HostNumbers:
    """The host's names for one version of IP: the option that switches an object on, and the object's type."""

    level: int
    packet: tuple[int, int]
    hops: tuple[int, int]
    class_: tuple[int, int]


# netinet/in.h and netinet6/in6.h; the socket module has few of these on our Pythons. Numbers that a host lacks make
# setting the option fail, and are never seen.
_NUMBERS: Final[dict[int, HostNumbers]] = (
    {
        IPPROTO_IP: HostNumbers(0, (26, 26), (24, 24), (27, 27)),
        IPPROTO_IPV6: HostNumbers(41, (61, 46), (37, 47), (35, 36)),
    }
    if sys.platform == "darwin"
    else {
        IPPROTO_IP: HostNumbers(0, (8, 8), (12, 2), (13, 1)),
        IPPROTO_IPV6: HostNumbers(41, (49, 50), (51, 52), (66, 67)),
    }
)


@attrs.define
class Arrival:
    """What the host tells of a datagram: numbers are None where it does not.

    Attributes:
        level: IPPROTO_IP or IPPROTO_IPV6, the version the datagram came with.
        destination: the address it was sent to.
        local: the address of this machine that it was meant for, all zeros if unknown.
        interface: the index of the interface it came through, 0 if unknown.
    """

    level: int
    destination: bytes | None = None
    local: bytes | None = None
    interface: int = 0
    hops: int | None = None
    class_: int | None = None

    @classmethod
    def of(cls, ancillary: Ancillary, level: int) -> Arrival:
        """Read the host's ancillary data of a datagram that came with this version of IP."""
        arrival = cls(level)
        numbers = _NUMBERS[level]
        for host_level, kind, data in ancillary:
            if host_level != numbers.level:
                continue
            if kind == numbers.packet[1] and level == IPPROTO_IP and len(data) >= 12:
                arrival.interface, arrival.local, arrival.destination = struct.unpack("=I4s4s", data[:12])
            elif kind == numbers.packet[1] and level == IPPROTO_IPV6 and len(data) >= 20:
                arrival.destination, arrival.interface = struct.unpack("=16sI", data[:20])
            elif kind == numbers.hops[1]:
                arrival.hops = int.from_bytes(data, sys.byteorder)  # an int, or a byte
            elif kind == numbers.class_[1]:
                arrival.class_ = int.from_bytes(data, sys.byteorder)
        return arrival

    def flags(self) -> int:
        """MSG_BCAST or MSG_MCAST, for how it was addressed."""
        where, local = self.destination, self.local
        if where is None:
            return 0
        if self.level == IPPROTO_IPV6:
            return MSG_MCAST if where[0] == 0xFF else 0
        if where[0] & 0xF0 == 0xE0:
            return MSG_MCAST
        if where == _LIMITED_BROADCAST or (local not in (None, where) and any(local or b"")):
            return MSG_BCAST
        return 0

    def packet(self) -> bytes | None:
        """As IN_PKTINFO or IN6_PKTINFO."""
        return None if self.destination is None else self.destination + self.interface.to_bytes(4, "little")

    def packet_ex(self) -> bytes | None:
        """As IN_PKTINFO_EX or IN6_PKTINFO_EX: with a scope id, which is the interface for link-local addresses."""
        packet = self.packet()
        if packet is None:
            return None
        local = self.level == IPPROTO_IPV6 and packet[0] == 0xFE and packet[1] & 0xC0 == 0x80
        return packet + (self.interface if local else 0).to_bytes(4, "little")

    def arrival_interface(self) -> bytes | None:
        """The interface's index, a ULONG."""
        return self.interface.to_bytes(4, "little") if self.interface else None


def _number(value: int | None) -> bytes | None:
    return None if value is None else value.to_bytes(4, "little")


@attrs.frozen
class Object:
    """One kind of control data.

    Attributes:
        option: the option that switches it on.
        type: its cmsg_type.
        data: its bytes, None where the host has not told.
        host: which of the host's options it is made from.
    """

    option: int
    type: int
    data: Callable[[Arrival], bytes | None]
    host: Callable[[HostNumbers], tuple[int, int]]


def _packet(numbers: HostNumbers) -> tuple[int, int]:
    return numbers.packet


def _hops(numbers: HostNumbers) -> tuple[int, int]:
    return numbers.hops


def _class(numbers: HostNumbers) -> tuple[int, int]:
    return numbers.class_


def _ecn(arrival: Arrival) -> bytes | None:
    return _number(None if arrival.class_ is None else arrival.class_ & _ECN_BITS)


# Contested: up to Windows 10 1607 the types of the second and the third were IP_HOPLIMIT and IP_TCLASS.
OBJECTS: Final[dict[int, tuple[Object, ...]]] = {
    IPPROTO_IP: (
        Object(IP_PKTINFO, IP_PKTINFO, Arrival.packet, _packet),
        Object(IP_RECVTTL, IP_TTL, lambda arrival: _number(arrival.hops), _hops),
        Object(IP_RECVTOS, IP_TOS, lambda arrival: _number(arrival.class_), _class),
        Object(IP_ECN, IP_ECN, _ecn, _class),
        Object(IP_PKTINFO_EX, IP_PKTINFO_EX, Arrival.packet_ex, _packet),
        Object(IP_ORIGINAL_ARRIVAL_IF, IP_ORIGINAL_ARRIVAL_IF, Arrival.arrival_interface, _packet),
        Object(IP_RECVIF, IP_RECVIF, Arrival.arrival_interface, _packet),
        Object(IP_RECVDSTADDR, IP_RECVDSTADDR, lambda arrival: arrival.destination, _packet),
    ),
    IPPROTO_IPV6: (
        Object(IPV6_PKTINFO, IPV6_PKTINFO, Arrival.packet, _packet),
        Object(IPV6_HOPLIMIT, IPV6_HOPLIMIT, lambda arrival: _number(arrival.hops), _hops),
        Object(IPV6_RECVTCLASS, IPV6_TCLASS, lambda arrival: _number(arrival.class_), _class),
        Object(IPV6_ECN, IPV6_ECN, _ecn, _class),
        Object(IPV6_PKTINFO_EX, IPV6_PKTINFO_EX, Arrival.packet_ex, _packet),
        Object(IP_ORIGINAL_ARRIVAL_IF, IP_ORIGINAL_ARRIVAL_IF, Arrival.arrival_interface, _packet),
        Object(IPV6_RECVIF, IPV6_RECVIF, Arrival.arrival_interface, _packet),
        Object(IPV6_RECVDSTADDR, IPV6_RECVDSTADDR, lambda arrival: arrival.destination, _packet),
    ),
}
"""What can be received, by level. The options are BOOLs; their rows are in `options`."""


def switch(endpoint: HostSocket, level: int, option: int, on: bool) -> None:
    """Have the host tell what an option is about. It is not told to stop: what is not asked for is not passed on."""
    if on:
        about = next(one for one in OBJECTS[level] if one.option == option)
        numbers = _NUMBERS[level]
        endpoint.set_on_host(numbers.level, about.host(numbers)[0], 1)


# Receiving


def receive_message(
    endpoint: HostSocket,
    buffers: Any,
    control_room: int,
    room: int | None,
    flags: int,
    operation: Any,
    arrived: Callable[[Arrival], None] | None = None,
) -> Any:
    """WSARecvMsg: one datagram, its sender, its control data, and flags.

    Args:
        endpoint: the socket.
        buffers: writable, filled in order.
        control_room: bytes the caller has for control data.
        room: bytes the caller has for the sender; None for enough.
        flags: MSG_PEEK.
        operation: the overlapped request, None for a synchronous call.
        arrived: gets all that the host has told of the datagram.

    Raises:
        WinsockError: WSAEOPNOTSUPP, a stream, MSG_PARTIAL or MSG_OOB; WSAEINVAL, any other flag; WSAEMSGSIZE, with
            `received`: the datagram or its control data was cut; and as for WSPRecvFrom.
    """
    if not isinstance(endpoint, DatagramSocket):
        raise WinsockError(WSAEOPNOTSUPP)
    if flags & ~(MSG_PEEK | MSG_PARTIAL | MSG_OOB):
        raise WinsockError(WSAEINVAL)
    endpoint.check_room(room)
    ask_for_destinations(endpoint)

    def finish(moved: int, ancillary: Ancillary, got: int, sender: Any) -> ReceivedMessage:
        return _received(endpoint, moved, ancillary, got, sender, control_room, arrived)

    return endpoint.inbound.run(
        endpoint.checked_receive(buffers, flags, _ROOM, finish, overlapped=operation is not None), operation
    )


def ask_for_destinations(endpoint: DatagramSocket) -> None:
    """Have the host tell where datagrams were sent to, which two of the flags are about."""
    for level in (IPPROTO_IPV6, IPPROTO_IP) if endpoint.family == AF_INET6 else (IPPROTO_IP,):
        numbers = _NUMBERS[level]
        if (numbers.level, numbers.packet[0]) in (endpoint.host_options or ()):
            continue
        if level == IPPROTO_IP and endpoint.family == AF_INET6 and endpoint.settings.get(IPV6_V6ONLY, 1):
            continue
        endpoint.set_on_host(numbers.level, numbers.packet[0], 1)


def _received(
    endpoint: DatagramSocket,
    moved: int,
    ancillary: Ancillary,
    got: int,
    sender: Any,
    control_room: int,
    arrived: Callable[[Arrival], None] | None,
) -> ReceivedMessage:
    """The message that the host has delivered; WSAEMSGSIZE when a part of it did not fit."""
    address = windows_address(sender, endpoint.host_family)
    level = IPPROTO_IP
    if endpoint.family == AF_INET6 and address.packed[:12] != _MAPPED:
        level = IPPROTO_IPV6
    arrival = Arrival.of(ancillary, level)
    if arrived is not None:
        arrived(arrival)
    flags = arrival.flags()
    control = b""
    for one in OBJECTS[level]:
        data = one.data(arrival) if endpoint.settings.get((level, one.option)) else None
        if data is None:
            continue
        if len(control) + WSA_CMSG_LEN(len(data)) > control_room:
            flags |= MSG_CTRUNC
            break
        # The fill after the last object need not have a place.
        control = (control + control_data((ControlMessage(level, one.type, data),)))[:control_room]
    if got & HOST_TRUNC:
        flags |= MSG_TRUNC
    received = ReceivedMessage(moved=moved, address=address, control=control, flags=flags)
    if flags & (MSG_TRUNC | MSG_CTRUNC):
        failure = WinsockError(WSAEMSGSIZE, moved=moved, address=address)
        failure.received = received
        raise failure
    return received


# Sending


def send_message(
    endpoint: HostSocket, buffers: Any, flags: int, to: bytes | None, control: bytes, operation: Any
) -> Any:
    """WSASendMsg: one datagram with control data, to an address or the default peer.

    Raises:
        WinsockError: WSAEINVAL, a stream, or control data that is malformed or of an unknown kind; WSAEADDRNOTAVAIL, a
            source address that is not this machine's; and as for WSPSendTo.
    """
    if not isinstance(endpoint, DatagramSocket):
        raise WinsockError(WSAEINVAL)
    ancillary: Ancillary = ()

    def prepare() -> Ancillary:
        nonlocal ancillary
        ancillary = _to_host(control)
        return ancillary

    try:
        return endpoint.send_checked(buffers, flags, to, operation, prepare)
    except WinsockError as failure:
        cause = failure.__cause__
        # Hosts have the same codes for other things. What there is has been checked up to this.
        if isinstance(cause, OSError) and cause.errno in _BAD_SOURCE and not all(map(_is_ours, ancillary)):
            raise WinsockError(WSAEADDRNOTAVAIL) from cause
        raise


def _is_ours(beside: tuple[int, int, bytes]) -> bool:
    """False for a source address that is not this machine's, or an interface that is not there."""
    level, kind, data = beside
    for version, numbers in _NUMBERS.items():
        if (level, kind) == (numbers.level, numbers.packet[1]):
            if version == IPPROTO_IP:
                interface, address, _ = struct.unpack("=I4s4s", data)
                family = HOST_INET
            else:
                address, interface = struct.unpack("=16sI", data)
                family = HOST_INET6
            name = (_socket.inet_ntop(family, address), 0)
            with closing(_socket.socket(family, _SOCK_DGRAM)) as test:
                try:
                    test.bind(name if version == IPPROTO_IP else (*name, 0, interface))
                    return not interface or interface in dict(_socket.if_nameindex())
                except OSError:
                    return False
    return True


def _to_host(control: bytes) -> Ancillary:
    """Control data in the host's form.

    Raises:
        WinsockError: WSAEINVAL, it is malformed, or of a kind that cannot be sent.
    """
    try:
        objects = control_messages(bytes(memoryview(control)))
    except ValueError as failure:
        raise WinsockError(WSAEINVAL) from failure
    ancillary: list[tuple[int, int, bytes]] = []
    classes: dict[int, int] = {}
    for one in objects:
        numbers = _NUMBERS.get(one.level)
        if numbers is None:
            raise WinsockError(WSAEINVAL)
        if one.type in _PACKETS[one.level]:
            ancillary.append((numbers.level, numbers.packet[1], _host_packet(one)))
        elif one.type in _HOPS[one.level]:
            ancillary.append((numbers.level, numbers.hops[1], _sent_number(one, 1, 255)))
        elif one.type in _CLASSES[one.level]:
            wanted = int.from_bytes(_sent_number(one, 0, 255), sys.byteorder)
            classes[one.level] = classes.get(one.level, 0) | wanted
        elif one.type == IP_ECN:
            wanted = int.from_bytes(_sent_number(one, 0, _ECN_BITS), sys.byteorder)
            classes[one.level] = classes.get(one.level, 0) & ~_ECN_BITS | wanted
        else:
            raise WinsockError(WSAEINVAL)
    for level, value in classes.items():
        ancillary.append((_NUMBERS[level].level, _NUMBERS[level].class_[1], struct.pack("=i", value)))
    return ancillary


_PACKETS: Final = {IPPROTO_IP: (IP_PKTINFO, IP_PKTINFO_EX), IPPROTO_IPV6: (IPV6_PKTINFO, IPV6_PKTINFO_EX)}
_HOPS: Final = {IPPROTO_IP: (IP_TTL, IP_HOPLIMIT), IPPROTO_IPV6: (IPV6_HOPLIMIT,)}
_CLASSES: Final = {IPPROTO_IP: (IP_TOS,), IPPROTO_IPV6: (IPV6_TCLASS,)}


def _host_packet(one: ControlMessage) -> bytes:
    """The source address and interface to send with."""
    if one.level == IPPROTO_IP:
        if len(one.data) < 8:
            raise WinsockError(WSAEINVAL)
        address, interface = struct.unpack("<4sI", one.data[:8])
        return struct.pack("=I4s4s", interface, address, bytes(4))
    if len(one.data) < 20:
        raise WinsockError(WSAEINVAL)
    address, interface = struct.unpack("<16sI", one.data[:20])
    return struct.pack("=16sI", address, interface)


def _sent_number(one: ControlMessage, least: int, most: int) -> bytes:
    """An INT within its limits, as the host takes it."""
    value = int.from_bytes(one.data[:4], "little", signed=True)
    if len(one.data) < 4 or not least <= value <= most:
        raise WinsockError(WSAEINVAL)
    return struct.pack("=i", value)
