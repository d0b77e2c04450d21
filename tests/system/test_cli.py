"""The command line without a camera: help, configuration, queries, exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edge.config.bundled_files import bundled_file
from edge.store.schema.connect import open_database
from edge.store.schema.versions import create_schema

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = [
    *("run", "replay", "demo", "evaluate", "label", "check-config"),
    *("status", "floors", "events", "db", "board", "models"),
]


def test_help_names_every_command_and_each_has_a_help_of_its_own(smartpark: Any) -> None:
    """A technician finds the way from ``smartpark --help``."""
    text = smartpark("--help").stdout
    for command in COMMANDS:
        assert f"\n  {command} " in text
        assert f"Usage: smartpark {command} " in smartpark(command, "--help").stdout
    assert smartpark("--version").stdout.startswith("smartpark, version ")
    smartpark("fly", code=2)


def test_the_readme_names_every_command() -> None:
    """A command that the documentation does not name is not finished."""
    readme = (bundled_file("smartpark.toml").parent.parent / "README.md").read_text()
    for command in COMMANDS:
        assert f"smartpark {command}" in readme, command


def test_check_config_says_good_or_tells_all_faults(smartpark: Any, tmp_path: Path) -> None:
    """0 and a summary for a good file; 78 and a line a fault for a bad one."""
    good = smartpark("check-config", str(bundled_file("smartpark.toml")))
    assert "good: 2 floors, 1 cameras, 1 gates" in good.stdout
    bad = tmp_path / "bad.toml"
    bad.write_text(bundled_file("smartpark.toml").read_text().replace("total_slots = 45", "total_slot = 45"))
    told = smartpark("check-config", str(bad), code=78).stderr.splitlines()
    assert told == [
        f"error: {bad}: floors[1].total_slots: is missing; add it: places, 0 or more",
        f"error: {bad}: floors[1].total_slot: unknown key; did you mean 'total_slots'?",
    ]
    smartpark("check-config", str(tmp_path / "none.toml"), code=78)


def test_queries_need_only_the_database(smartpark: Any, tmp_path: Path) -> None:
    """SMARTPARK_DATABASE_PATH alone is enough; a database that is not there is told with its path."""
    smartpark.environ["SMARTPARK_DATABASE_PATH"] = str(tmp_path / "x.db")
    told = smartpark("status", code=1).stderr
    assert str(tmp_path / "x.db") in told
    assert not (tmp_path / "x.db").exists()
    database = open_database(tmp_path / "x.db", busy_timeout=5)
    create_schema(database)
    database.close()
    assert smartpark.json("floors") == []
    assert smartpark.json("events") == []
    status = smartpark.json("status")
    assert (status["running"], status["events"], status["outbox"], status["recommended"]) == (False, 0, 0, None)
    assert "not running" in smartpark("status").stdout
    assert "there is no floor 'Roof'" in smartpark("events", "--floor", "Roof", code=1).stderr
    smartpark("events", "--limit", "0", code=2)


def test_run_refuses_a_wrong_configuration_and_missing_weights_with_78(smartpark: Any, tmp_path: Path) -> None:
    """What a restart cannot mend ends with EX_CONFIG, and nothing is left half-made."""
    assert "there is none" in smartpark("run", "--config", str(smartpark.config("")), code=78).stderr
    text = bundled_file("smartpark.toml").read_text().replace("/var/lib/smartpark", str(tmp_path))
    (tmp_path / "good.toml").write_text(text)
    smartpark.environ["SMARTPARK_DETECTOR_MODELS_DIR"] = str(tmp_path / "models")
    told = smartpark("run", "--config", str(tmp_path / "good.toml"), code=78).stderr
    assert "fetch it with `smartpark models pull yolo11n`" in told
    assert "Traceback" not in told


def test_models_list_tells_what_is_here(smartpark: Any, tmp_path: Path) -> None:
    """A missing file is missing, a wrong one is damaged."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "yolo11n.onnx").write_bytes(b"not a model")
    listed = json.loads(smartpark("models", "list", "--dir", str(folder), "--json").stdout)
    assert {entry["name"]: entry["state"] for entry in listed} == {
        "yolo11n": "damaged",
        "yolov8n": "missing",
        "yolov8s": "missing",
    }
    assert "there is no model 'x'" in smartpark("models", "pull", "x", "--dir", str(folder), code=1).stderr


def test_a_board_without_a_broker_knows_no_number(smartpark: Any) -> None:
    """``board --once`` prints dashes and fails when nobody tells it the truth."""
    smartpark.config('[[floors]]\nname = "Ground Floor"\ntotal_slots = 3\n')
    done = smartpark("board", "--once", "--wait", "0.5", "--host", "127.0.0.1", "--port", "1", code=1)
    assert "Ground Floor --" in done.stdout


def test_python_dash_m_is_the_program(smartpark: Any) -> None:
    """The module and the command are the same."""
    assert smartpark("-h").stdout.startswith("Usage: smartpark ")
