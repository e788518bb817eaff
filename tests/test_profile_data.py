"""The shipped profiles and the small city profile for tests: units, places and replies."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

import pytest
from jinja2 import Environment, StrictUndefined
from jinja2.meta import find_undeclared_variables
from ruamel.yaml import YAML

from laporhub.pipeline.profile.check import NOTICE_FACTS
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_life import OCCASIONS
from laporhub.pipeline.profile.schema_units import Territory, Unit, Units
from laporhub.pipeline.profile.section import say

ROOT = Path(__file__).resolve().parent.parent
JATENG = ROOT / "profiles" / "laporgub-jateng"
WADUL, BATIKNET = ROOT / "profiles" / "wadul-aladin", ROOT / "profiles" / "batiknet"
SURABAYA = ROOT / "tests" / "profiles" / "surabaya"
FOLDERS = (JATENG, WADUL, BATIKNET, SURABAYA)

REGENCIES = {f"33.{number:02}" for number in range(1, 30)}
CITIES = {f"33.{number}" for number in range(71, 77)}
TWINS = ("magelang", "semarang", "pekalongan", "tegal")
SURABAYA_UNITS = {
    "bpbd_damkar",
    "dagang_koperasi",
    "dukcapil",
    "kepegawaian",
    "kesehatan",
    "kominfo",
    "lingkungan_hidup",
    "pajak_keuangan",
    "pdam",
    "pekerjaan_umum",
    "pemuda_budaya_wisata",
    "pendidikan",
    "perempuan_anak_kb",
    "perhubungan",
    "perizinan",
    "perkim",
    "pertanian_pangan",
    "satpol_pp",
    "setda_lain",
    "sosial",
    "tenaga_kerja",
    "wilayah",
}

MOST_CLAIMANTS = 3
"""A road or its lights may be the state's, the province's or the regency's: more than that says nothing."""
SMS_LIMIT = 300
POST_LIMIT = 280
FACTS = {
    "ticket",
    "title",
    "site",
    "contact",
    "due",
    "opens",
    "unit",
    "missing",
    "asking",
    "advised",
    "draft",
}
PURPOSES = (
    "confidential",
    "ack",
    "after_end",
    "completed",
    "incomplete",
    "question",
    "rejected",
    "appealed",
    "granted",
    "upheld",
    "merged",
    "separated",
    "resumed",
    "handed_over",
    "disposed",
    "response",
    "reopened",
    "ask_first",
    "ask_next",
    "ask_again",
    "reminder",
)
MID_SENTENCE = ("ask_next", "ask_again")
"""Said in the middle of a conversation that began with the ticket."""


@lru_cache
def profile(folder: Path) -> Profile:
    """As its newest version has it."""
    return load(folder).profile


@lru_cache
def units(folder: Path) -> Units:
    return Units.model_validate(YAML(typ="safe").load((folder / "units.yaml").read_text("utf-8")))


def by_id(folder: Path) -> dict[str, Unit]:
    return {unit.id: unit for unit in units(folder).units}


def regions() -> list[tuple[Unit, Territory]]:
    return [(unit, unit.territory) for unit in units(JATENG).units if unit.territory]


ALL_UNITS = [
    pytest.param(unit, id=f"{folder.name}:{unit.id}") for folder in FOLDERS for unit in units(folder).units
]


# ── units ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_unit_has_its_own_id_and_title_and_a_kind_that_is_explained(folder: Path) -> None:
    data = units(folder)
    assert len(by_id(folder)) == len({unit.title for unit in data.units}) == len(data.units)
    assert {unit.unit_kind for unit in data.units} == set(data.kinds)


@pytest.mark.parametrize("unit", ALL_UNITS)
def test_a_unit_says_enough_of_itself_to_be_found(unit: Unit) -> None:
    assert unit.tasks
    assert len(unit.keywords) >= 4
    assert 2 <= len(unit.examples) <= 4


