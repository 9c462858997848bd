"""Host sockets that a program has made with the host's own calls, taken over as SOCKETs.

Part played:     none of Windows'. There every socket is the system's own; here a library may have made one before it
                 asks for something that only the emulator has, such as an overlapped receive.
Lives here:      what state such a socket is in, as far as the host tells.
Lives elsewhere: the handle and the table of sockets (provider), who asks for it (compat).
Ownership:       the descriptor belongs to the emulator from then on: it is closed by closesocket, after everything that
                 pends has ended. `HostProvider.release` gives it back instead.
What is unknown: options set before (they are the host's, not the program's); how many callers a listening socket lets
                 wait; that a bound port is nobody else's, so it stands in no bind table.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import sys
from typing import Final

from ...defs.constants import SOMAXCONN
from .accepting import ConnectionRequests
from .connection import CONNECTING, LISTENING, UNCONNECTED
from .datagram import DatagramSocket
from .hostsocket import HostSocket
from .stream import StreamSocket
from .translate import from_host, windows_address

_SOL_SOCKET: Final = int(_socket.SOL_SOCKET)
_ACCEPTCONN: Final = int(_socket.SO_ACCEPTCONN)
_SYN_SENT: Final = 2  # linux/tcp_states.h


def take_state(endpoint: HostSocket) -> None:
    """Have an endpoint know what has been done to its host socket behind the emulator's back.

    Raises:
        WinsockError: what the host says.
    """
    host = endpoint.host
    try:
        if not endpoint.bound and _is_bound(host.getsockname()):
            endpoint.now_bound()
        if isinstance(endpoint, StreamSocket):
            if endpoint.state == UNCONNECTED:
                _take_connection(endpoint)
        elif isinstance(endpoint, DatagramSocket):
            peer = _peer(host)
            endpoint.peer = None if peer is None else windows_address(peer, endpoint.host_family)
    except OSError as failure:
        raise from_host(failure) from failure


def _is_bound(name: object) -> bool:
    return bool(name[1] if isinstance(name, tuple) else name)


def _peer(host: _socket.socket) -> object:
    """The address of the other end, None without one."""
    try:
        return host.getpeername()
    except OSError as failure:
        if failure.errno in (errno.ENOTCONN, errno.EINVAL):  # the latter from a connection that BSDs have reset
            return None
        raise


def _take_connection(endpoint: StreamSocket) -> None:
    host = endpoint.host
    if host.getsockopt(_SOL_SOCKET, _ACCEPTCONN):
        endpoint.bound = True
        endpoint.requests = ConnectionRequests(host, SOMAXCONN, {})
        endpoint.state = LISTENING
        endpoint.changed()
        return
    peer = _peer(host)
    if peer is not None:
        endpoint.peer = windows_address(peer, endpoint.host_family)
        endpoint.take_connection()
    elif endpoint.expedited and _is_connecting(host):
        endpoint.bound = True
        endpoint.state = CONNECTING


def _is_connecting(host: _socket.socket) -> bool:
    """A connect is under way; only Linux tells."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return host.getsockopt(int(_socket.IPPROTO_TCP), int(_socket.TCP_INFO), 1)[0] == _SYN_SENT
    return False
