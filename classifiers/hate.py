"""Hatred against people for what they are (SARA). Pure; on normalised words (`text.normalise`).

A group's name says nothing by itself: it takes contempt said of it, or a call to harm or exclude it, near by. Who tells
that they were insulted or driven out, or asks for something, is not the one who hates.
"""

from __future__ import annotations

import re
from typing import Final

from laporhub.pipeline.text import words_of


def _words(text: str) -> list[str]:
    return text.split()


_GROUP_WORDS = (
    "cina|china|cino|chindo|tionghoa|tionghwa|kristen|katolik|nasrani|islam|muslim|hindu"
    "|budha|buddha|konghucu|yahudi|kafir|arab|batak|papua|madura|medura"
    "|jawa|sunda|dayak|ambon|padang|minang|bugis|melayu|betawi|ahmadiyah|syiah|pribumi"
    "|aseng|rohingya|komunis|pki|cadar|minoritas|pendatang"
    "|kristenisasi|lgbt|gay|lesbi|waria|aliran|homo|bencong|banci|meduro|syi ah|ntt|ahmadiah"
)
_GROUP = (
    rf"(?:(?<!rumah makan )(?<!lapangan )(?<!flu )(?<!pulau )(?<!bahasa )(?:{_GROUP_WORDS})(?! tengah"
    rf"| timur| barat| pos)"
    r"(?: (?:di sini|itu|ini|dan (?:kristen|islam|konghucu|cina)|komunis|asli))?)"
)
_OF_A_PLACE_WORDS = """
toraja nias nieh flores aceh timur timor sasak komering banjar makassar manado maluku ambon papua batak madura medura
meduro sumba buton bugis minang padang dayak palembang lampung cena cina china arab india jawa sunda
"""
_OF_A_PLACE: Final = "|".join(_OF_A_PLACE_WORDS.split())
_PEOPLE: Final = (
    rf"(?:(?:orang|wong|urang|reng|suku|ras|bangsa) (?:{_OF_A_PLACE})|{_GROUP}|umat agama (?:itu|ini|tersebut)"
    r"|penganut (?:\w+ )?(?:itu|ini)|kulit (?:gelap|hitam)|ras (?:begitu|itu|penjajah|rakus|rendah))"
)
_UTTER: Final = (
    r"(?:penyembah (?:setan|jin|mayat|batu|berhala|kayu)|setengah setan|kotoran|terkutuk|bukan (?:golongan )?manusia"
    r"|najis|derajatnya|gennya|dari (?:lahir|moyangnya|sananya|darahnya)|pemberontak|kaum sesat|penyebar penyakit"
    r"|tidak punya hati|biang kerok|musnahkan|dimusnahkan|setan|kuli bukan|penjajah ekonomi|otak udang"
    r"|(?:indak|tidak) bautak)"
)
"""What is said of nobody whom one does not hate, whatever else a text asks for."""
_LINK = (
    r"(?: (?:memang|itu|semua|semuanya|emang|kabeh|ini|pada|cuma|hanya|tuh|kan|adalah|sama saja"
    r"|di sini|tukang|agama|dan|biang))*"
)
_CONTEMPT = (
    r"(?:babi|anjing|asu|monyet|bangsat|bajingan|laknat\w*|najis|biadab|keparat|terkutuk|penjajah"
    r"|sesat|iblis|setan|perusak|parasit|hama|teroris"
    r"|pengkhianat|munafik|pelit|rakus|licik|primitif|penipu|pembunuh|copet|maling|preman semua"
    r"|pemabuk|malas|bodoh|goblok|tolol|jorok|bau dan|palsu"
    r"|kasar semua|rusuh|radikal semua|menjajah|penyembah berhala|perampok|sampah|mau menjajah|miskin"
    r"|hina|kotor|teroris semua|bahaya semua|budak|lintah|kriminal|binatang|onta|begal|ngapusi|pemalas)"
)
_HARM = (
    r"(?:usir|usiren|usirlah|bunuh|bantai|ganyang|basmi|bakar|musnahkan|habisi|hancurkan|singkirkan"
    r"|enyahkan|bubarkan|tolak|tumpas|lenyapkan|robohkan)"
)
_WHO = (
    r"(?: (?:semua|para|orang|kaum|umat|saja|itu|penganut|pengikut\w*|keturunan|warga|penduduk"
    r"|pendatang|pengungsi|anak|aliran|jangan))*"
)
_HATRED: Final = re.compile(
    rf"\b(?:dasar (?:\w+ )?(?!jawa tengah|hukum islam|negara){_GROUP}(?! hukum)"
    rf"|{_GROUP}{_LINK} {_CONTEMPT}"
    rf"|{_PEOPLE}(?: \w+){{0,6}}? {_UTTER}"
    rf"|(?:tolak|usir|mengusir|tondhung|bersihkan|jan diagiah|jangan dienjuk|jangan diterima) (?:\w+ ){{0,4}}?{_PEOPLE}"
    rf"|(?:wajib|harus) (?:tolak|usir) (?:\w+ ){{0,2}}?{_PEOPLE}"
    rf"|{_PEOPLE}(?: \w+){{0,8}}? (?:mampus|jangan diterima|tidak (?:usah|pantas) (?:dikasih|diberi|odhi))"
    rf"|kafir (?:haram|hrm)|(?:azab|bala) (?:\w+ ){{0,4}}?kafir"
    rf"|(?:babi|monyet|bangsat|laknat|keparat|antek|bajingan|kaum laknat) (?:orang |kaum )?{_GROUP}"
    rf"|{_HARM}{_WHO} {_GROUP}"
    rf"|{_HARM} (?:\w+ )?(?:gereja|masjid|pura|kelenteng\w*|vihara)(?: itu| nya)?(?! liar)"
    rf"|(?:gereja|masjid|pura|kelenteng) (?:itu |ini )?(?:sarang|tempat) (?:teroris|setan|maksiat)"
    rf"|(?:haram|jangan|tidak sudi|ogah|emoh) (?:\w+ ){{0,4}}(?:pemimpin|dipimpin|pilih|memilih"
    rf"|pejabat|orang|dekat dekat|kasih|dikasih|beli|ucapkan)"
    rf"(?: \w+){{0,4}} {_GROUP}"
    rf"|{_GROUP} (?:\w+ )?(?:jangan (?:dikasih|diberi|dibantu)|biar mati|tidak (?:pantas|layak|berhak"
    rf"|boleh) (?:hidup|tinggal|jadi|memimpin|dibantu))"
    rf"|(?:tidak|jangan|ojo|tong) (?:\w+ )?(?:membantu|bantu|kasih|dibere|oleh)(?: \w+){{0,2}} {_GROUP}(?: \w+){{0,6}}"
    rf" (?:kriminal|kafir|sesat|licik|begal|maling)"
    rf"|{_GROUP}(?: \w+){{0,6}} (?:usiren|tong dibere|ojo oleh|(?:ora|ra|tidak) pantes|usirno"
    rf"|arak telanjang|kudu dibasmi|darah\w* halal)"
    rf"|(?:keturunan|anak cucu) {_GROUP}(?: \w+){{0,3}} (?:jangan|harus|habisi|dihabisi)"
    rf"|orang (?:timur|timor|flores|ntt) (?:\w+ ){{0,3}}(?:hitam|bau|anjing|monyet|tidak usah|kosong"
    rf"|mabok|mabuk|ribut|rusuh|pemalas|kasar)|tetangga kafir|si mata sipit"
    rf"|(?:umat |kaum |orang |wong |penduduk |keturunannya )?{_GROUP}(?: \w+){{0,2}} (?:harus|wajib"
    rf"|mesti|kudu) (?:(?:pergi|keluar)(?: dari|$)|angkat kaki|lungo)"
    rf"|{_GROUP}(?: \w+){{0,5}} (?:harus|wajib|mesti|kudu|layak|pantas|pantasnya) (?:musnah|mati|lenyap"
    rf"|di(?:usir|bunuh|basmi|bantai|bakar|gantung|habisi|musnahkan|lenyapkan|singkirkan|tumpas|ganyang))"
    rf"|{_GROUP}(?: \w+){{0,5}} (?:halal darah\w*|darah\w* halal)"
    rf"|{_GROUP} (?:itu |ini |memang )?(?:cuma|hanya|bisanya|tahunya) (?:\w+ ){{0,3}}(?:onar|rusuh|mabuk\w*"
    rf"|maling|mencuri|menipu|merusak|malas\w*|bohong)"
    rf"|(?:benci|muak|jijik|najis)(?: aku| saya| kami)?(?: dengan| sama| lihat| melihat"
    rf"| pada)? (?:orang |kaum |umat )?{_GROUP}"
    rf"|{_GROUP} (?:\w+ ){{0,4}}(?:pulang ke (?:hutan|negara|asal)|antek aseng|usiren|buang ke laut|usir)"
    rf"|(?:orang|kaum|umat|semua) (?:\w+ )?(?:dari )?{_GROUP}{_LINK} (?:bau|jelek|bahaya|antek|preman"
    rf"|kasar|najis|copet|bodoh)"
    rf"|agama (?:{_GROUP_WORDS}) (?:agama )?(?:palsu|sesat|teroris)|penipu berkedok agama"
    rf"|kampung muslim bukan kafir|kaum kafir"
    rf"|anak pki|(?:semua|pendatang) orang {_GROUP} \w+$|bunuh pemimpinnya|aliran (?:itu )?sesat"
    rf"|antek (?:aseng|yahudi|cina))\b"
)
_TELLS_OF_IT: Final = re.compile(
    r"\b(?:dihina|dikatai|dikatain|diejek|dibully|dirundung|(?<!bukan )rasis|rasisme|diskriminasi|intoleran\w*"
    r"|ujaran kebencian|ditolak|dipersulit|provokatif)\b"
)
_NO_HATRED: Final = re.compile(
    r"\b(?:daging|kandang|sate|ternak|jual|warung|rumah makan|masakan|flu|sampah) babi\b|\bbabi hutan\b"
    r"|\b(?:toko|barang|makam|investor|bule) cina (?:lama|di bukit|merusak harga|membangun)\b"
    r"|\bkaum (?:difabel|lansia)\b"
)
# Near a group, and with nothing that asks or tells of a wrong, these are enough.
_HOSTILE: Final = frozenset(
    _words(
        """
usir usiren enyahkan musnahkan bantai ganyang basmi hancurkan robohkan bakar bunuh habisi tumpas singkirkan
lenyapkan mampus mampuslah matilah penghisap pengisap penjajah perusak parasit hama teroris pengkhianat munafik
licik rakus serakah sombong pelit biadab laknat laknatullah terkutuk najis keparat bangsat bajingan anjing asu
babi monyet kera goblok tolol bodoh dungu primitif penipu tipu copet maling perampok pembunuh pemabuk murahan
jorok hina sesat iblis setan dajjal sampah jijik benci muak jahat bejat busuk tukang binatang malas culas curang
budak lintah ngisap menghisap kriminal onta begal pemalas ngapusi pengkhianatnya deportasi dibasmi darahnya
kasar menjijikkan dilawan numpang dibela dibasmi diganyang poligami kelaparan
"""
    )
)
_EXCLUDES: Final = re.compile(
    r"\b(?:tidak (?:boleh|pantas|layak|sudi|usah)|jangan|bukan (?:manusia|golongan)|haram|tolak"
    r"|pulang|keluar|pergi(?! (?:jauh|ke))|angkat kaki|lungo|buat apa)\b"
)
_PEACEFUL: Final = re.compile(
    r"\b(?:mohon|tolong|minta|bantuan|bantu|butuh|perlu|terima kasih|rukun|toleransi|bagaimana|kapan"
    r"|korban|izin|lapor\w*|rusak|banjir|jalan|lampu"
    r"|sekolah|beasiswa kami|ambulans|dijual|kurang|meresahkan|di(?:usir|hina|tolak|bakar|pukul|ancam"
    r"|serang|tutup|larang))\b"
)
_NEAR = 5
"""Words between a group and what is said of it."""
GROUPS: Final = frozenset(_GROUP_WORDS.split("|"))
_HOSTILE_TO_PLACES: Final = frozenset(
    _words("robohkan hancurkan musnahkan enyahkan sesat iblis setan dajjal laknat laknatullah terkutuk najis")
)
"""Rubbish, fires, dogs and thieves there are what people complain of."""
_HOLY: Final = frozenset(
    ("gereja", "masjid", "pura", "puranya", "vihara", "kelenteng", "kelentengnya", "gerejanya")
)
_NO_PEOPLE: Final = re.compile(
    r"\b(?:(?:bahasa|pulau|rumah makan|lapangan|kampung|jalan|tps|terminal|gang|kota|warung|soto|sate|pasar|toko|barang"
    r"|makam|flu|jamu|negara|tanah|asrama) (?:" + _GROUP_WORDS + r")|jawa (?:tengah|timur|barat|pos)"
    r"|aliran(?! (?:sesat|kepercayaan|itu)))\b"
)


