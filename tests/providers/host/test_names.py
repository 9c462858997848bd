"""Names and addresses from the host's resolver, as far as no network is needed for them."""

from __future__ import annotations

import _socket
import socket as host

import pytest

from tests.loopback import fails
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSAESOCKTNOSUPPORT,
    WSAHOST_NOT_FOUND,
    WSANO_DATA,
    WSANO_RECOVERY,
    WSANOTINITIALISED,
    WSATYPE_NOT_FOUND,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    AI_CANONNAME,
    AI_NUMERICHOST,
    AI_NUMERICSERV,
    AI_PASSIVE,
    IPPROTO_TCP,
    IPPROTO_UDP,
    NI_DGRAM,
    NI_NAMEREQD,
    NI_NUMERICHOST,
    NI_NUMERICSERV,
    SOCK_DGRAM,
    SOCK_STREAM,
)
from winsock2emu.defs.records import AddrInfo, ServEnt
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process
from winsock2emu.providers.host.names import HostNames

pytestmark = pytest.mark.usefixtures("winsock")

UNKNOWN = "no-such-service-anywhere"


def hints(flags: int = 0, family: int = 0, socktype: int = 0, protocol: int = 0) -> AddrInfo:
    return AddrInfo(flags=flags, family=family, socktype=socktype, protocol=protocol)


def addresses(node: str | None, service: str | None, wanted: AddrInfo | None = None) -> list[tuple[int, str, int]]:
    found = [entry.addr for entry in api.getaddrinfo(node, service, wanted) if entry.addr is not None]
    return [(address.family, address.host, address.port) for address in found]


# getaddrinfo


def test_numbers_need_no_resolver() -> None:
    """R4.112; observed on Windows: gai-ipv4-literal, gai-ipv6-literal: one entry, without type and protocol."""
    for node, family in (("192.168.1.253", AF_INET), ("beef::cafe", AF_INET6)):
        (entry,) = api.getaddrinfo(node, None)
        assert (entry.family, entry.socktype, entry.protocol, entry.canonname) == (family, 0, 0, None)
        assert entry.addr is not None
        assert (entry.addr.host, entry.addr.port) == (node, 0)
    assert addresses("127.0.0.1", "80") == [(AF_INET, "127.0.0.1", 80)]


@pytest.mark.parametrize(("service", "port"), [("-1", 65535), ("123456", 57920)])
@pytest.mark.parametrize("flags", [0, AI_NUMERICHOST | AI_NUMERICSERV])
def test_the_low_half_of_a_number_is_the_port(service: str, port: int, flags: int) -> None:
    """Observed on Windows by Twisted's test_getaddrinfo_negative_port and test_getaddrinfo_overflow_port."""
    assert addresses("127.0.0.1", service, hints(flags)) == [(AF_INET, "127.0.0.1", port)]


@pytest.mark.parametrize(
    ("socktype", "protocol"), [(SOCK_STREAM, IPPROTO_TCP), (SOCK_DGRAM, IPPROTO_UDP), (SOCK_STREAM, 0)]
)
def test_a_type_that_was_asked_for_is_in_the_answer(socktype: int, protocol: int) -> None:
    (entry,) = api.getaddrinfo("127.0.0.1", "9", hints(0, AF_INET, socktype, protocol))
    assert entry.socktype == socktype
    assert entry.protocol in (protocol, IPPROTO_TCP if socktype == SOCK_STREAM else IPPROTO_UDP)


def test_no_node_is_this_machine_or_any() -> None:
    """R4.109."""
    assert addresses(None, "9", hints(0, AF_INET)) == [(AF_INET, "127.0.0.1", 9)]
    assert addresses(None, "9", hints(AI_PASSIVE, AF_INET)) == [(AF_INET, "0.0.0.0", 9)]
    assert addresses("127.0.0.1", "9", hints(AI_PASSIVE, AF_INET)) == [(AF_INET, "127.0.0.1", 9)]
    assert addresses(None, "9", hints(AI_PASSIVE, AF_INET6)) == [(AF_INET6, "::", 9)]


def test_localhost_is_the_loopback_address() -> None:
    """R4.111; observed on Windows: gai-localhost."""
    for service, port in ((None, 0), ("", 0), ("0", 0), ("80", 80)):
        found = addresses("localhost", service)
        assert found
        assert set(found) <= {(AF_INET, "127.0.0.1", port), (AF_INET6, "::1", port)}
        assert len(set(found)) == len(found)


