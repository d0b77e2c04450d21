"""Any weights that Ultralytics loads (.pt, .onnx, NCNN, OpenVINO, ...), at the price of torch: the extra [ultralytics].

Ultralytics is a program as much as a library: left alone it installs packages with pip, sends usage figures, keeps
settings in the user's home and prints. A daemon may do none of that; ``_load_library`` sees to it.
"""

from __future__ import annotations

import importlib
import logging
import os
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.core.errors import ModelError
from edge.core.frames import Detection
from edge.core.shapes import Box
from edge.detection.decode import MOST_DETECTIONS
from edge.detection.weights import resolve_model

if TYPE_CHECKING:
    from pathlib import Path

    from edge.config.schema import DetectorConfig
    from edge.core.frames import Image

log = logging.getLogger(__name__)

# Read by Ultralytics when it is imported, and by the onnxruntime that it may use. Versions differ in the spellings
# that they take for true; these suit all since 8.3.200.
ENVIRONMENT = {
    "YOLO_AUTOINSTALL": "false",
    "YOLO_OFFLINE": "true",
    "YOLO_VERBOSE": "false",
    "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}
# What torch itself runs; other weights have run times with threads of their own.
TORCH_FORMATS = frozenset({"pt", "torchscript"})
# A model without names in its metadata gets 999 invented ones; an error must not print them all.
MOST_NAMES_TOLD = 100


class UltralyticsDetector:
    """A detector on whatever weights Ultralytics loads; on the CPU, with the filtering of ``OnnxDetector``."""

    def __init__(self, config: DetectorConfig) -> None:
        self._config = config
        self._model: Any = None
        self._names: dict[int, str] = {}
        self._arguments: dict[str, Any] = {}

    def start(self) -> None:
        """Load the weights and run them once.

        Raises ``ModelError`` that names the file or the missing extra, and the remedy.
        """
        path = resolve_model(self._config)
        threads = self._config.threads or len(os.sched_getaffinity(0))
        library = _load_library(threads)
        arguments: dict[str, Any] = {
            "imgsz": self._config.image_size,
            "conf": self._config.confidence,
            "iou": self._config.iou,
            "max_det": MOST_DETECTIONS,
            "agnostic_nms": False,
            "rect": True,
            "device": "cpu",
            "save": False,
            "verbose": False,
        }
        try:
            # An export need not say its task; one that does is checked below, as is a .pt, which always does.
            model = library.YOLO(str(path), task="detect")
            task = model.task
            if task == "detect":
                model.add_callback("on_predict_start", _prepare)
                # The first prediction loads an export's run time: what fails there must fail here, not at a frame.
                model.predict(np.zeros((32, 32, 3), dtype=np.uint8), **arguments)
                loaded = model.predictor.model
                task = getattr(loaded, "task", None) or task
        except (Exception, SystemExit) as error:  # the library and its run times raise whatever they like
            raise ModelError(
                f"{path}: Ultralytics cannot load it ({_first_line(error)}); correct detector.model"
            ) from error
        if task != "detect":
            raise ModelError(f"{path}: is a model for {task!r}; a detection model is needed")
        self._names = {int(number): str(name) for number, name in loaded.names.items()}
        arguments["classes"] = self._wanted(path)
        # Set once more: Ultralytics leaves torch all cores but one, which on two cores is one.
        importlib.import_module("torch").set_num_threads(threads)
        weights_format = str(getattr(loaded, "format", "pt"))
        if self._config.threads and weights_format not in TORCH_FORMATS:
            log.warning(
                "detector.threads=%d has no effect: Ultralytics does not hand it on to the run time of %s weights",
                *(self._config.threads, weights_format),
            )
        self._arguments, self._model = arguments, model
        log.info(
            "model loaded path=%s image_size=%d classes=%d ultralytics=%s",
            *(path, self._config.image_size, len(arguments["classes"]), library.__version__),
        )

    def detect(self, image: Image) -> list[Detection]:
        """The wanted objects in a BGR frame, most confident first; boxes in pixels of the frame."""
        if self._model is None:
            raise RuntimeError("detect() before start()")
        found = self._model.predict(image, **self._arguments)[0].boxes
        if found is None or len(found) == 0:
            return []
        boxes = found.xyxy.numpy()
        scores = found.conf.numpy()
        kinds = found.cls.numpy().astype(int)
        return [
            Detection(Box(*map(float, boxes[index])), self._names[int(kinds[index])], float(scores[index]))
            for index in np.argsort(-scores, kind="stable")
        ]

    def close(self) -> None:
        """Free the weights."""
        self._model = None

    def _wanted(self, path: Path) -> list[int]:
        """The numbers of the configured classes in this model."""
        wanted = self._config.classes
        if wanted is None:
            return list(self._names)
        unknown = sorted(set(wanted) - set(self._names.values()))
        if unknown:
            told = list(self._names.values())[:MOST_NAMES_TOLD]
            more = ", ..." if len(self._names) > len(told) else ""
            raise ModelError(
                f"{path}: does not know the class {', '.join(unknown)}; correct detector.classes "
                f"(it knows {', '.join(told)}{more})"
            )
        return [number for number, name in self._names.items() if name in wanted]


def _load_library(threads: int) -> Any:
    """The module ``ultralytics``, kept from pip, the network, the user's home and standard output."""
    os.environ.update(ENVIRONMENT)
    kept = {name: os.environ.get(name) for name in ("YOLO_CONFIG_DIR", "OMP_NUM_THREADS", "OMP_WAIT_POLICY")}
    try:
        with tempfile.TemporaryDirectory(prefix="smartpark-") as folder:
            # For the settings file that it insists on writing; nothing reads it again.
            os.environ["YOLO_CONFIG_DIR"] = folder
            # Read when torch is loaded. Threads that spin while they wait starve each other on a busy machine.
            os.environ.update(OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="PASSIVE")
            library = importlib.import_module("ultralytics")
            library.YOLO  # noqa: B018 - a lazy attribute: looked up here, so that all of the import is in this block
    except (ImportError, OSError, AttributeError) as error:
        raise ModelError(
            f'detector.runtime is "ultralytics", but it cannot be imported ({_first_line(error)}); '
            "install the extra: pip install 'smartpark-edge[ultralytics]'"
        ) from error
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    library_log = logging.getLogger("ultralytics")
    library_log.handlers.clear()
    library_log.propagate = True
    library_log.setLevel(logging.WARNING)
    return library


def _prepare(predictor: Any) -> None:
    """Called by Ultralytics before the first prediction.

    Usage figures are sent by callbacks at the end of a prediction, which for us is every frame: they go. All that the
    warm-up does on a CPU is to import torchvision for its NMS, of which Ultralytics has an equal of its own: without
    it, a torchvision that was built for another torch does no harm.
    """
    predictor.callbacks.clear()
    predictor.done_warmup = True


def _first_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
