"""Tests of the configuration: which files are refused with which message, where values come from, and the example."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from edge.config.bundled_files import bundled_file
from edge.config.load import load_config, load_config_to_run
from edge.config.overrides import SCALAR_SECTIONS
from edge.config.schema import CameraConfig, Config, FloorConfig, GateConfig
from edge.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.config.section import Section

GOOD = """
[[floors]]
name = "Ground Floor"
total_slots = 50

[[floors]]
name = "First Floor"
total_slots = 45

[[cameras]]
id = "ramp"
source = "rtsp://10.0.0.5/stream"

[[cameras.gates]]
id = "up"
line = [[0.5, 0.1], [0.5, 0.9]]
inside = [0.9, 0.5]
floor = "First Floor"
outside_floor = "Ground Floor"
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """A function that writes a configuration file and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "smartpark.toml"
        path.write_text(text)
        return path

    return write


def problems(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    """The error lines of a file that a daemon cannot run with."""
    with pytest.raises(ConfigError) as caught:
        load_config_to_run(path, environ or {})
    return caught.value.problems


def test_a_good_file_is_read(written: Callable[[str], Path]) -> None:
    """The sections hold the values of the file, and defaults for all other keys."""
    config = load_config_to_run(written(GOOD), {})
    assert [floor.name for floor in config.floors] == ["Ground Floor", "First Floor"]
    assert config.cameras[0].gates[0].outside_floor == "Ground Floor"
    assert config.mqtt.port == 1883
    assert config.client_id == f"smartpark-{config.device.id}"


@pytest.mark.parametrize(
    ("replaced", "by", "message"),
    [
        ("total_slots = 50", "total_slots = -1", r"floors\[0\]\.total_slots: .*it is -1"),
        (
            "total_slots = 50",
            "total_slots = 50\nslots = 3",
            r"floors\[0\]\.slots: unknown key; did you mean 'total_slots'",
        ),
        (
            "total_slots = 50",
            "total_slots = 5\nopening_vehicles = 6",
            r"opening_vehicles is 6, more than total_slots \(5\)",
        ),
        ('name = "First Floor"', 'name = "Ground Floor"', r"floors\[1\]\.name: 'Ground Floor' is already"),
        ('name = "First Floor"', 'name = "ground-floor"', r"would share the topic floor/ground-floor"),
        ('name = "First Floor"', 'name = "--"', r"neither letter nor digit"),
        ("[[0.5, 0.1], [0.5, 0.9]]", "[[0.5, 0.1], [0.5, 1.2]]", r"gates\[0\]\.line\[1\]\[1\]: .*it is 1\.2.*fraction"),
        ("[[0.5, 0.1], [0.5, 0.9]]", "[[0.5, 0.1]]", r"gates\[0\]\.line: .*two or more"),
        ("[[0.5, 0.1], [0.5, 0.9]]", "[[0.5, 0.1], [0.5, 0.1]]", r"points 1 and 2 are the same"),
        ("inside = [0.9, 0.5]", "inside = [0.5, 0.5]", r"gates\[0\]: inside \[0\.5, 0\.5\] is on the line.*move it"),
        ("inside = [0.9, 0.5]", "inside = [0.5, 0.95]", r"on the line or on its extension"),
        (
            'id = "ramp"',
            'id = "ramp"\nregion = [0.6, 0.0, 1.0, 1.0]',
            r"leaves out a part of the line of gate .*enlarge it",
        ),
        ('id = "ramp"', 'id = "ramp"\nregion = [0.6, 0.0, 0.2, 1.0]', r"is empty: give left, top, right, bottom"),
        ('outside_floor = "Ground Floor"', 'outside_floor = "Roof"', r"no floor 'Roof'; use one of.*'Ground Floor'"),
        ('outside_floor = "Ground Floor"', 'outside_floor = "First Floor"', r"is the same as floor"),
        ('id = "up"', 'id = "u p"', r"gates\[0\]\.id: .*no spaces.*'u p'"),
        ('id = "up"', 'id = "u/p"', r"gates\[0\]\.id: .*none of \+ # /"),
        ('id = "ramp"', 'id = "ramp+"', r"cameras\[0\]\.id"),
        ('id = "ramp"\n', "", r"cameras\[0\]\.id: is missing"),
        (
            "[[cameras.gates]]",
            '[[cameras]]\nid = "ramp"\nsource = "x"\n[[cameras.gates]]',
            r"cameras\[1\]\.id: 'ramp' is already",
        ),
        (
            '[[floors]]\nname = "Ground',
            '[sight]\nid = "x"\n[[floors]]\nname = "Ground',
            r"sight: unknown key; did you mean 'site'",
        ),
        ("total_slots = 50", "total_slots = 50 50", r"not valid TOML: .*line 4.*correct that place"),
        ("total_slots = 50", 'total_slots = "many"', r"floors\[0\]\.total_slots: .*'many'"),
        (
            '[[floors]]\nname = "Ground',
            '[counting]\nbicycle = true\n[[floors]]\nname = "Ground',
            r"counting\.bicycle: unknown key; did you mean 'bicycles'",
        ),
        (
            '[[floors]]\nname = "Ground',
            '[counting]\nvehicle_classes = []\n[[floors]]\nname = "Ground',
            r"counting\.vehicle_classes: needs 1 or more",
        ),
        (
            '[[floors]]\nname = "Ground',
            '[mechanisms]\nstitching = "perhaps"\n[[floors]]\nname = "Ground',
            r"mechanisms\.stitching: must be true or false",
        ),
    ],
)
def test_an_error_is_reported_with_file_key_and_remedy(
    written: Callable[[str], Path], replaced: str, by: str, message: str
) -> None:
    """Each error gives one line that begins with the file and names the key."""
    assert replaced in GOOD
    path = written(GOOD.replace(replaced, by, 1))
    found = problems(path)
    assert any(re.search(message, problem) for problem in found), found
    assert all(problem.startswith(str(path)) for problem in found)


def test_all_errors_are_reported_at_once(written: Callable[[str], Path]) -> None:
    """A technician can correct a file in one go, for each of its errors has a line."""
    bad = GOOD.replace("50", "-1").replace("[0.9, 0.5]", "[0.5, 0.5]").replace('"First Floor"\nout', '"Roof"\nout')
    found = problems(written(bad + '[mqtt]\nport = 99999\n[site]\nid = "a b"\n'), {"SMARTPARK_MQTT_PROT": "1"})
    assert len(found) == 6, found


def test_a_missing_file_floor_or_camera_is_reported(written: Callable[[str], Path], tmp_path: Path) -> None:
    """A configuration without a floor or a gate cannot run, and a file that cannot be read is named."""
    assert "cannot be read" in problems(tmp_path / "none.toml")[0]
    assert [problem.split(": ")[1] for problem in problems(written(""))] == ["floors", "cameras"]
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in problems(tmp_path / "bytes.toml")[0]


def test_a_number_without_end_is_no_toml(written: Callable[[str], Path]) -> None:
    """A number of more digits than Python reads, and brackets within brackets, are errors of the file."""
    assert "is not valid TOML" in problems(written(f"a = {'9' * 5000}"))[0]
    assert "nested too deeply" in problems(written(f"a = {'[' * 100_000}"))[0]


def test_the_environment_overrides_the_file_and_is_named_in_errors(written: Callable[[str], Path]) -> None:
    """SMARTPARK_<SECTION>_<KEY> wins; the error of a wrong value or an unknown key names the variable."""
    environ = {
        "SMARTPARK_DATABASE_PATH": "/data/x.db",
        "SMARTPARK_MQTT_PORT": "1999",
        "SMARTPARK_MQTT_ENABLED": "false",
    }
    config = load_config(written(GOOD), environ)
    assert (str(config.database.path), config.mqtt.port, config.mqtt.enabled) == ("/data/x.db", 1999, False)
    switched = load_config(None, {"SMARTPARK_COUNTING_BICYCLES": "true", "SMARTPARK_MECHANISMS_RETRACE": "false"})
    assert (switched.counting.bicycles, switched.mechanisms.retrace) == (True, False)
    (wrong,) = problems(written(GOOD), {"SMARTPARK_MQTT_PORT": "x"})
    assert wrong.startswith("environment: SMARTPARK_MQTT_PORT")
    (unknown,) = problems(written(GOOD), {"SMARTPARK_MQTT_HOSST": "x"})
    assert "use SMARTPARK_MQTT_HOST" in unknown


@pytest.mark.parametrize(
    ("section", "key"),
    [
        (name, key)
        for name in SCALAR_SECTIONS
        for key, field in Config.model_fields[name].annotation.model_fields.items()  # type: ignore[union-attr]
        if "tuple" in str(field.annotation)
    ],
)
def test_a_list_comes_from_the_environment_with_commas(section: str, key: str) -> None:
    """Every key that is a list can be set by one variable."""
    config = load_config(None, {f"SMARTPARK_{section.upper()}_{key.upper()}": "car, bus"})
    assert getattr(getattr(config, section), key) == ("car", "bus")


def test_the_database_alone_needs_no_file() -> None:
    """A command that reads the database needs SMARTPARK_DATABASE_PATH and nothing else."""
    assert load_config(None, {"SMARTPARK_DATABASE_PATH": "/data/x.db"}).database.path == Path("/data/x.db")


def test_secrets_come_from_credentials_and_are_never_shown(written: Callable[[str], Path], tmp_path: Path) -> None:
    """systemd's credentials reach the sections of broker and cameras, and no text form of these shows a secret."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "mqtt.password").write_text("hush-mqtt\n")
    (folder / "camera.ramp.username").write_text("viewer")
    (folder / "camera.ramp.password").write_text("hush/cam@1")
    config = load_config(written(GOOD), {"CREDENTIALS_DIRECTORY": str(folder)})
    assert config.mqtt.password == SecretStr("hush-mqtt")
    assert config.cameras[0].secret_url == "rtsp://viewer:hush%2Fcam%401@10.0.0.5/stream"
    assert "hush" not in repr(config)
    assert "hush" not in config.model_dump_json()


