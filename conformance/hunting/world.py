"""One sequence on one target: names become handles, answers become outcomes that two targets can be compared by.

Part played:     the stage. It plays step after step; nothing that differs from run to run (handles, ports) is left in
                 an outcome, and nothing waits without end.
Lives here:      what the names of a sequence stand for, the settling between two steps, and putting away all of it.
Lives elsewhere: what a step does (vocabulary), comparing outcomes (comparing).

Outcomes are JSON: ``{"ok": value}``, ``{"fails": "WSAENOTSOCK (10038)"}``, ``{"skipped": name}`` where a name stands
for nothing, because the step that should have made it failed, ``{"absent": why}`` where the target has no such call,
and ``{"broke": what}`` where a call did what none may do (wrote outside of its buffer, for example).

Settling: all sockets are non-blocking, and a call's effects elsewhere (bytes at the other end, a connection made) come
from the system's own work. Both ends are in one process, so the system has told whoever watches its sockets in the
order in which things became so. A datagram that the stage sends to itself, with an event that waits for it, is
therefore heard of after everything that was so before; then the next step is played. `thorough` sends several, and
waits besides.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

from .. import constants
from ..addresses import SIZE_IN, SIZE_IN6, family_of, host_of, loopback, port_of, scope_of, sockaddr_in, sockaddr_in6
from ..constants import AF_INET, AF_INET6, FD_READ, FIONBIO, STATUS_PENDING, WSAEMSGSIZE, code_name
from ..target import PENDING, Target
from ..verify import Failed, Mismatch, NotApplicable
from .sequences import Sequence

if TYPE_CHECKING:
    from .vocabulary import Call

Outcome = dict[str, Any]
VERSION: Final = 0x0202
#: Bytes of an outcome that are told one by one; the rest is a length and a checksum.
SHOWN: Final = 24
_PATTERN: Final = bytes(range(0x61, 0x7B))


class Unbound(Exception):
    """A name stands for nothing."""


@attrs.define
class Request:
    """An overlapped request: its record, the socket it was made on, its buffers, and what its routine was told."""

    record: Any
    handle: int
    buffers: list[bytearray] = attrs.field(factory=list)


@attrs.define
class World:
    """What the names of one sequence stand for on one target."""

    ws: Target
    sockets: dict[str, int] = attrs.field(factory=dict)
    families: dict[str, int] = attrs.field(factory=dict)
    events: dict[str, int] = attrs.field(factory=dict)
    requests: dict[str, Request] = attrs.field(factory=dict)
    ports: dict[str, int] = attrs.field(factory=dict)
    told: list[list[Any]] = attrs.field(factory=list)  # by completion routines, since they were last looked at
    nobody: dict[int, bytes] = attrs.field(factory=dict)  # by family: an address that refuses connections
    _ports_seen: dict[tuple[int, int], str] = attrs.field(factory=dict)  # by family and number
    _sent: int = 0

    # ---- names and words of a sequence become what a call takes ------------------------------------------------

    def thing(self, name: str | None) -> int | None:
        """The handle of a socket, event or port; None stays None.

        Raises:
            Unbound: it stands for nothing.
        """
        if name is None:
            return None
        table = {"s": self.sockets, "e": self.events, "p": self.ports}[name[0]]
        if name not in table:
            raise Unbound(name)
        return table[name]

    def request(self, name: str) -> Request:
        """The request of this name."""
        if name not in self.requests:
            raise Unbound(name)
        return self.requests[name]

    def new_socket(self, name: str, handle: int, family: int) -> None:
        """A socket that a step has made. It gets non-blocking, and so no step can wait."""
        self.sockets[name], self.families[name] = handle, family
        self.ws.ioctlsocket(handle, FIONBIO, 1)

    def name_of(self, handle: int) -> str | None:
        """The name of a socket."""
        return next((name for name, one in self.sockets.items() if one == handle), None)

    def address(self, word: str | None, family: int) -> bytes | None:
        """The address that a word stands for.

        ``@s1`` is where s1 is bound, reached by loopback; ``loopback`` and ``any`` have port 0; ``nobody`` refuses
        connections; ``zero`` is the loopback address itself as a destination, with port 0; ``other`` is of the other
        family; ``short`` is cut off.
        """
        if word is None:
            return None
        six = family == AF_INET6
        if word[0] == "@":
            where = self.ws.getsockname(self.thing(word[1:]) or 0)
            return _reachable(where)
        match word:
            case "loopback" | "zero":
                return loopback(family)
            case "any":
                return sockaddr_in6("::", 0) if six else sockaddr_in("0.0.0.0", 0)
            case "other":
                return loopback(AF_INET if six else AF_INET6)
            case "short":
                return loopback(family)[: (SIZE_IN6 if six else SIZE_IN) - 4]
            case "foreign":  # an address that is not this machine's: of the block for documentation
                return sockaddr_in6("2001:db8::1", 0) if six else sockaddr_in("192.0.2.1", 0)
            case "nobody":
                return self.nobody[AF_INET6 if six else AF_INET]
        raise ValueError(f"no address {word!r}")

    def take(self, count: int) -> bytes:
        """The next bytes of the pattern that is sent, so that nothing can be taken for something else."""
        at = self._sent % len(_PATTERN)
        self._sent += count
        return (_PATTERN * (count // len(_PATTERN) + 2))[at : at + count]

    # ---- answers become outcomes -------------------------------------------------------------------------------

    def port(self, family: int, number: int) -> str:
        """A port by the order in which this sequence met it; 0 stays 0."""
        if number == 0:
            return "0"
        return self._ports_seen.setdefault((family, number), f"#{len(self._ports_seen) + 1}")

    def where(self, address: bytes | None) -> str | None:
        """An address as text without its number of a port."""
        if address is None:
            return None
        data, family = bytes(address), family_of(bytes(address)) if len(address) >= 2 else -1
        if (family, len(data)) == (AF_INET, SIZE_IN):
            rest = data[8:].strip(b"\0")
            return f"{host_of(data)}:{self.port(family, port_of(data))}{f' + {rest.hex()}' if rest else ''}"
        if (family, len(data)) == (AF_INET6, SIZE_IN6):
            return f"[{host_of(data)}%{scope_of(data)}]:{self.port(family, port_of(data))}"
        return f"{len(data)} bytes {data.hex()}" if data.strip(b"\0") else f"{len(data)} zeros"


def _reachable(where: bytes) -> bytes:
    unspecified = {"0.0.0.0": AF_INET, "::": AF_INET6}
    family = unspecified.get(host_of(where))
    return where if family is None else loopback(family, port_of(where))


def data_of(data: bytes | bytearray) -> str:
    """Bytes as an outcome tells them."""
    shown = bytes(data[:SHOWN]).decode("latin-1").replace("\0", "·")
    return shown if len(data) <= SHOWN else f"{shown}… {len(data)} bytes, {zlib.crc32(data):08x}"


def number(text: int | str) -> int:
    """The number of a word of the headers: ``MSG_PEEK``, ``FD_READ|FD_CLOSE``, or of a number."""
    if isinstance(text, int):
        return text
    total = 0
    for word in text.split("|"):
        total |= int(getattr(constants, word))
    return total


class Stage:
    """A target, prepared for one sequence after the other.

    Args:
        ws: the target; the stage has it alone.
        calls: the vocabulary.
    """

    def __init__(self, ws: Target, calls: dict[str, Call]) -> None:
        self.ws = ws
        self._calls = calls
        self._probe = self._event = 0
        self._nobody: dict[int, bytes] = {}

    def play(self, sequence: Sequence, *, thorough: bool = False) -> list[Outcome]:
        """Play a sequence and put away what it made; one outcome a step.

        Args:
            sequence: the steps.
            thorough: settle as if the machine were slow.

        Raises:
            Exception: what a broken target raises, of whatever kind; it has to be opened again then.
        """
        world = World(self.ws, nobody=self._nobody)
        outcomes = []
        for step in sequence:
            call = self._calls[step.call]
            outcomes.append(_outcome(partial(call.play, world, step.arguments)))
            if call.reaches_out:
                self.settle(thorough)
        left = self._put_away(world)
        return outcomes if not left else [*outcomes[:-1], {"broke": f"still pending when all is closed: {left}"}]

    def settle(self, thorough: bool = False) -> None:
        """Wait until everything that is so has been heard of."""
        ws, room = self.ws, bytearray(4)
        for _ in range(4 if thorough else 1):
            if thorough:
                time.sleep(0.005)
            ws.send(self._probe, b"?")
            if ws.WSAWaitForMultipleEvents([self._event], False, 2000, False) != 0:
                raise Mismatch("the stage's own datagram", expected="heard of", actual="nothing for two seconds")
            ws.WSAResetEvent(self._event)
            ws.recv(self._probe, room)

    def close(self) -> None:
        """Leave the target as it was: everything closed, whatever a sequence has left."""
        self.ws.end()

    def open(self) -> None:
        """Begin; before the first sequence, and after `close`."""
        ws = self.ws
        ws.begin()
        ws.WSAStartup(VERSION)
        self._probe = ws.udp()
        ws.bind(self._probe, loopback())
        ws.connect(self._probe, ws.getsockname(self._probe))
        self._event = ws.WSACreateEvent()
        ws.WSAEventSelect(self._probe, self._event, FD_READ)
        for family in (AF_INET, AF_INET6):
            with suppress(Failed):  # a machine without IPv6
                bound = ws.tcp(family)
                ws.bind(bound, loopback(family))
                self._nobody[family] = ws.getsockname(bound)

    def _put_away(self, world: World) -> list[str]:
        """Close everything; nothing of a sequence reaches the next. Return the requests that closing has not ended."""
        ws = self.ws
        for handle in world.sockets.values():
            with suppress(Failed):
                ws.closesocket(handle)
        self.settle()
        if any(request.record is not None for request in world.requests.values()):
            for _ in range(10):  # the routines of requests that closing has ended
                if ws.SleepEx(0, True) == 0:
                    break
        for event in world.events.values():
            with suppress(Failed):
                ws.WSACloseEvent(event)
        for port in world.ports.values():
            with suppress(Failed):
                ws.CloseHandle(port)
        return [name for name, one in sorted(world.requests.items()) if int(one.record.Internal) == STATUS_PENDING]


def _outcome(play: Callable[[], Any]) -> Outcome:
    try:
        return {"ok": _plain(play())}
    except Failed as failure:
        # Of other failures nobody promises a count, and recv in C has no place for one.
        told = failure.code == WSAEMSGSIZE and failure.call in ("WSARecv", "WSARecvFrom") and failure.moved
        return {"fails": code_name(failure.code), **({"moved": failure.moved} if told else {})}
    except Unbound as name:
        return {"skipped": str(name)}
    except NotApplicable as why:
        return {"absent": str(why)}
    except Mismatch as what:
        return {"broke": str(what)}


def _plain(value: Any) -> Any:
    """A value as JSON gives it back."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def status_of(request: Request) -> dict[str, Any]:
    """What the record of a request shows, and its buffers once it is complete."""
    status = int(request.record.Internal)
    if status == STATUS_PENDING:
        return {"status": "pending"}
    moved = int(request.record.InternalHigh)
    told = {"status": f"{status & 0xFFFFFFFF:#010x}", "moved": moved}
    return told | ({"data": [data_of(buffer) for buffer in request.buffers]} if request.buffers else {})


def result_of(returned: Any) -> Any:
    """What a call that may pend has returned."""
    return "pending" if returned is PENDING else returned


@contextmanager
def failing(seen: list[Any]) -> Iterator[None]:
    """Put the code of a failure into a list instead of raising it: for steps that look at several things."""
    try:
        yield
    except Failed as failure:
        seen.append(code_name(failure.code))
    except Unbound as name:
        seen.append(f"no {name}")
