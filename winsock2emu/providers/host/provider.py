"""The procedure table of the host provider.

Part played:     msafd's WSPStartup and its 30 entries.
Lives here:      which socket a handle means, making and closing sockets; one line per call that goes to the socket
                 itself; which calls network events are told of.
Lives elsewhere: the calls (stream, datagram, options, ioctls, selecting, polling, messages), network events
                 (netevents), text forms of addresses (defs/addresstext).
Handles:         IFS handles, the host's descriptor numbers, registered through WPUModifyIFSHandle and given back before
                 the descriptor is closed, since the host gives the number out again at once.
Unwritten:       what later chapters bring (multipoint, QOS) fails with WSAEOPNOTSUPP.
"""

from __future__ import annotations

import contextlib
import os
import threading
from _socket import IPPROTO_IPV6, IPV6_V6ONLY
from _socket import socket as HostSocketObject
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TypeVar

import attrs

from ...defs.acceptbuffer import accept_addresses
from ...defs.addresstext import address_to_string, string_to_address
from ...defs.codes import (
    WSAEACCES,
    WSAEAFNOSUPPORT,
    WSAEINTR,
    WSAEINVAL,
    WSAENOPROTOOPT,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEPROTONOSUPPORT,
    WSAESOCKTNOSUPPORT,
    WSAEWOULDBLOCK,
    WSATRY_AGAIN,
)
from ...defs.constants import (
    AF_INET6,
    AF_UNIX,
    FD_ALL_EVENTS,
    FROM_PROTOCOL_INFO,
    SD_RECEIVE,
    SD_SEND,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
    WSA_FLAG_REGISTERED_IO,
)
from ...defs.records import ProtocolInfo, TransmitElement, WSPData
from ...defs.sockaddr import SockAddr
from ...engine.registered import CompletionQueue
from ...errors import WinsockError
from ...kernel.events import Event
from ...spi.upcalls import Upcalls
from .acceptex import accept_into
from .adopting import take_state
from .binding import Bindings
from .changes import ChangeWaits
from .connectex import connect_overlapped
from .datagram import DatagramSocket
from .disconnectex import disconnect
from .hostsocket import HostSocket
from .interfaces import HostNetwork
from .ioctls import Request, control
from .messages import receive_message, send_message
from .netevents import NOTHING, Enabling, NetworkEvents
from .options import get_option, set_option
from .polling import PollList
from .polls import HostConditions, conditions_of
from .raw import RawSocket
from .registered import HostRequestQueue, create_request_queue
from .selecting import Selection
from .sharing import Descriptor, Sharing
from .stream import StreamSocket
from .translate import HOST_FAMILY, from_host
from .transmit import Source, transmit_file, transmit_packets
from .unix import UnixSocket
from .urgent import present
from .watching import keep

SPI_VERSION = 0x0202

_OPEN = (0, FROM_PROTOCOL_INFO)
_FLAGS = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT | WSA_FLAG_REGISTERED_IO


class _Kept(threading.local):
    """The waits that a thread may repeat: the one it made last, and those before it."""

    selection: Selection | None = None
    selections: tuple[Selection, ...] = ()
    polls: tuple[PollList, ...] = ()


M = TypeVar("M", HostSocket, Descriptor)

_ALONE = contextlib.nullcontext()


