"""Addresses and binding: who may have a port beside whom, who gets what comes there, dynamic ports, dual stack."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..addresses import (
    LOOPBACK,
    LOOPBACK6,
    family_of,
    host_of,
    loopback,
    port_of,
    scope_of,
    sockaddr_in,
    sockaddr_in6,
    wildcard,
    with_port,
)
from ..constants import (
    AF_INET,
    AF_INET6,
    IP_ADD_MEMBERSHIP,
    IP_MULTICAST_IF,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_V6ONLY,
    SIO_ADDRESS_LIST_QUERY,
    SO_EXCLUSIVEADDRUSE,
    SO_REUSEADDR,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WSAEACCES,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAEFAULT,
    WSAEINVAL,
)
from ..model import Row, case
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable, variant

CHAPTER = "Addresses and binding"
BIND = "winsock/nf-winsock-bind"
SHARING = "winsock/using-so-reuseaddr-and-so-exclusiveaddruse"
DUAL_STACK = "winsock/dual-stack-sockets"
REUSE_TEST = "Wine's public test sock.c:test_reuseaddr, which passes on Windows"
BIND_TEST = "Wine's public test sock.c:test_bind, which passes on Windows"
NAME_TEST = "Wine's public test sock.c:test_getsockname, which passes on Windows"

DEFAULT, REUSE, EXCLUSIVE = 0, SO_REUSEADDR, SO_EXCLUSIVEADDRUSE
ANY, ANY6 = "0.0.0.0", "::"
MAPPED, MAPPED_ANY = "::ffff:127.0.0.1", "::ffff:0.0.0.0"
DYNAMIC_PORTS = range(49152, 65536)

TCP, UDP = SOCK_STREAM, SOCK_DGRAM
KINDS = {"tcp": TCP, "udp": UDP}
OPTIONS = {"default": DEFAULT, "reuse": REUSE, "exclusive": EXCLUSIVE}


def new(ws: Target, kind: int, host: str, option: int = DEFAULT, *, dual: bool = False) -> int:
    """Return a socket for a host's family, with one of the options on; ``dual`` serves IPv4 over IPv6 as well."""
    family = AF_INET6 if ":" in host else AF_INET
    if family == AF_INET6 and not ws.has_family(AF_INET6):
        not_applicable("no IPv6 on this machine")
    s = ws.socket(family, kind, IPPROTO_TCP if kind == TCP else IPPROTO_UDP)
    if dual:
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    if option:
        ws.setsockopt(s, SOL_SOCKET, option, 1)
    return s


def address(host: str, port: int = 0) -> bytes:
    return sockaddr_in6(host, port) if ":" in host else sockaddr_in(host, port)


def port_held_by(ws: Target, s: int) -> int:
    return port_of(ws.getsockname(s))


def free_port(ws: Target, kind: int) -> int:
    """Return a port that nobody has on any address of the machine, in either family."""
    dual = ws.has_family(AF_INET6)
    with ws.closing(new(ws, kind, ANY6 if dual else ANY, dual=dual)) as s:
        ws.bind(s, wildcard(AF_INET6 if dual else AF_INET))
        return port_held_by(ws, s)


@contextlib.contextmanager
def bound(
    ws: Target, kind: int, host: str, option: int = DEFAULT, *, port: int = 0, dual: bool = False
) -> Iterator[int]:
    """A socket that has an address."""
    with ws.closing(new(ws, kind, host, option, dual=dual)) as s:
        ws.bind(s, address(host, port))
        yield s


def outcome_of_bind(ws: Target, s: int, name: bytes) -> int:
    """Return the code of a bind, 0 for success."""
    try:
        ws.bind(s, name)
    except Failed as failure:
        return failure.code
    return 0


def first_taken_by(ws: Target, sockets: list[int], name: bytes) -> int:
    """Connect to, or send to, an address; return which of the sockets has it, as a place in the list."""
    kind = TCP if ws.get_int(sockets[0], SOL_SOCKET, SO_TYPE) == SOCK_STREAM else UDP
    with ws.closing(ws.socket(family_of(name), kind, 0)) as client:
        if kind == TCP:
            ws.connect(client, name)
        else:
            ws.sendto(client, b"x", 0, name)
        ready, _, _ = ws.select(sockets, None, None, (5, 0))
        expect("sockets that get it", expected=1, actual=len(ready))
        if kind == TCP:
            ws.closesocket(ws.accept(ready[0])[0])
        else:
            ws.recv(ready[0], bytearray(1))
    return sockets.index(ready[0])


# ---- table T11.1 -----------------------------------------------------------------------------------------------------

OK, INUSE, ACCESS = 0, WSAEADDRINUSE, WSAEACCES
SECONDS = ("default-any", "default-same", "reuse-any", "reuse-same", "exclusive-any", "exclusive-same")
MATRIX = {
    "default-any": (INUSE, OK, ACCESS, OK, INUSE, OK),
    "default-same": (OK, INUSE, OK, ACCESS, INUSE, INUSE),
    "reuse-any": (INUSE, OK, OK, OK, INUSE, OK),
    "reuse-same": (OK, INUSE, OK, OK, INUSE, INUSE),
    "exclusive-any": (INUSE, ACCESS, ACCESS, ACCESS, INUSE, ACCESS),
    "exclusive-same": (OK, INUSE, OK, ACCESS, INUSE, INUSE),
}


