"""Runs YOLO models that were exported to ONNX with onnxruntime, the daemon's default; torch is not needed."""

from __future__ import annotations

import ast
import logging
import os
from typing import TYPE_CHECKING

import numpy as np

from edge.core.errors import ModelError
from edge.detection.decode import BOX_VALUES, decode
from edge.detection.letterbox import Letterbox
from edge.detection.parameters import DEFAULT_DETECTION
from edge.detection.weights import resolve_model

if TYPE_CHECKING:
    import onnxruntime

    from edge.config.schema import DetectorConfig
    from edge.core.frames import Detection, Image
    from edge.detection.parameters import DetectionParameters

log = logging.getLogger(__name__)

# onnxruntime's number for logging errors and nothing below.
_LOG_ERRORS_ONLY = 3


class OnnxDetector:
    """Detects with an ONNX export of a YOLO detection model, of a dynamic or a fixed input shape."""

    def __init__(self, config: DetectorConfig, parameters: DetectionParameters = DEFAULT_DETECTION) -> None:
        self._config, self._parameters = config, parameters
        self._classes = frozenset(config.classes) if config.classes is not None else None
        self._session: onnxruntime.InferenceSession | None = None
        self._input = ""
        self._names: dict[int, str] = {}
        self._stride = parameters.stride
        self._fixed_size: tuple[int, int] | None = None
        self._letterbox: Letterbox | None = None
        self._shown: tuple[tuple[int, int], float] | None = None  # the size and share that the letterbox is for

    def start(self) -> None:
        """Load the weights. Raises ``ModelError`` with the file's name and the remedy."""
        path = resolve_model(self._config)
        if path.suffix != ".onnx":
            raise ModelError(
                f'{path}: the runtime "onnx" loads .onnx files; export the model, or set detector.runtime '
                'to "ultralytics"'
            )
        # Since 1.29 onnxruntime sends usage statistics and stores a device id in the user's home, unless this is set
        # before the import.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._config.threads
        options.inter_op_num_threads = 1
        # Threads that spin while they wait take a whole core from the other work of a small machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # It would keep a block for all intermediate results of each input shape: 20 MB at 640 pixels, and be no faster.
        options.enable_mem_pattern = False
        options.log_severity_level = _LOG_ERRORS_ONLY
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a dozen types without a common base class
            raise ModelError(f"{path}: onnxruntime cannot load it ({error}); pull the model again") from error
        metadata = session.get_modelmeta().custom_metadata_map
        try:
            names = {int(number): str(name) for number, name in ast.literal_eval(metadata["names"]).items()}
            self._stride = int(metadata.get("stride", self._parameters.stride))
        except (KeyError, ValueError, SyntaxError, AttributeError) as error:
            raise ModelError(
                f"{path}: the metadata hold no class names; export it with Ultralytics (format=onnx)"
            ) from error
        if metadata.get("task", "detect") != "detect":
            raise ModelError(f"{path}: this is a model for {metadata['task']!r}; a detection model is needed")
        unknown = sorted((self._classes or frozenset()) - set(names.values()))
        if unknown:
            raise ModelError(
                f"{path}: the model does not know the class {', '.join(unknown)}; correct detector.classes "
                f"(it knows {', '.join(names.values())})"
            )
        values = session.get_outputs()[0].shape[1]
        if isinstance(values, int) and values != BOX_VALUES + len(names):
            raise ModelError(
                f"{path}: the model outputs {values} values a box, not {BOX_VALUES + len(names)} "
                "(the box's 4 and one for each class); export it without built-in NMS (nms=False)"
            )
        height, width = session.get_inputs()[0].shape[2:]
        self._fixed_size = (width, height) if isinstance(width, int) and isinstance(height, int) else None
        self._input = session.get_inputs()[0].name
        self._names = names
        self._session = session
        log.info(
            "model loaded path=%s image_size=%d classes=%d", path, self._config.image_size, len(self._classes or names)
        )

    def detect(self, image: Image, share: float = 1.0) -> list[Detection]:
        """Return the detections in a BGR image, the most confident first; see ``Detector.detect``.

        A model of a fixed input shape sees every image as large as the shape allows, whatever its ``share``.
        """
        if self._session is None:
            raise RuntimeError("detect() before start()")
        size = int(image.shape[1]), int(image.shape[0])
        if self._letterbox is None or self._shown != (size, share):
            self._letterbox, self._shown = self._make_letterbox(size, share), (size, share)
        blob = self._letterbox.apply(image, self._parameters.padding_grey)
        output = self._session.run(None, {self._input: blob})[0]
        return decode(
            np.asarray(output, dtype=np.float32)[0],
            self._letterbox,
            self._names,
            classes=self._classes,
            confidence=self._config.confidence,
            iou=self._config.iou,
            most_detections=self._parameters.most_detections,
        )

    def close(self) -> None:
        """Free the weights."""
        self._session = None

    def _make_letterbox(self, size: tuple[int, int], share: float) -> Letterbox:
        if self._fixed_size is not None:
            return Letterbox.into(size, self._fixed_size)
        return Letterbox.fit(size, self._config.image_size, self._stride, share)
