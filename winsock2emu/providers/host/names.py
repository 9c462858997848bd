"""Names, straight from the host's resolver, until the namespace providers take over.

Part played:     a first stand-in for rnr20's answers.
Lives here:      getaddrinfo, getnameinfo, gethostbyname, gethostname, getservbyname and getservbyport on the host, with
                 Windows' records and codes.
Services:        Windows' own table comes first, so that a program finds on every host what it finds on Windows, aliases
                 included; the host's knows what has been added on this machine.
Ports:           the low 16 bits of a service's number, which may be negative; observed on Windows (Twisted's tests of
                 getaddrinfo).
Sources:         nf-ws2tcpip-getaddrinfo, -getnameinfo, nf-winsock-gethostbyname, -gethostname; R4.120, A95-A99 and
                 B54-B65 of the project's reference.
"""

from __future__ import annotations

import _socket
import contextlib
import re

from ...defs.codes import (
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSAESOCKTNOSUPPORT,
    WSAHOST_NOT_FOUND,
    WSANO_DATA,
    WSATYPE_NOT_FOUND,
)
from ...defs.constants import (
    AF_INET,
    AF_INET6,
    AI_ADDRCONFIG,
    AI_ALL,
    AI_BYPASS_DNS_CACHE,
    AI_CANONNAME,
    AI_DISABLE_IDN_ENCODING,
    AI_DNS_ONLY,
    AI_EXCLUSIVE_CUSTOM_SERVERS,
    AI_EXTENDED,
    AI_FILESERVER,
    AI_FORCE_CLEAR_TEXT,
    AI_FQDN,
    AI_NON_AUTHORITATIVE,
    AI_NUMERICHOST,
    AI_NUMERICSERV,
    AI_PASSIVE,
    AI_REQUIRE_SECURE,
    AI_RESOLUTION_HANDLE,
    AI_RETURN_PREFERRED_NAMES,
    AI_RETURN_RESPONSE_FLAGS,
    AI_RETURN_TTL,
    AI_SECURE,
    AI_SECURE_WITH_FALLBACK,
    AI_V4MAPPED,
    NI_DGRAM,
    NI_NAMEREQD,
    NI_NOFQDN,
    NI_NUMERICHOST,
    NI_NUMERICSERV,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
)
from ...defs.records import AddrInfo, HostEnt, ServEnt
from ...defs.sockaddr import SockAddr
from ...defs.wellknown import service_at, service_called
from ...errors import WinsockError
from .translate import HOST_FAMILY, HOST_UNSPEC, WINDOWS_FAMILY, from_resolver, host_address, windows_address

_AI_FLAGS = (
    (AI_PASSIVE, int(_socket.AI_PASSIVE)),
    (AI_CANONNAME, int(_socket.AI_CANONNAME)),
    (AI_NUMERICHOST, int(_socket.AI_NUMERICHOST)),
    (AI_V4MAPPED, int(getattr(_socket, "AI_V4MAPPED", 0))),
    (AI_ALL, int(getattr(_socket, "AI_ALL", 0))),
)
_AI_KNOWN = (
    AI_ADDRCONFIG
    | AI_ALL
    | AI_BYPASS_DNS_CACHE
    | AI_CANONNAME
    | AI_DISABLE_IDN_ENCODING
    | AI_DNS_ONLY
    | AI_EXCLUSIVE_CUSTOM_SERVERS
    | AI_EXTENDED
    | AI_FILESERVER
    | AI_FORCE_CLEAR_TEXT
    | AI_FQDN
    | AI_NON_AUTHORITATIVE
    | AI_NUMERICHOST
    | AI_NUMERICSERV
    | AI_PASSIVE
    | AI_REQUIRE_SECURE
    | AI_RESOLUTION_HANDLE
    | AI_RETURN_PREFERRED_NAMES
    | AI_RETURN_RESPONSE_FLAGS
    | AI_RETURN_TTL
    | AI_SECURE
    | AI_SECURE_WITH_FALLBACK
    | AI_V4MAPPED
)
_NI_FLAGS = (
    (NI_NOFQDN, int(_socket.NI_NOFQDN)),
    (NI_NUMERICHOST, int(_socket.NI_NUMERICHOST)),
    (NI_NAMEREQD, int(_socket.NI_NAMEREQD)),
    (NI_NUMERICSERV, int(_socket.NI_NUMERICSERV)),
    (NI_DGRAM, int(_socket.NI_DGRAM)),
)
_NI_KNOWN = NI_NOFQDN | NI_NUMERICHOST | NI_NAMEREQD | NI_NUMERICSERV | NI_DGRAM
_NUMBER = re.compile(r"-?[0-9]{1,9}")  # of a service: its low 16 bits are the port
_PROTOCOLS = ("tcp", "udp")
_TYPES = (0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW)


def _translated(flags: int, table: tuple[tuple[int, int], ...]) -> int:
    return sum(theirs for ours, theirs in table if flags & ours)


