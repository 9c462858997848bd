"""SOL_SOCKET: what msafd and afd.sys know of every socket.

Lives elsewhere: SO_OPENTYPE, which belongs to a thread (ws2_32.options); what the settings do: sharing of ports
                 (binding), time-outs (engine/lanes), lingering and accepting (stream), who gets which datagrams
                 (screening).
Only kept:       SO_DEBUG and SO_DONTROUTE, as on Windows; SO_GROUP_PRIORITY, which is reserved. SO_RANDOMIZE_PORT and
                 SO_PORT_SCALABILITY: dynamic ports are random here anyway, and the host shares them among addresses.
                 SO_REUSE_UNICASTPORT: implicit binds act as if it were set.
PVD_CONFIG:      this provider has no configuration, so the block is empty, and an empty one is all that can be set.
Compartments:    there is the default one only.
Sources:         sol-socket-socket-options, so-exclusiveaddruse, so-conditional-accept, so-bsp-state, so-keepalive,
                 so-port-scalability, so-reuse-multicastport, nf-mswsock-acceptex; R11.42, R11.60-R11.62, R12.15-R12.18,
                 T16.2, A46, A51-A54, A73-A75, A103 of the project's reference.
"""

from __future__ import annotations

import _socket
import struct
import time
from typing import Final

from ....defs.codes import WSAEINVAL, WSAENOPROTOOPT, WSAENOTCONN
from ....defs.constants import (
    AF_INET,
    AF_INET6,
    PVD_CONFIG,
    SO_ACCEPTCONN,
    SO_BROADCAST,
    SO_BSP_STATE,
    SO_COMPARTMENT_ID,
    SO_CONDITIONAL_ACCEPT,
    SO_CONNDATA,
    SO_CONNDATALEN,
    SO_CONNECT_TIME,
    SO_CONNOPT,
    SO_CONNOPTLEN,
    SO_DEBUG,
    SO_DISCDATA,
    SO_DISCDATALEN,
    SO_DISCOPT,
    SO_DISCOPTLEN,
    SO_DONTLINGER,
    SO_DONTROUTE,
    SO_ERROR,
    SO_EXCLUSIVEADDRUSE,
    SO_GROUP_ID,
    SO_GROUP_PRIORITY,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MAX_MSG_SIZE,
    SO_MAXDG,
    SO_MAXPATHDG,
    SO_OOBINLINE,
    SO_ORIGINAL_DST,
    SO_PAUSE_ACCEPT,
    SO_PORT_SCALABILITY,
    SO_PROTOCOL_INFOA,
    SO_PROTOCOL_INFOW,
    SO_RANDOMIZE_PORT,
    SO_RCVBUF,
    SO_RCVLOWAT,
    SO_RCVTIMEO,
    SO_RECEIVED_HOPLIMIT,
    SO_RECEIVED_PROCESSOR,
    SO_REUSE_MULTICASTPORT,
    SO_REUSE_UNICASTPORT,
    SO_REUSEADDR,
    SO_SNDBUF,
    SO_SNDLOWAT,
    SO_SNDTIMEO,
    SO_TIMESTAMP,
    SO_TIMESTAMP_ID,
    SO_TYPE,
    SO_UPDATE_ACCEPT_CONTEXT,
    SO_UPDATE_CONNECT_CONTEXT,
    SO_USELOOPBACK,
    SOCK_RAW,
    SOCK_STREAM,
    WSA_FLAG_OVERLAPPED,
)
from ....defs.relocatable import Relocatable
from ....defs.sockaddr import SockAddr
from ....errors import WinsockError
from ..acceptex import adopt_context
from ..connection import CONNECTED, CONNECTING, LISTENING
from ..hostsocket import DEFAULT_BUFFER, HostSocket
from ..screening import screen
from ..stream import StreamSocket
from .table import (
    Lengths,
    Option,
    dword,
    empty,
    message,
    number,
    on_host,
    only_empty,
    only_unbound,
    refused,
    stream,
    tcp,
    udp,
)
from .tcp import tell_keepalive

_HOST_SOL: Final = int(_socket.SOL_SOCKET)

# 65535 bytes less the header of UDP; IPv4 counts its own header in the 65535, IPv6 does not.
_LARGEST: Final = {(AF_INET, False): 65507, (AF_INET6, False): 65527, (AF_INET, True): 65515, (AF_INET6, True): 65535}

