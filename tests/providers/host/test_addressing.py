"""Control codes about addresses, interfaces and routes, on a network that the test makes up."""

from __future__ import annotations

import os
import struct

import pytest

from tests.concurrency import until
from tests.loopback import FAMILIES, code_of, elsewhere, fails, loopback, nonblocking, tcp, wildcard
from tests.providers.host.networks import LOOPBACK, MadeUpNetwork, in_own_network, made_up, provider_of, row
from winsock2emu import ws2_32 as api
from winsock2emu.defs.addresslist import pack_address_list, unpack_address_list
from winsock2emu.defs.codes import (
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEHOSTUNREACH,
    WSAEINTR,
    WSAEINVAL,
    WSAENETDOWN,
    WSAENETUNREACH,
    WSAENOPROTOOPT,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    FROM_PROTOCOL_INFO,
    IFF_BROADCAST,
    IFF_MULTICAST,
    IFF_POINTTOPOINT,
    IFF_UP,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ADDRESS_LIST_SORT,
    SIO_GET_BROADCAST_ADDRESS,
    SIO_GET_INTERFACE_LIST,
    SIO_ROUTING_INTERFACE_CHANGE,
    SIO_ROUTING_INTERFACE_QUERY,
    SOCK_DGRAM,
    SOCK_STREAM,
)
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from winsock2emu.process import Process

ROOM = 4096


def sock(family: int = AF_INET) -> int:
    return api.socket(family, SOCK_DGRAM, 0)


@pytest.fixture
def network(winsock: Process) -> MadeUpNetwork:
    """Two interfaces and the loopback."""
    return made_up(
        winsock,
        row("127.0.0.1", LOOPBACK, index=1),
        row("::1", LOOPBACK, index=1),
        row("192.0.2.7"),
        row("2001:db8::7"),
        row("fe80::7"),
        row("198.51.100.9", index=3),
    )


# SIO_ADDRESS_LIST_QUERY


def listed(s: int) -> list[SockAddr]:
    return unpack_address_list(api.WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, None, ROOM))


def test_the_list_has_the_addresses_of_the_sockets_family(network: MadeUpNetwork) -> None:
    """R9.23: loopback addresses are not in it. Link-local ones of a real interface are, with their scope."""
    assert listed(sock(AF_INET)) == [sockaddr_in("192.0.2.7"), sockaddr_in("198.51.100.9")]
    assert listed(sock(AF_INET6)) == [sockaddr_in6("2001:db8::7"), sockaddr_in6("fe80::7", scope_id=2)]


def test_the_list_leaves_out_what_cannot_be_bound_to(network: MadeUpNetwork) -> None:
    """sio-address-list-query: duplicates and the like, and what means nothing beyond the loopback interface."""
    network.rows = [
        row("192.0.2.7", preferred=False),
        row("192.0.2.8", IFF_BROADCAST),  # its interface is down
        row("169.254.1.1", LOOPBACK),
        row("127.0.0.1", LOOPBACK),
        row("fe80::1", LOOPBACK),
        row("::1", LOOPBACK),
        row("10.1.1.1", LOOPBACK),
        row("169.254.1.2"),
        row("127.0.0.2"),
        row("2001:db8::1", LOOPBACK),
    ]

    assert [address.host for address in listed(sock(AF_INET))] == ["10.1.1.1", "169.254.1.2", "127.0.0.2"]
    assert [address.host for address in listed(sock(AF_INET6))] == ["2001:db8::1"]


def test_a_machine_without_a_network_has_an_empty_list(network: MadeUpNetwork) -> None:
    network.rows = []

    assert api.WSAIoctl(sock(), SIO_ADDRESS_LIST_QUERY, None, ROOM) == bytes(8)


def test_the_record_is_header_entries_and_addresses(network: MadeUpNetwork) -> None:
    """Observed on Windows: addrlist-ok. Pointers are offsets, `Relocatable` makes addresses of them."""
    record = api.WSAIoctl(sock(), SIO_ADDRESS_LIST_QUERY, None, ROOM)

    assert len(record) == 8 + 2 * 16 + 2 * 16
    assert struct.unpack("<i4xQi4xQi4x", record[:40]) == (2, 40, 16, 56, 16)
    assert record.pointers == (8, 24)
    placed = record.at(0x7000_0000_0000)
    assert struct.unpack("<i4xQi4xQi4x", placed[:40]) == (2, 0x7000_0000_0028, 16, 0x7000_0000_0038, 16)
    assert unpack_address_list(placed, 0x7000_0000_0000) == listed(sock())


