"""Several descriptors of one socket: tickets, what is common, what is not, and closing in every order."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from tests.concurrency import descriptors, until
from tests.loopback import (
    NOW,
    PATIENCE,
    Result,
    code_of,
    connected_to,
    elsewhere,
    fails,
    linger,
    listener,
    loopback,
    nonblocking,
    pair,
    readable,
    received,
    started,
    tcp,
    udp,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEADDRINUSE,
    WSAECONNRESET,
    WSAEINTR,
    WSAEINVAL,
    WSAEMFILE,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_INET,
    FIONBIO,
    FROM_PROTOCOL_INFO,
    SD_SEND,
    SIO_BASE_HANDLE,
    SO_LINGER,
    SO_RCVBUF,
    SO_RCVTIMEO,
    SOCK_DGRAM,
    SOL_SOCKET,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
)
from winsock2emu.defs.records import ProtocolInfo
from winsock2emu.process import Process, current_process
from winsock2emu.providers.host.sharing import Descriptor

OWN = os.getpid()


def ticket(s: int) -> ProtocolInfo:
    return api.WSADuplicateSocket(s, OWN)


def opened(info: ProtocolInfo, flags: int = WSA_FLAG_OVERLAPPED) -> int:
    return api.WSASocket(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, info, 0, flags)


def duplicate(s: int) -> int:
    return opened(ticket(s))


def inside(s: int) -> Callable[[], bool]:
    """True while a call that came through this descriptor waits for its turn or for data."""
    descriptor = current_process().socket(s).mover
    assert isinstance(descriptor, Descriptor)
    lanes = descriptor.endpoint.inbound, descriptor.endpoint.outbound
    return lambda: bool(descriptor._inside) and any(lane.head is not None for lane in lanes)


# --------------------------------------------------------------------------------------------------------- tickets


@pytest.mark.usefixtures("winsock")
@pytest.mark.parametrize("make", [tcp, udp], ids=["TCP", "UDP"])
def test_the_record_is_the_socket_s_own_and_a_number(make: Callable[[], int]) -> None:
    """R10.4."""
    s = make()
    info = ticket(s)
    own = ProtocolInfo.unpack(api.getsockopt(s, SOL_SOCKET, api.SO_PROTOCOL_INFOW))

    assert own.provider_reserved == 0
    assert 0 < info.provider_reserved < 1 << 32
    assert attrs.evolve(info, provider_reserved=0) == own


@pytest.mark.usefixtures("winsock")
def test_a_record_counts_once() -> None:
    """R10.3. Each has a number of its own, and the order they are used in does not matter."""
    s = udp()
    first, second = ticket(s), ticket(s)
    assert first != second
    ends = [opened(second), opened(first)]
    for info in (first, second):
        with fails(WSAEINVAL):
            opened(info)
    assert len({s, *ends}) == 3


@pytest.mark.usefixtures("winsock")
@pytest.mark.parametrize("reserved", [1, 4, 0xFFFFFFFF])
def test_a_number_that_was_never_given_out(reserved: int) -> None:
    with fails(WSAEINVAL):
        opened(attrs.evolve(ticket(udp()), provider_reserved=reserved))


@pytest.mark.usefixtures("winsock")
@pytest.mark.parametrize(
    ("process_id", "code"),
    [(0, WSAEINVAL), (-1, WSAEINVAL), (0x7FFFFFFF, WSAEINVAL), (0xFFFFFFFF, WSAEINVAL), (os.getppid(), WSAEOPNOTSUPP)],
)
def test_only_the_own_process_can_have_one_yet(process_id: int, code: int) -> None:
    s = udp()
    with fails(code):
        api.WSADuplicateSocket(s, process_id)
    api.closesocket(s)  # nothing keeps it


@pytest.mark.usefixtures("winsock")
def test_what_is_no_socket_cannot_be_shared() -> None:
    s = udp()
    api.closesocket(s)
    for handle in (s, -1, 0x100000):
        with fails(WSAENOTSOCK):
            api.WSADuplicateSocket(handle, OWN)


@pytest.mark.usefixtures("winsock")
def test_a_ticket_of_another_emulated_process_is_unknown() -> None:
    info = ticket(udp())
    with started(), fails(WSAEINVAL):
        opened(info)
    opened(info)


def test_the_last_cleanup_ends_what_only_tickets_have_kept() -> None:
    with Process().active():
        api.WSAStartup(0x0202)
        s = tcp()
        api.bind(s, loopback(AF_INET))
        api.listen(s, 1)
        name = api.getsockname(s)
        kept = ticket(s)
        api.closesocket(s)
        with started() as other:
            api.connect(tcp(), name)  # R10.20, R10.21: still there
            other.cleanup()
        api.WSACleanup()
        api.WSAStartup(0x0202)
        with fails(WSAEINVAL):
            opened(kept)
        api.bind(tcp(), name)  # and now it is not
        api.WSACleanup()


@pytest.mark.usefixtures("winsock")
@pytest.mark.parametrize("numbers", [(0, 0, 0), (-1, -1, -1), (AF_INET, SOCK_DGRAM, 17)])
def test_family_type_and_protocol_may_be_left_to_the_record(numbers: tuple[int, int, int]) -> None:
    """R10.15."""
    d = api.WSASocket(*numbers, ticket(udp()), 0, 0)
    assert api.getsockopt(d, SOL_SOCKET, api.SO_TYPE) == SOCK_DGRAM.to_bytes(4, "little")


@pytest.mark.usefixtures("winsock")
def test_without_a_descriptor_left_the_ticket_stays_good() -> None:
    info = ticket(udp())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The next free number is the first one that is not allowed.
    probe = os.dup(0)
    os.close(probe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))
    try:
        with fails(WSAEMFILE):
            opened(info)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    opened(info)


# ---------------------------------------------------------------------------------------------- what is in common


@pytest.mark.usefixtures("winsock")
def test_both_are_descriptors_of_the_host() -> None:
    s = udp()
    d = duplicate(s)

    assert s != d
    assert os.fstat(s).st_ino == os.fstat(d).st_ino


@pytest.mark.usefixtures("winsock")
def test_options_mode_names_and_errors_are_the_sockets() -> None:
    """R10.7."""
    client, _ = pair()
    d = duplicate(client)

    api.setsockopt(d, SOL_SOCKET, SO_RCVBUF, 12345)
    assert api.getsockopt(client, SOL_SOCKET, SO_RCVBUF) == (12345).to_bytes(4, "little")
    assert (api.getsockname(d), api.getpeername(d)) == (api.getsockname(client), api.getpeername(client))
    api.ioctlsocket(client, FIONBIO, 1)
    assert code_of(api.recv, d, bytearray(1)) == WSAEWOULDBLOCK
    api.shutdown(d, SD_SEND)
    assert code_of(api.send, client, b"x") == WSAESHUTDOWN


@pytest.mark.usefixtures("winsock")
def test_data_goes_to_whoever_asks() -> None:
    client, server = pair()
    d = duplicate(server)
    api.send(client, b"abcd")

    assert (received(server, 2), received(d, 2)) == (b"ab", b"cd")
    api.send(d, b"1")
    api.send(server, b"2")
    assert received(client, 2) == b"12"


@pytest.mark.usefixtures("winsock")
def test_all_descriptors_accept_and_each_connection_goes_to_one() -> None:
    """R10.22."""
    listening = listener()
    d = duplicate(listening)
    clients = [tcp() for _ in range(4)]
    for client in clients:
        api.connect(client, api.getsockname(d))
    taken = {api.accept(s)[1] for s in (listening, d, d, listening)}

    assert taken == {api.getsockname(client) for client in clients}
    assert code_of(api.accept, nonblocking(d)) == WSAEWOULDBLOCK


@pytest.mark.usefixtures("winsock")
def test_a_select_knows_every_descriptor() -> None:
    client, server = pair()
    d = duplicate(server)
    api.send(client, b"x")

    assert api.select([server, d], [d], None, PATIENCE) == ([server, d], [d], [])


@pytest.mark.usefixtures("winsock")
def test_a_descriptor_of_a_descriptor() -> None:
    client, server = pair()
    d = duplicate(duplicate(server))
    api.closesocket(server)
    api.send(client, b"x")

    assert received(d, 1) == b"x"


# --------------------------------------------------------------------------------------- bound after it was shared


@pytest.mark.usefixtures("winsock")
@pytest.mark.parametrize("how", ["bind", "sendto", "connect"])
@pytest.mark.parametrize("through", ["the first", "the second"])
def test_the_other_descriptor_does_not_know_that_the_socket_is_bound(how: str, through: str) -> None:
    """Observed: dup-before-bind-recv."""
    peer = udp()
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    d = duplicate(s)
    binds, other = (s, d) if through == "the first" else (d, s)
    if how == "bind":
        api.bind(binds, loopback(AF_INET))
    elif how == "sendto":
        api.sendto(binds, b"hello", 0, api.getsockname(peer))
    else:
        api.connect(binds, api.getsockname(peer))
    api.sendto(peer, b"first", 0, api.sockaddr_in("127.0.0.1", api.getsockname(binds).port))

    with fails(WSAEINVAL):
        api.recvfrom(other, bytearray(9))
    with fails(WSAEINVAL):
        api.recv(other, bytearray(9))
    room = bytearray(9)
    assert api.recv(binds, room) == 5
    assert room[:5] == b"first"


@pytest.mark.usefixtures("winsock")
def test_a_send_through_it_lets_it_receive() -> None:
    peer = udp()
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    d = duplicate(s)
    api.bind(s, loopback(AF_INET))
    assert code_of(api.bind, d, loopback(AF_INET)) == WSAEINVAL
    api.sendto(d, b"x", 0, api.getsockname(peer))
    api.sendto(peer, b"y", 0, api.getsockname(s))

    assert api.recv(d, bytearray(1)) == 1


@pytest.mark.usefixtures("winsock")
def test_a_ticket_from_before_opened_after_the_bind_knows() -> None:
    """Nobody was there yet who could not know."""
    peer = udp()
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    info = ticket(s)
    api.bind(s, loopback(AF_INET))
    d = opened(info)
    for to in (d, s):
        api.sendto(peer, b"y", 0, api.getsockname(s))
        assert api.recv(to, bytearray(1)) == 1


# --------------------------------------------------------------------------------------------------------- closing


@pytest.mark.usefixtures("winsock")
@pytest.mark.parametrize("first", [0, 1], ids=["the first", "the second"])
def test_the_connection_lives_until_the_last_descriptor_is_closed(first: int) -> None:
    """R10.10, R10.11: also with a hard close set."""
    client, server = pair()
    ends = [server, duplicate(server)]
    api.setsockopt(server, SOL_SOCKET, SO_LINGER, linger(1, 0))
    gone, left = ends[first], ends[1 - first]
    api.closesocket(gone)

    assert code_of(api.getsockname, gone) == WSAENOTSOCK
    api.send(client, b"ping")
    assert received(left, 4) == b"ping"
    assert api.WSAIoctl(left, SIO_BASE_HANDLE, None, 8) == left.to_bytes(8, "little")
    api.closesocket(left)
    assert code_of(api.recv, client, bytearray(1)) == WSAECONNRESET


@pytest.mark.usefixtures("winsock")
def test_a_ticket_keeps_the_socket_alive() -> None:
    """R10.20."""
    client, server = pair()
    info = ticket(server)
    api.closesocket(server)
    api.send(client, b"x")
    d = opened(info)

    assert received(d, 1) == b"x"
    assert api.WSAIoctl(d, SIO_BASE_HANDLE, None, 8) == d.to_bytes(8, "little")


@pytest.mark.usefixtures("winsock")
def test_a_port_is_held_until_the_last_descriptor_is_closed() -> None:
    s = udp()
    d, name = duplicate(s), api.getsockname(s)
    other = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.closesocket(s)
    assert code_of(api.bind, other, name) == WSAEADDRINUSE
    api.closesocket(d)
    api.bind(other, name)


@pytest.mark.usefixtures("winsock")
def test_the_number_of_a_closed_descriptor_is_not_given_out_while_the_socket_uses_it() -> None:
    s = udp()
    d = duplicate(s)
    api.closesocket(s)

    assert not os.get_inheritable(s)
    assert s not in [udp() for _ in range(20)]
    before = descriptors()
    api.closesocket(d)
    assert descriptors() == before - {s, d}


@pytest.mark.usefixtures("winsock")
def test_waiting_calls_end_with_the_descriptor_they_came_through() -> None:
    client, server = pair()
    d, third = duplicate(server), duplicate(server)
    room = bytearray(4)
    stays = elsewhere(api.recv, third, room)
    until(inside(third), "the first receive waits")
    ends = elsewhere(api.recv, d, bytearray(4))
    until(inside(d), "the second receive waits")

    api.closesocket(d)
    assert ends.failure() is not None
    assert ends.failure().winerror == WSAEINTR  # type: ignore[union-attr]
    assert stays.running
    api.send(client, b"data")
    assert stays.result() == 4
    assert room == b"data"


@pytest.mark.usefixtures("winsock")
def test_a_waiting_accept_ends_with_its_descriptor() -> None:
    listening = listener()
    d = duplicate(listening)
    accepting = elsewhere(api.accept, d)
    until(inside(d), "the accept waits")
    api.closesocket(d)

    failure = accepting.failure()
    assert failure is not None
    assert failure.winerror == WSAEINTR  # type: ignore[attr-defined]
    connected_to(listening)


@pytest.mark.usefixtures("winsock")
def test_a_waiting_send_ends_with_its_descriptor() -> None:
    client, _ = pair()
    d = duplicate(client)
    sending = elsewhere(api.send, d, bytes(1 << 24))
    until(inside(d), "the send waits")
    api.closesocket(d)

    assert 0 < sending.result() < 1 << 24  # what the transport had taken


@pytest.mark.usefixtures("winsock")
def test_the_last_close_ends_every_waiting_call() -> None:
    _, server = pair()
    d = duplicate(server)
    receiving = elsewhere(api.recv, d, bytearray(1))
    until(inside(d), "the receive waits")
    api.closesocket(server)
    assert receiving.running
    api.closesocket(d)

    failure = receiving.failure()
    assert failure is not None
    assert failure.winerror == WSAEINTR  # type: ignore[attr-defined]


@pytest.mark.usefixtures("winsock")
def test_a_time_limit_counts_for_all() -> None:
    _, server = pair()
    d = duplicate(server)
    api.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 10)
    with fails(WSAETIMEDOUT):
        api.recv(d, bytearray(1))


@pytest.mark.usefixtures("winsock")
def test_a_select_that_is_repeated_does_not_mistake_a_number_for_its_former_socket() -> None:
    client, server = pair()
    d = duplicate(server)
    for _ in range(2):
        assert api.select([d], None, None, NOW) == ([], [], [])
    api.closesocket(d)
    fresh = udp()
    assert fresh == d, "the host has given the number out again"
    api.send(client, b"for the old one")
    readable(server)
    assert api.select([fresh], None, None, NOW) == ([], [], [])


@pytest.mark.usefixtures("winsock")
def test_two_threads_close_two_descriptors_at_once() -> None:
    """Exactly one of them is the last; nothing is left and nothing is closed twice."""
    for _ in range(200):
        client, server = pair()
        ends = [server, duplicate(server)]
        gate = threading.Barrier(2)

        def close(s: int, gate: threading.Barrier = gate) -> None:
            gate.wait(PATIENCE[0])
            api.closesocket(s)

        closing = [elsewhere(close, s) for s in ends]
        for call in closing:
            call.result()
        assert api.recv(client, bytearray(1)) == 0
        api.closesocket(client)


@pytest.mark.usefixtures("winsock")
def test_sharing_and_closing_at_once() -> None:
    """The ticket is good, or there was no socket any more; nothing in between."""
    for _ in range(200):
        s = udp()
        made = Result(ticket)
        sharing, closing = elsewhere(made, s), elsewhere(api.closesocket, s)
        closing.result()
        failure = sharing.failure()
        if failure is None:
            api.closesocket(opened(made.value))
        else:
            assert failure.winerror == WSAENOTSOCK  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------------------ inheritance


@pytest.mark.usefixtures("winsock")
@pytest.mark.parametrize("flags", [0, WSA_FLAG_NO_HANDLE_INHERIT])
def test_each_descriptor_is_inherited_or_not_by_its_own_flag(flags: int) -> None:
    s = udp()
    d = opened(ticket(s), flags)

    assert os.get_inheritable(s)
    assert os.get_inheritable(d) == (not flags)


# ------------------------------------------------------------------------------------------------------------ fork


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the host has no fork")
def test_a_ticket_is_worth_nothing_in_a_forked_child(tmp_path: Path) -> None:
    """R10.3: it names the parent. What the child has inherited it can use, and close without harm to the parent."""
    program = tmp_path / "forking.py"
    program.write_text(
        "import os\n"
        "from winsock2emu import ws2_32 as api\n"
        "from winsock2emu.errors import WinsockError\n"
        "api.WSAStartup(0x0202)\n"
        "s = api.socket(2, 2, 0)\n"
        "api.bind(s, api.sockaddr_in('127.0.0.1', 0))\n"
        "d = api.WSASocket(-1, -1, -1, api.WSADuplicateSocket(s, os.getpid()), 0, 1)\n"
        "info = api.WSADuplicateSocket(s, os.getpid())\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    try:\n"
        "        api.WSASocket(-1, -1, -1, info, 0, 1)\n"
        "    except WinsockError as failure:\n"
        "        api.sendto(d, b'x', 0, api.getsockname(s))\n"
        "        api.closesocket(s)\n"
        "        api.closesocket(d)\n"
        "        os._exit(failure.winerror - 10000)\n"
        "    os._exit(1)\n"
        "status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "print(status, api.recv(d, bytearray(9)), api.WSASocket(-1, -1, -1, info, 0, 1) > 0)\n"
        "api.WSACleanup()\n"
    )
    paths = [str(Path(__file__).resolve().parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    ended = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        timeout=60,
    )
    assert (ended.stdout, ended.stderr) == ("22 1 True\n", "")
