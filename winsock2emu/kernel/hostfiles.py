"""Files of the host behind Windows' file handles.

Part played:     the file system driver and its share access, as far as programs with sockets use files.
Lives here:      paths, opening by access, share mode and disposition, reading and writing at a position.
Lives elsewhere: completion (kernel/operations), the functions (kernel32.files), sending a file (mswsock).
Paths:           both separators; drive C: is the host's root, no other drive exists (ERROR_PATH_NOT_FOUND). A path
                 without a drive is the host's own, so that programs may mix Windows' spelling and the host's.
                 ``\\\\?\\`` in front is dropped; NUL is the null device; other devices are not there, nor are other
                 machines. Whether the case of letters counts is the host's affair.
Share modes:     kept among the files that this emulated process has open. Other processes are not seen.
Attributes:      a file that nobody may write by its permissions is a read-only one.
Time:            a request on a file never pends: the host's files answer at once, and so do cached ones on Windows.
Sources:         fileapi.h on Microsoft Learn: CreateFileW, ReadFile, WriteFile, SetFilePointer, DeleteFileW; "Naming
                 Files, Paths, and Namespaces"; "Creating and Opening Files", the table of share modes.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
from collections.abc import Callable
from typing import Any, Final

import attrs

from ..defs.codes import (
    ERROR_ACCESS_DENIED,
    ERROR_ALREADY_EXISTS,
    ERROR_BAD_NETPATH,
    ERROR_CALL_NOT_IMPLEMENTED,
    ERROR_FILE_NOT_FOUND,
    ERROR_HANDLE_EOF,
    ERROR_INVALID_NAME,
    ERROR_INVALID_PARAMETER,
    ERROR_PATH_NOT_FOUND,
    ERROR_SHARING_VIOLATION,
    ERROR_TOO_MANY_OPEN_FILES,
)
from ..defs.constants import FILE_FLAG_OVERLAPPED, FILE_TYPE_CHAR, FILE_TYPE_DISK
from ..defs.winbase import (
    CREATE_ALWAYS,
    CREATE_NEW,
    DELETE,
    ERROR_DISK_FULL,
    ERROR_FILE_EXISTS,
    ERROR_FILENAME_EXCED_RANGE,
    ERROR_GEN_FAILURE,
    ERROR_NEGATIVE_SEEK,
    ERROR_WRITE_PROTECT,
    FILE_APPEND_DATA,
    FILE_ATTRIBUTE_ARCHIVE,
    FILE_ATTRIBUTE_DIRECTORY,
    FILE_ATTRIBUTE_READONLY,
    FILE_BEGIN,
    FILE_CURRENT,
    FILE_END,
    FILE_FLAG_BACKUP_SEMANTICS,
    FILE_FLAG_DELETE_ON_CLOSE,
    FILE_READ_DATA,
    FILE_SHARE_DELETE,
    FILE_SHARE_READ,
    FILE_SHARE_WRITE,
    FILE_WRITE_DATA,
    GENERIC_ALL,
    GENERIC_READ,
    GENERIC_WRITE,
    MAXIMUM_ALLOWED,
    OPEN_ALWAYS,
    OPEN_EXISTING,
    TRUNCATE_EXISTING,
)
from ..errors import WinsockError
from .files import FileObject

_1601_TO_1970_UNITS: Final = 116_444_736_000_000_000  # of 100 ns

AT_END: Final = 0xFFFFFFFFFFFFFFFF
"""The offset in an OVERLAPPED that means the end of the file, for writing."""

_CODES: Final = {
    errno.EACCES: ERROR_ACCESS_DENIED,
    errno.EPERM: ERROR_ACCESS_DENIED,
    errno.EISDIR: ERROR_ACCESS_DENIED,
    errno.ENOENT: ERROR_FILE_NOT_FOUND,
    errno.ENOTDIR: ERROR_PATH_NOT_FOUND,
    errno.ELOOP: ERROR_PATH_NOT_FOUND,
    errno.EEXIST: ERROR_FILE_EXISTS,
    errno.EMFILE: ERROR_TOO_MANY_OPEN_FILES,
    errno.ENFILE: ERROR_TOO_MANY_OPEN_FILES,
    errno.ENAMETOOLONG: ERROR_FILENAME_EXCED_RANGE,
    errno.EROFS: ERROR_WRITE_PROTECT,
    errno.ENOSPC: ERROR_DISK_FULL,
    errno.ETXTBSY: ERROR_SHARING_VIOLATION,  # a program that runs: Windows has it open without write sharing
}

_DRIVE: Final = re.compile(r"([A-Za-z]):(.*)", re.DOTALL)
_ILLEGAL: Final = re.compile(r'[<>"|?*\x00-\x1f]')
_DEVICE: Final = re.compile(r"(CON|PRN|AUX|CONIN\$|CONOUT\$|COM[1-9]|LPT[1-9])(\.[^/]*)?", re.IGNORECASE)

# What every right to a file's data stands for in the table of share modes.
_SHARES: Final = (
    (FILE_READ_DATA, FILE_SHARE_READ),
    (FILE_WRITE_DATA | FILE_APPEND_DATA, FILE_SHARE_WRITE),
    (DELETE, FILE_SHARE_DELETE),
)


def from_host(failure: OSError) -> WinsockError:
    """A failure of the host's file system as Windows would tell it."""
    return WinsockError(_CODES.get(failure.errno or 0, ERROR_GEN_FAILURE))


