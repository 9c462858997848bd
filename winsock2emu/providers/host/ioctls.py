"""Control codes: one row each, with the sockets and the buffers it is for.

Part played:     the WSPIoctl switch of msafd.
Lives here:      the table, the checks that all codes share (code, kind of socket, buffers, in this order), and the
                 codes that are a line or two.
Lives elsewhere: addresses, interfaces and routes (addressing), source filters of groups (filters), statistics
                 (tcpinfo), extension functions (extensions), waits for a change (changes).
Unknown codes:   WSAEOPNOTSUPP, as from Windows' own stack (the page says WSAEINVAL), and no output. This is also the
                 answer to what no host has: the filtering platform, port reservations, transport settings, time stamps,
                 initial retransmission times, Bluetooth, ATM, IPsec.
Discarding:      SIO_FLUSH is unknown to Windows' own stack and so to this one.
Ideal backlog:   the constant that Windows starts a connection with, so a wait for its change only ends with the sending
                 direction.
Sources:         winsock-ioctls, nf-winsock2-wsaioctl and the pages of the single codes; R5.32-R5.34, R9.1-R9.37,
                 R13.12, R13.14 and the behaviours of area "ioctl" of the project's reference.
"""

from __future__ import annotations

import _socket
import os
import struct
import sys
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import attrs

from ...defs.codes import (
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
)
from ...defs.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    FIONBIO,
    FIONREAD,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_LOOP,
    RCVALL_MAX,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ADDRESS_LIST_SORT,
    SIO_AF_UNIX_GETPEERPID,
    SIO_ASSOCIATE_HANDLE,
    SIO_BASE_HANDLE,
    SIO_BSP_HANDLE,
    SIO_BSP_HANDLE_POLL,
    SIO_BSP_HANDLE_SELECT,
    SIO_ENABLE_CIRCULAR_QUEUEING,
    SIO_FIND_ROUTE,
    SIO_GET_BROADCAST_ADDRESS,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SIO_GET_GROUP_QOS,
    SIO_GET_INTERFACE_LIST,
    SIO_GET_MULTICAST_FILTER,
    SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
    SIO_GET_QOS,
    SIO_IDEAL_SEND_BACKLOG_CHANGE,
    SIO_IDEAL_SEND_BACKLOG_QUERY,
    SIO_KEEPALIVE_VALS,
    SIO_LOOPBACK_FAST_PATH,
    SIO_MULTICAST_SCOPE,
    SIO_MULTIPOINT_LOOPBACK,
    SIO_QUERY_RSS_PROCESSOR_INFO,
    SIO_QUERY_RSS_SCALABILITY_INFO,
    SIO_RCVALL,
    SIO_RCVALL_IGMPMCAST,
    SIO_RCVALL_MCAST,
    SIO_ROUTING_INTERFACE_CHANGE,
    SIO_ROUTING_INTERFACE_QUERY,
    SIO_SET_GROUP_QOS,
    SIO_SET_MULTICAST_FILTER,
    SIO_SET_PRIORITY_HINT,
    SIO_SET_QOS,
    SIO_TCP_INFO,
    SIO_TRANSLATE_HANDLE,
    SIO_UDP_CONNRESET,
    SIO_UDP_NETRESET,
    SIOCATMARK,
    SIOCGMSFILTER,
    SIOCSMSFILTER,
    SO_KEEPALIVE,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    XP1_SUPPORT_MULTIPOINT,
)
from ...defs.registered import RIO_TABLE_SIZE
from ...engine.endpoint import Watcher
from ...errors import WinsockError
from ...kernel.operations import PENDING, Operation
from .addressing import (
    address_list,
    address_list_change,
    broadcast_address,
    interface_list,
    routing_interface,
    routing_interface_change,
    sorted_addresses,
)
from .changes import ChangeWaits, ConnectionNews
from .connection import CONNECTED
from .datagram import DatagramSocket
from .extensions import extension_function
from .filters import (
    GROUP_FILTER_SIZE,
    IP_FILTER_SIZE,
    get_group_filter,
    get_ip_filter,
    set_group_filter,
    set_ip_filter,
)
from .hostsocket import HostSocket
from .interfaces import HostNetwork
from .options import set_option
from .stream import StreamSocket
from .tcpinfo import tcp_info
from .unix import UnixSocket

