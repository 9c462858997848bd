"""The modules that a program gets for ctypes."""

from __future__ import annotations

import ctypes
import ctypes.util
import ctypes.wintypes
import inspect
import threading
from collections.abc import Callable
from pathlib import PureWindowsPath
from typing import Any

import pytest

from winsock2emu.capi import ctypesmodule, loader
from winsock2emu.defs.codes import WSAENOTSOCK, WSANOTINITIALISED

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


def _module_handle(name: str) -> Any:
    GetModuleHandleW = masked.WinDLL("kernel32").GetModuleHandleW
    GetModuleHandleW.restype = masked.c_void_p
    return GetModuleHandleW(name)


SPELLINGS: dict[str, Callable[[], Any]] = {
    "windll.ws2_32": lambda: masked.windll.ws2_32,
    "windll.Ws2_32": lambda: masked.windll.Ws2_32,
    "windll['ws2_32.dll']": lambda: masked.windll["ws2_32.dll"],
    "windll.LoadLibrary": lambda: masked.windll.LoadLibrary("Ws2_32.dll"),
    "WinDLL": lambda: masked.WinDLL("ws2_32"),
    "WinDLL .DLL": lambda: masked.WinDLL("WS2_32.DLL"),
    "WinDLL path": lambda: masked.WinDLL(r"C:\Windows\System32\ws2_32.dll"),
    "WinDLL path with slashes": lambda: masked.WinDLL("c:/windows/system32/Ws2_32.dll"),
    "WinDLL pathlib": lambda: masked.WinDLL(PureWindowsPath(r"C:\Windows\System32\ws2_32.dll")),
    "WinDLL use_last_error": lambda: masked.WinDLL("ws2_32", use_last_error=True),
    "WinDLL use_errno": lambda: masked.WinDLL("ws2_32", use_errno=True),
    "WinDLL winmode": lambda: masked.WinDLL("ws2_32", winmode=0x800),
    "WinDLL handle": lambda: masked.WinDLL("any name", handle=_module_handle("ws2_32")),
    "CDLL": lambda: masked.CDLL("ws2_32.dll"),
    "cdll": lambda: masked.cdll.ws2_32,
    "cdll.LoadLibrary": lambda: masked.cdll.LoadLibrary("ws2_32"),
    "PyDLL": lambda: masked.PyDLL("ws2_32"),
    "pydll": lambda: masked.pydll.ws2_32,
    "LibraryLoader": lambda: masked.LibraryLoader(masked.WinDLL).ws2_32,
    "find_library": lambda: masked.WinDLL(masked.util.find_library("Ws2_32.dll")),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_library_can_be_loaded_in_every_spelling(spelling: str) -> None:
    """What is found is ws2_32: it fails, and its error is the system's and the private copy's."""
    library, kernel32 = SPELLINGS[spelling](), masked.windll.kernel32
    masked.set_last_error(0)
    kernel32.SetLastError(0)

    assert library.closesocket(0x7FFFFFF0) == -1
    assert max(kernel32.GetLastError(), masked.get_last_error()) in (WSANOTINITIALISED, WSAENOTSOCK)


def test_a_function_that_is_called_with_the_lock_held_can_wait() -> None:
    """PyDLL keeps the interpreter's lock during the call; another thread has to run all the same."""
    kernel32 = masked.PyDLL("kernel32")
    event = kernel32.CreateEventW(None, True, False, None)
    setting = threading.Timer(0.05, lambda: masked.windll.kernel32.SetEvent(event))
    setting.start()

    assert kernel32.WaitForSingleObject(event, 20_000) == 0
    setting.join()
    assert kernel32.CloseHandle(event)


@pytest.mark.parametrize("library", ["windll", "oledll", "cdll", "pydll"])
def test_prototypes_stay_with_their_library(library: str) -> None:
    """windll, oledll, cdll and pydll have one library object each."""
    loaded = getattr(masked, library).ws2_32
    others = [getattr(masked, name).ws2_32 for name in ("windll", "oledll", "cdll", "pydll") if name != library]
    try:
        loaded.recv.argtypes = [masked.c_size_t]
        assert [other.recv.argtypes for other in others] == [None] * 3
    finally:
        loaded.recv.argtypes = None


def test_the_records_that_clients_declare_have_windows_layout() -> None:
    """Declared as everywhere: with c_ulong, c_wchar and DWORD; packed, nested, with bit fields."""

    class GUID(masked.Structure):  # type: ignore[misc]
        _fields_ = [("a", masked.c_ulong), ("b", masked.c_ushort * 2), ("c", masked.c_ubyte * 8)]

    class Address(masked.Union):  # type: ignore[misc]
        _fields_ = [("bytes", masked.c_ubyte * 4), ("S_addr", masked.c_ulong)]

    class SockAddr(masked.Structure):  # type: ignore[misc]
        _anonymous_ = ("address",)
        _fields_ = [
            ("family", masked.c_short),
            ("port", masked.c_ushort),
            ("address", Address),
            ("zero", masked.c_char * 8),
        ]

    class Packed(masked.Structure):  # type: ignore[misc]
        _pack_ = 1
        _layout_ = "ms"
        _fields_ = [("a", masked.c_ubyte), ("b", masked.c_ulong), ("text", masked.c_wchar * 3)]

    class Bits(masked.Structure):  # type: ignore[misc]
        _fields_ = [("low", masked.c_ulong, 3), ("high", masked.c_ulong, 29)]

    sizes = [masked.sizeof(kind) for kind in (GUID, SockAddr, Packed, Bits, masked.wintypes.MSG)]
    assert sizes == [16, 16, 11, 4, 48]
    assert (Packed.b.offset, Packed.text.offset, Packed.text.size) == (1, 5, 6)
    assert SockAddr(2, 0, Address(S_addr=0x0100007F)).bytes[:] == [127, 0, 0, 1]
    packed = Packed(1, 2, "xyz")
    assert (packed.text, bytes(packed)[5:]) == ("xyz", b"x\0y\0z\0")
    assert masked.POINTER(Packed)(packed).contents.text == "xyz"


def test_a_prototype_with_parameter_flags_finds_its_function_by_name_and_by_ordinal() -> None:
    prototype = masked.WINFUNCTYPE(masked.c_ushort, masked.c_ushort)

    htons = prototype(("htons", masked.windll.ws2_32), ((1, "hostshort", 80),))

    assert (htons(), htons(hostshort=1), htons(2)) == (0x5000, 0x100, 0x200)
    assert prototype((9, masked.windll.ws2_32))(80) == 0x5000  # htons is ordinal 9


def test_the_modules_know_their_names() -> None:
    assert inspect.ismodule(masked)
    assert [masked.__name__, masked.wintypes.__name__, masked.util.__name__] == [
        "ctypes",
        "ctypes.wintypes",
        "ctypes.util",
    ]
