"""Addresses: text to bytes and back, socket addresses as text, byte order."""

from __future__ import annotations

import string
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from ..addresses import SIZE_IN, SIZE_IN6, sockaddr_in, sockaddr_in6
from ..constants import (
    AF_INET,
    AF_INET6,
    AF_IPX,
    AF_UNIX,
    AF_UNSPEC,
    ERROR_INVALID_PARAMETER,
    INADDR_NONE,
    INVALID_SOCKET,
    IPPROTO_TCP,
    STATUS_INVALID_PARAMETER,
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
)
from ..model import Row, case
from ..target import Target
from ..verify import expect, expect_true, fails_with, variant

CHAPTER = "Addresses"
INET_ADDR = "winsock2/nf-winsock2-inet_addr"
INET_NTOA = "winsock2/nf-winsock2-inet_ntoa"
PTON = "ws2tcpip/nf-ws2tcpip-inet_pton"
NTOP = "ws2tcpip/nf-ws2tcpip-inet_ntop"
TO_STRING = "winsock2/nf-winsock2-wsaaddresstostringw"
FROM_STRING = "winsock2/nf-winsock2-wsastringtoaddressw"
ORDER = "winsock/extended-byte-order-conversion-routines-2"
OBSERVED_ADDR = "Wine's public test protocol.c:test_inet_addr, which passes on Windows"
OBSERVED_NTOA = "Wine's public test protocol.c:test_inet_ntoa, which passes on Windows"
OBSERVED_PTON = "Wine's public test protocol.c:test_inet_pton, which passes on Windows"
OBSERVED_NTOP = "Wine's public test protocol.c:test_addr_to_print, which passes on Windows"
#: Other codes of InetNtopW
AS_NTOP = {STATUS_INVALID_PARAMETER: "as inet_ntop was seen to do", WSAEINVAL: "Windows 7"}
OBSERVED_TO_STRING = "Wine's public test protocol.c:test_WSAAddressToString, which passes on Windows"
OBSERVED_FROM_STRING = "Wine's public test protocol.c:test_WSAStringToAddress, which passes on Windows"

NONE = INADDR_NONE & 0xFFFFFFFF
#: A last error that no function stores.
SENTINEL = 54321
UNTOUCHED = b"\xab"
WHITE_SPACE = " \t\n\v\f\r"


def s_addr(quad: str) -> int:
    """Return in_addr.s_addr of a dotted address: its bytes in network order, read by a little-endian machine."""
    return int.from_bytes(IPv4Address(quad).packed, "little")


def both_pton(ws: Target) -> dict[str, Callable[[int, str | None, bytearray | None], int]]:
    """The two functions that read; they differ in the last error alone."""
    return {"inet_pton": ws.inet_pton, "InetPtonW": ws.InetPtonW}


def both_ntop(ws: Target) -> dict[str, Callable[[int, bytes | None, int], str]]:
    """The two functions that write."""
    return {"inet_ntop": ws.inet_ntop, "InetNtopW": ws.InetNtopW}


# ---- inet_addr -------------------------------------------------------------------------------------------------------


def reads(text: str, quad: str, behaviour: str, *, observed: bool = False) -> Row:
    """A row: text that means an address."""
    if observed:
        return Row(text, quad, behaviours=[behaviour], basis="observed", source=OBSERVED_ADDR)
    return Row(text, quad, behaviours=[behaviour])


@case(
    "addresses.inet-addr.reads-{row}",
    chapter=CHAPTER,
    source=INET_ADDR,
    basis="documented",
    requirements=["R4.124"],
    rows={
        "four-parts": reads("1.2.3.4", "1.2.3.4", "inetaddr-four-parts"),
        "four-parts-zero": reads("0.0.0.0", "0.0.0.0", "inetaddr-four-parts"),
        "four-parts-high": reads("127.127.127.255", "127.127.127.255", "inetaddr-four-parts"),
        "one-part": reads("1", "0.0.0.1", "inetaddr-one-part"),
        "one-part-of-32-bits": reads("203569230", "12.34.56.78", "inetaddr-one-part"),
        "two-parts": reads("1.2", "1.0.0.2", "inetaddr-two-parts"),
        "two-parts-24-bits": reads("1.16777215", "1.255.255.255", "inetaddr-two-parts"),
        "three-parts": reads("1.2.3", "1.2.0.3", "inetaddr-three-parts"),
        "three-parts-16-bits": reads("1.2.65535", "1.2.255.255", "inetaddr-three-parts"),
        "hex": reads("0xa1a2b3b4", "161.162.179.180", "inetaddr-hex-octal"),
        "hex-short": reads("0x2134", "0.0.33.52", "inetaddr-hex-octal"),
        "hex-capital": reads("0XA1A2B3B4", "161.162.179.180", "inetaddr-hex-octal"),
        "hex-last-part": reads("1.2.3.0xaA", "1.2.3.170", "inetaddr-hex-octal"),
        "octal": reads("017700000001", "127.0.0.1", "inetaddr-hex-octal"),
        "octal-short": reads("0777", "0.0.1.255", "inetaddr-hex-octal"),
        "octal-last-part": reads("1.2.3.010", "1.2.3.8", "inetaddr-hex-octal"),
        "octal-zero": reads("1.2.3.00", "1.2.3.0", "inetaddr-hex-octal"),
        "mixed-bases": reads("0x7f.0.010.1", "127.0.8.1", "inetaddr-hex-octal"),
        "trailing-spaces": reads("3.4.5.6  ", "3.4.5.6", "inetaddr-trailing-space", observed=True),
        "text-after-spaces": reads("3.4.5.6  7", "3.4.5.6", "inetaddr-trailing-space", observed=True),
        "text-before-space-then-dot": reads("1.2.3 .4", "1.2.0.3", "inetaddr-space-before-dot", observed=True),
        "number-before-space-then-dot": reads("3 .4.5.6", "0.0.0.3", "inetaddr-space-before-dot", observed=True),
        "number-before-spaces": reads("1 2 3 4", "0.0.0.1", "inetaddr-space-separated", observed=True),
        "quad-before-other-bytes": reads(
            "1.2.3.4 \xfe\xff", "1.2.3.4", "inetaddr-trailing-junk-after-space", observed=True
        ),
        "one-space": reads(" ", "0.0.0.0", "inetaddr-space-only"),
    },
)
def inet_addr_reads(ws: Target, text: str, quad: str) -> None:
    """One to four parts in decimal, octal or hexadecimal, the last filling the rest; white space ends the text."""
    expect("s_addr", expected=f"{s_addr(quad):#010x}", actual=f"{ws.inet_addr(text):#010x}")


