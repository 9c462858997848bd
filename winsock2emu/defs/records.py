"""Records: the structures of winsock2.h that cross the API as values.

Part played:     WSADATA, WSAPROTOCOL_INFO, ADDRINFO, HOSTENT, SERVENT, PROTOENT, WSAMSG, TRANSMIT_PACKETS_ELEMENT,
                 WSPDATA.
Lives here:      their fields under the documented names without the Hungarian prefix, and the memory form of the
                 protocol record, which options and shared sockets hand out as bytes.
Lives elsewhere: all other memory layouts (defs/layouts, capi/structs), addresses (sockaddr).
Sources:         ns-winsock2-wsaprotocol_infow, ns-winsock2-wsadata, ns-ws2def-addrinfoa, ns-ws2spi-wspdata.
"""

from __future__ import annotations

import struct
import uuid
from typing import Any

import attrs

from .sockaddr import SockAddr

MAX_PROTOCOL_CHAIN = 7
_NO_PROVIDER = uuid.UUID(int=0)
WSAPROTOCOL_LEN = 255

# Four flag words, provider flags, GUID, catalog id, chain length and entries, then eleven words; then szProtocol.
_PROTOCOL_INFO = struct.Struct("<5I16sIi7I9i2I")
PROTOCOL_INFOW_SIZE = _PROTOCOL_INFO.size + 2 * (WSAPROTOCOL_LEN + 1)
PROTOCOL_INFOA_SIZE = _PROTOCOL_INFO.size + WSAPROTOCOL_LEN + 1


@attrs.frozen(kw_only=True)
class ProtocolInfo:
    """WSAPROTOCOL_INFO: one protocol as WSAEnumProtocols shows it.

    ``protocol_chain`` holds the catalog ids of a chain from the top layer down to the base protocol;
    ``chain_len`` is 1 for a base protocol, 0 for a layered protocol that cannot be used alone, more for a chain.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/ns-winsock2-wsaprotocol_infow
    """

    service_flags1: int = 0
    service_flags2: int = 0
    service_flags3: int = 0
    service_flags4: int = 0
    provider_flags: int = 0
    provider_id: uuid.UUID = _NO_PROVIDER
    catalog_entry_id: int = 0
    chain_len: int = 1
    protocol_chain: tuple[int, ...] = ()
    version: int = 2
    address_family: int = 0
    max_sock_addr: int = 0
    min_sock_addr: int = 0
    socket_type: int = 0
    protocol: int = 0
    protocol_max_offset: int = 0
    network_byte_order: int = 0
    security_scheme: int = 0
    message_size: int = 0
    provider_reserved: int = 0
    name: str = ""

    def _fixed(self) -> bytes:
        chain = (self.protocol_chain + (0,) * MAX_PROTOCOL_CHAIN)[:MAX_PROTOCOL_CHAIN]
        return _PROTOCOL_INFO.pack(
            self.service_flags1,
            self.service_flags2,
            self.service_flags3,
            self.service_flags4,
            self.provider_flags,
            self.provider_id.bytes_le,
            self.catalog_entry_id,
            self.chain_len,
            *chain,
            self.version,
            self.address_family,
            self.max_sock_addr,
            self.min_sock_addr,
            self.socket_type,
            self.protocol,
            self.protocol_max_offset,
            self.network_byte_order,
            self.security_scheme,
            self.message_size,
            self.provider_reserved,
        )

    def pack_w(self) -> bytes:
        """The record as WSAPROTOCOL_INFOW (628 bytes, name in UTF-16)."""
        return self._fixed() + self.name.encode("utf-16-le")[: 2 * WSAPROTOCOL_LEN].ljust(
            2 * (WSAPROTOCOL_LEN + 1), b"\0"
        )

    def pack_a(self) -> bytes:
        """The record as WSAPROTOCOL_INFOA (372 bytes)."""
        return self._fixed() + self.name.encode("utf-8")[:WSAPROTOCOL_LEN].ljust(WSAPROTOCOL_LEN + 1, b"\0")

    @classmethod
    def unpack(cls, raw: bytes) -> ProtocolInfo:
        """Read WSAPROTOCOL_INFOA or WSAPROTOCOL_INFOW, told apart by their size; ValueError for any other size."""
        if len(raw) == PROTOCOL_INFOW_SIZE:
            name = raw[_PROTOCOL_INFO.size :].decode("utf-16-le", "replace")
        elif len(raw) == PROTOCOL_INFOA_SIZE:
            name = raw[_PROTOCOL_INFO.size :].decode("utf-8", "replace")
        else:
            raise ValueError(f"a WSAPROTOCOL_INFO has 372 or 628 bytes, not {len(raw)}")
        words = _PROTOCOL_INFO.unpack(raw[: _PROTOCOL_INFO.size])
        chain_len = words[7]
        return cls(
            service_flags1=words[0],
            service_flags2=words[1],
            service_flags3=words[2],
            service_flags4=words[3],
            provider_flags=words[4],
            provider_id=uuid.UUID(bytes_le=words[5]),
            catalog_entry_id=words[6],
            chain_len=chain_len,
            protocol_chain=words[8 : 8 + max(0, min(chain_len, MAX_PROTOCOL_CHAIN))] if chain_len > 1 else (),
            version=words[15],
            address_family=words[16],
            max_sock_addr=words[17],
            min_sock_addr=words[18],
            socket_type=words[19],
            protocol=words[20],
            protocol_max_offset=words[21],
            network_byte_order=words[22],
            security_scheme=words[23],
            message_size=words[24],
            provider_reserved=words[25],
            name=name.split("\0", 1)[0],
        )


