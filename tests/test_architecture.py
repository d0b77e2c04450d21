"""The house rules about rooms and imports, held against the code."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import edge.store

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "edge"
FILES = sorted(file for file in PACKAGE.rglob("*.py"))

# Everything but these modules stands in a room.
LOOSE = {"__init__", "__main__", "pipeline", "sources"}
WORKING_ROOMS = {
    *("capture", "detection", "tracking", "counting", "store"),
    *("publish", "board", "mqtt", "host", "simulator", "picture", "scheduling"),
}
BASE = {"core", "config"}
SPINE = {"pipeline", "sources"}
DAEMON = BASE | WORKING_ROOMS | SPINE

# The rooms that each room may import, besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "__init__": set(),
    "core": set(),
    "config": {"core"},
    **dict.fromkeys(WORKING_ROOMS, BASE),
    "publish": BASE | {"mqtt"},
    "board": BASE | {"mqtt"},
    "pipeline": BASE | {"detection", "tracking", "counting", "scheduling"},
    "sources": BASE | {"capture", "simulator"},
    "snapshot": DAEMON,
    "daemon": DAEMON | {"snapshot"},
    "evaluation": DAEMON | {"daemon", "snapshot"},
    "demo": DAEMON | {"daemon", "evaluation"},
    "cli": DAEMON | {"daemon", "evaluation", "demo", "snapshot"},
    "__main__": {"cli"},
}

# The inner rooms of a room, the lowest first: each may import only those before it.
INNER_ROOMS = {
    "capture": ("clips", "reader", "live"),
    "store": ("sql", "schema", "counts", "quality", "reports", "upkeep", "writing"),
    "counting": ("decision",),
    "simulator": ("traffic", "drawing"),
    "cli": ("shared", "db", "counts"),
    "daemon": ("health",),
}

# Libraries with a home: (top-level module) -> the rooms or files that may import it.
HOMES = {
    "cv2": {"capture", "picture", "simulator", "detection", "tracking", "scheduling", "evaluation", "snapshot"},
    "av": {"capture"},
    "paho": {"mqtt"},
    "peewee": {"store"},
    "onnxruntime": {"detection/onnx_runtime.py"},
    "ultralytics": {"detection/ultralytics_runtime.py"},
    "torch": {"detection/ultralytics_runtime.py"},
    "lap": {"tracking/association.py", "evaluation/accuracy.py"},
    "tomlkit": {"evaluation"},
    "pydantic": {"config", "evaluation", "board", "cli/shared/daemon_report.py"},
    "prometheus_client": {"daemon/health/metrics.py", "daemon/health/metric_families.py"},
    "click": {"cli"},
}

# A room may keep fewer than five modules where its subject has no more.
SMALL_ROOMS = {"mqtt", "simulator", "store", "store/sql", "cli/db", "cli/counts", "board", "capture"}
FEWEST, MOST = 5, 12
# Rooms whose tuned numbers stand in parameters.py, and the other numbers than 0, 1 and 2 that their code may hold: they
# are not tuned but shapes, formulas, guards against a division by 0, and what another program defines.
ROOMS_WITH_PARAMETERS = {"detection", "tracking", "counting", "scheduling"}
STRUCTURAL_NUMBERS: dict[str, set[float]] = {
    "detection/decode.py": {4},  # values of a box
    "detection/letterbox.py": {255},  # the largest value of a pixel
    "detection/onnx_runtime.py": {3},  # onnxruntime's number of a log level
    "detection/ultralytics_runtime.py": {3},  # channels of an image
    "detection/weights.py": {0o644, 1e6},  # a file's mode; bytes a megabyte
    "scheduling/movement.py": {255, 500},  # MOG2's mark of a pixel, and its number of frames, which is not used
    "scheduling/region.py": {6},  # decimals that rounding errors of a division do not reach
    "tracking/association.py": {9.0},  # a cost above all others
    "tracking/boxes.py": {4, 1e-6},  # values of a box; the least area
    "tracking/motion.py": {3, 4},  # the formula of the noise
    "tracking/observer.py": {4},  # decimals of a confidence
    "tracking/optical_flow.py": {3},  # a cell's neighbourhood; an axis
    "tracking/sightings.py": {1e-9},  # the least square of a length
    "tracking/usual_size.py": {3},  # a column
}
TESTS_WITHOUT_A_ROOM = {"system", "benchmarks", "support"}


def room_of(file: Path) -> str:
    """The room of a file, or the module's own name at the top."""
    relative = file.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def module_of(file: Path) -> str:
    """The dotted name of a file."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


def imports(file: Path) -> list[tuple[int, str, bool]]:
    """Every import of a file as (line, dotted module, only for type checking)."""
    tree = ast.parse(file.read_text())
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, id(node) in guarded) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                name = whole if whole in MODULES else node.module or ""
                found.append((node.lineno, name, id(node) in guarded))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_modules_import_only_what_their_room_may(file: Path) -> None:
    """No working room imports another; the way down goes cli, daemon, pipeline, working rooms, config, core."""
    here = room_of(file)
    assert here in MAY_IMPORT, f"{file}: a new room; say in MAY_IMPORT what it may import"
    for line, module, _ in imports(file):
        parts = module.split(".")
        if parts[0] != "edge" or len(parts) == 1:
            continue
        assert parts[1] == here or parts[1] in MAY_IMPORT[here], f"{file}:{line}: {here} must not import {module}"


@pytest.mark.parametrize("room", INNER_ROOMS)
def test_inner_rooms_import_one_way(room: str) -> None:
    """An inner room imports only the inner rooms below it."""
    order = INNER_ROOMS[room]
    folders = {file.parent.name for file in (PACKAGE / room).rglob("*.py") if file.parent != PACKAGE / room}
    assert folders == set(order), f"edge/{room} has other inner rooms than INNER_ROOMS says"
    for file in (PACKAGE / room).rglob("*.py"):
        here = file.parent.name
        if here not in order:
            continue
        for line, module, _ in imports(file):
            parts = module.split(".")
            if parts[:2] == ["edge", room] and len(parts) > 2 and parts[2] in order:
                assert order.index(parts[2]) <= order.index(here), f"{file}:{line}: {here} must not import {module}"


def test_other_rooms_import_the_store_through_its_front_door() -> None:
    """Outside of ``edge.store`` only the names that its ``__init__`` exports are used, not its modules."""
    for file in FILES:
        if room_of(file) == "store":
            continue
        for line, module, _ in imports(file):
            assert not module.startswith("edge.store."), f"{file}:{line}: import the name from edge.store, not {module}"


def test_the_stores_front_door_exports_each_name_once() -> None:
    """The names in ``__all__``, those for type checkers and those that are imported at their first use are the same."""
    exported = edge.store.__all__
    assert exported == sorted(exported, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert set(exported) == set(edge.store._MODULES)
    tree = ast.parse((PACKAGE / "store" / "__init__.py").read_text())
    for_type_checkers = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("edge.")
        for alias in node.names
    }
    assert for_type_checkers == edge.store._MODULES
    for name in exported:
        assert getattr(edge.store, name).__name__ == name if not name.isupper() and name != "SqlRow" else True
    unknown = "nonsense"
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        getattr(edge.store, unknown)


def test_no_modules_import_in_a_circle() -> None:
    """Following the imports of a module, those for type checking left out, never leads back to it."""
    graph = {
        name: {module for _, module, typing_only in imports(file) if module in MODULES and not typing_only}
        for name, file in MODULES.items()
    }
    state: dict[str, int] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert state.get(module) != 1, "a circle: " + " -> ".join((*path[path.index(module) :], module))
        if state.get(module) == 2:
            return
        state[module] = 1
        for other in sorted(graph[module] - {module}):
            visit(other, (*path, module))
        state[module] = 2

    for module in graph:
        visit(module, ())


def test_every_module_stands_in_a_room() -> None:
    """Only the spine stands at the top of the package, and a room has five to twelve modules."""
    rooms: dict[str, int] = {}
    for file in FILES:
        relative = file.relative_to(PACKAGE)
        if len(relative.parts) == 1:
            assert relative.stem in LOOSE, f"{file}: put it into a room"
        elif relative.stem != "__init__":
            rooms[str(relative.parent)] = rooms.get(str(relative.parent), 0) + 1
    for room, count in rooms.items():
        assert count <= MOST, f"edge/{room} has {count} modules; give it inner rooms"
        assert count >= FEWEST or room in SMALL_ROOMS, f"edge/{room} has {count} modules; join it with another room"


def test_tests_mirror_the_rooms() -> None:
    """Every folder of tests belongs to a room, but for the whole system's, the benchmarks and what tests share."""
    for file in TESTS.rglob("*.py"):
        relative = file.relative_to(TESTS).parent
        if not relative.parts:
            allowed = file.stem.removeprefix("test_") in SPINE | {"architecture", "conftest", "words"}
            assert allowed, f"{file}: put it into the folder of its room, or into tests/support"
        elif relative.parts[0] not in TESTS_WITHOUT_A_ROOM:
            assert (PACKAGE / relative).is_dir(), f"{file}: edge/{relative} is no room"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_libraries_stay_in_their_homes(file: Path) -> None:
    """cv2, paho, Peewee and the detector run times are imported only where they live."""
    relative = file.relative_to(PACKAGE)
    for line, module, typing_only in imports(file):
        homes = HOMES.get(module.split(".")[0])
        if homes is None or typing_only:
            continue
        assert {str(relative), relative.parts[0]} & homes, f"{file}:{line}: {module} belongs to {sorted(homes)}"


