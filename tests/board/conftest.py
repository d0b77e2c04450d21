"""Boards that are started against a real broker."""

from __future__ import annotations

import pytest
from support.boards import TOPICS
from support.mqtt_servers import QUICK

from edge.board.session import Board
from edge.config.schema import MqttConfig


@pytest.fixture
def make_board(closing):
    """Makes started boards."""

    def make(port, **options):
        board = closing(Board(MqttConfig(host="127.0.0.1", port=port), "board-1", TOPICS, timing=QUICK, **options))
        board.start()
        return board

    return make
