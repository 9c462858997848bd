"""Processes: who runs, what a handle of one tells, and starting others.

Part played:     processthreadsapi.h, without threads (threads).
Lives elsewhere: the end of a process (engine/children).
Other processes: a process of the host can be seen and not opened, unless it has been started here: what could be done
                 to it would reach beyond the emulated machine.
Children:        are processes of the host. They get what they inherit as descriptors under the host's rules, so what a
                 parent tells a child about a handle of the emulator's own means nothing there.
Sources:         processthreadsapi.h; "Parsing C command-line arguments" on Microsoft Learn.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import attrs

from ..defs.codes import (
    ERROR_ACCESS_DENIED,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    WSAEOPNOTSUPP,
)
from ..defs.winbase import STILL_ACTIVE
from ..engine.children import ChildProcess, StartedProcess
from ..errors import WinsockError, exported
from ..kernel.handles import FIRST_NUMBER
from ..kernel.hostfiles import host_path
from ..kernel.processes import process_exists
from ..kernel.threads import CurrentProcess
from ..process import Process, current_process
from .handles import CURRENT_PROCESS, object_of, typed

CREATE_SUSPENDED: Final = 0x4
CREATE_NEW_PROCESS_GROUP: Final = 0x200

_BLANKS: Final = " \t"


@attrs.frozen
class ProcessInformation:
    """What CreateProcess tells.

    Attributes:
        process: a handle.
        thread: another one, which waits for the same; the host tells nothing of the threads of a process.
        process_id, thread_id: the host's.
    """

    process: int
    thread: int
    process_id: int
    thread_id: int


@exported
def GetCurrentProcessId() -> int:
    """The host's process identifier.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocessid
    """
    return os.getpid()


@exported
def GetCurrentThreadId() -> int:
    """The host's thread identifier, unique among running threads; 32 bits, as on Windows.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthreadid
    """
    return threading.get_native_id() & 0xFFFFFFFF


@exported
def GetProcessId(process: int) -> int:
    """The identifier of the process that a handle leads to; ERROR_INVALID_HANDLE when it is none.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessid
    """
    thing = object_of(current_process(), process)
    if isinstance(thing, ChildProcess):
        return thing.identifier
    typed(current_process(), process, CurrentProcess)
    return os.getpid()


@exported
def GetExitCodeProcess(process: int) -> int:
    """What a process has ended with, STILL_ACTIVE (259) before; ERROR_INVALID_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getexitcodeprocess
    """
    thing = object_of(current_process(), process)
    if isinstance(thing, StartedProcess):
        code = thing.exit_code()
        return STILL_ACTIVE if code is None else code
    typed(current_process(), process, CurrentProcess)
    return STILL_ACTIVE


@exported
def TerminateProcess(process: int, exit_code: int) -> None:
    """End a process that `CreateProcess` has started, at once.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_ACCESS_DENIED, it has ended already; WSAEOPNOTSUPP, the process
            itself.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminateprocess
    """
    thing = object_of(current_process(), process)
    if not isinstance(thing, StartedProcess):
        typed(current_process(), process, CurrentProcess)
        raise WinsockError(WSAEOPNOTSUPP)
    if not thing.terminate(exit_code & 0xFFFFFFFF):
        raise WinsockError(ERROR_ACCESS_DENIED)


@exported
def CreateProcess(
    application: str | None,
    command_line: str | None,
    inherit: bool = False,
    flags: int = 0,
    environment: Mapping[str, str] | None = None,
    directory: str | None = None,
    standard: Sequence[int | None] | None = None,
) -> ProcessInformation:
    """Start a program of the host.

    Args:
        application: its file; None for the one that the command line begins with, which is looked for in PATH.
        command_line: what the program gets, in the quoting of Microsoft's C runtime; None for the application alone.
        inherit: the child gets the descriptors of the host that can be inherited.
        flags: CREATE_NEW_PROCESS_GROUP; others concern consoles and priorities, and change nothing here.
        environment: all of its variables; None for those of this process.
        directory: where it starts; None for here.
        standard: handles for its standard input, output and error, None among them for nothing at all (STARTUPINFO with
            STARTF_USESTDHANDLES); None for those of this process. A number below the emulator's own is a descriptor of
            the host.

    Raises:
        WinsockError: ERROR_FILE_NOT_FOUND; ERROR_ACCESS_DENIED, no program; ERROR_INVALID_PARAMETER, neither a file nor
            a command line; ERROR_INVALID_HANDLE, one that cannot be inherited: no file, pipe or socket; WSAEOPNOTSUPP,
            CREATE_SUSPENDED.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw
    """
    process = current_process()
    if flags & CREATE_SUSPENDED:
        raise WinsockError(WSAEOPNOTSUPP)
    words = split_command_line(command_line if command_line is not None else f'"{application or ""}"')
    if not words or not (application or words[0]):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    program = _program(application, words[0], environment)
    with ExitStack() as stack:
        streams: list[Any] = [None, None, None]
        if standard is not None:
            streams = [stack.enter_context(_inherited(process, handle)) for handle in standard]
        try:
            host = subprocess.Popen(
                words,
                executable=program,
                stdin=streams[0],
                stdout=streams[1],
                stderr=streams[2],
                close_fds=not inherit,
                cwd=None if directory is None else host_path(directory),
                env=None if environment is None else dict(environment),
                process_group=0 if flags & CREATE_NEW_PROCESS_GROUP else None,
            )
        except FileNotFoundError as failure:
            raise WinsockError(ERROR_FILE_NOT_FOUND) from failure
        except OSError as failure:
            raise WinsockError(ERROR_ACCESS_DENIED) from failure
    child = StartedProcess(process.engine, host)
    return ProcessInformation(process.open_handle(child), process.open_handle(child), host.pid, host.pid)


def _program(application: str | None, word: str, environment: Mapping[str, str] | None) -> str:
    """The host's path of a program."""
    if application:
        return host_path(application)
    if "/" in word or "\\" in word:
        return host_path(word)
    found = shutil.which(word)
    if found is None:
        raise WinsockError(ERROR_FILE_NOT_FOUND)
    return found


