"""Expectations come from the observed behaviours, whose ids the parameters carry, and from R4.121-R4.127.

A parameter without a behaviour id shows what public test suites recorded of Microsoft's ws2_32 and ntdll.
"""

from __future__ import annotations

import ipaddress
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winsock2emu.defs.addresstext import (
    address_to_string,
    inet_addr,
    inet_ntop,
    inet_pton,
    ipv6_text,
    packed_ipv4,
    string_to_address,
)
from winsock2emu.defs.constants import AF_INET, AF_INET6, AF_IPX, INADDR_NONE
from winsock2emu.defs.sockaddr import sockaddr_in, sockaddr_in6

ipv4_addresses = st.ip_addresses(v=4)
# Random addresses have no zero groups; this strategy has many.
ipv6_addresses = st.one_of(
    st.ip_addresses(v=6),
    st.lists(st.sampled_from((0, 0, 0, 1, 0x5EFE, 0x200, 0xFFFF)), min_size=8, max_size=8).map(
        lambda groups: ipaddress.IPv6Address(b"".join(group.to_bytes(2, "big") for group in groups))
    ),
)
ports = st.integers(0, 0xFFFF)
scopes = st.one_of(st.just(0), st.integers(0, 0xFFFFFFFF))
# Text that is an address, or nearly one, much more often than random characters are.
address_like = st.one_of(
    st.text(alphabet=string.hexdigits + "xX.:%[]/ \t-", max_size=60),
    st.lists(st.sampled_from(("::", ":", ":", ":", ".", "0", "7", "1a", "ffff", "255")), max_size=17).map("".join),
    st.tuples(
        st.sampled_from(("", "::", "1::", "::ffff:", "1:2:3:4:5:6:", "1:2:3:4:5::", "1:2:3:4:5:6::")),
        st.lists(st.sampled_from(("0", "1", "04", "010", "99", "255", "256")), min_size=4, max_size=4).map(".".join),
        st.sampled_from(("", "", "", "%1", " ", ".")),
    ).map("".join),
)


def words(text: str) -> bytes:
    """Groups written in hexadecimal as the bytes in memory."""
    return b"".join(int(word, 16).to_bytes(2, "big") for word in text.split())


