"""Libraries: what loads, under which spelling, and what a library object hands out."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from tests.capi.faketable import FakeTable
from winsock2emu.capi import loader


@pytest.fixture
def table() -> FakeTable:
    made = FakeTable()
    made.add("answer", lambda: 42, ctypes.c_int)
    made.add("refuse", lambda: -2147024891, ctypes.c_int)  # HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED)
    made.ordinals[3] = "answer"
    return made


@pytest.fixture
def windll(table: FakeTable) -> Any:
    return ctypes.LibraryLoader(table.dll_class())


@pytest.mark.parametrize(
    "name",
    [
        "ws2_32",
        "WS2_32",
        "ws2_32.dll",
        "Ws2_32.DLL",
        "ws2_32.",
        "C:\\Windows\\System32\\ws2_32.dll",
        "c:/windows/system32/WS2_32.dll",
        "C:\\Windows/SysWOW64/ws2_32",
    ],
)
def test_a_dll_answers_to_every_spelling(table: FakeTable, name: str) -> None:
    library = table.dll_class()(name)

    assert library.answer() == 42
    assert library._name == name


@pytest.mark.parametrize("name", ["nope", "ws2_32.so", "ws2_32.dll.dll", "C:\\Temp\\ws2_32.dll", "", "ws2_32.exe"])
def test_any_other_name_is_not_found(table: FakeTable, name: str) -> None:
    """The text is ctypes' own for ERROR_MOD_NOT_FOUND; as on Windows it comes without a code."""
    with pytest.raises(FileNotFoundError) as caught:
        table.dll_class()(name)

    assert str(caught.value) == (
        f"Could not find module '{name}' (or one of its dependencies). Try using the full path with constructor syntax."
    )
    assert caught.value.winerror is None  # type: ignore[attr-defined]


def test_a_loader_keeps_one_library_for_each_spelling(windll: Any) -> None:
    assert windll.ws2_32 is windll.ws2_32
    assert windll["ws2_32"] is windll.ws2_32
    assert windll.Ws2_32 is not windll.ws2_32
    assert windll.LoadLibrary("ws2_32") is not windll.ws2_32


def test_a_library_keeps_the_function_of_an_attribute_and_makes_one_for_each_item(windll: Any) -> None:
    library = windll.ws2_32

    assert library.answer is library.answer
    assert library["answer"] is not library.answer
    assert library["answer"].__name__ == "answer"


def test_prototypes_stay_with_their_library_object(table: FakeTable) -> None:
    one, other = table.dll_class()("ws2_32"), table.dll_class()("ws2_32")
    one.answer.restype = ctypes.c_char

    assert one.answer() == b"*"
    assert other.answer() == 42


def test_a_function_is_found_by_ordinal(windll: Any) -> None:
    assert windll.ws2_32[3]() == 42


def test_a_function_that_is_not_exported(windll: Any) -> None:
    with pytest.raises(AttributeError, match=r"^function 'xyz' not found$"):
        windll.ws2_32.xyz  # noqa: B018
    with pytest.raises(AttributeError, match=r"^function 'Answer' not found$"):
        windll.ws2_32["Answer"]
    with pytest.raises(AttributeError, match=r"^function ordinal 77 not found$"):
        windll.ws2_32[77]
    assert not hasattr(windll.ws2_32, "__wrapped__")


def test_a_library_is_a_cdll_and_shows_its_name_and_handle(table: FakeTable) -> None:
    library = table.dll_class()("ws2_32")

    assert isinstance(library, ctypes.CDLL)
    assert repr(library).startswith(f"<WinDLL 'ws2_32', handle {library._handle:x} at 0x")


def test_a_module_handle_leads_back_to_its_dll(table: FakeTable) -> None:
    library = table.dll_class()("ws2_32")

    assert loader.module_of(library._handle, table) == "ws2_32"
    assert loader.module_of(library._handle + 1, table) is None
    assert loader.module_of(0, table) is None
    assert table.dll_class()(None, handle=library._handle).answer() == 42
    assert loader.module_handle("kernel32", table) != library._handle


def test_oledll_raises_a_failed_hresult(table: FakeTable) -> None:
    library = table.dll_class(loader.OleDLL)("ws2_32")

    assert library.answer() == 42
    with pytest.raises(PermissionError) as caught:
        library.refuse()
    assert caught.value.winerror == -2147024891  # type: ignore[attr-defined]
    assert caught.value.strerror == "Access is denied"


def test_cdll_falls_back_on_the_host() -> None:
    """Extension packages load libraries of their own; a missing one is reported in Windows' words."""
    assert loader.CDLL(ctypes.pythonapi._name, handle=ctypes.pythonapi._handle).Py_IsInitialized() == 1
    with pytest.raises(FileNotFoundError, match="Could not find module 'libnothing_of_that_name'"):
        loader.CDLL("libnothing_of_that_name")


def test_windll_never_loads_from_the_host() -> None:
    with pytest.raises(FileNotFoundError):
        loader.WinDLL("libc.so.6")


def test_the_real_table_is_behind_windll() -> None:
    assert loader.windll.ws2_32.htons(0x1234) == 0x3412
    assert loader.WinDLL("wsock32").htons(1) == 0x100
    assert loader.windll.kernel32.GetCurrentProcessId() > 0
    assert loader.windll.ws2_32[9](1) == 0x100  # htons has had ordinal 9 since version 1.1
    for name in ("mswsock", "user32", "ntdll"):
        assert loader.dll_named(name) == name


def test_last_error_of_the_real_dlls_is_one_cell() -> None:
    ws2_32, kernel32 = loader.windll.ws2_32, loader.windll.kernel32

    ws2_32.WSASetLastError(10054)
    assert kernel32.GetLastError() == 10054
    kernel32.SetLastError(5)
    assert ws2_32.WSAGetLastError() == 5
    assert loader.GetLastError() == 5
