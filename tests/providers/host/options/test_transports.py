"""IPPROTO_TCP and IPPROTO_UDP: what the host is told, and what a program reads back."""

from __future__ import annotations

import os
import socket as host
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.loopback import code_of, pair, tcp, udp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEINVAL, WSAENOPROTOOPT
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    FIONREAD,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SO_KEEPALIVE,
    SOCK_DGRAM,
    SOL_SOCKET,
    TCP_ATMARK,
    TCP_BSDURGENT,
    TCP_EXPEDITED_1122,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_MAXRT,
    TCP_MAXRTMS,
    TCP_MAXSEG,
    TCP_NODELAY,
    TCP_NOSYNRETRIES,
    TCP_NOURG,
    TCP_OFFLOAD_PREFERENCE,
    TCP_STDURG,
    UDP_CHECKSUM_COVERAGE,
    UDP_NOCHECKSUM,
    UDP_SEND_MSG_SIZE,
)

pytestmark = pytest.mark.usefixtures("winsock")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the numbers are those of Linux")

FOR_EVER = 0xFFFFFFFF


@contextmanager
def on_host(s: int) -> Iterator[host.socket]:
    """The host socket under a handle, as a socket of the standard library."""
    with host.socket(fileno=os.dup(s)) as twin:
        yield twin


def number(s: int, level: int, option: int) -> int:
    return int.from_bytes(api.getsockopt(s, level, option, 4), "little")


# Keep-alive


@linux
@pytest.mark.parametrize("before", [True, False])
def test_keep_alive_numbers_reach_the_host_up_to_its_limits(before: bool) -> None:
    """A102: whatever comes first; Linux has a largest time and a largest count, and Windows larger ones."""
    s = tcp()
    if before:
        api.setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, 1)
    for option, value in ((TCP_KEEPIDLE, 100_000), (TCP_KEEPINTVL, 5), (TCP_KEEPCNT, 255)):
        api.setsockopt(s, IPPROTO_TCP, option, value)
        assert number(s, IPPROTO_TCP, option) == value
    if not before:
        api.setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, 1)
    with on_host(s) as twin:
        options = (host.TCP_KEEPIDLE, host.TCP_KEEPINTVL, host.TCP_KEEPCNT)
        assert [twin.getsockopt(host.IPPROTO_TCP, option) for option in options] == [32767, 5, 127]


@pytest.mark.parametrize(("option", "value"), [(TCP_KEEPCNT, 256), (TCP_KEEPCNT, 0), (TCP_KEEPIDLE, 0)])
def test_keep_alive_numbers_that_are_none(option: int, value: int) -> None:
    s = tcp()
    before = number(s, IPPROTO_TCP, option)
    assert code_of(api.setsockopt, s, IPPROTO_TCP, option, value) == WSAEINVAL
    assert number(s, IPPROTO_TCP, option) == before


# Time limits


@linux
@pytest.mark.parametrize(
    ("option", "value", "seconds", "milliseconds", "host_ms"),
    [
        (TCP_MAXRT, 5, 5, 5000, 5000),
        (TCP_MAXRTMS, 1500, 2, 1500, 1500),
        (TCP_MAXRT, FOR_EVER, FOR_EVER, FOR_EVER, 0x7FFFFFFF),
        (TCP_MAXRT, 0, 0, 0, 0),
    ],
)
def test_the_two_time_limits_are_one(option: int, value: int, seconds: int, milliseconds: int, host_ms: int) -> None:
    s = tcp()
    api.setsockopt(s, IPPROTO_TCP, option, value)
    assert (number(s, IPPROTO_TCP, TCP_MAXRT), number(s, IPPROTO_TCP, TCP_MAXRTMS)) == (seconds, milliseconds)
    with on_host(s) as twin:
        assert twin.getsockopt(host.IPPROTO_TCP, host.TCP_USER_TIMEOUT) == host_ms


def test_a_time_limit_beyond_the_clock_is_none() -> None:
    assert code_of(api.setsockopt, tcp(), IPPROTO_TCP, TCP_MAXRT, 0x7FFFFFFF) == WSAEINVAL


@linux
def test_syn_retries_come_back() -> None:
    s = tcp()
    with on_host(s) as twin:
        before = twin.getsockopt(host.IPPROTO_TCP, host.TCP_SYNCNT)
        for value, retries in ((1, 1), (1, 1), (0, before)):
            api.setsockopt(s, IPPROTO_TCP, TCP_NOSYNRETRIES, value)
            assert twin.getsockopt(host.IPPROTO_TCP, host.TCP_SYNCNT) == retries


# Urgent data


