"""Connection requests: the condition function, deferring, pausing, the backlog, what an accepted socket inherits."""

from __future__ import annotations

import errno
import os
import socket as host_sockets
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.concurrency import Interrupt, until
from tests.loopback import (
    FAMILIES,
    NOW,
    PATIENCE,
    code_of,
    connected_to,
    elsewhere,
    fails,
    failure_of,
    full_listener,
    linger,
    listener,
    nonblocking,
    pair,
    received,
    reset,
    tcp,
    udp,
    waiting,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
    WSATRY_AGAIN,
)
from winsock2emu.defs.constants import (
    AF_UNIX,
    CF_ACCEPT,
    CF_DEFER,
    CF_REJECT,
    FIONBIO,
    FIONREAD,
    IPPROTO_TCP,
    POLLRDNORM,
    SO_CONDITIONAL_ACCEPT,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_PAUSE_ACCEPT,
    SO_RCVTIMEO,
    SO_SNDBUF,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
)
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.process import Process, current_process
from winsock2emu.providers.host import accepting, connection, rawcalls
from winsock2emu.providers.host.stream import StreamSocket

pytestmark = pytest.mark.usefixtures("winsock")


def endpoint(s: int) -> StreamSocket:
    found = current_process().socket(s).mover
    assert isinstance(found, StreamSocket)
    return found


