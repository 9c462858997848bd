"""Waiting for several sockets.

Part played:     select with its fd_sets, and __WSAFDIsSet, which the FD_ISSET macro calls.
Lives elsewhere: the waiting (ws2_32.waiting).
Sources:         nf-winsock2-select, ns-winsock-fd_set, ns-winsock-timeval.
Layout:          an fd_set is a 32-bit count, four bytes of fill and an array of 64-bit handles. Programs
                 may compile it with any FD_SETSIZE, so only the count tells its length.
"""

from __future__ import annotations

from array import array
from typing import Final

from ... import ws2_32
from ...defs.codes import WSAEFAULT
from ...errors import WinsockError
from ...process import current_process
from .. import memory

__all__ = ["__WSAFDIsSet", "select"]

_ARRAY: Final = 8  # offset of the handles
_MOST: Final = 0x10000  # no process has more sockets: a larger count is no fd_set


def select(nfds: int, readfds: int, writefds: int, exceptfds: int, timeout: int) -> int:
    sets = (readfds, writefds, exceptfds)
    # Unreadable is what points into the NULL partition; NULL itself stands for no set, or no limit.
    if any(0 < pointer < memory.LOWEST for pointer in (*sets, timeout)):
        current_process().check_started()
        raise WinsockError(WSAEFAULT)
    wait = (memory.load_i32(timeout), memory.load_i32(timeout + 4)) if timeout else None
    ready = ws2_32.select(_members(readfds), _members(writefds), _members(exceptfds), wait)
    count = 0
    for pointer, members in zip(sets, ready, strict=True):
        if pointer:
            memory.store_32(pointer, len(members))
            if members:
                memory.write(pointer + _ARRAY, array("Q", members).tobytes())
                count += len(members)
    return count


def __WSAFDIsSet(fd: int, set: int) -> int:
    return int(ws2_32.__WSAFDIsSet(fd, _members(set) or () if set >= memory.LOWEST else ()))


def _members(fd_set: int) -> list[int] | None:
    """The handles of a set; None for NULL."""
    if not fd_set:
        return None
    count = memory.load_u32(fd_set)
    if count > _MOST:
        current_process().check_started()
        raise WinsockError(WSAEFAULT)
    handles = memory.view(fd_set + _ARRAY, count * 8)
    assert handles is not None
    return handles.cast("Q").tolist()
