"""``win32con``: constants of files, waits, messages and windows by name.

Part played:     win32con of pywin32, a part.
Lives elsewhere: the numbers (defs); this module has them under their names, as signed ones of 32 bits.
Missing:         constants of what the emulator does not have.
Sources:         the pages of each constant's function on Microsoft Learn; types-pywin32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..defs import constants as _constants
from ..defs import winbase as _winbase
from ..defs import windows as _windows
from .win32event import QS_ALLEVENTS, QS_ALLINPUT, QS_INPUT

__all__ = ["QS_ALLEVENTS", "QS_ALLINPUT", "QS_INPUT"]

if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...


_PREFIXES: Final = ("CREATE_", "FILE_", "GENERIC_", "OPEN_", "TRUNCATE_", "PAGE_", "MEM_")
_WINDOW_PREFIXES: Final = ("CW_", "GWL_", "HWND_", "PM_", "QS_", "SMTO_", "WM_", "WS_")

globals().update(
    (name, value - (1 << 32) if value >= 1 << 31 else value)
    for module, prefixes in (
        (_winbase, _PREFIXES),
        (_windows, _WINDOW_PREFIXES),
        (_constants, ("FILE_", "DUPLICATE_", "HANDLE_FLAG_")),
    )
    for name, value in vars(module).items()
    if type(value) is int and name.startswith(prefixes) and name not in globals()
)

DELETE: Final = 0x10000
SYNCHRONIZE: Final = 0x100000
READ_CONTROL: Final = 0x20000
FALSE: Final = 0
TRUE: Final = 1
FILE_NOTIFY_CHANGE_FILE_NAME: Final = 1
