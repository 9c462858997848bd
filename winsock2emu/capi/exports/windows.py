"""Messages and windows for C programs.

Part played:     the exports of user32.dll that a program without a display needs, in both forms.
Lives elsewhere: the behaviour (user32). All other exports of user32 are listed, not written (capi.table).
Procedures:      a C function is an address that can be called (`WindowProcedure`); so it stays the number that a
                 program has given and finds again with GetWindowLongPtr. It gets a CREATESTRUCT in the form, A or W,
                 of the function that has made it known.
Sources:         winuser.h: ns-winuser-msg, -wndclassexw, -wndclassw, -createstructw and the functions' pages on
                 Microsoft Learn.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any, Final

from ... import user32
from ...defs.codes import ERROR_INVALID_PARAMETER, ERROR_NOACCESS
from ...defs.constants import MAXIMUM_WAIT_OBJECTS
from ...defs.windows import ERROR_INVALID_WINDOW_HANDLE, GWLP_WNDPROC, WM_QUIT
from ...errors import WinsockError
from .. import memory
from ..threads import made_by_c
from .kernel32.waiting import handles_at

__all__ = [
    "CreateWindowExA",
    "CreateWindowExW",
    "DefWindowProcA",
    "DefWindowProcW",
    "DestroyWindow",
    "DispatchMessageA",
    "DispatchMessageW",
    "GetMessageA",
    "GetMessageW",
    "GetWindowLongPtrA",
    "GetWindowLongPtrW",
    "IsWindow",
    "KillTimer",
    "MsgWaitForMultipleObjects",
    "MsgWaitForMultipleObjectsEx",
    "PeekMessageA",
    "PeekMessageW",
    "PostMessageA",
    "PostMessageW",
    "PostQuitMessage",
    "PostThreadMessageA",
    "PostThreadMessageW",
    "RegisterClassA",
    "RegisterClassExA",
    "RegisterClassExW",
    "RegisterClassW",
    "RegisterWindowMessageA",
    "RegisterWindowMessageW",
    "SendMessageA",
    "SendMessageW",
    "SetTimer",
    "SetWindowLongPtrA",
    "SetWindowLongPtrW",
    "TranslateMessage",
    "UnregisterClassA",
    "UnregisterClassW",
]

_MSG: Final = struct.Struct("<QI4xQqI2i4x")  # hwnd, message, wParam, lParam, time, pt
_WNDCLASS: Final = struct.Struct("<I4xQ2i6Q")  # style, procedure, extras, instance, icon, cursor, brush, menu, name
_WNDCLASSEX: Final = struct.Struct("<2IQ2i7Q")  # its size, then as WNDCLASS, and the small icon
_CREATESTRUCT: Final = struct.Struct(
    "<4Q4iI4x2QI4x"
)  # params, instance, menu, parent; cy, cx, y, x, style; names, exstyle
_NAMES: Final = 56  # lpszName and lpszClass in it

_WNDPROC: Final = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int64)
_TIMERPROC: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint32)

_ATOMS: Final = 0x10000  # a pointer below is an atom

Decode = Callable[[int], "str | None"]
Encode = Callable[[str], bytes]


class WindowProcedure(int):
    """A window procedure in C: its address, and callable.

    Attributes:
        encode: the form of the texts that it gets.
    """

    encode: Encode
    _function: Any

    def __new__(cls, address: int, encode: Encode) -> WindowProcedure:
        self = super().__new__(cls, address)
        self.encode = encode
        self._function = _WNDPROC(address)
        return self

    def __call__(self, window: int, message: int, wparam: Any, lparam: Any) -> int:
        """Call it; it may be told of a creation by a record."""
        if isinstance(lparam, user32.CREATESTRUCT):
            placed = self._creation(lparam)
            return int(self._function(window, message, wparam, ctypes.addressof(placed)))
        return int(self._function(window, message, wparam, lparam))

    def _creation(self, record: user32.CREATESTRUCT) -> Any:
        block = memory.Block()
        block.add(
            _CREATESTRUCT.pack(
                record.create_params or 0,
                record.instance,
                record.menu,
                record.parent & 0xFFFFFFFFFFFFFFFF,
                record.cy,
                record.cx,
                record.y,
                record.x,
                record.style,
                0,
                record.class_name if isinstance(record.class_name, int) else 0,
                record.ex_style,
            )
        )
        for place, text in ((_NAMES, record.name), (_NAMES + 8, record.class_name)):
            if isinstance(text, str):
                block.point(place, block.add(self.encode(text), 2))
        return block.place()


class _TimerRoutine(int):
    """A timer's routine in C: its address, and callable."""

    def __call__(self, window: int, message: int, identifier: int, ticks: int) -> None:
        """Call it."""
        _TIMERPROC(int(self))(window, message, identifier, ticks)


