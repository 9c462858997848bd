"""CPython's own multiprocessing.connection and subprocess, as on Windows, on our named pipes, processes and waits."""

from __future__ import annotations

import multiprocessing.connection  # the package has to be there  # noqa: F401
import os
import sys
from collections.abc import Callable, Iterator
from contextvars import copy_context
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from tests.concurrency import Call
from winsock2emu.compat import _multiprocessing as face
from winsock2emu.compat import msvcrt, selectors, socket, winapi
from winsock2emu.compat._stdlib import ERRNO, OS, SYS, View, load
from winsock2emu.compat._subprocess import TEMPFILE
from winsock2emu.process import Process

_HOST = import_module("_multiprocessing")
_WINDOWS: dict[str, ModuleType | None] = {
    "_multiprocessing": View(_HOST, closesocket=face.closesocket, recv=face.recv, send=face.send),
    "_winapi": import_module(winapi.__name__),
    "errno": ERRNO,
    "msvcrt": import_module(msvcrt.__name__),
    "os": OS,
    "selectors": import_module(selectors.__name__),
    "socket": import_module(socket.__name__),
    "sys": SYS,
    "tempfile": TEMPFILE,
}


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process
    process.engine.close()


@pytest.fixture(scope="module")
def connection() -> Any:
    return load("multiprocessing.connection", _WINDOWS)


@pytest.fixture(scope="module")
def subprocess() -> Any:
    return load("subprocess", _WINDOWS)


def elsewhere(function: Callable[..., Any], *arguments: Any) -> Call:
    """A call in a thread of this emulated process."""
    return Call(copy_context().run, function, *arguments)


def test_a_pipe_carries_objects_and_long_messages(connection: Any) -> None:
    one, other = connection.Pipe()
    assert type(one) is connection.PipeConnection
    one.send({"x": 1})
    assert other.poll()
    assert other.recv() == {"x": 1}
    sent = elsewhere(other.send_bytes, bytes(300_000))
    assert one.recv_bytes() == bytes(300_000)
    sent.result()
    assert not one.poll(0.01)
    other.close()
    with pytest.raises(EOFError):
        one.recv()
    one.close()


def test_wait_tells_which_connections_have_something(connection: Any) -> None:
    pairs = [connection.Pipe() for _ in range(3)]
    readers = [reader for reader, _ in pairs]
    assert connection.wait(readers, 0.01) == []
    pairs[1][1].send("here")
    assert connection.wait(readers, 10) == [readers[1]]
    for pair in pairs:
        for end in pair:
            end.close()


@pytest.mark.parametrize("key", [None, b"secret"])
@pytest.mark.parametrize("family", ["AF_PIPE", "AF_INET"])
def test_a_listener_and_a_client(connection: Any, family: str, key: bytes | None) -> None:
    def client(address: Any) -> Any:
        with connection.Client(address, authkey=key) as there:
            there.send("question")
            return there.recv()

    with connection.Listener(None, family, authkey=key) as listener:
        answer = elsewhere(client, listener.address)
        with listener.accept() as here:
            assert here.recv() == "question"
            here.send("answer")
            assert answer.result() == "answer"


def test_subprocess_with_pipes(subprocess: Any) -> None:
    code = "import sys; print(sys.argv[1:]); print(sys.stdin.read(), file=sys.stderr); sys.exit(7)"
    arguments = ["a b", 'c"d', "e\\", ""]
    done = subprocess.run([sys.executable, "-c", code, *arguments], input="in", capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (7, f"{arguments}\n", "in\n")


def test_subprocess_environment_directory_and_end(subprocess: Any, tmp_path: Any) -> None:
    code = "import os; print(os.environ['X'], os.getcwd())"
    said = subprocess.check_output([sys.executable, "-c", code], env={"X": "1"}, cwd=tmp_path, text=True)
    assert said == f"1 {os.path.realpath(tmp_path)}\n"
    with subprocess.Popen([sys.executable, "-c", "print(1, flush=True); input()"], stdin=-1, stdout=-1) as child:
        assert child.stdout.readline() == b"1\n"
        assert child.poll() is None
        child.terminate()
        assert child.wait(10) == 1
    with pytest.raises(FileNotFoundError):
        subprocess.Popen(["no-program-of-this-name"])
