"""Advertising: gambling, loans, goods, services, jobs that pay for likes, prizes that cost. Pure.

What is offered and how one is called to take it weigh together; words with which people complain of the same things
weigh against.
"""

from __future__ import annotations

import re
from typing import Final

from laporhub.classifiers.beginnings import Phrases
from laporhub.pipeline.text import words_of

_OFFERS: Final[tuple[tuple[float, str], ...]] = (
    # who wants to be let in
    (
        2.0,
        r"kode otp|verifikasi data|(?:isi|masukkan) (?:\w+ ){0,3}(?:pin|otp)|wallet anda|airdrop|akan diblokir"
        r"|dinonaktifkan|instal dulu",
    ),
    # gambling: hardly said otherwise
    (
        2.0,
        r"togel (?:sgp|hk|sdy)|prediksi jitu|\d ?d tembus|tembus \d ?d|mahar setelah|"
        r"gacor|slotgacor|gacorhari|maxwin|anti rungkad|rungkad|scatter (?:hitam|beruntun)|rtp|slot ?88"
        r"|sbobet|freebet|freespin|free spin|parlay|mahjong ways|zeus|olympus"
        r"|pragmatic|turnover|jp paus|chip (?:higgs|domino)|toto macau|bocoran (?:rtp|pola|slot)"
        r"|pola (?:gacor|slot)|prediksi angka|angka jitu|keluaran"
        r"|akun pro|id pro|akun vip|anti nawala|anti lag|anti banned|rebate|cashback kalah|tanpa tumbal"
        r"|bosku|jackpot jutaan|gampang jp|hoki setiap spin",
    ),
    (
        1.0,
        r"slot|togel|judi|casino|kasino|poker|bandar|jackpot|scatter|spin|sgp|sdy|hongkong|bet|taruhan"
        r"|chip|turnamen slot|menang(?:an)?|kemenangan|situs"
        r"|hoki|cuan|jitu|kaya|sultan",
    ),
    (
        1.0,
        r"bonus|cashback|depo|deposit|wd|modal receh|modal \d+ ?rb|tanpa potongan|to rendah|referral"
        r"|saldo dana|qris|gas main",
    ),
    # money
    (
        1.2,
        r"pinjaman|pinjol|pinjam uang|dana (?:tunai|cepat|besar)|kredit|gadai|take over|tanpa (?:jaminan"
        r"|agunan|survey|dp|bi checking)|bi checking"
        r"|lunasi dulu|tanpa riba|data dijamin",
    ),
    (
        1.0,
        r"(?:langsung )?cair (?:\d+ ?menit|cepat|hari ini|semenit|besok|tanpa)|bunga (?:ringan|rendah|0)"
        r"|tenor|proses (?:cepat|mudah)|limit (?:\d+|hingga|sampai)"
        r"|acc semua|hanya ktp|modal selfie|hingga \d+ juta|bpkb|solusi hutang|butuh dana|cicilan ringan",
    ),
    (
        1.4,
        r"gestun|paylater|peluang bisnis|balik modal|jadi leader|joki (?:rank|ml|tugas)|epic ke mythic|"
        r"crypto|kripto|sinyal akurat|passive income"
        r"|profit (?:harian|konsisten|pasti|\d+)|pasti untung|robot trading|copy trade|bitcoin"
        r"|trading bareng|penghasilan (?:pasif|harian|tambahan)"
        r"|untung jutaan|downline|mlm|webinar gratis|rekomendasi cuan|arisan online get|get \d+ juta"
        r"|like dan subscribe|(?:komisi|gaji|dibayar) (?:harian|\d+)"
        r"|dari hp|kerja paruh waktu|input data|tanpa modal|titip dana|bisnis rumahan|loker",
    ),
    # prizes and traps
    (
        1.4,
        r"pemenang undian|konfirmasi pin|hadiah (?:\w+ ){0,3}(?:mobil|unit|honda|avanza|motor)"
        r"|resmi (?:terpilih|meraih|m)|pin(?: \w+)? (?:pemenang|undian|anda|pmenang)"
        r"|isi ulang|gratis (?:pulsa|kuota|internet\w*)|ekstra pulsa|berlaku s d|giveaway \d+ hp"
        r"|nomor anda terpilih|pin pemenang|anda mendapat hadiah|mendapat hadiah mobil|dapatkan (?:kuota"
        r"|pulsa|uang|hadiah|saldo|cashback)"
        r"|kuota gratis|token listrik gratis|giveaway \d+|follow dan share|sebarkan pesan|kirim pesan ini"
        r"|verifikasi melalui|untuk bayar|file apk|unduh apk"
        r"|masukkan nomor kartu|isi (?:data|form) di|bea cukai|akun bank anda|bobol|sadap",
    ),
    # what is offered, whatever it is
    (
        1.0,
        r"penghasil uang|tarik saldo|saldo (?:dana|gopay|ovo)|bayaran tertinggi|gampang jebol|wd tanpa"
        r"|kami siap (?:bantu|membantu|antar)|cukup (?:foto|ktp|modal)"
        r"|spesial (?:lebaran|ramadan|natal|imlek|hari)|dapat \d+|info kost|angsuran|syarat mudah"
        r"|terima (?:servis|pesanan|jasa|jahitan)|teknisi"
        r"|melayani|tersedia|dibutuhkan|berangkat gratis|langsung kerja|lunas dalam|metode kami|buka jasa"
        r"|joki|ke seluruh (?:kota|indonesia)|promo gajian"
        r"|semua menu|berpengalaman|rebahan|harga|cuma|hanya \d+|per (?:bulan|kg|pcs|meter|slop)"
        r"|menerima pesanan|produk|katalog|kw super|branded|impian|siap antar|kami solusinya|garansi uang"
        r"|shm|affiliate|komisi (?:sampai|hingga)|main bareng",
    ),
    (0.8, r"\d+ ?(?:rb|ribu|ribuan|jt|juta|jutaan|k)|rp ?\d+|\d{1,3} 000"),
    # goods and services
    (
        1.35,
        r"jual|jastip|open (?:jastip|po|order)"
        r"|ready|stok|grosir|reseller|dropship|harga (?:pabrik|grosir|nego|bersaing|tinggi|termurah"
        r"|promo)|gratis ongkir|cod|diskon|promo|beli \d+ gratis"
        r"|grand opening|penawaran|murah|mulai \d+|sewa|jasa|rental|sedot wc|service|catering|travel"
        r"|umroh|umrah|visa furoda|furoda|kavling|perumahan subsidi|pasang wifi"
        r"|cetak spanduk|kursus|bimbel|les privat|tambah followers|followers|akun (?:netflix|premium)"
        r"|cctv \d+|toko emas|tiket konser|obat (?:kuat|aborsi|pembesar)"
        r"|pelangsing|pemutih|herbal|madu hutan|suplemen|pelet|pesugihan|penggandaan|open bo|vcs"
        r"|pijat panggilan|film dewasa|short time|sim tembak|urus sim"
        r"|daftar bpjs kolektif|bebas plagiasi|skripsi|ijazah resmi|kaos partai|apartemen harian"
        r"|hotel melati promo|miras import|tanpa cukai per|motor bodong aman"
        r"|mobil bekas|hapus bi|data nomor|dicari|beras \d+ ?kg|biaya terjangkau|seo|backlink"
        r"|pembuatan website|pendaftaran bulan ini|promosi|undangan pernikahan digital|channel youtube"
        r"|geprek|liquid",
    ),
)
_CALLS: Final[tuple[tuple[float, str], ...]] = (
    (
        1.2,
        r"klik|link|tautan|cek (?:ig|link|bio)|di bio|bio|di profil|daftar (?:sekarang|segera|gratis"
        r"|disini|di sini|link|akun|via)|login|join|gabung|klaim|unduh"
        r"|kunjungi|kunjungi kami|download|subscribe|checkout|serbu|main sekarang|pasang (?:sekarang"
        r"|di sini)|buktikan|cek",
    ),
    (
        1.0,
        r"follow back|folback|mutualan|site visit|free (?:biaya|ongkir)|sisa \d+ (?:kursi|unit|slot|kamar)|dp \d+"
        r"|wa|whatsapp|dm|inbox|chat|hubungi|order|booking|pesan|minat|berminat|info hubungi|via|telegram"
        r"|email kami|konsultasi|transfer|fast respon|minimal"
        r"|japri|diborong|kirim (?:ka|ke) (?:saluruah|seluruh|sakuliah)|trusted|no ribet"
        r"|siap (?:kirim|kredit|bangun)|antar (?:cepat|gratis|jemput)|nego|gas",
    ),
    (
        0.8,
        r"sekarang juga|hari ini|terbatas|bergaransi|garansi|dijamin|aman|terpercaya|resmi|ampuh|tuntas"
        r"|testimoni|ribuan|real pict|privasi|legal|gratis|24 jam"
        r"|jutaan|pasti|terbaik|langsung|berlaku|panggilan",
    ),
)
_AGAINST: Final = (
    r"mohon|tolong|lapor\w*|melaporkan|aduan|mengadu|korban|penipuan|penipu|tertipu|ditipu|menipu"
    r"|modus|meresahkan|resah|ditertibkan|ditindak|diblokir"
    r"|berantas|dirazia|razia|ditutup|dicopot|diperiksa|diselidiki|diperbaiki|dicek|ditegur|diteror"
    r"|teror|kecanduan|mengganggu|merusak|rusak|bagaimana"
    r"|kapan|apakah|mengapa|kenapa|belum|tidak bisa|gagal|error|hilang|kabur|mahal|naik|liar|palsu"
    r"|ilegal|bodong|bolos|tanpa izin|suami saya|anak saya|saya sudah"
    r"|warga|desa kami|kami banjir|merajalela|dipersulit|menolak|dipungut|memungut|minta|seenaknya"
    r"|kotor|bau|macet|lemot|down|mati|habis|kosong|menumpuk"
    r"|tertahan saya|menimbun|di atas harga|di atas het|debt collector|merampas|dibobol|dipotong"
    r"|katanya|terlambat|sengketa|kurang|info lowongan|jam kerja"
    r"|membuang|dibuang|dijual di|dijual (?:bebas|dengan)|orang tua|dekat sekolah|depan sekolah"
    r"|santunan|jasa raharja|kecelakaan|meninggal|ketipu|refund|antri|antre|disuruh|ditahan|ilang"
    r"|terang terangan|gerakan pangan murah|blokir|kena hack|diretas|takutnya|resmi apa|apa resmi|calo|het|retribusi"
    r"|biayanya|percuma|dibalas|subsidi di kios|berapa ya|brp ya|nongol|iklannya|penuh iklan|dihapus"
    r"|hapus|ganggu|komentar|makin banyak|nawarin|padahal|operasi pasar|gara|gara gara"
    r"|pegawai|petugas|dinas|puskesmas|sekolah|bumdes|selalu"
)
_ENOUGH = 1.8
_LESS = 0.9
"""What each kind of word of a complaint takes away."""

