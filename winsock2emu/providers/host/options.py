"""Socket options: one row each, with what it holds, where it applies, and how the host realises it.

Part played:     the option half of msafd and wshtcpip.
Lives here:      the table, and the checks that all options share: level, option, length, value, in this order.
Lives elsewhere: what the settings do (stream, datagram, engine/lanes for the time-outs).
Sources:         sol-socket-socket-options, ipproto-tcp-socket-options, ipproto-ip-socket-options, so-exclusiveaddruse;
                 table T16.2, R16.37-R16.41 and A51-A54 of the project's reference.
"""

from __future__ import annotations

import _socket
import enum
import struct
from collections.abc import Callable
from operator import index
from typing import Any, Final

import attrs

from ...defs.codes import WSAEFAULT, WSAEINVAL, WSAENOPROTOOPT, WSAENOTCONN
from ...defs.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_UNICAST_HOPS,
    IPV6_V6ONLY,
    SO_ACCEPTCONN,
    SO_BROADCAST,
    SO_DEBUG,
    SO_DONTLINGER,
    SO_DONTROUTE,
    SO_ERROR,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MAX_MSG_SIZE,
    SO_OOBINLINE,
    SO_PROTOCOL_INFOA,
    SO_PROTOCOL_INFOW,
    SO_RCVBUF,
    SO_RCVLOWAT,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_SNDBUF,
    SO_SNDLOWAT,
    SO_SNDTIMEO,
    SO_TYPE,
    SO_USELOOPBACK,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
    WSA_FLAG_OVERLAPPED,
)
from ...errors import WinsockError
from .hostsocket import DEFAULT_BUFFER, HostSocket
from .messages import OBJECTS, switch
from .stream import CONNECTING, LISTENING, StreamSocket

# Levels that Windows' TCP/IP knows; any other is WSAEINVAL, not WSAENOPROTOOPT.
_LEVELS: Final = frozenset((SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP))

_LARGEST_UDP: Final = {AF_INET: 65507, AF_INET6: 65527}  # 65535 less the UDP header, and the IPv4 header it counts

_HOST_SOL = int(_socket.SOL_SOCKET)
_HOST_TCP = int(_socket.IPPROTO_TCP)

Getter = Callable[[HostSocket], bytes]
Setter = Callable[[HostSocket, bytes], None]


class Lengths(enum.Enum):
    """What Windows makes of lengths other than an option's size. A longer one is always taken."""

    WHOLE = "a shorter one is WSAEFAULT"
    FLAG = "msafd's BOOLs: any length sets; a get of one to three bytes gives one"
    NARROW = "TCP/IP's numbers: one byte or more sets; a get of one to three bytes gives one"
    BYTE = "TCP/IP's BOOLs: one byte is all that is ever taken and given"


@attrs.frozen
class Option:
    """One option. A missing getter or setter makes that direction WSAENOPROTOOPT."""

    size: int  # least length in bytes, and the length of the answer
    applies: Callable[[HostSocket], bool]
    get: Getter | None
    set: Setter | None
    lengths: Lengths = Lengths.WHOLE


def _any(endpoint: HostSocket) -> bool:
    return True


def _stream(endpoint: HostSocket) -> bool:
    return endpoint.socket_type == SOCK_STREAM


def _datagram(endpoint: HostSocket) -> bool:
    return endpoint.socket_type != SOCK_STREAM


def _udp(endpoint: HostSocket) -> bool:
    return endpoint.socket_type == SOCK_DGRAM


def _tcp(endpoint: HostSocket) -> bool:
    return endpoint.socket_type == SOCK_STREAM and endpoint.family != AF_UNIX


def _ipv4(endpoint: HostSocket) -> bool:
    return endpoint.family == AF_INET


def _ipv6(endpoint: HostSocket) -> bool:
    return endpoint.family == AF_INET6


def _dword(number: int) -> bytes:
    return struct.pack("<I", number & 0xFFFFFFFF)


def _number(value: bytes) -> int:
    """A 32-bit value, or the single byte that BOOL options accept too."""
    return int.from_bytes(value[:4], "little")


def _kept(key: Any, default: int = 0) -> Getter:
    return lambda endpoint: _dword(endpoint.settings.get(key, default))


