"""select and WSAPoll through C: fd_sets and arrays of WSAPOLLFD in memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from tests.capi.cabi import (
    AF_INET,
    INVALID_SOCKET,
    SOCK_STREAM,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    Replace,
    call,
    fails,
    noted,
    ref,
)
from winsock2emu.capi import structs
from winsock2emu.process import Process

FD_SETSIZE = 64


def fd_set(*handles: int) -> structs.FD_SET:
    """As FD_ZERO and FD_SET make it; the rest of the array holds a pattern."""
    made = structs.FD_SET(len(handles))
    made.fd_array[:] = [*handles, *[0xEEEE] * (FD_SETSIZE - len(handles))]
    return made


def members(made: structs.FD_SET) -> list[int]:
    return list(made.fd_array[: made.fd_count])


def test_sets_reach_the_api_and_come_back_compacted(replace: Replace) -> None:
    seen: list[Any] = []
    replace("select", lambda *args: noted(seen, args, ([7], [], [INVALID_SOCKET - 1, 9])))
    read, write, other = fd_set(5, 6, 7), fd_set(8), fd_set(INVALID_SOCKET - 1, 9)
    wait = structs.TIMEVAL(3, 250_000)

    assert call("select", 0, ref(read), ref(write), ref(other), ref(wait)) == 3

    assert seen == [([5, 6, 7], [8], [INVALID_SOCKET - 1, 9], (3, 250_000))]
    assert (members(read), members(write), members(other)) == ([7], [], [INVALID_SOCKET - 1, 9])
    assert read.fd_array[3] == 0xEEEE, "what lies behind the set is not touched"
    assert (wait.tv_sec, wait.tv_usec) == (3, 250_000)


def test_null_means_no_set_and_no_limit(replace: Replace) -> None:
    seen: list[Any] = []
    replace("select", lambda *args: noted(seen, args, ([], [4], [])))
    write = fd_set(4)

    assert call("select", 99, None, ref(write), None, None) == 1

    assert seen == [(None, [4], None, None)]


def test_negative_times_are_the_apis_business(replace: Replace) -> None:
    """tv_sec and tv_usec are 32-bit longs."""
    seen: list[Any] = []
    replace("select", lambda r, w, e, timeout: noted(seen, timeout, ([], [], [])))

    assert call("select", 0, ref(fd_set(1)), None, None, ref(structs.TIMEVAL(-1, -2))) == 0

    assert seen == [(-1, -2)]


@pytest.mark.parametrize("count", [65, 500])
def test_a_set_may_be_larger_than_fd_setsize(replace: Replace, count: int) -> None:
    """FD_SETSIZE is the program's choice."""
    replace("select", lambda r, w, e, timeout: (r[-1:], [], []))
    array = (ctypes.c_uint64 * (count + 1))(count, *range(1, count + 1))

    assert call("select", 0, array, None, None, None) == 1

    assert array[0] & 0xFFFFFFFF == 1
    assert array[1] == count


def test_a_failure_leaves_the_sets_alone(winsock: Process, udp: int) -> None:
    """B25."""
    read, write = fd_set(udp, INVALID_SOCKET), fd_set(udp)
    before = bytes(read), bytes(write)
    now = structs.TIMEVAL(0, 0)

    fails(WSAENOTSOCK, "select", 0, ref(read), ref(write), None, ref(now))

    assert (bytes(read), bytes(write)) == before


def test_nothing_to_wait_for(winsock: Process) -> None:
    """A57: POSIX would sleep."""
    empty = fd_set()

    fails(WSAEINVAL, "select", 0, None, None, None, ref(structs.TIMEVAL(0, 0)))
    fails(WSAEINVAL, "select", 0, ref(empty), ref(empty), None, None)


def test_unreadable_sets(winsock: Process, udp: int) -> None:
    """Pointers into the NULL partition, and a count that no process reaches."""
    good, broken = fd_set(udp), structs.FD_SET(0xFFFFFFFF)
    now = structs.TIMEVAL(0, 0)

    fails(WSAEFAULT, "select", 0, 1, None, None, ref(now))
    fails(WSAEFAULT, "select", 0, ref(good), None, None, 16)
    fails(WSAEFAULT, "select", 0, ref(good), ref(broken), None, ref(now))
    assert members(good) == [udp]


def test_select_tells_what_is_ready(pair: tuple[int, int]) -> None:
    client, server = pair
    assert call("send", client, b"x", 1, 0) == 1
    read, write = fd_set(client, server), fd_set(client)

    wait = structs.TIMEVAL(10, 0)
    assert call("select", 0, ref(read), None, None, ref(wait)) == 1
    assert members(read) == [server]
    assert call("select", 0, None, ref(write), None, ref(wait)) == 1
    assert members(write) == [client]


def test_select_that_times_out_empties_the_sets(pair: tuple[int, int]) -> None:
    read = fd_set(*pair)

    assert call("select", 0, ref(read), None, None, ref(structs.TIMEVAL(0, 1000))) == 0

    assert members(read) == []


