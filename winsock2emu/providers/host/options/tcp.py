"""IPPROTO_TCP: connections.

Lives elsewhere: SO_KEEPALIVE (socket), SIO_KEEPALIVE_VALS and SIO_TCP_INFO (ioctls), what the network says of a connect
                 (icmperrors), urgent data (stream).
Keep-alive:      hosts have other defaults than Windows, so a connection is told all three numbers as soon as it is to
                 be kept alive. Hosts have limits, too; what is beyond them counts as the limit.
Time limits:     TCP_MAXRT and TCP_MAXRTMS are one setting. 0 is the system's own limit, -1 none.
Urgent data:     TCP_EXPEDITED_1122, TCP_STDURG and TCP_BSDURGENT are one switch, which can be turned once. It is kept
                 for the program to read: hosts have one interpretation for all connections.
Only kept:       TCP_TIMESTAMPS, TCP_FASTOPEN, TCP_DELAY_FIN_ACK and TCP_OFFLOAD_PREFERENCE change how fast data moves,
                 and nothing else that a program can see.
Sources:         ipproto-tcp-socket-options, so-keepalive, nf-winsock-getsockopt; A101, A102 of the project's reference;
                 tcp(7).
"""

from __future__ import annotations

import _socket
from collections.abc import Callable
from typing import Any, Final

from ....defs.codes import WSAEINVAL, WSAEOPNOTSUPP
from ....defs.constants import (
    IPPROTO_TCP,
    TCP_ATMARK,
    TCP_BSDURGENT,
    TCP_CONGESTION_ALGORITHM,
    TCP_DELAY_FIN_ACK,
    TCP_EXPEDITED_1122,
    TCP_FAIL_CONNECT_ON_ICMP_ERROR,
    TCP_FASTOPEN,
    TCP_ICMP_ERROR_INFO,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_MAXRT,
    TCP_MAXRTMS,
    TCP_MAXSEG,
    TCP_NODELAY,
    TCP_NOSYNRETRIES,
    TCP_NOURG,
    TCP_OFFLOAD_PREFERENCE,
    TCP_STDURG,
    TCP_TIMESTAMPS,
)
from ....errors import WinsockError
from ..connection import CONNECTED
from ..hostsocket import HostSocket
from ..icmperrors import last_error, watch
from ..stream import StreamSocket
from .table import HOST_TCP, Lengths, Option, Reader, Teller, Writer, dword, host_number, number, on_host, tcp

_FOR_EVER: Final = 0xFFFFFFFF
_LONGEST_TIMEOUT_MS: Final = 0x7FFFFFFF

_HOST_KEEPIDLE: Final = int(getattr(_socket, "TCP_KEEPIDLE", 0)) or host_number(4, 0x10)
_HOST_KEEPINTVL: Final = int(getattr(_socket, "TCP_KEEPINTVL", 0)) or host_number(5, 0x101)
_HOST_KEEPCNT: Final = int(getattr(_socket, "TCP_KEEPCNT", 0)) or host_number(6, 0x102)
_HOST_MAXSEG: Final = int(getattr(_socket, "TCP_MAXSEG", 2))
_HOST_USER_TIMEOUT: Final = host_number(18)
_HOST_SYNCNT: Final = host_number(7)

# Linux: the most seconds, and the most probes.
_MOST_SECONDS: Final = 32767
_MOST_PROBES: Final = 127

_IDLE, _INTERVAL, _COUNT = ((IPPROTO_TCP, option) for option in (TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT))
_IDLE_S, _INTERVAL_S, _PROBES = 7200, 1, 10
_LIMIT: Final = IPPROTO_TCP, TCP_MAXRTMS
_STYLE: Final = IPPROTO_TCP, TCP_EXPEDITED_1122


# Keep-alive


def _up_to(most: int) -> Callable[[int], int]:
    return lambda value: min(value, most)


_tell_idle: Final = on_host(HOST_TCP, _HOST_KEEPIDLE, _up_to(_MOST_SECONDS))
_tell_interval: Final = on_host(HOST_TCP, _HOST_KEEPINTVL, _up_to(_MOST_SECONDS))
_tell_count: Final = on_host(HOST_TCP, _HOST_KEEPCNT, _up_to(_MOST_PROBES))
_KEEPALIVE: Final[tuple[tuple[Any, int, Teller | None], ...]] = (
    (_IDLE, _IDLE_S, _tell_idle),
    (_INTERVAL, _INTERVAL_S, _tell_interval),
    (_COUNT, _PROBES, _tell_count),
)


def tell_keepalive(endpoint: HostSocket) -> None:
    """Have the host keep a connection alive as Windows would: call this before it begins to."""
    for key, default, tell in _KEEPALIVE:
        if tell is not None:
            tell(endpoint, endpoint.settings.get(key, default))


# Time limits