@case(
    "addresses.inet-addr.refuses-{row}",
    chapter=CHAPTER,
    source=OBSERVED_ADDR,
    basis="observed",
    requirements=["R4.124"],
    rows={
        "hex-without-digits": Row("1.1.1.0x", behaviours=["inetaddr-bad-hex"]),
        "hex-digit-without-prefix": Row("1.2.3.0a", behaviours=["inetaddr-bad-hex"]),
        "prefix-0o": Row("1.2.3.0o10", behaviours=["inetaddr-bad-hex"]),
        "prefix-0b": Row("1.2.3.0b10", behaviours=["inetaddr-bad-hex"]),
        "five-parts": Row("3.4.5.6.7", behaviours=["inetaddr-five-parts"]),
        "five-parts-with-space": Row("3.4.5.6. 7", behaviours=["inetaddr-five-parts"]),
        "last-part-256": Row("127.127.127.256", behaviours=["inetaddr-part-overflow"]),
        "first-part-256": Row("256.1.1.1", behaviours=["inetaddr-part-overflow"]),
        "three-parts-17-bits": Row("1.2.65536", behaviours=["inetaddr-part-overflow"]),
        "two-parts-25-bits": Row("1.16777216", behaviours=["inetaddr-part-overflow"]),
        "leading-space": Row(" 3.4.5.6", behaviours=["inetaddr-leading-space"]),
        "leading-tab": Row("\t3.4.5.6", behaviours=["inetaddr-leading-space"]),
        "space-and-zero": Row(" 0", behaviours=["inetaddr-leading-space"]),
        "space-after-last-dot": Row("1.2.3. 4", behaviours=["inetaddr-inner-space-after-dot"]),
        "space-after-first-dot": Row("3. 4.5.6", behaviours=["inetaddr-inner-space-after-dot"]),
        "empty": Row("", behaviours=["inetaddr-space-only"]),
        "tab-only": Row("\t", behaviours=["inetaddr-space-only"]),
        "two-spaces": Row("  ", behaviours=["inetaddr-space-only"]),
        "leading-dot": Row(".1.2.3", behaviours=["inetaddr-misc-bad"]),
        "lone-dot": Row(".", behaviours=["inetaddr-misc-bad"]),
        "letter": Row("a", behaviours=["inetaddr-misc-bad"]),
        "letters-after-digits": Row("1234BEEF", behaviours=["inetaddr-misc-bad"]),
        "port": Row("127.127.127.255:123", behaviours=["inetaddr-misc-bad"]),
        "brackets": Row("[0.1.2.3]", behaviours=["inetaddr-misc-bad"]),
        "negative-part": Row("1.1.1.-2", behaviours=["inetaddr-misc-bad"]),
        "ipv6": Row("::1", behaviours=["inetaddr-misc-bad"]),
        "ipv6-that-starts-with-a-number": Row("2607:f0d0:1002:51::4", behaviours=["inetaddr-misc-bad"]),
    },
)
def inet_addr_refuses(ws: Target, text: str) -> None:
    """Text that is no address in any of the forms gives INADDR_NONE."""
    expect("s_addr", expected=f"{NONE:#010x}", actual=f"{ws.inet_addr(text):#010x}")


@case(
    "addresses.inet-addr.terminators",
    chapter=CHAPTER,
    source=OBSERVED_ADDR,
    basis="observed",
    requirements=["R4.124"],
    behaviours=["inetaddr-terminators"],
)
def only_white_space_ends_a_number(ws: Target) -> None:
    """Of all characters that are no digits, appended to "1.2.3", white space is accepted and nothing else."""
    answers = {c: ws.inet_addr(f"1.2.3{c}") for c in map(chr, range(1, 256)) if c not in string.digits}
    expect("accepted", expected=sorted(WHITE_SPACE), actual=sorted(c for c in answers if answers[c] != NONE))
    read = {answers[c] for c in answers if answers[c] != NONE}
    expect("read as", expected={s_addr("1.2.0.3")}, actual=read)


@case(
    "addresses.inet-addr.last-error-untouched-{row}",
    chapter=CHAPTER,
    source=OBSERVED_ADDR,
    basis="observed",
    requirements=["R4.124"],
    behaviours=["inetaddr-error-untouched"],
    rows={"good": Row("1.2.3.4"), "bad": Row("1.2.3.256"), "empty": Row(""), "one-space": Row(" ")},
)
def inet_addr_leaves_the_last_error(ws: Target, text: str) -> None:
    """No text, good or bad, changes the last error."""
    ws.WSASetLastError(SENTINEL)
    ws.inet_addr(text)
    expect("last error", expected=SENTINEL, actual=ws.WSAGetLastError())


@case(
    "addresses.inet-addr.null",
    chapter=CHAPTER,
    source=OBSERVED_ADDR,
    basis="observed",
    requirements=["R4.124"],
    behaviours=["inetaddr-null"],
)
def inet_addr_of_null(ws: Target) -> None:
    """A NULL pointer gives INADDR_NONE, and here the last error is set: WSAEFAULT."""
    ws.WSASetLastError(SENTINEL)
    expect("s_addr", expected=NONE, actual=ws.inet_addr(None))
    expect("last error", expected=WSAEFAULT, actual=ws.WSAGetLastError())


# ---- inet_ntoa -------------------------------------------------------------------------------------------------------


@case(
    "addresses.inet-ntoa.gives-back-{row}",
    chapter=CHAPTER,
    source=INET_NTOA,
    basis="documented",
    requirements=["R4.125"],
    behaviours=["inetntoa-basic"],
    rows={quad.replace(".", "-"): Row(quad) for quad in ("1.2.3.4", "0.0.0.0", "21.16.32.32", "192.168.1.254")},
)
def inet_ntoa_undoes_inet_addr(ws: Target, quad: str) -> None:
    """inet_ntoa writes what inet_addr has read."""
    expect("text", expected=quad, actual=ws.inet_ntoa(ws.inet_addr(quad)))


@case(
    "addresses.inet-ntoa.broadcast",
    chapter=CHAPTER,
    source=INET_NTOA,
    basis="documented",
    requirements=["R4.125"],
)
def inet_ntoa_writes_the_broadcast_address(ws: Target) -> None:
    """The address whose number is INADDR_NONE is written like any other."""
    expect("text", expected="255.255.255.255", actual=ws.inet_ntoa(NONE))


@case(
    "addresses.inet-ntoa.other-threads",
    chapter=CHAPTER,
    source=OBSERVED_NTOA,
    basis="observed",
    requirements=["R4.125"],
    behaviours=["inetntoa-per-thread"],
)
def inet_ntoa_of_another_thread_changes_nothing(ws: Target) -> None:
    """What a thread got stays as it is while another thread calls inet_ntoa."""
    with ws.thread() as other:
        text = ws.inet_ntoa(s_addr("1.2.3.4"))
        expect("text there", expected="4.3.2.1", actual=other.call(ws.inet_ntoa, s_addr("4.3.2.1")))
        expect("text here", expected="1.2.3.4", actual=text)


@case(
    "addresses.inet-ntoa.buffer-per-thread",
    chapter=CHAPTER,
    source=INET_NTOA,
    basis="documented",
    requirements=["R4.125"],
    behaviours=["inetntoa-per-thread"],
    needs_c=True,
)
def inet_ntoa_has_a_buffer_for_each_thread(ws: Target) -> None:
    """The string belongs to the library, one for each thread: another thread's call writes elsewhere."""
    with ws.thread() as other:
        here = ws.c.check("inet_ntoa", s_addr("1.2.3.4"))
        there = other.call(ws.c.check, "inet_ntoa", s_addr("4.3.2.1"))
        expect_true("two buffers", here != there, actual=(hex(here), hex(there)))
        strings = (ws.c.read(here, 8), ws.c.read(there, 8))
        expect("strings", expected=(b"1.2.3.4\0", b"4.3.2.1\0"), actual=strings)


