"""Danger is noticed, and hatred, abuse and advertising are shown to a person; plain words are not."""

import pytest

from laporhub.classifiers.signals import flags, urgency
from laporhub.pipeline.text import normalise


@pytest.mark.parametrize(
    "text",
    [
        "ada kebakaran di pasar, tolong!",
        "rumah warga terbakar",
        "kabel listrik putus menjuntai di jalan",
        "anak kesetrum tiang lampu",
        "Banjir sudah sepinggang, warga butuh evakuasi",
        "dua orang tertimbun longsor",
        "Ada tawuran bawa celurit",
        "istri saya dianiaya, tolong KDRT",
        "tanggul sungai jebol",
        "bau gas menyengat, gas bocor",
        "puluhan siswa keracunan makanan",
    ],
)
def test_people_in_danger_are_critical(text: str) -> None:
    assert urgency(normalise(text)) == "critical"


@pytest.mark.parametrize(
    "text",
    [
        "lubang besar menganga, banyak yang jatuh",
        "sering terjadi kecelakaan di tikungan",
        "pohon mau tumbang ke rumah",
        "jalan ambles separuh",
        "ibu saya stroke dan ditolak rumah sakit",
        "banyak kasus demam berdarah",
        "jembatan hampir roboh",
    ],
)
def test_what_may_hurt_somebody_is_high(text: str) -> None:
    assert urgency(normalise(text)) == "high"


@pytest.mark.parametrize(
    "text",
    [
        "KTP belum jadi sebulan",
        "bakar sampah tiap sore, asapnya mengganggu",
        "pajak jatuh tempo",
        "pelayanan rumah sakit lambat",
        "lampu jalan mati",
        "kabel internet semrawut",
        "",
    ],
)
def test_ordinary_complaints_are_normal(text: str) -> None:
    assert urgency(normalise(text)) == "normal"


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("dasar cina perusak", "sara"),
        ("usir semua orang papua dari sini", "sara"),
        ("goblokkk semua pegawainya", "abusive"),
        ("dasar anjing kalian", "abusive"),
        ("pejabat babi", "abusive"),
        ("jancuk jalane rusak terus", "abusive"),
        ("SLOT GACOR maxwin! bonus new member 100%, klik link di bio", "spam"),
        ("Pinjaman cepat tanpa jaminan, bunga ringan langsung cair", "spam"),
        ("Selamat anda terpilih mendapat hadiah mobil, PIN pemenang 123, klik www", "spam"),
    ],
)
def test_what_a_person_must_look_at_is_flagged(text: str, flag: str) -> None:
    assert flag in flags(normalise(text))


@pytest.mark.parametrize(
    "text",
    [
        "sampah menumpuk, tolong diangkut",
        "anjing liar menggigit anak",
        "banyak anjing tetangga menggonggong",
        "kandang babi dekat masjid kaum muslim baunya menyengat",
        "anak saya buta dan tidak dapat bantuan",
        "jalan ini buta rambu",
        "warga cina dan jawa di sini rukun",
        "gereja dan masjid di desa kami butuh bantuan",
        "kami orang Papua minta beasiswa",
        "bantuan untuk warga Kristen dan Islam sama saja",
        "situs judi slot gacor meresahkan, kami melaporkan modusnya ke kominfo",
        "saya korban pinjaman online ilegal tanpa jaminan, bunga rendah katanya",
        "monyet masuk kampung dari hutan",
        "tai kucing di taman",
        "usaha saya butuh modal",
        "jalan kotor sekali",
        "tikus mati dan bangkai babi hutan di sungai",
    ],
)
def test_plain_words_are_not_flagged(text: str) -> None:
    assert flags(normalise(text)) == ()


def test_several_flags_may_apply() -> None:
    assert flags(normalise("goblok, dasar cina babi")) == ("abusive", "sara")