# --- inet_addr ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        pytest.param("1.2.3.4", "01020304", id="inetaddr-four-parts"),
        pytest.param("0.0.0.0", "00000000", id="inetaddr-four-parts, lowest"),
        pytest.param("127.127.127.255", "7f7f7fff", id="inetaddr-four-parts, high last"),
        pytest.param("1", "00000001", id="inetaddr-one-part"),
        pytest.param("203569230", "0c22384e", id="inetaddr-one-part, big"),
        pytest.param("1.2", "01000002", id="inetaddr-two-parts"),
        pytest.param("1.16777215", "01ffffff", id="inetaddr-two-parts, 24 bits"),
        pytest.param("1.2.3", "01020003", id="inetaddr-three-parts"),
        pytest.param("1.2.65535", "0102ffff", id="inetaddr-three-parts, 16 bits"),
        pytest.param("0xa1a2b3b4", "a1a2b3b4", id="inetaddr-hex-octal, whole hex"),
        pytest.param("0x2134", "00002134", id="inetaddr-hex-octal, short hex"),
        pytest.param("017700000001", "7f000001", id="inetaddr-hex-octal, whole octal"),
        pytest.param("0777", "000001ff", id="inetaddr-hex-octal, short octal"),
        pytest.param("1.2.3.0xaA", "010203aa", id="inetaddr-hex-octal, hex part"),
        pytest.param("1.2.3.010", "01020308", id="inetaddr-hex-octal, octal part"),
        pytest.param("1.2.3.00", "01020300", id="inetaddr-hex-octal, octal zero"),
        pytest.param("3.4.5.6  ", "03040506", id="inetaddr-trailing-space"),
        pytest.param("3.4.5.6  7", "03040506", id="inetaddr-trailing-space, more text"),
        pytest.param("1.2.3 .4", "01020003", id="inetaddr-space-before-dot, three parts"),
        pytest.param("3 .4.5.6", "00000003", id="inetaddr-space-before-dot, one part"),
        pytest.param("1 2 3 4", "00000001", id="inetaddr-space-separated"),
        pytest.param("1.2.3.4 \xfe\xff", "01020304", id="inetaddr-trailing-junk-after-space"),
        pytest.param(" ", "00000000", id="inetaddr-space-only"),
        pytest.param("0x123456789", "23456789", id="a number that grows while it wraps is cut to 32 bits"),
    ],
)
def test_inet_addr_reads(text: str, packed: str) -> None:
    assert inet_addr(text) == int.from_bytes(bytes.fromhex(packed), "little")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1.1.1.0x", id="inetaddr-bad-hex, no digit"),
        pytest.param("1.2.3.0a", id="inetaddr-bad-hex, no prefix"),
        pytest.param("1.2.3.0o10", id="inetaddr-bad-hex, 0o"),
        pytest.param("1.2.3.0b10", id="inetaddr-bad-hex, 0b"),
        pytest.param("3.4.5.6.7", id="inetaddr-five-parts"),
        pytest.param("3.4.5.6. 7", id="inetaddr-five-parts, space before the fifth"),
        pytest.param("127.127.127.256", id="inetaddr-part-overflow"),
        pytest.param("256.1.1.1", id="inetaddr-part-overflow, first part"),
        pytest.param("1.2.65536", id="inetaddr-part-overflow, 16 bits"),
        pytest.param("1.16777216", id="inetaddr-part-overflow, 24 bits"),
        pytest.param("4294967296", id="inetaddr-part-overflow, 32 bits"),
        pytest.param(" 3.4.5.6", id="inetaddr-leading-space"),
        pytest.param("\t3.4.5.6", id="inetaddr-leading-space, tab"),
        pytest.param(" 0", id="inetaddr-leading-space, zero"),
        pytest.param("1.2.3. 4", id="inetaddr-inner-space-after-dot"),
        pytest.param("3. 4.5.6", id="inetaddr-inner-space-after-dot, first dot"),
        pytest.param("", id="inetaddr-space-only, empty"),
        pytest.param("\t", id="inetaddr-space-only, tab"),
        pytest.param("  ", id="inetaddr-space-only, two"),
        pytest.param(".1.2.3", id="inetaddr-misc-bad, leading dot"),
        pytest.param(".", id="inetaddr-misc-bad, lone dot"),
        pytest.param("a", id="inetaddr-misc-bad, letter"),
        pytest.param("1234BEEF", id="inetaddr-misc-bad, letters behind digits"),
        pytest.param("127.127.127.255:123", id="inetaddr-misc-bad, port"),
        pytest.param("[0.1.2.3]", id="inetaddr-misc-bad, brackets"),
        pytest.param("1.1.1.-2", id="inetaddr-misc-bad, negative part"),
        pytest.param("::1", id="inetaddr-misc-bad, IPv6"),
        pytest.param("2607:f0d0:1002:51::4", id="inetaddr-misc-bad, IPv6 with a leading number"),
        pytest.param("\u0661.2.3.4", id="digits of another script"),
        pytest.param("08", id="octal without an octal digit"),
    ],
)
def test_inet_addr_refuses(text: str) -> None:
    assert inet_addr(text) == INADDR_NONE


@pytest.mark.parametrize("code", [code for code in range(1, 256) if chr(code) not in string.digits])
def test_only_white_space_may_follow_the_number(code: int) -> None:
    """inetaddr-terminators: each byte value appended to a number."""
    expected = 0x03000201 if chr(code) in string.whitespace else INADDR_NONE
    assert inet_addr("1.2.3" + chr(code)) == expected


@given(ipv4_addresses)
def test_inet_addr_agrees_with_ipaddress(address: ipaddress.IPv4Address) -> None:
    assert inet_addr(str(address)).to_bytes(4, "little") == address.packed


