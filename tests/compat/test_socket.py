"""``socket`` as Python on Windows has it: what CPython's sources say for Windows, and Winsock's rules."""

from __future__ import annotations

import _socket as _host
import contextvars
import errno
import gc
import os
import pickle
import socket as host_socket
import ssl as host_ssl
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from winsock2emu import ws2_32
from winsock2emu.compat import _adopt, _stdlib, select, socket, ssl
from winsock2emu.defs import codes
from winsock2emu.process import Process, SocketRecord


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process
        while process.startup_count:
            process.cleanup()


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def failure_of(call: Any, *arguments: Any) -> OSError:
    with pytest.raises(OSError) as caught:
        call(*arguments)
    return caught.value


def thread_here(target: Any, *arguments: Any) -> threading.Thread:
    """A thread in the same emulated process."""
    thread = threading.Thread(target=contextvars.copy_context().run, args=(target, *arguments))
    thread.start()
    return thread


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


# The class


def test_a_socket_is_one_of_the_hosts_class_under_its_own_descriptor(process: Process) -> None:
    with socket.socket() as sock:
        assert isinstance(sock, host_socket.socket)
        assert issubclass(socket.socket, socket.SocketType)
        assert stat.S_ISSOCK(os.fstat(sock.fileno()).st_mode)
        assert type(process.objects[sock.fileno()]) is SocketRecord
    assert sock.fileno() == -1
    assert not process.sockets()


def test_family_and_type_have_windows_numbers() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        assert (sock.family, sock.type, sock.proto) == (23, 2, 0)
        assert sock.family is socket.AddressFamily.AF_INET6
        assert sock.type is socket.SocketKind.SOCK_DGRAM
        assert "family=23, type=2" in repr(sock)


@pytest.mark.parametrize("name", ["sendmsg", "recvmsg", "recvmsg_into", "sendmsg_afalg"])
def test_methods_that_windows_does_not_have_are_not_there(name: str) -> None:
    with socket.socket() as sock:
        assert not hasattr(sock, name)
    assert not hasattr(socket.socket, name)


def test_a_lost_socket_is_closed_with_a_warning(process: Process) -> None:
    sock = socket.socket()
    number = sock.fileno()
    with pytest.warns(ResourceWarning, match=f"unclosed .*fd={number}"):
        del sock
    assert not process.sockets()
    with pytest.raises(OSError):
        os.fstat(number)


def test_enumerations_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(socket.AF_INET6)) is socket.AF_INET6


# Names


@pytest.mark.parametrize(
    "name",
    [
        "AF_UNIX",
        "AF_PACKET",
        "CMSG_LEN",
        "MSG_DONTWAIT",
        "MSG_NOSIGNAL",
        "SCM_RIGHTS",
        "SOCK_CLOEXEC",
        "SOCK_NONBLOCK",
        "SO_REUSEPORT",
        "TCP_INFO",
        "recv_fds",
        "send_fds",
        "sethostname",
    ],
)
def test_names_that_windows_does_not_have_are_not_there(name: str) -> None:
    assert not hasattr(socket, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AF_INET6", 23),
        ("EAI_NONAME", 11001),
        ("INADDR_BROADCAST", -1),
        ("IPV6_V6ONLY", 27),
        ("MSG_PEEK", 2),
        ("RCVALL_ON", 1),
        ("SHUT_RDWR", 2),
        ("SIO_KEEPALIVE_VALS", 0x98000004),
        ("SIO_LOOPBACK_FAST_PATH", 0x98000010),
        ("SIO_RCVALL", 0x98000001),
        ("SOL_SOCKET", 0xFFFF),
        ("SOMAXCONN", 0x7FFFFFFF),
        ("SO_ERROR", 0x1007),
        ("SO_EXCLUSIVEADDRUSE", -5),
        ("SO_REUSEADDR", 4),
    ],
)
def test_values_are_windows(name: str, value: int) -> None:
    assert getattr(socket, name) == value


@pytest.mark.parametrize(
    "name",
    ["EBADF", "SocketIO", "_GLOBAL_DEFAULT_TIMEOUT", "_LOCALHOST", "_LOCALHOST_V6", "_intenum_converter", "_socket"],
)
def test_private_names_that_the_library_relies_on_are_there(name: str) -> None:
    assert hasattr(socket, name)


def test_errors_have_their_old_texts_too() -> None:
    assert socket.errorTab[10054] == "The connection has been reset."
    assert "errorTab" in socket.__all__


