"""Internet addresses as text: reading and writing them the way Windows does.

Part played:     the text conversions behind inet_addr, inet_pton, inet_ntop, WSAStringToAddress and
                 WSAAddressToString.
Lives here:      pure functions from text to bytes and back. A socket address is bytes in Windows' layout.
Lives elsewhere: argument checks and last errors (ws2_32.addresses); the address class (defs.sockaddr); host
                 names.
Sources:         inet_addr, inet_pton, inet_ntop, WSAStringToAddress and WSAAddressToString on Microsoft
                 Learn. The pages are silent about most bad text; what Windows 8 and later do with it is known
                 from the results that the public test suite of the Wine project records for ws2_32,
                 RtlIpv4StringToAddress(Ex) and RtlIpv6StringToAddress(Ex) on real Windows.
Differences:     two texts with a leading "::" and seven groups are read as Windows 11 reads them; earlier
                 versions refuse them or lose the last group.

Windows' readers share two habits that a caller can see. A reader stops at the first character it has no use
for and leaves the verdict about it to its caller, which by then has the address in its buffer. And the IPv6
reader stores each group when the separator after it has been seen, so that bad text leaves the groups before
the fault behind. Hence the pairs ``(accepted, written)``: ``written`` is what a caller finds at the start of
its buffer, whatever the verdict.

Only ASCII digits and letters count, so ``str.isdigit`` and friends, which know other scripts, are not used.
"""

from __future__ import annotations

import re
from typing import Final

from .constants import AF_INET, AF_INET6, INADDR_NONE

IPV4_SIZE: Final = 16
"""Bytes of a sockaddr_in."""
IPV6_SIZE: Final = 28
"""Bytes of a sockaddr_in6."""

_DIGITS: Final = {
    8: frozenset("01234567"),
    10: frozenset("0123456789"),
    16: frozenset("0123456789abcdefABCDEF"),
}
_DECIMAL: Final = _DIGITS[10]
_HEXADECIMAL: Final = _DIGITS[16]
_BLANKS: Final = frozenset(" \t\n\v\f\r")  # isspace of the C locale: what may follow the text in inet_addr
_PLAIN_QUAD: Final = re.compile(r"(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})")
_HEX_TAIL: Final = re.compile(r"[0-9a-fA-F]*")


# --- reading IPv4 -------------------------------------------------------------------------------------------


def _number(text: str, at: int, *, strict: bool = False) -> tuple[int | None, int]:
    """Read one number of inet_addr's grammar from ``text[at:]``: decimal, 0octal or 0xhex.

    Returns:
        The value, at most 32 bits, and the index after it. None when no digit of the base is there ("0x",
        "08"), when the number wraps round, or when ``strict`` and it is not plain decimal.
    """
    base = 10
    if text[at : at + 1] == "0":
        following = text[at + 1 : at + 2]
        if following in ("x", "X"):
            base, at = 16, at + 2
        elif following in _DECIMAL:  # also "08", which then has no octal digit at all
            base, at = 8, at + 1
        if strict and base != 10:
            return None, at
    digits = _DIGITS[base]
    value, start, end = 0, at, len(text)
    while at < end and text[at] in digits:
        longer = (value * base + int(text[at], 16)) & 0xFFFFFFFF
        # Windows' test for too big a number: did it get smaller? "0x123456789" passes, cut to 32 bits.
        if longer < value:
            return None, at
        value, at = longer, at + 1
    return (value if at > start else None), at


def _scan_ipv4(text: str, *, strict: bool) -> tuple[bytes | None, int]:
    """Read an IPv4 address at the start of ``text``.

    Returns:
        The four bytes, or None for bad text, and the index of the character that ended the reading.
    """
    parts: list[int] = []
    at = 0
    while True:
        value, at = _number(text, at, strict=strict)
        if value is None:
            return None, at
        parts.append(value)
        if text[at : at + 1] != ".":
            break
        if len(parts) == 4:
            return None, at
        at += 1
    *leading, last = parts
    if strict and len(parts) != 4:
        return None, at
    if any(part > 0xFF for part in leading) or last >> (8 * (4 - len(leading))):
        return None, at
    return bytes(leading) + last.to_bytes(4 - len(leading), "big"), at


