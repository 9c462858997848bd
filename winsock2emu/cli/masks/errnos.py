"""The module ``errno`` for a program.

Part played:     the error numbers of Windows' C runtime, with Winsock's where both have a name.
Lives here:      the numbers, and which Winsock codes the module lists.
Lives elsewhere: Winsock's numbers (defs.codes).
Limits:          functions of the host report the host's numbers; 1 to 34 mean the same on both sides, except 11,
                 which is the host's EWOULDBLOCK too.
Sources:         errno constants on Microsoft Learn; CPython's errno reference for the set of names.
"""

from __future__ import annotations

import errno
from types import ModuleType
from typing import Final

from ...defs import codes

_RUNTIME: Final[dict[str, int]] = {
    "EPERM": 1,
    "ENOENT": 2,
    "ESRCH": 3,
    "EINTR": 4,
    "EIO": 5,
    "ENXIO": 6,
    "E2BIG": 7,
    "ENOEXEC": 8,
    "EBADF": 9,
    "ECHILD": 10,
    "EAGAIN": 11,
    "ENOMEM": 12,
    "EACCES": 13,
    "EFAULT": 14,
    "EBUSY": 16,
    "EEXIST": 17,
    "EXDEV": 18,
    "ENODEV": 19,
    "ENOTDIR": 20,
    "EISDIR": 21,
    "EINVAL": 22,
    "ENFILE": 23,
    "EMFILE": 24,
    "ENOTTY": 25,
    "EFBIG": 27,
    "ENOSPC": 28,
    "ESPIPE": 29,
    "EROFS": 30,
    "EMLINK": 31,
    "EPIPE": 32,
    "EDOM": 33,
    "ERANGE": 34,
    "EDEADLK": 36,
    "EDEADLOCK": 36,
    "ENAMETOOLONG": 38,
    "ENOLCK": 39,
    "ENOSYS": 40,
    "ENOTEMPTY": 41,
    "EILSEQ": 42,
    "EBADMSG": 104,
    "ECANCELED": 105,
    "EIDRM": 111,
    "ENODATA": 120,
    "ENOLINK": 121,
    "ENOMSG": 122,
    "ENOSR": 124,
    "ENOSTR": 125,
    "ENOTRECOVERABLE": 127,
    "ENOTSUP": 129,
    "EOVERFLOW": 132,
    "EOWNERDEAD": 133,
    "EPROTO": 134,
    "ETIME": 137,
    "ETXTBSY": 139,
}

# POSIX names whose number is Winsock's: WSA in front of the name.
_SHARED: Final = """
    EWOULDBLOCK EINPROGRESS EALREADY ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT
    ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH
    ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED
    ELOOP EHOSTDOWN EHOSTUNREACH EUSERS EDQUOT ESTALE EREMOTE
"""

# Winsock names the module has beside those.
_WINSOCK_ONLY: Final = """
    EINTR EBADF EACCES EFAULT EINVAL EMFILE ENAMETOOLONG ENOTEMPTY EPROCLIM EDISCON
    SYSNOTREADY VERNOTSUPPORTED NOTINITIALISED
"""


def errno_module() -> ModuleType:
    """``errno`` for a program. It has nothing of the host's."""
    module = ModuleType("errno", errno.__doc__)
    shared = _SHARED.split()
    winsock = {f"WSA{name}": int(getattr(codes, f"WSA{name}")) for name in (*shared, *_WINSOCK_ONLY.split())}
    winsock["WSABASEERR"] = 10000
    numbers = {**_RUNTIME, **{name: winsock[f"WSA{name}"] for name in shared}, **winsock}
    module.__dict__.update(numbers)
    # Of two names for one number the later is listed: Winsock's own.
    module.__dict__["errorcode"] = {number: name for name, number in numbers.items()}
    module.__dict__.update(__spec__=errno.__spec__, __loader__=errno.__loader__, __package__="")
    return module
