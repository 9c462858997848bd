"""Names whose answers depend on the machine: its addresses and routes, and names in the DNS.

No case asks a name server on its own. One that needs a name which only the DNS knows takes it from the environment:
``WINSOCK2EMU_IDN_NAME`` (with letters beyond ASCII), ``WINSOCK2EMU_DNS_NAME`` (IPv4), ``WINSOCK2EMU_DNS6_NAME`` (IPv6).
"""

from __future__ import annotations

import os

from ..addresses import host_of, port_of, sockaddr_in
from ..addresslist import addresses_of
from ..constants import (
    AF_INET,
    AF_INET6,
    AI_ALL,
    AI_DISABLE_IDN_ENCODING,
    AI_DNS_ONLY,
    IPPROTO_TCP,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ROUTING_INTERFACE_QUERY,
    SOCK_STREAM,
    WSAHOST_NOT_FOUND,
    WSANO_DATA,
)
from ..model import case
from ..records import AddrInfo
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Names"
GETADDRINFO_TEST = "Wine's public test ws2_32/protocol.c: test_getaddrinfo, which passes on Windows"
GETADDRINFOW_TEST = "Wine's public test ws2_32/protocol.c: test_GetAddrInfoW, which passes on Windows"
GETHOSTBYNAME_TEST = "Wine's public test ws2_32/protocol.c: test_gethostbyname, which passes on Windows"
#: An address beyond every network that a machine is in; nothing is sent to it.
FAR = sockaddr_in("198.51.100.1", 9)


def named(variable: str) -> str:
    """The name in an environment variable."""
    return os.environ.get(variable) or not_applicable(f"{variable} names no host that the DNS knows")


def interface_addresses(ws: Target) -> list[str]:
    """The IPv4 addresses of the machine's interfaces, without the loopback."""
    with ws.closing(ws.udp()) as s:
        listed = addresses_of(ws.WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, None, 4096))
    return [host for address in listed if not (host := host_of(address)).startswith("127.")]


def own_addresses(ws: Target) -> list[str]:
    """What gethostbyname says of this machine's own name, as text."""
    return [".".join(map(str, address)) for address in ws.gethostbyname(ws.gethostname()).addresses]


@case(
    "resolver.gethostbyname.loopback-only",
    chapter=CHAPTER,
    source=GETHOSTBYNAME_TEST,
    basis="observed",
    behaviours=["ghbn-loopback-only"],
)
def a_machine_without_a_network_has_one_address(ws: Target) -> None:
    """Where 127.0.0.1 is the only address of the machine, its own name has exactly one."""
    if interface_addresses(ws):
        not_applicable("this machine has other addresses than the loopback's")
    expect("number of addresses", expected=1, actual=len(own_addresses(ws)))


@case(
    "resolver.gethostbyname.default-route-first",
    chapter=CHAPTER,
    source=GETHOSTBYNAME_TEST,
    basis="observed",
    behaviours=["ghbn-default-route-first"],
)
def the_address_of_the_default_route_comes_first(ws: Target) -> None:
    """Of several addresses of the machine's own name the first belongs to an interface with a default route."""
    addresses = own_addresses(ws)
    if len(addresses) < 2:
        not_applicable("this machine's name has one address")
    with ws.closing(ws.udp()) as s:
        try:
            outwards = host_of(ws.WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, FAR, 16))
        except Failed:
            not_applicable("this machine has no default route")
    expect("first address", expected=outwards, actual=addresses[0])


@case(
    "resolver.idn.encoded",
    chapter=CHAPTER,
    source=GETADDRINFOW_TEST,
    basis="observed",
    behaviours=["gaiw-idn"],
)
def a_name_beyond_ascii_is_its_encoded_form(ws: Target) -> None:
    """GetAddrInfoW finds for a name with letters beyond ASCII what it finds for its ASCII form."""
    name = named("WINSOCK2EMU_IDN_NAME")
    hints = AddrInfo(socktype=SOCK_STREAM, protocol=IPPROTO_TCP)
    found = {entry.addr for entry in ws.getaddrinfo(name.encode("idna").decode(), None, hints)}
    expect("addresses", expected=found, actual={entry.addr for entry in ws.getaddrinfo(name, None, hints)})


@case(
    "resolver.idn.disabled",
    chapter=CHAPTER,
    source=GETADDRINFOW_TEST,
    basis="observed",
    behaviours=["gaiw-idn-disabled"],
)
def without_encoding_such_a_name_is_not_found(ws: Target) -> None:
    """AI_DISABLE_IDN_ENCODING: a name with letters beyond ASCII is WSAHOST_NOT_FOUND."""
    with fails_with(WSAHOST_NOT_FOUND):
        ws.getaddrinfo("grüße.invalid", None, AddrInfo(flags=AI_DISABLE_IDN_ENCODING))


@case(
    "resolver.dns.only",
    chapter=CHAPTER,
    source=GETADDRINFO_TEST,
    basis="observed",
    behaviours=["gai-dns-only"],
)
def an_answer_from_the_dns_has_no_flags(ws: Target) -> None:
    """AI_ALL and AI_DNS_ONLY: entries have no flags, no canonical name, and port 0."""
    hints = AddrInfo(flags=AI_ALL | AI_DNS_ONLY, socktype=SOCK_STREAM, protocol=IPPROTO_TCP)
    found = ws.getaddrinfo(named("WINSOCK2EMU_DNS_NAME"), None, hints)
    expect_true("entries", bool(found), actual=found)
    for entry in found:
        expect("flags and canonical name", expected=(0, None), actual=(entry.flags, entry.canonname))
        if entry.family == AF_INET and entry.addr is not None:
            expect("size and port", expected=(16, 0), actual=(len(entry.addr), port_of(entry.addr)))


@case(
    "resolver.ipv6.no-global-address",
    chapter=CHAPTER,
    source=GETADDRINFO_TEST,
    basis="observed",
    behaviours=["gai-no-global-ipv6", "gai-inet6-no-global"],
)
def a_machine_without_ipv6_is_told_no_ipv6_addresses(ws: Target) -> None:
    """No global IPv6 address here: no AF_INET6 entry for a name that has some, and WSANO_DATA when only those count."""
    name = named("WINSOCK2EMU_DNS6_NAME")
    if any(entry.family == AF_INET6 for entry in ws.getaddrinfo(ws.gethostname(), None)):
        not_applicable("this machine has IPv6 addresses")
    families = {entry.family for entry in ws.getaddrinfo(name, None)}
    expect_true("families", AF_INET6 not in families, actual=families)
    with fails_with(WSANO_DATA):
        ws.getaddrinfo(name, None, AddrInfo(family=AF_INET6))
