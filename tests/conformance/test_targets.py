"""The targets that are there: each has every call of the interface, and makes it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import winsock2emu.kernel32
import winsock2emu.ws2_32
from conformance import targets
from conformance.addresses import sockaddr_in
from conformance.constants import SO_TYPE, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET, WSAEALREADY, WSAENOTSOCK
from conformance.driver import CDriver
from conformance.records import ProtocolInfo
from conformance.target import CALLS, Target
from conformance.verify import Failed


@pytest.fixture(params=["emulator", "api"])
def ws(request: pytest.FixtureRequest) -> Any:
    target = targets.make(request.param)
    target.begin()
    target.WSAStartup(0x0202)
    yield target
    assert target.end() == 0


def test_every_call_of_the_interface_exists(ws: Target) -> None:
    calls = [name for name in CALLS if name != "rio_memory"]  # which is no function of Windows
    if isinstance(ws, CDriver):
        # What a program finds by a GUID only.
        by_guid = {"WSARecvMsg", "ConnectEx", "DisconnectEx", "TransmitPackets"}
        exports = [name for name in calls if name not in by_guid and not name.startswith("RIO")]
        missing = [name for name in exports if not (ws.c.address_of(name) or _in_another_form(ws, name))]
    else:
        modules = [winsock2emu.ws2_32, winsock2emu.kernel32, winsock2emu.mswsock, winsock2emu.user32]
        missing = [name for name in calls if not any(hasattr(module, name) for module in modules)]
    assert missing == []


def _in_another_form(ws: CDriver, name: str) -> bool:
    for dll in ("ws2_32", "kernel32", "mswsock", "user32"):
        if ws.c.address_of(f"{dll}.{name}"):
            return True
        if ws.c.address_of(f"{dll}.{name}W") and ws.c.address_of(f"{dll}.{name}A"):
            return True
    return False


def test_failures_carry_the_code(ws: Target) -> None:
    with pytest.raises(Failed) as caught:
        ws.closesocket(0x7FFF0000)
    assert (caught.value.code, caught.value.call) == (WSAENOTSOCK, "closesocket")


def test_records_come_in_the_suites_own_classes(ws: Target) -> None:
    first = ws.WSAEnumProtocols()[0]
    assert type(first) is ProtocolInfo
    ws.closesocket(ws.WSASocket(-1, -1, -1, first))


@pytest.mark.skipif(sys.platform == "win32", reason="the target exists there")
def test_real_windows_is_unavailable_elsewhere() -> None:
    with pytest.raises(targets.Unavailable):
        targets.make("windows")


def test_an_unknown_target_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        targets.make("plan9")


def test_texts_of_codes_come_without_their_line_end(ws: Target) -> None:
    assert ws.message(WSAENOTSOCK) == "An operation was attempted on something that is not a socket."
    assert ws.message(12345) == ""


@pytest.mark.parametrize(
    "state",
    [
        *("closed", "stream", "bound", "listening", "connecting", "connected", "accepted"),
        *("datagram", "bound-datagram", "connected-datagram"),
    ],
)
def test_a_socket_in_a_state_is_there_and_leaves_nothing_behind(ws: Target, state: str) -> None:
    with ws.socket_in(state) as s:
        if state == "closed":
            with pytest.raises(Failed):
                ws.getsockopt(s, SOL_SOCKET, SO_TYPE, 4)
        else:
            kind = SOCK_DGRAM if "datagram" in state else SOCK_STREAM
            assert ws.get_int(s, SOL_SOCKET, SO_TYPE) == kind


def test_an_unknown_state_is_a_mistake_of_the_case(ws: Target) -> None:
    with pytest.raises(ValueError, match="no state"), ws.socket_in("asleep"):
        pass


def test_a_connect_stays_under_way(ws: Target) -> None:
    with ws.connecting() as s, pytest.raises(Failed) as caught:
        ws.connect(s, sockaddr_in(port=9))
    assert caught.value.code == WSAEALREADY