# ---- inet_pton, IPv4 -------------------------------------------------------------------------------------------------


@case(
    "addresses.pton4.reads-{row}",
    chapter=CHAPTER,
    source=PTON,
    basis="documented",
    requirements=["R4.126"],
    behaviours=["pton4-strict"],
    rows={
        quad.replace(".", "-"): Row(quad)
        for quad in ("0.0.0.0", "1.2.3.4", "127.127.127.255", "255.255.255.255", "10.200.30.9")
    },
)
def pton_reads_a_quad(ws: Target, quad: str) -> None:
    """Four decimal parts are read into four bytes, and nothing behind those is written."""
    for name, pton in both_pton(ws).items():
        buffer = bytearray(UNTOUCHED * 8)
        expect(name, expected=1, actual=pton(AF_INET, quad, buffer))
        expect("buffer", expected=IPv4Address(quad).packed + UNTOUCHED * 4, actual=bytes(buffer))


def bad_quad(text: str, left: str | None = None) -> Row:
    """A row: text that is refused, and the address it leaves in the buffer."""
    behaviour = "pton4-no-write" if left is None else "pton4-partial-write"
    return Row(text, left, behaviours=["pton4-strict", behaviour])


@case(
    "addresses.pton4.refuses-{row}",
    chapter=CHAPTER,
    source=OBSERVED_PTON,
    basis="observed",
    requirements=["R4.126"],
    rows={
        "one-part": bad_quad("1"),
        "one-part-of-32-bits": bad_quad("203569230"),
        "two-parts": bad_quad("1.2"),
        "three-parts": bad_quad("1.2.3"),
        "five-parts": bad_quad("3.4.5.6.7"),
        "last-part-256": bad_quad("255.255.255.256"),
        "first-part-756": bad_quad("756.3.4.1"),
        "hex": bad_quad("0x00010203"),
        "hex-last-part": bad_quad("1.1.1.0xaA"),
        "hex-without-digits": bad_quad("1.1.1.0x"),
        "octal": bad_quad("017700000001"),
        "octal-last-part": bad_quad("1.1.1.010"),
        "two-zeros": bad_quad("1.1.1.00"),
        "negative-part": bad_quad("1.1.1.-2"),
        "leading-space": bad_quad(" 3.4.5.6"),
        "leading-tab": bad_quad("\t3.4.5.6"),
        "inner-space": bad_quad("3. 4.5.6"),
        "brackets": bad_quad("[0.1.2.3]"),
        "letter": bad_quad("a"),
        "empty": bad_quad(""),
        "ipv6": bad_quad("::1"),
        "trailing-space": bad_quad("3.4.5.6 ", left="3.4.5.6"),
        "port": bad_quad("127.127.127.255:123", left="127.127.127.255"),
        "hex-digit-without-prefix": bad_quad("1.1.1.0a", left="1.1.1.0"),
        "prefix-0o": bad_quad("1.1.1.0o10", left="1.1.1.0"),
        "prefix-0b": bad_quad("1.1.1.0b10", left="1.1.1.0"),
    },
)
def pton_refuses_other_ipv4_text(ws: Target, text: str, left: str | None) -> None:
    """Anything but a decimal quad gives 0; the buffer is written only when the text goes wrong behind a quad."""
    packed = UNTOUCHED * 4 if left is None else IPv4Address(left).packed
    for name, pton in both_pton(ws).items():
        buffer = bytearray(UNTOUCHED * 4)
        expect(name, expected=0, actual=pton(AF_INET, text, buffer))
        expect("buffer", expected=packed, actual=bytes(buffer))


# ---- inet_pton, IPv6 -------------------------------------------------------------------------------------------------


def reads6(text: str, behaviour: str, address: str | None = None) -> Row:
    """A row: IPv6 text, and its meaning where Python's ipaddress does not read the text itself."""
    return Row(text, address or text, behaviours=[behaviour])


@case(
    "addresses.pton6.reads-{row}",
    chapter=CHAPTER,
    source=f"{PTON}; winsock/text-representation-of-ipv6-addresses-2",
    basis="documented",
    requirements=["R4.126", "R4.127"],
    rows={
        "eight-groups": reads6("1:2:3:4:5:6:7:8", "pton6-full"),
        "leading-zeros": reads6("0000:0000:0000:0000:0000:0000:0000:0001", "pton6-full"),
        "capitals": reads6("2001:0000:1234:0000:0000:C1C0:ABCD:0876", "pton6-full"),
        "small-letters": reads6("1080:0:0:0:8:800:200c:417a", "pton6-full"),
        "all-ones": reads6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "pton6-full"),
        "double-colon-only": reads6("::", "pton6-compress"),
        "double-colon-first": reads6("::1", "pton6-compress"),
        "double-colon-middle": reads6("2001:db8:85a3::8a2e:370:7334", "pton6-compress"),
        "double-colon-last": reads6("1111::", "pton6-compress"),
        "double-colon-for-two": reads6("1111:2222:3333:4444:5555:6666::", "pton6-compress"),
        "middle-double-colon-for-one": reads6("1111::3333:4444:5555:6666:7777:8888", "pton6-compress"),
        "quad": reads6("0:0:0:0:0:FFFF:129.144.52.38", "pton6-embedded-v4"),
        "quad-after-double-colon": reads6("::13.1.68.3", "pton6-embedded-v4"),
        "quad-after-group-and-double-colon": reads6("1::1.2.3.4", "pton6-embedded-v4"),
        "quad-after-six-groups": reads6("1:2:3:4:5:6:1.2.3.4", "pton6-embedded-v4"),
    },
)
def pton_reads_ipv6_text(ws: Target, text: str, address: str) -> None:
    """Eight groups, fewer with one "::", the last 32 bits perhaps as a quad, are read into 16 bytes."""
    for name, pton in both_pton(ws).items():
        buffer = bytearray(UNTOUCHED * 20)
        expect(name, expected=1, actual=pton(AF_INET6, text, buffer))
        expect("buffer", expected=IPv6Address(address).packed + UNTOUCHED * 4, actual=bytes(buffer))


@case(
    "addresses.pton6.reads-also-{row}",
    chapter=CHAPTER,
    source=OBSERVED_PTON,
    basis="observed",
    requirements=["R4.127"],
    rows={
        "last-double-colon-for-one": reads6("0:a:b:c:d:e:f::", "pton6-double-colon-one-group"),
        "zeros-in-front-of-quad-part": reads6("1::001.2.3.4", "pton6-embedded-v4-leading-zero", "1::1.2.3.4"),
        "zeros-in-front-of-next-part": reads6("1::1.002.3.4", "pton6-embedded-v4-leading-zero", "1::1.2.3.4"),
    },
)
def pton_reads_more_than_the_page_says(ws: Target, text: str, address: str) -> None:
    """A "::" may stand for a single group, and the parts of an embedded quad may have zeros in front."""
    for name, pton in both_pton(ws).items():
        buffer = bytearray(UNTOUCHED * 16)
        expect(name, expected=1, actual=pton(AF_INET6, text, buffer))
        expect("buffer", expected=IPv6Address(address).packed, actual=bytes(buffer))


