"""A board against a real broker: it follows a publisher, and hides every number that is not known to be true."""

from __future__ import annotations

from support.boards import floor

from edge.mqtt.connection import Timing
from edge.publish import payloads


def shown(board):
    """What each row of the board shows as free."""
    return {row.name: row.available for row in board.snapshot().rows}


def test_a_board_follows_a_publisher(broker, publish, make_board, make_floor, make_event, outbox, eventually):
    """It gets the floors that were published before it, then a change and an event."""
    publisher = publish(broker.port, [make_floor(), make_floor(2, "Étage Ⅱ", 4, 4)])
    eventually(lambda: publisher.connected)
    board = make_board(broker.port, floors=["Ground Floor"])
    eventually(lambda: shown(board) == {"Ground Floor": 7, "Étage Ⅱ": 0})
    eventually(lambda: board.snapshot().recommended)
    assert board.connected
    before = board.messages
    outbox.add(make_event())
    publisher.floors_changed([make_floor(vehicles=4, seq=2)])
    publisher.events_added()
    eventually(lambda: shown(board)["Ground Floor"] == 6 and board.snapshot().events)
    assert board.messages >= before + 2
    assert board.snapshot().invalid_messages == 0
    publisher.close(2.0)
    eventually(lambda: set(shown(board).values()) == {None})
    assert board.snapshot().devices == {"pi-1": False}


def test_a_board_without_a_broker_shows_no_number_and_comes_back(broker, publish, make_board, make_floor, eventually):
    """A broken line hides every number, the names stay, and a returning broker brings the numbers back."""
    publish(broker.port, [make_floor()])
    board = make_board(broker.port)
    eventually(lambda: shown(board) == {"Ground Floor": 7})
    broker.stop()
    eventually(lambda: not board.connected)
    (row,) = board.snapshot().rows
    assert (row.name, row.available, row.total, row.percentage) == ("Ground Floor", None, None, None)
    assert board.snapshot().recommended is None
    broker.start()
    eventually(lambda: shown(board) == {"Ground Floor": 7}, 30)


def test_the_last_will_of_its_device_hides_the_numbers(broker, publish, wire, make_board, make_floor, eventually):
    """The board itself stays connected."""
    line = wire(broker.port)
    publish(line.port, [make_floor()], timing=Timing(first_retry=60, longest_retry=60))
    board = make_board(broker.port)
    eventually(lambda: shown(board) == {"Ground Floor": 7})
    line.cut()
    eventually(lambda: shown(board) == {"Ground Floor": None})
    assert board.connected


def test_a_board_sees_only_its_own_site(broker, make_board, listen, eventually, closing):
    """Two car parks on one broker do not mix, and an invalid message is counted."""
    board = make_board(broker.port)
    eventually(lambda: board.connected)
    sender = listen(broker.port)
    state = payloads.floor_state(floor(), device="pi-1")
    for site in ("elsewhere", "garage"):
        sender._client.publish(f"smartpark/{site}/device/pi-1/status", b"online", 1)
        sender._client.publish(f"smartpark/{site}/floor/ground-floor-{site}/state", state, 1)
    sender._client.publish("smartpark/garage/site/state", b"{", 1)
    eventually(lambda: board.snapshot().invalid_messages == 1)
    assert [row.slug for row in board.snapshot().rows] == ["ground-floor-garage"]
    assert board.messages == 3
