"""The engine: readiness comes in, completions go out. It knows no host sockets and no Winsock functions."""
