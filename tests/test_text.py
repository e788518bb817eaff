"""What citizens type is kept readable and harmless, and can be matched however it is spelled."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from laporhub.pipeline.text import clean, names_a_place, normalise

ANY_TEXT = st.text(st.characters())
NASTY = st.text(
    st.sampled_from(
        "a e\u0301\u0327\r\n\t\x00\x0b\x85\u2028\u200b\u200d\u202e\ufe0f\ud83d\ude00\u2329\u21d0\u0338👩👧<"
    )
)


@given(ANY_TEXT | NASTY)
@example("\u2329\u200d😀")
@example("\u21d0\u200d\u0338\u200d😀")
@example("e\u200d\u0301")
@example("\n \n \n \n a \n\n\n\n\n b \n")
def test_cleaning_again_changes_nothing(raw: str) -> None:
    assert clean(clean(raw)) == clean(raw)


@given(ANY_TEXT | NASTY)
def test_cleaned_text_can_be_stored_and_shown_anywhere(raw: str) -> None:
    text = clean(raw)
    text.encode()
    assert unicodedata.is_normalized("NFC", text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Co") and c not in "\n\t" for c in text)
    assert not set(text) & set(
        "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    )
    assert "\n\n\n\n" not in text
    assert text == text.strip()


@given(st.text(st.sampled_from("abcdefghij klmnop.,!?()0123456789-ëé\n\t"), min_size=1))
def test_plain_writing_is_left_alone_but_for_the_space_around_lines(raw: str) -> None:
    assert clean(raw).split() == raw.split()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Jalan\r\nrusak\rparah", "Jalan\nrusak\nparah"),
        ("a\n\n\n\n\n\nb", "a\n\n\nb"),
        ("a\n\nb\tc", "a\n\nb\tc"),
        ("\x00Lampu\x07 mati\ufeff", "Lampu mati"),
        ("aman\u202egnutag", "amangnutag"),
        ("keluarga 👨\u200d👩\u200d👧 kami", "keluarga 👨\u200d👩\u200d👧 kami"),
        ("ru\u200dsak\u200b", "rusak"),
        ("putus \ud800 di sini", "putus \ufffd di sini"),
        ("\ud83d\ude00", "😀"),
        ("cafe\u0301", "café"),
        ("", ""),
    ],
)
def test_what_is_taken_out_and_what_stays(raw: str, text: str) -> None:
    assert clean(raw) == text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Jl. Pemuda RUSAKKK parahhhh!!!", "jalan pemuda rusak parah"),
        (
            "jln yg gk pernah diperbaiki krn tdk ada dana",
            "jalan yang tidak pernah diperbaiki karena tidak ada dana",
        ),
        ("lampu blm nyala, sdh lapor", "lampu belum nyala sudah lapor"),
        ("Ds. Sidomaju Kec. Tirto Kab. Pekalongan", "desa sidomaju kecamatan tirto kabupaten pekalongan"),
        ("lubang2 di dijalan", "lubang di di jalan"),
        ("maaf saat keadaan darurat", "maaf saat keadaan darurat"),
        ("Gang III", "gang iii"),
        ("𝗝𝗮𝗹𝗮𝗻 ｒｕｓａｋ", "jalan rusak"),
        ("anak-anak", "anak anak"),
        ("...", ""),
    ],
)
def test_spellings_of_one_thing_come_out_alike(typed: str, words: str) -> None:
    assert normalise(typed) == words


@given(ANY_TEXT)
def test_normalising_takes_any_text_and_leaves_words_and_single_spaces(text: str) -> None:
    words = normalise(clean(text))
    assert words.split(" ") == words.split() or words == ""


@pytest.mark.parametrize(
    "text",
    [
        "lubang di Jl. Pemuda depan pasar",
        "lampu mati di gg mawar",
        "Desa Sumberejo tidak ada air",
        "banjir di RT 03 RW 02",
        "rt03/rw02 gelap",
        "macet di km 12",
        "pungli di SMAN 1 Contoh",
        "sampah menumpuk dekat masjid Agung",
        "jalan rusak, kec. tirto",
        "lampu di perumahan griya asri padam",
        "dijalan melati ada lubang",
    ],
)
def test_an_address_is_noticed(text: str) -> None:
    assert names_a_place(text)


@pytest.mark.parametrize(
    "text",
    [
        "Jalan rusak parah, tolong diperbaiki",
        "jalan berlubang di depan rumah saya",
        "desa kami tidak pernah dapat bantuan",
        "pelayanan lambat sekali",
        "jalan raya sangat gelap",
        "saya jalan kaki setiap hari dekat sini",
        "",
    ],
)
def test_a_text_that_says_no_place_is_asked_where(text: str) -> None:
    assert not names_a_place(text)


def test_a_message_of_100000_characters_is_handled() -> None:
    for unit in ("jalan ", "a", "e\u0301", "\n ", "\u200d", "jl. x ", "Ã"):
        text = (unit * 100_000)[:100_000]
        assert len(clean(text)) <= 100_000
        normalise(text)
        names_a_place(text)