_thunks: dict[Any, Any] = {}


def _address_of(procedure: Any) -> int:
    """The address of a procedure; one that is no C function is made one, for ever."""
    if isinstance(procedure, int):
        return procedure
    thunk = _thunks.get(procedure)
    if thunk is None:
        thunk = _thunks.setdefault(procedure, _WNDPROC(lambda *args: int(procedure(*args) or 0)))
    return ctypes.cast(thunk, ctypes.c_void_p).value or 0


def _name(pointer: int, decode: Decode) -> str | int | None:
    """A class by name or atom, None for NULL."""
    return decode(pointer) if pointer >= _ATOMS else pointer or None


def _known_name(pointer: int, decode: Decode) -> str | int:
    return _name(pointer, decode) or ""


def _out(pointer: int) -> int:
    """A pointer that has to lead somewhere."""
    if pointer < memory.LOWEST:
        raise WinsockError(ERROR_NOACCESS)
    return pointer


def _load(pointer: int) -> user32.MSG:
    hwnd, message, wparam, lparam, time, *point = _MSG.unpack(memory.read(_out(pointer), _MSG.size) or b"")
    return user32.MSG(hwnd, message, wparam, lparam, time, (point[0], point[1]))


def _store(pointer: int, message: user32.MSG) -> None:
    wparam, lparam = message.wparam & 0xFFFFFFFFFFFFFFFF, _signed(message.lparam)
    memory.write(pointer, _MSG.pack(message.hwnd, message.message, wparam, lparam, message.time, *message.point))


def _signed(value: int) -> int:
    """An LPARAM from a number of either sign."""
    value &= 0xFFFFFFFFFFFFFFFF
    return value - (value >> 63 << 64)


# Classes


def _register(fields: tuple[int, ...], decode: Decode, encode: Encode) -> int:
    style, procedure, cls_extra, wnd_extra, instance, _icon, _cursor, _brush, _menu, name = fields
    record = user32.WNDCLASSEX(
        wndproc=WindowProcedure(procedure, encode) if procedure else None,
        class_name=_name(name, decode),
        style=style,
        cls_extra=cls_extra,
        wnd_extra=wnd_extra,
        instance=instance,
    )
    return user32.RegisterClassEx(record)


def _register_plain(pointer: int, decode: Decode, encode: Encode) -> int:
    return _register(_WNDCLASS.unpack(memory.read(_out(pointer), _WNDCLASS.size) or b""), decode, encode)


def _register_ex(pointer: int, decode: Decode, encode: Encode) -> int:
    size, *fields, _small_icon = _WNDCLASSEX.unpack(memory.read(_out(pointer), _WNDCLASSEX.size) or b"")
    if size != _WNDCLASSEX.size:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    return _register(tuple(fields), decode, encode)


def RegisterClassA(lpWndClass: int) -> int:
    return _register_plain(lpWndClass, memory.ansi, memory.to_ansi)


def RegisterClassW(lpWndClass: int) -> int:
    return _register_plain(lpWndClass, memory.wide, memory.to_wide)


def RegisterClassExA(lpWndClass: int) -> int:
    return _register_ex(lpWndClass, memory.ansi, memory.to_ansi)


def RegisterClassExW(lpWndClass: int) -> int:
    return _register_ex(lpWndClass, memory.wide, memory.to_wide)


def UnregisterClassA(lpClassName: int, hInstance: int) -> int:
    user32.UnregisterClass(_known_name(lpClassName, memory.ansi), hInstance)
    return 1