class Condition:
    """A condition function with prepared answers; it keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []

    def __call__(self, *args: Any) -> int:
        self.asked.append(args)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[no-any-return]  # of whatever type

    @property
    def callers(self) -> list[SockAddr]:
        return [args[0] for args in self.asked]


def callers(listening: int, count: int) -> list[int]:
    """Clients that have called, in this order, and are not accepted."""
    name = api.getsockname(listening)
    clients = []
    for _ in range(count):
        clients.append(tcp(name.family))
        api.connect(clients[-1], name)
    return clients


def may_accept(listening: int) -> bool:
    return bool(api.select([listening], None, None, NOW)[0])


# ----------------------------------------------------------------------------------------------- the condition function


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_told_who_calls_whom(family: int) -> None:
    """R11.36, R11.38: addresses of both ends; what TCP/IP has not is None."""
    listening = listener(family)
    (client,) = callers(listening, 1)
    condition = Condition(CF_ACCEPT)
    server, peer = api.WSAAccept(listening, None, condition, 0xABCDEF)
    name = api.getsockname(client)
    assert condition.asked == [(name, None, None, None, api.getpeername(client), None, 0, 0xABCDEF)]
    assert peer == name == api.getpeername(server)
    assert api.getsockname(server) == api.getpeername(client)


def test_it_runs_in_the_calling_thread_and_may_call_anything() -> None:
    """R11.29, R11.40: also accept on the same socket, which takes the next request."""
    listening = listener()
    first, second = callers(listening, 2)
    inside: list[Any] = []

    def condition(*args: Any) -> int:
        inside.append(api.accept(listening)[1])
        inside.append(api.getsockname(listening) == args[4])
        return CF_ACCEPT

    assert api.WSAAccept(listening, None, condition)[1] == api.getsockname(first)
    assert inside == [api.getsockname(second), True]


def test_without_one_every_request_is_accepted() -> None:
    """R11.35."""
    listening = listener()
    (client,) = callers(listening, 1)
    assert api.WSAAccept(listening)[1] == api.getsockname(client)


def test_a_rejected_caller_is_reset() -> None:
    """R11.31: WSAECONNREFUSED here, a reset there, and the next one is asked about."""
    listening = listener()
    rejected, accepted = callers(listening, 2)
    condition = Condition(CF_REJECT, CF_ACCEPT)
    with fails(WSAECONNREFUSED):
        api.WSAAccept(listening, None, condition)
    assert failure_of(api.recv, rejected, bytearray(1)) == WSAECONNRESET
    assert api.WSAAccept(listening, None, condition)[1] == api.getsockname(accepted)


def test_a_deferred_request_stays_the_first() -> None:
    """R11.32-R11.34, R11.46, A28; accept-defer, accept-after-defer."""
    listening = listener()
    clients = callers(listening, 3)
    names = [api.getsockname(client) for client in clients]
    condition = Condition(CF_DEFER, CF_DEFER, CF_ACCEPT, CF_DEFER)
    for _ in range(2):
        with fails(WSATRY_AGAIN):
            api.WSAAccept(listening, None, condition)
        assert may_accept(listening)
    assert api.WSAAccept(listening, None, condition)[1] == names[0]
    with fails(WSATRY_AGAIN):
        api.WSAAccept(listening, None, condition)
    assert api.accept(listening)[1] == names[1]
    assert api.accept(listening)[1] == names[2]
    assert condition.callers == [names[0], names[0], names[0], names[1]]
    assert not may_accept(listening)


def test_a_deferred_connection_works_when_it_is_accepted() -> None:
    """What the client has sent meanwhile is there."""
    listening = listener()
    (client,) = callers(listening, 1)
    with fails(WSATRY_AGAIN):
        api.WSAAccept(listening, None, Condition(CF_DEFER))
    api.send(client, b"early")
    server = api.accept(listening)[0]
    assert received(server, 5) == b"early"
    api.send(server, b"late")
    assert received(client, 4) == b"late"


@pytest.mark.parametrize("answer", [3, -1, 99])
def test_another_answer_is_none(answer: int) -> None:
    """B8: WSAEINVAL, and the request stays."""
    listening = listener()
    (client,) = callers(listening, 1)
    with fails(WSAEINVAL):
        api.WSAAccept(listening, None, Condition(answer))
    assert api.accept(listening)[1] == api.getsockname(client)


@pytest.mark.parametrize("failure", [KeyError("mine"), KeyboardInterrupt(), Interrupt()], ids=repr)
def test_an_exception_comes_out_and_the_request_stays(failure: BaseException) -> None:
    listening = listener()
    (client,) = callers(listening, 1)
    with pytest.raises(type(failure)) as caught:
        api.WSAAccept(listening, None, Condition(failure))
    assert caught.value is failure
    assert api.accept(listening)[1] == api.getsockname(client)


def test_an_answer_that_is_no_number_is_a_mistake_of_the_program() -> None:
    listening = listener()
    (client,) = callers(listening, 1)
    with pytest.raises(TypeError):
        api.WSAAccept(listening, None, Condition("yes"))
    assert api.accept(listening)[1] == api.getsockname(client)


def test_it_is_asked_only_when_there_is_a_request() -> None:
    """B8: the checks of accept come first."""
    condition = Condition()
    listening = nonblocking(listener())
    with fails(WSAEWOULDBLOCK):
        api.WSAAccept(listening, None, condition)
    with fails(WSAEFAULT):
        api.WSAAccept(listening, 4, condition)
    with fails(WSAEINVAL):
        api.WSAAccept(tcp(), None, condition)
    with fails(WSAEOPNOTSUPP):
        api.WSAAccept(udp(), None, condition)
    callers(listening, 1)
    with fails(WSAEFAULT):
        api.WSAAccept(listening, 4, condition)
    assert condition.asked == []
    api.ioctlsocket(listening, FIONBIO, 0)
    assert api.WSAAccept(listening, 16, Condition(CF_ACCEPT))[0]


def test_a_blocking_call_waits_for_a_request_and_then_asks() -> None:
    listening = listener()
    condition = Condition(CF_ACCEPT)
    accepting_one = elsewhere(api.WSAAccept, listening, None, condition)
    until(waiting(listening), "the accept waits")
    assert condition.asked == []
    (client,) = callers(listening, 1)
    assert accepting_one.result()[1] == api.getsockname(client)


def test_a_caller_that_is_gone_is_not_asked_about() -> None:
    """A27: accept tells of it, and takes it off the queue."""
    listening = listener()
    gone, there = callers(listening, 2)
    reset(gone)
    condition = Condition(CF_ACCEPT)
    assert failure_of(api.WSAAccept, listening, None, condition) == WSAECONNRESET
    assert condition.asked == []
    assert api.WSAAccept(listening, None, condition)[1] == api.getsockname(there)


def test_a_caller_that_goes_while_it_is_decided_is_told_by_the_next_accept() -> None:
    listening = listener()
    deferred, accepted = callers(listening, 2)

    def goes(answer: int) -> Callable[..., int]:
        def condition(*args: Any) -> int:
            client = deferred if answer == CF_DEFER else accepted
            reset(client)
            host = endpoint(listening).requests
            assert host is not None
            return answer

        return condition

    with fails(WSATRY_AGAIN):
        api.WSAAccept(listening, None, goes(CF_DEFER))
    assert failure_of(api.accept, listening) == WSAECONNRESET
    assert failure_of(api.WSAAccept, listening, None, goes(CF_ACCEPT)) == WSAECONNRESET
    assert not may_accept(listening)


def test_a_listener_that_closes_meanwhile_resets_the_caller() -> None:
    """Whatever the function answers."""
    for answer, code in ((CF_ACCEPT, WSAEINTR), (CF_DEFER, WSATRY_AGAIN), (CF_REJECT, WSAECONNREFUSED)):
        listening = listener()
        (client,) = callers(listening, 1)

        def condition(*args: Any, listening: int = listening, answer: int = answer) -> int:
            api.closesocket(listening)
            return answer

        with fails(code):
            api.WSAAccept(listening, None, condition)
        assert failure_of(api.recv, client, bytearray(1)) == WSAECONNRESET


def test_a_deferred_caller_is_reset_when_the_listener_closes(winsock: Process) -> None:
    """R12.21, A107; also by the last cleanup."""
    for end in (api.closesocket, lambda listening: api.WSACleanup()):
        listening = listener()
        with host_sockets.create_connection(("127.0.0.1", api.getsockname(listening).port)) as client:
            with fails(WSATRY_AGAIN):
                api.WSAAccept(listening, None, Condition(CF_DEFER))
            end(listening)
            client.settimeout(10)
            with pytest.raises(ConnectionResetError):
                client.recv(1)


def test_putting_a_request_back_wakes_those_who_wait_for_one() -> None:
    """An accept and a select of other threads, which the host has nothing to tell."""
    listening = listener()
    (client,) = callers(listening, 1)
    others: list[Any] = []

    def condition(*args: Any) -> int:
        others.append(elsewhere(api.accept, listening))
        others.append(elsewhere(api.select, [listening], None, None, PATIENCE))
        until(waiting(listening), "the accept waits")
        return CF_DEFER

    with fails(WSATRY_AGAIN):
        api.WSAAccept(listening, None, condition)
    assert others[0].result()[1] == api.getsockname(client)
    callers(listening, 1)
    assert others[1].result() == ([listening], [], [])


def test_several_threads_decide_about_different_requests() -> None:
    listening = listener(backlog=40)
    clients = callers(listening, 30)
    names = {api.getsockname(client) for client in clients}

    def accept_some() -> list[SockAddr]:
        return [api.WSAAccept(listening, None, lambda *args: CF_ACCEPT)[1] for _ in range(10)]

    threads = [elsewhere(accept_some) for _ in range(3)]
    accepted = [name for thread in threads for name in thread.result()]
    assert len(accepted) == 30
    assert set(accepted) == names


def test_a_deferred_request_is_ready_to_be_accepted() -> None:
    """acceptex-next-accept: select shows it."""
    listening = nonblocking(listener())
    callers(listening, 1)
    with fails(WSATRY_AGAIN):
        until(lambda: may_accept(listening), "the request has come")
        api.WSAAccept(listening, None, Condition(CF_DEFER))
    assert api.select([listening], None, None, NOW) == ([listening], [], [])
    assert api.WSAPoll([(listening, POLLRDNORM)], 0) == (1, [POLLRDNORM])
    api.accept(listening)
    assert api.select([listening], None, None, NOW) == ([], [], [])
    with fails(WSAEWOULDBLOCK):
        api.accept(listening)


def test_conditional_accept_is_chosen_before_listening() -> None:
    """R11.41: WSAEINVAL afterwards; what the caller sees is a connection and a reset (A29)."""
    s = tcp()
    api.bind(s, api.sockaddr_in("127.0.0.1", 0))
    assert api.getsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT) == bytes(4)
    api.setsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1)
    api.listen(s, 5)
    assert api.getsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT) == b"\1\0\0\0"
    with fails(WSAEINVAL):
        api.setsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 0)
    (client,) = callers(s, 1)
    with fails(WSAECONNREFUSED):
        api.WSAAccept(s, None, Condition(CF_REJECT))
    assert failure_of(api.recv, client, bytearray(1)) == WSAECONNRESET


# ---------------------------------------------------------------------------------------------------------- pausing


def pause(listening: int, on: int) -> None:
    api.setsockopt(listening, SOL_SOCKET, SO_PAUSE_ACCEPT, on)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_paused_listener_turns_callers_away(family: int) -> None:
    """R11.42: and goes on with the same name when it is off again."""
    listening = listener(family)
    name = api.getsockname(listening)
    for _ in range(3):
        pause(listening, 1)
        client = tcp(family)
        with fails(WSAECONNREFUSED):
            api.connect(client, name)
        assert api.getsockname(listening) == name
        pause(listening, 0)
        server = connected_to(listening)[1]
        assert api.getsockname(server) == name
        api.connect(client, name)  # the one that was refused may try again
        assert api.accept(listening)[1] == api.getsockname(client)


def test_those_who_came_before_the_pause_are_accepted_in_it() -> None:
    listening = listener()
    clients = callers(listening, 2)
    pause(listening, 1)
    assert api.select([listening], None, None, NOW) == ([listening], [], [])
    assert [api.accept(listening)[1] for _ in clients] == [api.getsockname(client) for client in clients]
    assert api.select([listening], None, None, NOW) == ([], [], [])
    nonblocking(listening)
    with fails(WSAEWOULDBLOCK):
        api.accept(listening)


def test_an_accept_and_a_select_wait_through_a_pause() -> None:
    """Asleep, not looking again and again."""
    listening = listener()
    accepting_one = elsewhere(api.accept, listening)
    until(waiting(listening), "the accept waits")
    selecting = elsewhere(api.select, [listening], None, None, PATIENCE)
    pause(listening, 1)
    before = time.process_time()
    assert code_of(api.connect, tcp(), api.getsockname(listening)) == WSAECONNREFUSED
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 0.3, "some time has passed")
    assert time.process_time() - before < 0.25
    assert accepting_one.running
    assert selecting.running
    pause(listening, 0)
    clients = callers(listening, 2)
    assert accepting_one.result()[1] == api.getsockname(clients[0])
    assert selecting.result() == ([listening], [], [])


def test_a_paused_listener_can_be_closed() -> None:
    listening = listener()
    accepting_one = elsewhere(api.accept, listening)
    until(waiting(listening), "the accept waits")
    (client,) = callers(listening, 1)
    accepting_one.result()
    callers(listening, 1)
    pause(listening, 1)
    api.accept(listening)
    waiting_one = elsewhere(api.accept, listening)
    until(waiting(listening), "the accept waits")
    api.closesocket(listening)
    assert getattr(waiting_one.failure(), "winerror", None) == WSAEINTR
    assert api.send(client, b"x") == 1


def test_a_pause_is_not_handed_down() -> None:
    listening = listener()
    callers(listening, 1)
    pause(listening, 1)
    server = api.accept(listening)[0]
    assert api.getsockopt(server, SOL_SOCKET, SO_PAUSE_ACCEPT) == bytes(4)
    assert api.getsockopt(listening, SOL_SOCKET, SO_PAUSE_ACCEPT) == b"\1\0\0\0"


def test_only_listeners_pause_and_only_those_of_tcp(tmp_path: object) -> None:
    with fails(WSAEINVAL):
        pause(tcp(), 1)
    local = api.socket(AF_UNIX, SOCK_STREAM, 0)
    api.bind(local, api.sockaddr_un(os.path.join(str(tmp_path), "s")))
    api.listen(local, 1)
    with fails(WSAEOPNOTSUPP):
        pause(local, 1)


# ---------------------------------------------------------------------------------------------------------- backlog


@pytest.mark.slow
def test_a_full_backlog_turns_callers_away() -> None:
    """R11.16, A24: WSAECONNREFUSED, after the tries that Windows makes; then there is room again."""
    name = full_listener()[1]
    client = tcp()
    began = time.monotonic()
    with fails(WSAECONNREFUSED):
        api.connect(client, name)
    assert 1 < time.monotonic() - began < 6
    other = nonblocking(tcp())
    with fails(WSAEWOULDBLOCK):
        api.connect(other, name)
    assert api.select(None, [other], [other], PATIENCE) == ([], [], [other])
    assert int.from_bytes(api.getsockopt(other, SOL_SOCKET, SO_ERROR), "little") == WSAECONNREFUSED


def test_room_in_the_backlog_lets_a_caller_in_that_still_tries() -> None:
    listening, name = full_listener()
    client = tcp()
    connecting = elsewhere(api.connect, client, name)
    until(lambda: endpoint(client)._limit_ms, "the connect is under way")
    api.accept(listening)
    connecting.result()
    assert endpoint(client).host.getsockopt(IPPROTO_TCP, host_sockets.TCP_USER_TIMEOUT) == 0
    assert api.accept(listening)[1] == api.getsockname(client)


def test_hosts_that_cannot_tell_let_the_caller_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as any connect."""
    monkeypatch.setattr(connection, "CONNECT_MS", 300)

    def no_netlink(family: int, port: int) -> Any:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(rawcalls, "_listeners", no_netlink)
    name = full_listener()[1]
    with fails(WSAETIMEDOUT):
        api.connect(tcp(), name)


