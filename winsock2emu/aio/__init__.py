"""asyncio as on Windows: CPython's own proactor event loop, running on the emulator.

    import asyncio
    from winsock2emu.aio import ProactorEventLoop

    with asyncio.Runner(loop_factory=ProactorEventLoop) as runner:
        runner.run(main())

Part played:     asyncio's windows_events, the policies and the default loop of Windows included.
Lives here:      `IocpProactor`, which takes over the socket objects that it is given; the names.
Lives elsewhere: the loops (CPython's windows_events and proactor_events, see _loading), overlapped requests
                 (compat.overlapped), adopting sockets (compat._adopt).
Sockets:         those that a loop makes are of `compat.socket`, and so are the constants and errors. A socket object of
                 the host that a loop is given belongs to it from then on: it is closed by the rules of Windows (what
                 pends is aborted), and does not block any more.
Selector loop:   Windows-shaped: no signals, no pipes, no subprocesses. It waits by `compat.select`.
Subprocesses:    processes of the host. An end of a pipe that is given to one is a descriptor of the host there.
Sources:         asyncio of the CPython that runs, 3.11 to 3.13.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from ..compat import selectors, socket
from ..compat._adopt import WINDOWS_FAMILY, HostSocket, adopt, adopt_number, release
from ..compat.overlapped import Overlapped
from ..defs.codes import (
    ERROR_NETNAME_DELETED,
    ERROR_OPERATION_ABORTED,
    WSAECONNABORTED,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAETIMEDOUT,
)
from ..defs.constants import FILE_SKIP_COMPLETION_PORT_ON_SUCCESS
from ..kernel32 import SetFileCompletionNotificationModes
from ..process import current_process
from ._loading import windows_modules

_modules = windows_modules()
windows_utils, windows_events = _modules["windows_utils"], _modules["windows_events"]
_IocpProactor: Any = windows_events.IocpProactor
_OverlappedFuture: Any = windows_events._OverlappedFuture
_SelectorEventLoop: Any = windows_events.SelectorEventLoop
_SelectSelector: Any = selectors.SelectSelector


def _finish(transferred: Any, key: Any, request: Overlapped) -> Any:
    """What CPython's proactor makes of the end of a send or a receive."""
    try:
        return request.getresult()
    except OSError as failure:
        if getattr(failure, "winerror", 0) in (ERROR_NETNAME_DELETED, ERROR_OPERATION_ABORTED):
            raise ConnectionResetError(*failure.args) from None
        raise


_loop_writing: Final[Any] = _modules["proactor_events"]._ProactorBaseWritePipeTransport._loop_writing


class _Done(asyncio.Future[Any]):
    """What a send has come to that was complete at once."""

    def add_done_callback(self, callback: Any, /, *, context: Any = None) -> None:
        """A transport, which has just sent, hears of it now: a turn of the loop would cost as much as the send."""
        transport = callback.__self__ if getattr(callback, "__func__", None) is _loop_writing else None
        if transport is None or transport._empty_waiter is not None:  # which it sets after this call, too
            super().add_done_callback(callback, context=context)
        else:
            callback(self)