def host_path(name: str | None) -> str:
    """The host's path for one in Windows' spelling.

    Raises:
        WinsockError: ERROR_PATH_NOT_FOUND, no name or another drive than C:; ERROR_FILE_NOT_FOUND, a device;
            ERROR_BAD_NETPATH, another machine; ERROR_INVALID_NAME, characters that no file name may have.
    """
    path = (name or "").replace("\\", "/")
    if path.upper().startswith("//?/UNC/"):
        raise WinsockError(ERROR_BAD_NETPATH)
    if path.startswith("//./"):
        if path[4:].upper() == "NUL":
            return os.devnull
        raise WinsockError(ERROR_FILE_NOT_FOUND)
    path = path.removeprefix("//?/")
    if path.startswith("//"):
        raise WinsockError(ERROR_BAD_NETPATH)
    drive = _DRIVE.fullmatch(path)
    if drive is not None:
        if drive[1] not in "cC":
            raise WinsockError(ERROR_PATH_NOT_FOUND)
        path = drive[2]
    if not path:
        raise WinsockError(ERROR_PATH_NOT_FOUND)
    if _ILLEGAL.search(path):
        raise WinsockError(ERROR_INVALID_NAME)
    last = path.rpartition("/")[2]
    if last.upper() == "NUL":
        return os.devnull
    if _DEVICE.fullmatch(last):
        raise WinsockError(ERROR_FILE_NOT_FOUND)
    return path


def windows_path(path: str) -> str:
    """A host's absolute path in Windows' spelling."""
    return "C:" + path.replace("/", "\\")


def _rights(access: int) -> int:
    """The rights to data that an access mask asks for, generic ones resolved."""
    if access & (GENERIC_ALL | MAXIMUM_ALLOWED):
        return FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA | DELETE
    rights = access & (FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA | DELETE)
    if access & GENERIC_READ:
        rights |= FILE_READ_DATA
    if access & GENERIC_WRITE:
        rights |= FILE_WRITE_DATA | FILE_APPEND_DATA
    return rights


@attrs.frozen
class FileData:
    """What is known of a file without opening it: WIN32_FILE_ATTRIBUTE_DATA.

    Attributes:
        attributes: FILE_ATTRIBUTE bits.
        created, accessed, written: in units of 100 ns since 1601-01-01 UTC. Where the host does not tell when a file
            was made, it is the earliest time that it does tell.
        size: in bytes, 0 of a folder.
    """

    attributes: int
    created: int
    accessed: int
    written: int
    size: int


