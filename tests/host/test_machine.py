"""Tests of what is read of the machine: this one, and files as the kernels of Raspberry Pis have them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edge.host.machine import read_machine

if TYPE_CHECKING:
    from pathlib import Path

MB = 1_000_000


def write(root: Path, files: dict[str, str]) -> None:
    """Write files below the root of a file system."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_this_machine_is_read_without_being_root() -> None:
    """Memory of this process and of another, of the machine, its load and its processors are plausible."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        machine = read_machine([other.pid])
        other.communicate(b"\n")
    assert machine.processes == 2
    assert MB < machine.memory_bytes - machine.daemon_bytes < machine.daemon_bytes < machine.machine_bytes
    assert 0 < machine.available_bytes < machine.machine_bytes
    assert machine.processors == os.cpu_count()
    assert machine.load >= 0
    assert read_machine([other.pid]).processes == 1  # it has ended


@pytest.mark.parametrize(
    "place",
    [
        "soc/soc:firmware",
        "soc@107c000000/soc@107c000000:firmware",
        "soc:firmware",
    ],
)
def test_a_raspberry_pi_that_is_slowed_down(tmp_path: Path, place: str) -> None:
    """The firmware's word says what slows it down now and what did since its boot, in the folders of all models."""
    process = f"proc/{os.getpid()}"
    write(
        tmp_path,
        {
            f"{process}/smaps_rollup": "7f0-7ff ---p 00000000 00:00 0 [rollup]\nRss: 9000 kB\nPss: 2000 kB\n",
            "proc/7/status": "Name:\tpython3\nVmRSS:\t   1000 kB\n",
            "proc/meminfo": "MemTotal:  4000000 kB\nMemFree:  1 kB\nMemAvailable:  3000000 kB\nHugePages_Total: 0\n",
            "proc/loadavg": "1.25 0.80 0.40 2/345 6789\n",
            "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
            "sys/class/thermal/thermal_zone0/temp": "81234\n",
            f"sys/devices/platform/{place}/get_throttled": "d0005\n",
        },
    )
    machine = read_machine([7, 8], tmp_path)
    assert (machine.daemon_bytes, machine.memory_bytes, machine.processes) == (2000 * 1024, 3000 * 1024, 2)
    assert (machine.machine_bytes, machine.available_bytes) == (4_000_000 * 1024, 3_000_000 * 1024)
    assert (machine.load, machine.temperature_celsius) == (1.25, 81.234)
    assert machine.throttled == ("under-voltage", "throttled")
    assert machine.throttled_before == ("under-voltage", "throttled", "temperature limit")


def test_a_kernel_with_nothing_but_the_alarm_of_the_voltage(tmp_path: Path) -> None:
    """The alarm is under-voltage; other sensors are ignored."""
    write(
        tmp_path,
        {
            "sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
            "sys/class/hwmon/hwmon0/in0_lcrit_alarm": "1\n",
            "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
            "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
        },
    )
    assert read_machine([], tmp_path).throttled == ()
    write(tmp_path, {"sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n"})
    assert read_machine([], tmp_path).throttled == ("under-voltage",)


def test_what_a_machine_does_not_tell_is_left_out(tmp_path: Path) -> None:
    """Another machine has no such files, or files with something else in them."""
    write(
        tmp_path,
        {
            "sys/class/thermal/thermal_zone0/type": "acpitz\n",
            "sys/class/thermal/thermal_zone0/temp": "27800\n",
            "sys/class/thermal/thermal_zone1/type": "x86_pkg_temp\n",
            "sys/class/thermal/thermal_zone1/temp": "\n",
            "sys/devices/platform/soc/soc:firmware/get_throttled": "?\n",
        },
    )
    machine = read_machine([7], tmp_path)
    assert (machine.memory_bytes, machine.machine_bytes, machine.available_bytes, machine.load) == (0, 0, 0, 0.0)
    assert (machine.temperature_celsius, machine.throttled, machine.throttled_before) == (None, (), ())
