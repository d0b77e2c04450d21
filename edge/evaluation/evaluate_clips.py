"""Evaluates several labelled clips, one after the other or several at a time in processes of their own."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.detection.detector import Detector, make_detector
from edge.evaluation.error_pictures import make_folder
from edge.evaluation.evaluate_clip import ClipOptions, ClipResult, evaluate_clip
from edge.evaluation.recording import recorded_rate, recording_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge.config.schema import Config
    from edge.evaluation.label_file import Label

_PROGRESS_SECONDS = 1.0  # of the clip from one report of progress to the next


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """How clips are evaluated. ``record`` and ``replay`` are a file for one clip, or a folder for several."""

    config: Config
    fps: float | None = None
    record: Path | None = None
    replay: Path | None = None
    pictures: Path | None = None
    jobs: int = 1
    log_level: str = "error"


def evaluate_clips(
    labels: Sequence[Label], options: EvaluationOptions, progress: Callable[[str], None] | None = None
) -> list[ClipResult]:
    """The results in the order of the labels, whatever ``jobs`` is.

    ``progress`` is called with a text that says how far the work is, and with an empty text at the end. Raises
    ``ModelError`` for weights that cannot be loaded, ``SourceError`` for a clip or recording that cannot be read, and
    ``RefusedError`` for recordings of other clips or rates.
    """
    of_clips = _clip_options(labels, options)
    if options.jobs == 1 or len(labels) == 1:
        return _evaluate_in_turn(labels, options, of_clips, progress)
    return _evaluate_in_processes(labels, options, of_clips, progress)


def _clip_options(labels: Sequence[Label], options: EvaluationOptions) -> list[ClipOptions]:
    """The options of each clip, with the path of its own recording; makes the folders of recordings."""
    names = [label.name for label in labels]
    record = recording_paths(options.record, names) if options.record is not None else {}
    replay = recording_paths(options.replay, names) if options.replay is not None else {}
    if len({recorded_rate(path, name, options.fps) for name, path in replay.items()}) > 1:
        raise RefusedError(f"{options.replay}: the recordings have different rates; evaluate one rate at a time")
    for path in record.values():
        make_folder(path.parent)
    return [
        ClipOptions(options.config, options.fps, record.get(name), replay.get(name), options.pictures) for name in names
    ]


def _evaluate_in_turn(
    labels: Sequence[Label],
    options: EvaluationOptions,
    of_clips: Sequence[ClipOptions],
    progress: Callable[[str], None] | None,
) -> list[ClipResult]:
    detector = make_detector(options.config.detector)
    if options.replay is None:
        detector.start()
    try:
        results = []
        for number, (label, of_clip) in enumerate(zip(labels, of_clips, strict=True), start=1):
            reporter = None
            if progress is not None:
                reporter = _ProgressReporter(progress, f"{number}/{len(labels)} {label.name}")
            results.append(evaluate_clip(label, of_clip, detector, reporter))
        return results
    finally:
        detector.close()
        if progress is not None:
            progress("")


class _ProgressReporter:
    """Reports a clip's progress once a second of the clip."""

    def __init__(self, report: Callable[[str], None], title: str) -> None:
        self._report, self._title, self._next = report, title, 0.0

    def __call__(self, second: float) -> None:
        if second >= self._next:
            self._report(f"{self._title}: {second:.0f} s")
            self._next = second + _PROGRESS_SECONDS


def _evaluate_in_processes(
    labels: Sequence[Label],
    options: EvaluationOptions,
    of_clips: Sequence[ClipOptions],
    progress: Callable[[str], None] | None,
) -> list[ClipResult]:
    # Processes share the cores, so each has one thread of inference unless the configuration says more.
    detector = options.config.detector
    detector = detector.model_copy(update={"threads": detector.threads or 1})
    config = options.config.model_copy(update={"detector": detector})
    # Spawned, not forked: the threads of the detector and of OpenCV do not survive a fork.
    context = multiprocessing.get_context("spawn")
    workers = min(options.jobs, len(labels))
    with ProcessPoolExecutor(workers, context, _start_worker, (config, options.log_level)) as pool:
        try:
            results = []
            for result in pool.map(_evaluate_in_worker, labels, of_clips):
                results.append(result)
                if progress is not None:
                    progress(f"{len(results)}/{len(labels)} {result.name}: done")
            return results
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            if progress is not None:
                progress("")


# Of a worker process: its configuration, and its detector, which is loaded once.
_config: Config | None = None
_detector: Detector | None = None


def _start_worker(config: Config, log_level: str) -> None:
    global _config
    from edge.host.logs import set_up_logging

    set_up_logging(log_level)
    _config = config


def _evaluate_in_worker(label: Label, options: ClipOptions) -> ClipResult:
    global _detector
    assert _config is not None
    if _detector is None:
        # Loaded here and not in _start_worker: only an exception of a task reaches the parent process.
        detector = make_detector(_config.detector)
        if options.replay is None:
            detector.start()
        _detector = detector
    return evaluate_clip(label, options, _detector)
