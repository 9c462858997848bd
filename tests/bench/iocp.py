"""Rows 10 to 20 and 37 to 39: echo servers on completion ports, against other servers and against each other.

Server and load are processes of their own. With one connection both run on one CPU, as a wake-up that crosses to an
idle one costs more than the work; with more the load has another CPU to itself. A slice is a number of round trips, so
the quotient of a round is one of rates. The notes say what the rates leave out: microseconds that the servers' own
threads have run for a round trip, and how long one took, the median and the 99th percentile.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import attrs

from .measure import Measured, Plan, Unavailable, compare
from .worker import CHECKOUT

BUFFERED: Final = "asyncio-buffered"
ON_THE_SAME_CPU: Final = 1  # connections up to which the load shares the server's CPU

_LEAST_TURNS: Final = 20  # round trips of each connection in a slice, so that its beginning and end do not count
_MANY: Final = 1000  # connections from which on slices are long, and so there are fewer of them
_MOST: Final = 5000  # from which on they would be too long


@cache
def _load() -> str:
    """The load, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Unavailable("no C compiler for the load")
    program = str(Path(tempfile.mkdtemp(prefix="winsock2emu-")) / "load")
    subprocess.run([compiler, "-O2", "-o", program, str(Path(__file__).with_name("load.c"))], check=True)
    return program


@attrs.define
class Server:
    """A server with its load.

    Attributes:
        turns: how many round trips a slice has at least.
        p50_us, p99_us: of each slice's round trips.
        cpu_us: how long the server's threads have run for one, in each slice.
    """

    _server: subprocess.Popen[str]
    _load: subprocess.Popen[str]
    turns: int
    p50_us: list[float] = attrs.field(factory=list)
    p99_us: list[float] = attrs.field(factory=list)
    cpu_us: list[float] = attrs.field(factory=list)

    def run(self, count: int) -> int:
        """A slice of so many times ``turns`` round trips."""
        count *= self.turns
        before = self._cpu_ns()
        asks, answers = self._load.stdin, self._load.stdout
        assert asks is not None
        assert answers is not None
        try:
            asks.write(f"{count}\n")
            asks.flush()
            elapsed, p50, p99 = map(int, answers.readline().split())
        except (BrokenPipeError, ValueError) as failure:
            raise RuntimeError("the load has ended, or the server") from failure
        self.p50_us.append(p50 / 1000)
        self.p99_us.append(p99 / 1000)
        self.cpu_us.append((self._cpu_ns() - before) / 1000 / count)
        return elapsed

    def _cpu_ns(self) -> int:
        try:
            tasks = list(Path(f"/proc/{self._server.pid}/task").iterdir())
            return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks)
        except OSError:
            return 0


@contextmanager
def serving(kind: str, connections: int) -> Iterator[Server]:
    """A server of a kind (see `echo.SERVERS`) and its load, connected."""
    if kind.startswith("uvloop") and importlib.util.find_spec("uvloop") is None:
        raise Unavailable("uvloop is not installed")
    path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "tests.bench.echo", kind]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pipe, text=True, cwd=CHECKOUT, env=os.environ | {"PYTHONPATH": path}
    ) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            if not port:
                raise RuntimeError(f"the server {kind!r} has ended")
            arguments = [_load(), port, str(connections), str(-1 if connections <= ON_THE_SAME_CPU else _other_cpu())]
            with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True) as load:
                try:
                    assert load.stdout is not None
                    if load.stdout.readline() != "ready\n":
                        raise RuntimeError(f"the load of {kind!r} has ended")
                    turns = 1 if connections < _MANY else connections * (_LEAST_TURNS if connections < _MOST else 3)
                    yield Server(server, load, turns)
                finally:
                    load.kill()
        finally:
            server.kill()


def _other_cpu() -> int:
    """A CPU that the servers, which inherit ours, do not run on."""
    ours = os.sched_getaffinity(0)
    others = [cpu for cpu in range(os.cpu_count() or 1) if cpu not in ours]
    if not others:
        raise Unavailable("no CPU is left for the load")
    return others[-1]


