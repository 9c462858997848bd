"""WSAStartup and WSACleanup through C, and the functions that need neither."""

from __future__ import annotations

import ctypes

import pytest

from tests.capi.cabi import (
    INVALID_SOCKET,
    SOCKET_ERROR,
    WSAEFAULT,
    WSANOTINITIALISED,
    WSAVERNOTSUPPORTED,
    call,
    error,
    fails,
)
from winsock2emu import errors
from winsock2emu.capi import structs
from winsock2emu.process import Process

VENDOR = 0x1122334455667788


def wsadata() -> structs.WSADATA:
    data = structs.WSADATA()
    ctypes.memset(ctypes.byref(data), 0xEE, ctypes.sizeof(data))
    data.lpVendorInfo = VENDOR
    return data


@pytest.mark.parametrize(
    ("asked", "granted", "sockets", "datagram"),
    [
        (0x0202, 0x0202, 0, 0),
        (0x0102, 0x0102, 0, 0),
        (0x0003, 0x0202, 0, 0),
        (0x0101, 0x0101, 32767, 65467),
        (0x0001, 0x0001, 32767, 65467),
    ],
)
def test_startup_fills_the_record(process: Process, asked: int, granted: int, sockets: int, datagram: int) -> None:
    """Observed on Windows: startup-strings, startup-2x, startup-1x-clamped, startup-maxsockets-*."""
    data = wsadata()

    assert call("WSAStartup", asked, ctypes.byref(data)) == 0

    assert (data.wVersion, data.wHighVersion) == (granted, 0x0202)
    assert (data.iMaxSockets, data.iMaxUdpDg) == (sockets, datagram)
    assert (data.szDescription, data.szSystemStatus) == (b"WinSock 2.0", b"Running")
    assert data.lpVendorInfo == VENDOR
    assert process.startup_count == 1


def test_a_version_below_1_0_is_refused_and_the_record_filled_for_2_2(process: Process) -> None:
    """Observed on Windows: startup-major0."""
    data = wsadata()

    assert call("WSAStartup", 0x0100, ctypes.byref(data)) == WSAVERNOTSUPPORTED

    assert (data.wVersion, data.wHighVersion) == (0x0202, 0x0202)
    assert (data.iMaxSockets, data.iMaxUdpDg) == (0, 0)
    assert data.lpVendorInfo == VENDOR
    assert process.startup_count == 0


@pytest.mark.parametrize("pointer", [None, 1, 0xFFFF])
def test_startup_without_a_record_counts_nothing(process: Process, pointer: int | None) -> None:
    """B1: the version is looked at first, then the pointer; R1.7: nothing is counted."""
    assert call("WSAStartup", 0x0202, pointer) == WSAEFAULT
    assert call("WSAStartup", 0x0100, pointer) == WSAVERNOTSUPPORTED
    assert process.startup_count == 0


def test_cleanup_undoes_startups_one_by_one(process: Process) -> None:
    data = ctypes.create_string_buffer(408)
    call("WSAStartup", 0x0202, data)
    call("WSAStartup", 0x0202, data)

    assert call("WSACleanup") == 0
    assert call("WSACleanup") == 0
    fails(WSANOTINITIALISED, "WSACleanup")


