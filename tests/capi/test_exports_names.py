"""Names through C: addrinfo chains, HOSTENT, and buffers for texts."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.capi.cabi import (
    AF_INET,
    AF_INET6,
    SOCK_STREAM,
    UNTOUCHED,
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSAHOST_NOT_FOUND,
    WSANO_RECOVERY,
    Replace,
    call,
    error,
    fails,
    inet,
    noted,
    ref,
)
from winsock2emu.capi import memory, structs, table
from winsock2emu.defs.codes import WSANO_DATA
from winsock2emu.defs.records import AddrInfo, HostEnt, ServEnt
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in6
from winsock2emu.process import Process

AI_PASSIVE, AI_NUMERICHOST, AI_CANONNAME = 1, 4, 2
NI_NUMERICHOST, NI_NAMEREQD, NI_NUMERICSERV = 2, 4, 8
FORMS = ["A", "W"]
GETADDRINFO = {"A": "getaddrinfo", "W": "GetAddrInfoW"}
FREEADDRINFO = {"A": "freeaddrinfo", "W": "FreeAddrInfoW"}
GETNAMEINFO = {"A": "getnameinfo", "W": "GetNameInfoW"}
GETHOSTNAME = {"A": "gethostname", "W": "GetHostNameW"}


def encoded(form: str, text: str | None) -> bytes | None:
    return None if text is None else (text + "\0").encode("utf-16-le" if form == "W" else "utf-8")


def text_at(form: str, address: int | None) -> str | None:
    return None if address is None else memory.wide(address) if form == "W" else memory.ansi(address)


def chain(form: str, pointer: int | None) -> list[Any]:
    """(flags, family, socktype, protocol, canonname, address) of every record."""
    found = []
    while pointer:
        info = structs.record("ADDRINFOW" if form == "W" else "addrinfo").from_address(pointer)
        address = None if info.ai_addr is None else ctypes.string_at(info.ai_addr, info.ai_addrlen)
        numbers = (info.ai_flags, info.ai_family, info.ai_socktype, info.ai_protocol)
        found.append((*numbers, text_at(form, info.ai_canonname), address))
        pointer = info.ai_next
    return found


# ------------------------------------------------------------------------------------------------- getaddrinfo


@pytest.mark.parametrize("form", FORMS)
def test_a_chain_is_built_and_freed(replace: Replace, form: str) -> None:
    four, six = SockAddr(inet(80)), sockaddr_in6("::1", 80)
    found = [
        AddrInfo(flags=1, family=AF_INET, socktype=1, protocol=6, canonname="näme", addr=four),
        AddrInfo(family=AF_INET6, socktype=2, protocol=17, addr=six),
        AddrInfo(flags=-2, family=AF_INET),
    ]
    replace("getaddrinfo", lambda *args: found)
    result = ctypes.c_void_p(UNTOUCHED)
    kept = len(memory._handed_out)

    assert call(GETADDRINFO[form], encoded(form, "x"), None, None, ref(result)) == 0

    assert chain(form, result.value) == [
        (1, AF_INET, 1, 6, "näme", four),
        (0, AF_INET6, 2, 17, None, six),
        (-2, AF_INET, 0, 0, None, None),
    ]
    assert result.value is not None
    assert result.value % 8 == 0
    assert len(memory._handed_out) == kept + 1
    call(FREEADDRINFO[form], result)
    assert len(memory._handed_out) == kept


@pytest.mark.parametrize("form", FORMS)
def test_freeing_nothing_is_harmless(process: Process, form: str) -> None:
    """R4.117; an address that no function gave out is ignored."""
    call(FREEADDRINFO[form], None)
    call(FREEADDRINFO[form], 0x12345678)


@pytest.mark.parametrize("form", FORMS)
def test_names_and_hints_reach_the_api(replace: Replace, form: str) -> None:
    seen: list[Any] = []
    replace("getaddrinfo", lambda *args: noted(seen, args, []))
    result = ctypes.c_void_p(UNTOUCHED)
    name = GETADDRINFO[form]
    hints = structs.addrinfo(4, 2, 1, 6)

    assert call(name, encoded(form, "höst"), encoded(form, "http"), ref(hints), ref(result)) == 0
    assert call(name, encoded(form, ""), None, None, ref(result)) == 0
    assert call(name, None, encoded(form, ""), None, ref(result)) == 0

    assert seen == [
        ("höst", "http", AddrInfo(flags=4, family=2, socktype=1, protocol=6)),
        ("", None, None),
        (None, "", None),
    ]
    assert result.value is None


@pytest.mark.parametrize("member", ["ai_addrlen", "ai_canonname", "ai_addr", "ai_next"])
@pytest.mark.parametrize("form", FORMS)
def test_hints_have_reserved_members(winsock: Process, form: str, member: str) -> None:
    """R4.106."""
    hints = structs.addrinfo()
    setattr(hints, member, 0x20000)
    result = ctypes.c_void_p(UNTOUCHED)
    args = (encoded(form, "127.0.0.1"), None, ref(hints), ref(result))

    fails(WSANO_RECOVERY, GETADDRINFO[form], *args, failure=WSANO_RECOVERY)
    assert result.value is None


@pytest.mark.parametrize("form", FORMS)
def test_a_failure_stores_null(winsock: Process, form: str) -> None:
    """Observed on Windows: gai-null-null, gaiw-null-null; the code is the result and the last error."""
    result = ctypes.c_void_p(UNTOUCHED)

    fails(WSAHOST_NOT_FOUND, GETADDRINFO[form], None, None, None, ref(result), failure=WSAHOST_NOT_FOUND)

    assert result.value is None


@pytest.mark.parametrize("form", FORMS)
def test_a_result_must_have_a_place(winsock: Process, form: str) -> None:
    fails(WSAEFAULT, GETADDRINFO[form], encoded(form, "127.0.0.1"), None, None, None, failure=WSAEFAULT)
    fails(WSAEFAULT, GETADDRINFO[form], encoded(form, "127.0.0.1"), None, None, 8, failure=WSAEFAULT)


@pytest.mark.parametrize("form", FORMS)
def test_a_literal_through_c(winsock: Process, form: str) -> None:
    """Observed on Windows: gai-ipv4-literal."""
    result = ctypes.c_void_p()
    hints = structs.addrinfo(AI_NUMERICHOST, AF_INET, SOCK_STREAM, 6)

    args = (encoded(form, "192.168.1.253"), encoded(form, "80"), ref(hints), ref(result))
    assert call(GETADDRINFO[form], *args) == 0

    (found,) = chain(form, result.value)
    assert found[1:4] == (AF_INET, SOCK_STREAM, 6)
    assert found[5] == inet(80, b"\xc0\xa8\1\xfd")
    call(FREEADDRINFO[form], result)


# ------------------------------------------------------------------------------------------------- getnameinfo


def nameinfo(form: str, address: Any, length: int, node: Any, service: Any, flags: int) -> tuple[Any, ...]:
    """``node`` and ``service``: buffer and its length in characters."""
    return GETNAMEINFO[form], address, length, *node, *service, flags


def room(form: str, characters: int) -> tuple[Any, int]:
    size = characters * (2 if form == "W" else 1)
    return ctypes.create_string_buffer(b"\xee" * size, max(size, 1)), characters


@pytest.mark.parametrize("form", FORMS)
def test_numeric_names_through_c(winsock: Process, form: str) -> None:
    node, service = room(form, 10), room(form, 5)

    assert call(*nameinfo(form, inet(8080), 16, node, service, NI_NUMERICHOST | NI_NUMERICSERV)) == 0

    assert node[0].raw == encoded(form, "127.0.0.1")
    assert service[0].raw == encoded(form, "8080")


@pytest.mark.parametrize("form", FORMS)
def test_only_what_is_asked_for_is_looked_up(replace: Replace, form: str) -> None:
    """Without a node buffer there is no reverse look-up, and nobody can require its name."""
    seen: list[int] = []
    replace("getnameinfo", lambda address, flags: noted(seen, flags, ("näme", "http")))
    node, service, nothing = room(form, 32), room(form, 32), (None, 0)

    assert call(*nameinfo(form, inet(80), 16, node, nothing, NI_NAMEREQD)) == 0
    assert call(*nameinfo(form, inet(80), 16, nothing, service, NI_NAMEREQD | NI_NUMERICSERV)) == 0

    assert seen == [NI_NAMEREQD, NI_NUMERICHOST | NI_NUMERICSERV]
    assert node[0].raw.startswith(encoded(form, "näme") or b"?")
    assert service[0].raw.startswith(encoded(form, "http") or b"?")


@pytest.mark.parametrize("form", FORMS)
def test_the_order_in_which_getnameinfo_judges(winsock: Process, form: str) -> None:
    """B65."""
    numeric = NI_NUMERICHOST | NI_NUMERICSERV
    node, service, nothing = room(form, 9), room(form, 5), (None, 0)
    unknown = b"\x63\0" + bytes(14)

    def judged(code: int, *args: Any) -> None:
        fails(code, *nameinfo(form, *args), failure=code)

    judged(WSAEFAULT, None, 16, nothing, nothing, numeric)
    judged(WSAEFAULT, inet(80), 15, nothing, nothing, numeric)
    judged(WSAEFAULT, inet(80), -1, nothing, nothing, numeric)
    judged(WSAEAFNOSUPPORT, unknown, 16, nothing, nothing, numeric)
    judged(WSAHOST_NOT_FOUND, inet(80), 16, nothing, nothing, numeric)
    judged(WSAHOST_NOT_FOUND, inet(80), 16, nothing, nothing, 0x4000)
    judged(WSAEINVAL, inet(80), 16, (node[0], 0), service, numeric)
    judged(WSAEINVAL, inet(80), 16, node, (service[0], 0), numeric)
    judged(WSAEINVAL, inet(80), 16, node, service, 0x4000)
    judged(WSAEFAULT, inet(80), 16, node, service, numeric)  # 127.0.0.1 and its NUL need 10
    judged(WSAEFAULT, inet(12345), 16, room(form, 10), service, numeric)

    assert node[0].raw == b"\xee" * len(node[0].raw)
    assert service[0].raw == b"\xee" * len(service[0].raw)


# ------------------------------------------------------------------------------------------------- gethostbyname


def hostent(pointer: int) -> tuple[Any, ...]:
    """(name, aliases, addrtype, addresses), following every pointer."""
    host = structs.HOSTENT.from_address(pointer)

    def followed(array: int, read: Any) -> list[Any]:
        found = []
        while target := ctypes.c_uint64.from_address(array).value:
            found.append(read(target))
            array += 8
        return found

    return (
        ctypes.string_at(host.h_name),
        followed(host.h_aliases, ctypes.string_at),
        host.h_addrtype,
        followed(host.h_addr_list, lambda at: ctypes.string_at(at, host.h_length)),
    )


def test_a_hostent_is_built(replace: Replace) -> None:
    seen: list[Any] = []
    addresses = (b"\x0a\0\0\1", b"\x0a\0\0\2")
    host = HostEnt(name="näme.example", aliases=("n", "m.example"), addrtype=2, addresses=addresses)
    replace("gethostbyname", lambda name: noted(seen, name, host))

    pointer = call("gethostbyname", "höst".encode())

    assert hostent(pointer) == (
        "näme.example".encode(),
        [b"n", b"m.example"],
        2,
        [b"\x0a\0\0\1", b"\x0a\0\0\2"],
    )
    call("gethostbyname", None)
    assert seen == ["höst", None]


def test_a_hostent_belongs_to_its_thread(replace: Replace) -> None:
    """R4.88: another thread's look-up leaves it alone."""
    replace("gethostbyname", lambda name: HostEnt(name=name, aliases=(), addrtype=2, addresses=(b"\1\2\3\4",)))
    mine = call("gethostbyname", b"mine")
    others: list[Any] = []

    def elsewhere() -> None:
        others.append(hostent(call("gethostbyname", b"theirs")))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(10)

    assert others == [(b"theirs", [], 2, [b"\1\2\3\4"])]
    assert hostent(mine)[0] == b"mine"


