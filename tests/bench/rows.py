"""The measurements behind the table: what each row runs, ours and the host's.

Every loop is what a program would write: functions and methods looked up once or by name as usual, buffers made once.
Sockets of the emulator live in a process object of their own, closed with it.
"""

from __future__ import annotations

import _socket
import resource
import select as host_select
import socket as host
import statistics
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, Final, TypeVar

import attrs

from winsock2emu import ws2_32 as api
from winsock2emu.defs.constants import AF_INET, FIONBIO, POLLIN, SO_LINGER, SOCK_STREAM, SOL_SOCKET
from winsock2emu.errors import WinsockError

from .iocp import MEASUREMENTS as IOCP
from .kernel import MEASUREMENTS as KERNEL
from .measure import Measured, Plan, Slice, Work, compare, timed
from .overlapped import MEASUREMENTS as OVERLAPPED
from .peers import HEAD, ROOM, peer
from .sockets import (
    HARD,
    HOST_HARD,
    LOOPBACK,
    host_client,
    host_pair,
    host_udp,
    our_client,
    our_listener,
    our_pair,
    our_udp,
    started,
)
from .worker import SMALL, send_and_receive, worker

Measurement = Callable[[Plan], Measured]
T = TypeVar("T")

LARGE: Final = 65536


def host_send_receive(client: host.socket, server: host.socket, data: bytearray, space: bytearray) -> Work:
    """The divisor of many rows: one buffer through the host's sockets."""

    def work(count: int) -> None:
        for _ in range(count):
            client.send(data)
            server.recv_into(space)

    return work


def check_empty(space: bytearray, work: Work, marker: bytes, data: bytearray) -> None:
    """Nothing may be left over from the slices: what is sent now is what arrives."""
    data[: len(marker)] = marker
    work(1)
    assert space[: len(marker)] == marker, "a receive has not taken all that was sent"


def one_buffer(plan: Plan, send: Any, receive: Any, size: int, room: int, *, listed: bool) -> Measured:
    """Rows 1 to 3: the data is there when it is asked for, nothing ever waits."""
    data, space = bytearray(size), bytearray(size)
    with started(), host_pair(room) as (client, server):
        ours = send_and_receive(
            send, receive, *our_pair(room), [data] if listed else data, [space] if listed else space
        )
        theirs = host_send_receive(client, server, data, space)
        measured = Measured.of(*compare(timed(ours), timed(theirs), plan))
        check_empty(space, ours, b"ours", data)
        check_empty(space, theirs, b"theirs", data)
    return measured


def sync_64(plan: Plan) -> Measured:
    return one_buffer(plan, api.WSASend, api.WSARecv, SMALL, 0, listed=True)


def send_recv_64(plan: Plan) -> Measured:
    return one_buffer(plan, api.send, api.recv, SMALL, 0, listed=False)


def sync_64k(plan: Plan) -> Measured:
    return one_buffer(plan, api.WSASend, api.WSARecv, LARGE, ROOM, listed=True)


def stream_64k(plan: Plan) -> Measured:
    data, space = bytes(LARGE), bytearray(1)
    with started(), peer("drain") as our_port, peer("drain") as host_port, host_client(host_port, ROOM) as s:
        h = our_client(our_port, ROOM)

        def ours(count: int) -> None:
            api.send(h, (count * LARGE).to_bytes(HEAD, "little"))
            buffers = [data]
            for _ in range(count):
                api.WSASend(h, buffers)
            api.recv(h, space)

        def theirs(count: int) -> None:
            s.sendall((count * LARGE).to_bytes(HEAD, "little"))
            for _ in range(count):
                s.sendall(data)
            s.recv_into(space)

        # Long slices, since two processes share the CPU: each should get its turn in every slice.
        return Measured.of(*compare(timed(ours), timed(theirs), attrs.evolve(plan, slice_ms=8 * plan.slice_ms)))


def scatter_gather(plan: Plan, count: int) -> Measured:
    data = [bytearray(1024) for _ in range(count)]
    space = [bytearray(1024) for _ in range(count)]
    with started(), host_pair() as (client, server):
        ours = send_and_receive(api.WSASend, api.WSARecv, *our_pair(), data, space)

        def theirs(count: int) -> None:
            for _ in range(count):
                client.sendmsg(data)
                server.recvmsg_into(space)

        measured = Measured.of(*compare(timed(ours), timed(theirs), plan))
        check_empty(space[-1], ours, b"ours", data[-1])
        check_empty(space[-1], theirs, b"theirs", data[-1])
    return measured


