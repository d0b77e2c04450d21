"""Files that root makes in the daemon's folder belong to the daemon."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def give_to_folder(path: Path) -> None:
    """If root runs the program, the file gets the owner and group of its folder; else nothing is done.

    ``sudo smartpark db restore`` would leave a database that the daemon, which is not root, cannot write. OSError
    when the file system refuses.
    """
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def make_for_folder(path: Path) -> None:
    """If root runs the program and there is no such file, make it, empty, for its folder's owner. OSError likewise."""
    if os.geteuid() == 0 and not path.exists():
        path.touch()
        give_to_folder(path)
