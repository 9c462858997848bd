"""The outcome of overlapped requests on sockets.

Lives elsewhere: the calls that begin them (transfer, options, mswsock), events (events), cancelling, which is the
                 system's business and not Winsock's (kernel32.overlapped).
Sources:         nf-winsock2-wsagetoverlappedresult; R6.40-R6.47 of the project's reference.
"""

from __future__ import annotations

from ..defs.codes import WSAEFAULT
from ..errors import WinsockError, exported
from ..kernel.operations import OVERLAPPED
from ..process import current_process


@exported
def WPUCompleteOverlappedRequest(s: int, overlapped: OVERLAPPED | None, error: int, moved: int) -> None:
    """For providers: a request on a handle that they had the DLL make is complete; see `spi.Upcalls`.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, no record; WSAEINVAL, another kind of handle, or a
            request with a completion routine.

    Source: https://learn.microsoft.com/windows/win32/api/ws2spi/nf-ws2spi-wpucompleteoverlappedrequest
    """
    process = current_process()
    process.socket(s)
    if overlapped is None:
        raise WinsockError(WSAEFAULT)
    process.upcalls.WPUCompleteOverlappedRequest(s, overlapped, error, moved)


@exported
def WSAGetOverlappedResult(s: int, overlapped: OVERLAPPED | None, wait: bool) -> tuple[int, int]:
    """The outcome of an overlapped request: bytes and flags (MSG_PARTIAL and its like).

    It may be asked for again until the record is used for another request.

    Args:
        s: the socket of the request.
        overlapped: its record.
        wait: wait until it is complete: for its event if it has one.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK, also when the socket has been closed since; WSAEFAULT, no record;
            WSA_IO_INCOMPLETE, it pends and ``wait`` is false; WSA_INVALID_HANDLE, hEvent is no event;
            WSA_INVALID_PARAMETER, a request with a completion routine is to be waited for; what the request has failed
            with, with ``moved`` where there are bytes all the same (WSAEMSGSIZE).

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsagetoverlappedresult
    """
    return current_process().socket(s).wsp.WSPGetOverlappedResult(s, overlapped, bool(wait))  # type: ignore[no-any-return]
