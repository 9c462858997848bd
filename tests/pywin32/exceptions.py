"""The tests of pywin32 that do not pass on the emulator's faces, each with its reason."""

from __future__ import annotations

from typing import Final

_TIMES: Final = "the times of files, which the emulator neither tells nor sets by their handles"
_FOLDERS: Final = "lists what is in folders, which is the host's affair"

EXCEPTIONS: Final[dict[str, str]] = {
    "test_win32file.TestDirectoryChanges.*": "opens a folder and is told of what changes in it",
    "test_win32file.TestEncrypt.*": "encrypts a file by NTFS",
    "test_win32file.TestFindFiles.*": _FOLDERS,
    "test_win32file.TestGetFileInfoByHandleEx.*": _TIMES,
    "test_win32file.TestSimpleOps.testFileTimes*": _TIMES,
    **{
        f"test_exceptions.TestCOMSimple.test{name}": "makes COM fail, which there is none of"
        for name in (
            "AsStr",
            "AsTuple",
            "Attributes",
            "BaseClass",
            "ClassName",
            "ErrnoIndex",
            "Identity",
            "MessageIndex",
            "Simple",
        )
    },
    "handles.PyHandleTestCase.testOtherHandle": "looks up a function in Python's own DLL, which is none here",
}
"""Pattern of test names to the reason; each of them is run, and has to fail."""
