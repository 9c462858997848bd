"""The conditions of host sockets, for poll requests and socket state notifications.

Part played:     what afd.sys knows of an endpoint when it is polled.
Lives elsewhere: who asks (engine/polls), the conditions that select and WSAPoll share with them (conditions, and
                 `conditions` of stream and datagram).
Connected:       AFD_POLL_CONNECT holds as long as there is a connection, and for a datagram socket with a peer.
Refused:         AFD_POLL_CONNECT_FAIL, with the status of the failure, holds until the next connect.
"""

from __future__ import annotations

from typing import Final

from ...defs.afd import (
    AFD_POLL_CONNECT,
    AFD_POLL_CONNECT_FAIL,
    AFD_POLL_DISCONNECT,
    AFD_POLL_RECEIVE,
    AFD_POLL_SEND,
)
from ...defs.codes import STATUS_SUCCESS
from ...engine.polls import Conditions
from ...errors import WinsockError
from ...kernel.operations import status_of
from .conditions import TELL_END
from .connection import CONNECTED
from .hostsocket import HostSocket
from .stream import StreamSocket

_NEEDS_END: Final = AFD_POLL_RECEIVE | AFD_POLL_DISCONNECT
_BY_CONNECT: Final = AFD_POLL_CONNECT | AFD_POLL_CONNECT_FAIL


class HostConditions(Conditions):
    """The conditions of a host socket."""

    endpoint: HostSocket

    @property
    def changes_inside(self) -> bool:
        return self.endpoint.guarded

    def wanted(self, asked: int) -> int:
        if asked & _NEEDS_END:
            asked |= TELL_END
        if asked & _BY_CONNECT and isinstance(self.endpoint, StreamSocket) and self.endpoint.state != CONNECTED:
            asked |= AFD_POLL_SEND  # a connect under way ends in writability
        return self.endpoint.wanted(asked)

    def met(self, ready: int) -> int:
        met = self.endpoint.conditions(ready)
        return met | AFD_POLL_CONNECT if self._connected() else met

    def _connected(self) -> bool:
        endpoint = self.endpoint
        if isinstance(endpoint, StreamSocket):
            return endpoint.state == CONNECTED
        return endpoint.connect_outcome() == 0

    def status(self, met: int) -> int:
        if met & AFD_POLL_CONNECT_FAIL:
            code = self.endpoint.connect_outcome()
            if code:
                return status_of(WinsockError(code))
        return STATUS_SUCCESS


def conditions_of(endpoint: HostSocket) -> HostConditions:
    """The conditions of a socket, made when something first asks for them."""
    polls = endpoint.polls
    if polls is None:
        polls = HostConditions(endpoint)
    assert isinstance(polls, HostConditions)
    return polls
