"""Network events: being told of what happens on sockets, by an event object or by window messages.

Lives elsewhere: what is recorded and when (the provider), event objects (events), windows (user32).
Sources:         nf-winsock2-wsaeventselect, nf-winsock2-wsaenumnetworkevents, nf-winsock-wsaasyncselect.
"""

from __future__ import annotations

from ..defs.codes import WSAEINVAL
from ..errors import WinsockError, exported
from ..process import current_process


@exported
def WSAEventSelect(s: int, event: int | None, mask: int) -> None:
    """Have an event object signalled for network events, and record them for WSAEnumNetworkEvents.

    The socket becomes non-blocking, and cannot be made blocking while events are selected. A selection takes the place
    of an earlier one, also of WSAAsyncSelect, and is handed down to the sockets that accept makes.

    Args:
        event: a handle of an event object, which may serve several sockets.
        mask: FD_ events; 0 ends the selection, and no event is needed.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEINVAL, no event object.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaeventselect
    """
    current_process().socket(s).wsp.WSPEventSelect(s, event, mask)


@exported
def WSAEnumNetworkEvents(s: int, event: int | None = None) -> tuple[int, tuple[int, ...]]:
    """The network events that have occurred since the last time; the record is empty afterwards.

    An event is recorded once, and then again when the call has been made that enables it again: a receive for FD_READ
    and FD_OOB, a send that would block for FD_WRITE, an accept for FD_ACCEPT.

    Args:
        event: a handle of an event object to reset in the same step, None for none.

    Returns:
        The FD_ events, and ten error codes, of which those count whose bit (FD_READ_BIT ...) is set.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK, also for a handle that is no event object. Nothing is taken or
            reset then.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaenumnetworkevents
    """
    found: tuple[int, tuple[int, ...]] = current_process().socket(s).wsp.WSPEnumNetworkEvents(s, event)
    return found


@exported
def WSAAsyncSelect(s: int, window: int, message: int, mask: int) -> None:
    """Have a message posted to a window for each network event: the socket as wparam, event and error in lparam.

    As `WSAEventSelect` otherwise. Messages that have been posted already are not taken back by another selection.

    Args:
        window: a window's handle.
        message: the number of the message.
        mask: FD_ events; 0 ends the selection, and no window is needed.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEINVAL, no such window.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsaasyncselect
    """
    process = current_process()
    wsp = process.socket(s).wsp
    if mask and not process.is_window(window):
        raise WinsockError(WSAEINVAL)
    wsp.WSPAsyncSelect(s, window, message, mask)


def WSAGETSELECTEVENT(lparam: int) -> int:
    """The FD_ event of a message of WSAAsyncSelect."""
    return lparam & 0xFFFF


def WSAGETSELECTERROR(lparam: int) -> int:
    """The error of a message of WSAAsyncSelect."""
    return lparam >> 16 & 0xFFFF
