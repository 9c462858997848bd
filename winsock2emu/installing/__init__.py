"""Windows' modules in their places: what has to be changed in an interpreter so that programs find them.

Part played:     the Windows build of the interpreter.
Lives here:      the table of modules (modules), asyncio's own package (asynciopackage), changes that can be taken back
                 (changes), and all of it for a whole process (processwide).
Lives elsewhere: the modules themselves (compat, aio, capi.ctypesmodule); showing them to programs only (cli.masks).
"""
