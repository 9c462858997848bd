"""The whole programs of conformance/programs, and one from PyPI, end to end through ``winsock2emu run``."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "conformance" / "programs"
SECONDS = 60  # no program takes more than two; the rest is for a machine that has other things to do

# One line of output each, in the order they are printed.
SHOWN = {
    "addresses": [
        r"  inet_addr\(b'017700000001'\) = 127\.0\.0\.1",
        r"  inet_addr\(b'1\.2\.3\.256'\) = 0xffffffff",
        r"    InetNtopW = \(True, '2001:db8::1:0:0:1'\)",
        r"  InetPtonW\(AF_INET, NULL\) = -1",
        r"    error = 10014",
        r"    the address = \(2, '192\.0\.2\.7', 80\)",
        r"  WSAStringToAddressW\('host'\) = 10022",
        r"  WSAAddressToStringW = \(0, '\[::1\]:80', 9\)",
        r"    into 8 characters = \(10014, 9\)",
        r"all as on Windows",
    ],
    "async_select_client": [
        r"client: 262144 bytes sent and received, told by messages only",
        r"client: nobody listens any more: \[WinError 10061\] No connection could be made .*",
    ],
    "asyncio_echo": [
        r"100 clients, 1000 messages, all came back",
        r"reset: (An existing connection was forcibly closed by|The specified network name is no longer) .*",
        r"in use: \[Errno 10048\] error while attempting to bind on address .* is normally permitted",
        r"nobody listens, says the loop: \[WinError 1225\] The remote computer refused the network connection",
        r"nobody listens, says the socket: 10061",
        r"a proactor watches no sockets",
        r"all as on Windows",
    ],
    "chat_select": [
        r"60 clients are connected",
        r"3540 lines heard: each client heard the 59 others once",
        r"20 clients reset their connection, 20 left in good order, the others know",
        r"380 lines heard by the 20 who stayed",
        r"server: 3920 lines passed on, at most \d+ sockets ready at once",
        r"server: 40 connections ended with a shutdown",
        r"server: \d+ connections ended with "
        r"\[WinError 10054\] An existing connection was forcibly closed by the remote host\.",
    ],
    "conditional_accept": [
        r"a friend: let in",
        r"a stranger: \[WinError 10061\] No connection could be made .*",
        r"            \[WinError 10054\] An existing connection was forcibly closed by the remote host\.",
        r"one who is early: has to wait, and is asked about again",
        r"a plain accept: lets the one in who waits",
        r"one who came later: let in behind it",
        r"a closed door: \[WinError 10061\] No connection could be made .*",
        r"open again: let in",
        r"all as on Windows",
    ],
    "echo": [
        r"WSAStartup: version 2\.2, WinSock 2\.0, Running",
        r"server: listening at 127\.0\.0\.1:\d+",
        r"client: sending b'Hello, Winsock!'",
        r"server: 15 bytes from 127\.0\.0\.1:\d+, sending them back",
        r"client: received b'Hello, Winsock!'",
        r"client: received b'The same again, please\.'",
        r"client: connecting to 127\.0\.0\.1:\d+, where nobody listens",
        r"client: \[WinError 10061\] No connection could be made because the target machine actively refused it\.",
        r"WSACleanup: done",
    ],
    "event_select_server": [
        r"40 clients at once: 30 left in good order, 10 broke off",
        r"\d+ reads of four bytes, FD_READ for each of them",
        r"connections were full \d+ times, and FD_WRITE came afterwards",
    ],
    "file_server": [
        r"without a record: 1000 bytes, the last of the file",
        r"150 answers over 6 sockets, every one as it should be",
        r"CRC-32 of the file: [0-9a-f]{8}",
    ],
    "file_transfer": [
        r"sent: 49 blocks of header, body and trailer, 3158873 bytes, 50 WSASend",
        r"received: 3158873 bytes, \d+ WSARecv",
        r"3158073 bytes copied, no difference",
    ],
    "interfaces": [
        r"\d+ IPv4 interfaces in \d+ bytes, with room for \d+",
        r"  127\.0\.0\.1 / 255\.0\.0\.0: up, .*loopback.*",
        r"\d+ IPv4 addresses that a socket can be bound to",
        r"\d+ IPv6 addresses that a socket can be bound to|no IPv6 here",
        r"done",
    ],
    "iocp_echo": [
        r"500 connections, 2000 messages, all came back",
        r"520 requests ended with their sockets, the AcceptEx that waited among them",
    ],
    "multicast_chat": [
        r"  4 lines said, each heard by Ada, Ben, Cleo",
        r"  \[WinError 10049\] The requested address is not valid in its context\.",
        r"  4 lines said, each heard by Ada, Ben, Cleo, Dan",
        r"one switches the loop off: it does not hear this machine any more, but is heard",
        r"  4 lines said, each heard by Ada, Cleo, Dan",
        r"  \[WinError 10049\] The requested address is not valid in its context\.",
        r"  4 lines said, each heard by Ada, Ben, Dan",
        r"  4 lines said, each heard by Ada, Ben, Cleo, Dan",
        r"  \[WinError 10022\] An invalid argument was supplied\.",
        r"  4 lines said, each heard by Ada, Ben, Cleo",
        r"all as on Windows",
    ],
    "pending_storm": [
        r"640 receives pend on 40 sockets",
        r"every second one of a socket cancelled: 8 packets, error 995",
        r"a datagram goes to the oldest that is left: b'for the first that is left'",
        r"all of two sockets cancelled: 32 packets, error 995",
        r"all sockets but one closed: 583 packets, error 995",
        r"the last one's are served, in their order",
        r"each of the 640 was told once",
    ],
    "port_scanner": [
        r"64 ports scanned: 12 open, 52 shut",
        r"up to 24 connects at once, \d+ calls of WSAPoll",
        r"12 listeners have been called",
        r"a closed socket among others: POLLNVAL, 1 entries have bits",
        r"all as on Windows",
    ],
    "registered_echo": [
        r"400 datagrams of 8 clients came back",
        r"32 receives ended with the socket",
    ],
    "routine_download": [
        *[rf"part {number}: 388097 bytes, sum [0-9a-f]{{8}}, ended with 0" for number in range(5)],
        r"a part that does not exist: \[WinError 10054\] An existing connection was forcibly closed .*",
        r"\d+ routines, all in one thread",
    ],
    "socket_pool": [
        r"nobody listens: \[WinError 1225\] The remote computer refused the network connection\.",
        r"300 connections from 20 sockets, every question answered",
        r"each socket has the name that it had at first",
    ],
    "udp_dead_server": [
        r"  \[WinError 10054\] An existing connection was forcibly closed by the remote host\.",
        r"  \[WinError 10060\] A connection attempt failed .*",
        r"  after \d\.\d s",
        r"  \[WinError 10054\] An existing connection was forcibly closed by the remote host\.",
        r"  server received b'are you there\?'",
        r"  \[WinError 10040\] A message sent on a datagram socket was larger than .*",
        r"  in the buffer: b'abcdefghijklmnop'",
        r"  next: b'short', what did not fit is gone",
    ],
    "urgent": [
        r"no urgent data: \[WinError 10022\] An invalid argument was supplied\.",
        r"interrupted: the mark came beside the stream, and every line of the output is there",
        r"interrupted: output thrown away up to the mark in the stream, the prompt is next",
        r"signals that the shell has seen: b'\\x03\\x03\\x03\\x1c'",
        r"all as on Windows",
    ],
    "unix_sockets": [
        r"server: listening at server",
        r"server: connected, the process is the child",
        r"server: received b'Hello over a file name!', sending it back the other way round",
        r"server: the client has ended with 0",
        r"bind to the file of a socket that is closed: \[WinError 10048\] Only one usage of each socket address .*",
        r"connect to it: \[WinError 10061\] No connection could be made .*",
        r"connect when it has been removed: \[WinError 10050\] A socket operation encountered a dead network\.",
        r"done",
    ],
}

# What each program does or expects, in its source; what makes it wrong instead; the complaint.
SPOILT = {
    "addresses": ('b"10.65794": "10.1.1.2"', 'b"10.65794": "10.1.1.3"', "1 results are not as on Windows"),
    "async_select_client": (
        "WSAECONNREFUSED = 10061",
        "WSAECONNREFUSED = 10060",
        "its error is WSAECONNREFUSED",
    ),
    "asyncio_echo": ("WSAEWOULDBLOCK = 10061, 10048, 10035", "WSAEWOULDBLOCK = 10061, 10048, 10036", "would block has"),
    "chat_select": ("option = linger(1, 0)", "option = linger(0, 0)", "guest40 heard"),
    "conditional_accept": (
        "early.port: CF_DEFER",
        "early.port: CF_REJECT",
        "a deferral is error 10061",
    ),
    "echo": ("WSAECONNREFUSED = 10061", "WSAECONNREFUSED = 10060", "another error than WSAECONNREFUSED"),
    "event_select_server": ("number % 4 == 3", "number % 5 == 3", "resets are not told as such"),
    "file_server": ("line.accepts, line.Offset = 0, first", "line.accepts, line.Offset = 0, 0", "bytes, or other ones"),
    "file_transfer": ("zlib.crc32(part)", "zlib.crc32(part) ^ 1", "block 0 arrived damaged"),
    "interfaces": ("WSAEAFNOSUPPORT = 10014", "WSAEAFNOSUPPORT = 10022", "instead of 10014 for a small buffer"),
    "iocp_echo": (
        "told.sin_port == peer.sin_port",
        "told.sin_port != peer.sin_port",
        "GetAcceptExSockaddrs and getpeername differ",
    ),
    "multicast_chat": (
        "ben.listen_to_this_machine(False)",
        "dan.listen_to_this_machine(False)",
        "there is more for Ben",
    ),
    "pending_storm": (
        "if not overlapped.value:",
        "if not overlapped.value or sum(heard.values()) == 7:",
        "the empty port says 995",
    ),
    "port_scanner": ("(POLLERR | POLLHUP) == POLLERR", "(POLLERR | POLLHUP) != POLLERR", "a refused connect has 0x"),
    "registered_echo": (
        "result.BytesTransferred != self.sizes[slot]",
        "result.BytesTransferred == self.sizes[slot]",
        "sent other than received",
    ),
    "routine_download": ("record.InternalHigh == moved", "record.InternalHigh > moved", "differ in the bytes moved"),
    "socket_pool": (
        "ERROR_CONNECTION_REFUSED = 997, 1225",
        "ERROR_CONNECTION_REFUSED = 997, 1226",
        "a refused ConnectEx has failed with 1225",
    ),
    "udp_dead_server": (
        "set_connreset(client, False)",
        "set_connreset(client, True)",
        "error 10054 instead of 10060",
    ),
    "urgent": ("== INTERRUPT * 3 + QUIT", "== INTERRUPT * 2 + QUIT", "a signal is missing"),
    "unix_sockets": ("answer == MESSAGE[::-1]", "answer == MESSAGE", "the client has ended with 1"),
}

programs = pytest.mark.parametrize("program", sorted(PROGRAMS.glob("*.py")), ids=lambda program: program.stem)


def run(program: Path, *options: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program under the emulator; warnings, such as one about a socket left open, are errors."""
    return python("-m", "winsock2emu", "run", *options, str(program), cwd=cwd)


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        check=False,
        cwd=cwd,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        timeout=SECONDS,
    )


