"""Where the writer or somebody else lives: street, number and neighbourhood, after words that say so. Pure.

Village, district and region stay, and so does an address where something happened: the unit must get there. Of a home
that is only near it ("di depan rumah saya di …") the house number goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from laporhub.pipeline.identity.span import ADDRESS, HIDDEN, Span

_WHOSE = (
    r"(?:saya|sy|aku|kami|kulo|kula|ku|pun|simbah|mbah|simbok|ortu|ortunya|nenek|kakek"
    r"|abdi|beliau|dia|korban|pelapor|orang ?tua(?: saya)?|mertua|pemilik(?:nya)?"
    r"|pelaku|tetangga(?: saya)?)"
)
_PART_WORDS = """
lamat almt almat tinggal omisili rumah rmh kos ontrak kediaman griy dalem omah imah pindah house home place address
"""
_PARTS: Final = tuple(_PART_WORDS.split())
_WORDS: Final = re.compile("|".join(_PARTS))
"""A part of the word with which each cue begins; its beginning is looked up."""
_STREET: Final = (
    r"(?=[ \t]+(?:jl|jln|jalan|gang|gg|blok|blk|rt|rw|perum\w*|prum|komp|komplek\w*|dusun|dsn|dukuh|dk|kp"
    r"|lingkungan|kampung|rusun\w*|apartemen|apt|lorong|lr)\b)"
)
_HOME: Final = re.compile(
    r"(?i)(?:"
    r"(?P<form>(?:ber)?-?a?lamat|almt|almat)(?:kan|nya)?(?!\w)"
    r"(?:[ \t]+(?:rumah|lengkap|ktp|domisili|sesuai ktp|tempat tinggal|asal|pelapor|saya|sy|kami"
    r"|kulo|kula|pengantaran|pengiriman|penerima|baru|lama|masih|msh|yg|yang|sekarang|skrg|tetap|katanya|surat"
    r")(?: (?:ktp|kk|paket|surat))?)*"
    r"(?:[ \t]*[:=]|[ \t]+(?:di|ada di|yaitu)\b|(?<=saya)|(?<=sy)|(?<=kami)|(?<=kulo)|(?<=kula)"
    r"|(?<=ktp)|(?<=lengkap)|(?<=pelapor)"
    rf"|{_STREET})"
    r"|(?:(?:rumah|rmh|omah)(?:ku|nya|ne|e)|imah|dalemipun|dalem kulo)"
    rf"(?:[ \t]+(?:di|ada di|ning|neng|teng|wonten))?{_STREET}"
    rf"|pindah(?:[ \t]+(?:domisili|rumah))?[ \t]+(?:ke|dari){_STREET}"
    r"|(?:rumah|rmh|griyo|griya|omah|koss?t?|kontrak(?:an)?(?: ruko| rumah)?|kediaman|tempat tinggal|domisili)"
    rf"(?:nya|ne|e|ipun)?(?:[ \t]+{_WHOSE})+"
    rf"(?:[ \t]+(?:ada|berada|yang|yg|terletak|beralamat|itu|wonten|ning|neng|teng))*"
    rf"[ \t]*(?:[:=,(]|[ \t]di\b|{_STREET})"
    r"|(?:bertempat )?(?:ber)?(?:tinggal|domisili|kos|kontrak|mengontrak)"
    r"(?:[ \t]+(?:sendirian|sendiri|sementara))?[ \t]+di\b"
    rf"|domisili(?:nya)?(?:[ \t]*:|{_STREET})"
    r"|(?<=\bmy )(?:house|home|place|address)(?:[ \t]+(?:is|at|on|in))*"
    r"(?=[ \t,:]+(?:jl|jln|jalan|gang|gg|blok|perum)\b)[,:]?"
    r")[ \t]*"
)
_NOT_A_HOME: Final = re.compile(
    r"(?i)[ \t]*(?:kejadian|lokasi|kantor|sekolah|toko|pabrik|proyek|tkp|tempat kejadian|jalan rusak)"
)
_NEAR: Final = re.compile(
    r"(?i)\b(?:depan|dekat|sekitar|samping|belakang|sebelah|seberang|deket|dkt|dpn|arah|menuju"
    r"|lingkungan|area|kawasan)[ \t]+$"
)
_PIECE: Final = re.compile(
    r"(?i)\b(?:(?:jl|jln|jalan)(?![ \t.]{1,3}(?:ke|menuju|di|yg|yang|rusak|itu|ini|dan|lihat|tidak)\b)"
    r"|gang|gg|blok|blk|perum\w*|prum|komplek\w*|griya|rt|rw|no|nomor|nmr|dusun"
    r"|dsn|dukuh|dk|kp|kampung|lorong)\b[ \t.:/]{0,3}[\w]"
    r"|\d"
)
_ENDS: Final = re.compile(
    r"(?i)[\n;!?()\["
    + HIDDEN
    + r"]|(?<!\bjl)(?<!\bjln)(?<!\bgg)(?<!\bno)(?<!\bds)(?<!\bdk)(?<!\bdr)(?<!\bdsn)(?<!\bkp)(?<!\bh)(?<!\bhj)"
    r"(?<!\bkh)\.(?=\s+[^\W\d_]{4,})|\.$"
    r"|[ \t,.]+(?=(?:desa|ds|kelurahan|kel|kecamatan|kec|kabupaten|kab|kota|provinsi|prov|kode ?pos)\b)"
    r"|[ \t,]+(?=(?:sudah|sdh|udah|yang|yg|mohon|tolong|tlg|terjadi|ada|dan|dn|karena|krn|rusak|mati"
    r"|banjir|kebanjiran|sering|selalu"
    r"|belum|blm|tidak|tdk|gak|ga|nggak|dengan|dgn|untuk|utk|lampu|air|listrik|sampah|sejak|sudah"
    r"|saat|ketika|kalau|bila|pada|dalam|bukan|juga|hanya|pinggir|sekarang|saya|kami|persis|setempat"
    r"|tanggal|pukul|jam|terdengar|setiap"
    r"|tiap|mau|ingin|akan|agar|supaya|padam|bocor|masih|juga|tp|tapi|hp|wa|telp|no ?hp|nama|nik"
    r"|melaporkan|lapor|sangat|terdampak"
    r"|mengalami|terkena|kena|malam|kemarin|tadi|dekat|depan|samping|belakang|sebelah|itu|ini|terima|matur|\[)\b)"
)
_LONGEST = 90
_BEFORE_CUE: Final = 8
"""More letters than stand before the part of a cue that `_WORDS` names."""
_WHOSE_FORM: Final = re.compile(rf"(?i)\b(?:nama|an|a/n|ktp|rumah|domisili|pelapor|{_WHOSE})\b|{HIDDEN}")
_BESIDE = 120
"""Characters around the bare word "alamat" that tell whether it is a person's or where something happened."""
_WITHIN = 1
"""Words after a comma before the piece of the address that goes on with it."""
_LAST_NUMBER: Final = re.compile(r"(?i).*\d(?:[ \t]?[a-z])?\b")
_HOUSE: Final = re.compile(r"(?i)\b(?:no|nomor|nmr|nomer)\b[ \t.:]{0,3}\d+[ \t]?[a-z]?\b")


