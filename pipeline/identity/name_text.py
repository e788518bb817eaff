"""The words of a text as names are read in it: how each is written, what it may be, and which are taken. Pure."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from itertools import accumulate, pairwise

from laporhub.pipeline.identity.name_context import AFTER_PLACE, NEVER
from laporhub.pipeline.identity.name_forms import A_TITLE, CAPITALS, OF_PEOPLE, TITLED, WORD, look
from laporhub.pipeline.identity.name_words import NAMES
from laporhub.pipeline.identity.span import NAME, Span

_TITLES_AT_MOST = 4


class Words:
    """The words of one text (`pieces` has what is between them, too), and which of them are part of a name."""

    def __init__(self, text: str, pieces: list[str], places: frozenset[str] = frozenset()) -> None:
        self.text = text
        self.pieces = pieces
        self.words = pieces[1::2]
        looks = [*map(look, self.words)]
        self.lower = [lower for lower, _, _ in looks]
        self.worth = [worth for _, worth, _ in looks]
        self.shapes = [shape for _, _, shape in looks]
        self.never = NEVER
        if not places.isdisjoint(self.lower):
            self.never = NEVER.union(places.intersection(self.lower))
            self.worth = [
                worth & ~OF_PEOPLE if lower in places else worth
                for worth, lower in zip(self.worth, self.lower, strict=True)
            ]
        self.taken: dict[int, int] = {}

    @cached_property
    def where(self) -> list[tuple[int, int]]:
        """From where to where each word goes."""
        return [*pairwise(accumulate(map(len, self.pieces), initial=0))][1::2]

    @cached_property
    def tells(self) -> bool:
        """Whether capitals mean anything in this text."""
        capitals = self.shapes.count(CAPITALS)
        titled = capitals + self.shapes.count(TITLED)
        words = len(self.words)
        return capitals * 2 < words and (titled * 3 < words * 2 or words <= 4)

    def spans(self) -> list[Span]:
        found: list[Span] = []
        done = -1
        for first, last in sorted(self.taken.items()):
            if first > done:
                found.append(Span(self.where[first][0], self.where[last][1], NAME))
            elif last > done:  # two readings overlap: all of it
                found[-1] = Span(found[-1].start, self.where[last][1], NAME)
            done = max(done, last)
        return found

    # ── whom the text is known to speak of ───────────────────────────────────────────────────────

    def known(self, parts: dict[str, bool]) -> None:
        """People who are spoken of: the whole name, and those parts of it that are no plain words."""
        place = 0
        while parts and place < len(self.words):
            last = place
            while last < len(self.words) and self.lower[last] in parts:
                last += 1
            bears_it = place and self.lower[place - 1] in AFTER_PLACE  # a market, a road
            if last - place > 1 or (last > place and parts[self.lower[place]] and not bears_it):
                self.take(place, last - 1)
            place = max(last, place + 1)

    def known_in_full(self, names: tuple[str, ...]) -> None:
        """The same, but nothing less than the whole name."""
        for name in names:
            parts = [part.lower() for part in WORD.findall(name)]
            for place in range(len(self.lower) - len(parts) + 1 if parts else 0):
                if self.lower[place : place + len(parts)] == parts:
                    self.take(place, place + len(parts) - 1)

    # ── the words ────────────────────────────────────────────────────────────────────────────────

    def is_capital(self, place: int) -> bool:
        return self.tells and place < len(self.words) and bool(self.shapes[place])

    def past_titles(self, place: int) -> int:
        """Past titles and offices ("Bapak H.", "Bu Lurah"): they stay."""
        for _ in range(_TITLES_AT_MOST):
            is_title = self.joined(place) and self.worth[place] & A_TITLE
            if not is_title or self.lower[place] in NAMES:
                break
            place += 1
        return place

    def word_at(self, start: int, place: int) -> int | None:
        """The word that begins there, after this one."""
        place = bisect_left(self.where, (start,), place + 1)
        return place if place < len(self.where) and self.where[place][0] == start else None

    def joined(self, place: int, *, wide: bool = False) -> bool:
        """Whether nothing but a space (or the dot of an initial) is between this word and the next."""
        if place + 1 >= len(self.words):
            return False
        gap = self.pieces[2 * place + 2]
        if gap == " ":
            return True
        short = wide or len(self.words[place]) <= 4
        return gap in ("  ", "\t") or (short and gap in (". ", ".", " . ")) or (wide and not gap.strip())

    def take(self, first: int, last: int) -> int:
        if last < first:
            return -1
        self.taken[first] = max(last, self.taken.get(first, -1))
        return last
