"""``smartpark demo`` runs the whole product on a desk."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from edge.cli.shared.options import log_option
from edge.core.errors import RefusedError


@click.command()
@click.option("--seconds", type=click.FloatRange(10, 86_400), default=60, show_default=True, help="How long to count.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True, help="Which traffic is simulated.")
@click.option(
    "--dir", "folder", type=click.Path(file_okay=False, path_type=Path), help="Where to write; default: a new one."
)
@click.option("--fps", type=click.FloatRange(1, 60), default=8, show_default=True, help="Frames a second a camera.")
@click.option(
    "--traffic", type=click.FloatRange(1, 60), default=12, show_default=True, help="Vehicles a minute a ramp."
)
@click.option(
    "--image-size", type=click.IntRange(160, 1280), default=640, show_default=True, help="Pixels that the network sees."
)
@click.option(
    "--every-frame", is_flag=True, help="Let the simulated time wait for the machine; default: real time, frames drop."
)
@click.option(
    "--broker", metavar="HOST[:PORT]", help="An MQTT broker without passwords; default: localhost, or one of its own."
)
@click.option("--plain", is_flag=True, help="Plain lines, also in a terminal.")
@log_option
def demo(
    seconds: float,
    seed: int,
    folder: Path | None,
    fps: float,
    traffic: float,
    image_size: int,
    every_frame: bool,
    broker: str | None,
    plain: bool,
    log_level: str,
) -> None:
    """Run the whole product on a desk, with simulated cameras.

    Two ramps are simulated; the daemon, detection, database, MQTT and board are real. It ends by itself, or lets the
    ramps run empty at the first Ctrl-C. Exit code 0 only if the board shows the truth.
    """
    from edge.daemon.signals import Signals
    from edge.demo.broker import broker_address
    from edge.demo.configuration import DemoOptions
    from edge.demo.demo import Demo
    from edge.demo.view import DemoView
    from edge.host.logs import set_up_logging

    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="smartpark-demo-"))
    elif (folder / "smartpark.db").exists():
        raise RefusedError(f"{folder / 'smartpark.db'} is there already; name another folder with --dir")
    folder.mkdir(parents=True, exist_ok=True)
    # The view shows the events, so the log repeats them only when it is asked for.
    set_up_logging("warning" if log_level == "info" else log_level)
    signals = Signals()
    signals.install()
    options = DemoOptions(
        folder=folder,
        seconds=seconds,
        seed=seed,
        fps=fps,
        vehicles_per_minute=traffic,
        image_size=image_size,
        broker=broker_address(broker) if broker else None,
        every_frame=every_frame,
    )
    with DemoView(plain=plain) as view:
        report = Demo(options, signals, view.show).run()
    view.print_report(report)
    sys.exit(0 if report.right else 1)
