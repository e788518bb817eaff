"""What each unit is for, as an index of phrases from units.yaml, and how strongly a text speaks for it. Pure.

Every word or phrase of a unit's keywords, title, tasks and examples weighs by where it stands and by how few
units share it. Governments that differ only in territory (the regencies, say) have one duty together: what
one of them lists holds for all, and the place chooses among them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from laporhub.classifiers.stem import stem
from laporhub.pipeline.profile.schema import Unit
from laporhub.pipeline.text import normalise

_STOP_WORDS = """
ada adalah agar akan akhirnya aku alangkah antara apa apakah apalagi assalamualaikum atas atau bagaimana
bagi bahkan bahwa baik banyak bapak beberapa begini begitu belum benar bila bisa buat bukan cara cuma
dalam dan dapat dari demikian dengan di dia dimohon dua gimana guna hal halo hampir hanya harap hari harus
hormat ibu ini itu iya jadi jangan jawa jika juga kabupaten kak kalau kami kan kapan karena kasih ke
kecamatan kemarin kenapa kepada kira kita kok lagi lain lalu lama langsung lebih maaf malah mana masih mau
melalui memang mereka min minta misal mohon mungkin nah namun nanti nya oleh orang pada padahal pagi para
pemerintah perlu pernah provinsi pukul punya saat saja salah salam sama sampai sana sangat satu saya sebab
sebagai sebelum sedang segera sehingga sejak sekali sekarang selalu selama selamat semoga semua seperti
sering serta setiap siang sini soal sore suatu sudah supaya tadi tahun tapi telah tengah tentang terhadap
terima terkait terlalu tersebut tetap tetapi tiap tidak tiga tindak tolong tuan untuk wah waktu walau
warga wassalamualaikum ya yaitu yang yth
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
_ADMINISTRATIVE = frozenset(
    "dinas badan kantor jawa tengah provinsi daerah kabupaten kota pemerintah umum".split(" ")
)

_KEYWORD, _NAME, _TASK, _EXAMPLE, _PART = 1.0, 0.9, 0.35, 0.2, 0.22
_NOT_OURS = -1.2
_APART = 0.7
"""What is left of a keyword's weight if other words stand between its two words."""
_REACH = 4
"""Words after a word that may hold the second word of a keyword."""
_LONGEST = 5

Phrase = tuple[str, ...]


def stems(words: str) -> list[str]:
    """The meaningful words of a normalised text, as stems."""
    return [stem(word) for word in words.split() if word not in STOP_WORDS]


@dataclass(slots=True)
class Evidence:
    """What speaks for a duty: the score, and the keywords with what each contributed, strongest first."""

    score: float = 0.0
    words: list[tuple[float, str]] = field(default_factory=list)
    against: list[str] = field(default_factory=list)


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
        weighed: dict[Phrase, dict[str, _Posting]] = defaultdict(dict)
        for unit in units.values():
            for phrase, weight, shown in _phrases(unit, shared=self.of[unit.id] != unit.id):
                _keep_stronger(weighed[phrase], _Posting(self.of[unit.id], weight, shown))
        total = len(set(self.of.values()))
        self._postings = {
            phrase: tuple(_with_rarity(posting, len(postings), total) for posting in postings.values())
            for phrase, postings in weighed.items()
        }
        self._pairs = _apart(self._postings)

    def evidence(self, text: str) -> dict[str, Evidence]:
        """Duty → what in the normalised text speaks for and against it."""
        words = stems(text)
        found: dict[str, dict[Phrase, tuple[float, str | None]]] = defaultdict(dict)
        for phrase, postings, share in self._matches(words):
            for posting in postings:
                mine = found[posting.duty]
                weight = posting.weight * share
                if abs(weight) > abs(mine.get(phrase, (0.0, None))[0]):
                    mine[phrase] = (weight, posting.shown)
        return {duty: _sum_up(phrases, len(words)) for duty, phrases in found.items()}

    def _matches(self, words: list[str]) -> Iterable[tuple[Phrase, tuple[_Posting, ...], float]]:
        for i, word in enumerate(words):
            for size in range(1, min(_LONGEST, len(words) - i) + 1):
                phrase = tuple(words[i : i + size])
                postings = self._postings.get(phrase)
                if postings:
                    yield phrase, postings, 1.0
            for other in words[i + 1 : i + 1 + _REACH]:
                pair = (word, other) if word <= other else (other, word)
                for phrase, postings in self._pairs.get(pair, ()):
                    yield phrase, postings, _APART


