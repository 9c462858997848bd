"""Which kinds of sockets have an option: get it into a large buffer, and set what came back.

Part played:     the scheme of one of the public tests that pass on Windows, for tables of cases.
Lives elsewhere: the tables (cases/options, ipv6, multicast).
"""

from __future__ import annotations

from .constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    WSAEACCES,
    WSAEINVAL,
    WSAENOPROTOOPT,
)
from .target import Target
from .verify import Failed, expect, not_applicable, step, variant

Outcome = tuple[int, int]
"""The codes of the get and of the set; 0 is success, and a get that fails is not followed by a set."""

WORKS: Outcome = (0, 0)
READ_ONLY: Outcome = (0, WSAEINVAL)
NOT_HERE: Outcome = (WSAEINVAL, 0)
SET_ONLY: Outcome = (WSAENOPROTOOPT, 0)

_ROOM = 256
_OLDER = {WSAENOPROTOOPT: "a Windows that does not have the option yet"}
_KINDS = ("stream", "datagram", "raw")


def make(ws: Target, family: int, kind: str) -> int | None:
    """Return a new socket of a kind: stream, datagram or raw; None where a raw one is not allowed."""
    if kind == "stream":
        return ws.socket(family, SOCK_STREAM, 0)
    if kind == "datagram":
        return ws.socket(family, SOCK_DGRAM, 0)
    try:
        return ws.socket(family, SOCK_RAW, IPPROTO_ICMP if family == AF_INET else IPPROTO_ICMPV6)
    except Failed as failure:
        if failure.code != WSAEACCES:
            raise
        step("raw sockets are not allowed here")
        return None


def check(ws: Target, family: int, level: int, option: int, outcomes: tuple[Outcome, Outcome, Outcome]) -> None:
    """Check an option on a stream, a datagram and a raw socket, as far as the machine has them."""
    if family == AF_INET6 and not ws.has_family(AF_INET6):
        not_applicable("no IPv6 here")
    for kind, outcome in zip(_KINDS, outcomes, strict=True):
        s = make(ws, family, kind)
        if s is not None:
            with ws.closing(s):
                _check_on(ws, s, kind, level, option, outcome)


def _check_on(ws: Target, s: int, kind: str, level: int, option: int, outcome: Outcome) -> None:
    ws.WSASetLastError(0)
    value, code = b"", 0
    try:
        value = ws.getsockopt(s, level, option, _ROOM)
    except Failed as failure:
        code = failure.code
    variant(f"get on a {kind} socket", expected=outcome[0], allowed={} if not outcome[0] else _OLDER, actual=code)
    if code:
        return
    try:
        ws.setsockopt(s, level, option, value)
    except Failed as failure:
        code = failure.code
    expect(f"set on a {kind} socket", expected=outcome[1], actual=code)
    if not code:
        expect("last error", expected=0, actual=ws.WSAGetLastError())


ALIKE = (WORKS, WORKS, WORKS)
FOR_MESSAGES = (NOT_HERE, WORKS, WORKS)
FOR_RAW = (NOT_HERE, NOT_HERE, WORKS)
FOR_UDP = (NOT_HERE, WORKS, NOT_HERE)