def _identity(descriptor: int) -> tuple[int, int] | None:
    """What a descriptor leads to; None for nothing."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _kind_of(info: ProtocolInfo) -> type[HostSocket]:
    if info.socket_type == SOCK_STREAM:
        return UnixSocket if info.address_family == AF_UNIX else StreamSocket
    return RawSocket if info.socket_type == SOCK_RAW else DatagramSocket


def _unwritten(*arguments: Any) -> NoReturn:
    raise WinsockError(WSAEOPNOTSUPP)


class HostProvider:
    """TCP, UDP and raw IP over IPv4 and IPv6, and AF_UNIX streams, on the host's stack; a `TransportProvider`.

    Attributes:
        network: the host's interfaces and routes, as control codes see them.
        waits: requests that wait for a change.
        bindings: the ports that TCP and UDP sockets hold.
        sharing: sockets with several descriptors.
        request_queues: those of registered I/O, by socket.
    """

    def __init__(self) -> None:
        self._sockets: dict[int, HostSocket] = {}
        self._upcalls: Upcalls | None = None
        self._startups = 0
        self._kept = _Kept()
        self.network = HostNetwork()
        self.waits = ChangeWaits()
        self.bindings = Bindings()
        self.sharing = Sharing(self._sockets)
        self._attaching = threading.Lock()
        self.request_queues: dict[HostSocket, HostRequestQueue] = {}
        self._left: dict[int, tuple[int, int] | None] = {}  # see `leave`
        present(self)

    # Life

    def WSPStartup(self, version: int, info: ProtocolInfo, upcalls: Upcalls, /) -> WSPData:
        self._startups += 1
        self._upcalls = upcalls
        return WSPData(version=min(version, SPI_VERSION), high_version=SPI_VERSION, description="Host sockets")

    def WSPCleanup(self) -> None:
        self._startups -= 1
        if self._startups > 0:
            return
        for s in tuple(self._left):
            self.take_back(s)
        kept = self.sharing.end()
        for endpoint in (*self._sockets.values(), *kept):
            endpoint.abort(WSAEINTR, silent=True)  # programs are told nothing any more of what was overlapped
        # Nobody is left who could be told to call again, so nothing lingers; data on its way is sent all the same.
        while self._sockets:
            self._close(*self._sockets.popitem(), linger=False)
        for endpoint in kept:
            self._end(endpoint, linger=False)

    def after_fork(self) -> None:
        """In the child: nothing waits, every lock is new."""
        self.waits.after_fork()
        self.bindings.reset_locks()
        self.sharing.after_fork()
        self._kept = _Kept()
        self._attaching = threading.Lock()
        for endpoint in self._sockets.values():
            endpoint.after_fork()

    def endpoints(self) -> Iterable[HostSocket]:
        """All sockets; one that is shared may come more than once."""
        return self._sockets.values()

    def _socket(self, s: int) -> HostSocket:
        try:
            return self._sockets[s]
        except KeyError:
            raise WinsockError(WSAENOTSOCK) from None

    # Sockets

    def WSPSocket(self, af: int, type: int, protocol: int, info: ProtocolInfo, group: int, flags: int, /) -> int:
        if flags & ~_FLAGS:
            raise WinsockError(WSAEINVAL if flags & ~0x1FF else WSAEOPNOTSUPP)
        if info.provider_reserved:
            return self._open_shared(info.provider_reserved, flags)
        # Arguments win over the record, as on Windows; what they leave open is the record's.
        af = info.address_family if af in _OPEN else af
        type = info.socket_type if type in _OPEN else type
        protocol = info.protocol if protocol in _OPEN else protocol
        if af not in HOST_FAMILY:
            raise WinsockError(WSAEAFNOSUPPORT)
        if type not in (SOCK_STREAM, SOCK_DGRAM, SOCK_RAW) or (af == AF_UNIX and type != SOCK_STREAM):
            raise WinsockError(WSAESOCKTNOSUPPORT)
        if type == SOCK_RAW and not protocol:
            raise WinsockError(WSAEPROTONOSUPPORT)
        if (af, type) != (info.address_family, info.socket_type):
            info = attrs.evolve(info, address_family=af, socket_type=type, protocol=0 if type == SOCK_RAW else protocol)
        try:
            host = HostSocketObject(HOST_FAMILY[af], type, protocol)
            if af == AF_INET6 and type != SOCK_RAW:
                # Only here: an accepted socket has its listener's, and hosts refuse a change once it is bound (or raw).
                host.setsockopt(int(IPPROTO_IPV6), int(IPV6_V6ONLY), 1)
        except PermissionError as failure:
            raise WinsockError(WSAEACCES) from failure
        except OSError as failure:
            raise from_host(failure) from failure
        return self._register(host, info, protocol, flags).handle

    def _register(self, host: HostSocketObject, info: ProtocolInfo, protocol: int, flags: int) -> HostSocket:
        """Make an endpoint of a host socket and have its descriptor accepted as a handle."""
        try:
            if not flags & WSA_FLAG_NO_HANDLE_INHERIT:
                os.set_inheritable(host.fileno(), True)
            return self._enter(host, info, protocol, flags)
        except BaseException:
            self._sockets.pop(host.fileno(), None)
            host.close()
            raise

    def _enter(self, host: HostSocketObject, info: ProtocolInfo, protocol: int, flags: int) -> HostSocket:
        upcalls = self._upcalls
        assert upcalls is not None, "WSPStartup comes first"
        self._drop(host.fileno())
        host.setblocking(False)
        endpoint = _kind_of(info)(upcalls.engine, host, info, protocol, flags)
        if info.address_family != AF_UNIX and info.socket_type != SOCK_RAW:
            endpoint.bindings = self.bindings
        self._sockets[endpoint.fd] = endpoint
        s = endpoint.handle = upcalls.WPUModifyIFSHandle(info.catalog_entry_id, endpoint.fd)
        upcalls.own_entries(s, endpoint, overlapped=bool(flags & WSA_FLAG_OVERLAPPED))
        return endpoint

    def adopt(self, host: HostSocketObject, info: ProtocolInfo, protocol: int, /) -> int:
        """Take over a host socket that was not made here: its handle, the descriptor's number.

        It is non-blocking and has the overlapped attribute from now on. A socket that is known under the number already
        has been closed behind our back: what pends on it ends. When this fails the descriptor is still the caller's.

        Raises:
            WinsockError: what the host says.
        """
        descriptor = host.fileno()
        try:
            endpoint = self._enter(host, info, protocol, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT)
            endpoint.blocking = False
            take_state(endpoint)
        except BaseException:  # an interrupt among them
            host.detach()
            self._sockets.pop(descriptor, None)
            if self._upcalls is not None:
                with contextlib.suppress(WinsockError):
                    self._upcalls.WPUCloseSocketHandle(descriptor)
            raise
        return endpoint.handle

    def look_again(self, s: int, /) -> None:
        """Something has been done to an adopted socket by the host's own calls."""
        take_state(self._socket(s))

    def release(self, s: int, /) -> None:
        """Forget a socket without closing its descriptor, which is the caller's from now on; what pends on it ends.

        Raises:
            WinsockError: WSAENOTSOCK; WSAEOPNOTSUPP, a socket with several descriptors.
        """
        endpoint = self._socket(s)
        if s in self.sharing.descriptors:
            raise WinsockError(WSAEOPNOTSUPP)
        assert self._upcalls is not None
        del self._sockets[s]
        self._upcalls.WPUCloseSocketHandle(s)
        self._forget(endpoint)

    def leave(self, s: int, /) -> None:
        """The program gives a handle away, maybe to a library that uses the descriptor and closes it as the host does.

        The handle stays good until then.
        """
        if s in self._sockets:
            self._left[s] = _identity(s)

    def take_back(self, s: int, /) -> bool:
        """A handle that was given away is used again; False when it has been closed meanwhile: it is forgotten."""
        if s in self._left and self._left.pop(s) != _identity(s):
            self._drop(s)
            return False
        return True

    def lent(self, s: int, /) -> HostSocketObject | None:
        """The host socket of a handle that was given away; None for others, and for one that has been closed meanwhile,
        which is forgotten.
        """
        if s not in self._left:
            return None
        if self._left[s] != _identity(s):
            self._drop(s)
            return None
        return self._sockets[s].host

    def _drop(self, s: int) -> None:
        """Forget a socket that was closed behind our back: its host socket would close the descriptor's new owner.

        One that has other handles goes on with them, unless the descriptor of its host socket is what is gone.
        """
        self._left.pop(s, None)
        stale = self._sockets.pop(s, None)
        if stale is None:
            return
        assert self._upcalls is not None
        with contextlib.suppress(WinsockError):
            self._upcalls.WPUCloseSocketHandle(s)
        others = self.sharing.lost(stale, s)
        if s != stale.fd and others:
            return
        for other in others:
            self._left.pop(other, None)
            self._sockets.pop(other, None)
            with contextlib.suppress(WinsockError):
                self._upcalls.WPUCloseSocketHandle(other)
            self.sharing.lost(stale, other)  # whoever has the number closes it
        self._forget(stale)

    def _forget(self, endpoint: HostSocket) -> None:
        """End what waits on a socket, without its descriptor."""
        endpoint.abort(WSAEINTR)
        self.waits.close(endpoint, WSAEINTR)
        if endpoint.bindings is not None:
            endpoint.bindings.release(endpoint)
        endpoint.host.detach()

    def WSPCloseSocket(self, s: int, /) -> None:
        endpoint = self._socket(s)
        if self.sharing.is_last(s):
            endpoint.before_close()
        if self._sockets.pop(s, None) is None:
            raise WinsockError(WSAENOTSOCK)
        self._close(s, endpoint, linger=True)

    def _close(self, s: int, endpoint: HostSocket, *, linger: bool) -> None:
        """Give a handle back; its socket ends with the last one."""
        assert self._upcalls is not None
        self._left.pop(s, None)
        try:
            # First, since the host gives the number out again at once.
            self._upcalls.WPUCloseSocketHandle(s)
        finally:
            if self.sharing.leave(endpoint, s):
                self.waits.close(endpoint, WSAEINTR, s)
            else:
                self._end(endpoint, linger=linger)

    def _end(self, endpoint: HostSocket, *, linger: bool) -> None:
        queue = self.request_queues.pop(endpoint, None)
        if queue is not None:
            queue.ending()
        endpoint.abort(WSAEINTR)
        self.waits.close(endpoint, WSAEINTR)
        if queue is not None:
            queue.end()
        endpoint.close(linger=linger)

    # Sharing

    def WSPDuplicateSocket(self, s: int, process_id: int, /) -> ProtocolInfo:
        endpoint = self._socket(s)
        ticket = self.sharing.issue(endpoint, s, process_id)
        return attrs.evolve(endpoint.info, provider_reserved=ticket)

    def _open_shared(self, ticket: int, flags: int) -> int:
        """One more descriptor of the socket that WSPDuplicateSocket gave a ticket for."""
        upcalls = self._upcalls
        assert upcalls is not None, "WSPStartup comes first"
        inheritable = not flags & WSA_FLAG_NO_HANDLE_INHERIT
        endpoint, descriptor = self.sharing.open(ticket, inheritable=inheritable)
        s = descriptor.handle
        self._sockets[s] = endpoint
        try:
            upcalls.WPUModifyIFSHandle(endpoint.info.catalog_entry_id, s)
            overlapped = bool(endpoint.flags & WSA_FLAG_OVERLAPPED)
            upcalls.own_entries(s, self._outermost(descriptor), overlapped=overlapped)
            known = next((one.handle for one in self.sharing.partners(endpoint) if one is not descriptor), None)
            if known is not None:
                with contextlib.suppress(WinsockError):  # closed meanwhile
                    upcalls.one_more_descriptor(s, known)
            for partner in self.sharing.partners(endpoint):
                with contextlib.suppress(WinsockError):  # closed meanwhile
                    upcalls.own_entries(
                        partner.handle,
                        self._outermost(partner),
                        instead_of=self._outermost(endpoint),
                        overlapped=overlapped,
                    )
        except BaseException:
            if self._sockets.pop(s, None) is not None and not self.sharing.leave(endpoint, s):
                self._end(endpoint, linger=False)
            raise
        return s

    def _through(self, s: int) -> contextlib.AbstractContextManager[None]:
        """Around a call that may wait: closing this descriptor of a shared socket has to end it."""
        return self.sharing.descriptors.get(s) or _ALONE

    # Calls

    def WSPBind(self, s: int, name: bytes | None, /) -> None:
        self._socket(s).bind(name)
        self.sharing.bound_through(s)

    def WSPListen(self, s: int, backlog: int, /) -> None:
        self._socket(s).listen(backlog)

    def WSPAccept(
        self, s: int, namelen: int | None, condition: Callable[..., int] | None, callback_data: int, /
    ) -> tuple[int, SockAddr]:
        listener = self._socket(s)
        if s in self.sharing.descriptors:
            with self._through(s):
                host, address = self._accept(listener, namelen, condition, callback_data)
        else:
            host, address = self._accept(listener, namelen, condition, callback_data)
        endpoint = self._register(host, listener.info, listener.protocol, listener.flags)
        assert isinstance(endpoint, StreamSocket)
        assert isinstance(listener, StreamSocket)
        endpoint.accepted_from(listener, address)
        if listener.observer is not None:
            if listener.observer.mask:
                self._events_of(endpoint).inherit(listener.observer, endpoint.handle)
            listener.observer.accepted()
        return endpoint.handle, address

    def _accept(
        self, listener: HostSocket, namelen: int | None, condition: Callable[..., int] | None, callback_data: int
    ) -> tuple[HostSocketObject, SockAddr]:
        """Accept up to the host's new socket; a failure is told to the network events here."""
        events = listener.observer
        if events is None:
            return listener.accept(namelen, condition, callback_data)
        events.accepts()
        try:
            return listener.accept(namelen, condition, callback_data)
        except WinsockError as failure:
            if failure.winerror == WSATRY_AGAIN:
                events.deferred()
            else:
                events.accepted()
            raise

    def WSPConnect(
        self,
        s: int,
        name: bytes | None,
        caller_data: bytes | None,
        callee_room: int | None,
        sqos: Any,
        gqos: Any,
        /,
    ) -> bytes:
        endpoint = self._socket(s)
        refusal = 0
        if gqos is not None:
            refusal = WSAEINVAL
        elif caller_data is not None and isinstance(endpoint, StreamSocket):  # connectionless sockets ignore it
            refusal = WSAEPROTONOSUPPORT
        elif sqos is not None:
            refusal = WSAEOPNOTSUPP
        if s in self.sharing.descriptors:
            with self._through(s):
                endpoint.connect(name, refusal)
        else:
            endpoint.connect(name, refusal)
        self.sharing.bound_through(s)
        return b""

    def WSPShutdown(self, s: int, how: int, /) -> None:
        self._socket(s).shutdown(how)

    def WSPGetSockName(self, s: int, namelen: int | None, /) -> SockAddr:
        return self._socket(s).local_name(namelen)

    def WSPGetPeerName(self, s: int, namelen: int | None, /) -> SockAddr:
        return self._socket(s).peer_name(namelen)

    # Data. Programs come straight to the socket (own_entries), layers that call this table come here.

    def _mover(self, s: int) -> HostSocket | Descriptor | Enabling:
        descriptor = self.sharing.descriptors.get(s)
        return self._outermost(self._socket(s)) if descriptor is None else self._outermost(descriptor)

    def _outermost(self, mover: M) -> M | Enabling:
        """Whose entries count: the socket's, its descriptor's, or those that network events have put around them."""
        events = mover.observer if isinstance(mover, HostSocket) else mover.endpoint.observer
        return mover if events is None else events.entries_for(mover)

    def WSPSend(self, s: int, buffers: Any, flags: int, operation: Any, /) -> Any:
        return self._mover(s).WSPSend(s, buffers, flags, operation)

    def WSPRecv(self, s: int, buffers: Any, flags: int, operation: Any, /) -> Any:
        return self._mover(s).WSPRecv(s, buffers, flags, operation)

    def WSPSendTo(self, s: int, buffers: Any, flags: int, to: bytes | None, operation: Any, /) -> Any:
        return self._mover(s).WSPSendTo(s, buffers, flags, to, operation)

    def WSPRecvFrom(self, s: int, buffers: Any, flags: int, fromlen: int | None, operation: Any, /) -> Any:
        return self._mover(s).WSPRecvFrom(s, buffers, flags, fromlen, operation)

    # Options, control codes, waiting

    def WSPGetSockOpt(self, s: int, level: int, option: int, length: int | None, /) -> bytes:
        return get_option(self._socket(s), level, option, length)

    def WSPSetSockOpt(self, s: int, level: int, option: int, value: bytes | None, /) -> None:
        endpoint = self._socket(s)
        set_option(endpoint, level, option, value, self._socket)
        endpoint.changed()

    def WSPIoctl(self, s: int, code: int, data: bytes | None, out_length: int, operation: Any, /) -> Any:
        return control(Request(s, self._socket(s), data, out_length, self, operation), code)

    def WSPSelect(
        self,
        readfds: Sequence[int] | None,
        writefds: Sequence[int] | None,
        exceptfds: Sequence[int] | None,
        timeout: tuple[int, int] | None,
        /,
    ) -> tuple[list[int], list[int], list[int]]:
        selection = self._kept.selection
        if (
            selection is None
            or selection.sets != (readfds, writefds, exceptfds)
            or selection.watch.lost
            or selection.watch.busy
        ):
            selection = self._selection((readfds, writefds, exceptfds))
        return selection.wait(timeout)

    def _selection(self, sets: tuple[Sequence[int] | None, Sequence[int] | None, Sequence[int] | None]) -> Selection:
        """The wait for these sets: one of those kept, or a new one."""
        kept = self._kept
        for selection in kept.selections:
            if selection.sets == sets and not (selection.watch.lost or selection.watch.busy):
                break
        else:
            selection = Selection(sets, self._socket)
            kept.selections = keep(selection, kept.selections)
        kept.selection = selection
        return selection

    # Network events

    def _events_of(self, endpoint: HostSocket) -> NetworkEvents:
        """The network events of a socket, which come with its first selection."""
        events = endpoint.observer
        if events is not None:
            return events
        upcalls = self._upcalls
        assert upcalls is not None, "WSPStartup comes first"
        with self._attaching:
            if endpoint.observer is None:
                endpoint.observer = NetworkEvents(endpoint, upcalls.WPUPostMessage)
            events = endpoint.observer
        movers: Sequence[HostSocket | Descriptor] = self.sharing.partners(endpoint) or (endpoint,)
        for mover in movers:
            with contextlib.suppress(WinsockError):  # closed meanwhile
                upcalls.own_entries(
                    mover.handle,
                    events.entries_for(mover),
                    instead_of=mover,
                    overlapped=bool(endpoint.flags & WSA_FLAG_OVERLAPPED),
                )
        return events

    def WSPEventSelect(self, s: int, event: int | None, mask: int, /) -> None:
        endpoint = self._socket(s)
        mask &= FD_ALL_EVENTS  # the pages leave open what other bits do; Wine ignores them
        thing = self._event(event, WSAEINVAL) if mask else None
        events = self._events_of(endpoint)
        endpoint.blocking = False
        events.select_event(thing, mask)
        events.watch_changes(self.waits)

    def WSPAsyncSelect(self, s: int, window: int, message: int, mask: int, /) -> None:
        endpoint = self._socket(s)
        mask &= FD_ALL_EVENTS
        events = self._events_of(endpoint)
        endpoint.blocking = False
        events.select_window(window, message, s, mask)
        events.watch_changes(self.waits)

    def WSPEnumNetworkEvents(self, s: int, event: int | None, /) -> tuple[int, tuple[int, ...]]:
        endpoint = self._socket(s)
        # Observed (the tests of pywin32): a handle that is no event is told like one that is no socket.
        thing = self._event(event, WSAENOTSOCK) if event else None
        events = endpoint.observer
        if events is not None:
            return events.take(thing)
        if thing is not None:
            thing.reset()
        return NOTHING

    def _event(self, event: int | None, otherwise: int) -> Event:
        """The event object of a handle, or an error with the code ``otherwise``."""
        assert self._upcalls is not None
        try:
            thing: Event = self._upcalls.event_object(event or 0)
        except WinsockError as failure:
            raise WinsockError(otherwise) from failure
        return thing

    def WSPGetOverlappedResult(self, s: int, overlapped: Any, wait: bool, /) -> tuple[int, int]:
        assert self._upcalls is not None
        return self._upcalls.overlapped_result(overlapped, wait)

    # Extension functions (extensions.EXTENSIONS), each in the form of the API function of its name.

    def WSAPoll(self, fds: Sequence[tuple[int, int]], timeout: int, /) -> tuple[int, list[int]]:
        """Wait until a socket meets one of its conditions: how many do, and the bits of each."""
        kept = self._kept
        for polled in kept.polls:
            watch = polled.watch
            if polled.fds == fds and not (watch.lost or watch.busy):
                break
        else:
            polled = PollList(fds, self._sockets)
            kept.polls = keep(polled, kept.polls)
        return polled.wait(timeout)

    def WSARecvMsg(
        self,
        s: int,
        buffers: Any,
        control_room: int,
        namelen: int | None = None,
        flags: int = 0,
        operation: Any = None,
        /,
    ) -> Any:
        """Receive a datagram with its control data: a `ReceivedMessage`."""
        endpoint = self._socket(s)
        try:
            with self._through(s):
                return receive_message(endpoint, buffers, control_room, namelen, flags, operation)
        finally:
            if endpoint.observer is not None:
                endpoint.observer.received(more=True)

    def WSASendMsg(
        self,
        s: int,
        buffers: Any,
        flags: int = 0,
        to: bytes | None = None,
        control: bytes = b"",
        operation: Any = None,
        /,
    ) -> Any:
        """Send a datagram with control data: the bytes accepted."""
        endpoint = self._socket(s)
        try:
            with self._through(s):
                return send_message(endpoint, buffers, flags, to, control, operation)
        except WinsockError as failure:
            if endpoint.observer is not None and failure.winerror == WSAEWOULDBLOCK:
                endpoint.observer.would_block()
            raise

    def AcceptEx(
        self,
        s: int,
        acceptor: int,
        buffer: Any,
        receive_length: int,
        local_length: int,
        remote_length: int,
        operation: Any = None,
        /,
    ) -> Any:
        """Put a connection, its addresses and its first data into a socket and a buffer: bytes of data."""
        listening, accepting = self._socket(s), self._socket(acceptor)
        lengths = receive_length, local_length, remote_length
        try:
            return accept_into(listening, accepting, buffer, lengths, self._handles(accepting), operation)
        finally:
            if listening.observer is not None:
                listening.observer.accepted()

    GetAcceptExSockaddrs = staticmethod(accept_addresses)

    def ConnectEx(self, s: int, name: bytes | None, data: Any = None, operation: Any = None, /) -> Any:
        """Connect a bound socket and send first data: bytes sent."""
        return connect_overlapped(self._socket(s), name, data, operation)

    def DisconnectEx(self, s: int, flags: int = 0, operation: Any = None, /) -> Any:
        """End a connection, and with TF_REUSE_SOCKET make the socket one that can be connected again."""
        endpoint = self._socket(s)
        return disconnect(endpoint, flags, self._handles(endpoint), operation)

    def TransmitFile(
        self,
        s: int,
        file: Source | None,
        count: int = 0,
        offset: int | None = None,
        head: Any = None,
        tail: Any = None,
        flags: int = 0,
        operation: Any = None,
        /,
    ) -> Any:
        """Send a part of a file with data before and behind it: bytes sent. ``file`` is what gives the file."""
        endpoint = self._socket(s)
        return transmit_file(endpoint, file, count, offset, head, tail, flags, self._handles(endpoint), operation)

    def TransmitPackets(
        self, s: int, elements: Sequence[TransmitElement], flags: int = 0, operation: Any = None, /
    ) -> Any:
        """Send pieces of memory and of files: bytes sent. In the place of files stand functions that give them."""
        endpoint = self._socket(s)
        return transmit_packets(endpoint, elements, flags, self._handles(endpoint), operation)

    def RIOCreateRequestQueue(
        self,
        s: int,
        receives: CompletionQueue,
        most_receives: int,
        sends: CompletionQueue,
        most_sends: int,
        context: Any,
        /,
    ) -> HostRequestQueue:
        """Make the request queue of a socket for registered I/O."""
        return create_request_queue(
            self.request_queues, self._socket(s), receives, most_receives, sends, most_sends, context
        )

    def conditions_of(self, s: int, /) -> HostConditions:
        """What poll requests ask of a socket."""
        return conditions_of(self._socket(s))

    def _handles(self, endpoint: HostSocket) -> Sequence[int]:
        """The descriptors of a shared socket."""
        if not self.sharing.descriptors:
            return ()
        return [descriptor.handle for descriptor in self.sharing.partners(endpoint)]

    # Text

    def WSPAddressToString(self, address: bytes, info: ProtocolInfo | None, /) -> str:
        text = address_to_string(address)
        if text is None:
            raise WinsockError(WSAEINVAL)
        return text

    def WSPStringToAddress(self, text: str, family: int, info: ProtocolInfo | None, /) -> SockAddr:
        if family == AF_UNIX:
            raise WinsockError(WSAEINVAL)
        accepted, address = string_to_address(text, family)
        if not accepted:
            raise WinsockError(WSAEINVAL, address=address)
        return SockAddr(address)

    # Disconnect data does not exist in TCP/IP and AF_UNIX; what is left of these calls is shutdown.

    def WSPSendDisconnect(self, s: int, data: bytes | None, /) -> None:
        endpoint = self._socket(s)
        if not isinstance(endpoint, StreamSocket):
            raise WinsockError(WSAEOPNOTSUPP)
        self._disconnect(endpoint, SD_SEND, data is not None)

    def WSPRecvDisconnect(self, s: int, room: int | None, /) -> bytes:
        self._disconnect(self._socket(s), SD_RECEIVE, room is not None)
        return b""

    def _disconnect(self, endpoint: HostSocket, how: int, with_data: bool) -> None:
        if with_data:
            if isinstance(endpoint, StreamSocket):
                endpoint.peer_name(None)  # no connection wins
            raise WinsockError(WSAENOPROTOOPT)
        endpoint.shutdown(how)

    def WSPCancelBlockingCall(self) -> None:
        raise WinsockError(WSAEOPNOTSUPP)

    WSPGetQOSByName = WSPJoinLeaf = _unwritten
