"""Commands with files that are no video, have any name, or show nothing: a clear error, no traceback, no crash."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

CONFIG = """
[mqtt]
enabled = false

[[floors]]
name = "Ground Floor"
total_slots = 100

[[cameras]]
id = "cam"
source = {source}

[[cameras.gates]]
id = "gate"
line = [[0.5, 0.1], [0.5, 0.9]]
inside = [0.9, 0.5]
floor = "Ground Floor"
"""
PICTURES = 8
BAD_NAME = b"bad\xff\n.mp4"


def make_clip(path: Path, *, moves: bool = True, codec: str = "libx264") -> Path:
    """A clip in which a bar moves, or nothing does."""
    made = path.with_name(f"made{path.suffix}")
    with av.open(str(made), "w") as output:
        stream: Any = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(PICTURES):
            image = np.full((120, 160, 3), 60, np.uint8)
            at = 12 * number if moves else 60
            image[:, at : at + 20] = 200
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return made.rename(path)


def run(program: Any, *arguments: str | bytes | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a process; fails when it was killed, hung or printed a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "edge", *arguments],
        cwd=program.folder,
        env=program.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode >= 0, f"killed by signal {-done.returncode}: {done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def program(counting: Any) -> Any:
    """The program with a configuration whose camera is replaced by a replay."""
    counting.config(CONFIG.format(source='"not used by a replay"'))
    return counting


def test_a_clip_whose_name_is_not_utf_8_plays(program: Any, tmp_path: Path) -> None:
    """`replay` counts it, as a process and in JSON, and `evaluate` takes the label that `label` writes for it."""
    clip = make_clip(tmp_path / os.fsdecode(BAD_NAME))
    done = run(program, "replay", clip, "--camera", "cam")
    assert done.returncode == 0, done.stderr
    assert f"bad\\xff\\n.mp4: {PICTURES} frames" in done.stdout
    summary = program.json("replay", str(clip), "--camera", "cam")
    assert (summary["frames"], summary["problem"]) == (PICTURES, None)
    line = ("--line", "0.5,0.1 0.5,0.9")
    labelled = run(program, "label", clip, *line)
    assert labelled.returncode == 0, labelled.stderr
    (label,) = tmp_path.glob("bad*.toml")
    evaluated = run(program, "evaluate", label, "--record", tmp_path / "recording.jsonl.gz")
    assert evaluated.returncode == 0, evaluated.stderr


def test_what_is_no_video_file_is_an_error(program: Any, tmp_path: Path) -> None:
    """`replay` of a device, a pipe or a text ends at once with 1, or 2 where nothing has that name."""
    os.mkfifo(tmp_path / "pipe.mp4")
    for path, words in ((Path("/dev/zero"), "/dev/zero is a device"), (tmp_path / "pipe.mp4", "is a named pipe")):
        done = program.here("replay", str(path), "--camera", "cam", code=1)
        assert words in done.stderr
        done = program.here("label", str(path), "--line", "0.5,0.1 0.5,0.9", "--out", "label.toml", code=1)
        assert words in done.stderr
    program.here("replay", str(tmp_path / ("x" * 300)), "--camera", "cam", code=2)
    program.here("replay", str(tmp_path), "--camera", "cam", code=2)


def test_a_clip_in_which_nothing_can_be_counted_is_an_error(program: Any, tmp_path: Path) -> None:
    """`replay` says that the pictures never change, and ends with 1; `evaluate` says it too."""
    clip = make_clip(tmp_path / "frozen.mp4", moves=False)
    done = program.here("replay", str(clip), "--camera", "cam", "--json", code=1)
    assert "frozen.mp4: its pictures never change, so nothing can be counted in it" in done.stderr
    summary = json.loads(done.stdout)
    assert (summary["frames"], summary["events"]) == (PICTURES, 0)
    assert "never change" in summary["problem"]
    gate = "line = [[0.5, 0.1], [0.5, 0.9]]\ninside = [0.9, 0.5]\n"
    (tmp_path / "frozen.toml").write_text(f'clip = "frozen.mp4"\n[gate]\n{gate}[truth]\nentries = []\n')
    assert "never change" in program.here("evaluate", str(tmp_path / "frozen.toml"), code=1).stderr


def test_a_recorded_camera_of_the_configuration(counting: Any, tmp_path: Path) -> None:
    """`run` plays a file whose name is not UTF-8 by its URL, and refuses what is no file, with its name."""
    clip = make_clip(tmp_path / os.fsdecode(BAD_NAME))
    counting.config(CONFIG.format(source=f'"file://{tmp_path}/bad%FF%0A.mp4"'))
    assert f"frames={PICTURES}" in counting.here("run").stderr
    clip.unlink()
    assert "there is no such file" in counting.here("run", code=1).stderr
    os.mkfifo(clip)
    assert "is a named pipe" in counting.here("run", code=1).stderr


def test_damaged_clips_end_the_daemon_in_order(counting: Any, tmp_path: Path) -> None:
    """Cameras whose AVI files are cut off or have flipped bits: each ends, and the process is not killed by any."""
    content = make_clip(tmp_path / "whole.avi", codec="mpeg4").read_bytes()
    # The first pictures are whole, so that every file can be opened.
    first, last = content.index(b"movi"), content.rindex(b"idx1")
    middle = (first + last) // 2
    (tmp_path / "cut.avi").write_bytes(content[:middle])
    sections = []
    for number in range(4):
        dice = random.Random(number)
        flipped = bytearray(content)
        for _ in range(20):
            flipped[dice.randrange(middle, last)] ^= 1 << dice.randrange(8)
        (tmp_path / f"flipped{number}.avi").write_bytes(flipped)
    gate = CONFIG[CONFIG.index("[[cameras.gates]]") :]
    for path in sorted(tmp_path.glob("*.avi")):
        sections.append(f'[[cameras]]\nid = "{path.stem}"\nsource = "{path}"\n{gate}')
    small = "[detector]\nimage_size = 160\n"
    counting.config(small + CONFIG[: CONFIG.index("[[cameras]]")] + "\n".join(sections))
    done = run(counting, "run")
    assert done.returncode in (0, 1), done.stderr
    for path in tmp_path.glob("*.avi"):
        assert f"camera={path.stem} " in done.stderr or str(path) in done.stderr, done.stderr
    assert f"source ended camera=whole frames={PICTURES}" in done.stderr


def test_a_configuration_that_is_no_file(program: Any, tmp_path: Path) -> None:
    """`check-config` of a device, a pipe, a folder or a name that is not UTF-8 ends with 78 and names it."""
    os.mkfifo(tmp_path / "pipe.toml")
    odd = tmp_path / os.fsdecode(b"odd\xff\n.toml")
    odd.write_text("[floors")
    for path, words in (
        (Path("/dev/zero"), "/dev/zero: is a device; name a file"),
        (tmp_path / "pipe.toml", "floors: there is none"),
        (tmp_path, "cannot be read (Is a directory)"),
        (odd, "odd\\xff\\n.toml: is not valid TOML"),
        (tmp_path / ("x" * 300), "cannot be read (File name too long)"),
    ):
        done = run(program, "check-config", path) if path is odd else program.here("check-config", str(path), code=78)
        assert done.returncode == 78
        assert words in done.stderr