@case(
    "binding.matrix.{row}",
    chapter=CHAPTER,
    source=f"{SHARING}, second table",
    basis="documented",
    requirements=["T11.1", "R11.6", "A1", "A3", "A4", "B5"],
    rows={
        f"{name}-{first}-then-{second}": Row(kind, first, second, code)
        for name, kind in KINDS.items()
        for first, codes in MATRIX.items()
        for second, code in zip(SECONDS, codes, strict=True)
    },
)
def second_bind_follows_the_matrix(ws: Target, kind: int, first: str, second: str, code: int) -> None:
    """What a second bind of a port gives depends on the options of both sockets and on whose address is a wildcard."""
    (first_option, first_host), (second_option, second_host) = (
        (OPTIONS[words[0]], ANY if words[1] == "any" else LOOPBACK) for words in (first.split("-"), second.split("-"))
    )
    with (
        bound(ws, kind, first_host, first_option, port=free_port(ws, kind)) as one,
        ws.closing(new(ws, kind, second_host, second_option)) as two,
    ):
        actual = outcome_of_bind(ws, two, address(second_host, port_held_by(ws, one)))
    expect("code of the second bind", expected=code, actual=actual)


DUAL = True  # the socket serves IPv4 too


@case(
    "binding.observed.{row}",
    chapter=CHAPTER,
    source=REUSE_TEST,
    basis="observed",
    requirements=["R11.6"],
    rows={
        "reuse-second-only": Row((LOOPBACK, DEFAULT), (LOOPBACK, REUSE), ACCESS, behaviours=["reuse-second-only"]),
        "reuse-second-only-ipv6": Row(
            (LOOPBACK6, DEFAULT), (LOOPBACK6, REUSE), ACCESS, behaviours=["reuse-second-only"]
        ),
        "reuse-both": Row((LOOPBACK, REUSE), (LOOPBACK, REUSE), OK, behaviours=["reuse-both-bind"]),
        "reuse-both-ipv6": Row((LOOPBACK6, REUSE), (LOOPBACK6, REUSE), OK, behaviours=["reuse-both-bind"]),
        "any-any": Row((ANY, DEFAULT), (ANY, DEFAULT), INUSE, behaviours=["reuse-any-any-conflict", "excl-any4-any4"]),
        "any-any-ipv6": Row((ANY6, DEFAULT), (ANY6, DEFAULT), INUSE, behaviours=["reuse-any-any-conflict"]),
        "exclusive-any-then-loopback": Row(
            (ANY, EXCLUSIVE), (LOOPBACK, DEFAULT), ACCESS, behaviours=["excl-any-then-loopback"]
        ),
        "exclusive-dual-then-loopback4": Row(
            (ANY6, EXCLUSIVE, DUAL), (LOOPBACK, DEFAULT), ACCESS, behaviours=["excl-any6-then-loopback4"]
        ),
        "any-then-exclusive-loopback": Row(
            (ANY, DEFAULT), (LOOPBACK, EXCLUSIVE), OK, behaviours=["excl-plainany-then-loopback-excl"]
        ),
        "exclusive-any-then-exclusive-loopback": Row(
            (ANY, EXCLUSIVE), (LOOPBACK, EXCLUSIVE), ACCESS, behaviours=["excl-any-both-exclusive"]
        ),
        "exclusive-loopback-then-any": Row(
            (LOOPBACK, EXCLUSIVE), (ANY, DEFAULT), OK, behaviours=["excl-loopback-then-any-plain"]
        ),
        "loopback-then-exclusive-any": Row(
            (LOOPBACK, DEFAULT), (ANY, EXCLUSIVE), INUSE, behaviours=["excl-loopback-plain-then-any-excl"]
        ),
        "loopback6-then-exclusive-any4": Row(
            (LOOPBACK6, DEFAULT), (ANY, EXCLUSIVE), OK, behaviours=["excl-loopback6-then-any4-excl"]
        ),
        "exclusive-loopback6-then-exclusive-loopback4": Row(
            (LOOPBACK6, EXCLUSIVE), (LOOPBACK, EXCLUSIVE), OK, behaviours=["excl-loopback6-loopback4"]
        ),
        "mapped-loopback-then-exclusive-any4": Row(
            (MAPPED, DEFAULT, DUAL), (ANY, EXCLUSIVE), INUSE, behaviours=["excl-mapped-loopback-then-any4"]
        ),
        "exclusive-dual-then-any4": Row(
            (ANY6, EXCLUSIVE, DUAL), (ANY, DEFAULT), ACCESS, behaviours=["excl-any6-excl-then-any4"]
        ),
        "dual-then-exclusive-any4": Row(
            (ANY6, DEFAULT, DUAL), (ANY, EXCLUSIVE), OK, behaviours=["excl-any6-then-any4-excl"]
        ),
        "any4-then-exclusive-any4": Row(
            (ANY, DEFAULT), (ANY, EXCLUSIVE), INUSE, behaviours=["excl-any4-then-any4-excl"]
        ),
        "dual-then-any4": Row((ANY6, DEFAULT, DUAL), (ANY, DEFAULT), OK, behaviours=["excl-any6-any4-plain"]),
        "mapped-any-then-any4": Row(
            (MAPPED_ANY, DEFAULT, DUAL), (ANY, DEFAULT), INUSE, behaviours=["excl-mapped-any-then-any4"]
        ),
        "mapped-loopback-then-loopback4": Row(
            (MAPPED, DEFAULT, DUAL), (LOOPBACK, DEFAULT), INUSE, behaviours=["excl-mapped-loopback-same"]
        ),
        "loopback4-then-mapped-loopback": Row(
            (LOOPBACK, DEFAULT), (MAPPED, DEFAULT, DUAL), INUSE, behaviours=["excl-mapped-loopback-same"]
        ),
        "exclusive-loopback-then-loopback": Row(
            (LOOPBACK, EXCLUSIVE), (LOOPBACK, DEFAULT), INUSE, behaviours=["excl-loopback-same-mixed"]
        ),
        "loopback-then-exclusive-loopback": Row(
            (LOOPBACK, DEFAULT), (LOOPBACK, EXCLUSIVE), INUSE, behaviours=["excl-loopback-same-mixed"]
        ),
    },
)
def second_bind_as_observed(
    ws: Target,
    first: tuple[str, int] | tuple[str, int, bool],
    second: tuple[str, int] | tuple[str, int, bool],
    code: int,
) -> None:
    """A second bind across families, and of IPv4 addresses in IPv6 form: a dual-stack wildcard has both families."""
    with (
        bound(ws, TCP, *first[:2], port=free_port(ws, TCP), dual=DUAL in first[2:]) as one,
        ws.closing(new(ws, TCP, *second[:2], dual=DUAL in second[2:])) as two,
    ):
        actual = outcome_of_bind(ws, two, address(second[0], port_held_by(ws, one)))
    expect("code of the second bind", expected=code, actual=actual)


