"""Sockets, asyncio and Windows' own modules under ``winsock2emu run``, and who goes on with the host's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.conftest import Runner
from winsock2emu.cli.masks.views import Viewer, viewer

Prints = Callable[[str], list[str]]
Write = Callable[[str, str], Path]


@pytest.mark.parametrize(
    "statement",
    [
        *("import msvcrt", "import _winapi", "import _overlapped", "from _overlapped import Overlapped"),
        *("import pywintypes", "import win32event", "import win32file", "from win32file import AcceptEx"),
        *("import winerror", "import twisted_iocpsupport.iocpsupport", "from twisted_iocpsupport import iocpsupport"),
        *("from twisted_iocpsupport.iocpsupport import CompletionPort", "import asyncio.windows_events"),
        *("from asyncio.windows_utils import pipe", "from asyncio import ProactorEventLoop"),
        *("__import__('msvcrt')", "import importlib; importlib.import_module('win32file')"),
        "import importlib; importlib.import_module('twisted_iocpsupport.iocpsupport').CompletionPort",
        "import importlib; importlib.import_module('asyncio.windows_events').IocpProactor",
        "import importlib.util; assert all(map(importlib.util.find_spec, ('msvcrt', 'socket', 'win32file')))",
        "import socket; assert importlib.import_module('socket') is socket is __import__('socket')",
    ],
)
def test_windows_modules_can_be_imported_in_every_way(prints: Prints, statement: str) -> None:
    assert prints(f"import importlib\n{statement}\nprint('there')") == ["there"]


def test_there_is_one_socket_class_for_the_program_and_the_library(prints: Prints) -> None:
    assert prints(
        """
        import asyncio.base_events, ftplib, http.client, pickle, select, socket, socketserver, ssl, sys, urllib.request
        from socket import socket as cls, timeout
        print({module.socket for module in (asyncio.base_events, ftplib, http.client, socketserver)} == {socket})
        print(sys.modules["socket"] is socket, sys.modules["select"] is select, sys.modules["ssl"] is ssl)
        print(issubclass(ssl.SSLSocket, cls), timeout is TimeoutError, issubclass(socket.gaierror, OSError))
        print(pickle.loads(pickle.dumps(socket.AF_INET6)) is socket.AF_INET6, int(socket.AF_INET6))
        print(socket.SO_EXCLUSIVEADDRUSE, hasattr(socket, "AF_UNIX"), hasattr(cls, "sendmsg"), hasattr(select, "poll"))
        """
    ) == ["True", "True True True", "True True True", "True 23", "-5 False False False"]


def test_servers_of_the_library_run_on_windows_sockets(prints: Prints) -> None:
    assert prints(
        """
        import errno, http.server, socket, socketserver, threading, urllib.error, urllib.request, xmlrpc.client
        from xmlrpc.server import SimpleXMLRPCServer
        class Upper(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(self.rfile.readline().upper())
        print(hasattr(socketserver, "ForkingMixIn"), hasattr(socketserver, "UnixStreamServer"))
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Upper) as server:
            threading.Thread(target=server.serve_forever).start()
            with socket.create_connection(server.server_address) as client:
                client.sendall(b"hello\\n")
                print(client.recv(100), type(server.socket) is type(client) is socket.socket)
            server.shutdown()
        with SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
            server.register_function(pow)
            threading.Thread(target=server.serve_forever).start()
            address = "http://127.0.0.1:%d/" % server.server_address[1]
            with xmlrpc.client.ServerProxy(address) as proxy:
                print(proxy.pow(2, 10))
            server.shutdown()
        try:
            urllib.request.urlopen(address)
        except urllib.error.URLError as failure:
            print(failure.reason.errno == errno.ECONNREFUSED, failure.reason.winerror)
        """
    ) == ["False False", "b'HELLO' True".replace("'HELLO'", r"'HELLO\n'"), "1024", "True 10061"]


def test_asyncio_runs_on_the_proactor_with_processes_pipes_and_tls_contexts(prints: Prints) -> None:
    assert prints(
        """
        import asyncio, socket, ssl, sys
        async def main():
            loop = asyncio.get_running_loop()
            print(type(loop) is asyncio.ProactorEventLoop, hasattr(asyncio, "SafeChildWatcher"))
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(input())", stdin=-1, stdout=-1)
            print((await process.communicate(b"through a pipe"))[0].strip())
            try:
                await asyncio.open_connection("127.0.0.1", unused, ssl=ssl.create_default_context())
            except ConnectionRefusedError as failure:
                print(failure)
        with socket.create_server(("127.0.0.1", 0)) as server:
            unused = server.getsockname()[1]
        asyncio.run(main())
        """
    ) == ["True False", "b'through a pipe'", "[WinError 1225] The remote computer refused the network connection"]


def test_asyncio_that_is_imported_by_the_library_first_is_the_same(prints: Prints) -> None:
    assert prints(
        """
        import unittest
        class Test(unittest.IsolatedAsyncioTestCase):
            async def test(self):
                import asyncio
                print(type(asyncio.get_running_loop()).__name__)
        result = unittest.TestResult()
        Test("test").run(result)
        print(result.errors)
        """
    ) == ["ProactorEventLoop", "[]"]


def test_processes_and_their_pipes_are_the_hosts(prints: Prints) -> None:
    """subprocess waits for pipes with select, which Windows' cannot; multiprocessing passes descriptors."""
    assert prints(
        """
        import msvcrt, select, selectors, socket
        import multiprocessing.connection, subprocess, sys
        done = subprocess.run([sys.executable, "-c", "print(input())"], input=b"hello", capture_output=True)
        print(done.stdout.strip(), subprocess.selectors is selectors, multiprocessing.connection.socket is socket)
        here, there = multiprocessing.connection.Pipe()
        here.send([1])
        print(multiprocessing.connection.wait([there], 5) == [there], there.recv())
        """
    ) == ["b'hello' False False", "True [1]"]


