"""What an author wrote is told from what their program quoted, in Indonesian and English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laporhub.connectors.email_words import own_words, text_of_html

OLD = "Terima kasih, laporan Anda kami terima dengan nomor LGEM-4821-0937-5568."
WROTE = {
    "gmail-id": f"Pada Sen, 23 Nov 2026 pukul 09.00 LaporGub <lapor@contoh.test> menulis:\n\n> {OLD}\n> --\n> Salam\n",
    "gmail-id-long": "Pada tanggal Sen, 23 Nov 2026 pukul 09.00 LaporGub Jawa Tengah Resmi <\n"
    f"lapor@contoh.test> menulis:\n\n> {OLD}\n",
    "gmail-en": f"On Mon, Nov 23, 2026 at 9:00 AM LaporGub <lapor@contoh.test> wrote:\n\n> {OLD}\n",
    "apple-id": f"Pada 23 Nov 2026, pukul 09.00, LaporGub <lapor@contoh.test> menulis:\n\n> {OLD}\n",
    "thunderbird-id": f"Pada 23/11/26 09.00, LaporGub menulis:\n> {OLD}\n",
    "yahoo-id": f"Pada Senin, 23 November 2026 09.00.12 WIB, LaporGub <lapor@contoh.test> menulis:  \n \n {OLD}  \n",
    "outlook-id": "Dari: LaporGub <lapor@contoh.test>\nDikirim: Senin, 23 November 2026 09.00\nKepada: Warga\n"
    f"Subjek: Re: Jalan\n\n{OLD}\n",
    "outlook-web-id": "________________________________\nDari: LaporGub <lapor@contoh.test>\nTerkirim: Senin\n\n"
    + OLD,
    "outlook-en": f"-----Original Message-----\nFrom: LaporGub\nSent: Monday\nTo: Warga\n\n{OLD}\n",
    "pesan-asli": f"-------- Pesan Asli --------\nDari: LaporGub\nTanggal: Senin\n\n{OLD}\n",
}
SIGNED = {
    "rfc": "-- \nWarga Contoh\nJalan Contoh 5",
    "iphone-id": "Dikirim dari iPhone saya",
    "iphone-en": "Sent from my iPhone",
    "android-yahoo": "Dikirim dari Yahoo Mail di Android",
    "outlook-id": "Dapatkan Outlook untuk Android",
    "samsung": "Dikirim dari perangkat Galaxy saya",
}
ANSWER = "Sudah saya cek.\n\nLubangnya masih ada, sekitar 2 meter."


@pytest.mark.parametrize("quoted", WROTE.values(), ids=WROTE.keys())
def test_what_a_program_quoted_is_cut(quoted: str) -> None:
    assert own_words(f"{ANSWER}\n\n{quoted}") == ANSWER
    assert own_words(f"{ANSWER}\n\n{quoted}".replace("\n", "\r\n")) == ANSWER


@pytest.mark.parametrize("signature", SIGNED.values(), ids=SIGNED.keys())
def test_a_signature_is_cut(signature: str) -> None:
    assert own_words(f"{ANSWER}\n\n{signature}\n\n{WROTE['gmail-id']}") == ANSWER


def test_answers_between_the_lines_are_kept() -> None:
    between = "Pada Sen, 23 Nov 2026 LaporGub <a@b.test> menulis:\n"
    between += "> Di mana?\nDi depan pasar.\n> Sejak kapan?\nKemarin.\n"
    assert own_words(between) == "Di depan pasar.\nKemarin."


@pytest.mark.parametrize(
    "text",
    [
        "Pada hari Senin petugas menulis: tunggu saja.",
        "Pada 23 November petugas menulis:\ntunggu saja.",
        "Dari: saya sendiri\nJalan rusak.",
        "Kami menunggu --\ntidak ada kabar.",
        "Pada malam hari gelap.\nDikirim dari Semarang ke Batang barangnya hilang, mohon ditindak.\nTerima kasih.",
        "> 5 meter lubangnya",
    ],
)
def test_words_that_only_look_like_a_mark_are_kept(text: str) -> None:
    assert own_words(text) == text


def test_a_mail_that_was_only_passed_on_is_kept_whole() -> None:
    assert OLD in own_words(WROTE["outlook-id"])


@given(st.text())
def test_never_more_than_was_there_and_never_nothing(text: str) -> None:
    found = own_words(text)
    assert bool(found.strip()) == bool(text.strip())
    assert own_words(found).strip() in found


def test_html_is_read_as_a_person_sees_it() -> None:
    html = (
        "<html><head><title>x</title><style>p{}</style></head><body><p>Jalan&nbsp;rusak &amp; gelap</p>"
        "<div>di Batang<br>sejak kemarin</div><script>alert(1)</script><img src='https://intip.test/a.png'>"
        "<ul><li>satu</li><li>dua</li></ul>"
        "<div class='gmail_quote'>Pada Sen, 23 Nov 2026 LaporGub &lt;a@b.test&gt; menulis:<br>"
        f"<blockquote><div>{OLD}</div></blockquote></div></body></html>"
    )
    assert own_words(text_of_html(html)) == "Jalan rusak & gelap\n\ndi Batang\nsejak kemarin\nsatu\ndua"


def test_words_after_a_declaration_that_is_none_are_kept() -> None:
    assert "Jembatan retak" in text_of_html("<p>Di Batang</p><![;<p>Jembatan retak</p>")


@pytest.mark.parametrize("bit", ["<a ", "<a href='", "<!--", "<![CDATA[", "</", "<", "<script>", "<p>", "&#"])
def test_hostile_html_is_read_in_one_go(bit: str) -> None:
    """Half a megabyte of it: a parser that looks again and again would not come back."""
    text_of_html(bit * (500_000 // len(bit)))


@given(st.text(alphabet="<>/abp!-[]&;\"'= x", max_size=80))
def test_broken_html_breaks_nothing(html: str) -> None:
    text_of_html(html)
