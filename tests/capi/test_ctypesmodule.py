"""The modules that a program gets for ctypes."""

from __future__ import annotations

import ctypes
import ctypes.util
import ctypes.wintypes
import inspect
from typing import Any

from winsock2emu.capi import ctypesmodule, loader

masked: Any = ctypesmodule.ctypes_module()


def test_nothing_of_the_hosts_ctypes_is_missing() -> None:
    assert set(vars(ctypes)) - set(vars(masked)) == set()
    assert set(vars(ctypes.wintypes)) - set(vars(masked.wintypes)) == set()


def test_everything_windows_adds_is_there() -> None:
    """The names that ctypes defines on Windows only."""
    added = (
        "windll oledll WinDLL OleDLL WINFUNCTYPE HRESULT GetLastError get_last_error set_last_error"
        " FormatError WinError _FUNCFLAG_STDCALL"
    )
    assert [name for name in added.split() if not hasattr(masked, name)] == []


def test_the_hosts_modules_stay_as_they_are() -> None:
    assert not hasattr(ctypes, "windll")
    assert ctypes.sizeof(ctypes.wintypes.DWORD) == ctypes.sizeof(ctypes.c_ulong) == 8
    assert masked is not ctypes
    assert masked.wintypes is not ctypes.wintypes


def test_star_import_brings_the_sizes() -> None:
    """``from ctypes import *`` takes the public names of the dictionary."""
    names: dict[str, Any] = {name: value for name, value in vars(masked).items() if not name.startswith("_")}

    assert ctypes.sizeof(names["c_ulong"]) == 4
    assert names["windll"] is loader.windll


def test_types_agree_between_the_modules() -> None:
    assert masked.wintypes.DWORD is masked.c_ulong
    assert masked.wintypes.LPWSTR is masked.c_wchar_p
    assert masked.LittleEndianStructure is masked.Structure
    assert issubclass(masked.Structure, ctypes.Structure)
    assert issubclass(masked.WinDLL, masked.CDLL)
    assert masked.POINTER(masked.c_wchar) is masked.wintypes.PWCHAR


def test_a_big_endian_structure_takes_windows_types() -> None:
    class Header(masked.BigEndianStructure):  # type: ignore[misc]
        _fields_ = [("length", masked.c_ulong), ("kind", masked.c_ushort)]

    assert bytes(Header(1, 2))[:6] == b"\0\0\0\1\0\2"


def test_find_library_knows_windows_dlls() -> None:
    assert masked.util.find_library("ws2_32") == "C:\\Windows\\System32\\ws2_32.dll"
    assert masked.WinDLL(masked.util.find_library("Kernel32.dll")).GetCurrentProcessId() > 0
    assert masked.util.find_library("no_such_library_at_all") is None
    assert masked.util.find_msvcrt() is None


def test_the_modules_know_their_names() -> None:
    assert inspect.ismodule(masked)
    assert [masked.__name__, masked.wintypes.__name__, masked.util.__name__] == [
        "ctypes",
        "ctypes.wintypes",
        "ctypes.util",
    ]
