"""``win32gui``: message loops, which waits for events and WSAAsyncSelect stand beside.

Part played:     win32gui of pywin32, a small part.
Lives here:      the functions' names and forms.
Lives elsewhere: what they do (user32).
Missing:         windows and their classes, drawing, and whatever else is to be seen.
Sources:         pywin32's reference; types-pywin32.
"""

from __future__ import annotations

from typing import Any

from .. import user32
from ..defs.windows import PM_REMOVE, WM_QUIT
from ..kernel.messages import MSG
from ._pywin32 import told
from .pywintypes import error

__all__ = [
    "GetMessage",
    "PeekMessage",
    "PostMessage",
    "PostQuitMessage",
    "PostThreadMessage",
    "PumpMessages",
    "PumpWaitingMessages",
    "error",
]

Message = tuple[int, int, Any, Any, int, tuple[int, int]]
"""Window, message, wparam, lparam, time, and where the pointer was."""


def _told_as(message: MSG) -> Message:
    return message.hwnd, message.message, message.wparam, message.lparam, message.time, message.point


@told()
def GetMessage(window: int = 0, first: int = 0, last: int = 0, /) -> tuple[int, Message]:
    """Wait for a message: 0 for WM_QUIT and 1 for others, and the message."""
    message = user32.GetMessage(window, first, last)
    return int(message.message != WM_QUIT), _told_as(message)


@told()
def PeekMessage(window: int, first: int, last: int, options: int, /) -> tuple[int, Message]:
    """Look for a message: 1 and the message, or 0 and an empty one."""
    message = user32.PeekMessage(window, first, last, options)
    return (0, (0, 0, 0, 0, 0, (0, 0))) if message is None else (1, _told_as(message))


@told()
def PostMessage(window: int | None, message: int, wparam: Any = 0, lparam: Any = 0, /) -> None:
    """Put a message into the queue of a window's thread, or of this one."""
    user32.PostMessage(window, message, wparam, lparam)


@told()
def PostThreadMessage(thread: int, message: int, wparam: Any = 0, lparam: Any = 0, /) -> None:
    """Put a message into the queue of a thread."""
    user32.PostThreadMessage(thread, message, wparam, lparam)


@told()
def PostQuitMessage(exit_code: int = 0, /) -> None:
    """Have this thread's message loop end."""
    user32.PostQuitMessage(exit_code)


def PumpMessages() -> None:
    """Dispatch messages until WM_QUIT."""
    while (message := user32.GetMessage()).message != WM_QUIT:
        user32.TranslateMessage(message)
        user32.DispatchMessage(message)


def PumpWaitingMessages(first: int = 0, last: int = 0, /) -> int:
    """Dispatch the messages that are there: 1 when WM_QUIT was among them, else 0."""
    while (message := user32.PeekMessage(0, first, last, PM_REMOVE)) is not None:
        if message.message == WM_QUIT:
            return 1
        user32.TranslateMessage(message)
        user32.DispatchMessage(message)
    return 0