def file_data(name: str | None) -> FileData:
    """Look at a file or folder.

    Raises:
        WinsockError: ERROR_FILE_NOT_FOUND; ERROR_PATH_NOT_FOUND, a folder on the way is not there; what `host_path`
            raises.
    """
    path = host_path(name)
    try:
        known = os.stat(path)
    except OSError as failure:
        raise _not_there(path, failure) from failure
    folder = stat.S_ISDIR(known.st_mode)
    attributes = FILE_ATTRIBUTE_DIRECTORY if folder else FILE_ATTRIBUTE_ARCHIVE
    if not folder and not known.st_mode & 0o222:
        attributes |= FILE_ATTRIBUTE_READONLY
    times = known.st_ctime_ns, known.st_atime_ns, known.st_mtime_ns
    made_s = getattr(known, "st_birthtime", None)
    created, accessed, written = (
        time_ns // 100 + _1601_TO_1970_UNITS
        for time_ns in (min(times) if made_s is None else int(made_s * 1e9), *times[1:])
    )
    return FileData(attributes, created, accessed, written, 0 if folder else known.st_size)


def _not_there(path: str, failure: OSError) -> WinsockError:
    """What the host could not look at: whether it was the file or a folder on the way that was not there."""
    if failure.errno == errno.ENOENT and not os.path.isdir(os.path.dirname(path) or "."):
        return WinsockError(ERROR_PATH_NOT_FOUND)
    return from_host(failure)


class HostFile(FileObject):
    """An open file of the host.

    Attributes:
        path: the host's.
        rights: to its data, as FILE_READ_DATA and its like.
        share_mode: what others may do meanwhile.
        position: of the next read or write without an offset, in bytes; unused when it is overlapped.
        kind: FILE_TYPE_DISK, or FILE_TYPE_CHAR for the null device.
    """

    __slots__ = ("_at_close", "_descriptor", "_moving", "kind", "path", "position", "rights", "share_mode")

    def __init__(
        self,
        descriptor: int,
        path: str,
        rights: int,
        share: int,
        *,
        overlapped: bool,
        at_close: Callable[[HostFile], None],
    ) -> None:
        super().__init__(overlapped=overlapped)
        self.path = path
        self.rights = rights
        self.share_mode = share
        self.position = 0
        self.kind = FILE_TYPE_DISK if stat.S_ISREG(os.fstat(descriptor).st_mode) else FILE_TYPE_CHAR
        self._descriptor = descriptor
        self._moving = threading.Lock()  # reading and moving on are one step
        self._at_close = at_close

    def fileno(self) -> int:
        """The host's descriptor, which is no handle of the program."""
        return self._descriptor

    def size(self) -> int:
        """In bytes."""
        return os.fstat(self._descriptor).st_size

    def read_at(self, offset: int, buffer: Any) -> int:
        """Fill a buffer from an offset; bytes read, 0 at the end of the file.

        Raises:
            WinsockError: ERROR_ACCESS_DENIED, not opened for reading; ERROR_INVALID_PARAMETER, a negative offset.
        """
        self._check(FILE_READ_DATA, offset)
        view = memoryview(buffer).cast("B")
        moved = 0
        while moved < len(view):
            try:
                data = os.pread(self._descriptor, len(view) - moved, offset + moved)
            except OSError as failure:
                raise from_host(failure) from failure
            if not data:
                break
            view[moved : moved + len(data)] = data
            moved += len(data)
        return moved

    def write_at(self, offset: int, data: Any) -> int:
        """Write all of ``data`` at an offset, at the end for `AT_END` and for a file opened for appending only.

        Raises:
            WinsockError: ERROR_ACCESS_DENIED, not opened for writing; ERROR_DISK_FULL.
        """
        if offset == AT_END or not self.rights & FILE_WRITE_DATA:
            offset = self.size()
        self._check(FILE_WRITE_DATA | FILE_APPEND_DATA, offset)
        view = memoryview(data).cast("B")
        moved = 0
        while moved < len(view):
            try:
                moved += os.pwrite(self._descriptor, view[moved:], offset + moved)
            except OSError as failure:
                raise from_host(failure) from failure
        return moved

    def read(self, buffer: Any) -> int:
        """`read_at` the file's position, which moves on."""
        with self._moving:
            moved = self.read_at(self.position, buffer)
            self.position += moved
        return moved

    def write(self, data: Any) -> int:
        """`write_at` the file's position, which moves on."""
        with self._moving:
            if not self.rights & FILE_WRITE_DATA:
                self.position = self.size()
            moved = self.write_at(self.position, data)
            self.position += moved
        return moved

    def move(self, distance: int, method: int) -> int:
        """Set the position; the new one.

        Raises:
            WinsockError: ERROR_INVALID_PARAMETER, an unknown method; ERROR_NEGATIVE_SEEK.
        """
        with self._moving:
            if method == FILE_BEGIN:
                position = distance
            elif method == FILE_CURRENT:
                position = self.position + distance
            elif method == FILE_END:
                position = self.size() + distance
            else:
                raise WinsockError(ERROR_INVALID_PARAMETER)
            if position < 0:
                raise WinsockError(ERROR_NEGATIVE_SEEK)
            self.position = position
        return position

    def cut(self) -> None:
        """Make the file end at its position."""
        self._check(FILE_WRITE_DATA, self.position)
        try:
            os.ftruncate(self._descriptor, self.position)
        except OSError as failure:
            raise from_host(failure) from failure

    def flush(self) -> None:
        """Have the host put what was written where it lasts."""
        self._check(FILE_WRITE_DATA | FILE_APPEND_DATA, 0)
        try:
            os.fsync(self._descriptor)
        except OSError as failure:
            if failure.errno != errno.EINVAL:  # nothing to flush in the null device
                raise from_host(failure) from failure

    def _check(self, wanted: int, offset: int) -> None:
        if not self.rights & wanted:
            raise WinsockError(ERROR_ACCESS_DENIED)
        if not 0 <= offset < 1 << 63:
            raise WinsockError(ERROR_INVALID_PARAMETER)

    def last_handle_closed(self) -> None:
        super().last_handle_closed()
        self._at_close(self)
        os.close(self._descriptor)


