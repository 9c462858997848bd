"""WSAEnumProtocols as a whole: one call gives all there is, and another one gives it again."""

from __future__ import annotations

from ..constants import IPPROTO_TCP, IPPROTO_UDP, WSANOTINITIALISED
from ..model import Row, case
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
