"""Look-ups told by a message: what WSACleanup, a full queue and a lost window do to them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.concurrency import LIMIT_S, until
from winsock2emu import user32, ws2_32
from winsock2emu.defs.codes import WSANO_RECOVERY, WSANOTINITIALISED
from winsock2emu.defs.records import HostEnt
from winsock2emu.defs.windows import HWND_MESSAGE, WM_USER
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.messages import POST_LIMIT
from winsock2emu.process import Process
from winsock2emu.ws2_32 import names

ANSWER = HostEnt(name="toy", aliases=(), addrtype=2, addresses=(b"\x7f\0\0\1",))


class Resolver:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go = threading.Event()

    def __call__(self, name: str | None) -> HostEnt:
        self.asked.set()
        assert self.go.wait(LIMIT_S)
        return ANSWER


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    resolver = Resolver()
    monkeypatch.setattr(names, "gethostbyname", resolver)
    yield resolver
    resolver.go.set()
    until(lambda: not [one for one in threading.enumerate() if one.name == "winsock2emu-lookup"], "the workers ended")


@pytest.fixture
def window(winsock: Process) -> Iterator[int]:
    hwnd = user32.CreateWindowEx(0, "Message", None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None)
    yield hwnd
    if user32.IsWindow(hwnd):
        user32.DestroyWindow(hwnd)


def test_the_answer_is_in_the_buffer_when_the_message_comes(resolver: Resolver, window: int) -> None:
    buffer = ws2_32.LookupBuffer()
    task = ws2_32.WSAAsyncGetHostByName(window, WM_USER, "toy", buffer)
    before = buffer.record
    resolver.go.set()
    message = user32.GetMessage(window)

    assert (before, buffer.record) == (None, ANSWER)
    assert (message.message, message.wparam) == (WM_USER, task)
    assert ws2_32.WSAGETASYNCERROR(message.lparam) == 0


def test_a_cancelled_look_up_touches_nothing(resolver: Resolver, window: int) -> None:
    buffer, other = ws2_32.LookupBuffer(), ws2_32.LookupBuffer()
    task = ws2_32.WSAAsyncGetHostByName(window, WM_USER, "toy", buffer)
    assert resolver.asked.wait(LIMIT_S)
    ws2_32.WSACancelAsyncRequest(task)
    second = ws2_32.WSAAsyncGetHostByName(window, WM_USER, "toy", other)
    resolver.go.set()

    assert user32.GetMessage(window).wparam == second
    assert user32.PeekMessage() is None
    assert (buffer.record, other.record) == (None, ANSWER)


def test_the_last_cleanup_ends_look_ups_silently(winsock: Process, resolver: Resolver, window: int) -> None:
    """R1.17: no message, no touched buffer; and a task of the time before is known no more after a new startup."""
    buffer = ws2_32.LookupBuffer()
    task = ws2_32.WSAAsyncGetHostByName(window, WM_USER, "toy", buffer)
    assert resolver.asked.wait(LIMIT_S)
    ws2_32.WSACleanup()
    with pytest.raises(WinsockError) as caught:
        ws2_32.WSACancelAsyncRequest(task)
    resolver.go.set()
    until(lambda: not [one for one in threading.enumerate() if one.name == "winsock2emu-lookup"], "the worker ended")
    ws2_32.WSAStartup(0x0202)

    assert caught.value.winerror == WSANOTINITIALISED
    assert buffer.record is None
    assert user32.PeekMessage() is None


def test_a_full_queue_gets_the_message_as_soon_as_there_is_room(resolver: Resolver, window: int) -> None:
    for _ in range(POST_LIMIT):
        user32.PostMessage(window, WM_USER + 1)
    task = ws2_32.WSAAsyncGetHostByName(window, WM_USER, "toy", ws2_32.LookupBuffer())
    resolver.go.set()
    assert user32.GetMessage(window).message == WM_USER + 1

    message = user32.GetMessage(window, WM_USER, WM_USER)

    assert message.wparam == task
    while user32.PeekMessage() is not None:
        continue


def test_a_lost_window_ends_the_look_up(winsock: Process, resolver: Resolver, window: int) -> None:
    ws2_32.WSAAsyncGetHostByName(window, WM_USER, "toy", ws2_32.LookupBuffer())
    assert resolver.asked.wait(LIMIT_S)
    user32.DestroyWindow(window)
    resolver.go.set()

    until(lambda: not [one for one in threading.enumerate() if one.name == "winsock2emu-lookup"], "the worker ended")


def test_a_resolver_that_breaks_is_an_error_in_the_message(
    monkeypatch: pytest.MonkeyPatch, winsock: Process, window: int
) -> None:
    def breaks(name: str | None) -> HostEnt:
        raise ZeroDivisionError

    monkeypatch.setattr(names, "gethostbyname", breaks)
    ws2_32.WSAAsyncGetHostByName(window, WM_USER, "toy", ws2_32.LookupBuffer())

    message = user32.GetMessage(window)

    assert ws2_32.WSAGETASYNCERROR(message.lparam) == WSANO_RECOVERY
    assert ws2_32.WSAGETASYNCBUFLEN(message.lparam) == 0
