"""Threads that C made keep their last error and their buffers between calls. Needs a C compiler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.capi.cabi import INVALID_SOCKET, WSAEAFNOSUPPORT, call
from winsock2emu import ws2_32
from winsock2emu.capi import table
from winsock2emu.capi.threads import made_by_c
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process

PROGRAM = r"""
#include <pthread.h>
#include <stdint.h>
#include <string.h>

struct in_addr_ { uint32_t s_addr; };
static void **functions;
static int64_t results[5];

static void *body(void *unused) {
    uint64_t (*socket_)(int, int, int) = functions[0];
    int (*last_error)(void) = functions[1];
    char *(*ntoa)(struct in_addr_) = functions[2];
    struct in_addr_ address = {0x0100007f};
    results[0] = socket_(99, 1, 0);
    results[1] = last_error();
    results[2] = last_error();
    char *text = ntoa(address);
    last_error();
    results[3] = !strcmp(text, "127.0.0.1");
    results[4] = ntoa(address) == text;
    return unused;
}

int64_t *run(void **given) {
    pthread_t thread;
    functions = given;
    pthread_create(&thread, 0, body, 0);
    pthread_join(thread, 0);
    return results;
}
"""


@pytest.fixture(scope="module")
def in_c_thread(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs the body above in a thread of its own; its five results."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    folder: Path = tmp_path_factory.mktemp("c")
    source, library = folder / "thread.c", folder / "thread.so"
    source.write_text(PROGRAM, encoding="ascii")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-lpthread"], check=True, timeout=60)
    run = ctypes.CDLL(str(library)).run
    run.restype = ctypes.POINTER(ctypes.c_int64)

    def go() -> list[int]:
        found = [table.export("ws2_32", name) for name in ("socket", "WSAGetLastError", "inet_ntoa")]
        addresses = [function.address for function in found if function is not None]
        return list(run((ctypes.c_void_p * 3)(*addresses))[:5])

    return go


@pytest.fixture
def failing_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails alike in every process: a thread that C made is in the default one."""

    def fail(*args: Any) -> int:
        raise WinsockError(WSAEAFNOSUPPORT)

    monkeypatch.setattr(ws2_32, "socket", fail)


def test_the_last_error_and_the_buffers_last(in_c_thread: Any, failing_socket: None) -> None:
    for _ in range(3):  # numbers of threads are reused
        assert in_c_thread() == [-1, WSAEAFNOSUPPORT, WSAEAFNOSUPPORT, 1, 1]


def test_an_exception_with_nobody_to_take_it_is_reported(in_c_thread: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the call has failed, as it does in every thread."""
    told: list[Any] = []

    def broken(*args: Any) -> int:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(ws2_32, "socket", broken)
    monkeypatch.setattr("sys.excepthook", lambda *args: told.append(args))

    assert in_c_thread()[0] == -1

    assert [(kind, str(error)) for kind, error, _ in told] == [(ZeroDivisionError, "a bug")]
    assert table.take_pending_exception() is None


def test_threads_of_python_are_told_apart(process: Process) -> None:
    answers: list[bool] = [made_by_c()]
    thread = threading.Thread(target=lambda: answers.append(made_by_c()))
    thread.start()
    thread.join(10)

    assert answers == [False, False]
    assert call("socket", 99, 1, 0) == INVALID_SOCKET