def test_urgent_styles_are_one_switch_that_is_turned_once() -> None:
    s = tcp()
    api.setsockopt(s, IPPROTO_TCP, TCP_EXPEDITED_1122, 0)  # says that it is to be BSD's, which it is
    assert code_of(api.setsockopt, s, IPPROTO_TCP, TCP_STDURG, 1) == WSAEINVAL
    other = tcp()
    api.setsockopt(other, IPPROTO_TCP, TCP_STDURG, 1)
    shown = [number(other, IPPROTO_TCP, option) for option in (TCP_EXPEDITED_1122, TCP_STDURG, TCP_BSDURGENT)]
    assert shown == [1, 1, 0]
    assert code_of(api.setsockopt, other, IPPROTO_TCP, TCP_BSDURGENT, 1) == WSAEINVAL
    assert code_of(api.setsockopt, other, IPPROTO_TCP, TCP_NOURG, 1) == WSAEINVAL


def test_the_mark_is_where_no_urgent_data_is() -> None:
    client, _ = pair()
    assert number(client, IPPROTO_TCP, TCP_ATMARK) == 1


# Others


def test_an_accepted_connection_has_the_options_of_its_listener() -> None:
    listening = tcp()
    api.setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, 1)
    api.setsockopt(listening, IPPROTO_TCP, TCP_KEEPIDLE, 77)
    api.bind(listening, api.sockaddr_in("127.0.0.1", 0))
    api.listen(listening, 1)
    client = tcp()
    api.connect(client, api.getsockname(listening))
    accepted = api.accept(listening)[0]
    assert number(accepted, IPPROTO_TCP, TCP_KEEPIDLE) == 77
    with on_host(accepted) as twin:
        assert twin.getsockopt(host.IPPROTO_TCP, host.TCP_NODELAY)
        assert not hasattr(host, "TCP_KEEPIDLE") or twin.getsockopt(host.IPPROTO_TCP, host.TCP_KEEPIDLE) == 77


def test_segment_size_is_for_reading_only() -> None:
    client, _ = pair()
    assert 0 < number(client, IPPROTO_TCP, TCP_MAXSEG) <= 65535
    assert code_of(api.setsockopt, client, IPPROTO_TCP, TCP_MAXSEG, 500) == WSAENOPROTOOPT


def test_offload_preferences_are_three() -> None:
    s = tcp()
    api.setsockopt(s, IPPROTO_TCP, TCP_OFFLOAD_PREFERENCE, 2)
    assert code_of(api.setsockopt, s, IPPROTO_TCP, TCP_OFFLOAD_PREFERENCE, 3) == WSAEINVAL
    assert number(s, IPPROTO_TCP, TCP_OFFLOAD_PREFERENCE) == 2


# UDP


@linux
def test_checksum_switches_are_one_seen_from_both_sides() -> None:
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    for option, value, unchecked in (
        (UDP_NOCHECKSUM, 1, 1),
        (UDP_CHECKSUM_COVERAGE, 1, 0),
        (UDP_CHECKSUM_COVERAGE, 0, 1),
        (UDP_NOCHECKSUM, 0, 0),
    ):
        api.setsockopt(s, IPPROTO_UDP, option, value)
        assert number(s, IPPROTO_UDP, UDP_NOCHECKSUM) == unchecked
        assert number(s, IPPROTO_UDP, UDP_CHECKSUM_COVERAGE) == 1 - unchecked
        with on_host(s) as twin:
            assert twin.getsockopt(host.SOL_SOCKET, 11) == unchecked


@pytest.mark.ipv6
def test_ipv6_has_no_datagrams_without_checksum() -> None:
    s = api.socket(AF_INET6, SOCK_DGRAM, 0)
    assert code_of(api.setsockopt, s, IPPROTO_UDP, UDP_NOCHECKSUM, 1) == WSAENOPROTOOPT
    assert code_of(api.setsockopt, s, IPPROTO_UDP, UDP_CHECKSUM_COVERAGE, 0) == WSAENOPROTOOPT
    api.setsockopt(s, IPPROTO_UDP, UDP_CHECKSUM_COVERAGE, 1)
    assert number(s, IPPROTO_UDP, UDP_CHECKSUM_COVERAGE) == 1


@linux
def test_a_send_is_cut_by_every_call_that_sends() -> None:
    s, to = udp(), udp()
    api.setsockopt(s, IPPROTO_UDP, UDP_SEND_MSG_SIZE, 10)
    assert api.sendto(s, bytes(25), 0, api.getsockname(to)) == 25
    assert api.WSASendTo(s, [bytes(10), bytes(10)], 0, api.getsockname(to)) == 20
    assert [api.recv(to, bytearray(99)) for _ in range(5)] == [10, 10, 5, 10, 10]
    assert api.ioctlsocket(to, FIONREAD, 0) == 0
    assert code_of(api.setsockopt, s, IPPROTO_UDP, UDP_SEND_MSG_SIZE, 65508) == WSAEINVAL
