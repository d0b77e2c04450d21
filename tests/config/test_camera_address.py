"""Tests of cameras' addresses: what works, what is refused with which remedy, and that no text shows a secret."""

from __future__ import annotations

import contextlib
import logging
import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import pytest
import tomlkit
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.cli.check_config import check_config
from edge.config.camera_address import SourceKind, clip_address, parse_address
from edge.config.load import load_config
from edge.config.schema import CameraConfig
from edge.core.errors import ConfigError, SourceError
from edge.sources import open_source

if TYPE_CHECKING:
    from edge.config.schema import Config

# Stands in every secret of these tests, and in no other text.
MARK = "hush"
CONFIG = """
[[floors]]
name = "Ground"
total_slots = 10

[[cameras]]
id = "cam"
source = {source}
{keys}

[[cameras.gates]]
id = "gate"
line = [[0.5, 0.1], [0.5, 0.9]]
inside = [0.9, 0.5]
floor = "Ground"
"""
# What people type, with the characters that have a meaning in an address more often than others.
pieces = st.text(st.one_of(st.sampled_from("/:@?#[]%&=;+ \\'\"~.-_*2f"), st.characters(codec="utf-8")), max_size=12)
secrets = st.builds(lambda before, after: f"{before}{MARK}{after}", pieces, pieces)


def toml(text: str) -> str:
    """A text as a TOML string."""
    return tomlkit.string(text, escape=True).as_string()


def camera_of(source: str, **keys: str) -> CameraConfig:
    """A camera's section."""
    return CameraConfig(id="cam", source=source, **keys)


def texts_of(config: Config) -> list[str]:
    """Every text form of a configuration."""
    camera = config.cameras[0]
    dumped = [config.model_dump_json(), str(config.model_dump(mode="json"))]
    return [repr(config), str(config), repr(camera), str(camera), repr(camera.address), camera.public_source, *dumped]


def check(text: str, folder: Path) -> tuple[Config | None, list[str]]:
    """The configuration in ``text``, None where it is refused, and everything that reading it shows."""
    path = folder / "smartpark.toml"
    path.write_text(text, encoding="utf-8")
    shown: list[str] = []
    problems: list[str] = []
    config = None
    try:
        config = load_config(path, {})
        shown += texts_of(config)
    except ConfigError as error:
        problems = error.problems
        shown += [*error.problems, *traceback.format_exception(error), repr(error)]
    assert (config is None) == bool(problems)
    assert all(problem.startswith(f"{path}: ") for problem in problems)
    command = CliRunner().invoke(check_config, [str(path)])
    return config, [*shown, command.output, str(command.exception)]