if TYPE_CHECKING:
    from .provider import HostProvider

_IS_LINUX: Final = sys.platform == "linux"

IDEAL_BACKLOG: Final = 0x10000
"""Bytes, observed on a new connection."""

_BACKLOG: Final = "ideal send backlog"  # kind of wait

# A BOOL is four bytes; Windows' own stack takes the single byte that .NET programs pass as well.
_BOOL: Final = 1

_LONGEST_KEEPALIVE_S: Final = 32767  # Linux takes no more for either time
_MOST_HOPS: Final = 255

# linux/socket.h, linux/pkt_sched.h
_SO_PRIORITY, _SO_PEERCRED, _SO_INCOMING_CPU = 12, 17, 49
_PRIORITIES: Final = (1, 2, 0)  # very low, low, normal: filler, bulk, best effort
_LOCAL_PEERPID: Final = (0, 2)  # sys/un.h of macOS: level and option
_PROCESSORS_IN_GROUP: Final = 64


@attrs.frozen
class Request:
    """One call: the handle and its socket, the input buffer (None for none), the room for output, the provider.

    ``operation`` is None for a synchronous call.
    """

    handle: int
    endpoint: HostSocket
    data: bytes | None
    room: int
    provider: HostProvider
    operation: Operation | None = None

    @property
    def network(self) -> HostNetwork:
        """The host's network."""
        return self.provider.network

    @property
    def waits(self) -> ChangeWaits:
        """The requests that wait for a change."""
        return self.provider.waits

    def number(self) -> int:
        """The number in the input buffer, four bytes or what there is of them."""
        assert self.data is not None
        return int.from_bytes(self.data[:4], "little")


@attrs.frozen
class Code:
    """One control code."""

    carry_out: Callable[[Request], Any]
    applies: Callable[[HostSocket], bool] = lambda endpoint: True
    takes: int = 0  # least bytes in the input buffer
    gives: int = 0  # least room in the output buffer, in bytes
    elsewhere: int = WSAENOPROTOOPT  # the code on a socket it does not apply to
    short_in: int = WSAEFAULT
    short_out: int = WSAEFAULT
    overlapped: bool = True  # False: observed to be unknown to overlapped calls


# Kinds of sockets


def _tcp(endpoint: HostSocket) -> bool:
    return endpoint.socket_type == SOCK_STREAM and endpoint.family != AF_UNIX


def _stream(endpoint: HostSocket) -> bool:
    return endpoint.socket_type == SOCK_STREAM


def _udp(endpoint: HostSocket) -> bool:
    return endpoint.socket_type == SOCK_DGRAM


def _message_oriented(endpoint: HostSocket) -> bool:
    return isinstance(endpoint, DatagramSocket)


def _messages_ipv4(endpoint: HostSocket) -> bool:
    return isinstance(endpoint, DatagramSocket) and endpoint.family == AF_INET


def _raw(endpoint: HostSocket) -> bool:
    return endpoint.socket_type == SOCK_RAW


def _raw_ipv4(endpoint: HostSocket) -> bool:
    return endpoint.socket_type == SOCK_RAW and endpoint.family == AF_INET


def _ip(endpoint: HostSocket) -> bool:
    return endpoint.family != AF_UNIX


def _ipv4(endpoint: HostSocket) -> bool:
    return endpoint.family == AF_INET


def _ipv6(endpoint: HostSocket) -> bool:
    return endpoint.family == AF_INET6


def _unix(endpoint: HostSocket) -> bool:
    return isinstance(endpoint, UnixSocket)