_NOT_CONNECTED: Final = 0xFFFFFFFF
_DEFAULT_COMPARTMENT: Final = 1

# CSADDR_INFO: pointer and length of the local and of the remote address, socket type, protocol.
_CSADDR_INFO: Final = struct.Struct("<Qi4xQi4xii")
_CSADDR_POINTERS: Final = (0, 16)


# Lingering


def _set_linger(endpoint: HostSocket, value: bytes) -> None:
    on, seconds = struct.unpack("<HH", value[:4])
    # The host learns of a hard close only: it would block, or linger behind our back, where Windows does neither.
    abortive = int(on != 0 and not seconds)
    endpoint.set_on_host(_HOST_SOL, int(_socket.SO_LINGER), struct.pack("ii", abortive, 0))
    endpoint.settings[SO_LINGER] = on, seconds


def _get_linger(endpoint: HostSocket) -> bytes:
    return struct.pack("<HH", *endpoint.settings.get(SO_LINGER, (0, 0)))


def _set_dontlinger(endpoint: HostSocket, value: bytes) -> None:
    seconds = endpoint.settings.get(SO_LINGER, (0, 0))[1]
    _set_linger(endpoint, struct.pack("<HH", int(number(value) == 0), seconds))


def _get_dontlinger(endpoint: HostSocket) -> bytes:
    return dword(int(not endpoint.settings.get(SO_LINGER, (0, 0))[0]))


# Buffers and time-outs


def _buffer(option: int, host_option: int) -> Option:
    """SO_RCVBUF, SO_SNDBUF: programs read back what they set; hosts double it and have a minimum."""

    def set_size(endpoint: HostSocket, value: bytes) -> None:
        size = struct.unpack("<i", value[:4])[0]
        if size < 0:
            raise WinsockError(WSAEINVAL)
        endpoint.set_on_host(_HOST_SOL, host_option, max(size, 1))  # some hosts refuse 0
        endpoint.settings[option] = size
        endpoint.resized()

    return Option(default=DEFAULT_BUFFER, write=set_size)


def _timeout(option: int, lane: str) -> Option:
    """SO_RCVTIMEO, SO_SNDTIMEO: milliseconds, the lane's own limit; the host never learns of it."""

    def set_limit(endpoint: HostSocket, value: bytes) -> None:
        endpoint.settings[option] = limit = number(value)
        # A socket without the overlapped attribute shows the number and never obeys it.
        if endpoint.flags & WSA_FLAG_OVERLAPPED:
            getattr(endpoint, lane).timeout_ms = limit

    return Option(write=set_limit)


# Sharing a port


def _set_reuse(endpoint: HostSocket, value: bytes) -> None:
    wanted = number(value) != 0
    if wanted and endpoint.settings.get(SO_EXCLUSIVEADDRUSE):
        raise WinsockError(WSAEINVAL)
    endpoint.settings[SO_REUSEADDR] = int(wanted)  # for the bind (binding.py)


def _set_exclusive(endpoint: HostSocket, value: bytes) -> None:
    wanted = number(value) != 0
    if endpoint.bound or (wanted and endpoint.settings.get(SO_REUSEADDR)):
        raise WinsockError(WSAEINVAL)
    endpoint.settings[SO_EXCLUSIVEADDRUSE] = int(wanted)


def _random_port_possible(endpoint: HostSocket) -> int:
    return WSAEINVAL if endpoint.bound or endpoint.settings.get(SO_REUSE_UNICASTPORT) else 0


def _multicast_only_possible(endpoint: HostSocket) -> int:
    return WSAEINVAL if endpoint.bound or endpoint.settings.get(SO_EXCLUSIVEADDRUSE) else 0


# Connections


def _get_error(endpoint: HostSocket) -> bytes:
    if isinstance(endpoint, StreamSocket):
        endpoint.notice_end()
    return dword(endpoint.take_error())


def _set_error(endpoint: HostSocket, value: bytes) -> None:
    # No page has it, but Windows takes a value and gives it back.
    endpoint.pending_error = number(value)


def _set_keepalive(endpoint: HostSocket, value: bytes) -> None:
    on = int(number(value) != 0)
    if isinstance(endpoint, StreamSocket):
        endpoint.settle()
        if endpoint.state == CONNECTING:
            raise WinsockError(WSAEINVAL)
        if endpoint.broken:
            raise WinsockError(WSAENOTCONN)
    if on and tcp(endpoint):
        tell_keepalive(endpoint)
    endpoint.set_on_host(_HOST_SOL, int(_socket.SO_KEEPALIVE), on)
    endpoint.settings[SO_KEEPALIVE] = on


