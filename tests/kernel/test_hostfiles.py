"""Paths, and files as other parts of the emulator use them: by position, without a handle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from winsock2emu.defs.codes import ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, ERROR_SHARING_VIOLATION
from winsock2emu.defs.winbase import CREATE_NEW, GENERIC_READ, GENERIC_WRITE, OPEN_EXISTING
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.hostfiles import AT_END, HostFile, OpenFiles, host_path, windows_path


def code_of(call: Callable[..., Any], *args: Any) -> int:
    """The code that a call fails with."""
    with pytest.raises(WinsockError) as caught:
        call(*args)
    return caught.value.winerror


@pytest.fixture
def files() -> OpenFiles:
    return OpenFiles()


@pytest.fixture
def file(files: OpenFiles, tmp_path: Path) -> Iterator[HostFile]:
    made, known = files.open(str(tmp_path / "file"), GENERIC_READ | GENERIC_WRITE, 0, CREATE_NEW, 0)
    assert not known
    yield made
    made.last_handle_closed()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("C:\\a\\b", "/a/b"),
        ("c:/a", "/a"),
        ("\\a", "/a"),
        ("a\\b", "a/b"),
        ("\\\\?\\C:\\a", "/a"),
        ("NUL", "/dev/null"),
        ("C:\\x\\nul", "/dev/null"),
        ("\\\\.\\NUL", "/dev/null"),
    ],
)
def test_names_in_windows_spelling(name: str, path: str) -> None:
    assert host_path(name) == path


def test_a_path_comes_back_from_windows_spelling() -> None:
    assert host_path(windows_path("/a/b c")) == "/a/b c"


def test_reading_and_writing_at_an_offset_leave_the_position_alone(file: HostFile) -> None:
    assert file.write_at(2, b"cd") == 2
    assert file.write_at(0, b"ab") == 2
    assert file.write_at(AT_END, memoryview(b"ef")) == 2
    buffer = bytearray(8)
    assert (file.read_at(1, buffer), bytes(buffer[:5])) == (5, b"bcdef")
    assert file.read_at(6, buffer) == 0
    assert (file.position, file.size()) == (0, 6)
    assert code_of(file.read_at, 1 << 63, buffer) == ERROR_INVALID_PARAMETER


def test_rights_hold_for_offsets_too(files: OpenFiles, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    reader, known = files.open(str(tmp_path / "file"), GENERIC_READ, 0, OPEN_EXISTING, 0)
    assert known
    assert code_of(reader.write_at, 0, b"x") == ERROR_ACCESS_DENIED
    reader.last_handle_closed()


def test_a_closed_file_disturbs_nobody(files: OpenFiles, tmp_path: Path) -> None:
    """Share modes are those of files that are open, in one process."""
    name = str(tmp_path / "file")
    first, _ = files.open(name, GENERIC_WRITE, 0, CREATE_NEW, 0)
    assert code_of(files.open, name, GENERIC_READ, 0, OPEN_EXISTING, 0) == ERROR_SHARING_VIOLATION
    elsewhere, _ = OpenFiles().open(name, GENERIC_READ, 0, OPEN_EXISTING, 0)
    first.last_handle_closed()
    second, _ = files.open(name, GENERIC_READ, 0, OPEN_EXISTING, 0)
    for file in (elsewhere, second):
        file.last_handle_closed()
