"""``msvcrt``: between descriptors and handles.

Part played:     PC/msvcrtmodule.c of CPython, as far as programs with sockets use it.
Lives elsewhere: files behind handles (kernel32.files).
Numbers:         the handle of a descriptor is its number, as it is for sockets. The functions of `overlapped` that take
                 a file know what to do with it; kernel32 does not.
Pipes:           open_osfhandle gives up the end of a pipe for a blocking descriptor of the host.
Files:           it gives up the handle of one for a descriptor of the same file.
Missing:         descriptors for other handles of the emulator's own; the console.
Sources:         the documentation of msvcrt in CPython's library reference.
"""

from __future__ import annotations

import errno
import os

from ..kernel.handles import FIRST_NUMBER
from ..kernel.hostfiles import HostFile
from ..process import current_process


def get_osfhandle(fd: int, /) -> int:
    """The handle of a descriptor; OSError with EBADF when it is not open."""
    os.fstat(fd)
    return fd


def open_osfhandle(handle: int, flags: int, /) -> int:
    """The descriptor of a handle, which belongs to the descriptor from then on; OSError with EBADF without one."""
    process = current_process()
    thing = process.objects.get(handle)
    take = getattr(thing, "take_descriptor", None)
    if take is not None:  # a pipe
        descriptor: int = take()
        process.close_handle(handle)
        return descriptor
    if isinstance(thing, HostFile):
        descriptor = os.dup(thing.fileno())
        process.close_handle(handle)
        return descriptor
    if not 0 <= handle < FIRST_NUMBER:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    os.fstat(handle)
    return handle
