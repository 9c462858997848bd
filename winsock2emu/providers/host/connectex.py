"""ConnectEx: an overlapped connect, with the first data.

Part played:     the super connect of afd.sys.
Lives here:      the stages of the request and the order of its checks.
Lives elsewhere: connecting (stream), sending (sending), SO_UPDATE_CONNECT_CONTEXT (options).
Outcome:         always told as a completion, also of a connect that the host refuses at once. A connect that has failed
                 leaves a socket that can connect again. So does one that is cancelled, and the host gives it up then.
Data:            copied by the call (observed), and sent ahead of everything else.
Sources:         nc-mswsock-lpfn_connectex; R9.44-R9.46, B11 and the behaviours connectex-* of the project's reference.
"""

from __future__ import annotations

from typing import Any

from ...defs.codes import WSAEALREADY, WSAEINVAL, WSAEISCONN
from ...errors import WinsockError
from ...kernel.operations import Operation
from .connection import CONNECTED, CONNECTING, LISTENING
from .hostsocket import HostSocket
from .stages import Stages, carry_out
from .stream import StreamSocket


def connect_overlapped(endpoint: HostSocket, name: bytes | None, data: Any, request: Operation | None) -> Any:
    """ConnectEx: `PENDING`; for a synchronous request the bytes sent.

    Args:
        endpoint: a bound socket.
        name: the address to connect to.
        data: what is sent first; None for nothing.
        request: the overlapped request, None for a synchronous one.
    """
    name = endpoint.check_name_size(name)
    if not isinstance(endpoint, StreamSocket):
        raise WinsockError(WSAEINVAL)
    if not endpoint.bound or endpoint.state == LISTENING or endpoint.accepting is not None:
        raise WinsockError(WSAEINVAL)
    if not endpoint.settle():
        raise WinsockError(WSAEALREADY)
    if endpoint.state == CONNECTED:
        raise WinsockError(WSAEISCONN)
    destination = endpoint.destination(name)
    first = bytes(data) if data is not None else b""

    def stages() -> Stages:
        endpoint.contextless = True  # before the connection is there, whoever finds that out
        try:
            refusal = endpoint.start_connect(destination)
            if refusal is not None:
                raise refusal
            sending = endpoint.new_send([memoryview(first)])

            def attempt() -> int:
                endpoint.connect_attempt()
                return sending()

            return (yield endpoint.outbound, attempt)
        except WinsockError:
            if endpoint.state == CONNECTING and not endpoint.closing:
                endpoint.give_up_connect()
            if endpoint.state != CONNECTED:
                endpoint.contextless = False
            raise

    return carry_out(stages(), request, late=True)
