"""The hunt: sequences as data, what counts as a difference, how one is found and made short, and the corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from winsock2emu_conformance import targets
from winsock2emu_conformance.hunting import corpus, hunter
from winsock2emu_conformance.hunting.comparing import Reason, compare
from winsock2emu_conformance.hunting.hunter import Hunt
from winsock2emu_conformance.hunting.sequences import Step, from_json, text_of, to_json
from winsock2emu_conformance.hunting.vocabulary import CALLS
from winsock2emu_conformance.hunting.world import Stage
from winsock2emu_conformance.model import lacks
from winsock2emu_conformance.targets.emulator import EmulatorMachine, EmulatorTarget

ENTRIES = [*corpus.read(corpus.FOUND), *corpus.read(corpus.COVERING)]
PAIR_AND_LOOK = from_json([["pair", "s0", "s1", 4], ["send", "s0", 3, 0], ["recv", "s1", 8, 0], ["look"]])


def drawn(seed: int, count: int) -> list[str]:
    found: list[str] = []
    hunter._draw(seed, count, lambda sequence: found.append(text_of(sequence)))
    return found


# ---- sequences ---------------------------------------------------------------------------------------------------


def test_a_sequence_comes_back_from_its_text() -> None:
    assert from_json(to_json(PAIR_AND_LOOK)) == PAIR_AND_LOOK
    assert str(PAIR_AND_LOOK[1]) == "send(s0, 3, 0)"


def test_a_seed_gives_the_same_sequences_each_time_and_another_one_others() -> None:
    first = drawn(7, 20)

    assert first == drawn(7, 20)
    assert set(first) != set(drawn(8, 20))
    assert all(step.call in CALLS for text in first for step in from_json(json.loads(text)))


# ---- comparing ---------------------------------------------------------------------------------------------------

OURS: list[dict[str, Any]] = [{"ok": "connected"}, {"ok": 3}, {"ok": {"moved": 3}}, {"ok": {"s0": ["w", 1]}}]
THEIRS: list[dict[str, Any]] = [OURS[0], {"fails": "WSAENOTCONN (10057)"}, OURS[2], {"ok": {"s0": ["rw", 1]}}]


def test_outcomes_that_are_alike_are_no_difference() -> None:
    assert compare(PAIR_AND_LOOK, OURS, OURS).difference is None


def test_the_first_difference_is_told_with_what_came_before() -> None:
    found = compare(PAIR_AND_LOOK, OURS, THEIRS).difference

    assert found is not None
    assert (found.at, found.before, found.signature) == (1, (OURS[0],), "send: ok / WSAENOTCONN")


def test_a_known_difference_is_passed_over_or_ends_the_comparison() -> None:
    goes_on = Reason("known", lacks("it"), lambda d: d.call == "send", stops=False)
    ends = Reason("known", lacks("it"), lambda d: d.call == "send")

    after = compare(PAIR_AND_LOOK, OURS, THEIRS, (goes_on,))
    assert after.met == ("known",)
    assert after.difference is not None
    assert (after.difference.name, after.difference.place, after.difference.ours) == ("s0", 0, "w")
    assert compare(PAIR_AND_LOOK, OURS, THEIRS, (ends,)).difference is None


# ---- hunting -----------------------------------------------------------------------------------------------------


class Wrong(EmulatorTarget):
    """An implementation that says that every event is set."""

    def WSAWaitForMultipleEvents(self, *arguments: Any) -> int:
        result = super().WSAWaitForMultipleEvents(*arguments)
        return 0 if arguments[2:3] == (0,) else result


@pytest.fixture
def mistaken() -> Iterator[Hunt]:
    hunt = Hunt(targets.make("emulator"), Wrong(EmulatorMachine()))
    yield hunt
    hunt.close()


def test_a_difference_is_found_and_made_short(mistaken: Hunt) -> None:
    tally = mistaken.batch(1, 40)

    assert tally.found
    shortest = min(tally.found.values(), key=lambda found: len(found.sequence))
    calls = [call for call, *_ in shortest.sequence]
    assert calls[-1] == "look"
    assert len(calls) < 8
    assert {"WSACreateEvent", "CreateEvent"} & set(calls)


def test_the_emulators_two_faces_never_differ() -> None:
    """The C ABI and the Python API are one core."""
    hunt = Hunt(targets.make("emulator"), targets.make("api"))
    try:
        tally = hunt.batch(2024, 100, shrinks=False)
    finally:
        hunt.close()

    assert (tally.sequences, tally.hung) == (100, [])
    assert not tally.found, "\n".join(f"{name}: {found.sequence}" for name, found in tally.found.items())


# ---- the corpus --------------------------------------------------------------------------------------------------


def test_a_corpus_comes_back_from_its_file(tmp_path: Path) -> None:
    entry = corpus.Entry("about it", PAIR_AND_LOOK, "wine", OURS)
    corpus.write(tmp_path / "some.json", [entry])

    assert corpus.read(tmp_path / "some.json") == [entry]
    assert corpus.read(tmp_path / "none.json") == []


def test_few_entries_are_chosen_that_cover_what_all_meet() -> None:
    short = corpus.Entry("", PAIR_AND_LOOK[:2], "wine", OURS[:2])
    whole = corpus.Entry("", PAIR_AND_LOOK, "wine", OURS)
    other = corpus.Entry("", (Step("tcp", ("s0", 4)),), "wine", [{"ok": "made"}])

    chosen = list(corpus.covering([short, whole, other], 10))

    assert whole in chosen
    assert other in chosen
    assert short not in chosen


@pytest.mark.parametrize("name", ["emulator", "api"])
def test_what_a_hunt_has_left_behind_still_agrees_with_the_referee(name: str) -> None:
    """Wine's answers were recorded with the sequences."""
    assert ENTRIES, "the corpus is there"
    stage = Stage(targets.make(name), CALLS)
    stage.open()
    wrong = []
    try:
        for number, entry in enumerate(ENTRIES):
            if number % hunter.CLEANING == hunter.CLEANING - 1:
                stage.close()
                stage.open()
            found = corpus.replay(entry, stage).difference
            if found is not None and corpus.replay(entry, stage, thorough=True).difference is not None:
                wrong.append(f"{found.signature}: {text_of(entry.sequence)}")
    finally:
        stage.close()

    assert not wrong, "\n".join(wrong)
