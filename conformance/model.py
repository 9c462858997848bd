"""What a case is: one claim about Windows Sockets with a stable id, and what can become of it.

Part played:     the vocabulary of the suite: Case, the ``case`` decorator, Row, Outcome, Result, and Difference, the
                 reason why another implementation answers otherwise than a case says.
Lives here:      the check of a declaration (id, basis, requirement ids) at the moment it is written.
Lives elsewhere: comparing (verify), running (runner), printing (report), reasons for whole groups of cases, and which
                 reason a case has on a target (differences).

A decorated function is replaced by its case (or, with ``rows=``, by a tuple of cases), and the module it
stands in collects them in ``__cases__``: there is no global registry, so a test can build cases without
leaving traces.
"""

from __future__ import annotations

import enum
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

import attrs

if TYPE_CHECKING:
    from .target import Target

Basis = Literal["documented", "observed", "choice"]
#: ``"reason"`` for every target of ours, or ``{"emulator": "reason"}`` for some.
Gap = str | Mapping[str, str]

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+")
_REQUIREMENT = re.compile(r"(R\d+\.\d+|T\d+\.\d+|[AB]\d+)")


def is_ours(target: str) -> bool:
    """Whether a target is a part of this project and is what cases judge; any other is a referee, judged beside it."""
    return target in ("emulator", "api") or target.startswith("provider:")


class Kind(enum.Enum):
    """Why a referee answers otherwise than a case says. The values are those of the reports."""

    LACKS = "lacks it"  # not written there, or written wrongly: a fault of the referee
    OBSERVED = "Windows observed otherwise"  # behaviours.jsonl has what Windows does
    DOCUMENTED = "documented otherwise"  # Microsoft's page has it, and nobody has seen Windows contradict
    HOST = "limit of the host"  # the system underneath cannot, for this referee or for us


@attrs.frozen(kw_only=True)
class Difference:
    """A reason for a difference: made by `lacks`, `observed_otherwise`, `documented_otherwise` and `host_limit`."""

    kind: Kind
    why: str
    behaviour: str | None = None  # id of behaviours.jsonl

    def __str__(self) -> str:
        return f"{self.kind.value}{f' ({self.behaviour})' if self.behaviour else ''}: {self.why}"


def lacks(why: str) -> Difference:
    """The referee does not have what the case is about, or has it wrong; ``why`` says what it does instead."""
    return Difference(kind=Kind.LACKS, why=_told(why))


def observed_otherwise(behaviour: str, why: str) -> Difference:
    """Windows was seen to do what the case says: ``behaviour`` is the id in behaviours.jsonl."""
    return Difference(kind=Kind.OBSERVED, why=_told(why), behaviour=_told(behaviour))


def documented_otherwise(why: str) -> Difference:
    """Microsoft's page says what the case says, and no observation of Windows contradicts it."""
    return Difference(kind=Kind.DOCUMENTED, why=_told(why))


def host_limit(why: str) -> Difference:
    """The system underneath (Linux) does not let this target do what the case says."""
    return Difference(kind=Kind.HOST, why=_told(why))


def _told(text: str) -> str:
    if not text.strip():
        raise ValueError("a difference needs its reason in words")
    return text


class Outcome(enum.Enum):
    """What became of one case on one target. The values are those of the JSON report."""

    PASS = "pass"
    VARIANT = "variant"  # an allowed other answer
    GAP = "gap"  # one of ours failed as declared
    DIFFERS = "differs"  # a referee failed, and a reason is known
    FAIL = "fail"  # the claim does not hold
    ERROR = "error"  # the case or the target broke; says nothing about the claim
    NOT_APPLICABLE = "n/a"


@attrs.frozen(kw_only=True)
class Result:
    """The outcome of one case on one target, with what a reader needs to understand it."""

    outcome: Outcome
    reason: str = ""
    expected: str | None = None
    actual: str | None = None
    steps: tuple[str, ...] = ()  # calls and checks before the failure, oldest first
    seconds: float = 0.0
    gap_closed: bool = False  # a declared gap that passed
    runs: tuple[Outcome, ...] = ()  # every outcome, of a case that was repeated
    difference: Difference | None = None  # why a referee may answer otherwise here, whatever it answered

    @property
    def what(self) -> str | None:
        """What was compared, where the reason is just that it came out otherwise (verify.Mismatch), else None."""
        compared = f": expected {self.expected}, got {self.actual}"
        return self.reason.removesuffix(compared) if self.reason.endswith(compared) else None

    @property
    def flaky(self) -> bool:
        """Whether repeating the case gave different outcomes."""
        return len(set(self.runs)) > 1