# --- inet_pton, IPv4 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1.2", id="two parts"),
        pytest.param("1.2.3", id="three parts"),
        pytest.param("203569230", id="one part"),
        pytest.param("1.1.1.0xaA", id="hex"),
        pytest.param("1.1.1.010", id="octal"),
        pytest.param("1.1.1.00", id="octal zero"),
        pytest.param(" 3.4.5.6", id="leading space"),
        pytest.param("3. 4.5.6", id="inner space"),
        pytest.param("127.127.127.256", id="part above 255"),
        pytest.param("1.1.1.4294967297", id="part beyond 32 bits"),
        pytest.param("3.4.5.6.7", id="five parts"),
        pytest.param("", id="empty"),
        pytest.param("::1", id="IPv6"),
    ],
)
def test_ipv4_text_rejected_early_leaves_the_buffer_alone(text: str) -> None:
    """pton4-strict and pton4-no-write."""
    assert inet_pton(AF_INET, text) == (False, b"")


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        pytest.param("3.4.5.6 ", "03040506", id="trailing space"),
        pytest.param("127.127.127.255:123", "7f7f7fff", id="port"),
        pytest.param("1.1.1.0a", "01010100", id="0a"),
        pytest.param("1.1.1.0o10", "01010100", id="0o10"),
    ],
)
def test_ipv4_text_that_goes_wrong_behind_the_address_is_stored(text: str, packed: str) -> None:
    """pton4-partial-write."""
    assert inet_pton(AF_INET, text) == (False, bytes.fromhex(packed))


@given(ipv4_addresses)
def test_ipv4_text_round_trip(address: ipaddress.IPv4Address) -> None:
    text = inet_ntop(AF_INET, address.packed)
    assert text == str(address)
    assert inet_pton(AF_INET, text) == (True, address.packed)
    assert packed_ipv4(text) == address.packed


@given(address_like)
def test_inet_pton_takes_the_ipv4_text_that_ipaddress_takes(text: str) -> None:
    try:
        expected = ipaddress.IPv4Address(text).packed
    except ValueError:
        expected = None
    accepted, written = inet_pton(AF_INET, text)
    assert (written if accepted else None) == expected
    assert packed_ipv4(text) == expected