Measure = Callable[[Server, Server, list[float]], list[float]]


def rates(ours: Server, theirs: Server, quotients: list[float]) -> list[float]:
    """How many times faster."""
    return [1 / quotient for quotient in quotients]


def p99s(ours: Server, theirs: Server, quotients: list[float]) -> list[float]:
    """How many times longer the slowest round trips take; the slices before the first round have found out a count."""
    rounds = len(quotients)
    return [one / other for one, other in zip(ours.p99_us[-rounds:], theirs.p99_us[-rounds:], strict=True)]


def echo(
    plan: Plan, kind: str, other: str, connections: int, other_connections: int = 0, take: Any = rates
) -> Measured:
    """Two servers in turns, each idle while the other one serves."""
    longer = attrs.evolve(plan, slice_ms=8 * plan.slice_ms)
    if connections >= _MANY:
        longer = attrs.evolve(longer, rounds=max(1, plan.rounds // (4 if connections < _MOST else 12)))
    with serving(kind, connections) as ours, serving(other, other_connections or connections) as theirs:
        quotients, ns = compare(ours.run, theirs.run, longer)
        values = take(ours, theirs, quotients)
    notes = {
        f"{whose}_{what}_us": statistics.median(getattr(server, f"{what}_us")[-len(quotients) :])
        for whose, server in (("our", ours), ("their", theirs))
        for what in ("p50", "p99", "cpu")
    }
    scale = (ours.turns, theirs.turns)
    return Measured.of(values, (ns[0] / scale[0], ns[1] / scale[1]), **notes)


def blocking_handlers(plan: Plan) -> Measured:
    """Four workers whose handlers sleep for 5 ms: at best 800 answers a second."""
    values, times = [], []
    with serving("iocp-4-pausing", 8) as ours:
        count = max(16, round(plan.slice_ms * 50))
        for _ in range(1 + plan.repeats):
            times.append(ours.run(count) / count)
        values = [5e6 / 4 / ns for ns in times[1:]]
    p50_ms = statistics.median(ours.p50_us[1:]) / 1000
    return Measured.of(values, (statistics.median(times[1:]), 5e6 / 4), our_p50_ms=p50_ms)


def _against(other: str, connections: int, kind: str = "iocp", take: Any = rates) -> Callable[[Plan], Measured]:
    return partial(echo, kind=kind, other=other, connections=connections, take=take)


MEASUREMENTS: Final[dict[str, Callable[[Plan], Measured]]] = {
    "iocp-echo-1": _against(BUFFERED, 1),
    "iocp-echo-10": _against(BUFFERED, 10),
    "iocp-echo-100": _against(BUFFERED, 100),
    "iocp-echo-1000": _against(BUFFERED, 1000),
    "iocp-echo-9500": _against(BUFFERED, 9500),
    "iocp-echo-asyncio": _against("asyncio-protocol", 100),
    "iocp-echo-asyncio-4K": _against("asyncio-protocol-4K", 100),
    "iocp-echo-uvloop": _against("uvloop-protocol", 100),
    "iocp-echo-uvloop-streams": _against("uvloop-streams", 100),
    "iocp-echo-epoll": _against("epoll", 100),
    "iocp-echo-p99-100": _against(BUFFERED, 100, take=p99s),
    "iocp-echo-p99-1000": _against(BUFFERED, 1000, take=p99s),
    "iocp-workers-1": _against("iocp", 1, "iocp-4"),
    "iocp-workers-100": _against("iocp", 100, "iocp-4"),
    "iocp-blocking-handlers": blocking_handlers,
    "iocp-skip": _against(BUFFERED, 100, "iocp-skip"),
    "gqcs-ex": _against("iocp", 100, "iocp-ex"),
    "gqcs-ex-1": _against("iocp", 1, "iocp-ex"),
    **{
        f"aio-{kind}-{connections}": _against(f"asyncio-{kind}", connections, f"proactor-{kind}")
        for kind in ("protocol", "streams", "buffered")
        for connections in (1, 10, 100)
    },
}
