"""What is worked out of a word is worked out once, and never too many words are kept."""

from __future__ import annotations

import pytest

from laporhub.pipeline import remembered
from laporhub.pipeline.remembered import Remembered


def test_each_word_is_asked_for_once_until_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_MOST", 2)
    asked: list[str] = []
    lengths = Remembered(lambda word: asked.append(word) or len(word))
    assert [lengths[word] for word in ("air", "jalan", "air", "jalan")] == [3, 5, 3, 5]
    assert asked == ["air", "jalan"]
    assert lengths["lampu"] == 5
    assert len(lengths) == 1