def _shared_kind(unit: Unit, units: Mapping[str, Unit]) -> str | None:
    """The unit's kind, if all units of that kind are told apart by territory."""
    peers = [each for each in units.values() if each.unit_kind == unit.unit_kind]
    shared = len(peers) > 1 and all(each.territory is not None for each in peers)
    return f"kind:{unit.unit_kind}" if shared else None


def _phrases(unit: Unit, *, shared: bool) -> Iterable[tuple[Phrase, float, str | None]]:
    """Each phrase that speaks for or against the unit, its weight, and how to show it."""
    for keyword in unit.keywords:
        words = tuple(stems(normalise(keyword)))[:_LONGEST] or tuple(normalise(keyword).split())
        yield words, _KEYWORD * len(words) ** 0.6, keyword
        if len(words) > 1:
            yield from (((word,), _PART, None) for word in words)
    if not shared:
        for name in filter(None, (unit.short, unit.title, unit.id.replace("-", " ").replace("_", " "))):
            words = tuple(stems(normalise(name)))
            yield words[:_LONGEST], _NAME * len(words) ** 0.5, name
            yield from (((word,), _TASK, None) for word in words if word not in _ADMINISTRATIVE)
    for texts, weight in ((unit.tasks, _TASK), (unit.examples, _EXAMPLE)):
        for text in texts:
            words = tuple(stems(normalise(text)))
            yield from (((word,), weight, None) for word in words if not word.isdigit())
            yield from ((pair, weight * 1.5, None) for pair in pairwise(words))
    for keyword in unit.not_ours:
        words = tuple(stems(normalise(keyword)))[:_LONGEST]
        yield words, _NOT_OURS * len(words) ** 0.6, keyword


def _keep_stronger(postings: dict[str, _Posting], posting: _Posting) -> None:
    known = postings.get(posting.duty)
    if known is None or abs(posting.weight) > abs(known.weight):
        postings[posting.duty] = posting


def _with_rarity(posting: _Posting, sharing: int, total: int) -> _Posting:
    rarity = math.log((total + 1) / (sharing + 0.5)) / math.log(total + 1)
    return _Posting(posting.duty, posting.weight * max(rarity, 0.05), posting.shown)


def _apart(
    postings: Mapping[Phrase, tuple[_Posting, ...]],
) -> dict[tuple[str, str], list[tuple[Phrase, tuple[_Posting, ...]]]]:
    """Keywords of two words, to be found with others between or in the other order."""
    pairs: dict[tuple[str, str], list[tuple[Phrase, tuple[_Posting, ...]]]] = defaultdict(list)
    for phrase, all_postings in postings.items():
        keywords = tuple(posting for posting in all_postings if posting.shown)
        if len(phrase) == 2 and keywords:
            first, second = sorted(phrase)
            pairs[first, second].append((phrase, keywords))
    return dict(pairs)


def _sum_up(phrases: Mapping[Phrase, tuple[float, str | None]], words: int) -> Evidence:
    evidence = Evidence()
    # A long story touches on many things: each then says less.
    dilution = (1 + max(0, words - 25) / 25) ** 0.35
    for weight, shown in phrases.values():
        evidence.score += weight / dilution
        if shown and weight > 0:
            evidence.words.append((weight, shown))
        elif shown:
            evidence.against.append(shown)
    evidence.words.sort(key=lambda each: (-each[0], each[1]))
    evidence.against.sort()
    return evidence
