"""Shared sockets: one more descriptor of a socket.

Lives elsewhere: what the descriptors have in common (the provider), opening them (`lifecycle.WSASocket`).
"""

from __future__ import annotations

from ..defs.records import ProtocolInfo
from ..errors import exported
from ..process import current_process


@exported
def WSADuplicateSocket(s: int, process_id: int) -> ProtocolInfo:
    """Prepare one more descriptor of a socket: the record to open it with, for `WSASocket` in the given process.

    The record is the socket's own, but for ``provider_reserved``. It counts once and keeps the socket alive till then.

    Args:
        s: a socket.
        process_id: who may open it, as GetCurrentProcessId tells it there; one's own is allowed.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEINVAL, no such process; WSAEMFILE; WSAEOPNOTSUPP, the provider
            does not share its sockets, or not with that process.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaduplicatesocketw
    """
    info: ProtocolInfo = current_process().socket(s).wsp.WSPDuplicateSocket(s, process_id)
    return info
