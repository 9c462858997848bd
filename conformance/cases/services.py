"""Services and protocols: getservbyname, getservbyport, getprotobyname and getprotobynumber."""

from __future__ import annotations

from ..constants import WSAEFAULT, WSANO_DATA, WSANOTINITIALISED
from ..model import Row, case
from ..target import Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Names"
GETSERVBYNAME = "winsock2/nf-winsock2-getservbyname"
GETSERVBYPORT = "winsock2/nf-winsock2-getservbyport"
GETPROTOBYNAME = "winsock2/nf-winsock2-getprotobyname"
GETPROTOBYNUMBER = "winsock2/nf-winsock2-getprotobynumber"
TEST_GETSERVBYNAME = "Wine's public test protocol.c:test_getservbyname, which passes on Windows"
TEST_GETPROTOBYNAME = "Wine's public test protocol.c:test_getprotobyname, which passes on Windows"
NOBODY = "no-such-name-anywhere"
RECORD = 32  # bytes of a SERVENT

OLD = {
    "ip": 0,
    "icmp": 1,
    "ggp": 3,
    "tcp": 6,
    "egp": 8,
    "pup": 12,
    "udp": 17,
    "hmp": 20,
    "xns-idp": 22,
    "rdp": 27,
    "rvd": 66,
}
NEWER = {
    "ipv6": 41,
    "ipv6-route": 43,
    "ipv6-frag": 44,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
}
MIXED = ("IPv6-Route", "IPv6-Frag", "IPv6-ICMP", "IPv6-NoNxt", "IPv6-Opts")


def network_order(port: int) -> int:
    """Return a port as it stands in memory in network byte order."""
    return int.from_bytes(port.to_bytes(2, "big"), "little")


# ---- protocols -------------------------------------------------------------------------------------------------------


@case(
    "names.getprotobyname.number-{row}",
    chapter=CHAPTER,
    source=TEST_GETPROTOBYNAME,
    basis="observed",
    requirements=["R4.97"],
    rows={
        "old": Row(OLD, behaviours=["protoname-lower"]),
        "newer": Row(NEWER, behaviours=["protoname-newer"]),
        "aliases": Row({name: NEWER[name.lower()] for name in MIXED}, behaviours=["protoname-alias-case"]),
        "capitals": Row({name.upper(): number for name, number in (OLD | NEWER).items()}),
    },
)
def protocols_have_their_numbers(ws: Target, protocols: dict[str, int]) -> None:
    """Every protocol that Windows lists has its number; small and capital letters are the same."""
    expect("numbers", expected=protocols, actual={name: ws.getprotobyname(name).proto for name in protocols})


@case(
    "names.getprotobyname.record",
    chapter=CHAPTER,
    source=f"{GETPROTOBYNAME}; {GETPROTOBYNUMBER}",
    basis="documented",
    requirements=["R4.97"],
)
def name_and_number_lead_to_one_record(ws: Target) -> None:
    """A protocol found by an alias, in whatever letters, or by its number is the same: official name, other names."""
    found = ws.getprotobynumber(6)
    expect("name", expected="tcp", actual=found.name)
    expect_true("TCP is another name", "TCP" in found.aliases, actual=found.aliases)
    expect("by its name", expected=found, actual=ws.getprotobyname("tcp"))
    expect("by an alias", expected=found, actual=ws.getprotobyname("TCP"))


@case(
    "names.getprotobyname.unknown",
    chapter=CHAPTER,
    source=f"{GETPROTOBYNAME}; {GETPROTOBYNUMBER}",
    basis="documented",
    requirements=["R4.97"],
)
def unknown_protocol_is_no_data(ws: Target) -> None:
    """A name or a number that nobody has is WSANO_DATA."""
    with fails_with(WSANO_DATA):
        ws.getprotobyname(NOBODY)
    with fails_with(WSANO_DATA):
        ws.getprotobynumber(253)  # reserved for experiments (RFC 3692)


# ---- services --------------------------------------------------------------------------------------------------------


@case(
    "names.getservbyname.known-{row}",
    chapter=CHAPTER,
    source=TEST_GETSERVBYNAME,
    basis="observed",
    requirements=["R4.95"],
    behaviours=["serv-domain-udp"],
    rows={
        "domain": Row("domain", "udp", 53),
        "telnet": Row("telnet", "tcp", 23),
    },
)
def service_has_its_port(ws: Target, name: str, proto: str, port: int) -> None:
    """A service has the name and the protocol asked for, and its port in network byte order."""
    found = ws.getservbyname(name, proto)
    expect("service", expected=(name, proto, network_order(port)), actual=(found.name, found.proto, found.port))


