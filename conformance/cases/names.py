"""Names: getaddrinfo, getnameinfo, gethostbyname and gethostname with names that every machine knows itself."""

from __future__ import annotations

from ..addresses import family_of, host_of, port_of, sockaddr_in, sockaddr_in6
from ..constants import (
    AF_INET,
    AF_INET6,
    AF_UNSPEC,
    AI_CANONNAME,
    AI_NUMERICHOST,
    AI_NUMERICSERV,
    AI_PASSIVE,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    NI_DGRAM,
    NI_NUMERICHOST,
    NI_NUMERICSERV,
    SOCK_DGRAM,
    SOCK_STREAM,
    WSAEINVAL,
    WSAHOST_NOT_FOUND,
    WSANO_DATA,
    WSATRY_AGAIN,
    WSATYPE_NOT_FOUND,
)
from ..layouts import LAYOUTS
from ..model import Row, case
from ..records import AddrInfo
from ..target import Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Names"
GETADDRINFO = "ws2tcpip/nf-ws2tcpip-getaddrinfo"
GETNAMEINFO = "ws2tcpip/nf-ws2tcpip-getnameinfo"
GETHOSTBYNAME = "winsock/nf-winsock-gethostbyname"
GETHOSTNAME = "winsock/nf-winsock-gethostname"
TEST_GETADDRINFO = "Wine's public test protocol.c:test_getaddrinfo, which passes on Windows"
TEST_GETHOSTBYNAME = "Wine's public test protocol.c:test_gethostbyname, which passes on Windows"
TEST_DNS = "Wine's public test protocol.c:test_dns, which passes on Windows"
TEST_GETHOSTNAME = "Wine's public test protocol.c:test_gethostname, which passes on Windows"
NUMERIC = NI_NUMERICHOST | NI_NUMERICSERV
LATER = "comes with the name service providers"
#: A top-level domain that exists nowhere (RFC 6761).
NOWHERE = "nxdomain.invalid"
NO_ANSWER = {WSATRY_AGAIN: "no name server answers"}
LOOPBACKS = {"127.0.0.1", "::1"}


def hosts(found: list[AddrInfo]) -> list[str]:
    """Return the addresses of a list as text."""
    return [host_of(entry.addr or b"") for entry in found]


def expect_consistent(found: list[AddrInfo]) -> None:
    """Check that each entry's family is that of its address."""
    families = [family_of(entry.addr or b"\0\0") for entry in found]
    expect("families of the addresses", expected=[entry.family for entry in found], actual=families)


# ---- getaddrinfo: numeric addresses ----------------------------------------------------------------------------------


@case(
    "names.getaddrinfo.literal-{row}",
    chapter=CHAPTER,
    source=f"{GETADDRINFO}; {TEST_GETADDRINFO}",
    basis="documented",
    requirements=["R4.112"],
    both_forms=True,
    rows={
        "ipv4": Row("192.168.1.253", None, sockaddr_in("192.168.1.253"), behaviours=["gai-ipv4-literal"]),
        "ipv4-port": Row("192.168.1.253", "80", sockaddr_in("192.168.1.253", 80)),
        "ipv6": Row("beef::cafe", None, sockaddr_in6("beef::cafe"), behaviours=["gai-ipv6-literal"]),
        "ipv6-port": Row("beef::cafe", "10239", sockaddr_in6("beef::cafe", 10239)),
    },
)
def literal_gives_one_entry(ws: Target, node: str, service: str | None, address: bytes) -> None:
    """An address as text gives one entry, with type and protocol 0 and the port of the service, or 0."""
    found = ws.getaddrinfo(node, service)
    expect("entries", expected=1, actual=len(found))
    entry = found[0]
    expect("address", expected=address, actual=entry.addr)
    expect("family", expected=family_of(address), actual=entry.family)
    expect("type and protocol", expected=(0, 0), actual=(entry.socktype, entry.protocol))
    expect("canonical name", expected=None, actual=entry.canonname)


