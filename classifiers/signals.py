"""What a person should look at: how urgent a text is, whether it holds hatred, abuse or advertising. Pure.

Words that also have a plain sense (rubbish, stray dogs, blind) count only in company. A flag decides nothing: a person
looks. `words` are normalised (`text.normalise`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from laporhub.classifiers.adverts import is_advertising
from laporhub.classifiers.beginnings import Phrases
from laporhub.classifiers.hate import is_hatred, is_threat
from laporhub.classifiers.intent import emptiness, intent
from laporhub.pipeline.classifier import Intent
from laporhub.pipeline.rude import is_rude

Urgency = Literal["normal", "high", "critical"]

# ── urgency ──────────────────────────────────────────────────────────────────────────────────────

_CRITICAL: Final = (
    r"(?:rumah|pabrik|toko|pasar|gudang|kios|mobil|warung|hutan|lahan"
    r"|gedung)\w* (?:\w+ )?(?:terbakar|kebakaran)"
    r"|(?:ada|terjadi|lapor|sedang|tolong) kebakaran|(?<!sisa )kebakaran (?:hebat|besar|rumah"
    r"|pabrik|pasar|gudang)|api (?:membesar|merambat)"
    r"|kabel (?!internet|wifi|telepon|fiber|optik|telkom)(?:\w+ ){0,3}(?:putus|menjuntai"
    r"|terkelupas|jatuh)|(?:ke|ter|di)setrum|tersengat listrik"
    r"|korsleting|percikan api|gas bocor|kebocoran gas|bau gas menyengat|meledak|ledakan"
    r"|(?:warga|orang|anak|lansia|kami|keluarga) (?:\w+ ){0,2}(?:terjebak|tertimbun|hanyut"
    r"|tenggelam|terseret|terisolasi)"
    r"|banjir (?:\w+ ){0,8}(?:sepinggang|sedada|seleher|atap|evakuasi|mengungsi|terjebak|perahu|pelampung)"
    r"|(?:butuh|mohon|minta|kirim\w*) (?:bantuan )?(?:perahu (?:karet|evakuasi)|pelampung|tim sar)"
    r"|air (?:\w+ ){0,3}(?:sepinggang|sedada|seleher|(?:se)?atap rumah)"
    r"|(?:butuh|mohon|minta|segera|perlu) (?:di)?evakuasi|tertimpa (?:pohon|bangunan|reruntuhan"
    r"|longsor|tiang)"
    r"|tanggul (?:\w+ )?jebol|banjir bandang|longsor (?:menimpa|menimbun)|jembatan (?:\w+ )?(?:ambruk|runtuh)"
    r"|(?:di|mem)bacok|pembacokan|dibegal|pembegalan|(?<!rawan )begal|tawuran|perampokan|dirampok|penculikan"
    r"|diculik|pembunuhan"
    r"|diperkosa|pemerkosaan|perkosaan|pencabulan|dicabuli|kekerasan seksual|pelecehan seksual"
    r"|dianiaya|penganiayaan"
    r"|kdrt|dipukuli|disekap|bunuh diri|membawa (?:senjata tajam|sajam|celurit|golok)|mengamuk"
    r"|keracunan (?:massal|makanan)|(?:pasien|ibu|anak|bapak|korban) (?:\w+ )?(?:kritis|sekarat"
    r"|kejang|pingsan|tidak sadar)"
    r"|gawat darurat|darurat sekali"
    r"|(?:ketimbun|kependem|kejebak|kelelep|klelep|kintir|kobong|kobongan|kestrum|kesetrom)"
    r"|(?:ke|ter)jepit|masih (?:ada|banyak) penumpang (?:\w+ ){0,2}(?:dalam|dalem|njero)"
    r"|(?:di|ke|neng|nang) (?:atas|nduwur|dhuwur|duwur|atap) (?:genteng|gendeng|atap|rumah|pohon)"
    r"|(?:minta|njaluk) tolong dari (?:bawah|dalam)|tangki(?:nya|ne)? bocor|bensin (?:\w+ )?(?:ngalir|mengalir|tumpah)"
    r"|(?:harus|kudu|mesti|terpaksa) (?:ngungsi|mengungsi)|mbledos|mbledug|(?:geni|api) (?:gede|besar)"
    r"|barusan ambles|(?:sak|se) ?(?:dada|dodo|gulu|leher)|kereta (?:\w+ ){0,2}(?:mau|arep) lewat"
    r"|masih ada (?:orang|korban|warga|anak) (?:\w+ ){0,2}(?:dalam|dalem|njero|terjebak|tertimbun)"
    r"|(?:ngamuk|ngamok) (?:\w+ ){0,4}(?:bawa|gowo|nggowo|bowo|pegang|nyekel)"
    r"|(?:bawa|membawa|gowo|nggowo) (?:arit|parang|golok|celurit|clurit|pisau|pedang|sajam)"
    r"|(?:butuh|minta|mohon|perlu) (?:\w+ )?(?:nicu|picu|icu|ambulans|ambulan|oksigen|tim sar|basarnas|damkar)"
    r"|(?:cepat|segera|tolong|cepet) tim sar|gas(?:nya|e)? (?:\w+ )?(?:menyembur|nyembur|meledak)"
    r"|(?:amoniak|bahan kimia) (?:\w+ )?bocor"
)
_HIGH: Final = (
    r"kecelakaan|laka lantas|memakan korban|makan korban|ada korban|banyak korban"
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
    r"|(?:hampir|nyaris|meh) (?:\w+ ){0,3}(?:(?:ke|ter|di|me)?tabrak|nabrak|keseret|terseret|celaka|kecelakaan"
    r"|nyemplung|kecemplung|tercebur|kecebur|tenggelam|bentrok|mati|tewas|ketimpa|tertimpa|kesandung|ngglundung|tiba)"
    r"|(?:ke|ter)tabrak|kecemplung|tercebur|kecebur|keseret|terseret|kejeglong|kejeblos|kepleset|ketimpa|nggeblak"
    r"|(?:takut|arep|meh|ngeri|khawatir|kuatir|waswas) (?:\w+ )?(?:jebol|ambrol|roboh|ambruk|longsor|putus)"
    r"|tanggul (?:\w+ ){0,4}(?:retak|rembes|kritis|ambrol|gogos)"
    r"|(?:jembatan|jembatannya|jembatane) (?:\w+ ){0,6}(?:putus|copot|lapuk|rapuh|miring|keropos|goyang|gogos|ambrol)"
    r"|doyong|condong|rembes|merembes|jambret|dijambret|kejambret|menggantung|nggantung|lubang galian"
    r"|(?:orang|warga|anak|korban) (?:\w+ ){0,2}(?:meninggal|tewas)|anak (?:\w+ ){0,3}hilang|dibawa kabur"
    r"|(?:talud|tebing|senderan|plengsengan) (?:\w+ ){0,4}(?:ambrol|longsor|gerus|retak|jebol)"
    r"|(?:tali|sling)(?:nya|e)? (?:\w+ )?putus|jurang|rem (?:\w+ )?blong|remnya (?:\w+ )?blong"
    r"|palang (?:pintu )?(?:\w+ ){0,5}(?:telat|rusak|mati|tidak turun)"
    r"|(?:tidak|tanpa) (?:ada )?palang|retakan tanah|tanah (?:retak|gerak|bergerak|ambles)"
    r"|sesak (?:napas|nafas)|(?:pada|sudah|banyak|mulai|jadi|sampai) sesak|sesek|ispa|muntah\w*|melepuh|kejang\w*"
    r"|patah (?:tangan|kaki|tulang)|masuk rumah sakit|masuk (?:rs|rsud|igd|ugd)|cuci darah|gagal ginjal"
    r"|disiksa|dihamili|dikeroyok|digebuki|diperas|dibully|dirundung|selutut|sedengkul|sepaha|seperut"
    r"|darurat(?! sampah)|odgj|kekerasan|perundungan|bullying|pelecehan|dipukul|ditolak rumah sakit|kebakaran"
    r"|terbakar"
)

_URGENT: Final = Phrases((_CRITICAL, _HIGH))


def urgency(words: str) -> Urgency:
    """ "critical" where people are in danger now, "high" where somebody may come to harm, else "normal"."""
    kinds = [kind for kind, _ in _URGENT.found(words)]
    return "normal" if not kinds else "high" if min(kinds) else "critical"


@dataclass(frozen=True, slots=True)
class Triage:
    """What a text asks of whoever sorts it."""

    urgency: Urgency
    intent: Intent
    flags: tuple[str, ...]


def triage(raw: str, words: str) -> Triage:
    """How urgent it is, what its writer wants, and what a person should look at. `words` is `raw`, normalised."""
    how_urgent, said_nothing = urgency(words), emptiness(raw, words)
    more = ("urgent",) * (how_urgent == "critical"), (said_nothing,) * bool(said_nothing)
    return Triage(how_urgent, intent(words, asked="?" in raw), (*more[0], *flags(raw, words), *more[1]))


def flags(raw: str, words: str) -> tuple[str, ...]:
    """Of "abusive", "sara", "spam" and "threat" those that a person should check, in this order.

    `words` is `raw`, normalised.
    """
    found = (
        ("abusive", is_rude(raw, words)),
        ("sara", is_hatred(words)),
        ("spam", is_advertising(words)),
        ("threat", is_threat(words)),
    )
    return tuple(name for name, there in found if there)
