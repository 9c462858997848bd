"""Taking messages and posting them.

Part played:     GetMessage, PeekMessage, PostMessage, PostThreadMessage, PostQuitMessage of winuser.h.
Lives here:      what a window handle means to these functions; which messages cannot be posted.
Lives elsewhere: the queue and its order (kernel/messages), messages that the sender waits for (sending).
Sources:         "About Messages and Message Queues" and the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

from typing import Any, Final

from ..defs.codes import ERROR_NOT_ENOUGH_QUOTA
from ..defs.windows import (
    ERROR_MESSAGE_SYNC_ONLY,
    HWND_BROADCAST,
    PM_REMOVE,
    WM_COPYDATA,
    WM_CREATE,
    WM_GETMINMAXINFO,
    WM_GETTEXT,
    WM_HELP,
    WM_NCCALCSIZE,
    WM_NCCREATE,
    WM_SETTEXT,
    WM_STYLECHANGED,
    WM_STYLECHANGING,
    WM_WINDOWPOSCHANGED,
    WM_WINDOWPOSCHANGING,
)
from ..errors import WinsockError, exported
from ..kernel.messages import EVERY_MESSAGE, MSG, Filter
from ..kernel.windows import Desktop
from ..process import current_process

_THREAD_ONLY: Final = (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, -1)  # a window handle of -1

_WITH_POINTERS: Final = frozenset(
    {
        WM_COPYDATA,
        WM_CREATE,
        WM_GETMINMAXINFO,
        WM_GETTEXT,
        WM_HELP,
        WM_NCCALCSIZE,
        WM_NCCREATE,
        WM_SETTEXT,
        WM_STYLECHANGED,
        WM_STYLECHANGING,
        WM_WINDOWPOSCHANGED,
        WM_WINDOWPOSCHANGING,
    }
)
"""Messages of the system whose parameters point to memory that is gone when a post has returned."""


def _filter(desktop: Desktop, window: int | None, first: int, last: int, kinds: int = 0) -> Filter:
    """What the arguments of GetMessage ask for; ``kinds``: QS_ bits, 0 for all.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE.
    """
    if not window:
        if not first and not last and not kinds:
            return EVERY_MESSAGE
        windows = None
    elif window in _THREAD_ONLY:
        windows = frozenset((0,))
    else:
        windows = frozenset(desktop.family(desktop.window(window).hwnd))
    return Filter(windows, first, last, kinds or EVERY_MESSAGE.kinds)


def check_asynchronous(message: int) -> None:
    """Raise ERROR_MESSAGE_SYNC_ONLY for a message whose parameters are pointers."""
    if message in _WITH_POINTERS:
        raise WinsockError(ERROR_MESSAGE_SYNC_ONLY)


@exported
def GetMessage(window: int | None = None, first: int = 0, last: int = 0) -> MSG:
    """Wait for a message of the calling thread and take it. Messages that other threads send are received meanwhile.

    Args:
        window: None or 0 for all, -1 for messages to the thread only, else a window and those below it.
        first, last: the range of messages that count; 0 and 0 for all. WM_QUIT always counts.

    Returns:
        The message; the C function's result is 0 when it is WM_QUIT.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE (C: -1).
        Exception: what a window procedure raised that another thread had sent a message to.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmessage
    """
    process = current_process()
    desktop = process.desktop
    return desktop.queue().get(_filter(desktop, window, first, last), process)


@exported
def PeekMessage(window: int | None = None, first: int = 0, last: int = 0, flags: int = PM_REMOVE) -> MSG | None:
    """Take a message, or look at one, if there is one.

    Args:
        window, first, last: as for GetMessage.
        flags: PM_REMOVE, or PM_NOREMOVE to leave it there; PM_QS_ bits for the kinds that count.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-peekmessagew
    """
    process = current_process()
    desktop = process.desktop
    wanted = _filter(desktop, window, first, last, flags >> 16 & 0xFFFF)
    return desktop.queue().peek(wanted, process, remove=bool(flags & PM_REMOVE))


@exported
def PostMessage(window: int | None, message: int, wparam: Any = 0, lparam: Any = 0) -> None:
    """Put a message into the queue of a window's thread and return.

    Args:
        window: None or 0 posts to the calling thread; HWND_BROADCAST to all top-level windows.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE; ERROR_NOT_ENOUGH_QUOTA, 10 000 messages are there;
            ERROR_MESSAGE_SYNC_ONLY, a message of the system whose parameters are pointers.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-postmessagew
    """
    check_asynchronous(message)
    desktop = current_process().desktop
    if not window:
        desktop.queue().post(MSG(0, message, wparam, lparam))
    elif window == HWND_BROADCAST:
        for one in desktop.top_level():
            try:
                one.queue.post(MSG(one.hwnd, message, wparam, lparam))
            except WinsockError as failure:
                if failure.winerror != ERROR_NOT_ENOUGH_QUOTA:
                    raise
    else:
        desktop.post(window, message, wparam, lparam)


@exported
def PostThreadMessage(thread: int, message: int, wparam: Any = 0, lparam: Any = 0) -> None:
    """Put a message that is for no window into the queue of a thread.

    Raises:
        WinsockError: ERROR_INVALID_THREAD_ID, no such thread, or it has never asked for messages or made a window;
            ERROR_NOT_ENOUGH_QUOTA; ERROR_MESSAGE_SYNC_ONLY.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-postthreadmessagew
    """
    check_asynchronous(message)
    desktop = current_process().desktop
    desktop.queue_of_thread(thread).post(MSG(0, message, wparam, lparam))


@exported
def PostQuitMessage(exit_code: int) -> None:
    """Have the calling thread get WM_QUIT with this code once no posted message is left.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-postquitmessage
    """
    current_process().desktop.queue().post_quit(exit_code)
