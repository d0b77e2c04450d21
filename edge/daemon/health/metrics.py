"""This module serves the state of the device as metrics for Prometheus, over HTTP on this machine."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import ThreadingWSGIServer, make_wsgi_app
from prometheus_client.registry import Collector

from edge.daemon.health.metric_families import metric_families

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.core import Metric

    from edge.config.schema import Config
    from edge.core.device_health import DeviceHealth
    from edge.host.problem_list import ProblemList

log = logging.getLogger(__name__)

METRICS_PROBLEM = "metrics"
# A port that is taken is tried again so often.
_RETRY_SECONDS = 10.0
_POLL_SECONDS = 0.2
_CLOSE_SECONDS = 2.0


class MetricsServer:
    """Serves the metrics of ``read`` at ``[metrics]`` host and port, in a thread of its own.

    ``read`` is called in the thread of each request. A port that cannot be listened on is a problem of the device, and
    tried again.
    """

    def __init__(self, config: Config, read: Callable[[], DeviceHealth], problems: ProblemList) -> None:
        self._config = config.metrics
        self._problems = problems
        registry = CollectorRegistry()
        registry.register(_DeviceCollector(read, config.site.id, config.device.id))
        self._app = make_wsgi_app(registry)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin to serve; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._closing.set()
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        host, port = self._config.host, self._config.port
        server_class = _Server6 if ":" in host else ThreadingWSGIServer
        while not self._closing.is_set():
            try:
                with make_server(host, port, self._app, server_class, _Handler) as server:
                    self._problems.clear(METRICS_PROBLEM)
                    log.info("metrics are served at http://%s:%d/metrics", host, port)
                    server.timeout = _POLL_SECONDS
                    while not self._closing.is_set():
                        server.handle_request()
            except OSError as error:
                self._problems.report(
                    METRICS_PROBLEM,
                    f"{host}:{port} cannot be listened on ({error.strerror}); change [metrics] host or port",
                )
            self._closing.wait(_RETRY_SECONDS)


class _Handler(WSGIRequestHandler):
    """Logs no request, and ends a connection on which nothing comes."""

    timeout = 10.0

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class _Server6(ThreadingWSGIServer):
    """Listens on an address of IPv6."""

    address_family = socket.AF_INET6


class _DeviceCollector(Collector):
    """Makes the metrics when they are asked for."""

    def __init__(self, read: Callable[[], DeviceHealth], site: str, device: str) -> None:
        self._read = read
        self._site = site
        self._device = device

    def describe(self) -> Iterable[Metric]:
        """None: the registry would collect the metrics for it."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The metrics now."""
        return metric_families(self._read(), self._site, self._device)
