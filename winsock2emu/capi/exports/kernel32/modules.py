"""Modules: the emulated DLLs by their handles.

Part played:     libloaderapi.h.
Lives here:      all of it; for Python a DLL is a module of winsock2emu.
Lives elsewhere: names and handles of the DLLs (capi.loader), addresses of functions (capi.table).
Loading:         every emulated DLL is always there; loading and freeing change nothing. The program itself is a module
                 that exports nothing.
Sources:         nf-libloaderapi-getprocaddress, nf-libloaderapi-loadlibraryw, nf-libloaderapi-getmodulehandlew on
                 Microsoft Learn.
"""

from __future__ import annotations

import sys
from typing import Final

from ....defs.codes import (
    ERROR_INSUFFICIENT_BUFFER,
    ERROR_INVALID_PARAMETER,
    ERROR_MOD_NOT_FOUND,
    ERROR_PROC_NOT_FOUND,
)
from ....defs.winbase import ERROR_INVALID_ORDINAL
from ....errors import WinsockError, set_last_error
from ....kernel.hostfiles import windows_path
from ... import memory
from ...loader import dll_named, module_handle, module_of, real_table
from ...threads import made_by_c
from ._pointers import store_text

__all__ = [
    "FreeLibrary",
    "GetModuleFileNameA",
    "GetModuleFileNameW",
    "GetModuleHandleA",
    "GetModuleHandleW",
    "GetProcAddress",
    "LoadLibraryA",
    "LoadLibraryExA",
    "LoadLibraryExW",
    "LoadLibraryW",
]

PROGRAM: Final = 0x140000000  # where 64-bit Windows likes to map a program


def handle_of(name: str) -> int:
    """The handle of a DLL by a name or path, with or without ``.dll``.

    Raises:
        WinsockError: ERROR_MOD_NOT_FOUND.
    """
    dll = dll_named(name)
    if dll is None:
        raise WinsockError(ERROR_MOD_NOT_FOUND)
    return module_handle(dll)


def _load(name: str | None) -> int:
    if name is None:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    return handle_of(name)


def LoadLibraryA(lpLibFileName: int) -> int:
    return _load(memory.ansi(lpLibFileName))


def LoadLibraryW(lpLibFileName: int) -> int:
    return _load(memory.wide(lpLibFileName))


def LoadLibraryExA(lpLibFileName: int, hFile: int, dwFlags: int) -> int:
    return LoadLibraryA(lpLibFileName)


def LoadLibraryExW(lpLibFileName: int, hFile: int, dwFlags: int) -> int:
    return LoadLibraryW(lpLibFileName)


def GetModuleFileNameA(hModule: int, lpFilename: int, nSize: int) -> int:
    return _file_name(hModule, lpFilename, nSize, wide=False)


def GetModuleFileNameW(hModule: int, lpFilename: int, nSize: int) -> int:
    return _file_name(hModule, lpFilename, nSize, wide=True)


def _file_name(module: int, buffer: int, size: int, *, wide: bool) -> int:
    """The path of a DLL where Windows has it, or of the interpreter; cut, with an error, where there is no room."""
    dll = module_of(module)
    if dll is None and module not in (0, PROGRAM):
        raise WinsockError(ERROR_MOD_NOT_FOUND)
    path = windows_path(sys.executable) if dll is None else f"C:\\Windows\\System32\\{dll}.dll"
    count = store_text(path, buffer, size, wide=wide)
    if count < size:
        return count
    if size and buffer >= memory.LOWEST:
        store_text(path[: size - 1], buffer, size, wide=wide)
    made_by_c()
    set_last_error(ERROR_INSUFFICIENT_BUFFER)
    return size


def _module(name: str | None) -> int:
    return PROGRAM if name is None else handle_of(name)


def GetModuleHandleA(lpModuleName: int) -> int:
    return _module(memory.ansi(lpModuleName))


def GetModuleHandleW(lpModuleName: int) -> int:
    return _module(memory.wide(lpModuleName))


def FreeLibrary(hLibModule: int) -> int:
    if module_of(hLibModule) is None and hLibModule != PROGRAM:
        raise WinsockError(ERROR_MOD_NOT_FOUND)
    return 1


def GetProcAddress(hModule: int, lpProcName: int) -> int:
    dll = module_of(hModule)
    if dll is None and hModule not in (0, PROGRAM):
        raise WinsockError(ERROR_MOD_NOT_FOUND)
    ordinal = lpProcName < memory.LOWEST
    wanted = lpProcName if ordinal else memory.ansi(lpProcName) or ""
    found = None if dll is None else real_table().export(dll, wanted)
    if found is None:
        raise WinsockError(ERROR_INVALID_ORDINAL if ordinal else ERROR_PROC_NOT_FOUND)
    return int(found.address)
