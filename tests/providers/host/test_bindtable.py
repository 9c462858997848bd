"""Who may have a port beside whom is decided as Windows does, whatever the host thinks."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from tests.reference import reference
from winsock2emu.defs.codes import WSAEACCES, WSAEADDRINUSE, WSAEINVAL, WSAError
from winsock2emu.defs.constants import AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from winsock2emu.errors import WinsockError
from winsock2emu.providers.host.bindtable import (
    DEFAULT,
    EXCLUSIVE,
    REUSEADDR,
    Binding,
    BindTable,
    is_link_local,
    is_mapped,
    overlaps,
    verdict,
)

PORT = 5000
MODES = {"Default": DEFAULT, "REUSEADDR": REUSEADDR, "EXCLUSIVE": EXCLUSIVE}
OUTCOMES = {"ok": 0, "INUSE": WSAEADDRINUSE, "ACCESS": WSAEACCES}


def held(
    host: str, mode: int = DEFAULT, *, port: int = PORT, protocol: int = IPPROTO_TCP, dual: bool = False, scope: int = 0
) -> Binding:
    """A socket's hold on an address that is written as text."""
    name = sockaddr_in6(host, port, 0, scope) if ":" in host else sockaddr_in(host, port)
    return Binding.of(protocol, name, dual=dual, mode=mode)


def cells(table: str) -> dict[str, tuple[str, str, str]]:
    """The cells of a table of second binds: (first socket, second socket, outcome) under a name for the test."""
    text = reference("semantics.md").read_text()
    body = text[text.index(f"\n{table} ") :].split("\n\n")[1].splitlines()
    header, _, *rows = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in body)
    seconds = [title.removeprefix("2nd ") for title in header[1:]]
    return {
        f"{row[0]} then {second}": (row[0], second, outcome)
        for row in rows
        for second, outcome in zip(seconds, row[1:], strict=True)
    }


T11_1 = cells("T11.1")


def test_the_matrix_was_found() -> None:
    assert len(T11_1) == 36
    assert {outcome for _, _, outcome in T11_1.values()} == set(OUTCOMES)


def socket_of(title: str, family: int) -> Binding:
    """A socket as a title of the table names it, such as ``REUSEADDR W``."""
    mode, shape = title.split()
    hosts = {"W": ("0.0.0.0", "::"), "S": ("127.0.0.1", "::1")}
    return held(hosts[shape][family], MODES[mode])


