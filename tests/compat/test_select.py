"""``select`` and ``selectors`` as Python on Windows has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from winsock2emu.compat import select, selectors, socket
from winsock2emu.process import Process


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process
        while process.startup_count:
            process.cleanup()


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


class Wrapped:
    """Something with a descriptor."""

    def __init__(self, number: Any) -> None:
        self.number = number

    def fileno(self) -> Any:
        return self.number


def test_there_is_nothing_but_select() -> None:
    assert [name for name in dir(select) if name in ("poll", "epoll", "kqueue", "devpoll", "PIPE_BUF")] == []
    assert select.error is OSError


def test_the_objects_come_back_in_their_order(pair: tuple[Any, Any]) -> None:
    one, other = pair
    one.send(b"-")
    wrapped = Wrapped(other.fileno())
    assert select.select([one, wrapped, other], [one, other.fileno()], [one], 10) == (
        [wrapped, other],
        [one, other.fileno()],
        [],
    )
    assert select.select((other,), (), iter(()), None) == ([other], [], [])


def test_nothing_is_ready_in_time(pair: tuple[Any, Any]) -> None:
    one, other = pair
    assert select.select([one, other], [], [], 0) == ([], [], [])
    assert select.select([one, other], [], [], 0.01) == ([], [], [])


def test_urgent_data_is_exceptional(pair: tuple[Any, Any]) -> None:
    one, other = pair
    one.send(b"!", socket.MSG_OOB)
    assert select.select([], [], [other], 10) == ([], [], [other])


def test_three_empty_lists_are_refused() -> None:
    with pytest.raises(OSError) as caught:
        select.select([], [], [], 0)
    assert caught.value.winerror == 10022  # type: ignore[attr-defined]


def test_what_is_no_socket_is_refused() -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(OSError) as caught:
            select.select([reading], [], [], 0)
        assert caught.value.winerror == 10038  # type: ignore[attr-defined]
    finally:
        os.close(reading)
        os.close(writing)


def test_five_hundred_and_twelve_are_the_most(pair: tuple[Any, Any]) -> None:
    one, _ = pair
    assert select.select([], [one] * 512, [], 0) == ([], [one] * 512, [])
    with pytest.raises(ValueError, match=r"too many file descriptors in select\(\)"):
        select.select([], [one] * 513, [], 0)


@pytest.mark.parametrize(
    ("thing", "kind", "text"),
    [
        (object(), TypeError, r"argument must be an int, or have a fileno\(\) method."),
        (Wrapped("x"), TypeError, r"fileno\(\) returned a non-integer"),
        (Wrapped(-1), ValueError, r"file descriptor cannot be a negative integer \(-1\)"),
    ],
)
def test_members_have_to_have_a_number(thing: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        select.select([thing], [], [], 0)


@pytest.mark.parametrize(
    ("timeout", "kind", "text"),
    [
        (-1, ValueError, "timeout must be non-negative"),
        ("1", TypeError, "timeout must be a number or None"),
        (float("nan"), ValueError, "NaN"),
        (2.0**60, OverflowError, "timestamp"),
    ],
)
def test_a_timeout_has_to_be_a_number_of_seconds(
    timeout: Any, kind: type[Exception], text: str, pair: tuple[Any, Any]
) -> None:
    with pytest.raises(kind, match=text):
        select.select(pair, [], [], timeout)


def test_arguments_have_to_be_lists() -> None:
    with pytest.raises(TypeError, match="arguments 1-3 must be sequences"):
        select.select(1, [], [], 0)


def test_a_list_may_shrink_while_it_is_read() -> None:
    """CPython looks at the length again before each member."""
    members: list[Any] = []

    class Shrinking(Wrapped):
        def fileno(self) -> Any:
            members.pop()
            return self.number

    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        members.extend(Shrinking(sock.fileno()) for _ in range(10))
        found = select.select([], members, [], 0)
        assert found == ([], members, [])
        assert len(members) == 5


def test_the_default_selector_is_on_select(pair: tuple[Any, Any]) -> None:
    assert selectors.DefaultSelector is selectors.SelectSelector
    assert not hasattr(selectors, "EpollSelector")
    one, other = pair
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, "one")
        selector.register(other, selectors.EVENT_READ | selectors.EVENT_WRITE, "other")
        one.send(b"-")
        found = {key.data: events for key, events in selector.select(10)}
    assert found["other"] & selectors.EVENT_WRITE


def test_a_connect_that_fails_makes_its_selector_writable() -> None:
    """SelectSelector waits for exceptional conditions of all that it waits to write to, on Windows."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    with socket.socket() as sock, selectors.DefaultSelector() as selector:
        sock.setblocking(False)
        assert sock.connect_ex(address) == 10035
        selector.register(sock, selectors.EVENT_WRITE)
        assert [events for _, events in selector.select(10)] == [selectors.EVENT_WRITE]
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 10061
