"""Network events: what WSAEventSelect and WSAAsyncSelect tell a program of a socket.

Part played:     the event select state of an afd.sys endpoint, and msafd's thread for WSAAsyncSelect.
Lives here:      which event is recorded, which calls enable it again, and how it is told.
Lives elsewhere: which conditions hold (`conditions` of stream and datagram), readiness (engine/pump), changes of
                 addresses and routes (changes), windows and messages (user32).

A socket has a `NetworkEvents` from its first selection on; others pay nothing. Its four entries that move data are
replaced by those of `Enabling` then, which tell what a call has enabled again.

    event                enabled again by            told when
    FD_READ              any receive                 data waits; never for the end of a stream
    FD_OOB               any receive                 urgent data waits outside of the stream
    FD_WRITE             a send that would block     sending is possible; the connection is there
    FD_ACCEPT            an accept, but CF_DEFER     a connection waits
    FD_CONNECT           the next connect            its outcome is known
    FD_CLOSE             the next connection         the stream has ended and all is read, or it was reset
    FD_..._CHANGE        the control code            the change comes (changes)

An event that occurs while it is enabled is told once and is not enabled any more.

Two forms:       an event object keeps a record until WSAEnumNetworkEvents takes it. Selecting again drops what nobody
                 has taken, and what still holds of it is recorded anew; what was taken stays so, also over a selection
                 of nothing (observed: the page says that all conditions count anew). A window gets a message each time,
                 and every selection starts from the beginning, but for FD_CONNECT, which tells outcomes to come only.
Taking data:     observed (pywin32's test_win32file.py): a receive withdraws an FD_READ that nobody has taken, and what
                 is left is recorded anew.
Connections:     observed: each that comes is recorded with the event object, also when one waits that is recorded
                 already or taken. Windows wait for accept.
Datagrams:       observed: an unbound socket can send as far as a window is told, not as far as an event object is;
                 connecting is told as FD_WRITE to windows, as FD_CONNECT and FD_WRITE to event objects.
Whose data:      what waits in a lane gets it before an event is recorded; what is left afterwards is an event.
Level-triggered: the descriptor is watched for what is enabled, less what is known to hold and means nothing before a
                 call (``_quiet``); the pump lets go of it lazily, so a program that answers each event costs no
                 system call for it.
Locking:         ``_lock`` guards what is recorded and enabled, and is held while that is told, so that taking the
                 record and resetting the event is one step. No look at the socket under it. Re-entrant, for signals.
Sources:         nf-winsock2-wsaeventselect, nf-winsock2-wsaenumnetworkevents, nf-winsock-wsaasyncselect; R6.66-R6.105,
                 T6.2, A55, A93, A94 and the behaviours evaccept-*, evconnect-*, evwrite-*, evclient-* of the project's
                 reference.
"""

from __future__ import annotations

import contextlib
import threading
from _thread import get_ident
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ...defs.codes import WSAEWOULDBLOCK
from ...defs.constants import (
    FD_ACCEPT,
    FD_ADDRESS_LIST_CHANGE,
    FD_ALL_EVENTS,
    FD_CLOSE,
    FD_CONNECT,
    FD_CONNECT_BIT,
    FD_MAX_EVENTS,
    FD_OOB,
    FD_READ,
    FD_ROUTING_INTERFACE_CHANGE,
    FD_WRITE,
    SOCK_STREAM,
)
from ...engine.endpoint import Endpoint
from ...engine.pump import ENDED, FAULT, HANGUP, READABLE, URGENT, WRITABLE, Arrivals, ready_now
from ...errors import WinsockError
from ...kernel.events import Event
from .changes import ADDRESS_LIST, ROUTES, ChangeWaits
from .conditions import (
    CAN_ACCEPT,
    CAN_READ,
    CAN_READ_URGENT,
    CAN_WRITE,
    PEER_ENDED,
    TELL_END,
    WAS_RESET,
)

if TYPE_CHECKING:
    from .hostsocket import HostSocket
    from .sharing import Descriptor

_NO_CODES: Final = (0,) * FD_MAX_EVENTS
NOTHING: Final = 0, _NO_CODES
"""A record without events."""

Post = Callable[[int, int, int, int], bool]
"""WPUPostMessage."""

