"""A lingering close: how long closesocket waits for the peer, and what it does when the time is over.

Part played:     the disconnect half of closesocket in afd.sys.
Lives here:      waiting until everything is sent and acknowledged, the end of the stream included.
Lives elsewhere: which row of the truth table applies (`before_close` and `let_go` of stream), closing without waiting
                 while there is something to send (sending).

    SO_LINGER   mode           to be sent    closesocket                        the connection ends
    off         any            any           returns at once                    in good order, behind its back
    on, 0 s     any            any           returns at once                    hard
    on, n s     blocking       all in time   waits for the acknowledgement      in good order
    on, n s     blocking       not in time   waits for n s                      hard
    on, n s     non-blocking   nothing       returns at once                    in good order
    on, n s     non-blocking   something     WSAEWOULDBLOCK, nothing is closed

Whatever the row says, data that was received and not read makes it hard. The host's own linger time is never used: the
host would not let the wait be interrupted, and would wait for a non-blocking socket, too.
Interrupts:      an exception raised by a signal handler ends the wait; the socket is closed all the same, in good
                 order.
Sources:         nf-winsock2-closesocket, graceful-shutdown-linger-options-and-socket-closure-2; T12.1, R12.12-R12.27
                 and A46-A49 of the project's reference.
"""

from __future__ import annotations

import _socket
import time
from typing import Final

from ...defs.codes import WSAETIMEDOUT
from ...engine.endpoint import Endpoint
from ...engine.pump import FAULT, HANGUP, ChangeWait, Pump
from ...errors import WinsockError
from ...kernel.waits import this_waiter
from .rawcalls import unsent
from .sending import Sending

_SHUT_WR: Final = int(_socket.SHUT_WR)


def all_acknowledged(pump: Pump, host: _socket.socket, rest: Sending | None, seconds: int) -> bool:
    """Send what is left and the end of the stream, and wait until the peer has all of it; False when time ran out.

    Args:
        pump: the reactor of the process, for the wait.
        host: the connection; nobody else sends on it any more.
        rest: a send that the host has not taken whole.
        seconds: at least 1.
    """
    deadline = time.monotonic() + seconds
    try:
        if rest is not None and rest.left:
            Endpoint(pump, host.fileno()).outbound.wait(rest, tried=False, timeout_ms=seconds * 1000)
        host.shutdown(_SHUT_WR)
        return _acknowledged(host, deadline)
    except WinsockError as failure:
        return failure.winerror != WSAETIMEDOUT
    except OSError:
        return True  # the connection is gone: nothing is left to wait for


def _acknowledged(host: _socket.socket, deadline: float) -> bool:
    # An acknowledgement of the end of the stream makes the socket ready for nothing new, but it is news.
    news = ChangeWait(host.fileno(), this_waiter())
    try:
        while unsent(host):
            left_ms = (deadline - time.monotonic()) * 1000
            if left_ms <= 0:
                return False
            if news.wait(left_ms) & (HANGUP | FAULT):
                return True
        return True
    finally:
        news.close()