def test_localhost_through_c(winsock: Process) -> None:
    pointer = call("gethostbyname", b"localhost")

    assert b"\x7f\0\0\1" in hostent(pointer)[3]


def test_a_name_nobody_has(winsock: Process) -> None:
    """A label of 64 characters is no DNS name: the answer needs no server."""
    assert call("gethostbyname", b"x" * 64 + b".invalid") is None
    assert error() != 0


# ------------------------------------------------------------------------------------------------- gethostname


@pytest.mark.parametrize("form", FORMS)
def test_the_host_name_fits_exactly(replace: Replace, form: str) -> None:
    """Observed on Windows: ghn-exact, ghn-short, ghn-null; namelen counts characters, NUL included."""
    replace("gethostname", lambda: "machine")
    exact, short = room(form, 8), room(form, 7)

    assert call(GETHOSTNAME[form], *exact) == 0
    assert exact[0].raw == encoded(form, "machine")
    fails(WSAEFAULT, GETHOSTNAME[form], *short)
    assert short[0].raw == b"\xee" * len(short[0].raw)
    fails(WSAEFAULT, GETHOSTNAME[form], None, 256)
    fails(WSAEFAULT, GETHOSTNAME[form], short[0], -1)


def test_both_forms_know_the_same_name(winsock: Process) -> None:
    narrow, wide = room("A", 256), room("W", 256)

    assert call("gethostname", *narrow) == 0
    assert call("GetHostNameW", *wide) == 0

    name = text_at("A", ctypes.addressof(narrow[0]))
    assert name == text_at("W", ctypes.addressof(wide[0]))
    assert name