def _multipoint(endpoint: HostSocket) -> bool:
    return bool(endpoint.info.service_flags1 & XP1_SUPPORT_MULTIPOINT)


# Unix codes


def _set_nonblocking(request: Request) -> bytes:
    endpoint, blocking = request.endpoint, not request.number()
    if blocking and endpoint.observer is not None and endpoint.observer.mask:
        raise WinsockError(WSAEINVAL)  # as long as network events are selected
    endpoint.blocking = blocking
    return b""


def _readable_bytes(request: Request) -> bytes:
    return struct.pack("<I", request.endpoint.readable_bytes())


def _at_mark(request: Request) -> bytes:
    return struct.pack("<I", request.endpoint.at_mark())


# Handles and functions


def _base_handle(request: Request) -> bytes:
    return struct.pack("<Q", request.handle)


def _extension_function(request: Request) -> Callable[..., Any]:
    assert request.data is not None
    return extension_function(request.provider, bytes(request.data[:16]))


def _extension_table(request: Request) -> Callable[..., Any]:
    assert request.data is not None
    code = SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER
    return extension_function(request.provider, bytes(request.data[:16]), code)


def _refused(code: int) -> Callable[[Request], bytes]:
    """For what Windows' own stack answers with an error of its own."""

    def refuse(request: Request) -> bytes:
        raise WinsockError(code)

    return refuse


# Connections