def test_the_hosts_modules_are_left_alone() -> None:
    assert socket.socket is not host_socket.socket
    assert host_socket.socket.__module__ == "socket"
    assert sys.platform != "win32"
    assert int(host_socket.AF_INET6) == int(_host.AF_INET6)


# Errors


def test_an_error_has_winsocks_code_as_winerror_and_as_errno(pair: tuple[Any, Any]) -> None:
    one, _ = pair
    one.setblocking(False)
    failure = failure_of(one.recv, 1)

    assert isinstance(failure, BlockingIOError)
    assert failure.errno == failure.winerror == 10035  # type: ignore[attr-defined]
    assert str(failure) == "[WinError 10035] A non-blocking socket operation could not be completed immediately"


def test_an_error_that_c_has_a_number_for_has_that_as_errno() -> None:
    with socket.socket() as sock:
        failure = failure_of(sock.getsockname)
    assert (failure.winerror, failure.errno) == (10022, errno.EINVAL)  # type: ignore[attr-defined]


def test_a_closed_socket_is_no_socket() -> None:
    sock = socket.socket()
    sock.close()
    sock.close()
    for call in (sock.getsockname, sock.listen, lambda: sock.recv(1), lambda: sock.send(b"")):
        assert failure_of(call).winerror == 10038  # type: ignore[attr-defined]


def test_a_reset_connection_is_told_as_such(pair: tuple[Any, Any]) -> None:
    one, other = pair
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0")
    one.close()
    failure = failure_of(other.recv, 1)
    assert isinstance(failure, ConnectionResetError)
    assert failure.winerror == 10054  # type: ignore[attr-defined]


def test_closing_in_another_thread_ends_a_receive_with_no_socket(pair: tuple[Any, Any]) -> None:
    """Winsock interrupts the call; CPython tries again, and has no SOCKET any more."""
    one, _ = pair
    outcome: list[OSError] = []
    begun = threading.Event()

    def receive() -> None:
        begun.set()
        outcome.append(failure_of(one.recv, 1))

    thread = thread_here(receive)
    assert begun.wait(10)
    thread.join(0.05)  # it sleeps in the call by now, or will find the socket closed: the outcome is one and the same
    one.close()
    thread.join(10)
    assert [failure.winerror for failure in outcome] == [10038]  # type: ignore[attr-defined]


# Time-outs


def test_a_timeout_is_told_in_pythons_words(pair: tuple[Any, Any]) -> None:
    one, _ = pair
    one.settimeout(0.02)
    assert one.getblocking()
    failure = failure_of(one.recv, 1)
    assert type(failure) is TimeoutError
    assert failure.args == ("timed out",)


def test_a_timed_receive_gets_what_comes_in_time(pair: tuple[Any, Any]) -> None:
    one, other = pair
    one.settimeout(10)
    thread = thread_here(other.sendall, b"late")
    assert one.recv(10) == b"late"
    thread.join()


def test_a_timed_accept_and_its_socket() -> None:
    """The new socket waits for ever, although Winsock has given it the mode of the one that listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.02)
        assert type(failure_of(server.accept)) is TimeoutError
        with socket.create_connection(server.getsockname()) as client:
            server.settimeout(10)
            accepted, address = server.accept()
            with accepted:
                assert address == client.getsockname()
                assert accepted.gettimeout() is None
                client.sendall(b"data")
                assert accepted.recv(4) == b"data"


def test_sendall_has_one_timeout_for_everything(pair: tuple[Any, Any]) -> None:
    one, _ = pair
    one.settimeout(0.05)

    def fill() -> None:
        for _ in range(1000):
            one.sendall(bytes(100_000))

    assert type(failure_of(fill)) is TimeoutError


def test_new_sockets_have_the_default_timeout() -> None:
    socket.setdefaulttimeout(0.5)
    try:
        with socket.socket() as sock:
            assert sock.gettimeout() == sock.timeout == 0.5
    finally:
        socket.setdefaulttimeout(None)
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize(
    ("value", "kind"), [(-1, ValueError), ("", TypeError), (2.0**40, OverflowError), (float("nan"), ValueError)]
)
def test_a_timeout_has_to_be_a_number_of_seconds(value: Any, kind: type[Exception]) -> None:
    with socket.socket() as sock, pytest.raises(kind):
        sock.settimeout(value)


# Connecting


def test_a_refused_connect_is_told_with_and_without_a_timeout() -> None:
    port = free_port()
    for timeout in (None, 10):
        with socket.socket() as sock:
            sock.settimeout(timeout)
            failure = failure_of(sock.connect, ("127.0.0.1", port))
            assert isinstance(failure, ConnectionRefusedError)
            assert failure.winerror == 10061  # type: ignore[attr-defined]
        with socket.socket() as sock:
            sock.settimeout(timeout)
            assert sock.connect_ex(("127.0.0.1", port)) == 10061


def test_a_connect_that_does_not_wait_would_block() -> None:
    """How it has ended is told by select: in the writable set, or in the exceptional one."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as sock:
        sock.setblocking(False)
        assert sock.connect_ex(server.getsockname()) == 10035
        assert select.select([], [sock], [sock], 10) == ([], [sock], [])
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert sock.connect_ex(server.getsockname()) == 10056
    with socket.socket() as sock:
        sock.setblocking(False)
        assert sock.connect_ex(("127.0.0.1", free_port())) == 10035
        assert select.select([], [sock], [sock], 10) == ([], [], [sock])
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 10061