@attrs.frozen(kw_only=True)
class WSAData:
    """WSADATA: what WSAStartup negotiated. Versions are words: low byte major, high byte minor.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/ns-winsock2-wsadata
    """

    version: int
    high_version: int
    description: str = "WinSock 2.0"
    system_status: str = "Running"
    max_sockets: int = 0
    max_udp_dg: int = 0


@attrs.frozen(kw_only=True)
class WSPData:
    """WSPDATA: what a provider answers to WSPStartup. Versions as in `WSAData`."""

    version: int
    high_version: int
    description: str = ""


@attrs.frozen(kw_only=True)
class AddrInfo:
    """ADDRINFO without its link: getaddrinfo takes one as hints and returns a list.

    Source: https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-addrinfoa
    """

    flags: int = 0
    family: int = 0
    socktype: int = 0
    protocol: int = 0
    canonname: str | None = None
    addr: SockAddr | None = None


@attrs.frozen(kw_only=True)
class ReceivedMessage:
    """What WSARecvMsg leaves in a WSAMSG, and the number of bytes.

    Attributes:
        moved: bytes of data in the buffers.
        address: the sender.
        control: the control data, in Windows' layout (`controldata`).
        flags: MSG_BCAST, MSG_MCAST, MSG_TRUNC, MSG_CTRUNC.

    Source: https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-wsamsg
    """

    moved: int
    address: SockAddr | None
    control: bytes
    flags: int


@attrs.frozen
class TransmitElement:
    """TRANSMIT_PACKETS_ELEMENT: a piece of what TransmitPackets sends.

    Attributes:
        data: a buffer (TP_ELEMENT_MEMORY); None for a part of a file.
        file: the file (TP_ELEMENT_FILE); None for data.
        offset: where the part begins, in bytes; -1 for the file's own position.
        length: its bytes; 0 for all to the end of the file.
        end_of_packet: a datagram ends here (TP_ELEMENT_EOP).

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/ns-mswsock-transmit_packets_element
    """

    data: Any = None
    file: Any = attrs.field(default=None, kw_only=True)
    offset: int = attrs.field(default=0, kw_only=True)
    length: int = attrs.field(default=0, kw_only=True)
    end_of_packet: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen(kw_only=True)
class HostEnt:
    """HOSTENT: what gethostbyname returns; addresses as packed bytes in network order."""

    name: str
    aliases: tuple[str, ...]
    addrtype: int
    addresses: tuple[bytes, ...]


@attrs.frozen(kw_only=True)
class ServEnt:
    """SERVENT: a service, as getservbyname returns it; the port in network byte order, as C sees it."""

    name: str
    aliases: tuple[str, ...]
    port: int
    proto: str


@attrs.frozen(kw_only=True)
class ProtoEnt:
    """PROTOENT: a protocol, as getprotobyname returns it."""

    name: str
    aliases: tuple[str, ...]
    proto: int