def test_a_connect_is_given_up_after_the_time_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A20: 21 seconds; here less, as nothing else depends on it. It may be tried again (R11.22)."""
    assert connection.CONNECT_MS == 21_000
    monkeypatch.setattr(connection, "CONNECT_MS", 300)
    monkeypatch.setattr(connection, "backlog_is_full", lambda port: False)
    listening, name = full_listener()
    client = tcp()
    with fails(WSAETIMEDOUT):
        api.connect(client, name)
    other = nonblocking(tcp())
    with fails(WSAEWOULDBLOCK):
        api.connect(other, name)
    assert api.select(None, [other], [other], PATIENCE) == ([], [], [other])
    assert int.from_bytes(api.getsockopt(other, SOL_SOCKET, SO_ERROR), "little") == WSAETIMEDOUT
    api.accept(listening)
    api.connect(client, name)
    server = api.accept(listening)[0]
    api.send(client, b"x")
    assert received(server, 1) == b"x"


def test_who_listens_and_how_many_wait_is_the_host_s_to_tell() -> None:
    listening, name = full_listener()
    assert rawcalls.backlog_is_full(name.port)
    api.accept(listening)
    assert not rawcalls.backlog_is_full(name.port)
    api.closesocket(listening)
    assert not rawcalls.backlog_is_full(name.port)


# ---------------------------------------------------------------------------------------------- what is handed down


@pytest.mark.parametrize("late", [False, True], ids=["before-the-call", "after-the-call"])
def test_an_accepted_socket_has_the_listener_s_settings(late: bool) -> None:
    """A26, R11.30: also those that were set after the client had called, on the host as well."""
    listening = listener()
    client = tcp()
    if late:
        api.connect(client, api.getsockname(listening))
    api.setsockopt(listening, SOL_SOCKET, SO_KEEPALIVE, 1)
    api.setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, 1)
    api.setsockopt(listening, SOL_SOCKET, SO_SNDBUF, 30000)
    api.setsockopt(listening, SOL_SOCKET, SO_RCVTIMEO, 50)
    api.setsockopt(listening, SOL_SOCKET, SO_LINGER, linger(1, 7))
    if not late:
        api.connect(client, api.getsockname(listening))
    server = api.accept(listening)[0]
    for level, option in ((SOL_SOCKET, SO_KEEPALIVE), (IPPROTO_TCP, TCP_NODELAY)):
        assert api.getsockopt(server, level, option, 4)[:1] == b"\1"
    assert api.getsockopt(server, SOL_SOCKET, SO_LINGER) == linger(1, 7)
    with fails(WSAETIMEDOUT):
        api.recv(server, bytearray(1))
    host = endpoint(server).host
    assert host.getsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_KEEPALIVE) == 1
    assert host.getsockopt(host_sockets.IPPROTO_TCP, host_sockets.TCP_NODELAY) == 1
    assert host.getsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_SNDBUF) == 60000  # Linux shows the double


def test_an_accepted_socket_has_the_listener_s_mode() -> None:
    listening = listener()
    callers(listening, 2)
    nonblocking(listening)
    first = api.accept(listening)[0]
    api.ioctlsocket(listening, FIONBIO, 0)
    second = api.accept(listening)[0]
    with fails(WSAEWOULDBLOCK):
        api.recv(first, bytearray(1))
    receiving = elsewhere(api.recv, second, bytearray(1))
    until(waiting(second), "the receive waits")
    api.closesocket(second)
    assert getattr(receiving.failure(), "winerror", None) in (WSAEINTR, WSAENOTSOCK)


def test_later_changes_stay_with_the_listener() -> None:
    listening = listener()
    callers(listening, 1)
    server = api.accept(listening)[0]
    api.setsockopt(server, SOL_SOCKET, SO_KEEPALIVE, 1)
    assert api.getsockopt(listening, SOL_SOCKET, SO_KEEPALIVE, 4)[:1] == b"\0"


def test_an_accepted_socket_accepts_nobody() -> None:
    """R11.45."""
    server = pair()[1]
    with fails(WSAEINVAL):
        api.accept(server)
    with fails(WSAEINVAL):
        api.WSAAccept(server, None, Condition(CF_ACCEPT))


def test_a_listener_has_nothing_to_read_whatever_waits() -> None:
    listening = listener()
    callers(listening, 1)
    with fails(WSATRY_AGAIN):
        api.WSAAccept(listening, None, Condition(CF_DEFER))
    assert api.ioctlsocket(listening, FIONREAD, 0) == 0


# ------------------------------------------------------------------------------------------------------- the module


def test_a_host_that_cannot_listen_again_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "freebsd14")
    listening = listener()
    with fails(WSAEOPNOTSUPP):
        pause(listening, 1)
    connected_to(listening)


def test_running_out_of_descriptors_in_a_pause_keeps_what_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = listener()
    kept, lost = callers(listening, 2)
    requests = endpoint(listening).requests
    assert requests is not None
    really_take = accepting.ConnectionRequests._from_host
    taken: list[Any] = []

    def take(self: accepting.ConnectionRequests) -> accepting.ConnectionRequest:
        if taken:
            raise OSError(errno.EMFILE, "Too many open files")
        taken.append(really_take(self))
        request: accepting.ConnectionRequest = taken[0]
        return request

    monkeypatch.setattr(accepting.ConnectionRequests, "_from_host", take)
    pause(listening, 1)
    monkeypatch.undo()
    assert api.accept(listening)[1] == api.getsockname(kept)
    assert failure_of(api.recv, lost, bytearray(1)) == WSAECONNRESET