@pytest.mark.parametrize("unit", ALL_UNITS)
def test_keywords_are_lower_case_said_once_and_not_denied(unit: Unit) -> None:
    words = [*unit.keywords, *unit.not_ours]
    assert [word for word in words if word != word.lower().strip()] == []
    assert [word for word, times in Counter(words).items() if times > 1] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_keyword_is_claimed_by_so_many_that_it_says_nothing(folder: Path) -> None:
    claimants: defaultdict[str, set[str]] = defaultdict(set)
    for unit in units(folder).units:
        for word in unit.keywords:
            # Which regency or city is meant, the place tells: together they are one claimant.
            claimants[word].add("regions" if unit.territory else unit.id)
    assert {word: who for word, who in claimants.items() if len(who) > MOST_CLAIMANTS} == {}


@pytest.mark.parametrize(
    ("unit", "ours", "not_ours"),
    [
        ("dinas-pupr", "jalan provinsi", "jalan desa"),
        ("dinas-pupr", "jembatan provinsi", "jalan nasional"),
        ("bbpjn", "pantura", "jalan provinsi"),
        ("dishub", "lampu jalan provinsi", "lampu kampung"),
        ("bptd", "pju jalan nasional", "trans jateng"),
        ("dinas-pendidikan", "smk", "smp"),
        ("kab-blora", "smp", "sma"),
        ("kab-blora", "jalan desa", "jalan nasional"),
        ("kota-tegal", "ktp", "sim"),
        ("bapenda", "pajak kendaraan", "pbb"),
        ("polda", "sim", "pajak kendaraan"),
        ("bpn", "sertifikat tanah", "pbb"),
        ("pln", "listrik padam", "pju"),
        ("dispermadesdukcapil", "bumdes", "ktp"),
        ("bpjs-kesehatan", "kis", "jht"),
    ],
)
def test_the_owner_claims_it_and_the_usual_mistake_is_denied(unit: str, ours: str, not_ours: str) -> None:
    assert ours in by_id(JATENG)[unit].keywords
    assert not_ours in by_id(JATENG)[unit].not_ours


def test_the_standard_names_four_kinds_of_receivers_and_all_are_there() -> None:
    kinds = {unit.unit_kind for unit in units(JATENG).units}
    assert {"opd", "vertikal", "bumn", "bumd", "kabupaten", "kota"} <= kinds


def test_the_city_profile_has_the_units_that_its_rows_are_labelled_with() -> None:
    assert set(by_id(SURABAYA)) == SURABAYA_UNITS


# ── places ───────────────────────────────────────────────────────────────────────────────────────


def test_all_regencies_and_cities_are_there_once() -> None:
    codes = Counter(code for _, territory in regions() for code in territory.codes)
    assert codes == Counter(REGENCIES | CITIES)


def test_a_region_is_of_the_kind_that_its_code_says() -> None:
    for unit, territory in regions():
        expected = "kota" if set(territory.codes) <= CITIES else "kabupaten"
        assert (unit.id, unit.unit_kind) == (unit.id, expected)
        assert unit.id.startswith("kota-" if expected == "kota" else "kab-")


@pytest.mark.parametrize("kind", ["kabupaten", "kota"])
def test_governments_of_a_kind_have_the_same_duties(kind: str) -> None:
    alike = [unit for unit, _ in regions() if unit.unit_kind == kind]
    assert len({(unit.tasks, unit.keywords, unit.not_ours) for unit in alike}) == 1


@pytest.mark.parametrize("name", TWINS)
def test_a_regency_and_a_city_of_one_name_are_different_governments(name: str) -> None:
    regency, city = (by_id(JATENG)[f"{kind}-{name}"] for kind in ("kab", "kota"))
    assert regency.territory is not None
    assert city.territory is not None
    assert f"kabupaten {name}" in regency.territory.names
    assert f"kota {name}" in city.territory.names
    assert set(regency.territory.codes).isdisjoint(city.territory.codes)
    # The bare name points to both, and to neither for sure.
    bearers = {unit.id for unit, territory in regions() if name in territory.ambiguous}
    assert bearers == {regency.id, city.id}
    assert not any(name in (*territory.names, *territory.districts) for _, territory in regions())