# ------------------------------------------------------------------------------------------- services, protocols


def service(pointer: int) -> tuple[str | None, list[str | None], str | None, int]:
    """Name, aliases, protocol and port as they lie in a SERVENT."""
    record = structs.record("servent").from_address(pointer)
    return memory.ansi(record.s_name), list(texts(record.s_aliases)), memory.ansi(record.s_proto), record.s_port


def texts(pointer: int) -> Iterator[str | None]:
    while text := ctypes.c_void_p.from_address(pointer).value:
        yield memory.ansi(text)
        pointer += 8


def test_a_service_is_laid_out_as_in_c(winsock: Process) -> None:
    found = call("getservbyname", b"WWW", b"tcp")
    assert service(found) == ("http", ["www", "www-http"], "tcp", 0x5000)
    assert call("getservbyport", 0x5000, None) == found
    assert service(found)[0] == "http"


def test_a_port_is_a_signed_short(winsock: Process) -> None:
    """A port whose second byte is above 127 is negative in C, and its number leads to the service all the same."""
    assert service(call("getservbyname", b"netbios-ssn", b"tcp"))[3] == 0x8B00 - 0x10000
    assert service(call("getservbyport", 0x8B00 - 0x10000, b"tcp"))[0] == "netbios-ssn"


def test_a_protocol_is_laid_out_as_in_c(winsock: Process) -> None:
    record = structs.record("protoent").from_address(call("getprotobyname", b"IPv6-ICMP"))
    assert (memory.ansi(record.p_name), list(texts(record.p_aliases)), record.p_proto) == (
        "ipv6-icmp",
        ["IPv6-ICMP"],
        58,
    )
    record = structs.record("protoent").from_address(call("getprotobynumber", 0))
    assert (memory.ansi(record.p_name), record.p_proto) == ("ip", 0)


