"""Derive the suite's tables from the reference folder: ``python conformance/generate.py REFERENCE_FOLDER``.

Part played:     writes constants.py (Windows' numbers), requirements.json (ids and section titles of
                 semantics.md) and behaviours.json (behaviour ids by area). Only ids and numbers are taken
                 over, no text.
Lives elsewhere: winsock2emu has a generator of its own. The two share no code, so a slip in one shows as a
                 failing case instead of agreeing with itself.
Sources:         constants.json, errors.json, guids.json, semantics.md, behaviours.jsonl of the reference
                 folder.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

#: Header groups of constants.json that cases may need. Add one here and generate again.
GROUPS = (
    "winsock2.h",
    "ws2def.h",
    "ws2ipdef.h",
    "ws2tcpip.h",
    "afunix.h",
    "mswsock.h",
    "mswsockdef.h",
    "mstcpip.h",
    "nspapi.h",
    "qos.h",
    "ws2spi.h",
    "windows_base",
    "wsipx.h",
    "wsnwlink.h",
)

CONSTANTS_HEAD = '''"""Windows' numbers for cases. Written by generate.py from the reference folder; do not
edit by hand.

Values are those of 64-bit Windows. ``code_name`` turns an error code into text for reports.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

'''

CONSTANTS_TAIL = '''

def code_name(code: int | None) -> str:
    """Return ``WSAENOTSOCK (10038)`` for 10038, the bare number for a code without a name."""
    name = CODE_NAMES.get(code) if code is not None else None
    return f"{name} ({code})" if name else str(code)
'''


def load(folder: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return loaded


def constants(folder: Path) -> str:
    """Return the text of constants.py."""
    data = load(folder, "constants.json")
    errors = load(folder, "errors.json")
    values: dict[str, int] = {}
    for table in ("wsa", "win32", "ntstatus"):
        for name, entry in errors[table].items():
            for spelling in (name, *entry.get("aliases", ())):
                values.setdefault(spelling, entry["value"])
    for group in GROUPS:
        for name, value in data["groups"].get(group, {}).items():
            values.setdefault(name, value)
    for name, entry in data["documented_not_in_mingw"].items():
        if entry["header"] in GROUPS:
            values.setdefault(name, entry["value"])
    names: dict[int, str] = {}
    for table in ("wsa", "win32"):
        for name, entry in errors[table].items():
            names.setdefault(entry["value"], name)
    guids = load(folder, "guids.json")["groups"]["extension_functions"]

    lines = [f"{name}: Final = {values[name]}" for name in sorted(values)]
    lines.append("")
    lines += [f'{name}: Final = UUID("{guids[name]}")' for name in sorted(guids)]
    lines.append("")
    lines.append("CODE_NAMES: Final[dict[int, str]] = {")
    lines += [f'    {value}: "{name}",' for value, name in sorted(names.items())]
    lines.append("}")
    return CONSTANTS_HEAD + "\n".join(lines) + "\n" + CONSTANTS_TAIL


def requirements(folder: Path) -> dict[str, Any]:
    """Return every requirement id of semantics.md under its section: R*, tables T*, rows A* and B*."""
    sections: list[dict[str, Any]] = []
    for line in (folder / "semantics.md").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (R\d+|Appendix [AB])\. (.+)", line):
            name = heading[1].removeprefix("Appendix ")
            sections.append({"id": name, "title": heading[2], "requirements": [], "tables": []})
        elif line.startswith("## "):
            sections.append({"id": "", "title": "", "requirements": [], "tables": []})  # closes the one before
        elif sections and (item := re.match(r"- (R\d+\.\d+) |\| ([AB]\d+) \|", line)):
            sections[-1]["requirements"].append(item[1] or item[2])
        elif sections and (table := re.match(r"(T\d+\.\d+)\b", line)):
            sections[-1]["tables"].append(table[1])
    return {"sections": [section for section in sections if section["id"]]}


def behaviours(folder: Path) -> dict[str, list[str]]:
    """Return the behaviour ids of behaviours.jsonl by area."""
    areas: dict[str, list[str]] = {}
    for line in (folder / "behaviours.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if "id" in entry:
            areas.setdefault(entry["area"], []).append(entry["id"])
    return {area: sorted(areas[area]) for area in sorted(areas)}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not (Path(arguments[0]) / "semantics.md").is_file():
        print("usage: python conformance/generate.py REFERENCE_FOLDER   (the folder that holds semantics.md)")
        return 2
    folder = Path(arguments[0])
    (HERE / "constants.py").write_text(constants(folder), encoding="utf-8")
    for name, table in (("requirements.json", requirements(folder)), ("behaviours.json", behaviours(folder))):
        (HERE / name).write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
