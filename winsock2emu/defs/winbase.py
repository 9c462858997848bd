"""Numbers of winnt.h, winbase.h and fileapi.h that C programs need for files, memory and text, and their errors.

Part played:     the parts of those headers behind CreateFile, VirtualAlloc, LocalAlloc and WideCharToMultiByte.
Lives elsewhere: all codes and constants of the Winsock headers (codes, constants), winuser.h (windows).
Sources:         the pages of each function on Microsoft Learn; System Error Codes.
"""

from __future__ import annotations

from typing import Final

# Rights.
FILE_READ_DATA: Final = 0x0001
FILE_WRITE_DATA: Final = 0x0002
FILE_APPEND_DATA: Final = 0x0004
DELETE: Final = 0x00010000
MAXIMUM_ALLOWED: Final = 0x02000000
GENERIC_ALL: Final = 0x10000000
GENERIC_EXECUTE: Final = 0x20000000
GENERIC_WRITE: Final = 0x40000000
GENERIC_READ: Final = 0x80000000

FILE_SHARE_READ: Final = 1
FILE_SHARE_WRITE: Final = 2
FILE_SHARE_DELETE: Final = 4

CREATE_NEW: Final = 1
CREATE_ALWAYS: Final = 2
OPEN_EXISTING: Final = 3
OPEN_ALWAYS: Final = 4
TRUNCATE_EXISTING: Final = 5

FILE_ATTRIBUTE_READONLY: Final = 0x00000001
FILE_ATTRIBUTE_DIRECTORY: Final = 0x00000010
FILE_ATTRIBUTE_ARCHIVE: Final = 0x00000020
FILE_ATTRIBUTE_NORMAL: Final = 0x00000080
FILE_ATTRIBUTE_TEMPORARY: Final = 0x00000100
FILE_FLAG_BACKUP_SEMANTICS: Final = 0x02000000
FILE_FLAG_DELETE_ON_CLOSE: Final = 0x04000000
FILE_FLAG_SEQUENTIAL_SCAN: Final = 0x08000000

FILE_BEGIN: Final = 0
FILE_CURRENT: Final = 1
FILE_END: Final = 2

# Memory.
HEAP_ZERO_MEMORY: Final = 0x0008
HEAP_REALLOC_IN_PLACE_ONLY: Final = 0x0010
LMEM_MOVEABLE: Final = 0x0002
LMEM_ZEROINIT: Final = 0x0040

MEM_COMMIT: Final = 0x1000
MEM_RESERVE: Final = 0x2000
MEM_DECOMMIT: Final = 0x4000
MEM_RELEASE: Final = 0x8000
MEM_RESET: Final = 0x80000
MEM_TOP_DOWN: Final = 0x100000
MEM_WRITE_WATCH: Final = 0x200000

PAGE_NOACCESS: Final = 0x01
PAGE_READONLY: Final = 0x02
PAGE_READWRITE: Final = 0x04
PAGE_WRITECOPY: Final = 0x08
PAGE_EXECUTE: Final = 0x10
PAGE_EXECUTE_READ: Final = 0x20
PAGE_EXECUTE_READWRITE: Final = 0x40
PAGE_EXECUTE_WRITECOPY: Final = 0x80
PAGE_GUARD: Final = 0x100
PAGE_NOCACHE: Final = 0x200
PAGE_WRITECOMBINE: Final = 0x400

# Text.
CP_OEMCP: Final = 1
CP_THREAD_ACP: Final = 3
CP_UTF7: Final = 65000
MB_PRECOMPOSED: Final = 0x01
MB_COMPOSITE: Final = 0x02
MB_USEGLYPHCHARS: Final = 0x04
MB_ERR_INVALID_CHARS: Final = 0x08
WC_DISCARDNS: Final = 0x10
WC_SEPCHARS: Final = 0x20
WC_DEFAULTCHAR: Final = 0x40
WC_ERR_INVALID_CHARS: Final = 0x80
WC_COMPOSITECHECK: Final = 0x200
WC_NO_BEST_FIT_CHARS: Final = 0x400

# GetComputerNameEx.
ComputerNameNetBIOS: Final = 0
ComputerNameDnsHostname: Final = 1
ComputerNameDnsDomain: Final = 2
ComputerNameDnsFullyQualified: Final = 3
ComputerNamePhysicalNetBIOS: Final = 4
ComputerNamePhysicalDnsHostname: Final = 5
ComputerNamePhysicalDnsDomain: Final = 6
ComputerNamePhysicalDnsFullyQualified: Final = 7

# Threads.
STILL_ACTIVE: Final = 259
TLS_MINIMUM_AVAILABLE: Final = 64
TLS_MAXIMUM: Final = 1088

# Codes.
ERROR_WRITE_PROTECT: Final = 19
ERROR_GEN_FAILURE: Final = 31
ERROR_FILE_EXISTS: Final = 80
ERROR_DISK_FULL: Final = 112
ERROR_NEGATIVE_SEEK: Final = 131
ERROR_INVALID_ORDINAL: Final = 182
ERROR_FILENAME_EXCED_RANGE: Final = 206
ERROR_RESOURCE_TYPE_NOT_FOUND: Final = 1813
ERROR_RESOURCE_LANG_NOT_FOUND: Final = 1815

MESSAGES: Final[dict[int, str]] = {
    ERROR_WRITE_PROTECT: "The media is write protected.",
    ERROR_GEN_FAILURE: "A device attached to the system is not functioning.",
    ERROR_FILE_EXISTS: "The file exists.",
    ERROR_DISK_FULL: "There is not enough space on the disk.",
    ERROR_NEGATIVE_SEEK: "An attempt was made to move the file pointer before the beginning of the file.",
    ERROR_INVALID_ORDINAL: "The operating system cannot run %1.",
    ERROR_FILENAME_EXCED_RANGE: "The filename or extension is too long.",
    ERROR_RESOURCE_TYPE_NOT_FOUND: "The specified resource type cannot be found in the image file.",
    ERROR_RESOURCE_LANG_NOT_FOUND: "The specified resource language ID cannot be found in the image file.",
}
