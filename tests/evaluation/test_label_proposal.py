"""Tests the text of a proposed label: its values, its comments, and names that TOML must escape."""

from __future__ import annotations

import tomllib
from pathlib import Path

import tomlkit
from hypothesis import example, given
from hypothesis import strategies as st

from edge.core.events import Direction
from edge.evaluation.label_file import gate_from_table, labelled_clip_path
from edge.evaluation.label_proposal import ProposedCrossing, label_text

GATE = gate_from_table({"line": [[0.5, 0.25], [0.5, 0.9]], "inside": [0.9, 0.5]}, "gate")
CROSSINGS = (
    ProposedCrossing(Direction.ENTRY, 3.1, "track-1", "car", 0.8),
    ProposedCrossing(Direction.ENTRY, 12.3456, "track-2", "truck", 0.514),
    ProposedCrossing(Direction.EXIT, 5.0, "track-3", "bicycle", 0.9, "bicycle"),
)


def text_of(clip: str = "clip.mp4", crossings: tuple[ProposedCrossing, ...] = CROSSINGS) -> str:
    """The label of a clip in the same folder."""
    return label_text(Path(clip), Path("clip.toml"), GATE, crossings, Path("clip-crossings"))


def test_the_text_has_the_values_and_a_comment_for_each_crossing() -> None:
    """Times have two decimals and a comment each; a refused crossing is only a comment."""
    text = text_of()
    assert tomllib.loads(text) == {
        "clip": "clip.mp4",
        "gate": {"line": [[0.5, 0.25], [0.5, 0.9]], "inside": [0.9, 0.5]},
        "truth": {"entries": [3.1, 12.35], "exits": [], "uncertain": []},
    }
    lines = text.splitlines()
    assert "    3.10, # track-1, car, confidence 0.80" in lines
    assert "    12.35, # track-2, truck, confidence 0.51" in lines
    assert "# 5.00  exit: bicycle (track-3, bicycle, confidence 0.90)" in lines
    assert "# Pictures: clip-crossings/" in lines
    assert "# 4. smartpark evaluate clip.toml" in lines
    assert "Crossed the line and were not counted" not in text_of(crossings=CROSSINGS[:2])


def test_keys_of_the_gate_are_written_unless_they_are_the_default() -> None:
    """The anchor and the dead band of a configured gate are in the label."""
    gate = GATE.model_copy(update={"anchor": "bottom_center", "dead_band": 0.1})
    text = label_text(Path("clip.mp4"), Path("clip.toml"), gate, (), Path("pictures"))
    assert tomllib.loads(text)["gate"] == {
        "line": [[0.5, 0.25], [0.5, 0.9]],
        "inside": [0.9, 0.5],
        "anchor": "bottom_center",
        "dead_band": 0.1,
    }


def test_an_edit_keeps_the_comments() -> None:
    """A program that changes a value with tomlkit changes that value's line and no other."""
    text = text_of()
    document = tomlkit.parse(text)
    document["truth"]["uncertain"] = [9.9]
    changed = [(old, new) for old, new in zip(text.splitlines(), document.as_string().splitlines(), strict=True)]
    assert [new for old, new in changed if old != new] == ["uncertain = [9.9]"]


# File names are UTF-8 here: without surrogates.
file_names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1)


@given(file_names, st.text(max_size=9))
@example("~", "")
@example("~root", "")
def test_any_name_makes_valid_toml(name: str, label: str) -> None:
    """A clip and a class may have any name, with quotes, braces, line ends and control characters."""
    crossings = tuple(
        ProposedCrossing(Direction.EXIT, 1.0, "track-1", label, 0.5, refused) for refused in ("", "bicycle")
    )
    text = label_text(Path(name), Path(f"{name}.toml"), GATE, crossings, Path(name))
    assert labelled_clip_path(Path(f"{name}.toml"), tomllib.loads(text)["clip"]) == Path(name).absolute()
