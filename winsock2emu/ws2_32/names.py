"""Names to addresses and back; services and protocols by name and number.

Part played:     getaddrinfo, getnameinfo, gethostname and the getXbyY family.
Lives elsewhere: who answers (the name service of the process; for now the host's resolver), the table of protocols,
                 which asks nobody (defs/wellknown), connecting by name (connecting).
"""

from __future__ import annotations

from ..defs.codes import WSAEFAULT, WSAHOST_NOT_FOUND, WSANO_DATA, WSANO_RECOVERY
from ..defs.records import AddrInfo, HostEnt, ProtoEnt, ServEnt
from ..defs.wellknown import protocol_called, protocol_numbered
from ..errors import WinsockError, exported
from ..process import current_process


@exported
def getaddrinfo(node: str | None, service: str | None, hints: AddrInfo | None = None) -> list[AddrInfo]:
    """Addresses of a node and a service.

    Args:
        node: a name or a numeric address; None for the wildcard or loopback address, "" for this machine.
        service: a name or a port number; None for port 0.
        hints: flags, family, socktype and protocol to look for.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAHOST_NOT_FOUND, neither is given or the name is unknown; WSAESOCKTNOSUPPORT;
            WSAEAFNOSUPPORT; WSATYPE_NOT_FOUND, unknown service; WSATRY_AGAIN; WSANO_RECOVERY, hints with a name or an
            address among others. To C the code is the result.

    Source: https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfo
    """
    names = current_process().name_service()
    if node is None and service is None:
        raise WinsockError(WSAHOST_NOT_FOUND)
    if hints is not None and (hints.canonname is not None or hints.addr is not None):
        raise WinsockError(WSANO_RECOVERY)
    return names.getaddrinfo(node, service, hints or AddrInfo())


@exported
def getnameinfo(address: bytes | None, flags: int = 0) -> tuple[str, str]:
    """(host, service) of an address; the numeric form where there is no name.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEFAULT, no address or too short; WSAEAFNOSUPPORT; WSAEINVAL, undefined
            flags; WSAHOST_NOT_FOUND, NI_NAMEREQD and no name. To C the code is the result.

    Source: https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getnameinfo
    """
    names = current_process().name_service()
    if address is None:
        raise WinsockError(WSAEFAULT)
    return names.getnameinfo(address, flags)


@exported
def gethostbyname(name: str | None) -> HostEnt:
    """The IPv4 addresses of a name; None and "" mean this machine.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEFAULT, longer than 255 characters; WSAHOST_NOT_FOUND; WSATRY_AGAIN;
            WSANO_RECOVERY; WSANO_DATA.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-gethostbyname
    """
    return current_process().name_service().gethostbyname(name or "")


@exported
def gethostname() -> str:
    """This machine's name. (The buffer size of the C function is its face's business.)

    Raises:
        WinsockError: WSANOTINITIALISED.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-gethostname
    """
    return current_process().name_service().gethostname()


@exported
def getservbyname(name: str | None, proto: str | None = None) -> ServEnt:
    """The service of a name or an alias; upper and lower case are the same.

    Args:
        name: what the service is called.
        proto: "tcp" or "udp"; None for the first of that name.

    Returns:
        The record; its port is in network byte order.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEFAULT, no name; WSANO_DATA, no such service.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getservbyname
    """
    names = current_process().name_service()
    if name is None:
        raise WinsockError(WSAEFAULT)
    return names.getservbyname(name, proto)


@exported
def getservbyport(port: int, proto: str | None = None) -> ServEnt:
    """The service at a port.

    Args:
        port: in network byte order; of a larger number the low 16 bits.
        proto: as for `getservbyname`.

    Raises:
        WinsockError: WSANOTINITIALISED; WSANO_DATA, no service there.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getservbyport
    """
    return current_process().name_service().getservbyport(port & 0xFFFF, proto)


@exported
def getprotobyname(name: str | None) -> ProtoEnt:
    """The protocol of a name; upper and lower case are the same.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEFAULT, no name; WSANO_DATA, no such protocol.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getprotobyname
    """
    current_process().check_started()
    if name is None:
        raise WinsockError(WSAEFAULT)
    return _known(protocol_called(name))


@exported
def getprotobynumber(number: int) -> ProtoEnt:
    """The protocol of a number.

    Raises:
        WinsockError: WSANOTINITIALISED; WSANO_DATA, no such protocol.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getprotobynumber
    """
    current_process().check_started()
    return _known(protocol_numbered(number))


def _known(protocol: ProtoEnt | None) -> ProtoEnt:
    if protocol is None:
        raise WinsockError(WSANO_DATA)
    return protocol
