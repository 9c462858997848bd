"""CPython's own proactor loop on the emulator."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from winsock2emu import aio
from winsock2emu.aio._loading import windows_modules
from winsock2emu.compat import socket as windows_socket
from winsock2emu.compat._adopt import AdoptedSocket, EmulatedSocket
from winsock2emu.process import Process, current_process

T = TypeVar("T")
LOOPBACK = "127.0.0.1"


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process
        assert process.sockets() == []
        while process.startup_count:
            process.cleanup()


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine on a new proactor loop, in debug mode; it has to end without a complaint."""
    complaints: list[Any] = []

    async def watched() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        return await asyncio.wait_for(main(), 20)

    with asyncio.Runner(loop_factory=aio.ProactorEventLoop, debug=True) as runner:
        result = runner.run(watched())
    assert complaints == []
    return result


def test_the_modules_are_cpythons_and_nothing_else_has_changed() -> None:
    library = Path(asyncio.__file__).parent
    modules = windows_modules()
    assert modules["windows_events"] is aio.windows_events
    for name, module in modules.items():
        assert Path(module.__file__ or "") == library / f"{name}.py"
        assert f"asyncio.{name}" not in sys.modules or module is not sys.modules[f"asyncio.{name}"]
    assert issubclass(aio.ProactorEventLoop, modules["proactor_events"].BaseProactorEventLoop)
    assert sys.platform != "win32"
    assert not {"_overlapped", "_winapi", "msvcrt", "asyncio.windows_events"} & set(sys.modules)
    assert not hasattr(asyncio, "ProactorEventLoop")


def test_streams_echo() -> None:
    async def main() -> list[bytes]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(1000):
                writer.write(data)
                await writer.drain()
            writer.close()

        async def ask(number: int) -> bytes:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"%d" % number * 100)
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer

        server = await asyncio.start_server(serve, LOOPBACK, 0)
        address = server.sockets[0].getsockname()
        async with server:
            return await asyncio.gather(*map(ask, range(20)))

    assert run(main) == [b"%d" % number * 100 for number in range(20)]


def test_a_transfer_larger_than_any_buffer() -> None:
    data = bytes(range(256)) * 40_000

    async def main() -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, LOOPBACK, 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            received = await reader.read()
            writer.close()
            await writer.wait_closed()
            return received

    assert run(main) == data


def test_failures_have_the_codes_of_windows() -> None:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        nobody = probe.getsockname()

    async def main() -> tuple[int, int]:
        with pytest.raises(ConnectionRefusedError) as refused:
            await asyncio.open_connection(*nobody)
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair(socket.AF_UNIX)
        here.setblocking(False)
        with here, there:
            receiving = asyncio.ensure_future(loop.sock_recv(here, 10))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            here.close()
            with pytest.raises(ConnectionError) as closed:
                await receiving
        return refused.value.winerror, closed.value.errno or 0  # type: ignore[attr-defined]

    assert run(main) == (1225, 22)


