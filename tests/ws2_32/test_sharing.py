"""WSADuplicateSocket through the API; tests/providers/host/test_sharing.py has what shared sockets do."""

from __future__ import annotations

import os

import pytest

from tests.loopback import code_of, fails, udp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEINVAL, WSAENOTSOCK, WSANOTINITIALISED
from winsock2emu.defs.constants import FROM_PROTOCOL_INFO, SO_TYPE, SOL_SOCKET, WSA_FLAG_OVERLAPPED
from winsock2emu.defs.records import ProtocolInfo
from winsock2emu.process import Process


def test_before_startup_nothing_can_be_shared() -> None:
    with Process().active(), fails(WSANOTINITIALISED):
        api.WSADuplicateSocket(0, os.getpid())


@pytest.mark.usefixtures("winsock")
def test_checks_in_order() -> None:
    """B43: the socket, then the process."""
    s = udp()
    assert code_of(api.WSADuplicateSocket, 0x100000, 0) == WSAENOTSOCK
    assert code_of(api.WSADuplicateSocket, s, 0) == WSAEINVAL
    assert code_of(api.WSADuplicateSocket, s, 0xFFFFFFFF) == WSAEINVAL


@pytest.mark.usefixtures("winsock")
def test_the_record_survives_being_carried_as_bytes() -> None:
    """R10.2: it is plain data, in both forms."""
    s = udp()
    for pack in (ProtocolInfo.pack_a, ProtocolInfo.pack_w):
        carried = ProtocolInfo.unpack(pack(api.WSADuplicateSocket(s, os.getpid())))
        d = api.WSASocket(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, carried, 0, WSA_FLAG_OVERLAPPED)
        assert api.getsockname(d) == api.getsockname(s)
        assert api.getsockopt(d, SOL_SOCKET, SO_TYPE) == api.getsockopt(s, SOL_SOCKET, SO_TYPE)


@pytest.mark.usefixtures("winsock")
def test_a_success_leaves_the_last_error_alone() -> None:
    s = udp()
    api.WSASetLastError(4711)
    api.WSADuplicateSocket(s, os.getpid())
    assert api.WSAGetLastError() == 4711