@attrs.frozen(kw_only=True)
class Case:
    """One claim. ``run(ws)`` returns when it holds and raises what verify.py defines when it does not."""

    id: str
    chapter: str
    claim: str
    source: str
    basis: Basis
    run: Callable[[Target], None]
    module: str = ""  # where it was written
    line: int = 0  # in that module
    requirements: tuple[str, ...] = ()
    behaviours: tuple[str, ...] = ()
    gap: Gap | None = None
    differs: Mapping[str, Difference] = attrs.field(factory=dict)  # by referee
    function: Callable[..., None] | None = None  # what was decorated; with rows it serves several cases
    arguments: tuple[Any, ...] = ()  # of the row
    needs_c: bool = False
    needs_provider: bool = False
    manages_startup: bool = False
    both_forms: bool = False
    seconds: float | None = None  # time allowed; None: the runner's default
    alone: bool = False  # sees what other processes of the machine send: nothing may run beside it

    def gap_on(self, target: str) -> str | None:
        """Return the reason of the gap declared for ``target``, None when there is none, as for every referee."""
        if not is_ours(target):
            return None
        return self.gap if self.gap is None or isinstance(self.gap, str) else self.gap.get(target)


@attrs.frozen(init=False)
class Row:
    """One line of a table of cases: arguments, and what it has beside or instead of the declaration."""

    arguments: tuple[Any, ...]
    requirements: tuple[str, ...]
    behaviours: tuple[str, ...]
    gap: Gap | None
    differs: Mapping[str, Difference]
    basis: Basis | None
    source: str | None

    def __init__(
        self,
        *arguments: Any,
        requirements: tuple[str, ...] | list[str] = (),
        behaviours: tuple[str, ...] | list[str] = (),
        gap: Gap | None = None,
        differs: Mapping[str, Difference] | None = None,
        basis: Basis | None = None,
        source: str | None = None,
    ) -> None:
        self.__attrs_init__(arguments, tuple(requirements), tuple(behaviours), gap, dict(differs or {}), basis, source)


