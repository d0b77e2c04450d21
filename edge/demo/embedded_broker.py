"""A broker for a desk without Mosquitto, in this process; and the question whether a broker is there already."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import threading
from typing import TYPE_CHECKING, Any

from edge.core.errors import RefusedError, SmartParkError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_LISTENER = "default"
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class EmbeddedBroker:
    """An MQTT 3.1.1 broker for the demo and the tests: anonymous, in memory, with retained messages and last wills.

    It is not for a car park: a client that vanishes without closing its socket is never noticed, and nothing
    survives its end. It needs the extra ``[demo]``.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self._wanted_port = port
        self._port: int | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()

    @property
    def port(self) -> int:
        """The port on which it listens; known once :meth:`start` has returned."""
        if self._port is None:
            raise RuntimeError("the broker is not started")
        return self._port

    def start(self) -> None:
        """Listen, and return when clients can connect.

        Raises RefusedError when the extra is not installed, SmartParkError when the port cannot be had.
        """
        _require_amqtt()
        self._ready.clear()
        failures: list[Exception] = []
        self._thread = threading.Thread(target=self._run, args=(failures,), name="mqtt-broker", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise SmartParkError(f"the embedded broker did not start within {_START_SECONDS:.0f} s")
        if failures:
            self._thread.join(_STOP_SECONDS)
            self._thread = None
            raise SmartParkError(
                f"the embedded broker cannot start on {self.host}:{self._wanted_port}: {failures[0]}"
            ) from failures[0]

    def close(self) -> None:
        """Cut all clients off and end. Safe to call more than once."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            # A loop that has just ended by itself has nothing left to stop.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)
        thread.join(_STOP_SECONDS)
        if thread.is_alive():
            log.warning("the embedded broker did not end within %.0f s", _STOP_SECONDS)
        self._port = None

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def _run(self, failures: list[Exception]) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if self._ready.is_set():
                log.exception("the embedded broker failed")
            failures.append(error)
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_quiet)
        self._loop, self._stop = loop, asyncio.Event()
        # The listener is ours, so that its port is known: the library would take 0 and not tell which it got.
        broker = _cured(_require_amqtt())(
            {
                "listeners": {_LISTENER: {"type": "external"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        adapters = importlib.import_module("amqtt.adapters")
        clients: dict[asyncio.StreamWriter, Any] = {}

        async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            clients[writer] = adapters.StreamWriterAdapter(writer)
            try:
                await broker.external_connected(adapters.StreamReaderAdapter(reader), clients[writer], _LISTENER)
            finally:
                del clients[writer]
                # The library is done with it; a socket that cannot get rid of its bytes must not outlive the loop.
                writer.transport.abort()

        await broker.start()
        try:
            server = await asyncio.start_server(client, self.host, self._wanted_port)
        except BaseException:
            await broker.shutdown()
            raise
        self._port = int(server.sockets[0].getsockname()[1])
        self._ready.set()
        await self._stop.wait()
        # A connection that is just being accepted when a server closes leaks in Python 3.11; so first stop to accept.
        for listener in server.sockets:
            loop.remove_reader(listener.fileno())
        await asyncio.sleep(0.01)
        server.close()
        # Its own shutdown waits for readers that, when they are busy, overlook that they were told to end; without
        # a socket they end by themselves.
        limit = loop.time() + _STOP_SECONDS / 4
        while loop.time() < limit:
            for writer, adapter in tuple(clients.items()):
                adapter.is_closed = True
                writer.transport.abort()
            await asyncio.sleep(0.01)
            if not clients:
                break
        try:
            await asyncio.wait_for(broker.shutdown(), _STOP_SECONDS / 4)
        except (TimeoutError, asyncio.CancelledError) as error:
            # Nobody cancels this: it is one of the library's own tasks whose end comes up here.
            log.debug("the embedded broker's shutdown: %r", error)


def _cured(amqtt: Any) -> Any:
    """The library's broker without two faults that boards would see.

    It sends a client that connects what is retained for the subscriptions of others. And it acknowledges a message
    first and passes it on later, but forgets it when the client leaves or comes back in between: "offline" got lost.
    """

    class Broker(amqtt.Broker):  # type: ignore[misc] # the library is imported when it is needed, and has no types
        async def _publish_retained_messages_for_subscription(self, subscription: Any, session: Any) -> None:
            subscribers = self._subscriptions.get(subscription[0], ())
            if any(subscriber.client_id == session.client_id for subscriber, _ in subscribers):
                await super()._publish_retained_messages_for_subscription(subscription, session)

        async def _initialize_client_session(self, *arguments: Any) -> Any:
            handler, session = await super()._initialize_client_session(*arguments)

            async def pass_on(message: Any) -> None:
                taken = asyncio.get_running_loop().create_future()
                taken.set_result(message)
                await self._handle_message_delivery(session, handler, taken)

            session.delivered_message_queue = _Straight(pass_on)
            return handler, session

    return Broker


class _Straight:
    """Looks like the queue of a client's incoming messages, but passes each on before it can be acknowledged."""

    def __init__(self, pass_on: Callable[[Any], Awaitable[None]]) -> None:
        self._pass_on = pass_on
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def put(self, message: Any) -> None:
        """Called for a message of QoS 1 or 2, before its acknowledgement."""
        async with self._one_at_a_time:
            await self._pass_on(message)

    def put_nowait(self, message: Any) -> None:
        """Called for a message of QoS 0."""
        task = asyncio.ensure_future(self.put(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def get(self) -> None:
        """Nothing is ever left to take."""
        await asyncio.get_running_loop().create_future()

    def get_nowait(self) -> None:
        """Nothing is ever left to take."""
        raise asyncio.QueueEmpty

    def empty(self) -> bool:
        """Always."""
        return True

    def qsize(self) -> int:
        """Always 0."""
        return 0


def _require_amqtt() -> Any:
    """The library's broker module, with its loggers hushed; RefusedError when it is not installed."""
    # It tells of every client that leaves as a warning and of every shutdown as an error; "transitions" beneath it
    # tells of every step.
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    try:
        return importlib.import_module("amqtt.broker")
    except ImportError as error:
        raise RefusedError(
            "the embedded broker is not installed: install smartpark-edge[demo], or run Mosquitto on this machine"
        ) from error


def _quiet(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Cancelled deliveries of clients that left are of no interest to a person at a desk."""
    log.debug("embedded broker: %s", context.get("message"), exc_info=context.get("exception"))
