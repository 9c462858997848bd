"""Functions of ntdll.dll beside those in `exports`: programs use them beneath Win32, Microsoft's pages lack them.

In the form of `exports`: name|ordinal|result|name:type:direction, ...|failure value|error channel, with a dash in front
of what is undocumented.

Sources: the public headers of ReactOS and Wine (winternl.h), and what programs declare.
"""

from __future__ import annotations

from typing import Final

from .exports import Export, _decode_all

_FAILURE: Final = "|an NTSTATUS that is an error|return value"
_ROWS: Final = (
    "NtCancelIoFile||NTSTATUS|FileHandle:HANDLE:, IoStatusBlock:PIO_STATUS_BLOCK:",
    "NtCancelIoFileEx||NTSTATUS|FileHandle:HANDLE:, IoRequestToCancel:PIO_STATUS_BLOCK:,"
    " IoStatusBlock:PIO_STATUS_BLOCK:",
    "NtCreateFile||NTSTATUS|FileHandle:PHANDLE:, DesiredAccess:ACCESS_MASK:, ObjectAttributes:POBJECT_ATTRIBUTES:,"
    " IoStatusBlock:PIO_STATUS_BLOCK:, AllocationSize:PLARGE_INTEGER:, FileAttributes:ULONG:, ShareAccess:ULONG:,"
    " CreateDisposition:ULONG:, CreateOptions:ULONG:, EaBuffer:PVOID:, EaLength:ULONG:",
    "NtCreateIoCompletion||NTSTATUS|IoCompletionHandle:PHANDLE:, DesiredAccess:ACCESS_MASK:,"
    " ObjectAttributes:POBJECT_ATTRIBUTES:, Count:ULONG:",
    "NtQueryInformationFile||NTSTATUS|FileHandle:HANDLE:, IoStatusBlock:PIO_STATUS_BLOCK:, FileInformation:PVOID:,"
    " Length:ULONG:, FileInformationClass:ULONG:",
    "NtQueryIoCompletion||NTSTATUS|IoCompletionHandle:HANDLE:, IoCompletionInformationClass:ULONG:,"
    " IoCompletionInformation:PVOID:, IoCompletionInformationLength:ULONG:, ReturnLength:PULONG:",
    "NtRemoveIoCompletionEx||NTSTATUS|IoCompletionHandle:HANDLE:, IoCompletionInformation:PVOID:, Count:ULONG:,"
    " NumEntriesRemoved:PULONG:, Timeout:PLARGE_INTEGER:, Alertable:BOOLEAN:",
    "NtSetInformationFile||NTSTATUS|FileHandle:HANDLE:, IoStatusBlock:PIO_STATUS_BLOCK:, FileInformation:PVOID:,"
    " Length:ULONG:, FileInformationClass:ULONG:",
    "NtTestAlert||NTSTATUS|",
)

NATIVE: Final[dict[str, Export]] = _decode_all("\n".join(f"-{row}{_FAILURE}" for row in _ROWS))
"""By name."""
