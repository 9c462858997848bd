"""Sending messages: the window procedure is called before the sender goes on.

Part played:     SendMessage, SendMessageTimeout, SendNotifyMessage of winuser.h.
Lives elsewhere: the hand-over between threads (kernel/messages).
Threads:         a window's procedure runs in its own thread only. A sender in another thread waits until that one asks
                 for messages or sends some itself, and receives what is sent to its own windows meanwhile.
Sources:         the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

from typing import Any

from ..defs.codes import ERROR_TIMEOUT
from ..defs.windows import ERROR_INVALID_WINDOW_HANDLE, HWND_BROADCAST, SMTO_BLOCK
from ..errors import WinsockError, exported
from ..kernel.messages import SentMessage
from ..kernel.windows import Window
from ..process import Process, current_process
from .messages import check_asynchronous


@exported
def SendMessage(window: int, message: int, wparam: Any = 0, lparam: Any = 0) -> int:
    """Call a window's procedure, in its thread, and return what it returns.

    Args:
        window: HWND_BROADCAST calls those of all top-level windows; the result is 1 then.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE, also when the window goes before it has been asked.
        Exception: what the procedure raised, in the thread that it ran in.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-sendmessagew
    """
    process = current_process()
    if window == HWND_BROADCAST:
        for one in process.desktop.top_level():
            if not one.gone:
                _send(process, one, message, wparam, lparam)
        return 1
    return _send(process, process.desktop.window(window), message, wparam, lparam)


@exported
def SendMessageTimeout(window: int, message: int, wparam: Any, lparam: Any, flags: int, timeout: int) -> int:
    """As SendMessage, but to a window of another thread the wait ends after some milliseconds.

    Args:
        flags: SMTO_BLOCK: nothing is received meanwhile. No thread counts as hung here, so the others change nothing.

    Raises:
        WinsockError: ERROR_TIMEOUT; ERROR_INVALID_WINDOW_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-sendmessagetimeoutw
    """
    process = current_process()
    found = process.desktop.window(window)
    return _send(process, found, message, wparam, lparam, timeout / 1000, block=bool(flags & SMTO_BLOCK))


@exported
def SendNotifyMessage(window: int, message: int, wparam: Any = 0, lparam: Any = 0) -> None:
    """As SendMessage for a window of the calling thread; for another one it returns at once.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE; ERROR_MESSAGE_SYNC_ONLY, a message of the system whose parameters
            are pointers.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-sendnotifymessagew
    """
    check_asynchronous(message)
    desktop = current_process().desktop
    found = desktop.window(window)
    if found.queue is desktop.queue():
        found.call(message, wparam, lparam)
    else:
        found.queue.send(SentMessage(found, message, wparam, lparam, notify=True))


def _send(
    process: Process,
    window: Window,
    message: int,
    wparam: Any,
    lparam: Any,
    timeout_s: float | None = None,
    *,
    block: bool = False,
) -> int:
    mine = process.desktop.queue()
    if window.queue is mine:
        return window.call(message, wparam, lparam)
    sent = SentMessage(window, message, wparam, lparam, notify=False)
    window.queue.send(sent)
    if not mine.wait_for_answer(sent, timeout_s, process, block=block):
        raise WinsockError(ERROR_TIMEOUT)
    if sent.lost:
        raise WinsockError(ERROR_INVALID_WINDOW_HANDLE)
    return sent.result
