"""Proposes a label for a clip: the crossings that the pipeline finds, and pictures by which a person checks them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

import tomlkit

from edge.config.camera_address import clip_address
from edge.config.schema import CameraConfig
from edge.core.errors import RefusedError
from edge.core.events import Direction
from edge.core.tracks import Reason
from edge.evaluation.drawing import Annotation, Overlay, contact_sheet, draw_overlay
from edge.evaluation.evaluate_clip import CLIP_CAMERA, CLIP_RUN, ClipOptions, clip_frames, run_pipeline
from edge.evaluation.line_proposal import PathCollector, ProposedLine, propose_line
from edge.evaluation.run_history import verdict_time
from edge.pipeline import Pipeline
from edge.snapshot.picture_file import save_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tomlkit.items import Array

    from edge.config.schema import Config, GateConfig
    from edge.core.frames import Frame, Image
    from edge.detection.detector import Detector
    from edge.evaluation.line_proposal import VehiclePath
    from edge.evaluation.run_history import RunHistory

# The search for a line takes so many frames a second of the clip's first seconds.
_SEARCH_FPS, _SEARCH_SECONDS = 5.0, 120.0
# The frames of a contact sheet, in seconds from the crossing, and the width of each in pixels.
_SHEET_OFFSETS, _SHEET_WIDTH = (-1.0, -0.5, 0.0, 0.5, 1.0), 400
_MOST_PATH_POINTS = 30  # of each path in the picture of the gate
# Reasons for which a crossing was refused that a person may judge differently.
_REVIEWABLE = (Reason.PERSON, Reason.BICYCLE, Reason.NO_EVIDENCE)
_PICTURE_NAME = re.compile(r"gate\.png|[0-9]+\.[0-9]{2}s-(refused-)?(entry|exit)-.*\.jpg")

_TEMPLATE = """\
# Proposed by `smartpark label` from what the pipeline found. Correct it; then it is the truth.
# Pictures: {pictures}/
#
# 1. gate.png shows the line. If it is not where you want it, make a new proposal with --line and --inside; also if
#    entries and exits are the wrong way round: `inside` must lie on the floor's side.
# 2. Watch the clip. There is a picture of each crossing below, named by its second. Delete what is no crossing, move
#    a crossing of the other direction to the other list, and add those that are missing.
# 3. What you cannot tell (cut by the frame's edge, on the line when the clip begins or ends) goes into `uncertain`:
#    it may be counted or not.
# 4. smartpark evaluate {label}
clip = ""

# Fractions of the frame, origin at the top left. A crossing towards the side of `inside` is an entry.
[gate]
line = []
inside = []
anchor = ""
dead_band = 0.0

