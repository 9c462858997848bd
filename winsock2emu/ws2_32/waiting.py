"""select, and the set helper the DLL exports.

Lives elsewhere: the wait itself and what makes a socket ready (the provider's WSPSelect).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..defs.codes import WSAEINVAL, WSANOTINITIALISED
from ..errors import WinsockError, exported
from ..process import current_process

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
    if not process.startup_count:
        raise WinsockError(WSANOTINITIALISED)
    members = [*(readfds or ()), *(writefds or ()), *(exceptfds or ())]
    if not members:
        raise WinsockError(WSAEINVAL)
    if timeout is not None and (timeout[0] < 0 or not 0 <= timeout[1] < _MICROSECONDS):
        raise WinsockError(WSAEINVAL)
    records = [process.socket(s) for s in members]
    owner = records[0].owner
    if any(record.owner is not owner for record in records):
        raise WinsockError(WSAEINVAL)
    ready: tuple[list[int], list[int], list[int]] = records[0].wsp.WSPSelect(readfds, writefds, exceptfds, timeout)
    return ready


@exported
def __WSAFDIsSet(s: int, fds: Sequence[int]) -> bool:
    """True when a socket is a member of a set: what FD_ISSET calls.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select
    """
    return s in fds
