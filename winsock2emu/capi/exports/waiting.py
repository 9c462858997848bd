"""Waiting for several sockets.

Part played:     select with its fd_sets, WSAPoll with its array, and __WSAFDIsSet, which the FD_ISSET macro calls.
Lives elsewhere: the waiting (ws2_32.waiting).
Sources:         nf-winsock2-select, ns-winsock-fd_set, ns-winsock-timeval, nf-winsock2-wsapoll, ns-winsock2-wsapollfd.
Layout:          an fd_set is a 32-bit count, four bytes of fill and an array of 64-bit handles. Programs
                 may compile it with any FD_SETSIZE, so only the count tells its length. A WSAPOLLFD is a 64-bit
                 handle, two signed words (events, revents) and four bytes of fill.
Failed WSAPoll:  the entries tell, too: all have POLLNVAL when none is a socket, and no bit when one asks for what
                 cannot be asked for.
"""

from __future__ import annotations

import struct
from array import array
from typing import Final

from ... import ws2_32
from ...defs.codes import WSAEFAULT, WSAEINVAL, WSAENOTSOCK
from ...defs.constants import POLLNVAL
from ...errors import WinsockError
from ...process import current_process
from .. import memory

__all__ = ["WSAPoll", "__WSAFDIsSet", "select"]

_ARRAY: Final = 8  # offset of the handles
_MOST: Final = 0x10000  # no process has more sockets: a larger count is no fd_set
_POLLFD: Final = struct.Struct("<Qh6x")
_REVENTS: Final = 10  # offset in a WSAPOLLFD


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


def WSAPoll(fdArray: int, fds: int, timeout: int) -> int:
    if not fds:
        ws2_32.WSAPoll((), timeout)
    entries = memory.view(fdArray, fds * _POLLFD.size) if fds <= _MOST else None
    try:
        count, revents = ws2_32.WSAPoll(None if entries is None else list(_POLLFD.iter_unpack(entries)), timeout)
    except WinsockError as failure:
        if failure.winerror in (WSAENOTSOCK, WSAEINVAL):
            bits = POLLNVAL if failure.winerror == WSAENOTSOCK else 0
            _store_revents(fdArray, [bits] * fds)
        raise
    _store_revents(fdArray, revents)
    return count


def _store_revents(entries: int, revents: list[int]) -> None:
    for place, bits in enumerate(revents):
        memory.store_u16(entries + place * _POLLFD.size + _REVENTS, bits)


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
