"""The transport catalog: rows, their order, and how a request for a socket finds one.

Part played:     the protocol catalog of the registry, as one process has read it.
Lives here:      `CatalogEntry`, `Catalog` (an immutable snapshot) and the rows Windows has built in.
Lives elsewhere: loading what a row names (loader); who asks (process).
Sources:         transport-division-of-responsibilities-between-dll-and-service-providers-2, nf-winsock2-wsasocketw,
                 nf-winsock2-wsaenumprotocolsw; which error a request gets that nothing matches is what Windows does,
                 as recorded by the public test suite of the Wine project. Names, flags and GUIDs are those a Windows
                 machine lists.
Differences:     a protocol that belongs to another type, (AF_INET, SOCK_STREAM, IPPROTO_UDP), is WSAEPROTONOSUPPORT as
                 on Windows, where the pages give WSAEPROTOTYPE. A type that no entry has is found out before the
                 family, and no family with protocol 0 is WSAEINVAL whatever the type, both as on Windows. AF_UNIX
                 stands last, as on Windows 10 1803 and later.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import attrs

from ..defs.codes import (
    WSAEAFNOSUPPORT,
    WSAEINVAL,
    WSAEPROTONOSUPPORT,
    WSAESOCKTNOSUPPORT,
)
from ..defs.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PFL_HIDDEN,
    PFL_MATCHES_PROTOCOL_ZERO,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    XP1_CONNECTIONLESS,
    XP1_EXPEDITED_DATA,
    XP1_GRACEFUL_CLOSE,
    XP1_GUARANTEED_DELIVERY,
    XP1_GUARANTEED_ORDER,
    XP1_IFS_HANDLES,
    XP1_MESSAGE_ORIENTED,
    XP1_SUPPORT_BROADCAST,
    XP1_SUPPORT_MULTIPOINT,
)
from ..defs.records import ProtocolInfo
from ..errors import WinsockError

LAYERED_CHAIN = 0  # ChainLen of a layered protocol, which cannot be used alone
BASE_PROTOCOL = 1  # ChainLen of a base protocol


@attrs.frozen(kw_only=True)
class CatalogEntry:
    """One row of the transport catalog: what WSAEnumProtocols shows, and what to load.

    ``provider_path`` is "package.module:Class", where Windows keeps the path of a DLL.
    """

    info: ProtocolInfo
    provider_path: str

    @property
    def catalog_id(self) -> int:
        """1001 and up; the search order is the catalog's, not the number's."""
        return self.info.catalog_entry_id

    @property
    def usable(self) -> bool:
        """Base protocols and chains can be opened, layered protocols cannot."""
        return self.info.chain_len != LAYERED_CHAIN

    def speaks(self, protocol: int) -> bool:
        """True when ``protocol`` lies in the row's range, or is 0 and the row matches that as well."""
        info = self.info
        if protocol == 0 and info.provider_flags & PFL_MATCHES_PROTOCOL_ZERO:
            return True
        return info.protocol <= protocol <= info.protocol + info.protocol_max_offset


class Catalog:
    """A snapshot of the catalog, in search order. Changes make a new one, seen by later WSAStartups."""

    def __init__(self, entries: Sequence[CatalogEntry]) -> None:
        self.entries = tuple(entries)
        self._by_id = {entry.catalog_id: entry for entry in self.entries}
        self._selected: dict[tuple[int, int, int], CatalogEntry] = {}  # what `select` has found so far

    def by_id(self, catalog_id: int) -> CatalogEntry | None:
        """The row with that id."""
        return self._by_id.get(catalog_id)

    def named(self, info: ProtocolInfo) -> CatalogEntry:
        """The row that a protocol record of a program names, by its catalog id alone.

        Raises:
            WinsockError: WSAEINVAL, no row has that id, or it is a layered protocol's, which cannot be used alone.
        """
        if not isinstance(info, ProtocolInfo):
            raise TypeError(f"a protocol record is a ProtocolInfo, not {info.__class__.__name__}")
        entry = self._by_id.get(info.catalog_entry_id)
        if entry is None or not entry.usable:
            raise WinsockError(WSAEINVAL)
        return entry

    def by_family(self, family: int) -> CatalogEntry | None:
        """The first usable row of an address family."""
        return next((e for e in self.entries if e.usable and e.info.address_family == family), None)

    def by_provider(self, provider_id: uuid.UUID) -> CatalogEntry | None:
        """The first row of a provider."""
        return next((e for e in self.entries if e.info.provider_id == provider_id), None)

    def enumerate(self, protocols: Sequence[int] | None) -> list[ProtocolInfo]:
        """What WSAEnumProtocols reports: base protocols and chains that are not hidden, optionally filtered."""
        return [
            entry.info
            for entry in self.entries
            if entry.usable
            and not entry.info.provider_flags & PFL_HIDDEN
            and (protocols is None or entry.info.protocol in protocols)
        ]

    def select(self, af: int, type: int, protocol: int) -> CatalogEntry:
        """The row that a request without a protocol record gets: the first that matches the triple.

        ``af`` and ``type`` 0 match anything; ``protocol`` 0 matches the rows that say so, but needs a family. Layered
        protocols never count, hidden rows do.

        Raises:
            WinsockError: WSAEINVAL, neither a family nor a protocol; WSAESOCKTNOSUPPORT, no row has the type;
                WSAEAFNOSUPPORT, none has the family; WSAESOCKTNOSUPPORT, none of the family has the type;
                WSAEPROTONOSUPPORT, none of these has the protocol. The first one wins.
        """
        known = self._selected.get((af, type, protocol))
        if known is not None:
            return known
        if not af and not protocol:
            raise WinsockError(WSAEINVAL)
        for entry in self.entries:
            info = entry.info
            wanted = af in (0, info.address_family) and type in (0, info.socket_type)
            if wanted and entry.usable and entry.speaks(protocol):
                self._selected[af, type, protocol] = entry
                return entry
        rows = [entry for entry in self.entries if entry.usable]
        if type and rows and all(entry.info.socket_type != type for entry in rows):
            raise WinsockError(WSAESOCKTNOSUPPORT)
        family = [entry for entry in rows if af in (0, entry.info.address_family)]
        if not family:
            raise WinsockError(WSAEAFNOSUPPORT)
        if type and all(entry.info.socket_type != type for entry in family):
            raise WinsockError(WSAESOCKTNOSUPPORT)
        raise WinsockError(WSAEPROTONOSUPPORT)


