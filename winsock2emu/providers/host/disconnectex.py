"""DisconnectEx: the end of a connection, and of TransmitFile's and TransmitPackets' with TF_DISCONNECT.

Part played:     the disconnect requests of afd.sys.
Lives here:      the stages: the end of sending, and with TF_REUSE_SOCKET the wait for the peer's, after which the
                 socket can be connected again.
Lives elsewhere: the socket that starts again (stream), sending (transmit).
End of sending:  all that DisconnectEx does without TF_REUSE_SOCKET (observed): the peer can still send.
Reuse:           complete when the peer has ended as well; what it sends until then is lost. What AcceptEx has connected
                 is unbound again and can be used for AcceptEx; what ConnectEx has connected keeps its name and can be
                 used for ConnectEx.
Differences:     Windows does not complete before the connection has left TIME_WAIT. Here it may be in that state still,
                 and a connect to the same peer takes another port then if the port was a dynamic one. An AF_UNIX
                 socket loses its name, since the file of it exists.
Sources:         nc-mswsock-lpfn_disconnectex, nf-mswsock-transmitfile; R6.56, R9.47, B13 and the behaviours
                 disconnectex-* of the project's reference.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from ...defs.codes import WSA_OPERATION_ABORTED, WSAEINVAL, WSAENOTCONN
from ...defs.constants import TF_REUSE_SOCKET
from ...errors import WinsockError
from ...kernel.operations import Operation
from .connection import CONNECTED
from .hostsocket import HostSocket
from .stages import Stages, carry_out
from .stream import StreamSocket

_PIECE = 65536  # bytes thrown away by one call


def disconnect(endpoint: HostSocket, flags: int, handles: Iterable[int], request: Operation | None) -> Any:
    """DisconnectEx: 0, or `PENDING`.

    Args:
        endpoint: a connected socket.
        flags: 0 or TF_REUSE_SOCKET.
        handles: further descriptors of a shared socket.
        request: the overlapped request, None for a synchronous one.
    """
    if flags & ~TF_REUSE_SOCKET:
        raise WinsockError(WSAEINVAL)
    check_connected(endpoint)
    assert isinstance(endpoint, StreamSocket)
    reuse = bool(flags & TF_REUSE_SOCKET)
    if endpoint.broken and not reuse:
        raise WinsockError(endpoint.broken)

    def stages() -> Stages:
        if not endpoint.send_shut and not endpoint.broken:
            with no_more_sends(endpoint, reuse=reuse):
                yield endpoint.outbound, endpoint.finish_sending
        if reuse:
            yield endpoint.inbound, ending(endpoint, handles, synchronous=request is None)
        return 0

    claimed = endpoint.claim_sending()
    try:
        return carry_out(stages(), request, late=True)
    finally:
        if claimed:
            endpoint.sending = False


def check_connected(endpoint: HostSocket) -> None:
    """Raise WSAENOTCONN for a socket that has no connection, be it broken or half closed."""
    if isinstance(endpoint, StreamSocket):
        endpoint.settle()
        if endpoint.state == CONNECTED:
            return
    raise WinsockError(WSAENOTCONN)


@contextlib.contextmanager
def no_more_sends(endpoint: StreamSocket, *, reuse: bool) -> Iterator[None]:
    """Around a stage in which sending ends: no other send is begun any more, unless the stage fails.

    ``reuse``: that the connection is gone already does not matter.
    """
    endpoint.send_now = None
    endpoint.send_shut = True
    try:
        yield
    except WinsockError as failure:
        if not (reuse and endpoint.broken) or failure.winerror == WSA_OPERATION_ABORTED:
            endpoint.send_shut = False
            raise
    endpoint.changed()


def ending(endpoint: StreamSocket, handles: Iterable[int], *, synchronous: bool) -> Any:
    """The attempt that waits for the peer's end and makes the socket a new one.

    ``synchronous``: the lane is not locked around it.
    """
    host, room = endpoint.host, bytearray(_PIECE)

    def attempt() -> int:
        try:
            while host.recv_into(room):
                pass
        except BlockingIOError:
            raise
        except OSError:
            pass  # reset, which is an end as well
        if synchronous:
            endpoint.inbound.unless_closing(lambda: endpoint.start_again(handles))
        else:
            endpoint.start_again(handles)
        return 0

    return attempt
