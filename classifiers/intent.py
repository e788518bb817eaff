"""What kind of message it is: a complaint, a question, a wish, thanks, or nothing for a government. Pure.

In doubt it is a complaint: somebody then looks at it. `words` are normalised (`text.normalise`).
"""

from __future__ import annotations

import re
from typing import Final

from laporhub.classifiers.beginnings import Beginnings, Places
from laporhub.pipeline.classifier import Intent
from laporhub.pipeline.text import words_in, words_of

_TROUBLE: Final = re.compile(
    r"\b(?:rusak\w*|mati|padam|bocor|banjir|kebanjiran|tergenang|mampet|berlubang|lubang|ambrol"
    r"|ambruk|roboh|longsor|hilang|macet|bau|kotor"
    r"|menumpuk|belum (?!tahu|paham|ada rencana)|tidak (?:bisa|dapat|ada|jalan|berfungsi|aktif|keluar"
    r"|diangkut|dibayar|ditanggapi|kunjung|pernah|sesuai|merata)"
    r"|pungli|pungutan|dipungut|korupsi|liar|mengganggu|meresahkan|bahaya|berbahaya|kecelakaan"
    r"|terlambat|lambat|lama sekali|error|gagal|salah"
    r"|diancam|dipukul|dirundung|penipuan|tertipu|kecewa|keluhan|dipersulit|ditolak|galak|kasar|keruh"
    r"|putus|jebol|amblas|rawan|gelap|semrawut|curang|mahal|langka"
    r"|limbah|asap|bising|bolos|tutup lebih awal|mangkrak|retak|melaporkan|mengadukan|mengeluh\w*"
    r"|tolong (?:di)?(?:perbaiki|benerin|tindak|tertibkan))\b"
)
_THANKS: Final = re.compile(
    r"\b(?:terima kasih|matur (?:sembah )?nuwun|maturnuwun|nuwun(?! sewu)|apresiasi|salut|mantap|hebat|luar biasa|keren"
    r"|top|jempol|puas|sukses|bangga|alhamdulillah|bagus sekali"
    r"|pelayanan(?:nya)? (?:bagus|baik|cepat|ramah)|sudah (?:diperbaiki|nyala|menyala|bagus|lancar"
    r"|selesai|diaspal|diangkut|jadi|ditangani)|tetap semangat)\b"
)
_QUESTION: Final = re.compile(
    r"\b(?:bagaimana (?:cara\w*|prosedur\w*|syarat\w*|mengurus|alur\w*|kalau|jika|proses\w*)"
    r"|cara (?:mengurus|membuat|daftar|mendaftar|bayar|cek|mengajukan|pindah"
    r"|melapor)|apa (?:saja )?(?:syarat\w*|persyaratan\w*|dokumen|itu)|syarat\w* (?:apa|untuk)|kapan"
    r"|berapa (?:biaya|lama|tarif|harga|hari)?|di ?mana (?:kantor|alamat"
    r"|lokasi|tempat|saya|bisa|mengurus|loket)?|apakah|apa (?:bisa|benar|boleh|ada|masih|harus)"
    r"|(?:mau|ingin|numpang|izin|ijin|mohon) (?:tanya|bertanya)|tanya|info|informasi"
    r"|penjelasan|pencerahan|jam (?:pelayanan|operasional)|jadwal"
    r"|nomor (?:telepon|wa|kontak|call center)|ke mana|kemana"
    r"|siapa yang|bolehkah|bisakah|adakah|masih (?:buka|berlaku|ada)"
    r"|(?:tidak|belum|berapa|brp|bagaimana|mana|apa|siapa|kapan) ya|minta (?:nomor"
    r"|alamat|kontak|jadwal))\b"
)
_GREETED: Final = (
    r"(?:(?:halo|hai|min|admin|kak|assalamualaikum|selamat \w+|permisi|mohon|mau|bapak|ijin|izin|numpang"
    r"|maaf) )*"
)
"""How a message begins before it says what it wants."""
_HOW: Final = re.compile(
    rf"{_GREETED}(?:bagaimana cara|cara (?:mengurus|membuat|daftar)|apa saja syarat|syarat untuk|tanya|bertanya"
    r"|berapa biaya)\b"
)
_SURELY_ASKS: Final = re.compile(
    r"\b(?:masih (?:ada|buka|berlaku|bisa)|(?:ada|bisa|boleh|dapat|sudah) (?:\w+ ){0,4}(?:tidak|belum)(?: ya)?"
    r"(?: kak| bapak| min)?$"
    r"|apakah|apa bisa|berapa|gimana cara|bagaimana cara|lewat mana|di ?mana (?:ya|dulu)|mana (?:ya|duluan)|prosedurnya"
    r"|syaratnya|caranya|kapan (?:pendaftaran|dibuka|mulai|jadwal)|jam berapa|bulan apa|hari apa|tanggal berapa)\b"
)
"""With a question mark a question, though there is trouble in it ("motor saya mati pajak, pemutihan masih ada?")."""
_WONDERS: Final = re.compile(
    r"\b(?:apa|apakah|bisa\w*|boleh\w*|kapan|berapa|brp|di ?mana|ke ?mana|mana|siapa|bagaimana|gimana|masih ada)\b"
)
"""With a question mark a question, where there is no trouble."""
_INSISTS: Final = re.compile(
    r"\b(?:lapor\w*|melaporkan|kecewa|berkali kali|terus menerus|selalu|terus|padahal|sampai kapan|kok|malah|tolong"
    r"|mohon|parah|\d+ (?:hari|minggu|bulan|tahun)|bertahun tahun|berbulan bulan|seminggu|sebulan|setahun)\b"
)
"""Who says this complains, whatever they ask."""
_PROPOSES: Final = re.compile(
    rf"{_GREETED}(?:usul|usulan|saran|masukan|aspirasi|harapan|mengusulkan|ide)\b(?! (?:saya|kami) (?:tidak|belum))"
)
_WISH: Final = re.compile(
    r"\b(?:usul\w*|mengusulkan|saran\w*|menyarankan|masukan|aspirasi|ide|gagasan|sebaiknya|seyogyanya"
    r"|alangkah (?:baik|indah)\w*|lebih baik (?:jika|kalau|di)|akan lebih"
    r"|(?:mohon|tolong|harap|kami ingin|kami berharap|semoga|bisa|perlu|butuh"
    r"|minta) (?:\w+ ){0,2}?(?:ditambah\w*|dibangun\w*|diadakan|disediakan|dibuatkan|dipasang\w*"
    r"|dibuka\w*|didirikan|direnovasi|dibikinkan|diperpanjang|dikembangkan|ditingkatkan"
    r"|diperbanyak|diperluas|dipertimbangkan|ada (?:taman|trotoar"
    r"|halte|rute|bus|cctv|wifi|jalur|lampu|sekolah|puskesmas))"
    r"|kapan (?:ada|dibangun|diadakan)|bagaimana kalau|gimana kalau|semoga (?:ke depan|kedepan\w*"
    r"|segera ada)|andai\w*"
    r"|mbok (?:dikasih|dibuatkan|dibangun|ditambah|ditata|jadiin|dijadikan|diadakan)|kami (?:mendukung|menginginkan))\b"
)
_NOT_OURS: Final = re.compile(
    r"\b(?:(?:cari|butuh|mencari) (?:jodoh|pacar|istri|suami|teman)|pinjam (?:uang|duit) dong"
    r"|transfer(?:in)? (?:uang|pulsa)|minta (?:pulsa|saldo|kuota)"
    r"|(?:bagi|minta) (?:uang|duit) (?:dong|donk|kak|min|buat jajan|jajan)"
    r"|curhat|paket (?:shopee|tokopedia|lazada|jne|jnt|j t|sicepat|tiktok)|(?:shopee|tokopedia|lazada"
    r"|gojek|grab|netflix|spotify|tiktok|instagram) (?:saya|ku|error|kena)"
    r"|akun (?:ff|epep|ml|pubg|roblox|game|instagram|tiktok|facebook) (?:saya|ku|kena|hilang)?"
    r"|mantan (?:saya|pacar)|pacar saya"
    r"|pacarku|mantanku|follow back|folback|saldo dana"
    r"|selamat ulang tahun|mobile legends?|free fire|tiket konser|timnas"
    r"|selingkuh|ramal\w*|zodiak|skor bola"
    r"|hp (?:saya|ku) (?:rusak|hilang|error|lemot|mati)|laptop (?:saya|ku)|resep|lirik"
    r"|pr (?:matematika|sekolah)|kerjakan soal|puisi|pantun|nyanyi|chatgpt|presiden amerika"
    r"|salah (?:kirim|kamar|sambung)|sori salah|maaf salah (?:kirim|sambung|nomor))\b"
)
_KINDS: Final = Beginnings((_TROUBLE, _THANKS, _QUESTION, _WISH, _NOT_OURS))
_TROUBLED, _THANKED, _ASKED, _WISHED, _STRAYED = range(5)
_REQUESTS: Final = frozenset(("mohon", "tolong"))
_GREETING_WORDS = """
halo hai hallo hi hey hei pagi siang sore malam selamat assalamualaikum asalamualaikum assalamualaikumwrwb wr wb
waalaikumsalam salam permisi punten kulonuwun admin min kak bapak ibu gan bos sis om mas mbak ya iya ok oke p
ping
"""
_GREETING: Final = frozenset(_GREETING_WORDS.split())
_TEST_WORDS = """
tes test testing testes tess coba cobacoba percobaan cek check cekcek ngetes uji 123 1234 12345 1 2 3 satu dua
tiga asdf qwerty abc
"""
_TEST: Final = frozenset(_TEST_WORDS.split())
_TRIED_AT_MOST = 3
"""Words beside a greeting of a message that only tries whether it works."""
_COURTESY = 14
"""Words up to which a message with thanks in it is thanks, not a complaint that ends politely."""


