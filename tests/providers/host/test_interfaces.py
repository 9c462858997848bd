"""What the host tells about its interfaces, compared with what it tells in other ways."""

from __future__ import annotations

import ipaddress
import socket
import sys

import pytest

from tests.providers.host.networks import in_own_network
from winsock2emu.defs.codes import WSAENETUNREACH
from winsock2emu.defs.constants import AF_INET, AF_INET6, IFF_LOOPBACK, IFF_UP
from winsock2emu.defs.sockaddr import sockaddr_in, sockaddr_in6
from winsock2emu.process import Process
from winsock2emu.providers.host import interfaces
from winsock2emu.providers.host.interfaces import HostNetwork, InterfaceAddress, is_loopback_or_link_local


@pytest.fixture(scope="module")
def rows() -> list[InterfaceAddress]:
    return HostNetwork().interfaces()


def test_the_loopback_interface_is_there(rows: list[InterfaceAddress]) -> None:
    found = [row for row in rows if row.address.host == "127.0.0.1"]

    assert [(row.flags & (IFF_UP | IFF_LOOPBACK), row.netmask.host) for row in found] == [
        (IFF_UP | IFF_LOOPBACK, "255.0.0.0")
    ]
    assert found[0].address == sockaddr_in("127.0.0.1")


def test_interfaces_have_the_hosts_names_and_numbers(rows: list[InterfaceAddress]) -> None:
    known = {name: index for index, name in socket.if_nameindex()}

    assert {row.name: row.index for row in rows}.items() <= known.items()


def test_a_socket_can_be_bound_to_every_address(rows: list[InterfaceAddress]) -> None:
    for row in rows:
        if not row.flags & IFF_UP or not row.preferred:
            continue
        family = socket.AF_INET if row.address.family == AF_INET else socket.AF_INET6
        name = (row.address.host, 0) if family == socket.AF_INET else (row.address.host, 0, 0, row.address.scope_id)
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind(name)


def test_broadcast_addresses_follow_from_mask_and_address(rows: list[InterfaceAddress]) -> None:
    for row in rows:
        if row.broadcast is None or row.broadcast == row.address:
            continue
        network = ipaddress.ip_network(f"{row.address.host}/{row.netmask.host}", strict=False)
        assert row.broadcast.host == str(network.broadcast_address)


def test_masks_are_prefixes(rows: list[InterfaceAddress]) -> None:
    for row in rows:
        bits = "".join(f"{byte:08b}" for byte in row.netmask.packed)
        assert "01" not in bits
        assert row.netmask.family == row.address.family


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the state of an address")
def test_the_state_of_ipv6_addresses_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """linux/if_addr.h: 0x40 is tentative, 0x20 deprecated, 0x08 a duplicate, 0x80 permanent."""
    table = f"{tmp_path}/if_inet6"
    with open(table, "w", encoding="ascii") as file:
        for last, flags in enumerate(("80", "40", "a0", "c8"), 1):
            file.write(f"fe80000000000000000000000000000{last} 02 40 20 {flags}     eth0\n")
    monkeypatch.setattr(interfaces, "_IF_INET6", table)

    states = interfaces._states()

    packed = [sockaddr_in6(f"fe80::{last}").packed for last in (1, 2, 3, 4)]
    assert [bool(states["eth0", address] & interfaces._NOT_PREFERRED) for address in packed] == [
        False,
        True,
        True,
        True,
    ]


def test_a_host_without_such_a_table_has_preferred_addresses_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interfaces, "_IF_INET6", "/nowhere/if_inet6")

    assert all(row.preferred for row in HostNetwork().interfaces())


def test_the_way_to_the_loopback_begins_there() -> None:
    network = HostNetwork()

    assert network.source_for(sockaddr_in("127.0.0.1", 80)) == sockaddr_in("127.0.0.1")
    assert network.source_for(sockaddr_in("127.5.6.7")) == sockaddr_in("127.0.0.1")


@pytest.mark.ipv6
def test_the_way_to_the_ipv6_loopback_begins_there() -> None:
    assert HostNetwork().source_for(sockaddr_in6("::1", 80)) == sockaddr_in6("::1")


def test_a_destination_without_a_way_is_an_error() -> None:
    """In a network namespace without interfaces nothing can be reached."""
    printed = in_own_network(
        """
        from winsock2emu.defs.sockaddr import sockaddr_in, sockaddr_in6
        from winsock2emu.errors import WinsockError
        from winsock2emu.providers.host.interfaces import HostNetwork

        for destination in (sockaddr_in("192.0.2.1"), sockaddr_in6("2001:db8::1")):
            try:
                print(HostNetwork().source_for(destination))
            except WinsockError as failure:
                print(failure.winerror)
        """
    )

    assert printed.split() == [str(WSAENETUNREACH)] * 2


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("169.254.3.4", True),
        ("169.253.3.4", False),
        ("10.0.0.1", False),
        ("::1", True),
        ("::2", False),
        ("fe80::1", True),
        ("febf::1", True),
        ("fec0::1", False),
        ("2001:db8::1", False),
    ],
)
def test_which_addresses_mean_nothing_beyond_their_link(host: str, local: bool) -> None:
    address = sockaddr_in6(host) if ":" in host else sockaddr_in(host)

    assert is_loopback_or_link_local(address) == local


def test_nothing_of_the_host_is_asked_before_a_program_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process starts, makes a socket and ends without looking at interfaces."""
    from winsock2emu import ws2_32 as api

    def never(self: HostNetwork) -> list[InterfaceAddress]:
        raise AssertionError("asked")

    monkeypatch.setattr(HostNetwork, "interfaces", never)
    with Process().active():
        api.WSAStartup(0x0202)
        api.closesocket(api.socket(AF_INET6, 2, 0))
        api.WSACleanup()
