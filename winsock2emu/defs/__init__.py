"""Header files: codes, constants, GUIDs, record layouts and addresses.

Part played:     winsock2.h, ws2def.h, ws2ipdef.h, mswsock.h, winerror.h, ntstatus.h and their neighbours.
Lives here:      facts, and conversions between forms of one fact; nothing in here does I/O.
Lives elsewhere: ctypes structures and C functions (capi), behaviour (everything above).
Sources:         ``constants``, ``codes``, ``guids``, ``layouts`` and ``exports`` are written by ``generate``;
                 the other modules are written by hand.
"""
