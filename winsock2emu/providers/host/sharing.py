"""Shared sockets: several descriptors of one socket.

Part played:     what msafd and the object manager do for WSADuplicateSocket: a file object with several handles.
Lives here:      tickets, the number in dwProviderReserved that WSASocket takes; which descriptors a socket has, and
                 which threads are inside a call that came through one of them.
Lives elsewhere: the socket itself, which knows nothing of it (stream, datagram); opening and closing (provider).

    WSADuplicateSocket ──ticket──▶ WSASocket ──▶ one more descriptor
         │ the socket lives as long as it has a descriptor or a ticket
         ▼
    never opened: until the last WSACleanup

Descriptors:     each is a descriptor of the host as well, a duplicate, so that host functions can use it. The socket
                 goes on using its first one, whatever becomes of the handle of that number: closed before others, the
                 number stays out of use until the last descriptor is closed.
Closing:         frees the descriptor and ends the calls that wait and came through it, with WSAEINTR; calls through
                 other descriptors, and a select on the closed one, go on. Linger counts for the last one only (R10.11).
State:           all of it is the socket's (R10.7), but for what Windows was seen to keep apart: a datagram socket that
                 was bound after it had been duplicated is unbound to receives through every descriptor but the one that
                 bound it.
One process:     a ticket counts in the process it was made in, and there only. For another one that exists
                 WSADuplicateSocket fails with WSAEOPNOTSUPP: nothing carries a socket there yet.
Sources:         nf-winsock2-wsaduplicatesocketw, shared-sockets-2, shared-sockets-in-the-spi-2; R10.1-R10.24, A84, A85
                 and the behaviours dup-* of the project's reference.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from ...defs.codes import WSAEINTR, WSAEINVAL, WSAENOTSOCK, WSAEOPNOTSUPP
from ...defs.constants import SOCK_STREAM
from ...errors import WinsockError
from ...kernel.processes import process_exists
from .hostsocket import HostSocket, check_buffers
from .translate import from_host
from .watching import Watch

_LARGEST_TICKET: Final = 0xFFFFFFFF

# A call that came through a descriptor is over microseconds after it was ended; one that is not will find the
# descriptor closed later. Looked at every millisecond.
_PATIENCE: Final = 1000
_LOOK_S: Final = 0.001


class Descriptor:
    """One descriptor of a shared socket; its entries are those of the procedure table for this handle.

    Attributes:
        endpoint: the socket.
        handle: the SOCKET, a descriptor of the host.
        unbound: the socket was not bound when it was shared, and has not been through this descriptor since.
    """

    __slots__ = ("_inside", "endpoint", "handle", "unbound")

    def __init__(self, endpoint: HostSocket, handle: int) -> None:
        self.endpoint = endpoint
        self._inside: list[int] = []
        self.handle = handle
        self.unbound = endpoint.socket_type != SOCK_STREAM and not endpoint.bound

    def __enter__(self) -> None:
        """A call comes through this descriptor."""
        self._inside.append(threading.get_ident())

    def __exit__(self, *failure: object) -> None:
        self._inside.remove(threading.get_ident())

    def WSPSend(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPSend."""
        with self:
            return self.endpoint.WSPSend(s, buffers, flags, operation)

    def WSPSendTo(self, s: int, buffers: Any, flags: int, to: bytes | None, operation: Any) -> Any:
        """WSPSendTo, which binds."""
        with self:
            moved = self.endpoint.WSPSendTo(s, buffers, flags, to, operation)
        self.unbound = False
        return moved

    def WSPRecv(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPRecv."""
        self._check_bound(buffers)
        with self:
            return self.endpoint.WSPRecv(s, buffers, flags, operation)

    def WSPRecvFrom(self, s: int, buffers: Any, flags: int, room: int | None, operation: Any) -> Any:
        """WSPRecvFrom."""
        self._check_bound(buffers)
        with self:
            return self.endpoint.WSPRecvFrom(s, buffers, flags, room, operation)

    def _check_bound(self, buffers: Any) -> None:
        if self.unbound:
            check_buffers(buffers)
            raise WinsockError(WSAEINVAL)

    def end_calls(self) -> None:
        """The descriptor is closed: end the calls that came through it and wait, and see them leave."""
        this = threading.get_ident()  # may be inside one itself: a signal handler, a condition function
        for _ in range(_PATIENCE):
            others = {thread for thread in tuple(self._inside) if thread != this}
            if not others:
                return
            self.endpoint.inbound.interrupt(others, WSAEINTR)
            self.endpoint.outbound.interrupt(others, WSAEINTR)
            time.sleep(_LOOK_S)


@attrs.define(eq=False)
class _Shared:
    """A socket that is or may become shared."""

    endpoint: HostSocket
    descriptors: dict[int, Descriptor] = attrs.field(factory=dict)
    tickets: int = 0


@attrs.frozen
class _Ticket:
    shared: _Shared
    process_id: int


class Sharing:
    """The shared sockets of one provider instance."""

    def __init__(self, handles: Mapping[int, HostSocket]) -> None:
        """``handles``: the provider's; a handle leaves it before `leave` is called."""
        self._lock = threading.Lock()
        self._handles = handles
        self._sockets: dict[HostSocket, _Shared] = {}
        self._tickets: dict[int, _Ticket] = {}
        self._random = random.Random()  # not the module's, whose sequence belongs to the program
        self.descriptors: dict[int, Descriptor] = {}
        """The handles of shared sockets; to be read by anyone, changed by the methods."""

    def issue(self, endpoint: HostSocket, handle: int, process_id: int) -> int:
        """WSADuplicateSocket: a ticket for one more descriptor in a process.

        Raises:
            WinsockError: WSAEINVAL, no such process; WSAEOPNOTSUPP, another process; WSAENOTSOCK, closed meanwhile.
        """
        if process_id != os.getpid():
            raise WinsockError(WSAEOPNOTSUPP if process_exists(process_id) else WSAEINVAL)
        with self._lock:
            if self._handles.get(handle) is not endpoint:
                raise WinsockError(WSAENOTSOCK)
            shared = self._sockets.setdefault(endpoint, _Shared(endpoint))
            if handle not in shared.descriptors:
                self.descriptors[handle] = shared.descriptors[handle] = Descriptor(endpoint, handle)
            number = 0
            while not number or number in self._tickets:
                number = self._random.randint(1, _LARGEST_TICKET)
            self._tickets[number] = _Ticket(shared, process_id)
            shared.tickets += 1
        return number

    def open(self, number: int, *, inheritable: bool) -> tuple[HostSocket, Descriptor]:
        """WSASocket with a ticket, which is used up: one more descriptor, its handle a descriptor of the host.

        Raises:
            WinsockError: WSAEINVAL, no such ticket here (any more); WSAEMFILE, no descriptor is left, and the ticket
                can be used again.
        """
        with self._lock:
            ticket = self._tickets.get(number)
            if ticket is None or ticket.process_id != os.getpid() or ticket.shared.endpoint.closing:
                raise WinsockError(WSAEINVAL)
            shared = ticket.shared
            try:
                handle = os.dup(shared.endpoint.fd)
            except OSError as failure:
                raise from_host(failure) from failure
            try:
                os.set_inheritable(handle, inheritable)
            except OSError as failure:
                os.close(handle)
                raise from_host(failure) from failure
            del self._tickets[number]
            shared.tickets -= 1
            descriptor = Descriptor(shared.endpoint, handle)
            if descriptor.unbound or len(shared.descriptors) == 1:
                # An only descriptor has not been told by whom the socket was bound.
                for other in shared.descriptors.values():
                    other.unbound = descriptor.unbound
            if not shared.descriptors:
                shared.endpoint.handle = handle
            self.descriptors[handle] = shared.descriptors[handle] = descriptor
        return shared.endpoint, descriptor

    def partners(self, endpoint: HostSocket) -> list[Descriptor]:
        """All descriptors of a socket."""
        shared = self._sockets.get(endpoint)
        return list(shared.descriptors.values()) if shared is not None else []

    def bound_through(self, handle: int) -> None:
        """A call through this handle has bound the socket, if anything."""
        descriptor = self.descriptors.get(handle)
        if descriptor is not None:
            descriptor.unbound = False

    def is_last(self, handle: int) -> bool:
        """Whether closing this handle ends its socket."""
        descriptor = self.descriptors.get(handle)
        if descriptor is None:
            return True
        shared = self._sockets.get(descriptor.endpoint)
        return shared is None or (len(shared.descriptors) == 1 and not shared.tickets)

    def leave(self, endpoint: HostSocket, handle: int) -> bool:
        """A handle has been given back: let go of its descriptor. True when the socket goes on without it."""
        with self._lock:
            descriptor = self.descriptors.pop(handle, None)
            if descriptor is None:
                return False
            shared = self._sockets[endpoint]
            del shared.descriptors[handle]
            goes_on = bool(shared.descriptors or shared.tickets)
            if not goes_on:
                del self._sockets[endpoint]
            elif endpoint.handle == handle and shared.descriptors:
                endpoint.handle = next(iter(shared.descriptors))
        if goes_on:
            forget_waits(endpoint)
            descriptor.end_calls()
        if handle != endpoint.fd:
            os.close(handle)
        elif goes_on:
            os.set_inheritable(handle, False)  # nobody is to find it any more
        return goes_on

    def lost(self, endpoint: HostSocket, handle: int) -> list[int]:
        """A handle's descriptor has been closed behind our back: forget it. The handles that the socket has left."""
        with self._lock:
            descriptor = self.descriptors.pop(handle, None)
            if descriptor is None:
                return []
            shared = self._sockets[endpoint]
            del shared.descriptors[handle]
            if not shared.descriptors and not shared.tickets:
                del self._sockets[endpoint]
            elif endpoint.handle == handle and shared.descriptors:
                endpoint.handle = next(iter(shared.descriptors))
        forget_waits(endpoint)
        descriptor.end_calls()
        return list(shared.descriptors)

    def end(self) -> Iterable[HostSocket]:
        """The last WSACleanup: forget all tickets; returns the sockets that only tickets have kept."""
        with self._lock:
            kept = [shared.endpoint for shared in self._sockets.values() if not shared.descriptors]
            for shared in self._sockets.values():
                shared.tickets = 0
            for endpoint in kept:
                del self._sockets[endpoint]
            self._tickets.clear()
        return kept

    def after_fork(self) -> None:
        """In the child: tickets are the parent's, and no thread is inside a call."""
        self._lock = threading.Lock()
        for descriptor in self.descriptors.values():
            descriptor._inside.clear()


def forget_waits(endpoint: HostSocket) -> None:
    """Prepared waits know the socket by a handle that may soon mean another one: they are not to be repeated."""
    for reference in tuple(endpoint.watchers):
        watcher = reference()
        if isinstance(watcher, Watch):
            watcher.lost = True
