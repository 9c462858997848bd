"""The C ABI: Windows' DLL exports as real C functions, for ctypes programs and for C code in the process.

Part played:     ws2_32.dll, wsock32.dll, mswsock.dll, kernel32.dll and their neighbours, seen from outside.
Lives here:      structs (the headers' records), memory (reading and writing it), exports (marshalling, one
                 module per chapter), threads (state of threads that C made), table (name to function
                 pointer), loader (ctypes' Windows face on top of the table).
Lives elsewhere: every behaviour. A function here turns pointers into Python values, calls the Python API
                 and writes the outcome back.
"""
