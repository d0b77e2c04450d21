"""This module reads how the machine is: memory, load, temperature, and what slows a Raspberry Pi down."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.device_health import MachineHealth

if TYPE_CHECKING:
    from collections.abc import Sequence

_KIB = 1024
# The kernel's names of the sensor in the processor: of a Raspberry Pi and other ARM boards, of a PC.
_PROCESSOR_SENSORS = ("cpu", "soc", "x86_pkg_temp", "k10temp")
# The firmware's word of a Raspberry Pi; `vcgencmd get_throttled` shows the same, but needs a device file. Which folder
# it is in depends on the model.
_THROTTLED_FILES = ("soc*/soc*firmware/get_throttled", "soc*firmware/get_throttled")
# Its bits, and 16 bits higher those of what has occurred since the boot.
_THROTTLED_BITS = ("under-voltage", "frequency capped", "throttled", "temperature limit")
_BEFORE_SHIFT = 16
_UNDER_VOLTAGE = _THROTTLED_BITS[0]


def read_machine(readers: Sequence[int], root: Path = Path("/")) -> MachineHealth:
    """The state of the machine, of this process and of the processes ``readers``. Nothing of it needs root.

    ``root`` is where ``proc`` and ``sys`` are. What the kernel does not tell is left out, or 0.
    """
    proc = root / "proc"
    daemon = _memory_of(proc, os.getpid())
    others = [memory for process in readers if (memory := _memory_of(proc, process))]
    machine = _meminfo(proc)
    throttled, before = _throttled(root / "sys")
    return MachineHealth(
        memory_bytes=daemon + sum(others),
        daemon_bytes=daemon,
        processes=1 + len(others),
        machine_bytes=machine.get("MemTotal", 0),
        available_bytes=machine.get("MemAvailable", 0),
        load=_load(proc),
        processors=os.cpu_count() or 1,
        temperature_celsius=_temperature(root / "sys"),
        throttled=throttled,
        throttled_before=before,
    )


def _memory_of(proc: Path, process: int) -> int:
    """The proportional share of a process's memory; where the kernel has no such sum, its resident memory.

    0 for a process that has gone.
    """
    for file, key in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        for line in _text(proc / str(process) / file).splitlines():
            if line.startswith(key):
                return int(line.split()[1]) * _KIB
    return 0


def _meminfo(proc: Path) -> dict[str, int]:
    rows = (line.split() for line in _text(proc / "meminfo").splitlines())
    return {row[0].rstrip(":"): int(row[1]) * _KIB for row in rows if len(row) > 2}


def _load(proc: Path) -> float:
    fields = _text(proc / "loadavg").split()
    return float(fields[0]) if fields else 0.0


def _temperature(sys: Path) -> float | None:
    """The temperature of the processor; None where it has no sensor."""
    for zone in sorted(sys.glob("class/thermal/thermal_zone*")):
        if _text(zone / "type").strip().startswith(_PROCESSOR_SENSORS):
            value = _text(zone / "temp").strip()
            if value.lstrip("-").isdigit():
                return int(value) / 1000
    return None


def _throttled(sys: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What slows a Raspberry Pi down now, and what did since its boot; nothing on other machines."""
    for pattern in _THROTTLED_FILES:
        for file in sys.glob(f"devices/platform/{pattern}"):
            try:
                word = int(_text(file).strip(), 16)
            except ValueError:
                continue
            now = tuple(name for bit, name in enumerate(_THROTTLED_BITS) if word >> bit & 1)
            before = tuple(name for bit, name in enumerate(_THROTTLED_BITS) if word >> bit + _BEFORE_SHIFT & 1)
            return now, before
    # Newer kernels may have only the alarm of the voltage.
    for sensor in sys.glob("class/hwmon/hwmon*"):
        if _text(sensor / "name").strip() == "rpi_volt" and _text(sensor / "in0_lcrit_alarm").strip() == "1":
            return (_UNDER_VOLTAGE,), ()
    return (), ()


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
