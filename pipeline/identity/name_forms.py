"""How names are formed and announced, and what a word may be to one, for `names`. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from laporhub.pipeline.identity.name_context import AFTER_PLACE, NEVER, PLAIN, ROLES, TITLES
from laporhub.pipeline.identity.name_words import NAMES, SHARED
from laporhub.pipeline.remembered import Remembered

WORD: Final = re.compile(r"[^\W\d_]+(?:['’`-][^\W\d_]+)*")
_WORDS_APART: Final = re.compile(f"({WORD.pattern})")
_ASCII_WORDS_APART: Final = re.compile(r"([A-Za-z]++(?:['`-][A-Za-z]++)*+)")
"""Finds the same in ASCII, in two thirds of the time."""
PARTICLES: Final = frozenset(("bin", "binti", "al", "el", "van", "de", "um", "m"))

# How names are formed: by itself, and how only after a title, since other words end so, too.
_ENDING: Final = re.compile(
    r"[a-z]{2,}(?:yanto|yono|wanto|nanto|manto|santo|harto|tono|jono|rsono|wono|wati|ningsih|ningrum"
    r"|ningtyas|yati|niati|yanti|iyem|inem|inah"
    r"|irah|udin|uddin|ullah|wansyah|mansyah|diansyah|setyo|saputra|saputro|wibowo|nugroho|kusuma|wijaya)"
)
ENDING_AFTER_A_TITLE: Final = re.compile(
    r"[a-z]+(?:jah|iyah|inah|irah|ini|ati|anti|tyas|awan|endi|andi|ndra|dinand|sius|tinus|yem|nem|jem"
    r"|kem|sih|rti|rmi|rni|rsi|rno|rto|rjo|rso|rmo|rko|djo|dji|iran|iman|imin|iyo|ijan|ijo|ikin|hatin"
    r"|adi|ono|anto)"
)

_WHOSE: Final = (
    "saya|sy|aku|lengkap|asli|pelapor|korban|pemilik|pasien|siswa|anak|istri|suami|ibu|bapak|orang tua|beliau|dia|kulo"
    "|orangnya|pemohon|penerima|pengirim|kontak|yg|yang|bersangkutan|sesuai|ktp|di|kami"
)
SURELY: Final = re.compile(
    rf"(?i)(?:(?:nama(?:ku)?|nami|nm)(?:[ \t]+(?:{_WHOSE})(?!\w)){{0,3}}(?:[ \t]*[:=]|[ \t]+(?:adalah|yaitu"
    rf"|ialah)\b)?|b(?:e)?rnama|atas[ \t]?nama"
    r"|(?<!\d)a[./][ \t]?n\.?(?=[ \t:,])|(?<!\d)an[ \t]?[.:]|(?<!\d)an(?=[ \t](?-i:[A-Z]))"
    r"|(?:pe)?lapor[ \t]*:|pengirim[ \t]*:|ttd|tertanda|perkenalkan|kenalkan"
    r"|asma(?:[ \t]kulo|(?=[ \t]*[:=]))|jeneng(?:e|ku)?(?:[ \t]ku)?|yang bertanda ?tangan(?: di bawah ini)?)"
    r"(?!\w)[ \t]*[:=,.\-\n(]{0,3}[ \t]*(?:(?:saya|sy|aku|adalah|kami|nama)[ \t]*[:,]?[ \t]+)?"
)
MAYBE: Final = re.compile(
    r"(?i)(?:namanya|jenenge|(?<![.\w])si(?=[ \t]\w{3})|koh|cik|ncik|encik"
    r"|panggil(?:[ \t]saja)?(?:[ \t]saya)?|dari[ \t]*:|hormat[ \t](?:saya|kami)"
    r"|salam(?:[ \t]hormat)?|wassalam|inisial)"
    r"(?!\w)[ \t]*[:=,.\-\n(]{0,3}[ \t]*"
)
_ANNOUNCING_WORDS = (
    "nama namaku nami nm bernama brnama atas a an pelapor lapor pengirim ttd tertanda perkenalkan kenalkan asma jeneng"
    " jenenge jenengku yang namanya si koh cik panggil dari hormat salam wassalam inisial"
)
_ANNOUNCING: Final = frozenset(_ANNOUNCING_WORDS.split())
NO_NAME: Final = NEVER | TITLES | ROLES
PERSONS: Final = frozenset(
    (
        "dokter",
        "dr",
        "bidan",
        "sopir",
        "supir",
        "satpam",
        "mandor",
        "perawat",
        "suster",
        "tetangga",
        "keponakan",
    )
)
"""Roles after which a word in capitals is a name, not a place."""
_OF_STREETS_WORDS = """
dr dokter ir kh kyai kiai ki nyai haji hj h prof rm raden jend jenderal letjen letjend mayjen mayjend brigjen kolonel
kapten sultan pangeran raa negeri swasta
"""
OF_STREETS: Final = frozenset(_OF_STREETS_WORDS.split())
"""Titles that also stand in the names of roads and hospitals."""
_WITH_NYA = 5
"""Letters of a word from which "nya" at its end makes it another's ("gapuranya")."""
_SELF: Final = frozenset(("saya", "sy", "aku", "kulo", "dengan", "dgn"))
_THANKS: Final = re.compile(
    r"(?i)(?:kasih|makasih|trims|tks|thanks|suwun|nuwun|mksh|salam|wassalam\w*|hormat (?:saya|kami)"
    r"|[-–—~(])[\s,.!)]{0,4}(?P<name>[^\W\d_][^\W\d_ .]*(?:[ .]{1,2}[^\W\d_]+){0,3})$"
)
_THANKED: Final = (
    "kasih",
    "trims",
    "tks",
    "thanks",
    "suwun",
    "nuwun",
    "mksh",
    "salam",
    "hormat",
    "-",
    "–",
    "—",
    "~",
    "(",
)
"""One of these is in whatever `_THANKS` finds."""
_LAST_LINE: Final = re.compile(r"\n[ \t]*(?P<name>[^\W\d_]+(?:[ \t.]{1,2}[^\W\d_]+){0,3})$")
ANNOUNCES, ME, A_PLACE, A_TITLE, A_NAME, PERHAPS = (1 << bit for bit in range(6))
OF_PEOPLE: Final = A_NAME | PERHAPS