@pytest.mark.parametrize(
    ("room", "code", "needed"),
    [
        (0, WSAEFAULT, 72),
        (1, WSAEINVAL, 0),
        (7, WSAEINVAL, 0),
        (8, WSAEFAULT, 72),
        (71, WSAEFAULT, 72),
    ],
)
def test_too_little_room_for_the_list(network: MadeUpNetwork, room: int, code: int, needed: int) -> None:
    """Observed on Windows: addrlist-size-probe, addrlist-len-1, addrlist-header-only."""
    s = sock()

    with fails(code) as caught:
        api.WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, None, room)

    assert caught.value.needed == needed


# SIO_GET_INTERFACE_LIST


def test_the_interfaces_have_flags_address_broadcast_address_and_mask(network: MadeUpNetwork) -> None:
    """R9.30: INTERFACE_INFO of 76 bytes each; the loopback stands last, as on Windows."""
    network.rows[3:3] = [row("203.0.113.1", IFF_UP | IFF_POINTTOPOINT, index=4)]

    records = api.WSAIoctl(sock(), SIO_GET_INTERFACE_LIST, None, ROOM)

    fields = list(struct.iter_unpack("<I16s8x16s8x16s8x", records))
    assert [SockAddr(address).host for _, address, _, _ in fields] == [
        "192.0.2.7",
        "203.0.113.1",
        "198.51.100.9",
        "127.0.0.1",
    ]
    assert fields[0] == (
        IFF_UP | IFF_BROADCAST | IFF_MULTICAST,
        sockaddr_in("192.0.2.7"),
        sockaddr_in("192.0.2.255"),
        sockaddr_in("255.255.255.0"),
    )
    assert SockAddr(fields[1][2]) == sockaddr_in("0.0.0.0"), "no broadcast there"


def test_interfaces_want_an_ipv4_socket_and_room_for_all(network: MadeUpNetwork) -> None:
    """winsock-ioctls: WSAEINVAL on another level, WSAEFAULT for too little room."""
    s = sock()

    assert len(api.WSAIoctl(s, SIO_GET_INTERFACE_LIST, None, 3 * 76)) == 3 * 76
    assert code_of(api.WSAIoctl, s, SIO_GET_INTERFACE_LIST, None, 3 * 76 - 1) == WSAEFAULT
    assert code_of(api.WSAIoctl, sock(AF_INET6), SIO_GET_INTERFACE_LIST, None, ROOM) == WSAEINVAL
    assert code_of(api.ioctlsocket, s, SIO_GET_INTERFACE_LIST, 0) == WSAEFAULT


# SIO_GET_BROADCAST_ADDRESS


def test_the_broadcast_address_is_the_one_of_every_network(winsock: Process) -> None:
    """R9.27."""
    assert api.WSAIoctl(sock(), SIO_GET_BROADCAST_ADDRESS, None, 16) == sockaddr_in("255.255.255.255")
    assert code_of(api.WSAIoctl, sock(), SIO_GET_BROADCAST_ADDRESS, None, 15) == WSAEFAULT
    assert code_of(api.WSAIoctl, sock(AF_INET6), SIO_GET_BROADCAST_ADDRESS, None, 28) == WSAENOPROTOOPT


# SIO_ROUTING_INTERFACE_QUERY


def test_the_way_to_a_destination_begins_at_a_local_address(network: MadeUpNetwork) -> None:
    network.ways = {"203.0.113.5": sockaddr_in("192.0.2.7"), "2001:db8::5": sockaddr_in6("2001:db8::7")}

    asked = sockaddr_in("203.0.113.5", 80)
    assert api.WSAIoctl(sock(), SIO_ROUTING_INTERFACE_QUERY, asked, ROOM) == sockaddr_in("192.0.2.7")
    asked = sockaddr_in6("2001:db8::5", 80)
    assert api.WSAIoctl(sock(AF_INET6), SIO_ROUTING_INTERFACE_QUERY, asked, 28) == sockaddr_in6("2001:db8::7")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_way_to_the_hosts_own_loopback(winsock: Process, family: int) -> None:
    """Observed on Windows: routeq-loopback. A sockaddr may be longer than its structure."""
    s = sock(family)

    assert api.WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, loopback(family, 9) + bytes(100), ROOM) == loopback(family)


