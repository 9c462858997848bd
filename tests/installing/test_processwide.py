"""install() and uninstall(), in interpreters of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Prints = Callable[[str], list[str]]

# Everything that programs name, with the modules that somebody may have imported before.
HOST = """\
import asyncio, asyncio.sslproto, builtins, ctypes, ctypes.util, ctypes.wintypes, errno, http.client, logging.handlers
import os, select, selectors, signal, socket, socketserver, ssl, subprocess, sys, urllib.request, _socket

def state():
    return {name: dict(vars(module)) for name, module in list(sys.modules.items()) if module is not None}

def differences(before, after):
    found = []
    for name in before:
        one, other = before[name], after.get(name, {})
        if name.partition(".")[0] not in ("__main__", "__mp_main__", "winsock2emu"):
            found += [f"{name}.{at}" for at in one.keys() | other.keys() if one.get(at, 0) is not other.get(at, 0)]
    return sorted(found)
"""


def test_everything_is_found_again_as_it_was(prints: Prints) -> None:
    """Module by module and name by name; errno's table by number, too. Used meanwhile, modules come and go."""
    assert (
        prints(
            HOST
            + """
from winsock2emu import install, uninstall
modules, names, codes = dict(sys.modules), state(), dict(errno.errorcode)
for _ in range(2):
    install()
    import ftplib, msvcrt, socketserver as anew, win32file, xmlrpc.client
    print(len(differences(names, state())) > 100, anew is not socketserver, errno.errorcode != codes)
    uninstall()
    print(differences(names, state()), errno.errorcode == codes)
    print([name for name in modules if sys.modules.get(name) is not modules[name]])
    print([name for name in ("ftplib", "msvcrt", "win32file", "xmlrpc.client") if name in sys.modules])
"""
        )
        == ["True True True", "[] True", "[]", "[]"] * 2
    )


def test_the_modules_have_windows_names_and_then_not(prints: Prints) -> None:
    assert prints(
        """
        import sys, winsock2emu
        names = "_overlapped _winapi msvcrt pywintypes win32event win32file winerror".split()
        print([name for name in names if name in sys.modules])
        winsock2emu.install()
        import _overlapped, _socket, _winapi, msvcrt, select, selectors, socket, ssl, winerror
        from twisted_iocpsupport.iocpsupport import CompletionPort
        from winsock2emu import compat
        print(all(sys.modules[name].__name__.startswith("winsock2emu.compat.") for name in names))
        print(socket is compat.socket, select is compat.select, selectors is compat.selectors, ssl is compat.ssl)
        print(issubclass(socket.socket, _socket.socket), hasattr(socket, "AF_UNIX"), CompletionPort.__name__)
        winsock2emu.uninstall()
        print([name for name in (*names, "twisted_iocpsupport") if name in sys.modules])
        import socket
        print(socket is compat.socket, hasattr(socket, "sethostname"))
        """
    ) == ["[]", "True", "True True True True", "True False CompletionPort", "[]", "False True"]


def test_doing_it_twice_changes_nothing_and_a_block_ends_it(prints: Prints) -> None:
    assert prints(
        """
        import builtins, sys, winsock2emu
        installed = lambda: "msvcrt" in sys.modules and hasattr(builtins, "WindowsError")
        winsock2emu.uninstall()
        print(installed())
        with winsock2emu.install():
            with winsock2emu.install():
                print(installed())
            print(installed())
        print(installed())
        winsock2emu.install()
        winsock2emu.install()
        winsock2emu.uninstall()
        print(installed())
        """
    ) == ["False", "True", "True", "False", "False"]


def test_ctypes_has_windows_names_for_those_who_have_it_and_its_sizes_for_those_who_come(prints: Prints) -> None:
    assert prints(
        """
        import ctypes, ctypes.wintypes, winsock2emu
        early = ctypes
        winsock2emu.install()
        print(early.sizeof(early.wintypes.DWORD), early.FormatError(10061)[:24], early.WinError(5).winerror)
        print(early.WinDLL("ws2_32", use_last_error=True).closesocket(1), early.get_last_error())
        print(early.windll.ws2_32 is early.windll.ws2_32, early.sizeof(early.HRESULT), early.WINFUNCTYPE(None))
        import ctypes
        from ctypes import wintypes
        class GUID(ctypes.Structure):
            _fields_ = [("a", ctypes.c_ulong), ("b", ctypes.c_ushort * 2), ("d", ctypes.c_ubyte * 8)]
        print(ctypes.sizeof(GUID), ctypes.sizeof(wintypes.DWORD), ctypes.sizeof(ctypes.c_wchar))
        print(ctypes.windll is early.windll, wintypes.DWORD is early.wintypes.DWORD)
        """
    ) == [
        "4 No connection could be m 5",
        "-1 10038",
        "True 4 <class 'winsock2emu.capi.functions.WinFunctionType'>",
        "16 4 2",
        "True True",
    ]


