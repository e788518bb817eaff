"""A light stemmer: word forms of one Indonesian root come out alike, most of the time. No dictionary.

It strips what word formation adds (me-, di-, ber-, ke-…-an, -kan, -nya, …) and undoes the nasal of me-, pe-.
Both sides of a comparison go through it, so an unusual stem does no harm.
"""

from __future__ import annotations

import re

_IRREGULAR = {
    "memohon": "mohon",
    "memiliki": "milik",
    "meminta": "minta",
    "memasuki": "masuk",
    "pemakaman": "makam",
    "menyala": "nyala",
    "mengirim": "kirim",
    "pengiriman": "kirim",
    "mengeluh": "keluh",
    "keluhan": "keluh",
    "mengeruk": "keruk",
    "pengerukan": "keruk",
    "mengumpulkan": "kumpul",
    "pengurangan": "kurang",
    "perempuan": "perempuan",
    "kendaraan": "kendara",
    "pengendara": "kendara",
    "berkendara": "kendara",
    "sekolahan": "sekolah",
    "pekerjaan": "kerja",
    "bekerja": "kerja",
    "pekerja": "kerja",
    "belajar": "ajar",
    "pelajar": "ajar",
    "perumahan": "rumah",
    "perawat": "rawat",
    "perawatan": "rawat",
    "perantingan": "ranting",
    "bersihkan": "bersih",
    "perempatan": "perempatan",
    "pertigaan": "pertigaan",
}
_PREFIXES = (
    ("memper", ""),
    ("diper", ""),
    ("meny", "s"),
    ("peny", "s"),
    ("meng", ""),
    ("peng", ""),
    ("mem", "p"),
    ("pem", "p"),
    ("men", "t"),
    ("pen", "t"),
    ("ber", ""),
    ("ter", ""),
    ("per", ""),
    ("pel", "l"),
    ("me", ""),
    ("di", ""),
)
"""What is cut, and what the nasal replaced if a vowel follows."""

_VOWELS = "aeiou"
_ROOT = re.compile(r"(?:[aeiou]|[^aeiou][aeiouy]|[bcdfgkpst][rl]|sy|kh|ng|ny|st)")
_SHORTEST = 4


def stem(word: str) -> str:
    """The root of a lower-case word, or something that its other forms share."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for particle, left in (("nya", 3), ("lah", 5), ("kah", 5), ("pun", 5)):
        if word.endswith(particle) and len(word) - 3 >= left:
            word = word[:-3]
            break
    if len(word) <= _SHORTEST:
        return word
    bare, verbal = _without_prefix(word)
    return _without_suffix(bare, word, verbal)


def _without_prefix(word: str) -> tuple[str, bool]:
    """The word without its prefix, and whether that made it a verb (me-, di-)."""
    for prefix, lost in _PREFIXES:
        if not word.startswith(prefix):
            continue
        rest = word[len(prefix) :]
        if lost and rest[:1] in _VOWELS:
            rest = lost + rest
        elif lost in ("l", "s"):
            continue
        if len(rest) >= _SHORTEST and _ROOT.match(rest):
            return rest, prefix[0] in "md"
    if word.startswith("ke") and word.endswith("an") and len(word) >= 8 and _ROOT.match(word[2:]):
        return word[2:], False
    return word, False


def _without_suffix(bare: str, word: str, verbal: bool) -> str:
    if bare.endswith("kan") and len(bare) - 3 >= _SHORTEST and (verbal or bare[-4] not in _VOWELS):
        return bare[:-3]
    if bare.endswith("an") and len(bare) - 2 >= _SHORTEST:
        return bare[:-2]
    if (
        bare.endswith("i")
        and bare != word
        and verbal
        and len(bare) - 1 >= _SHORTEST
        and bare[-2] not in _VOWELS
    ):
        return bare[:-1]
    return bare