def packed_ipv4(text: str) -> bytes | None:
    """The four bytes of a full decimal quad without leading zeros; None for anything else.

    This is all of inet_pton's grammar for IPv4, in the form that costs least (about 0.9 us on CPython 3.11).
    """
    quad = _PLAIN_QUAD.fullmatch(text)
    if quad is None:
        return None
    a, b, c, d = map(int, quad.groups())
    if a > 255 or b > 255 or c > 255 or d > 255:
        return None
    return bytes((a, b, c, d))


def inet_addr(text: str) -> int:
    """Read the lenient IPv4 grammar of inet_addr: one to four parts, each decimal, octal or hexadecimal.

    The last of fewer than four parts fills the remaining bytes. White space ends the text and what follows it
    is ignored, but the text may not start with it; a single space alone is 0.0.0.0.

    Returns:
        in_addr.s_addr, the network-order bytes read as a little-endian number ("1.2.3.4" is 0x04030201), or
        INADDR_NONE (0xFFFFFFFF) for bad text. "255.255.255.255" has the same result, as it has on Windows.
    """
    if text == " ":
        return 0
    packed, end = _scan_ipv4(text, strict=False)
    if packed is None or (end < len(text) and text[end] not in _BLANKS):
        return INADDR_NONE
    return int.from_bytes(packed, "little")


# --- reading IPv6 -------------------------------------------------------------------------------------------


def _scan_ipv6(text: str, at: int = 0) -> tuple[bool, int, bytes]:
    """Read an IPv6 address at ``text[at:]``.

    Returns:
        Whether the characters read are an address, the index of the character that ended the reading, and
        what is in the caller's buffer then: all 16 bytes after success, the groups or bytes before the fault
        otherwise.
    """
    end = len(text)
    written = bytearray()
    gap: int | None = None  # where in ``written`` the zeros of "::" go
    counted = 0  # groups of the eight that are taken; "::" takes one at least

    def accepted() -> bytes:
        if gap is None:
            return bytes(written)
        return bytes(written[:gap] + bytes(16 - len(written)) + written[gap:])

    if text.startswith("::", at):
        written += b"\0\0"  # a "::" in front is stored at once, as a group of its own; later ones are not
        gap, counted, at = 2, 1, at + 2
        after_gap = True
    else:
        after_gap = False

    while True:
        start = at
        decimal = True
        while at < end and text[at] in _HEXADECIMAL:
            decimal = decimal and text[at] in _DECIMAL
            at += 1
        if at == start:
            # Right after "::" any character may end the address; anywhere else a group has to be there.
            return (True, at, accepted()) if after_gap else (False, at, bytes(written))
        group = text[start:at]
        following = text[at : at + 1]

        if following == "." and decimal and counted <= 6:
            return _finish_with_quad(text, start, written, gap, counted)
        if len(group) > 4:
            return False, at, bytes(written)
        if following == ":":
            written += int(group, 16).to_bytes(2, "big")
            counted += 1
            if counted == 8:
                return True, at, accepted()
            if text[at + 1 : at + 2] != ":":
                at += 1
                after_gap = False
                continue
            if gap is not None:
                return True, at, accepted()  # a second "::" is not part of the address
            gap, counted, at = len(written), counted + 1, at + 2
            after_gap = True
            if counted == 8:
                return True, at, accepted()
            continue

        if gap is None and counted != 7:
            return False, at, bytes(written)
        if group == "0" and following in ("x", "X"):
            # The group ends here, but its value is that of strtol, which reads on behind "0x" and saturates.
            tail = _HEX_TAIL.match(text, at + 1)
            value = min(int(tail[0] or "0", 16) if tail else 0, 0x7FFFFFFF) & 0xFFFF
        else:
            value = int(group, 16)
        written += value.to_bytes(2, "big")
        return True, at, accepted()