@case(
    "addresses.pton6.leading-double-colon-for-one-{row}",
    chapter=CHAPTER,
    source=OBSERVED_PTON,
    basis="observed",
    requirements=["R4.127"],
    behaviours=["pton6-double-colon-one-group"],
    rows={"zeros": Row("::0:0:0:0:0:0:0"), "letters": Row("::0:a:b:c:d:e:f")},
)
def pton_reads_a_leading_double_colon_for_one_group(ws: Target, text: str) -> None:
    """A "::" in front of seven groups is one zero group; some older Windows refuse it."""
    results = {}
    for name, pton in both_pton(ws).items():
        buffer = bytearray(16)
        results[name] = pton(AF_INET6, text, buffer)
        if results[name] == 1:
            expect("buffer", expected=IPv6Address(text).packed, actual=bytes(buffer))
    variant(
        "results",
        expected=(1, 1),
        allowed={(0, 0): "some versions before Windows 11"},
        actual=(results["inet_pton"], results["InetPtonW"]),
    )


def bad6(text: str, left: str, behaviour: str) -> Row:
    """A row: refused text, and the bytes in hex that it leaves at the start of the buffer."""
    return Row(text, bytes.fromhex(left), behaviours=[behaviour])


@case(
    "addresses.pton6.refuses-{row}",
    chapter=CHAPTER,
    source=OBSERVED_PTON,
    basis="observed",
    requirements=["R4.126"],
    rows={
        "hex-prefix": bad6("1111:2222:3333:4444:0x5555:6666:7777:8888", "1111 2222 3333 4444", "pton6-hex-prefix"),
        "hex-prefix-last": bad6(
            "1111:2222:3333:4444:5555::0x88", "1111 2222 3333 4444 5555 0000 0000 0088", "pton6-hex-prefix"
        ),
        "hex-prefix-alone": bad6("0x1111", "", "pton6-hex-prefix"),
        "five-digits-first": bad6("12345::6:7:8", "", "pton6-five-digits"),
        "five-digits-with-zero": bad6("2001:00000:1234:0000:0000:C1C0:ABCD:0876", "2001", "pton6-five-digits"),
        "five-digits-last": bad6("1111:2222:3333:4444:5555::08888", "1111 2222 3333 4444 5555", "pton6-five-digits"),
        "scope": bad6("::%16", "0000 0000 0000 0000 0000 0000 0000 0000", "pton6-scope-prefix"),
        "prefix-length": bad6("::/16", "0000 0000 0000 0000 0000 0000 0000 0000", "pton6-scope-prefix"),
        "two-double-colons": bad6("1::2::3", "0001 0000 0000 0000 0000 0000 0000 0002", "pton6-two-compressions"),
        "three-colons": bad6("1111:2222:::", "1111 2222 0000 0000 0000 0000 0000 0000", "pton6-two-compressions"),
        "nine-groups": bad6(
            "1111:2222:3333:4444:5555:6666:7777:8888:9999",
            "1111 2222 3333 4444 5555 6666 7777 8888",
            "pton6-too-many-groups",
        ),
        "trailing-colon": bad6(
            "1111:2222:3333:4444:5555:6666:7777:8888:",
            "1111 2222 3333 4444 5555 6666 7777 8888",
            "pton6-too-many-groups",
        ),
        "three-groups": bad6("1111:2222:3333", "1111 2222", "pton6-too-few-groups"),
        "two-groups-and-colon": bad6("1111:2222:", "1111 2222", "pton6-too-few-groups"),
        "two-groups-and-quad": bad6("1111:2222:1.2.3.4", "1111 2222 0102 03", "pton6-too-few-groups"),
        "quad-alone": bad6("1.2.3.4", "0102 03", "pton6-v4-only"),
        "quad-after-seven-groups": bad6(
            "1111:2222:3333:4444:5555:6666:7777:1.2.3.4",
            "1111 2222 3333 4444 5555 6666 7777 0001",
            "pton6-v4-too-late",
        ),
        "quad-after-six-groups-and-double-colon": bad6(
            "1111:2222:3333:4444:5555:6666::1.2.3.4",
            "1111 2222 3333 4444 5555 6666 0000 0001",
            "pton6-v4-too-late",
        ),
    },
)
def pton_refuses_ipv6_text(ws: Target, text: str, left: bytes) -> None:
    """Bad IPv6 text gives 0; the buffer has the groups that were read before the fault, and is untouched behind."""
    for name, pton in both_pton(ws).items():
        buffer = bytearray(UNTOUCHED * 16)
        expect(name, expected=0, actual=pton(AF_INET6, text, buffer))
        expect("buffer", expected=left.ljust(16, UNTOUCHED).hex(), actual=buffer.hex())


# ---- inet_pton, errors -----------------------------------------------------------------------------------------------


@case(
    "addresses.pton.last-error-{row}",
    chapter=CHAPTER,
    source=OBSERVED_PTON,
    basis="observed",
    requirements=["R4.126"],
    rows={
        "ipv4": Row("inet_pton", AF_INET, "1.2.3", SENTINEL, behaviours=["pton4-error-untouched"]),
        "ipv4-wide": Row("InetPtonW", AF_INET, "1.2.3", WSAEINVAL, behaviours=["pton4-w-einval"]),
        "ipv4-port-wide": Row("InetPtonW", AF_INET, "1.2.3.4:5", WSAEINVAL, behaviours=["pton4-w-einval"]),
        "ipv6": Row("inet_pton", AF_INET6, "1:2", SENTINEL, behaviours=["pton6-error-untouched"]),
        "ipv6-wide": Row("InetPtonW", AF_INET6, "1:2", WSAEINVAL, behaviours=["pton6-error-untouched"]),
    },
)
def bad_text_and_the_last_error(ws: Target, call: str, family: int, text: str, code: int) -> None:
    """Bad text leaves the last error alone in inet_pton, and sets WSAEINVAL in InetPtonW."""
    ws.WSASetLastError(SENTINEL)
    expect(call, expected=0, actual=both_pton(ws)[call](family, text, bytearray(16)))
    expect("last error", expected=code, actual=ws.WSAGetLastError())


@case(
    "addresses.pton.null-text-{row}",
    chapter=CHAPTER,
    source=OBSERVED_PTON,
    basis="observed",
    requirements=["R4.126"],
    behaviours=["pton-null"],
    rows={"ipv4": Row(AF_INET), "no-family": Row(AF_UNSPEC)},
)
def null_text_is_a_fault_whatever_the_family(ws: Target, family: int) -> None:
    """NULL text is WSAEFAULT, also with a family that is none: the pointer is looked at first."""
    for name, pton in both_pton(ws).items():
        with fails_with(WSAEFAULT, name):
            pton(family, None, bytearray(16))


