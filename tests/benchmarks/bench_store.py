"""Measures the store at ten million events and at a hundredth of them, beside bare ``sqlite3`` (``make bench-store``).

The databases are built first, the same for the same seed: 2 years, 8 floors. Caches are warm. For figures worth quoting
nothing else may run on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import sys
import time
from contextlib import ExitStack, closing
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bare_sqlite import Bare
from benchmarks.store_cleanup import clean_beside
from benchmarks.store_data import DAYS, build
from benchmarks.store_work import READS, Size, measure_fsync, measure_reads, measure_records

from edge.store.schema.connect import open_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from benchmarks.store_cleanup import CleanedBeside

PROJECT = Path(__file__).parent.parent.parent
RATIO_AIM, GROWTH_AIM = 1.5, 2.0
CLEANED_P99_AIM = 50.0
# A hundredth of the events in about a hundredth of the days: an hour holds as many as in the larger database.
DENSE, DENSE_DAYS = "dense", round(DAYS / 100)


def main() -> int:
    """Build, measure and print; 0 when the databases were sound, whatever the figures are."""
    options = arguments()
    folder: Path = options.reuse or PROJECT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return run(options, folder)
    finally:
        if options.reuse is None and not options.keep:
            shutil.rmtree(folder)


def run(options: argparse.Namespace, folder: Path) -> int:
    """The whole bench in this folder."""
    sizes = [options.events // 100, options.events]
    print(
        f"SQLite {sqlite3.sqlite_version}, Peewee {version('peewee')}, {os.cpu_count()} cores, warm cache, in {folder}"
    )
    report: dict[str, Any] = {"events": sizes, "seed": options.seed, "build": {}}
    paths = {events: folder / f"{events}-{options.seed}.db" for events in sizes}
    for events, path in paths.items():
        build_missing(path, events, options.seed, DAYS, report)
    dense = folder / f"{sizes[0]}-{options.seed}-dense.db"
    build_missing(dense, sizes[0], options.seed, DENSE_DAYS, report)
    for events in sizes if options.verify else sizes[:1]:
        if not is_sound(paths[events], events, report):
            return 1
    report["fsync"] = measure_fsync(folder)
    report["reads"] = measure_all_reads(paths, dense, options.share)
    # Operations that write get copies, so that the databases can be used again.
    copies = {events: path.with_suffix(".copy") for events, path in paths.items()}
    try:
        for events, path in paths.items():
            show_progress(f"copying {events:,} events")
            shutil.copyfile(path, copies[events])
        os.sync()
        report["records"] = measure_records(copies, options.share, show_progress)
        report["cleanup"] = {} if options.without_cleanup else measure_cleanup(copies, options.clean)
        if not all(is_sound(copies[events], events, report) for events in (sizes if options.verify else sizes[:1])):
            return 1
    finally:
        for path in copies.values():
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink()
    show_progress("")
    print_report(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1, default=vars))
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000, help="in the larger database (default: 10 million)")
    parser.add_argument("--clean", type=int, help="events that a clean-up removes (default: a tenth)")
    parser.add_argument("--without-cleanup", action="store_true", help="leave out the clean-up, which takes minutes")
    parser.add_argument("--verify", action="store_true", help="verify the larger database too, not the smaller alone")
    parser.add_argument("--share", type=float, default=1.0, help="of the usual number of rounds (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="of the databases (default: 1)")
    parser.add_argument("--keep", action="store_true", help="keep the databases in build/bench")
    parser.add_argument(
        "--reuse", type=Path, metavar="FOLDER", help="take the databases from there, or leave them there"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to a file")
    options = parser.parse_args()
    if options.events < 10_000 or options.share <= 0:
        parser.error("--events takes 10000 or more, --share more than 0")
    options.clean = options.clean or options.events // 10
    return options


def build_missing(path: Path, events: int, seed: int, days: int, report: dict[str, Any]) -> None:
    """Build a database, unless the file exists."""
    if path.exists():
        return
    show_progress(f"building {events:,} events")
    unfinished = path.with_suffix(".unfinished")
    for old in path.parent.glob(f"{unfinished.name}*"):
        old.unlink()
    began = time.monotonic()
    build(unfinished, events, seed, days)
    unfinished.rename(path)
    report["build"][path.stem] = seconds = time.monotonic() - began
    print(f"built {events:,} events of {days} days in {seconds:.0f} s, {path.stat().st_size / 1e6:.0f} MB", flush=True)


def show_progress(what: str) -> None:
    """Show on the terminal's line what is being done; an empty text clears the line."""
    if sys.stderr.isatty():
        print(f"\r  ... {what:60}" if what else f"\r{'':70}\r", end="", file=sys.stderr, flush=True)


def is_sound(path: Path, events: int, report: dict[str, Any]) -> bool:
    """Whether ``verify`` finds no fault; prints how long it took."""
    show_progress(f"verifying {events:,} events")
    began = time.monotonic()
    with closing(open_database(path, busy_timeout=5.0, read_only=True)) as handle:
        found = verify(handle)
    seconds = time.monotonic() - began
    report.setdefault("verify", {})[f"{path.suffix[1:]} {events}"] = seconds
    what = "the copy that was written to" if path.suffix == ".copy" else "as built"
    print(f"\nverify of {events:,} events, {what}: {'; '.join(found) or 'clean'}, {seconds:.1f} s", flush=True)
    return not found


