"""Changes that are taken back."""

from __future__ import annotations

from winsock2emu.installing.changes import Changes


def test_everything_is_put_back_in_the_end() -> None:
    names = {"kept": 1, "changed": 2, "removed": 3}
    changes = Changes()
    changes.set(names, "changed", 20)
    changes.set(names, "changed", 21)
    changes.set(names, "new", 4)
    changes.remove(names, "removed")
    changes.remove(names, "never there")
    assert names == {"kept": 1, "changed": 21, "new": 4}

    changes.undo()

    assert names == {"kept": 1, "changed": 2, "removed": 3}
    names["changed"] = 5
    changes.undo()
    assert names["changed"] == 5


def test_a_name_that_somebody_else_has_removed_is_put_back() -> None:
    names = {"one": 1}
    changes = Changes()
    changes.set(names, "one", 2)
    changes.set(names, "two", 2)
    names.clear()

    changes.undo()

    assert names == {"one": 1}
