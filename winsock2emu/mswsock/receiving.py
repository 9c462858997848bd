"""WSARecvEx: a receive that tells whether it got the whole message.

Lives elsewhere: the receive itself (the provider's WSPRecv).
"""

from __future__ import annotations

from typing import Any

from ..defs.codes import WSAEMSGSIZE
from ..defs.constants import MSG_PARTIAL, XP1_PARTIAL_MESSAGE
from ..errors import WinsockError, exported
from ..process import current_process
from ..spi.transport import Received


@exported
def WSARecvEx(s: int, buffer: Any) -> int:
    """Receive into a writable buffer, and tell whether a message is complete.

    A datagram that does not fit is no failure: the buffer has its first part, and what is left of it is lost, or comes
    next where the transport has partial messages. There a message that is still arriving does not have to be awaited.

    Returns:
        Bytes received, 0 at the peer's end of a stream; an `int` whose ``flags`` is MSG_PARTIAL when a part of the
        message is missing. That is never so on a stream.

    Raises:
        WinsockError: as `ws2_32.recv`, except for WSAEMSGSIZE.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-wsarecvex
    """
    record = current_process().socket(s)
    # A call of recv would ask for the whole message.
    flags = MSG_PARTIAL if record.info.service_flags1 & XP1_PARTIAL_MESSAGE else 0
    try:
        moved: int = record.mover.WSPRecv(s, (buffer,), flags, None)
    except WinsockError as failure:
        if failure.winerror != WSAEMSGSIZE or failure.moved is None:
            raise
        return Received(failure.moved, MSG_PARTIAL)
    return moved
