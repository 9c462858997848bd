"""``winerror``: codes by name, and the macros of winerror.h."""

from __future__ import annotations

from winsock2emu.compat import winerror


def test_codes_of_windows_and_winsock_are_there_by_name() -> None:
    assert (winerror.ERROR_SUCCESS, winerror.ERROR_INVALID_HANDLE, winerror.ERROR_IO_PENDING) == (0, 6, 997)
    assert (winerror.WSAEWOULDBLOCK, winerror.WSABASEERR, winerror.WAIT_TIMEOUT) == (10035, 10000, 258)
    assert (winerror.ERROR_CONNECTION_REFUSED, winerror.ERROR_PIPE_BUSY, winerror.ERROR_FILE_EXISTS) == (1225, 231, 80)
    assert (winerror.ERROR_INVALID_WINDOW_HANDLE, winerror.NO_ERROR) == (1400, 0)


def test_codes_are_plain_numbers() -> None:
    assert type(winerror.WSAECONNRESET) is int


def test_an_hresult_wraps_a_code() -> None:
    hr = winerror.HRESULT_FROM_WIN32(winerror.ERROR_ACCESS_DENIED)
    assert hr == winerror.E_ACCESSDENIED == -2147024891
    assert (winerror.HRESULT_CODE(hr), winerror.HRESULT_FACILITY(hr), winerror.HRESULT_SEVERITY(hr)) == (5, 7, 1)
    assert winerror.FAILED(hr)
    assert not winerror.SUCCEEDED(hr)
    assert winerror.HRESULT_FROM_WIN32(0) == winerror.S_OK
    assert winerror.HRESULT_FROM_WIN32(hr) == hr
    assert winerror.SUCCEEDED(winerror.S_FALSE)
    assert winerror.HRESULT_FROM_NT(1) == 0x10000001


def test_common_results_have_their_documented_values() -> None:
    documented = {
        "E_ABORT": 0x80004004,
        "E_FAIL": 0x80004005,
        "E_HANDLE": 0x80070006,
        "E_INVALIDARG": 0x80070057,
        "E_NOINTERFACE": 0x80004002,
        "E_NOTIMPL": 0x80004001,
        "E_OUTOFMEMORY": 0x8007000E,
        "E_PENDING": 0x8000000A,
        "E_POINTER": 0x80004003,
        "E_UNEXPECTED": 0x8000FFFF,
    }
    assert {name: getattr(winerror, name) & 0xFFFFFFFF for name in documented} == documented
