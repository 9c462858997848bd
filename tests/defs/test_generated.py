"""The generated modules say what the reference data says, and are what the generator writes."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.reference import reference
from winsock2emu.defs import codes, constants, exports, generate, guids, layouts

DEFS = Path(generate.__file__).parent
DLLS = ("ws2_32", "mswsock", "kernel32", "user32", "ntdll")


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(reference(name).read_text(encoding="utf-8"))
    return content


def differences(module: object, expected: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Names whose value in ``module`` is absent or another one: name -> (expected, actual)."""
    actual = {name: getattr(module, name, None) for name in expected}
    return {name: (expected[name], actual[name]) for name in expected if expected[name] != actual[name]}


def test_committed_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    """Somebody changed a generated file by hand, or the generator without running it: the names are shown."""
    generate.generate(reference("constants.json").parent, tmp_path)

    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {name: (DEFS / name).read_bytes() for name in written}
    assert sorted(written) == ["codes.py", "constants.py", "exports.py", "guids.py", "layouts.py"]
    assert [name for name in written if written[name] != committed[name]] == []


def test_bad_reference_data_leaves_the_output_folder_alone(tmp_path: Path) -> None:
    """A damaged structs.json: the message names the file and nothing is written."""
    source, output = tmp_path / "source", tmp_path / "output"
    source.mkdir()
    output.mkdir()
    for name in ("constants.json", "errors.json", "guids.json", "exports.json"):
        (source / name).write_bytes(reference(name).read_bytes())
    (source / "structs.json").write_text("{", encoding="utf-8")

    with pytest.raises(SystemExit, match=r"structs\.json"):
        generate.main([str(source), str(output)])

    assert list(output.iterdir()) == []


def test_every_constant_has_its_value() -> None:
    """All headers' constants, Microsoft's value where the two header sets disagree; codes are in codes.py."""
    source = load("constants.json")
    groups: dict[str, dict[str, int]] = {header: dict(names) for header, names in source["groups"].items()}
    for name, entry in source["documented_not_in_mingw"].items():
        groups.setdefault(entry["header"], {})[name] = entry["value"]
    for name, entry in source["differs_between_headers"].items():
        groups[entry["header"]][name] = entry["windows_sdk_26100"]
    expected_codes = groups.pop("winerror.h") | groups.pop("ntstatus.h")

    assert differences(codes, expected_codes) == {}
    for header, names in groups.items():
        assert differences(constants, names) == {}, header


def test_constants_and_codes_agree_where_both_have_a_name() -> None:
    shared = {name: value for name, value in vars(constants).items() if hasattr(codes, name) and name.isupper()}

    assert "EAI_NONAME" in shared
    assert differences(codes, shared) == {}


def test_masks_are_plain_ints() -> None:
    """An IntFlag test costs 30 times an int's; see the speed notes on masks."""
    values = [value for name, value in vars(constants).items() if name.isupper()]

    assert {type(value) for value in values} == {int}


@pytest.mark.parametrize(
    ("kind", "enum"), [("wsa", codes.WSAError), ("win32", codes.Win32Error), ("ntstatus", codes.NTStatus)]
)
def test_every_code_is_an_enum_member_and_a_plain_int(kind: str, enum: type[codes.WSAError]) -> None:
    """The plain name has the member's value and is no member itself."""
    entries = load("errors.json")[kind]
    expected = {name: entry["value"] for name, entry in entries.items()}
    aliases = {alias: entry["value"] for entry in entries.values() for alias in entry.get("aliases", ())}

    assert differences(codes, expected | aliases) == {}
    assert {name: int(enum.__members__[name]) for name in expected} == expected
    assert {type(getattr(codes, name)) for name in expected} == {int}


def test_every_code_has_the_system_message() -> None:
    source = load("errors.json")
    expected = {entry["value"]: entry["message"] for kind in ("wsa", "win32") for entry in source[kind].values()}

    assert expected == codes.MESSAGES


