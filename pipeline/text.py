"""What a citizen typed, made safe to keep (`clean`) and easy to match (`normalise`). Pure; takes any str."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import ftfy

from laporhub.pipeline.remembered import Remembered

# Not meant to be seen: controls but newline and tab, soft hyphen, zero-width spaces and joiners but ZWJ, bidi
# marks, overrides and isolates, byte order mark, tags, private use, noncharacters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufdd0-\ufdef\ufff0-\ufffb\ufffe\uffff\ue000-\uf8ff\U000e0000-\U000e007f\U000f0000-\U0010ffff]"
)
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_PICTURE = "\u2194-\u21ff\u2300-\u2328\u232b-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_LOOSE_JOINER = re.compile(f"(?<![{_PICTURE}\ufe0f])\u200d|\u200d(?![{_PICTURE}])")
_BLANK_LINES = re.compile(r"\n{4,}")

_MOJIBAKE = re.compile("Ã|Â|â€|ðŸ")
_WORD = re.compile(r"[^\W_]+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")  # the same in lower-case ASCII, in two thirds of the time
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_ROMAN = re.compile(r"[ivx]+")
_DOUBLED = re.compile(r"([^\W\d_]{4,})2")

# Short and spoken forms that citizens write, as they are met in any inbox.
_SLANG = {
    short: full
    for full, shorts in {
        "yang": "yg yng iang",
        "jalan": "jl jln jlan dalan",
        "gang": "gg",
        "tidak": "gk ga gak nggak ngga enggak engga kagak tdk tak ndak nda gx mboten ora",
        "karena": "krn krna karna soalnya",
        "dengan": "dgn dg dngn",
        "sudah": "sdh udh udah dah sudh wis",
        "belum": "blm blum blom belom durung",
        "kabupaten": "kab kabupatn",
        "kecamatan": "kec kecmatan",
        "desa": "ds dsa",
        "kelurahan": "kel kelurhan",
        "dusun": "dsn",
        "dukuh": "dk",
        "provinsi": "prov propinsi",
        "perumahan": "perum prum",
        "nomor": "no nmr nomer",
        "untuk": "utk tuk kanggo",
        "kepada": "kpd",
        "pada": "pd",
        "dari": "dr dri",
        "dalam": "dlm",
        "di": "d",
        "ke": "k",
        "saya": "sy sya aku gue gw kulo",
        "bapak": "bpk pak pakde",
        "ibu": "ibuk bu",
        "anak": "ank",
        "orang": "org wong",
        "rumah": "rmh omah",
        "sekolah": "sklh skolah",
        "tempat": "tmpt tmpat",
        "tolong": "tlg tlong tulung",
        "mohon": "mhn mhon",
        "banyak": "bnyk byk akeh",
        "masih": "msh msih",
        "sangat": "sgt bgt banget",
        "sekarang": "skrg skrng skr",
        "kemarin": "kmrn kmarin",
        "harus": "hrs",
        "bisa": "bs bsa iso",
        "dapat": "dpt",
        "tetapi": "tp tpi tapi",
        "juga": "jg jga",
        "lagi": "lg lgi",
        "saja": "aja aj sj",
        "sampai": "smpe sampe smpai nyampe",
        "kalau": "kalo klo kl klw klau",
        "kenapa": "knp knpa napa",
        "bagaimana": "gmn gmna gimana",
        "di mana": "dmn dmna dimana",
        "di jalan": "dijalan dijln dijl",
        "di depan": "didepan didpn",
        "di dekat": "didekat",
        "di desa": "didesa",
        "di daerah": "didaerah",
        "di wilayah": "diwilayah",
        "di kampung": "dikampung",
        "di kelurahan": "dikelurahan",
        "di kecamatan": "dikecamatan",
        "di kabupaten": "dikabupaten",
        "di kota": "dikota",
        "di sekitar": "disekitar",
        "sering": "srg srng",
        "setiap": "tiap tiyap",
        "hari": "hr",
        "bulan": "bln",
        "tahun": "thn th",
        "tanggal": "tgl",
        "tersebut": "tsb",
        "terima kasih": "trims trimakasih terimakasih makasih mksh thx tks suwun",
        "rusak": "rusk rsk",
        "lampu": "lmpu",
        "puskesmas": "puskes pkm",
        "kantor": "kntr kntor",
        "bakar": "bkr",
        "malam": "mlm mlam",
    }.items()
    for short in shorts.split()
}


def clean(raw: str) -> str:
    """The text without what nobody can see, composed (NFC), with plain line ends and at most two blank lines
    in a row. Lone surrogates become U+FFFD. Cleaning twice changes nothing more.
    """
    if raw.isascii() and raw.isprintable():
        return raw.strip()  # nothing of what follows is in it
    try:
        raw.encode()
    except UnicodeEncodeError:
        raw = raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", raw))
    # Composing can give or take a neighbour of a joiner, and dropping a joiner something to compose.
    text = unicodedata.normalize("NFC", text)
    if "\u200d" in text:
        text = unicodedata.normalize("NFC", _LOOSE_JOINER.sub("", text))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n\n", text).strip()


@lru_cache(maxsize=32)  # the parts of one decision ask for the same text
def normalise(text: str) -> str:
    """The words of the text for matching: lower-case, spelled in full, one space apart, no punctuation.

    >>> normalise("Jl.Pemuda  RUSAKKK, blm dibenerin!")
    'jalan pemuda rusak belum dibenerin'
    """
    if text.isascii():
        return " ".join(map(_PLAIN.__getitem__, _ASCII_WORD.findall(text.lower())))
    if _MOJIBAKE.search(text):
        text = ftfy.fix_encoding(text)
    text = unicodedata.normalize("NFKC", text)
    return " ".join(map(_PLAIN.__getitem__, _WORD.findall(text.lower())))


@lru_cache(maxsize=32)
def words_in(text: str) -> tuple[str, ...]:
    """The words of a normalised text, in their order."""
    return tuple(text.split())


@lru_cache(maxsize=32)
def words_of(text: str) -> frozenset[str]:
    """The different words of a normalised text."""
    return frozenset(words_in(text))


def _plain(word: str) -> str:
    if word.isascii() and word in _SLANG:
        return _SLANG[word]
    if not _ROMAN.fullmatch(word):
        word = _STRETCHED.sub(r"\1", word)
    doubled = _DOUBLED.fullmatch(word)
    word = doubled[1] if doubled else word
    return _SLANG.get(word, word)


_PLAIN = Remembered(_plain)


_DIGITS = b"0123456789"


def digits_in(text: str) -> int:
    """How many; counted so, in an eighth of the time of a search.

    >>> digits_in("rt 3 rw 12")
    3
    """
    written = text.encode("utf-8", "replace")
    return len(written) - len(written.translate(None, _DIGITS))


# ── does it say where? ───────────────────────────────────────────────────────────────────────────

_WITH_NAME_WORDS = """
jalan jalur ruas gang desa kelurahan kecamatan kabupaten kota dusun dukuh kampung perumahan komplek kompleks alun
pasar terminal stasiun halte simpang perempatan pertigaan bundaran jembatan pantai waduk bendungan sungai kali taman
lapangan puskesmas pustu rsud rs samsat polsek polres masjid mushola gereja tpa tps sd sdn smp smpn sma sman smk smkn
mts mtsn man min mi slb tk universitas kampus daerah wilayah kawasan dekat depan samping belakang seberang sebelah
"""
_WITH_NAME = frozenset(_WITH_NAME_WORDS.split())
_ASIDE = frozenset(("raya", "lingkar", "tol", "negeri", "nomor", "kantor"))
"""What may stand between one of these and the name."""
_SHORTEST_NAME = 3
_WITH_NUMBER = re.compile(
    r"\b(?:rt|rw|km|blok) ?\d|\b(?:gang|smp|smpn|sma|sman|smk|smkn|sdn|sd|mtsn|man) (?:negeri )?\d"
    r"|\bjalan \w+ nomor \d"
)
_NUMBER = re.compile(r"\d+")
_NUMBERED_WORDS = "rt rw km blok gang smp smpn sma sman smk smkn sdn sd mtsn man negeri nomor"
_NUMBERED = tuple(f"{word}{space}" for word in _NUMBERED_WORDS.split() for space in ("", " "))
"""What stands before the number in whatever `_WITH_NUMBER` finds."""
# What follows "jalan", "desa", "depan" … without being a name.
_NO_NAME_WORDS = """
ada adalah agar air akan akhir akibat aman amblas ambles anak antar apa arah aspal atau awal bagi bahkan
baik banjir banyak bapak barat baru beberapa becek begitu bekas belum berair berbahaya berdebu
bergelombang berlubang besar bisa bolong bukan buruk cepat cukup dan dapat dari dekat dengan depan
depannya desa di dia dibangun dibuat diperbaiki ditutup dua gelap gerbang gratis habis hampir hancur hanya
harus hingga ibu ini itu jadi jalan jangan jebol jelek juga kabupaten kaki kalau kali kami kampung kanan
kantor kapan karena ke kecamatan kecil kejadian keluar keluarga kelurahan kemudian kerja kiri kita kosong
kota kotor kumpul kumuh kurang lagi lain lalu lama lampu licin lingkungan lokal lokasi longsor lubang
lumpuh macet mana masih masuk masyarakat mati membantu menjadi menuju menurut mereka milik minta modern
mohon mulus muncul nasional negara negeri nya oleh orang pada padahal padam pak parah paving pemerintah
pemukiman penuh perlu permukiman pernah persawahan pertama pintu provinsi proyek pusat putus rakyat ramai
rawan raya rendah retak ribut roboh rumah runtuh rusak rusaknya saat saja sakit sampah sampai sampek
samping sana sangat satu saya sebagai sebelah sebelum sedang sehingga sejak sekali sekarang sekitar
sekolah selalu selama selatan seluruh sempit semua sendiri seperti sepi sering serta setelah setempat
setiap siap sini situ solusi sosial sudah sulit sungai supaya swasta tadi tak tanpa tapi telah tempat
tengah tentang terang terdekat tergenang terjadi terlalu termasuk ternyata terpencil tersebut tersendat
tertinggal tertutup terus terutama tetangga tetap tetapi tidak tiga timur tinggal tinggi toko tol tolong
trotoar tua umum untuk usaha utama utara wajib waktu warga yang
"""
_NO_NAME = frozenset(_NO_NAME_WORDS.split())
_SPOKEN_FOR = 20_000
"""Characters looked at for a place: who has not said where by then will be asked."""


def names_a_place(text: str) -> bool:
    """Whether the text has an address in it: a road, village, school, neighbourhood number … with its name.

    It knows no gazetteer: a place named bare ("banjir di Sayung") is for the classifier to find.

    >>> names_a_place("Jalan rusak parah di depan rumah saya"), names_a_place("lubang di jl pemuda no 5")
    (False, True)
    """
    return says_where(normalise(text[:_SPOKEN_FOR]))


def says_where(words: str) -> bool:
    """The same of a normalised text."""
    numbers = _NUMBER.finditer(words) if digits_in(words) else ()
    numbered = any(words.endswith(_NUMBERED, 0, number.start()) for number in numbers)
    if numbered and _WITH_NUMBER.search(words):
        return True
    if _WITH_NAME.isdisjoint(words_of(words)):
        return False
    said = words_in(words)
    return any(_names(said, place) for place, word in enumerate(said) if word in _WITH_NAME)


def _names(said: Sequence[str], place: int) -> bool:
    """Whether a name follows the word."""
    if said[place] == "alun":
        place += 1
        if said[place : place + 1] != ("alun",):
            return False
    following = [*said[place + 1 : place + 3]]
    if len(following) == 2 and following[0] in _ASIDE and len(following[1]) >= _SHORTEST_NAME:
        following.pop(0)
    return bool(following) and len(following[0]) >= _SHORTEST_NAME and is_name_of_a_place(following[0])


def is_name_of_a_place(word: str) -> bool:
    """Whether a normalised word after "jalan", "desa", … may be its name: no word of what happened there."""
    return word not in _NO_NAME and not word.isdigit() and not word.endswith("nya")