@pytest.mark.parametrize(
    ("source", "url", "shown"),
    [
        ("rtsp://10.0.0.5/stream", None, None),
        ("rtsp://10.0.0.5:8554/Streaming/Channels/101", None, None),
        ("rtsp://h/h264Preview_01_main", None, None),
        ("RTSP://Camera.local/x", "rtsp://Camera.local/x", "rtsp://Camera.local/x"),
        ("rtsp://admin:a[b@h/x", "rtsp://admin:a%5Bb@h/x", "rtsp://h/x"),
        ("rtsp://admin:p@w@h:80/x", "rtsp://admin:p%40w@h:80/x", "rtsp://h:80/x"),
        ("rtsp://admin:50%off@h/x", "rtsp://admin:50%25off@h/x", "rtsp://h/x"),
        ("rtsp://admin:p%23w@h/x", "rtsp://admin:p%23w@h/x", "rtsp://h/x"),
        ("rtsp://admin:%FC@h/x", "rtsp://admin:%FC@h/x", "rtsp://h/x"),
        ("rtsp://admin:p w@h/x", "rtsp://admin:p%20w@h/x", "rtsp://h/x"),
        ("rtsp://admin@h", None, "rtsp://h"),
        ("rtsp://:pw@h/", "rtsp://:pw@h/", "rtsp://h/"),
        ("rtsp://u:p@[::1]:554/x", None, "rtsp://[::1]:554/x"),
        ("rtsp://[fe80::1%25eth0]/x", "rtsp://[fe80::1%eth0]/x", "rtsp://[fe80::1%eth0]/x"),
        ("http://h/a b?c=d e", "http://h/a%20b?c=d%20e", "http://h/a%20b?c=..."),
        ("http://h/user=admin_password=secret_channel=1", None, "http://h/user=..."),
        ("http://h/v.mjpg?user=a&pwd=b;c", None, "http://h/v.mjpg?user=...&pwd=...&..."),
        ("rtsp://h/user/admin/password/s3cret/1", None, "rtsp://h/user/.../password/.../1"),
        ("rtsp://h:7447/iQ6Xh2dAbCdEfGhi", None, "rtsp://h:7447/..."),
    ],
)
def test_an_address_that_works(source: str, url: str | None, shown: str | None) -> None:
    """The text for FFmpeg is percent-encoded, and what is shown has no user, no password and no values."""
    camera = camera_of(source)
    assert (camera.secret_url, camera.public_source) == (url or source, shown or source)
    assert camera_of(camera.source) == camera, "the stored text is read in the same way again"


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("rtsp://admin:pa#hush@h/x", "# as %23"),
        ("rtsp://admin:pa/hush@h/x", "/ as %2F"),
        ("rtsp://admin:12/hush@h/x", "use the keys `username` and `password`"),
        ("rtsp://admin:pa?hush@h/x", "? as %3F"),
        ("rtsp://admin:p@hush/x@h/x", "@ as %40"),
        ("rtsp://h/x#hush", "has a #"),
        ("rtsp://h/x?mail=hush@h", "%40"),
        ("rtsp://h:hush/x", "a port that is not a number from 1 to 65535"),
        ("rtsp://h:0/x", "a port that is not a number"),
        ("rtsp://h:65536/x", "a port that is not a number"),
        ("rtsp://h:٣/x", "a port that is not a number"),
        ("rtsp://fe80::1/x", "write an IPv6 address in brackets"),
        ("rtsp://[::1/x", "write [ADDRESS]:PORT"),
        ("rtsp://[hush]/x", "write [ADDRESS]:PORT"),
        ("rtsp:///hush", "has no host; write rtsp://HOST/PATH"),
        ("rtsp://u:hush@/x", "has no host"),
        ("rtsp://", "has no host"),
        ("rtsp://hush x/x", "has a character in its host"),
        ("rtsp://hüsh/x", "xn--"),
        (" rtsp://u:hush@h/x", "has a space at its beginning or end; remove it"),
        ("rtsp://u:hush%00@h/x", "has a control character"),
        ("rtsp://u:hush@h/a\\b", "percent-encode it"),
        ("rtmp://u:hush@h/x", "rtsp://, rtsps://, http://, https://"),
        ("rtspp://u:hush@h/x", "has a scheme that is not supported"),
        ("rtsp:/u:hush@h/x", "write rtsp://HOST/PATH"),
        ("rtsp//u:hush@h/x", "write rtsp://HOST/PATH"),
        ("//u:hush@h/x", "write rtsp://HOST/PATH"),
        ("admin:hush@10.0.0.5/x", "begin the path of a file with ./ or /"),
        ("file://hush/x", "three slashes"),
        ("file:hush", "write file:///PATH"),
        ("file:///hush%00", "holds %00"),
        ("clip.mp4?hush=1", "after the ? of a file write realtime=1, or loop=1&realtime=1"),
        ("/srv/hush?", "a ? in a file's name is written %3F"),
        ("/srv/a?hush#c.mp4", "a ? in a file's name is written %3F"),
        ("file:///clip.mp4?lop=hush", "after the ? of a file write realtime=1"),
        ("clip.mp4?realtime=1&", "after the ? of a file write realtime=1"),
        ("clip.mp4?loop=hush&realtime=1", "write loop=1, or leave it out"),
        ("clip.mp4?realtime", "write realtime=1, or leave it out"),
        ("clip.mp4?realtime=1&realtime=0", "has its option realtime twice; remove one"),
        ("clip.mp4?loop=1", "add &realtime=1"),
        ("clip.mp4?loop=1&realtime=0", "add &realtime=1"),
        ("~hush-nobody/x.mp4", "write the whole path"),
    ],
)
def test_an_address_that_is_refused(tmp_path: Path, source: str, remedy: str) -> None:
    """It is refused when the configuration is read, with file, key and remedy, and without a part of the text."""
    config, shown = check(CONFIG.format(source=toml(source), keys=""), tmp_path)
    assert config is None
    assert shown[0].startswith(f"{tmp_path / 'smartpark.toml'}: cameras[0].source: ")
    assert remedy in shown[0]
    assert not [text for text in shown if MARK in text]
    with pytest.raises(ValidationError) as caught:
        camera_of(source)
    assert MARK not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("clip.mp4", SourceKind.FILE),
        ("12:30.mp4", SourceKind.FILE),
        ("me@home.mp4", SourceKind.FILE),
        ("./cam:1@home.mp4", SourceKind.FILE),
        ("http.mp4", SourceKind.FILE),
        ("/srv/a#c.mp4", SourceKind.FILE),
        ("/srv/clip.mp4?realtime=1", SourceKind.FILE),
        ("file:///srv/a%3Fb.mp4?loop=1&realtime=1", SourceKind.FILE),
        ("file:///srv/a%20b.mp4", SourceKind.FILE),
        ("/dev/video0", SourceKind.DEVICE),
        ("0", SourceKind.DEVICE),
        ("csi:0", SourceKind.DEVICE),
        ("sim:ramp?seed=1", SourceKind.SIMULATION),
        ("https://h:8443/video", SourceKind.STREAM),
    ],
)
def test_the_kind_of_an_address(source: str, kind: SourceKind) -> None:
    """Files, devices, streams and simulations are told apart; a file's name may hold nearly anything."""
    camera = camera_of(source)
    assert camera.address.kind is kind
    assert camera.source == source