@pytest.mark.parametrize(
    ("address", "kind", "text"),
    [
        ("127.0.0.1", TypeError, "connect(): AF_INET address must be tuple, not str"),
        (("127.0.0.1",), TypeError, "AF_INET address must be a pair (host, port)"),
        (("127.0.0.1", 70000), OverflowError, "connect(): port must be 0-65535."),
        ((None, 80), TypeError, "str, bytes or bytearray expected, not NoneType"),
        (("a\0b", 80), TypeError, "host name must not contain null character"),
    ],
)
def test_addresses_are_checked_as_cpython_does(address: Any, kind: type[Exception], text: str) -> None:
    with socket.socket() as sock, pytest.raises(kind) as caught:
        sock.connect(address)
    assert str(caught.value) == text


def test_a_pair_of_sockets_is_a_tcp_connection(pair: tuple[Any, Any]) -> None:
    one, other = pair
    assert one.family == socket.AF_INET
    assert one.getpeername() == other.getsockname()


def test_a_server_shares_its_address_with_nobody() -> None:
    """Windows' SO_REUSEADDR would let others take it, so create_server leaves it alone there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0
        with socket.socket() as second:
            assert failure_of(second.bind, server.getsockname()).winerror == 10048  # type: ignore[attr-defined]


# Data


def test_datagrams_come_with_their_senders() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        one.bind(("127.0.0.1", 0))
        assert other.sendto(b"one", one.getsockname()) == 3
        assert other.sendto(b"two", 0, one.getsockname()) == 3
        sender = "127.0.0.1", other.getsockname()[1]
        assert one.recvfrom(10) == (b"one", sender)
        buffer = bytearray(10)
        assert one.recvfrom_into(buffer) == (3, sender)
        assert buffer[:3] == b"two"


def test_a_datagram_that_does_not_fit_is_an_error() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        one.bind(("127.0.0.1", 0))
        other.sendto(b"message", one.getsockname())
        failure = failure_of(one.recv, 3)
    assert failure.winerror == 10040  # type: ignore[attr-defined]


def test_a_stream_has_no_sender_to_tell(pair: tuple[Any, Any]) -> None:
    """Winsock leaves the address alone, which CPython has filled with zeros."""
    one, other = pair
    one.sendall(b"data")
    assert other.recvfrom(10) == (b"data", (0, bytes(14)))


def test_receiving_into_a_part_of_a_buffer(pair: tuple[Any, Any]) -> None:
    one, other = pair
    one.sendall(b"abcdef")
    buffer = bytearray(8)
    assert other.recv_into(buffer, 4) == 4
    assert other.recv_into(memoryview(buffer)[4:]) == 2
    assert bytes(buffer) == b"abcdef\0\0"
    with pytest.raises(ValueError, match="buffer too small for requested bytes"):
        other.recv_into(buffer, 9)


def test_files_on_sockets(pair: tuple[Any, Any]) -> None:
    one, other = pair
    with one.makefile("w", newline="\n") as writing, other.makefile() as reading:
        writing.write("a line\n")
        writing.flush()
        assert reading.readline() == "a line\n"
    other.setblocking(False)
    with other.makefile("rb", buffering=0) as reading:
        assert reading.read(1) is None


@pytest.mark.parametrize("arguments", [(b"data",), (b"data", 0, ("127.0.0.1", 9), 4)])
def test_sendto_counts_its_arguments(arguments: tuple[Any, ...]) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        pytest.raises(TypeError, match=rf"\({len(arguments)} given\)"),
    ):
        sock.sendto(*arguments)


def test_text_is_no_data(pair: tuple[Any, Any]) -> None:
    with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
        pair[0].send("text")


# Options and control codes


def test_options_are_ints_or_bytes() -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 10000)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 10000
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\5\0")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 4) == b"\1\0\5\0"
        failure = failure_of(sock.getsockopt, socket.SOL_SOCKET, socket.SO_RCVBUF, 1025)
        assert str(failure) == "getsockopt buflen out of range"
        failure = failure_of(sock.setsockopt, socket.SOL_SOCKET, socket.SO_RCVBUF, None, 4)
        assert failure.winerror == 10014  # type: ignore[attr-defined]


def test_control_codes() -> None:
    with socket.socket() as sock:
        assert sock.ioctl(socket.SIO_KEEPALIVE_VALS, (1, 2000, 1000)) == 0
        assert sock.ioctl(socket.SIO_LOOPBACK_FAST_PATH, True) == 0
        assert failure_of(sock.ioctl, socket.SIO_RCVALL, socket.RCVALL_ON).winerror == 10022  # type: ignore[attr-defined]
        with pytest.raises(TypeError):
            sock.ioctl(socket.SIO_LOOPBACK_FAST_PATH, None)
        with pytest.raises(TypeError):
            sock.ioctl(socket.SIO_KEEPALIVE_VALS, 1)
        with pytest.raises(ValueError, match="invalid ioctl command 4294967295"):
            sock.ioctl(0xFFFFFFFF, None)


# Descriptors


def test_a_shared_socket_is_the_same_socket(pair: tuple[Any, Any]) -> None:
    one, other = pair
    data = one.share(os.getpid())
    assert len(data) == 628
    with socket.fromshare(data) as shared:
        one.close()
        assert (shared.family, shared.type) == (socket.AF_INET, socket.SOCK_STREAM)
        shared.sendall(b"data")
        assert other.recv(10) == b"data"
    assert other.recv(10) == b""
    with pytest.raises(ValueError, match="socket descriptor string has wrong size"):
        socket.fromshare(data[1:])


def test_a_duplicate_lives_on(pair: tuple[Any, Any]) -> None:
    one, other = pair
    with one.dup() as duplicate:
        assert duplicate.fileno() != one.fileno()
        one.close()
        duplicate.sendall(b"data")
        assert other.recv(10) == b"data"


def test_a_detached_socket_stays_a_socket(pair: tuple[Any, Any], process: Process) -> None:
    one, other = pair
    number = one.detach()
    assert one.fileno() == -1
    assert type(process.objects[number]) is SocketRecord
    with socket.socket(fileno=number) as again:
        assert again.getpeername() == other.getsockname()
        again.sendall(b"data")
        assert other.recv(10) == b"data"


def test_a_number_that_the_host_has_closed_and_given_out_again_is_the_new_socket() -> None:
    """As the host's ssl module does it with a socket that it has taken over."""
    with socket.socket() as sock:
        number = sock.detach()
    os.close(number)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        assert again.fileno() == number
        gc.collect()
        again.bind(("127.0.0.1", 0))
        again.sendto(b"data", again.getsockname())
        assert again.recv(10) == b"data"


