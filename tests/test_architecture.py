"""Imports point one way, and a few modules are the only ones that touch the host.

The sources are parsed, never imported: a module that cannot be imported here is judged all the same. Imports
inside functions count, imports under TYPE_CHECKING do not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs
import pytest

CHECKOUT = Path(__file__).resolve().parent.parent

# From the top down. A room may import what stands below it; of two rooms on one line, one may import the
# other, not both. The package's own __init__ and __main__ are rooms too.
ORDER = (
    ("cli", "__main__", "__init__"),
    ("testing", "installing"),
    ("aio",),
    ("compat",),
    ("capi",),
    ("mswsock", "user32"),
    ("ws2_32",),
    ("kernel32",),
    ("process",),
    ("providers",),
    ("catalog", "engine"),
    ("spi",),
    ("kernel",),
    ("trace", "errors"),
    ("defs",),
)
RANK = {room: rank for rank, rooms in enumerate(reversed(ORDER)) for room in rooms}

API = ("ws2_32", "mswsock", "kernel32", "user32")
NEUTRAL_CONFORMANCE = ("cases", "programs", "driver", "model", "verify")


@attrs.frozen
class Edge:
    """Module ``source`` imports module ``target``."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


def modules(root: Path, package: str) -> dict[str, Path]:
    """Dotted name to file of every module in the folder ``root``, imported as ``package``."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        found[".".join((package, *parts))] = path
    return found


def is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import that can run."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and is_type_checking(node.test):
            for other in node.orelse:
                yield from statements(ast.Module([other], []))
        else:
            yield from statements(node)


def edges(known: dict[str, Path]) -> Iterator[Edge]:
    """Every import of the modules ``known``, absolute. ``from package import module`` names the module."""
    for source, path in known.items():
        package = source if path.name == "__init__.py" else source.rpartition(".")[0]
        for statement in statements(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            if isinstance(statement, ast.Import):
                yield from (Edge(source, alias.name) for alias in statement.names)
                continue
            base = statement.module or ""
            if statement.level:
                above = package.split(".")[: len(package.split(".")) - statement.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in statement.names:
                name = f"{base}.{alias.name}"
                yield Edge(source, name if name in known else base)


def room(module: str) -> str:
    """The room of a module of the package: its first folder or module; the package itself is ``__init__``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def inside(module: str, prefixes: Iterable[str]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def turned_round(found: Iterable[Edge], package: str) -> list[str]:
    """The edges that point up, and both halves of a pair of rooms on one level that import each other."""
    wrong = []
    sideways: dict[tuple[str, str], Edge] = {}
    for edge in found:
        if not inside(edge.target, [package]):
            continue
        source, target = room(edge.source), room(edge.target)
        for name, module in ((source, edge.source), (target, edge.target)):
            if name not in RANK:
                wrong.append(f"{module} has no place in the order ({edge})")
                break
        else:
            if RANK[source] < RANK[target]:
                wrong.append(str(edge))
            elif RANK[source] == RANK[target] and source != target:
                sideways[source, target] = edge
    return wrong + [str(edge) for (one, other), edge in sideways.items() if (other, one) in sideways]


def host_imports(found: Iterable[Edge], package: str) -> list[str]:
    """The edges to the host's sockets and readiness calls from modules that may not have them."""
    allowed = {
        "select": [f"{package}.engine.pump"],
        "selectors": [f"{package}.engine.pump"],
        "socket": [f"{package}.providers.host", f"{package}.compat"],
        "_socket": [f"{package}.providers.host", f"{package}.compat"],
    }
    return [str(edge) for edge in found if not inside(edge.source, allowed.get(edge.target, [package]))]


@pytest.fixture(scope="module")
def package_edges() -> list[Edge]:
    return list(edges(modules(CHECKOUT / "winsock2emu", "winsock2emu")))


def test_the_sources_are_found(package_edges: list[Edge]) -> None:
    """Guards the other tests: an empty list of edges would pass them all."""
    assert Edge("winsock2emu.defs.layouts", "attrs") in package_edges


def test_no_import_points_up(package_edges: list[Edge]) -> None:
    assert turned_round(package_edges, "winsock2emu") == []


def test_only_the_pump_and_the_host_provider_touch_the_host(package_edges: list[Edge]) -> None:
    assert host_imports(package_edges, "winsock2emu") == []


def test_the_api_names_no_provider(package_edges: list[Edge]) -> None:
    """They meet in a row of the catalog, which holds a path."""
    providers = [edge for edge in package_edges if inside(edge.target, ["winsock2emu.providers"])]

    assert [str(edge) for edge in providers if room(edge.source) in API] == []


def test_no_case_imports_the_package() -> None:
    """What also runs against Microsoft's DLL knows nothing of the emulator."""
    found = list(edges(modules(CHECKOUT / "conformance", "winsock2emu_conformance")))
    neutral = [edge for edge in found if room(edge.source) in NEUTRAL_CONFORMANCE]

    assert [str(edge) for edge in neutral if inside(edge.target, ["winsock2emu"])] == []


def test_the_package_never_names_the_reference_folder() -> None:
    files = modules(CHECKOUT / "winsock2emu", "winsock2emu").values()

    assert [str(path) for path in files if "shared/reference" in path.read_text(encoding="utf-8")] == []


def tree(root: Path, **files: str) -> list[Edge]:
    """The edges of a made-up package ``toy``; ``__`` in a keyword is a folder's slash."""
    for name, content in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in (path.parent, root):
            (folder / "__init__.py").touch()
        path.write_text(content, encoding="utf-8")
    return list(edges(modules(root, "toy")))


@pytest.mark.parametrize(
    "statement",
    [
        "import toy.ws2_32.transfer",
        "from toy.ws2_32 import transfer",
        "from toy.ws2_32.transfer import recv",
        "from ..ws2_32 import transfer",
        "from ..ws2_32.transfer import recv",
        "def late():\n    from ..ws2_32 import transfer",
        "try:\n    from ..ws2_32 import transfer\nexcept ImportError:\n    raise",
        "if TYPE_CHECKING:\n    import toy.defs\nelse:\n    from ..ws2_32 import transfer",
    ],
)
def test_an_import_that_points_up_is_named(tmp_path: Path, statement: str) -> None:
    """Every way to write it is seen, and the message names both ends."""
    found = tree(tmp_path, engine__lanes=statement, ws2_32__transfer="")

    assert turned_round(found, "toy") == ["toy.engine.lanes -> toy.ws2_32.transfer"]


def test_the_package_itself_stands_on_top(tmp_path: Path) -> None:
    """``from toy import name`` reaches for the package's __init__ unless the name is one of its modules."""
    found = tree(tmp_path, kernel__waits="from .. import errors, windll", errors="")

    assert turned_round(found, "toy") == ["toy.kernel.waits -> toy"]


@pytest.mark.parametrize(
    "statement",
    [
        "from ..kernel import waits",
        "from . import lanes",
        "import attrs",
        "if TYPE_CHECKING:\n    from ..ws2_32 import transfer",
        "import typing\nif typing.TYPE_CHECKING:\n    from ..ws2_32 import transfer",
    ],
)
def test_an_import_that_points_down_or_only_helps_the_type_checker_passes(tmp_path: Path, statement: str) -> None:
    found = tree(tmp_path, engine__endpoint=statement, engine__lanes="", kernel__waits="", ws2_32__transfer="")

    assert turned_round(found, "toy") == []


def test_rooms_of_one_level_lean_in_one_direction_only(tmp_path: Path) -> None:
    found = tree(tmp_path / "toy", catalog__rows="from ..engine import lanes", engine__lanes="")
    assert turned_round(found, "toy") == []

    found = tree(tmp_path / "toy", engine__pump="from ..catalog import rows")
    assert sorted(turned_round(found, "toy")) == [
        "toy.catalog.rows -> toy.engine.lanes",
        "toy.engine.pump -> toy.catalog.rows",
    ]


def test_a_room_without_a_place_is_named(tmp_path: Path) -> None:
    found = tree(tmp_path, helpers__misc="from ..defs import codes", defs__codes="")

    assert turned_round(found, "toy") == [
        "toy.helpers.misc has no place in the order (toy.helpers.misc -> toy.defs.codes)"
    ]


def test_a_host_import_outside_its_place_is_named(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        engine__pump="import select",
        engine__lanes="from select import epoll",
        providers__host__tcp="import socket",
        providers__memory__wire="import socket",
        compat__socket="import _socket",
    )

    assert sorted(host_imports(found, "toy")) == [
        "toy.engine.lanes -> select",
        "toy.providers.memory.wire -> socket",
    ]
