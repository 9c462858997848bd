"""How Python on Windows looks: the modules that exist only there, on top of the emulator.

Part played:     the extension modules of CPython for Windows.
Lives here:      their names, their conventions, their exceptions; no behaviour of the system.
Lives elsewhere: everything they do (ws2_32, mswsock, kernel32).
"""
