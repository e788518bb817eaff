"""What each unit is for, as an index of phrases from units.yaml, and how strongly a text speaks for it. Pure.

Every word or phrase of a unit's keywords, title, tasks and examples weighs by where it stands and by how few
units share it. Governments that differ only in territory (the regencies, say) have one duty together: what
one of them lists holds for all, and the place chooses among them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Final, TypeAlias

from laporhub.classifiers.stem import stem
from laporhub.pipeline.profile.schema_units import Unit
from laporhub.pipeline.remembered import Remembered
from laporhub.pipeline.text import normalise, words_in, words_of

_STOP_WORDS = """
ada adalah agar akan akhirnya aku alangkah antara apa apakah apalagi assalamualaikum atas atau bagaimana
bagi bahkan bahwa baik banyak bapak beberapa begini begitu belum benar bila bisa buat bukan cuma dalam dan
dapat dari demikian dengan di dia dimohon dua gimana guna hal halo hampir hanya harap hari harus hormat
ibu ini itu iya jadi jangan jika juga kak kalau kami kan kapan karena kasih ke kemarin kenapa kepada kira
kita kok lagi lain lalu lama langsung lebih maaf malah mana masih mau melalui memang mereka min minta
misal mohon mungkin nah namun nanti nya oleh orang pada padahal pagi para perlu pernah pukul punya saat
saja salah salam sampai sana sangat satu saya sebab sebagai sebelum sedang segera sehingga sejak sekali
sekarang selalu selama selamat semoga semua seperti sering serta setiap siang sini sore suatu sudah supaya
tadi tapi telah tentang terhadap terima terkait terlalu tersebut tetap tetapi tiap tidak tiga tindak
tolong tuan untuk wah waktu walau warga wassalamualaikum ya yaitu yang yth
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
_COMMON = 0.25
"""Share of titles from which a word in them ("provinsi", "dinas") tells no unit from another."""

_KEYWORD, _NAME, _TASK, _EXAMPLE, _PART = 1.0, 0.9, 0.35, 0.2, 0.22
_NOT_OURS = -1.2
_APART = 0.7
"""What is left of a keyword's weight if other words stand between its two words."""
_REACH = 4
"""Words after a word that may hold the second word of a keyword."""
_LONGEST = 5
_WITHIN = 0.5
"""What a phrase still adds where a longer one that holds it was found."""
_DOUBTED = 0.7
"""What is left of a score if the text also has a word that is said not to be the unit's."""

OF_A_REGION: Final = "{wilayah}"
"""What stands in a keyword for the names of the unit's region."""

_OF_ADDRESSES = frozenset(
    ("rt", "rw", "kelurahan", "kecamatan", "kabupaten", "kota", "desa", "dusun", "dukuh", "provinsi", "nomor")
)

Phrase = tuple[str, ...]


_STEMS: Final = Remembered(stem)
_MEANINGS: Final = Remembered(lambda word: "" if word in STOP_WORDS else stem(word))


def stems(words: Iterable[str]) -> list[str]:
    """The stems of those among normalised words that have a meaning."""
    return [*filter(None, map(_MEANINGS.__getitem__, words))]


def _stems_of(text: str) -> list[str]:
    return stems(normalise(text).split())


Found = Mapping["Phrase", tuple[float, str | None]]
"""Phrase → what it weighs, and the keyword it stands for, if it is one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a duty. The words are sorted only where somebody asks for them."""

    phrases: Found

    @property
    def words(self) -> list[tuple[float, str]]:
        """The keywords with what each contributed, strongest first."""
        return _strongest((weight, shown) for weight, shown in self.phrases.values() if shown and weight > 0)

    def strongest(self) -> str | None:
        """The first of `words`."""
        known = [(-weight, shown) for weight, shown in self.phrases.values() if shown and weight > 0]
        return min(known)[1] if known else None

    @property
    def hints(self) -> list[tuple[float, str]]:
        """Other words (as stems) of its tasks and examples, strongest first."""
        return _strongest(
            (weight, " ".join(phrase)) for phrase, (weight, shown) in self.phrases.items() if not shown
        )

    @property
    def against(self) -> list[str]:
        """Keywords that are said not to be the unit's."""
        return sorted(shown for weight, shown in self.phrases.values() if shown and weight <= 0)

    def tells(self) -> bool:
        """Whether there is a word or a hint to name."""
        return any(weight > 0 or not shown for weight, shown in self.phrases.values())


