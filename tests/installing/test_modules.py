"""Which module has which of Windows' names."""

from __future__ import annotations

import sys

import pytest

from winsock2emu import compat
from winsock2emu.compat import iocpsupport, msvcrt, overlapped, select, selectors, socket, ssl, winapi
from winsock2emu.installing.modules import (
    BY_PRESENCE,
    NETWORK_LIBRARY,
    PYWIN32,
    SOCKET_MODULES,
    WINDOWS_ONLY,
    windows_module,
)


def test_the_promised_modules_have_their_windows_names() -> None:
    promised = {
        "_overlapped": overlapped,
        "_winapi": winapi,
        "msvcrt": msvcrt,
        "select": select,
        "selectors": selectors,
        "socket": socket,
        "ssl": ssl,
        "twisted_iocpsupport.iocpsupport": iocpsupport,
    }

    assert {name: windows_module(name) for name in promised} == promised
    assert windows_module("twisted_iocpsupport").iocpsupport is iocpsupport
    assert issubclass(socket.socket, windows_module("_socket").socket)


def test_a_name_always_has_the_same_module() -> None:
    names = (*SOCKET_MODULES, *WINDOWS_ONLY)

    assert [name for name in names if windows_module(name) is not windows_module(name)] == []


def test_every_module_of_pywin32_that_there_is_can_be_imported() -> None:
    assert {"pywintypes", "win32event", "win32file", "winerror"} <= set(PYWIN32)
    assert all(windows_module(name).__name__ == f"{compat.__name__}.{name}" for name in PYWIN32)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the lists are for 3.11 to 3.13")
def test_the_library_has_what_the_lists_name() -> None:
    gone = {"asynchat", "asyncore", "smtpd", "nntplib", "telnetlib"}  # from 3.12 or 3.13 on

    assert {name for name in NETWORK_LIBRARY if name.partition(".")[0] not in sys.stdlib_module_names} <= gone
    assert {name.partition(".")[0] for name in BY_PRESENCE} <= sys.stdlib_module_names