def UnregisterClassW(lpClassName: int, hInstance: int) -> int:
    user32.UnregisterClass(_known_name(lpClassName, memory.wide), hInstance)
    return 1


def RegisterWindowMessageA(lpString: int) -> int:
    return user32.RegisterWindowMessage(memory.ansi(lpString))


def RegisterWindowMessageW(lpString: int) -> int:
    return user32.RegisterWindowMessage(memory.wide(lpString))


# Windows


def CreateWindowExA(
    dwExStyle: int,
    lpClassName: int,
    lpWindowName: int,
    dwStyle: int,
    X: int,
    Y: int,
    nWidth: int,
    nHeight: int,
    hWndParent: int,
    hMenu: int,
    hInstance: int,
    lpParam: int,
) -> int:
    made_by_c()
    name, title = _known_name(lpClassName, memory.ansi), memory.ansi(lpWindowName)
    place = (X, Y, nWidth, nHeight)
    return user32.CreateWindowEx(dwExStyle, name, title, dwStyle, *place, hWndParent, hMenu, hInstance, lpParam)


def CreateWindowExW(
    dwExStyle: int,
    lpClassName: int,
    lpWindowName: int,
    dwStyle: int,
    X: int,
    Y: int,
    nWidth: int,
    nHeight: int,
    hWndParent: int,
    hMenu: int,
    hInstance: int,
    lpParam: int,
) -> int:
    made_by_c()
    name, title = _known_name(lpClassName, memory.wide), memory.wide(lpWindowName)
    place = (X, Y, nWidth, nHeight)
    return user32.CreateWindowEx(dwExStyle, name, title, dwStyle, *place, hWndParent, hMenu, hInstance, lpParam)


def DestroyWindow(hWnd: int) -> int:
    made_by_c()
    user32.DestroyWindow(hWnd)
    return 1


def IsWindow(hWnd: int) -> int:
    if not user32.IsWindow(hWnd):
        raise WinsockError(ERROR_INVALID_WINDOW_HANDLE)
    return 1


def GetWindowLongPtrA(hWnd: int, nIndex: int) -> int:
    return _kept(user32.GetWindowLongPtr(hWnd, nIndex))


def GetWindowLongPtrW(hWnd: int, nIndex: int) -> int:
    return _kept(user32.GetWindowLongPtr(hWnd, nIndex))


def SetWindowLongPtrA(hWnd: int, nIndex: int, dwNewLong: int) -> int:
    return _set_kept(hWnd, nIndex, dwNewLong, memory.to_ansi)


def SetWindowLongPtrW(hWnd: int, nIndex: int, dwNewLong: int) -> int:
    return _set_kept(hWnd, nIndex, dwNewLong, memory.to_wide)


def _kept(value: Any) -> int:
    return _signed(_address_of(value))


def _set_kept(window: int, index: int, value: int, encode: Encode) -> int:
    made_by_c()
    if index == GWLP_WNDPROC and value:
        return _kept(user32.SetWindowLongPtr(window, index, WindowProcedure(value, encode)))
    return _kept(user32.SetWindowLongPtr(window, index, value))


# Messages


def _get(pointer: int, window: int, first: int, last: int) -> int:
    made_by_c()
    _out(pointer)
    message = user32.GetMessage(window, first, last)
    _store(pointer, message)
    return int(message.message != WM_QUIT)


def GetMessageA(lpMsg: int, hWnd: int, wMsgFilterMin: int, wMsgFilterMax: int) -> int:
    return _get(lpMsg, hWnd, wMsgFilterMin, wMsgFilterMax)


def GetMessageW(lpMsg: int, hWnd: int, wMsgFilterMin: int, wMsgFilterMax: int) -> int:
    return _get(lpMsg, hWnd, wMsgFilterMin, wMsgFilterMax)


def _peek(pointer: int, window: int, first: int, last: int, flags: int) -> int:
    made_by_c()
    _out(pointer)
    message = user32.PeekMessage(window, first, last, flags)
    if message is None:
        return 0
    _store(pointer, message)
    return 1


