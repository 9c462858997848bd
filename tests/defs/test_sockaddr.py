"""The layouts come from structs.json; the rest is what the class promises."""

from __future__ import annotations

import copy
import ipaddress
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winsock2emu.defs.constants import AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6, sockaddr_un

Structure = tuple[int, dict[str, slice]]


@pytest.fixture
def structure(reference: Callable[[str], Path]) -> Callable[[str], Structure]:
    """Looks a record of structs.json up: its size, and the place of each field, as on 64-bit Windows."""
    structs = json.loads(reference("structs.json").read_text())["structs"]

    def find(name: str) -> Structure:
        fields = {field["name"]: slice(field["win64"][0], sum(field["win64"])) for field in structs[name]["fields"]}
        return structs[name]["win64"]["sizeof"], fields

    return find


def test_ipv4_layout(structure: Callable[[str], Structure]) -> None:
    size, layout = structure("sockaddr_in")
    address = sockaddr_in("1.2.3.4", 0x1F90)

    assert len(address) == size
    assert address[layout["sin_family"]] == b"\x02\x00"
    assert address[layout["sin_port"]] == b"\x1f\x90"
    assert address[layout["sin_addr"]] == b"\1\2\3\4"
    assert address[layout["sin_zero"]] == bytes(8)


def test_ipv6_layout(structure: Callable[[str], Structure]) -> None:
    size, layout = structure("sockaddr_in6")
    address = sockaddr_in6("fe80::1:2", 0x1F90, 0x12345, 0x0A0B0C0D)

    assert len(address) == size
    assert address[layout["sin6_family"]] == b"\x17\x00"
    assert address[layout["sin6_port"]] == b"\x1f\x90"
    assert address[layout["sin6_flowinfo"]] == b"\x00\x01\x23\x45"
    assert address[layout["sin6_addr"]] == bytes.fromhex("fe800000000000000000000000010002")
    assert address[layout["sin6_scope_id"]] == b"\x0d\x0c\x0b\x0a"


def test_unix_layout(structure: Callable[[str], Structure]) -> None:
    size, layout = structure("sockaddr_un")
    address = sockaddr_un("/tmp/socket")

    assert len(address) == size
    assert address[layout["sun_family"]] == b"\x01\x00"
    assert address[layout["sun_path"]] == b"/tmp/socket".ljust(108, b"\0")


@given(st.ip_addresses(v=4), st.integers(0, 0xFFFF))
def test_ipv4_fields_read_back(host: ipaddress.IPv4Address, port: int) -> None:
    address = sockaddr_in(str(host), port)

    assert address == sockaddr_in(host.packed, port)
    assert (address.family, address.host, address.packed, address.port) == (
        AF_INET,
        str(host),
        host.packed,
        port,
    )
    assert (address.flowinfo, address.scope_id, address.path) == (0, 0, "")


@given(st.ip_addresses(v=6), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFF), st.integers(0, 0xFFFFFFFF))
def test_ipv6_fields_read_back(host: ipaddress.IPv6Address, port: int, flowinfo: int, scope_id: int) -> None:
    address = sockaddr_in6(str(host), port, flowinfo, scope_id)

    assert address == sockaddr_in6(host.packed, port, flowinfo, scope_id)
    assert (address.family, address.packed, address.port) == (AF_INET6, host.packed, port)
    assert ipaddress.IPv6Address(address.host) == host
    assert (address.flowinfo, address.scope_id, address.path) == (flowinfo, scope_id, "")


@pytest.mark.parametrize("path", ["", "/tmp/socket", "C:\\Temp\\s\u00f6ckel", "\udcff", "x" * 107])
def test_unix_path_reads_back(path: str) -> None:
    address = sockaddr_un(path)

    assert (address.family, address.path) == (AF_UNIX, path)
    assert (address.port, address.host, address.packed) == (0, "", b"")


def test_unix_path_without_nul_ends_with_the_bytes() -> None:
    """Some programs pass two bytes plus the length of the path instead of the whole structure."""
    assert SockAddr(b"\x01\0/tmp/s").path == "/tmp/s"
    assert SockAddr(b"\x01\0" + b"x" * 108).path == "x" * 108