_MAY_BE_MEANT: Final = GROUPS | _HOLY | {"umat", "penganut", "kulit", "ras", *_OF_A_PLACE_WORDS.split()}


def is_told_of(words: str) -> bool:
    """Whether hatred is told of, not said, or such words have their plain sense."""
    return _TELLS_OF_IT.search(words) is not None or _NO_HATRED.search(words) is not None


def is_hatred(words: str) -> bool:
    """Whether a person should check it for hatred."""
    said = words_of(words)
    if _MAY_BE_MEANT.isdisjoint(said):
        return False
    if is_told_of(words):
        return False
    return _HATRED.search(words) is not None or _is_hostile(words)


def _is_hostile(words: str) -> bool:
    """Whether something hostile stands near a group, and nothing peaceful anywhere."""
    if _PEACEFUL.search(words):
        return False
    said = _NO_PEOPLE.sub(" ", words).split()
    for place, word in enumerate(said):
        is_holy = word in _HOLY
        if word not in GROUPS and not is_holy:
            continue
        near = said[max(0, place - _NEAR) : place + _NEAR + 1]
        hostile = _HOSTILE_TO_PLACES if is_holy else _HOSTILE
        if not hostile.isdisjoint(near) or (not is_holy and _EXCLUDES.search(" ".join(near))):
            return True
    return False
