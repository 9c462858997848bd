"""The kernel's part: handles, waits and what threads block on. No sockets in here."""