def homes(text: str) -> Iterator[Span]:
    """The addresses of people."""
    done = 0
    lowered = text.lower()
    if not any(part in lowered for part in _PARTS):  # in half the time
        return
    for word in _WORDS.finditer(lowered if len(lowered) == len(text) else text):
        first = _beginning(text, word.start())
        found = None if first is None else _HOME.match(text, first)
        if found is None or found.start() < done or (found["form"] and not _is_of_a_person(text, found)):
            continue
        start, end = _extent(text, found.end())
        if not _PIECE.search(text, start, end):
            continue
        if _NEAR.search(text[max(0, found.start() - 20) : found.start()]):
            house = _HOUSE.search(text, start, end)
            if house:
                yield Span(*house.span(), ADDRESS)
        else:
            yield Span(start, end, ADDRESS)
        done = end


def _beginning(text: str, place: int) -> int | None:
    """Where the word begins that this is a part of; None where too much stands before it for one of the cues."""
    for first in range(place, max(place - _BEFORE_CUE, 0) - 1, -1):
        if not first or not text[first - 1].isalpha():
            return first
    return None


def _is_of_a_person(text: str, found: re.Match[str]) -> bool:
    if _NOT_A_HOME.match(text, found.end("form")):
        return False
    beside = text[max(0, found.start() - _BESIDE) : found.end() + _BESIDE]
    return _WHOSE_FORM.search(found[0]) is not None or _WHOSE_FORM.search(beside) is not None


def _before_the_story(part: str) -> str:
    """Without what follows the comma after the last piece of the address: "Jl. Mawar 5, pas mudik lihat jalan …"."""
    first, *rest = part.split(",")
    kept = 0
    for place, each in enumerate(rest, 1):
        piece = _PIECE.search(each)
        if piece and len(each[: piece.start()].split()) <= _WITHIN:
            kept = place
    return ",".join([first, *rest[:kept]])


def _extent(text: str, start: int) -> tuple[int, int]:
    """From the first word after the cue to the last number of the address, or to where it certainly ends."""
    part = text[start : start + _LONGEST]
    start += len(part) - len(part.lstrip(" \t,:=("))
    part = part.lstrip(" \t,:=(")
    ends = _ENDS.search(part)
    if ends:
        part = part[: ends.start()]
    elif len(part) + 1 >= _LONGEST:
        part = part.rpartition(" ")[0] or part
    part = _before_the_story(part)
    numbered = _LAST_NUMBER.match(part)
    if numbered:
        part = numbered[0]
    return start, start + len(part.rstrip(" \t,.-"))