@case(
    "binding.observed.first-alone-reuses",
    chapter=CHAPTER,
    source=REUSE_TEST,
    basis="observed",
    requirements=["R11.7"],
    behaviours=["reuse-first-only"],
)
def reuse_of_the_first_alone_is_not_enough(ws: Target) -> None:
    """SO_REUSEADDR on the socket that has the address does not let in one without it: the bind fails."""
    with bound(ws, TCP, LOOPBACK, REUSE) as one, ws.closing(ws.tcp()) as two:
        actual = outcome_of_bind(ws, two, ws.getsockname(one))
    expect_true("the bind fails", actual, actual=actual)


@case(
    "binding.dual.exclusive-beside-ipv4",
    chapter=CHAPTER,
    source=f"{SHARING}, dual-stack sockets; {REUSE_TEST}",
    basis="observed",
    requirements=["R11.10"],
    behaviours=["excl-loopback4-then-any6-excl"],
)
def exclusive_dual_stack_needs_the_port_in_both_families(ws: Target) -> None:
    """An IPv4 socket on loopback keeps the port from an exclusive dual-stack wildcard."""
    with (
        bound(ws, TCP, LOOPBACK, port=free_port(ws, TCP)) as one,
        ws.closing(new(ws, TCP, ANY6, EXCLUSIVE, dual=True)) as two,
    ):
        actual = outcome_of_bind(ws, two, wildcard(AF_INET6, port_held_by(ws, one)))
    variant("code", expected=WSAEADDRINUSE, allowed={WSAEACCES: "the page on SO_EXCLUSIVEADDRUSE"}, actual=actual)


@case(
    "binding.other-user",
    chapter=CHAPTER,
    source=f"{SHARING}, third table",
    basis="documented",
    requirements=["T11.2", "R11.9", "A5"],
)
def another_user_has_a_table_of_its_own(ws: Target) -> None:
    """A second bind under another user's account follows table T11.2."""
    not_applicable("a case runs under one account")


@case(
    "binding.apart.{row}",
    chapter=CHAPTER,
    source=SHARING,
    basis="documented",
    requirements=["R11.8"],
    rows={
        f"{first}-{second}": Row(OPTIONS[first], OPTIONS[second])
        for first, second in (
            ("default", "default"),
            ("default", "exclusive"),
            ("exclusive", "default"),
            ("exclusive", "exclusive"),
            ("reuse", "exclusive"),
        )
    },
)
def different_specific_addresses_do_not_meet(ws: Target, first: int, second: int) -> None:
    """Two specific addresses can have the same port, whatever the options are."""
    with ws.closing(ws.tcp()) as probe:
        if outcome_of_bind(ws, probe, sockaddr_in("127.0.0.2")):
            not_applicable("127.0.0.2 is no address of this machine")
    port = free_port(ws, TCP)
    with bound(ws, TCP, LOOPBACK, first, port=port), bound(ws, TCP, "127.0.0.2", second, port=port) as two:
        expect("port", expected=port, actual=port_held_by(ws, two))