@case("addresses.pton.null-buffer", chapter=CHAPTER, source=PTON, basis="documented", requirements=["R4.126"])
def null_buffer_is_a_fault(ws: Target) -> None:
    """A NULL buffer is WSAEFAULT."""
    for name, pton in both_pton(ws).items():
        with fails_with(WSAEFAULT, name):
            pton(AF_INET, "1.2.3.4", None)


@case(
    "addresses.pton.other-family-{row}",
    chapter=CHAPTER,
    source=PTON,
    basis="documented",
    requirements=["R4.126"],
    behaviours=["pton-bad-family"],
    rows={
        "unspecified": Row(AF_UNSPEC, "127.0.0.1"),
        "unspecified-ipv6": Row(AF_UNSPEC, "2607:f0d0:1002:51::4"),
        "unix": Row(AF_UNIX, "127.0.0.1"),
    },
)
def other_families_have_no_text(ws: Target, family: int, text: str) -> None:
    """A family other than AF_INET and AF_INET6 is WSAEAFNOSUPPORT."""
    for name, pton in both_pton(ws).items():
        with fails_with(WSAEAFNOSUPPORT, name):
            pton(family, text, bytearray(16))


# ---- inet_ntop -------------------------------------------------------------------------------------------------------


@case(
    "addresses.ntop4.writes-{row}",
    chapter=CHAPTER,
    source=NTOP,
    basis="documented",
    requirements=["R4.126"],
    behaviours=["ntop4-basic"],
    rows={
        "room-16": Row("21.16.32.32", 16),
        "more-room": Row("21.16.32.32", 17),
        "longest": Row("204.152.189.116", 16),
        "zero": Row("0.0.0.0", 16),
        "exact-room": Row("21.16.32.32", 12),
    },
)
def ntop_writes_a_quad(ws: Target, quad: str, size: int) -> None:
    """inet_ntop writes the text that inet_ntoa writes; 16 characters are room enough for all of them."""
    for name, ntop in both_ntop(ws).items():
        expect(name, expected=quad, actual=ntop(AF_INET, IPv4Address(quad).packed, size))
    expect("inet_ntoa", expected=quad, actual=ws.inet_ntoa(s_addr(quad)))


def writes6(groups: str, text: str, behaviour: str = "") -> Row:
    """A row: eight groups in hexadecimal, and their text; observed where a behaviour has it, else as the page says."""
    packed = b"".join(int(group, 16).to_bytes(2, "big") for group in groups.split())
    if behaviour:
        return Row(packed, text, behaviours=[behaviour], basis="observed", source=OBSERVED_NTOP)
    return Row(packed, text)


@case(
    "addresses.ntop6.writes-{row}",
    chapter=CHAPTER,
    source="winsock/text-representation-of-ipv6-addresses-2",
    basis="documented",
    requirements=["R4.127"],
    rows={
        "zeros-in-front": writes6("0 0 0 0 0 fffe cc98 bd74", "::fffe:cc98:bd74", "ntop6-zero-prefix"),
        "zeros-behind": writes6("2030 a4b1 0 0 0 0 0 0", "2030:a4b1::", "ntop6-zero-suffix"),
        "compatible": writes6("0 0 0 0 0 0 cc98 bd74", "::204.152.189.116", "ntop6-v4-compatible"),
        "mapped": writes6("0 0 0 0 0 ffff 8190 3426", "::ffff:129.144.52.38"),
        "all-zero": writes6("0 0 0 0 0 0 0 0", "::"),
        "loopback": writes6("0 0 0 0 0 0 0 1", "::1"),
        "lower-case": writes6("FF01 0 0 0 0 0 0 10AB", "ff01::10ab"),
        "longest-run": writes6("1 0 0 4 0 0 0 8", "1:0:0:4::8"),
        "no-zeros": writes6("2001 db8 1 2 3 4 5 6", "2001:db8:1:2:3:4:5:6"),
    },
)
def ntop_writes_ipv6_text(ws: Target, packed: bytes, text: str) -> None:
    """IPv6 text is in lower case, with the longest run of zero groups as "::" and IPv4 tails as quads."""
    for name, ntop in both_ntop(ws).items():
        expect(name, expected=text, actual=ntop(AF_INET6, packed, 46))


@case(
    "addresses.ntop6.one-more-than-needed",
    chapter=CHAPTER,
    source=OBSERVED_NTOP,
    basis="observed",
    requirements=["R4.126"],
    behaviours=["ntop6-long-len"],
)
def ntop_needs_room_for_the_text_alone(ws: Target) -> None:
    """A text of 17 characters needs no more than them and its NUL: 18."""
    for name, ntop in both_ntop(ws).items():
        expect(name, expected="::204.152.189.116", actual=ntop(AF_INET6, bytes(12) + b"\xcc\x98\xbd\x74", 18))


@case(
    "addresses.ntop.too-little-room-{row}",
    chapter=CHAPTER,
    source=OBSERVED_NTOP,
    basis="observed",
    requirements=["R4.126"],
    rows={
        "ipv4-none": Row(AF_INET, b"\x15\x10\x20\x20", 0, behaviours=["ntop-zero-len"]),
        "ipv4-half": Row(AF_INET, b"\x15\x10\x20\x20", 6, behaviours=["ntop-short"]),
        "ipv4-without-nul": Row(AF_INET, b"\x15\x10\x20\x20", 11, behaviours=["ntop-short"]),
        "ipv6-none": Row(AF_INET6, bytes(16), 0, behaviours=["ntop-zero-len"]),
        "ipv6-short": Row(AF_INET6, bytes(12) + b"\xcc\x98\xbd\x74", 16, behaviours=["ntop-short"]),
    },
)
def ntop_without_room(ws: Target, family: int, packed: bytes, size: int) -> None:
    """Too little room for inet_ntop fails; the last error is the NT status behind ERROR_INVALID_PARAMETER."""
    with fails_with(STATUS_INVALID_PARAMETER, variants={WSAEINVAL: "Windows 7"}):
        ws.inet_ntop(family, packed, size)


@case(
    "addresses.ntop.too-little-wide-room-{row}",
    chapter=CHAPTER,
    source=NTOP,
    basis="documented",
    requirements=["R4.126"],
    rows={
        "ipv4-none": Row(AF_INET, b"\x15\x10\x20\x20", 0),
        "ipv4-half": Row(AF_INET, b"\x15\x10\x20\x20", 6),
        "ipv4-without-nul": Row(AF_INET, b"\x15\x10\x20\x20", 11),
        "ipv6-none": Row(AF_INET6, bytes(16), 0),
        "ipv6-short": Row(AF_INET6, bytes(12) + b"\xcc\x98\xbd\x74", 16),
    },
)
def wide_ntop_without_room(ws: Target, family: int, packed: bytes, size: int) -> None:
    """Too little room for InetNtopW is ERROR_INVALID_PARAMETER."""
    with fails_with(ERROR_INVALID_PARAMETER, variants=AS_NTOP):
        ws.InetNtopW(family, packed, size)


