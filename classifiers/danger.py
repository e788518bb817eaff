"""How urgent a text is: whether people are in danger now, or somebody may come to harm. Pure.

Each line is one way to say it, in normalised words (`text.normalise`); Javanese ones stand beside the others. In
doubt it is the graver: somebody then looks sooner.
"""

from __future__ import annotations

from typing import Final, Literal

from laporhub.classifiers.beginnings import Phrases

Urgency = Literal["normal", "high", "critical"]

_FIRE: Final = (
    r"(?:rumah|pabrik|toko|pasar|gudang|kios|mobil|warung|hutan|lahan|gedung)\w* (?:\w+ )?(?:terbakar|kebakaran)",
    r"(?:ada|terjadi|lapor|sedang|tolong) kebakaran",
    r"(?<!sisa )kebakaran (?:hebat|besar|rumah|pabrik|pasar|gudang)",
    r"api (?:membesar|merambat)|(?:geni|api) (?:gede|besar)|kobong|kobongan",
    r"meledak|ledakan|mbledos|mbledug",
    r"gas bocor|kebocoran gas|bau gas (?:menyengat|nyengat)|gas(?:nya|e)? (?:\w+ )?(?:menyembur|nyembur|meledak)",
    r"(?:tabung|elpiji) (?:\w+ ){0,2}(?:bocor|mendesis)|(?:amoniak|bahan kimia) (?:\w+ )?bocor",
    r"tangki(?:nya|ne)? bocor|bensin (?:\w+ )?(?:ngalir|mengalir|tumpah)",
)
_LIVE_WIRES: Final = (
    r"kabel (?!internet|wifi|telepon|fiber|optik|telkom)(?:\w+ ){0,3}(?:putus|menjuntai|terkelupas|jatuh)",
    r"(?:ke|ter|di)setrum|kestrum|kesetrom|tersengat listrik|korsleting|percikan api",
)
_WATER: Final = (
    r"banjir (?:\w+ ){0,8}(?:sepinggang|sedada|seleher|atap|evakuasi|mengungsi|terjebak|perahu|pelampung)",
    r"air (?:\w+ ){0,3}(?:sepinggang|sedada|seleher|(?:se)?atap rumah)|(?:sak|se) ?(?:dada|dodo|gulu|leher)",
    r"(?:butuh|mohon|minta|kirim\w*) (?:bantuan )?(?:perahu (?:karet|evakuasi)|pelampung|tim sar)",
    r"(?:warga|orang|keluarga|anakku|lansia|bertahan|naik|nunggu) (?:\w+ ){0,3}(?:di|ke|neng|nang)"
    r" (?:atas |nduwur |dhuwur |duwur )?(?:genteng|gendeng|atap)(?! (?:rumah )?(?:bocor|rusak))",
    r"(?:harus|kudu|mesti|terpaksa) (?:ngungsi|mengungsi)|tanggul (?:\w+ )?jebol|banjir bandang",
    r"(?:perahu|prahu|kapal) (?:\w+ ){0,2}(?:kebalik|terbalik)|kelelep|klelep|kintir",
)
_CAUGHT: Final = (
    r"(?:warga|orang|anak|lansia|kami|keluarga) (?:\w+ ){0,2}(?:terjebak|tertimbun|hanyut|tenggelam|terseret"
    r"|terisolasi)",
    r"ketimbun|kependem|kejebak",
    r"(?:yang|orang|anak|sopir\w*|korban|penumpang|kaki|tangan) (?:\w+ )?(?:ke|ter)jepit",
    r"masih ada (?:orang|korban|warga|anak) (?:\w+ ){0,2}(?:dalam|dalem|njero|terjebak|tertimbun)",
    r"masih (?:ada|banyak) penumpang (?:\w+ ){0,2}(?:dalam|dalem|njero)",
    r"(?:minta|njaluk) tolong dari (?:bawah|dalam)",
    r"tertimpa (?:pohon|bangunan|reruntuhan|longsor|tiang)|longsor (?:menimpa|menimbun)",
    r"jembatan (?:\w+ )?(?:ambruk|runtuh)|barusan ambles",
    r"(?:bis|bus|mobil|truk) (?:\w+ ){0,2}(?:kebalik|terbalik)|kereta (?:\w+ ){0,2}(?:mau|arep) lewat",
)
_RESCUE: Final = (
    r"(?:butuh|mohon|minta|segera|perlu) (?:di)?evakuasi|gawat darurat|darurat sekali",
    r"(?:butuh|minta|mohon|perlu) (?:\w+ )?(?:nicu|picu|icu|ambulans|ambulan|oksigen|tim sar|basarnas|damkar)",
    r"(?:cepat|segera|tolong|cepet) tim sar|kirim sar",
    r"(?:pasien|ibu|anak|bapak|korban) (?:\w+ )?(?:kritis|sekarat|kejang|pingsan|tidak sadar)",
    r"keracunan (?:massal|makanan)|bunuh diri",
)
_VIOLENCE: Final = (
    r"(?:di|mem)bacok|pembacokan|dibegal|pembegalan|(?<!rawan )begal|tawuran|perampokan|dirampok",
    r"penculikan|diculik|disekap|pembunuhan|dianiaya|penganiayaan|kdrt|dipukuli|mengamuk",
    r"diperkosa|pemerkosaan|perkosaan|pencabulan|dicabuli|kekerasan seksual|pelecehan seksual",
    r"(?:bawa|membawa|gowo|nggowo) (?:senjata tajam|sajam|celurit|clurit|golok|arit|parang|pisau|pedang)",
    r"(?:ngamuk|ngamok) (?:\w+ ){0,4}(?:bawa|gowo|nggowo|bowo|pegang|nyekel)",
)