class OpenFiles:
    """The files that a process has open, for the share modes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[tuple[int, int], list[HostFile]] = {}

    def open(self, name: str | None, access: int, share: int, disposition: int, flags: int) -> tuple[HostFile, bool]:
        """CreateFile: the file, and whether it had been there.

        Raises:
            WinsockError: ERROR_INVALID_PARAMETER, an unknown disposition, or TRUNCATE_EXISTING without GENERIC_WRITE;
                ERROR_FILE_NOT_FOUND; ERROR_PATH_NOT_FOUND, a folder on the way is not there; ERROR_FILE_EXISTS,
                CREATE_NEW; ERROR_SHARING_VIOLATION; ERROR_ACCESS_DENIED, also a folder; what `host_path` raises.
        """
        if not CREATE_NEW <= disposition <= TRUNCATE_EXISTING:
            raise WinsockError(ERROR_INVALID_PARAMETER)
        if disposition == TRUNCATE_EXISTING and not access & (GENERIC_WRITE | GENERIC_ALL):
            raise WinsockError(ERROR_INVALID_PARAMETER)
        path = host_path(name)
        rights = _rights(access)
        if flags & FILE_FLAG_DELETE_ON_CLOSE:
            rights |= DELETE
        with self._lock:
            known = self._look(path, disposition, rights, flags)
            if known is not None:
                self._check_sharing(known, rights, share)
            descriptor = self._host_open(path, rights, disposition, flags, new=known is None)
            file = HostFile(
                descriptor,
                path,
                rights,
                share,
                overlapped=bool(flags & FILE_FLAG_OVERLAPPED),
                at_close=self._delete_and_forget if flags & FILE_FLAG_DELETE_ON_CLOSE else self._forget,
            )
            self._files.setdefault(_identity(os.fstat(descriptor)), []).append(file)
        return file, known is not None

    def delete(self, name: str | None) -> None:
        """DeleteFile: the file is gone at once; who has it open keeps what it had.

        Raises:
            WinsockError: ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND; ERROR_ACCESS_DENIED, a folder or a read-only
                file; ERROR_SHARING_VIOLATION, open without FILE_SHARE_DELETE.
        """
        path = host_path(name)
        with self._lock:
            known = self._look(path, OPEN_EXISTING, DELETE, 0)
            assert known is not None  # _look has raised otherwise
            if not known.st_mode & 0o222 or not stat.S_ISREG(known.st_mode):
                raise WinsockError(ERROR_ACCESS_DENIED)
            self._check_sharing(known, DELETE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
            try:
                os.unlink(path)
            except OSError as failure:
                raise from_host(failure) from failure

    def _look(self, path: str, disposition: int, rights: int, flags: int) -> os.stat_result | None:
        """What is at a path: None when nothing is and something may be made there."""
        try:
            known = os.stat(path)
        except OSError as failure:
            missing = _not_there(path, failure)
            new = disposition in (CREATE_NEW, CREATE_ALWAYS, OPEN_ALWAYS)
            if new and missing.winerror == ERROR_FILE_NOT_FOUND:
                return None
            raise missing from failure
        if disposition == CREATE_NEW:
            raise WinsockError(ERROR_FILE_EXISTS)
        if stat.S_ISDIR(known.st_mode):
            # With the flag Windows opens the folder itself, which nothing here could do anything with.
            folder = bool(flags & FILE_FLAG_BACKUP_SEMANTICS)
            raise WinsockError(ERROR_CALL_NOT_IMPLEMENTED if folder else ERROR_ACCESS_DENIED)
        if not stat.S_ISREG(known.st_mode) and path != os.devnull:
            raise WinsockError(ERROR_ACCESS_DENIED)  # a pipe or a device of the host
        writes = rights & (FILE_WRITE_DATA | FILE_APPEND_DATA) or disposition in (CREATE_ALWAYS, TRUNCATE_EXISTING)
        if writes and not known.st_mode & 0o222:
            raise WinsockError(ERROR_ACCESS_DENIED)
        return known

    def _check_sharing(self, known: os.stat_result, rights: int, share: int) -> None:
        if not rights or not stat.S_ISREG(known.st_mode):
            return  # who touches no data disturbs nobody; the null device is everybody's
        for other in self._files.get(_identity(known), ()):
            if not other.rights:
                continue
            for right, allowed in _SHARES:
                refused = rights & right and not other.share_mode & allowed
                if refused or (other.rights & right and not share & allowed):
                    raise WinsockError(ERROR_SHARING_VIOLATION)

    def _host_open(self, path: str, rights: int, disposition: int, flags: int, *, new: bool) -> int:
        writes = rights & (FILE_WRITE_DATA | FILE_APPEND_DATA) or disposition in (CREATE_ALWAYS, TRUNCATE_EXISTING)
        host = os.O_CLOEXEC | getattr(os, "O_BINARY", 0) | (os.O_RDWR if writes or new else os.O_RDONLY)
        if new:
            host |= os.O_CREAT | os.O_EXCL
        if disposition in (CREATE_ALWAYS, TRUNCATE_EXISTING):
            host |= os.O_TRUNC
        mode = 0o444 if flags & FILE_ATTRIBUTE_READONLY else 0o666
        try:
            try:
                return os.open(path, host, mode)
            except PermissionError:
                if not writes or rights & FILE_READ_DATA:
                    raise
                return os.open(path, host & ~os.O_RDWR | os.O_WRONLY, mode)  # it may be written and not read
        except OSError as failure:
            raise from_host(failure) from failure

    def _forget(self, file: HostFile) -> None:
        with self._lock:
            identity = _identity(os.fstat(file.fileno()))
            files = self._files[identity]
            files.remove(file)
            if not files:
                del self._files[identity]

    def _delete_and_forget(self, file: HostFile) -> None:
        self._forget(file)
        try:
            if _identity(os.stat(file.path)) == _identity(os.fstat(file.fileno())):
                os.unlink(file.path)
        except FileNotFoundError:
            return  # somebody has deleted it before

    def after_fork(self) -> None:
        """In the child: the lock may have been held by a thread that does not exist there."""
        self._lock = threading.Lock()


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def already_there(disposition: int, known: bool) -> int:
    """The last error of a CreateFile that has succeeded."""
    return ERROR_ALREADY_EXISTS if known and disposition in (CREATE_ALWAYS, OPEN_ALWAYS) else 0


def end_of_file(moved: int, asked: int) -> None:
    """Raise ERROR_HANDLE_EOF for a read at an offset that has found nothing."""
    if asked and not moved:
        raise WinsockError(ERROR_HANDLE_EOF)
