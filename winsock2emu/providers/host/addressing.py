"""Control codes about local addresses, interfaces and routes.

Part played:     the address list, interface list and routing half of WSPIoctl.
Lives here:      what each code makes of what the host's network tells, and the waits for a change of it.
Lives elsewhere: the table of codes (ioctls), the host's network (interfaces), news of changes (changes), the order of
                 destinations (destinations).
Sources:         winsock-ioctls, sio-address-list-query, using-sio-address-list-sort, using-unix-ioctls-in-winsock;
                 R9.12, R9.23-R9.27, R9.30, R9.31 and the behaviours routeq-*, addrlist-*, addrchange-* of the
                 project's reference.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ...defs.addresslist import HEADER_SIZE, pack_address_list, unpack_address_list
from ...defs.codes import WSAEAFNOSUPPORT, WSAEFAULT, WSAEINVAL
from ...defs.constants import AF_INET, AF_INET6, IFF_LOOPBACK, IFF_UP
from ...defs.relocatable import Relocatable
from ...defs.sockaddr import SockAddr, sockaddr_in
from ...errors import WinsockError, would_block
from .changes import ADDRESS_LIST, ROUTES
from .destinations import best_first
from .hostsocket import NAME_SIZES
from .interfaces import HostNetwork, InterfaceAddress, is_loopback_or_link_local

if TYPE_CHECKING:
    from .ioctls import Request

_BROADCAST: Final = sockaddr_in(b"\xff\xff\xff\xff")
_interface_info: Final = struct.Struct("<I24s24s24s").pack


# Addresses


def bindable(network: HostNetwork, family: int) -> list[SockAddr]:
    """The local addresses that a socket can be bound to and reached at from elsewhere."""
    return [
        row.address
        for row in network.interfaces()
        if row.address.family == family
        and row.flags & IFF_UP
        and row.preferred
        and not (row.flags & IFF_LOOPBACK and is_loopback_or_link_local(row.address))
    ]


def address_list(request: Request) -> Relocatable:
    """SIO_ADDRESS_LIST_QUERY."""
    record = pack_address_list(bindable(request.network, request.endpoint.family))
    room = request.room
    if 0 < room < HEADER_SIZE:
        raise WinsockError(WSAEINVAL, needed=0)  # observed: no room even for the count is another error
    if room < len(record):
        raise WinsockError(WSAEFAULT, needed=len(record))
    return record


def sorted_addresses(request: Request) -> Relocatable:
    """SIO_ADDRESS_LIST_SORT: the same addresses, the best destination first."""
    assert request.data is not None
    try:
        addresses = unpack_address_list(request.data)
    except ValueError as mistake:
        raise WinsockError(WSAEFAULT) from mistake
    if any(address.family != AF_INET6 or len(address) < NAME_SIZES[AF_INET6] for address in addresses):
        raise WinsockError(WSAEINVAL)
    network = request.network
    record = pack_address_list(best_first(addresses, network.source_for, network.interfaces()))
    if request.room < len(record):
        raise WinsockError(WSAEFAULT, needed=len(record))
    return record


def address_list_change(request: Request) -> Any:
    """SIO_ADDRESS_LIST_CHANGE: wait until the list is another one."""
    network, family = request.network, request.endpoint.family
    before: list[SockAddr] = []

    def look() -> None:
        before[:] = bindable(network, family)

    return _until_changed(request, ADDRESS_LIST, look, lambda news: bindable(network, family) != before)


# Interfaces


def interface_list(request: Request) -> bytes:
    """SIO_GET_INTERFACE_LIST: an INTERFACE_INFO for each IPv4 address, those of the loopback interface last."""
    rows = [row for row in request.network.interfaces() if row.address.family == AF_INET]
    rows.sort(key=lambda row: row.flags & IFF_LOOPBACK)
    records = b"".join(map(_pack_interface, rows))
    if request.room < len(records):
        raise WinsockError(WSAEFAULT)
    return records


def _pack_interface(row: InterfaceAddress) -> bytes:
    # Without a broadcast address the family alone is there.
    broadcast = row.broadcast or sockaddr_in(bytes(4))
    return _interface_info(row.flags, row.address, broadcast, row.netmask)


def broadcast_address(request: Request) -> bytes:
    """SIO_GET_BROADCAST_ADDRESS: the one that every network takes as its own."""
    return _BROADCAST


# Routes


def _destination(request: Request, *, wildcard: bool) -> SockAddr:
    """The address in the input buffer. Observed: too short is WSAEINVAL here, not WSAEFAULT."""
    family = request.endpoint.family
    data = request.data
    if data is None or len(data) < NAME_SIZES[family]:
        raise WinsockError(WSAEINVAL)
    address = SockAddr(data[: NAME_SIZES[family]])
    if address.family != family:
        raise WinsockError(WSAEAFNOSUPPORT)
    if not wildcard and not any(address.packed):
        raise WinsockError(WSAEINVAL)
    return address


def routing_interface(request: Request) -> bytes:
    """SIO_ROUTING_INTERFACE_QUERY: the local address from which a destination is reached."""
    source = request.network.source_for(_destination(request, wildcard=False))
    if request.room < len(source):
        # Observed: a buffer that is not there at all learns nothing.
        raise WinsockError(WSAEFAULT, needed=len(source) if request.room else None)
    return source


def routing_interface_change(request: Request) -> Any:
    """SIO_ROUTING_INTERFACE_CHANGE: wait until a destination is reached another way; the wildcard is any of them."""
    destination = _destination(request, wildcard=True)
    network = request.network
    before: list[Any] = []

    def way() -> Any:
        """How the destination is reached, or the code that says why it is not."""
        if not any(destination.packed):
            return network.interfaces()
        try:
            return network.source_for(destination)
        except WinsockError as failure:
            return failure.winerror

    def look() -> None:
        before[:] = [way()]

    def changed(news: int) -> bool:
        return [way()] != before or (news > 0 and not any(destination.packed))

    def code() -> int:
        reached = way()
        return reached if isinstance(reached, int) else 0

    return _until_changed(request, ROUTES, look, changed, code)


# Waiting


def _until_changed(
    request: Request,
    kind: str,
    look: Callable[[], None],
    changed: Callable[[int], bool],
    code: Callable[[], int] | None = None,
) -> Any:
    """Wait until ``changed``, which is told how much news there has been since ``look``.

    An overlapped request waits in any mode. A socket in non-blocking mode does not wait otherwise: the request stays
    armed for the network event, in the place of an earlier one; ``code`` tells its error.
    """
    endpoint, waits = request.endpoint, request.waits
    source = request.network.changes()
    look()  # after the source has been opened: what comes from now on is news
    operation = request.operation
    armed = operation is None and not endpoint.blocking
    wait = waits.begin(*(endpoint, request.handle, kind, source, lambda: changed(source.news)), only=armed)
    if operation is not None:
        return waits.pend(endpoint, wait, operation)
    if code is not None:
        wait.code = code
    if armed:
        if endpoint.observer is not None:
            endpoint.observer.waits_for_change(kind, waits)
        raise would_block()
    try:
        wait.wait()
    finally:
        waits.end(endpoint, wait)
    return b""
