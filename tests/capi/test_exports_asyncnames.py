"""Look-ups told by a message, as C makes them: the record lies in the caller's buffer."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator

import pytest

from tests.capi.cabi import WSAEFAULT, WSAEINVAL, call, fails
from winsock2emu import user32
from winsock2emu.defs.windows import HWND_MESSAGE, WM_USER
from winsock2emu.process import Process

MAXGETHOSTSTRUCT = 1024
ADDRESS = b"127.0.0.1"


@pytest.fixture
def window(winsock: Process) -> Iterator[int]:
    hwnd = user32.CreateWindowEx(0, "Message", None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None)
    yield hwnd
    user32.DestroyWindow(hwnd)


def told(window: int) -> tuple[int, int, int]:
    """Task, length and error of the next message."""
    message = user32.GetMessage(window)
    assert message.message == WM_USER
    return message.wparam, message.lparam & 0xFFFF, message.lparam >> 16


def test_the_record_and_all_it_points_to_lie_in_the_buffer(window: int) -> None:
    """From the first byte on, and no further than the message says."""
    buffer = ctypes.create_string_buffer(b"\xab" * MAXGETHOSTSTRUCT, MAXGETHOSTSTRUCT)
    task = call("WSAAsyncGetHostByName", window, WM_USER, ADDRESS, buffer, MAXGETHOSTSTRUCT)
    assert task

    told_task, length, error = told(window)

    name, aliases, family, size, addresses = struct.unpack("<QQhh4xQ", buffer.raw[:32])
    base = ctypes.addressof(buffer)
    assert (told_task, error) == (task, 0)
    assert all(base < pointer < base + length for pointer in (name, aliases, addresses))
    (first,) = struct.unpack("<Q", ctypes.string_at(addresses, 8))
    assert base < first < base + length
    assert (ctypes.string_at(name), family, size) == (ADDRESS, 2, 4)
    assert ctypes.string_at(first, 4) == b"\x7f\0\0\1"
    assert buffer.raw[length:] == b"\xab" * (MAXGETHOSTSTRUCT - length)


def test_no_buffer_is_an_error_in_the_message(window: int) -> None:
    task = call("WSAAsyncGetHostByName", window, WM_USER, ADDRESS, None, MAXGETHOSTSTRUCT)

    assert told(window) == (task, 0, WSAEFAULT)


def test_a_negative_length_is_no_room(window: int) -> None:
    buffer = ctypes.create_string_buffer(8)
    task = call("WSAAsyncGetHostByName", window, WM_USER, ADDRESS, buffer, -1)

    told_task, length, error = told(window)

    assert (told_task, error) == (task, 10055)
    assert length > 32
    assert buffer.raw == bytes(8)


def test_cancelling_fails_as_a_winsock_call(window: int) -> None:
    fails(WSAEINVAL, "WSACancelAsyncRequest", None)
    fails(WSAEINVAL, "WSACancelAsyncRequest", 12345)
