"""Window classes and registered messages.

Part played:     RegisterClass, UnregisterClass, RegisterWindowMessage of winuser.h.
Lives elsewhere: the tables (kernel/windows).
Modules:         one process is one module here: a class is found by its name whatever instance handle is given.
System classes:  "Static" and "Message", which programs use for windows that only receive messages; the classes of
                 controls that are there to be looked at do not exist.
Sources:         "Window Classes" and the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

from typing import Any, Final

import attrs

from ..defs.codes import ERROR_INVALID_PARAMETER
from ..errors import WinsockError, exported
from ..kernel.messages import Procedure
from ..kernel.windows import Desktop, WindowClass
from ..process import current_process
from .procedures import DefWindowProc

_LONGEST_NAME: Final = 256
_SYSTEM_CLASSES: Final = ("Static", "Message")


@attrs.frozen
class WNDCLASSEX:
    """What RegisterClassEx takes; icons, cursors, brushes and menus play no part.

    Attributes:
        wndproc: the procedure: window, message, wparam, lparam to a result.
        wnd_extra: bytes that each window has for the program (GetWindowLongPtr with an offset).
    """

    wndproc: Procedure | None
    class_name: str | int | None
    style: int = 0
    cls_extra: int = 0
    wnd_extra: int = 0
    instance: int = 0


def find_class(desktop: Desktop, name: str | int) -> WindowClass | None:
    """A class by name or atom; a system class comes into being when it is first asked for."""
    found = desktop.find_class(name)
    if found is None and isinstance(name, str):
        for known in _SYSTEM_CLASSES:
            if known.lower() == name.lower():
                found = WindowClass(known, desktop.atom(known), DefWindowProc, 0, 0, 0)
                desktop.add_class(found)
    return found


@exported
def RegisterClassEx(record: WNDCLASSEX) -> int:
    """Make a class known; returns its atom.

    Raises:
        WinsockError: ERROR_CLASS_ALREADY_EXISTS; ERROR_INVALID_PARAMETER, no procedure, no name or one of more than
            256 characters, a negative number of extra bytes.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-registerclassexw
    """
    name, procedure = record.class_name, record.wndproc
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or procedure is None:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if record.wnd_extra < 0 or record.cls_extra < 0:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    desktop = current_process().desktop
    find_class(desktop, name)
    kind = WindowClass(name, desktop.atom(name), procedure, record.wnd_extra, record.instance, record.style)
    desktop.add_class(kind)
    return kind.atom


@exported
def RegisterClass(record: WNDCLASSEX) -> int:
    """As RegisterClassEx.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-registerclassw
    """
    return RegisterClassEx(record)


@exported
def UnregisterClass(class_name: str | int, instance: Any = None) -> None:
    """Forget a class, given by its name or atom.

    Raises:
        WinsockError: ERROR_CLASS_DOES_NOT_EXIST; ERROR_CLASS_HAS_WINDOWS.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-unregisterclassw
    """
    current_process().desktop.remove_class(class_name)


@exported
def RegisterWindowMessage(text: str | None) -> int:
    """The number of a message that has a name, 0xC000 to 0xFFFF; the same for everyone who asks in this process.

    Raises:
        WinsockError: ERROR_INVALID_PARAMETER, no name or one of more than 255 characters.

    Source: https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-registerwindowmessagew
    """
    if not text or len(text) >= _LONGEST_NAME:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    return current_process().desktop.atom(text)