@pytest.mark.parametrize("family", [0, 1], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize(("first", "second", "outcome"), list(T11_1.values()), ids=list(T11_1))
def test_second_bind_ends_as_the_matrix_says(first: str, second: str, outcome: str, family: int) -> None:
    assert verdict(socket_of(first, family), socket_of(second, family)) == OUTCOMES[outcome]


# The situations of the observations, by their ids: the first bind and the second.
OBSERVED = {
    "reuse-second-only": [(held("127.0.0.1"), held("127.0.0.1", REUSEADDR)), (held("::1"), held("::1", REUSEADDR))],
    "reuse-both-bind": [(held("127.0.0.1", REUSEADDR), held("127.0.0.1", REUSEADDR))],
    "reuse-any-then-loopback": [(held("0.0.0.0"), held("127.0.0.1")), (held("::"), held("::1"))],
    "reuse-loopback-then-any": [(held("127.0.0.1"), held("0.0.0.0")), (held("::1"), held("::"))],
    "reuse-any-any-conflict": [(held("0.0.0.0"), held("0.0.0.0")), (held("::"), held("::"))],
    "excl-any-then-loopback": [(held("0.0.0.0", EXCLUSIVE), held("127.0.0.1"))],
    "excl-any6-then-loopback4": [(held("::", EXCLUSIVE, dual=True), held("127.0.0.1"))],
    "excl-plainany-then-loopback-excl": [(held("0.0.0.0"), held("127.0.0.1", EXCLUSIVE))],
    "excl-any-both-exclusive": [(held("0.0.0.0", EXCLUSIVE), held("127.0.0.1", EXCLUSIVE))],
    "excl-loopback-then-any-plain": [(held("127.0.0.1", EXCLUSIVE), held("0.0.0.0"))],
    "excl-loopback-plain-then-any-excl": [(held("127.0.0.1"), held("0.0.0.0", EXCLUSIVE))],
    "excl-loopback4-then-any6-excl": [(held("127.0.0.1"), held("::", EXCLUSIVE, dual=True))],
    "excl-loopback6-then-any4-excl": [(held("::1"), held("0.0.0.0", EXCLUSIVE))],
    "excl-loopback6-loopback4": [(held("::1", EXCLUSIVE), held("127.0.0.1", EXCLUSIVE))],
    "excl-mapped-loopback-then-any4": [(held("::ffff:127.0.0.1", dual=True), held("0.0.0.0", EXCLUSIVE))],
    "excl-any6-excl-then-any4": [(held("::", EXCLUSIVE, dual=True), held("0.0.0.0"))],
    "excl-any6-then-any4-excl": [(held("::", dual=True), held("0.0.0.0", EXCLUSIVE))],
    "excl-any4-then-any4-excl": [(held("0.0.0.0"), held("0.0.0.0", EXCLUSIVE))],
    "excl-any4-any4": [(held("0.0.0.0"), held("0.0.0.0"))],
    "excl-any6-any4-plain": [(held("::", dual=True), held("0.0.0.0"))],
    "excl-mapped-any-then-any4": [(held("::ffff:0.0.0.0", dual=True), held("0.0.0.0"))],
    "excl-mapped-loopback-same": list(
        itertools.permutations((held("::ffff:127.0.0.1", dual=True), held("127.0.0.1")), 2)
    ),
    "excl-loopback-same-mixed": list(itertools.permutations((held("127.0.0.1", EXCLUSIVE), held("127.0.0.1")), 2)),
}


@pytest.mark.parametrize(
    ("behaviour", "first", "second"),
    [
        pytest.param(behaviour, first, second, id=f"{behaviour}-{index}")
        for behaviour, pairs in OBSERVED.items()
        for index, (first, second) in enumerate(pairs)
    ],
)
def test_second_bind_ends_as_observed_on_windows(behaviour: str, first: Binding, second: Binding) -> None:
    lines = map(json.loads, reference("behaviours.jsonl").read_text().splitlines())
    expected = next(line["expect"] for line in lines if line["id"] == behaviour)
    code = re.search("WSAE[A-Z]+", expected)
    if code is None:
        assert "succe" in expected
    assert verdict(first, second) == (WSAError[code.group()] if code else 0)


@pytest.mark.parametrize("modes", list(itertools.product(MODES.values(), repeat=2)))
@pytest.mark.parametrize(
    ("first", "second"),
    [("127.0.0.1", "127.0.0.2"), ("::1", "fd00::1"), ("127.0.0.1", "::1"), ("0.0.0.0", "::"), ("0.0.0.0", "::1")],
)
def test_addresses_without_overlap_never_conflict(first: str, second: str, modes: tuple[int, int]) -> None:
    """R11.8; an IPv6-only socket has nothing to do with IPv4, not even a wildcard."""
    a, b = held(first, modes[0]), held(second, modes[1])
    assert not overlaps(a, b)
    assert not overlaps(b, a)
    assert verdict(a, b) == verdict(b, a) == 0


def test_a_dual_stack_wildcard_meets_ipv4_and_a_specific_ipv6_address_does_not() -> None:
    both = held("::", dual=True)
    assert overlaps(both, held("127.0.0.1"))
    assert overlaps(held("127.0.0.1"), both)
    assert overlaps(both, held("::1"))
    assert not overlaps(held("::1", dual=True), held("127.0.0.1"))
    assert not overlaps(held("::1", dual=True), held("0.0.0.0"))


def test_a_mapped_address_is_the_ipv4_address_in_it() -> None:
    assert is_mapped(sockaddr_in6("::ffff:1.2.3.4", PORT))
    assert not is_mapped(sockaddr_in6("::1.2.3.4", PORT))
    assert not is_mapped(sockaddr_in("1.2.3.4", PORT))
    assert overlaps(held("::ffff:127.0.0.1", dual=True), held("127.0.0.1"))
    assert not overlaps(held("::ffff:127.0.0.1", dual=True), held("127.0.0.2"))
    assert not overlaps(held("::ffff:0.0.0.0", dual=True), held("::1"))
    assert held("::ffff:0.0.0.0", dual=True).wildcard


def test_a_link_local_address_counts_with_its_scope() -> None:
    assert is_link_local(sockaddr_in6("fe80::1"))
    assert is_link_local(sockaddr_in6("febf::1"))
    assert not is_link_local(sockaddr_in6("fec0::1"))
    assert not is_link_local(sockaddr_in("254.128.0.1"))
    assert not overlaps(held("fe80::1", scope=1), held("fe80::1", scope=2))
    assert overlaps(held("fe80::1", scope=2), held("fe80::1", scope=2))
    assert overlaps(held("fe80::1", scope=2), held("::"))


def test_short_addresses_are_neither_mapped_nor_link_local() -> None:
    assert not is_mapped(SockAddr(b"\x17\0"))
    assert not is_link_local(SockAddr(b"\x17\0"))


class Socket:
    """What the table has to know of a socket."""

    def __init__(self, family: int = AF_INET) -> None:
        self.family = family
        self.binding: Binding | int | None = None


@pytest.fixture
def table() -> BindTable:
    return BindTable()


def refused(table: BindTable, wanted: Binding) -> int:
    """The code of a claim that must fail, which leaves the table and the socket as they were."""
    holder, before = Socket(), len(table)
    with pytest.raises(WinsockError) as caught:
        table.claim(wanted, holder)
    assert holder.binding is None
    assert len(table) == before
    return int(caught.value.code)


def test_other_ports_and_protocols_have_nothing_to_do_with_each_other(table: BindTable) -> None:
    for binding in (
        held("0.0.0.0", EXCLUSIVE),
        held("0.0.0.0", EXCLUSIVE, protocol=IPPROTO_UDP),
        held("0.0.0.0", EXCLUSIVE, port=PORT + 1),
    ):
        assert table.claim(binding, Socket()) == []


def test_a_claim_is_refused_while_the_first_is_there_and_granted_afterwards(table: BindTable) -> None:
    first, second = Socket(), Socket()
    binding = held("127.0.0.1")
    table.claim(binding, first)
    assert binding.sockets == [first]
    assert vars(first)["binding"] is binding
    assert refused(table, held("127.0.0.1")) == WSAEADDRINUSE
    assert table.release(first) is binding
    assert vars(first)["binding"] is None
    assert table.claim(held("127.0.0.1"), second) == []
    table.release(second)
    assert table.release(second) is None  # nothing is left to let go of
    assert len(table) == 0


def test_every_binding_of_the_port_has_a_say(table: BindTable) -> None:
    for host in ("127.0.0.1", "0.0.0.0"):
        table.claim(held(host), Socket())
    for host in ("127.0.0.1", "0.0.0.0"):
        assert refused(table, held(host)) == WSAEADDRINUSE
    assert table.claim(held("127.0.0.2"), Socket()) != []


def test_a_claim_tells_with_whom_the_port_is_shared(table: BindTable) -> None:
    """Only those that the host sees as conflicts."""
    wildcard, loopback, elsewhere = held("0.0.0.0"), held("127.0.0.1"), held("127.0.0.2")
    assert table.claim(loopback, Socket()) == []
    assert table.claim(elsewhere, Socket()) == []
    assert table.claim(wildcard, Socket()) == [loopback, elsewhere]
    assert table.claim(held("::"), Socket()) == []


def test_a_binding_ends_with_the_last_of_its_sockets(table: BindTable) -> None:
    first, second = Socket(), Socket()
    binding = held("127.0.0.1")
    table.claim(binding, first)
    binding.sockets.append(second)
    second.binding = binding
    table.release(first)
    assert refused(table, held("127.0.0.1")) == WSAEADDRINUSE
    table.release(second)
    assert len(table) == 0


def test_bindings_are_ordered(table: BindTable) -> None:
    first, second = held("127.0.0.1", REUSEADDR), held("127.0.0.1", REUSEADDR)
    table.claim(second, Socket())
    table.enter(first, Socket())
    assert second.order < first.order


def test_a_dynamic_port_is_one_that_nobody_has(table: BindTable) -> None:
    """A wildcard beside a specific address is allowed, but not what somebody gets who asks for any free port."""
    table.claim(held("127.0.0.1", REUSEADDR), Socket())
    for host in ("0.0.0.0", "127.0.0.1", "127.0.0.2", "::"):
        assert not table.claim_alone(held(host, REUSEADDR), Socket())
    assert not table.reserve(IPPROTO_TCP, PORT, Socket())
    assert len(table) == 1
    assert table.claim_alone(held("127.0.0.1", port=PORT + 1), Socket())
    assert table.reserve(IPPROTO_UDP, PORT, Socket())


@pytest.mark.parametrize(("family", "wildcard"), [(AF_INET, "0.0.0.0"), (AF_INET6, "::")])
@pytest.mark.parametrize("mode", list(MODES.values()), ids=list(MODES))
@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", "::", "::1"])
def test_a_reservation_is_a_wildcard_without_option(
    table: BindTable, family: int, wildcard: str, host: str, mode: int
) -> None:
    """Whoever asks for its port gets the answer of the matrix, and learns of its socket."""
    holder, plain, second = Socket(family), held(wildcard), held(host, mode)
    assert table.reserve(IPPROTO_TCP, PORT, holder)
    expected = verdict(plain, second)
    if expected:
        assert refused(table, second) == expected
    else:
        partners = table.claim(second, Socket())
        assert [partner.sockets for partner in partners] == ([[holder]] if overlaps(plain, second) else [])
    table.release(holder)
    assert holder.binding is None
    assert len(table) == (0 if expected else 1)


def test_a_reservation_that_nobody_asked_about_is_simply_given_back(table: BindTable) -> None:
    holder = Socket()
    table.reserve(IPPROTO_TCP, PORT, holder)
    assert table.release(holder) is None
    assert table.reserve(IPPROTO_TCP, PORT, Socket())


def test_a_socket_holds_one_thing(table: BindTable) -> None:
    """R11.1, when two threads bind the same socket."""
    holder = Socket()
    table.reserve(IPPROTO_TCP, PORT, holder)
    for again in (
        lambda: table.reserve(IPPROTO_TCP, PORT + 1, holder),
        lambda: table.claim(held("127.0.0.1", port=PORT + 1), holder),
        lambda: table.claim_alone(held("127.0.0.1", port=PORT + 1), holder),
    ):
        with pytest.raises(WinsockError) as caught:
            again()
        assert caught.value.code == WSAEINVAL
    assert len(table) == 1


@pytest.mark.parametrize(
    ("host", "mode", "outcome"),
    [
        ("127.0.0.1", EXCLUSIVE, WSAEADDRINUSE),
        ("0.0.0.0", EXCLUSIVE, WSAEADDRINUSE),
        ("127.0.0.2", EXCLUSIVE, 0),
        ("127.0.0.1", DEFAULT, 0),
        ("127.0.0.1", REUSEADDR, 0),
    ],
)
def test_an_accepted_connection_keeps_an_exclusive_port_from_being_taken_exclusively(
    table: BindTable, host: str, mode: int, outcome: int
) -> None:
    """R11.11; it is nobody's partner on the host, which has rules of its own for connections."""
    connection, newcomer = held("127.0.0.1", EXCLUSIVE), held(host, mode)
    connection.accepted = True
    table.enter(connection, Socket())
    assert verdict(connection, newcomer) == outcome
    if not outcome:
        assert table.claim(newcomer, Socket()) == []
