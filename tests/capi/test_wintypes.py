"""The typedefs of Windows' headers."""

from __future__ import annotations

import ctypes
import ctypes.wintypes as host

import pytest

from winsock2emu.capi import wintypes

# "Windows Data Types" on Microsoft Learn, for 64-bit Windows.
SIZES = {
    1: "BYTE BOOLEAN CHAR",
    2: "WORD WCHAR USHORT SHORT ATOM LANGID VARIANT_BOOL",
    4: "DWORD BOOL UINT INT ULONG LONG FLOAT COLORREF LCID LCTYPE LGRPID",
    8: "DOUBLE LARGE_INTEGER ULARGE_INTEGER WPARAM LPARAM HANDLE HWND HMODULE LPVOID LPSTR LPWSTR LPDWORD"
    " POINT SIZE FILETIME SMALL_RECT",
    16: "RECT",
    48: "MSG",
    320: "WIN32_FIND_DATAA",
    592: "WIN32_FIND_DATAW",
}


@pytest.mark.parametrize(("size", "name"), [(size, name) for size, names in SIZES.items() for name in names.split()])
def test_sizes_are_those_of_64_bit_windows(size: int, name: str) -> None:
    assert ctypes.sizeof(getattr(wintypes, name)) == size


def test_every_name_of_the_standard_module_is_there() -> None:
    names = {name for name in dir(host) if not name.startswith("__")}

    assert names - set(dir(wintypes)) == set()


def test_pointers_lead_to_types_of_the_same_size() -> None:
    assert wintypes.LPDWORD._type_ is wintypes.DWORD
    assert wintypes.PWCHAR._type_ is wintypes.WCHAR


def test_values() -> None:
    assert wintypes.VARIANT_BOOL(True).value is True
    assert ctypes.string_at(ctypes.byref(wintypes.VARIANT_BOOL(True)), 2) == b"\xff\xff"
    assert repr(wintypes.VARIANT_BOOL(False)) == "VARIANT_BOOL(False)"
    assert wintypes.RGB(1, 2, 3) == 0x030201
    assert wintypes.WIN32_FIND_DATAW(cFileName="name").cFileName == "name"