@case(
    "binding.apart.protocols",
    chapter=CHAPTER,
    source=SHARING,
    basis="choice",
    requirements=["R11.8"],
)
def protocols_have_ports_of_their_own(ws: Target) -> None:
    """A UDP socket can have the port that a TCP socket has for itself alone."""
    for _ in range(20):  # somebody else may have the UDP port
        port = free_port(ws, TCP)
        with bound(ws, TCP, ANY, EXCLUSIVE, port=port), ws.closing(new(ws, UDP, ANY, EXCLUSIVE)) as s:
            if not outcome_of_bind(ws, s, wildcard(port=port)):
                expect("port", expected=port, actual=port_held_by(ws, s))
                return
    expect_true("one of twenty ports", condition=False, actual="all refused")


# ---- when the options count ------------------------------------------------------------------------------------------


@case(
    "binding.options.too-late",
    chapter=CHAPTER,
    source=SHARING,
    basis="documented",
    requirements=["R11.6"],
)
def option_after_the_bind_does_not_count(ws: Target) -> None:
    """A socket that turns SO_REUSEADDR on after its bind lets nobody in: the second bind is WSAEACCES."""
    with bound(ws, TCP, LOOPBACK) as one, ws.closing(new(ws, TCP, LOOPBACK, REUSE)) as two:
        with contextlib.suppress(Failed):  # whether setting it is taken at all is not said
            ws.setsockopt(one, SOL_SOCKET, SO_REUSEADDR, 1)
        with fails_with(WSAEACCES):
            ws.bind(two, ws.getsockname(one))


@case(
    "binding.released.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-closesocket",
    basis="documented",
    requirements=["A2", "A3"],
    rows={f"{name}-{option}": Row(kind, OPTIONS[option]) for name, kind in KINDS.items() for option in OPTIONS},
)
def closed_socket_gives_its_port_back(ws: Target, kind: int, option: int) -> None:
    """Once a socket is closed its port can be bound, exclusively too."""
    with bound(ws, kind, LOOPBACK, option) as one:
        name = ws.getsockname(one)
        ws.closesocket(one)
        with ws.closing(new(ws, kind, LOOPBACK, EXCLUSIVE)) as two:
            ws.bind(two, name)
            expect("name", expected=name, actual=ws.getsockname(two))


@case(
    "binding.released.time-wait",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirement A2",
    basis="observed",
    requirements=["A2"],
)
def time_wait_is_no_hindrance(ws: Target) -> None:
    """A server that closed its connections first can listen on its port again at once, without SO_REUSEADDR."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as client:
        name = ws.getsockname(listening)
        ws.connect(client, name)
        server, _ = ws.accept(listening)
        ws.closesocket(server)
        expect("end of stream", expected=0, actual=ws.recv(client, bytearray(1)))
        ws.closesocket(client)
        ws.closesocket(listening)
        with ws.closing(ws.tcp()) as again:
            ws.bind(again, name)
            ws.listen(again, 1)


@case(
    "binding.accepted.{row}",
    chapter=CHAPTER,
    source=f"{SHARING}, SO_EXCLUSIVEADDRUSE",
    basis="documented",
    requirements=["R11.11"],
    rows={"connected": Row(False), "closed": Row(True)},
)
def accepted_connection_keeps_an_exclusive_port(ws: Target, closed: bool) -> None:
    """An exclusive listener's port cannot be bound exclusively again before its connections are gone."""
    with ws.closing(new(ws, TCP, LOOPBACK, EXCLUSIVE)) as listening, ws.closing(ws.tcp()) as client:
        ws.bind(listening, loopback())
        ws.listen(listening, 1)
        name = ws.getsockname(listening)
        ws.connect(client, name)
        server, _ = ws.accept(listening)
        with ws.closing(server), ws.closing(new(ws, TCP, LOOPBACK, EXCLUSIVE)) as again:
            ws.closesocket(listening)
            if closed:
                ws.reset(client)
                ws.wait_readable(server)
                ws.reset(server)
                ws.bind(again, name)
            else:
                with fails_with(WSAEADDRINUSE, variants={WSAEACCES: "the page does not say which"}):
                    ws.bind(again, name)


# ---- who gets what comes to the port ---------------------------------------------------------------------------------


