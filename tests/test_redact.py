"""Nobody is named by a number that they typed; what the case needs stays readable."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from laporhub.pipeline import ids
from laporhub.pipeline.redact import contacts_in, redact

OFFICE = contacts_in(
    "Hotline (024) 8441256 · SMS dan WhatsApp 08112920200 · X @LaporGub_ · Aduan@Kantor.example"
)

# Words, dates, sums and half-written things that a number may stand beside.
BESIDE = st.text(st.sampled_from("abok XZ.,:;!?()/+-_'\"\n\t[]rpWAhp")).map(
    lambda text: text
) | st.sampled_from(
    [
        "tgl 08-12-2024 10.30 ",
        "jam 08.30-10.00 ",
        " Rp 1.500.000 ",
        "RT 05/02 no. 12 ",
        "hub saya di ",
        "WA:",
        "kode pos 50241 ",
        " -6.966667, 110.416664 ",
        "NIK ",
        "TELP",
        "(",
        ")",
        " 5 orang ",
    ]
)


@st.composite
def spelled(draw: st.DrawFn, digits: str) -> str:
    """Digits in groups of three to five with one kind of gap."""
    gap = draw(st.sampled_from(["", " ", "-", ".", " - ", "  "]))
    groups = []
    rest = digits
    while len(rest) > 5:
        size = draw(st.integers(3, 4))
        groups.append(rest[:size])
        rest = rest[size:]
    return gap.join([*groups, rest])


@st.composite
def phones(draw: st.DrawFn) -> str:
    """A number, fictional in form, in one of the spellings in use."""
    national = "8" + draw(st.text("0123456789", min_size=8, max_size=11))
    number = draw(spelled(national))
    lead = draw(st.sampled_from(["0", "62", "+62", "+62 ", "(+62) ", "+62-", "0062", "62 "]))
    if draw(st.booleans()):
        area, subscriber = (
            draw(st.sampled_from(["24", "21", "293", "271", "285"])),
            draw(st.text("123456789", min_size=6, max_size=8)),
        )
        forms = [
            "(0{a}) {s}",
            "(0{a}){s}",
            "0{a}-{s}",
            "0{a} {s}",
            "0{a}{s}",
            "0{a}/{s}",
            "+62 {a} {s}",
            "+62{a}{s}",
        ]
        return draw(st.sampled_from(forms)).format(a=area, s=subscriber)
    return lead + number


@st.composite
def emails(draw: st.DrawFn) -> str:
    local = draw(st.from_regex(r"[A-Za-z0-9._%+-]{1,20}", fullmatch=True))
    domain = draw(st.sampled_from(["example.com", "mail.example.co.id", "Contoh.Example", "gmail.com"]))
    return f"{local}@{domain}"


def digits_of(text: str) -> str:
    return "".join(re.findall(r"\d", text))


@given(before=BESIDE, phone=phones(), after=BESIDE)
@example(before="TELP", phone="081234567890", after="")
@example(before="o", phone="0800 000 000", after="")
@example(before="tgl 08-12-2024 10.30 ", phone="0812-3456-7890", after=" 12-03-2024")
def test_no_phone_survives(before: str, phone: str, after: str) -> None:
    assert digits_of(phone) not in digits_of(redact(f"{before}{phone}{after}"))
    assert "[nomor" in redact(f"{before}{phone}{after}") or "[NIK]" in redact(f"{before}{phone}{after}")


@given(before=BESIDE, nik=st.from_regex(r"[1-9][0-9]{15}", fullmatch=True), after=BESIDE, data=st.data())
def test_no_identity_number_survives(before: str, nik: str, after: str, data: st.DataObject) -> None:
    shown = data.draw(
        st.just(nik) | st.just(" ".join(re.findall("....", nik))) | st.just(".".join(re.findall("....", nik)))
    )
    assert nik not in digits_of(redact(f"{before}{shown}{after}"))


@given(before=BESIDE, email=emails(), after=BESIDE)
def test_no_email_survives(before: str, email: str, after: str) -> None:
    assert email not in redact(f"{before}{email}{after}")


@given(
    st.lists(BESIDE | phones() | emails() | st.text("0123456789 .-()/@oO+", max_size=40), max_size=8).map(
        "".join
    )
)
def test_redacting_again_changes_nothing(text: str) -> None:
    assert redact(redact(text, OFFICE), OFFICE) == redact(text, OFFICE)


@given(st.text().filter(lambda text: not re.search(r"[^\W_]|@", text)))
def test_text_without_letters_digits_and_at_signs_is_untouched(text: str) -> None:
    assert redact(text) == text


@given(
    case=st.text(min_size=1),
    prefix=st.sampled_from(["LG", "WAD", "B"]),
    code=st.sampled_from(["WP", "WA", "HL"]),
)
def test_our_own_tickets_stay(case: str, prefix: str, code: str) -> None:
    ticket = ids.ticket(prefix, code, case)
    assert redact(f"Bagaimana aduan {ticket}?") == f"Bagaimana aduan {ticket}?"


@pytest.mark.parametrize(
    "text",
    [
        "tanggal 08-12-2024 pukul 08.30-10.00 WIB",
        "sejak 12/03/2024 jam 10:30",
        "09 - 08 - 2022 sampai 2024-01-31",
        "pungutan Rp 1.500.000 dan Rp1500000000, total 12.500.000.000 rupiah",
        "Rp. 500.000-1.000.000 per siswa",
        "Jl. Melati No. 12 RT 05/RW 02, 50241",
        "RT.005/002 blok B3 no 14",
        "lokasi -6.966667, 110.416664",
        "https://www.google.com/maps/@-7.0051453,110.4381254,17z",
        "titik -7.005145348849,110.438125993",
        "tahun 2020 2021 2022 2023 2024",
        "tahun ajaran 2022/2023 sampai 2024-2025",
        "surat 421.2/1234/2024",
        "hubungi 112, 119 atau 110",
        "harga 20.000 per kg, naik dari 15.000",
        "no 10 11 12 sampai 25",
        "@LaporGub_ tolong",
    ],
)
def test_dates_sums_addresses_and_coordinates_stay(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("HP 0812-3456-7890 ya", "HP [nomor telepon] ya"),
        ("o812 3456 78oo9", "[nomor telepon]"),
        ("0️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣9️⃣!", "[nomor telepon]!"),
        ("０８００１２３４５６７", "[nomor telepon]"),
        ("wa 800 1234 567", "wa [nomor telepon]"),
        ("telp 7654321", "telp [nomor telepon]"),
        ("+65 8000 0000", "[nomor telepon]"),
        ("(08001234567)", "([nomor telepon])"),
        ("08001234567/08007654321", "[nomor telepon]/[nomor telepon]"),
        ("NIK: 99.74.01.010190.0001", "NIK: [NIK]"),
        ("KK 9974010101900001, ", "KK [NIK], "),
        ("rek BRI 1234-01-012345-53-8", "rek BRI [nomor rekening/kartu]"),
        ("rekening 123 456 7890", "rekening [nomor rekening/kartu]"),
        ("idpel 523456789012", "idpel [nomor rekening/kartu]"),
        ("NPWP 12.345.678.9-012.345", "NPWP [nomor rekening/kartu]"),
        ("surat ke warga.contoh @gmail.com. Trims", "surat ke [email]. Trims"),
        ("mulai 08001234567 12-03-2024", "mulai [nomor telepon] 12-03-2024"),
    ],
)
def test_what_is_put_in_its_place(text: str, public: str) -> None:
    assert redact(text) == public


@pytest.mark.parametrize(
    "spelling",
    [
        "(024) 8441256",
        "024-8441256",
        "+62 24 8441256",
        "0811-2920-200",
        "+628112920200",
        "62811 2920 200",
        "telp 8441256",
    ],
)
def test_an_office_may_be_named_in_any_spelling(spelling: str) -> None:
    text = f"saya sudah hubungi {spelling} dan aduan@KANTOR.example, nomor saya 08001234567"
    assert redact(text, OFFICE) == text.replace("08001234567", "[nomor telepon]")


def test_contacts_are_read_in_one_spelling() -> None:
    assert {"0248441256", "08112920200", "aduan@kantor.example"} == OFFICE
    assert contacts_in("whatsapp:+628112920200") == {"08112920200"}
    assert contacts_in("Kantor di Jl. Melati 5") == frozenset()


def test_hostile_texts_of_100000_characters_are_handled() -> None:
    for unit in (
        "1 ",
        "0812 ",
        "1",
        "a@",
        "a.b@",
        "+(",
        "08.12.",
        "ABCD1234",
        "o0",
        "1.000.",
        "1-",
        "rp ",
        "ABC-1234-",
        " ",
    ):
        text = (unit * 100_000)[:100_000]
        assert redact(redact(text)) == redact(text)
