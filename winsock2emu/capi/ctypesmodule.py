"""The modules ``ctypes``, ``ctypes.wintypes`` and ``ctypes.util`` as a program on Windows imports them.

Part played:     CPython's ctypes package on Windows.
Lives here:      module objects that hold the host's ctypes with every Windows-only or differently sized name in it.
Lives elsewhere: those names (capi.loader, capi.datatypes, capi.wintypes); who gets to see the modules (cli.masks).
Copies:          ``from ctypes import *`` reads a module's dictionary, so the dictionaries are complete copies.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from types import ModuleType
from typing import Any, Final

from . import datatypes, functions, loader, winerrors, wintypes

_SYSTEM_FOLDER: Final = "C:\\Windows\\System32"


def _face() -> dict[str, Any]:
    """Every name of ctypes that Windows has more of, or otherwise."""
    return {
        **{name: getattr(datatypes, name) for name in _FROM_DATATYPES},
        **{name: getattr(functions, name) for name in _FROM_FUNCTIONS},
        **{name: getattr(loader, name) for name in _FROM_LOADER},
        **{name: getattr(winerrors, name) for name in ("FormatError", "HRESULT", "WinError")},
        "LittleEndianStructure": datatypes.Structure,
        "LittleEndianUnion": datatypes.Union,
        "_CFuncPtr": functions.Function,
        "_FUNCFLAG_STDCALL": functions.FUNCFLAG_STDCALL,
        "_check_HRESULT": winerrors.HRESULT._check_retval_,
        "wintypes": wintypes_module(),
        "util": util_module(),
    }


_FROM_DATATYPES: Final = (
    "Structure",
    "Union",
    "c_int",
    "c_int32",
    "c_int64",
    "c_long",
    "c_longdouble",
    "c_longlong",
    "c_size_t",
    "c_ssize_t",
    "c_time_t",
    "c_uint",
    "c_uint32",
    "c_uint64",
    "c_ulong",
    "c_ulonglong",
    "c_wchar",
    "c_wchar_p",
    "cast",
    "create_unicode_buffer",
    "wstring_at",
)
_FROM_FUNCTIONS: Final = ("CFUNCTYPE", "GetLastError", "WINFUNCTYPE", "get_last_error", "set_last_error")
_FROM_LOADER: Final = ("CDLL", "OleDLL", "PyDLL", "WinDLL", "cdll", "oledll", "pydll", "windll")


def _copy(host: ModuleType, changes: dict[str, Any]) -> ModuleType:
    module = ModuleType(host.__name__, host.__doc__)
    module.__dict__.update(vars(host))
    module.__dict__.update(changes)
    return module


@cache
def wintypes_module() -> ModuleType:
    """``ctypes.wintypes``."""
    import ctypes.wintypes as host

    names = {name: value for name, value in vars(wintypes).items() if name in vars(host)}
    return _copy(host, {name: value for name, value in names.items() if not name.startswith("__")})


@cache
def util_module() -> ModuleType:
    """``ctypes.util``, whose find_library knows Windows' DLLs and, for extension packages, the host's libraries."""

    def find_library(name: str) -> str | None:
        dll = loader.dll_named(name)
        return f"{_SYSTEM_FOLDER}\\{dll}.dll" if dll is not None else ctypes.util.find_library(name)

    def find_msvcrt() -> None:
        return None  # since Visual Studio 2015 there is no such DLL to load by name

    return _copy(ctypes.util, {"find_library": find_library, "find_msvcrt": find_msvcrt})


@cache
def ctypes_module() -> ModuleType:
    """``ctypes``, the same object at each call."""
    return _copy(ctypes, _face())