NOTHING_SAID = Evidence({})


def _strongest(words: Iterable[tuple[float, str]]) -> list[tuple[float, str]]:
    return sorted(words, key=lambda each: (-each[0], each[1]))


_Postings: TypeAlias = Mapping[str, tuple[float, str | None]]
"""Duty → what a phrase weighs for it, and the keyword as the profile writes it (see `_Posting`)."""
_Match: TypeAlias = tuple[Phrase, _Postings, float]
"""A phrase that was found, whom it speaks for, and which share of its weight it has."""


@dataclass(frozen=True, slots=True)
class _Posting:
    duty: str
    weight: float
    shown: str | None
    """The keyword as the profile writes it; None for words that are too weak to be given as a reason."""


class Duties:
    """The index. `of` tells the duty of a unit: its own id, or its kind's where that is shared."""

    def __init__(self, units: Mapping[str, Unit]) -> None:
        self.of = {unit.id: _shared_kind(unit, units) or unit.id for unit in units.values()}
        common = _common_words(unit.title for unit in units.values())
        self._names = _territory_words(units.values())
        weighed: dict[Phrase, dict[str, _Posting]] = defaultdict(dict)
        for unit in units.values():
            for phrase, weight, shown in _phrases(unit, None if self.of[unit.id] != unit.id else common):
                if phrase and (shown or self._names.isdisjoint(phrase)):
                    _keep_stronger(weighed[phrase], _Posting(self.of[unit.id], weight, shown))
        total = len(set(self.of.values()))
        self._postings: dict[Phrase, _Postings] = {
            phrase: {
                duty: (posting.weight * _rarity(len(postings), total), posting.shown)
                for duty, posting in postings.items()
            }
            for phrase, postings in weighed.items()
        }
        self._pairs = _apart(self._postings)
        self._paired = frozenset(word for pair in self._pairs for word in pair)
        self._longest = dict.fromkeys(self._paired, 0)
        """Words with which something begins → how many the longest phrase has."""
        for phrase in self._postings:
            self._longest[phrase[0]] = max(len(phrase), self._longest.get(phrase[0], 0))

    def evidence(self, text: str) -> Said:
        """What in the normalised text speaks for and against each duty."""
        words = tuple(stems(self._without_addresses(text)))
        # A long story touches on many things: each then says less.
        dilution = (1 + max(0, len(words) - 25) / 25) ** 0.35
        return Said(self._matches(words), dilution)

    def _without_addresses(self, text: str) -> Sequence[str]:
        """Its words without those that only say where: "kelurahan", "rt" and the like before a name or number."""
        words = words_in(text)
        if _OF_ADDRESSES.isdisjoint(words_of(text)):
            return words
        return [
            word
            for i, word in enumerate(words)
            if word not in _OF_ADDRESSES or i + 1 == len(words) or self._means_something(words, i)
        ]

    def _means_something(self, words: Sequence[str], i: int) -> bool:
        """Whether the word of an address at `i` is part of a keyword, or has no name after it."""
        if i and (_STEMS[words[i - 1]], _STEMS[words[i]]) in self._postings:
            return True
        following = words[i + 1]
        if _STEMS[following] in self._names:
            return False
        return following in STOP_WORDS or (_STEMS[following],) in self._postings

    def _matches(self, words: Phrase) -> list[_Match]:
        """The phrases in the order in which they were found, each once; again if it is then found in full."""
        found: list[_Match] = []
        shares: dict[Phrase, float] = {}
        for i, longest in enumerate(map(self._longest.get, words)):
            if longest is None:
                continue
            for end in range(i + 1, min(i + longest, len(words)) + 1):
                phrase = words[i:end]
                postings = self._postings.get(phrase)
                if postings is not None and shares.get(phrase) != 1.0:
                    shares[phrase] = 1.0
                    found.append((phrase, postings, 1.0))
            word = words[i]
            if word not in self._paired:
                continue
            for other in words[i + 1 : i + 1 + _REACH]:
                if other in self._paired:
                    pair = (word, other) if word <= other else (other, word)
                    for phrase, postings in self._pairs.get(pair, ()):
                        if phrase not in shares:
                            shares[phrase] = _APART
                            found.append((phrase, postings, _APART))
        return found


