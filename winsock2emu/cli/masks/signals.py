"""The module ``signal`` for a program.

Part played:     the seven signals of Windows' C runtime.
Lives here:      which names there are. SIGBREAK, CTRL_C_EVENT and CTRL_BREAK_EVENT are what the host's terminal has
                 in their places: SIGINT for Ctrl+C, and SIGQUIT (Ctrl+\\) for Ctrl+Break.
Lives elsewhere: everything else: the host's module, which a mask passes on (masks.mask).
Sources:         the signal reference of the Python documentation, "Availability"; "signal" on Microsoft Learn.
"""

from __future__ import annotations

import signal
from typing import Final

from .mask import Mask

_ON_WINDOWS: Final = """
    Handlers NSIG SIGABRT SIGFPE SIGILL SIGINT SIGSEGV SIGTERM SIG_DFL SIG_IGN Signals default_int_handler
    getsignal raise_signal set_wakeup_fd signal strsignal valid_signals
"""


def signal_module() -> Mask:
    """``signal`` for a program."""
    own = {
        "SIGBREAK": signal.SIGQUIT,
        "CTRL_C_EVENT": signal.SIGINT,
        "CTRL_BREAK_EVENT": signal.SIGQUIT,
    }
    there = _ON_WINDOWS.split()
    hidden = {name for name in dir(signal) if not name.startswith("_") and name not in there}
    return Mask(signal, own, hidden)