def test_counting_needs_nothing_but_the_standard_library_and_numpy() -> None:
    """The room that decides what counts has no clock, no log, no file and no library but NumPy."""
    forbidden = {"logging", "time", "os", "pathlib", "io", "sqlite3", "socket", "threading"}
    for file in FILES:
        if room_of(file) != "counting":
            continue
        for line, module, typing_only in imports(file):
            top = module.split(".")[0]
            assert top not in forbidden, f"{file}:{line}: counting must not use {module}"
            if not typing_only:
                assert top in sys.stdlib_module_names or top in {"numpy", "edge"}, f"{file}:{line}: {module}"


def test_counting_and_logic_never_ask_for_the_time() -> None:
    """No room reads the wall clock in the middle of logic; capture stamps frames, the composition root names runs."""
    allowed = {"capture", "simulator", "daemon", "demo", "store", "cli", "publish", "board"}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Attribute) or node.attr not in {"now", "utcnow", "today"}:
                continue
            if isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}:
                assert room_of(file) in allowed, f"{file}:{node.lineno}: asks for the wall clock"


def test_tuned_numbers_stand_among_the_parameters() -> None:
    """Where a room has parameters, its other modules hold no numbers but 0, 1, 2, indices and structural ones."""
    for file in FILES:
        if room_of(file) not in ROOMS_WITH_PARAMETERS or file.stem == "parameters":
            continue
        allowed: set[float] = {0, 1, 2} | STRUCTURAL_NUMBERS.get(str(file.relative_to(PACKAGE)), set())
        tree = ast.parse(file.read_text())
        indices = {
            id(inner) for node in ast.walk(tree) if isinstance(node, ast.Subscript) for inner in ast.walk(node.slice)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and id(node) not in indices:
                assert node.value in allowed, f"{file}:{node.lineno}: {node.value} is a field of the room's parameters"


@pytest.mark.parametrize("room", sorted(ROOMS_WITH_PARAMETERS))
def test_each_tuned_number_has_a_comment(room: str) -> None:
    """The comment has its unit and its meaning; it stands behind the field or above it."""
    file = PACKAGE / room / "parameters.py"
    lines = file.read_text().splitlines()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant):
            above = lines[node.lineno - 2].strip()
            assert "  # " in lines[node.lineno - 1] or above.startswith("#"), f"{file}:{node.lineno}: has no comment"


def test_no_video_is_opened_with_opencv() -> None:
    """Damaged files end a process inside OpenCV; PyAV raises errors."""
    for file in FILES:
        names = {node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
        assert "VideoCapture" not in names, file