def test_a_socket_of_the_host_becomes_one_of_windows(process: Process) -> None:
    with host_socket.create_server(("127.0.0.1", 0)) as server:
        theirs = host_socket.create_connection(server.getsockname())
        accepted = server.accept()[0]
    with accepted, socket.socket(fileno=theirs.detach()) as sock:
        assert (sock.family, sock.type) == (socket.AF_INET, socket.SOCK_STREAM)
        sock.sendall(b"data")
        assert accepted.recv(10) == b"data"
        accepted.sendall(b"reply")
        assert sock.recv(10) == b"reply"
    assert not process.sockets()


def test_numbers_that_are_no_sockets_are_refused() -> None:
    reading, writing = os.pipe()
    try:
        assert failure_of(lambda: socket.socket(fileno=reading)).winerror == 10038  # type: ignore[attr-defined]
        os.fstat(reading)
        with pytest.raises(ValueError, match="negative file descriptor"):
            socket.socket(fileno=-1)
        with socket.socket() as sock:  # not bound: Winsock tells no name, and so no family
            number = sock.fileno()
            assert failure_of(lambda: socket.socket(fileno=number)).winerror == 10022  # type: ignore[attr-defined]
    finally:
        os.close(reading)
        os.close(writing)


def test_sockets_are_not_inherited_unless_told(pair: tuple[Any, Any]) -> None:
    one, _ = pair
    assert not one.get_inheritable()
    one.set_inheritable(True)
    assert one.get_inheritable()
    assert os.get_inheritable(one.fileno())


