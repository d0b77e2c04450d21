"""Several clips one after the other, or some at a time in processes of their own."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.detection.detector import Detector, make_detector
from edge.evaluation.error_pictures import make_folder
from edge.evaluation.evaluate_clip import Result, Wish, evaluate
from edge.evaluation.recording_names import place, recorded_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge.config.schema import Config
    from edge.evaluation.label_file import Label

STEP = 1.0  # seconds of a clip between two signs of progress


@dataclass(frozen=True, slots=True)
class Plan:
    """How clips are to be evaluated; the paths of recordings are as the person gave them."""

    config: Config
    fps: float | None = None
    record: Path | None = None
    replay: Path | None = None
    pictures: Path | None = None
    jobs: int = 1
    log_level: str = "error"


def run(labels: Sequence[Label], plan: Plan, progress: Callable[[str], None] | None = None) -> list[Result]:
    """The results in the order of the labels, whatever ``jobs`` is.

    Raises ``ModelError``, ``SourceError`` and ``RefusedError`` as they come. ``progress`` is told where the work is.
    """
    wishes = _wishes(labels, plan)
    if plan.jobs == 1 or len(labels) == 1:
        return _one_by_one(labels, plan, wishes, progress)
    return _side_by_side(labels, plan, wishes, progress)


def _wishes(labels: Sequence[Label], plan: Plan) -> list[Wish]:
    names = [label.name for label in labels]
    record = place(plan.record, names) if plan.record is not None else {}
    replay = place(plan.replay, names) if plan.replay is not None else {}
    if len({recorded_rate(path, name, plan.fps) for name, path in replay.items()}) > 1:
        raise RefusedError(f"{plan.replay}: the recordings are of different rates; evaluate those of one at a time")
    for path in record.values():
        make_folder(path.parent)
    return [Wish(plan.config, plan.fps, record.get(name), replay.get(name), plan.pictures) for name in names]


def _one_by_one(
    labels: Sequence[Label], plan: Plan, wishes: Sequence[Wish], progress: Callable[[str], None] | None
) -> list[Result]:
    detector = make_detector(plan.config.detector)
    if plan.replay is None:
        detector.start()
    try:
        results = []
        for number, (label, wish) in enumerate(zip(labels, wishes, strict=True), start=1):
            sign = None if progress is None else _Sign(progress, f"{number}/{len(labels)} {label.name}")
            results.append(evaluate(label, wish, detector, sign))
        return results
    finally:
        detector.close()
        if progress is not None:
            progress("")


class _Sign:
    """Tells of a clip's progress, but not with every frame."""

    def __init__(self, tell: Callable[[str], None], name: str) -> None:
        self._tell, self._name, self._next = tell, name, 0.0

    def __call__(self, second: float) -> None:
        if second >= self._next:
            self._tell(f"{self._name}: {second:.0f} s")
            self._next = second + STEP


def _side_by_side(
    labels: Sequence[Label], plan: Plan, wishes: Sequence[Wish], progress: Callable[[str], None] | None
) -> list[Result]:
    # Processes share the cores, so each has one thread of inference unless the configuration says more.
    detector = plan.config.detector
    config = plan.config.model_copy(update={"detector": detector.model_copy(update={"threads": detector.threads or 1})})
    # Spawned, not forked: a network's and OpenCV's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(plan.jobs, len(labels)), context, _begin, (config, plan.log_level)) as pool:
        try:
            results = []
            for result in pool.map(_evaluate, labels, wishes):
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


_config: Config | None = None  # of a process that evaluates clips
_detector: Detector | None = None  # loaded once in each


def _begin(config: Config, log_level: str) -> None:
    global _config
    from edge.host.logs import set_up_logging

    set_up_logging(log_level)
    _config = config


def _evaluate(label: Label, wish: Wish) -> Result:
    global _detector
    assert _config is not None
    if _detector is None:
        # Not when the process begins: only from here a missing model reaches the person.
        detector = make_detector(_config.detector)
        if wish.replay is None:
            detector.start()
        _detector = detector
    return evaluate(label, wish, _detector)