@contextmanager
def _inherited(process: Process, handle: int | None) -> Iterator[int]:
    """A descriptor that a child can be given for a handle."""
    if handle is None:
        yield subprocess.DEVNULL
        return
    thing = process.objects.get(handle)
    take = getattr(thing, "take_descriptor", None)
    try:
        if take is not None:  # a pipe
            own: int = take()
        elif thing is not None and hasattr(thing, "fileno"):
            own = os.dup(thing.fileno())
        elif 0 <= handle < FIRST_NUMBER:
            own = os.dup(handle)
        else:
            raise WinsockError(ERROR_INVALID_HANDLE)
    except OSError as failure:
        raise WinsockError(ERROR_INVALID_HANDLE) from failure
    try:
        yield own
    finally:
        os.close(own)


def split_command_line(line: str) -> list[str]:
    """The words of a command line: blanks separate, quotes hold together, backslashes count before a quote only.

    Source: https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
    """
    # The program's name comes first and knows no backslashes: they are part of a path.
    line = line.lstrip(_BLANKS)
    if line.startswith('"'):
        name, _, rest = line[1:].partition('"')
    else:
        name = line.split(None, 1)[0] if line else ""
        rest = line[len(name) :]
    words = [name] if line else []
    word: str | None = None
    quoted = False
    backslashes = 0
    for index, character in enumerate(rest):
        if character == "\\":
            backslashes += 1
            continue
        if character == '"':
            word = (word or "") + "\\" * (backslashes // 2)
            if backslashes % 2:
                word += '"'
            elif quoted and rest[index + 1 : index + 2] == '"':
                backslashes = -1  # two of them inside of quotes are one; the second one comes as an escaped one
                continue
            else:
                quoted = not quoted
            backslashes = 0
            continue
        if backslashes > 0:
            word = (word or "") + "\\" * backslashes
        backslashes = 0
        if character in _BLANKS and not quoted:
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + character
    if backslashes > 0:
        word = (word or "") + "\\" * backslashes
    return words if word is None else [*words, word]


@exported
def OpenProcess(access: int, inherit: bool, process_id: int) -> int:
    """A handle of the calling process, or of one that it has started and has a handle of. It has all rights here.

    Raises:
        WinsockError: ERROR_ACCESS_DENIED, another process; ERROR_INVALID_PARAMETER, there is none.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess
    """
    process = current_process()
    for thing in tuple(process.objects.values()):
        if isinstance(thing, ChildProcess) and thing.identifier == process_id:
            return process.open_handle(thing, inherit=bool(inherit))
    if process_id != os.getpid():
        raise WinsockError(ERROR_ACCESS_DENIED if process_exists(process_id) else ERROR_INVALID_PARAMETER)
    return process.open_handle(object_of(process, CURRENT_PROCESS), inherit=bool(inherit))