_ACCIDENTS: Final = (
    r"kecelakaan|laka lantas|memakan korban|makan korban|ada korban|banyak korban|korban jatuh|korban jiwa|nyawa|luka",
    r"jatuh(?! tempo)|terjatuh|berjatuhan|terperosok|terguling|terpeleset|kejeglong|kejeblos|kepleset|ketimpa|nggeblak",
    r"(?:ke|ter)tabrak|kecemplung|tercebur|kecebur|keseret|terseret|patah (?:tangan|kaki|tulang)",
    r"(?:hampir|nyaris|meh) (?:\w+ ){0,3}(?:(?:ke|ter|di|me)?tabrak|nabrak|nyerempet|keserempet|keseret|terseret"
    r"|celaka|kecelakaan|guling|nyemplung|kecemplung|tercebur|kecebur|tenggelam|bentrok|mati|tewas|ketimpa|tertimpa"
    r"|kesandung|ngglundung|tiba)",
    r"(?:orang|warga|anak|korban) (?:\w+ ){0,2}(?:meninggal|tewas)|rem(?:nya|ne)? (?:\w+ )?blong",
    r"(?:mem|ber)?bahaya\w*|bahayanya|mengancam|diancam|ancaman|rawan (?:roboh|tumbang|longsor|celaka|begal)",
)
_ABOUT_TO_GIVE_WAY: Final = (
    r"(?:mau|hampir|akan|nyaris|hendak) (?:roboh|ambruk|tumbang|runtuh|putus)",
    r"roboh|ambruk|tumbang|longsor|ambles|amblas",
    r"(?:takut|arep|meh|ngeri|khawatir|kuatir|waswas) (?:\w+ )?(?:jebol|ambrol|roboh|ambruk|longsor|putus)",
    r"lubang (?:\w+ ){0,2}(?:dalam|besar|gede|menganga)|menganga|lubang galian|putus total|jurang",
    r"tanggul (?:\w+ ){0,6}(?:retak|rembes|kritis|ambrol|gogos|gerus)|rembes|merembes|doyong|condong",
    r"(?:talud|tebing|senderan|plengsengan|tembok|temboknya|dinding) (?:\w+ ){0,6}(?:ambrol|longsor|gerus|retak|jebol)",
    r"(?:jembatan|jembatannya|jembatane) (?:\w+ ){0,10}(?:putus|copot|lapuk|rapuh|miring|keropos|goyang|gogos|ambrol"
    r"|bolong|gerowong)",
    r"(?:tali|sling)(?:nya|e)? (?:\w+ )?putus|menggantung|nggantung",
    r"retakan tanah|tanah (?:retak|gerak|bergerak|ambles)",
    r"palang (?:pintu )?(?:\w+ ){0,5}(?:telat|rusak|mati|tidak turun)|(?:tidak|tanpa) (?:ada )?palang",
    r"terendam|masuk (?:ke )?(?:dalam )?rumah|kebanjiran|selutut|sedengkul|sepaha|seperut|kebakaran|terbakar",
)
_SICK_OR_HURT: Final = (
    r"(?<!rumah )sakit (?:parah|keras|jantung|stroke|kanker|menahun)|(?:sedang|lagi|jatuh) sakit|stroke|kanker",
    r"kelaparan|tidak (?:bisa )?makan|gizi buruk|demam berdarah|dbd|diare|wabah|rabies|digigit|keracunan",
    r"melahirkan|hamil|sesak (?:napas|nafas)|(?:dada|pada|sudah|banyak|mulai|jadi|sampai) sesak|sesek|ispa",
    r"muntah\w*|melepuh|pingsan|kejang\w*|masuk rumah sakit|masuk (?:rs|rsud|igd|ugd)|cuci darah|gagal ginjal",
    r"ditolak rumah sakit|oksigen (?:\w+ ){0,6}habis|odgj",
)
_ILL_TREATED: Final = (
    r"kekerasan|perundungan|bullying|dibully|dirundung|pelecehan|dipukul|disiksa|dihamili|dikeroyok|digebuki|diperas",
    r"jambret|dijambret|kejambret|anak (?:\w+ ){0,3}hilang|dibawa (?:kabur|kenalan)",
    r"(?<!pasar )(?<!lapak )(?<!kios )(?<!kelas )(?<!sekolah )darurat(?! sampah)",
)

_URGENT: Final = Phrases(
    (
        "|".join((*_FIRE, *_LIVE_WIRES, *_WATER, *_CAUGHT, *_RESCUE, *_VIOLENCE)),
        "|".join((*_ACCIDENTS, *_ABOUT_TO_GIVE_WAY, *_SICK_OR_HURT, *_ILL_TREATED)),
    )
)


def urgency(words: str) -> Urgency:
    """ "critical" where people are in danger now, "high" where somebody may come to harm, else "normal"."""
    kinds = [kind for kind, _ in _URGENT.found(words)]
    return "normal" if not kinds else "high" if min(kinds) else "critical"
