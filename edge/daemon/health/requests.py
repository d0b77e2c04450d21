"""This module answers what other programs ask the running daemon: commands over its socket, Prometheus over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.device_health import plain_fields
from edge.host.control_server import ControlServer
from edge.host.control_socket import SNAPSHOT_REQUEST, STATUS_REQUEST, ControlAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.config.schema import Config
    from edge.daemon.health.collector import HealthCollector
    from edge.daemon.health.metrics import MetricsServer
    from edge.host.problem_list import ProblemList


class DaemonRequests:
    """The socket of the daemon and, where the configuration asks for it, the metrics."""

    def __init__(
        self,
        config: Config,
        collector: HealthCollector,
        problems: ProblemList,
        snapshot: Callable[[Mapping[str, Any]], ControlAnswer],
    ) -> None:
        """``snapshot`` answers the request for the newest picture of a camera; it is called by any thread."""
        self._config = config
        self._collector = collector
        self._problems = problems
        self._server = ControlServer(config.database.path, {STATUS_REQUEST: self._status, SNAPSHOT_REQUEST: snapshot})
        self._metrics: MetricsServer | None = None

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._server.start()
        if self._config.metrics.enabled:
            # Imported only now: few devices have a Prometheus, and all have little memory.
            from edge.daemon.health.metrics import MetricsServer

            self._metrics = MetricsServer(self._config, self._collector.fresh, self._problems)
            self._metrics.start()

    def close(self) -> None:
        """Answer no more, and remove the socket."""
        if self._metrics is not None:
            self._metrics.close()
        self._server.close()

    def _status(self, _: Mapping[str, Any]) -> ControlAnswer:
        return ControlAnswer(plain_fields(self._collector.fresh()))
