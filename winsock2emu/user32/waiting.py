"""Waiting for messages together with other objects, and looking what a queue holds.

Part played:     MsgWaitForMultipleObjectsEx, WaitMessage, GetQueueStatus of winuser.h.
Lives elsewhere: the queue as an object to wait for (kernel/messages), waiting (kernel/objects).
Sources:         the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..defs.codes import ERROR_INVALID_PARAMETER
from ..defs.constants import INFINITE, MAXIMUM_WAIT_OBJECTS
from ..defs.windows import (
    ERROR_INVALID_FLAGS,
    MWMO_ALERTABLE,
    MWMO_INPUTAVAILABLE,
    MWMO_WAITALL,
    QS_ALLINPUT,
    QS_ALLPOSTMESSAGE,
    QS_SENDMESSAGE,
)
from ..errors import WinsockError, exported
from ..kernel32.handles import object_of
from ..process import Process, current_process

_WAIT_FLAGS: Final = MWMO_ALERTABLE | MWMO_INPUTAVAILABLE | MWMO_WAITALL
_KINDS: Final = QS_ALLINPUT | QS_ALLPOSTMESSAGE


def _wait(process: Process, handles: Sequence[int] | None, milliseconds: int, wake_mask: int, flags: int) -> int:
    handles = handles or ()
    if len(handles) >= MAXIMUM_WAIT_OBJECTS or flags & ~_WAIT_FLAGS:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    objects = tuple([object_of(process, handle) for handle in handles])
    wait_all = bool(flags & MWMO_WAITALL)
    if wait_all and len(set(objects)) != len(objects):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    return process.desktop.queue().wait(
        objects,
        wake_mask,
        None if milliseconds == INFINITE else milliseconds / 1000,
        process,
        wait_all=wait_all,
        alertable=bool(flags & MWMO_ALERTABLE),
        available=bool(flags & MWMO_INPUTAVAILABLE),
    )


@exported
def MsgWaitForMultipleObjects(handles: Sequence[int] | None, wait_all: bool, milliseconds: int, wake_mask: int) -> int:
    """Wait until one of up to 63 objects is signalled, or all are, or a new message has come.

    Args:
        wait_all: all objects and a message.
        milliseconds: INFINITE for no limit, 0 to look only.
        wake_mask: QS_ kinds of messages that count. Those that the thread has looked for since they came are not new.

    Returns:
        WAIT_OBJECT_0 plus the index of the object; plus the number of objects for a message, which stays in the queue;
        WAIT_ABANDONED_0 plus the index of a mutex; WAIT_TIMEOUT.

    Raises:
        WinsockError: ERROR_INVALID_PARAMETER, more than 63 objects; ERROR_INVALID_HANDLE. To C: WAIT_FAILED.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-msgwaitformultipleobjects
    """
    flags = MWMO_WAITALL if wait_all else 0
    return _wait(current_process(), handles, milliseconds, wake_mask, flags)


@exported
def MsgWaitForMultipleObjectsEx(handles: Sequence[int] | None, milliseconds: int, wake_mask: int, flags: int) -> int:
    """As MsgWaitForMultipleObjects.

    Args:
        flags: MWMO_WAITALL; MWMO_ALERTABLE, APCs may end it with WAIT_IO_COMPLETION; MWMO_INPUTAVAILABLE, messages that
            the thread has looked for already count, too.

    Raises:
        WinsockError: ERROR_INVALID_PARAMETER, more than 63 objects or other flags; ERROR_INVALID_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-msgwaitformultipleobjectsex
    """
    return _wait(current_process(), handles, milliseconds, wake_mask, flags)


@exported
def WaitMessage() -> None:
    """Wait for a new message, and leave it in the queue. Messages that other threads send are received meanwhile.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-waitmessage
    """
    process = current_process()
    queue = process.desktop.queue()
    while True:
        queue.receive_sent()
        queue.wait((), QS_ALLINPUT, None, process)
        if queue.seen(QS_ALLINPUT) & QS_ALLINPUT & ~QS_SENDMESSAGE:
            return


@exported
def GetQueueStatus(flags: int) -> int:
    """What is in the queue: in the low word kinds that are new, in the high word kinds that are there.

    Args:
        flags: the QS_ kinds to look for; they are not new any more afterwards.

    Raises:
        WinsockError: ERROR_INVALID_FLAGS.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getqueuestatus
    """
    if flags & ~_KINDS:
        raise WinsockError(ERROR_INVALID_FLAGS)
    queue = current_process().desktop.queue()
    present = queue.present() & flags
    return present << 16 | queue.seen(flags)
