"""YOLO as ONNX under onnxruntime: the daemon's default. No torch."""

from __future__ import annotations

import ast
import logging
import os
from typing import TYPE_CHECKING

import numpy as np

from edge.core.errors import ModelError
from edge.detection.decode import decode
from edge.detection.letterbox import Letterbox
from edge.detection.weights import resolve_model

if TYPE_CHECKING:
    import onnxruntime

    from edge.config.schema import DetectorConfig
    from edge.core.frames import Detection, Image

log = logging.getLogger(__name__)


class OnnxDetector:
    """A detector on an ONNX export of a YOLO detection model, with or without a dynamic shape."""

    def __init__(self, config: DetectorConfig) -> None:
        self._config = config
        self._classes = frozenset(config.classes) if config.classes is not None else None
        self._session: onnxruntime.InferenceSession | None = None
        self._input = ""
        self._names: dict[int, str] = {}
        self._stride = 32
        self._fixed_size: tuple[int, int] | None = None
        self._letterbox: Letterbox | None = None

    def start(self) -> None:
        """Load the weights. Raises ``ModelError`` that names the file and the remedy."""
        path = resolve_model(self._config)
        if path.suffix != ".onnx":
            raise ModelError(
                f'{path}: the runtime "onnx" loads .onnx files; export the model, or set detector.runtime '
                'to "ultralytics"'
            )
        # Since 1.29 it sends usage figures and keeps a device id in the home, unless told not to before it loads.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._config.threads
        options.inter_op_num_threads = 1
        # Spinning threads take a whole core from the other work of a small machine while they wait.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library raises a dozen types without a common root
            raise ModelError(f"{path}: onnxruntime cannot load it ({error}); pull the model again") from error
        metadata = session.get_modelmeta().custom_metadata_map
        try:
            names = {int(number): str(name) for number, name in ast.literal_eval(metadata["names"]).items()}
            self._stride = int(metadata.get("stride", 32))
        except (KeyError, ValueError, SyntaxError, AttributeError) as error:
            raise ModelError(
                f"{path}: has no class names in its metadata; export it with Ultralytics (format=onnx)"
            ) from error
        if metadata.get("task", "detect") != "detect":
            raise ModelError(f"{path}: is a model for {metadata['task']!r}; a detection model is needed")
        unknown = sorted((self._classes or frozenset()) - set(names.values()))
        if unknown:
            raise ModelError(
                f"{path}: does not know the class {', '.join(unknown)}; correct detector.classes "
                f"(it knows {', '.join(names.values())})"
            )
        rows = session.get_outputs()[0].shape[1]
        if isinstance(rows, int) and rows != 4 + len(names):
            raise ModelError(
                f"{path}: gives {rows} values a box, not 4 and one a class ({4 + len(names)}); export it without "
                "built-in NMS (nms=False)"
            )
        height, width = session.get_inputs()[0].shape[2:]
        self._fixed_size = (width, height) if isinstance(width, int) and isinstance(height, int) else None
        self._input = session.get_inputs()[0].name
        self._names = names
        self._session = session
        log.info(
            "model loaded path=%s image_size=%d classes=%d", path, self._config.image_size, len(self._classes or names)
        )

    def detect(self, image: Image) -> list[Detection]:
        """The wanted objects in a BGR frame, most confident first; boxes in pixels of the frame."""
        if self._session is None:
            raise RuntimeError("detect() before start()")
        size = int(image.shape[1]), int(image.shape[0])
        if self._letterbox is None or self._letterbox.frame_size != size:
            self._letterbox = self._fit(size)
        blob = self._letterbox.apply(image)
        output = self._session.run(None, {self._input: blob})[0]
        return decode(
            np.asarray(output, dtype=np.float32)[0],
            self._letterbox,
            self._names,
            classes=self._classes,
            confidence=self._config.confidence,
            iou=self._config.iou,
        )

    def close(self) -> None:
        """Free the weights."""
        self._session = None

    def _fit(self, size: tuple[int, int]) -> Letterbox:
        if self._fixed_size is not None:
            return Letterbox.into(size, self._fixed_size)
        return Letterbox.fit(size, self._config.image_size, self._stride)
