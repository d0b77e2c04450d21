"""Tests of ``smartpark cameras accept``."""

from __future__ import annotations

from typing import Any


def test_a_picture_is_accepted_by_removing_what_is_kept(shell: Any) -> None:
    """The daemon learns it anew; a second time there is nothing to accept."""
    kept = shell.path.parent / "pictures" / "entrance.npz"
    kept.parent.mkdir()
    kept.write_bytes(b"")
    assert "accepted" in shell("cameras", "accept", "entrance").stdout
    assert not kept.exists()
    assert "no picture is kept" in shell("cameras", "accept", "entrance").stdout


def test_an_unknown_camera_is_refused(shell: Any) -> None:
    """The message names the cameras that there are."""
    assert (
        "there is no camera 'exit'; the configuration has: entrance"
        in shell("cameras", "accept", "exit", code=1).stderr
    )


def test_a_file_that_cannot_be_removed_is_an_error(shell: Any) -> None:
    """The message says what to do."""
    (shell.path.parent / "pictures" / "entrance.npz").mkdir(parents=True)
    assert "cannot be removed" in shell("cameras", "accept", "entrance", code=1).stderr