def _finish_with_quad(text: str, at: int, written: bytearray, gap: int | None, counted: int) -> tuple[bool, int, bytes]:
    """Read the dotted tail that starts at ``text[at]``, where ``counted`` groups stand before it.

    The parts are decimal, one to three digits with or without leading zeros. The first three are stored when
    their dots have been seen.
    """
    end = len(text)
    for part in range(4):
        start = at
        while at < end and text[at] in _DECIMAL:
            at += 1
        if not 1 <= at - start <= 3 or int(text[start:at]) > 0xFF:
            return False, at, bytes(written)
        if part == 3:
            if gap is None and counted != 6:
                return False, at, bytes(written)
        elif text[at : at + 1] != ".":
            return False, at, bytes(written)
        written.append(int(text[start:at]))
        if part < 3:
            at += 1
    if gap is not None:
        written[gap:gap] = bytes(16 - len(written))
    return True, at, bytes(written)


def inet_pton(family: int, text: str) -> tuple[bool, bytes]:
    """Read an address for inet_pton: a full decimal quad for AF_INET, RFC 4291 text for AF_INET6.

    No port, scope, prefix length or white space. IPv4 parts have no leading zeros; in a dotted tail they may.

    Returns:
        Whether the whole text is an address, and what Windows has stored by then: the address (4 or 16 bytes)
        when the text starts with one, else the part before the fault, which may be empty.

    Raises:
        ValueError: another family.
    """
    if family == AF_INET:
        packed = packed_ipv4(text)
        if packed is not None:
            return True, packed
        packed, end = _scan_ipv4(text, strict=True)
        return packed is not None and end == len(text), packed or b""
    if family == AF_INET6:
        readable, end, written = _scan_ipv6(text)
        return readable and end == len(text), written
    raise ValueError(f"no address text for family {family}")


# --- writing ------------------------------------------------------------------------------------------------


def ipv4_text(packed: bytes) -> str:
    """Write four bytes as a decimal quad."""
    a, b, c, d = packed
    return f"{a}.{b}.{c}.{d}"


def _has_quad(words: list[int]) -> bool:
    """Whether Windows writes the last 32 bits of this address as a dotted quad."""
    middle = (words[4], words[5])
    if middle in ((0, 0), (0, 0xFFFF), (0xFFFF, 0)):
        # IPv4-compatible, IPv4-mapped and IPv4-translated, unless the IPv4 part starts with two zero bytes.
        return not any(words[:4]) and words[6] != 0
    return middle in ((0, 0x5EFE), (0x0200, 0x5EFE))  # an ISATAP interface identifier, whatever the quad


def ipv6_text(packed: bytes) -> str:
    """Write 16 bytes as IPv6 text in lower case.

    "::" stands for the longest run of zero groups, the first of equal ones, and never for a single group. The
    last 32 bits are dotted in IPv4-compatible, -mapped, -translated and ISATAP addresses.
    """
    words = [packed[i] << 8 | packed[i + 1] for i in range(0, 16, 2)]
    tail = ""
    if _has_quad(words):
        tail = ipv4_text(packed[12:16])
        del words[6:]
    best_start = best_length = 0
    length = 0
    for place, word in enumerate(words):
        length = 0 if word else length + 1
        if length > best_length:
            best_start, best_length = place - length + 1, length
    if best_length < 2:
        groups = ":".join([f"{word:x}" for word in words])
        return f"{groups}:{tail}" if tail else groups
    before = ":".join([f"{word:x}" for word in words[:best_start]])
    after = [f"{word:x}" for word in words[best_start + best_length :]]
    if tail:
        after.append(tail)
    return f"{before}::{':'.join(after)}"


