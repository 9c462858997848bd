"""What is measured: one row per claim about speed or memory, with the goal it has to meet.

A row says what is done, what that is divided by, and which way is better. The goals come from prototypes measured on
Linux with CPython 3.11, 3.12 and 3.13; "prototype" in a comment below means those. Rows without a measurement (see
``rows.py``) belong to parts that are not there yet, or need Wine.
"""

from __future__ import annotations

from typing import Final, Literal

import attrs

Kind = Literal["cost", "rate", "bytes"]


@attrs.frozen
class Row:
    """One line of the table. Goals are for the quotient, or for bytes where nothing is divided.

    Attributes:
        kind: "cost" is a quotient of times, lower is better; "rate" one of speeds, higher is better; "bytes" is memory.
        goal: what has to be met; None for a figure that is only reported.
        stretch: what the best prototype reached, where that is worth aiming at.
    """

    number: int
    name: str
    work: str
    divided_by: str
    kind: Kind
    goal: float | None
    stretch: float | None = None

    def meets(self, value: float, limit: float | None) -> bool | None:
        """Whether a measured value keeps to a limit; None without one."""
        if limit is None:
            return None
        return value >= limit if self.kind == "rate" else value <= limit


_PAIR = "host send + recv_into"
_BUFFERED = "asyncio BufferedProtocol"
_SELECTOR = "the host's SelectorEventLoop"