def test_unknown_services_and_protocols_are_no_data(winsock: Process) -> None:
    fails(WSANO_DATA, "getservbyname", b"nosuch", None, failure=None)
    fails(WSANO_DATA, "getservbyport", 1, b"sctp", failure=None)
    fails(WSANO_DATA, "getprotobyname", b"nosuch", failure=None)
    fails(WSANO_DATA, "getprotobynumber", -1, failure=None)
    fails(WSAEFAULT, "getservbyname", None, b"tcp", failure=None)
    fails(WSAEFAULT, "getprotobyname", None, failure=None)


@pytest.mark.parametrize(
    ("name", "ordinal"),
    [("getprotobyname", 53), ("getprotobynumber", 54), ("getservbyname", 55), ("getservbyport", 56)],
)
def test_both_dlls_export_them_under_their_ordinals(name: str, ordinal: int) -> None:
    for dll in ("ws2_32", "wsock32"):
        function = table.export(dll, ordinal)
        assert function is not None
        assert (function.name, function.written) == (name, True)


def test_each_kind_of_record_has_one_place_in_a_thread(winsock: Process) -> None:
    host = call("gethostbyname", b"127.0.0.1")
    one, other = call("getservbyname", b"domain", b"udp"), call("getprotobyname", b"tcp")
    assert len({host, one, other}) == 3
    assert call("getservbyname", b"telnet", b"tcp") == one
    assert call("getprotobyname", b"udp") == other
    assert call("gethostbyname", b"127.0.0.2") == host


def test_a_record_that_is_too_large_for_its_place_gets_a_larger_one(replace: Replace) -> None:
    aliases = tuple(f"alias-{number}" * 20 for number in range(40))
    replace("getservbyname", lambda *args: ServEnt(name="x", aliases=aliases, port=1, proto="tcp"))
    assert service(call("getservbyname", b"x", None)) == ("x", list(aliases), "tcp", 1)
