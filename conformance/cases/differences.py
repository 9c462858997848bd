"""Rules that no POSIX host has by itself: order of checks, numbers of errors, and what takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..addresses import loopback, sockaddr_in, sockaddr_in6
from ..constants import (
    AF_INET,
    AF_INET6,
    AF_UNSPEC,
    FIONBIO,
    SD_SEND,
    SO_TYPE,
    SOCK_STREAM,
    SOL_SOCKET,
    WSAEAFNOSUPPORT,
    WSAECONNREFUSED,
)
from ..model import Row, case
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Errors"
BIND = "winsock/nf-winsock-bind"
CONNECT = "winsock2/nf-winsock2-connect"
CODES = "winsock/windows-sockets-error-codes-2"


# ---- families --------------------------------------------------------------------------------------------------------


@case(
    "binding.family.another-{row}",
    chapter="Addresses and binding",
    source=f"{BIND}; Wine's public test sock.c:test_bind, which passes on Windows",
    basis="observed",
    requirements=["A7", "B5"],
    rows={
        "ipv6-address": Row(AF_INET, sockaddr_in6("::1")),
        "no-family": Row(AF_INET, AF_UNSPEC.to_bytes(2, "little") + sockaddr_in("0.0.0.0")[2:]),
        "ipv4-address": Row(AF_INET6, sockaddr_in() + bytes(12)),
        "no-family-ipv6": Row(AF_INET6, AF_UNSPEC.to_bytes(2, "little") + sockaddr_in6("::")[2:]),
    },
)
def address_of_another_family(ws: Target, family: int, address: bytes) -> None:
    """An address of another family, AF_UNSPEC among them, is WSAEAFNOSUPPORT, and the socket can be bound after it."""
    if not ws.has_family(family):
        not_applicable("no IPv6 here")
    for make in (ws.tcp, ws.udp):
        with ws.closing(make(family)) as s:
            with fails_with(WSAEAFNOSUPPORT):
                ws.bind(s, address)
            ws.bind(s, loopback(family))


# ---- time ------------------------------------------------------------------------------------------------------------


@case(
    "connections.refused.in-time",
    chapter="Connections",
    source=CONNECT,
    basis="observed",
    requirements=["A19"],
)
def refusal_takes_seconds_at_most(ws: Target) -> None:
    """A connect that is refused is tried again a few times at most: WSAECONNREFUSED comes within some seconds."""
    with ws.closing(ws.tcp()) as s:
        began = time.monotonic()
        with fails_with(WSAECONNREFUSED):
            ws.connect(s, ws.dead_address())
        took = time.monotonic() - began
        expect_true("time", took < 5, actual=took)


# ---- numbers ---------------------------------------------------------------------------------------------------------


def _connect_twice(ws: Target) -> None:
    with ws.connected_pair() as (client, _):
        ws.connect(client, ws.getpeername(client))


def _in_use(ws: Target) -> None:
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        ws.bind(s, ws.getsockname(listening))


def _after_the_end(ws: Target) -> None:
    with ws.connected_pair() as (client, _):
        ws.shutdown(client, SD_SEND)
        ws.send(client, b"x")


def _would_block(ws: Target) -> None:
    with ws.connected_pair() as (client, _):
        ws.nonblocking(client)
        ws.recv(client, bytearray(1))


def _too_long(ws: Target) -> None:
    with ws.udp_pair() as (sender, receiver):
        ws.send_and_settle(sender, b"hello")
        ws.recv(receiver, bytearray(2))


def _reset(ws: Target) -> None:
    with ws.connected_pair() as (client, server):
        ws.reset(server)
        ws.recv(client, bytearray(1))


def _with_tcp(call: Callable[[Target, int], object]) -> Callable[[Target], object]:
    def run(ws: Target) -> None:
        with ws.closing(ws.tcp()) as s:
            call(ws, s)

    return run


#: What a POSIX host has small numbers for, the number it has on Windows, and how it is brought about.
NUMBERS: dict[str, tuple[int, Callable[[Target], object]]] = {
    "fault": (10014, _with_tcp(lambda ws, s: ws.connect(s, None))),
    "inval": (10022, _with_tcp(lambda ws, s: ws.accept(s))),
    "wouldblock": (10035, _would_block),
    "notsock": (10038, lambda ws: ws.getsockopt(2**64 - 1, SOL_SOCKET, SO_TYPE, 4)),
    "msgsize": (10040, _too_long),
    "noprotoopt": (10042, _with_tcp(lambda ws, s: ws.getsockopt(s, SOL_SOCKET, 0x5A5A, 4))),
    "socktnosupport": (10044, lambda ws: ws.socket(AF_INET, 0xDEAD, 0)),
    "opnotsupp": (10045, _with_tcp(lambda ws, s: ws.ioctlsocket(s, FIONBIO ^ 0x55, 1))),
    "afnosupport": (10047, lambda ws: ws.socket(0xDEAD, SOCK_STREAM, 0)),
    "addrinuse": (10048, _in_use),
    "addrnotavail": (10049, _with_tcp(lambda ws, s: ws.bind(s, sockaddr_in("192.0.2.1")))),
    "connreset": (10054, _reset),
    "isconn": (10056, _connect_twice),
    "notconn": (10057, _with_tcp(lambda ws, s: ws.send(s, b"x"))),
    "shutdown": (10058, _after_the_end),
    "connrefused": (10061, _with_tcp(lambda ws, s: ws.connect(s, ws.dead_address()))),
}


@case(
    "errors.number.{row}",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["A79"],
    rows={name: Row(number, bring_about) for name, (number, bring_about) in NUMBERS.items()},
)
def errors_have_their_own_numbers(ws: Target, number: int, bring_about: Callable[[Target], object]) -> None:
    """The code is a number above 10000, never the host's errno; the last error is the same."""
    try:
        bring_about(ws)
    except Failed as failure:
        expect("code", expected=number, actual=failure.code)
    else:
        expect("the call", expected="fails", actual="succeeds")
