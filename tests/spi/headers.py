"""The structures of ws2spi.h as measured, to compare with."""

from __future__ import annotations

import json

from tests.reference import reference


def fields(structure: str) -> list[str]:
    """The members of a structure of function pointers, in order, without the prefix of pointers."""
    structures = json.loads(reference("structs.json").read_text(encoding="utf-8"))["structs"]
    return [field["name"].removeprefix("lp") for field in structures[structure]["fields"]]