def test_datagrams() -> None:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: Any) -> None:
            self.transport.sendto(data.upper(), address)

    class Ask(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def connection_made(self, transport: Any) -> None:
            transport.sendto(b"question")

        def datagram_received(self, data: bytes, address: Any) -> None:
            self.answer.set_result(data)

    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        served, _ = await loop.create_datagram_endpoint(Echo, local_addr=(LOOPBACK, 0))
        asked, protocol = await loop.create_datagram_endpoint(Ask, remote_addr=served.get_extra_info("sockname"))
        answer = await protocol.answer
        asked.close()
        served.close()
        return answer

    assert run(main) == b"QUESTION"


def test_methods_of_sockets() -> None:
    async def main() -> tuple[bytes, bytes]:
        loop = asyncio.get_running_loop()
        with socket.create_server((LOOPBACK, 0)) as listening, socket.socket() as client:
            for sock in (listening, client):
                sock.setblocking(False)
            accepting = asyncio.ensure_future(loop.sock_accept(listening))
            await loop.sock_connect(client, listening.getsockname())
            accepted, address = await accepting
            with accepted:
                assert address == client.getsockname()
                assert all(isinstance(sock, AdoptedSocket) for sock in (listening, client))
                assert isinstance(accepted, EmulatedSocket)
                await loop.sock_sendall(client, b"ping")
                first = await loop.sock_recv(accepted, 10)
                buffer = bytearray(10)
                await loop.sock_sendall(accepted, b"pong")
                count = await loop.sock_recv_into(client, buffer)
                return first, bytes(buffer[:count])

    assert run(main) == (b"ping", b"pong")


def test_a_file_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"contents" * 10_000)

    async def main() -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with path.open("rb") as file:
                await asyncio.get_running_loop().sendfile(writer.transport, file, 8, 40_000, fallback=False)
            writer.close()

        async with await asyncio.start_server(serve, LOOPBACK, 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            received = await reader.read()
            writer.close()
            await writer.wait_closed()
            return received

    assert run(main) == path.read_bytes()[8:40_008]


def test_a_file_comes_after_what_was_written_before_and_has_not_left_yet(tmp_path: Path) -> None:
    """A send that pends, one that waits for it, and a file; the last send is complete at once when its turn comes."""
    path = tmp_path / "file"
    path.write_bytes(b"contents" * 10_000)
    much, more = b"m" * 8_000_000, b"n" * 10

    async def main() -> bytes:
        written = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(much)
            writer.write(more)
            written.set()
            with path.open("rb") as file:
                await asyncio.get_running_loop().sendfile(writer.transport, file, fallback=False)
            writer.close()

        async with await asyncio.start_server(serve, LOOPBACK, 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            await written.wait()
            received = await reader.read()
            writer.close()
            await writer.wait_closed()
            return received

    assert run(main) == much + more + path.read_bytes()


def test_a_send_that_is_complete_at_once_takes_no_turn_of_the_loop() -> None:
    """The transport has nothing left to write right after the call."""

    async def main() -> tuple[list[object], bytes]:
        loop = asyncio.get_running_loop()
        here, there = windows_socket.socketpair()
        _reader, writer = await asyncio.open_connection(sock=here)
        there.setblocking(False)
        states: list[object] = []
        for data in (b"one ", b"two"):
            writer.write(data)
            transport: Any = writer.transport
            states.append(transport._write_fut)
        received = b""
        while len(received) < 7:
            received += await loop.sock_recv(there, 10)
        writer.close()
        await writer.wait_closed()
        there.close()
        return states, received

    assert run(main) == ([None, None], b"one two")


def test_closing_the_loop_ends_what_pends(process: Process) -> None:
    """Receives and accepts are cancelled, their packets come, and nothing is left."""
    here, there = socket.socketpair()
    for sock in (here, there):
        sock.setblocking(False)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        forgotten = asyncio.ensure_future(loop.sock_recv(here, 10))
        await asyncio.sleep(0)
        forgotten.cancel()

    loop = aio.ProactorEventLoop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    with here, there:
        there.send(b"x")
        assert here.recv(1) == b"x"


def test_wait_for_a_handle() -> None:
    from winsock2emu.compat import overlapped

    async def main() -> tuple[bool, bool]:
        proactor = asyncio.get_running_loop()._proactor  # type: ignore[attr-defined]
        event = overlapped.CreateEvent(None, True, False, None)
        timed_out = await proactor.wait_for_handle(event, 0.01)
        waiting = proactor.wait_for_handle(event)
        overlapped.SetEvent(event)
        return timed_out, await waiting

    assert run(main) == (False, True)


def test_pipes() -> None:
    address = r"\\.\pipe\loops"

    class Upper(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(data.upper())
            self.transport.close()

    async def main() -> bytes:
        loop: Any = asyncio.get_running_loop()
        with pytest.raises(FileNotFoundError):
            await loop.create_pipe_connection(asyncio.Protocol, address)
        [server] = await loop.start_serving_pipe(Upper, address)
        reader = asyncio.StreamReader()
        transport, _ = await loop.create_pipe_connection(lambda: asyncio.StreamReaderProtocol(reader), address)
        transport.write(b"hello")
        answer = await reader.read()
        transport.close()
        server.close()
        return answer

    assert run(main) == b"HELLO"


def test_subprocesses() -> None:
    program = "import sys; data = sys.stdin.read(); print(data.upper(), end=''); sys.exit(7)"

    async def main() -> tuple[bytes, int | None]:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=pipe, stdout=pipe)
        answer, _ = await child.communicate(b"question")
        return answer, child.returncode

    assert run(main) == (b"QUESTION", 7)


def test_the_selector_loop_knows_no_signals_and_no_subprocesses() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(NotImplementedError):
            loop.add_signal_handler(2, lambda: None)
        with pytest.raises(NotImplementedError):
            await asyncio.create_subprocess_exec("true")

    with asyncio.Runner(loop_factory=aio.SelectorEventLoop) as runner:
        runner.run(main())


def test_what_is_complete_at_once_is_told_by_no_packet() -> None:
    async def main() -> tuple[int, int]:
        loop: Any = asyncio.get_running_loop()
        one, other = socket.socketpair()
        with one, other:
            one.setblocking(False)
            other.setblocking(False)
            for number in range(50):
                await loop.sock_sendall(one, b"%d" % number)
                assert await loop.sock_recv(other, 10) == b"%d" % number
            port = current_process().objects[loop._proactor._iocp]
            return len(port.packets), len(loop._proactor._cache)

    packets, pending = run(main)
    assert packets == 0
    assert pending <= 1  # the loop's own receive, where the loop has come to it by then


# The selector loop


def test_the_selector_loop_has_windows_sockets_and_select() -> None:
    async def main() -> tuple[bytes, int]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.read(100)).upper())
            writer.close()

        async with await asyncio.start_server(serve, LOOPBACK, 0) as server:
            address = server.sockets[0].getsockname()
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"question")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
        with pytest.raises(ConnectionRefusedError) as refused:
            await asyncio.open_connection(*address)
        return answer, refused.value.errno or 0

    with asyncio.Runner(loop_factory=aio.SelectorEventLoop) as runner:
        assert runner.run(asyncio.wait_for(main(), 20)) == (b"QUESTION", 10061)