@case(
    "addresses.ntop.null-buffer-{row}",
    chapter=CHAPTER,
    source=OBSERVED_NTOP,
    basis="observed",
    requirements=["R4.126"],
    needs_c=True,
    rows={
        "ipv4": Row("inet_ntop", AF_INET, behaviours=["ntop-null-dest"]),
        "ipv4-wide": Row("InetNtopW", AF_INET, basis="documented", source=NTOP),
        "ipv6": Row("inet_ntop", AF_INET6, behaviours=["ntop-null-dest"]),
        "ipv6-wide": Row("InetNtopW", AF_INET6, basis="documented", source=NTOP),
    },
)
def ntop_into_null(ws: Target, call: str, family: int) -> None:
    """A NULL buffer fails as too little room does, whatever length is claimed."""
    packed = ws.c.new(16)
    code, others = STATUS_INVALID_PARAMETER, {WSAEINVAL: "Windows 7"}
    if call == "InetNtopW":
        code, others = ERROR_INVALID_PARAMETER, AS_NTOP
    with fails_with(code, call, variants=others):
        ws.c.check(call, family, packed.address, 0, 64)


@case(
    "addresses.ntop.other-family-{row}",
    chapter=CHAPTER,
    source=NTOP,
    basis="documented",
    requirements=["R4.126"],
    behaviours=["ntop-bad-family"],
    rows={"unix": Row(AF_UNIX), "unspecified": Row(AF_UNSPEC)},
)
def ntop_of_another_family(ws: Target, family: int) -> None:
    """A family other than AF_INET and AF_INET6 is WSAEAFNOSUPPORT."""
    for name, ntop in both_ntop(ws).items():
        with fails_with(WSAEAFNOSUPPORT, name):
            ntop(family, bytes(16), 64)


# ---- WSAAddressToString ----------------------------------------------------------------------------------------------


@case(
    "addresses.to-string.writes-{row}",
    chapter=CHAPTER,
    source=OBSERVED_TO_STRING,
    basis="observed",
    requirements=["R4.123"],
    both_forms=True,
    rows={
        "ipv4": Row(sockaddr_in("0.0.0.0"), "0.0.0.0"),
        "ipv4-high": Row(sockaddr_in("255.255.255.255"), "255.255.255.255"),
        "ipv4-port": Row(sockaddr_in("0.0.0.0", 65535), "0.0.0.0:65535"),
        "ipv4-high-port": Row(sockaddr_in("255.255.255.255", 65535), "255.255.255.255:65535"),
        "ipv6-loopback": Row(sockaddr_in6("::1"), "::1"),
        "ipv6": Row(sockaddr_in6("20ab::1"), "20ab::1"),
        "ipv6-port": Row(sockaddr_in6("20ab::2001", 33274), "[20ab::2001]:33274"),
        "ipv6-scope": Row(sockaddr_in6("20ab::2001", 0, 0, 0x1234), "20ab::2001%4660"),
        "ipv6-scope-and-port": Row(sockaddr_in6("20ab::2001", 33274, 0, 0x1234), "[20ab::2001%4660]:33274"),
    },
)
def address_is_written(ws: Target, address: bytes, text: str) -> None:
    """The text of an address has its port unless that is 0, and with a port IPv6 stands in brackets."""
    expect("text", expected=text, actual=ws.WSAAddressToString(address))


@case(
    "addresses.to-string.room-{row}",
    chapter=CHAPTER,
    source=TO_STRING,
    basis="documented",
    requirements=["R4.123", "B53"],
    both_forms=True,
    rows={
        "none": Row(sockaddr_in("0.0.0.0"), 0, 8),
        "without-nul": Row(sockaddr_in("0.0.0.0"), 7, 8),
        "ipv6-port": Row(sockaddr_in6("20ab::2001", 33274), 18, 19),
    },
)
def too_little_room_for_text(ws: Target, address: bytes, room: int, needed: int) -> None:
    """Too little room is WSAEFAULT, and the length becomes the characters needed, NUL included; these are enough."""
    with fails_with(WSAEFAULT) as caught:
        ws.WSAAddressToString(address, None, room)
    expect("characters needed", expected=needed, actual=caught.needed)
    expect("length of the text", expected=needed - 1, actual=len(ws.WSAAddressToString(address, None, needed)))


@case(
    "addresses.to-string.refuses-{row}",
    chapter=CHAPTER,
    source=TO_STRING,
    basis="documented",
    requirements=["R4.123", "B53"],
    both_forms=True,
    rows={
        "null": Row(None),
        "empty": Row(b""),
        "short-ipv4": Row(sockaddr_in("1.2.3.4")[:12]),
        "short-ipv6": Row(sockaddr_in6("::1")[:24]),
        "no-family": Row(bytes(SIZE_IN)),
        "family-without-provider": Row(AF_IPX.to_bytes(2, "little") + bytes(14)),
    },
)
def what_is_no_address_has_no_text(ws: Target, address: bytes | None) -> None:
    """No address, a short one, or one of a family that no provider has, is WSAEINVAL."""
    with fails_with(WSAEINVAL):
        ws.WSAAddressToString(address)


@case(
    "addresses.to-string.c-null-length-{row}",
    chapter=CHAPTER,
    source=TO_STRING,
    basis="documented",
    requirements=["R4.123", "B53"],
    needs_c=True,
    rows={"ansi": Row("WSAAddressToStringA"), "wide": Row("WSAAddressToStringW")},
)
def length_pointer_is_required(ws: Target, call: str) -> None:
    """A NULL length pointer is WSAEINVAL."""
    address, text = ws.c.new(sockaddr_in("1.2.3.4")), ws.c.new(64)
    with fails_with(WSAEINVAL):
        ws.c.check(call, address.address, SIZE_IN, 0, text.address, 0)


@case(
    "addresses.to-string.c-size-query-{row}",
    chapter=CHAPTER,
    source=OBSERVED_TO_STRING,
    basis="observed",
    requirements=["R4.123"],
    needs_c=True,
    rows={"ansi": Row("WSAAddressToStringA"), "wide": Row("WSAAddressToStringW")},
)
def null_text_with_length_0_asks_for_the_size(ws: Target, call: str) -> None:
    """With no buffer and a length of 0 the length becomes what the text needs."""
    address, length = ws.c.new(sockaddr_in("0.0.0.0")), ws.c.new(4)
    with fails_with(WSAEFAULT):
        ws.c.check(call, address.address, SIZE_IN, 0, 0, length.address)
    expect("characters needed", expected=8, actual=length.number())


@case(
    "addresses.to-string.of-a-protocol",
    chapter=CHAPTER,
    source=TO_STRING,
    basis="documented",
    requirements=["R3.38"],
    both_forms=True,
)
def protocol_names_the_provider_that_writes(ws: Target) -> None:
    """With the record of a TCP protocol its provider writes the address."""
    info = next(info for info in ws.WSAEnumProtocols([IPPROTO_TCP]) if info.address_family == AF_INET)
    expect("text", expected="1.2.3.4:5", actual=ws.WSAAddressToString(sockaddr_in("1.2.3.4", 5), info))


# ---- WSAStringToAddress ----------------------------------------------------------------------------------------------