_KINDS: Final = (*_OFFERS, *_CALLS)
_SAID: Final = Phrases([words for _, words in _KINDS])
_STILL_LESS = 0.8
_TELLS: Final = re.compile(
    r"\b(?:meresahkan|melaporkan|laporkan|modus\w*|korban|diblokir|kecanduan|tertipu|ditipu|berantas|dirazia|ditertibkan)\b"
)
"""Who says this of gambling or loans has nothing to sell."""
_COMPLAINS: Final = re.compile(rf"\b(?:{_AGAINST})\b")


_AGAINST_WORDS: Final = frozenset(word for word in _AGAINST.split("|") if word.isalpha())
_MORE = 0.35
"""What each further word of a kind adds to its weight, twice at most."""


def is_advertising(words: str) -> bool:
    """Whether a person should check a normalised text for advertising."""
    against = _LESS * len(words_of(words) & _AGAINST_WORDS)
    told: dict[int, set[str]] = {}
    for kind, phrase in _SAID.found(words):
        told.setdefault(kind, set()).add(phrase)
    score = offered = 0.0
    for kind, phrases in told.items():
        gain = _KINDS[kind][0] * (1 + _MORE * min(len(phrases) - 1, 2))
        score += gain
        offered += gain if kind < len(_OFFERS) else 0
    if offered == 0 or score - against < _ENOUGH:
        return False
    complains, tells = set(_COMPLAINS.findall(words)), set(_TELLS.findall(words))
    return score - _LESS * len(complains) - _STILL_LESS * len(tells) >= _ENOUGH