def test_a_mock_finds_the_programs_module(prints: Prints) -> None:
    """unittest.mock imports what it patches by name, from the library."""
    assert prints(
        """
        import socket
        from unittest import mock
        with mock.patch("socket.gethostname", return_value="mocked"):
            print(socket.gethostname())
        """
    ) == ["mocked"]


def test_importing_socket_is_a_wsastartup_as_on_windows(prints: Prints) -> None:
    """Programs that import both call Winsock through ctypes without a WSAStartup of their own."""
    assert prints(
        """
        import ctypes
        WSAGetLastError = ctypes.windll.ws2_32.WSAGetLastError
        ctypes.windll.ws2_32.closesocket(1)
        print(WSAGetLastError())
        import socket
        ctypes.windll.ws2_32.closesocket(1)
        print(WSAGetLastError())
        """
    ) == ["10093", "10038"]


def test_a_package_with_the_hosts_view_has_the_hosts_sockets(emulated: Runner, write: Write) -> None:
    write("site-packages/chosen/__init__.py", "import socket\nview = socket")
    write(
        "program.py",
        """
        import sys
        sys.path.insert(0, "site-packages")
        import socket
        import chosen
        print(chosen.view is socket, hasattr(chosen.view, "SO_REUSEPORT"), hasattr(socket, "SO_REUSEPORT"))
        """,
    )

    assert emulated("program.py").stdout == "True False False\n"
    assert emulated("--host-view", "chosen", "program.py").stdout == "False True False\n"


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        *(("json", Viewer.LIBRARY), ("unittest.mock", Viewer.LIBRARY), ("http.client", Viewer.NETWORK)),
        *(("asyncio.base_events", Viewer.NETWORK), ("subprocess", Viewer.HOST), ("selectors", Viewer.HOST)),
        *(("multiprocessing.connection", Viewer.HOST), ("concurrent.futures", Viewer.HOST)),
        *(("socketserver", Viewer.PROGRAM), ("winsock2emu.process", Viewer.HOST), ("attr", Viewer.HOST)),
    ],
)
def test_who_imports(module: str, expected: Viewer) -> None:
    __import__(module)

    assert viewer(vars(sys.modules[module])) is expected


def test_the_masks_come_off_again(python: Runner) -> None:
    """In a process of its own, where some of the modules have been imported before, others meanwhile."""
    outcome = python(
        "-c",
        """
import asyncio, asyncio.proactor_events, http.client, select, socket, ssl, sys
from winsock2emu.cli import masks

def state():
    names = ("asyncio", "http.client", "select", "socket", "ssl", "socketserver", "asyncio.windows_events", "msvcrt")
    return {name: sys.modules.get(name) for name in names}

before, package = state(), dict(vars(asyncio))
masks.install()
exec("import asyncio, http.client, msvcrt, select, socket, socketserver, ssl; asyncio.run(asyncio.sleep(0))", {})
print([name for name, module in state().items() if module is before[name]])
masks.uninstall()
print(state() == before, dict(vars(asyncio)) == package)
exec("import socketserver; print(socketserver.socket is socket)", {"socket": socket})
asyncio.run(asyncio.sleep(0))
""",
    )

    assert (outcome.stderr, outcome.stdout) == ("", "['asyncio', 'msvcrt']\nTrue True\nTrue\n")


@pytest.mark.skipif(not find_spec("trio") or not find_spec("cffi"), reason="needs trio, and cffi for it")
def test_trio_and_what_imports_it_are_windows(prints: Prints) -> None:
    assert prints(
        """
        import hypothesis, sys, trio

        async def main():
            return trio.lowlevel.current_statistics().io_statistics.backend

        print(trio.run(main), sys.platform)
        """
    ) == ["windows win32"]