def measure_all_reads(paths: dict[int, Path], dense: Path, share: float) -> dict[str, Any]:
    """Milliseconds of every reading operation at every size."""
    with ExitStack() as stack:
        sizes = [
            Size(
                name,
                stack.enter_context(closing(open_database(path, busy_timeout=5.0, read_only=True))),
                stack.enter_context(closing(Bare(path, read_only=True))),
                days,
            )
            for name, path, days in (*((str(n), path, DAYS) for n, path in paths.items()), (DENSE, dense, DENSE_DAYS))
        ]
        return measure_reads(sizes, share, show_progress)


def measure_cleanup(copies: dict[int, Path], number: int) -> dict[str, CleanedBeside]:
    """Clean up a tenth of the smaller database and ``number`` events of the larger, then as many in bare SQL."""
    found = {}
    for turn, (events, path) in enumerate(copies.items()):
        part = number if events == max(copies) else events // 10
        for who in ("ours", "bare"):
            show_progress(f"clean-up of {part:,} events of {events:,}, {who}")
            found[f"{who} {events}"] = clean_beside(path, who, part, 1_000_000 * (turn + (2 if who == "bare" else 4)))
    return found


def print_report(report: dict[str, Any]) -> None:
    """Print the table, and the figures that are in no table."""
    small, large = report["events"]
    titles = (f"{small:,}", "p99", f"{large:,}", "p99", "aims", "bare", "ratio", "growth")
    print(f"\n{'milliseconds':34}" + "".join(f"{title:>11}" for title in titles))
    for operation in READS:
        print_line(operation.title, report["reads"][operation.title], small, large, operation.median, operation.p99)
        if operation.title == "recommended floor":
            fsync = median_of(report["fsync"])
            print_line("record an event", report["records"]["new"], small, large, 2 + fsync, None)
            print(f"{'  the fsync of this disk alone':34}{'':22}{fsync:11.3f}{percentile(report['fsync']):11.3f}")
            print_line("record an event, duplicate", report["records"]["again"], small, large, 0.5, 2)
    for key, title in (("alone", "a writer before a clean-up"), ("beside", "a writer beside a clean-up")):
        series = {name: getattr(cleaned, key) for name, cleaned in report["cleanup"].items()}
        if series:
            print_line(title, series, small, large, None, CLEANED_P99_AIM if key == "beside" else None)
    for name, cleaned in report["cleanup"].items():
        print(
            f"  clean-up, {name}: {cleaned.removed:,} events in {cleaned.seconds:.0f} s"
            f" ({cleaned.removed / cleaned.seconds:,.0f} a second); the writer's longest {max(cleaned.beside):.0f} ms"
            f" of {len(cleaned.beside)}; the log's longest {cleaned.longest_wal / 1e6:.1f} MB"
        )
    written = report["records"]["bytes"]
    print("bytes written to the disk for a recorded event, by blocks of the log and of its checkpoints:")
    for events in (small, large):
        ours, bare, both = (written[f"{who} {events}"] for who in ("ours", "bare", "acknowledged"))
        ratio = ours / max(bare, 1)
        print(f"  {events:>12,} {ours:9,.0f}; bare {bare:,.0f}, ratio {ratio:.2f}; with its PUBACK {both:,.0f}")
    print(f"ratio: to bare sqlite3 at {large:,}, aim {RATIO_AIM}; growth: to {small:,}, aim {GROWTH_AIM},")
    print(f"for windows of an hour or a day to {small:,} in {DENSE_DAYS} days, where an hour is as full")


def print_line(
    title: str, series: dict[str, list[float]], small: int, large: int, median: float | None, p99: float | None
) -> None:
    """Print a line of the table, with the figures that are above their aims at its end."""
    at_small, ours, bare = (series[key] for key in (f"ours {small}", f"ours {large}", f"bare {large}"))
    ratio, growth = (
        median_of(ours) / median_of(bare),
        median_of(ours) / median_of(series.get(f"ours {DENSE}", at_small)),
    )
    above = [
        name
        for name, value, aim in (
            ("median", median_of(ours), median),
            ("p99", percentile(ours), p99),
            ("ratio", ratio, RATIO_AIM),
            ("growth", growth, GROWTH_AIM),
        )
        if aim is not None and value > aim
    ]
    aims = f"{median:.3g}" if median is not None else "-"
    aims += f"/{p99:g}" if p99 is not None else ""
    verdict = f"above: {', '.join(above)}" if above else "ok"
    print(
        f"{title:34}{median_of(at_small):11.3f}{percentile(at_small):11.3f}{median_of(ours):11.3f}{percentile(ours):11.3f}"
        f"{aims:>11}{median_of(bare):11.3f}{ratio:10.2f}x{growth:10.2f}x  {verdict}"
    )


def median_of(times: list[float]) -> float:
    """The median."""
    return statistics.median(times)


def percentile(times: list[float]) -> float:
    """The 99th percentile: of a hundred the largest but one."""
    return sorted(times)[max(0, min(len(times) - 1, round(0.99 * len(times)) - 1))]


if __name__ == "__main__":
    sys.exit(main())