@pytest.mark.parametrize("code", [WSAENETUNREACH, WSAEHOSTUNREACH, WSAENETDOWN])
def test_no_way_is_told_with_its_reason(network: MadeUpNetwork, code: int) -> None:
    network.ways = {"203.0.113.5": code}

    assert code_of(api.WSAIoctl, sock(), SIO_ROUTING_INTERFACE_QUERY, sockaddr_in("203.0.113.5"), 16) == code


@pytest.mark.parametrize(
    ("data", "room", "code", "needed"),
    [
        pytest.param(None, 16, WSAEINVAL, None, id="routeq-short-in, NULL"),
        pytest.param(sockaddr_in("127.0.0.1")[:15], 16, WSAEINVAL, None, id="routeq-short-in"),
        pytest.param(bytes(2) + sockaddr_in("127.0.0.1")[2:], 16, WSAEAFNOSUPPORT, None, id="routeq-zero-family"),
        pytest.param(sockaddr_in6("::1"), 16, WSAEAFNOSUPPORT, None, id="another family"),
        pytest.param(sockaddr_in("0.0.0.0"), 16, WSAEINVAL, None, id="routeq-any-address"),
        pytest.param(sockaddr_in("127.0.0.1"), 15, WSAEFAULT, 16, id="routeq-short-out"),
        pytest.param(sockaddr_in("127.0.0.1"), 0, WSAEFAULT, None, id="routeq-null-out"),
    ],
)
def test_what_a_question_for_a_way_is_refused_for(
    winsock: Process, data: bytes | None, room: int, code: int, needed: int | None
) -> None:
    """Observed on Windows, under these names."""
    s = sock()

    with fails(code) as caught:
        api.WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, data, room)

    assert caught.value.needed == needed


# SIO_ADDRESS_LIST_SORT


def test_destinations_are_sorted_and_scopes_filled_in(network: MadeUpNetwork) -> None:
    """R9.31; the order itself is `test_destinations`'."""
    network.ways = {
        "fe80::9": sockaddr_in6("fe80::7", scope_id=2),
        "2001:db8::9": sockaddr_in6("2001:db8::7"),
        "203.0.113.5": sockaddr_in("192.0.2.7"),
    }
    given = [
        sockaddr_in6("::ffff:203.0.113.5"),
        sockaddr_in6("::"),
        sockaddr_in6("2001:db8::9"),
        sockaddr_in6("fe80::9"),
    ]
    s = sock(AF_INET6)

    record = api.WSAIoctl(s, SIO_ADDRESS_LIST_SORT, pack_address_list(given), ROOM)

    assert unpack_address_list(record) == [
        sockaddr_in6("fe80::9", scope_id=2),
        sockaddr_in6("2001:db8::9"),
        sockaddr_in6("::ffff:203.0.113.5"),
    ]
    assert code_of(api.WSAIoctl, s, SIO_ADDRESS_LIST_SORT, pack_address_list(given), len(record)) == 0
    with fails(WSAEFAULT) as caught:
        api.WSAIoctl(s, SIO_ADDRESS_LIST_SORT, pack_address_list(given), len(record) - 1)
    assert caught.value.needed == len(record)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(None, WSAEFAULT, id="nothing"),
        pytest.param(bytes(7), WSAEFAULT, id="less than a header"),
        pytest.param(struct.pack("<i4x", 1), WSAEFAULT, id="more addresses than there are"),
        pytest.param(struct.pack("<i4x", -1), WSAEFAULT, id="a negative count"),
        pytest.param(struct.pack("<i4xQi4x", 1, 500, 28), WSAEFAULT, id="a pointer out of the record"),
        pytest.param(struct.pack("<i4xQi4x", 1, 0, -1), WSAEFAULT, id="a negative length"),
        pytest.param(pack_address_list([sockaddr_in("127.0.0.1")]), WSAEINVAL, id="an IPv4 address"),
        pytest.param(pack_address_list([sockaddr_in6("::1")[:24]]), WSAEINVAL, id="a short address"),
    ],
)
def test_lists_that_cannot_be_sorted(network: MadeUpNetwork, data: bytes | None, code: int) -> None:
    assert code_of(api.WSAIoctl, sock(AF_INET6), SIO_ADDRESS_LIST_SORT, data, ROOM) == code


