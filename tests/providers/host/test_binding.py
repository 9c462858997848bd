"""What the table of bindings allows works on the host as well, and the host's own rules do not show."""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import os
import random
import signal
import socket as host
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.concurrency import LIMIT_S, Call, until
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEACCES,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAEINVAL,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    FIONBIO,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_V6ONLY,
    SO_BROADCAST,
    SO_EXCLUSIVEADDRUSE,
    SO_LINGER,
    SO_REUSEADDR,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
)
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process, current_process
from winsock2emu.providers.host import binding as on_host
from winsock2emu.providers.host.binding import FIRST_DYNAMIC_PORT, LAST_DYNAMIC_PORT, Bindings
from winsock2emu.providers.host.hostsocket import HostSocket

LOOPBACK, ANYWHERE = "127.0.0.1", "0.0.0.0"
DYNAMIC = range(FIRST_DYNAMIC_PORT, LAST_DYNAMIC_PORT + 1)
EXCLUSIVE, REUSE = SO_EXCLUSIVEADDRUSE, SO_REUSEADDR
ON_LINUX = pytest.mark.skipif(not on_host._SO_ATTACH_REUSEPORT_CBPF, reason="the host picks among equals as it likes")


def has_ipv6() -> bool:
    try:
        with host.socket(host.AF_INET6, host.SOCK_STREAM) as s:
            s.bind(("::1", 0))
    except OSError:
        return False
    return True


NEEDS_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    """A process of its own; what it has bound is free again when its sockets are closed."""
    with Process().active() as winsock:
        api.WSAStartup(0x0202)
        bindings: list[Bindings] = []
        probe = new(SOCK_STREAM)
        bindings.append(bindings_of(probe))
        api.closesocket(probe)
        yield winsock
        api.WSACleanup()
        assert [len(kept.table) for kept in bindings] == [0]
        assert not bindings[0]._queues


def new(kind: int, *options: int, family: int = AF_INET, dual: bool = False) -> int:
    """A socket with options of SOL_SOCKET switched on."""
    s = api.socket(family, kind, IPPROTO_TCP if kind == SOCK_STREAM else IPPROTO_UDP)
    for option in options:
        api.setsockopt(s, SOL_SOCKET, option, 1)
    if dual:
        api.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    return int(s)


def free_port(kind: int) -> int:
    """A port that nobody has on any address of this machine, in either family."""
    s = bound(kind, "::", dual=True) if has_ipv6() else bound(kind, ANYWHERE)
    port = port_of(s)
    api.closesocket(s)
    return port


def address(text: str, port: int = 0) -> SockAddr:
    return sockaddr_in6(text, port) if ":" in text else sockaddr_in(text, port)


def bound(kind: int, text: str, port: int = 0, *options: int, dual: bool = False) -> int:
    """A bound socket."""
    s = new(kind, *options, family=AF_INET6 if ":" in text else AF_INET, dual=dual)
    api.bind(s, address(text, port))
    return s


def listening(text: str, port: int = 0, *options: int, dual: bool = False) -> int:
    s = bound(SOCK_STREAM, text, port, *options, dual=dual)
    api.listen(s, 5)
    return s


def port_of(s: int) -> int:
    return api.getsockname(s).port


def endpoint(s: int) -> HostSocket:
    """The socket behind a handle: the entries of its record are methods of it."""
    found = current_process().socket(s).mover
    assert isinstance(found, HostSocket)
    return found


def bindings_of(s: int) -> Bindings:
    found = endpoint(s).bindings
    assert found is not None
    return found


def here(function: Callable[..., Any], *args: Any) -> Call:
    """A function in another thread of the current process."""
    return Call(contextvars.copy_context().run, function, *args)


@contextlib.contextmanager
def fails_with(code: int) -> Iterator[None]:
    with pytest.raises(WinsockError) as caught:
        yield
    assert caught.value.code == code


def connected(where: SockAddr) -> int:
    s = new(SOCK_STREAM, family=where.family)
    api.connect(s, where)
    return s


