"""File systems that fail for the tests: a small one fills up, and a card becomes read-only, pauses, or is taken out.

Mounting needs root, or a user namespace: ``unshare --user --map-root-user --mount make test`` is enough for tmpfs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CARD_BYTES = 8 * 1024 * 1024


def _run(*command):
    """Run a command of the system; skip the test, with the command's error, if it is missing or not permitted."""
    program = shutil.which(command[0]) or shutil.which(command[0], path="/usr/sbin:/sbin")
    if program is None:
        pytest.skip(f"{command[0]} is not installed on this machine")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"{' '.join(command)} is not possible here: {done.stderr.strip().partition(chr(10))[0]}")
    return done.stdout


class SmallDisk:
    """A tmpfs of a few megabytes, of which SQLite's write-ahead log alone may take four."""

    def __init__(self, path: Path):
        self.path = path
        self._ballast = path / "ballast"

    def mount(self, size="8m"):
        """Create it and mount it."""
        self.path.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "none", str(self.path))

    def fill(self):
        """Use all free room."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)

    def free(self):
        """Free the room again."""
        self._ballast.unlink()

    def make_read_only(self):
        """Only possible while no file on it is open for writing."""
        _run("mount", "-o", "remount,ro", str(self.path))

    def make_writable(self):
        """Mount it writable again."""
        _run("mount", "-o", "remount,rw", str(self.path))

    def close(self):
        """Unmount it, also while files on it are open."""
        subprocess.run(["umount", "-l", str(self.path)], capture_output=True, check=False)


class Card:
    """An ext4 file system in a file, with what the kernel does to a card that is worn out."""

    def __init__(self, path: Path):
        self.path = path
        self._image = path.with_suffix(".img")
        self._copies = 0
        self._frozen = False

    def mount(self):
        """Create it and mount it, without a journal, so that it can be mounted again after an error."""
        self.path.mkdir()
        with self._image.open("wb") as file:
            file.truncate(CARD_BYTES)
        _run("mkfs.ext4", "-q", "-O", "^has_journal", str(self._image))
        self._mount()

    def _mount(self):
        _run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.path))

    def fail(self):
        """Have the kernel report an error on it, which makes it read-only, also for files that are open."""
        device = os.path.basename(_run("findmnt", "-no", "SOURCE", str(self.path)).strip())  # noqa: PTH119  # not a path
        try:
            with open(f"/sys/fs/ext4/{device}/trigger_fs_error", "w") as trigger:  # noqa: PTH123  # a file of the kernel
                trigger.write("a test")
        except OSError as error:
            pytest.skip(f"the kernel cannot be told to find an error here: {error}")

    def take_out(self):
        """Unmount it. Files that are open stay with the old file system."""
        _run("umount", "-l", str(self.path))

    def put_back(self):
        """Check it and mount it again."""
        self._copies += 1
        copy = self._image.with_suffix(f".{self._copies}.img")
        shutil.copyfile(self._image, copy)
        self._image = copy
        subprocess.run(["e2fsck", "-fy", str(copy)], capture_output=True, check=False)
        self._mount()

    def freeze(self):
        """Make every write wait."""
        _run("fsfreeze", "-f", str(self.path))
        self._frozen = True

    def thaw(self):
        """Let the writes continue."""
        self._frozen = False
        _run("fsfreeze", "-u", str(self.path))

    def close(self):
        """Unmount it, also while files on it are open."""
        if self._frozen:
            self.thaw()
        subprocess.run(["umount", "-l", str(self.path)], capture_output=True, check=False)


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs of 8 MB; skips where it cannot be mounted."""
    disk = SmallDisk(tmp_path / "disk")
    try:
        disk.mount()
        yield disk
    finally:
        disk.close()


@pytest.fixture
def card(tmp_path):
    """A card with an ext4 of 8 MB; skips where it cannot be mounted."""
    card = Card(tmp_path / "card")
    try:
        card.mount()
        yield card
    finally:
        card.close()