# Seconds from the first frame, when the middle of the vehicle is on the line; a second off is near enough.
[truth]
entries = []
exits = []
uncertain = []
"""


@dataclass(frozen=True, slots=True)
class ProposedCrossing:
    """A crossing that the pipeline found at second ``at``; ``refused`` says why it did not count it, else it is empty.

    ``label`` and ``confidence`` are the detector's.
    """

    direction: Direction
    at: float
    track_id: str
    label: str
    confidence: float
    refused: str = ""

    @property
    def file_name(self) -> str:
        """The name of its contact sheet."""
        refused = "refused-" if self.refused else ""
        return f"{self.at:06.2f}s-{refused}{self.direction}-{self.track_id}.jpg"

    @property
    def comment(self) -> str:
        """What the pipeline knows about it."""
        return f"{self.track_id}, {self.label}, confidence {self.confidence:.2f}"


def find_line(clip: Path, config: Config, detector: Detector) -> tuple[ProposedLine | None, list[VehiclePath]]:
    """A line for the clip, None without vehicles, and the paths of the vehicles in its first two minutes.

    Raises ``SourceError`` where the clip cannot be read.
    """
    camera = CameraConfig(id=CLIP_CAMERA, source=clip_address(clip), fps=_SEARCH_FPS)
    collector = PathCollector(config)
    pipeline = Pipeline(camera, config, CLIP_RUN, detector, lambda _: None, collector.add)
    for frame in takewhile(lambda frame: frame.monotonic <= _SEARCH_SECONDS, clip_frames(camera)):
        pipeline.process(frame)
    paths = collector.paths()
    return propose_line(paths, collector.size), paths


def find_crossings(
    clip: Path, gate: GateConfig, config: Config, detector: Detector, progress: Callable[[float], None] | None = None
) -> tuple[list[ProposedCrossing], RunHistory]:
    """The crossings that the pipeline counts and those that a person should check, by time, and the run's history.

    ``progress`` is called with the second of each frame. Raises ``SourceError`` where the clip cannot be read.
    """
    camera = CameraConfig(id=CLIP_CAMERA, source=clip_address(clip), gates=(gate,))
    _, history = run_pipeline(clip.stem, camera, ClipOptions(config), detector, progress)
    crossings = [
        ProposedCrossing(
            *(verdict.crossing.direction, verdict_time(verdict), verdict.track_id),
            *(verdict.crossing.label, verdict.crossing.confidence),
            "" if verdict.counted else verdict.reason.value,
        )
        for verdict in history.verdicts_by_time()
        if verdict.crossing is not None and (verdict.counted or verdict.reason in _REVIEWABLE)
    ]
    return crossings, history


def save_crossing_pictures(
    clip: Path,
    gate: GateConfig,
    crossings: Sequence[ProposedCrossing],
    history: RunHistory,
    folder: Path,
    *,
    force: bool,
) -> None:
    """Write a contact sheet of each crossing, and ``gate.png`` with the line on a grid.

    Raises ``RefusedError`` as ``clear_pictures`` does, and ``SourceError`` where a picture cannot be written.
    """
    clear_pictures(folder, force=force)
    pending = sorted(
        (crossing.at + offset, number, offset) for number, crossing in enumerate(crossings) for offset in _SHEET_OFFSETS
    )
    pictures: dict[int, list[Image]] = {}
    missing = dict.fromkeys(range(len(crossings)), len(_SHEET_OFFSETS))
    is_first = True
    for frame in clip_frames(CameraConfig(id=CLIP_CAMERA, source=clip_address(clip))):
        if is_first:
            save_picture(folder / "gate.png", draw_overlay(frame.image, _gate_overlay(gate, history)))
            is_first = False
        while pending and pending[0][0] <= frame.monotonic:
            _, number, offset = pending.pop(0)
            picture = _sheet_picture(frame, gate, crossings[number], history, offset)
            pictures.setdefault(number, []).append(picture)
            missing[number] -= 1
            if not missing[number]:
                sheet = contact_sheet(pictures.pop(number), len(_SHEET_OFFSETS))
                save_picture(folder / crossings[number].file_name, sheet)
    # Sheets that are not full when the clip ends.
    for number, taken in pictures.items():
        save_picture(folder / crossings[number].file_name, contact_sheet(taken, len(_SHEET_OFFSETS)))


def save_grid_picture(clip: Path, paths: Sequence[VehiclePath], file: Path) -> None:
    """Write the clip's first frame with a grid to read coordinates from, and the paths of vehicles."""
    for frame in islice(clip_frames(CameraConfig(id=CLIP_CAMERA, source=clip_address(clip))), 1):
        tracks = tuple(Annotation(None, before=path.points) for path in paths)
        overlay = Overlay(tracks=tracks, text=("Fractions of the frame, as in --line",), grid=True)
        save_picture(file, draw_overlay(frame.image, overlay))