def intent(words: str, *, asked: bool = False) -> Intent:
    """ "complaint" unless something speaks clearly for another kind; `asked`: the text has a question mark."""
    places = _KINDS.places(words)
    troubled = _KINDS.first(_TROUBLED, words, places) is not None
    strays = _KINDS.first(_STRAYED, words, places)
    if strays and (not troubled or "salah" in strays[0]):
        return "not_ours"
    if _PROPOSES.match(words):
        return "aspiration"
    if _HOW.match(words) or (asked and _SURELY_ASKS.search(words) and not _INSISTS.search(words)):
        return "question"
    thanked = _KINDS.first(_THANKED, words, places)
    at_heart = thanked and (len(words_in(words)) <= _COURTESY or thanked.start() < len(words) // 2)
    if (
        thanked
        and at_heart
        and (not troubled or thanked[0].startswith("sudah "))
        and not _asks(words, places)
    ):
        return "thanks"
    if troubled:
        return "complaint"
    if _KINDS.first(_WISHED, words, places):
        return "aspiration"
    asks = _KINDS.first(_ASKED, words, places) or (asked and _WONDERS.search(words))
    return "question" if asks else "complaint"


def _asks(words: str, places: Places) -> bool:
    return (
        not _REQUESTS.isdisjoint(words_of(words))
        or _KINDS.first(_WISHED, words, places) is not None
        or _KINDS.first(_ASKED, words, places) is not None
    )


def emptiness(raw: str, words: str) -> str:
    """ "empty" where nothing is said (signs, a greeting), "test" where somebody tries whether it works, else ""."""
    said = words_in(words)
    if not said:
        return "empty"
    if len(words_of(words) - _GREETING) > _TRIED_AT_MOST:
        return ""
    left = [word for word in said if word not in _GREETING]
    if not left:
        return "empty"
    if len(left) <= _TRIED_AT_MOST and _TEST.issuperset(left):
        return "test"
    return "empty" if len(raw) < 400 and len(set(left)) == 1 and len(left[0]) <= 2 else ""