@case(
    "addresses.from-string.reads-{row}",
    chapter=CHAPTER,
    source=FROM_STRING,
    basis="documented",
    requirements=["R4.121"],
    both_forms=True,
    rows={
        "ipv4": Row("127.127.127.127", sockaddr_in("127.127.127.127")),
        "ipv4-zero": Row("0.0.0.0", sockaddr_in("0.0.0.0")),
        "ipv4-high": Row("255.255.255.255", sockaddr_in("255.255.255.255")),
        "ipv4-port": Row("127.127.127.127:123", sockaddr_in("127.127.127.127", 123)),
        "ipv4-highest-port": Row("127.127.127.127:65535", sockaddr_in("127.127.127.127", 65535)),
        "ipv6": Row("2001::1", sockaddr_in6("2001::1")),
        "ipv6-brackets": Row("[::1]", sockaddr_in6("::1")),
        "ipv6-port": Row("[::1]:65535", sockaddr_in6("::1", 65535)),
        "ipv6-scope": Row("fe80::1%16", sockaddr_in6("fe80::1", 0, 0, 16)),
        "ipv6-scope-and-port": Row("[ff01::417A%16]:8080", sockaddr_in6("ff01::417a", 8080, 0, 16)),
    },
)
def text_becomes_an_address(ws: Target, text: str, address: bytes) -> None:
    """Text with or without a port becomes a whole address of its family; a missing port is 0."""
    family = AF_INET if len(address) == SIZE_IN else AF_INET6
    expect("address", expected=address, actual=ws.WSAStringToAddress(text, family))


@case(
    "addresses.from-string.reads-also-{row}",
    chapter=CHAPTER,
    source=OBSERVED_FROM_STRING,
    basis="observed",
    requirements=["R4.121"],
    both_forms=True,
    rows={
        "one-part": Row("1", "0.0.0.1", 0),
        "one-part-with-port": Row("1:1", "0.0.0.1", 1),
        "two-parts-with-port": Row("1.2:1", "1.0.0.2", 1),
        "three-parts": Row("1.2.3", "1.2.0.3", 0),
        "hex": Row("0x00010203", "0.1.2.3", 0),
        "hex-cut-to-32-bits": Row("0x123456789", "35.69.103.137", 0),
        "hex-last-part": Row("1.1.1.0xaA", "1.1.1.170", 0),
        "octal": Row("017700000001", "127.0.0.1", 0),
        "octal-with-port": Row("0777:10", "0.0.1.255", 10),
        "hex-port": Row("127.127.127.127:0xAbCd", "127.127.127.127", 43981),
        "octal-port": Row("127.127.127.127:010", "127.127.127.127", 8),
    },
)
def text_is_read_as_leniently_as_by_inet_addr(ws: Target, text: str, host: str, port: int) -> None:
    """IPv4 text may have any of inet_addr's forms, and the port may be octal or hexadecimal too."""
    expect("address", expected=sockaddr_in(host, port), actual=ws.WSAStringToAddress(text, AF_INET))


@case(
    "addresses.from-string.refuses-{row}",
    chapter=CHAPTER,
    source=OBSERVED_FROM_STRING,
    basis="observed",
    requirements=["R4.121"],
    both_forms=True,
    rows={
        "empty": Row("", "0.0.0.0"),
        "one-space": Row(" ", "0.0.0.0"),
        "letter": Row("a", "0.0.0.0"),
        "last-part-256": Row("255.255.255.256", "0.0.0.0"),
        "five-parts": Row("3.4.5.6.7", "0.0.0.0"),
        "leading-space": Row(" 3.4.5.6", "0.0.0.0"),
        "brackets": Row("[0.1.2.3]", "0.0.0.0"),
        "ipv6": Row("::1", "0.0.0.0"),
        "ipv6-that-starts-with-a-number": Row("2001::1", "0.0.7.209"),
        "trailing-space": Row("3.4.5.6 ", "3.4.5.6"),
        "space-after-port": Row("3.4.5.6:7 ", "3.4.5.6"),
        "space-before-port": Row("3.4.5.6: 7", "3.4.5.6"),
        "empty-port": Row("127.127.127.127:", "127.127.127.127"),
        "port-0": Row("127.127.127.127:0", "127.127.127.127"),
        "port-of-17-bits": Row("127.127.127.127:65537", "127.127.127.127"),
        "hex-port-without-digits": Row("127.127.127.127:0x", "127.127.127.127"),
        "octal-port-with-8": Row("127.127.127.127:08", "127.127.127.127"),
        "two-colons": Row("127.127.127.127::1", "127.127.127.127"),
        "letters-after-digits": Row("1234BEEF", "0.0.4.210"),
        "octal-with-8": Row("1.1.1.008", "1.1.1.0"),
    },
)
def bad_ipv4_text_is_invalid(ws: Target, text: str, read: str) -> None:
    """Bad text is WSAEINVAL; in the structure family and port are 0 and the address is as much as was read."""
    with fails_with(WSAEINVAL) as caught:
        ws.WSAStringToAddress(text, AF_INET)
    left = caught.address or b""
    expect("family, port and address", expected=bytes(4) + IPv4Address(read).packed, actual=left[:8])


@case(
    "addresses.from-string.refuses-ipv6-{row}",
    chapter=CHAPTER,
    source=OBSERVED_FROM_STRING,
    basis="observed",
    requirements=["R4.121"],
    both_forms=True,
    rows={
        "empty": Row("", "::"),
        "three-groups": Row("1:2:3:", "1:2:3::"),
        "ipv4": Row("1.2.3.4", "102:300::"),
        "no-opening-bracket": Row("::1]:65535", "::1"),
    },
)
def bad_ipv6_text_is_invalid(ws: Target, text: str, read: str) -> None:
    """Bad text is WSAEINVAL; in the structure everything is 0 but the groups that were read."""
    with fails_with(WSAEINVAL) as caught:
        ws.WSAStringToAddress(text, AF_INET6)
    expect("structure", expected=bytes(8) + IPv6Address(read).packed + bytes(4), actual=caught.address)


@case(
    "addresses.from-string.refusal-keeps-the-length-{row}",
    chapter=CHAPTER,
    source=OBSERVED_FROM_STRING,
    basis="observed",
    requirements=["R4.121", "R16.18"],
    needs_c=True,
    rows={"ansi": Row("WSAStringToAddressA", b"a\0"), "wide": Row("WSAStringToAddressW", b"a\0\0\0")},
)
def bad_text_keeps_the_length(ws: Target, call: str, text: bytes) -> None:
    """After bad text the length is still the caller's room; after good text it is the address's size."""
    room, length = ws.c.new(SIZE_IN + 10), ws.c.new((SIZE_IN + 10).to_bytes(4, "little"))
    with fails_with(WSAEINVAL):
        ws.c.check(call, ws.c.new(text).address, AF_INET, 0, room.address, length.address)
    expect("length after bad text", expected=SIZE_IN + 10, actual=length.number())
    good = ws.c.new(text.replace(b"a", b"1"))
    ws.c.check(call, good.address, AF_INET, 0, room.address, length.address)
    expect("length after good text", expected=SIZE_IN, actual=length.number())