def test_a_plain_place_name_points_to_one_region() -> None:
    places = Counter(
        place for _, territory in regions() for place in (*territory.names, *territory.districts)
    )
    assert [place for place, times in places.items() if times > 1] == []


@pytest.mark.parametrize("word", ["batang", "pati", "tegal", "bulu", "jati", "gajah", "salam"])
def test_a_place_name_that_is_an_everyday_word_needs_a_word_of_place(word: str) -> None:
    assert any(word in territory.ambiguous for _, territory in regions())
    assert not any(word in (*territory.names, *territory.districts) for _, territory in regions())


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("solo", "kota-surakarta"),
        ("solo baru", "kab-sukoharjo"),
        ("purwokerto", "kab-banyumas"),
        ("ungaran", "kab-semarang"),
        ("slawi", "kab-tegal"),
        ("kajen", "kab-pekalongan"),
        ("purwodadi", "kab-grobogan"),
    ],
)
def test_a_region_is_known_by_what_people_call_it(name: str, unit: str) -> None:
    assert [found.id for found, territory in regions() if name in territory.names] == [unit]


def test_the_examples_of_a_region_say_where() -> None:
    for unit, territory in regions():
        places = (*territory.names, *territory.districts, *territory.ambiguous)
        for example in unit.examples:
            assert any(place in example.lower() for place in places), (unit.id, example)


# ── replies ──────────────────────────────────────────────────────────────────────────────────────


def notices_of(rules: Profile) -> set[str]:
    """What is sent to staff."""
    return {name for occasion in OCCASIONS if (name := rules.notices.template(occasion))}


def fields_by_reply(rules: Profile) -> dict[str, set[str]]:
    """Each reply, with the fields that every transition sending it has."""
    guided = rules.intake.dialogue
    asked = (guided.first, guided.next, guided.again) if guided else ()
    by_intake = (rules.intake.reply, rules.intake.after_end, *asked)
    found: dict[str, set[str]] = {name: set() for name in by_intake if name}
    found |= {name: set(NOTICE_FACTS) for name in notices_of(rules)}
    if rules.privacy.confidential_reply:
        found[rules.privacy.confidential_reply] = {"link"}
    for step in rules.transitions.values():
        if step.reply:
            found[step.reply] = found.get(step.reply, set(step.fields)) & set(step.fields)
    return found


def template(folder: Path, language: str, name: str, channel: str | None = None) -> str:
    """The words for a channel, else the words for all."""
    here = folder / "templates" / language
    own = here / f"{name}.{channel}.txt"
    return (own if channel and own.exists() else here / f"{name}.txt").read_text("utf-8")


def values(folder: Path, language: str) -> dict[str, str]:
    """Values as long as they get, but for what a person writes."""
    rules = profile(folder)
    asked = [
        say(rule.ask, language)
        for rule in rules.requirements.values()
        if rule.ask is not None and rule.level == "ask"
    ]
    reasons = [
        say(label, language)
        for step in rules.transitions.values()
        for field in step.fields.values()
        for label in (field.options or {}).values()
    ]
    return {
        "ticket": "LGWA1234 5678",
        "title": say(rules.title, language),
        "site": "https://laporgub.jatengprov.go.id",
        "contact": say(rules.contact or "", language),
        "due": "Senin, 23 November 2026 pukul 09.30 WIB",
        "opens": "",
        "unit": max((unit.title for unit in units(folder).units), key=len),
        "missing": ", ".join(asked),
        "asking": "Di mana kejadiannya? Kirim lokasi, atau tulis nama jalan, desa, kecamatan, dan kabupaten.",
        "advised": "foto atau dokumen pendukung, jika ada",
        "draft": "Lampu sudah diganti.",
        "link": "https://laporgub.contoh.example/t/LGSM-4821-0937-5568?k=abcdefghijklmnopqrstuvwx",
        "question": "Di sisi jalan yang mana?",
        "reason": max(reasons, key=len),
        "explanation": "Mohon kirim foto.",
        "response": "Lampu sudah diganti.",
        "office": "Pemerintah Kabupaten Contoh",
        "receiver": "Pemerintah kabupaten atau kota",
        "clock": "Respons awal",
        "step": "Ajukan keberatan",
    }


