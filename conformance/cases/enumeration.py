"""Rows of the catalog in use: all of them from WSAEnumProtocols, several of them in one WSAPoll."""

from __future__ import annotations

from ..constants import (
    AF_INET6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    POLLRDNORM,
    POLLWRNORM,
    SIO_BSP_HANDLE_POLL,
    WSAEINVAL,
    WSANOTINITIALISED,
)
from ..model import Row, case
from ..providers import Provider, protocol
from ..target import Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Protocols and choosing a provider"
ENUM = "winsock2/nf-winsock2-wsaenumprotocolsw"


@case(
    "catalog.enumerate.as-many-as-counted-{row}",
    chapter=CHAPTER,
    source=f"{ENUM}, return value",
    basis="documented",
    requirements=["R3.1"],
    both_forms=True,
    rows={"all": Row(None), "tcp": Row([IPPROTO_TCP]), "both": Row([IPPROTO_TCP, IPPROTO_UDP])},
)
def result_counts_the_records(ws: Target, protocols: list[int] | None) -> None:
    """As many records come as the call counts, and each of them is another entry of the catalog."""
    found = ws.WSAEnumProtocols(protocols)
    expect_true("there are some", found)
    expect("entries", expected=len(found), actual=len({info.catalog_entry_id for info in found}))
    if protocols is not None:
        expect("protocols", expected=set(protocols), actual={info.protocol for info in found})


@case(
    "catalog.enumerate.from-the-beginning",
    chapter=CHAPTER,
    source=f"{ENUM}, remarks",
    basis="documented",
    requirements=["R3.4"],
    both_forms=True,
)
def every_call_begins_again(ws: Target) -> None:
    """An enumeration cannot be continued: each call gives everything, in the same order, whatever came between."""
    found = ws.WSAEnumProtocols()
    some = ws.WSAEnumProtocols([IPPROTO_TCP])
    expect("all again", expected=found, actual=ws.WSAEnumProtocols())
    expect("the same some", expected=[info for info in found if info.protocol == IPPROTO_TCP], actual=some)


@case(
    "catalog.enumerate.startup-first",
    chapter=CHAPTER,
    source=f"{ENUM}: WSANOTINITIALISED",
    basis="documented",
    requirements=["R3.6"],
    both_forms=True,
    manages_startup=True,
)
def enumeration_comes_after_a_startup(ws: Target) -> None:
    """Before WSAStartup, and after the last WSACleanup, it is WSANOTINITIALISED."""
    with fails_with(WSANOTINITIALISED):
        ws.WSAEnumProtocols()
    ws.WSAStartup(0x0202)
    expect_true("protocols", ws.WSAEnumProtocols())
    ws.WSACleanup()
    with fails_with(WSANOTINITIALISED):
        ws.WSAEnumProtocols([IPPROTO_TCP])


# ---- WSAPoll over several rows ---------------------------------------------------------------------------------------

POLL = "winsock2/nf-winsock2-wsapoll"
OTHER_FAMILY = 0x77


@case(
    "catalog.poll.families-and-types-mixed",
    chapter=CHAPTER,
    source=POLL,
    basis="documented",
    requirements=["R3.36"],
)
def rows_of_one_provider_may_be_polled_together(ws: Target) -> None:
    """TCP and UDP, IPv4 and IPv6 are rows of one provider: one WSAPoll waits for sockets of all of them."""
    families = [2, AF_INET6] if ws.has_family(AF_INET6) else [2]
    for family in families:
        with ws.udp_pair(family) as (sender, receiver), ws.connected_pair() as (client, _), ws.listener() as listening:
            ws.send_and_settle(sender, b"x")
            asked = [(s, POLLRDNORM | POLLWRNORM) for s in (receiver, client, listening)]
            expected = [POLLRDNORM | POLLWRNORM, POLLWRNORM, 0]
            expect("result", expected=(2, expected), actual=ws.WSAPoll(asked, 5000))


@case(
    "catalog.poll.two-providers",
    chapter=CHAPTER,
    source=f"{POLL}; winsock/winsock-ioctls, SIO_BSP_HANDLE_POLL; requirement R3.33 for the code",
    basis="choice",
    requirements=["R3.36"],
    needs_provider=True,
)
def providers_may_not_be_polled_together(ws: Target) -> None:
    """As select, WSAPoll over sockets of two providers fails; a base provider's own handle is the one to poll."""
    row = protocol(OTHER_FAMILY)
    with (
        ws.provider(Provider(protocols=(row,)), built_in=True) as recorder,
        ws.closing(ws.tcp(), ws.socket(OTHER_FAMILY, row.socket_type, row.protocol)) as (one, two),
    ):
        recorder.forget()
        with fails_with(WSAEINVAL):
            ws.WSAPoll([(one, POLLWRNORM), (two, POLLWRNORM)], 0)
        expect("calls of the provider", expected=[], actual=recorder.names())
        handle = int.from_bytes(ws.WSAIoctl(one, SIO_BSP_HANDLE_POLL, None, 8), "little")
        expect("handle to poll", expected=one, actual=handle)