def udp_64(plan: Plan) -> Measured:
    data, space = bytearray(SMALL), bytearray(SMALL)
    with started(), host_udp() as sender, host_udp() as receiver:
        ours_from, ours_to = our_udp(), our_udp()
        our_name, host_name = api.getsockname(ours_to), receiver.getsockname()
        outgoing, incoming = [data], [space]

        def ours(count: int) -> None:
            for _ in range(count):
                api.WSASendTo(ours_from, outgoing, 0, our_name)
                api.WSARecvFrom(ours_to, incoming)

        def theirs(count: int) -> None:
            for _ in range(count):
                sender.sendto(data, host_name)
                receiver.recvfrom_into(space)

        return Measured.of(*compare(timed(ours), timed(theirs), plan))


def wouldblock(plan: Plan) -> Measured:
    space = bytearray(SMALL)
    with started(), host_pair() as (_, server):
        server.setblocking(False)
        h = our_pair()[1]
        api.ioctlsocket(h, FIONBIO, 1)

        def ours(count: int) -> None:
            for _ in range(count):
                try:
                    api.recv(h, space)
                except WinsockError:
                    continue

        def theirs(count: int) -> None:
            for _ in range(count):
                try:
                    server.recv_into(space)
                except BlockingIOError:
                    continue

        return Measured.of(*compare(timed(ours), timed(theirs), plan))


def blocking_echo(plan: Plan) -> Measured:
    """The echo runs on the same CPU, so it cannot have answered before we sleep, unless the host switches early."""
    data, space = bytes(SMALL), bytearray(SMALL)
    with started(), peer("echo") as our_port, peer("echo") as host_port, host_client(host_port) as s:
        h = our_client(our_port)

        def ours(count: int) -> None:
            for _ in range(count):
                api.send(h, data)
                api.recv(h, space)

        def theirs(count: int) -> None:
            for _ in range(count):
                s.send(data)
                s.recv_into(space)

        our_slice, our_sleeps = counting_sleeps(timed(ours))
        host_slice, host_sleeps = counting_sleeps(timed(theirs))
        quotients, ns = compare(our_slice, host_slice, plan)
        # A receive that waits sleeps once; less says that the echo was often there already.
        return Measured.of(quotients, ns, our_sleeps=our_sleeps(), host_sleeps=host_sleeps())


def counting_sleeps(run: Slice) -> tuple[Slice, Callable[[], float]]:
    """A slice that counts how often the process gave up its CPU, and the average per unit of work so far."""
    units = sleeps = 0

    def counted(count: int) -> int:
        nonlocal units, sleeps
        before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
        elapsed = run(count)
        sleeps += resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before
        units += count
        return elapsed

    return counted, lambda: sleeps / units


def lifecycle(plan: Plan) -> Measured:
    with started(), host.create_server((LOOPBACK, 0)) as listener:
        host_name = listener.getsockname()
        h = our_listener()
        name = api.getsockname(h)

        def ours(count: int) -> None:
            for _ in range(count):
                client = api.socket(AF_INET, SOCK_STREAM, 0)
                api.connect(client, name)
                server, _ = api.accept(h)
                api.setsockopt(client, SOL_SOCKET, SO_LINGER, HARD)
                api.closesocket(client)
                api.closesocket(server)

        def theirs(count: int) -> None:
            for _ in range(count):
                client = host.socket(host.AF_INET, host.SOCK_STREAM)
                client.connect(host_name)
                server, _ = listener.accept()
                client.setsockopt(host.SOL_SOCKET, host.SO_LINGER, HOST_HARD)
                client.close()
                server.close()

        return Measured.of(*compare(timed(ours), timed(theirs), plan))


