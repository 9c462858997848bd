"""What is done with a message that has been taken: dispatch, translation, the default procedure.

Part played:     DispatchMessage, TranslateMessage, DefWindowProc, CallWindowProc of winuser.h.
Lives elsewhere: taking messages (messages), destroying a window (windows).
Default:         as far as windows go that nobody sees: WM_CLOSE destroys the window, WM_NCCREATE agrees, all else is 0.
Sources:         "Window Procedures" and the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

from typing import Any, Final

from ..defs.windows import (
    ERROR_MESSAGE_SYNC_ONLY,
    WM_CLOSE,
    WM_KEYDOWN,
    WM_KEYUP,
    WM_NCCREATE,
    WM_QUERYENDSESSION,
    WM_QUERYOPEN,
    WM_SYSKEYDOWN,
    WM_SYSKEYUP,
    WM_TIMER,
)
from ..errors import WinsockError, exported
from ..kernel.messages import MSG, Procedure, call_procedure, ticks
from ..process import current_process
from .destroying import destroy

_AGREED: Final = (WM_NCCREATE, WM_QUERYENDSESSION, WM_QUERYOPEN)
_KEYS: Final = (WM_KEYDOWN, WM_KEYUP, WM_SYSKEYDOWN, WM_SYSKEYUP)


@exported
def DispatchMessage(message: MSG) -> int:
    """Call the procedure of the window that a message is for, or the routine of a timer; returns what it returns.

    A message to the thread, and one for a window that is gone, calls nobody: 0.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE; ERROR_MESSAGE_SYNC_ONLY, another thread's window.
        Exception: what the procedure raised.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-dispatchmessage
    """
    desktop = current_process().desktop
    queue = desktop.queue()
    if message.message == WM_TIMER and message.lparam:
        timer = queue.timer(message.hwnd, message.wparam)
        if timer is None or timer.routine != message.lparam:
            return 0
        call_procedure(timer.routine, message.hwnd, WM_TIMER, message.wparam, ticks())
        return 0
    if not message.hwnd:
        return 0
    window = desktop.window(message.hwnd)
    if window.queue is not queue:
        raise WinsockError(ERROR_MESSAGE_SYNC_ONLY)
    return window.call(message.message, message.wparam, message.lparam)


@exported
def TranslateMessage(message: MSG) -> bool:
    """Make characters of key messages; there is no keyboard, so none come out, but a key message gives True.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-translatemessage
    """
    return message.message in _KEYS


@exported
def DefWindowProc(window: int, message: int, wparam: Any, lparam: Any) -> int:
    """What a window procedure calls for the messages that it does nothing about.

    It may have destroyed the window before, so a window that is gone is no error here: 0.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-defwindowprocw
    """
    process = current_process()
    found = process.desktop.windows.get(window)
    if found is None:
        return 0
    if message == WM_CLOSE:
        destroy(process.desktop, found)
    return int(message in _AGREED)


@exported
def CallWindowProc(procedure: Procedure, window: int, message: int, wparam: Any, lparam: Any) -> int:
    """Pass a message on to a procedure that another one has replaced.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-callwindowprocw
    """
    return call_procedure(procedure, window, message, wparam, lparam)