# --- inet_pton, IPv6 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        pytest.param("0000:0000:0000:0000:0000:0000:0000:0001", "0 0 0 0 0 0 0 1", id="pton6-full"),
        pytest.param("2001:0DB8:1:2:3:4:aB:C", "2001 db8 1 2 3 4 ab c", id="pton6-full, any case"),
        pytest.param("::", "0 0 0 0 0 0 0 0", id="pton6-compress, all"),
        pytest.param("::7:8", "0 0 0 0 0 0 7 8", id="pton6-compress, start"),
        pytest.param("1::7:8", "1 0 0 0 0 0 7 8", id="pton6-compress, middle"),
        pytest.param("1:2::", "1 2 0 0 0 0 0 0", id="pton6-compress, end"),
        pytest.param("1:2:3:4:5:6:7::", "1 2 3 4 5 6 7 0", id="pton6-compress, one group at the end"),
        pytest.param("1:2:3:4:5:6::8", "1 2 3 4 5 6 0 8", id="pton6-compress, one group inside"),
        pytest.param("::0:0:0:0:0:0:0", "0 0 0 0 0 0 0 0", id="pton6-double-colon-one-group"),
        pytest.param("::1:2:3:4:5:6:7", "0 1 2 3 4 5 6 7", id="pton6-double-colon-one-group, all groups kept"),
        pytest.param("1:2:3:4:5:6:1.2.3.4", "1 2 3 4 5 6 102 304", id="pton6-embedded-v4"),
        pytest.param("::1.2.3.4", "0 0 0 0 0 0 102 304", id="pton6-embedded-v4, compressed"),
        pytest.param("::a:b:c:d:e:1.2.3.4", "0 a b c d e 102 304", id="pton6-embedded-v4, one group elided"),
        pytest.param("1::001.2.3.4", "1 0 0 0 0 0 102 304", id="pton6-embedded-v4-leading-zero"),
        pytest.param("1::1.002.3.4", "1 0 0 0 0 0 102 304", id="pton6-embedded-v4-leading-zero, second"),
    ],
)
def test_ipv6_text_is_read(text: str, packed: str) -> None:
    assert inet_pton(AF_INET6, text) == (True, words(packed))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("1:2:3:4:0x5555:6:7:8", words("1 2 3 4"), id="pton6-hex-prefix"),
        pytest.param("1:2:3:4:5:6:0x12345678", words("1 2 3 4 5 6"), id="pton6-hex-prefix, seventh group"),
        pytest.param("0x1111", b"", id="pton6-hex-prefix, first group"),
        pytest.param("::0x88", words("0 0 0 0 0 0 0 88"), id="pton6-hex-prefix, read as the last group"),
        pytest.param("::0X", words("0 0 0 0 0 0 0 0"), id="pton6-hex-prefix, without digits"),
        pytest.param("::0x012345678", words("0 0 0 0 0 0 0 5678"), id="pton6-hex-prefix, cut to 16 bits"),
        pytest.param("::0x80000000", words("0 0 0 0 0 0 0 ffff"), id="pton6-hex-prefix, saturated"),
        pytest.param("2001:00000:1234::", words("2001"), id="pton6-five-digits, zero"),
        pytest.param("12345::6:7:8", b"", id="pton6-five-digits, first group"),
        pytest.param("1:2::fffff", words("1 2"), id="pton6-five-digits, after ::"),
        pytest.param("::01234", words("0"), id="pton6-five-digits, after a leading ::"),
        pytest.param("::%16", words("0 0 0 0 0 0 0 0"), id="pton6-scope-prefix, scope"),
        pytest.param("fe80::1/16", words("fe80 0 0 0 0 0 0 1"), id="pton6-scope-prefix, prefix length"),
        pytest.param("1::2::3", words("1 0 0 0 0 0 0 2"), id="pton6-two-compressions"),
        pytest.param("1:2:::", words("1 2 0 0 0 0 0 0"), id="pton6-two-compressions, :::"),
        pytest.param("1:2:3:4:5:6:7:8:9", words("1 2 3 4 5 6 7 8"), id="pton6-too-many-groups"),
        pytest.param("1:2:3:4:5:6:7:8:", words("1 2 3 4 5 6 7 8"), id="pton6-too-many-groups, colon"),
        pytest.param("1:2:3:4:5:6::7:8", words("1 2 3 4 5 6 0 7"), id="pton6-too-many-groups, with ::"),
        pytest.param("1:2:3:4:5:6:7::8", words("1 2 3 4 5 6 7 0"), id="pton6-too-many-groups, :: is the eighth"),
        pytest.param("1:2:3", words("1 2"), id="pton6-too-few-groups"),
        pytest.param("1:2:", words("1 2"), id="pton6-too-few-groups, colon"),
        pytest.param("1::5:", words("1 5"), id="pton6-too-few-groups, colon after ::"),
        pytest.param("1.2.3.4", b"\1\2\3", id="pton6-v4-only"),
        pytest.param("1:2:1.2.3.4", words("1 2 102") + b"\3", id="pton6-v4-only, behind two groups"),
        pytest.param("1:2:3:4:5:6:7:1.2.3.4", words("1 2 3 4 5 6 7 1"), id="pton6-v4-too-late"),
        pytest.param("1:2:3:4:5:6::1.2.3.4", words("1 2 3 4 5 6 0 1"), id="pton6-v4-too-late, with ::"),
        pytest.param("1::0001.2.3.4", words("1"), id="dotted part of four digits"),
        pytest.param("1::1.2.256.4", words("1 102"), id="dotted part above 255"),
        pytest.param("1::1.2.3", words("1 102"), id="dotted part missing"),
        pytest.param("1::1.2.3.4::1", words("1 0 0 0 0 0 102 304"), id="text behind the dotted tail"),
        pytest.param("1::1a.2.3.4", words("1 0 0 0 0 0 0 1a"), id="dot behind a hexadecimal group"),
        pytest.param(":1:2", b"", id="one leading colon"),
        pytest.param("", b"", id="empty"),
        pytest.param("[::]", b"", id="brackets"),
        pytest.param("::-1", words("0 0 0 0 0 0 0 0"), id="junk behind ::"),
        pytest.param("1:2:3: 4:5:6:7:8", words("1 2 3"), id="inner space"),
    ],
)
def test_bad_ipv6_text_leaves_what_was_read_before_the_fault(text: str, written: bytes) -> None:
    assert inet_pton(AF_INET6, text) == (False, written)


