"""Tests of the file with the daemon's problems."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.device_health import Problem
from edge.host.problem_file import NEW_TEXT_SECONDS, ProblemFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BEGAN = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


def problem(text: str, code: str = "camera.ramp") -> Problem:
    """A problem that began at a fixed time."""
    return Problem(code, text, BEGAN)


@pytest.fixture
def file(tmp_path: Path, eventually: Callable[..., Any]) -> Iterator[ProblemFile]:
    """The file of a daemon that runs."""
    file = ProblemFile(tmp_path / "x.db")
    file.start()
    eventually((tmp_path / "x.db.problems").exists)
    yield file
    file.close()


def test_problems_are_read_as_they_were_written(
    file: ProblemFile, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    """Another object, as in another process, reads them; the file is removed with the daemon."""
    reader = ProblemFile(tmp_path / "x.db")
    assert reader.read() == ()
    problems = (problem("gives no frames; prüfe das Kabel"), problem("is full", "database"))
    file.update(problems, 0.0)
    eventually(lambda: reader.read() == problems)
    file.update((), 1.0)
    eventually(lambda: reader.read() == ())
    file.close()
    assert list(tmp_path.iterdir()) == []


def test_a_new_text_of_a_known_problem_is_written_after_a_minute(
    file: ProblemFile, eventually: Callable[..., Any]
) -> None:
    """A text whose numbers change with every update does not wear out the card; a new problem is written at once."""
    file.update((problem("7 events wait"),), 0.0)
    eventually(lambda: file.read() == (problem("7 events wait"),))
    file.update((problem("8 events wait"),), NEW_TEXT_SECONDS - 1)
    file.update((problem("9 events wait"),), NEW_TEXT_SECONDS)
    eventually(lambda: file.read() != (problem("7 events wait"),))
    assert file.read() == (problem("9 events wait"),)
    file.update((problem("10 events wait"), problem("is full", "database")), NEW_TEXT_SECONDS + 1)
    eventually(lambda: len(file.read()) == 2)


def test_the_file_never_grows(file: ProblemFile, tmp_path: Path, eventually: Callable[..., Any]) -> None:
    """It needs no space of a full disk; of very many problems the oldest are kept."""
    size = (tmp_path / "x.db.problems").stat().st_size
    file.update([problem("x" * 400, f"camera.{number}") for number in range(100)], 0.0)
    eventually(file.read)
    assert (tmp_path / "x.db.problems").stat().st_size == size
    assert [item.code for item in file.read()[:2]] == ["camera.0", "camera.1"]


def test_a_file_that_cannot_be_written_or_read_is_no_error(tmp_path: Path) -> None:
    """The daemon continues to count, and status shows no problems."""
    (tmp_path / "file").touch()
    for broken in (ProblemFile(tmp_path / "file" / "x.db"), ProblemFile(tmp_path / "folder" / "x.db")):
        broken.start()
        broken.update((problem("is full"),), 0.0)
        broken.close()
        assert broken.read() == ()
    (tmp_path / "x.db.problems").write_text('[{"code": "database"}]')
    assert ProblemFile(tmp_path / "x.db").read() == ()


def test_a_disk_that_hangs_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates return while a write waits for the disk: their caller feeds the watchdog."""
    monkeypatch.setattr("edge.host.problem_file._CLOSE_SECONDS", 0.01)
    pipe = tmp_path / "x.db.problems"
    os.mkfifo(pipe)  # to open it for writing waits until somebody reads
    file = ProblemFile(tmp_path / "x.db")
    file.start()
    file.update((problem("is full", "database"),), 0.0)
    file.update((problem("is full", "database"), problem("gives no frames")), 1.0)
    file.close()
    assert pipe.exists()
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))  # lets the thread end
