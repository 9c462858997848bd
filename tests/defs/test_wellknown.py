"""The tables of services and protocols, and finding a row."""

from __future__ import annotations

from collections import Counter

import pytest

from winsock2emu.defs.wellknown import (
    PROTOCOLS,
    SERVICES,
    protocol_called,
    protocol_numbered,
    service_at,
    service_called,
)

# drivers\etc\services and protocol of Windows, as far as programs rely on them; IANA agrees.
PORTS = {
    ("echo", "tcp"): 7,
    ("ftp", "tcp"): 21,
    ("telnet", "tcp"): 23,
    ("smtp", "tcp"): 25,
    ("domain", "udp"): 53,
    ("tftp", "udp"): 69,
    ("http", "tcp"): 80,
    ("pop3", "tcp"): 110,
    ("ntp", "udp"): 123,
    ("netbios-ssn", "tcp"): 139,
    ("snmp", "udp"): 161,
    ("ldap", "tcp"): 389,
    ("https", "tcp"): 443,
    ("microsoft-ds", "tcp"): 445,
    ("ms-wbt-server", "tcp"): 3389,
}


def in_network_order(port: int) -> int:
    return int.from_bytes(port.to_bytes(2, "big"), "little")


@pytest.mark.parametrize(("name", "proto"), PORTS)
def test_a_service_has_its_port_and_is_found_there(name: str, proto: str) -> None:
    found = service_called(name, proto)
    assert found is not None
    assert found.port == in_network_order(PORTS[name, proto])
    assert service_at(found.port, proto) == found


def test_no_name_stands_for_two_services_of_one_protocol() -> None:
    names = Counter((known.lower(), row.proto) for row in SERVICES for known in (row.name, *row.aliases))
    assert names.most_common(1)[0][1] == 1
    names = Counter((row.name, "") for row in PROTOCOLS)
    assert names.most_common(1)[0][1] == 1


def test_every_row_is_found_by_each_of_its_names_in_any_letters() -> None:
    for row in SERVICES:
        for known in (row.name, *row.aliases):
            assert service_called(known.upper(), row.proto.upper()) == row
    for protocol in PROTOCOLS:
        for known in (protocol.name, *protocol.aliases):
            assert protocol_called(known.swapcase()) == protocol
        assert protocol_numbered(protocol.proto) == protocol


def test_without_a_protocol_the_first_row_counts() -> None:
    found = service_called("domain", None)
    assert found is not None
    assert found.proto == "tcp"
    assert service_at(found.port, None) == found


@pytest.mark.parametrize("port", [0, 1, 0xFFFF])
def test_nothing_is_found_where_nothing_is(port: int) -> None:
    assert service_at(port, None) is None
    assert service_called("nosuch", None) is None
    assert service_called("http", "sctp") is None
    assert protocol_called("nosuch") is None
    assert protocol_numbered(-1) is None
