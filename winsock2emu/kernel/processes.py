"""Other processes, as far as a process identifier says something about them.

Part played:     PsLookupProcessByProcessId.
Identifiers:     the host's, which GetCurrentProcessId tells as well.
"""

from __future__ import annotations

import errno
import os


def process_exists(process_id: int) -> bool:
    """Whether there is a process of that number, one's own or anybody's."""
    if not 0 < process_id < 1 << 31:  # to the host, others mean groups of processes or nothing at all
        return False
    try:
        os.kill(process_id, 0)
    except OSError as failure:
        return failure.errno == errno.EPERM  # somebody else's
    return True