def test_the_selector_loop_knows_the_hosts_sockets() -> None:
    async def main() -> bytes:
        one, other = socket.socketpair()
        with one, other:
            one.setblocking(False)
            receiving = asyncio.ensure_future(asyncio.get_running_loop().sock_recv(one, 10))
            await asyncio.sleep(0)
            other.send(b"data")
            return await receiving

    with asyncio.Runner(loop_factory=aio.SelectorEventLoop) as runner:
        assert runner.run(asyncio.wait_for(main(), 20)) == b"data"


def test_the_selector_loop_waits_for_sockets_only_and_512_of_them() -> None:
    loop = aio.SelectorEventLoop()
    sockets = [windows_socket.socket() for _ in range(512)]
    try:
        for sock in sockets:
            loop.add_reader(sock, lambda: None)
        loop.call_soon(loop.stop)
        with pytest.raises(ValueError, match="too many file descriptors"):
            loop.run_forever()
        for sock in sockets:
            loop.remove_reader(sock)
        reading, writing = os.pipe()
        loop.add_reader(reading, lambda: None)
        loop.call_soon(loop.stop)
        with pytest.raises(OSError) as caught:
            loop.run_forever()
        loop.remove_reader(reading)
        os.close(reading)
        os.close(writing)
        assert getattr(caught.value, "winerror", None) == 10038
        with pytest.raises(NotImplementedError):
            loop.add_signal_handler(2, lambda: None)
    finally:
        loop.close()
        for sock in sockets:
            sock.close()
