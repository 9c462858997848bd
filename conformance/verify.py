"""How a case says what it expects: expect, variant, fails_with, not_applicable.

Part played:     every comparison of the suite goes through here, so that a failure reads the same everywhere:
                 what was looked at, what was expected, what came instead, and the steps before.
Lives here:      Failed (an API call failed with a code), Mismatch (a claim does not hold), NotApplicable, and
                 Record, the running case's own notes (steps taken, variants met).
Lives elsewhere: the calls (target.py), turning all this into an outcome (runner).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

import attrs

from .constants import code_name
from .records import ReceivedMessage

T = TypeVar("T")
MAX_STEPS = 40


class Failed(Exception):
    """A call of the target failed as Windows reports failure: with a code.

    Attributes:
        code: the last error, or the function's result where that is the code.
        call: the function's name.
        moved: bytes moved in spite of the failure, where the call reports them.
        address: the sender's address, where the call reports it; what a failed WSAStringToAddress left behind.
        needed: the size the call says it needs.
        received: what WSARecvMsg has received of a message that was too large.
        packet: bytes, key and overlapped record of a failed request that a completion port tells.
    """

    received: ReceivedMessage | None = None
    packet: tuple[int, int, Any] | None = None

    def __init__(
        self,
        code: int,
        call: str = "",
        *,
        moved: int | None = None,
        address: bytes | None = None,
        needed: int | None = None,
    ) -> None:
        super().__init__(f"{call or 'call'} failed with {code_name(code)}")
        self.code = code
        self.call = call
        self.moved = moved
        self.address = address
        self.needed = needed


class Mismatch(Exception):
    """The claim does not hold."""

    def __init__(self, what: str, *, expected: str, actual: str) -> None:
        super().__init__(f"{what}: expected {expected}, got {actual}")
        self.what, self.expected, self.actual = what, expected, actual


class NotApplicable(Exception):
    """The case cannot say anything about this target or machine; str() is the reason."""


@attrs.define
class Record:
    """What a running case leaves for its report. Shared with the threads the case starts."""

    steps: list[str] = attrs.field(factory=list)
    variants: list[str] = attrs.field(factory=list)

    def step(self, text: str) -> None:
        self.steps.append(text if len(text) <= 240 else f"{text[:180]} ... {text[-50:]}")
        if len(self.steps) > MAX_STEPS:  # the steps near the failure are the ones that explain it
            del self.steps[1 : len(self.steps) - MAX_STEPS + 1]


_record: ContextVar[Record | None] = ContextVar("winsock2emu_conformance_record", default=None)


@contextlib.contextmanager
def recording(record: Record) -> Iterator[Record]:
    """Make ``record`` receive the steps of this thread, and of threads that get a copy of its context."""
    token = _record.set(record)
    try:
        yield record
    finally:
        _record.reset(token)


def step(text: str) -> None:
    """Note a step for the report of a failure. API calls note themselves."""
    record = _record.get()
    if record is not None:
        record.step(text)


def shown(value: object) -> str:
    """Return ``value`` for a report: shortened, and bytes as hex where they are no text."""
    if isinstance(value, bytes | bytearray | memoryview) and len(value) > 48:
        data = bytes(value)
        return f"{data[:24]!r} ... {data[-16:]!r} ({len(data)} bytes)"
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:300]} ... {text[-60:]}"


def expect(what: str, *, expected: object, actual: object) -> None:
    """Compare with ``==`` and note the step.

    Raises:
        Mismatch: they differ.
    """
    if not expected == actual:
        raise Mismatch(what, expected=shown(expected), actual=shown(actual))
    step(f"{what} is {shown(actual)}, as expected")


def expect_true(what: str, condition: object, *, actual: object = None) -> None:
    """Check a condition that is no equality (``port is not 0``). ``actual`` is what the report shows.

    Raises:
        Mismatch: it is false.
    """
    if not condition:
        raise Mismatch(what, expected="true", actual="false" if actual is None else shown(actual))
    step(f"{what}: holds")


def variant(what: str, *, expected: T, allowed: Mapping[T, str], actual: T) -> None:
    """Like expect, with other answers that are allowed; ``allowed`` says for each who gives it.

    An allowed other answer makes the case's outcome "variant" instead of "pass".

    Raises:
        Mismatch: ``actual`` is neither.
    """
    if expected == actual:
        step(f"{what} is {shown(actual)}, as expected")
        return
    reason = allowed.get(actual)
    if reason is None:
        choices = " or ".join([shown(expected), *(f"{shown(value)} [{why}]" for value, why in allowed.items())])
        raise Mismatch(what, expected=choices, actual=shown(actual))
    note_variant(f"{what} is {shown(actual)}: {reason}")


def note_variant(text: str) -> None:
    """Make the running case's outcome "variant", with this reason."""
    record = _record.get()
    if record is not None:
        record.variants.append(text)
    step(f"variant: {text}")


@attrs.define
class Caught:
    """A block that has to fail; after it, what is known about the failure."""

    _expected: int
    _what: str
    _variants: Mapping[int, str]
    code: int = 0
    call: str = ""
    moved: int | None = None
    address: bytes | None = None
    needed: int | None = None
    received: ReceivedMessage | None = None
    packet: tuple[int, int, Any] | None = None

    def __enter__(self) -> Caught:
        return self

    def __exit__(self, kind: object, failure: BaseException | None, trace: object) -> bool:
        if failure is None:
            raise Mismatch(self._what or "call", expected=f"failure {code_name(self._expected)}", actual="success")
        if not isinstance(failure, Failed):
            return False
        self.code, self.call = failure.code, failure.call
        self.moved, self.address, self.needed = failure.moved, failure.address, failure.needed
        self.received, self.packet = failure.received, failure.packet
        what, name = self._what or failure.call, code_name(failure.code)
        if failure.code == self._expected:
            step(f"{what} fails with {name}, as expected")
        elif failure.code in self._variants:
            note_variant(f"{what} fails with {name}: {self._variants[failure.code]}")
        else:
            expected = f"failure {code_name(self._expected)}"
            raise Mismatch(what, expected=expected, actual=f"failure {name}") from failure
        return True


def fails_with(code: int, what: str = "", *, variants: Mapping[int, str] | None = None) -> Caught:
    """Expect the calls in a ``with`` block to fail; ``as caught`` tells what is known about the failure.

    Args:
        code: the Winsock or Win32 error.
        what: what is tried, for the report (default: the function's name).
        variants: other codes that are allowed, with who gives them.

    Raises:
        Mismatch: nothing failed, or with another code.
    """
    return Caught(code, what, variants or {})


def not_applicable(reason: str) -> NoReturn:
    """Leave the case: it does not apply here, and why."""
    raise NotApplicable(reason)
