"""Tests of creating floors and finding them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from edge.config.schema import FloorConfig
from edge.core.errors import RefusedError
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import Database

    from edge.core.events import Event


def test_a_floor_begins_with_its_opening_count(db: Database, now: datetime) -> None:
    """The first row of a floor has the values of the configuration."""
    ground, roof = Floors(db).all()
    assert (ground.name, ground.description, ground.total_slots) == ("Ground", "by the street", 50)
    assert (ground.current_vehicles, ground.available_slots, ground.is_active) == (10, 40, True)
    assert (ground.as_of, ground.seq) == (now, 1)
    assert (roof.name, roof.current_vehicles) == ("Roof", 0)


def test_only_missing_floors_are_created(
    db: Database, floors: tuple[FloorConfig, ...], make_event: Callable[..., Event], now: datetime
) -> None:
    """Floors that exist keep their values and counts, also when the configuration differs."""
    Events(db).record(make_event(1), now)
    before = Floors(db).all()
    changed = FloorConfig(name="Ground", total_slots=5, opening_vehicles=0, is_active=False)
    cellar = FloorConfig(name="Cellar", total_slots=7, opening_vehicles=7, is_active=False)
    assert Floors(db).create_missing([changed, cellar, cellar], now + timedelta(days=1)) == ["Cellar"]
    assert Floors(db).all()[:2] == before
    assert before[0].current_vehicles == 11
    added = Floors(db).by_name("Cellar")
    assert (added.current_vehicles, added.is_active) == (7, False)
    assert Floors(db).create_missing([], now) == []
    assert verify(db) == []


def test_a_floor_is_found_by_its_exact_name(db: Database) -> None:
    """Upper and lower case differ; a name that is not there, or is no text, is refused."""
    assert Floors(db).by_name("Ground") == Floors(db).by_id(1) == Floors(db).all()[0]
    for name in ("ground", "Ground ", "", "' OR 1=1 --", "\ud800", "a\x00b"):
        with pytest.raises(RefusedError, match="there is no floor"):
            Floors(db).by_name(name)
    for row_id in (99, -1, 2**70):
        with pytest.raises(RefusedError):
            Floors(db).by_id(row_id)


@pytest.mark.parametrize("name", ["two\nlines", "nul\x00"])
def test_a_name_with_control_characters_is_refused(db: Database, now: datetime, name: str) -> None:
    """Nothing is created then."""
    fine = FloorConfig(name="Fine", total_slots=1)
    with pytest.raises(RefusedError, match="floor's name"):
        Floors(db).create_missing([fine, FloorConfig.model_construct(name=name, total_slots=1)], now)
    assert len(Floors(db).all()) == 2


def test_names_of_any_script_and_names_that_are_sql_are_stored(db: Database, now: datetime) -> None:
    """A name is data, whatever its characters."""
    names = ["地下一階", "Ébène №1", "'; DROP TABLE floors; --", '100% "quoted" `x`', "?"]
    Floors(db).create_missing([FloorConfig.model_construct(name=name, total_slots=1) for name in names], now)
    for name in names:
        assert Floors(db).by_name(name).name == name
    assert len(Floors(db).all()) == 2 + len(names)
