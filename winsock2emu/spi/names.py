"""What answers name queries until the namespace SPI (NSP*) is there.

Part played:     the seat that NSPStartup providers will take.
Lives elsewhere: the host's resolver (providers/host/names).
"""

from __future__ import annotations

from typing import Protocol

from ..defs.records import AddrInfo, HostEnt, ServEnt


class NameService(Protocol):
    """Name resolution as the API needs it; failures raise `WinsockError`."""

    def getaddrinfo(self, node: str | None, service: str | None, hints: AddrInfo, /) -> list[AddrInfo]:
        """Addresses of a node and service; at least one of the two is given."""
        ...

    def getnameinfo(self, address: bytes, flags: int, /) -> tuple[str, str]:
        """(host, service) of an address."""
        ...

    def gethostbyname(self, name: str, /) -> HostEnt:
        """The IPv4 addresses of a name."""
        ...

    def gethostname(self) -> str:
        """This machine's name."""
        ...

    def getservbyname(self, name: str, proto: str | None, /) -> ServEnt:
        """The service of a name; None for the first of any protocol."""
        ...

    def getservbyport(self, port: int, proto: str | None, /) -> ServEnt:
        """The service at a port, which is in network byte order."""
        ...
