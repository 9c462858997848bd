"""Strings: lengths, comparing, and the way between UTF-16 and code pages.

Part played:     stringapiset.h and the lstr functions of winbase.h.
Lives here:      all of it; Python's own strings need none of this.
Code pages:      CP_ACP and CP_OEMCP are UTF-8, as for the ``A`` functions; others as far as Python has a codec.
Comparing:       by words as people sort them: letters regardless of accent and case first, then accents, then lower
                 case before upper case; symbols come before digits, digits before letters. Windows has tables for
                 every language, so the order of rarer characters may differ.
Sources:         nf-stringapiset-multibytetowidechar, nf-stringapiset-widechartomultibyte, nf-winbase-lstrcmpw and
                 "Handling Sorting in Your Applications" on Microsoft Learn.
"""

from __future__ import annotations

import codecs
import ctypes
import unicodedata
from functools import cache
from typing import Final

from ....defs.codes import (
    ERROR_INSUFFICIENT_BUFFER,
    ERROR_INVALID_FLAGS,
    ERROR_INVALID_PARAMETER,
    ERROR_NO_UNICODE_TRANSLATION,
)
from ....defs.constants import CP_ACP, CP_UTF8
from ....defs.winbase import (
    CP_OEMCP,
    CP_THREAD_ACP,
    CP_UTF7,
    MB_COMPOSITE,
    MB_ERR_INVALID_CHARS,
    MB_PRECOMPOSED,
    MB_USEGLYPHCHARS,
    WC_COMPOSITECHECK,
    WC_DEFAULTCHAR,
    WC_DISCARDNS,
    WC_ERR_INVALID_CHARS,
    WC_NO_BEST_FIT_CHARS,
    WC_SEPCHARS,
)
from ....errors import WinsockError
from ... import memory

__all__ = [
    "MultiByteToWideChar",
    "WideCharToMultiByte",
    "lstrcmpA",
    "lstrcmpW",
    "lstrcmpiA",
    "lstrcmpiW",
    "lstrlenA",
    "lstrlenW",
]

_ANSI: Final = (CP_ACP, CP_OEMCP, CP_THREAD_ACP)
_TO_WIDE: Final = MB_PRECOMPOSED | MB_COMPOSITE | MB_USEGLYPHCHARS | MB_ERR_INVALID_CHARS
_TO_BYTES: Final = WC_DISCARDNS | WC_SEPCHARS | WC_DEFAULTCHAR | WC_COMPOSITECHECK | WC_NO_BEST_FIT_CHARS
_CODECS: Final = {CP_UTF8: "utf-8", CP_UTF7: "utf-7", 20127: "ascii"}
_ISO_8859: Final = 28590  # plus the part's number


@cache
def _codec(code_page: int) -> str:
    """Python's name of a code page.

    Raises:
        WinsockError: ERROR_INVALID_PARAMETER, there is none.
    """
    part = code_page - _ISO_8859
    name = _CODECS.get(code_page) or (f"iso8859-{part}" if 0 < part < 16 else f"cp{code_page}")
    try:
        return codecs.lookup(name).name
    except LookupError as failure:
        raise WinsockError(ERROR_INVALID_PARAMETER) from failure


def _source(address: int, count: int, width: int) -> bytes:
    """The characters of a string: so many, or up to its NUL and with it for a negative count."""
    if not count or address < memory.LOWEST:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if count > 0:
        return memory.read(address, count * width) or b""
    return ctypes.string_at(address, (_length(address) + 1) * 2) if width == 2 else ctypes.string_at(address) + b"\0"


def _length(address: int) -> int:
    """The units of a WCHAR string before its NUL."""
    return len((memory.wide(address) or "").encode("utf-16-le", "surrogatepass")) // 2


def _deliver(data: bytes, width: int, address: int, room: int) -> int:
    """Store a result; its length in characters, which is all that is wanted when there is no room at all."""
    count = len(data) // width
    if room:
        if count > room:
            raise WinsockError(ERROR_INSUFFICIENT_BUFFER)
        memory.write(address, data)
    return count


def _check_pointers(source: int, target: int, room: int) -> None:
    if room < 0 or (room and (target < memory.LOWEST or target == source)):
        raise WinsockError(ERROR_INVALID_PARAMETER)