@case(
    "addresses.from-string.room-{row}",
    chapter=CHAPTER,
    source=FROM_STRING,
    basis="documented",
    requirements=["R4.121", "B53"],
    both_forms=True,
    rows={
        "none": Row("1.2.3.4", AF_INET, 0, SIZE_IN),
        "ipv4": Row("1.2.3.4", AF_INET, SIZE_IN - 1, SIZE_IN),
        "ipv6": Row("::1", AF_INET6, SIZE_IN6 - 1, SIZE_IN6),
    },
)
def too_little_room_for_the_address(ws: Target, text: str, family: int, room: int, needed: int) -> None:
    """Too little room is WSAEFAULT, and the length becomes the bytes needed; these are enough."""
    with fails_with(WSAEFAULT) as caught:
        ws.WSAStringToAddress(text, family, None, room)
    expect("bytes needed", expected=needed, actual=caught.needed)
    expect("size of the address", expected=needed, actual=len(ws.WSAStringToAddress(text, family, None, needed)))


@case(
    "addresses.from-string.room-before-text",
    chapter=CHAPTER,
    source=OBSERVED_FROM_STRING,
    basis="observed",
    requirements=["B53"],
    both_forms=True,
)
def room_is_looked_at_before_the_text(ws: Target) -> None:
    """Empty text with no room at all is WSAEFAULT: the room comes first."""
    with fails_with(WSAEFAULT):
        ws.WSAStringToAddress("", AF_INET, None, 0)


@case(
    "addresses.from-string.family-without-provider",
    chapter=CHAPTER,
    source=FROM_STRING,
    basis="documented",
    requirements=["R4.122"],
    both_forms=True,
)
def text_of_a_family_nobody_has(ws: Target) -> None:
    """A family that no provider has is WSAEINVAL."""
    with fails_with(WSAEINVAL, variants={WSAEAFNOSUPPORT: "some releases"}):
        ws.WSAStringToAddress("1.2.3.4", AF_IPX)


@case(
    "addresses.from-string.null",
    chapter=CHAPTER,
    source="Microsoft's DLL, requirement B53",
    basis="choice",
    requirements=["B53"],
    both_forms=True,
)
def null_text(ws: Target) -> None:
    """NULL text is WSAEFAULT."""
    with fails_with(WSAEFAULT, variants={WSAEINVAL: "the page of the sister function"}):
        ws.WSAStringToAddress(None, AF_INET)


@case(
    "addresses.from-string.of-a-protocol",
    chapter=CHAPTER,
    source=FROM_STRING,
    basis="documented",
    requirements=["R3.38"],
    both_forms=True,
)
def protocol_names_the_provider_that_reads(ws: Target) -> None:
    """With the record of a TCP protocol its provider reads the text."""
    info = next(info for info in ws.WSAEnumProtocols([IPPROTO_TCP]) if info.address_family == AF_INET)
    address = ws.WSAStringToAddress("1.2.3.4:5", AF_INET, info)
    expect("address", expected=sockaddr_in("1.2.3.4", 5), actual=address)


@case(
    "addresses.round-trip.{row}",
    chapter=CHAPTER,
    source=f"{TO_STRING}; {FROM_STRING}",
    basis="documented",
    requirements=["R4.121", "R4.123", "A77", "A78"],
    both_forms=True,
    rows={"ipv4": Row(AF_INET), "ipv6": Row(AF_INET6)},
)
def address_of_a_socket_survives_as_text(ws: Target, family: int) -> None:
    """The local address of a bound socket, written as text and read again, is the same bytes."""
    with ws.listener(family=family) as s:
        address = ws.getsockname(s)
    text = ws.WSAAddressToString(address)
    expect("address", expected=address, actual=ws.WSAStringToAddress(text, family))


# ---- byte order ------------------------------------------------------------------------------------------------------


@case(
    "addresses.byte-order.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-htonl and its sisters",
    basis="documented",
    rows={
        "htonl": Row("htonl", 0x01020304, 0x04030201),
        "ntohl": Row("ntohl", 0x04030201, 0x01020304),
        "htonl-high-bit": Row("htonl", 0xFF, 0xFF000000),
        "htons": Row("htons", 0x0102, 0x0201),
        "ntohs": Row("ntohs", 0x0201, 0x0102),
        "htons-high-bit": Row("htons", 0xFF, 0xFF00),
    },
)
def network_order_is_big_endian(ws: Target, call: str, value: int, expected: int) -> None:
    """The four functions swap bytes, as Windows is little-endian and the network is not."""
    expect(call, expected=expected, actual=getattr(ws, call)(value))


@case(
    "addresses.byte-order.of-a-socket-{row}",
    chapter=CHAPTER,
    source=ORDER,
    basis="documented",
    requirements=["R3.37"],
    rows={
        "htonl": Row("WSAHtonl", 0x01020304, 0x04030201),
        "ntohl": Row("WSANtohl", 0x04030201, 0x01020304),
        "htons": Row("WSAHtons", 0x0102, 0x0201),
        "ntohs": Row("WSANtohs", 0x0201, 0x0102),
    },
)
def sockets_know_their_network_order(ws: Target, call: str, value: int, expected: int) -> None:
    """The functions that take a socket convert by its protocol's byte order, which for TCP is big-endian."""
    with ws.closing(ws.tcp()) as s:
        expect(call, expected=expected, actual=getattr(ws, call)(s, value))


@case(
    "addresses.byte-order.no-socket-{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsahtonl and its sisters, error WSAENOTSOCK",
    basis="documented",
    requirements=["R3.37", "B59"],
    rows={name.lower(): Row(name) for name in ("WSAHtonl", "WSAHtons", "WSANtohl", "WSANtohs")},
)
def conversion_needs_a_socket(ws: Target, call: str) -> None:
    """A handle that is no socket is WSAENOTSOCK."""
    with fails_with(WSAENOTSOCK):
        getattr(ws, call)(INVALID_SOCKET, 1)


@case(
    "addresses.byte-order.width",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsahtons, parameter lpnetshort",
    basis="documented",
    requirements=["R3.37"],
    needs_c=True,
)
def short_results_are_two_bytes(ws: Target) -> None:
    """WSAHtons writes two bytes and no more."""
    with ws.closing(ws.tcp()) as s:
        result = ws.c.new(UNTOUCHED * 8)
        ws.c.check("WSAHtons", s, 0x0102, result.address)
        expect("memory", expected=b"\x01\x02" + UNTOUCHED * 6, actual=result.read())


@case(
    "addresses.layout.{row}",
    chapter=CHAPTER,
    source="ws2def/ns-ws2def-sockaddr_in; ws2ipdef/ns-ws2ipdef-sockaddr_in6_lh",
    basis="documented",
    requirements=["A77", "A78"],
    rows={
        "ipv4": Row(AF_INET, "1.2.3.4:258", b"\x02\x00\x01\x02\x01\x02\x03\x04" + bytes(8)),
        "ipv6": Row(AF_INET6, "[::ff]:258", b"\x17\x00\x01\x02" + bytes(19) + b"\xff" + bytes(4)),
    },
)
def addresses_have_windows_layout(ws: Target, family: int, text: str, address: bytes) -> None:
    """An address starts with the 16-bit family by Windows' number, without a length byte; its port is big-endian."""
    expect("address", expected=address, actual=ws.WSAStringToAddress(text, family))
