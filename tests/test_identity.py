"""Who is named in a text is found in all spellings; dates, prices, roads and regulations are left alone."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from word_sets import Marked, marked

from laporhub.pipeline.identity.name_words import NAMES, SHARED
from laporhub.pipeline.redact import identities, places_in, redact

SET = list(marked("identity.txt"))
OTHERS = list(marked("identity_others.txt"))
"""By authors who had not seen the rules."""
LETTERS = {
    "p": "[nomor telepon]",
    "i": "[NIK]",
    "a": "[nomor rekening/kartu]",
    "e": "[email]",
    "v": "[nomor kendaraan]",
    "h": "[alamat]",
    "n": "[nama]",
}
WORDS = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan")
OTHER_WORDS = ("kosong", "siji", "loro", "telu", "papat", "limo", "enem", "pitu", "wolu", "songo")
LOOKS = {"0": "O", "1": "I", "5": "S", "8": "B", "2": "Z"}


def left_standing(case: Marked, start: int, end: int) -> list[str]:
    """The words of a piece that nobody has hidden."""
    hidden = {place for span in identities(case.text) for place in range(span.start, span.end)}
    words = re.finditer(r"\w+", case.text[start:end])
    return [word[0] for word in words if not set(range(start + word.start(), start + word.end())) <= hidden]


def recall(cases: list[Marked] = SET) -> dict[str, float]:
    there, found = Counter[str](), Counter[str]()
    for case in cases:
        for start, end, kind in case.pieces:
            there[kind] += 1
            found[kind] += not left_standing(case, start, end)
    return {kind: found[kind] / count for kind, count in there.items()}


def test_the_set_is_large_enough_to_say_something() -> None:
    kinds = Counter(kind for case in SET for _, _, kind in case.pieces)
    assert sum(kinds[each] for each in "piaev") >= 120
    assert kinds["n"] >= 150
    assert sum(not case.pieces for case in SET) >= 80


def test_numbers_are_found_in_all_spellings() -> None:
    found = recall()
    assert min(found[kind] for kind in "piaevh") >= 0.99


def test_nine_names_of_ten_are_found() -> None:
    assert recall()["n"] >= 0.9


def test_others_are_found_in_what_they_write() -> None:
    """Of homes only those that a word says are one: the unit must get to where something happened."""
    found = recall(OTHERS)
    assert min(found[kind] for kind in "pia") >= 0.99
    assert min(found[kind] for kind in "nev") >= 0.92
    assert found["h"] >= 0.55


def test_hardly_anything_else_is_taken_for_identity() -> None:
    wrong = total = 0
    for case in (*SET, *OTHERS):
        for span in identities(case.text):
            total += 1
            wrong += not any(start < span.end and span.start < end for start, end, _ in case.pieces)
    assert wrong / total <= 0.02


@pytest.mark.parametrize(
    "case", [each for each in (*SET, *OTHERS) if not each.pieces], ids=lambda case: case.text[:40]
)
def test_nothing_is_hidden_where_there_is_nothing_to_hide(case: Marked) -> None:
    assert redact(case.text) == case.text


def test_what_is_put_in_the_place_of_each() -> None:
    """The kind may be in doubt between numbers; never between a number and a name."""
    for case in SET:
        for span in identities(case.text):
            kinds = {kind for start, end, kind in case.pieces if start < span.end and span.start < end}
            if kinds and kinds <= set("nehv"):
                assert span.kind in {LETTERS[kind] for kind in kinds}, (case.text, span)


national = st.from_regex(r"8[1-9][0-9]{8,9}", fullmatch=True).map(lambda rest: "0" + rest)
identity_numbers = st.builds(
    lambda area, day, month, rest: f"{area}{day:02}{month:02}{rest}",
    st.from_regex(r"99[0-9]{4}", fullmatch=True),
    st.integers(1, 31) | st.integers(41, 71),
    st.integers(1, 12),
    st.from_regex(r"[0-9]{6}", fullmatch=True),
)
gaps = st.sampled_from([" ", ", ", "-", " . ", "  "])


@given(national | identity_numbers, gaps, st.sampled_from([WORDS, OTHER_WORDS]))
def test_no_number_survives_in_words(digits: str, gap: str, words: tuple[str, ...]) -> None:
    said = gap.join(words[int(digit)] for digit in digits)
    assert said not in redact(f"nomor saya {said} ya")
    assert redact(f"nomor saya {said} ya").startswith("nomor saya [")


@given(national, st.data())
def test_no_number_survives_half_in_words(digits: str, data: st.DataObject) -> None:
    spoken = data.draw(st.lists(st.booleans(), min_size=len(digits), max_size=len(digits)))
    said = " ".join(
        WORDS[int(digit)] if aloud else digit for digit, aloud in zip(digits, spoken, strict=True)
    )
    assert redact(f"hubungi {said} saja") == "hubungi [nomor telepon] saja"


@given(national | identity_numbers, st.sets(st.sampled_from(sorted(LOOKS)), min_size=1, max_size=2))
def test_no_number_survives_with_letters_for_digits(digits: str, which: set[str]) -> None:
    written = "".join(LOOKS[digit] if digit in which else digit for digit in digits)
    real = sum(map(str.isdigit, written))
    if real >= len(written) * 0.4:
        assert written not in redact(f"no {written} ya") or written == digits


@given(st.sampled_from(sorted(NAMES - SHARED)), st.sampled_from(sorted(NAMES - SHARED)))
def test_no_known_name_survives_after_a_word_that_announces_it(first: str, second: str) -> None:
    for text in (f"nama saya {first} {second} dari Kudus", f"Pak {first.title()} {second.title()} marah"):
        assert first not in redact(text).lower().split()
        assert second not in redact(text).lower().split()


@given(st.lists(st.sampled_from([case.text for case in SET]), min_size=1, max_size=3).map("\n".join))
def test_hiding_again_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_a_name_that_only_shows_once_others_are_hidden_is_hidden_too() -> None:
    form = (
        "Naufal Abiyyu terserempet truk\nNama: Yekti\nAlamat: Perumahan Wana Asri Blok D2/7, Kel. Sambiroto"
    )
    assert redact(form) == "[nama] terserempet truk\nNama: [nama]\nAlamat: [alamat], Kel. Sambiroto"


@pytest.mark.parametrize(
    "text",
    [
        "Dalan desa neng Jumantono ajur mumur",
        "pasien kontrol jantung dr Wonogiri berangkat subuh",
        "jembatan Doro - Petungkriyono miring",
    ],
)
def test_a_place_of_the_profile_is_nobodys_name(text: str) -> None:
    places = places_in(("Jumantono", "Kabupaten Wonogiri", "Petungkriyono", "Wahyu Indah"))
    assert redact(text, places=places) == text
    assert redact("Nama saya Jumantono", places=places) == "Nama saya [nama]"  # but of who says so


@pytest.mark.parametrize(
    "text",
    [
        "parkir liar di depan kos2an bikin macet",
        "sopir ugal2an. tulung Pemkot dievaluasi",
        "simbah saya tinggal di Kradenan Blora, pas mudik lihat jalan ke makam parah sekali",
    ],
)
def test_what_is_said_of_the_matter_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("call me oh eight five seven, triple zero zero, six six one two", "call me [nomor telepon]"),
        ("rumah: nol dua tujuh satu, nol nol nol delapan lima dua", "rumah: [nomor telepon]"),
        ("tlp enol lapan dua dua nol nol nol nol tiga puluh lima sembilan puluh", "tlp [nomor telepon]"),
        ("nik 337205/680815/0002 ga kebaca", "nik [NIK] ga kebaca"),
        ("agung[dot]nugroho[at]gmail[dot]com", "[email]"),
        ("fitri2001@g mail.com", "[email]"),
        ("budi.s @ gmail . com", "[email]"),
        ("tono underscore jaya et gmail dot kom", "[email]"),
        ("ojol plat a de lima enam nol satu er ha nabrak", "ojol plat [nomor kendaraan] nabrak"),
        ("nopol AD - 4O4O - B menerobos", "nopol [nomor kendaraan] menerobos"),
        ("bis A D 1 4 5 6 C F menyerempet", "bis [nomor kendaraan] menyerempet"),
        ("a/n mariska utk kios", "a/n [nama] utk kios"),
        ("petugas ga ada. anita", "petugas ga ada. [nama]"),
        ("suwun min dalane wis apik — ponirah", "suwun min dalane wis apik — [nama]"),
        ("BONIFASIUS LAPOR: SALURAN JEBOL", "[nama] LAPOR: SALURAN JEBOL"),
        ("suwarni 3372014107550011, tugimin 3372011007500012", "[nama] [NIK], [nama] [NIK]"),
        (
            "beliau tinggal sendirian di Jl Mawar No.2 RT 1/RW 8, sakit",
            "beliau tinggal sendirian di [alamat], sakit",
        ),
        ("rumah sy dk. sawahan rt 06 rw 02 ds. wonokerto bocor", "rumah sy [alamat] ds. wonokerto bocor"),
        ("rumahnya jl kutilang 11. silakan dicek", "rumahnya [alamat]. silakan dicek"),
        ("imah di kp. babakan rt 04/07 desa cikoneng", "imah di [alamat] desa cikoneng"),
        ("bpjs kulo 0 0 0 2 - 1 1 9 8 - 7 6 5 4 - 3 mati", "bpjs kulo [nomor rekening/kartu] mati"),
        ("PELAKU [0838] 1290-4471", "PELAKU [nomor telepon]"),
        ("nik three3two2 1001 1215 0001", "nik [NIK]"),
        ("truk H.6.7.0.3.EL lewat", "truk [nomor kendaraan] lewat"),
        ("motor ka tiga empat dua satu em pe hilang", "motor [nomor kendaraan] hilang"),
        ("sakit di rumah sakit Dr Soetomo", "sakit di rumah sakit Dr Soetomo"),
    ],
)
def test_what_others_wrote_who_had_not_seen_the_rules_is_found(text: str, hidden: str) -> None:
    assert redact(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "tiket LG-2025-001234 belum ada tindak lanjut",
        "jl dr. rajiman sama jl kh agus salim macet",
        "PBB masih atas nama developer terus",
        "nama gapuranya sudah miring",
        "hari ini minta ttd lurahnya",
        "airnya coklat, si A dan si B tidak tahu",
        "pohon tumbang di rumah jl Mawar no 100",
        "jalan Kh. Ahmad Dahlan No. 2 rusak",
        "terima kasih Bapak Wali Kota",
        "SD NEGERI SLAMET RIYADI 2 BOCOR",
    ],
)
def test_nor_is_more_hidden_than_that(text: str) -> None:
    assert redact(text) == text


def test_a_home_ends_where_the_story_begins() -> None:
    text = "sy tinggal di jl raya mawar no 4, Sukamaju, RT 3 RW 2, pas hujan jalan 2 m tergenang"
    assert redact(text) == "sy tinggal di [alamat], pas hujan jalan 2 m tergenang"


def test_people_who_are_known_are_found_however_they_are_written() -> None:
    known = ("Nawang Wulansih",)
    assert redact("matur nuwun, nawang", names=known) == "matur nuwun, [nama]"
    assert redact("Ibu NAWANG WULANSIH yth.", names=known) == "Ibu [nama] yth."
    assert redact("jalan rusak", names=known) == "jalan rusak"
    assert redact("lampu jalan mati", names=("Jalan Terus",)) == "lampu jalan mati"


@pytest.mark.parametrize(
    "unit",
    [
        "nol ",
        "nol,",
        "noldelapan",
        "dua puluh ",
        "1, ",
        "0,8|",
        "O8I",
        "l1l1 ",
        "Pak ",
        "Budi ",
        "nama saya ",
        "a.n. ",
        "dan Budi ",
        "alamat saya di jl ",
        "rumah saya ",
        "H 1234 ",
        "a at gmail ",
        "titik ",
        "saya Budi\n",
        "İ",
        "[nama] ",
        "kos",
        "alamat",
        "-",
    ],
)
def test_hostile_texts_of_100000_characters_take_no_longer_than_others(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    assert len(redact(text)) <= 12 * len(text)