@pytest.mark.parametrize(
    ("name", "args", "failure"),
    [
        ("socket", (2, 1, 6), INVALID_SOCKET),
        ("WSASocketW", (0, 0, 0, None, 0, 0), INVALID_SOCKET),
        ("WSASocketA", (0, 0, 0, 1, 0, 0), INVALID_SOCKET),
        ("accept", (1, None, None), INVALID_SOCKET),
        ("WSAAccept", (1, None, None, None, 0), INVALID_SOCKET),
        ("closesocket", (1,), SOCKET_ERROR),
        ("bind", (1, None, 0), SOCKET_ERROR),
        ("listen", (1, 1), SOCKET_ERROR),
        ("connect", (1, None, 0), SOCKET_ERROR),
        ("WSAConnect", (1, None, 0, None, None, None, None), SOCKET_ERROR),
        ("shutdown", (1, 9), SOCKET_ERROR),
        ("getsockname", (1, None, None), SOCKET_ERROR),
        ("getpeername", (1, None, None), SOCKET_ERROR),
        ("send", (1, None, 5, 0), SOCKET_ERROR),
        ("recv", (1, None, 5, 0), SOCKET_ERROR),
        ("sendto", (1, None, 5, 0, None, 0), SOCKET_ERROR),
        ("recvfrom", (1, None, 5, 0, 1, None), SOCKET_ERROR),
        ("WSASend", (1, None, 1, None, 0, None, None), SOCKET_ERROR),
        ("WSASendTo", (1, None, 1, None, 0, None, 0, None, None), SOCKET_ERROR),
        ("WSARecv", (1, None, 1, None, None, None, None), SOCKET_ERROR),
        ("WSARecvFrom", (1, None, 1, None, None, 1, None, None, None), SOCKET_ERROR),
        ("getsockopt", (1, 0xFFFF, 4, None, None), SOCKET_ERROR),
        ("setsockopt", (1, 0xFFFF, 4, None, 4), SOCKET_ERROR),
        ("setsockopt", (1, 6, 1, b"1", -1), SOCKET_ERROR),
        ("ioctlsocket", (1, 0, None), SOCKET_ERROR),
        ("WSAIoctl", (1, 0, None, 0, None, 0, None, None, None), SOCKET_ERROR),
        ("select", (0, None, None, None, None), SOCKET_ERROR),
        ("select", (0, 1, None, None, None), SOCKET_ERROR),
        ("select", (0, b"\xff\xff\xff\xff\xff\xff\xff\xff", None, None, None), SOCKET_ERROR),
        ("WSAHtonl", (1, 1, None), SOCKET_ERROR),
        ("WSANtohs", (1, 1, None), SOCKET_ERROR),
        ("WSAAddressToStringA", (None, 0, None, None, None), SOCKET_ERROR),
        ("WSAAddressToStringW", (None, 0, 1, None, None), SOCKET_ERROR),
        ("WSAStringToAddressW", (None, 2, None, None, None), SOCKET_ERROR),
        ("WSAEnumProtocolsA", (None, None, None), SOCKET_ERROR),
        ("gethostname", (None, 0), SOCKET_ERROR),
        ("GetHostNameW", (None, 0), SOCKET_ERROR),
        ("gethostbyname", (b"localhost",), None),
        ("getaddrinfo", (None, None, None, None), WSANOTINITIALISED),
        ("GetAddrInfoW", (None, None, None, None), WSANOTINITIALISED),
        ("getnameinfo", (None, 0, None, 0, None, 0, 0), WSANOTINITIALISED),
        ("GetNameInfoW", (None, 0, None, 0, None, 0, 0), WSANOTINITIALISED),
    ],
)
def test_before_startup_nothing_else_is_looked_at(
    process: Process, name: str, args: tuple[object, ...], failure: object
) -> None:
    """R16.15, R16.16: not one of the bad arguments wins over WSANOTINITIALISED."""
    fails(WSANOTINITIALISED, name, *args, failure=failure)


def test_the_last_error_is_one_cell(process: Process) -> None:
    """WSAGetLastError and GetLastError read the same, and work before WSAStartup."""
    call("WSASetLastError", 12345)
    assert (call("WSAGetLastError"), call("GetLastError", dll="kernel32")) == (12345, 12345)

    call("SetLastError", 0xC000000D, dll="kernel32")
    assert call("GetLastError", dll="kernel32") == 0xC000000D
    assert call("WSAGetLastError") == 0xC000000D - (1 << 32), "an int in C"


def test_a_success_leaves_the_last_error_alone(winsock: Process) -> None:
    """R16.6."""
    errors.set_last_error(777)

    assert call("htons", 1) == 0x100
    assert call("closesocket", call("socket", 2, 1, 6)) == 0

    assert error() == 777