def inet_ntop(family: int, packed: bytes) -> str:
    """Write the 4 (AF_INET) or 16 (AF_INET6) bytes of an address as text, without port or scope.

    Raises:
        ValueError: another family, or too few bytes. More bytes are ignored, as behind a C pointer.
    """
    if family == AF_INET and len(packed) >= 4:
        return ipv4_text(packed[:4])
    if family == AF_INET6 and len(packed) >= 16:
        return ipv6_text(packed[:16])
    raise ValueError(f"no address of family {family} in {len(packed)} bytes")


# --- socket addresses ---------------------------------------------------------------------------------------


def address_to_string(address: bytes) -> str | None:
    """Write a sockaddr_in or sockaddr_in6 the way WSAAddressToString does.

    Returns:
        "a.b.c.d" or "a.b.c.d:port"; IPv6 "text", "text%scope", "[text]:port" or "[text%scope]:port". Port 0
        and scope 0 are left out. None when the bytes are neither address, or fewer than its structure has.
    """
    family = int.from_bytes(address[:2], "little")
    port = int.from_bytes(address[2:4], "big")
    if family == AF_INET and len(address) >= IPV4_SIZE:
        text = ipv4_text(address[4:8])
        return f"{text}:{port}" if port else text
    if family == AF_INET6 and len(address) >= IPV6_SIZE:
        text = ipv6_text(address[8:24])
        scope = int.from_bytes(address[24:28], "little")
        if scope:
            text = f"{text}%{scope}"
        return f"[{text}]:{port}" if port else text
    return None


def _port(text: str, at: int) -> int | None:
    """Read ":port" from ``text[at:]`` up to the end: decimal, 0octal or 0xhex. A written 0 is bad text."""
    if text[at : at + 1] != ":":
        return None
    value, end = _number(text, at + 1)
    if value is None or end != len(text) or not 0 < value <= 0xFFFF:
        return None
    return value


def _scope(text: str, at: int) -> tuple[int | None, int]:
    """Read the number of "%scope" from ``text[at:]``: decimal, at most 32 bits; no interface names."""
    start = at
    while at < len(text) and text[at] in _DECIMAL:
        at += 1
    digits = text[start:at].lstrip("0")  # padding is read, also more of it than int() converts
    if at == start or len(digits) > 10:
        return None, at
    value = int(digits or "0")
    return (value if value <= 0xFFFFFFFF else None), at


def string_to_address(text: str, family: int) -> tuple[bool, bytes]:
    """Read a socket address the way WSAStringToAddress does.

    AF_INET has inet_addr's forms without blanks, then ":port" or nothing. AF_INET6 has "text", "text%scope"
    and either of them in brackets, where ":port" may follow. A port is decimal, 0octal or 0xhex and not 0;
    without one it is 0.

    Returns:
        Whether the whole text is an address, and the structure in Windows' layout (16 or 28 bytes) as it is
        in the caller's buffer afterwards. After bad text it is all zero, family and port too, but for that
        part of the IP address which was read before the fault.

    Raises:
        ValueError: another family.
    """
    if family == AF_INET:
        packed, end = _scan_ipv4(text, strict=False)
        if packed is None:
            return False, bytes(IPV4_SIZE)
        port = 0 if end == len(text) else _port(text, end)
        if port is None:
            return False, bytes(4) + packed + bytes(8)
        return True, b"\x02\0" + port.to_bytes(2, "big") + packed + bytes(8)
    if family != AF_INET6:
        raise ValueError(f"no address text for family {family}")

    bracket = text.startswith("[")
    readable, at, written = _scan_ipv6(text, 1 if bracket else 0)
    refused = bytes(8) + written.ljust(20, b"\0")
    if not readable:
        return False, refused
    scope: int | None = 0
    if text[at : at + 1] == "%":
        scope, at = _scope(text, at + 1)
    port = 0
    if bracket:
        if text[at : at + 1] != "]":
            return False, refused
        at += 1
        if at < len(text):
            port, at = _port(text, at), len(text)
    if scope is None or port is None or at != len(text):
        return False, refused
    return True, b"\x17\0" + port.to_bytes(2, "big") + bytes(4) + written + scope.to_bytes(4, "little")
