"""Uncaught exceptions of Windows' modules: shown without the emulator behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Runner
from winsock2emu.cli import tracebacks

Write = Callable[[str, str], Path]


@pytest.mark.parametrize(
    ("statement", "last"),
    [
        ("socket.socket().recv(1)", "OSError: [WinError 10057] A request to send or receive data"),
        ("socket.socket().connect(('127.0.0.1', unused))", "ConnectionRefusedError: [WinError 10061] No connection"),
        ("select.select([], [], [], 1)", "OSError: [WinError 10022] An invalid argument was supplied"),
        ("socket.socket().bind('nowhere')", "TypeError: bind(): AF_INET address must be tuple, not str"),
        ("win32file.CloseHandle(7)", "pywintypes.error: (6, 'CloseHandle', 'The handle is invalid.')"),
    ],
)
def test_a_traceback_ends_in_the_programs_line(emulated: Runner, write: Write, statement: str, last: str) -> None:
    write(
        "program.py",
        f"""
        import select, socket, win32file
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            unused = bound.getsockname()[1]
        def call():
            {statement}
        call()
        """,
    )

    outcome = emulated("program.py")

    shown = [line for line in outcome.stderr.splitlines() if set(line) - set(" ^~")]
    assert outcome.status == 1
    assert shown[-2].strip() == statement
    assert shown[-1].startswith(last)
    assert sum(line.startswith("  File ") for line in shown) == 2


def test_what_the_program_was_handling_is_shown_and_what_the_emulator_was_is_not(
    emulated: Runner, write: Write
) -> None:
    write(
        "program.py",
        """
        import socket
        try:
            {}["missing"]
        except KeyError:
            socket.getaddrinfo("nobody.invalid", "no such service")
        """,
    )

    error = emulated("program.py").stderr

    assert error.count("Traceback") == 2
    assert "KeyError: 'missing'" in error
    assert "During handling of the above exception" in error
    assert "winsock2emu" not in error
    assert error.splitlines()[-1].startswith("socket.gaierror: [Errno 1")


def test_the_prompt_shows_them_so_too(emulated: Runner) -> None:
    error = emulated("-i", stdin="import socket\nsocket.socket().recv(1)\n").stderr

    assert "WinError 10057" in error
    assert "winsock2emu" not in error


def test_a_mistake_of_the_emulators_is_shown_whole() -> None:
    """It has to be found, and is not Windows'."""
    namespace: dict[str, Callable[[], None]] = {}
    exec(compile("def broken(): {}['missing']", tracebacks.__file__, "exec"), namespace)
    with pytest.raises(KeyError) as caught:
        namespace["broken"]()

    tracebacks.end_in_the_program(caught.value, caught.value.__traceback__)

    assert caught.traceback[-1].name == "broken"