def test_the_proactor_takes_a_socket_as_it_is(pair: tuple[Any, Any]) -> None:
    one, _ = pair
    kind = type(one)
    assert _adopt.adopt(one) == one.fileno()
    assert type(one) is kind


def test_module_functions_take_numbers(pair: tuple[Any, Any], process: Process) -> None:
    one, _ = pair
    number = socket.dup(one.fileno())
    socket.close(number)
    assert number not in process.objects
    assert failure_of(socket.close, number).winerror == 10038  # type: ignore[attr-defined]


# Names of hosts


def test_an_unknown_name_has_winsocks_number() -> None:
    failure = failure_of(socket.getaddrinfo, "nobody.invalid", 80)
    assert isinstance(failure, socket.gaierror)
    assert failure.errno == 11001
    assert str(failure) == "[Errno 11001] getaddrinfo failed"


def test_addresses_come_once_with_the_type_left_open() -> None:
    assert socket.getaddrinfo("127.0.0.1", 80) == [(socket.AF_INET, 0, 0, "", ("127.0.0.1", 80))]
    found = socket.getaddrinfo("127.0.0.1", "http", type=socket.SOCK_STREAM)
    assert [(type(one[0]), one[0], one[1], one[4]) for one in found] == [
        (socket.AddressFamily, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 80))
    ]


def test_names_and_numbers_of_services_and_protocols() -> None:
    assert socket.getservbyname("http", "tcp") == 80
    assert socket.getservbyport(25) == "smtp"
    assert socket.getprotobyname("udp") == 17
    assert socket.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV) == ("127.0.0.1", "80")
    assert str(failure_of(socket.getservbyname, "no such service")) == "service/proto not found"
    with pytest.raises(OverflowError):
        socket.getservbyport(65536)


def test_text_forms_of_addresses() -> None:
    assert socket.inet_aton("127.1") == b"\x7f\0\0\1"
    assert socket.inet_pton(socket.AF_INET6, "::1") == bytes(15) + b"\1"
    assert socket.inet_ntop(socket.AF_INET6, bytes(15) + b"\1") == "::1"
    assert str(failure_of(socket.inet_pton, socket.AF_INET, "127.1")) == "illegal IP address string passed to inet_pton"
    with pytest.raises(ValueError, match="unknown address family 10"):
        socket.inet_ntop(10, bytes(16))


# The rest


def test_audit_events_are_cpythons() -> None:
    program = """
import sys
from winsock2emu.compat import socket
events = []

def note(event, arguments):
    if event.startswith("socket.") and (not arguments or isinstance(arguments[0], socket.socket)):
        events.append(event)

sys.addaudithook(note)
with socket.create_server(("127.0.0.1", 0)) as server:
    address = server.getsockname()
    with socket.socket() as sock:
        sock.connect(address)
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"-", address)
socket.gethostname()
print(events)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True)
    assert ended.stdout.split("\n")[0] == str(
        [
            "socket.__new__",
            "socket.bind",
            "socket.__new__",
            "socket.connect",
            "socket.__new__",
            "socket.sendto",
            "socket.gethostname",
        ]
    )


def test_tls_runs_on_sockets_that_wait(pair: tuple[Any, Any]) -> None:
    contexts = []
    for side in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT):
        context = ssl.SSLContext(side)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("aNULL:@SECLEVEL=0")
        contexts.append(context)
    one, other = pair

    def serve() -> None:
        with contexts[0].wrap_socket(one, server_side=True) as server:
            server.sendall(server.recv(10).upper())

    thread = thread_here(serve)
    with contexts[1].wrap_socket(other) as client:
        assert isinstance(client, socket.socket)
        client.sendall(b"data")
        assert client.recv(10) == b"DATA"
    thread.join(10)


def test_numbers_of_errors_have_windows_names() -> None:
    assert _stdlib.ERRNO.ECONNRESET == _stdlib.ERRNO.WSAECONNRESET == codes.WSAECONNRESET
    assert (_stdlib.ERRNO.EAGAIN, _stdlib.ERRNO.EINVAL) == (errno.EAGAIN, errno.EINVAL)


def test_what_winsock_does_with_the_number_is_done_to_the_socket(pair: tuple[Any, Any]) -> None:
    """One SOCKET for all faces."""
    one, other = pair
    assert ws2_32.send(one.fileno(), b"data") == 4
    buffer = bytearray(4)
    assert ws2_32.recv(other.fileno(), buffer) == 4
    ws2_32.closesocket(one.fileno())
    assert failure_of(one.getsockname).winerror == 10038  # type: ignore[attr-defined]
    one.detach()


def test_nothing_warns_of_a_socket_that_was_never_made() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert failure_of(socket.socket, 99, 99, 99).winerror == 10044  # type: ignore[attr-defined]
        gc.collect()


def test_libraries_that_keep_the_hosts_socket_module_may_use_one(pair: tuple[Any, Any]) -> None:
    """They pass the host's SOL_SOCKET, with the host's options or with Windows' own."""
    one, _ = pair
    level = host_socket.SOL_SOCKET
    assert one.getsockopt(level, host_socket.SO_TYPE) == 1
    assert one.getsockopt(level, host_socket.SO_ERROR) == 0
    one.setsockopt(level, host_socket.SO_KEEPALIVE, 1)
    assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    with socket.socket() as fresh:
        fresh.setsockopt(level, socket.SO_EXCLUSIVEADDRUSE, 1)
        assert fresh.getsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE) == 1


