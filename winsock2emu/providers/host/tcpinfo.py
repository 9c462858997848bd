"""SIO_TCP_INFO: a connection's statistics, from those the host keeps.

Part played:     the per-connection statistics of tcpip.sys.
Lives here:      TCP_INFO_v0, _v1 and _v2, filled from Linux's struct tcp_info.
Lives elsewhere: the table of codes (ioctls).
Approximations:  data in flight is one byte short on the side that has connected, as Linux counts its SYN. 0 stands for
                 what Linux does not count: bytes that came reordered, duplicate acknowledgements, fast retransmissions,
                 retransmissions of the SYN, probes; how often sending was limited, and the bytes (the times are there).
                 Older kernels tell less, and what they do not tell is 0 as well. Other hosts have no such call:
                 WSAEOPNOTSUPP.
Sources:         sio-tcp-info, ns-mstcpip-tcp_info_v0 and _v1; linux/tcp.h.
"""

from __future__ import annotations

import _socket
import struct
import sys
import time
from typing import TYPE_CHECKING, Final

from ...defs.codes import WSAEINVAL, WSAEOPNOTSUPP
from ...defs.constants import (
    SO_RCVBUF,
    TCPSTATE_CLOSE_WAIT,
    TCPSTATE_CLOSED,
    TCPSTATE_CLOSING,
    TCPSTATE_ESTABLISHED,
    TCPSTATE_FIN_WAIT_1,
    TCPSTATE_FIN_WAIT_2,
    TCPSTATE_LAST_ACK,
    TCPSTATE_LISTEN,
    TCPSTATE_SYN_RCVD,
    TCPSTATE_SYN_SENT,
    TCPSTATE_TIME_WAIT,
)
from ...errors import WinsockError
from .hostsocket import DEFAULT_BUFFER, HostSocket

if TYPE_CHECKING:
    from .ioctls import Request

_IS_LINUX: Final = sys.platform == "linux"
_HOST_TCP_INFO: Final = 11  # linux/tcp.h
_HOST_ROOM: Final = 512

# Offsets in struct tcp_info, by the names of linux/tcp.h.
_FIELDS: Final = {
    "state": (0, "B"),
    "options": (5, "B"),
    "snd_mss": (16, "I"),
    "rtt": (68, "I"),  # microseconds, as all times here
    "snd_cwnd": (80, "I"),
    "bytes_acked": (120, "Q"),
    "bytes_received": (128, "Q"),
    "notsent_bytes": (144, "I"),
    "min_rtt": (148, "I"),
    "busy_time": (168, "Q"),
    "rwnd_limited": (176, "Q"),
    "sndbuf_limited": (184, "Q"),
    "delivered_ce": (196, "I"),
    "bytes_sent": (200, "Q"),
    "bytes_retrans": (208, "Q"),
    "rcv_ooopack": (224, "I"),
    "snd_wnd": (228, "I"),
    "rcv_wnd": (232, "I"),
    "total_rto": (240, "H"),
}
_NO_RTT: Final = 0xFFFFFFFF
_TIMESTAMPS, _ECN = 0x01, 0x08  # tcpi_options

_STATES: Final = (
    TCPSTATE_CLOSED,
    TCPSTATE_ESTABLISHED,
    TCPSTATE_SYN_SENT,
    TCPSTATE_SYN_RCVD,
    TCPSTATE_FIN_WAIT_1,
    TCPSTATE_FIN_WAIT_2,
    TCPSTATE_TIME_WAIT,
    TCPSTATE_CLOSED,
    TCPSTATE_CLOSE_WAIT,
    TCPSTATE_LAST_ACK,
    TCPSTATE_LISTEN,
    TCPSTATE_CLOSING,
)
"""By Linux's numbers."""

_v0: Final = struct.Struct("<IIQB3x7I2Q5IB3x")
_v1: Final = struct.Struct("<IIQIIQIIQ")
_v2: Final = struct.Struct("<IB3xII")
SIZES: Final = (_v0.size, _v0.size + _v1.size, _v0.size + _v1.size + _v2.size)
"""Bytes of each version of the record."""


def _of_host(host: _socket.socket) -> dict[str, int]:
    raw = host.getsockopt(int(_socket.IPPROTO_TCP), _HOST_TCP_INFO, _HOST_ROOM).ljust(_HOST_ROOM, b"\0")
    return {name: struct.unpack_from(f"={form}", raw, offset)[0] for name, (offset, form) in _FIELDS.items()}


def _connected_ms(endpoint: HostSocket) -> int:
    since = getattr(endpoint, "connected_at", None)  # by time.monotonic()
    return 0 if not since else int((time.monotonic() - since) * 1000)


def tcp_info(request: Request) -> bytes:
    """SIO_TCP_INFO: the version of the record is asked for in the input buffer."""
    assert request.data is not None
    version = int.from_bytes(request.data[:4], "little")
    if version >= len(SIZES):
        raise WinsockError(WSAEINVAL, needed=0)
    if request.room < SIZES[version]:
        raise WinsockError(WSAEINVAL, needed=0)
    if not _IS_LINUX:
        raise WinsockError(WSAEOPNOTSUPP)
    endpoint = request.endpoint
    try:
        host = _of_host(endpoint.host)
    except OSError as failure:
        raise endpoint.ended(failure) from failure
    in_flight = max(0, host["bytes_sent"] - host["bytes_retrans"] - host["bytes_acked"])
    record = _v0.pack(
        _STATES[host["state"]] if host["state"] < len(_STATES) else TCPSTATE_CLOSED,
        host["snd_mss"],
        _connected_ms(endpoint),
        bool(host["options"] & _TIMESTAMPS),
        host["rtt"],
        host["min_rtt"] if host["min_rtt"] != _NO_RTT else 0,
        in_flight & 0xFFFFFFFF,
        host["snd_cwnd"] * host["snd_mss"] & 0xFFFFFFFF,
        host["snd_wnd"],
        host["rcv_wnd"],
        endpoint.settings.get(SO_RCVBUF, DEFAULT_BUFFER),
        host["bytes_sent"],
        host["bytes_received"],
        0,
        host["bytes_retrans"] & 0xFFFFFFFF,
        0,
        0,
        host["total_rto"],
        0,
    )
    if version == 0:
        return record
    by_window, by_sender = host["rwnd_limited"], host["sndbuf_limited"]
    by_congestion = max(0, host["busy_time"] - by_window - by_sender)
    record += _v1.pack(0, by_window // 1000, 0, 0, by_congestion // 1000, 0, 0, by_sender // 1000, 0)
    if version == 1:
        return record
    return record + _v2.pack(host["rcv_ooopack"], bool(host["options"] & _ECN), host["delivered_ce"], 0)
