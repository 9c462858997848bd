"""Another host socket under the descriptor that a program knows as its SOCKET.

Part played:     what makes AcceptEx, TF_REUSE_SOCKET and a second connect possible, for which Windows needs no trick.
Lives here:      making a host socket like the one before, and putting one in its place.
Lives elsewhere: when that happens (acceptex, stream).
What stays:      the number, whether children inherit it, and non-blocking mode. The pump forgets the descriptor, as it
                 would go on with the host socket that was there before.
"""

from __future__ import annotations

import _socket
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ...defs.constants import AF_INET6
from .translate import NOSIGNAL

if TYPE_CHECKING:
    from .connection import ConnectionSocket

_SOL_SOCKET: Final = int(_socket.SOL_SOCKET)
_V6ONLY: Final = (int(_socket.IPPROTO_IPV6), int(_socket.IPV6_V6ONLY))
SO_NOSIGPIPE: Final = 0x1022  # of hosts without MSG_NOSIGNAL


def another_like(endpoint: ConnectionSocket) -> _socket.socket:
    """A new host socket with the options of the one that an endpoint has.

    Raises:
        OSError: what the host says.
    """
    options = dict(endpoint.host_options or {})
    if endpoint.family == AF_INET6:
        options[_V6ONLY] = endpoint.host.getsockopt(*_V6ONLY)
    if not NOSIGNAL:
        options[_SOL_SOCKET, SO_NOSIGPIPE] = 1
    fresh = _socket.socket(endpoint.host_family, endpoint.host.type, endpoint.host.proto)
    try:
        for (level, option), value in options.items():
            fresh.setsockopt(level, option, value)
    except BaseException:
        fresh.close()
        raise
    return fresh


def put_under(endpoint: ConnectionSocket, fresh: _socket.socket, handles: Iterable[int] = ()) -> None:
    """Put a host socket in the place of the one that an endpoint has. ``fresh`` is used up, whatever happens.

    ``handles``: further descriptors of a shared socket.

    Raises:
        OSError: what the host says.
    """
    try:
        fresh.setblocking(False)
        endpoint.pump.unwatch(endpoint)
        for descriptor in {endpoint.fd, *handles}:
            os.dup2(fresh.fileno(), descriptor, inheritable=os.get_inheritable(descriptor))
    finally:
        fresh.close()
