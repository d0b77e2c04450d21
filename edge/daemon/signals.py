"""This module handles the signals that stop the daemon and reload its configuration."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


@dataclass(slots=True)
class Signals:
    """The flags that the signal handlers set. They do nothing else, because a handler may run at any point."""

    stop: bool = False
    reload: bool = False

    def install(self) -> None:
        """Install the handlers of TERM, INT and HUP. Only possible in the main thread."""
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop = True

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self.reload = True
