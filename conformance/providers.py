"""A transport that a case installs: how it is to behave, and what the DLL does with it.

Part played:     ``with ws.provider(Provider(missing=("WSPSend",))) as recorder:``.
Lives here:      `Provider` (what is asked for), `Recorder` (what the case sees of it), the names in both tables.
Lives elsewhere: the transport and the process it is installed in (targets/recording, targets/installing); the way in
                 (target).
Values:          arguments and answers are in the shape of this suite: records of `records`, addresses and buffers as
                 bytes, sequences as tuples. A buffer shows what it held when the DLL made the call.
Sources:         nf-ws2spi-wspstartup and upcalls-exposed-by-windows-sockets-2-dll-2, for the two tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol
from uuid import UUID

import attrs

from .addresses import sockaddr_in
from .constants import AF_INET, IPPROTO_TCP, PFL_MATCHES_PROTOCOL_ZERO, SOCK_STREAM
from .records import ProtocolInfo

VERSION_2_2 = 0x0202

#: The procedure table that WSPStartup fills in, in its order.
ENTRIES = (
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
#: The upcall table that WSPStartup receives, in its order.
UPCALLS = (
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

#: What an installed transport answers to WSPGetSockName and WSPGetPeerName; the latter is every sender, too.
LOCAL = sockaddr_in("127.0.0.1", 1000)
PEER = sockaddr_in("127.0.0.1", 2000)


def protocol(
    af: int = AF_INET,
    type: int = SOCK_STREAM,
    protocol: int = IPPROTO_TCP,
    *,
    provider_flags: int = PFL_MATCHES_PROTOCOL_ZERO,
    **fields: Any,
) -> ProtocolInfo:
    """Return the record of a base protocol. Catalog id and provider id are given by the target where they are 0."""
    given: dict[str, Any] = {"version": 2, "max_sock_addr": 16, "min_sock_addr": 16, "name": "Recording", **fields}
    return ProtocolInfo(address_family=af, socket_type=type, protocol=protocol, provider_flags=provider_flags, **given)


@attrs.frozen(kw_only=True)
class Provider:
    """A transport to install: a well-behaved one, except for what is said here.

    Attributes:
        protocols: its rows in the catalog.
        version, high_version: what it answers to WSPStartup.
        missing: entries that its table lacks.
        load: whether loading its module works, and how it fails: there is no such module, the module does not hold
            what the path names, or its code fails.
        startup_error: the code with which WSPStartup fails; 0 is a failure without a code.
        ifs: it registers handles of its own instead of having the DLL make them.
        variable: an environment variable that stands in its path instead of the module's name.
        over: it is a layer that hands every call on to the provider with this id.
        through: entries of the layer below that it exposes in its own table unchanged.
        messages: it keeps what a socket sends and gives it back to the same socket, with parts of messages
            (XP1_PARTIAL_MESSAGE): a send with MSG_PARTIAL leaves its message open, a receive with MSG_PARTIAL takes
            what there is of one, a receive without it nothing (WSAEWOULDBLOCK) until the message is complete.
    """

    protocols: tuple[ProtocolInfo, ...] = (protocol(),)
    version: int = VERSION_2_2
    high_version: int = VERSION_2_2
    missing: tuple[str, ...] = ()
    load: Literal["works", "no module", "no name", "fails"] = "works"
    startup_error: int | None = None
    ifs: bool = False
    variable: str = ""
    over: UUID | None = None
    through: tuple[str, ...] = ()
    messages: bool = False


@attrs.frozen
class Call:
    """One call that the DLL made: the entry, and its arguments in the order of the SPI."""

    name: str
    args: tuple[Any, ...]


class Recorder(Protocol):
    """An installed transport, as a case sees it."""

    @property
    def protocols(self) -> tuple[ProtocolInfo, ...]:
        """Its rows, with the ids they got."""
        ...

    @property
    def path(self) -> str:
        """What the catalog has stored as the path of its module."""
        ...

    @property
    def loaded(self) -> int:
        """How often its module was loaded."""
        ...

    @property
    def calls(self) -> list[Call]:
        """What the DLL has called since the installation, or since `forget`."""
        ...

    def names(self) -> list[str]:
        """The calls without their arguments."""
        ...

    def forget(self) -> None:
        """Start a new record."""
        ...

    def fails(self, entry: str, code: int | None) -> None:
        """From now on the entry fails with ``code``; with 0 it fails without a code, with None no more."""
        ...

    def answers(self, entry: str, answer: Any) -> None:
        """From now on this is what the entry returns."""
        ...

    def does(self, entry: str, action: Callable[..., object]) -> None:
        """From now on the entry calls ``action`` with its arguments, as they come, before it answers."""
        ...

    def receives(self, data: bytes, flags: int = 0) -> None:
        """From now on this is what WSPRecv and WSPRecvFrom put into the buffers, and the flags they hand back."""
        ...

    def upcall(self, name: str, *arguments: Any) -> Any:
        """Make an upcall as this provider.

        Raises:
            Failed: it failed.
        """
        ...

    @property
    def entries(self) -> tuple[str, ...]:
        """The names that the DLL wants in the procedure table, in its order."""
        ...

    @property
    def upcalls(self) -> tuple[str, ...]:
        """The names in the upcall table that its last WSPStartup received."""
        ...

    def put_first(self) -> None:
        """Store a new order of the catalog, with the rows of this provider before all others."""
        ...