def idle(plan: Plan, count: int, calls: Callable[[list[int]], Work]) -> Measured:
    """Sockets with nothing to report. The host's come first: select.select takes descriptors below 1 024 only."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(host_udp()) for _ in range(count)]
        stack.enter_context(started())
        ours = calls([our_udp() for _ in range(count)])
        nothing: list[host.socket] = []

        def theirs(count: int) -> None:
            for _ in range(count):
                host_select.select(sockets, nothing, nothing, 0)

        return Measured.of(*compare(timed(ours), timed(theirs), plan))


def selects(handles: list[int]) -> Work:
    def work(count: int) -> None:
        for _ in range(count):
            api.select(handles, None, None, (0, 0))

    return work


def polls(handles: list[int]) -> Work:
    entries = [(s, POLLIN) for s in handles]

    def work(count: int) -> None:
        for _ in range(count):
            api.WSAPoll(entries, 0)

    return work


def memory_socket(plan: Plan) -> Measured:
    """Connected sockets with every option at its default, less the ``_socket.socket`` that each has inside."""
    count = 8 * plan.rounds
    with started(), host.create_server((LOOPBACK, 0)) as listener, ExitStack() as stack:
        host_name = listener.getsockname()
        name = api.sockaddr_in(*host_name)

        def ours() -> int:
            s = api.socket(AF_INET, SOCK_STREAM, 0)
            api.connect(s, name)
            stack.enter_context(listener.accept()[0])
            return s

        def theirs() -> _socket.socket:
            s = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
            s.connect(host_name)
            stack.enter_context(listener.accept()[0])
            return s

        our_bytes, _ = heap_of(ours, count)
        host_bytes, sockets = heap_of(theirs, count)
        for s in sockets:
            s.close()
    return Measured.of([our_bytes - host_bytes])


def heap_of(make: Callable[[], T], count: int) -> tuple[float, list[T]]:
    """Bytes of Python's heap behind each of many things, and the things; the first pays for what is made once."""
    kept = [make()] * (count + 1)
    tracemalloc.start()
    try:
        for index in range(1, count + 1):
            kept[index] = make()
        return tracemalloc.get_traced_memory()[0] / count, kept
    finally:
        tracemalloc.stop()


def trace_off(plan: Plan) -> Measured:
    """Tracing cannot be un-imported, so processes are compared: one that never had it, one in which it was on.

    Two processes differ by some percent for no reason but where their memory lies, hence several pairs of them.
    """
    quotients: list[float] = []
    pairs: list[float] = []
    times = []
    part = attrs.evolve(plan, rounds=max(1, plan.rounds // plan.repeats))
    for _ in range(plan.repeats):
        with worker("switched-off") as ours, worker("absent") as theirs:
            some, ns = compare(ours, theirs, part)
        quotients += some
        pairs.append(statistics.median(some))
        times.append(ns)
    ns = (statistics.median(one for one, _ in times), statistics.median(other for _, other in times))
    return Measured.of(quotients, ns, least_pair=min(pairs), most_pair=max(pairs))


def exported_wrapper(plan: Plan) -> Measured:
    data, space = [bytearray(SMALL)], [bytearray(SMALL)]
    with started():
        ends = our_pair()
        ours = send_and_receive(api.WSASend, api.WSARecv, *ends, data, space)
        theirs = send_and_receive(bare(api.WSASend), bare(api.WSARecv), *ends, data, space)
        return Measured.of(*compare(timed(ours), timed(theirs), plan))


def bare(call: Any) -> Callable[..., int]:
    """What `exported` was put around."""
    inner: Callable[..., int] = call.__wrapped__
    return inner


MEASUREMENTS: Final[dict[str, Measurement]] = {
    "sync-64": sync_64,
    "send-recv-64": send_recv_64,
    "sync-64K": sync_64k,
    "stream-64K": stream_64k,
    "sg-4": partial(scatter_gather, count=4),
    "sg-16": partial(scatter_gather, count=16),
    "udp-64": udp_64,
    "wouldblock": wouldblock,
    "blocking-echo": blocking_echo,
    "lifecycle": lifecycle,
    "select-1": partial(idle, count=1, calls=selects),
    "select-64": partial(idle, count=64, calls=selects),
    "select-512": partial(idle, count=512, calls=selects),
    "wsapoll-1": partial(idle, count=1, calls=polls),
    "wsapoll-64": partial(idle, count=64, calls=polls),
    "wsapoll-512": partial(idle, count=512, calls=polls),
    **IOCP,
    **KERNEL,
    **OVERLAPPED,
    "memory-socket": memory_socket,
    "trace-off": trace_off,
    "exported": exported_wrapper,
}