@pytest.mark.parametrize(
    "line",
    ['source = 5\npassword = "hush"', 'source = "rtsp://u:hush@h/"\nfps = -1', 'source = "x"\npassword = ["hush"]'],
)
def test_an_error_never_repeats_a_secret(written: Callable[[str], Path], line: str) -> None:
    """Messages about passwords and sources do not show their values."""
    found = problems(written(GOOD.replace('source = "rtsp://10.0.0.5/stream"', line)))
    assert found
    assert "hush" not in "\n".join(found)


def test_a_source_with_a_password_is_shown_without_it() -> None:
    """The source that may be logged has neither user name nor password, and a query without its values."""
    camera = CameraConfig(id="c", source="rtsp://user:hush@host:554/path?token=hush")
    assert camera.public_source == "rtsp://host:554/path?token=..."
    assert CameraConfig(id="c", source="file:///clips/a%3Fb.mp4").public_source == "/clips/a?b.mp4"


def default_of(section: type[Section], key: str) -> Any:
    """The default of a key, as TOML would give it."""
    value = section.model_fields[key].get_default(call_default_factory=True, validated_data={})
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def test_the_example_file_holds_every_key_with_its_default() -> None:
    """config/smartpark.toml is valid and has each key of each section with the default of the code."""
    text = bundled_file("smartpark.toml").read_text()
    assert load_config_to_run(bundled_file("smartpark.toml"), {}).floors
    raw = tomllib.loads(text)
    places: list[tuple[dict[str, Any], Any]] = [
        (raw[name], Config.model_fields[name].annotation) for name in SCALAR_SECTIONS
    ]
    places += [(raw["floors"][0], FloorConfig), (raw["cameras"][0], CameraConfig)]
    places += [(raw["cameras"][0]["gates"][0], GateConfig)]
    for table, section in places:
        for key, field in section.model_fields.items():
            if key == "gates":
                continue
            if key in table:
                if field.default is not PydanticUndefined:
                    assert table[key] == default_of(section, key), f"{section.__name__}.{key}"
            else:
                assert re.search(rf"^# {key} = ", text, re.MULTILINE), f"{section.__name__}.{key} is not in the file"
        assert set(table) <= set(section.model_fields)


