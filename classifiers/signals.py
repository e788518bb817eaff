"""What a person should look at: how urgent a text is, whether it holds hatred, abuse or advertising. Pure.

The lists are short on purpose, and words that also have a plain sense (rubbish, stray dogs, blind) count only
in company. A flag decides nothing: a person looks. All functions take normalised text (`text.normalise`).
"""

from __future__ import annotations

import re
from typing import Final, Literal

from laporhub.classifiers.beginnings import Beginnings

Urgency = Literal["normal", "high", "critical"]

# ── urgency ──────────────────────────────────────────────────────────────────────────────────────

_CRITICAL = re.compile(
    r"\b(?:(?:rumah|pabrik|toko|pasar|gudang|kios|mobil|warung|hutan|lahan"
    r"|gedung)\w* (?:\w+ )?(?:terbakar|kebakaran)"
    r"|(?:ada|terjadi|lapor|sedang|tolong) kebakaran|(?<!sisa )kebakaran (?:hebat|besar|rumah"
    r"|pabrik|pasar|gudang)|api (?:membesar|merambat)"
    r"|kabel (?!internet|wifi|telepon|fiber|optik|telkom)(?:\w+ ){0,3}(?:putus|menjuntai"
    r"|terkelupas|jatuh)|(?:ke|ter|di)setrum|tersengat listrik"
    r"|korsleting|percikan api|gas bocor|kebocoran gas|bau gas menyengat|meledak|ledakan"
    r"|(?:warga|orang|anak|lansia|kami|keluarga) (?:\w+ ){0,2}(?:terjebak|tertimbun|hanyut"
    r"|tenggelam|terseret|terisolasi)"
    r"|banjir (?:\w+ ){0,6}(?:sepinggang|sedada|seleher|atap|evakuasi|mengungsi|terjebak|perahu karet)"
    r"|(?:butuh|mohon|minta|segera|perlu) (?:di)?evakuasi|tertimpa (?:pohon|bangunan|reruntuhan"
    r"|longsor|tiang)"
    r"|tanggul (?:\w+ )?jebol|banjir bandang|longsor (?:menimpa|menimbun)|jembatan (?:\w+ )?(?:ambruk|runtuh)"
    r"|(?:di|mem)bacok|pembacokan|dibegal|pembegalan|begal|tawuran|perampokan|dirampok|penculikan"
    r"|diculik|pembunuhan"
    r"|diperkosa|pemerkosaan|perkosaan|pencabulan|dicabuli|kekerasan seksual|pelecehan seksual"
    r"|dianiaya|penganiayaan"
    r"|kdrt|dipukuli|disekap|bunuh diri|membawa (?:senjata tajam|sajam|celurit|golok)|mengamuk"
    r"|keracunan (?:massal|makanan)|(?:pasien|ibu|anak|bapak|korban) (?:\w+ )?(?:kritis|sekarat"
    r"|kejang|pingsan|tidak sadar)"
    r"|gawat darurat|darurat sekali)\b"
)
_HIGH = re.compile(
    r"\b(?:kecelakaan|laka lantas|memakan korban|makan korban|ada korban|banyak korban"
    r"|korban jatuh|korban jiwa|nyawa|luka"
    r"|jatuh(?! tempo)|terjatuh|berjatuhan|terperosok|terguling|terpeleset"
    r"|(?:mem|ber)?bahaya\w*|bahayanya|mengancam|diancam|ancaman|rawan (?:roboh|tumbang|longsor|celaka|begal)"
    r"|(?:mau|hampir|akan|nyaris|hendak) (?:roboh|ambruk|tumbang|runtuh|putus)|roboh|ambruk"
    r"|tumbang|longsor|ambles|amblas"
    r"|lubang (?:\w+ ){0,2}(?:dalam|besar|menganga)|menganga|putus total|terendam"
    r"|masuk (?:ke )?(?:dalam )?rumah|kebanjiran"
    r"|(?<!rumah )sakit (?:parah|keras|jantung|stroke|kanker|menahun)|(?:sedang|lagi|jatuh) sakit"
    r"|stroke|kanker|kelaparan"
    r"|tidak (?:bisa )?makan|gizi buruk|demam berdarah|dbd|wabah|rabies|digigit|keracunan|melahirkan|hamil"
    r"|darurat|odgj|kekerasan|perundungan|bullying|pelecehan|dipukul|ditolak rumah sakit|kebakaran"
    r"|terbakar)\b"
)

# ── flags ────────────────────────────────────────────────────────────────────────────────────────

