"""The calls a sequence is made of, each with the arguments that make sense, how often it should come, and what it does.

Part played:     the table that generator, stage and reader share. A call is one function here: its parameters are named
                 by kinds in the decorator, in the order in which they stand in a step.
Lives here:      kinds of parameters; the calls by chapter.
Lives elsewhere: what names stand for and how answers are told (world), names and roles (sketch).

A kind turns a number that the generator has drawn into an argument: 0 is the simplest, so that shrinking makes a
sequence simple. Nothing here draws anything.

Roles of a socket: stream, bound, listening, connected; datagram, bound-datagram, connected-datagram. A call prefers
some, and still gets any other one now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import attrs

from ..addresses import SIZE_IN6, loopback
from ..constants import (
    AF_INET,
    AF_INET6,
    FIONREAD,
    INVALID_HANDLE_VALUE,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SIOCATMARK,
    SO_ERROR,
    SO_UPDATE_ACCEPT_CONTEXT,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WSA_FLAG_OVERLAPPED,
)
from ..target import PENDING
from ..verify import Failed
from .sequences import Argument
from .sketch import Sketch
from .world import Request, World, data_of, failing, number, result_of, status_of

STREAMS: Final = ("stream", "bound", "listening", "connected")
DATAGRAMS: Final = ("datagram", "bound-datagram", "connected-datagram")
CARRIES: Final = ("connected", "connected", "accepting", "connected-datagram")
#: Numbers that the generator draws for one parameter.
SPAN: Final = 1 << 10
#: Of sixteen choices of a socket, the last so many take any one.
_ANY_OF_16: Final = 2


class Missing(Exception):
    """A parameter wants something that no step has made yet; str() is its kind, or its role."""


# ---- kinds of parameters ---------------------------------------------------------------------------------------


@attrs.frozen
class New:
    """Something that the step makes, and the role in which it begins."""

    kind: str
    role: str = ""

    def pick(self, n: int, sketch: Sketch) -> Argument:
        name = sketch.new(self.kind)
        sketch.turn(name, self.role)
        return name


@attrs.frozen
class Ref:
    """Something that a step has made, preferably in one of these roles."""

    kind: str
    roles: tuple[str, ...] = ()
    optional: bool = False  # NULL now and then
    strict: bool = False  # no other role will do

    def pick(self, n: int, sketch: Sketch) -> Argument:
        which, n = n % 16, n // 16
        known = sketch.known(self.kind)
        preferred = sketch.known(self.kind, *self.roles)
        if self.optional and (which % 2 == 0 or not known):
            return None
        if self.strict and not preferred:
            raise Missing(self.roles[0])
        if not known:
            raise Missing(self.kind)
        pool = preferred if preferred and (self.strict or which < 16 - _ANY_OF_16) else known
        return pool[-1 - n % len(pool)]


@attrs.frozen(init=False)
class Pick:
    """One of these values; the first is the simplest. A value that stands twice comes twice as often."""

    values: tuple[Argument, ...]

    def __init__(self, *values: Argument) -> None:
        self.__attrs_init__(values)

    def pick(self, n: int, sketch: Sketch) -> Argument:
        return self.values[n % len(self.values)]


@attrs.frozen
class Several:
    """A list of up to so many arguments of one kind; of things, each once."""

    of: Any
    most: int = 2
    least: int = 1

    def pick(self, n: int, sketch: Sketch) -> Argument:
        count, n = self.least + n % (self.most - self.least + 1), n // (self.most - self.least + 1)
        values = [self.of.pick(n // (1 + 7 * i) + i * 16, sketch) for i in range(count)]
        return tuple(dict.fromkeys(values) if isinstance(self.of, Ref) else values)


@attrs.frozen(init=False)
class Address:
    """Where a socket is bound, or one of these words (`World.address`)."""

    words: tuple[str | None, ...]
    roles: tuple[str, ...]

    def __init__(self, *words: str | None, roles: tuple[str, ...] = ()) -> None:
        self.__attrs_init__(words, roles)

    def pick(self, n: int, sketch: Sketch) -> Argument:
        which, n = n % 8, n // 8
        pool = sketch.known("socket", *self.roles)
        if pool and (which < 6 or not self.words):
            return f"@{pool[-1 - n % len(pool)]}"
        return self.words[n % len(self.words)] if self.words else "loopback"


@attrs.frozen
class Call:
    """One word of the vocabulary.

    Attributes:
        name: as steps write it.
        parameters: their kinds.
        run: what it does: ``run(world, *arguments)``, names of things replaced by handles where the kind is a Ref.
        weight: how often it comes, compared with others.
        turns: parameter -> the role of that socket afterwards; None: it is gone.
        reaches_out: whether something elsewhere can change because of it.
    """

    name: str
    parameters: tuple[Any, ...]
    run: Callable[..., Any]
    weight: int
    turns: Mapping[int, str | None]
    reaches_out: bool

    def play(self, world: World, arguments: tuple[Argument, ...]) -> Any:
        """Do it; the value is JSON."""
        given = [
            world.thing(value) if isinstance(kind, Ref) and kind.kind != "record" else value
            for kind, value in zip(self.parameters, arguments, strict=True)
        ]
        return self.run(world, *given)


CALLS: dict[str, Call] = {}


def _call(
    *parameters: Any, weight: int = 4, turns: Mapping[int, str | None] | None = None, reaches_out: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def declare(run: Callable[..., Any]) -> Callable[..., Any]:
        name = run.__name__.lstrip("_")
        CALLS[name] = Call(name, parameters, run, weight, turns or {}, reaches_out)
        return run

    return declare


# ---- sockets ---------------------------------------------------------------------------------------------------

_FAMILY: Final = Pick(4, 4, 4, 6)
_FAMILIES: Final = {4: AF_INET, 6: AF_INET6}
_SOCKET: Final = Ref("socket")
_STREAM: Final = Ref("socket", STREAMS)
_CARRIER: Final = Ref("socket", CARRIES)
_CONNECTED: Final = Ref("socket", ("connected",))
_LISTENER: Final = Ref("socket", ("listening",))
_DATAGRAM: Final = Ref("socket", DATAGRAMS)


@_call(New("socket", "connected"), New("socket", "connected"), _FAMILY, weight=3)
def pair(world: World, client: str, server: str, version: int) -> str:
    """Two connected stream sockets."""
    family = _FAMILIES[version]
    ws = world.ws
    listening = ws.tcp(family)
    with ws.closing(listening):
        ws.bind(listening, loopback(family))
        ws.listen(listening, 1)
        world.new_socket(client, ws.tcp(family), family)
        try:
            ws.connect(world.sockets[client], ws.getsockname(listening))
        except Failed as failure:
            if failure.code != 10035:
                raise
        ws.wait_readable(listening)
        accepted, _ = ws.accept(listening)
        world.new_socket(server, accepted, family)
        ws.wait_writable(world.sockets[client])
    return "connected"


@_call(New("socket", "connected-datagram"), New("socket", "bound-datagram"), _FAMILY, Pick(True, False), weight=2)
def udp_pair(world: World, one: str, other: str, version: int, connected: bool) -> str:
    """Two bound datagram sockets, the first connected to the second, and back if ``connected``."""
    family = _FAMILIES[version]
    ws = world.ws
    for name in (one, other):
        world.new_socket(name, ws.udp(family), family)
        ws.bind(world.sockets[name], loopback(family))
    first, second = world.sockets[one], world.sockets[other]
    ws.connect(first, ws.getsockname(second))
    if connected:
        ws.connect(second, ws.getsockname(first))
    return "bound"


@_call(New("socket", "listening"), _FAMILY, Pick(5, 1), weight=2)
def listener(world: World, s: str, version: int, backlog: int) -> str:
    """A stream socket that listens on a loopback port."""
    family = _FAMILIES[version]
    world.new_socket(s, world.ws.tcp(family), family)
    world.ws.bind(world.sockets[s], loopback(family))
    world.ws.listen(world.sockets[s], backlog)
    return "listening"


@_call(New("socket", "stream"), _FAMILY, weight=6, reaches_out=False)
def tcp(world: World, s: str, version: int) -> str:
    world.new_socket(s, world.ws.tcp(_FAMILIES[version]), _FAMILIES[version])
    return "made"


@_call(New("socket", "datagram"), _FAMILY, weight=3, reaches_out=False)
def udp(world: World, s: str, version: int) -> str:
    world.new_socket(s, world.ws.udp(_FAMILIES[version]), _FAMILIES[version])
    return "made"


@_call(
    New("socket", "stream"),
    Pick(AF_INET, AF_INET6, 0, 77),
    Pick(SOCK_STREAM, SOCK_DGRAM, 0, 4, 5),
    Pick(0, IPPROTO_TCP, IPPROTO_UDP, 1, 300),
    Pick(WSA_FLAG_OVERLAPPED),  # without it AcceptEx waits for a client, and nothing may wait without end
    weight=2,
    reaches_out=False,
)
def WSASocket(world: World, s: str, af: int, type: int, protocol: int, flags: int) -> str:
    world.new_socket(s, world.ws.WSASocket(af, type, protocol, None, 0, flags), af or AF_INET)
    return "made"


@_call(_SOCKET, weight=5, turns={0: None})
def closesocket(world: World, s: int) -> str:
    name = world.name_of(s)
    world.ws.closesocket(s)
    if name is not None:
        del world.sockets[name]
    return "closed"


@_call(
    Ref("socket", ("stream", "datagram")),
    Address("loopback", "any", "foreign", "other", roles=(*STREAMS, *DATAGRAMS)),
    weight=3,
    turns={0: "bound"},
    reaches_out=False,
)
def bind_to(world: World, s: int, where: str | None) -> str:
    """bind, often to a port that another socket has."""
    world.ws.bind(s, world.address(where, _family(world, s)))
    return "bound"


@_call(Ref("socket", ("stream",)), Pick("loopback", "any"), weight=5, turns={0: "bound"}, reaches_out=False)
def bind(world: World, s: int, where: str) -> str:
    world.ws.bind(s, world.address(where, _family(world, s)))
    return "bound"


@_call(Ref("socket", ("bound", "stream")), Pick(5, 1, 0), weight=4, turns={0: "listening"})
def listen(world: World, s: int, backlog: int) -> str:
    world.ws.listen(s, backlog)
    return "listening"


def _family(world: World, s: int) -> int:
    return world.families.get(world.name_of(s) or "", AF_INET)


@_call(
    Ref("socket", ("stream", "bound")),
    Address("nobody", "nobody", "zero", "other", roles=("listening",)),
    weight=8,
    turns={0: "connected"},
)
def connect(world: World, s: int, where: str | None) -> str:
    world.ws.connect(s, world.address(where, _family(world, s)))
    return "connected"


@_call(
    Ref("socket", ("datagram", "bound-datagram")),
    Address("any", "other", roles=("bound-datagram", "connected-datagram")),
    weight=3,
    turns={0: "connected-datagram"},
)
def connect_datagram(world: World, s: int, where: str | None) -> str:
    world.ws.connect(s, world.address(where, _family(world, s)))
    return "connected"


@_call(_LISTENER, New("socket", "connected"), weight=8)
def accept(world: World, s: int, made: str) -> Any:
    handle, where = world.ws.accept(s)
    world.new_socket(made, handle, _family(world, s))
    return world.where(where)


@_call(_CARRIER, Pick(1, 0, 2, 1, 0, 2, 3), weight=5)
def shutdown(world: World, s: int, how: int) -> str:
    world.ws.shutdown(s, how)
    return "shut"


@_call(_SOCKET, weight=2, reaches_out=False)
def getsockname(world: World, s: int) -> Any:
    return world.where(world.ws.getsockname(s))


@_call(_CARRIER, weight=2, reaches_out=False)
def getpeername(world: World, s: int) -> Any:
    return world.where(world.ws.getpeername(s))


# ---- data ------------------------------------------------------------------------------------------------------

_SIZE: Final = Pick(1, 5, 5, 0, 12, 40, 1000)
_ROOM: Final = Pick(64, 64, 5, 1, 0, 2000)
_SEND_FLAGS: Final = Pick(0, 0, 0, 0, "MSG_OOB", 0, 0, "MSG_DONTROUTE")
_RECEIVE_FLAGS: Final = Pick(0, 0, 0, 0, "MSG_PEEK", 0, 0, "MSG_OOB")
_DESTINATION: Final = Address("other", "zero", roles=("bound-datagram", "connected-datagram"))


def _pieces(world: World, sizes: tuple[int, ...]) -> list[bytes]:
    return [world.take(size) for size in sizes]


def _rooms(sizes: tuple[int, ...]) -> list[bytearray]:
    return [bytearray(size) for size in sizes]


def _filled(moved: Any, buffers: list[bytearray]) -> dict[str, Any]:
    flags = getattr(moved, "flags", 0)
    data = b"".join(buffers)
    return {"moved": int(moved), "data": data_of(data[: int(moved)]), **({"flags": int(flags)} if flags else {})}


@_call(_CARRIER, _SIZE, _SEND_FLAGS, weight=14)
def send(world: World, s: int, size: int, flags: int | str) -> int:
    return world.ws.send(s, world.take(size), number(flags))


@_call(_CARRIER, _ROOM, _RECEIVE_FLAGS, weight=14)
def recv(world: World, s: int, room: int, flags: int | str) -> Any:
    buffer = bytearray(room)
    moved = world.ws.recv(s, buffer, number(flags))
    return {"moved": int(moved), "data": data_of(buffer[:moved])}


@_call(_DATAGRAM, _SIZE, _SEND_FLAGS, _DESTINATION, weight=6)
def sendto(world: World, s: int, size: int, flags: int | str, to: str | None) -> int:
    return world.ws.sendto(s, world.take(size), number(flags), world.address(to, _family(world, s)))


@_call(_DATAGRAM, _ROOM, _RECEIVE_FLAGS, weight=6)
def recvfrom(world: World, s: int, room: int, flags: int | str) -> Any:
    buffer = bytearray(room)
    moved, sender = world.ws.recvfrom(s, buffer, number(flags))
    return {"moved": int(moved), "data": data_of(buffer[:moved]), "from": world.where(sender)}


@_call(_CARRIER, Several(_SIZE, 3), _SEND_FLAGS, weight=4)
def WSASend(world: World, s: int, sizes: tuple[int, ...], flags: int | str) -> int:
    return int(world.ws.WSASend(s, _pieces(world, sizes), number(flags)))


@_call(_CARRIER, Several(_ROOM, 3), _RECEIVE_FLAGS, weight=5)
def WSARecv(world: World, s: int, rooms: tuple[int, ...], flags: int | str) -> Any:
    buffers = _rooms(rooms)
    return _filled(world.ws.WSARecv(s, buffers, number(flags)), buffers)


@_call(_DATAGRAM, Several(_SIZE), _SEND_FLAGS, _DESTINATION, weight=3)
def WSASendTo(world: World, s: int, sizes: tuple[int, ...], flags: int | str, to: str | None) -> int:
    where = world.address(to, _family(world, s))
    return int(world.ws.WSASendTo(s, _pieces(world, sizes), number(flags), where))


@_call(_DATAGRAM, Several(_ROOM), _RECEIVE_FLAGS, weight=3)
def WSARecvFrom(world: World, s: int, rooms: tuple[int, ...], flags: int | str) -> Any:
    buffers = _rooms(rooms)
    moved, sender = world.ws.WSARecvFrom(s, buffers, number(flags))
    return _filled(moved, buffers) | {"from": world.where(sender)}


# ---- waiting ---------------------------------------------------------------------------------------------------

_NOW: Final = (0, 0)
_POLLED: Final = Pick("POLLRDNORM|POLLWRNORM", "POLLIN|POLLOUT", "POLLRDNORM", "POLLWRNORM", "POLLRDBAND", "POLLIN", 0)


@_call(Several(_SOCKET, 3), weight=4, reaches_out=False)
def select(world: World, sockets: tuple[str, ...]) -> Any:
    """Each of the sockets in all three sets."""
    handles = [world.thing(name) or 0 for name in sockets]
    ready = world.ws.select(handles, handles, handles, _NOW)
    return [[sockets[handles.index(handle)] for handle in one] for one in ready]


@_call(Several(_SOCKET, 3), _POLLED, weight=4, reaches_out=False)
def WSAPoll(world: World, sockets: tuple[str, ...], events: str | int) -> Any:
    count, found = world.ws.WSAPoll([(world.thing(name) or 0, number(events)) for name in sockets], 0)
    return [count, found]


# ---- events ----------------------------------------------------------------------------------------------------

_EVENT: Final = Ref("event")
_EVENTS: Final = Pick(
    "FD_READ|FD_WRITE|FD_OOB|FD_ACCEPT|FD_CONNECT|FD_CLOSE",
    "FD_READ|FD_CLOSE",
    "FD_WRITE",
    "FD_READ",
    "FD_ACCEPT",
    "FD_CONNECT|FD_WRITE",
    "FD_CLOSE",
    "FD_OOB",
    0,
)


@_call(New("event"), weight=1, reaches_out=False)
def WSACreateEvent(world: World, e: str) -> str:
    world.events[e] = world.ws.WSACreateEvent()
    return "made"


@_call(New("event"), Pick(True, False), Pick(False, True), weight=1, reaches_out=False)
def CreateEvent(world: World, e: str, manual: bool, initial: bool) -> str:
    world.events[e] = world.ws.CreateEvent(False, manual, initial)
    return "made"


@_call(_EVENT, weight=1, turns={0: None}, reaches_out=False)
def WSACloseEvent(world: World, e: int) -> str:
    name = next((name for name, one in world.events.items() if one == e), None)
    world.ws.WSACloseEvent(e)
    if name is not None:
        del world.events[name]
    return "closed"


@_call(_EVENT, weight=1)
def WSASetEvent(world: World, e: int) -> str:
    world.ws.WSASetEvent(e)
    return "set"


@_call(_EVENT, weight=3)
def WSAResetEvent(world: World, e: int) -> str:
    world.ws.WSAResetEvent(e)
    return "reset"


@_call(Several(_EVENT, 2), Pick(False, True), weight=6, reaches_out=False)
def WSAWaitForMultipleEvents(world: World, events: tuple[str, ...], all: bool) -> int:
    return world.ws.WSAWaitForMultipleEvents([world.thing(name) or 0 for name in events], all, 0, False)


@_call(_SOCKET, _EVENT, _EVENTS, weight=8)
def WSAEventSelect(world: World, s: int, e: int, mask: str | int) -> str:
    world.ws.WSAEventSelect(s, e, number(mask))
    return "selected"


@_call(_SOCKET, Ref("event", optional=True), weight=8)
def WSAEnumNetworkEvents(world: World, s: int, e: int | None) -> Any:
    happened, codes = world.ws.WSAEnumNetworkEvents(s, e)
    return [happened, [codes[bit] for bit in range(10) if happened >> bit & 1]]


# ---- overlapped requests ---------------------------------------------------------------------------------------

#: Of requests: MSG_PEEK is not for them, and one for urgent data brings Wine's server down.
_REQUEST_FLAGS: Final = Pick(0)
_REQUEST: Final = Ref("record")
_MAYBE_EVENT: Final = Ref("event", optional=True)


@contextmanager
def _request(
    world: World, o: str, s: int, e: int | None = None, buffers: list[bytearray] | None = None
) -> Iterator[Any]:
    """The record of a request that begins in the block; it is forgotten if the call fails."""
    if e is not None:
        world.ws.WSAResetEvent(e)
    world.requests[o] = Request(world.ws.overlapped(e), s, buffers or [])
    try:
        yield world.requests[o].record
    except Failed:
        del world.requests[o]
        raise


def _routine(world: World, o: str) -> Callable[[int, int, Any, int], object]:
    return lambda error, moved, record, flags: world.told.append([o, error, moved, flags])


@_call(New("record"), _CARRIER, Several(_ROOM, 2), _REQUEST_FLAGS, _MAYBE_EVENT, weight=10)
def WSARecv_overlapped(world: World, o: str, s: int, rooms: tuple[int, ...], flags: int | str, e: int | None) -> Any:
    buffers = _rooms(rooms)
    with _request(world, o, s, e, buffers) as record:
        return result_of(world.ws.WSARecv(s, buffers, number(flags), record))


@_call(New("record"), _CARRIER, Several(_SIZE, 2), _SEND_FLAGS, _MAYBE_EVENT, weight=5)
def WSASend_overlapped(world: World, o: str, s: int, sizes: tuple[int, ...], flags: int | str, e: int | None) -> Any:
    pieces = _pieces(world, sizes)
    with _request(world, o, s, e) as record:
        return result_of(world.ws.WSASend(s, pieces, number(flags), record))


@_call(New("record"), _CARRIER, Several(_ROOM, 2), _REQUEST_FLAGS, weight=4)
def WSARecv_routine(world: World, o: str, s: int, rooms: tuple[int, ...], flags: int | str) -> Any:
    buffers = _rooms(rooms)
    with _request(world, o, s, None, buffers) as record:
        return result_of(world.ws.WSARecv(s, buffers, number(flags), record, _routine(world, o)))


@_call(New("record"), _CARRIER, Several(_SIZE, 2), weight=2)
def WSASend_routine(world: World, o: str, s: int, sizes: tuple[int, ...]) -> Any:
    pieces = _pieces(world, sizes)
    with _request(world, o, s) as record:
        return result_of(world.ws.WSASend(s, pieces, 0, record, _routine(world, o)))


@_call(New("record"), _DATAGRAM, Several(_ROOM, 2), _REQUEST_FLAGS, _MAYBE_EVENT, weight=5)
def WSARecvFrom_overlapped(
    world: World, o: str, s: int, rooms: tuple[int, ...], flags: int | str, e: int | None
) -> Any:
    buffers = _rooms(rooms)
    with _request(world, o, s, e, buffers) as record:
        returned = world.ws.WSARecvFrom(s, buffers, number(flags), None, record)
    return "pending" if returned is PENDING else int(returned[0])


@_call(New("record"), _DATAGRAM, Several(_SIZE, 2), _DESTINATION, _MAYBE_EVENT, weight=3)
def WSASendTo_overlapped(world: World, o: str, s: int, sizes: tuple[int, ...], to: str | None, e: int | None) -> Any:
    where = world.address(to, _family(world, s))
    pieces = _pieces(world, sizes)
    with _request(world, o, s, e) as record:
        return result_of(world.ws.WSASendTo(s, pieces, 0, where, record))


@_call(
    New("record"), Ref("socket", ("listening",), strict=True), Ref("socket", ("stream",), strict=True),
    Pick(0, 10, 0, 100), _MAYBE_EVENT, weight=6, turns={2: "accepting"},
)  # fmt: skip
def AcceptEx(world: World, o: str, listening: int, acceptor: int, receive: int, e: int | None) -> Any:
    room = SIZE_IN6 + 16
    buffer = bytearray(receive + 2 * room)
    with _request(world, o, listening, e) as record:  # its buffer has addresses: not told
        return result_of(world.ws.AcceptEx(listening, acceptor, buffer, receive, room, room, record))


@_call(
    New("record"), Ref("socket", ("bound", "stream"), strict=True),
    Address("nobody", "zero", "other", roles=("listening",)),
    Pick(0, 0, 5), _MAYBE_EVENT, weight=5, turns={1: "connected"},
)  # fmt: skip
def ConnectEx(world: World, o: str, s: int, where: str | None, size: int, e: int | None) -> Any:
    to = world.address(where, _family(world, s))
    data = world.take(size) if size else None
    with _request(world, o, s, e) as record:
        return result_of(world.ws.ConnectEx(s, to, data, record))


@_call(New("record"), _CONNECTED, Pick(0, "TF_REUSE_SOCKET"), _MAYBE_EVENT, weight=2)
def DisconnectEx(world: World, o: str, s: int, flags: int | str, e: int | None) -> Any:
    with _request(world, o, s, e) as record:
        return result_of(world.ws.DisconnectEx(s, record, number(flags)))


@_call(_REQUEST, weight=6, reaches_out=False)
def status(world: World, o: str) -> Any:
    """What the record shows."""
    return status_of(world.request(o))


@_call(_REQUEST, weight=6, reaches_out=False)
def WSAGetOverlappedResult(world: World, o: str) -> Any:
    request = world.request(o)
    moved, flags = world.ws.WSAGetOverlappedResult(request.handle, request.record, False)
    return [int(moved), flags]


@_call(_REQUEST, weight=3, reaches_out=False)
def GetOverlappedResult(world: World, o: str) -> Any:
    request = world.request(o)
    return int(world.ws.GetOverlappedResult(request.handle, request.record, False))


@_call(_REQUEST, weight=4)
def CancelIoEx(world: World, o: str) -> str:
    request = world.request(o)
    world.ws.CancelIoEx(request.handle, request.record)
    return "cancelled"


@_call(_SOCKET, weight=2)
def CancelIoEx_all(world: World, s: int) -> str:
    world.ws.CancelIoEx(s, None)
    return "cancelled"


@_call(_SOCKET, weight=2)
def CancelIo(world: World, s: int) -> str:
    world.ws.CancelIo(s)
    return "cancelled"


@_call(weight=5)
def SleepEx(world: World) -> Any:
    """Alertable, and without a wait: completion routines run. In which order is not compared."""
    world.told.clear()
    result = world.ws.SleepEx(0, True)
    return [result, sorted(world.told)]


# ---- completion ports ------------------------------------------------------------------------------------------


@_call(New("port"), weight=1, reaches_out=False)
def completion_port(world: World, p: str) -> str:
    """A port without a socket."""
    world.ports[p] = world.ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0)
    return "made"


@_call(_SOCKET, Ref("port"), Pick(1, 2), weight=4, reaches_out=False)
def associate(world: World, s: int, p: int, key: int) -> str:
    """A socket and a port, by CreateIoCompletionPort."""
    world.ws.CreateIoCompletionPort(s, p, key, 0)
    return "associated"


@_call(_SOCKET, Pick(1, 2, 3), weight=2, reaches_out=False)
def SetFileCompletionNotificationModes(world: World, s: int, modes: int) -> str:
    world.ws.SetFileCompletionNotificationModes(s, modes)
    return "set"


@_call(Ref("port"), weight=6, reaches_out=False)
def packets(world: World, p: int) -> Any:
    """All packets of a port, by GetQueuedCompletionStatus. In which order they came is not compared."""
    found: list[list[Any]] = []
    for _ in range(20):
        code = "success"
        try:
            packet = world.ws.GetQueuedCompletionStatus(p, 0)
        except Failed as failure:
            if failure.packet is None:
                return [str(failure.code), *sorted(found, key=str)]
            packet, code = failure.packet, str(failure.code)
        moved, key, token = packet
        found.append([_record_of(world, token), code, moved, key])
    return ["too many", *found]


@_call(Ref("port"), Pick(1, 7), weight=1)
def PostQueuedCompletionStatus(world: World, p: int, key: int) -> str:
    world.ws.PostQueuedCompletionStatus(p, 3, key, 0)
    return "posted"


def _record_of(world: World, token: Any) -> str:
    for name, request in world.requests.items():
        if world.ws.token(request.record) == token:
            return name
    return "unknown" if token else "NULL"


# ---- options and control ---------------------------------------------------------------------------------------

LEVELS: Final = {
    "SO": "SOL_SOCKET",
    "TCP": "IPPROTO_TCP",
    "UDP": "IPPROTO_UDP",
    "IP": "IPPROTO_IP",
    "IPV6": "IPPROTO_IPV6",
}
_OPTIONS: Final = (
    "SO_REUSEADDR", "SO_EXCLUSIVEADDRUSE", "SO_KEEPALIVE", "SO_BROADCAST", "SO_OOBINLINE", "SO_LINGER",
    "SO_DONTLINGER", "SO_DONTROUTE", "SO_DEBUG", "SO_SNDBUF", "SO_RCVBUF", "SO_SNDTIMEO", "SO_RCVTIMEO",
    "SO_ERROR", "SO_TYPE", "SO_ACCEPTCONN", "SO_MAX_MSG_SIZE", "SO_CONNECT_TIME", "SO_CONDITIONAL_ACCEPT",
    "SO_UPDATE_CONNECT_CONTEXT", "SO_GROUP_ID", "SO_RANDOMIZE_PORT", "SO_USELOOPBACK",
    "TCP_NODELAY", "TCP_KEEPALIVE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_EXPEDITED_1122", "TCP_MAXSEG",
    "TCP_MAXRT", "TCP_BSDURGENT", "IP_TTL", "IP_TOS", "IP_DONTFRAGMENT", "IP_MULTICAST_TTL", "IP_MULTICAST_LOOP",
    "IP_MULTICAST_IF", "IP_HDRINCL", "IP_PKTINFO", "IP_UNICAST_IF", "IP_RECVTTL", "IP_RECVTOS", "IP_MTU_DISCOVER",
    "IPV6_V6ONLY", "IPV6_UNICAST_HOPS", "IPV6_MULTICAST_HOPS", "IPV6_MULTICAST_LOOP", "IPV6_MULTICAST_IF",
    "IPV6_PKTINFO", "IPV6_RECVTCLASS",
)  # fmt: skip
_OPTION: Final = Pick(*_OPTIONS)


def _option(word: str) -> tuple[int, int]:
    return number(LEVELS[word.partition("_")[0]]), number(word)


def _value(value: int | str | None) -> bytes | int | None:
    return bytes.fromhex(value[2:]) if isinstance(value, str) else value


@_call(_SOCKET, _OPTION, Pick(None, None, 4, 4, 1, 2, 8, 0), weight=6, reaches_out=False)
def getsockopt(world: World, s: int, option: str, room: int | None) -> str:
    return bytes(world.ws.getsockopt(s, *_option(option), room)).hex()


@_call(
    _SOCKET,
    _OPTION,
    Pick(1, 0, 1, 0, 2, 64, 255, 256, 70000, -1, "x:01", "x:0000", "x:", "x:0100000000000000", None),
    weight=6,
)
def setsockopt(world: World, s: int, option: str, value: int | str | None) -> str:
    if option == "SO_LINGER" and value == 1:
        value = "x:01000000"  # on, no time: closing resets
    world.ws.setsockopt(s, *_option(option), _value(value))
    return "set"


@_call(Ref("socket", ("accepting",), strict=True), _LISTENER, weight=3)
def update_accept_context(world: World, s: int, listening: int) -> str:
    """SO_UPDATE_ACCEPT_CONTEXT with the listener, for a socket of AcceptEx."""
    world.ws.setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, listening.to_bytes(8, "little"))
    return "set"


@_call(_SOCKET, Pick("FIONREAD", "SIOCATMARK", "FIONREAD"), weight=5, reaches_out=False)
def ioctlsocket(world: World, s: int, code: str) -> int:
    return world.ws.ioctlsocket(s, number(code), 0)


@_call(
    _SOCKET,
    Pick(
        "FIONREAD", "SIOCATMARK", "SIO_KEEPALIVE_VALS", "SIO_UDP_CONNRESET", "SIO_ENABLE_CIRCULAR_QUEUEING", "SIO_FLUSH"
    ),
    Pick("x:01000000", "x:00000000", "x:", None, "x:01000000e8030000e8030000"),
    Pick(4, 0, 1),
    weight=2,
)
def WSAIoctl(world: World, s: int, code: str, data: str | None, room: int) -> str:
    given = None if data is None else bytes.fromhex(data[2:])
    return bytes(world.ws.WSAIoctl(s, number(code), given, room)).hex()


# ---- the end ---------------------------------------------------------------------------------------------------


@_call(weight=0)
def look(world: World) -> Any:
    """Everything that can be seen in the end: the last step of every sequence, so that nothing stays hidden."""
    ws = world.ws
    seen: dict[str, list[Any]] = {}
    for name in sorted(world.events):
        seen[name] = [ws.WSAWaitForMultipleEvents([world.events[name]], False, 0, False)]
    for name in sorted(world.requests):
        seen[name] = [status_of(world.requests[name])]
    for name in sorted(world.ports):
        seen[name] = packets(world, world.ports[name])
    for name in sorted(world.sockets):
        seen[name] = _look_at(world, world.sockets[name])
    return seen


def _look_at(world: World, s: int) -> list[Any]:
    ws = world.ws
    seen: list[Any] = []
    seen.append("")
    with failing(seen):
        seen[0] = "".join(letter for letter, one in zip("rwx", ws.select([s], [s], [s], _NOW), strict=True) if one)
    with failing(seen):
        seen.append(world.where(ws.getsockname(s)))
    with failing(seen):
        seen.append(world.where(ws.getpeername(s)))
    with failing(seen):
        happened, codes = ws.WSAEnumNetworkEvents(s)
        seen.append([happened, [code for code in codes if code]])
    with failing(seen):
        seen.append(ws.ioctlsocket(s, FIONREAD, 0))
    with failing(seen):
        seen.append(ws.ioctlsocket(s, SIOCATMARK, 0))
    with failing(seen):
        seen.append(ws.get_int(s, SOL_SOCKET, SO_ERROR))
    for _ in range(6):  # what is still to be read, and how it ends
        if "r" not in seen[0]:
            break
        room = bytearray(4000)
        with failing(seen):
            moved = ws.recv(s, room)
            seen.append(data_of(room[:moved]))
        if seen[-1] == "" or "WSA" in seen[-1]:
            break
    return seen