def _keep_urgent_inline(endpoint: HostSocket, on: int) -> None:
    assert isinstance(endpoint, StreamSocket)
    endpoint.keep_urgent_inline(bool(on))


def _refuse_type(endpoint: HostSocket, value: bytes) -> None:
    # Observed: the two kinds of sockets have different codes for it.
    raise WinsockError(WSAENOPROTOOPT if endpoint.socket_type == SOCK_STREAM else WSAEINVAL)


def _listens(endpoint: HostSocket) -> bool:
    return isinstance(endpoint, StreamSocket) and endpoint.state == LISTENING


def _before_listen(endpoint: HostSocket) -> int:
    return WSAEINVAL if _listens(endpoint) else 0


def _set_pause(endpoint: HostSocket, value: bytes) -> None:
    """SO_PAUSE_ACCEPT: callers are turned away with a reset until it is off again."""
    assert isinstance(endpoint, StreamSocket)
    if endpoint.state != LISTENING:
        raise WinsockError(WSAEINVAL)
    on = number(value) != 0
    if on != bool(endpoint.settings.get(SO_PAUSE_ACCEPT)):
        endpoint.pause_accepting(on)
        endpoint.settings[SO_PAUSE_ACCEPT] = int(on)


def _connect_time(endpoint: HostSocket) -> bytes:
    """SO_CONNECT_TIME: whole seconds."""
    assert isinstance(endpoint, StreamSocket)
    endpoint.settle()
    if endpoint.state != CONNECTED or endpoint.broken:
        return dword(_NOT_CONNECTED)
    return dword(int(time.monotonic() - endpoint.connected_at))


def _adopt_context(endpoint: HostSocket, listener: HostSocket) -> None:
    """SO_UPDATE_ACCEPT_CONTEXT."""
    assert isinstance(endpoint, StreamSocket)
    if not isinstance(listener, StreamSocket):
        raise WinsockError(WSAEINVAL)
    adopt_context(endpoint, listener)


def _update_connect_context(endpoint: HostSocket, value: bytes) -> None:
    """SO_UPDATE_CONNECT_CONTEXT: names and shutdown know of the connection from now on."""
    assert isinstance(endpoint, StreamSocket)
    endpoint.settle()
    if endpoint.state != CONNECTED:
        raise WinsockError(WSAENOTCONN)
    endpoint.contextless = False


# Facts


def _bsp_state(endpoint: HostSocket) -> bytes:
    """SO_BSP_STATE: a CSADDR_INFO, and behind it the addresses that there are."""
    local = endpoint.local_name(None) if endpoint.bound else b""
    remote: SockAddr | bytes = b""
    try:
        remote = endpoint.peer_name(None)
    except WinsockError as failure:
        if failure.winerror != WSAENOTCONN:
            raise
    at_remote = _CSADDR_INFO.size + len(local)
    record = _CSADDR_INFO.pack(
        _CSADDR_INFO.size if local else 0,
        len(local),
        at_remote if remote else 0,
        len(remote),
        endpoint.socket_type,
        endpoint.protocol,
    )
    return Relocatable(record + local + remote, _CSADDR_POINTERS)


def _largest_message(endpoint: HostSocket) -> bytes:
    return dword(_LARGEST[endpoint.family, endpoint.socket_type == SOCK_RAW])


_largest: Final = Option(access="g", applies=message, read=_largest_message)
_msafd_bool: Final = Lengths.FLAG