@case(
    "names.getservbyname.aliases",
    chapter=CHAPTER,
    source=f"{GETSERVBYNAME}, parameter name",
    basis="documented",
    requirements=["R4.93"],
)
def alias_finds_the_service(ws: Target) -> None:
    """An alias in whatever letters leads to the service under its official name."""
    found = ws.getservbyname("WWW", "TCP")
    expect("service", expected=("http", "tcp", network_order(80)), actual=(found.name, found.proto, found.port))
    expect_true("www is an alias", "www" in found.aliases, actual=found.aliases)


@case(
    "names.getservbyname.any-protocol",
    chapter=CHAPTER,
    source=f"{GETSERVBYNAME}, parameter proto",
    basis="documented",
    requirements=["R4.93", "R4.94"],
)
def null_stands_for_any_protocol(ws: Target) -> None:
    """Without a protocol the first service of the name or port is found, with one only its own."""
    for proto in (None, "udp"):
        expect("tftp", expected="udp", actual=ws.getservbyname("tftp", proto).proto)
        expect("port 69", expected="tftp", actual=ws.getservbyport(network_order(69), proto).name)
    with fails_with(WSANO_DATA):
        ws.getservbyname("tftp", "nosuch")
    with fails_with(WSANO_DATA):
        ws.getservbyport(network_order(69), "nosuch")


@case(
    "names.getservbyport.undoes-getservbyname-{row}",
    chapter=CHAPTER,
    source=GETSERVBYPORT,
    basis="documented",
    requirements=["R4.94", "R4.95"],
    rows={name: Row(name, proto) for name, proto in (("http", "tcp"), ("smtp", "tcp"), ("ntp", "udp"))},
)
def port_leads_back_to_the_service(ws: Target, name: str, proto: str) -> None:
    """The port of a service, in network byte order as it is in the record, leads back to the same record."""
    found = ws.getservbyname(name, proto)
    expect("service at its port", expected=found, actual=ws.getservbyport(found.port, proto))


@case(
    "names.getservbyname.refuses",
    chapter=CHAPTER,
    source=f"{GETSERVBYNAME}; {GETSERVBYPORT}",
    basis="documented",
    requirements=["B56", "R4.93", "R4.98"],
)
def services_that_there_are_not(ws: Target) -> None:
    """No name is WSAEFAULT; a name or port that no service has is WSANO_DATA."""
    with fails_with(WSAEFAULT):
        ws.getservbyname(None, "tcp")
    with fails_with(WSANO_DATA):
        ws.getservbyname(NOBODY, "tcp")
    with fails_with(WSANO_DATA):
        ws.getservbyname(NOBODY, None)
    with fails_with(WSANO_DATA):
        ws.getservbyport(network_order(65533), "tcp")


@case(
    "names.services.need-a-startup",
    chapter=CHAPTER,
    source=f"{GETSERVBYNAME}, {GETPROTOBYNAME}: WSANOTINITIALISED",
    basis="documented",
    requirements=["B56"],
    manages_startup=True,
)
def look_ups_need_a_startup(ws: Target) -> None:
    """Before WSAStartup all four fail with WSANOTINITIALISED, also without a name."""
    with fails_with(WSANOTINITIALISED):
        ws.getservbyname(None, None)
    with fails_with(WSANOTINITIALISED):
        ws.getservbyport(0, None)
    with fails_with(WSANOTINITIALISED):
        ws.getprotobyname(None)
    with fails_with(WSANOTINITIALISED):
        ws.getprotobynumber(0)


@case(
    "names.getservbyname.c-per-thread",
    chapter=CHAPTER,
    source=TEST_GETSERVBYNAME,
    basis="observed",
    requirements=["R4.88"],
    behaviours=["serv-per-thread-buffer"],
    needs_c=True,
)
def each_thread_has_one_place(ws: Target) -> None:
    """Within a thread every look-up gives the same pointer; other threads have other ones and disturb nothing."""
    texts = {text: ws.c.new(text.encode() + b"\0").address for text in ("domain", "telnet", "udp", "tcp")}

    def look_up(name: str, proto: str) -> int:
        return int(ws.c.check("getservbyname", texts[name], texts[proto]))

    mine = look_up("domain", "udp")
    expect("pointers", expected={mine}, actual={look_up("telnet", "tcp"), look_up("domain", "udp")})
    record = ws.c.read(mine, RECORD)
    with ws.thread() as one, ws.thread() as other:
        theirs = [thread.call(look_up, "telnet", "tcp") for thread in (one, other, one, other)]
        expect("their pointers", expected=theirs[:2] * 2, actual=theirs)
        expect("places", expected=3, actual=len({mine, *theirs}))
        expect("the first thread's record", expected=record, actual=ws.c.read(mine, RECORD))
