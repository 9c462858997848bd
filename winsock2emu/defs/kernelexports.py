"""Functions of kernel32.dll that C programs with sockets call beside those of the generated list.

Part played:     more of kernel32.dll's export table: variants of what the list has, and what goes with it.
Lives elsewhere: the generated lists and the form of a row (exports); the functions (capi.exports.kernel32).
Sources:         heapapi.h, synchapi.h, fileapi.h, libloaderapi.h, sysinfoapi.h and winbase.h on Microsoft Learn.
"""

from __future__ import annotations

from typing import Final

from .exports import EXPORTS as GENERATED
from .exports import Export, _decode_all

_KERNEL32: Final = """
FlushFileBuffers||BOOL|hFile:HANDLE:in|FALSE|GetLastError
GetComputerNameA||BOOL|lpBuffer:LPSTR:out, nSize:LPDWORD:inout|FALSE|GetLastError
GetComputerNameW||BOOL|lpBuffer:LPWSTR:out, nSize:LPDWORD:inout|FALSE|GetLastError
GetModuleFileNameA||DWORD|hModule:HMODULE:in?, lpFilename:LPSTR:out, nSize:DWORD:in|0|GetLastError
GetModuleFileNameW||DWORD|hModule:HMODULE:in?, lpFilename:LPWSTR:out, nSize:DWORD:in|0|GetLastError
GetTempFileNameA||UINT|lpPathName:LPCSTR:in, lpPrefixString:LPCSTR:in, uUnique:UINT:in, lpTempFileName:LPSTR:out|0|GetLastError
GetTempFileNameW||UINT|lpPathName:LPCWSTR:in, lpPrefixString:LPCWSTR:in, uUnique:UINT:in, lpTempFileName:LPWSTR:out|0|GetLastError
GetThreadId||DWORD|Thread:HANDLE:in|0|GetLastError
HeapCreate||HANDLE|flOptions:DWORD:in, dwInitialSize:SIZE_T:in, dwMaximumSize:SIZE_T:in|NULL|GetLastError
HeapDestroy||BOOL|hHeap:HANDLE:in|FALSE|GetLastError
HeapSize||SIZE_T|hHeap:HANDLE:in, dwFlags:DWORD:in, lpMem:LPCVOID:in|-1|GetLastError
InitializeCriticalSectionAndSpinCount||BOOL|lpCriticalSection:LPCRITICAL_SECTION:out, dwSpinCount:DWORD:in|FALSE|GetLastError
InitializeCriticalSectionEx||BOOL|lpCriticalSection:LPCRITICAL_SECTION:out, dwSpinCount:DWORD:in, Flags:DWORD:in|FALSE|GetLastError
LoadLibraryExA||HMODULE|lpLibFileName:LPCSTR:in, hFile:HANDLE:in?, dwFlags:DWORD:in|NULL|GetLastError
LoadLibraryExW||HMODULE|lpLibFileName:LPCWSTR:in, hFile:HANDLE:in?, dwFlags:DWORD:in|NULL|GetLastError
SetEndOfFile||BOOL|hFile:HANDLE:in|FALSE|GetLastError
TryEnterCriticalSection||BOOL|lpCriticalSection:LPCRITICAL_SECTION:inout|FALSE|
lstrcmpiA||int|lpString1:LPCSTR:in, lpString2:LPCSTR:in||
lstrcmpiW||int|lpString1:LPCWSTR:in, lpString2:LPCWSTR:in||
"""

EXPORTS: Final[dict[str, dict[str, Export]]] = {
    **GENERATED,
    "kernel32": GENERATED["kernel32"] | _decode_all(_KERNEL32),
}
"""What the DLLs export, all of it."""
