"""The house rules about imports, held against the code: who may import whom, and where each library may be used."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "edge"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = {"capture", "vision", "counting", "store", "publish", "ops"}

# The product's own modules that each may import, besides those of its own room.
COMMON = {"records", "tracks", "errors", "geometry"}
CONFIG = COMMON | {"config", "resources", "ownership"}
MAY_IMPORT = {
    "records": set(),
    "tracks": {"records"},
    "errors": set(),
    "geometry": {"records"},
    "resources": set(),
    "ownership": set(),
    "config": COMMON,
    "faults": COMMON | {"config"},
    "configfile": COMMON | {"config", "faults"},
    "labels": COMMON | {"config", "faults", "capture"},
    **dict.fromkeys(ROOMS, CONFIG),
    "pipeline": CONFIG | {"vision", "counting"},
    "recordings": COMMON,
    "witness": CONFIG | {"counting", "pipeline"},
    "error_pictures": CONFIG | {"vision", "witness"},
    "evaluation": CONFIG
    | {"capture", "counting", "vision", "pipeline", "labels", "recordings", "witness", "error_pictures"},
    "evaluation_run": CONFIG | {"ops", "vision", "labels", "recordings", "error_pictures", "evaluation"},
    "baseline": CONFIG | {"counting", "faults", "recordings"},
    "proposal": CONFIG | {"pipeline"},
    "labelling": CONFIG | {"vision", "pipeline", "witness", "evaluation", "proposal"},
    "camera_worker": CONFIG | {"capture", "pipeline"},
    "reload": CONFIG | {"store"},
    "restored": CONFIG | {"store", "ops"},
    "watch": CONFIG | {"camera_worker", "capture", "ops", "store"},
    "daemon": CONFIG | ROOMS | {"pipeline", "camera_worker", "reload", "restored", "watch"},
    "demo": CONFIG | ROOMS | {"daemon", "pipeline", "configfile"},
    "demo_view": CONFIG | {"daemon", "demo", "pipeline", "publish"},
    "cli": CONFIG
    | ROOMS
    | {"daemon", "demo", "demo_view", "configfile", "labels", "recordings", "witness", "error_pictures"}
    | {"evaluation", "evaluation_run", "baseline", "proposal", "labelling"},
    "__main__": {"cli"},
    "__init__": set(),
}

# Libraries with a home: (top-level module) -> the files or rooms that may import it.
HOMES = {
    "cv2": {"capture", "vision"},
    "av": {"capture"},
    "paho": {"publish"},
    "amqtt": {"publish"},
    "peewee": {"store"},
    "onnxruntime": {"vision/onnx_runtime.py"},
    "ultralytics": {"vision/ultralytics_runtime.py"},
    "torch": {"vision/ultralytics_runtime.py"},
    "lap": {"vision/association.py"},
    "pydantic": {"config.py", "configfile.py", "faults.py", "labels.py", "baseline.py"},
    "click": {"cli"},
}


def place(file: Path) -> str:
    """The room of a file, or the module's own name at the top."""
    relative = file.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


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
            found.append((node.lineno, node.module or "", id(node) in guarded))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_modules_import_only_what_their_room_may(file: Path) -> None:
    """No room imports another; the way down goes cli, daemon, pipeline, rooms, config, records."""
    here = place(file)
    assert here in MAY_IMPORT, f"{file}: a new place; say in MAY_IMPORT what it may import"
    for line, module, _ in imports(file):
        parts = module.split(".")
        if parts[0] != "edge" or len(parts) == 1:
            continue
        assert parts[1] == here or parts[1] in MAY_IMPORT[here], f"{file}:{line}: {here} must not import {module}"


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
        if place(file) != "counting":
            continue
        for line, module, typing_only in imports(file):
            top = module.split(".")[0]
            assert top not in forbidden, f"{file}:{line}: counting must not use {module}"
            if not typing_only:
                assert top in sys.stdlib_module_names or top in {"numpy", "edge"}, f"{file}:{line}: {module}"


def test_counting_and_logic_never_ask_for_the_time() -> None:
    """No room reads the wall clock in the middle of logic; capture stamps frames, the composition root names runs."""
    allowed = {"capture", "daemon", "demo", "reload", "restored", "store", "cli", "publish"}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            is_now = isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
            if is_now and isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}:
                assert place(file) in allowed, f"{file}:{node.lineno}: asks for the wall clock"
