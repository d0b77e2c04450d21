"""Tests of the command line without a camera: help, configuration, queries, exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edge.cli import COMMANDS
from edge.config.bundled_files import bundled_file
from edge.store.schema.connect import open_database
from edge.store.schema.versions import create_tables

if TYPE_CHECKING:
    from pathlib import Path


def test_every_command_has_its_own_help(smartpark: Any) -> None:
    """``smartpark COMMAND --help`` shows how the command is used."""
    assert sorted(COMMANDS) == sorted(
        [
            *("run", "replay", "demo", "evaluate", "label", "check-config"),
            *("status", "floors", "events", "blind", "cameras", "db", "board", "models", "snapshot"),
        ]
    )
    for command in COMMANDS:
        assert f"Usage: smartpark {command} " in smartpark.here(command, "--help").stdout


def test_the_process_has_the_exit_code_of_the_command(smartpark: Any) -> None:
    """``python -m edge`` is ``smartpark``: 0 for its version, 2 for an unknown command, 1 for a refusal."""
    assert smartpark("--version").stdout.startswith("smartpark, version ")
    smartpark("fly", code=2)
    smartpark.environ["SMARTPARK_DATABASE_PATH"] = str(smartpark.folder / "none.db")
    assert smartpark("status", code=1).stderr.startswith("error: ")


def test_the_readme_names_every_command() -> None:
    """A command that the documentation does not name is not finished."""
    readme = (bundled_file("smartpark.toml").parent.parent / "README.md").read_text()
    for command in COMMANDS:
        assert f"smartpark {command}" in readme, command


def test_check_config_accepts_a_file_or_reports_all_errors(smartpark: Any, tmp_path: Path) -> None:
    """A good file has a summary and exit code 0, a bad one a line for each error and 78."""
    good = smartpark.here("check-config", str(bundled_file("smartpark.toml")))
    assert "good: 2 floors, 1 cameras, 1 gates" in good.stdout
    bad = tmp_path / "bad.toml"
    bad.write_text(bundled_file("smartpark.toml").read_text().replace("total_slots = 45", "total_slot = 45"))
    errors = smartpark.here("check-config", str(bad), code=78).stderr.splitlines()
    assert errors == [
        f"error: {bad}: floors[1].total_slots: is missing; add it: places, 0 or more",
        f"error: {bad}: floors[1].total_slot: unknown key; did you mean 'total_slots'?",
    ]
    smartpark.here("check-config", str(tmp_path / "none.toml"), code=78)


def test_queries_need_only_the_database(smartpark: Any, tmp_path: Path) -> None:
    """SMARTPARK_DATABASE_PATH is enough; the error of a missing database has its path."""
    smartpark.environ["SMARTPARK_DATABASE_PATH"] = str(tmp_path / "x.db")
    assert str(tmp_path / "x.db") in smartpark.here("status", code=1).stderr
    assert not (tmp_path / "x.db").exists()
    database = open_database(tmp_path / "x.db", busy_timeout=5)
    create_tables(database)
    database.close()
    assert smartpark.json("floors") == []
    assert smartpark.json("events") == []
    status = smartpark.json("status")
    assert (status["running"], status["events"], status["outbox"], status["recommended"]) == (False, 0, 0, None)
    assert "not running" in smartpark.here("status", code=3).stdout
    assert "there is no floor 'Roof'" in smartpark.here("events", "--floor", "Roof", code=1).stderr
    smartpark.here("events", "--limit", "0", code=2)


def test_run_refuses_a_wrong_configuration_and_missing_weights_with_78(smartpark: Any, tmp_path: Path) -> None:
    """The process ends with EX_CONFIG, on which systemd does not restart, for a restart would not help."""
    assert "there is none" in smartpark("run", "--config", str(smartpark.config("")), code=78).stderr
    text = bundled_file("smartpark.toml").read_text().replace("/var/lib/smartpark", str(tmp_path))
    (tmp_path / "good.toml").write_text(text)
    smartpark.environ["SMARTPARK_DETECTOR_MODELS_DIR"] = str(tmp_path / "models")
    error = smartpark("run", "--config", str(tmp_path / "good.toml"), code=78).stderr
    assert "fetch it with `smartpark models pull yolo11n`" in error
    assert "Traceback" not in error


def test_models_list_has_the_state_of_each_file(smartpark: Any, tmp_path: Path) -> None:
    """A file that does not exist is missing, one with a wrong digest damaged."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "yolo11n.onnx").write_bytes(b"not a model")
    listed = json.loads(smartpark.here("models", "list", "--dir", str(folder), "--json").stdout)
    assert {entry["name"]: entry["state"] for entry in listed} == {
        "yolo11n": "damaged",
        "yolov8n": "missing",
        "yolov8s": "missing",
    }
    assert "there is no model 'x'" in smartpark.here("models", "pull", "x", "--dir", str(folder), code=1).stderr


def test_a_board_without_a_broker_knows_no_number(smartpark: Any) -> None:
    """``board --once`` prints dashes and has exit code 1 when it cannot reach a broker."""
    smartpark.config('[[floors]]\nname = "Ground Floor"\ntotal_slots = 3\n')
    done = smartpark.here("board", "--once", "--wait", "0.5", "--host", "127.0.0.1", "--port", "1", code=1)
    assert "Ground Floor --" in done.stdout
