"""What is worked out of a word, kept for the next text that has it: words repeat, texts do not. Pure but for speed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

Value = TypeVar("Value")

_MOST: Final = 50_000


class Remembered(dict[str, Value]):
    """Word → what `of` makes of it. Half as dear as `lru_cache`, since it does not keep which was asked for last.

    It never holds more than 50,000 words: then it begins anew.
    """

    def __init__(self, of: Callable[[str], Value]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, word: str) -> Value:
        if len(self) >= _MOST:
            self.clear()
        value = self[word] = self._of(word)
        return value
