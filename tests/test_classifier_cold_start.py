"""From the units' own words alone, each complaint gets units it may belong to, and why."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laporhub.classifiers.cold_start import ColdStartClassifier
from laporhub.classifiers.place import PlaceFinder
from laporhub.classifiers.stem import stem
from laporhub.pipeline.classifier import Classifier
from laporhub.pipeline.messages import Location
from laporhub.pipeline.profile.schema_units import Territory, Unit


def region(unit: str, title: str, code: str, *names: str, ambiguous: tuple[str, ...] = ()) -> Unit:
    return Unit(
        id=unit,
        title=title,
        kind="kabupaten",
        tasks=("jalan kabupaten dan jalan desa", "sampah dan kebersihan", "KTP dan kartu keluarga"),
        keywords=("jalan desa", "jalan berlubang", "sampah", "ktp", "sdn"),
        not_ours=("jalan provinsi",),
        territory=Territory(
            codes=(code,), names=names, districts=(f"kulon {names[0]}",), ambiguous=ambiguous
        ),
    )


UNITS = {
    unit.id: unit
    for unit in (
        Unit(
            id="roads",
            title="Dinas Pekerjaan Umum",
            kind="opd",
            tasks=("pemeliharaan jalan provinsi",),
            keywords=("jalan provinsi", "jalan berlubang", "jembatan"),
            not_ours=("jalan desa",),
            examples=("Jalan provinsi rusak parah",),
        ),
        Unit(
            id="schools",
            title="Dinas Pendidikan",
            kind="opd",
            tasks=("SMA dan SMK",),
            keywords=("sma", "smk", "ijazah"),
        ),
        Unit(
            id="power",
            title="Perusahaan Listrik",
            kind="bumn",
            tasks=("listrik",),
            keywords=("listrik padam", "token"),
        ),
        region(
            "kab-amerta",
            "Pemerintah Kabupaten Amerta",
            "99.01",
            "amerta",
            "kabupaten tegalan",
            ambiguous=("tegalan",),
        ),
        region("kab-bahari", "Pemerintah Kabupaten Bahari", "99.02", "bahari"),
    )
}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return ColdStartClassifier(UNITS)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("jln provinsi arah pelabuhan rusak", "roads"),
        ("jembatan retak", "roads"),
        ("ijazah ditahan sekolah", "schools"),
        ("Listrik di rumah padam sejak pagi", "power"),
        ("jalan desa di Amerta berlubang", "kab-amerta"),
        ("sampahnya menumpuk, kecamatan Kulon Bahari", "kab-bahari"),
        ("SDN di daerah tegalan bocor", "kab-amerta"),
    ],
)
def test_the_likeliest_unit_comes_first(classifier: Classifier, text: str, unit: str) -> None:
    assert classifier.suggest(text, None).units[0].unit == unit


def test_reasons_are_given_in_the_citizens_words(classifier: Classifier) -> None:
    guess = classifier.suggest("jalan desa berlubang di Bahari, bukan jalan provinsi", None).units[0]
    assert "kata: jalan desa" in guess.reasons
    roads = [
        each
        for each in classifier.suggest("jalan berlubang di jalan desa Bahari", None).units
        if each.unit == "roads"
    ]
    assert all("bukan: jalan desa" in each.reasons for each in roads)
    local = classifier.suggest("sampah di Bahari", None).units[0]
    assert local.reasons == ("kata: sampah", "tempat: Kabupaten Bahari")


def test_the_topic_is_the_strongest_keyword(classifier: Classifier) -> None:
    assert classifier.suggest("jalan provinsi rusak", None).topic == "jalan provinsi"
    assert classifier.suggest("selamat pagi", None).topic is None


def test_a_text_that_says_nothing_gets_no_unit(classifier: Classifier) -> None:
    for text in ("", "halo min", "???", "terima kasih"):
        suggestion = classifier.suggest(text, None)
        assert suggestion.units == ()
        assert not suggestion.sure


def test_it_abstains_where_two_units_are_about_as_likely(classifier: Classifier) -> None:
    suggestion = classifier.suggest("jalan berlubang di Bahari", None)
    assert {"roads", "kab-bahari"} <= {guess.unit for guess in suggestion.units}
    assert not suggestion.sure


def test_it_is_sure_of_a_plain_case(classifier: Classifier) -> None:
    suggestion = classifier.suggest("Listrik padam dan token tidak bisa diisi", None)
    assert suggestion.sure
    assert suggestion.units[0].probability >= 0.6


def test_thresholds_are_the_profiles() -> None:
    text = "jalan berlubang di Bahari"
    assert ColdStartClassifier(UNITS, suggest_from=1.0).suggest(text, None).units == ()
    assert len(ColdStartClassifier(UNITS, top=1).suggest(text, None).units) == 1
    assert (
        not ColdStartClassifier(UNITS, sure_from=1.0).suggest("listrik padam token listrik padam", None).sure
    )


def test_the_location_counts_like_the_text(classifier: Classifier) -> None:
    suggestion = classifier.suggest(
        "sampah tidak diangkut", Location(address="Jl. Melati 5, Kabupaten Amerta")
    )
    assert suggestion.units[0].unit == "kab-amerta"
    assert suggestion.place is not None
    assert suggestion.place.region == "99.01"


def test_a_government_elsewhere_is_not_suggested(classifier: Classifier) -> None:
    assert "kab-amerta" not in [guess.unit for guess in classifier.suggest("sampah di Bahari", None).units]


def test_a_unit_of_any_kind_may_have_no_territory_or_be_alone() -> None:
    alone = ColdStartClassifier({"power": UNITS["power"]})
    assert alone.suggest("listrik padam", None).units[0].unit == "power"
    assert ColdStartClassifier({}).suggest("listrik padam di Bahari", None).units == ()


@settings(max_examples=60)
@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(
            ["jalan", "desa", "berlubang", "bahari", "di", "sampah", "listrik", "padam", "sma", "provinsi"]
        )
    ).map(" ".join)
)
def test_probabilities_are_such_and_the_same_text_gives_the_same_answer(text: str) -> None:
    classifier = ColdStartClassifier(UNITS, suggest_from=0.0, top=99)
    suggestion = classifier.suggest(text, None)
    probabilities = [guess.probability for guess in suggestion.units]
    assert all(0 <= each <= 1 for each in probabilities)
    assert sum(probabilities) <= 1.001
    assert probabilities == sorted(probabilities, reverse=True)
    assert suggestion == ColdStartClassifier(UNITS, suggest_from=0.0, top=99).suggest(text, None)
    assert suggestion.model == classifier.model


def test_texts_of_100000_characters_are_taken(classifier: Classifier) -> None:
    for unit in ("jalan berlubang di bahari ", "a", "kabel a ", "warga a a ", "0 ", "é"):
        classifier.suggest((unit * 100_000)[:100_000], None)


def test_a_place_is_known_by_name_or_address() -> None:
    finder = PlaceFinder(UNITS)
    assert finder.has_place("banjir bahari parah")
    assert finder.has_place("lubang di jl melati no 5")
    assert not finder.has_place("jalan rusak parah")
    assert not finder.has_place("tegalan kami kering")


@pytest.mark.parametrize(
    "forms",
    [
        "perbaikan diperbaiki memperbaiki",
        "rusak kerusakan rusaknya",
        "penerangan terang",
        "pemangkasan dipangkas memangkas",
        "bersihkan dibersihkan kebersihan",
        "pelayanan layanan dilayani",
        "lubang berlubang lubangnya",
        "perumahan rumah",
        "mohon memohon permohonan",
    ],
)
def test_forms_of_a_word_are_one(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1
