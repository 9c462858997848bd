"""A process that runs row 1's work when told to: row 36 compares processes with different histories.

Protocol: a line with a count on its input, a line with the nanoseconds on its output, until the input ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from winsock2emu import ws2_32 as api

from .measure import Slice, Work, timed
from .sockets import our_pair, started

CHECKOUT = Path(__file__).resolve().parents[2]
LIFE_S = 120
SMALL: Final = 64


def send_and_receive(
    send: Callable[..., Any], receive: Callable[..., Any], client: int, server: int, data: Any, space: Any
) -> Work:
    """One send at one end and one receive at the other, over and over."""

    def work(count: int) -> None:
        for _ in range(count):
            send(client, data)
            receive(server, space)

    return work


def switch_tracing_on_and_off() -> None:
    """Trace one call, so that the seam has really been in use."""
    from winsock2emu import trace

    seen: list[trace.TraceEvent] = []
    trace.start(seen.append)
    api.htons(1)
    trace.stop()
    assert [event.call for event in seen] == ["htons"]


def serve(history: str) -> None:
    """The child."""
    signal.alarm(LIFE_S)
    if history == "switched-off":
        switch_tracing_on_and_off()
    else:
        assert "winsock2emu.trace" not in sys.modules, "something imports tracing on its own"
    with started():
        run = timed(send_and_receive(api.WSASend, api.WSARecv, *our_pair(), [bytes(SMALL)], [bytearray(SMALL)]))
        for line in sys.stdin:
            print(run(int(line)), flush=True)


@contextmanager
def worker(history: str) -> Iterator[Slice]:
    """A slice that runs in a new child; ``history`` is "absent" or "switched-off"."""
    command = [sys.executable, "-m", "tests.bench.worker", history]
    path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"PYTHONPATH": path}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=CHECKOUT, env=environment) as child:
        asks, answers = child.stdin, child.stdout
        assert asks is not None
        assert answers is not None

        def run(count: int) -> int:
            try:
                asks.write(f"{count}\n")
                asks.flush()
                return int(answers.readline())
            except (BrokenPipeError, ValueError) as failure:
                raise RuntimeError(f"the worker {history!r} has ended") from failure

        try:
            yield run
        finally:
            child.kill()


if __name__ == "__main__":
    serve(sys.argv[1])