def test_errno_has_winsocks_names_for_those_who_have_it_and_its_numbers_for_those_who_come(prints: Prints) -> None:
    assert prints(
        """
        import errno, winsock2emu
        early, host = errno, errno.ECONNREFUSED
        winsock2emu.install()
        import errno
        print(early.WSAECONNREFUSED, early.errorcode[10061], early.ECONNREFUSED == host)
        print(errno.ECONNREFUSED, errno.ENOENT, WindowsError is OSError)
        """
    ) == ["10061 WSAECONNREFUSED True", "10061 2 True"]


def test_the_librarys_network_modules_use_windows_sockets(prints: Prints) -> None:
    assert prints(
        """
        import http.client
        early = http.client
        import threading, winsock2emu
        winsock2emu.install()
        import errno, http.client, http.server, socket, urllib.error, urllib.request
        print(http.client is not early, http.client.socket is socket, early.socket is not socket)
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"hello")
            def log_message(self, *_):
                pass
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever).start()
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
                print(answer.read(), isinstance(server.socket, socket.socket))
            server.shutdown()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/")
        except urllib.error.URLError as failure:
            print(failure.reason.errno == errno.ECONNREFUSED, failure.reason)
        winsock2emu.uninstall()
        import http.client
        print(http.client is early)
        """
    ) == [
        "True True True",
        "b'hello' True",
        "True [WinError 10061] No connection could be made because the target machine actively refused it",
        "True",
    ]


def test_processes_and_files_of_the_library_stay_the_hosts(prints: Prints) -> None:
    assert prints(
        """
        import winsock2emu
        winsock2emu.install()
        import multiprocessing.connection, os, shutil, subprocess, sys, tempfile
        print(subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True).stdout, subprocess._mswindows)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file")
            shutil.copy(os.__file__, path)
            print(os.path.getsize(path) == os.path.getsize(os.__file__))
        here, there = multiprocessing.connection.Pipe()
        here.send("hello")
        print(there.recv(), sys.platform == "win32", os.name)
        here.close()
        there.close()
        """
    ) == ["b'1\\n' False", "True", "hello False posix"]


def test_the_emulator_does_not_run_on_itself(prints: Prints) -> None:
    """All of it is imported before its own modules stand under the host's names, whatever is used later."""
    assert prints(
        """
        import sys, winsock2emu
        winsock2emu.install()
        before = set(sys.modules)
        import asyncio, select, socket, win32file
        from ctypes import windll
        async def main():
            server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            print(await reader.read())
            writer.close()
            await writer.wait_closed()
            server.close()
            await server.wait_closed()
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(2)", stdout=-1)
            print((await process.communicate())[0])
        asyncio.run(main())
        socket.getaddrinfo("localhost", 80)
        with socket.socket(type=socket.SOCK_DGRAM) as datagram:
            select.select([], [datagram], [], 1)
        windll.kernel32.CreateFileW, windll.user32.GetMessageW, windll.mswsock.AcceptEx, windll.ntdll.NtReadFile
        late = {name for name in set(sys.modules) - before if name.startswith("winsock2emu.")}
        print([name for name in late if {"select", "selectors", "socket", "ssl"} & vars(sys.modules[name]).keys()])
        """
    ) == ["b''", "b'2\\n'", "[]"]


def test_what_fails_half_way_leaves_nothing_behind(prints: Prints) -> None:
    assert prints(
        HOST
        + """
from winsock2emu.installing import asynciopackage, processwide
before = state()
show_windows = asynciopackage.show_windows

def broken(changes):
    show_windows(changes)
    raise KeyboardInterrupt

asynciopackage.show_windows = broken
try:
    processwide.install()
except KeyboardInterrupt:
    print(differences(before, state()))
asynciopackage.show_windows = show_windows
processwide.install()
print(sys.modules["socket"] is not socket)
"""
    ) == ["[]", "True"]


@pytest.mark.parametrize("statement", ["import socket", "import asyncio", "import ctypes", "import select, ssl"])
def test_a_program_may_have_imported_first(prints: Prints, statement: str) -> None:
    assert prints(
        f"""
        {statement}
        import winsock2emu
        winsock2emu.install()
        import asyncio, ctypes, select, socket
        async def main():
            await asyncio.sleep(0)
        asyncio.run(main())
        print(ctypes.windll.kernel32.GetCurrentProcessId() > 0, socket.SO_EXCLUSIVEADDRUSE)
        winsock2emu.uninstall()
        """
    ) == ["True -5"]