def test_sorting_is_for_ipv6_sockets(network: MadeUpNetwork) -> None:
    assert code_of(api.WSAIoctl, sock(), SIO_ADDRESS_LIST_SORT, pack_address_list([]), ROOM) == WSAENOPROTOOPT


# Waiting for a change


def until_it_looks(network: MadeUpNetwork) -> None:
    """Wait until whoever waits has seen all news."""
    source = next(source for source in network.sources if not source.closed)
    looks = source.looks
    network.tell()
    until(lambda: source.looks > looks, "it has looked")


def test_a_blocking_wait_ends_when_the_list_is_another_one(network: MadeUpNetwork) -> None:
    """addrchange-blocking-sync-hangs: it waits until then, whatever else happens on the network."""
    s = tcp()
    waiting = elsewhere(api.WSAIoctl, s, SIO_ADDRESS_LIST_CHANGE)
    until(lambda: network.open_sources, "it waits")
    until_it_looks(network)
    network.rows.append(row("2001:db8::99"))  # not of this family
    until_it_looks(network)
    assert waiting.running

    network.rows.append(row("192.0.2.99"))
    network.tell()

    assert waiting.result() == b""
    assert network.open_sources == 0


def test_several_threads_wait_on_one_socket(network: MadeUpNetwork) -> None:
    s = tcp()
    waiting = [elsewhere(api.WSAIoctl, s, SIO_ADDRESS_LIST_CHANGE) for _ in range(3)]
    until(lambda: network.open_sources == 3, "all wait")

    network.rows.clear()
    network.tell()

    assert [one.result() for one in waiting] == [b""] * 3


@pytest.mark.parametrize(
    ("code", "data"),
    [(SIO_ADDRESS_LIST_CHANGE, None), (SIO_ROUTING_INTERFACE_CHANGE, wildcard(AF_INET))],
)
def test_closing_ends_a_wait(network: MadeUpNetwork, code: int, data: bytes | None) -> None:
    s = tcp()
    waiting = elsewhere(code_of, api.WSAIoctl, s, code, data)
    until(lambda: network.open_sources, "it waits")

    api.closesocket(s)

    assert waiting.result() == WSAEINTR
    assert network.open_sources == 0


def test_a_shared_socket_waits_through_each_handle(network: MadeUpNetwork) -> None:
    """A duplicate that is closed ends what came through it; the rest goes on."""
    s = tcp()
    info = api.WSADuplicateSocket(s, os.getpid())
    other = api.WSASocket(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, info)
    waiting = [elsewhere(code_of, api.WSAIoctl, handle, SIO_ADDRESS_LIST_CHANGE) for handle in (s, other)]
    until(lambda: network.open_sources == 2, "both wait")

    api.closesocket(other)

    assert waiting[1].result() == WSAEINTR
    until_it_looks(network)
    assert waiting[0].running
    network.rows.clear()
    network.tell()
    assert waiting[0].result() == 0


def test_the_last_cleanup_ends_a_wait(network: MadeUpNetwork) -> None:
    s = tcp()
    waiting = elsewhere(code_of, api.WSAIoctl, s, SIO_ADDRESS_LIST_CHANGE)
    until(lambda: network.open_sources, "it waits")

    api.WSACleanup()

    assert waiting.result() == WSAEINTR


@pytest.mark.parametrize(
    ("code", "data", "kind"),
    [
        (SIO_ADDRESS_LIST_CHANGE, None, "address list"),
        (SIO_ROUTING_INTERFACE_CHANGE, sockaddr_in("203.0.113.5"), "routes"),
    ],
)
def test_in_non_blocking_mode_a_request_stays_armed(
    winsock: Process, network: MadeUpNetwork, code: int, data: bytes | None, kind: str
) -> None:
    """addrchange-nonblocking-sync; the latest request is the one that counts, and it knows what has happened since."""
    network.ways = {"203.0.113.5": sockaddr_in("192.0.2.7")}
    s = nonblocking(tcp())
    waits, endpoint = provider_of(winsock).waits, provider_of(winsock)._socket(s)

    for _ in range(3):
        assert code_of(api.WSAIoctl, s, code, data) == WSAEWOULDBLOCK

    (armed,) = waits.of(endpoint, kind)
    assert network.open_sources == 1
    assert not armed.happened()
    network.rows.clear()
    network.ways = {"203.0.113.5": WSAENETUNREACH}
    network.tell()
    assert armed.happened()
    api.closesocket(s)
    assert network.open_sources == 0