class Said:
    """What a text says of all duties: `scores` of those that it says anything of; `evidence` why."""

    def __init__(self, matches: Sequence[_Match], dilution: float) -> None:
        self._matches = matches
        self._dilution = dilution
        self._found: dict[str, Found] = {}
        self.scores = self._scored()

    def likeliest(self) -> str:
        """The duty with the highest score; something must have been said."""
        return max(zip(self.scores.values(), self.scores, strict=True))[1]

    def evidence(self, duty: str) -> Evidence:
        if duty not in self.scores:
            return NOTHING_SAID
        return Evidence(self._phrases(duty))

    def _scored(self) -> dict[str, float]:
        """A duty's score is the sum of what its phrases weigh, unless they have to do with one another."""
        scores: dict[str, float] = {}
        related: set[str] = set()
        for phrase, postings, _ in self._matches:
            if len(phrase) > 1:
                related.update(postings)
                continue
            for duty, (weight, _) in postings.items():
                scores[duty] = scores.get(duty, 0.0) + weight
                if weight < 0:
                    related.add(duty)
        for duty in related:
            scores[duty] = _score(self._phrases(duty))
        return {duty: score / self._dilution for duty, score in scores.items()}

    def _phrases(self, duty: str) -> Found:
        """What speaks for it, each with the most that it weighs."""
        if (known := self._found.get(duty)) is not None:
            return known
        phrases: dict[Phrase, tuple[float, str | None]] = {}
        for phrase, postings, share in self._matches:
            if duty in postings:
                weight, shown = postings[duty]
                weight *= share
                if phrase not in phrases or abs(weight) > abs(phrases[phrase][0]):
                    phrases[phrase] = (weight, shown)
        self._found[duty] = phrases
        return phrases


def _shared_kind(unit: Unit, units: Mapping[str, Unit]) -> str | None:
    """The unit's kind, if all units of that kind are told apart by territory."""
    peers = [each for each in units.values() if each.unit_kind == unit.unit_kind]
    shared = len(peers) > 1 and all(each.territory is not None for each in peers)
    return f"kind:{unit.unit_kind}" if shared else None


def _common_words(titles: Iterable[str]) -> frozenset[str]:
    words = [set(_stems_of(title)) for title in titles]
    counted = Counter(word for title in words for word in title)
    return frozenset(word for word, count in counted.items() if count > max(2, _COMMON * len(words)))


def keywords_of(unit: Unit) -> list[str]:
    """Its keywords; one that has `{wilayah}` in it once for each name of its region."""
    found: list[str] = []
    for keyword in unit.keywords:
        names = _region_names(unit) if OF_A_REGION in keyword else ("",)
        found += (keyword.replace(OF_A_REGION, name) for name in names)
    return found


def _region_names(unit: Unit) -> list[str]:
    """What people call it: also by its bare name where others share that ("kabupaten pati": "pati")."""
    if unit.territory is None:
        return []
    names = unit.territory.names
    bare = (each for each in unit.territory.ambiguous if any(name.endswith(f" {each}") for name in names))
    return [*names, *bare]