@case(
    "binding.traffic.{row}",
    chapter=CHAPTER,
    source=REUSE_TEST,
    basis="observed",
    requirements=["A4"],
    rows={
        "any-then-loopback": Row(
            ANY, LOOPBACK, behaviours=["reuse-any-then-loopback", "reuse-any-loopback-specific-wins"]
        ),
        "loopback-then-any": Row(LOOPBACK, ANY, behaviours=["reuse-loopback-then-any"]),
        "any-then-loopback-ipv6": Row(
            ANY6, LOOPBACK6, behaviours=["reuse-any-then-loopback", "reuse-any-loopback-specific-wins"]
        ),
        "loopback-then-any-ipv6": Row(LOOPBACK6, ANY6, behaviours=["reuse-loopback-then-any"]),
    },
)
def more_specific_listener_gets_the_connection(ws: Target, first: str, second: str) -> None:
    """A wildcard and a loopback socket listen on one port, without any option; loopback gets its connections."""
    hosts = (first, second)
    with bound(ws, TCP, first, port=free_port(ws, TCP)) as one:
        ws.listen(one, 1)
        with bound(ws, TCP, second, port=port_held_by(ws, one)) as two:
            ws.listen(two, 1)
            specific = LOOPBACK6 if ":" in first else LOOPBACK
            for _ in range(5):
                taken = first_taken_by(ws, [one, two], address(specific, port_held_by(ws, one)))
                expect("listener", expected=specific, actual=hosts[taken])


@case(
    "binding.traffic.specific-datagram",
    chapter=CHAPTER,
    source=SHARING,
    basis="choice",
    requirements=["T11.1", "A4"],
)
def more_specific_socket_gets_the_datagram(ws: Target) -> None:
    """A wildcard and a loopback UDP socket have one port; a datagram to loopback goes to the latter."""
    port = free_port(ws, UDP)
    with bound(ws, UDP, ANY, port=port) as one, bound(ws, UDP, LOOPBACK, port=port) as two:
        for _ in range(5):
            taken = first_taken_by(ws, [one, two], loopback(port=port))
            expect("receiver", expected=1, actual=taken)


@case(
    "binding.traffic.equals-{row}",
    chapter=CHAPTER,
    source=REUSE_TEST,
    basis="observed",
    requirements=["R11.7", "A1"],
    behaviours=["reuse-both-listen", "reuse-first-gets-connection"],
    rows={"ipv4": Row(LOOPBACK), "ipv6": Row(LOOPBACK6)},
)
def first_of_equal_listeners_gets_the_connection(ws: Target, host: str) -> None:
    """Two listeners share an address by SO_REUSEADDR; connections go to the one that was bound first."""
    with bound(ws, TCP, host, REUSE) as one, bound(ws, TCP, host, REUSE, port=port_held_by(ws, one)) as two:
        ws.listen(one, 1)
        ws.listen(two, 1)
        for _ in range(8):
            taken = first_taken_by(ws, [one, two], address(host, port_held_by(ws, one)))
            expect("listener, by the order of binds", expected=0, actual=taken)


@case(
    "binding.traffic.next-of-equals",
    chapter=CHAPTER,
    source=SHARING,
    basis="choice",
    requirements=["R11.7"],
)
def next_of_equal_listeners_follows(ws: Target) -> None:
    """When the listener that got the connections is closed, the other one gets them."""
    with bound(ws, TCP, LOOPBACK, REUSE) as one, bound(ws, TCP, LOOPBACK, REUSE, port=port_held_by(ws, one)) as two:
        ws.listen(one, 1)
        ws.listen(two, 1)
        name = ws.getsockname(two)
        ws.closesocket(one)
        expect("listener", expected=0, actual=first_taken_by(ws, [two], name))


@case(
    "binding.traffic.multicast",
    chapter=CHAPTER,
    source=SHARING,
    basis="documented",
    requirements=["R11.7"],
)
def multicast_goes_to_all(ws: Target) -> None:
    """UDP sockets that share a port by SO_REUSEADDR and have joined a group all get its datagrams."""
    group, here = (sockaddr_in(host)[4:8] for host in ("239.255.77.1", LOOPBACK))
    with (
        bound(ws, UDP, ANY, REUSE) as one,
        bound(ws, UDP, ANY, REUSE, port=port_held_by(ws, one)) as two,
        ws.closing(ws.udp()) as sender,
    ):
        for s in (one, two):
            ws.setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, group + here)
        ws.setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, here)
        ws.sendto(sender, b"all", 0, sockaddr_in("239.255.77.1", port_held_by(ws, one)))
        for s in (one, two):
            ws.wait_readable(s)
            expect("bytes", expected=3, actual=ws.recv(s, bytearray(8)))


# ---- dynamic ports and names -----------------------------------------------------------------------------------------


@case(
    "binding.port-0.{row}",
    chapter=CHAPTER,
    source=f"{BIND}, remarks on port 0",
    basis="documented",
    requirements=["R11.4", "A8"],
    rows={
        "tcp": Row(TCP, LOOPBACK, behaviours=["bind-ok"]),
        "udp": Row(UDP, LOOPBACK, behaviours=["bind-udp"]),
        "tcp-any": Row(TCP, ANY),
        "udp-any": Row(UDP, ANY),
        "tcp-ipv6": Row(TCP, LOOPBACK6),
        "udp-ipv6": Row(UDP, LOOPBACK6),
    },
)
def port_0_gives_a_dynamic_port(ws: Target, kind: int, host: str) -> None:
    """bind to port 0 gives a port from 49152 to 65535, and every socket another one."""
    ports = set()
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            s = stack.enter_context(bound(ws, kind, host))
            ports.add(port_held_by(ws, s))
    expect("ports", expected=8, actual=len(ports))
    expect_true("all of the dynamic range", all(port in DYNAMIC_PORTS for port in ports), actual=sorted(ports))


