"""SIO_TCP_INFO: the record, and what it tells of a connection."""

from __future__ import annotations

import struct
import sys
from typing import Any

import pytest

from tests.concurrency import until
from tests.loopback import FAMILIES, code_of, fails, listener, pair, received, tcp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEINVAL, WSAEMSGSIZE
from winsock2emu.defs.constants import (
    AF_INET,
    SIO_TCP_INFO,
    SO_RCVBUF,
    SOCK_DGRAM,
    SOL_SOCKET,
    TCPSTATE_CLOSE_WAIT,
    TCPSTATE_CLOSED,
    TCPSTATE_ESTABLISHED,
    TCPSTATE_FIN_WAIT_2,
    TCPSTATE_LISTEN,
)
from winsock2emu.defs.layouts import LAYOUTS
from winsock2emu.providers.host import tcpinfo

pytestmark = [
    pytest.mark.usefixtures("winsock"),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells"),
]

SIZES = [LAYOUTS[f"TCP_INFO_v{version}"].size for version in range(3)]
FORMS = {("uint", 1): "B", ("uint", 2): "H", ("uint", 4): "I", ("enum", 4): "I", ("uint", 8): "Q"}


def raw(s: int, version: int, room: int) -> Any:
    return api.WSAIoctl(s, SIO_TCP_INFO, struct.pack("<I", version), room)


def info(s: int, version: int = 2) -> dict[str, int]:
    """The fields of the record where the header has them."""
    record = raw(s, version, SIZES[version])
    return {
        field.name: struct.unpack_from("<" + FORMS[field.kind, field.size], record, field.offset)[0]
        for field in LAYOUTS[f"TCP_INFO_v{version}"].fields
    }


@pytest.mark.parametrize("version", [0, 1, 2])
def test_the_record_has_the_size_of_its_version(version: int) -> None:
    client, _ = pair()

    assert len(raw(client, version, 1000)) == SIZES[version]
    assert tcpinfo.SIZES[version] == SIZES[version]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_connection_that_has_moved_data(family: int) -> None:
    client, server = pair(family)
    api.setsockopt(client, SOL_SOCKET, SO_RCVBUF, 54321)
    api.send(client, b"x" * 1000)
    received(server, 1000)
    api.send(server, b"y" * 77)
    received(client, 77)
    until(lambda: info(client)["BytesInFlight"] == 0, "all data is acknowledged")

    found = info(client)

    assert found["State"] == TCPSTATE_ESTABLISHED
    assert (found["BytesOut"], found["BytesIn"], found["BytesRetrans"]) == (1000, 77, 0)
    assert found["RcvBuf"] == 54321
    assert 0 < found["MinRttUs"] <= found["RttUs"] + found["MinRttUs"]
    assert found["Mss"] > 500
    assert found["Cwnd"] % found["Mss"] == 0
    assert found["SndWnd"] > 0
    assert found["RcvWnd"] > 0
    assert found["TimestampsEnabled"] in (0, 1)


def test_later_versions_begin_like_earlier_ones() -> None:
    client, _ = pair()

    first, second, third = (raw(client, version, 1000) for version in range(3))

    assert third[: SIZES[0]] == first
    assert third[: SIZES[1]] == second


def test_states_are_windows_states() -> None:
    listening = listener()
    fresh = tcp()
    client, server = pair()

    assert info(listening)["State"] == TCPSTATE_LISTEN
    assert info(fresh)["State"] == TCPSTATE_CLOSED
    api.shutdown(client, api.SD_SEND)
    until(lambda: info(server)["State"] == TCPSTATE_CLOSE_WAIT, "the end has arrived")
    until(lambda: info(client)["State"] == TCPSTATE_FIN_WAIT_2, "and was acknowledged")


def test_a_socket_without_a_round_trip_has_no_shortest_one() -> None:
    assert info(tcp())["MinRttUs"] == 0


@pytest.mark.parametrize(
    ("data", "room", "code", "needed"),
    [
        pytest.param(None, 1000, WSAEMSGSIZE, None, id="no version"),
        pytest.param(bytes(3), 1000, WSAEMSGSIZE, None, id="half a version"),
        pytest.param(struct.pack("<I", 3), 1000, WSAEINVAL, 0, id="a version that does not exist"),
        pytest.param(bytes(4), 87, WSAEINVAL, 0, id="too little room"),
        pytest.param(struct.pack("<I", 1), 135, WSAEINVAL, 0, id="too little room for version 1"),
        pytest.param(bytes(4), 0, WSAEINVAL, 0, id="no room"),
    ],
)
def test_the_page_has_codes_of_its_own(data: bytes | None, room: int, code: int, needed: int | None) -> None:
    """sio-tcp-info, "Return value" and lpcbBytesReturned."""
    client, _ = pair()

    with fails(code) as caught:
        api.WSAIoctl(client, SIO_TCP_INFO, data, room)

    assert caught.value.needed == needed


def test_it_is_for_tcp() -> None:
    assert code_of(raw, api.socket(AF_INET, SOCK_DGRAM, 0), 0, 1000) == WSAEINVAL
