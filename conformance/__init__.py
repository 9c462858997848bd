"""The conformance suite: every claim about Windows Sockets, told once and tried on several targets.

Part played:     the referee. A case is one readable claim about ``ws: Target``; the runner tries it on the
                 emulator (through its C ABI and its Python API), on real Windows, and wherever somebody adds
                 a target.
Lives here:      the case model, verification, the C-ABI driver, targets, cases, whole programs, runner and
                 reports.
Lives elsewhere: everything that is judged. Cases and driver never import winsock2emu; only targets/ does.

The folder is installed under the import name ``winsock2emu_conformance``; inside, imports are relative.
How to write a case: README.md beside this file.
"""
