"""Functions of kernel32.dll beside those in `exports`: what goes with them in C programs.

In the form of `exports`: name|ordinal|result|name:type:direction, ...|failure value|error channel.

Sources: heapapi.h, synchapi.h, fileapi.h, libloaderapi.h, processthreadsapi.h and winbase.h on Microsoft Learn.
"""

from __future__ import annotations

from typing import Final

from .exports import Export, _decode_all

_BOOL: Final = "|FALSE|GetLastError"
_ZERO: Final = "|0|GetLastError"
_NULL: Final = "|NULL|GetLastError"
_SECTION: Final = "lpCriticalSection:LPCRITICAL_SECTION:"
_ROWS: Final = (
    f"FlushFileBuffers||BOOL|hFile:HANDLE:in{_BOOL}",
    f"GetComputerNameA||BOOL|lpBuffer:LPSTR:out, nSize:LPDWORD:inout{_BOOL}",
    f"GetComputerNameW||BOOL|lpBuffer:LPWSTR:out, nSize:LPDWORD:inout{_BOOL}",
    f"GetModuleFileNameA||DWORD|hModule:HMODULE:in?, lpFilename:LPSTR:out, nSize:DWORD:in{_ZERO}",
    f"GetModuleFileNameW||DWORD|hModule:HMODULE:in?, lpFilename:LPWSTR:out, nSize:DWORD:in{_ZERO}",
    "GetTempFileNameA||UINT|lpPathName:LPCSTR:in, lpPrefixString:LPCSTR:in, uUnique:UINT:in, lpTempFileName:LPSTR:out"
    + _ZERO,
    "GetTempFileNameW||UINT|lpPathName:LPCWSTR:in, lpPrefixString:LPCWSTR:in, uUnique:UINT:in,"
    f" lpTempFileName:LPWSTR:out{_ZERO}",
    f"GetThreadId||DWORD|Thread:HANDLE:in{_ZERO}",
    f"HeapCreate||HANDLE|flOptions:DWORD:in, dwInitialSize:SIZE_T:in, dwMaximumSize:SIZE_T:in{_NULL}",
    f"HeapDestroy||BOOL|hHeap:HANDLE:in{_BOOL}",
    "HeapSize||SIZE_T|hHeap:HANDLE:in, dwFlags:DWORD:in, lpMem:LPCVOID:in|-1|GetLastError",
    f"InitializeCriticalSectionAndSpinCount||BOOL|{_SECTION}out, dwSpinCount:DWORD:in{_BOOL}",
    f"InitializeCriticalSectionEx||BOOL|{_SECTION}out, dwSpinCount:DWORD:in, Flags:DWORD:in{_BOOL}",
    f"LoadLibraryExA||HMODULE|lpLibFileName:LPCSTR:in, hFile:HANDLE:in?, dwFlags:DWORD:in{_NULL}",
    f"LoadLibraryExW||HMODULE|lpLibFileName:LPCWSTR:in, hFile:HANDLE:in?, dwFlags:DWORD:in{_NULL}",
    f"SetEndOfFile||BOOL|hFile:HANDLE:in{_BOOL}",
    f"TryEnterCriticalSection||BOOL|{_SECTION}inout|FALSE|",
    "lstrcmpiA||int|lpString1:LPCSTR:in, lpString2:LPCSTR:in||",
    "lstrcmpiW||int|lpString1:LPCWSTR:in, lpString2:LPCWSTR:in||",
)

MORE: Final[dict[str, Export]] = _decode_all("\n".join(_ROWS))
"""By name."""
