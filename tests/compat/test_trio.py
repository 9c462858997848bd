"""trio's own I/O manager for Windows on the emulator. Each program has an interpreter of its own: it has one trio."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from typing import Final

import pytest

PATIENCE_S: Final = 50

pytestmark = [
    pytest.mark.skipif(not find_spec("trio"), reason="needs trio"),
    pytest.mark.skipif(not find_spec("cffi"), reason="trio needs cffi on Windows"),
    pytest.mark.skipif(os.name != "posix", reason="Windows has the original"),
]


def run(program: str) -> str:
    """What a program prints; every warning is an error."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout.strip()


def test_the_module_is_trio_with_windows_io_manager() -> None:
    said = run(
        """
        from winsock2emu.compat import socket, trio
        import trio as imported
        from winsock2emu.compat import trio as again
        assert trio is imported is again
        from trio._core._windows_cffi import ffi
        assert ffi.sizeof("DWORD") == 4 and ffi.sizeof("OVERLAPPED") == 32 and ffi.sizeof("AFD_POLL_INFO") == 32

        async def main():
            a, b = trio.socket.socketpair()
            assert isinstance(a._sock, socket.socket) and a.family == trio.socket.AF_INET
            print(trio.lowlevel.current_statistics().io_statistics.backend)
            a.close(), b.close()

        trio.run(main)
        """
    )
    assert said == "windows"


def test_a_trio_that_is_there_already_is_left_alone() -> None:
    said = run(
        """
        import sys, trio
        before = dict(sys.modules)
        try:
            import winsock2emu.compat.trio
        except ImportError as failure:
            print(failure)
        assert all(sys.modules.get(name) is module for name, module in before.items())

        async def main():
            return trio.lowlevel.current_statistics().io_statistics.backend

        assert trio.run(main) != "windows"
        """
    )
    assert "trio has been imported for this host already" in said


def test_fifty_clients_of_an_echo_server_get_everything_back() -> None:
    run(
        """
        from winsock2emu.compat import trio

        async def echo(stream):
            async for data in stream:
                await stream.send_all(data)

        async def client(port, number):
            sent = b"%d." % number * 20_000
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream, trio.open_nursery() as nursery:
                async def send():
                    await stream.send_all(sent)
                    await stream.send_eof()
                nursery.start_soon(send)
                got = b"".join([data async for data in stream])
            assert got == sent

        async def main():
            with trio.fail_after(40):
                async with trio.open_nursery() as server:
                    listeners = await server.start(trio.serve_tcp, echo, 0)
                    port = listeners[0].socket.getsockname()[1]
                    async with trio.open_nursery() as clients:
                        for number in range(50):
                            clients.start_soon(client, port, number)
                    server.cancel_scope.cancel()

        trio.run(main)
        """
    )


def test_waits_end_by_time_out_by_cancelling_and_by_closing() -> None:
    run(
        """
        from winsock2emu.compat import trio

        async def expect_closed(sock):
            try:
                await sock.recv(1)
            except trio.ClosedResourceError:
                return
            raise AssertionError

        async def main():
            a, b = trio.socket.socketpair()
            with trio.move_on_after(0.02) as scope:
                await a.recv(1)
            assert scope.cancelled_caught
            await b.send(b"x")
            assert await a.recv(1) == b"x"  # what was cancelled has taken nothing
            async with trio.open_nursery() as nursery:
                nursery.start_soon(a.recv, 1)
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
            with trio.fail_after(20):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(expect_closed, a)
                    await trio.testing.wait_all_tasks_blocked()
                    a.close()
                assert await b.recv(1) == b""
            b.close()

        import trio.testing
        trio.run(main)
        """
    )


def test_a_refused_connection_has_windows_number() -> None:
    said = run(
        """
        from winsock2emu.compat import trio

        async def main():
            with trio.socket.socket() as unused:
                await unused.bind(("127.0.0.1", 0))
                name = unused.getsockname()
            with trio.socket.socket() as sock:
                try:
                    await sock.connect(name)
                except OSError as failure:
                    print(failure.errno)

        trio.run(main)
        """
    )
    assert said == "10061"


def test_threads_wake_the_loop() -> None:
    run(
        """
        from winsock2emu.compat import trio

        def in_thread():
            return trio.from_thread.run(trio.sleep, 0), trio.from_thread.run_sync(lambda: 5)

        async def main():
            with trio.fail_after(20):
                assert await trio.to_thread.run_sync(in_thread) == (None, 5)

        trio.run(main)
        """
    )


def test_an_interrupt_ends_the_run() -> None:
    run(
        """
        import os, signal, threading
        from winsock2emu.compat import trio

        async def main():
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            with trio.fail_after(20):
                await trio.sleep_forever()

        try:
            trio.run(main)
        except BaseException as failure:
            while isinstance(failure, BaseExceptionGroup):
                failure, = failure.exceptions
            assert type(failure) is KeyboardInterrupt, failure
        else:
            raise AssertionError
        """
    )


def test_what_a_child_process_prints_comes_through_a_named_pipe() -> None:
    run(
        """
        import sys
        from winsock2emu.compat import trio

        async def main():
            command = [sys.executable, "-c", "print(input()[::-1])"]
            ended = await trio.run_process(command, stdin=b"abc", capture_stdout=True)
            assert (ended.returncode, ended.stdout.strip()) == (0, b"cba")

        trio.run(main)
        """
    )


def test_a_descriptor_that_is_no_socket_is_refused() -> None:
    said = run(
        """
        import os
        from winsock2emu.compat import trio

        async def main():
            ends = os.pipe()
            try:
                await trio.lowlevel.wait_readable(ends[0])
            except OSError as failure:
                print(failure.winerror)
            for end in ends:
                os.close(end)

        trio.run(main)
        """
    )
    assert said == "10038"


def test_memory_that_a_pending_request_writes_to_is_kept() -> None:
    """Or the emulator would write into memory that is used otherwise by then."""
    run(
        """
        import gc
        from winsock2emu.compat import _trio, socket, trio
        from trio._core._windows_cffi import ffi, kernel32
        from trio._core._io_windows import _afd_helper_handle

        device = _afd_helper_handle()
        a, b = socket.socketpair()
        def poll():
            info = ffi.new("AFD_POLL_INFO *")
            info.Timeout, info.NumberOfHandles = 2**63 - 1, 1
            info.Handles[0].Handle, info.Handles[0].Events = ffi.cast("HANDLE", a.fileno()), 1
            overlapped = ffi.new("LPOVERLAPPED")
            size = ffi.sizeof("AFD_POLL_INFO")
            assert not kernel32.DeviceIoControl(device, 0x12024, info, size, info, size, ffi.NULL, overlapped)
            assert ffi.getwinerror() == (997, "Overlapped I/O operation is in progress"), ffi.getwinerror()
            return int(ffi.cast("uintptr_t", overlapped))
        address = poll()
        gc.collect()
        assert address in _trio._kept
        b.send(b"x")
        while _trio.pends(address):
            pass
        a.close(), b.close(), kernel32.CloseHandle(device)
        """
    )