ROWS: Final[dict[int, Option]] = {
    PVD_CONFIG: Option(size=0, lengths=Lengths.VARIABLE, read=empty, write=only_empty),
    SO_ACCEPTCONN: Option(access="g", applies=stream, read=lambda endpoint: dword(_listens(endpoint))),
    SO_BROADCAST: Option(
        lengths=_msafd_bool, applies=message, flag=True, tell=on_host(_HOST_SOL, int(_socket.SO_BROADCAST))
    ),
    SO_BSP_STATE: Option(access="g", size=_CSADDR_INFO.size, lengths=Lengths.VARIABLE, read=_bsp_state),
    SO_COMPARTMENT_ID: Option(default=_DEFAULT_COMPARTMENT, allowed=(_DEFAULT_COMPARTMENT,), state=only_unbound),
    SO_CONDITIONAL_ACCEPT: Option(lengths=_msafd_bool, applies=stream, flag=True, state=_before_listen),
    SO_CONNECT_TIME: Option(access="g", applies=stream, read=_connect_time),
    SO_DEBUG: Option(lengths=_msafd_bool, flag=True),
    SO_DONTLINGER: Option(lengths=_msafd_bool, applies=stream, read=_get_dontlinger, write=_set_dontlinger),
    SO_DONTROUTE: Option(lengths=Lengths.BYTE, applies=lambda endpoint: endpoint.family == AF_INET, flag=True),
    SO_ERROR: Option(read=_get_error, write=_set_error),
    SO_EXCLUSIVEADDRUSE: Option(lengths=_msafd_bool, write=_set_exclusive),
    SO_GROUP_ID: Option(access="g"),
    SO_GROUP_PRIORITY: Option(),
    SO_KEEPALIVE: Option(lengths=Lengths.BYTE, applies=stream, write=_set_keepalive),
    SO_LINGER: Option(applies=stream, read=_get_linger, write=_set_linger),
    SO_MAXDG: _largest,
    SO_MAXPATHDG: _largest,
    SO_MAX_MSG_SIZE: _largest,
    SO_OOBINLINE: Option(lengths=_msafd_bool, applies=stream, flag=True, tell=_keep_urgent_inline),
    SO_PAUSE_ACCEPT: Option(lengths=_msafd_bool, applies=stream, write=_set_pause),
    SO_PORT_SCALABILITY: Option(lengths=_msafd_bool, applies=tcp, flag=True, state=only_unbound),
    SO_PROTOCOL_INFOA: Option(access="g", size=372, read=lambda endpoint: endpoint.info.pack_a(), tell_size=True),
    SO_PROTOCOL_INFOW: Option(access="g", size=628, read=lambda endpoint: endpoint.info.pack_w(), tell_size=True),
    SO_RANDOMIZE_PORT: Option(lengths=_msafd_bool, flag=True, state=_random_port_possible),
    SO_RCVBUF: _buffer(SO_RCVBUF, int(_socket.SO_RCVBUF)),
    SO_RCVLOWAT: refused(WSAEINVAL),
    SO_RCVTIMEO: _timeout(SO_RCVTIMEO, "inbound"),
    SO_REUSEADDR: Option(lengths=_msafd_bool, write=_set_reuse),
    SO_REUSE_MULTICASTPORT: Option(
        lengths=_msafd_bool, applies=udp, flag=True, state=_multicast_only_possible, after=screen
    ),
    SO_REUSE_UNICASTPORT: Option(lengths=_msafd_bool, applies=tcp, flag=True, state=only_unbound),
    SO_SNDBUF: _buffer(SO_SNDBUF, int(_socket.SO_SNDBUF)),
    SO_SNDLOWAT: refused(WSAEINVAL),
    SO_SNDTIMEO: _timeout(SO_SNDTIMEO, "outbound"),
    SO_TYPE: Option(read=lambda endpoint: dword(endpoint.socket_type), write=_refuse_type),
    SO_UPDATE_ACCEPT_CONTEXT: Option(access="s", size=8, applies=stream, adopt=_adopt_context),
    SO_UPDATE_CONNECT_CONTEXT: Option(
        access="s", size=0, lengths=Lengths.NOTHING, applies=stream, write=_update_connect_context
    ),
    SO_USELOOPBACK: refused(WSAEINVAL),
}

REFUSED: Final[dict[int, str]] = {
    **dict.fromkeys(
        (
            SO_CONNDATA,
            SO_CONNDATALEN,
            SO_CONNOPT,
            SO_CONNOPTLEN,
            SO_DISCDATA,
            SO_DISCDATALEN,
            SO_DISCOPT,
            SO_DISCOPTLEN,
        ),
        "connect and disconnect data belong to legacy protocols; TCP/IP has none",
    ),
    SO_TIMESTAMP: "a type of control data, and no option",
    SO_TIMESTAMP_ID: "a type of control data, and no option",
    SO_ORIGINAL_DST: "no connection is redirected here; no page has it",
    SO_RECEIVED_HOPLIMIT: "no page says what it holds",
    SO_RECEIVED_PROCESSOR: "no page says what it holds",
}
"""What is WSAENOPROTOOPT on every socket, and why."""
