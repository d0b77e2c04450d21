"""A board as it is drawn in a terminal, and as a line of text."""

from __future__ import annotations

import io
import json

from rich.console import Console
from support.boards import TOPICS, apply_floor, apply_status, floor

from edge.board import view as board_view
from edge.core.occupancy import FloorQuality, Quality
from edge.publish import payloads


def draw(snapshot, width=80):
    """The rendered board as text, without colours."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(board_view.render(snapshot))
    return console.file.getvalue()


def test_the_view_shows_numbers_full_closed_and_unknown(broker, make_board, eventually):
    """Large digits for what is free, words for what is not, -- for what is not known."""
    board = make_board(broker.port, floors=["Ground Floor", "Full", "Shut", "Gone"])
    eventually(lambda: board.connected)
    with board._lock:
        state = board._state
        apply_status(state, b"online")
        for shown_floor in (
            floor(vehicles=5, total=30),
            floor(name="Full", vehicles=10),
            floor(name="Shut", active=False),
        ):
            apply_floor(state, shown_floor)
        state.apply(TOPICS.site_state, payloads.site_state([floor(vehicles=5, total=30)], device="pi-1"))
    text = draw(board.snapshot())
    digits = board_view.large_digits("25").splitlines()
    assert all(line in text for line in digits)
    assert "FULL" in text
    assert "CLOSED" in text
    assert "--" in text
    assert ">> Ground Floor" in text
    assert "16.7 %" in text
    assert board_view.as_line(board.snapshot()) == (
        "board garage: connected | Ground Floor 25 free of 30 (16.7 %) | Full FULL of 10 (100.0 %) | Shut closed"
        " | Gone -- | go to Ground Floor"
    )


def test_the_view_of_a_board_without_a_broker(make_board, mosquitto):
    """It says so, and shows no number."""
    board = make_board(mosquitto.port, floors=["Roof"])
    assert "no connection to the broker" in draw(board.snapshot())
    assert board_view.as_line(board.snapshot()) == "board garage: no connection to the broker | Roof --"
    empty = make_board(mosquitto.port)
    assert "no floor is known yet" in draw(empty.snapshot())
    assert "no floor is known yet" in board_view.as_line(empty.snapshot())


def test_a_name_from_the_broker_sends_no_escape_sequence_to_the_terminal(broker, make_board, eventually):
    """Escape sequences in a floor's name are shown as what they are: not printable."""
    board = make_board(broker.port)
    eventually(lambda: board.connected)
    with board._lock:
        apply_status(board._state, b"online")
        apply_floor(board._state, floor(name="Roof\x1b[2J[bold]\nx"))
    for text in (draw(board.snapshot()), board_view.as_line(board.snapshot())):
        assert "\x1b" not in text
        assert "Roof?[2J[bold]?x" in text


def test_every_digit_has_its_own_shape():
    """Three lines of equal width, and no two digits alike."""
    shapes = {digit: board_view.large_digits(digit) for digit in "0123456789-"}
    assert len(set(shapes.values())) == 11
    assert {tuple(map(len, shape.split("\n"))) for shape in shapes.values()} == {(3, 3, 3)}
    assert json.dumps(board_view.large_digits("10").split("\n")) == json.dumps(["     _ ", "  | | |", "  | |_|"])


def test_a_count_that_may_be_wrong_says_so(make_board, broker, eventually):
    """By how many vehicles, rounded up, or that this is not known; no floor is recommended while none is known."""
    board = make_board(broker.port)
    eventually(lambda: board.connected)
    qualities = {
        "Ground Floor": FloorQuality(Quality.DEGRADED, expected_missed=2.3),
        "Roof": FloorQuality(Quality.DEGRADED),
        "Yard": FloorQuality(Quality.UNKNOWN),
    }
    floors = [floor(), floor(name="Roof", floor_id=2), floor(name="Yard", floor_id=3)]
    with board._lock:
        state = board._state
        apply_status(state, b"online")
        for shown in floors:
            payload = payloads.floor_state(shown, qualities[shown.name], device="pi-1")
            state.apply(TOPICS.floor_state(shown.slug), payload)
        unknown = dict.fromkeys(qualities, FloorQuality(Quality.UNKNOWN))
        state.apply(TOPICS.site_state, payloads.site_state(floors, unknown, device="pi-1"))
    assert board_view.as_line(board.snapshot()) == (
        "board garage: connected | Ground Floor 7 free of 10 (30.0 %), may be off by 3"
        " | Roof 7 free of 10 (30.0 %), may be wrong | Yard --"
    )
    assert "30.0 % ±3" in draw(board.snapshot())
    assert "30.0 % ±?" in draw(board.snapshot())
    assert ">>" not in draw(board.snapshot())