def test_a_section_that_is_no_table_is_an_error_beside_a_variable(written: Callable[[str], Path]) -> None:
    """A variable for one of its keys does not hide that the file is wrong."""
    (wrong,) = problems(written("mqtt = 5\n" + GOOD), {"SMARTPARK_MQTT_PORT": "1999"})
    assert "smartpark.toml: mqtt: " in wrong


def test_a_credential_that_cannot_be_read_is_an_error(written: Callable[[str], Path], tmp_path: Path) -> None:
    """Its file is named, with what to check."""
    (tmp_path / "mqtt.password").write_bytes(b"\xff\xfe")
    (wrong,) = problems(written(GOOD), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert wrong == f"{tmp_path / 'mqtt.password'}: the credential cannot be read; check its rights and that it is text"


def test_the_cameras_of_a_floor_are_those_with_a_gate_of_it(written: Callable[[str], Path]) -> None:
    """On either side of the gate, each once; a floor without a gate has none."""
    gate = '[[cameras.gates]]\nid = "{}"\nline = [[0.1, 0.5], [0.9, 0.5]]\ninside = [0.5, 0.9]\nfloor = "{}"\n'
    text = "".join(f'[[floors]]\nname = "{name}"\ntotal_slots = 5\n' for name in ("A", "B", "C"))
    text += '[[cameras]]\nid = "street"\nsource = "a.mp4"\n' + gate.format("in", "A") + gate.format("out", "A")
    text += '[[cameras]]\nid = "ramp"\nsource = "b.mp4"\n' + gate.format("g", "B") + 'outside_floor = "A"\n'
    assert load_config(written(text)).cameras_by_floor == {"A": ("street", "ramp"), "B": ("ramp",), "C": ()}
