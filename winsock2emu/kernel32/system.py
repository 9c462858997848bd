"""The machine: its names and its clocks.

Part played:     sysinfoapi.h and profileapi.h beside the tick count (time).
Names:           the host's. Without a domain the fully qualified name is the bare one.
Sources:         the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

import platform
import time
from typing import Final

from ..defs.codes import ERROR_INVALID_PARAMETER
from ..defs.winbase import (
    ComputerNameDnsDomain,
    ComputerNameDnsHostname,
    ComputerNameNetBIOS,
    ComputerNamePhysicalDnsFullyQualified,
    ComputerNamePhysicalNetBIOS,
)
from ..errors import WinsockError, exported

_1601_TO_1970: Final = 116_444_736_000_000_000  # in units of 100 ns
_NETBIOS_LENGTH: Final = 15


@exported
def GetComputerNameEx(name_type: int) -> str:
    """One of the machine's names.

    Args:
        name_type: a ComputerName constant: the NetBIOS name (up to 15 capitals), the DNS host, domain or fully
            qualified name; the physical ones are the same here.

    Raises:
        WinsockError: ERROR_INVALID_PARAMETER, there is no such kind.

    Source: https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getcomputernameexw
    """
    if not ComputerNameNetBIOS <= name_type <= ComputerNamePhysicalDnsFullyQualified:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    full = platform.node() or "localhost"
    host, _, domain = full.partition(".")
    kind = name_type % ComputerNamePhysicalNetBIOS
    if kind == ComputerNameNetBIOS:
        return host[:_NETBIOS_LENGTH].upper()
    if kind == ComputerNameDnsHostname:
        return host
    return domain if kind == ComputerNameDnsDomain else full


@exported
def GetSystemTimeAsFileTime() -> int:
    """The time of day in UTC: units of 100 ns since 1601-01-01.

    Source: https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtimeasfiletime
    """
    return time.time_ns() // 100 + _1601_TO_1970


@exported
def QueryPerformanceCounter() -> int:
    """A clock that never goes back, in units of 1 / `QueryPerformanceFrequency` s.

    Source: https://learn.microsoft.com/windows/win32/api/profileapi/nf-profileapi-queryperformancecounter
    """
    return time.perf_counter_ns() // 100


@exported
def QueryPerformanceFrequency() -> int:
    """10 000 000 a second, as on current Windows.

    Source: https://learn.microsoft.com/windows/win32/api/profileapi/nf-profileapi-queryperformancefrequency
    """
    return 10_000_000