# The conditions to look for; FD_CONNECT is found out by looking for anything.
_ASKED: Final = {
    FD_READ: CAN_READ | TELL_END,
    FD_WRITE: CAN_WRITE,
    FD_OOB: CAN_READ_URGENT,
    FD_ACCEPT: CAN_ACCEPT,
    FD_CLOSE: CAN_READ | TELL_END,
}
# The order of messages for what happens at one time.
_ORDER: Final = (
    FD_CONNECT,
    FD_ACCEPT,
    FD_READ,
    FD_WRITE,
    FD_OOB,
    FD_CLOSE,
    FD_ROUTING_INTERFACE_CHANGE,
    FD_ADDRESS_LIST_CHANGE,
)
_CHANGES: Final = {ADDRESS_LIST: FD_ADDRESS_LIST_CHANGE, ROUTES: FD_ROUTING_INTERFACE_CHANGE}
_BY_RECEIVE: Final = FD_READ | FD_OOB
_WITH_CODE: Final = FD_CONNECT | FD_CLOSE | FD_ROUTING_INTERFACE_CHANGE | FD_ADDRESS_LIST_CHANGE
_OF_CONNECTION: Final = FD_CONNECT | FD_READ | FD_WRITE | FD_OOB | FD_CLOSE
RETRY_S: Final = 0.05
"""How soon a message is posted again that a window's queue had no room for."""

_ALL_READINESS: Final = READABLE | WRITABLE | URGENT | ENDED