_HOST = "winsock2emu.providers.host:HostProvider"
_MSAFD_TCPIP = uuid.UUID("e70f1aa0-ab8b-11cf-8ca3-00805f48a192")
_MSAFD_TCPIP6 = uuid.UUID("f9eab0c0-26d4-11d0-bbbf-00aa006c34e4")
_AF_UNIX = uuid.UUID("a00943d9-9c2e-4633-9b59-0057a3160994")
_STREAM = XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | XP1_EXPEDITED_DATA | XP1_IFS_HANDLES
_DATAGRAM = XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | XP1_SUPPORT_BROADCAST | XP1_SUPPORT_MULTIPOINT | XP1_IFS_HANDLES
_LOCAL_STREAM = XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | XP1_IFS_HANDLES

# (name, provider, family, address bytes, type, protocol, protocol range, service flags, extra provider flags, message
# size)
_BUILT_IN: tuple[tuple[str, uuid.UUID, int, int, int, int, int, int, int, int], ...] = (
    ("MSAFD Tcpip [TCP/IP]", _MSAFD_TCPIP, AF_INET, 16, SOCK_STREAM, IPPROTO_TCP, 0, _STREAM, 0, 0),
    ("MSAFD Tcpip [UDP/IP]", _MSAFD_TCPIP, AF_INET, 16, SOCK_DGRAM, IPPROTO_UDP, 0, _DATAGRAM, 0, 65467),
    ("MSAFD Tcpip [RAW/IP]", _MSAFD_TCPIP, AF_INET, 16, SOCK_RAW, 0, 255, _DATAGRAM, PFL_HIDDEN, 32768),
    ("MSAFD Tcpip [TCP/IPv6]", _MSAFD_TCPIP6, AF_INET6, 28, SOCK_STREAM, IPPROTO_TCP, 0, _STREAM, 0, 0),
    ("MSAFD Tcpip [UDP/IPv6]", _MSAFD_TCPIP6, AF_INET6, 28, SOCK_DGRAM, IPPROTO_UDP, 0, _DATAGRAM, 0, 65467),
    ("MSAFD Tcpip [RAW/IPv6]", _MSAFD_TCPIP6, AF_INET6, 28, SOCK_RAW, 0, 255, _DATAGRAM, PFL_HIDDEN, 32768),
    ("AF_UNIX", _AF_UNIX, AF_UNIX, 110, SOCK_STREAM, 0, 0, _LOCAL_STREAM, 0, 0),
)


def built_in_catalog() -> Catalog:
    """The rows that Windows has before anybody installs anything, numbered from 1001."""
    return Catalog(
        [
            CatalogEntry(
                info=ProtocolInfo(
                    service_flags1=service_flags,
                    provider_flags=PFL_MATCHES_PROTOCOL_ZERO | provider_flags,
                    provider_id=provider_id,
                    catalog_entry_id=1001 + index,
                    address_family=family,
                    max_sock_addr=size,
                    min_sock_addr=2 if family == AF_UNIX else size,
                    socket_type=type_,
                    protocol=protocol,
                    protocol_max_offset=max_offset,
                    message_size=message_size,
                    name=name,
                ),
                provider_path=_HOST,
            )
            for index, (
                name,
                provider_id,
                family,
                size,
                type_,
                protocol,
                max_offset,
                service_flags,
                provider_flags,
                message_size,
            ) in enumerate(_BUILT_IN)
        ]
    )
