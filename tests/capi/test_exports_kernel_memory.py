"""Heaps, pages, strings and modules of kernel32.dll, through C."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from tests.capi.cabi import call, dword, error, fails, ref
from winsock2emu import errors
from winsock2emu.capi import loader, table

K = "kernel32"
ZERO_MEMORY = 8
COMMIT, RESERVE, DECOMMIT, RELEASE = 0x1000, 0x2000, 0x4000, 0x8000
READWRITE, READONLY = 4, 2
UTF8, UTF7, ACP, LATIN = 65001, 65000, 0, 1252


def k(name: str, *args: Any) -> Any:
    return call(name, *args, dll=K)


def wide(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass") + b"\0\0"


# Heaps


def test_blocks_of_a_heap() -> None:
    """Zeroed where asked for, aligned to 16, distinct, and carried over by a reallocation."""
    heap = k("GetProcessHeap")
    first, second = k("HeapAlloc", heap, ZERO_MEMORY, 100), k("HeapAlloc", heap, 0, 0)
    assert ctypes.string_at(first, 100) == bytes(100)
    assert (first % 16, second % 16) == (0, 0)
    ctypes.memset(first, 0x41, 100)
    bigger = k("HeapReAlloc", heap, ZERO_MEMORY, first, 5000)
    assert ctypes.string_at(bigger, 5000) == b"A" * 100 + bytes(4900)
    assert k("HeapReAlloc", heap, 0x10, bigger, 50) == bigger
    for block in (bigger, second, None):
        assert k("HeapFree", heap, 0, block) == 1
    fails(87, "HeapFree", heap, 0, bigger, failure=0, dll=K)
    fails(6, "HeapFree", 4, 0, None, failure=0, dll=K)
    fails(8, "HeapAlloc", heap, 0, 1 << 60, failure=None, dll=K)


def test_a_heap_of_ones_own_takes_its_blocks_with_it() -> None:
    heap, process = k("HeapCreate", 0, 0, 0), k("GetProcessHeap")
    block = k("HeapAlloc", heap, 0, 33)
    assert k("HeapSize", heap, 0, block) == 33
    fails(87, "HeapSize", process, 0, block, failure=0xFFFFFFFFFFFFFFFF, dll=K)
    fails(87, "HeapFree", process, 0, block, failure=0, dll=K)
    assert k("HeapDestroy", heap) == 1
    fails(6, "HeapAlloc", heap, 0, 1, failure=None, dll=K)
    fails(6, "HeapDestroy", process, failure=0, dll=K)


@pytest.mark.parametrize("kind", ["Local", "Global"])
def test_local_and_global_memory(kind: str) -> None:
    """Freeing returns NULL, and the handle itself when it is none."""
    block = k(f"{kind}Alloc", 0x40, 64)
    assert ctypes.string_at(block, 64) == bytes(64)
    assert k(f"{kind}Free", block) is None
    fails(6, f"{kind}Free", block, failure=block, dll=K)
    assert k(f"{kind}Free", None) is None


# Pages


def test_committed_pages_are_zero_aligned_and_writable() -> None:
    base = k("VirtualAlloc", None, 5000, COMMIT | RESERVE, READWRITE)
    assert base % 0x10000 == 0
    assert ctypes.string_at(base, 8192) == bytes(8192)
    ctypes.memset(base, 1, 8192)
    old = dword()
    assert k("VirtualProtect", base, 1, READONLY, ref(old)) == 1
    assert old.value == READWRITE
    assert k("VirtualProtect", base, 8192, READWRITE, ref(old)) == 1
    assert old.value == READONLY
    assert k("VirtualFree", base, 0, RELEASE) == 1
    fails(487, "VirtualFree", base, 0, RELEASE, failure=0, dll=K)


def test_reserving_committing_and_decommitting() -> None:
    """What has been decommitted is zero when it is committed again; a reserved page has no protection to change."""
    base, old = k("VirtualAlloc", None, 0x20000, RESERVE, READWRITE), dword()
    fails(487, "VirtualProtect", base, 4096, READONLY, ref(old), failure=0, dll=K)
    assert k("VirtualAlloc", base + 4100, 10, COMMIT, READWRITE) == base + 4096
    ctypes.memset(base + 4096, 7, 4096)
    assert k("VirtualFree", base + 4096, 4096, DECOMMIT) == 1
    k("VirtualAlloc", base + 4096, 4096, COMMIT, READWRITE)
    assert ctypes.string_at(base + 4096, 4096) == bytes(4096)
    fails(487, "VirtualAlloc", base + 0x1F000, 0x2000, COMMIT, READWRITE, failure=None, dll=K)
    fails(87, "VirtualFree", base, 4096, RELEASE, failure=0, dll=K)
    assert k("VirtualFree", base, 0, RELEASE) == 1


@pytest.mark.parametrize(
    ("size", "kind", "protection"),
    [(0, COMMIT, READWRITE), (1, 0, READWRITE), (1, COMMIT, 0), (1, COMMIT, READWRITE | READONLY), (1, COMMIT, 8)],
)
def test_pages_that_cannot_be_asked_for(size: int, kind: int, protection: int) -> None:
    fails(87, "VirtualAlloc", None, size, kind, protection, failure=None, dll=K)


def test_ways_of_freeing_that_there_are_not() -> None:
    base = k("VirtualAlloc", None, 1, COMMIT | RESERVE, READWRITE)
    for kind in (0, DECOMMIT | RELEASE):
        fails(87, "VirtualFree", base, 0, kind, failure=0, dll=K)
    k("VirtualFree", base, 0, RELEASE)


# Strings


def to_wide(page: int, flags: int, data: bytes, count: int, room: int = 100) -> tuple[int, bytes]:
    buffer = ctypes.create_string_buffer(max(room, 1) * 2)
    found = k("MultiByteToWideChar", page, flags, data, count, buffer if room else None, room)
    return found, buffer.raw[: found * 2]


def to_bytes(page: int, flags: int, text: bytes, count: int, room: int = 100, *default: Any) -> tuple[int, bytes]:
    buffer = ctypes.create_string_buffer(max(room, 1))
    args = default or (None, None)
    found = k("WideCharToMultiByte", page, flags, text, count, buffer if room else None, room, *args)
    return found, buffer.raw[:found]


def test_utf_8_becomes_utf_16_and_back() -> None:
    """A negative count includes the NUL; a room of 0 asks for the size."""
    text = "Grüße \U0001f600"
    for page in (UTF8, ACP):
        assert to_wide(page, 0, text.encode() + b"\0", -1) == (9, wide(text))
        assert to_wide(page, 0, text.encode(), 3) == (3, "Gr\ufffd".encode("utf-16-le"))
        assert to_bytes(page, 0, wide(text), -1) == (13, text.encode() + b"\0")
        assert to_bytes(page, 0, wide(text), 8) == (12, text.encode())
        assert k("MultiByteToWideChar", page, 0, text.encode() + b"\0", -1, None, 0) == 9
        assert k("WideCharToMultiByte", page, 0, wide(text), -1, None, 0, None, None) == 13


def test_other_code_pages() -> None:
    """What a page does not have becomes the default character, which the caller may learn and choose."""
    assert to_wide(LATIN, 0, b"\x80", 1) == (1, "\u20ac".encode("utf-16-le"))
    used = dword()
    assert to_bytes(LATIN, 0, wide("\u20ac\u4e00"), 2, 10, None, ref(used)) == (2, b"\x80?")
    assert used.value == 1
    assert to_bytes(LATIN, 0, wide("\u4e00"), 1, 10, b"!", ref(used)) == (1, b"!")
    assert to_bytes(LATIN, 0, wide("a"), 1, 10, None, ref(used)) == (1, b"a")
    assert used.value == 0


def test_conversions_that_fail() -> None:
    buffer = ctypes.create_string_buffer(100)
    for code, args in [
        (122, (UTF8, 0, b"abc", 3, buffer, 2)),
        (87, (UTF8, 0, b"abc", 0, buffer, 2)),
        (87, (UTF8, 0, None, 3, buffer, 2)),
        (87, (UTF8, 0, b"abc", 3, None, 2)),
        (87, (UTF8, 0, b"abc", 3, buffer, -1)),
        (87, (64999, 0, b"abc", 3, buffer, 9)),
        (1004, (UTF8, 1, b"abc", 3, buffer, 9)),
        (1004, (UTF7, 8, b"abc", 3, buffer, 9)),
        (1113, (UTF8, 8, b"\xff", 1, buffer, 9)),
    ]:
        fails(code, "MultiByteToWideChar", *args, failure=0, dll=K)
    used = dword()
    for code, others in [
        (122, (UTF8, 0, wide("abc"), 3, buffer, 2, None, None)),
        (87, (UTF8, 0, wide("abc"), 0, buffer, 2, None, None)),
        (87, (UTF8, 0, wide("abc"), 3, buffer, 9, b"!", None)),
        (87, (UTF8, 0, wide("abc"), 3, buffer, 9, None, ref(used))),
        (1004, (UTF8, 0x400, wide("abc"), 3, buffer, 9, None, None)),
        (1113, (UTF8, 0x80, wide("\ud800"), 1, buffer, 9, None, None)),
    ]:
        fails(code, "WideCharToMultiByte", *others, failure=0, dll=K)
    assert to_bytes(UTF8, 0, wide("\ud800"), 1) == (3, "\ufffd".encode())


def test_lengths_of_strings() -> None:
    assert (k("lstrlenA", b"abc"), k("lstrlenW", wide("a\U0001f600"))) == (3, 3)
    assert (k("lstrlenA", None), k("lstrlenW", None)) == (0, 0)


@pytest.mark.parametrize(
    ("first", "second", "order"),
    [
        ("abc", "abc", 0),
        ("abc", "abd", -1),
        ("b", "A", 1),
        ("a", "A", -1),
        ("a", "B", -1),
        ("abc", "ab", 1),
        ("1", "a", -1),
        ("_", "1", -1),
        ("\u00e4", "b", -1),
        ("a", "\u00e4", -1),
        (None, "", -1),
        ("", None, 1),
        (None, None, 0),
    ],
)
def test_comparing_as_people_sort(first: str | None, second: str | None, order: int) -> None:
    narrow = [None if text is None else text.encode() for text in (first, second)]
    broad = [None if text is None else wide(text) for text in (first, second)]
    assert (k("lstrcmpA", *narrow), k("lstrcmpW", *broad)) == (order, order)


def test_comparing_regardless_of_case() -> None:
    assert (k("lstrcmpiA", b"ABC", b"abc"), k("lstrcmpiW", wide("ABC"), wide("abd"))) == (0, -1)


# Modules


def test_the_emulated_dlls_are_modules() -> None:
    for name in ("ws2_32", "WS2_32.dll", "C:\\Windows\\System32\\ws2_32.dll"):
        expected = loader.module_handle("ws2_32")
        assert k("LoadLibraryA", name.encode()) == k("LoadLibraryW", wide(name)) == expected
        assert k("GetModuleHandleA", name.encode()) == k("GetModuleHandleW", wide(name)) == expected
    assert k("FreeLibrary", loader.module_handle("ws2_32")) == 1
    program = k("GetModuleHandleA", None)
    assert program not in (None, loader.module_handle("kernel32"))
    for load in ("LoadLibraryA", "GetModuleHandleA"):
        fails(126, load, b"no-such-dll", failure=None, dll=K)
    fails(87, "LoadLibraryA", None, failure=None, dll=K)
    fails(126, "FreeLibrary", 0x1234567890, failure=0, dll=K)


def test_functions_by_name_and_ordinal() -> None:
    ws2_32 = k("LoadLibraryA", b"ws2_32")
    found = table.export("ws2_32", "recv")
    assert found is not None
    assert k("GetProcAddress", ws2_32, b"recv") == found.address
    assert k("GetProcAddress", ws2_32, ctypes.c_void_p(16)) == found.address
    fails(127, "GetProcAddress", ws2_32, b"RECV", failure=None, dll=K)
    fails(182, "GetProcAddress", ws2_32, ctypes.c_void_p(0xFFF0), failure=None, dll=K)
    fails(127, "GetProcAddress", k("GetModuleHandleA", None), b"recv", failure=None, dll=K)
    fails(126, "GetProcAddress", 0x1234567890, b"recv", failure=None, dll=K)


def test_success_leaves_the_last_error_alone() -> None:
    errors.set_last_error(12345)
    k("GetProcAddress", k("LoadLibraryA", b"ws2_32"), b"recv")
    k("HeapFree", k("GetProcessHeap"), 0, k("HeapAlloc", k("GetProcessHeap"), 0, 10))
    assert error() == 12345


def test_the_paths_of_modules() -> None:
    """What has no room is cut, and the last error says so."""
    ws2_32 = k("LoadLibraryExA", b"ws2_32", None, 0)
    buffer = ctypes.create_string_buffer(600)
    assert k("GetModuleFileNameA", ws2_32, buffer, 300) == len(buffer.value)
    assert buffer.value == b"C:\\Windows\\System32\\ws2_32.dll"
    assert k("GetModuleFileNameW", ws2_32, buffer, 4) == 4
    assert (buffer.raw[:8], error()) == (wide("C:\\"), 122)
    assert k("GetModuleFileNameA", None, buffer, 300) > 3
    fails(126, "GetModuleFileNameA", 0x1234567890, buffer, 300, failure=0, dll=K)
