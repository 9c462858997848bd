"""Event objects as Winsock names them.

Part played:     the WSA...Event functions: CreateEvent and the wait functions behind a startup.
Lives elsewhere: the objects (kernel/events), waiting (kernel32.waiting). All handles of kernel32 are taken here, too.
Sources:         "Event Objects" and the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..defs.codes import WSAEFAULT, WSANOTINITIALISED
from ..errors import WinsockError, exported
from ..kernel.events import Event
from ..kernel32.handles import number_of, typed
from ..kernel32.waiting import wait_for_several
from ..process import current_process


@exported
def WSACreateEvent() -> int:
    """A handle of a new event: manual-reset, not signalled, not inherited.

    Raises:
        WinsockError: WSANOTINITIALISED.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsacreateevent
    """
    process = current_process()
    process.check_started()
    return process.open_handle(Event())


@exported
def WSACloseEvent(event: int) -> None:
    """Give the handle of an event back.

    Raises:
        WinsockError: WSANOTINITIALISED; WSA_INVALID_HANDLE, no event.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsacloseevent
    """
    process = current_process()
    process.check_started()
    typed(process, event, Event)
    process.close_handle(number_of(event))


@exported
def WSASetEvent(event: int) -> None:
    """Signal an event.

    Raises:
        WinsockError: WSANOTINITIALISED; WSA_INVALID_HANDLE, no event.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasetevent
    """
    process = current_process()
    thing = process.objects.get(event)
    if type(thing) is not Event:
        process.check_started()
        thing = _event(event)
    elif process.startup_count == 0:
        raise WinsockError(WSANOTINITIALISED)
    thing.signalled = True  # Event.set, whose call would cost a third of the rest
    if thing.waiters is not None:
        thing.set()


@exported
def WSAResetEvent(event: int) -> None:
    """Clear an event.

    Raises:
        WinsockError: WSANOTINITIALISED; WSA_INVALID_HANDLE, no event.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaresetevent
    """
    process = current_process()
    thing = process.objects.get(event)
    if type(thing) is not Event:
        process.check_started()
        thing = _event(event)
    elif process.startup_count == 0:
        raise WinsockError(WSANOTINITIALISED)
    thing.signalled = False


def _event(event: int) -> Event:
    """An event whose handle the table does not have as it stands."""
    return typed(current_process(), event, Event)


@exported
def WSAWaitForMultipleEvents(
    events: Sequence[int] | None, wait_all: bool, timeout: int, alertable: bool = False
) -> int:
    """Wait until one of up to 64 events is signalled, or all of them are at one time.

    Args:
        timeout: milliseconds; WSA_INFINITE for no limit, 0 to look only.
        alertable: completion routines and other APCs run meanwhile, and end the wait.

    Returns:
        WSA_WAIT_EVENT_0 plus the lowest index that is signalled; WSA_WAIT_IO_COMPLETION, APCs have run and no event
        has changed; WSA_WAIT_TIMEOUT.

    Raises:
        WinsockError: WSANOTINITIALISED; WSA_INVALID_PARAMETER, no event, more than 64, or one twice in a wait for all;
            WSA_INVALID_HANDLE; WSAEFAULT, no array.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsawaitformultipleevents
    """
    process = current_process()
    if process.startup_count == 0:
        raise WinsockError(WSANOTINITIALISED)
    if events is None:
        raise WinsockError(WSAEFAULT)
    if len(events) == 1:
        thing = process.objects.get(events[0])
        if type(thing) is Event and thing.signalled and thing.keeps:
            return 0  # what a program that waits for one event finds most often, a fifth cheaper than by the way below
    return wait_for_several(process, events, wait_all, timeout, alertable)
