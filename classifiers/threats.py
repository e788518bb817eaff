"""Threats: that the writer will hurt somebody or burn something. Pure; on normalised words (`text.normalise`).

Who tells that they were threatened does not threaten; nor does a word of violence alone (a lamp that is dead, a road
that is broken). Each line is one way to say it; Javanese and Sundanese stand beside the others.
"""

from __future__ import annotations

import re
from typing import Final

from laporhub.classifiers.beginnings import Phrases
from laporhub.pipeline.text import words_of

_KILL = (
    "bunuh|bacok|tebas|habisi|tembak|pateni|penggal|bantai|tusuk|suduk|cincang|culik|gorok|sembelih|gantung|kubur|racun"
    "|santet|clurit|celurit|entekke|entekno|kadek|mutilasi|tujah|belah|tikam|tobok|bunuah|tewek|habisin"
)
_BEAT = (
    "hajar|gebuk|gebuki|antemi|keroyok|gampar|tempeleng|injak|lindas|kepruk|jotos|jotosi|patahkan|remukkan|pecahkan"
    "|seret|silet|siram air keras|tabrak"
)
_WRECK = "bakar|bom|hancurkan|obong|ledakkan|ledakin|ratakan|serbu|serang|lempari|acak acak"
_VIOLENT = f"(?:{_KILL}|{_BEAT}|{_WRECK})(?:in)?"
_AT_ONCE = (
    "(?:gorok|penggal|bacok|clurit|suduk|jotosi|bantai|silet|ledakin|tujah|racun sekeluarga|siram air keras)"
)
"""Verbs that need no object to be a threat."""
_OFFICERS = (
    r"(?:petugas\w*|lurah\w*|kades\w*|kadus\w*|camat\w*|bupati\w*|pejabat\w*|pegawai\w*|satpol\w*|sekdes\w*|kepsek\w*"
    r"|mandor\w*|admin\w*|ketua (?:rt|rw)|kepala (?:dinas|desa|sekolah|pasar)\w*)"
)
_YOU = r"(?:kau|kamu|kowe|koe|lu|lo|loe|kalian|sampeyan|maneh|waang|siah|\w{3,}mu)"
_OFFICES = r"(?:kantor\w*|balai (?:desa|kota)|kelurahan|kecamatan|gedung (?:dprd|dewan))"
_LIMBS = r"(?:tangan|kaki|leher|kepala|muka|mulut)(?:mu|nya|ne|e| kalian)"
_WHOM = (
    rf"(?:{_YOU}|{_OFFICERS}|{_OFFICES}|{_LIMBS}|kepalanya|leher\w*|nyawa\w*|orangnya|anaknya|orang cina|gereja|masjid"
    r"|mereka|dia|semua|sekeluarga)"
)
_THEIRS = (
    rf"(?:{_YOU}|{_OFFICERS}|{_OFFICES}|{_LIMBS}|rumah(?:nya|mu|e)|rumah (?:{_OFFICERS}|orangnya)|orangnya|kurir \w+"
    r"|pasar|pompa \w+|kepalanya|leher\w*|nyawa\w*|gereja|masjid)"
)
"""What is somebody else's: "depan rumah saya bakar sampah" threatens nobody."""
_AFTER_TAK = (
    "(?:bacok|pateni|obong|antemi|tebas|gebuk|sembelih|gorok|jotos|jotosi|kepruk|entekke|entekno|suduk|clurit|celurit"
    "|bakar|lempar bom|sirami air keras)"
)
"""Javanese "tak" is "I"; before other words it is taken for Indonesian "not"."""
_I = "(?:saya|aku|ku|kami|gue|gua|gw|kita|tak|aing|den|ambo)"
_WILL = "(?:akan |bakal |bisa |siap |mau |ingin |pasti |rek |arep |sendiri )"
_HURTING = (
    "(?:membunuh|menghabisi|menghajar|membakar|menembak|membacok|meledakkan|menghancurkan|mengebom|menusuk|menculik"
    "|membantai|menyerbu|memukuli|mengeroyok|mematahkan|menggorok)"
)
_OTHERS = r"(?:yang|agar|supaya|petugas|dinas|pemerintah|melapor\w*|lapor) "
"""After these it is not the writer who would do it."""
_ARMS = (
    "(?:parang|celurit|clurit|golok|pedang|senjata|samurai|linggis|molotov|balok|badik|senapan|pistol|arit)"
)