@case(
    "binding.implicit.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsaconnect; winsock/nf-winsock-sendto",
    basis="documented",
    requirements=["R11.23", "R11.4", "A8"],
    rows={
        "connect": Row("connect", LOOPBACK),
        "connect-datagram": Row("connect-datagram", LOOPBACK),
        "sendto": Row("sendto", ANY, requirements=["R11.58"]),
        "wsasendto": Row("wsasendto", ANY, requirements=["R11.58"], behaviours=["wsasendto-autobind"]),
    },
)
def call_that_needs_an_address_binds(ws: Target, call: str, host: str) -> None:
    """A socket that connects or sends without a bind gets a dynamic port; only connecting gives it an address too."""
    names = []
    with ws.listener(backlog=16) as listening, ws.socket_in("bound-datagram") as receiver:
        for _ in range(8):
            with ws.closing(ws.tcp() if call == "connect" else ws.udp()) as s:
                if call == "sendto":
                    ws.sendto(s, b"x", 0, ws.getsockname(receiver))
                elif call == "wsasendto":
                    ws.WSASendTo(s, [b"x"], 0, ws.getsockname(receiver))
                else:
                    ws.connect(s, ws.getsockname(listening if call == "connect" else receiver))
                names.append(ws.getsockname(s))
    expect("families", expected={AF_INET}, actual=set(map(family_of, names)))
    expect("addresses", expected={host}, actual=set(map(host_of, names)))
    ports = sorted(map(port_of, names))
    expect_true("ports of the dynamic range", all(port in DYNAMIC_PORTS for port in ports), actual=ports)


@case(
    "binding.implicit.counts",
    chapter=CHAPTER,
    source=f"winsock/nf-winsock-sendto; {SHARING}",
    basis="documented",
    requirements=["R11.23", "R11.58", "T11.1"],
)
def implicit_bind_counts_as_one(ws: Target) -> None:
    """The port that sendto has bound to the wildcard address cannot be bound to it by another socket."""
    with ws.socket_in("bound-datagram") as receiver, ws.closing(ws.udp(), ws.udp()) as (one, two):
        ws.sendto(one, b"x", 0, ws.getsockname(receiver))
        with fails_with(WSAEADDRINUSE):
            ws.bind(two, ws.getsockname(one))


@case(
    "binding.name.wildcard",
    chapter=CHAPTER,
    source=f"{BIND}; {NAME_TEST}",
    basis="documented",
    requirements=["R11.5"],
    behaviours=["getsockname-bound-any"],
)
def wildcard_keeps_its_name(ws: Target) -> None:
    """getsockname after a bind to 0.0.0.0 port 0: the wildcard address, a port, and zeros behind."""
    with bound(ws, TCP, ANY) as s:
        name = ws.getsockname(s)
    expect("family", expected=AF_INET, actual=family_of(name))
    expect("address", expected=ANY, actual=host_of(name))
    expect_true("port", port_of(name), actual=port_of(name))
    expect("sin_zero", expected=bytes(8), actual=bytes(name[8:16]))


@case(
    "binding.name.wildcard-until-connected",
    chapter=CHAPTER,
    source=f"{BIND}, remarks on getsockname",
    basis="documented",
    requirements=["R11.5"],
)
def connecting_gives_the_wildcard_an_address(ws: Target) -> None:
    """A socket bound to 0.0.0.0 shows the address of its connection once it is connected, and the same port."""
    with ws.listener() as listening, bound(ws, TCP, ANY) as s:
        port = port_held_by(ws, s)
        ws.connect(s, ws.getsockname(listening))
        expect("name", expected=loopback(port=port), actual=bytes(ws.getsockname(s)))


@case(
    "binding.name.each-local",
    chapter=CHAPTER,
    source=NAME_TEST,
    basis="observed",
    requirements=["R11.5"],
    behaviours=["getsockname-each-local"],
)
def every_address_of_the_host_reads_back(ws: Target) -> None:
    """A UDP socket can be bound to every address that gethostbyname("") tells, and shows it."""
    addresses = ws.gethostbyname("").addresses
    expect_true("addresses", addresses, actual=addresses)
    for packed in addresses:
        with ws.closing(ws.udp()) as s:
            wanted = sockaddr_in()[:4] + packed + bytes(8)
            ws.bind(s, wanted)
            expect("address", expected=host_of(wanted), actual=host_of(ws.getsockname(s)))