@case(
    "names.getaddrinfo.brackets-{row}",
    chapter=CHAPTER,
    source=TEST_GETADDRINFO,
    basis="observed",
    gap=f"IPv6 text in brackets {LATER}",
    rows={
        "plain": Row("[beef::cafe]", None, behaviours=["gai-ipv6-brackets"]),
        "numeric": Row(
            "[beef::cafe]", AddrInfo(flags=AI_NUMERICHOST, family=AF_INET6), behaviours=["gai-ipv6-brackets"]
        ),
        "port": Row("[beef::cafe]:10239", None, behaviours=["gai-ipv6-brackets-port"]),
    },
)
def brackets_are_taken_off(ws: Target, node: str, hints: AddrInfo | None) -> None:
    """IPv6 text may stand in brackets, and a port behind them is ignored: it is 0 in the result."""
    found = ws.getaddrinfo(node, None, hints)
    expect("addresses", expected=[sockaddr_in6("beef::cafe")], actual=[entry.addr for entry in found])


# ---- getaddrinfo: localhost, wildcard, this machine ------------------------------------------------------------------


@case(
    "names.getaddrinfo.localhost-{row}",
    chapter=CHAPTER,
    source=f"{GETADDRINFO}; {TEST_GETADDRINFO}",
    basis="documented",
    requirements=["R4.111", "R4.115", "A98"],
    behaviours=["gai-localhost", "gaiw-localhost"],
    both_forms=True,
    rows={
        f"{name}{with_hints}": Row(service, port, hints)
        for name, service, port in (("none", None, 0), ("empty", "", 0), ("zero", "0", 0), ("eighty", "80", 80))
        for with_hints, hints in (("", None), ("-zero-hints", AddrInfo()))
    },
)
def localhost_is_loopback(ws: Target, service: str | None, port: int, hints: AddrInfo | None) -> None:
    """ "localhost" means loopback addresses and nothing else, with the port of the service."""
    found = ws.getaddrinfo("localhost", service, hints)
    expect_consistent(found)
    expect_true("127.0.0.1 is there", "127.0.0.1" in hosts(found), actual=hosts(found))
    expect_true("loopback addresses only", set(hosts(found)) <= LOOPBACKS, actual=hosts(found))
    expect("ports", expected={port}, actual={port_of(entry.addr or b"") for entry in found})


@case(
    "names.getaddrinfo.once-per-address",
    chapter=CHAPTER,
    source=TEST_GETADDRINFO,
    basis="observed",
    requirements=["R4.112", "A97"],
    both_forms=True,
)
def each_address_is_listed_once(ws: Target) -> None:
    """Without type and protocol in the hints each address comes once, with type 0 and protocol 0."""
    found = ws.getaddrinfo("localhost", "80")
    expect("repeated addresses", expected=len(set(hosts(found))), actual=len(found))
    kinds = {(entry.socktype, entry.protocol) for entry in found}
    expect("types and protocols", expected={(0, 0)}, actual=kinds)


@case(
    "names.getaddrinfo.null-node-{row}",
    chapter=CHAPTER,
    source=GETADDRINFO,
    basis="documented",
    requirements=["R4.109"],
    both_forms=True,
    rows={
        "loopback": Row(0, AF_INET, "127.0.0.1"),
        "loopback-ipv6": Row(0, AF_INET6, "::1"),
        "passive": Row(AI_PASSIVE, AF_INET, "0.0.0.0"),
        "passive-ipv6": Row(AI_PASSIVE, AF_INET6, "::"),
    },
)
def no_node_means_loopback_or_wildcard(ws: Target, flags: int, family: int, host: str) -> None:
    """Without a node the answer is the wildcard address with AI_PASSIVE, the loopback address otherwise."""
    found = ws.getaddrinfo(None, "80", AddrInfo(flags=flags, family=family))
    expect("addresses", expected=[host], actual=hosts(found))
    expect("port", expected=80, actual=port_of(found[0].addr or b""))


@case(
    "names.getaddrinfo.passive-with-node",
    chapter=CHAPTER,
    source=f"{GETADDRINFO}, AI_PASSIVE",
    basis="documented",
    requirements=["R4.109"],
    both_forms=True,
)
def passive_is_ignored_with_a_node(ws: Target) -> None:
    """AI_PASSIVE changes nothing when a node is given."""
    found = ws.getaddrinfo("127.0.0.1", "80", AddrInfo(flags=AI_PASSIVE))
    expect("addresses", expected=[sockaddr_in("127.0.0.1", 80)], actual=[entry.addr for entry in found])