@overload
def case(
    id: str,
    *,
    chapter: str,
    source: str,
    basis: Basis,
    requirements: tuple[str, ...] | list[str] = ...,
    behaviours: tuple[str, ...] | list[str] = ...,
    gap: Gap | None = ...,
    differs: Mapping[str, Difference] | None = ...,
    needs_c: bool = ...,
    needs_provider: bool = ...,
    manages_startup: bool = ...,
    both_forms: bool = ...,
    seconds: float | None = ...,
    rows: None = ...,
) -> Callable[[Callable[[Target], None]], Case]: ...
@overload
def case(
    id: str,
    *,
    chapter: str,
    source: str,
    basis: Basis,
    requirements: tuple[str, ...] | list[str] = ...,
    behaviours: tuple[str, ...] | list[str] = ...,
    gap: Gap | None = ...,
    differs: Mapping[str, Difference] | None = ...,
    needs_c: bool = ...,
    needs_provider: bool = ...,
    manages_startup: bool = ...,
    both_forms: bool = ...,
    seconds: float | None = ...,
    rows: Mapping[str, Row],
) -> Callable[[Callable[..., None]], tuple[Case, ...]]: ...
def case(
    id: str,
    *,
    chapter: str,
    source: str,
    basis: Basis,
    requirements: tuple[str, ...] | list[str] = (),
    behaviours: tuple[str, ...] | list[str] = (),
    gap: Gap | None = None,
    differs: Mapping[str, Difference] | None = None,
    needs_c: bool = False,
    needs_provider: bool = False,
    manages_startup: bool = False,
    both_forms: bool = False,
    seconds: float | None = None,
    rows: Mapping[str, Row] | None = None,
) -> Callable[[Callable[..., None]], Any]:
    """Make a function a case, or with ``rows`` one case per row.

    Args:
        id: words joined by hyphens, parts joined by dots: ``transfer.scatter.fills-in-order``. Stable for
            ever. With ``rows`` it contains ``{row}``, which the row's key replaces.
        chapter: the chapter of the report; cases of one chapter stand in one module.
        source: the page (``winsock2/nf-winsock2-wsarecv, parameter lpBuffers``), or for an observation the
            Windows version or public test that shows it.
        basis: a documented promise, an observation, or a choice where both are silent.
        requirements: ids of semantics.md (``R7.3``, ``T1.1``, ``A104``, ``B22``) that this case proves
            something about.
        behaviours: ids of behaviours.jsonl that this case checks.
        gap: why the case is known to fail, for all targets of ours or per target. Reports itself the day the case
            passes.
        differs: by referee (``"wine"``, ``"windows"``) why it answers otherwise: one of `lacks`,
            `observed_otherwise`, `documented_otherwise`, `host_limit`. Reports itself the day it agrees. A reason for
            many cases stands in differences.py instead.
        needs_c: uses ``ws.c``; reported as n/a where there is no C ABI.
        needs_provider: uses ``ws.provider``; reported as n/a where none can be installed.
        manages_startup: calls WSAStartup and WSACleanup itself; the runner then does not.
        both_forms: run once with the A functions and once with the W functions, where the target has both.
        seconds: time allowed, when the runner's default does not fit.
        rows: the table; the function gets ``(ws, *row.arguments)``.

    Raises:
        ValueError: a declaration that cannot be right; raised while the module is imported.
    """
    requirements, behaviours = tuple(requirements), tuple(behaviours)

    def build(function: Callable[..., None], id: str, row: Row | None) -> Case:
        if not _ID.fullmatch(id):
            raise ValueError(f"case id {id!r}: use lower-case words, '-' between words, '.' between parts")
        wanted = requirements + (row.requirements if row else ())
        for requirement in wanted:
            if not _REQUIREMENT.fullmatch(requirement):
                raise ValueError(f"case {id}: {requirement!r} is not a requirement id such as R7.3, T1.1, A104 or B22")
        gaps, reasons = (
            row.gap if row and row.gap is not None else gap,
            {**(differs or {}), **(row.differs if row else {})},
        )
        if isinstance(gaps, Mapping) and not all(map(is_ours, gaps)):
            raise ValueError(f"case {id}: a gap is one of our own targets; of {', '.join(gaps)} say differs=")
        if any(map(is_ours, reasons)):
            raise ValueError(f"case {id}: differs= is about referees; of {', '.join(reasons)} say gap=")
        claim = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
        if not claim or not source or basis not in ("documented", "observed", "choice"):
            raise ValueError(f"case {id}: needs a docstring that states the claim, a source and a basis")
        arguments = row.arguments if row else ()

        def run(ws: Target) -> None:
            function(ws, *arguments)

        return Case(
            id=id,
            chapter=chapter,
            claim=claim,
            source=(row and row.source) or source,
            basis=(row and row.basis) or basis,
            run=run if row else function,
            module=function.__module__,
            line=inspect.unwrap(function).__code__.co_firstlineno,
            requirements=wanted,
            behaviours=behaviours + (row.behaviours if row else ()),
            gap=gaps,
            differs=reasons,
            function=function,
            arguments=arguments,
            needs_c=needs_c,
            needs_provider=needs_provider,
            manages_startup=manages_startup,
            both_forms=both_forms,
            seconds=seconds,
            alone=bool(getattr(sys.modules.get(function.__module__), "ALONE", False)),
        )

    def decorate(function: Callable[..., None]) -> Case | tuple[Case, ...]:
        if rows is None:
            made: tuple[Case, ...] = (build(function, id, None),)
        elif "{row}" not in id or not rows:
            raise ValueError(f"case {id}: a table of cases needs '{{row}}' in its id and at least one row")
        else:
            made = tuple(build(function, id.replace("{row}", key), row) for key, row in rows.items())
        module = sys.modules.get(function.__module__)
        if module is not None:
            module.__dict__.setdefault("__cases__", []).extend(made)
        return made[0] if rows is None else made

    return decorate
