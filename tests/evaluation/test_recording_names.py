"""Which recording belongs to which clip, and at what rate it may be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.made_recordings import record

from edge.core.errors import RefusedError, SourceError
from edge.evaluation.recording_names import place, recorded_rate, title


def test_one_file_or_a_folder_of_them() -> None:
    """A name with a recording's ending is a file, for one clip; any other is a folder."""
    assert place(Path("a/b.jsonl"), ["monday"]) == {"monday": Path("a/b.jsonl")}
    assert place(Path("a/b"), ["monday", "x"]) == {name: Path(f"a/b/{name}.jsonl.gz") for name in ("monday", "x")}
    with pytest.raises(RefusedError, match="one file holds one clip; name a folder for the recordings of 2 clips"):
        place(Path("b.jsonl.gz"), ["monday", "x"])


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
def test_a_recording_knows_its_clip_and_rate(tmp_path: Path, ending: str) -> None:
    """Another clip's or another rate's is refused, with the remedy."""
    file = tmp_path / f"some.{ending}"
    record(file, title("monday, late", 5.0), [], 0.2)
    assert recorded_rate(file, "monday, late", None) == recorded_rate(file, "monday, late", 5.0) == 5.0
    with pytest.raises(RefusedError, match="leave --fps away, or record with --fps 10"):
        recorded_rate(file, "monday, late", 10.0)
    with pytest.raises(RefusedError, match="is a recording of 'monday, late, 5 frames a second', not of monday"):
        recorded_rate(file, "monday", None)
    record(file, title("monday", None), [], 0.2)
    assert recorded_rate(file, "monday", None) is None
    with pytest.raises(RefusedError, match="was recorded at all frames"):
        recorded_rate(file, "monday", 5.0)


@given(st.floats(0.1, 240))
def test_any_rate_that_can_be_asked_for_is_told_apart(tmp_path_factory: pytest.TempPathFactory, fps: float) -> None:
    """The rate is written so that it reads back the same, to six digits."""
    file = tmp_path_factory.getbasetemp() / "rate.jsonl"
    record(file, title("clip", float(f"{fps:g}")), [], 0.1)
    assert recorded_rate(file, "clip", None) == float(f"{fps:g}")


@pytest.mark.parametrize("content", [b"", b"not json\n", b"[]\n", b"{}\n", b"\xff\xfe"])
def test_what_is_no_recording_is_told(tmp_path: Path, content: bytes) -> None:
    """The file is named, and what to do."""
    for name in ("x.jsonl", "x.jsonl.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError, match=name):
            recorded_rate(tmp_path / name, "x", None)
    with pytest.raises(SourceError, match=r"none\.jsonl cannot be read: No such file"):
        recorded_rate(tmp_path / "none.jsonl", "x", None)