def addresses_of_the_machine(ws: Target, family: int) -> list[bytes]:
    """Return the addresses that SIO_ADDRESS_LIST_QUERY tells for a family, as whole socket addresses, and loopback."""
    with ws.closing(ws.tcp(family)) as s:
        room, moved = ws.c.new(4096), ws.c.new(4)
        ws.c.check("WSAIoctl", s, SIO_ADDRESS_LIST_QUERY, 0, 0, room.address, 4096, moved.address, 0, 0)
    found = [loopback(family)]
    for index in range(room.number(4)):  # SOCKET_ADDRESS_LIST: the count, then pointers with lengths
        pointer, length = room.number(8, 8 + 16 * index), room.number(4, 16 + 16 * index)
        found.append(ws.c.read(pointer, length))
    return found


@case(
    "binding.local.every-address",
    chapter=CHAPTER,
    source=BIND_TEST,
    basis="observed",
    requirements=["R11.2"],
    behaviours=["bind-every-local-address"],
    needs_c=True,
)
def every_local_address_can_be_bound(ws: Target) -> None:
    """A TCP socket can be bound to each address of the machine's interfaces."""
    for family in (AF_INET, AF_INET6):
        if not ws.has_family(family):
            continue
        for name in addresses_of_the_machine(ws, family):
            with ws.closing(ws.tcp(family)) as s:
                ws.bind(s, with_port(name, 0))
                expect("address", expected=host_of(name), actual=host_of(ws.getsockname(s)))


@case(
    "binding.local.{row}",
    chapter=CHAPTER,
    source="reports of programs ported to Windows, such as audreyt/network-multicast #12",
    basis="observed",
    requirements=["R11.2", "B5"],
    rows={
        "multicast": Row(UDP, "239.255.77.1"),
        "multicast-stream": Row(TCP, "239.255.77.1", basis="choice"),
        "multicast-ipv6": Row(UDP, "ff02::1", basis="choice"),
        "broadcast-stream": Row(TCP, "255.255.255.255", basis="choice"),
    },
)
def group_is_no_local_address(ws: Target, kind: int, host: str) -> None:
    """A socket cannot be bound to a multicast group, nor a stream to the broadcast address: WSAEADDRNOTAVAIL."""
    with ws.closing(new(ws, kind, host)) as s, fails_with(WSAEADDRNOTAVAIL):
        ws.bind(s, address(host))


@case(
    "binding.local.broadcast-without-permission",
    chapter=CHAPTER,
    source=f"{BIND}, error WSAEACCES",
    basis="documented",
    requirements=["R11.2", "B5"],
)
def broadcast_address_needs_permission(ws: Target) -> None:
    """A bind of a datagram socket to the broadcast address without SO_BROADCAST is WSAEACCES."""
    with ws.closing(ws.udp()) as s, fails_with(WSAEACCES):
        ws.bind(s, sockaddr_in("255.255.255.255"))


@case(
    "binding.local.low-port",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirement A9",
    basis="observed",
    requirements=["A9"],
)
def low_ports_are_for_everybody(ws: Target) -> None:
    """A port below 1024 is a port like any other."""
    for port in (7, 9, 13, 17, 19, 37, 79):
        with ws.closing(ws.tcp()) as s:
            code = outcome_of_bind(ws, s, loopback(port=port))
        if code != WSAEADDRINUSE:
            break
    else:
        not_applicable("the low ports tried are all in use")
    variant("code", expected=0, allowed={WSAEACCES: "a host that keeps low ports for privileged users"}, actual=code)


# ---- IPv6 ------------------------------------------------------------------------------------------------------------


@case(
    "binding.ipv6.only-by-default",
    chapter=CHAPTER,
    source=DUAL_STACK,
    basis="documented",
    requirements=["R11.63", "A65"],
)
def ipv6_sockets_are_for_ipv6_only(ws: Target) -> None:
    """IPV6_V6ONLY is on for a new socket: an IPv4 socket can have the wildcard's port for itself."""
    with (
        bound(ws, TCP, ANY6, port=free_port(ws, TCP)) as one,
        ws.closing(new(ws, TCP, ANY, EXCLUSIVE)) as two,
    ):
        expect("IPV6_V6ONLY", expected=1, actual=ws.getsockopt(one, IPPROTO_IPV6, IPV6_V6ONLY, 4)[0])
        ws.bind(two, wildcard(port=port_held_by(ws, one)))


@case(
    "binding.ipv6.only-is-decided-before-bind",
    chapter=CHAPTER,
    source=DUAL_STACK,
    basis="documented",
    requirements=["R11.63", "A66"],
)
def dual_stack_is_decided_before_the_bind(ws: Target) -> None:
    """IPV6_V6ONLY cannot be changed on a bound socket: WSAEINVAL."""
    with bound(ws, TCP, LOOPBACK6) as s, fails_with(WSAEINVAL):
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)


