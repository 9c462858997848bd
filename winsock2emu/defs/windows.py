"""Numbers of winuser.h that programs without a display need: messages, queue states, window indices, their errors.

Part played:     the part of winuser.h and winerror.h behind message queues and windows.
Lives elsewhere: all codes and constants of the Winsock headers (codes, constants).
Sources:         the pages of each function and message under "Windows and Messages" on Microsoft Learn.
"""

from __future__ import annotations

from typing import Final

# Windows that are none.
HWND_BROADCAST: Final = 0xFFFF
HWND_MESSAGE: Final = -3

# Messages.
WM_NULL: Final = 0x0000
WM_CREATE: Final = 0x0001
WM_DESTROY: Final = 0x0002
WM_SETTEXT: Final = 0x000C
WM_GETTEXT: Final = 0x000D
WM_CLOSE: Final = 0x0010
WM_QUERYENDSESSION: Final = 0x0011
WM_QUIT: Final = 0x0012
WM_QUERYOPEN: Final = 0x0013
WM_GETMINMAXINFO: Final = 0x0024
WM_WINDOWPOSCHANGING: Final = 0x0046
WM_WINDOWPOSCHANGED: Final = 0x0047
WM_COPYDATA: Final = 0x004A
WM_HELP: Final = 0x0053
WM_STYLECHANGING: Final = 0x007C
WM_STYLECHANGED: Final = 0x007D
WM_NCCREATE: Final = 0x0081
WM_NCDESTROY: Final = 0x0082
WM_NCCALCSIZE: Final = 0x0083
WM_KEYDOWN: Final = 0x0100
WM_KEYUP: Final = 0x0101
WM_SYSKEYDOWN: Final = 0x0104
WM_SYSKEYUP: Final = 0x0105
WM_TIMER: Final = 0x0113
WM_USER: Final = 0x0400
WM_APP: Final = 0x8000

# What a queue holds.
QS_KEY: Final = 0x0001
QS_MOUSEMOVE: Final = 0x0002
QS_MOUSEBUTTON: Final = 0x0004
QS_POSTMESSAGE: Final = 0x0008
QS_TIMER: Final = 0x0010
QS_PAINT: Final = 0x0020
QS_SENDMESSAGE: Final = 0x0040
QS_HOTKEY: Final = 0x0080
QS_ALLPOSTMESSAGE: Final = 0x0100
QS_RAWINPUT: Final = 0x0400
QS_TOUCH: Final = 0x0800
QS_POINTER: Final = 0x1000
QS_MOUSE: Final = QS_MOUSEMOVE | QS_MOUSEBUTTON
QS_INPUT: Final = QS_MOUSE | QS_KEY | QS_RAWINPUT | QS_TOUCH | QS_POINTER
QS_ALLEVENTS: Final = QS_INPUT | QS_POSTMESSAGE | QS_TIMER | QS_PAINT | QS_HOTKEY
QS_ALLINPUT: Final = QS_ALLEVENTS | QS_SENDMESSAGE

# PeekMessage; the upper word may name kinds of QS_.
PM_NOREMOVE: Final = 0
PM_REMOVE: Final = 1
PM_NOYIELD: Final = 2
PM_QS_INPUT: Final = QS_INPUT << 16
PM_QS_PAINT: Final = QS_PAINT << 16
PM_QS_POSTMESSAGE: Final = (QS_POSTMESSAGE | QS_HOTKEY | QS_TIMER) << 16
PM_QS_SENDMESSAGE: Final = QS_SENDMESSAGE << 16

# MsgWaitForMultipleObjectsEx.
MWMO_WAITALL: Final = 1
MWMO_ALERTABLE: Final = 2
MWMO_INPUTAVAILABLE: Final = 4

# SendMessageTimeout.
SMTO_NORMAL: Final = 0
SMTO_BLOCK: Final = 1
SMTO_ABORTIFHUNG: Final = 2
SMTO_NOTIMEOUTIFNOTHUNG: Final = 8
SMTO_ERRORONEXIT: Final = 0x20

# GetWindowLongPtr.
GWLP_WNDPROC: Final = -4
GWLP_HINSTANCE: Final = -6
GWLP_HWNDPARENT: Final = -8
GWLP_ID: Final = -12
GWL_STYLE: Final = -16
GWL_EXSTYLE: Final = -20
GWLP_USERDATA: Final = -21

WS_CHILD: Final = 0x40000000
WS_OVERLAPPED: Final = 0
WS_POPUP: Final = 0x80000000
CW_USEDEFAULT: Final = -0x80000000

USER_TIMER_MINIMUM: Final = 10  # ms
USER_TIMER_MAXIMUM: Final = 0x7FFFFFFF

# Codes.
ERROR_INVALID_FLAGS: Final = 1004
ERROR_MESSAGE_SYNC_ONLY: Final = 1159
ERROR_INVALID_WINDOW_HANDLE: Final = 1400
ERROR_TLW_WITH_WSCHILD: Final = 1406
ERROR_CANNOT_FIND_WND_CLASS: Final = 1407
ERROR_CLASS_ALREADY_EXISTS: Final = 1410
ERROR_CLASS_DOES_NOT_EXIST: Final = 1411
ERROR_CLASS_HAS_WINDOWS: Final = 1412
ERROR_INVALID_INDEX: Final = 1413
ERROR_INVALID_THREAD_ID: Final = 1444

MESSAGES: Final[dict[int, str]] = {
    ERROR_INVALID_FLAGS: "Invalid flags.",
    ERROR_MESSAGE_SYNC_ONLY: "The message can be used only with synchronous operations.",
    ERROR_INVALID_WINDOW_HANDLE: "Invalid window handle.",
    ERROR_TLW_WITH_WSCHILD: "Cannot create a top-level child window.",
    ERROR_CANNOT_FIND_WND_CLASS: "Cannot find window class.",
    ERROR_CLASS_ALREADY_EXISTS: "Class already exists.",
    ERROR_CLASS_DOES_NOT_EXIST: "Class does not exist.",
    ERROR_CLASS_HAS_WINDOWS: "Class still has open windows.",
    ERROR_INVALID_INDEX: "Invalid index.",
    ERROR_INVALID_THREAD_ID: "Invalid thread identifier.",
}
