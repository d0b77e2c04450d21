"""The signals that stop and reload the daemon."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


@dataclass(slots=True)
class Signals:
    """What the signal handlers leave behind. They set a flag, nothing else: a handler may run anywhere."""

    stop: bool = False
    reload: bool = False

    def install(self) -> None:
        """Take over TERM, INT and HUP. Only in the main thread."""
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop = True

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self.reload = True