_GROUP = (
    r"(?:cina|china|cino|tionghoa|kristen|katolik|nasrani|islam|muslim|hindu|budha|buddha|yahudi"
    r"|kafir|arab|batak|papua"
    r"|madura|jawa|sunda|dayak|ambon|padang|ahmadiyah|syiah|pribumi|aseng)"
)
_SARA = re.compile(
    rf"\b(?:dasar (?:\w+ )?(?!jawa tengah|hukum islam){_GROUP}"
    rf"|{_GROUP} (?:memang |itu |semua |emang )?(?:babi|anjing|asu|monyet|bangsat|bajingan"
    rf"|laknat\w*|najis|biadab|keparat"
    r"|terkutuk|penjajah|sesat|iblis|perusak)"
    rf"|(?:usir|bunuh|bantai|ganyang|basmi|bakar|musnahkan|habisi) (?:semua |para |orang |kaum "
    rf"|saja |itu )*{_GROUP}"
    rf"|(?:babi|monyet|bangsat|laknat|keparat) {_GROUP})\b"
)
_NO_HATRED = re.compile(
    r"\b(?:daging|kandang|sate|ternak|jual|warung|rumah makan|masakan|flu) babi\b|\bbabi hutan\b"
)
_ABUSE = re.compile(
    r"\b(?:bangsat|bajingan|kontol|memek|ngentot|ngentod|jancok|jancuk|dancok|jancoek|goblok"
    r"|goblog|gblk|tolol|brengsek"
    r"|keparat|pukimak|pantek|anjg|anjeng|anjrit|anying|dungu|idiot|ndasmu|raimu|cangkemmu|matamu|kampret)\b"
)
_BEAST = r"(?:anjing|asu|babi|monyet)"
_ABUSE_BY_BEAST = re.compile(
    r"\b(?:(?:dasar|kamu|kau|kalian|lu|lo|pejabat|pemerintah|polisi|bupati|walikota|gubernur|lurah"
    r"|camat|petugas"
    rf"|pegawai)(?: memang| semua| itu| kayak| seperti| kaya)? {_BEAST}|{_BEAST} (?:lu|lo|kau|kamu"
    rf"|kalian|kabeh|tenan))\b"
)
_ADVERTISING = tuple(
    re.compile(rf"\b(?:{words})\b")
    for words in (
        r"gacor|maxwin|scatter|rtp (?:live|slot)|slot ?88|slot online|situs slot|bandar togel"
        r"|agen (?:judi|togel|slot|bola)|(?:situs|bisnis) togel",
        r"bonus (?:new member|deposit|member)|new member|depo(?:sit)? (?:pulsa|dana|minimal|min)"
        r"|wd (?:cepat|pasti)|anti rungkad|raih keberuntungan",
        r"pinjaman (?:cepat|online|dana|tunai|uang)|dana (?:tunai|cepat)|tanpa (?:jaminan|agunan|bi checking)"
        r"|langsung cair|cair (?:cepat|hari ini)",
        r"bunga (?:ringan|rendah|0)|proses (?:cepat|mudah)|limit (?:hingga|sampai)",
        r"pemenang|terpilih (?:\w+ ){0,2}(?:dapat|mendapat\w*|pemenang)|selamat (?:anda|nomor"
        r"|kepada|pelanggan)",
        r"pin (?:anda|pemenang|undian|code)|kode (?:pin|cek)|undian|cek tunai"
        r"|hadiah (?:\w+ ){0,2}(?:mobil|unit|uang)",
        r"(?:klik|kunjungi|cek) (?:\w+ )?(?:link|tautan|bio|website|situs|url|www|http|https)"
        r"|link (?:alternatif|di bio|daftar)|daftar (?:sekarang|segera) (?:juga|di)",
        r"promo (?:\w+ )?(?:terbatas|murah|spesial|diskon)|diskon (?:hingga|sampai|besar|\d+)|ready stock?"
        r"|order (?:sekarang|via|wa)|harga (?:termurah|promo)|hanya hari ini|berlaku promo",
        r"jasa (?:followers|pelet|pesugihan|backlink)|tambah followers|penggandaan uang"
        r"|jual (?:followers|obat kuat|obat aborsi|akun)",
        r"investasi (?:\w+ )?(?:pasti untung|profit)|profit (?:harian|pasti|konsisten)"
        r"|penghasilan (?:harian|tambahan|pasif)|kerja dari rumah|pasti untung",
        r"minat hubungi|berminat (?:hubungi|ketik)|wa sekarang|info lengkap hubungi|info hub",
    )
)
_TELLS_OF_IT = re.compile(
    r"\b(?:penipuan|penipu|tertipu|ditipu|modus|korban|aduan|mengadu|laporkan|melaporkan)\b"
)
_KINDS_OF_ADVERTISING = 2


_SEARCHED: Final = Beginnings((_CRITICAL, _HIGH, _ABUSE, _ABUSE_BY_BEAST, _SARA, *_ADVERTISING))
_IF_CRITICAL, _IF_HIGH, _IF_ABUSE, _IF_BEAST, _IF_SARA = (1 << number for number in range(5))
_IF_ADVERTISING: Final = tuple((1 << number, each) for number, each in enumerate(_ADVERTISING, 5))
_ALL_ADVERTISING: Final = sum(bit for bit, _ in _IF_ADVERTISING)


def urgency(words: str) -> Urgency:
    """ "critical" where people are in danger now, "high" where somebody may come to harm, else "normal"."""
    return _urgency(words, _SEARCHED.among(words))


def flags(words: str) -> tuple[str, ...]:
    """Of "abusive", "sara" and "spam" those that a person should check, in this order."""
    return _flags(words, _SEARCHED.among(words))


def signals(words: str) -> tuple[Urgency, tuple[str, ...]]:
    """`urgency` and `flags`."""
    worth = _SEARCHED.among(words)
    return _urgency(words, worth), _flags(words, worth)


def _urgency(words: str, worth: int) -> Urgency:
    if worth & _IF_CRITICAL and _CRITICAL.search(words):
        return "critical"
    return "high" if worth & _IF_HIGH and _HIGH.search(words) else "normal"


def _flags(words: str, worth: int) -> tuple[str, ...]:
    found = []
    if (worth & _IF_ABUSE and _ABUSE.search(words)) or (worth & _IF_BEAST and _ABUSE_BY_BEAST.search(words)):
        found.append("abusive")
    if worth & _IF_SARA and _SARA.search(words) and not _NO_HATRED.search(words):
        found.append("sara")
    if worth & _ALL_ADVERTISING and _is_advertising(words, worth):
        found.append("spam")
    return tuple(found)


def _is_advertising(words: str, worth: int) -> bool:
    kinds = sum(1 for bit, each in _IF_ADVERTISING if worth & bit and each.search(words))
    return kinds >= _KINDS_OF_ADVERTISING and not _TELLS_OF_IT.search(words)