def test_a_wait_for_another_way_ends_with_it(network: MadeUpNetwork) -> None:
    """R9.26: another local address, a way where there was none, and none any more."""
    s, destination = sock(), sockaddr_in("203.0.113.5")
    ways: list[SockAddr | int] = [
        sockaddr_in("192.0.2.7"),
        sockaddr_in("198.51.100.9"),
        WSAENETUNREACH,
        sockaddr_in("192.0.2.7"),
    ]
    network.ways = {destination.host: ways[0]}
    for way in ways[1:]:
        waiting = elsewhere(api.WSAIoctl, s, SIO_ROUTING_INTERFACE_CHANGE, destination)
        until(lambda: network.open_sources, "it waits")
        network.rows.append(row("192.0.2.100"))
        until_it_looks(network)
        assert waiting.running, "the way is the same"

        network.ways = {destination.host: way}
        network.tell()

        assert waiting.result() == b""


@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_the_wildcard_is_any_way(network: MadeUpNetwork, family: int) -> None:
    waiting = elsewhere(api.WSAIoctl, sock(family), SIO_ROUTING_INTERFACE_CHANGE, wildcard(family))
    until(lambda: network.open_sources, "it waits")

    network.tell()

    assert waiting.result() == b""


@pytest.mark.parametrize(
    ("data", "code"),
    [(None, WSAEINVAL), (sockaddr_in("127.0.0.1")[:15], WSAEINVAL), (sockaddr_in6("::1"), WSAEAFNOSUPPORT)],
)
def test_destinations_that_cannot_be_waited_for(network: MadeUpNetwork, data: bytes | None, code: int) -> None:
    assert code_of(api.WSAIoctl, sock(), SIO_ROUTING_INTERFACE_CHANGE, data) == code
    assert network.open_sources == 0


@pytest.mark.parametrize(
    ("code", "data"),
    [
        (SIO_ADDRESS_LIST_QUERY, None),
        (SIO_ADDRESS_LIST_CHANGE, None),
        (SIO_ROUTING_INTERFACE_QUERY, sockaddr_in("127.0.0.1")),
        (SIO_ROUTING_INTERFACE_CHANGE, sockaddr_in("127.0.0.1")),
        (SIO_ADDRESS_LIST_SORT, pack_address_list([])),
        (SIO_GET_BROADCAST_ADDRESS, None),
    ],
)
def test_local_sockets_have_no_network(network: MadeUpNetwork, code: int, data: bytes | None) -> None:
    s = api.socket(AF_UNIX, SOCK_STREAM, 0)

    assert code_of(api.WSAIoctl, s, code, data, ROOM) == WSAENOPROTOOPT


def test_the_hosts_own_news_ends_a_wait() -> None:
    """The whole way, on a host with a network of its own: CHANGE, QUERY, and an address that comes in between."""
    printed = in_own_network(
        """
        import fcntl, socket, struct, threading
        from winsock2emu import ws2_32 as api
        from winsock2emu.defs.addresslist import unpack_address_list

        api.WSAStartup(0x0202)
        s = api.socket(api.AF_INET, api.SOCK_STREAM, 0)
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        fcntl.ioctl(probe, 0x8914, struct.pack("16sH14x8x", b"lo", 1))  # SIOCSIFFLAGS: up

        def listed():
            record = api.WSAIoctl(s, api.SIO_ADDRESS_LIST_QUERY, None, 1000)
            return [address.host for address in unpack_address_list(record)]

        print(listed())
        waiting = threading.Thread(target=api.WSAIoctl, args=(s, api.SIO_ADDRESS_LIST_CHANGE))
        waiting.start()
        # 10.9.8.7 on the loopback interface can be reached from anywhere, so it is in the list.
        address = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton("10.9.8.7"))
        come, go = struct.pack("16s16s8x", b"lo:1", address), struct.pack("16sH14x8x", b"lo:1", 0)
        fcntl.ioctl(probe, 0x8916, come)  # SIOCSIFADDR
        waiting.join(0.2)
        while waiting.is_alive():
            # The request has begun after the address had come: it waits for another change.
            fcntl.ioctl(probe, 0x8914, go)
            waiting.join(0.2)
        fcntl.ioctl(probe, 0x8916, come)
        print(listed())
        api.WSACleanup()
        """
    )

    assert printed.split("\n")[:2] == ["[]", "['10.9.8.7']"]
