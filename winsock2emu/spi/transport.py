"""What a transport supplies: WSPStartup and the 30 entries of its procedure table.

Part played:     the WSP half of ws2spi.h.
Lives here:      the contract, and the table as the loader checks it.
Lives elsewhere: who calls it (ws2_32, through process.SocketRecord), what a provider may call (upcalls).
Conventions:     out-parameters are returned; a failure raises `WinsockError` (the lpErrno of the C interface) and
                 nothing else: to a program anything else is a failure without a code (errors.exported). A provider
                 validates every argument of a forwarded call, in the order of appendix B of the project's reference,
                 and never calls the API layer. Addresses are bytes in Windows' memory layout.
                 A buffer that is None stands for a WSABUF with a NULL pointer.
                 ``operation`` is the overlapped request, None for a synchronous call.
Sources:         transport-mapping-between-api-and-spi-functions-2, nf-ws2spi-wspstartup and the pages of each WSP
                 function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import attrs

from ..defs.records import ProtocolInfo, WSPData
from ..defs.sockaddr import SockAddr
from .upcalls import Upcalls

# The order is that of WSPPROC_TABLE.
PROC_TABLE = (
    "WSPAccept",
    "WSPAddressToString",
    "WSPAsyncSelect",
    "WSPBind",
    "WSPCancelBlockingCall",
    "WSPCleanup",
    "WSPCloseSocket",
    "WSPConnect",
    "WSPDuplicateSocket",
    "WSPEnumNetworkEvents",
    "WSPEventSelect",
    "WSPGetOverlappedResult",
    "WSPGetPeerName",
    "WSPGetSockName",
    "WSPGetSockOpt",
    "WSPGetQOSByName",
    "WSPIoctl",
    "WSPJoinLeaf",
    "WSPListen",
    "WSPRecv",
    "WSPRecvDisconnect",
    "WSPRecvFrom",
    "WSPSelect",
    "WSPSend",
    "WSPSendDisconnect",
    "WSPSendTo",
    "WSPSetSockOpt",
    "WSPShutdown",
    "WSPSocket",
    "WSPStringToAddress",
)

Buffers = Sequence[Any] | None
SocketSet = Sequence[int] | None
Sets = tuple[list[int], list[int], list[int]]


class TransportProvider(Protocol):
    """A transport under the SPI's own names; the object is its own procedure table.

    A layered provider that leaves a function alone assigns the lower layer's entry to the attribute of that name.
    """

    def WSPStartup(self, version: int, info: ProtocolInfo, upcalls: Upcalls, /) -> WSPData:
        """The first call into a provider; ``version`` is the highest the DLL knows (0x0202).

        ``info`` tells which of its protocols is started; of several upcall tables the last one counts.
        """
        ...

    def WSPCleanup(self) -> None:
        """Undo one WSPStartup; the last one releases everything and leaves the provider ready for a new start."""
        ...

    def WSPSocket(self, af: int, type: int, protocol: int, info: ProtocolInfo, group: int, flags: int, /) -> int:
        """Make a socket; af, type and protocol may be 0 or FROM_PROTOCOL_INFO and then come from ``info``.

        The handle comes from WPUModifyIFSHandle or WPUCreateSocketHandle.
        """
        ...

    def WSPCloseSocket(self, s: int, /) -> None:
        """End what waits on the socket and release it."""
        ...

    def WSPBind(self, s: int, name: bytes | None, /) -> None:
        """Give the socket its local address."""
        ...

    def WSPListen(self, s: int, backlog: int, /) -> None:
        """Accept connection requests from now on."""
        ...

    def WSPAccept(
        self, s: int, namelen: int | None, condition: Callable[..., int] | None, callback_data: int, /
    ) -> tuple[int, SockAddr]:
        """Take the first connection request: (new handle, address of the caller).

        ``namelen`` is the room for the address in bytes, None if the caller takes any or none.
        """
        ...

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
        """Connect, or set a datagram socket's peer; returns the callee's data, empty where there is none."""
        ...

    def WSPShutdown(self, s: int, how: int, /) -> None:
        """End one or both directions without closing."""
        ...

    def WSPGetSockName(self, s: int, namelen: int | None, /) -> SockAddr:
        """The local address; ``namelen`` as for WSPAccept."""
        ...

    def WSPGetPeerName(self, s: int, namelen: int | None, /) -> SockAddr:
        """The peer's address; ``namelen`` as for WSPAccept."""
        ...

    def WSPSend(self, s: int, buffers: Buffers, flags: int, operation: Any, /) -> Any:
        """Send the buffers in order as one sequence; bytes accepted, or PENDING."""
        ...

    def WSPSendTo(self, s: int, buffers: Buffers, flags: int, to: bytes | None, operation: Any, /) -> Any:
        """Send one datagram to an address; bytes accepted, or PENDING."""
        ...

    def WSPRecv(self, s: int, buffers: Buffers, flags: int, operation: Any, /) -> Any:
        """Fill the buffers in order; 0 on a stream means that the peer finished sending.

        The result is an int, or a `Received` when the flags to hand back are not 0, or PENDING.
        """
        ...

    def WSPRecvFrom(self, s: int, buffers: Buffers, flags: int, fromlen: int | None, operation: Any, /) -> Any:
        """As WSPRecv, with the sender: (bytes, address), address None on a stream; ``fromlen`` as for WSPAccept."""
        ...

    def WSPGetSockOpt(self, s: int, level: int, option: int, length: int | None, /) -> bytes:
        """The option as it lies in memory; ``length`` is the room, None for as much as needed."""
        ...

    def WSPSetSockOpt(self, s: int, level: int, option: int, value: bytes | None, /) -> None:
        """Set an option from its bytes."""
        ...

    def WSPIoctl(self, s: int, code: int, data: bytes | None, out_length: int, operation: Any, /) -> Any:
        """Carry out a control code; returns what belongs into the output buffer of ``out_length`` bytes.

        Bytes, `Relocatable` ones if they hold pointers. SIO_GET_EXTENSION_FUNCTION_POINTER returns the function itself,
        a callable bound to the provider, which C sees as a pointer (capi/extensions).
        """
        ...

    def WSPSelect(
        self,
        readfds: SocketSet,
        writefds: SocketSet,
        exceptfds: SocketSet,
        timeout: tuple[int, int] | None,
        /,
    ) -> Sets:
        """Wait for any of the sockets; the three lists of what is ready. ``timeout`` is (seconds, microseconds)."""
        ...

    def WSPEventSelect(self, s: int, event: int, mask: int, /) -> None:
        """Record the network events in ``mask`` and signal ``event`` for them."""
        ...

    def WSPEnumNetworkEvents(self, s: int, event: int | None, /) -> tuple[int, tuple[int, ...]]:
        """What was recorded since the last call: (mask, one code per event bit)."""
        ...

    def WSPAsyncSelect(self, s: int, window: int, message: int, mask: int, /) -> None:
        """Post a window message for the network events in ``mask``."""
        ...

    def WSPGetOverlappedResult(self, s: int, operation: Any, wait: bool, /) -> tuple[int, int]:
        """The outcome of an overlapped request: (bytes, flags)."""
        ...

    def WSPCancelBlockingCall(self) -> None:
        """End the blocking call of this thread (Winsock 1.1)."""
        ...

    def WSPDuplicateSocket(self, s: int, process_id: int, /) -> ProtocolInfo:
        """A record from which another process can make a handle to the same socket."""
        ...

    def WSPJoinLeaf(
        self,
        s: int,
        name: bytes | None,
        caller_data: bytes | None,
        callee_room: int | None,
        sqos: Any,
        gqos: Any,
        flags: int,
        /,
    ) -> int:
        """Join a leaf to a multipoint session; the session's handle."""
        ...

    def WSPSendDisconnect(self, s: int, data: bytes | None, /) -> None:
        """End sending, with disconnect data."""
        ...

    def WSPRecvDisconnect(self, s: int, room: int | None, /) -> bytes:
        """End receiving; the peer's disconnect data."""
        ...

    def WSPGetQOSByName(self, s: int, name: str | None, /) -> Any:
        """The named QOS template, None when the provider has none of that name."""
        ...

    def WSPAddressToString(self, address: bytes, info: ProtocolInfo | None, /) -> str:
        """The text form of an address."""
        ...

    def WSPStringToAddress(self, text: str, family: int, info: ProtocolInfo | None, /) -> SockAddr:
        """The address that a text stands for."""
        ...