def MultiByteToWideChar(
    CodePage: int, dwFlags: int, lpMultiByteStr: int, cbMultiByte: int, lpWideCharStr: int, cchWideChar: int
) -> int:
    _check_pointers(lpMultiByteStr, lpWideCharStr, cchWideChar)
    data = _source(lpMultiByteStr, cbMultiByte, 1)
    code_page = CP_UTF8 if CodePage in _ANSI else CodePage
    codec = _codec(code_page)
    if dwFlags & ~(MB_ERR_INVALID_CHARS if CodePage == CP_UTF8 else 0 if code_page == CP_UTF7 else _TO_WIDE):
        raise WinsockError(ERROR_INVALID_FLAGS)
    try:
        text = data.decode(codec, "strict" if dwFlags & MB_ERR_INVALID_CHARS else "replace")
    except UnicodeDecodeError as failure:
        raise WinsockError(ERROR_NO_UNICODE_TRANSLATION) from failure
    return _deliver(text.encode("utf-16-le"), 2, lpWideCharStr, cchWideChar)


def WideCharToMultiByte(
    CodePage: int,
    dwFlags: int,
    lpWideCharStr: int,
    cchWideChar: int,
    lpMultiByteStr: int,
    cbMultiByte: int,
    lpDefaultChar: int,
    lpUsedDefaultChar: int,
) -> int:
    _check_pointers(lpWideCharStr, lpMultiByteStr, cbMultiByte)
    data = _source(lpWideCharStr, cchWideChar, 2)
    code_page = CP_UTF8 if CodePage in _ANSI else CodePage
    codec = _codec(code_page)
    unicode = code_page in (CP_UTF7, CP_UTF8)
    if dwFlags & ~(WC_ERR_INVALID_CHARS if CodePage == CP_UTF8 else 0 if code_page == CP_UTF7 else _TO_BYTES):
        raise WinsockError(ERROR_INVALID_FLAGS)
    if CodePage in (CP_UTF7, CP_UTF8) and (lpDefaultChar or lpUsedDefaultChar):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    try:
        text = data.decode("utf-16-le")
    except UnicodeDecodeError as failure:
        if dwFlags & WC_ERR_INVALID_CHARS:
            raise WinsockError(ERROR_NO_UNICODE_TRANSLATION) from failure
        text = data.decode("utf-16-le", "replace")
    used = False
    if unicode:
        encoded = text.encode(codec)
    else:
        default = ctypes.string_at(lpDefaultChar) if lpDefaultChar >= memory.LOWEST else b"?"
        pieces = []
        for character in text:
            try:
                pieces.append(character.encode(codec))
            except UnicodeEncodeError:
                pieces.append(default)
                used = True
        encoded = b"".join(pieces)
    if lpUsedDefaultChar >= memory.LOWEST:
        memory.store_32(lpUsedDefaultChar, used)
    return _deliver(encoded, 1, lpMultiByteStr, cbMultiByte)


def lstrlenA(lpString: int) -> int:
    return len(memory.ansi_bytes(lpString) or b"")


def lstrlenW(lpString: int) -> int:
    return _length(lpString) if lpString >= memory.LOWEST else 0


def lstrcmpA(lpString1: int, lpString2: int) -> int:
    return _compare(memory.ansi(lpString1), memory.ansi(lpString2))


def lstrcmpW(lpString1: int, lpString2: int) -> int:
    return _compare(memory.wide(lpString1), memory.wide(lpString2))


def lstrcmpiA(lpString1: int, lpString2: int) -> int:
    return _compare(memory.ansi(lpString1), memory.ansi(lpString2), case=False)


def lstrcmpiW(lpString1: int, lpString2: int) -> int:
    return _compare(memory.wide(lpString1), memory.wide(lpString2), case=False)


def _compare(first: str | None, second: str | None, *, case: bool = True) -> int:
    if first is None or second is None:
        return (first is not None) - (second is not None)
    parts = 3 if case else 2
    one, other = _weights(first)[:parts], _weights(second)[:parts]
    return (one > other) - (one < other)


def _weights(text: str) -> tuple[list[tuple[int, str]], list[str], list[bool]]:
    """What a text is sorted by: its letters, its accents, its case."""
    letters: list[tuple[int, str]] = []
    accents: list[str] = []
    upper: list[bool] = []
    for character in unicodedata.normalize("NFD", text):
        if unicodedata.combining(character):
            accents.append(character)
            continue
        kind = 2 if character.isalpha() else 1 if character.isdigit() else 0
        letters.append((kind, character.casefold()))
        accents.append("")
        upper.append(character.isupper())
    return letters, accents, upper
