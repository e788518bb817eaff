"""Rude words, however they are spelled or half hidden; and the text with them masked, for those who read it. Pure.

A word that also has a plain sense counts only in company that is not plain: "anjing liar" is a stray dog, "pejabat
anjing" is not. Hatred and threats are the classifier's to find; this is about manners.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from laporhub.pipeline.remembered import Remembered
from laporhub.pipeline.text import words_of

_ALWAYS = """
bangsat bgsat bgst bgsd bangst bangsad bajingan bjingan bajigur jingan kontol kntl kontl memek mmk ngentot
ngentod ngewe ngntt entot jancok jancuk jancoek jancik dancok dancuk janc*k ancuk ancok jncok jncuk cok cuk
jancokan goblok goblog gblk gblg guoblok gublok goblk guoblog gobloke guobloke guoblokke tolol tlol tololl
brengsek brengsik keparat kparat pukimak pukima pantek puki anjg anjeng anjrit anjrot anying anjirr anjir njing
njink ajg anjay anj dungu idiot ndasmu dasmu raimu cangkemmu cangkemu kampret bacot bego geblek gebleg gendeng
pekok picek congek bedebah jahanam sialan bangke lonte perek pecun sundal jablay kopet kirik bejad tengik taik
itil silit tempik turuk peler pler bencong munyuk kunyuk asuu bodat koplok fakyu fuck fucking fuk fak shit ngehe
bngst kehed gathel gateli diamput belegug sundala jnck njancuk
kalera kanciang pilat kanjut laso dongok bebel koncol
sontoloyo kimak kimaknya pepek asshole bitch damput dampot mbokmu mbahmu ndlogok dlogok semprul kentir
"""
ALWAYS: Final = frozenset(_ALWAYS.split()) - {"janc*k"}
"""Words with no other sense in a complaint."""

_WHOM = (
    r"(?:dasar|kamu|kau|kalian|lu|lo|loe|kowe|koe|sampeyan|pejabat\w*|pemerintah|polisi|bupati"
    r"|walikota|gubernur|lurah|camat|petugas"
    r"|pegawai|admin|min|kades|pemkot|pemkab|pemprov|pns|asn|staf|woi|woy|muka|otak|mulutmu|manusia"
    r"|dpr|dewan|anggota dewan|pelayanan\w*|loket\w*|dishub|kelurahan)"
)
_LINK = (
    r"(?: (?:memang|semua|semuanya|kabeh|itu|kayak|seperti|kaya|emang|tua|banget|tenan|pak|bu|saja"
    r"|aja|sama|cuma)){0,2}"
)
_BEAST = r"(?:anjing|asu|babi|monyet|kera|kampang|celeng|kethek)"
_INSULT = (
    r"(?:setan|iblis|bodoh|sampah masyarakat|banci|pelacur|tai|udang|dajal|dajjal|laknat|binatang"
    r"|biadab|goblin|kosong|maling|najis)"
)
_IN_COMPANY: Final = re.compile(
    rf"\b(?:{_WHOM}{_LINK} (?:{_BEAST}|{_INSULT})|(?:dasar|pejabat|manusia|kalian|politisi) sampah(?! plastik)"
    rf"|(?:{_BEAST}|setan|banci|iblis|bodoh|bencong|laknat){_LINK} (?:lu|lo|loe|kau|kamu|kalian|kabeh"
    rf"|tenan|kowe|pejabat\w*|pemerintah|polisi)"
    r"|(?:makan|pemakan) (?:tai|babi)|pelacur politik|anak haram (?:pejabat|itu|kalian|kau)|otak(?:mu"
    r"|nya|e)? (?:di |ning )?dengkul"
    r"|otak(?:mu)? (?:udang|kosong)|tai (?:lah|lu|lo|kau|kalian|banget|pemerintah|pemkot)"
    r"|(?:anjing|monyet) (?:kalian|lu|kerja|banget|emang|memang)|telek (?:kabeh|kabehan|tenan)"
    r"|setan alas|muka(?:mu| lu) kayak \w+|kayak (?:babi|pantat|anjing|monyet)(?! hutan)"
    r"|(?:dinas|bpbd|pdam|pln|pemkot|pemkab|pejabat|kelurahan|dishub|admin) tai(?: kucing)?"
    r"|(?:dasar )?anak (?:setan|anjing|asu)|kerja kayak babi|dasar (?:\w+ )?(?:bego|bodoh|tolol)"
    r"|tua bangka|mulut(?:mu)? busuk|matamu (?:kui|picek|buta|iku|kuwi)|mbokne ancuk|dasar anak haram"
    r"|makan gaji buta doang|(?:palak|kepala|bapak) bapak (?:kau|kao|lu)|tidak punya otak"
    r"|tidak (?:ada|andi) otak(?:nya)?)\b"
)
_COMPANY_WORDS = """
anjing asu babi monyet kera kampang celeng kethek setan iblis bodoh bego tolol banci pelacur tai udang
dajal dajjal laknat binatang biadab goblin kosong maling najis bencong bangka busuk mulutmu mulut haram dengkul
matamu ancuk pantat telek muka mukamu otak otaknya gaji palak kepala bapak
"""
_COMPANY: Final = frozenset(_COMPANY_WORDS.split())
_TRASHED: Final = frozenset(("dasar", "pejabat", "manusia", "kalian", "politisi", "masyarakat"))
"""In whatever `_IN_COMPANY` finds is one of `_COMPANY`, or "sampah" (rubbish) and one of these."""
_STRAY: Final = re.compile(
    r"\b(?:asu|anjing|babi|monyet|munyuk|kirik|celeng|kethek)\w* (?:liar|edan|gila|rabies|tetangga"
    r"|tonggo|tonggone|tanggane|nggonggong|menggonggong|njegog|hutan|alas|mati|nyakot|gigit|menggigit|mudun"
    r"|turun|ekor|peliharaan|galak|gembala|nyolong|hilang|ilang|jalanan|laut|milik|pelacak|melahirkan)"
    r"|(?:warung|sate|daging|kandang|ternak|bangkai|flu|gigitan|jual|kotoran|tai|vaksin"
    r"|gonggongan) (?:asu|anjing|babi|monyet|munyuk)"
)
_ALONE: Final = re.compile(
    r"(?:(?<![,/] )(?<!dan )(?<!ada )anji+ng, (?!kucing|babi|monyet|ayam|kambing|sapi|kera|tikus|dan)"
    r"|\banji+ng lah\b|\basu\b|^(?:anjing|babi|monyet)[,!.]|\bhei (?:anjing|babi|monyet)|[,!.] ?(?:anjing|babi"
    r"|monyet)[,!.]?$|(?:anjing|babi|monyet) (?:lah|kok|ah|banget|deh|woi|pol)\b)"
)

# ── how words are half hidden ────────────────────────────────────────────────────────────────────

_TOKEN: Final = re.compile(r"[^\W_]+(?:[*@$!#.'’-]+[^\W_]+)*|[^\W_]+")
_MAY_BE_DISGUISED: Final = re.compile(r"[0-9*@$!#](?<=[A-Za-z][0-9*@$!#])[0-9*@$!#]*[A-Za-z]")
"""Signs between letters. It begins with what is rare, so that the search can leap."""
_DISGUISED: Final = re.compile(r"(?i)\b(?=[a-z0-9]*[a-z])[a-z0-9]+(?:[*@$!#0-9]+[a-z0-9]*)+")
_LEET: Final = str.maketrans("4@103!$57", "aaioeissst"[:9])
_STRETCHED: Final = re.compile(r"(.)\1+")
_HIDDEN_AT_MOST = 3
_SHORTEST = 4


def _half_hidden() -> dict[str, str]:
    """Each way to write a rude word with one to three stars for letters inside it."""
    found: dict[str, str] = {}
    for word in (*ALWAYS, "anjing", "babi", "asu", "tai", "monyet"):
        inside = range(1, len(word))
        for count in range(1, min(_HIDDEN_AT_MOST, len(word) - 1) + 1):
            for places in combinations(inside, count):
                hidden = "".join("*" if place in places else letter for place, letter in enumerate(word))
                found.setdefault(hidden, word)
    return found


_HALF_HIDDEN: Final = _half_hidden()


def is_rude_word(word: str) -> bool:
    """Whether a lower-case word is rude whatever stands beside it; letters may be repeated, digits or stars."""
    if word in ALWAYS:
        return True
    if "*" in word or "#" in word:
        return word.replace("#", "*") in _HALF_HIDDEN
    plain = word.translate(_LEET) if not word.isalpha() else word
    if plain in ALWAYS and any(map(str.isalpha, word)):
        return True
    single = _STRETCHED.sub(r"\1", plain)
    return single != plain and len(single) >= _SHORTEST and single in ALWAYS


_RUDE: Final = Remembered(is_rude_word)


def is_rude(raw: str, words: str) -> bool:
    """Whether a text is; `words` is the same, normalised (`text.normalise`)."""
    said = words_of(words)
    if any(map(_RUDE.__getitem__, said)):
        return True
    if _MAY_BE_DISGUISED.search(raw) and any(
        is_rude_word(found[0].lower()) for found in _DISGUISED.finditer(raw)
    ):
        return True
    if _COMPANY.isdisjoint(said) and ("sampah" not in said or _TRASHED.isdisjoint(said)):
        return False
    return _IN_COMPANY.search(words) is not None or (_is_beastly(raw) and not _STRAY.search(words))


def _is_beastly(raw: str) -> bool:
    """Whether an animal is called that is nobody's."""
    lowered = raw.lower()
    return (
        any(beast in lowered for beast in ("asu", "anjing", "babi", "monyet"))
        and _ALONE.search(lowered) is not None
    )


def masked(text: str) -> str:
    """The text with stars for all but the first letter of each rude word: what it says stays."""
    pieces: list[str] = []
    done = 0
    for start, end in _rude_places(text):
        pieces += (text[done : start + 1], "*" * (end - start - 1))
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _rude_places(text: str) -> Iterator[tuple[int, int]]:
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text
    company = (found.span() for found in _IN_COMPANY.finditer(lowered))
    first, last = next(company, (len(lowered), 0))
    for found in _TOKEN.finditer(lowered):
        word = found[0]
        while last and last <= found.start():
            first, last = next(company, (len(lowered), 0))
        in_company = first <= found.start() < last
        if _RUDE[word] or (in_company and _A_BEAST.fullmatch(word)):
            yield found.span()


_A_BEAST: Final = re.compile(rf"{_BEAST}|{_INSULT}|sampah")