def _set_keepalive(request: Request) -> bytes:
    """SIO_KEEPALIVE_VALS: milliseconds, of which hosts take whole seconds; never less than was asked for."""
    assert request.data is not None
    on, *times_ms = struct.unpack("<III", request.data[:12])
    endpoint = request.endpoint
    set_option(endpoint, SOL_SOCKET, SO_KEEPALIVE, struct.pack("<I", on != 0))
    if on:  # otherwise the times are not looked at
        for option, time_ms in zip((TCP_KEEPIDLE, TCP_KEEPINTVL), times_ms, strict=True):
            seconds = min(max(-(-time_ms // 1000), 1), _LONGEST_KEEPALIVE_S)
            set_option(endpoint, IPPROTO_TCP, option, struct.pack("<I", seconds))
    return b""


def _set_fast_path(request: Request) -> bytes:
    """SIO_LOOPBACK_FAST_PATH: the host's loopback is the fast path, for every connection."""
    assert request.data is not None
    request.endpoint.settings[SIO_LOOPBACK_FAST_PATH] = any(request.data[:4])
    return b""


def _connected(endpoint: HostSocket) -> StreamSocket:
    assert isinstance(endpoint, StreamSocket)
    endpoint.settle()
    if endpoint.state != CONNECTED or endpoint.broken:
        raise WinsockError(WSAENOTCONN)
    return endpoint


def _ideal_backlog(request: Request) -> bytes:
    _connected(request.endpoint)
    return struct.pack("<I", IDEAL_BACKLOG)


def _ideal_backlog_change(request: Request) -> Any:
    """SIO_IDEAL_SEND_BACKLOG_CHANGE: waits in non-blocking mode, too; one request at a time."""
    endpoint = _connected(request.endpoint)
    if request.room:
        raise WinsockError(WSAEINVAL)

    def happened() -> bool:
        endpoint.notice_end()
        if endpoint.send_shut or endpoint.broken:
            raise WinsockError(WSAEINTR)
        return False

    happened()
    if request.waits.of(endpoint, _BACKLOG):
        raise WinsockError(WSAEINTR)
    wait = request.waits.begin(endpoint, request.handle, _BACKLOG, ConnectionNews(endpoint.fd), happened)
    watcher: Callable[[], Watcher | None] = weakref.ref(wait)
    endpoint.enter(watcher)  # the end of sending, which no host reports
    if request.operation is not None:
        return request.waits.pend(endpoint, wait, request.operation)
    try:
        wait.wait()
    finally:
        request.waits.end(endpoint, wait)
    return b""


def _set_priority(request: Request) -> bytes:
    hint = request.number()
    if hint >= len(_PRIORITIES):
        raise WinsockError(WSAEINVAL)
    if not _IS_LINUX:
        raise WinsockError(WSAEOPNOTSUPP)
    request.endpoint.set_on_host(int(_socket.SOL_SOCKET), _SO_PRIORITY, _PRIORITIES[hint])
    return b""


def _peer_process(request: Request) -> bytes:
    """SIO_AF_UNIX_GETPEERPID: the process that connected, or that had called listen."""
    endpoint = request.endpoint
    assert isinstance(endpoint, UnixSocket)
    endpoint.settle()
    if endpoint.state != CONNECTED:
        raise WinsockError(WSAENOTCONN)
    host = endpoint.host
    try:
        if _IS_LINUX:
            credentials = host.getsockopt(int(_socket.SOL_SOCKET), _SO_PEERCRED, 12)
            return struct.pack("<I", int.from_bytes(credentials[:4], sys.byteorder))
        if sys.platform == "darwin":
            return struct.pack("<I", host.getsockopt(*_LOCAL_PEERPID))
    except OSError as failure:
        raise endpoint.ended(failure) from failure
    raise WinsockError(WSAEOPNOTSUPP)


# Processors


def _processor(request: Request) -> bytes:
    """SIO_QUERY_RSS_PROCESSOR_INFO: the processor that has handled the last packet, and its node."""
    endpoint = request.endpoint
    if isinstance(endpoint, StreamSocket):
        _connected(endpoint)
    else:
        endpoint.peer_name(None)  # WSAENOTCONN
    try:
        number = endpoint.host.getsockopt(int(_socket.SOL_SOCKET), _SO_INCOMING_CPU) if _IS_LINUX else -1
    except OSError:
        number = -1
    if number < 0:
        raise WinsockError(WSAEOPNOTSUPP)
    group, within = divmod(number, _PROCESSORS_IN_GROUP)
    return struct.pack("<HBxHxx", group, within, _node(number))


def _node(processor: int) -> int:
    """The NUMA node of a processor; 0 where the host tells none."""
    try:
        names = os.listdir(f"/sys/devices/system/cpu/cpu{processor}")
    except OSError:
        return 0
    return next((int(name[4:]) for name in names if name.startswith("node") and name[4:].isdigit()), 0)


def _scales(request: Request) -> bytes:
    """SIO_QUERY_RSS_SCALABILITY_INFO: whether an interface spreads what it receives over several queues."""
    names = {row.name for row in request.network.interfaces()}
    return bytes([any(os.path.exists(f"/sys/class/net/{name}/queues/rx-1") for name in names)])


# Datagrams


def _report_switch(name: str) -> Callable[[Request], bytes]:
    def switch(request: Request) -> bytes:
        assert request.data is not None
        setattr(request.endpoint, name, any(request.data[:4]))
        return b""

    return switch


def _queue_in_circles(request: Request) -> bytes:
    assert isinstance(request.endpoint, DatagramSocket)
    request.endpoint.queue_in_circles()
    return b""


def _set_multipoint_loopback(request: Request) -> bytes:
    assert request.data is not None
    value = struct.pack("<I", any(request.data[:4]))
    if request.endpoint.family == AF_INET:
        set_option(request.endpoint, IPPROTO_IP, IP_MULTICAST_LOOP, value)
    else:
        set_option(request.endpoint, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, value)
    return b""


def _set_multicast_scope(request: Request) -> bytes:
    """SIO_MULTICAST_SCOPE: networks to be covered, which is the time to live."""
    hops = request.number()
    if hops > _MOST_HOPS:
        raise WinsockError(WSAEINVAL)
    value = struct.pack("<I", hops)
    if request.endpoint.family == AF_INET:
        set_option(request.endpoint, IPPROTO_IP, IP_MULTICAST_TTL, value)
    else:
        set_option(request.endpoint, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, value)
    return b""


def _receive_all(code: int) -> Callable[[Request], bytes]:
    """SIO_RCVALL and its relatives: only for a raw socket that is bound to one of the host's addresses."""

    def receive_all(request: Request) -> bytes:
        endpoint, mode = request.endpoint, request.number()
        if mode > RCVALL_MAX or not endpoint.bound or not any(endpoint.local_name(None).packed):
            raise WinsockError(WSAEINVAL)
        endpoint.receive_all(code, mode)
        return b""

    return receive_all


_HANDLE: Final = Code(_base_handle, gives=8, overlapped=False)
_NO_QOS: Final = Code(_refused(WSAENOPROTOOPT))
_NO_COMPANION: Final = Code(_refused(WSAENOPROTOOPT))

CODES: Final[dict[int, Code]] = {
    FIONBIO: Code(_set_nonblocking, takes=4),
    FIONREAD: Code(_readable_bytes, gives=4),
    SIOCATMARK: Code(_at_mark, _stream, gives=4, elsewhere=WSAEINVAL),
    SIO_ADDRESS_LIST_CHANGE: Code(address_list_change, _ip),
    SIO_ADDRESS_LIST_QUERY: Code(address_list, _ip),  # looks at the room itself
    SIO_ADDRESS_LIST_SORT: Code(sorted_addresses, _ipv6, takes=8),
    SIO_AF_UNIX_GETPEERPID: Code(_peer_process, _unix, gives=4, elsewhere=WSAEOPNOTSUPP),
    SIO_ASSOCIATE_HANDLE: _NO_COMPANION,
    SIO_TRANSLATE_HANDLE: _NO_COMPANION,
    SIO_BASE_HANDLE: _HANDLE,
    SIO_BSP_HANDLE: _HANDLE,
    SIO_BSP_HANDLE_POLL: _HANDLE,
    SIO_BSP_HANDLE_SELECT: _HANDLE,
    SIO_ENABLE_CIRCULAR_QUEUEING: Code(_queue_in_circles, _udp),
    SIO_FIND_ROUTE: Code(_refused(WSAENOPROTOOPT)),
    SIO_GET_BROADCAST_ADDRESS: Code(broadcast_address, _ipv4, gives=16),
    SIO_GET_MULTICAST_FILTER: Code(get_ip_filter, _messages_ipv4, takes=IP_FILTER_SIZE),
    SIO_SET_MULTICAST_FILTER: Code(set_ip_filter, _messages_ipv4, takes=IP_FILTER_SIZE),
    SIOCGMSFILTER: Code(get_group_filter, _message_oriented, takes=GROUP_FILTER_SIZE),
    SIOCSMSFILTER: Code(set_group_filter, _message_oriented, takes=GROUP_FILTER_SIZE),
    SIO_GET_EXTENSION_FUNCTION_POINTER: Code(_extension_function, takes=16, gives=8),
    SIO_GET_INTERFACE_LIST: Code(interface_list, _ipv4, elsewhere=WSAEINVAL),  # looks at the room itself
    SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER: Code(
        _extension_table, _ip, takes=16, gives=RIO_TABLE_SIZE, elsewhere=WSAEOPNOTSUPP
    ),
    SIO_GET_QOS: _NO_QOS,
    SIO_SET_QOS: _NO_QOS,
    SIO_GET_GROUP_QOS: _NO_QOS,
    SIO_SET_GROUP_QOS: _NO_QOS,
    SIO_IDEAL_SEND_BACKLOG_CHANGE: Code(_ideal_backlog_change, _tcp, elsewhere=WSAEOPNOTSUPP),
    SIO_IDEAL_SEND_BACKLOG_QUERY: Code(_ideal_backlog, _tcp, gives=4, elsewhere=WSAEOPNOTSUPP, short_out=WSAEINVAL),
    SIO_KEEPALIVE_VALS: Code(_set_keepalive, _tcp, takes=12),
    SIO_LOOPBACK_FAST_PATH: Code(_set_fast_path, _tcp, takes=_BOOL, elsewhere=WSAEOPNOTSUPP),
    SIO_MULTICAST_SCOPE: Code(_set_multicast_scope, _multipoint, takes=4, elsewhere=WSAEOPNOTSUPP),
    SIO_MULTIPOINT_LOOPBACK: Code(_set_multipoint_loopback, _multipoint, takes=4, elsewhere=WSAEOPNOTSUPP),
    SIO_QUERY_RSS_PROCESSOR_INFO: Code(_processor, _ip, gives=8, short_out=WSAEINVAL),
    SIO_QUERY_RSS_SCALABILITY_INFO: Code(_scales, _ip, gives=1, short_out=WSAEINVAL),
    # An enumeration value, of which the page asks for one byte.
    SIO_RCVALL: Code(_receive_all(SIO_RCVALL), _raw, takes=1, elsewhere=WSAEINVAL, short_in=WSAEINVAL),
    SIO_RCVALL_IGMPMCAST: Code(
        _receive_all(SIO_RCVALL_IGMPMCAST), _raw_ipv4, takes=1, elsewhere=WSAEINVAL, short_in=WSAEINVAL
    ),
    SIO_RCVALL_MCAST: Code(_receive_all(SIO_RCVALL_MCAST), _raw_ipv4, takes=1, elsewhere=WSAEINVAL, short_in=WSAEINVAL),
    SIO_ROUTING_INTERFACE_CHANGE: Code(routing_interface_change, _ip),  # looks at the buffers itself
    SIO_ROUTING_INTERFACE_QUERY: Code(routing_interface, _ip),  # looks at the buffers itself
    SIO_SET_PRIORITY_HINT: Code(_set_priority, _tcp, takes=4, elsewhere=WSAEOPNOTSUPP),
    SIO_TCP_INFO: Code(tcp_info, _tcp, takes=4, elsewhere=WSAEINVAL, short_in=WSAEMSGSIZE),
    SIO_UDP_CONNRESET: Code(_report_switch("connreset"), _message_oriented, takes=_BOOL),
    SIO_UDP_NETRESET: Code(_report_switch("netreset"), _message_oriented, takes=_BOOL),
}


def control(request: Request, code: int) -> Any:
    """WSPIoctl: carry out a code.

    An overlapped request completes at once and tells of no bytes (observed), but for those that wait for a change; what
    is not known is told as its failure, not the call's.

    Returns:
        The bytes for the output buffer, `Relocatable` ones if they hold pointers; for an extension function the
        function.

    Raises:
        WinsockError: WSAEOPNOTSUPP, a code that is not known here; WSAENOPROTOOPT or what the code has for it, not for
            this kind of socket; WSAEFAULT or what the code has for it, a buffer is missing or too small. ``needed`` is
            the byte count that a program finds afterwards, None if it stays as it was.
    """
    operation = request.operation
    if operation is None:
        return _carry_out(request, code)
    try:
        result = _carry_out(request, code)
    except WinsockError as failure:
        if failure.winerror != WSAEOPNOTSUPP:
            raise
        operation.finish_late(None, failure)
        return PENDING
    if result is not PENDING:
        operation.finish(result)
    return result


def _carry_out(request: Request, code: int) -> Any:
    row = CODES.get(code)
    if row is None or (request.operation is not None and not row.overlapped):
        raise WinsockError(WSAEOPNOTSUPP, needed=0)
    if not row.applies(request.endpoint):
        raise WinsockError(row.elsewhere)
    if row.takes and (request.data is None or len(request.data) < row.takes):
        raise WinsockError(row.short_in)
    if request.room < row.gives:
        # The pages that have a code of their own for it add that there is no output then.
        raise WinsockError(row.short_out, needed=None if row.short_out == WSAEFAULT else 0)
    return row.carry_out(request)