@given(ipv6_addresses)
def test_ipv6_text_round_trip(address: ipaddress.IPv6Address) -> None:
    assert inet_pton(AF_INET6, ipv6_text(address.packed)) == (True, address.packed)
    assert inet_pton(AF_INET6, address.compressed) == (True, address.packed)
    assert inet_pton(AF_INET6, address.exploded.upper()) == (True, address.packed)


@given(address_like)
def test_inet_pton_takes_the_ipv6_text_that_ipaddress_takes(text: str) -> None:
    """Two known differences: ipaddress knows scopes, and it refuses leading zeros in a dotted tail."""
    accepted, written = inet_pton(AF_INET6, text)
    assert len(written) == 16 if accepted else len(written) <= 16
    try:
        expected = ipaddress.IPv6Address(text)
    except ValueError:
        if accepted:
            groups, colon, tail = text.rpartition(":")
            plain = ".".join(str(int(part)) for part in tail.split("."))
            assert plain != tail
            assert written == ipaddress.IPv6Address(groups + colon + plain).packed
    else:
        assert accepted == (expected.scope_id is None)
        assert written == expected.packed


def test_other_families_have_no_text() -> None:
    with pytest.raises(ValueError, match="family 6"):
        inet_pton(AF_IPX, "1.2.3.4")
    with pytest.raises(ValueError, match="family 6"):
        inet_ntop(AF_IPX, bytes(16))
    with pytest.raises(ValueError, match="family 6"):
        string_to_address("1.2.3.4", AF_IPX)


# --- inet_ntop ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        pytest.param("0 0 0 0 0 fffe cc98 bd74", "::fffe:cc98:bd74", id="ntop6-zero-prefix"),
        pytest.param("2030 a4b1 0 0 0 0 0 0", "2030:a4b1::", id="ntop6-zero-suffix"),
        pytest.param("0 0 0 0 0 0 cc98 bd74", "::204.152.189.116", id="ntop6-v4-compatible"),
        pytest.param("0 0 0 0 0 0 0 1", "::1", id="R4.127, loopback is not dotted"),
        pytest.param("0 0 0 0 0 0 0 ffff", "::ffff", id="R4.127, two leading zero bytes are not dotted"),
        pytest.param("0 0 0 0 0 ffff d01 4403", "::ffff:13.1.68.3", id="R4.127, mapped"),
        pytest.param("0 0 0 0 0 ffff 0 4403", "::ffff:0:4403", id="mapped, two leading zero bytes"),
        pytest.param("0 0 0 0 ffff 0 d01 4403", "::ffff:0:13.1.68.3", id="translated"),
        pytest.param("1 2 3 4 0 5efe 8190 3426", "1:2:3:4:0:5efe:129.144.52.38", id="ISATAP"),
        pytest.param("fe80 0 0 0 200 5efe 0 0", "fe80::200:5efe:0.0.0.0", id="ISATAP, global bit, zero quad"),
        pytest.param("0 0 0 0 300 5efe 8190 3426", "::300:5efe:8190:3426", id="nearly ISATAP"),
        pytest.param("0 0 0 0 0 0 0 0", "::", id="R4.127, all zero"),
        pytest.param("1 0 3 4 5 6 7 8", "1:0:3:4:5:6:7:8", id="R4.127, one zero group stays"),
        pytest.param("1 0 0 4 0 0 0 8", "1:0:0:4::8", id="R4.127, longest run"),
        pytest.param("1 0 0 4 5 0 0 8", "1::4:5:0:0:8", id="R4.127, first of equal runs"),
        pytest.param("ABCD 0 0 0 0 0 0 EF", "abcd::ef", id="R4.127, lower case"),
    ],
)
def test_ipv6_is_written(packed: str, text: str) -> None:
    assert inet_ntop(AF_INET6, words(packed)) == text


@given(ipv6_addresses)
def test_ipv6_is_written_as_ipaddress_writes_it_unless_dotted(address: ipaddress.IPv6Address) -> None:
    text = ipv6_text(address.packed)
    assert "." in text or text == address.compressed
    assert ipaddress.IPv6Address(text) == address