@case(
    "binding.ipv6.dual-stack-serves-ipv4",
    chapter=CHAPTER,
    source=DUAL_STACK,
    basis="documented",
    requirements=["R11.63"],
)
def dual_stack_listener_has_ipv4_clients(ws: Target) -> None:
    """With IPV6_V6ONLY off a listener on :: gets IPv4 connections, whose addresses it sees in IPv6 form."""
    with bound(ws, TCP, ANY6, dual=True) as listening, ws.closing(ws.tcp()) as client:
        ws.listen(listening, 1)
        ws.connect(client, loopback(port=port_held_by(ws, listening)))
        server, peer = ws.accept(listening)
        with ws.closing(server):
            expect("family of the client", expected=AF_INET6, actual=family_of(peer))
            expect("address of the client", expected=host_of(sockaddr_in6(MAPPED)), actual=host_of(peer))
            expect("own address", expected=host_of(sockaddr_in6(MAPPED)), actual=host_of(ws.getsockname(server)))


@case(
    "binding.ipv6.dual-stack-reaches-ipv4",
    chapter=CHAPTER,
    source=DUAL_STACK,
    basis="documented",
    requirements=["R11.63"],
)
def dual_stack_client_reaches_ipv4(ws: Target) -> None:
    """With IPV6_V6ONLY off a socket connects to an IPv4 listener by its address in IPv6 form."""
    with ws.listener() as listening, ws.closing(new(ws, TCP, ANY6, dual=True)) as client:
        where = sockaddr_in6(MAPPED, port_held_by(ws, listening))
        ws.connect(client, where)
        expect("peer", expected=where, actual=bytes(ws.getpeername(client)))


@case(
    "binding.ipv6.mapped-{row}",
    chapter=CHAPTER,
    source="reports of programs ported to Windows, such as DOCGroup/ACE_TAO #1267",
    basis="observed",
    requirements=["R11.63"],
    rows={"connect": Row("connect"), "bind": Row("bind", basis="choice")},
)
def ipv6_only_socket_knows_no_ipv4_address(ws: Target, call: str) -> None:
    """On an IPv6-only socket an IPv4 address in IPv6 form is WSAEADDRNOTAVAIL."""
    with ws.listener() as listening, ws.closing(new(ws, TCP, ANY6)) as s, fails_with(WSAEADDRNOTAVAIL):
        if call == "bind":
            ws.bind(s, sockaddr_in6(MAPPED))
        else:
            ws.connect(s, sockaddr_in6(MAPPED, port_held_by(ws, listening)))


@case(
    "binding.ipv6.old-length",
    chapter=CHAPTER,
    source=BIND_TEST,
    basis="observed",
    requirements=["R11.2", "B5"],
    behaviours=["bind-v6-old-len"],
)
def old_ipv6_structure_is_too_short(ws: Target) -> None:
    """An IPv6 address of 24 bytes, as it was before the scope id, is WSAEFAULT."""
    with ws.closing(new(ws, TCP, LOOPBACK6)) as s, fails_with(WSAEFAULT):
        ws.bind(s, sockaddr_in6()[:24])


@case(
    "binding.ipv6.scope",
    chapter=CHAPTER,
    source=BIND_TEST,
    basis="observed",
    requirements=["R11.2", "B5"],
    behaviours=["bind-v6-bad-scope", "bind-v6-scope-zero", "bind-v6-getsockname"],
)
def scope_is_checked_and_found(ws: Target) -> None:
    """A scope that does not exist is WSAEADDRNOTAVAIL; with 0 the address gets the scope that it has."""
    with ws.closing(new(ws, TCP, LOOPBACK6)) as s:
        with fails_with(WSAEADDRNOTAVAIL):
            ws.bind(s, sockaddr_in6(scope_id=0xABACAB))
        ws.bind(s, sockaddr_in6(scope_id=0))
        name = ws.getsockname(s)
    expect("family", expected=AF_INET6, actual=family_of(name))
    expect("address", expected=LOOPBACK6, actual=host_of(name))
    expect("scope", expected=0, actual=scope_of(name))
    expect_true("port", port_of(name), actual=port_of(name))


@case(
    "binding.ipv6.scope-of-each-address",
    chapter=CHAPTER,
    source=BIND_TEST,
    basis="observed",
    requirements=["R11.2", "B5"],
    behaviours=["bind-v6-bad-scope", "bind-v6-scope-zero", "bind-v6-getsockname"],
    needs_c=True,
)
def scope_is_that_of_the_interface(ws: Target) -> None:
    """For every IPv6 address of the machine: a wrong scope is refused, and without one it gets its interface's."""
    if not ws.has_family(AF_INET6):
        not_applicable("no IPv6 on this machine")
    for name in addresses_of_the_machine(ws, AF_INET6):
        bare = sockaddr_in6(host_of(name))
        with ws.closing(ws.tcp(AF_INET6)) as s:
            with fails_with(WSAEADDRNOTAVAIL):
                ws.bind(s, bare[:24] + (0xABACAB).to_bytes(4, "little"))
            ws.bind(s, bare)
            expect("name", expected=name[8:28], actual=bytes(ws.getsockname(s)[8:28]))