def test_the_canonical_name_comes_with_the_first_entry() -> None:
    """R4.116."""
    found = api.getaddrinfo("localhost", None, hints(AI_CANONNAME))
    assert found[0].canonname
    assert [entry.canonname for entry in found[1:]] == [None] * (len(found) - 1)
    assert api.getaddrinfo("127.0.0.1", None, hints(AI_CANONNAME | AI_NUMERICHOST))[0].canonname == "127.0.0.1"


@pytest.mark.parametrize(
    ("node", "service", "wanted", "code"),
    [
        (None, None, None, WSAHOST_NOT_FOUND),
        (None, None, hints(0, 99), WSAHOST_NOT_FOUND),
        ("127.0.0.1", None, AddrInfo(canonname="x"), WSANO_RECOVERY),
        ("127.0.0.1", None, AddrInfo(addr=api.sockaddr_in("127.0.0.1"), family=99), WSANO_RECOVERY),
        (None, "9", hints(AI_CANONNAME), WSAEINVAL),
        ("127.0.0.1", None, hints(0x1000, 99), WSAEINVAL),
        ("127.0.0.1", None, hints(0, AF_UNIX, 999), WSAESOCKTNOSUPPORT),
        ("127.0.0.1", None, hints(0, 99), WSAEAFNOSUPPORT),
        ("127.0.0.1", UNKNOWN, hints(0, 0, 999), WSAESOCKTNOSUPPORT),
        (None, UNKNOWN, None, WSATYPE_NOT_FOUND),
        ("127.0.0.1", UNKNOWN, hints(0, 0, SOCK_STREAM), WSATYPE_NOT_FOUND),
        ("127.0.0.1", "http", hints(AI_NUMERICSERV, 0, SOCK_STREAM), WSATYPE_NOT_FOUND),
        # as trio's test_SocketType_resolve expects of Windows; the second in brackets: gai-ipv6-brackets-family
        ("1.2.3.4", "80", hints(0, AF_INET6), WSAHOST_NOT_FOUND),
        ("::1", "80", hints(AI_NUMERICHOST, AF_INET), WSAHOST_NOT_FOUND),
        ("127.0.0.1", "http", hints(AI_NUMERICHOST | AI_NUMERICSERV), WSAHOST_NOT_FOUND),
        ("localhost", "http", hints(AI_NUMERICHOST | AI_NUMERICSERV), WSAHOST_NOT_FOUND),
        ("localhost", None, hints(AI_NUMERICHOST), WSAHOST_NOT_FOUND),
        ("1.2.3.4.5", None, hints(AI_NUMERICHOST), WSAHOST_NOT_FOUND),
        ("::1", None, hints(AI_NUMERICHOST, AF_INET), WSAHOST_NOT_FOUND),
    ],
)
def test_what_cannot_be_looked_up(node: str | None, service: str | None, wanted: AddrInfo | None, code: int) -> None:
    """B64, R4.105 to R4.110: in this order."""
    with Process().active(), fails(WSANOTINITIALISED):
        api.getaddrinfo(node, service, wanted)
    with pytest.raises(OSError) as caught:
        api.getaddrinfo(node, service, wanted)
    # A number of the other family is no name to some hosts and a wrong family to others.
    allowed = {code, WSAEAFNOSUPPORT} if node == "::1" else {code}
    assert getattr(caught.value, "winerror", None) in allowed


# getnameinfo


def test_an_address_in_numbers() -> None:
    """R4.120."""
    numeric = NI_NUMERICHOST | NI_NUMERICSERV
    assert api.getnameinfo(api.sockaddr_in("192.0.2.1", 80), numeric) == ("192.0.2.1", "80")
    assert api.getnameinfo(api.sockaddr_in6("2001:db8::1", 65535), numeric) == ("2001:db8::1", "65535")
    assert api.getnameinfo(api.sockaddr_in("192.0.2.1", 80).ljust(128, b"\0"), numeric) == ("192.0.2.1", "80")