class HostNames:
    """The `NameService` of the host."""

    def getaddrinfo(self, node: str | None, service: str | None, hints: AddrInfo, /) -> list[AddrInfo]:
        """Addresses of a node and service; without a type in the hints each address comes once, with type 0."""
        if hints.flags & 0xFFFFFFFF & ~_AI_KNOWN or (hints.flags & AI_CANONNAME and node is None):
            raise WinsockError(WSAEINVAL)
        if hints.socktype not in _TYPES:
            raise WinsockError(WSAESOCKTNOSUPPORT)
        if hints.family not in (0, AF_INET, AF_INET6):
            raise WinsockError(WSAEAFNOSUPPORT)
        if service and _NUMBER.fullmatch(service):
            service = str(int(service) & 0xFFFF)
        elif service and hints.flags & AI_NUMERICSERV:
            raise WinsockError(WSAHOST_NOT_FOUND if hints.flags & AI_NUMERICHOST else WSATYPE_NOT_FOUND)
        family = HOST_FAMILY[hints.family] if hints.family else HOST_UNSPEC
        # "" is this machine, under all its addresses.
        host_name = _socket.gethostname() if node == "" else node
        any_type = not hints.socktype and not hints.protocol
        try:
            found = _socket.getaddrinfo(
                host_name,
                service
                or (None if host_name else "0"),  # an empty service is port 0, and the host wants one of the two
                family,
                int(_socket.SOCK_STREAM) if any_type and not service else hints.socktype,
                hints.protocol,
                _translated(hints.flags, _AI_FLAGS),
            )
        except UnicodeError as failure:
            raise WinsockError(WSAHOST_NOT_FOUND) from failure
        except OSError as failure:
            raise from_resolver(failure) from failure
        results: list[AddrInfo] = []
        seen = set()
        for host_family, host_type, host_protocol, canonname, address in found:
            if host_family not in WINDOWS_FAMILY:
                continue
            where = windows_address(address, host_family)
            if any_type:
                # The host lists an address once per type; Windows once, with the type left open.
                if where in seen:
                    continue
                seen.add(where)
            canonical = canonname or node if hints.flags & AI_CANONNAME and not results else None
            results.append(
                AddrInfo(
                    family=WINDOWS_FAMILY[host_family],
                    socktype=0 if any_type else int(host_type),
                    protocol=0 if any_type else int(host_protocol),
                    canonname=canonical,
                    addr=where,
                )
            )
        if not results:
            raise WinsockError(WSAHOST_NOT_FOUND)
        return results

    def getnameinfo(self, address: bytes, flags: int, /) -> tuple[str, str]:
        """(host, service) of an address; the numeric forms where there is no name."""
        name = SockAddr(address)
        if len(name) < 2:
            raise WinsockError(WSAEFAULT)
        if name.family not in (AF_INET, AF_INET6):
            raise WinsockError(WSAEAFNOSUPPORT)
        if len(name) < (16 if name.family == AF_INET else 28):
            raise WinsockError(WSAEFAULT)
        if flags & ~_NI_KNOWN:
            raise WinsockError(WSAEINVAL)
        try:
            host, service = _socket.getnameinfo(
                host_address(name[: 16 if name.family == AF_INET else 28]), _translated(flags, _NI_FLAGS)
            )
        except OSError as failure:
            raise from_resolver(failure) from failure
        bare, percent, _ = host.partition("%")  # the host has the name of an interface there, Windows its number
        return f"{bare}%{name.scope_id}" if percent else host, service

    def gethostbyname(self, name: str, /) -> HostEnt:
        """The IPv4 addresses of a name; "" is this machine."""
        if len(name) > 255:
            raise WinsockError(WSAEFAULT)
        try:
            canonical, aliases, addresses = _socket.gethostbyname_ex(name or _socket.gethostname())
        except UnicodeError as failure:
            raise WinsockError(WSAHOST_NOT_FOUND) from failure
        except OSError as failure:
            raise from_resolver(failure) from failure
        if not addresses:
            raise WinsockError(WSANO_DATA)
        return HostEnt(
            name=canonical,
            aliases=tuple(aliases),
            addrtype=AF_INET,
            addresses=tuple(map(_socket.inet_aton, addresses)),
        )

    def gethostname(self) -> str:
        """This machine's name."""
        return _socket.gethostname()

    def getservbyname(self, name: str, proto: str | None, /) -> ServEnt:
        """The service of a name; None for the first of any protocol."""
        found = service_called(name, proto)
        for protocol in _PROTOCOLS if proto is None else (proto.lower(),):
            if found is None:
                with contextlib.suppress(OSError, ValueError):  # ValueError: a NUL or a lone surrogate in it
                    port = _socket.htons(_socket.getservbyname(name.lower(), protocol))
                    found = ServEnt(name=name, aliases=(), port=port, proto=protocol)
        return _found(found)

    def getservbyport(self, port: int, proto: str | None, /) -> ServEnt:
        """The service at a port, which is in network byte order."""
        found = service_at(port, proto)
        for protocol in _PROTOCOLS if proto is None else (proto.lower(),):
            if found is None:
                with contextlib.suppress(OSError, ValueError):
                    name = _socket.getservbyport(_socket.ntohs(port), protocol)
                    found = ServEnt(name=name, aliases=(), port=port, proto=protocol)
        return _found(found)


def _found(service: ServEnt | None) -> ServEnt:
    if service is None:
        raise WinsockError(WSANO_DATA)
    return service
