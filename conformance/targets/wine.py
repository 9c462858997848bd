"""Wine: the C-ABI driver on the DLLs of another implementation, over a bridge.

Part played:     the second opinion. The same cases, byte for byte, judge Wine's ws2_32 as they judge ours.
Lives here:      what has to be there, compiling the far end, Wine's private folder of settings (its prefix), and a
                 new start after a call that crashed or hung.
Lives elsewhere: the bridge (bridge.py, bridge.c); running this for the record (``make oracle``).
Kept:            the compiled program and the prefix, in the user's cache, so that only the first run waits for them.
                 The folder's name has Wine's version and what the program is made of: a new one of either gets a new
                 one.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import hashlib
import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ..bridge import Bridge, BridgeLost
from ..driver import CDriver
from ..target import Target
from . import Unavailable

_SOURCE: Final = Path(__file__).parents[1] / "bridge.c"
_COMPILER: Final = "x86_64-w64-mingw32-gcc"
#: Where Debian keeps the 64-bit loader, then what others call it.
_LOADERS: Final = ("/usr/lib/wine/wine64", "wine64", "wine")
#: program -> the Debian package that has it
_PACKAGES: Final = {"wine64": "wine64", _COMPILER: "gcc-mingw-w64-x86-64"}


def missing() -> list[str]:
    """The Debian packages of what this target needs and does not find."""
    there = {"wine64": _loader() is not None, _COMPILER: shutil.which(_COMPILER) is not None}
    return [package for program, package in _PACKAGES.items() if not there[program]]


def _loader() -> str | None:
    return next((found for name in _LOADERS if (found := shutil.which(name))), None)


class WineTarget(CDriver):
    """Wine's DLLs."""

    name = "wine"

    def __init__(self, loader: str, version: str) -> None:
        self.description = f"ws2_32.dll of {version}"
        self._command, self._environment = _prepared(loader, version)
        self._bridge: Bridge | None = None

    def begin(self) -> None:
        """Start Wine where there is none, or none to be trusted; a driver knows one machine, and begins anew too."""
        if self._bridge is None or not self._bridge.usable:
            if self._bridge is not None:
                self._bridge.close()
            self._bridge = Bridge(self._command, self._environment)
            super().__init__(self._bridge)
        super().begin()

    def end(self) -> int:
        try:
            return super().end()
        except BridgeLost:  # Wine ended, with all that was open: the case that lost it has said so
            return 0


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes out that want to make the same things."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def _prepared(loader: str, version: str) -> tuple[list[str], dict[str, str]]:
    """What runs the compiled far end, and the environment in which Wine does so with a prefix of our own.

    Raises:
        Unavailable: it cannot be compiled, or Wine cannot make its prefix.
    """
    made_of = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "winsock2emu")
    folder = cache / f"{version.partition(' ')[0]}-{made_of}"
    folder.mkdir(parents=True, exist_ok=True)
    program, prefix = folder / "bridge.exe", folder / "prefix"
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL")},
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",  # asked for by a new prefix, and of no use here
    }
    with _alone(folder):
        if not program.exists():
            _run([_COMPILER, "-O2", "-o", str(program.with_suffix(".new")), str(_SOURCE)], dict(os.environ))
            program.with_suffix(".new").rename(program)
        if not prefix.exists():
            _make_prefix(loader, folder / "prefix.new", environment)
            (folder / "prefix.new").rename(prefix)
        own = _copy_of_our_own(prefix)
    environment["WINEPREFIX"] = str(own)
    atexit.register(_end_all_in, own)
    return [loader, str(program)], environment


def _make_prefix(loader: str, prefix: Path, environment: Mapping[str, str]) -> None:
    """Have Wine make a prefix, and wait until all of it is on the disk."""
    there = {**environment, "WINEPREFIX": str(prefix)}
    _run([loader, "wineboot.exe", "--init"], there)
    servers = (str(Path(loader).with_name("wineserver64")), str(Path(loader).with_name("wineserver")), "wineserver")
    if server := next((found for name in servers if (found := shutil.which(name))), None):
        _run([server, "-w"], there)


def _end_all_in(prefix: Path) -> None:
    """Wine's own processes in a prefix stay for ever, now and then, when the last program was killed."""
    mark = f"WINEPREFIX={prefix}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is somebody else's
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)


def _copy_of_our_own(prefix: Path) -> Path:
    """The first copy of ``prefix`` that no other process has; it is this one's until its end.

    With its prefix a process has its wineserver: no other's failure reaches it. The files of a copy are links.
    """
    for number in itertools.count():
        lock = os.open(prefix.with_name(f"prefix-{number}.lock"), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # and never given back: the end of the process does
        except OSError:
            os.close(lock)
            continue
        own = prefix.with_name(f"prefix-{number}")
        if not own.exists():
            shutil.rmtree(own.with_suffix(".new"), ignore_errors=True)
            shutil.copytree(prefix, own.with_suffix(".new"), symlinks=True, copy_function=os.link)
            own.with_suffix(".new").rename(own)
        return own
    raise AssertionError


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    ended = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ended.returncode:
        raise Unavailable(f"{' '.join(command)}: {ended.stderr.strip() or f'status {ended.returncode}'}")


def make() -> Target:
    loader = _loader()
    if loader is None or missing():
        raise Unavailable(f"not installed: {', '.join(missing())} (the names of Debian's packages)")
    version = subprocess.run([loader, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return WineTarget(loader, version)