@case(
    "names.getaddrinfo.no-service-{row}",
    chapter=CHAPTER,
    source=TEST_GETADDRINFO,
    basis="observed",
    both_forms=True,
    rows={
        "null-node": Row(None, behaviours=["gai-null-host-service", "gaiw-null-host-service"]),
        "empty-node": Row("", behaviours=["gai-empty-host-service", "gaiw-empty-host-service"]),
    },
)
def empty_service_is_port_0(ws: Target, node: str | None) -> None:
    """The services "" and "0" give identical lists, with port 0."""
    with_zero, with_empty = ws.getaddrinfo(node, "0"), ws.getaddrinfo(node, "")
    expect_true("addresses were found", with_zero)
    expect("list for an empty service", expected=with_zero, actual=with_empty)
    expect("ports", expected={0}, actual={port_of(entry.addr or b"") for entry in with_zero})


@case(
    "names.getaddrinfo.this-machine",
    chapter=CHAPTER,
    source=f"{GETADDRINFO}; {TEST_GETADDRINFO}",
    basis="documented",
    requirements=["R4.111", "R4.114", "A98"],
    behaviours=["gai-empty", "gaiw-empty-host", "gai-computer-name", "gaiw-computer-name"],
    both_forms=True,
)
def empty_node_is_this_machine(ws: Target) -> None:
    """The node "" means this machine: the same addresses as its own name gives."""
    by_empty, by_name = ws.getaddrinfo("", None), ws.getaddrinfo(ws.gethostname(), None)
    expect_true("addresses were found", by_empty)
    expect_consistent(by_empty)
    expect("addresses by name", expected=hosts(by_empty), actual=hosts(by_name))


# ---- getaddrinfo: hints ----------------------------------------------------------------------------------------------


@case(
    "names.getaddrinfo.family-{row}",
    chapter=CHAPTER,
    source=f"{GETADDRINFO}, ai_family",
    basis="documented",
    requirements=["R4.115"],
    behaviours=["gaiw-hint-family"],
    both_forms=True,
    rows={"inet": Row(AF_INET, {AF_INET}), "unspecified": Row(AF_UNSPEC, {AF_INET, AF_INET6})},
)
def family_limits_the_answers(ws: Target, family: int, allowed: set[int]) -> None:
    """With AF_INET only IPv4 entries come, with AF_UNSPEC IPv4 and IPv6."""
    found = ws.getaddrinfo("localhost", None, AddrInfo(family=family))
    families = {entry.family for entry in found}
    expect_true(f"families within {sorted(allowed)}", families and families <= allowed, actual=families)


TYPES = {"none": 0, "stream": SOCK_STREAM, "datagram": SOCK_DGRAM}
PROTOCOLS = {"none": 0, "tcp": IPPROTO_TCP, "udp": IPPROTO_UDP, "ipv6": IPPROTO_IPV6, "unknown": 999}
FITTING = {("stream", "tcp"), ("datagram", "udp"), ("none", "none")}


@case(
    "names.getaddrinfo.hint-echo-{row}",
    chapter=CHAPTER,
    source=TEST_GETADDRINFO,
    basis="observed",
    behaviours=["gai-hint-echo", "gaiw-hint-echo"],
    both_forms=True,
    rows={
        f"{type_name}-{protocol_name}": Row(
            kind,
            protocol,
            gap=None if (type_name, protocol_name) in FITTING else f"any pair of type and protocol {LATER}",
        )
        for type_name, kind in TYPES.items()
        for protocol_name, protocol in PROTOCOLS.items()
    },
)
def hinted_type_and_protocol_come_back(ws: Target, kind: int, protocol: int) -> None:
    """Every entry has exactly the type and the protocol of the hints, even where they contradict each other."""
    for family in (AF_UNSPEC, AF_INET):
        found = ws.getaddrinfo("localhost", None, AddrInfo(family=family, socktype=kind, protocol=protocol))
        kinds = {(entry.socktype, entry.protocol) for entry in found}
        expect("types and protocols", expected={(kind, protocol)}, actual=kinds)


@case(
    "names.getaddrinfo.canonical-name",
    chapter=CHAPTER,
    source=f"{GETADDRINFO}, AI_CANONNAME",
    basis="documented",
    requirements=["R4.116"],
    both_forms=True,
)
def canonical_name_is_in_the_first_entry(ws: Target) -> None:
    """With AI_CANONNAME the first entry has a canonical name and the others have none."""
    names = [entry.canonname for entry in ws.getaddrinfo("localhost", None, AddrInfo(flags=AI_CANONNAME))]
    expect_true("first has a name", names[0], actual=names)
    expect("others", expected=[None] * (len(names) - 1), actual=names[1:])