def test_statuses_translate_as_the_system_translates_them() -> None:
    """RtlNtStatusToDosError for the Win32 code, the I/O status table for the Winsock one."""
    entries = load("errors.json")["ntstatus"].values()
    to_win32 = {entry["value"]: entry["win32_error"] for entry in entries}
    to_wsa = {entry["value"]: entry["wsa_error"]["value"] for entry in entries if entry["wsa_error"]}

    pipes = {0xC00000B1: 232, 0xC000014B: 109}  # what the reference does not have: ERROR_NO_DATA and ERROR_BROKEN_PIPE
    assert {**to_win32, **pipes} == codes.STATUS_TO_WIN32
    assert to_wsa == codes.STATUS_TO_WSA


def test_every_guid_has_its_value() -> None:
    expected: dict[str, uuid.UUID] = {}
    for names in load("guids.json")["groups"].values():
        expected |= {name: uuid.UUID(text) for name, text in names.items()}

    assert len(expected) == 219
    assert differences(guids, expected) == {}


def test_every_record_has_its_layout() -> None:
    """Size, alignment and, of each member, name, kind, type, place and array shape, for 64-bit Windows."""
    source = load("structs.json")
    expected = {}
    for name, struct in source["structs"].items():
        fields = [
            (
                field["name"],
                field["kind"],
                field["ctype"],
                *field["win64"],
                field.get("count", 0),
                field.get("elem", ""),
            )
            for field in struct["fields"]
            if field["kind"] != "bitfield"
        ]
        expected[name] = (struct["win64"]["sizeof"], struct["win64"]["alignof"], fields)
    actual = {}
    for name, layout in layouts.LAYOUTS.items():
        members = [
            (field.name, field.kind, field.ctype, field.offset, field.size, field.count, field.elem)
            for field in layout.fields
            if field.kind != "bitfield"
        ]
        actual[name] = (layout.size, layout.align, members)

    assert actual == expected
    assert source["aliases"] == layouts.ALIASES
    assert len(layouts.LAYOUTS) == 156
    assert sum(len(layout.fields) for layout in layouts.LAYOUTS.values()) == 984


def test_bit_fields_share_their_storage_unit() -> None:
    """SCOPE_ID: 28 bits of zone and 4 of level in one ULONG; the lowest bits come first."""
    zone, level, value = layouts.LAYOUTS["SCOPE_ID"].fields

    assert [(field.bits, field.bit_offset) for field in (zone, level)] == [(28, 0), (4, 28)]
    assert {(field.offset, field.size) for field in (zone, level, value)} == {(0, 4)}


@pytest.mark.parametrize("dll", DLLS)
def test_every_export_has_its_prototype(dll: str) -> None:
    expected = {}
    for name, entry in load("exports.json")[dll].items():
        params = entry["params"]
        if params is not None:
            params = [(param, ctype, way or "", bool(optional)) for param, ctype, way, optional in params]
        shape = (entry.get("ordinal"), entry["returns"], params, entry["failure"], entry["error_channel"])
        expected[name] = (*shape, entry["documented"])
    actual = {}
    for name, export in exports.EXPORTS[dll].items():
        params = export.params
        if params is not None:
            params = [(param.name, param.ctype, param.direction, param.optional) for param in params]
        shape = (export.ordinal, export.returns, params, export.failure, export.error_channel)
        actual[name] = (*shape, export.documented)

    assert actual == expected


def test_every_extension_function_can_be_found() -> None:
    """The GUID's name and the opcode's lead to the values the pack gives; RIO functions have their place."""
    for name, entry in load("exports.json")["extension_functions"].items():
        extension = exports.EXTENSIONS[name]
        assert getattr(guids, extension.guid_name) == uuid.UUID(entry["guid"]), name
        assert hasattr(constants, extension.opcode), name
        assert (extension.pointer_type, extension.table_index) == (
            entry["pointer_type"],
            entry.get("table_index"),
        )
        assert extension.function.returns == entry["returns"], name
    assert len(exports.EXTENSIONS) == 22


def test_wrong_usage_is_told_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main([]) == 2
    assert "REFERENCE_FOLDER" in capsys.readouterr().err
