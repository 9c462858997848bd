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

from typing import Final

from ....defs.codes import ERROR_INVALID_PARAMETER, ERROR_MOD_NOT_FOUND, ERROR_PROC_NOT_FOUND
from ....defs.winbase import ERROR_INVALID_ORDINAL
from ....errors import WinsockError
from ... import memory
from ...loader import dll_named, module_handle, module_of, real_table

__all__ = [
    "FreeLibrary",
    "GetModuleHandleA",
    "GetModuleHandleW",
    "GetProcAddress",
    "LoadLibraryA",
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
