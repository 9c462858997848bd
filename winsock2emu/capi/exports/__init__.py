"""Marshalling: the exported functions with their C parameters, one module per chapter of the API.

Part played:     the bodies of the DLL exports, as thin as they can be.
Lives here:      plain functions under the C names. Every parameter is an int as it arrives from C (pointers
                 as addresses, 0 being NULL), every result is the C result. ``__all__`` of a module lists
                 its exports.
Lives elsewhere: the behaviour (ws2_32, mswsock, kernel32), the thunks and failure values (capi.table).
Order of checks: the API checks initialisation and handle before pointers and lengths. A bad pointer is
                 therefore passed down as None, or as a room of 0 bytes, and the API raises in its place;
                 what the API cannot be told that way is checked here after asking the process for the
                 socket.
Failure:         a function raises `WinsockError`, its own and the API's; out-parameters are untouched then,
                 except those whose page says otherwise. Memory is written after the call has succeeded.
Tracing:         the API is called as ``ws2_32.name`` at call time, where a tracer has put its replacement.
"""