@pytest.mark.parametrize("size", range(16))
def test_cut_off_fields_read_as_nothing(size: int) -> None:
    address = SockAddr(sockaddr_in("1.2.3.4", 0x1F90)[:size])

    assert address.family == (AF_INET if size >= 2 else AF_UNSPEC)
    assert address.port == (0x1F90 if size >= 4 else 0)
    assert address.host == ("1.2.3.4" if size >= 8 else "")


def test_the_old_ipv6_structure_has_a_host_and_no_scope() -> None:
    """sockaddr_in6_old: 24 bytes."""
    address = SockAddr(sockaddr_in6("fe80::1", 80, 0, 5)[:24])

    assert (address.host, address.port, address.scope_id) == ("fe80::1", 80, 0)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (sockaddr_in("127.0.0.1", 80), "SockAddr('127.0.0.1', 80)"),
        (sockaddr_in6("::1", 80), "SockAddr('::1', 80)"),
        (sockaddr_in6("fe80::1", 80, 7, 5), "SockAddr('fe80::1', 80, flowinfo=7, scope_id=5)"),
        (sockaddr_un("/tmp/s"), "SockAddr('/tmp/s')"),
        (SockAddr(b"\x06\0ipx"), "SockAddr(b'\\x06\\x00ipx')"),
        (SockAddr(b"\x02\0\0\x50"), "SockAddr(b'\\x02\\x00\\x00P')"),
        (
            SockAddr(b"\x02\0\0\x50\1\2\3\4padding!"),
            "SockAddr(b'\\x02\\x00\\x00P\\x01\\x02\\x03\\x04padding!')",
        ),
        (SockAddr(), "SockAddr(b'')"),
    ],
)
def test_repr_shows_the_address_and_hides_nothing(address: SockAddr, shown: str) -> None:
    assert repr(address) == shown


def test_str_is_the_text_of_the_address() -> None:
    assert str(sockaddr_in("127.0.0.1", 80)) == "127.0.0.1:80"
    assert f"{sockaddr_in6('fe80::1', 80, 0, 5)}" == "[fe80::1%5]:80"
    assert str(sockaddr_un("/tmp/s")) == "SockAddr('/tmp/s')"


def test_an_address_is_its_bytes() -> None:
    address = sockaddr_in("127.0.0.1", 80)
    raw = bytes(address)

    assert type(raw) is bytes
    assert address == raw
    assert hash(address) == hash(raw)
    for twin in (copy.copy(address), pickle.loads(pickle.dumps(address))):
        assert type(twin) is SockAddr
        assert twin == address


@pytest.mark.parametrize("host", ["", "localhost", "1.2.3", "1.2.3.256", "01.2.3.4", "::1", b"", b"\1\2\3", bytes(16)])
def test_ipv4_constructor_refuses_other_hosts(host: str | bytes) -> None:
    with pytest.raises(ValueError, match="not an IPv4 address"):
        sockaddr_in(host)


@pytest.mark.parametrize("host", ["", "localhost", "1.2.3.4", "fe80::1%1", "[::1]", b"", bytes(4), bytes(17)])
def test_ipv6_constructor_refuses_other_hosts(host: str | bytes) -> None:
    with pytest.raises(ValueError, match="not an IPv6 address"):
        sockaddr_in6(host)


@pytest.mark.parametrize("path", ["x" * 108, "a\0b", "\0abstract", b"x" * 108])
def test_unix_constructor_refuses_paths_that_do_not_fit(path: str | bytes) -> None:
    with pytest.raises(ValueError, match="not an AF_UNIX path"):
        sockaddr_un(path)


@pytest.mark.parametrize("port", [-1, 0x10000])
def test_constructors_refuse_ports_beyond_16_bits(port: int) -> None:
    with pytest.raises(ValueError, match="port"):
        sockaddr_in("1.2.3.4", port)
    with pytest.raises(ValueError, match="port"):
        sockaddr_in6("::1", port)


@pytest.mark.parametrize(("flowinfo", "scope_id"), [(-1, 0), (1 << 32, 0), (0, -1), (0, 1 << 32)])
def test_ipv6_constructor_refuses_numbers_beyond_32_bits(flowinfo: int, scope_id: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        sockaddr_in6("::1", 0, flowinfo, scope_id)