ROWS: Final = (
    Row(1, "sync-64", "WSASend + WSARecv, one buffer of 64 B, TCP, data ready", _PAIR, "cost", 1.30, 1.18),
    Row(2, "send-recv-64", "send + recv, 64 B, TCP, data ready", _PAIR, "cost", 1.22, 1.15),
    Row(3, "sync-64K", "WSASend + WSARecv, one buffer of 64 KiB, TCP, data ready", _PAIR, "cost", 1.15),
    Row(4, "stream-64K", "WSASend of 64 KiB, over and over, to a process that drains", "host sendall", "cost", 1.10),
    Row(5, "sg-4", "WSASend + WSARecv, 4 buffers of 1 KiB", "host sendmsg + recvmsg_into", "cost", 1.25),
    Row(5, "sg-16", "WSASend + WSARecv, 16 buffers of 1 KiB", "host sendmsg + recvmsg_into", "cost", 1.20),
    Row(6, "udp-64", "WSASendTo + WSARecvFrom, 64 B", "host sendto + recvfrom_into", "cost", 1.40),
    Row(7, "wouldblock", "recv on an empty non-blocking socket, failure caught", "host, same", "cost", 1.6),
    Row(8, "blocking-echo", "send + recv of 64 B that waits, echo in another process", "host, same", "cost", 1.25),
    Row(9, "lifecycle", "socket + connect + accept + two hard closes, TCP", "host, same", "cost", 1.25),
    Row(10, "iocp-echo-1", "completion port echo, 1 connection, same CPU", _BUFFERED, "rate", 1.10),
    Row(11, "iocp-echo-10", "completion port echo, 10 connections", _BUFFERED, "rate", 0.95, 1.05),
    Row(11, "iocp-echo-100", "completion port echo, 100 connections", _BUFFERED, "rate", 0.95, 1.05),
    Row(12, "iocp-echo-1000", "completion port echo, 1 000 connections", _BUFFERED, "rate", 0.90),
    Row(12, "iocp-echo-9500", "completion port echo, 9 500 connections", _BUFFERED, "rate", 0.85),
    Row(13, "iocp-echo-asyncio", "iocp-echo-100", "asyncio Protocol", "rate", 3.5),
    Row(13, "iocp-echo-asyncio-4K", "iocp-echo-100", "asyncio Protocol, max_size of 4 KiB", "rate", None),
    Row(14, "iocp-echo-uvloop", "iocp-echo-100", "uvloop Protocol", "rate", 0.65),
    Row(14, "iocp-echo-uvloop-streams", "iocp-echo-100", "uvloop streams", "rate", 1.1),
    Row(15, "iocp-echo-epoll", "iocp-echo-100", "an epoll loop in Python", "rate", 0.68, 0.78),
    Row(16, "iocp-echo-p99-100", "99th percentile, 100 connections", _BUFFERED, "cost", 1.3),
    Row(16, "iocp-echo-p99-1000", "99th percentile, 1 000 connections", _BUFFERED, "cost", 1.3),
    Row(17, "iocp-workers-1", "iocp-echo-1 with 4 workers", "1 worker", "rate", 0.90),
    Row(17, "iocp-workers-100", "iocp-echo-100 with 4 workers", "1 worker", "rate", 0.90),
    Row(18, "iocp-blocking-handlers", "4 workers, handlers of 5 ms, 8 connections", "800 a second", "rate", 0.90),
    Row(19, "iocp-skip", "iocp-echo-100, no packet for immediate success", _BUFFERED, "rate", 0.85),
    Row(20, "gqcs-ex", "echo, 100 connections, GetQueuedCompletionStatusEx(64)", "one at a time", "rate", 1.0),
    Row(20, "gqcs-ex-1", "echo, 1 connection, GetQueuedCompletionStatusEx(64)", "one at a time", "rate", 0.9),
    Row(21, "post-get", "post and get one packet, one thread", "SimpleQueue put + get", "cost", 3.0),
    Row(22, "post-get-1p1c", "one thread posts, one gets", "SimpleQueue", "cost", 4.0),
    Row(22, "post-get-4p4c", "four threads post, four get", "queue.Queue", "cost", 0.3),
    Row(23, "port-pingpong", "blocked post and get, 2 threads", "threading.Event, same", "cost", 0.9),
    Row(24, "event-1", "WSASetEvent + wait for 1 + WSAResetEvent", "threading.Event set + wait + clear", "cost", 0.40),
    Row(25, "event-8", "as event-1 with 8 events", "event-1", "cost", 2.0),
    Row(25, "event-64", "as event-1 with 64 events", "event-1", "cost", 7.0),
    Row(26, "event-pingpong-1", "auto-reset, blocked, 2 threads, 1 event", "threading.Event, same", "cost", 0.8),
    Row(26, "event-pingpong-64", "auto-reset, blocked, 2 threads, 64 events", "threading.Event, same", "cost", 2.2),
    Row(27, "ov-event", "pending WSARecv, send, wait for its event, result", _PAIR, "cost", 3.5),
    Row(27, "ov-apc", "pending WSARecv, send, alertable wait", _PAIR, "cost", 3.5),
    Row(27, "ov-iocp", "pending WSARecv, send, packet", _PAIR, "cost", 3.5),
    Row(28, "eventselect", "send + wait + WSAEnumNetworkEvents + recv", _PAIR, "cost", 2.7),
    Row(29, "select-1", "select, 1 socket, none ready, time-out 0", "select.select", "cost", 1.5),
    Row(29, "select-64", "select, 64 sockets, none ready, time-out 0", "select.select", "cost", 0.8),
    Row(29, "select-512", "select, 512 sockets, none ready, time-out 0", "select.select", "cost", 0.7),
    Row(29, "wsapoll-1", "WSAPoll, 1 socket, none ready, time-out 0", "select.select", "cost", 1.5),
    Row(29, "wsapoll-64", "WSAPoll, 64 sockets, none ready, time-out 0", "select.select", "cost", 0.8),
    Row(29, "wsapoll-512", "WSAPoll, 512 sockets, none ready, time-out 0", "select.select", "cost", 0.7),
    Row(30, "wine-calls", "rows 1, 2 and 7", "Wine", "cost", 0.15),
    Row(31, "wine-overlapped", "event, APC, port and WSAEventSelect", "Wine", "cost", 0.20),
    Row(32, "wine-event-1", "event-1", "Wine", "cost", 0.08),
    Row(32, "wine-event-8", "event-8", "Wine", "cost", 0.10),
    Row(32, "wine-event-64", "event-64", "Wine", "cost", 0.30),
    Row(32, "wine-post-get", "post-get", "Wine", "cost", 0.05),
    Row(33, "wine-iocp-echo-100", "iocp-echo-100", "Wine", "rate", 6.0),
    Row(33, "wine-iocp-echo-1", "iocp-echo-1, same CPU", "Wine", "rate", 4.0),
    Row(34, "memory-socket", "Python heap of one idle socket beyond the host's socket object", "-", "bytes", 1024),
    Row(35, "memory-pending", "one more pending overlapped receive", "-", "bytes", 300),
    Row(36, "trace-off", "sync-64 after tracing was on and off again", "tracing never imported", "cost", 1.01),
    Row(36, "exported", "sync-64", "the same functions without `exported`", "cost", None),
    Row(37, "aio-protocol-1", "ProactorEventLoop, Protocol, 1 connection, same CPU", _SELECTOR, "rate", 0.80),
    Row(37, "aio-protocol-10", "ProactorEventLoop, Protocol, 10 connections", _SELECTOR, "rate", 0.80),
    Row(37, "aio-protocol-100", "ProactorEventLoop, Protocol, 100 connections", _SELECTOR, "rate", 0.80),
    Row(38, "aio-streams-1", "ProactorEventLoop, streams, 1 connection, same CPU", _SELECTOR, "rate", 0.80),
    Row(38, "aio-streams-10", "ProactorEventLoop, streams, 10 connections", _SELECTOR, "rate", 0.80),
    Row(38, "aio-streams-100", "ProactorEventLoop, streams, 100 connections", _SELECTOR, "rate", 0.80),
    # Without what the allocator makes of the 256 KiB of the rows before (see echo.py).
    Row(39, "aio-buffered-1", "ProactorEventLoop, BufferedProtocol, 1 connection, same CPU", _SELECTOR, "rate", None),
    Row(39, "aio-buffered-10", "ProactorEventLoop, BufferedProtocol, 10 connections", _SELECTOR, "rate", None),
    Row(39, "aio-buffered-100", "ProactorEventLoop, BufferedProtocol, 100 connections", _SELECTOR, "rate", None),
)