def test_the_hosts_ssl_module_takes_a_socket_over(pair: tuple[Any, Any]) -> None:
    context = host_ssl.SSLContext(host_ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = host_ssl.CERT_NONE
    one, other = pair
    number = one.fileno()
    with context.wrap_socket(one, do_handshake_on_connect=False) as client:
        assert one.fileno() == -1
        assert client.fileno() == number
        client.settimeout(0.01)
        assert isinstance(failure_of(client.do_handshake), TimeoutError)
    assert other.recv(1) == b"\x16"  # a handshake record


def test_a_number_given_away_may_be_somebody_elses_by_the_end(process: Process) -> None:
    """WSACleanup closes sockets, and not the file that has the number of one that was closed behind its back."""
    for closes in (False, True):
        with socket.socket() as sock:
            number = sock.detach()
        with open(os.devnull, "rb") as file:
            os.dup2(file.fileno(), number)
        if closes:
            process.cleanup()
        else:
            assert failure_of(lambda: socket.socket(fileno=number)).winerror == 10038  # type: ignore[attr-defined]  # noqa: B023
        os.fstat(number)
        os.close(number)


def test_a_failure_keeps_no_hold_of_a_buffer(pair: tuple[Any, Any]) -> None:
    one, other = pair
    one.setblocking(False)
    room, data = bytearray(10), bytearray(10)
    with pytest.raises(BlockingIOError) as waits:
        one.recv_into(room)
    room.clear()  # BufferError as long as somebody has it
    room.extend(bytes(10))
    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes((1, 0, 0, 0)))
    other.close()
    select.select([one], [], [], 10)
    for call, buffer in ((one.send, data), (one.sendall, data), (one.recv_into, room)):
        with pytest.raises(ConnectionResetError) as reset:
            call(buffer)
        room.clear()
        data.clear()
        room.extend(bytes(10))
        data.extend(bytes(10))
        assert reset.value.__traceback__ is not None
    assert waits.value.__traceback__ is not None


def test_both_directions_of_a_connection_that_is_gone_end_without_a_failure(pair: tuple[Any, Any]) -> None:
    one, other = pair
    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes((1, 0, 0, 0)))
    other.close()
    assert failure_of(one.recv, 1).errno == codes.WSAECONNRESET
    one.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("first", [True, False])
def test_a_number_that_the_host_has_closed_may_be_another_sockets(pair: tuple[Any, Any], first: bool) -> None:
    one, other = pair
    duplicate = one.dup()
    given, kept = (one, duplicate) if first else (duplicate, one)
    number = given.detach()
    os.close(number)
    with socket.socket() as another:
        assert another.fileno() == number
    if first:
        # Its host socket has gone with the descriptor.
        assert failure_of(kept.recv, 1).errno == codes.WSAENOTSOCK
        os.close(host_socket.socket.detach(kept))
    else:
        other.send(b"still there")
        assert kept.recv(20) == b"still there"
