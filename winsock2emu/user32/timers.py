"""Timers that tell by a message.

Part played:     SetTimer and KillTimer of winuser.h.
Lives elsewhere: when WM_TIMER is made (kernel/messages), calling a timer's routine (procedures).
Sources:         "Timers" and the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..defs.codes import ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER
from ..defs.windows import USER_TIMER_MAXIMUM, USER_TIMER_MINIMUM
from ..errors import WinsockError, exported
from ..kernel.messages import MessageQueue
from ..kernel.windows import Desktop
from ..process import current_process


def _queue(desktop: Desktop, window: int | None) -> MessageQueue:
    """The calling thread's queue, checked against the window of a timer."""
    queue = desktop.queue()
    if window and desktop.window(window).queue is not queue:
        raise WinsockError(ERROR_ACCESS_DENIED)
    return queue


@exported
def SetTimer(
    window: int | None, identifier: int, elapse: int, routine: Callable[[int, int, int, int], Any] | None = None
) -> int:
    """Have WM_TIMER come every so many milliseconds, when nothing else is in the queue.

    Args:
        window: a window of the calling thread, or None or 0.
        identifier: with a window: names the timer, and replaces one of that name. Without: a timer to replace.
        elapse: at least 10 ms.
        routine: what DispatchMessage calls instead of the window procedure: window, WM_TIMER, identifier, tick count.

    Returns:
        The identifier; with a window any number but 0.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE; ERROR_ACCESS_DENIED, another thread's window.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-settimer
    """
    hwnd = window or 0
    queue = _queue(current_process().desktop, hwnd)
    if not hwnd and queue.timer(0, identifier) is None:
        identifier = queue.free_timer_identifier()
    milliseconds = min(max(elapse, USER_TIMER_MINIMUM), USER_TIMER_MAXIMUM)
    queue.set_timer(hwnd, identifier, milliseconds, routine or 0)
    return identifier or 1


@exported
def KillTimer(window: int | None, identifier: int) -> None:
    """End a timer.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE; ERROR_ACCESS_DENIED, another thread's window;
            ERROR_INVALID_PARAMETER, no such timer.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-killtimer
    """
    queue = _queue(current_process().desktop, window)
    if not queue.kill_timer(window or 0, identifier):
        raise WinsockError(ERROR_INVALID_PARAMETER)