class Received(int):
    """Bytes received, with flags to hand back (MSG_PARTIAL and its like); a plain int means flags 0."""

    flags: int

    def __new__(cls, moved: int, flags: int) -> Received:
        self = super().__new__(cls, moved)
        self.flags = flags
        return self


@attrs.frozen
class WSPProcTable:
    """A provider's entries as they were when it was loaded: what WSPStartup fills in C."""

    WSPAccept: Callable[..., Any]
    WSPAddressToString: Callable[..., Any]
    WSPAsyncSelect: Callable[..., Any]
    WSPBind: Callable[..., Any]
    WSPCancelBlockingCall: Callable[..., Any]
    WSPCleanup: Callable[..., Any]
    WSPCloseSocket: Callable[..., Any]
    WSPConnect: Callable[..., Any]
    WSPDuplicateSocket: Callable[..., Any]
    WSPEnumNetworkEvents: Callable[..., Any]
    WSPEventSelect: Callable[..., Any]
    WSPGetOverlappedResult: Callable[..., Any]
    WSPGetPeerName: Callable[..., Any]
    WSPGetSockName: Callable[..., Any]
    WSPGetSockOpt: Callable[..., Any]
    WSPGetQOSByName: Callable[..., Any]
    WSPIoctl: Callable[..., Any]
    WSPJoinLeaf: Callable[..., Any]
    WSPListen: Callable[..., Any]
    WSPRecv: Callable[..., Any]
    WSPRecvDisconnect: Callable[..., Any]
    WSPRecvFrom: Callable[..., Any]
    WSPSelect: Callable[..., Any]
    WSPSend: Callable[..., Any]
    WSPSendDisconnect: Callable[..., Any]
    WSPSendTo: Callable[..., Any]
    WSPSetSockOpt: Callable[..., Any]
    WSPShutdown: Callable[..., Any]
    WSPSocket: Callable[..., Any]
    WSPStringToAddress: Callable[..., Any]

    @classmethod
    def of(cls, provider: object) -> WSPProcTable | None:
        """The table of a started provider; None when an entry is missing or not callable."""
        entries = {name: getattr(provider, name, None) for name in PROC_TABLE}
        if not all(map(callable, entries.values())):
            return None
        return cls(**entries)  # type: ignore[arg-type]  # checked just above