def _set_limit(unit_ms: int) -> Writer:
    def set_limit(endpoint: HostSocket, value: bytes) -> None:
        wanted = number(value)
        limit_ms = _FOR_EVER if wanted == _FOR_EVER else wanted * unit_ms
        if wanted != _FOR_EVER and limit_ms > _LONGEST_TIMEOUT_MS:
            raise WinsockError(WSAEINVAL)
        if _HOST_USER_TIMEOUT is not None:
            endpoint.set_on_host(HOST_TCP, _HOST_USER_TIMEOUT, min(limit_ms, _LONGEST_TIMEOUT_MS))
        endpoint.settings[_LIMIT] = limit_ms

    return set_limit


def _get_limit(unit_ms: int) -> Reader:
    def get_limit(endpoint: HostSocket) -> bytes:
        limit_ms = endpoint.settings.get(_LIMIT, 0)
        return dword(limit_ms if limit_ms == _FOR_EVER else -(-limit_ms // unit_ms))

    return get_limit


def _tell_syn_retries(endpoint: HostSocket, on: int) -> None:
    """The least number that a host takes is one; off is what the host had before."""
    if _HOST_SYNCNT is None:
        return
    before = endpoint.settings.setdefault("SYN retries", endpoint.host.getsockopt(HOST_TCP, _HOST_SYNCNT))
    endpoint.set_on_host(HOST_TCP, _HOST_SYNCNT, 1 if on else before)


# Urgent data


def _get_style(inverse: bool) -> Reader:
    return lambda endpoint: dword(bool(endpoint.settings.get(_STYLE)) != inverse)


def _set_style(inverse: bool) -> Writer:
    def set_style(endpoint: HostSocket, value: bytes) -> None:
        rfc_1122 = int((number(value) != 0) != inverse)
        if endpoint.settings.setdefault(_STYLE, rfc_1122) != rfc_1122:
            raise WinsockError(WSAEINVAL)

    return set_style


def _style(*, inverse: bool = False) -> Option:
    return Option(lengths=Lengths.NARROW, applies=tcp, read=_get_style(inverse), write=_set_style(inverse))


# Facts


def _segment_size(endpoint: HostSocket) -> bytes:
    try:
        return dword(endpoint.host.getsockopt(HOST_TCP, _HOST_MAXSEG))
    except OSError as failure:
        raise endpoint.ended(failure) from failure


def _tell_watch(endpoint: HostSocket, on: int) -> None:
    if isinstance(endpoint, StreamSocket) and endpoint.state == CONNECTED:
        return  # it is about connecting, and the life of a connection must not end with an ICMP error
    if not watch(endpoint, on=bool(on)) and on:
        raise WinsockError(WSAEOPNOTSUPP)


def _bool(tell: Teller | None = None) -> Option:
    return Option(lengths=Lengths.NARROW, applies=tcp, flag=True, tell=tell)


ROWS: Final[dict[int, Option]] = {
    TCP_ATMARK: Option(access="g", applies=tcp, read=lambda endpoint: dword(endpoint.at_mark())),
    TCP_BSDURGENT: _style(inverse=True),
    TCP_DELAY_FIN_ACK: _bool(),
    TCP_EXPEDITED_1122: _style(),
    TCP_FAIL_CONNECT_ON_ICMP_ERROR: _bool(_tell_watch),
    TCP_FASTOPEN: _bool(),
    TCP_ICMP_ERROR_INFO: Option(access="g", size=0, lengths=Lengths.VARIABLE, applies=tcp, read=last_error),
    TCP_KEEPCNT: Option(applies=tcp, default=_PROBES, allowed=range(1, 256), tell=_tell_count),
    TCP_KEEPIDLE: Option(applies=tcp, default=_IDLE_S, allowed=range(1, 1 << 31), tell=_tell_idle),
    TCP_KEEPINTVL: Option(applies=tcp, default=_INTERVAL_S, allowed=range(1, 1 << 31), tell=_tell_interval),
    TCP_MAXRT: Option(applies=tcp, read=_get_limit(1000), write=_set_limit(1000)),
    TCP_MAXRTMS: Option(applies=tcp, read=_get_limit(1), write=_set_limit(1)),
    TCP_MAXSEG: Option(access="g", applies=tcp, read=_segment_size),
    TCP_NODELAY: Option(lengths=Lengths.BYTE, applies=tcp, flag=True, tell=on_host(HOST_TCP, int(_socket.TCP_NODELAY))),
    TCP_NOSYNRETRIES: _bool(_tell_syn_retries),
    TCP_NOURG: Option(lengths=Lengths.NARROW, applies=tcp, flag=True, allowed=(0,)),
    TCP_OFFLOAD_PREFERENCE: Option(applies=tcp, allowed=range(3)),
    TCP_STDURG: _style(),
    TCP_TIMESTAMPS: _bool(),
}

REFUSED: Final[dict[int, str]] = {
    TCP_CONGESTION_ALGORITHM: "no page says which number is which algorithm, and the host has others",
}
"""What is WSAENOPROTOOPT on every socket, and why."""
