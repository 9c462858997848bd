"""Tracebacks that end where they end on Windows: in the line that calls into the system.

Lives here:      forgetting the emulator's frames, in an exception that nobody has caught, and in those behind it.
Lives elsewhere: functions of ctypes, which have no frames of ours in the first place (capi.functions).
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Final

_OURS: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_MADE_BY_US: Final = "<export>"
_MISTAKES: Final = (AssertionError, AttributeError, LookupError, NameError)  # of ours, which have to be found


def _is_ours(traceback: TracebackType) -> bool:
    file = traceback.tb_frame.f_code.co_filename
    return file.startswith(_OURS) or file == _MADE_BY_US


def cut_where_it_enters_us(traceback: TracebackType | None) -> None:
    """End a traceback before its first frame of ours, the one it starts with aside."""
    while traceback is not None:
        inner = traceback.tb_next
        if inner is not None and _is_ours(inner):
            traceback.tb_next = None
            return
        traceback = inner


def end_in_the_program(failure: BaseException, traceback: TracebackType | None) -> None:
    """Cut the frames of ours that a traceback ends with, and those of what failed before; forget what failed in us."""
    seen: set[int] = set()
    following: BaseException | None = failure
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        if not isinstance(following, _MISTAKES) and _cut_end(traceback):
            # Raised by us, and whatever from: to the program all that is inside the system.
            earlier = following.__context__
            while earlier is not None and _is_all_ours(earlier.__traceback__):
                earlier = earlier.__context__
            following.__cause__, following.__context__ = None, earlier
            following.__suppress_context__ = False
        following = following.__cause__ or following.__context__
        traceback = None if following is None else following.__traceback__


def _cut_end(traceback: TracebackType | None) -> bool:
    """Whether there was something to cut."""
    last = None
    while traceback is not None:
        if not _is_ours(traceback):
            last = traceback
        traceback = traceback.tb_next
    if last is None or last.tb_next is None:
        return False
    last.tb_next = None
    return True


def _is_all_ours(traceback: TracebackType | None) -> bool:
    if traceback is None:
        return False
    while traceback is not None:
        if not _is_ours(traceback):
            return False
        traceback = traceback.tb_next
    return True
