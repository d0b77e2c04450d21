"""A network namespace for tests: another machine at the end of a link that can be set down."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = "10.213.77.2"


@dataclass(frozen=True)
class Namespace:
    """A namespace that is reached at ``ADDRESS``; ``prefix`` runs a command in it."""

    ip: str
    name: str
    link: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with that runs in the namespace."""
        return (self.ip, "netns", "exec", self.name)

    def set_link(self, state: str) -> None:
        """Set the link ``up`` or ``down``."""
        self.run("link", "set", self.link, state)

    def run(self, *arguments: str) -> None:
        """Run ``ip``."""
        subprocess.run([self.ip, *arguments], check=True, capture_output=True)


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A namespace with its link up; the test skips where none can be made."""
    ip = shutil.which("ip")
    if ip is None or os.geteuid():
        pytest.skip("needs root and the command ip (iproute2) to make a network namespace")
    number = f"{os.getpid() % 10_000}{time.monotonic_ns() % 1_000}"  # an interface's name has at most 15 characters
    made = Namespace(ip, f"camera{number}", f"camh{number}")
    there = f"camt{number}"
    try:
        made.run("netns", "add", made.name)
    except subprocess.CalledProcessError:
        pytest.skip("this machine makes no network namespaces")
    try:
        made.run("link", "add", made.link, "type", "veth", "peer", "name", there, "netns", made.name)
        made.run("address", "add", "10.213.77.1/24", "dev", made.link)
        made.run("link", "set", made.link, "up")
        made.run("-n", made.name, "address", "add", f"{ADDRESS}/24", "dev", there)
        made.run("-n", made.name, "link", "set", there, "up")
        yield made
    finally:
        made.run("netns", "delete", made.name)  # and with it the link
