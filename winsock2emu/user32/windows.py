"""Windows: making, destroying, finding, and what they keep for the program.

Part played:     CreateWindowEx, DestroyWindow, GetWindowLongPtr, FindWindow and their like of winuser.h.
Lives elsewhere: the tables (kernel/windows), the end of a window (destroying), messages (messages, sending).
No display:      every window behaves as one that is never shown. It is told WM_NCCREATE and WM_CREATE, and at its end
                 WM_DESTROY and WM_NCDESTROY; messages about size, place, looks and activation never come. With
                 HWND_MESSAGE as its parent it is also left out of broadcasts and searches.
Sources:         "Windows", "Window Features" (message-only windows) and the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

import os
from typing import Any, Final

import attrs

from ..defs.codes import ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER
from ..defs.windows import (
    ERROR_CANNOT_FIND_WND_CLASS,
    ERROR_INVALID_INDEX,
    ERROR_INVALID_WINDOW_HANDLE,
    ERROR_TLW_WITH_WSCHILD,
    GWL_EXSTYLE,
    GWL_STYLE,
    GWLP_HINSTANCE,
    GWLP_HWNDPARENT,
    GWLP_ID,
    GWLP_USERDATA,
    GWLP_WNDPROC,
    HWND_MESSAGE,
    WM_CREATE,
    WM_NCCREATE,
    WS_CHILD,
)
from ..errors import WinsockError, exported
from ..kernel.windows import Desktop, Window
from ..process import current_process
from .classes import find_class
from .destroying import destroy, finish, forget

_HANDLE: Final = 0xFFFFFFFF  # the significant bits of a window handle
_MESSAGE_PARENT: Final = HWND_MESSAGE & _HANDLE
_POINTER_SIZE: Final = 8


@attrs.frozen
class CREATESTRUCT:
    """The lparam of WM_NCCREATE and WM_CREATE: the arguments of CreateWindowEx."""

    create_params: Any
    instance: int
    menu: int
    parent: int
    cy: int
    cx: int
    y: int
    x: int
    style: int
    name: str | None
    class_name: str | int
    ex_style: int


@exported
def CreateWindowEx(
    ex_style: int,
    class_name: str | int,
    window_name: str | None,
    style: int,
    x: int,
    y: int,
    width: int,
    height: int,
    parent: int | None,
    menu: int | None,
    instance: int | None,
    param: Any = None,
) -> int:
    """Make a window of the calling thread. Its procedure gets WM_NCCREATE and WM_CREATE with a `CREATESTRUCT`.

    Args:
        class_name: a registered class, by name or atom.
        x, y, width, height: kept for nobody.
        parent: None or 0, a window, or HWND_MESSAGE for a window that exists for messages only.
        menu: the identifier of a child window.
        param: comes back in the structure.

    Returns:
        The handle; 0 when the procedure has refused or destroyed the window: WM_NCCREATE gave 0, or WM_CREATE -1. There
        is no code for that.

    Raises:
        WinsockError: ERROR_CANNOT_FIND_WND_CLASS; ERROR_INVALID_WINDOW_HANDLE, no such parent; ERROR_TLW_WITH_WSCHILD,
            WS_CHILD without a parent.
        Exception: what the procedure raised; there is no window then.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-createwindowexw
    """
    desktop = current_process().desktop
    kind = find_class(desktop, class_name)
    if kind is None:
        raise WinsockError(ERROR_CANNOT_FIND_WND_CLASS)
    above = (parent or 0) & _HANDLE
    message_only = above == _MESSAGE_PARENT
    if above and not message_only:
        message_only = desktop.window(above).message_only
    if style & WS_CHILD and not above:
        raise WinsockError(ERROR_TLW_WITH_WSCHILD)
    window = Window(
        hwnd=desktop.number(),
        kind=kind,
        queue=desktop.queue(),
        procedure=kind.procedure,
        parent=0 if above == _MESSAGE_PARENT else above,
        message_only=message_only,
        text=window_name or "",
        style=style & 0xFFFFFFFF,
        ex_style=ex_style & 0xFFFFFFFF,
        instance=instance or 0,
        identifier=menu or 0,
        extra=bytearray(kind.extra),
    )
    creation = CREATESTRUCT(
        create_params=param,
        instance=window.instance,
        menu=window.identifier,
        parent=parent or 0,
        cy=height,
        cx=width,
        y=y,
        x=x,
        style=window.style,
        name=window_name,
        class_name=class_name,
        ex_style=window.ex_style,
    )
    desktop.add(window)
    try:
        if not window.call(WM_NCCREATE, 0, creation):
            finish(desktop, window)
        elif window.call(WM_CREATE, 0, creation) & 0xFFFFFFFF == 0xFFFFFFFF:
            destroy(desktop, window)
    except BaseException:
        forget(desktop, window)
        raise
    return 0 if window.gone else window.hwnd


@exported
def DestroyWindow(window: int) -> None:
    """Destroy a window and those below it; the procedure gets WM_DESTROY and WM_NCDESTROY.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE; ERROR_ACCESS_DENIED, another thread's.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-destroywindow
    """
    desktop = current_process().desktop
    destroy(desktop, desktop.window(window))


@exported
def IsWindow(window: int) -> bool:
    """Whether a handle is that of a window; ERROR_INVALID_WINDOW_HANDLE is the last error to C if it is not.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-iswindow
    """
    return current_process().is_window(window)


@exported
def FindWindow(class_name: str | int | None, window_name: str | None) -> int:
    """A top-level window of a class, with a name (None: any); message-only ones are not found. 0: there is none.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-findwindoww
    """
    return _find(current_process().desktop, 0, 0, class_name, window_name)


@exported
def FindWindowEx(parent: int | None, after: int | None, class_name: str | int | None, window_name: str | None) -> int:
    """The next window below a parent after a given one; HWND_MESSAGE as the parent finds message-only windows.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE, the parent.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-findwindowexw
    """
    return _find(current_process().desktop, (parent or 0) & _HANDLE, after or 0, class_name, window_name)


def _find(desktop: Desktop, parent: int, after: int, class_name: str | int | None, name: str | None) -> int:
    if parent == _MESSAGE_PARENT:
        found = [one for one in desktop.children(0) if one.message_only]
    elif parent:
        found = desktop.children(desktop.window(parent).hwnd)
    else:
        found = desktop.top_level()
    kind = None if class_name is None else desktop.find_class(class_name)
    for window in found:
        if window.hwnd <= after or (class_name is not None and window.kind is not kind):
            continue
        if name is None or window.text == name:
            return window.hwnd
    return 0


@exported
def GetWindowThreadProcessId(window: int) -> tuple[int, int]:
    """(thread, process) identifiers of a window's maker; ERROR_INVALID_WINDOW_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getwindowthreadprocessid
    """
    return current_process().desktop.window(window).queue.thread, os.getpid()


@exported
def GetWindowLongPtr(window: int, index: int) -> Any:
    """What a window keeps: GWLP_WNDPROC, GWLP_USERDATA, ..., or the 8 extra bytes at an offset.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE; ERROR_INVALID_INDEX.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getwindowlongptrw
    """
    found = current_process().desktop.window(window)
    if index >= 0:
        return int.from_bytes(found.extra[_extra(found, index)], "little", signed=True)
    return getattr(found, _kept(index))


@exported
def SetWindowLongPtr(window: int, index: int, value: Any) -> Any:
    """Change what a window keeps; returns what it was.

    Raises:
        WinsockError: ERROR_INVALID_WINDOW_HANDLE; ERROR_INVALID_INDEX; ERROR_ACCESS_DENIED, the procedure of another
            thread's window; ERROR_INVALID_PARAMETER, no procedure.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setwindowlongptrw
    """
    desktop = current_process().desktop
    found = desktop.window(window)
    if index >= 0:
        place = _extra(found, index)
        before: Any = int.from_bytes(found.extra[place], "little", signed=True)
        found.extra[place] = (value & 0xFFFFFFFFFFFFFFFF).to_bytes(_POINTER_SIZE, "little")
        return before
    field = _kept(index)
    if index == GWLP_WNDPROC:
        if found.queue is not desktop.queue():
            raise WinsockError(ERROR_ACCESS_DENIED)
        if not callable(value):
            raise WinsockError(ERROR_INVALID_PARAMETER)
    elif index == GWLP_HWNDPARENT and value and value not in desktop.windows:
        raise WinsockError(ERROR_INVALID_WINDOW_HANDLE)
    before = getattr(found, field)
    setattr(found, field, value)
    return before


_KEPT: Final = {
    GWLP_WNDPROC: "procedure",
    GWLP_HINSTANCE: "instance",
    GWLP_HWNDPARENT: "parent",
    GWLP_ID: "identifier",
    GWL_STYLE: "style",
    GWL_EXSTYLE: "ex_style",
    GWLP_USERDATA: "user_data",
}


def _kept(index: int) -> str:
    """The field of `Window` behind an index."""
    field = _KEPT.get(index)
    if field is None:
        raise WinsockError(ERROR_INVALID_INDEX)
    return field


def _extra(window: Window, offset: int) -> slice:
    """Where 8 of the window's extra bytes lie."""
    if offset + _POINTER_SIZE > len(window.extra):
        raise WinsockError(ERROR_INVALID_INDEX)
    return slice(offset, offset + _POINTER_SIZE)