_I_WILL: Final = (
    rf"{_I} {_WILL}?{_VIOLENT}(?: kan)? (?:saja |nanti |itu )?(?:\w+ ){{0,2}}?{_WHOM}",
    rf"{_I} {_WILL}?{_AT_ONCE}",
    rf"(?:ku|tak){_VIOLENT}",
    rf"ti?d?ak {_AFTER_TAK}",
    rf"(?:akan|bakal) {_I} {_VIOLENT}",
    rf"{_I} {_VIOLENT} (?:nanti|kalian|kamu|kau)",
    rf"{_I} (?:akan|bakal|siap|mau|ingin|pasti) (?:(?!{_OTHERS})\w+ ){{0,4}}?{_HURTING} (?:\w+ )?"
    rf"(?:{_YOU}|{_OFFICERS}|{_OFFICES})",
    r"ku (?:aing|urang) (?:di)?(?:kadek|gebug|bunuh|paehan|bacok|duruk|bakar)",
    r"(?:ditewek|dibacok|dikadek|dipaehan|digebug|diduruk) (?:\w+ ){0,4}?ku (?:aing|urang)",
    rf"aing {_WILL}(?:nga)?duruk",
    rf"(?:mau |akan |bakal |{_I} )(?:\w+ )?lempar (?:bom|granat)",
    rf"{_I} (?:akan |bakal |mau |siap )?(?:bawa|bawakan|membawa) (?:{_ARMS}|bensin (?:\w+ ){{0,3}}ke {_OFFICES})",
    rf"{_I} siapkan bensin",
    rf"{_I} (?:sudah )?tahu (?:rumahmu|alamatmu|anakmu|keluargamu|(?:alamat )?(?:rumah|alamat|keluarga) (?:kalian|kamu)"
    r"|plat (?:\w+ )?(?:lu|kamu|kalian|mu))",
)
"""Looked for where one of `_DEEDS` is: most texts have "saya" in them."""
_ARMED: Final = (
    rf"(?:turun|datang|dateng|teko|teka|kesana|ke sana) (?:\w+ ){{0,4}}?(?:dengan|bawa|membawa|gowo|nggowo)"
    rf" (?:{_ARMS}|bensin)",
    rf"siap bawa (?:{_ARMS}|bensin)|(?:siapin|nyiapin) bensin",
    rf"{_ARMS} (?:{_I} )?(?:sudah |wis )?(?:diasah|siap diasah)|peluru (?:tidak|ora) kenal",
    rf"satu peluru (?:cukup|untuk|buat)|main {_ARMS}|lempar(?:i|kan)? (?:\w+ )?(?:molotov|granat)",
    r"(?<!tidak )ada bom (?:di|akan)|bom (?!waktu)(?:\w+ ){0,3}(?:pasang|tanam|taruh|dipasang|ditanam)",
    r"meledak sebentar lagi",
    rf"bom (?:akan )?meledak di {_OFFICES}|(?:enteni|tunggu) (?:nggowo|gowo|bawa|karo) {_ARMS}|sudah siap senjata",
    rf"(?:datangi|samperin|samperi|tunggu|kutunggu|tunggui|kutunggui|ngantos) (?:\w+ ){{0,8}}?(?:bawa|pakai|sama|karo)"
    rf" (?:\w+ ){{0,4}}?{_ARMS}",
    r"(?:saya|kami|aku) (?:\w+ ){0,2}?punya (?:\w+ ){0,2}?(?:senapan|pistol|rakitan)",
    r"(?:sudah|telah|saya|kami|aku) (?:taruh|pasang|tanam|kirim) bom|bom rakitan",
    r"sudah saya campur|(?:air|galon|kopi|minum\w*|makan\w*) (?:\w+ ){0,5}?(?:saya|kami) (?:campur|racun)\w*",
    r"(?:rem|baut)\w* (?:\w+ ){0,4}?(?:saya|aku) (?:kendorin|kendurkan|potong|putus)\w*|blong kalau ada yang",
    rf"(?:jerigen|jirigen|botol|liter) bensin (?:\w+ ){{0,2}}?(?:buat|untuk) {_OFFICES}",
)
_YOU_WILL: Final = (
    r"(?:mati|mampus)(?:lah)? (?:kau|kamu|kalian|lu|kowe)|(?:kowe|kamu|kau|lu|kalian) (?:arep|mau) mati",
    r"(?<!lampu )(?<!lampunya )(?:bakal|akan) ada yang mati|(?:bakal|akan|nanti) ada mayat",
    r"ada yang mati di (?:kantor|balai|kelurahan|kecamatan|dinas)",
    r"siap siap masuk rumah sakit|siap siap (?:\w+ ){0,3}(?:mati(?! (?:lampu|listrik|air|lagi|total))|bom|dibom)",
    r"kamu tinggal nama|nyawamu|nyawa dibayar nyawa|darah dibayar darah|darah (?:petugas|kalian|pejabat) tumpah"
    r"|darah yang (?:turun|mengalir|tumpah|bicara)",
    r"(?:bayar|membayar|dibayar) (?:dengan |pakai )?(?:darah|nyawa)|mau selamat (?:apa|atau) tidak",
    r"hidup(?:mu| kamu| kalian) tidak (?:akan|bakal) (?:tenang|aman|lama|selamat)",
    r"(?:siapkan|siapin|pesan) (?:kavling |kain )?(?:kuburan|kafan|peti mati)(?! untuk)",
    r"(?:kantor|gedung)\w* (?:\w+ ){0,3}rata (?:dengan tanah|sebelum)|pernah bunuh orang",
    r"(?:kantor|gedung)\w* (?:\w+ ){0,3}(?:tinggal|jadi) (?:abu|arang)",
    r"pulang (?:tanpa (?:tangan|kaki|kepala|nyawa)|(?:cuma|tinggal|hanya) nama\w*)",
    r"(?:peti mati|kafan|liang|kuburan) (?:\w+ ){0,4}?(?:sudah|siap) (?:saya |kami )?(?:pesan|siap|gali)\w*",
    r"(?:foto|nama)\w* (?:\w+ ){0,2}?(?:sudah )?di (?:tangan )?(?:orang pintar|dukun)",
    r"(?:minggu|hari) terakhir(?:nya|mu)",
    r"tidak (?:akan|bakal) (?:sempat |bisa )?(?:lihat|melihat) (?:lebaran|matahari|besok)",
    r"anak (?:kalian|kamu|bapak|ibu) juga harus (?:ikut|mati|celaka)",
    r"(?:plat|jam pulang) (?:\w+ )?(?:kamu|lu|kau) (?:\w+ ){0,2}?(?:saya|aku) (?:catat|hafal)",
    rf"(?:cocoknya|pantasnya|enaknya|layaknya|bagusnya|mending|mestinya) di(?:{_KILL}|{_BEAT}|bakar|bom)"
    r"(?! (?:pohon|sampah))",
    r"acarok",
)
_BEWARE: Final = (
    r"awas (?:kau|kamu|kalian|lu|kowe|anakmu|keluargamu)|awas (?:kalau|nek) ketemu|tunggu di (?:parkiran|luar kantor)",
    r"tunggu (?:saja )?pembalasan\w*|(?<!saya )(?<!kami )tunggu saja balasan\w*",
    rf"jangan salahkan (?:{_I}|warga|rakyat|massa|kalau|jika) (?:\w+ ){{0,4}}(?:darah|mati|korban|terbakar|bakar"
    r"|hancur\w*|rusak|anarkis|rata)",
    r"rumahmu (?:saya|akan|kami)|anakmu sekolah|sayang kalau ada apa apa",
    r"(?:istri|suami|anak|keluarga|orang tua)mu (?:\w+ ){0,3}(?:korban\w*|sasaran\w*|celaka|tidak (?:akan )?selamat)",
    rf"(?:penggal|habisi|bacok|bunuh|pateni|gantung|bakar|tembak|bom) (?:saja|wae) (?:itu |tuh |semua |para )*"
    rf"(?:{_OFFICERS}|gereja|masjid)",
)
_SAID: Final = Phrases(("|".join((*_ARMED, *_YOU_WILL, *_BEWARE)),))
_WILL_DO: Final = Phrases(("|".join(_I_WILL),))
_VERBS: Final = tuple(verb.split()[0] for verb in f"{_KILL}|{_BEAT}|{_WRECK}|potong|cabut".split("|"))
_OTHER_DEEDS = """
membunuh menghabisi menghajar membakar menembak membacok meledakkan menghancurkan mengebom menusuk menculik membantai
menyerbu memukuli mengeroyok mematahkan menggorok dikadek digebug dibunuh dipaehan duruk ngaduruk lempar parang celurit
clurit golok pedang senjata samurai linggis molotov balok bensin rumahmu alamatmu anakmu keluargamu kalian kamu plat
dibacok diduruk dibakar gebug paehan sirami ditewek badik senapan pistol arit
"""
_DEEDS: Final = frozenset(
    (
        *(f"{by}{verb}{ending}" for by in ("", "ku", "tak") for verb in _VERBS for ending in ("", "in")),
        *_OTHER_DEEDS.split(),
    )
)
"""One of these is in whatever `_I_WILL` finds."""
_THEIRS_FIRST: Final = re.compile(
    rf"\b{_THEIRS} (?:\w+ ){{0,3}}?(?:akan )?{_I} (?:akan |saja )?(?:{_VIOLENT}|potong|cabut)\b"
    r"(?! (?:sampah|ikan|daun|rumput))"
)
"""What, who, does: it may begin with any word, so it is only looked for where a verb is."""
_THREATENED: Final = re.compile(
    r"\b(?:diancam|mengancam|ancaman dari|tetangga saya|suami saya|preman|menangkap"
    r"|ada yang (?:nulis|tulis|menulis|bilang|kirim|posting))\b"
)


def is_threat(words: str) -> bool:
    """Whether the writer threatens somebody: not who was threatened."""
    said = any(_SAID.found(words))
    if not said and not _DEEDS.isdisjoint(words_of(words)):
        said = any(_WILL_DO.found(words)) or _THEIRS_FIRST.search(words) is not None
    return said and not was_threatened(words)


def was_threatened(words: str) -> bool:
    """Whether the text tells of somebody else's threats."""
    return _THREATENED.search(words) is not None