def PeekMessageA(lpMsg: int, hWnd: int, wMsgFilterMin: int, wMsgFilterMax: int, wRemoveMsg: int) -> int:
    return _peek(lpMsg, hWnd, wMsgFilterMin, wMsgFilterMax, wRemoveMsg)


def PeekMessageW(lpMsg: int, hWnd: int, wMsgFilterMin: int, wMsgFilterMax: int, wRemoveMsg: int) -> int:
    return _peek(lpMsg, hWnd, wMsgFilterMin, wMsgFilterMax, wRemoveMsg)


def PostMessageA(hWnd: int, Msg: int, wParam: int, lParam: int) -> int:
    made_by_c()  # without a window it is for the calling thread
    user32.PostMessage(hWnd, Msg, wParam, lParam)
    return 1


def PostMessageW(hWnd: int, Msg: int, wParam: int, lParam: int) -> int:
    made_by_c()
    user32.PostMessage(hWnd, Msg, wParam, lParam)
    return 1


def PostThreadMessageA(idThread: int, Msg: int, wParam: int, lParam: int) -> int:
    user32.PostThreadMessage(idThread, Msg, wParam, lParam)
    return 1


def PostThreadMessageW(idThread: int, Msg: int, wParam: int, lParam: int) -> int:
    user32.PostThreadMessage(idThread, Msg, wParam, lParam)
    return 1


def PostQuitMessage(nExitCode: int) -> None:
    made_by_c()
    user32.PostQuitMessage(nExitCode)


def SendMessageA(hWnd: int, Msg: int, wParam: int, lParam: int) -> int:
    made_by_c()
    return user32.SendMessage(hWnd, Msg, wParam, lParam)


def SendMessageW(hWnd: int, Msg: int, wParam: int, lParam: int) -> int:
    made_by_c()
    return user32.SendMessage(hWnd, Msg, wParam, lParam)


def DispatchMessageA(lpMsg: int) -> int:
    made_by_c()
    return user32.DispatchMessage(_load(lpMsg))


def DispatchMessageW(lpMsg: int) -> int:
    made_by_c()
    return user32.DispatchMessage(_load(lpMsg))


def TranslateMessage(lpMsg: int) -> int:
    return int(user32.TranslateMessage(_load(lpMsg)))


def DefWindowProcA(hWnd: int, Msg: int, wParam: int, lParam: int) -> int:
    made_by_c()
    return user32.DefWindowProc(hWnd, Msg, wParam, lParam)


def DefWindowProcW(hWnd: int, Msg: int, wParam: int, lParam: int) -> int:
    made_by_c()
    return user32.DefWindowProc(hWnd, Msg, wParam, lParam)


# Waiting and timers


def _handles(count: int, array: int) -> list[int]:
    """The handles of an array that may be empty; more than a wait takes are not read."""
    if count >= MAXIMUM_WAIT_OBJECTS:
        return [0] * MAXIMUM_WAIT_OBJECTS
    handles = handles_at(count, array)
    if handles is None:
        raise WinsockError(ERROR_NOACCESS)
    return handles


def MsgWaitForMultipleObjects(nCount: int, pHandles: int, fWaitAll: int, dwMilliseconds: int, dwWakeMask: int) -> int:
    made_by_c()
    return user32.MsgWaitForMultipleObjects(_handles(nCount, pHandles), bool(fWaitAll), dwMilliseconds, dwWakeMask)


def MsgWaitForMultipleObjectsEx(nCount: int, pHandles: int, dwMilliseconds: int, dwWakeMask: int, dwFlags: int) -> int:
    made_by_c()
    return user32.MsgWaitForMultipleObjectsEx(_handles(nCount, pHandles), dwMilliseconds, dwWakeMask, dwFlags)


def SetTimer(hWnd: int, nIDEvent: int, uElapse: int, lpTimerFunc: int) -> int:
    made_by_c()
    routine = _TimerRoutine(lpTimerFunc) if lpTimerFunc else None
    return user32.SetTimer(hWnd, nIDEvent, uElapse, routine)


def KillTimer(hWnd: int, uIDEvent: int) -> int:
    made_by_c()
    user32.KillTimer(hWnd, uIDEvent)
    return 1
