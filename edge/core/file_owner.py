"""Gives files that root makes in the daemon's folder to the daemon's user."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def give_to_folder(path: Path) -> None:
    """Give the file the owner and group of its folder if root runs the program; else do nothing.

    ``sudo smartpark db restore`` would leave a database that the daemon, which is not root, cannot write. Raises
    ``OSError`` when the file system refuses.
    """
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def make_for_folder(path: Path) -> None:
    """Make a missing file, empty, for its folder's owner if root runs the program; else do nothing.

    Raises ``OSError`` when the file system refuses.
    """
    if os.geteuid() == 0 and not path.exists():
        path.touch()
        give_to_folder(path)