def clear_pictures(folder: Path, *, force: bool) -> None:
    """Make the folder, or remove the pictures of an earlier proposal from it, and nothing else.

    Raises ``RefusedError`` where there are pictures and ``force`` is not given, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        old = [path for path in folder.iterdir() if _PICTURE_NAME.fullmatch(path.name)]
        if old and not force:
            raise RefusedError(f"{folder}: there are pictures of an earlier label; remove them, or use --force")
        for path in old:
            path.unlink()
    except OSError as error:
        raise RefusedError(f"{folder} cannot be written: {error.strerror}; choose another place with --out") from error


def write_label(file: Path, text: str) -> None:
    """Write a label file; it gets its name when all of it is written.

    Raises ``RefusedError`` where it cannot be written.
    """
    partial = file.with_name(file.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise RefusedError(f"{file} cannot be written: {error.strerror}; choose another place with --out") from error


def label_text(clip: Path, file: Path, gate: GateConfig, crossings: Sequence[ProposedCrossing], pictures: Path) -> str:
    """The content of the label ``file``: a valid label, whose comments say how to correct it."""
    document = tomlkit.parse(_TEMPLATE.format(pictures=_one_line(pictures.name), label=_one_line(file.name)))
    document["clip"] = _clip_in_label(clip, file)
    table = document["gate"]
    assert isinstance(table, tomlkit.items.Table)
    table["line"] = [list(point) for point in gate.line]
    table["inside"] = list(gate.inside)
    for key in ("anchor", "dead_band"):
        if getattr(gate, key) == type(gate).model_fields[key].default:
            del table[key]
        else:
            table[key] = getattr(gate, key)
    truth = document["truth"]
    assert isinstance(truth, tomlkit.items.Table)
    counted = [crossing for crossing in crossings if not crossing.refused]
    truth["entries"] = _times(counted, Direction.ENTRY)
    truth["exits"] = _times(counted, Direction.EXIT)
    refused = [crossing for crossing in crossings if crossing.refused]
    if refused:
        truth.add(tomlkit.nl())
        truth.add(
            tomlkit.comment("Crossed the line and were not counted. Write the second of a vehicle into its list.")
        )
    for crossing in refused:
        line = f"{crossing.at:.2f}  {crossing.direction}: {crossing.refused} ({crossing.comment})"
        truth.add(tomlkit.comment(_one_line(line)))
    return document.as_string()


def _clip_in_label(clip: Path, file: Path) -> str:
    """The path of the clip from the label's folder; the whole path, or a ``file://`` URL, for a name that needs it."""
    relative = os.path.relpath(clip.absolute(), file.absolute().parent)
    # At its beginning ~ stands for a home folder.
    is_plain = relative.isprintable() and "://" not in relative and not relative.startswith("~")
    return relative if is_plain else clip_address(clip)


def _times(crossings: Sequence[ProposedCrossing], direction: Direction) -> Array:
    """The seconds of the crossings in one direction, one a line, each with a comment."""
    times = tomlkit.array()
    for crossing in crossings:
        if crossing.direction is direction:
            times.add_line(tomlkit.value(f"{crossing.at:.2f}"), comment=_one_line(crossing.comment))
    if times:
        times.add_line(indent="")
    return times


def _one_line(text: str) -> str:
    """The text without control characters, which a comment in TOML must not have."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _gate_overlay(gate: GateConfig, history: RunHistory) -> Overlay:
    counted = {verdict.track_id for verdict in history.verdicts if verdict.counted}
    tracks = tuple(
        Annotation(
            None,
            before=tuple(
                trail[number].box.center for number in range(0, len(trail), max(1, len(trail) // _MOST_PATH_POINTS))
            ),
        )
        for track_id, trail in history.trails.items()
        if track_id in counted
    )
    text = ("The line, and the paths of counted vehicles. Fractions of the frame, as in --line.",)
    return Overlay(gate.line, gate.inside, tracks=tracks, text=text, grid=True)


def _sheet_picture(
    frame: Frame, gate: GateConfig, crossing: ProposedCrossing, history: RunHistory, offset: float
) -> Image:
    trail = history.trails.get(crossing.track_id)
    track = Annotation(trail.box_at(frame.monotonic) if trail is not None else None, subject=True)
    text = (f"{frame.monotonic:.2f} s{'  ' + crossing.direction if offset == 0 else ''}",)
    return draw_overlay(frame.image, Overlay(gate.line, gate.inside, tracks=(track,), text=text), _SHEET_WIDTH)