def _keep_flag(key: Any) -> Setter:
    def keep(endpoint: HostSocket, value: bytes) -> None:
        endpoint.settings[key] = int(_number(value) != 0)

    return keep


def _on_host(level: int, option: int, key: Any, *, flag: bool) -> Setter:
    """Keep the value and tell the host, which has the option under a number of its own."""

    def tell(endpoint: HostSocket, value: bytes) -> None:
        number = _number(value)
        if flag:
            number = int(number != 0)
        endpoint.set_on_host(level, option, number)
        endpoint.settings[key] = number

    return tell


def _both(
    key: Any,
    host_level: int,
    host_option: int,
    applies: Callable[[HostSocket], bool],
    lengths: Lengths = Lengths.FLAG,
) -> Option:
    """A BOOL that the host has as well; hosts start with it off."""
    return Option(4, applies, _kept(key), _on_host(host_level, host_option, key, flag=True), lengths)


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
    _set_linger(endpoint, struct.pack("<HH", int(_number(value) == 0), seconds))


def _get_dontlinger(endpoint: HostSocket) -> bytes:
    return _dword(int(not endpoint.settings.get(SO_LINGER, (0, 0))[0]))


def _buffer(option: int, host_option: int) -> Option:
    """SO_RCVBUF, SO_SNDBUF: programs read back what they set; hosts double it and have a minimum."""

    def set_size(endpoint: HostSocket, value: bytes) -> None:
        size = struct.unpack("<i", value[:4])[0]
        if size < 0:
            raise WinsockError(WSAEINVAL)
        endpoint.set_on_host(_HOST_SOL, host_option, max(size, 1))  # some hosts refuse 0
        endpoint.settings[option] = size

    return Option(4, _any, _kept(option, DEFAULT_BUFFER), set_size)


def _timeout(option: int, lane: str) -> Option:
    """SO_RCVTIMEO, SO_SNDTIMEO: milliseconds, the lane's own limit; the host never learns of it."""

    def set_limit(endpoint: HostSocket, value: bytes) -> None:
        endpoint.settings[option] = limit = _number(value)
        # A socket without the overlapped attribute shows the number and never obeys it.
        if endpoint.flags & WSA_FLAG_OVERLAPPED:
            getattr(endpoint, lane).timeout_ms = limit

    return Option(4, _any, _kept(option, 0), set_limit)


def _set_reuse(endpoint: HostSocket, value: bytes) -> None:
    wanted = _number(value) != 0
    if wanted and endpoint.settings.get(SO_EXCLUSIVEADDRUSE):
        raise WinsockError(WSAEINVAL)
    endpoint.settings[SO_REUSEADDR] = int(wanted)  # for the bind (binding.py)


def _set_exclusive(endpoint: HostSocket, value: bytes) -> None:
    wanted = _number(value) != 0
    if endpoint.bound or (wanted and endpoint.settings.get(SO_REUSEADDR)):
        raise WinsockError(WSAEINVAL)
    endpoint.settings[SO_EXCLUSIVEADDRUSE] = int(wanted)


def _get_error(endpoint: HostSocket) -> bytes:
    if isinstance(endpoint, StreamSocket):
        endpoint.notice_end()
    return _dword(endpoint.take_error())


def _set_error(endpoint: HostSocket, value: bytes) -> None:
    # No page has it, but Windows takes a value and gives it back.
    endpoint.pending_error = _number(value)


def _set_keepalive(endpoint: HostSocket, value: bytes) -> None:
    if isinstance(endpoint, StreamSocket):
        endpoint.settle()
        if endpoint.state == CONNECTING:
            raise WinsockError(WSAEINVAL)
        if endpoint.broken:
            raise WinsockError(WSAENOTCONN)
    _on_host(_HOST_SOL, int(_socket.SO_KEEPALIVE), SO_KEEPALIVE, flag=True)(endpoint, value)


def _set_oobinline(endpoint: HostSocket, value: bytes) -> None:
    assert isinstance(endpoint, StreamSocket)
    endpoint.keep_urgent_inline(_number(value) != 0)


def _refuse_type(endpoint: HostSocket, value: bytes) -> None:
    # Observed: the two kinds of sockets have different codes for it.
    raise WinsockError(WSAENOPROTOOPT if endpoint.socket_type == SOCK_STREAM else WSAEINVAL)