@pytest.mark.parametrize(
    ("source", "path", "realtime", "loop"),
    [
        ("clip.mp4", "clip.mp4", False, False),
        ("clip.mp4?realtime=0", "clip.mp4", False, False),
        ("clip.mp4?realtime=1&loop=0", "clip.mp4", True, False),
        ("~/clip.mp4?loop=1&realtime=1", str(Path.home() / "clip.mp4"), True, True),
        ("file:///srv/a%3Fb%20c.mp4?realtime=1&loop=1", "/srv/a?b c.mp4", True, True),
        ("file:///srv/a%3Frealtime=1", "/srv/a?realtime=1", False, False),
    ],
)
def test_options_of_a_file(source: str, path: str, realtime: bool, loop: bool) -> None:
    """What follows the ? is no part of the name, and stands in logs only where it is set."""
    camera = camera_of(source)
    assert (camera.address.file, camera.address.realtime, camera.address.loop) == (Path(path), realtime, loop)
    options = "?loop=1&realtime=1" if loop else "?realtime=1" if realtime else ""
    assert camera.public_source == path + options
    assert camera_of(clip_address(Path(path))).address.file == Path(path).absolute()


def test_the_keys_win_over_the_text() -> None:
    """`username` and `password` replace those in the source, each by itself, and need no encoding."""
    assert camera_of("rtsp://a:b@h/x", username="u/ß").secret_url == "rtsp://u%2F%C3%9F:b@h/x"
    assert camera_of("rtsp://a@h/x", password="p#@:").secret_url == "rtsp://a:p%23%40%3A@h/x"
    assert camera_of("clip.mp4", username="u", password="p").secret_url == "clip.mp4"


@pytest.mark.parametrize(
    "wrong",
    [
        'cameras = "rtsp://u:hush@h/x"',
        'cameras = {id = "c", source = "rtsp://u:hush@h/x", password = "hush"}',
        'cameras = ["rtsp://u:hush@h/x"]',
        '[[cameras]]\nid = "rtsp://u:hush@h/x"\nsource = "x"',
        '[[cameras]]\nid = "c"\nsource = "x"\nfps = "rtsp://u:hush@h/x"',
        '[[cameras]]\nid = "c"\nsource = "x"\ngates = {password = "hush"}',
        '[[cameras]]\nid = "c"\nsource = ["rtsp://u:hush@h/x"]',
        '[[cameras]]\nid = "c"\nsource = "x"\nusername = "hush\\u0007"',
        '[[cameras]]\nid = "c"\nsource = "x"\npassword = "hush\\n"',
        '[[cameras]]\nid = "rtsp://u:hush@h"\n[[cameras]]\nid = "rtsp://u:hush@h"',
        '[[cameras]]\nid = "c"\nsource = "x"\n[[cameras.gates]]\nid = "g"\nfloor = "rtsp://u:hush@h"',
        '[[mqtt]]\npassword = "hush"',
        '[mqtt]\nport = {password = "hush"}',
    ],
)
def test_a_secret_at_the_wrong_place_is_not_repeated(tmp_path: Path, wrong: str) -> None:
    """Errors of tables and values do not show what may be an address or hold a password."""
    config, shown = check(wrong, tmp_path)
    assert config is None
    assert not [text for text in shown if MARK in text]


