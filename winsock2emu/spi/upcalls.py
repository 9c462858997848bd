"""What a provider may ask of the DLL: the 15 upcalls.

Part played:     WSPUPCALLTABLE and the WPU half of ws2spi.h.
Lives here:      the contract.
Lives elsewhere: the implementation (process.ProcessUpcalls).
Conventions:     as in `transport`: out-parameters are returned, failures raise `WinsockError`.
Sources:         upcalls-exposed-by-windows-sockets-2-dll-2 and the pages of each WPU function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

# The order is that of WSPUPCALLTABLE.
UPCALL_TABLE = (
    "WPUCloseEvent",
    "WPUCloseSocketHandle",
    "WPUCreateEvent",
    "WPUCreateSocketHandle",
    "WPUFDIsSet",
    "WPUGetProviderPath",
    "WPUModifyIFSHandle",
    "WPUPostMessage",
    "WPUQueryBlockingCallback",
    "WPUQuerySocketHandleContext",
    "WPUQueueApc",
    "WPUResetEvent",
    "WPUSetEvent",
    "WPUOpenCurrentThread",
    "WPUCloseThread",
)


class Upcalls(Protocol):
    """The DLL as a provider sees it. Upcalls go straight to the DLL, never through another layer."""

    @property
    def engine(self) -> Any:
        """The process's reactor, for endpoints of the engine. Windows needs no such entry: its kernel is everywhere."""
        ...

    def own_entries(self, s: int, mover: Any, /, *, instead_of: Any = None, overlapped: bool = True) -> None:
        """Have the calls that move data on this handle go to an object of its own instead of the table.

        It has WSPSend, WSPRecv, WSPSendTo and WSPRecvFrom, as the table has them. This is for providers that look up
        the socket first of all: half of what they add to a call of the host is that look-up. It ends when a layer takes
        the handle over. Windows has no such upcall.

        Args:
            s: the handle.
            mover: that object.
            instead_of: the object that counts now; nothing happens when another one does.
            overlapped: False for a socket without the overlapped attribute: every call of it is a synchronous one then.

        Raises:
            WinsockError: WSAENOTSOCK, no such handle.
        """
        ...

    def one_more_descriptor(self, s: int, known: int, /) -> None:
        """``s`` leads to the same socket as ``known``: a completion port is told of requests through either.

        On Windows both are handles of one file object.

        Raises:
            WinsockError: WSAENOTSOCK, no such handle.
        """
        ...

    def overlapped_result(self, overlapped: Any, wait: bool, /) -> tuple[int, int]:
        """WSPGetOverlappedResult for a provider that completes requests as the system does: (bytes, flags).

        On Windows a provider with IFS handles asks the kernel.

        Raises:
            WinsockError: as `ws2_32.WSAGetOverlappedResult`.
        """
        ...

    def event_object(self, event: int, /) -> Any:
        """The event object of a handle: it stays what it is when the handle is closed and its number given out again.

        On Windows a provider with IFS handles leaves the signalling of network events to the kernel.

        Raises:
            WinsockError: WSA_INVALID_HANDLE, no event.
        """
        ...

    def WPUCompleteOverlappedRequest(self, s: int, overlapped: Any, error: int, moved: int, /) -> None:
        """An overlapped request on a handle of WPUCreateSocketHandle is complete: tell its event or port.

        No entry of the table: on Windows it is exported by the DLL. The call that has begun the request has returned
        `PENDING`, and the caller has been given its record.

        Args:
            error: the Winsock code it has failed with, 0 for success.
            moved: bytes.

        Raises:
            WinsockError: WSAENOTSOCK; WSAEINVAL, a handle of the host, or a request with a completion routine, for
                which there is WPUQueueApc.
        """
        ...

    def WPUCreateSocketHandle(self, catalog_entry_id: int, context: Any, /) -> int:
        """Number a socket that has no descriptor; ``context`` comes back from WPUQuerySocketHandleContext.

        Raises:
            WinsockError: WSAEINVAL, unknown catalog id, or its provider is still inside WSPStartup.
        """
        ...

    def WPUModifyIFSHandle(self, catalog_entry_id: int, proposed: int, /) -> int:
        """Register a socket under its descriptor's number; only the returned value is shown to the client.

        A number that is registered already passes to the caller: so a layer takes over its lower layer's handle.

        Raises:
            WinsockError: WSAEINVAL, as for WPUCreateSocketHandle, or a number that cannot be a handle.
        """
        ...

    def WPUCloseSocketHandle(self, s: int, /) -> None:
        """Forget a handle; WSAENOTSOCK when there is no such socket.

        On Windows only providers without IFS handles need it, as the system sees descriptors close; here nobody else
        tells the table, so providers call it for both kinds, before they close a descriptor.
        """
        ...

    def WPUQuerySocketHandleContext(self, s: int, /) -> Any:
        """The context given to WPUCreateSocketHandle; WSAENOTSOCK for any other handle."""
        ...

    def WPUFDIsSet(self, s: int, fds: Sequence[int], /) -> bool:
        """True when the handle is in the set."""
        ...

    def WPUGetProviderPath(self, provider_id: Any, /) -> str:
        """The path stored for a provider, unexpanded; WSAEINVAL for an unknown id."""
        ...

    def WPUQueryBlockingCallback(self, catalog_entry_id: int, /) -> tuple[Callable[[Any], bool] | None, Any]:
        """The blocking hook of this thread and its context; None means native blocking. WSAEINVAL for a bad id."""
        ...

    def WPUOpenCurrentThread(self) -> int:
        """An identifier of the calling thread for WPUQueueApc, valid until WPUCloseThread."""
        ...

    def WPUCloseThread(self, thread: int, /) -> None:
        """Give the identifier back; WSAEINVAL when it is none."""
        ...

    def WPUQueueApc(self, thread: int, routine: Callable[[Any], None], context: Any, /) -> None:
        """Run ``routine(context)`` in that thread's next alertable wait; WSAEFAULT for an invalid thread."""
        ...

    def WPUCreateEvent(self) -> int:
        """A manual-reset event, not signalled."""
        ...

    def WPUSetEvent(self, event: int, /) -> None:
        """Signal it; WSA_INVALID_HANDLE when it is no event."""
        ...

    def WPUResetEvent(self, event: int, /) -> None:
        """Clear it."""
        ...

    def WPUCloseEvent(self, event: int, /) -> None:
        """Free it."""
        ...

    def WPUPostMessage(self, window: int, message: int, wparam: int, lparam: int, /) -> bool:
        """Post a WSAAsyncSelect notification; False when the window's thread has no room for it.

        Raises:
            WinsockError: ERROR_INVALID_WINDOW_HANDLE, no such window.
        """
        ...
