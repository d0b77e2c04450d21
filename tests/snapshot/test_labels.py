"""Tests of text on pictures: it is read on any background, cut off at edges, and labels keep clear of each other."""

from __future__ import annotations

import numpy as np
import pytest

from edge.snapshot import labels
from edge.snapshot.labels import LabelPlaces, draw_text, shown_text, text_size, wrap_text


@pytest.mark.parametrize("grey", [0, 128, 255])
@pytest.mark.parametrize("height", [9.0, 11.0, 33.0])
def test_text_has_a_dark_outline_around_light_letters(grey: int, height: float) -> None:
    """Next to letters the picture is dark, and the letters are light, whatever the picture is."""
    image = np.full((100, 400, 3), grey, np.uint8)
    draw_text(image, "gate in: 0.5", (10, 10), height, (255, 255, 255))
    width, rows = text_size("gate in: 0.5", height)
    drawn = image[10 : 10 + rows, 10 : 10 + width, 0].astype(int)
    assert drawn.max() > 200
    assert drawn.min() < 40
    image[10 : 10 + rows, 10 : 10 + width] = grey
    assert (image == grey).all(), "nothing is drawn outside of the size that is known"


@pytest.mark.parametrize("place", [(-20, 5), (95, 5), (5, -8), (5, 55), (-500, 5), (5, 900)])
def test_text_at_an_edge_is_cut_off(place: tuple[int, int]) -> None:
    """What is outside of the picture is left out."""
    image = np.zeros((60, 100, 3), np.uint8)
    draw_text(image, "entry to Ground Floor", place, 11.0, (255, 255, 255))
    assert image.shape == (60, 100, 3)


def test_letters_beyond_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV 5 draws them; for an older one accents are left out, and what remains without a letter is a ?."""
    assert shown_text("Tiefgarage Süd") in ("Tiefgarage Süd", "Tiefgarage Sud")
    monkeypatch.setattr(labels, "_HAS_ALL_LETTERS", False)
    assert shown_text("Straße Süd é") == "Strasse Sud e"
    assert shown_text("地下") == "?"


def test_lines_are_wrapped_between_words() -> None:
    """No line is wider than allowed but for a single long word, and no word is lost."""
    text = "the gates are drawn as the file has them " + "x" * 60
    rows = wrap_text(text, 150, 11.0)
    assert " ".join(rows) == text
    assert all(text_size(row, 11.0)[0] <= 150 for row in rows if " " in row)
    assert rows[-1] == "x" * 60


def test_labels_take_the_first_free_place() -> None:
    """A place that is taken or reserved is passed over, all stay in the picture, and the least covered is the last."""
    places = LabelPlaces((100, 100))
    assert places.take((30, 10), [(10, 10), (50, 50)]) == (10, 10)
    assert places.take((30, 10), [(15, 12), (50, 50)]) == (50, 50)
    places.reserve(0, 90, (100, 10))
    assert places.take((30, 10), [(90, 95), (70, 30)]) == (70, 30)
    assert places.take((30, 10), [(200, -50)]) == (70, 0)
    assert places.take((30, 10), [(10, 10), (35, 15)]) == (35, 15)