@given(secrets, secrets, st.booleans())
@example("admin", f"a[b{MARK}", False)
@example("admin", f"12/{MARK}", False)
@example(f"{MARK}:", f"//{MARK}", False)
def test_no_text_shows_a_user_or_a_password(
    tmp_path_factory: pytest.TempPathFactory, user: str, password: str, encoded: bool
) -> None:
    """Whatever stands in an address, it is read or refused by a ConfigError, and no text holds a part of a secret."""
    folder = tmp_path_factory.mktemp("texts")
    place = f"{quote(user, safe='')}:{quote(password, safe='')}" if encoded else f"{user}:{password}"
    config, shown = check(CONFIG.format(source=toml(f"rtsp://{place}@10.0.0.5:554/stream"), keys=""), folder)
    assert not [text for text in shown if MARK in text]
    if config is not None:
        read = config.cameras[0]
        assert read.public_source == "rtsp://10.0.0.5:554/stream"
        assert_same_credentials(read, *((user, password) if encoded else parts_of(place)))
    elif encoded:
        assert any(ord(char) < 32 or 127 <= ord(char) < 160 for char in user + password), shown[0]


def parts_of(userinfo: str) -> tuple[str, str]:
    """User and password as a person reads them in an address."""
    user, _, password = userinfo.partition(":")
    return unquote(user, errors="surrogateescape"), unquote(password, errors="surrogateescape")


def assert_same_credentials(camera: CameraConfig, user: str, password: str) -> None:
    """The URL for FFmpeg holds this user and password, as another library reads it."""
    parts = urlsplit(camera.secret_url)
    assert unquote(parts.username or "", errors="surrogateescape") == user
    assert unquote(parts.password or "", errors="surrogateescape") == password
    assert (parts.hostname, parts.port, parts.path) == ("10.0.0.5", 554, "/stream")


@given(secrets, secrets)
def test_the_keys_hold_any_user_and_password(
    tmp_path_factory: pytest.TempPathFactory, user: str, password: str
) -> None:
    """`username` and `password` take any text without control characters, and reach FFmpeg unchanged."""
    folder = tmp_path_factory.mktemp("keys")
    keys = f"username = {toml(user)}\npassword = {toml(password)}"
    config, shown = check(CONFIG.format(source=toml("rtsp://10.0.0.5:554/stream"), keys=keys), folder)
    assert not [text for text in shown if MARK in text]
    if config is not None:
        assert_same_credentials(config.cameras[0], user, password)
    else:
        assert any(ord(char) < 32 or 127 <= ord(char) < 160 for char in user + password), shown[0]


@given(pieces, st.sampled_from(["", "rtsp://", "RTSPS://", "http://", "file://", "file:", "/dev/", "~", "sim:", "//"]))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, rest: str, beginning: str) -> None:
    """Reading a source raises nothing but ConfigError, and opening what was read nothing but SourceError."""
    config, _ = check(CONFIG.format(source=toml(beginning + rest), keys=""), tmp_path_factory.mktemp("any"))
    if config is not None:
        with contextlib.suppress(SourceError):
            open_source(config.cameras[0]).close()


@given(st.binary(min_size=1, max_size=40).filter(lambda name: b"/" not in name and b"\0" not in name))
def test_every_file_name_has_an_address(name: bytes) -> None:
    """A clip whose name is not UTF-8, has line ends or looks like an address has a `source` that names it."""
    path = Path("/srv/clips") / os.fsdecode(name)
    camera = camera_of(clip_address(path))
    assert camera.address.kind is SourceKind.FILE
    assert camera.address.file == path
    assert camera.public_source.isprintable()


def test_logs_show_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """A camera that cannot be reached is logged by its public source."""
    caplog.set_level(logging.DEBUG)
    source = open_source(camera_of(f"rtsp://{MARK}:{MARK}[@127.0.0.1:9/user={MARK}?token={MARK}", stale_seconds="1"))
    source.start()
    try:
        source.read(1.5)
    finally:
        source.close()
    assert MARK not in caplog.text + source.status.problem


def test_an_address_is_parsed_once() -> None:
    """Asking a camera for its address again does not parse its text again."""
    camera = camera_of("rtsp://once.example/x")
    before = parse_address.cache_info().misses
    assert camera.public_source == camera.public_source == "rtsp://once.example/x"
    assert parse_address.cache_info().misses == before
