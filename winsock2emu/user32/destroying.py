"""How a window ends.

Part played:     what DestroyWindow does, also for WM_CLOSE and a creation that has failed.
Order:           WM_DESTROY to the window and then to those below it, while all still exist; then each of these ends,
                 and last the window gets WM_NCDESTROY. Its handle leads nowhere afterwards.
Sources:         "Destroying a Window", WM_DESTROY and WM_NCDESTROY on Microsoft Learn.
"""

from __future__ import annotations

from ..defs.codes import ERROR_ACCESS_DENIED
from ..defs.windows import WM_DESTROY, WM_NCDESTROY
from ..errors import WinsockError
from ..kernel.windows import Desktop, Window


def destroy(desktop: Desktop, window: Window) -> None:
    """Destroy a window of the calling thread; one that is being destroyed already is left to whoever began.

    Raises:
        WinsockError: ERROR_ACCESS_DENIED, another thread's.
        Exception: what a procedure raised; the window is gone all the same.
    """
    if window.queue is not desktop.queue():
        raise WinsockError(ERROR_ACCESS_DENIED)
    if window.destroying:
        return
    _announce(desktop, window)
    finish(desktop, window)


def _announce(desktop: Desktop, window: Window) -> None:
    window.destroying = True
    try:
        window.call(WM_DESTROY, 0, 0)
        for child in desktop.children(window.hwnd):
            if child.queue is window.queue and not child.destroying:
                _announce(desktop, child)
    except BaseException:
        forget(desktop, window)
        raise


def finish(desktop: Desktop, window: Window) -> None:
    """Tell a window, and before it those below it, that this is the end, and forget them."""
    window.destroying = True
    try:
        for child in desktop.children(window.hwnd):
            if child.queue is window.queue:
                finish(desktop, child)
        if not window.gone:
            window.call(WM_NCDESTROY, 0, 0)
    finally:
        forget(desktop, window)


def forget(desktop: Desktop, window: Window) -> None:
    """Without a word: the window and what is below it."""
    for child in desktop.children(window.hwnd):
        forget(desktop, child)
    desktop.remove(window)
