"""The records that calls return and take, as cases see them on every target.

Part played:     WSADATA, WSAPROTOCOL_INFO, ADDRINFO, HOSTENT, SERVENT, PROTOENT and WSAMSG without pointers.
Lives elsewhere: their memory layout (layouts), reading and writing it (driver).
"""

from __future__ import annotations

from uuid import UUID

import attrs

NO_PROVIDER = UUID(int=0)


@attrs.frozen(kw_only=True)
class WSAData:
    """What WSAStartup fills in."""

    version: int
    high_version: int
    description: str
    system_status: str
    max_sockets: int
    max_udp_dg: int


@attrs.frozen(kw_only=True)
class ProtocolInfo:
    """WSAPROTOCOL_INFO. To change one use ``attrs.evolve``. A base protocol has an empty chain, whatever C has."""

    service_flags1: int = 0
    service_flags2: int = 0
    service_flags3: int = 0
    service_flags4: int = 0
    provider_flags: int = 0
    provider_id: UUID = NO_PROVIDER
    catalog_entry_id: int = 0
    chain_len: int = 1
    protocol_chain: tuple[int, ...] = ()
    version: int = 0
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


@attrs.frozen(kw_only=True)
class AddrInfo:
    """ADDRINFO, one entry of the list."""

    flags: int = 0
    family: int = 0
    socktype: int = 0
    protocol: int = 0
    canonname: str | None = None
    addr: bytes | None = None


@attrs.frozen(kw_only=True)
class ReceivedMessage:
    """What WSARecvMsg leaves in a WSAMSG, and the number of bytes; ``controldata`` reads the control data."""

    moved: int
    address: bytes | None
    control: bytes
    flags: int


@attrs.frozen(kw_only=True)
class HostEnt:
    """What gethostbyname points to."""

    name: str
    aliases: tuple[str, ...]
    addrtype: int
    addresses: tuple[bytes, ...]


@attrs.frozen(kw_only=True)
class ServEnt:
    """What getservbyname points to; the port in network byte order."""

    name: str
    aliases: tuple[str, ...]
    port: int
    proto: str


@attrs.frozen(kw_only=True)
class ProtoEnt:
    """What getprotobyname points to."""

    name: str
    aliases: tuple[str, ...]
    proto: int