# --- socket addresses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "text"),
    [
        pytest.param(sockaddr_in("0.0.0.0"), "0.0.0.0", id="IPv4 without port"),
        pytest.param(sockaddr_in("255.255.255.255", 65535), "255.255.255.255:65535", id="IPv4 with port"),
        pytest.param(sockaddr_in6("20ab::1"), "20ab::1", id="IPv6 alone"),
        pytest.param(sockaddr_in6("20ab::2001", 33274), "[20ab::2001]:33274", id="IPv6 with port"),
        pytest.param(sockaddr_in6("20ab::2001", 0, 0, 0x1234), "20ab::2001%4660", id="IPv6 with scope"),
        pytest.param(sockaddr_in6("20ab::2001", 33274, 0, 0x1234), "[20ab::2001%4660]:33274", id="both"),
        pytest.param(sockaddr_in6("20ab::1", 0, 7), "20ab::1", id="flow information is not written"),
        pytest.param(sockaddr_in("1.2.3.4", 5) + b"padding", "1.2.3.4:5", id="more bytes than needed"),
    ],
)
def test_address_to_string(address: bytes, text: str) -> None:
    """R4.123."""
    assert address_to_string(address) == text


@pytest.mark.parametrize(
    "address",
    [b"", b"\x02", sockaddr_in("1.2.3.4")[:15], sockaddr_in6("::1")[:24], b"\x01\0/tmp/x" + bytes(102)],
)
def test_short_or_unknown_addresses_have_no_text(address: bytes) -> None:
    assert address_to_string(address) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("127.127.127.127", sockaddr_in("127.127.127.127"), id="no port is port 0"),
        pytest.param("127.127.127.127:123", sockaddr_in("127.127.127.127", 123), id="decimal port"),
        pytest.param("127.127.127.127:65535", sockaddr_in("127.127.127.127", 65535), id="highest port"),
        pytest.param("127.127.127.127:0xAbCd", sockaddr_in("127.127.127.127", 0xABCD), id="hex port"),
        pytest.param("127.127.127.127:010", sockaddr_in("127.127.127.127", 8), id="octal port"),
        pytest.param("1:1", sockaddr_in("0.0.0.1", 1), id="short form with port"),
        pytest.param("0777:10", sockaddr_in("0.0.1.255", 10), id="octal form with port"),
    ],
)
def test_string_to_ipv4_address(text: str, address: bytes) -> None:
    """R4.121: inet_addr's forms, without its blanks, and an optional port."""
    assert string_to_address(text, AF_INET) == (True, address)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        pytest.param("", "0.0.0.0", id="empty"),
        pytest.param(" ", "0.0.0.0", id="one space, unlike inet_addr"),
        pytest.param("255.255.255.256", "0.0.0.0", id="part above 255"),
        pytest.param("::1", "0.0.0.0", id="IPv6"),
        pytest.param("127.127.127.127:", "127.127.127.127", id="no port behind the colon"),
        pytest.param("127.127.127.127:0", "127.127.127.127", id="port 0"),
        pytest.param("127.127.127.127:65536", "127.127.127.127", id="port of 17 bits"),
        pytest.param("127.127.127.127:4294967297", "127.127.127.127", id="port of 33 bits"),
        pytest.param("127.127.127.127:0x", "127.127.127.127", id="hex port without digits"),
        pytest.param("127.127.127.127:08", "127.127.127.127", id="octal port with an 8"),
        pytest.param("127.127.127.127:0a", "127.127.127.127", id="hex port without prefix"),
        pytest.param("127.127.127.127::1", "127.127.127.127", id="two colons"),
        pytest.param("3.4.5.6 ", "3.4.5.6", id="trailing space, unlike inet_addr"),
        pytest.param("3.4.5.6:7 ", "3.4.5.6", id="space behind the port"),
        pytest.param("3.4.5.6: 7", "3.4.5.6", id="space before the port"),
    ],
)
def test_bad_ipv4_string_leaves_the_ip_address_read_so_far(text: str, host: str) -> None:
    """Family and port stay zero."""
    assert string_to_address(text, AF_INET) == (False, b"\0\0" + sockaddr_in(host)[2:])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("::1", sockaddr_in6("::1"), id="alone"),
        pytest.param("fe80::1%16", sockaddr_in6("fe80::1", 0, 0, 16), id="scope"),
        pytest.param("fe80::1%0", sockaddr_in6("fe80::1"), id="scope 0"),
        pytest.param("fe80::1%4294967295", sockaddr_in6("fe80::1", 0, 0, 0xFFFFFFFF), id="highest scope"),
        pytest.param("[::1]", sockaddr_in6("::1"), id="brackets"),
        pytest.param("[::1]:65535", sockaddr_in6("::1", 65535), id="port"),
        pytest.param("[::1]:0x80", sockaddr_in6("::1", 128), id="hex port"),
        pytest.param("[ff01::417A%16]:8080", sockaddr_in6("ff01::417a", 8080, 0, 16), id="scope and port"),
        pytest.param("[::FFFF:129.144.52.38]:80", sockaddr_in6("::ffff:129.144.52.38", 80), id="dotted"),
    ],
)
def test_string_to_ipv6_address(text: str, address: bytes) -> None:
    """R4.121."""
    assert string_to_address(text, AF_INET6) == (True, address)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        pytest.param("", "::", id="empty"),
        pytest.param("1.2.3.4", "102:300::", id="IPv4"),
        pytest.param("1:2:3:", "1:2:3::", id="too few groups"),
        pytest.param("::1]:80", "::1", id="no opening bracket"),
        pytest.param("[::1", "::1", id="no closing bracket"),
        pytest.param("[ff01::1%1", "ff01::1", id="no closing bracket behind the scope"),
        pytest.param("[::1]:", "::1", id="no port behind the colon"),
        pytest.param("[::1]:080", "::1", id="octal port with an 8"),
        pytest.param("[::1]:0", "::1", id="port 0"),
        pytest.param("[::1]:-80", "::1", id="negative port"),
        pytest.param("[::1].80", "::1", id="dot for colon"),
        pytest.param("[::1 ]:80", "::1", id="space"),
        pytest.param("[ ::1]:80", "::", id="space in front"),
        pytest.param("ff01::1%", "ff01::1", id="no scope behind the sign"),
        pytest.param("ff01::1%-1", "ff01::1", id="negative scope"),
        pytest.param("ff01::1%0x10", "ff01::1", id="hex scope"),
        pytest.param("ff01::1%4294967296", "ff01::1", id="scope of 33 bits"),
        pytest.param("ff01::1%eth0", "ff01::1", id="interface name"),
        pytest.param("ff01::1/16", "ff01::1", id="prefix length"),
    ],
)
def test_bad_ipv6_string_leaves_the_ip_address_read_so_far(text: str, host: str) -> None:
    """Family, port and scope stay zero."""
    assert string_to_address(text, AF_INET6) == (False, b"\0\0" + sockaddr_in6(host)[2:])


@given(ipv4_addresses, ports)
def test_ipv4_socket_address_round_trip(host: ipaddress.IPv4Address, port: int) -> None:
    address = sockaddr_in(host.packed, port)
    text = address_to_string(address)
    assert text == (f"{host}:{port}" if port else f"{host}")
    assert string_to_address(text, AF_INET) == (True, address)


@given(ipv6_addresses, ports, scopes)
def test_ipv6_socket_address_round_trip(host: ipaddress.IPv6Address, port: int, scope: int) -> None:
    address = sockaddr_in6(host.packed, port, 0, scope)
    text = address_to_string(address)
    assert text is not None
    assert string_to_address(text, AF_INET6) == (True, address)


@given(st.text(max_size=40) | address_like, st.sampled_from((AF_INET, AF_INET6)))
def test_any_text_gives_a_whole_structure_and_a_family_only_when_accepted(text: str, family: int) -> None:
    accepted, address = string_to_address(text, family)
    assert len(address) == {AF_INET: 16, AF_INET6: 28}[family]
    assert int.from_bytes(address[:2], "little") == (family if accepted else 0)