@case(
    "names.getaddrinfo.no-canonical-name",
    chapter=CHAPTER,
    source=f"{GETADDRINFO}, AI_CANONNAME",
    basis="documented",
    requirements=["R4.116"],
    both_forms=True,
)
def canonical_name_has_to_be_asked_for(ws: Target) -> None:
    """Without AI_CANONNAME no entry has a canonical name."""
    names = {entry.canonname for entry in ws.getaddrinfo("localhost", None)}
    expect("names", expected={None}, actual=names)


@case(
    "names.getaddrinfo.service-name-{row}",
    chapter=CHAPTER,
    source=f"{GETADDRINFO}, parameter pServiceName",
    basis="documented",
    requirements=["A99"],
    both_forms=True,
    rows={
        "http": Row("http", SOCK_STREAM, IPPROTO_TCP, 80),
        "telnet": Row("telnet", SOCK_STREAM, IPPROTO_TCP, 23),
        "domain": Row("domain", SOCK_DGRAM, IPPROTO_UDP, 53),
    },
)
def service_may_be_a_name(ws: Target, service: str, kind: int, protocol: int, port: int) -> None:
    """A service's name gives its port."""
    found = ws.getaddrinfo("127.0.0.1", service, AddrInfo(socktype=kind, protocol=protocol))
    expect("addresses", expected=[sockaddr_in("127.0.0.1", port)], actual=[entry.addr for entry in found])


@case(
    "names.getaddrinfo.numeric-service",
    chapter=CHAPTER,
    source=f"{GETADDRINFO}, AI_NUMERICSERV",
    basis="documented",
    requirements=["R4.110"],
    both_forms=True,
)
def numeric_service_is_no_name(ws: Target) -> None:
    """With AI_NUMERICSERV a service's name is WSATYPE_NOT_FOUND."""
    with fails_with(WSATYPE_NOT_FOUND, variants={WSAHOST_NOT_FOUND: "some releases"}):
        ws.getaddrinfo("127.0.0.1", "http", AddrInfo(flags=AI_NUMERICSERV, socktype=SOCK_STREAM))


@case(
    "names.getaddrinfo.refuses-{row}",
    chapter=CHAPTER,
    source="ws2tcpip/nf-ws2tcpip-getaddrinfoexw, parameter hints",
    basis="documented",
    requirements=["R4.107"],
    both_forms=True,
    rows={"unknown-flag": Row("127.0.0.1", 0x1000000), "canonical-name-of-nothing": Row(None, AI_CANONNAME)},
)
def flags_have_to_make_sense(ws: Target, node: str | None, flags: int) -> None:
    """A flag that nobody knows, and AI_CANONNAME without a node, are WSAEINVAL."""
    with fails_with(WSAEINVAL):
        ws.getaddrinfo(node, "80", AddrInfo(flags=flags))


@case(
    "names.getaddrinfo.unknown-domain",
    chapter=CHAPTER,
    source=TEST_GETADDRINFO,
    basis="observed",
    requirements=["R4.103", "R4.104"],
    behaviours=["gai-nxdomain", "gaiw-nxdomain"],
    both_forms=True,
)
def unknown_domain_is_not_found(ws: Target) -> None:
    """A name that nobody has is WSAHOST_NOT_FOUND: as the result and as the last error."""
    with fails_with(WSAHOST_NOT_FOUND, variants=NO_ANSWER) as caught:
        ws.getaddrinfo(NOWHERE, None)
    expect("last error", expected=caught.code, actual=ws.WSAGetLastError())


# ---- getnameinfo -----------------------------------------------------------------------------------------------------


@case(
    "names.getnameinfo.numeric-{row}",
    chapter=CHAPTER,
    source=GETNAMEINFO,
    basis="documented",
    requirements=["R4.120"],
    both_forms=True,
    rows={
        "ipv4": Row(sockaddr_in("192.0.2.1", 80), ("192.0.2.1", "80")),
        "ipv6": Row(sockaddr_in6("2001:db8::1", 65535), ("2001:db8::1", "65535")),
        "port-0": Row(sockaddr_in("127.0.0.1", 0), ("127.0.0.1", "0")),
        "longer": Row(sockaddr_in("127.0.0.1", 7) + bytes(12), ("127.0.0.1", "7")),
    },
)
def numbers_can_be_asked_for(ws: Target, address: bytes, names: tuple[str, str]) -> None:
    """With NI_NUMERICHOST and NI_NUMERICSERV the names are the numbers."""
    expect("names", expected=names, actual=ws.getnameinfo(address, NUMERIC))