def test_the_scope_of_a_numeric_address_is_a_number() -> None:
    """As WSAAddressToString writes it; observed on Windows by Twisted's tests of link-local addresses."""
    name = api.sockaddr_in6("fe80::1", 80, 0, 1)
    assert api.getnameinfo(name, NI_NUMERICHOST | NI_NUMERICSERV) == ("fe80::1%1", "80")
    assert api.WSAAddressToString(name) == "[fe80::1%1]:80"


def test_a_port_without_a_name_is_told_in_numbers() -> None:
    assert api.getnameinfo(api.sockaddr_in("127.0.0.1", 64999), NI_NUMERICHOST) == ("127.0.0.1", "64999")
    assert api.getnameinfo(api.sockaddr_in("127.0.0.1", 64999), NI_NUMERICHOST | NI_DGRAM)[1] == "64999"


@pytest.mark.parametrize(
    ("address", "flags", "code"),
    [
        (None, 0, WSAEFAULT),
        (b"", 0x4000, WSAEFAULT),
        (b"\2", 0, WSAEFAULT),
        (api.sockaddr_in("127.0.0.1")[:15], 0x4000, WSAEFAULT),
        (api.sockaddr_in6("::1")[:27], 0, WSAEFAULT),
        (b"\x99\0" + bytes(30), 0x4000, WSAEAFNOSUPPORT),
        (api.sockaddr_in("127.0.0.1"), 0x4000, WSAEINVAL),
    ],
)
def test_addresses_that_have_no_name(address: bytes | None, flags: int, code: int) -> None:
    """B65."""
    with Process().active(), fails(WSANOTINITIALISED):
        api.getnameinfo(address, flags)
    with fails(code):
        api.getnameinfo(address, flags)


def test_a_name_is_required_and_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """R4.120: without the flag the numbers would do."""

    def no_name(address: object, flags: int) -> tuple[str, str]:
        raise host.gaierror(host.EAI_NONAME, "")

    monkeypatch.setattr("winsock2emu.providers.host.names._socket.getnameinfo", no_name)
    with fails(WSAHOST_NOT_FOUND):
        api.getnameinfo(api.sockaddr_in("192.0.2.1"), NI_NAMEREQD)


# The older functions


def test_the_name_of_this_machine() -> None:
    """A98; observed on Windows: ghn-ok, dns-empty."""
    with Process().active():
        with fails(WSANOTINITIALISED):
            api.gethostname()
        with fails(WSANOTINITIALISED):
            api.gethostbyname("localhost")
    assert api.gethostname() == host.gethostname()


def test_localhost_the_old_way() -> None:
    entry = api.gethostbyname("localhost")
    assert (entry.addrtype, entry.addresses[0]) == (AF_INET, bytes((127, 0, 0, 1)))
    assert api.gethostbyname("127.0.0.1").addresses == (bytes((127, 0, 0, 1)),)


def test_a_name_that_is_too_long() -> None:
    """B54."""
    with fails(WSAEFAULT):
        api.gethostbyname("x" * 256)


# Services that only this machine knows


@pytest.fixture
def local_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host knows one service more, as if it stood in /etc/services."""

    def by_name(name: str, proto: str) -> int:
        if (name, proto) != ("house-bus", "udp"):
            raise OSError("service/proto not found")
        return 4711

    def by_port(port: int, proto: str) -> str:
        if (port, proto) != (4711, "udp"):
            raise OSError("port/proto not found")
        return "house-bus"

    monkeypatch.setattr(_socket, "getservbyname", by_name)
    monkeypatch.setattr(_socket, "getservbyport", by_port)


@pytest.mark.parametrize("proto", [None, "udp", "UDP"])
def test_a_service_of_the_host_is_found(local_service: None, proto: str | None) -> None:
    expected = ServEnt(name="house-bus", aliases=(), port=_socket.htons(4711), proto="udp")
    assert HostNames().getservbyname("house-bus", proto) == expected
    assert HostNames().getservbyport(_socket.htons(4711), proto) == expected


@pytest.mark.parametrize("name", ["house-bus", "no\0such", "\ud800", "x" * 5000])
def test_a_name_that_is_no_service_is_no_data(local_service: None, name: str) -> None:
    with pytest.raises(WinsockError) as caught:
        HostNames().getservbyname(name, "tcp")
    assert caught.value.winerror == WSANO_DATA