def _get_acceptconn(endpoint: HostSocket) -> bytes:
    return _dword(int(isinstance(endpoint, StreamSocket) and endpoint.state == LISTENING))


def _set_v6only(endpoint: HostSocket, value: bytes) -> None:
    if endpoint.bound:
        raise WinsockError(WSAEINVAL)
    _on_host(int(_socket.IPPROTO_IPV6), int(_socket.IPV6_V6ONLY), IPV6_V6ONLY, flag=True)(endpoint, value)


def _refuse_value(endpoint: HostSocket, value: bytes) -> None:
    raise WinsockError(WSAEINVAL)


def _refuse_get(endpoint: HostSocket) -> bytes:
    raise WinsockError(WSAEINVAL)


def _beside(level: int, number: int) -> Option:
    """An option that has WSARecvMsg return control data: for datagrams, IPv4's also on a dual-stack socket."""

    def check(endpoint: HostSocket) -> None:
        if endpoint.socket_type == SOCK_STREAM:
            raise WinsockError(WSAEINVAL)

    def applies(endpoint: HostSocket) -> bool:
        if level == IPPROTO_IPV6 or endpoint.family == AF_INET:
            return endpoint.family == (AF_INET6 if level == IPPROTO_IPV6 else AF_INET)
        return endpoint.family == AF_INET6 and not endpoint.settings.get(IPV6_V6ONLY, 1)

    def tell(endpoint: HostSocket) -> bytes:
        check(endpoint)
        return _dword(endpoint.settings.get((level, number), 0))

    def keep(endpoint: HostSocket, value: bytes) -> None:
        check(endpoint)
        on = _number(value) != 0
        switch(endpoint, level, number, on)
        endpoint.settings[level, number] = int(on)

    return Option(4, applies, tell, keep)


OPTIONS: Final[dict[tuple[int, int], Option]] = {
    (SOL_SOCKET, SO_ACCEPTCONN): Option(4, _stream, _get_acceptconn, None),
    (SOL_SOCKET, SO_BROADCAST): _both(SO_BROADCAST, _HOST_SOL, int(_socket.SO_BROADCAST), _datagram),
    (SOL_SOCKET, SO_DEBUG): Option(4, _any, _kept(SO_DEBUG), _keep_flag(SO_DEBUG), Lengths.FLAG),
    (SOL_SOCKET, SO_DONTLINGER): Option(4, _stream, _get_dontlinger, _set_dontlinger, Lengths.FLAG),
    (SOL_SOCKET, SO_DONTROUTE): Option(4, _ipv4, _kept(SO_DONTROUTE), _keep_flag(SO_DONTROUTE), Lengths.BYTE),
    (SOL_SOCKET, SO_ERROR): Option(4, _any, _get_error, _set_error),
    (SOL_SOCKET, SO_EXCLUSIVEADDRUSE): Option(4, _any, _kept(SO_EXCLUSIVEADDRUSE), _set_exclusive, Lengths.FLAG),
    (SOL_SOCKET, SO_KEEPALIVE): Option(4, _stream, _kept(SO_KEEPALIVE), _set_keepalive, Lengths.BYTE),
    (SOL_SOCKET, SO_LINGER): Option(4, _stream, _get_linger, _set_linger),
    (SOL_SOCKET, SO_MAX_MSG_SIZE): Option(4, _datagram, lambda endpoint: _dword(_LARGEST_UDP[endpoint.family]), None),
    (SOL_SOCKET, SO_OOBINLINE): Option(4, _stream, _kept(SO_OOBINLINE), _set_oobinline, Lengths.FLAG),
    (SOL_SOCKET, SO_PROTOCOL_INFOA): Option(372, _any, lambda endpoint: endpoint.info.pack_a(), None),
    (SOL_SOCKET, SO_PROTOCOL_INFOW): Option(628, _any, lambda endpoint: endpoint.info.pack_w(), None),
    (SOL_SOCKET, SO_RCVBUF): _buffer(SO_RCVBUF, int(_socket.SO_RCVBUF)),
    (SOL_SOCKET, SO_SNDBUF): _buffer(SO_SNDBUF, int(_socket.SO_SNDBUF)),
    (SOL_SOCKET, SO_RCVLOWAT): Option(4, _any, _refuse_get, _refuse_value),
    (SOL_SOCKET, SO_SNDLOWAT): Option(4, _any, _refuse_get, _refuse_value),
    (SOL_SOCKET, SO_USELOOPBACK): Option(4, _any, _refuse_get, _refuse_value),
    (SOL_SOCKET, SO_RCVTIMEO): _timeout(SO_RCVTIMEO, "inbound"),
    (SOL_SOCKET, SO_SNDTIMEO): _timeout(SO_SNDTIMEO, "outbound"),
    (SOL_SOCKET, SO_REUSEADDR): Option(4, _any, _kept(SO_REUSEADDR), _set_reuse, Lengths.FLAG),
    (SOL_SOCKET, SO_TYPE): Option(4, _any, lambda endpoint: _dword(endpoint.socket_type), _refuse_type),
    (IPPROTO_TCP, TCP_NODELAY): _both(
        (IPPROTO_TCP, TCP_NODELAY), _HOST_TCP, int(_socket.TCP_NODELAY), _tcp, Lengths.BYTE
    ),
    (IPPROTO_IP, IP_TTL): Option(
        4,
        _ipv4,
        _kept((IPPROTO_IP, IP_TTL), 128),
        _on_host(int(_socket.IPPROTO_IP), int(_socket.IP_TTL), (IPPROTO_IP, IP_TTL), flag=False),
        Lengths.NARROW,
    ),
    (IPPROTO_IPV6, IPV6_UNICAST_HOPS): Option(
        4,
        _ipv6,
        _kept((IPPROTO_IPV6, IPV6_UNICAST_HOPS), 128),
        _on_host(
            int(_socket.IPPROTO_IPV6),
            int(_socket.IPV6_UNICAST_HOPS),
            (IPPROTO_IPV6, IPV6_UNICAST_HOPS),
            flag=False,
        ),
        Lengths.NARROW,
    ),
    (IPPROTO_IPV6, IPV6_V6ONLY): Option(4, _ipv6, _kept(IPV6_V6ONLY, 1), _set_v6only, Lengths.BYTE),
    **{(level, one.option): _beside(level, one.option) for level, objects in OBJECTS.items() for one in objects},
}