@case(
    "names.getnameinfo.service-{row}",
    chapter=CHAPTER,
    source=GETNAMEINFO,
    basis="documented",
    requirements=["R4.120", "A99"],
    both_forms=True,
    rows={
        "http": Row(80, 0, "http"),
        "domain": Row(53, NI_DGRAM, "domain"),
        "without-name": Row(54321, 0, "54321"),
    },
)
def service_has_a_name(ws: Target, port: int, flags: int, name: str) -> None:
    """The service is told by name, and by number where it has no name."""
    _, service = ws.getnameinfo(sockaddr_in("127.0.0.1", port), NI_NUMERICHOST | flags)
    expect("service", expected=name, actual=service)


@case(
    "names.getnameinfo.undoes-getaddrinfo-{row}",
    chapter=CHAPTER,
    source=f"{GETADDRINFO}; {GETNAMEINFO}",
    basis="documented",
    requirements=["R4.120"],
    both_forms=True,
    rows={"ipv4": Row("198.51.100.7"), "ipv6": Row("2001:db8::7")},
)
def text_survives(ws: Target, node: str) -> None:
    """A numeric address and port survive getaddrinfo and getnameinfo."""
    entry = ws.getaddrinfo(node, "8080")[0]
    expect("names", expected=(node, "8080"), actual=ws.getnameinfo(entry.addr, NUMERIC))


@case(
    "names.getnameinfo.c-one-name-{row}",
    chapter=CHAPTER,
    source=GETNAMEINFO,
    basis="documented",
    requirements=["R4.120"],
    needs_c=True,
    rows={"host": Row(True, b"127.0.0.1\0"), "service": Row(False, b"80\0")},
)
def one_name_is_enough(ws: Target, host: bool, text: bytes) -> None:
    """Either buffer may be NULL: then only the other name is told."""
    address, room = ws.c.new(sockaddr_in("127.0.0.1", 80)), ws.c.new(64)
    asked = (room.address, 64, 0, 0) if host else (0, 0, room.address, 64)
    expect("result", expected=0, actual=ws.c.call("getnameinfo", address.address, 16, *asked, NUMERIC))
    expect("name", expected=text, actual=room.read(len(text)))


# ---- gethostbyname ---------------------------------------------------------------------------------------------------


@case(
    "names.gethostbyname.localhost",
    chapter=CHAPTER,
    source=GETHOSTBYNAME,
    basis="documented",
    requirements=["A98"],
)
def localhost_has_the_loopback_address(ws: Target) -> None:
    """ "localhost" has the IPv4 loopback address."""
    entry = ws.gethostbyname("localhost")
    expect("family", expected=AF_INET, actual=entry.addrtype)
    expect_true("127.0.0.1 is there", b"\x7f\0\0\x01" in entry.addresses, actual=entry.addresses)


@case(
    "names.gethostbyname.dotted-{row}",
    chapter=CHAPTER,
    source="Microsoft's DLL, requirement R4.91",
    basis="observed",
    requirements=["R4.91"],
    rows={"loopback": Row("127.0.0.1", b"\x7f\0\0\x01"), "elsewhere": Row("192.0.2.1", b"\xc0\0\2\1")},
)
def dotted_text_is_its_own_answer(ws: Target, text: str, packed: bytes) -> None:
    """An address as text is returned without a look-up."""
    expect("addresses", expected=(packed,), actual=ws.gethostbyname(text).addresses)


@case(
    "names.gethostbyname.this-machine-{row}",
    chapter=CHAPTER,
    source=f"{GETHOSTBYNAME}; {TEST_DNS}",
    basis="documented",
    requirements=["R4.89"],
    behaviours=["ghbn-own-name"],
    rows={"empty": Row("", behaviours=["dns-empty"]), "null": Row(None)},
)
def no_name_is_this_machine(ws: Target, name: str | None) -> None:
    """NULL and "" mean this machine: the same addresses as its own name gives."""
    entry = ws.gethostbyname(name)
    expect_true("addresses were found", entry.addresses)
    expect("addresses by name", expected=entry.addresses, actual=ws.gethostbyname(ws.gethostname()).addresses)