def _interest(lower: str) -> int:
    known = lower in NAMES or (_ENDING.fullmatch(lower) is not None and not is_plain(lower))
    return (
        ANNOUNCES * (lower in _ANNOUNCING)
        | ME * (lower in _SELF)
        | A_PLACE * (lower in AFTER_PLACE and lower not in TITLES)
        | A_TITLE * (lower in TITLES or lower in ROLES or lower in ("h", "hj"))
        | A_NAME * known
        | PERHAPS * (lower in SHARED or lower in PARTICLES)
    )


interest: Final = Remembered(_interest).__getitem__
"""What a lower-case word may be to a name."""


LOWER, TITLED, CAPITALS = range(3)


def _shape(word: str) -> int:
    if word.isupper() and len(word) > 1:
        return CAPITALS
    return TITLED if word[0].isupper() else LOWER


def _look(word: str) -> tuple[str, int, int]:
    lower = word.lower()
    return lower, interest(lower), _shape(word)


look: Final = Remembered(_look).__getitem__
"""A word in lower case, what it may be to a name, and its shape (`LOWER`, `TITLED`, `CAPITALS`)."""


def is_plain(lower: str) -> bool:
    """Whether it is formed as other words are."""
    return (
        lower in NEVER
        or lower in PLAIN
        or (lower.endswith("nya") and len(lower) > _WITH_NYA)
        or lower.startswith(("meng", "mem", "men", "peng", "pem", "ber", "ter", "di", "ke", "se"))
    )


def signature(tail: str) -> re.Match[str] | None:
    """The name with which a text may be signed; `tail` is its end."""
    if found := _LAST_LINE.search(tail):
        return found
    lowered = tail.lower()
    if tail.isascii() and not any(word in lowered for word in _THANKED):
        return None
    return _THANKS.search(tail)


def words_apart(text: str) -> list[str]:
    """What is between words, and the words, by turns."""
    return (_ASCII_WORDS_APART if text.isascii() else _WORDS_APART).split(text)


@lru_cache(maxsize=256)
def parts_of(names: tuple[str, ...]) -> dict[str, bool]:
    """Each word of the names → whether it tells the person by itself."""
    parts = [part.lower() for name in names for part in WORD.findall(name)]
    alone = len(parts) == 1
    return {
        part: alone or (len(part) >= 4 and part not in NEVER and part not in ROLES)
        for part in parts
        if len(part) > 1
    }
