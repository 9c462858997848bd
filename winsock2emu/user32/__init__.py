"""Messages and windows that nobody sees, under the names of user32.dll.

What a program needs that is told by messages: WSAAsyncSelect, WSAAsyncGetHostByName and their like, timers. A window is
an int, a window procedure a callable (window, message, wparam, lparam) -> int. Out-parameters are returned and failures
raise `WinsockError`, as in ws2_32. There is no display, and nothing that has to do with one.
"""

from ..kernel.messages import MSG
from .classes import WNDCLASSEX, RegisterClass, RegisterClassEx, RegisterWindowMessage, UnregisterClass
from .messages import GetMessage, PeekMessage, PostMessage, PostQuitMessage, PostThreadMessage
from .procedures import CallWindowProc, DefWindowProc, DispatchMessage, TranslateMessage
from .sending import SendMessage, SendMessageTimeout, SendNotifyMessage
from .timers import KillTimer, SetTimer
from .waiting import GetQueueStatus, MsgWaitForMultipleObjects, MsgWaitForMultipleObjectsEx, WaitMessage
from .windows import (
    CREATESTRUCT,
    CreateWindowEx,
    DestroyWindow,
    FindWindow,
    FindWindowEx,
    GetWindowLongPtr,
    GetWindowThreadProcessId,
    IsWindow,
    SetWindowLongPtr,
)

__all__ = [
    "CREATESTRUCT",
    "MSG",
    "WNDCLASSEX",
    "CallWindowProc",
    "CreateWindowEx",
    "DefWindowProc",
    "DestroyWindow",
    "DispatchMessage",
    "FindWindow",
    "FindWindowEx",
    "GetMessage",
    "GetQueueStatus",
    "GetWindowLongPtr",
    "GetWindowThreadProcessId",
    "IsWindow",
    "KillTimer",
    "MsgWaitForMultipleObjects",
    "MsgWaitForMultipleObjectsEx",
    "PeekMessage",
    "PostMessage",
    "PostQuitMessage",
    "PostThreadMessage",
    "RegisterClass",
    "RegisterClassEx",
    "RegisterWindowMessage",
    "SendMessage",
    "SendMessageTimeout",
    "SendNotifyMessage",
    "SetTimer",
    "SetWindowLongPtr",
    "TranslateMessage",
    "UnregisterClass",
    "WaitMessage",
]