def _phrases(unit: Unit, common: frozenset[str] | None) -> Iterable[tuple[Phrase, float, str | None]]:
    """Each phrase that speaks for or against the unit, its weight, and how to show it.

    `common` are the words of titles that say nothing; None leaves the unit's name out, where it shares its duty.
    """
    for keyword in keywords_of(unit):
        written = normalise(keyword).split() or [keyword]
        words = tuple(stems(written))[:_LONGEST] or tuple(written)
        told = len(words) / len(written)  # what is left of it without function words
        yield words, _KEYWORD * len(words) ** 0.6 * told, keyword if told > 0.5 else None
        if len(words) > 1:
            yield from (((word,), _PART, None) for word in words)
    if common is not None:
        for name in filter(None, (unit.short, unit.title, unit.id.replace("-", " ").replace("_", " "))):
            words = tuple(word for word in _stems_of(name) if word not in common)
            yield words[:_LONGEST], _NAME * len(words) ** 0.5, unit.short or unit.title
            yield from (((word,), _TASK, None) for word in words if word != "dinas")
    for texts, weight in ((unit.tasks, _TASK), (unit.examples, _EXAMPLE)):
        for text in texts:
            words = tuple(_stems_of(text))
            yield from (((word,), weight, None) for word in words if not word.isdigit())
            yield from ((pair, weight * 1.5, None) for pair in pairwise(words))
    for keyword in unit.not_ours:
        words = tuple(_stems_of(keyword))[:_LONGEST]
        yield words, _NOT_OURS * len(words) ** 0.6, keyword


def _territory_words(units: Iterable[Unit]) -> frozenset[str]:
    """Stems of the names of places: they say where, and only within a keyword also what."""
    territories = (unit.territory for unit in units if unit.territory)
    names = (name for each in territories for name in (*each.names, *each.districts, *each.ambiguous))
    return frozenset(word for name in names for word in _stems_of(name) if word not in _OF_ADDRESSES)


def _keep_stronger(postings: dict[str, _Posting], posting: _Posting) -> None:
    known = postings.get(posting.duty)
    if known is None or (abs(posting.weight), _in_full(posting)) > (abs(known.weight), _in_full(known)):
        postings[posting.duty] = posting


def _in_full(posting: _Posting) -> bool:
    """Whether the keyword is spelled as anybody would: of two that mean the same, this one is shown."""
    return posting.shown is not None and normalise(posting.shown) == posting.shown


def _rarity(sharing: int, total: int) -> float:
    return max(math.log((total + 1) / (sharing + 0.5)) / math.log(total + 1), 0.05)


def _apart(postings: Mapping[Phrase, _Postings]) -> dict[tuple[str, str], list[tuple[Phrase, _Postings]]]:
    """Keywords of two words, to be found with others between or in the other order."""
    pairs: dict[tuple[str, str], list[tuple[Phrase, _Postings]]] = defaultdict(list)
    for phrase, all_postings in postings.items():
        keywords = {duty: posting for duty, posting in all_postings.items() if posting[1]}
        if len(phrase) == 2 and keywords:
            first, second = sorted(phrase)
            pairs[first, second].append((phrase, keywords))
    return dict(pairs)


@lru_cache(maxsize=20_000)
def _parts(phrase: Phrase) -> frozenset[Phrase]:
    """All shorter phrases within it."""
    return frozenset(part for size in range(1, len(phrase)) for part in combinations(phrase, size))


def _score(phrases: Found) -> float:
    within: set[Phrase] = set()
    for phrase in phrases:
        if len(phrase) > 1:
            within |= _parts(phrase)
    score, doubted = 0.0, False
    for phrase, (weight, shown) in phrases.items():
        score += weight * _WITHIN if phrase in within else weight
        doubted = doubted or (weight < 0 and shown is not None)
    return score * _DOUBTED if doubted and score > 0 else score
