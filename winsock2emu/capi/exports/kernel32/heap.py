"""Heaps, local and global memory, and pages.

Part played:     heapapi.h, LocalAlloc and GlobalAlloc of winbase.h, memoryapi.h.
Lives here:      blocks of real memory, aligned as on Windows, and regions of pages with their states.
State:           the blocks belong to the machine process and its address space, which all emulated processes share.
Moveable:        memory never moves, so a handle of local or global memory is its address.
Pages:           reserved pages have memory from the start, all zero. What a page may be used for is kept and told, not
                 enforced: a program that hits a page without rights does not crash. A region is placed where the host
                 likes; an address that a program asks for is never free (ERROR_INVALID_ADDRESS).
Wrong pointers:  what no block begins at is refused, where Windows might end the program.
Sources:         "Heap Functions", "Global and Local Functions", VirtualAlloc, VirtualFree and VirtualProtect on
                 Microsoft Learn.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import threading
from typing import Final

import attrs

from ....defs.codes import (
    ERROR_INVALID_ADDRESS,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_ENOUGH_MEMORY,
)
from ....defs.winbase import (
    HEAP_REALLOC_IN_PLACE_ONLY,
    MEM_COMMIT,
    MEM_DECOMMIT,
    MEM_RELEASE,
    MEM_RESERVE,
    MEM_TOP_DOWN,
    PAGE_EXECUTE,
    PAGE_EXECUTE_READ,
    PAGE_EXECUTE_READWRITE,
    PAGE_EXECUTE_WRITECOPY,
    PAGE_GUARD,
    PAGE_NOACCESS,
    PAGE_NOCACHE,
    PAGE_READONLY,
    PAGE_READWRITE,
    PAGE_WRITECOMBINE,
    PAGE_WRITECOPY,
)
from ....errors import WinsockError, set_last_error
from ... import memory
from ...threads import made_by_c
from ._pointers import out

__all__ = [
    "GetProcessHeap",
    "GlobalAlloc",
    "GlobalFree",
    "HeapAlloc",
    "HeapCreate",
    "HeapDestroy",
    "HeapFree",
    "HeapReAlloc",
    "HeapSize",
    "LocalAlloc",
    "LocalFree",
    "VirtualAlloc",
    "VirtualFree",
    "VirtualProtect",
]

_PROCESS_HEAP: Final = 0x7FF600000000  # a number that no object and no memory has
_ALIGNMENT: Final = 16
_LARGEST: Final = 1 << 46
PAGE: Final = 4096
_GRANULARITY: Final = 0x10000

_PROTECTIONS: Final = frozenset(
    (
        *(PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE),
        *(PAGE_WRITECOPY, PAGE_EXECUTE_WRITECOPY),
    )
)
_COPY: Final = frozenset((PAGE_WRITECOPY, PAGE_EXECUTE_WRITECOPY))  # of mapped files only

# Blocks by address: their size, and what keeps the memory.
_blocks: Final[dict[int, tuple[int, ctypes.Array[ctypes.c_char]]]] = {}


def allocate(size: int) -> int:
    """A block of zeroed memory, aligned to 16 bytes; its address. A size of 0 is a block, too."""
    if size > _LARGEST:
        raise WinsockError(ERROR_NOT_ENOUGH_MEMORY)
    try:
        kept = ctypes.create_string_buffer(max(size, 1) + _ALIGNMENT)
    except (MemoryError, OverflowError) as failure:
        raise WinsockError(ERROR_NOT_ENOUGH_MEMORY) from failure
    address = -(-ctypes.addressof(kept) // _ALIGNMENT) * _ALIGNMENT
    _blocks[address] = size, kept
    return address


def free(address: int) -> bool:
    """Give a block back; False when none begins there."""
    return _blocks.pop(address, None) is not None


# The addresses of the blocks of each heap; local and global memory, and messages, are in none of them.
_heaps: Final[dict[int, set[int]]] = {_PROCESS_HEAP: set()}
_heap_numbers: Final = itertools.count(_PROCESS_HEAP + _GRANULARITY, _GRANULARITY)


def _blocks_of(heap: int) -> set[int]:
    found = _heaps.get(heap)
    if found is None:
        raise WinsockError(ERROR_INVALID_HANDLE)
    return found


def _block_of(heap: int, address: int) -> set[int]:
    blocks = _blocks_of(heap)
    if address not in blocks:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    return blocks


def HeapCreate(flOptions: int, dwInitialSize: int, dwMaximumSize: int) -> int:
    if dwMaximumSize and dwInitialSize > dwMaximumSize:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    heap = next(_heap_numbers)
    _heaps[heap] = set()
    return heap


def HeapDestroy(hHeap: int) -> int:
    if hHeap == _PROCESS_HEAP:
        raise WinsockError(ERROR_INVALID_HANDLE)
    for address in _blocks_of(hHeap):
        free(address)
    del _heaps[hHeap]
    return 1


def HeapSize(hHeap: int, dwFlags: int, lpMem: int) -> int:
    _block_of(hHeap, lpMem)
    return _blocks[lpMem][0]


def GetProcessHeap() -> int:
    return _PROCESS_HEAP


def HeapAlloc(hHeap: int, dwFlags: int, dwBytes: int) -> int:
    blocks = _blocks_of(hHeap)
    address = allocate(dwBytes)
    blocks.add(address)
    return address


def HeapReAlloc(hHeap: int, dwFlags: int, lpMem: int, dwBytes: int) -> int:
    blocks = _block_of(hHeap, lpMem)
    before = _blocks[lpMem][0]
    if dwFlags & HEAP_REALLOC_IN_PLACE_ONLY and dwBytes > before:
        raise WinsockError(ERROR_NOT_ENOUGH_MEMORY)
    if dwFlags & HEAP_REALLOC_IN_PLACE_ONLY:
        _blocks[lpMem] = dwBytes, _blocks[lpMem][1]
        return lpMem
    address = allocate(dwBytes)
    ctypes.memmove(address, lpMem, min(before, dwBytes))
    free(lpMem)
    blocks.discard(lpMem)
    blocks.add(address)
    return address


def HeapFree(hHeap: int, dwFlags: int, lpMem: int) -> int:
    if lpMem:
        _block_of(hHeap, lpMem).discard(lpMem)
        free(lpMem)
    else:
        _blocks_of(hHeap)
    return 1


def LocalAlloc(uFlags: int, uBytes: int) -> int:
    return allocate(uBytes)


def LocalFree(hMem: int) -> int:
    return _free_handle(hMem)


def GlobalAlloc(uFlags: int, dwBytes: int) -> int:
    return allocate(dwBytes)


def GlobalFree(hMem: int) -> int:
    return _free_handle(hMem)


def _free_handle(handle: int) -> int:
    """NULL is success, the handle itself failure."""
    if handle and not free(handle):
        made_by_c()
        set_last_error(ERROR_INVALID_HANDLE)
        return handle
    return 0


# Pages


@attrs.define(eq=False)
class Region:
    """Pages that were reserved by one call.

    Attributes:
        base: address of the first one, a multiple of 64 KiB.
        size: in bytes, a multiple of 4096.
        allocated: the protection that the call asked for.
        pages: protection by page number; 0 for one that is only reserved.
    """

    base: int
    size: int
    allocated: int
    pages: list[int]
    kept: mmap.mmap
    anchor: ctypes.Array[ctypes.c_char]


_regions: Final[dict[int, Region]] = {}
_pages: Final = threading.Lock()


def _check_protection(protection: int) -> None:
    plain = protection & ~(PAGE_GUARD | PAGE_NOCACHE | PAGE_WRITECOMBINE)
    if plain not in _PROTECTIONS or plain in _COPY:
        raise WinsockError(ERROR_INVALID_PARAMETER)


def region_of(address: int) -> Region | None:
    """The region that an address is in."""
    return next((one for one in _regions.values() if one.base <= address < one.base + one.size), None)


def _span(region: Region, address: int, size: int) -> range:
    """The pages that a range of bytes touches."""
    return range((address - region.base) // PAGE, -(-(address + size - region.base) // PAGE))


def _inside(address: int, size: int) -> Region:
    region = region_of(address)
    if region is None or address + size > region.base + region.size:
        raise WinsockError(ERROR_INVALID_ADDRESS)
    return region


def VirtualAlloc(lpAddress: int, dwSize: int, flAllocationType: int, flProtect: int) -> int:
    if not dwSize or not flAllocationType & (MEM_COMMIT | MEM_RESERVE):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if flAllocationType & ~(MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    _check_protection(flProtect)
    if dwSize > _LARGEST:
        raise WinsockError(ERROR_NOT_ENOUGH_MEMORY)
    with _pages:
        if not lpAddress:
            return _reserve(dwSize, flProtect, committed=bool(flAllocationType & MEM_COMMIT))
        if flAllocationType & MEM_RESERVE:
            raise WinsockError(ERROR_INVALID_ADDRESS)
        region = _inside(lpAddress, dwSize)
        span = _span(region, lpAddress, dwSize)
        for page in span:
            region.pages[page] = flProtect
        return region.base + span.start * PAGE


def _reserve(size: int, protection: int, *, committed: bool) -> int:
    size = -(-size // PAGE) * PAGE
    try:
        kept = mmap.mmap(-1, size + _GRANULARITY)
    except (OSError, OverflowError, ValueError) as failure:
        raise WinsockError(ERROR_NOT_ENOUGH_MEMORY) from failure
    anchor = (ctypes.c_char * (size + _GRANULARITY)).from_buffer(kept)
    base = -(-ctypes.addressof(anchor) // _GRANULARITY) * _GRANULARITY
    pages = [protection if committed else 0] * (size // PAGE)
    _regions[base] = Region(base, size, protection, pages, kept, anchor)
    return base


def VirtualFree(lpAddress: int, dwSize: int, dwFreeType: int) -> int:
    if dwFreeType not in (MEM_DECOMMIT, MEM_RELEASE):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    with _pages:
        region = region_of(lpAddress)
        if region is None:
            raise WinsockError(ERROR_INVALID_ADDRESS)
        if dwFreeType == MEM_RELEASE:
            if dwSize or lpAddress != region.base:
                raise WinsockError(ERROR_INVALID_PARAMETER if dwSize else ERROR_INVALID_ADDRESS)
            del _regions[region.base]
            return 1
        if not dwSize:
            if lpAddress != region.base:
                raise WinsockError(ERROR_INVALID_PARAMETER)
            dwSize = region.size
        region = _inside(lpAddress, dwSize)
        for page in _span(region, lpAddress, dwSize):
            region.pages[page] = 0
            ctypes.memset(region.base + page * PAGE, 0, PAGE)  # committed again, it is zero
    return 1


def VirtualProtect(lpAddress: int, dwSize: int, flNewProtect: int, lpflOldProtect: int) -> int:
    _check_protection(flNewProtect)
    out(lpflOldProtect)
    with _pages:
        region = _inside(lpAddress, dwSize)
        span = _span(region, lpAddress, dwSize)
        if not dwSize:
            raise WinsockError(ERROR_INVALID_PARAMETER)
        if not all(region.pages[page] for page in span):
            raise WinsockError(ERROR_INVALID_ADDRESS)
        before = region.pages[span.start]
        for page in span:
            region.pages[page] = flNewProtect
    memory.store_32(lpflOldProtect, before)
    return 1