def shows(output: str, patterns: list[str]) -> None:
    """All patterns have their lines, in order."""
    lines = iter(output.splitlines())
    for pattern in patterns:
        assert any(re.fullmatch(pattern, line) for line in lines), f"no line (any more) like {pattern}:\n{output}"


def test_every_program_is_known_here() -> None:
    assert {program.stem for program in PROGRAMS.glob("*.py")} == SHOWN.keys() == SPOILT.keys()


@programs
def test_program_finds_everything_as_on_windows(program: Path, tmp_path: Path) -> None:
    ended = run(program, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    shows(ended.stdout, SHOWN[program.stem])


@pytest.mark.skipif(sys.platform != "win32", reason="the real ws2_32.dll is on Windows only")
@programs
def test_program_agrees_with_windows_itself(program: Path, tmp_path: Path) -> None:
    ended = python(str(program), cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    shows(ended.stdout, SHOWN[program.stem])


@programs
def test_program_notices_what_is_not_as_on_windows(program: Path, tmp_path: Path) -> None:
    """The same program with one line spoilt: it must fail, say why, and end."""
    good, bad, complaint = SPOILT[program.stem]
    source = program.read_text(encoding="utf-8")
    assert source.count(good) == 1
    spoilt = tmp_path / program.name
    spoilt.write_text(source.replace(good, bad), encoding="utf-8")
    ended = run(spoilt, cwd=tmp_path)
    assert ended.returncode == 1, ended.stdout
    assert complaint in ended.stderr


@programs
def test_program_needs_the_standard_library_only(program: Path) -> None:
    """No program imports winsock2emu, so that it is the same program on Windows."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(program.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
    assert imported <= sys.stdlib_module_names
    # One or the other: importing socket would call WSAStartup behind the back of a program that does it by itself.
    assert ("ctypes" in imported) != ("socket" in imported)


def test_trace_prints_the_calls_with_results_and_errors(tmp_path: Path) -> None:
    """The program's own output stays what it was."""
    ended = run(PROGRAMS / "echo.py", "--trace", cwd=tmp_path)
    assert ended.returncode == 0
    shows(ended.stdout, SHOWN["echo"])
    for call in (
        r"WSAStartup\(.*\) = .*",
        r"socket\(2, 1, 6\) = \d+.*",
        r"bind\(\d+, .*\).*",
        r"listen\(\d+, 5\).*",
        r"accept\(\d+.*\) = .*",
        r"connect\(\d+, .*\).*10061.*",
        r"send\(\d+, b'Hello, Winsock!', 0\) = 15.*",
        r"recv\(\d+, .*\) = 15.*",
        r"shutdown\(\d+, 1\).*",
        r"closesocket\(\d+\).*",
        r"WSACleanup\(\).*",
    ):
        assert re.search(rf"^(.*\W)?{call}$", ended.stderr, re.MULTILINE), f"{call}:\n{ended.stderr}"


# --------------------------------------------------------------------------- win_inet_pton, as it comes from PyPI

OLD_PYTHON = """\
import socket

del socket.inet_pton, socket.inet_ntop  # as Python 2 was on Windows, for which the package was made

import win_inet_pton

assert socket.inet_pton.__module__ == socket.inet_ntop.__module__ == "win_inet_pton"


def show(call, *arguments):
    try:
        print(call(*arguments))
    except (OSError, TypeError, ValueError) as failure:
        print(type(failure).__name__, failure, getattr(failure, "errno", None))


AF_INET, AF_INET6 = socket.AF_INET, socket.AF_INET6
"""


@pytest.fixture
def win_inet_pton() -> None:
    pytest.importorskip("win_inet_pton", reason="win_inet_pton comes with the extra [dev]")
    assert importlib.metadata.version("win_inet_pton") == "1.1.0"


def show(statements: str, tmp_path: Path) -> list[str]:
    """What a program prints that has the package instead of Python's own functions."""
    program = tmp_path / "old_python.py"
    program.write_text(OLD_PYTHON + statements, encoding="utf-8")
    ended = run(program, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    return ended.stdout.splitlines()


@pytest.mark.usefixtures("win_inet_pton")
def test_win_inet_pton_leaves_a_socket_module_alone_that_has_the_functions(tmp_path: Path) -> None:
    program = tmp_path / "new_python.py"
    program.write_text(
        "import os, socket, sys\n"
        "before = socket.inet_pton\n"
        "import win_inet_pton\n"
        "print(os.name, sys.platform, socket.inet_pton is before, hasattr(win_inet_pton.socket, 'inet_ntop'))\n",
        encoding="utf-8",
    )
    ended = run(program, cwd=tmp_path)
    assert (ended.stdout, ended.stderr) == ("nt win32 True True\n", "")


@pytest.mark.usefixtures("win_inet_pton")
@pytest.mark.parametrize(
    ("family", "text", "packed", "written"),
    [
        ("AF_INET", "0.0.0.0", "00000000", "0.0.0.0"),
        ("AF_INET", "127.0.0.1", "7f000001", "127.0.0.1"),
        ("AF_INET", "255.255.255.255", "ffffffff", "255.255.255.255"),
        ("AF_INET6", "::", "00" * 16, "::"),
        ("AF_INET6", "::1", "00" * 15 + "01", "::1"),
        ("AF_INET6", "2001:DB8::1:0:0:1", "20010db8000000000001000000000001", "2001:db8::1:0:0:1"),
        ("AF_INET6", "1:2:3:4:5:6:7:8", "00010002000300040005000600070008", "1:2:3:4:5:6:7:8"),
        ("AF_INET6", "::ffff:192.0.2.1", "00000000000000000000ffffc0000201", "::ffff:192.0.2.1"),
        (
            "AF_INET6",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "ff" * 16,
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
    ],
)
def test_win_inet_pton_converts_both_ways(family: str, text: str, packed: str, written: str, tmp_path: Path) -> None:
    shown = show(
        f"show(lambda: socket.inet_pton({family}, {text!r}).hex())\n"
        f"show(socket.inet_ntop, {family}, bytes.fromhex({packed!r}))\n",
        tmp_path,
    )
    assert shown == [packed, written]


@pytest.mark.usefixtures("win_inet_pton")
def test_win_inet_pton_reports_errors(tmp_path: Path) -> None:
    """Its own checks, and the two results by which InetPtonW refuses: 0, and -1 with WSAEFAULT."""
    bad = "illegal IP address string passed to inet_pton"
    expected = {
        "show(socket.inet_pton, AF_INET, '127.1')": f"OSError {bad} None",
        "show(socket.inet_pton, AF_INET, '1.2.3.256')": f"OSError {bad} None",
        "show(socket.inet_pton, AF_INET, '::1')": f"OSError {bad} None",
        "show(socket.inet_pton, AF_INET6, '127.0.0.1')": f"OSError {bad} None",
        "show(socket.inet_pton, AF_INET6, '1::2::3')": f"OSError {bad} None",
        "show(socket.inet_pton, AF_INET, None)": "OSError bad address 10014",
        "show(socket.inet_pton, AF_INET, b'127.0.0.1')": "TypeError inet_pton() argument 2 must be str, not bytes None",
        "show(socket.inet_pton, 99, '127.0.0.1')": "OSError unknown address family None",
        "show(socket.inet_ntop, AF_INET, bytes(5))": "ValueError packed IP wrong length for inet_ntop None",
        "show(socket.inet_ntop, AF_INET6, bytes(4))": "ValueError packed IP wrong length for inet_ntop None",
        "show(socket.inet_ntop, 99, bytes(4))": "ValueError unknown address family None",
    }
    shown = show("\n".join(expected), tmp_path)
    assert dict(zip(expected, shown, strict=True)) == expected


# ------------------------------------------------------------------------------------ Twisted, as it comes from PyPI


def test_twisted_finds_the_link_local_addresses_through_wsaioctl(tmp_path: Path) -> None:
    """A helper of its tests: WSASocketW, SIO_ADDRESS_LIST_QUERY and WSAAddressToStringW, all through ctypes."""
    pytest.importorskip("twisted", reason="Twisted is not installed")
    program = tmp_path / "addresses.py"
    program.write_text(
        "import warnings\n"
        "warnings.simplefilter('ignore', ResourceWarning)  # it leaves its socket open\n"
        "from twisted.internet.test._win32ifaces import win32GetLinkLocalIPv6Addresses\n"
        "print(*win32GetLinkLocalIPv6Addresses(), sep='\\n')\n",
        encoding="utf-8",
    )
    ended = run(program, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(re.fullmatch(r"fe80::[0-9a-f:]+%\d+", line) for line in ended.stdout.split())


IOCP_ECHO = """\
import warnings

warnings.simplefilter("ignore")  # about pyOpenSSL, without which there is no TLS
from twisted.internet import iocpreactor

iocpreactor.install()
from twisted.internet import protocol, reactor


class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


class Client(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")

    def dataReceived(self, data):
        print(data)
        self.transport.loseConnection()

    def connectionLost(self, reason):
        print(reason.type.__name__)
        reactor.connectTCP("127.0.0.1", unused, Refused())


class Refused(protocol.ClientFactory):
    def clientConnectionFailed(self, connector, reason):
        print(reason.type.__name__, reason.value.osError)
        reactor.stop()


port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
other = reactor.listenTCP(0, protocol.Factory(), interface="127.0.0.1")
unused = other.getHost().port
other.stopListening()
reactor.connectTCP("127.0.0.1", port.getHost().port, protocol.ClientFactory.forProtocol(Client))
reactor.run()
print(type(reactor).__name__)
"""


def test_twisted_runs_on_its_completion_port_reactor(tmp_path: Path) -> None:
    """tcp.py of the reactor makes WSAECONNREFUSED of the system's 1225."""
    pytest.importorskip("twisted", reason="Twisted is not installed")
    program = tmp_path / "echo.py"
    program.write_text(IOCP_ECHO, encoding="utf-8")
    ended = run(program, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split() == ["b'hello'", "ConnectionDone", "ConnectionRefusedError", "10061", "IOCPReactor"]