def render(source: str, given: dict[str, str]) -> str:
    return Environment(undefined=StrictUndefined, autoescape=False).from_string(source).render(given)


REPLIES = [
    pytest.param(folder, language, name, id=f"{folder.name}:{language}:{name}")
    for folder in FOLDERS
    for language in profile(folder).languages
    for name in sorted(fields_by_reply(profile(folder)))
]
FILES = [
    pytest.param(folder, file, id=f"{folder.name}:{file.parent.name}:{file.name}")
    for folder in FOLDERS
    for file in sorted((folder / "templates").rglob("*.txt"))
    if file.stem not in {paper.text for paper in profile(folder).documents.values()}
]


@pytest.mark.parametrize("folder", [JATENG, WADUL, BATIKNET], ids=lambda folder: folder.name)
def test_no_shipped_profile_keeps_people_for_ever(folder: Path) -> None:
    kept = profile(folder).privacy.retention
    assert kept.files is not None and kept.identity is not None and kept.files <= kept.identity


def test_the_shipped_profile_has_the_replies_that_its_service_needs() -> None:
    rules = profile(JATENG)
    assert set(fields_by_reply(rules)) - notices_of(rules) == set(PURPOSES)
    assert len(notices_of(rules)) == len(OCCASIONS), "staff hears of everything that needs it"


@pytest.mark.parametrize(("folder", "language", "name"), REPLIES)
def test_each_reply_is_there_in_each_language_and_names_the_ticket(
    folder: Path, language: str, name: str
) -> None:
    given = values(folder, language)
    said = render(template(folder, language, name), given)
    assert given["ticket"] in said or name in MID_SENTENCE
    assert "{" not in said


@pytest.mark.parametrize(("folder", "file"), FILES)
def test_a_template_uses_only_what_every_sender_gives(folder: Path, file: Path) -> None:
    name, *channel = file.stem.split(".")
    given = FACTS | fields_by_reply(profile(folder))[name]
    used = find_undeclared_variables(Environment(autoescape=False).parse(file.read_text("utf-8")))
    assert used <= given
    assert set(channel) <= set(profile(folder).channels)


@pytest.mark.parametrize(("folder", "file"), FILES)
def test_a_reply_reads_well_where_nothing_is_due_or_advised(folder: Path, file: Path) -> None:
    given = values(folder, file.parent.name) | {"due": "", "advised": ""}
    for opens in ("", "Senin, 23 November 2026 pukul 08.00 WIB"):
        said = render(file.read_text("utf-8"), given | {"opens": opens})
        assert not any(flaw in said for flaw in ("  ", " .", "\n\n\n", "lambat .", "by ."))


@pytest.mark.parametrize("language", profile(JATENG).languages)
@pytest.mark.parametrize("name", PURPOSES)
def test_a_text_message_is_short_and_in_its_plain_alphabet(language: str, name: str) -> None:
    said = render(template(JATENG, language, name, "sms"), values(JATENG, language))
    assert len(said) <= SMS_LIMIT
    assert said.isascii()


@pytest.mark.parametrize("language", profile(JATENG).languages)
def test_nobody_is_asked_for_a_phone_number_in_public(language: str) -> None:
    secluded = {"id": "pesan", "en": "message"}[language]
    for channel in ("x", "facebook", "instagram"):
        said = render(template(JATENG, language, "incomplete", channel), values(JATENG, language))
        assert secluded in said
    assert len(render(template(JATENG, language, "incomplete", "x"), values(JATENG, language))) <= POST_LIMIT


@pytest.mark.parametrize("language", profile(JATENG).languages)
def test_the_answer_ends_with_the_way_to_disagree(language: str) -> None:
    said = render(template(JATENG, language, "response"), values(JATENG, language))
    assert said.index("Lampu sudah diganti.") < said.index(
        {"id": "balas di sini", "en": "reply here"}[language]
    )
