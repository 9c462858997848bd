"""Waiting for several sockets: select, WSAPoll, and the set helper the DLL exports.

Lives elsewhere: the wait itself and what makes a socket ready (the provider's WSPSelect, and its WSAPoll, which is an
                 extension function).
Speed:           a program waits for the same sockets again and again. While no handle has come or gone since, a list
                 that equals the thread's last one needs no look-ups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..defs.codes import WSAEFAULT, WSAEINVAL, WSAENOTSOCK, WSANOTINITIALISED
from ..defs.guids import WSAID_WSAPOLL
from ..errors import WinsockError, exported
from ..process import Process, SocketRecord, current_process
from .extensions import extension

_MICROSECONDS = 1_000_000


@exported
def select(
    readfds: Sequence[int] | None,
    writefds: Sequence[int] | None,
    exceptfds: Sequence[int] | None,
    timeout: tuple[int, int] | None = None,
) -> tuple[list[int], list[int], list[int]]:
    """Wait until a socket of a set is ready.

    Args:
        readfds: wait for data, a connection request, or the end of the connection; None is no set.
        writefds: wait for room to send, or a connect that succeeded.
        exceptfds: wait for urgent data, or a connect that failed.
        timeout: (seconds, microseconds); (0, 0) only looks, None waits for ever.

    Returns:
        The ready members of each set; three empty lists when the time ran out.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEINVAL, no set has a member, a bad time, or sockets of several providers;
            WSAENOTSOCK, a member that is no socket or is closed during the wait.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select
    """
    process = current_process()
    checked = process.checked.selected
    if checked is None or checked[0] != process.handles.changes or checked[1] != (readfds, writefds, exceptfds):
        checked = _check_select(process, (readfds, writefds, exceptfds), timeout)
    elif timeout is not None:
        seconds, microseconds = timeout
        if seconds < 0 or (microseconds and not 0 < microseconds < _MICROSECONDS):
            raise WinsockError(WSAEINVAL)
    return checked[2].wsp.WSPSelect(readfds, writefds, exceptfds, timeout)  # type: ignore[no-any-return]


def _check_select(
    process: Process, sets: tuple[Sequence[int] | None, ...], timeout: tuple[int, int] | None
) -> tuple[int, Any, SocketRecord]:
    """All checks in their order; what `Checked.selected` holds, with the record of the first member."""
    if not process.startup_count:
        raise WinsockError(WSANOTINITIALISED)
    if not any(sets):
        raise WinsockError(WSAEINVAL)
    if timeout is not None and (timeout[0] < 0 or not 0 <= timeout[1] < _MICROSECONDS):
        raise WinsockError(WSAEINVAL)
    changes = process.handles.changes
    records = [process.socket(s) for members in sets for s in members or ()]
    if len({id(record.owner) for record in records}) > 1:
        raise WinsockError(WSAEINVAL)
    process.checked.selected = checked = changes, tuple(map(_copy, sets)), records[0]
    return checked


def _copy(members: Sequence[int] | None) -> Sequence[int] | None:
    """A list as it is now: the program may go on to change it."""
    return list(members) if type(members) is list else members and tuple(members)


@exported
def WSAPoll(fds: Sequence[tuple[int, int]] | None, timeout: int) -> tuple[int, list[int]]:
    """Wait until a socket meets one of its conditions.

    Args:
        fds: for each entry a socket and its POLLRDNORM, POLLRDBAND, POLLIN, POLLWRNORM, POLLOUT.
        timeout: milliseconds; 0 only looks, a negative one waits for ever.

    Returns:
        How many entries meet a condition, 0 when the time ran out; and what each entry meets (revents): what it asked
        for and, asked or not, POLLHUP (the peer has finished sending, or the connection is gone), POLLERR (the
        connection was reset, or a connect has failed), POLLNVAL (closed during the wait). An entry that was no socket
        from the beginning has POLLNVAL as well and does not count.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEFAULT, no list; WSAEINVAL, an empty list, sockets of several providers, or
            any other bit of an entry; WSAENOTSOCK, no entry is a socket (in C all have POLLNVAL then).

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsapoll
    """
    process = current_process()
    checked = process.checked.polled
    if checked is not None and checked[0] == process.handles.changes and checked[1] == fds:
        poll = checked[2]
    else:
        if not process.startup_count:
            raise WinsockError(WSANOTINITIALISED)
        if fds is None:
            raise WinsockError(WSAEFAULT)
        if not fds:
            raise WinsockError(WSAEINVAL)
        changes = process.handles.changes
        poll = extension(*_first_socket(process, fds), WSAID_WSAPOLL)
        process.checked.polled = changes, list(fds) if type(fds) is list else tuple(fds), poll
    return poll(fds, timeout)  # type: ignore[no-any-return]


def _first_socket(process: Process, fds: Sequence[tuple[int, int]]) -> tuple[SocketRecord, int]:
    """The first entry that is a socket, once the others are known to be of the same provider."""
    objects = process.objects
    records = [(record, s) for s, _ in fds if type(record := objects.get(s)) is SocketRecord]
    if not records:
        raise WinsockError(WSAENOTSOCK)
    if len({id(record.owner) for record, _ in records}) > 1:
        raise WinsockError(WSAEINVAL)
    return records[0]


@exported
def __WSAFDIsSet(s: int, fds: Sequence[int]) -> bool:
    """True when a socket is a member of a set: what FD_ISSET calls.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select
    """
    return s in fds