_TELL_SIZE: Final = frozenset((SO_PROTOCOL_INFOA, SO_PROTOCOL_INFOW))


def _find(endpoint: HostSocket, level: int, number: int) -> Option:
    if level not in _LEVELS:
        raise WinsockError(WSAEINVAL)
    option = OPTIONS.get((level, number))
    if option is None or not option.applies(endpoint):
        index(number)  # a TypeError for what is no number at all
        raise WinsockError(WSAENOPROTOOPT)
    return option


def get_option(endpoint: HostSocket, level: int, number: int, length: int | None) -> bytes:
    """WSPGetSockOpt.

    Raises:
        WinsockError: WSAEINVAL, no such level; WSAENOPROTOOPT, no such option, not for this kind of socket, or set
            only; WSAEFAULT, ``length`` is too short.
    """
    option = _find(endpoint, level, number)
    if option.get is None:
        raise WinsockError(WSAENOPROTOOPT)
    size = 1 if option.lengths is Lengths.BYTE else option.size
    if length is not None and length < size:
        if length < 1 or option.lengths is Lengths.WHOLE:
            # Observed: only the protocol records tell the length they want.
            raise WinsockError(WSAEFAULT, needed=option.size if number in _TELL_SIZE else None)
        size = 1
    return option.get(endpoint)[:size]


def set_option(endpoint: HostSocket, level: int, number: int, value: bytes | None) -> None:
    """WSPSetSockOpt.

    Raises:
        WinsockError: WSAEFAULT, no value; WSAEINVAL and WSAENOPROTOOPT as for `get_option` (get only); WSAEFAULT, too
            short; WSAEINVAL, a value or state that does not allow it.
    """
    if value is None:
        raise WinsockError(WSAEFAULT)
    option = _find(endpoint, level, number)
    if option.set is None:
        raise WinsockError(WSAENOPROTOOPT)
    if len(value) < option.size and option.lengths is not Lengths.FLAG:
        memoryview(value)  # a TypeError for what is no buffer at all
        if not value or option.lengths is Lengths.WHOLE:
            raise WinsockError(WSAEFAULT)
    option.set(endpoint, value[:1] if option.lengths is Lengths.BYTE else value)