class IocpProactor(_IocpProactor):  # type: ignore[misc]  # CPython's, without types
    """CPython's proactor, with three differences.

    A socket object is adopted before the first request on it. A request that is complete at once, as most sends are, is
    told by no packet, which CPython's own names as a thing that one could do. And a transport hears of such a send at
    once, so that several writes in a row are as many sends (`_Done`).
    """

    def _register_with_iocp(self, obj: Any) -> None:
        if obj in self._registered:
            return  # which is asked before every request
        if isinstance(obj, HostSocket):
            adopt(obj)
        super()._register_with_iocp(obj)
        SetFileCompletionNotificationModes(obj.fileno(), FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)

    def _register(self, ov: Any, obj: Any, callback: Any) -> Any:
        if ov.error:
            return super()._register(ov, obj, callback)
        self._check_closed()
        future = _OverlappedFuture(ov, loop=self._loop)
        if future._source_traceback:
            del future._source_traceback[-1]
        try:
            future.set_result(callback(None, None, ov))
        except OSError as failure:
            future.set_exception(failure)
        return future

    def send(self, conn: Any, buf: Any, flags: int = 0) -> Any:
        """As CPython has it, in half the time when it is complete at once."""
        if flags or conn not in self._registered or not isinstance(conn, HostSocket):
            return super().send(conn, buf, flags)
        request = Overlapped(0)
        request.WSASend(conn.fileno(), buf)
        if request.error:
            return self._pending(request, conn)
        if self._iocp is None:
            self._check_closed()
        future = _Done(loop=self._loop)
        future.set_result(request.getresult())
        return future

    def recv_into(self, conn: Any, buf: Any, flags: int = 0) -> Any:
        """As CPython has it, without the steps that are for other things than sockets."""
        if flags or conn not in self._registered or not isinstance(conn, HostSocket):
            return super().recv_into(conn, buf, flags)
        request = Overlapped(0)
        request.WSARecvInto(conn.fileno(), buf)
        if request.error:
            return self._pending(request, conn)
        if self._iocp is None:
            self._check_closed()
        future = self._loop.create_future()
        future.set_result(request.getresult())
        return future

    def _pending(self, request: Overlapped, conn: Any) -> Any:
        """The future of a request whose packet will come."""
        if self._iocp is None:
            self._check_closed()
        future = _OverlappedFuture(request, loop=self._loop)
        if future._source_traceback:
            del future._source_traceback[-1]
        self._cache[request.address] = future, request, conn, _finish
        return future

    def _get_accept_socket(self, family: int) -> Any:
        accepting = socket.socket(WINDOWS_FAMILY.get(family, family))  # which may be the number of a host socket's
        accepting.settimeout(0)
        return accepting

    def connect(self, conn: Any, address: Any) -> Any:
        """Connect a socket; datagram sockets get their peer at once."""
        adopt(conn)
        return super().connect(conn, address)


# The loop makes its proactor by the name that its module has for it.
windows_events.IocpProactor = IocpProactor  # type: ignore[attr-defined]

ProactorEventLoop = windows_events.ProactorEventLoop


class _Selector(_SelectSelector):  # type: ignore[misc]
    """Windows' selector, which knows the host's socket objects as well, as long as they are registered."""

    def __init__(self) -> None:
        super().__init__()
        self._adopted: set[int] = set()

    def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
        descriptor = self._fileobj_lookup(fileobj)
        known = descriptor in current_process().objects
        adopt_number(descriptor)
        if not known:
            self._adopted.add(descriptor)
        return super().register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> Any:
        key = super().unregister(fileobj)
        if key.fd in self._adopted:
            self._adopted.discard(key.fd)
            release(key.fd)
        return key


_BY_CODE: Final = {
    WSAECONNABORTED: ConnectionAbortedError,
    WSAECONNREFUSED: ConnectionRefusedError,
    WSAECONNRESET: ConnectionResetError,
    WSAETIMEDOUT: TimeoutError,
}


class SelectorEventLoop(_SelectorEventLoop):  # type: ignore[misc]
    """CPython's selector loop as on Windows: sockets only, and at most 512 of them."""

    def __init__(self, selector: Any = None) -> None:
        super().__init__(_Selector() if selector is None else selector)

    def _sock_connect_cb(self, fut: Any, sock: Any, address: Any) -> None:
        # As CPython has it, but for the class of the failure: its OSError knows Windows' codes on Windows only.
        if fut.done():
            return
        try:
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise _BY_CODE.get(code, OSError)(code, f"Connect call failed {address}")
        except (BlockingIOError, InterruptedError):
            pass  # it goes on
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as failure:
            fut.set_exception(failure)
        else:
            fut.set_result(None)


windows_events.SelectorEventLoop = SelectorEventLoop  # type: ignore[attr-defined]
windows_events.WindowsSelectorEventLoopPolicy._loop_factory = SelectorEventLoop
WindowsSelectorEventLoopPolicy = windows_events.WindowsSelectorEventLoopPolicy
WindowsProactorEventLoopPolicy = windows_events.WindowsProactorEventLoopPolicy
DefaultEventLoopPolicy = windows_events.DefaultEventLoopPolicy

__all__ = [
    "DefaultEventLoopPolicy",
    "IocpProactor",
    "ProactorEventLoop",
    "SelectorEventLoop",
    "WindowsProactorEventLoopPolicy",
    "WindowsSelectorEventLoopPolicy",
]