def takers(sockets: list[int], where: SockAddr, count: int = 12) -> set[int]:
    """Which of the sockets, as places in the list, get connections or datagrams that are sent to an address."""
    kind = endpoint(sockets[0]).socket_type
    taken: set[int] = set()
    for _ in range(count):
        if kind == SOCK_STREAM:
            client = connected(where)
        else:
            client = new(SOCK_DGRAM, family=where.family)
            api.sendto(client, b"x", 0, where)
        ready = api.select(sockets, None, None, (int(LIMIT_S), 0))[0]
        assert len(ready) == 1
        taken.add(sockets.index(ready[0]))
        if kind == SOCK_STREAM:
            api.closesocket(api.accept(ready[0])[0])
        else:
            api.recv(ready[0], bytearray(1))
        api.closesocket(client)
    return taken


KINDS = pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM], ids=["tcp", "udp"])


# Sharing a port


@KINDS
@pytest.mark.parametrize(
    "texts", [(ANYWHERE, LOOPBACK), (LOOPBACK, ANYWHERE)], ids=["wildcard-first", "specific-first"]
)
@pytest.mark.parametrize("listens", [(0, 1), (1, 0)], ids=["in-order", "reversed"])
def test_the_more_specific_socket_gets_the_traffic(kind: int, texts: tuple[str, str], listens: tuple[int, int]) -> None:
    first = bound(kind, texts[0], free_port(kind))
    second = bound(kind, texts[1], port_of(first))
    if kind == SOCK_STREAM:
        for place in listens:
            api.listen((first, second)[place], 5)
    assert takers([first, second], address(LOOPBACK, port_of(first))) == {texts.index(LOOPBACK)}
    if kind == SOCK_STREAM:  # for 127.0.0.2 only the wildcard is there
        assert takers([first, second], address("127.0.0.2", port_of(first))) == {texts.index(ANYWHERE)}


def test_the_first_may_be_listening_and_have_connections() -> None:
    """The host counts an accepted connection as a user of the port."""
    first = listening(ANYWHERE, free_port(SOCK_STREAM))
    where = address(LOOPBACK, port_of(first))
    client = connected(where)
    server, _ = api.accept(first)
    second = listening(LOOPBACK, where.port)
    assert takers([first, second], where) == {1}
    api.send(client, b"x")
    assert api.recv(server, bytearray(1)) == 1


@NEEDS_IPV6
@KINDS
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("::", True), (ANYWHERE, False), 1),
        ((ANYWHERE, False), ("::", True), 0),
        (("::", True), (LOOPBACK, False), 1),
        ((LOOPBACK, False), ("::", True), 0),
        (("::", True), ("::1", False), 0),
        (("::ffff:127.0.0.1", True), (ANYWHERE, False), 0),
        ((ANYWHERE, False), ("::ffff:127.0.0.1", True), 1),
    ],
)
def test_ipv4_traffic_beside_a_dual_stack_socket(
    kind: int, first: tuple[str, bool], second: tuple[str, bool], expected: int
) -> None:
    sockets = [bound(kind, first[0], free_port(kind), dual=first[1])]
    sockets.append(bound(kind, second[0], port_of(sockets[0]), dual=second[1]))
    if kind == SOCK_STREAM:
        for s in sockets:
            api.listen(s, 5)
    assert takers(sockets, address(LOOPBACK, port_of(sockets[0]))) == {expected}


@NEEDS_IPV6
def test_a_dual_stack_socket_has_ipv4_peers_in_mapped_form() -> None:
    server = bound(SOCK_DGRAM, "::", dual=True)
    client = bound(SOCK_DGRAM, LOOPBACK)
    api.sendto(client, b"question", 0, address(LOOPBACK, port_of(server)))
    _, sender = api.recvfrom(server, bytearray(16))
    assert sender == address("::ffff:127.0.0.1", port_of(client))
    api.sendto(server, b"answer", 0, sender)
    assert api.recv(client, bytearray(16)) == 6
    # What one socket may do is not remembered for another that may not.
    with fails_with(WSAEADDRNOTAVAIL):
        api.sendto(bound(SOCK_DGRAM, "::"), b"x", 0, sender)
    with fails_with(WSAEADDRNOTAVAIL):
        api.connect(new(SOCK_STREAM, family=AF_INET6), address("::ffff:127.0.0.1", port_of(client)))