def test_fd_isset(process: Process) -> None:
    """Works before WSAStartup: it is a helper of the macros."""
    some = fd_set(5, INVALID_SOCKET)
    isset: Callable[..., int] = lambda s, where: call("__WSAFDIsSet", s, where)  # noqa: E731

    assert isset(5, ref(some)) == 1
    assert isset(INVALID_SOCKET, ref(some)) == 1
    assert isset(6, ref(some)) == 0
    assert isset(0xEEEE, ref(some)) == 0, "behind the count"
    assert isset(5, ref(fd_set())) == 0
    assert isset(5, None) == 0


def test_a_socket_in_two_sets_counts_twice(pair: tuple[int, int]) -> None:
    """A59."""
    client, server = pair
    call("send", client, b"x", 1, 0)
    read, write = fd_set(server), fd_set(server)
    assert call("select", 0, ref(read), None, None, ref(structs.TIMEVAL(10, 0))) == 1
    read = fd_set(server)

    assert call("select", 0, ref(read), ref(write), None, ref(structs.TIMEVAL(10, 0))) == 2


def test_a_listener_is_readable_when_a_connection_waits(winsock: Process) -> None:
    from tests.capi.cabi import inet

    listener = call("socket", AF_INET, SOCK_STREAM, 0)
    call("bind", listener, inet(0), 16)
    call("listen", listener, 5)
    address, length = ctypes.create_string_buffer(16), ctypes.c_int32(16)
    call("getsockname", listener, address, ref(length))
    read = fd_set(listener)
    assert call("select", 0, ref(read), None, None, ref(structs.TIMEVAL(0, 0))) == 0

    client = call("socket", AF_INET, SOCK_STREAM, 0)
    assert call("connect", client, address, 16) == 0

    read = fd_set(listener)
    assert call("select", 0, ref(read), None, None, ref(structs.TIMEVAL(10, 0))) == 1


# WSAPoll

POLLRDNORM, POLLWRNORM, POLLNVAL, POLLERR = 0x100, 0x10, 4, 1
POLLIN = 0x300
BOGUS = 0xABACAB


def pollfds(*entries: tuple[int, int]) -> Any:
    """An array of WSAPOLLFD whose revents hold a pattern."""
    return (structs.WSAPOLLFD * len(entries))(*[(s, events, 0x5A5A) for s, events in entries])


def revents(entries: Any) -> list[int]:
    return [one.revents for one in entries]


def test_entries_reach_the_api_and_their_bits_come_back(replace: Replace) -> None:
    """Events are signed words, handles unsigned; the fill behind an entry is not touched."""
    seen: list[Any] = []
    replace("WSAPoll", lambda *args: noted(seen, args, (1, [0, POLLNVAL, -1])))
    entries = pollfds((7, POLLIN), (INVALID_SOCKET, POLLERR), (9, -1))
    fills = [bytes(one)[12:] for one in entries]

    assert call("WSAPoll", entries, 3, -5) == 1

    assert seen == [([(7, POLLIN), (INVALID_SOCKET, POLLERR), (9, -1)], -5)]
    assert revents(entries) == [0, POLLNVAL, -1]
    assert [(one.fd, one.events) for one in entries] == seen[0][0]
    assert [bytes(one)[12:] for one in entries] == fills


def test_poll_judges_the_array_after_the_number_of_entries(winsock: Process) -> None:
    fails(WSAEINVAL, "WSAPoll", None, 0, 0)
    fails(WSAEINVAL, "WSAPoll", pollfds((1, 0)), 0, 0)
    fails(WSAEFAULT, "WSAPoll", None, 1, 0)
    fails(WSAEFAULT, "WSAPoll", 16, 1, 0)
    fails(WSAEFAULT, "WSAPoll", pollfds((1, 0)), 0xFFFFFFFF, 0)


def test_a_failed_poll_tells_in_the_entries_too(winsock: Process, udp: int) -> None:
    entries = pollfds((INVALID_SOCKET, POLLERR), (BOGUS, POLLERR))
    fails(WSAENOTSOCK, "WSAPoll", entries, 2, 0)
    assert revents(entries) == [POLLNVAL, POLLNVAL]

    entries = pollfds((udp, POLLIN), (BOGUS, POLLERR))
    fails(WSAEINVAL, "WSAPoll", entries, 2, 0)
    assert revents(entries) == [0, 0]


def test_poll_tells_what_is_ready(pair: tuple[int, int]) -> None:
    client, server = pair
    assert call("send", client, b"x", 1, 0) == 1
    entries = pollfds((server, POLLIN))
    assert call("WSAPoll", entries, 1, 10_000) == 1
    assert revents(entries) == [POLLRDNORM]

    entries = pollfds((client, POLLIN), (server, POLLIN | POLLWRNORM), (BOGUS, 0))

    assert call("WSAPoll", entries, 3, 0) == 1
    assert revents(entries) == [0, POLLRDNORM | POLLWRNORM, POLLNVAL]


def test_poll_waits_for_its_time(winsock: Process, udp: int) -> None:
    entries = pollfds((udp, POLLIN))

    assert call("WSAPoll", entries, 1, 5) == 0

    assert revents(entries) == [0]
