"""The table of options against the reference's, row by row: nothing is missing, nothing is made up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.loopback import code_of
from tests.reference import reference
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEADDRNOTAVAIL,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    INVALID_SOCKET,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MCAST_JOIN_GROUP,
    MCAST_UNBLOCK_SOURCE,
    SO_OPENTYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
)
from winsock2emu.providers.host.options import OPTIONS, REFUSED, Lengths

LEVELS = {
    "SOL_SOCKET": SOL_SOCKET,
    "IPPROTO_IP": IPPROTO_IP,
    "IPPROTO_IPV6": IPPROTO_IPV6,
    "IPPROTO_TCP": IPPROTO_TCP,
    "IPPROTO_UDP": IPPROTO_UDP,
}

# What Windows does with these is observed and is more than the pages say.
OTHER_ACCESS = {
    "SO_ERROR": "gs",  # opt-so-error-set
    "SO_TYPE": "gs",  # wsasocket-so-type-set-udp: a code of its own
    "IP_ECN": "gs",  # optvalid-v4-ecn
    "IP_PKTINFO_EX": "gs",  # optvalid-v4-pktinfo-ex
    "IP_WFP_REDIRECT_CONTEXT": "gs",  # optvalid-v4-wfp-redirect-context
    "IP_WFP_REDIRECT_RECORDS": "gs",  # optvalid-v4-wfp-redirect-records
    "IPV6_ECN": "gs",  # optvalid-v6-ecn
    "IPV6_PKTINFO_EX": "gs",  # optvalid-v6-pktinfo-ex
    "IPV6_WFP_REDIRECT_CONTEXT": "gs",  # optvalid-v6-wfp-redirect-context
    "IPV6_WFP_REDIRECT_RECORDS": "gs",  # optvalid-v6-wfp-redirect-records
    "UDP_COALESCED_INFO": "gs",  # the number of UDP_RECV_MAX_COALESCED_SIZE
}
# Switches that are stored as numbers, where the pages give the type of the control data.
SWITCHES = {"IP_WFP_REDIRECT_CONTEXT", "IP_WFP_REDIRECT_RECORDS"} | {
    "IPV6_WFP_REDIRECT_CONTEXT",
    "IPV6_WFP_REDIRECT_RECORDS",
}
OF_THE_THREAD = {"SO_OPENTYPE"}
FOR_RAW_SOCKETS = {"IP_HDRINCL", "IPV6_HDRINCL", "IPV6_CHECKSUM"}  # optvalid-v4-hdrincl, optvalid-v6-hdrincl

Row = tuple[str, int, dict[str, Any]]


def rows() -> Iterator[Row]:
    levels = json.loads(reference("sockopts.json").read_text(encoding="utf-8"))["levels"]
    for level, number in LEVELS.items():
        for name, row in levels[level]["options"].items():
            yield name, number, row


ROWS = {f"{level:#x}-{name}": (name, level, row) for name, level, row in rows()}
every_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


@every_row
def test_every_option_is_here_or_refused_with_a_reason(row: Row) -> None:
    name, level, facts = row
    key = level, facts["value"]
    assert (key in OPTIONS) + (key in REFUSED) + (name in OF_THE_THREAD) == 1
    assert all(reason.strip() for reason in REFUSED.values())


@every_row
def test_access_and_size_are_as_documented(row: Row) -> None:
    name, level, facts = row
    option = OPTIONS.get((level, facts["value"]))
    if option is None:
        return
    access: str = OTHER_ACCESS[name] if name in OTHER_ACCESS else facts["access"]
    assert sorted(option.access) == sorted(access)
    size = facts["size"][0] if isinstance(facts["size"], list) else facts["size"]
    if name in SWITCHES:
        assert option.size == 4
    elif size is None or name == "TCP_ICMP_ERROR_INFO":  # empty as long as there is none
        assert (option.size, option.lengths) == (0, Lengths.VARIABLE)
    else:
        assert option.size == size


def test_nothing_else_is_an_option() -> None:
    known = {(level, facts["value"]) for _, level, facts in ROWS.values()}
    # The page has the options for groups once, for both versions of IP.
    known |= {(IPPROTO_IPV6, number) for number in range(MCAST_JOIN_GROUP, MCAST_UNBLOCK_SOURCE + 3)}
    assert set(OPTIONS) | set(REFUSED) <= known


def fresh(level: int, facts: dict[str, Any]) -> int:
    """A new socket of a kind that has the option."""
    applies: str = facts["applies"]
    streams = level == IPPROTO_TCP or applies == "TCP" or "connection" in applies or "stream" in applies
    kind = SOCK_STREAM if streams or "listening" in applies else SOCK_DGRAM
    return api.socket(AF_INET6 if level == IPPROTO_IPV6 else AF_INET, kind, 0)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.usefixtures("winsock")
def test_a_new_socket_shows_the_documented_defaults(level: str) -> None:
    wrong = []
    for name, number, facts in ROWS.values():
        default = facts["default"]
        if number != LEVELS[level] or not isinstance(default, int) or name in FOR_RAW_SOCKETS:
            continue
        s = INVALID_SOCKET if name in OF_THE_THREAD else fresh(number, facts)
        value = int.from_bytes(api.getsockopt(s, number, facts["value"], 4), "little", signed=default < 0)
        if value != default:
            wrong.append((name, default, value))
    assert wrong == []


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM])
@pytest.mark.usefixtures("winsock")
def test_a_refused_option_is_unknown_to_every_socket(kind: int) -> None:
    for level, number in REFUSED:
        s = api.socket(AF_INET6 if level == IPPROTO_IPV6 else AF_INET, kind, 0)
        assert code_of(api.getsockopt, s, level, number, 16) == WSAENOPROTOOPT
        assert code_of(api.setsockopt, s, level, number, 1) == WSAENOPROTOOPT


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM])
@pytest.mark.parametrize("family", [AF_INET, pytest.param(AF_INET6, marks=pytest.mark.ipv6)])
@pytest.mark.usefixtures("winsock")
def test_no_length_and_no_value_gets_anything_but_documented_codes(family: int, kind: int) -> None:
    """Every option with rooms and values from nothing to far too much: a Winsock error or a value of that size."""
    for level, number in OPTIONS:
        s = api.socket(family, kind, 0)
        for room in (0, 1, 3, 4, 8, 1000):
            code = code_of(api.getsockopt, s, level, number, room)
            assert code in DOCUMENTED if code else len(api.getsockopt(s, level, number, room)) <= room
        for value in (b"", b"\0", b"\1\0\0\0", b"\xff" * 4, bytes(8), b"\xff" * 136, bytes(1000)):
            assert code_of(api.setsockopt, s, level, number, value) in (0, *DOCUMENTED)
        assert code_of(api.setsockopt, s, level, number, None) in (WSAEFAULT, WSAENOPROTOOPT, WSAENOTCONN)
        api.closesocket(s)


DOCUMENTED = {
    WSAEADDRNOTAVAIL,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
}


@pytest.mark.usefixtures("winsock")
def test_levels_are_those_of_tcp_ip() -> None:
    """R16.38: an unknown level is another error than an unknown option."""
    s = api.socket(AF_INET, SOCK_STREAM, 0)
    for level in (1, 41 + 1, 113, 255, 1000, -1):
        assert code_of(api.getsockopt, s, level, 1, 4) == WSAEINVAL
        assert code_of(api.setsockopt, s, level, 1, 1) == WSAEINVAL
    for level in LEVELS.values():
        assert code_of(api.getsockopt, s, level, 0x5555, 4) == WSAENOPROTOOPT


def test_opentype_is_not_the_provider_s_business() -> None:
    assert (SOL_SOCKET, SO_OPENTYPE) not in OPTIONS