class NetworkEvents:
    """What a socket has to tell, and to whom; the socket's `Observer` and one of its `Watcher`s.

    Attributes:
        endpoint: the socket.
        mask: the events that are selected; 0 while nothing is.
        interest: the readiness that the pump has to look for.
    """

    __slots__ = (
        "_arrivals",
        "_codes",
        "_deferred",
        "_enabled",
        "_entries",
        "_event",
        "_held",
        "_known_for",
        "_lock",
        "_post",
        "_quiet",
        "_readiness",
        "_receiver",
        "_record",
        "_retry",
        "_window",
        "endpoint",
        "interest",
        "mask",
    )

    def __init__(self, endpoint: HostSocket, post: Post) -> None:
        self.endpoint = endpoint
        self.mask = 0
        self.interest = 0
        self._post = post
        self._event: Event | None = None
        self._window: tuple[int, int, int] | None = None  # window, message, handle of the socket
        self._record = 0
        self._codes = [0] * FD_MAX_EVENTS
        self._enabled = FD_ALL_EVENTS
        self._held = False  # a connection request is deferred, and no other is told of before it is decided
        self._quiet = 0  # readiness that is there and means nothing before the next call
        self._readiness = 0  # what the pump has to look for, for the events ``_known_for``; 0 knows it for none
        self._known_for = 0
        self._receiver = 0  # the thread that has received last
        self._retry: threading.Timer | None = None
        self._arrivals: _ArrivalWatch | None = None
        self._deferred: _Deferred | None = None
        self._entries: dict[Any, Enabling] = {}
        self._lock = threading.RLock()
        endpoint.enter(self._itself)

    def _itself(self) -> NetworkEvents:
        return self

    # Selecting

    def select_event(self, event: Event | None, mask: int) -> None:
        """WSAEventSelect: tell an event object."""
        with self._lock:
            if self._window is not None:
                self._enabled = FD_ALL_EVENTS
            self._enabled |= self._record
            self._record = 0
            self._window = None
            self._event = event
            self.mask = mask
        self._selected()

    def select_window(self, window: int, message: int, handle: int, mask: int) -> None:
        """WSAAsyncSelect: tell a window, with the handle that the call came through."""
        endpoint = self.endpoint
        past = endpoint.connect_outcome() is not None or endpoint.socket_type != SOCK_STREAM
        with self._lock:
            self._enabled = FD_ALL_EVENTS & ~FD_CONNECT if past else FD_ALL_EVENTS
            self._record = 0
            self._event = None
            self._window = window, message, handle
            self.mask = mask
        self._selected()

    def inherit(self, listener: NetworkEvents, handle: int) -> None:
        """An accepted socket tells whom its listening socket does."""
        with listener._lock:
            event, window, mask = listener._event, listener._window, listener.mask
        if window is not None:
            self.select_window(window[0], window[1], handle, mask)
        else:
            self.select_event(event, mask)

    def _selected(self) -> None:
        self._quiet = self._known_for = 0
        self._watch_arrivals()
        self.look()
        if self.interest:
            self.endpoint.pump.watch(self.endpoint)  # once more, for its failure to be told

    def take(self, event: Event | None) -> tuple[int, tuple[int, ...]]:
        """WSAEnumNetworkEvents: the record, which is empty afterwards, with the code of each event.

        ``event`` is reset in the same step.
        """
        if self.mask and not self._record:
            self.look()
        with self._lock:
            found = self._record
            self._record = 0
            if event is not None:
                event.reset()
            if not found & _WITH_CODE:
                return found, _NO_CODES
            codes = self._codes
            return found, tuple([codes[bit] if found >> bit & 1 else 0 for bit in range(FD_MAX_EVENTS)])

    # What enables events again

    def received(self, *, more: bool) -> None:
        """A receive was called. ``more``: something may be left, or the stream has ended."""
        self._receiver = get_ident()
        if self._quiet or self._enabled & _BY_RECEIVE != _BY_RECEIVE:
            with self._lock:
                self._enabled |= _BY_RECEIVE
                self._record &= ~FD_READ  # what is left, if anything is, is recorded anew
                self._quiet = 0
        elif not more:
            return
        if more and (self.endpoint.piecemeal or not self.endpoint.is_empty()):
            self.look()
        else:
            self._arm()

    def would_block(self) -> None:
        """A send has failed because there was no room."""
        with self._lock:
            self._enabled |= FD_WRITE
        self.look()

    def accepts(self) -> None:
        """A call to accept is being made: what was deferred is about to be decided."""
        self._held = False

    def deferred(self) -> None:
        """The condition function has deferred a connection request."""
        self._held = True

    def accepted(self) -> None:
        """A call to accept was made, whatever came of it."""
        with self._lock:
            self._enabled |= FD_ACCEPT
        self.look()

    def connects(self) -> None:
        """The outcome of a connect is to come; or of a connection nothing is left, so that there may be another."""
        events = _OF_CONNECTION
        if self._window is not None and self.endpoint.socket_type != SOCK_STREAM:
            events &= ~FD_CONNECT
        with self._lock:
            self._enabled |= events
            self._record &= ~events
        self._quiet = 0

    def waits_for_change(self, kind: str, waits: ChangeWaits) -> None:
        """The control code for a change has been called."""
        with self._lock:
            self._enabled |= _CHANGES[kind]
        self.watch_changes(waits)

    def watch_changes(self, waits: ChangeWaits) -> None:
        """Have the changes that are waited for told, if they are selected."""
        for kind, event in _CHANGES.items():
            if self.mask & event:
                waits.tell(self.endpoint, kind, partial(self.occurred, event))

    # What happens

    def occurred(self, events: int, code: int = 0) -> None:
        """Tell of events, if they are selected and enabled. ``code`` is for all of them."""
        with self._lock:
            events &= self._enabled & self.mask
            if not events:
                return
            if self._window is None:
                self._enabled &= ~events
                self._keep(events, code)
                return
            window, message, handle = self._window
            for event in _ORDER:
                if event & events and self._posted(window, message, handle, event | code << 16):
                    self._enabled &= ~event

    def _posted(self, window: int, message: int, handle: int, lparam: int) -> bool:
        """False when the window's queue has no room for the message: a later look tries again."""
        try:
            posted = self._post(window, message, handle, lparam)
        except WinsockError:
            return True  # the window is gone
        if not posted and self._retry is None:
            self._retry = threading.Timer(RETRY_S, self._look_again)
            self._retry.daemon = True
            self._retry.start()
        return posted

    def _look_again(self) -> None:
        self._retry = None
        self.look()

    def _keep(self, events: int, code: int) -> None:
        """Record events and signal; the caller holds the lock."""
        self._record |= events
        if events & _WITH_CODE:
            for bit in range(FD_CONNECT_BIT, FD_MAX_EVENTS):
                if events >> bit & 1:
                    self._codes[bit] = code
        event = self._event
        if event is not None:
            event.set()

    def wake(self, endpoint: Endpoint) -> None:
        """The socket has changed."""
        self._known_for = 0
        if self.endpoint.closing:
            self.end()
        elif self.endpoint.guarded:
            # The change may have come from inside of what a look would ask.
            if self._deferred is None:
                self._deferred = _Deferred(self)
            with contextlib.suppress(WinsockError):
                self._deferred.pump.watch(self._deferred)
        else:
            self._watch_arrivals()
            self.look()

    def alarm(self, ready: int) -> None:
        """The pump reports readiness, before what waits in the lanes is tried."""
        endpoint = self.endpoint
        if ready == READABLE and endpoint.receive_now is not None and endpoint.inbound.head is None:
            # Data, and nothing unusual: what happens most often. Another thread may have received it since the report.
            if get_ident() != self._receiver and endpoint.is_empty():
                return
            self._quiet |= READABLE
            self.interest &= ~READABLE
            self.occurred(FD_READ)
        elif self.mask & self._enabled:
            self._judge(ready)
            self._arm()
        else:
            self.interest = 0

    def arrived(self) -> None:
        """A connection has come, after others that may wait still."""
        if self._window is None and not self._held:
            with self._lock:
                self._enabled |= FD_ACCEPT
        self.look()

    def look(self) -> None:
        """Find out what holds now, and tell what is new of it."""
        endpoint = self.endpoint
        wanted = self._enabled & self.mask
        if wanted and not endpoint.closing:
            arrivals = self._arrivals
            if arrivals is not None and wanted & FD_ACCEPT:
                arrivals.drain()  # what has come until now is found by the look
            host = endpoint.wanted(self._asked(wanted))
            try:
                self._judge(ready_now(endpoint.fd, host) if host else 0)
            except (OSError, ValueError):
                return  # closed meanwhile
        self._arm()

    def _asked(self, wanted: int) -> int:
        asked = 0
        for event, conditions in _ASKED.items():
            if wanted & event:
                asked |= conditions
        if not self.endpoint.bound and self._window is None and self.endpoint.socket_type != SOCK_STREAM:
            asked &= ~CAN_WRITE
        return asked

    def _judge(self, ready: int) -> None:
        """Tell what the host's readiness bits mean in the state of the socket."""
        endpoint = self.endpoint
        wanted = self._enabled & self.mask
        try:
            met = endpoint.conditions(ready)
        except WinsockError:
            return  # closed meanwhile
        if wanted & FD_CONNECT:
            outcome = endpoint.connect_outcome()
            if outcome is not None:
                self.occurred(FD_CONNECT, outcome)
        events = code = 0
        if met & WAS_RESET:
            # Room to send there is as well, which means that a send would fail.
            events, code = FD_CLOSE, endpoint.end_code()
        else:
            if endpoint.inbound.head is not None:
                met &= ~CAN_READ  # it belongs to whoever waits for it
            elif met & CAN_READ:
                events = FD_READ
                self._quiet |= READABLE | (ready & ENDED)
            elif met & PEER_ENDED:
                events = FD_CLOSE
                self._quiet |= READABLE | ENDED
            if met & CAN_WRITE and ready & WRITABLE:
                events |= FD_WRITE
            if met & CAN_READ_URGENT:
                events |= FD_OOB
                self._quiet |= URGENT
            if met & CAN_ACCEPT and not self._held:
                events |= FD_ACCEPT
        if ready & (HANGUP | FAULT) and endpoint.inbound.head is None:
            self._quiet = _ALL_READINESS  # reported unasked
        if events & wanted:
            self.occurred(events, code)

    # Watching

    def _arm(self) -> None:
        """Have the pump look for what is enabled."""
        wanted = self._enabled & self.mask
        endpoint = self.endpoint
        if not wanted or endpoint.closing:
            self.interest = 0
            return
        if wanted != self._known_for:
            if self._arrivals is not None:
                wanted &= ~FD_ACCEPT
            self._readiness = endpoint.wanted(self._asked(wanted))
            # Room to send depends on more than the socket's state.
            self._known_for = 0 if wanted & FD_WRITE else wanted
        interest = self.interest = self._readiness & ~self._quiet
        if interest:
            with contextlib.suppress(WinsockError):  # no room for it in the pump's set: calls look all the same
                endpoint.pump.watch(endpoint)

    def _watch_arrivals(self) -> None:
        """A listening socket is watched for connections that come while others wait."""
        if self._arrivals is None and self.mask & FD_ACCEPT and self.endpoint.listens:
            with contextlib.suppress(OSError, WinsockError):  # no descriptor is left, or the host knows no such thing
                self._arrivals = _ArrivalWatch(self)
            if self.endpoint.closing:
                self.end()

    def end(self) -> None:
        """The socket is closed: nothing is told any more."""
        with self._lock:
            self.mask = self.interest = self._record = 0
            self._event = self._window = None
        retry = self._retry
        if retry is not None:
            retry.cancel()
        arrivals, self._arrivals = self._arrivals, None
        if arrivals is not None:
            arrivals.close()

    def after_fork(self) -> None:
        """In the child: looked at again by the next call."""
        self._lock = threading.RLock()
        self._quiet = self.interest = 0
        self._deferred = self._retry = None
        arrivals, self._arrivals = self._arrivals, None
        if arrivals is not None:
            arrivals.source.close()
        self.endpoint.enter(self._itself)

    # Entries

    def entries_for(self, mover: HostSocket | Descriptor) -> Enabling:
        """The entries of a handle, around those of the socket or of one of its descriptors."""
        entries = self._entries.get(mover)
        if entries is None:
            entries = self._entries.setdefault(mover, Enabling(self, mover))
        return entries


