"""Runs any weights that Ultralytics loads (.pt, .onnx, NCNN, OpenVINO, ...); needs torch, the extra [ultralytics].

By default Ultralytics installs packages with pip, sends usage statistics, stores settings in the user's home and prints
to standard output. A daemon must do none of that; ``_load_library`` switches it off.
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
from edge.detection.parameters import DEFAULT_DETECTION
from edge.detection.weights import resolve_model

if TYPE_CHECKING:
    from pathlib import Path

    from edge.config.schema import DetectorConfig
    from edge.core.frames import Image
    from edge.detection.parameters import DetectionParameters

log = logging.getLogger(__name__)

# Ultralytics reads these when it is imported, and so does the onnxruntime that it may use. Versions differ in the
# spellings that they accept for true; these work with all since 8.3.200.
_ENVIRONMENT = {
    "YOLO_AUTOINSTALL": "false",
    "YOLO_OFFLINE": "true",
    "YOLO_VERBOSE": "false",
    "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}
# The formats that torch itself runs; others have runtimes with threads of their own.
_TORCH_FORMATS = frozenset({"pt", "torchscript"})


class UltralyticsDetector:
    """Detects with any weights that Ultralytics loads, on the CPU, with the same filtering as ``OnnxDetector``."""

    def __init__(self, config: DetectorConfig, parameters: DetectionParameters = DEFAULT_DETECTION) -> None:
        self._config, self._parameters = config, parameters
        self._model: Any = None
        self._names: dict[int, str] = {}
        self._arguments: dict[str, Any] = {}

    def start(self) -> None:
        """Load the weights and run them once on an empty image.

        Raises ``ModelError`` with the name of the file or of the missing extra, and the remedy.
        """
        path = resolve_model(self._config)
        threads = self._config.threads or len(os.sched_getaffinity(0))
        library = _load_library(threads)
        arguments: dict[str, Any] = {
            "imgsz": self._config.image_size,
            "conf": self._config.confidence,
            "iou": self._config.iou,
            "max_det": self._parameters.most_detections,
            "agnostic_nms": False,
            "rect": True,
            "device": "cpu",
            "save": False,
            "verbose": False,
        }
        try:
            # An export may lack its task. Where it has one, and in a .pt always, it is checked below.
            model = library.YOLO(str(path), task="detect")
            task = model.task
            if task == "detect":
                model.add_callback("on_predict_start", _prepare)
                # The first prediction loads an export's runtime; an error there must be raised by start().
                smallest = np.zeros((self._parameters.stride, self._parameters.stride, 3), dtype=np.uint8)
                model.predict(smallest, **arguments)
                loaded = model.predictor.model
                task = getattr(loaded, "task", None) or task
        except (Exception, SystemExit) as error:  # Ultralytics and its runtimes raise any type of exception
            raise ModelError(
                f"{path}: Ultralytics cannot load it ({_first_line(error)}); correct detector.model"
            ) from error
        if task != "detect":
            raise ModelError(f"{path}: this is a model for {task!r}; a detection model is needed")
        self._names = {int(number): str(name) for number, name in loaded.names.items()}
        arguments["classes"] = self._class_numbers(path)
        # Ultralytics has set this to all cores but one, which on two cores is one.
        importlib.import_module("torch").set_num_threads(threads)
        weights_format = str(getattr(loaded, "format", "pt"))
        if self._config.threads and weights_format not in _TORCH_FORMATS:
            log.warning(
                "detector.threads=%d has no effect: Ultralytics does not pass it on to the runtime of %s weights",
                *(self._config.threads, weights_format),
            )
        self._arguments, self._model = arguments, model
        log.info(
            "model loaded path=%s image_size=%d classes=%d ultralytics=%s",
            *(path, self._config.image_size, len(arguments["classes"]), library.__version__),
        )

    def detect(self, image: Image, share: float = 1.0) -> list[Detection]:
        """Return the detections in a BGR image, the most confident first; see ``Detector.detect``.

        Ultralytics rounds the size of a part up to a multiple of the stride.
        """
        if self._model is None:
            raise RuntimeError("detect() before start()")
        arguments = self._arguments | {"imgsz": max(1, round(self._config.image_size * share))}
        found = self._model.predict(image, **arguments)[0].boxes
        if found is None or len(found) == 0:
            return []
        boxes = found.xyxy.numpy()
        scores = found.conf.numpy()
        numbers = found.cls.numpy().astype(int)
        return [
            Detection(Box(*map(float, boxes[index])), self._names[int(numbers[index])], float(scores[index]))
            for index in np.argsort(-scores, kind="stable")
        ]

    def close(self) -> None:
        """Free the weights."""
        self._model = None

    def _class_numbers(self, path: Path) -> list[int]:
        """Return the model's numbers of the configured classes."""
        wanted = self._config.classes
        if wanted is None:
            return list(self._names)
        unknown = sorted(set(wanted) - set(self._names.values()))
        if unknown:
            shown = list(self._names.values())[: self._parameters.most_names_shown]
            more = ", ..." if len(self._names) > len(shown) else ""
            raise ModelError(
                f"{path}: the model does not know the class {', '.join(unknown)}; correct detector.classes "
                f"(it knows {', '.join(shown)}{more})"
            )
        return [number for number, name in self._names.items() if name in wanted]


def _load_library(threads: int) -> Any:
    """Import and return ``ultralytics`` so that it uses no pip, network, user's home or standard output."""
    os.environ.update(_ENVIRONMENT)
    before = {name: os.environ.get(name) for name in ("YOLO_CONFIG_DIR", "OMP_NUM_THREADS", "OMP_WAIT_POLICY")}
    try:
        with tempfile.TemporaryDirectory(prefix="smartpark-") as folder:
            # Ultralytics always writes a settings file; nothing reads it again.
            os.environ["YOLO_CONFIG_DIR"] = folder
            # Torch reads these when it is loaded. Threads that spin while they wait slow each other on a busy machine.
            os.environ.update(OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="PASSIVE")
            library = importlib.import_module("ultralytics")
            library.YOLO  # noqa: B018 - a lazy attribute; this look-up does the rest of the import inside the block
    except (ImportError, OSError, AttributeError) as error:
        raise ModelError(
            f'detector.runtime is "ultralytics", but it cannot be imported ({_first_line(error)}); '
            "install the extra: pip install 'smartpark-edge[ultralytics]'"
        ) from error
    finally:
        for name, value in before.items():
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
    """Remove Ultralytics' callbacks and its warm-up; Ultralytics calls this before the first prediction.

    The callbacks send usage statistics at the end of each prediction, which here is each frame. On a CPU the warm-up
    only imports torchvision for its NMS. Ultralytics has an equivalent of its own, so a torchvision that was built for
    another torch does no harm when it is not imported.
    """
    predictor.callbacks.clear()
    predictor.done_warmup = True


def _first_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