@case(
    "names.gethostbyname.unknown",
    chapter=CHAPTER,
    source=f"{GETHOSTBYNAME}, error WSAHOST_NOT_FOUND",
    basis="documented",
    requirements=["R4.98"],
)
def unknown_name_is_not_found(ws: Target) -> None:
    """A name that nobody has is WSAHOST_NOT_FOUND."""
    with fails_with(WSAHOST_NOT_FOUND, variants={**NO_ANSWER, WSANO_DATA: "a domain without addresses"}):
        ws.gethostbyname(NOWHERE)


@case(
    "names.gethostbyname.c-per-thread",
    chapter=CHAPTER,
    source="winsock/sample-code-for-a-service-provider-2",
    basis="documented",
    requirements=["R4.88", "A96"],
    needs_c=True,
)
def record_belongs_to_the_thread(ws: Target) -> None:
    """The record stays as it is while another thread asks for another name, and gets another record."""
    mine, theirs = ws.c.new(b"127.0.0.1\0"), ws.c.new(b"192.0.2.1\0")
    with ws.thread() as other:
        here = ws.c.check("gethostbyname", mine.address)
        before = ws.c.read(here, LAYOUTS["hostent"].size)
        there = other.call(ws.c.check, "gethostbyname", theirs.address)
        expect_true("two records", here != there, actual=(hex(here), hex(there)))
        expect("first record", expected=before, actual=ws.c.read(here, len(before)))
        addresses = [ws.c.read(first_address(ws, record)[1], 4) for record in (here, there)]
        expect("addresses", expected=[b"\x7f\0\0\x01", b"\xc0\0\2\1"], actual=addresses)


def first_address(ws: Target, hostent: int) -> tuple[int, int]:
    """Return where a HOSTENT's list of addresses lies, and where its first address does."""
    layout = LAYOUTS["hostent"]
    array = layout.number(ws.c.read(hostent, layout.size), "h_addr_list")
    return array, int.from_bytes(ws.c.read(array, 8), "little")


@case(
    "names.gethostbyname.c-layout",
    chapter=CHAPTER,
    source=TEST_DNS,
    basis="observed",
    requirements=["R4.87"],
    behaviours=["dns-hostent-layout"],
    needs_c=True,
)
def parts_of_the_record_follow_each_other(ws: Target) -> None:
    """Behind the HOSTENT come the array of aliases, the array of addresses and the first address."""
    layout = LAYOUTS["hostent"]
    hostent = ws.c.check("gethostbyname", ws.c.new(b"localhost\0").address)
    record = ws.c.read(hostent, layout.size)
    aliases = layout.number(record, "h_aliases")
    expect("array of aliases", expected=hostent + layout.size, actual=aliases)
    addresses, first = first_address(ws, hostent)
    expect("array of addresses", expected=aliases + 8 * pointers(ws, aliases), actual=addresses)
    expect("first address", expected=addresses + 8 * pointers(ws, addresses), actual=first)


def pointers(ws: Target, array: int) -> int:
    """Return the length of an array of pointers with the NULL at its end."""
    count = 1
    while ws.c.read(array + 8 * (count - 1), 8) != bytes(8):
        count += 1
    return count


# ---- gethostname -----------------------------------------------------------------------------------------------------


@case(
    "names.gethostname.resolves",
    chapter=CHAPTER,
    source=f"{GETHOSTNAME}; {TEST_GETHOSTNAME}",
    basis="documented",
    requirements=["R4.96"],
    behaviours=["ghn-ok"],
    both_forms=True,
)
def own_name_can_be_resolved(ws: Target) -> None:
    """gethostname tells a name that gethostbyname knows."""
    name = ws.gethostname()
    expect_true("name is not empty", name)
    expect_true("addresses were found", ws.gethostbyname(name).addresses)


@case(
    "names.gethostname.c-exact-room",
    chapter=CHAPTER,
    source=TEST_GETHOSTNAME,
    basis="observed",
    requirements=["R4.96", "A95"],
    behaviours=["ghn-exact"],
    needs_c=True,
)
def exact_room_is_enough(ws: Target) -> None:
    """Room for the name and its NUL is enough."""
    name = ws.gethostname().encode() + b"\0"
    room = ws.c.new(len(name))
    ws.c.check("gethostname", room.address, len(name))
    expect("name", expected=name, actual=room.read())