class Enabling:
    """The four calls that move data, for a socket with a selection: each tells what it enables again."""

    __slots__ = ("_events", "_mover", "_stream")

    def __init__(self, events: NetworkEvents, mover: HostSocket | Descriptor) -> None:
        self._events = events
        self._mover = mover
        self._stream = events.endpoint.socket_type == SOCK_STREAM

    def WSPSend(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPSend."""
        try:
            return self._mover.WSPSend(s, buffers, flags, operation)
        except WinsockError as failure:
            self.send_failed(failure)
            raise

    def WSPSendTo(self, s: int, buffers: Any, flags: int, to: bytes | None, operation: Any) -> Any:
        """WSPSendTo."""
        try:
            return self._mover.WSPSendTo(s, buffers, flags, to, operation)
        except WinsockError as failure:
            self.send_failed(failure)
            raise

    def WSPRecv(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPRecv."""
        try:
            moved = self._mover.WSPRecv(s, buffers, flags, operation)
        except WinsockError as failure:
            self.receive_failed(failure)
            raise
        events = self._events
        more = True
        if (
            self._stream
            and moved
            and not flags
            and operation is None
            and len(buffers) == 1
            and type(buffers[0]) is bytearray
            and not events.endpoint.piecemeal
        ):
            more = moved == len(buffers[0])  # less than there was room for is all that there was
        events.received(more=more)
        return moved

    def WSPRecvFrom(self, s: int, buffers: Any, flags: int, room: int | None, operation: Any) -> Any:
        """WSPRecvFrom."""
        try:
            moved = self._mover.WSPRecvFrom(s, buffers, flags, room, operation)
        except WinsockError as failure:
            self.receive_failed(failure)
            raise
        self._events.received(more=True)
        return moved

    def send_failed(self, failure: WinsockError) -> None:
        """A send has failed."""
        if failure.winerror == WSAEWOULDBLOCK:
            self._events.would_block()

    def receive_failed(self, failure: WinsockError) -> None:
        """A receive has failed."""
        self._events.received(more=failure.winerror != WSAEWOULDBLOCK)


class _Deferred(Endpoint):
    """A look that the thread that leads is to take."""

    __slots__ = ("_events",)

    def __init__(self, events: NetworkEvents) -> None:
        super().__init__(events.endpoint.pump, -1)
        self._events = events

    def service(self, ready: int) -> None:
        """The leader has come to it."""
        self._events.look()


class _ArrivalWatch(Endpoint):
    """What tells a listening socket's events that another connection has come."""

    __slots__ = ("_events", "source")

    def __init__(self, events: NetworkEvents) -> None:
        source = Arrivals(events.endpoint.fd)
        super().__init__(events.endpoint.pump, source.fileno)
        self.source = source
        self._events = events
        self.alarms = READABLE
        try:
            self.pump.watch(self)
        except WinsockError:
            source.close()
            raise

    def drain(self) -> None:
        """Forget what has come so far."""
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            self.source.take()

    def alarm(self, ready: int) -> None:
        """The host has news."""
        with contextlib.suppress(OSError, ValueError):
            if self.source.take():
                self._events.arrived()

    def close(self) -> None:
        """Give back what the host lent."""
        self.alarms = 0
        self.pump.unwatch(self)
        self.source.close()