@ON_LINUX
@KINDS
@pytest.mark.parametrize("text", [LOOPBACK, ANYWHERE])
@pytest.mark.parametrize("listens", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_among_equals_the_first_to_be_bound_gets_all(kind: int, text: str, listens: tuple[int, ...]) -> None:
    """In whatever order they listen; when it is closed, the next one is the first."""
    sockets = [bound(kind, text, 0, REUSE)]
    where = address(LOOPBACK, port_of(sockets[0]))
    sockets += [bound(kind, text, where.port, REUSE) for _ in range(2)]
    if kind == SOCK_STREAM:
        for place in listens:
            api.listen(sockets[place], 50)
    assert takers(sockets, where) == {0}
    api.closesocket(sockets.pop(0))
    assert takers(sockets, where) == {0}
    sockets.append(bound(kind, text, where.port, REUSE))
    if kind == SOCK_STREAM:
        api.listen(sockets[-1], 50)
    assert takers(sockets, where) == {0}
    api.closesocket(sockets.pop(1))
    assert takers(sockets, where) == {0}


@ON_LINUX
@NEEDS_IPV6
def test_among_equals_the_first_gets_all_over_ipv6() -> None:
    first = listening("::1", 0, REUSE)
    second = listening("::1", port_of(first), REUSE)
    assert takers([first, second], address("::1", port_of(first))) == {0}


@ON_LINUX
def test_a_host_that_takes_no_program_still_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of the two gets a connection is undefined then, as Microsoft's page says; both listen."""
    monkeypatch.setattr(on_host, "_SO_ATTACH_REUSEPORT_CBPF", 0x7FFF)
    first = listening(LOOPBACK, 0, REUSE)
    second = listening(LOOPBACK, port_of(first), REUSE)
    assert takers([first, second], address(LOOPBACK, port_of(first))) <= {0, 1}


def test_multicast_reaches_every_socket_that_shares_the_port() -> None:
    """R11.7, on the loopback interface."""
    sockets = [bound(SOCK_DGRAM, ANYWHERE, 0, REUSE)]
    sockets += [bound(SOCK_DGRAM, ANYWHERE, port_of(sockets[0]), REUSE) for _ in range(2)]
    membership = host.inet_aton("239.255.77.1") + host.inet_aton(LOOPBACK)
    try:
        for s in sockets:
            endpoint(s).host.setsockopt(host.IPPROTO_IP, host.IP_ADD_MEMBERSHIP, membership)
    except OSError:
        pytest.skip("no multicast here")
    sender = new(SOCK_DGRAM)
    endpoint(sender).host.setsockopt(host.IPPROTO_IP, host.IP_MULTICAST_IF, host.inet_aton(LOOPBACK))
    api.sendto(sender, b"all", 0, address("239.255.77.1", port_of(sockets[0])))
    for s in sockets:
        assert api.select([s], None, None, (int(LIMIT_S), 0))[0] == [s]
        assert api.recv(s, bytearray(8)) == 3


def test_a_port_is_free_as_soon_as_its_socket_is_closed() -> None:
    for kind in (SOCK_STREAM, SOCK_DGRAM):
        first = bound(kind, LOOPBACK)
        port = port_of(first)
        with fails_with(WSAEADDRINUSE):
            bound(kind, LOOPBACK, port)
        api.closesocket(first)
        bound(kind, LOOPBACK, port, EXCLUSIVE)


def test_a_failed_bind_holds_nothing() -> None:
    s = new(SOCK_STREAM)
    port = free_port(SOCK_STREAM)
    with fails_with(WSAEADDRNOTAVAIL):
        api.bind(s, address("192.0.2.0", port))
    assert not endpoint(s).bound
    api.bind(s, address(LOOPBACK, port))
    api.closesocket(s)


def test_options_count_as_they_were_at_the_bind() -> None:
    """R11.6."""
    first = bound(SOCK_STREAM, LOOPBACK)
    api.setsockopt(first, SOL_SOCKET, SO_REUSEADDR, 1)
    with fails_with(WSAEACCES):
        bound(SOCK_STREAM, LOOPBACK, port_of(first), REUSE)
    second = bound(SOCK_DGRAM, LOOPBACK, 0, REUSE)
    api.setsockopt(second, SOL_SOCKET, SO_REUSEADDR, 0)
    bound(SOCK_DGRAM, LOOPBACK, port_of(second), REUSE)


# TIME_WAIT and connections that outlive their listener


def connection_that_waits(*options: int, close: str) -> int:
    """The port of a listener that is closed after a connection, whose server closed first, or has not closed yet."""
    port = free_port(SOCK_STREAM)
    listener = listening(LOOPBACK, port, *options)
    client = connected(address(LOOPBACK, port))
    server, _ = api.accept(listener)
    api.closesocket(listener)
    if close == "time-wait":
        api.closesocket(server)
        assert api.recv(client, bytearray(1)) == 0
        api.closesocket(client)
    return port


@pytest.mark.parametrize("close", ["time-wait", "still connected"])
@pytest.mark.parametrize("second", [(), (REUSE,)])
@pytest.mark.parametrize("first", [(), (REUSE,), (EXCLUSIVE,)])
def test_old_connections_do_not_keep_a_port(first: tuple[int, ...], second: tuple[int, ...], close: str) -> None:
    port = connection_that_waits(*first, close=close)
    listener = listening(LOOPBACK, port, *second)
    assert takers([listener], address(LOOPBACK, port), 2) == {0}


def test_time_wait_of_a_client_with_a_port_of_its_own_is_no_hindrance() -> None:
    listener = listening(LOOPBACK)
    client = bound(SOCK_STREAM, LOOPBACK)
    port = port_of(client)
    api.connect(client, address(LOOPBACK, port_of(listener)))
    server, _ = api.accept(listener)
    api.closesocket(client)
    assert api.recv(server, bytearray(1)) == 0
    api.closesocket(server)
    listening(LOOPBACK, port)


@pytest.mark.parametrize("text", [LOOPBACK, ANYWHERE])
def test_an_exclusive_port_stays_taken_while_a_connection_lives(text: str) -> None:
    """R11.11."""
    port = connection_that_waits(EXCLUSIVE, close="no")
    with fails_with(WSAEADDRINUSE):
        bound(SOCK_STREAM, text, port, EXCLUSIVE)
    bound(SOCK_STREAM, "127.0.0.2", port, EXCLUSIVE)


def test_an_exclusive_port_is_free_when_the_connection_is_closed() -> None:
    port = connection_that_waits(EXCLUSIVE, close="time-wait")
    listening(LOOPBACK, port, EXCLUSIVE)


def test_a_lingering_close_gives_the_port_back_at_once() -> None:
    """The host socket lives on until the peer has read; its port is free meanwhile."""
    listener = listening(LOOPBACK, 0, EXCLUSIVE)
    port = port_of(listener)
    client = connected(address(LOOPBACK, port))
    server, _ = api.accept(listener)
    api.closesocket(listener)
    table = bindings_of(server).table
    api.setsockopt(server, SOL_SOCKET, SO_LINGER, b"\1\0\x0a\0")
    api.ioctlsocket(server, FIONBIO, 1)
    with contextlib.suppress(WinsockError):
        while True:
            api.send(server, bytes(1 << 16))
    api.ioctlsocket(server, FIONBIO, 0)
    closing = here(api.closesocket, server)
    until(lambda: len(table) == 1, "the close has begun")  # the client's own is left
    assert closing.running
    again = listening(LOOPBACK, port, EXCLUSIVE)
    room = bytearray(1 << 20)
    while api.recv(client, room):
        pass
    closing.result()
    assert takers([again], address(LOOPBACK, port), 1) == {0}


# Other processes, which the host speaks for


@KINDS
def test_a_port_of_another_process_is_in_use(kind: int) -> None:
    """Also when the other socket does not listen, and has SO_REUSEADDR of POSIX."""
    theirs = host.socket(host.AF_INET, host.SOCK_STREAM if kind == SOCK_STREAM else host.SOCK_DGRAM)
    with theirs:
        if kind == SOCK_STREAM:
            theirs.setsockopt(host.SOL_SOCKET, host.SO_REUSEADDR, 1)
        theirs.bind((LOOPBACK, 0))
        if kind == SOCK_STREAM:
            theirs.listen()
        port = theirs.getsockname()[1]
        with fails_with(WSAEADDRINUSE):
            bound(kind, LOOPBACK, port)
        with fails_with(WSAEADDRINUSE):
            bound(kind, LOOPBACK, port, EXCLUSIVE)
        with fails_with(WSAEACCES):
            bound(kind, LOOPBACK, port, REUSE)


@contextlib.contextmanager
def other_process() -> Iterator[Process]:
    """A second emulated process. Its table knows nothing of the first one's, so the host decides between them."""
    with Process().active() as other:
        api.WSAStartup(0x0202)
        yield other
        api.WSACleanup()


@KINDS
@pytest.mark.parametrize("options", [(), (EXCLUSIVE,)])
def test_two_emulated_processes_keep_each_other_out(kind: int, options: tuple[int, ...]) -> None:
    """Even when neither listens."""
    first = bound(kind, LOOPBACK, 0, *options)
    port = port_of(first)
    with other_process():
        for wanted, code in ((), WSAEADDRINUSE), ((EXCLUSIVE,), WSAEADDRINUSE), ((REUSE,), WSAEACCES):
            with fails_with(code):
                bound(kind, LOOPBACK, port, *wanted)


@KINDS
def test_two_emulated_processes_share_a_port_when_both_want(kind: int) -> None:
    first = bound(kind, LOOPBACK, 0, REUSE)
    port = port_of(first)
    if kind == SOCK_STREAM:
        api.listen(first, 5)
    with other_process():
        second = bound(kind, LOOPBACK, port, REUSE)
        if kind == SOCK_STREAM:
            api.listen(second, 5)


def as_another_user(test: Callable[[], None]) -> None:
    """Run a function in a child that is nobody; it must not raise."""
    if os.geteuid():
        pytest.skip("needs root, to become somebody else")
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setegid(65534)
            os.seteuid(65534)
            with Process().active():
                api.WSAStartup(0x0202)
                test()
                api.WSACleanup()
            os.write(write, b"ok")
        except BaseException as failure:
            os.write(write, repr(failure).encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as report:
        assert report.read() == b"ok"
    os.waitpid(child, 0)


@KINDS
@pytest.mark.parametrize("first", [(), (EXCLUSIVE,)])
def test_another_user_gets_nothing(kind: int, first: tuple[int, ...]) -> None:
    """T11.2, the cells that the host can speak for: the same specific address."""
    port = port_of(bound(kind, LOOPBACK, 0, *first))

    def attempts() -> None:
        for wanted, code in ((), WSAEADDRINUSE), ((EXCLUSIVE,), WSAEADDRINUSE), ((REUSE,), WSAEACCES):
            with fails_with(code):
                bound(kind, LOOPBACK, port, *wanted)

    as_another_user(attempts)


def test_a_privileged_port_is_refused_with_access_denied() -> None:
    """A9."""
    try:
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as setting:
            if int(setting.read()) <= 7:
                pytest.skip("all ports are free here")
    except OSError:
        pytest.skip("not Linux")

    def attempt() -> None:
        with fails_with(WSAEACCES):
            bound(SOCK_STREAM, LOOPBACK, 7)

    as_another_user(attempt)


# Dynamic ports


@KINDS
@pytest.mark.parametrize("text", [LOOPBACK, ANYWHERE, pytest.param("::1", marks=NEEDS_IPV6)])
def test_port_0_is_a_port_of_the_dynamic_range(kind: int, text: str) -> None:
    ports = {port_of(bound(kind, text)) for _ in range(20)}
    assert len(ports) == 20
    assert all(port in DYNAMIC for port in ports)


def test_dynamic_ports_do_not_disturb_the_program_s_own_random_numbers() -> None:
    random.seed(7)
    expected = random.random()
    random.seed(7)
    bound(SOCK_STREAM, LOOPBACK)
    assert random.random() == expected


def only_ports(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """The next draws, one after the other, again and again."""
    draws = itertools.cycle(ports)
    s = new(SOCK_STREAM)
    monkeypatch.setattr(
        bindings_of(s), "_random", types.SimpleNamespace(getrandbits=lambda bits: next(draws) - FIRST_DYNAMIC_PORT)
    )
    api.closesocket(s)


def test_a_drawn_port_that_is_taken_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken by a neighbour that would not even mind, or by another process."""
    free = free_port(SOCK_STREAM)
    taken = port_of(bound(SOCK_STREAM, ANYWHERE))
    with host.socket() as theirs:
        theirs.bind((LOOPBACK, 0))
        only_ports(monkeypatch, taken, theirs.getsockname()[1], free)
        assert port_of(bound(SOCK_STREAM, LOOPBACK)) == free


def test_when_no_draw_succeeds_the_host_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = port_of(bound(SOCK_STREAM, ANYWHERE))
    only_ports(monkeypatch, taken)
    s = listening(LOOPBACK)
    assert port_of(s) != taken
    with fails_with(WSAEADDRINUSE):
        bound(SOCK_STREAM, LOOPBACK, port_of(s))
    assert port_of(connected(api.getsockname(s))) not in (0, taken)


def test_when_no_draw_succeeds_the_host_chooses_for_the_first_datagram(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = port_of(bound(SOCK_DGRAM, ANYWHERE))
    receiver = bound(SOCK_DGRAM, LOOPBACK)
    only_ports(monkeypatch, taken)
    sender = new(SOCK_DGRAM)
    api.sendto(sender, b"x", 0, api.getsockname(receiver))
    assert port_of(sender) not in (0, taken)
    _, name = api.recvfrom(receiver, bytearray(1))
    assert name is not None
    assert name.port == port_of(sender)


# Implicit binds


def test_connect_binds_to_a_dynamic_port_which_is_taken_then() -> None:
    listener = listening(LOOPBACK)
    client = connected(api.getsockname(listener))
    name = api.getsockname(client)
    assert name.host == LOOPBACK
    assert name.port in DYNAMIC
    with fails_with(WSAEADDRINUSE):
        bound(SOCK_STREAM, ANYWHERE, name.port)
    with fails_with(WSAEINVAL):
        api.bind(client, address(LOOPBACK))
    api.closesocket(client)
    bound(SOCK_STREAM, ANYWHERE, name.port)


def test_connect_that_fails_leaves_the_socket_bound() -> None:
    """The next connect of it comes from the same port."""
    s = new(SOCK_STREAM)
    with pytest.raises(WinsockError):
        api.connect(s, address(LOOPBACK, free_port(SOCK_STREAM)))
    port = port_of(s)
    assert port in DYNAMIC
    listener = listening(LOOPBACK)
    api.connect(s, api.getsockname(listener))
    assert api.accept(listener)[1].port == port == port_of(s)


def test_connect_in_the_background_binds_before_it_returns() -> None:
    listener = listening(LOOPBACK)
    s = new(SOCK_STREAM)
    api.ioctlsocket(s, FIONBIO, 1)
    with fails_with(WSAEWOULDBLOCK):
        api.connect(s, api.getsockname(listener))
    assert port_of(s) in DYNAMIC
    assert api.accept(listener)[1].port == port_of(s)


@pytest.mark.parametrize("call", ["sendto", "connect"])
def test_a_datagram_socket_is_bound_by_its_first_use(call: str) -> None:
    receiver = bound(SOCK_DGRAM, LOOPBACK)
    s = new(SOCK_DGRAM)
    if call == "sendto":
        api.sendto(s, b"x", 0, api.getsockname(receiver))
        assert api.getsockname(s).host == ANYWHERE
    else:
        api.connect(s, api.getsockname(receiver))
        assert api.getsockname(s).host == LOOPBACK
    port = port_of(s)
    assert port in DYNAMIC
    with fails_with(WSAEADDRINUSE):
        bound(SOCK_DGRAM, ANYWHERE, port)
    if call == "connect":  # without its peer it is on the wildcard address again, and on its port
        api.connect(s, bytes(16))
        assert api.getsockname(s) == address(ANYWHERE, port)
    api.closesocket(s)
    bound(SOCK_DGRAM, ANYWHERE, port)


def test_threads_that_send_at_once_bind_a_socket_once() -> None:
    receiver = bound(SOCK_DGRAM, LOOPBACK)
    where = api.getsockname(receiver)
    for _ in range(20):
        s = new(SOCK_DGRAM)
        together = threading.Barrier(4)

        def send(s: int = s, together: threading.Barrier = together) -> int:
            together.wait(LIMIT_S)
            return int(api.sendto(s, b"x", 0, where))

        assert [call.result() for call in [here(send) for _ in range(4)]] == [1] * 4
        assert len({api.recvfrom(receiver, bytearray(1))[1] for _ in range(4)}) == 1
        api.closesocket(s)


# Addresses that cannot be bound, and those that can


@pytest.mark.parametrize(
    ("kind", "text", "options", "code"),
    [
        (SOCK_STREAM, "192.0.2.0", (), WSAEADDRNOTAVAIL),
        (SOCK_DGRAM, "192.0.2.0", (), WSAEADDRNOTAVAIL),
        (SOCK_STREAM, "224.0.0.1", (), WSAEADDRNOTAVAIL),
        (SOCK_DGRAM, "239.255.77.1", (), WSAEADDRNOTAVAIL),
        (SOCK_DGRAM, "239.255.77.1", (REUSE,), WSAEADDRNOTAVAIL),
        (SOCK_STREAM, "255.255.255.255", (), WSAEADDRNOTAVAIL),
        (SOCK_DGRAM, "255.255.255.255", (), WSAEACCES),
        pytest.param(SOCK_STREAM, "ff02::1", (), WSAEADDRNOTAVAIL, marks=NEEDS_IPV6),
        pytest.param(SOCK_DGRAM, "2001:db8::1", (), WSAEADDRNOTAVAIL, marks=NEEDS_IPV6),
        pytest.param(SOCK_DGRAM, "::ffff:127.0.0.1", (), WSAEADDRNOTAVAIL, marks=NEEDS_IPV6),
        pytest.param(SOCK_DGRAM, "fe80::dead:beef:0:1", (), WSAEADDRNOTAVAIL, marks=NEEDS_IPV6),
    ],
)
def test_an_address_that_no_socket_can_have(kind: int, text: str, options: tuple[int, ...], code: int) -> None:
    with fails_with(code):
        bound(kind, text, 0, *options)


def test_the_broadcast_address_needs_its_option_only() -> None:
    s = new(SOCK_DGRAM, SO_BROADCAST)
    api.bind(s, address("255.255.255.255"))
    assert api.getsockname(s).host == "255.255.255.255"


@NEEDS_IPV6
def test_a_scope_that_does_not_exist_is_refused_and_the_socket_can_be_bound_afterwards() -> None:
    s = new(SOCK_STREAM, family=AF_INET6)
    for scope in (0xABACAB, 0xFFFFFFFF):
        with fails_with(WSAEADDRNOTAVAIL):
            api.bind(s, sockaddr_in6("::1", 0, 0, scope))
    api.bind(s, sockaddr_in6("::1"))
    assert api.getsockname(s).scope_id == 0


def link_local() -> tuple[str, int]:
    """A link-local address of this machine and its interface."""
    try:
        with open("/proc/net/if_inet6") as table:
            for line in table:
                digits, index, *_ = line.split()
                if digits.startswith("fe80"):
                    return host.inet_ntop(host.AF_INET6, bytes.fromhex(digits)), int(index, 16)
    except OSError:
        pass
    pytest.skip("no link-local address here")


@KINDS
def test_a_link_local_address_gets_the_scope_of_its_interface(kind: int) -> None:
    text, index = link_local()
    s = bound(kind, text)
    name = api.getsockname(s)
    assert (name.host, name.scope_id) == (text, index)
    assert name.port in DYNAMIC
    for scope in (0, index):
        with fails_with(WSAEADDRINUSE):
            api.bind(new(kind, family=AF_INET6), sockaddr_in6(text, name.port, 0, scope))


@NEEDS_IPV6
def test_ipv6_only_is_the_default_and_cannot_be_changed_once_bound() -> None:
    """A65, A66, R11.63."""
    s = new(SOCK_STREAM, family=AF_INET6)
    assert api.getsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 4)[:1] == b"\1"
    api.bind(s, address("::", free_port(SOCK_STREAM)))
    bound(SOCK_STREAM, ANYWHERE, port_of(s), EXCLUSIVE)
    with fails_with(WSAEINVAL):
        api.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)


def test_a_child_after_fork_can_bind_whatever_its_parent_s_threads_did() -> None:
    """A lock that another thread held at the fork is new in the child."""
    s = bound(SOCK_STREAM, LOOPBACK)
    kept = bindings_of(s)
    with kept._implicit_lock, kept._queue_lock, kept.table._lock:
        child = os.fork()
        if not child:
            code = 1
            with contextlib.suppress(BaseException):
                signal.alarm(int(LIMIT_S))  # a child that hangs ends by it
                bound(SOCK_DGRAM, LOOPBACK, 0, REUSE)
                api.sendto(new(SOCK_DGRAM), b"x", 0, address(LOOPBACK, port_of(s)))
                code = 0
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
