"""Where a text says that it is: names that are also words need company, and what is open stays open."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import laporgub

from laporhub.classifiers.cold_start import ColdStartClassifier
from laporhub.classifiers.locality import coordinates, locality
from laporhub.pipeline.classifier import Place
from laporhub.pipeline.messages import Location
from laporhub.pipeline.regions import read_regions
from laporhub.pipeline.text import normalise

BOOK = laporgub()
CLASSIFIER = ColdStartClassifier(BOOK.units, regions=BOOK.regions)
OFFICIAL = Path(__file__).parents[2] / "shared" / "data" / "language" / "regions_2025.csv"


def place_of(text: str, location: Location | None = None) -> Place | None:
    return CLASSIFIER.suggest(text, location).place


def region_of(text: str, location: Location | None = None) -> str | None:
    place = place_of(text, location)
    return place.region if place else None


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("jalan rusak di kecamatan Simo Boyolali", "33.09"),
        ("lampu mati di Kecamatan Simo", "33.09"),
        ("banjir di Kabupaten Tegal", "33.28"),
        ("banjir di Kota Tegal", "33.76"),
        ("jalan berlubang di kab. Batang", "33.25"),
        ("warga kecamatan Tulis mengeluh air mati", "33.25"),
        ("sampah di kecamatan Taman Pemalang", "33.27"),
        ("kec. Tugu kebanjiran rob", "33.74"),
        ("jalan desa di Kecamatan Dukun rusak", "33.08"),
        ("macet di Tembalang", "33.74"),
        ("pasar kliwon solo kotor", "33.72"),
        ("jembatan gantung di Karangpucung putus", "33.01"),
        ("kec Purwodadi Grobogan banjir", "33.15"),
    ],
)
def test_the_region_is_found(text: str, region: str) -> None:
    assert region_of(text) == region


@pytest.mark.parametrize(
    "text",
    [
        "batang pohon tumbang menimpa kabel",
        "tolong tulis nama saya dengan benar",
        "taman kota kotor",
        "tugu pahlawan retak",
        "dukun palsu menipu warga",
        "teras rumah kebanjiran",
        "anak saya disuruh membayar",
        "tambak udang tercemar",
        "hati saya sedih sekali",
    ],
)
def test_plain_words_are_no_place(text: str) -> None:
    place = place_of(text)
    assert place is None or place.region is None or place.confidence < 0.5


def test_district_and_village_have_their_codes() -> None:
    place = place_of("jalan berlubang di Kecamatan Tembalang Kota Semarang")
    assert place is not None
    assert place.district == "33.74.10"
    assert BOOK.regions.by_code[place.district].name == "Tembalang"


def test_the_same_name_in_two_regencies_is_open_until_the_regency_is_said() -> None:
    assert region_of("jalan rusak di kecamatan Bulu") in (None, "33.17", "33.11", "33.23")
    certain = place_of("jalan rusak di kecamatan Bulu kabupaten Temanggung")
    assert certain is not None
    assert (certain.region, certain.district) == ("33.23", "33.23.01")


def test_a_road_and_a_landmark_are_named() -> None:
    place = place_of("lubang besar di jl. gajah mada depan pasar johar kota semarang")
    assert place is not None
    assert (place.region, place.road, place.landmark) == ("33.74", "Jalan Gajah Mada", "Pasar Johar")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lokasi -6.966667, 110.416664", (-6.966667, 110.416664)),
        ("https://www.google.com/maps/@-7.0051453,110.4381254,17z", (-7.0051453, 110.4381254)),
        ("https://maps.google.com/?q=-7.55,110.82123", None),
        ("titik -7,005145 110,438126", (-7.005145, 110.438126)),
        ("6°58'12\"LS 110°25'00\"BT", (-6.97, 110.416667)),
        ("harga 12.500, 110.000", None),
        ("telp 0811.0000.1234", None),
        ("48.8566, 2.3522", None),
    ],
)
def test_coordinates_are_read_where_they_are_in_the_country(
    text: str, expected: tuple[float, float] | None
) -> None:
    assert coordinates(text) == expected


def test_degrees_lead_to_the_district_whose_middle_is_near() -> None:
    table = read_regions(
        [
            "code,name,lat,lon",
            "33.74,Kota Contoh,,",
            "33.74.01,Utara,-6.95,110.40",
            "33.74.02,Selatan,-7.08,110.40",
        ]
    )
    said = locality("di sini", "di sini", Location(lat=-6.96, lon=110.41), table, None)
    assert said.district is not None and said.district.name == "Utara"
    assert locality("", "", Location(lat=-8.5, lon=110.4), table, None).district is None


@pytest.mark.parametrize(
    ("lat", "lon", "regency"),
    [
        (-6.990, 110.423, "33.74"),  # in the middle of a city
        (-6.908, 109.730, "33.25"),  # a seat beside another city
        (-7.608, 110.204, "33.08"),
        (-7.554, 110.741, "33.11"),
        (-7.148, 111.588, "33.16"),
        (-7.480, 110.218, "33.71"),  # a city within a regency
    ],
)
def test_a_shared_point_leads_to_its_regency_and_office(lat: float, lon: float, regency: str) -> None:
    said = CLASSIFIER.suggest("sampah menumpuk tidak diangkut seminggu", Location(lat=lat, lon=lon))
    assert said.place is not None and (said.place.region, said.place.lat) == (regency, lat)
    territory = BOOK.units[said.units[0].unit].territory
    assert territory is not None and regency in territory.codes
    assert "where" not in said.flags


def test_a_point_outside_the_province_is_nowhere_or_unsure() -> None:
    for lat, lon in ((-6.73, 108.55), (-7.80, 110.37), (-6.2, 106.8)):
        place = CLASSIFIER.suggest("sampah menumpuk", Location(lat=lat, lon=lon)).place
        assert place is None or place.confidence < 0.5


def test_villages_come_from_a_table_of_official_codes() -> None:
    table = read_regions(
        [
            "code,name",
            "33.74,Kota Contoh",
            "33.74.01,Utara",
            "33.74.01.1001,Sumberjo",
            "33.74.02,Selatan",
            "33.74.02.1001,Karangsari",
            "33.75.01.1001,Sumberjo",
        ]
    )
    words = normalise("jalan di kelurahan Karangsari rusak")
    found = locality(words, words, None, table, None)
    assert found.village is not None and found.village.code == "33.74.02.1001"
    assert found.district is not None and found.district.name == "Selatan"
    words = normalise("desa Sumberjo banjir")
    assert locality(words, words, None, table, None).village is None
    inside = locality(words, words, None, table, "33.75").village
    assert inside is not None and inside.code == "33.75.01.1001"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["kode,nama", "33,Jawa Tengah"], "line 1"),
        (["code,name", "3374,Semarang"], "line 2"),
        (["code,name", "33.74,Kota", "33.74,Kota"], "line 3: 33.74 is there twice"),
        (["code,name,lat,lon", "33.74,Kota,selatan,110"], "line 2: 'selatan'"),
        ([], "line 1"),
    ],
)
def test_a_table_that_cannot_be_read_says_where(lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_regions(lines)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        (
            "jalan provinsi Semarang-Purwodadi pas Mranggen berlubang",
            "33.21",
        ),  # a road is named after its ends
        ("jalan di Paguyangan arah Purwokerto ambles", "33.29"),
        ("saya dari Klaten tiap hari kerja ke Baki, jalannya berlubang", "33.11"),
        ("rumahku di Kutoarjo, tapi anakku sekolah SMP di Prembun", "33.05"),
        ("banjir Gabus Pati", "33.18"),  # each tells which of its places the other is
        ("saluran air di Purwodadi kab Purworejo mampet", "33.06"),
        ("Purwodadi Purworejo, bukan Grobogan, saluran mampet", "33.06"),
        ("lampu neng Weru peteng", "33.11"),
        ("dalan Sokaraja tengah bolong", "33.02"),
        ("banjir rob Semarang kota", "33.74"),
        ("PBB Pati kok naik", "33.18"),
        ("dari Kudus ke Jepara bus tidak ada", "33.20"),
    ],
)
def test_the_place_of_the_matter_is_told_from_where_a_road_leads_and_the_writer_comes_from(
    text: str, region: str
) -> None:
    place = place_of(text)
    assert place is not None and place.region == region


def test_a_place_from_which_somebody_comes_is_taken_where_none_else_is_named() -> None:
    place = place_of("saya dari Klaten, jalan depan rumah rusak")
    assert place is not None and place.region == "33.10" and place.confidence >= 0.5


def test_a_question_is_open_only_where_the_unit_depends_on_it() -> None:
    asks = [
        "jalan desa di depan pasar rusak parah",
        "akta kelahiran anak belum jadi di kelurahan Sumberjo",
    ]
    clear = [
        "jalan desa di Karangpucung Cilacap rusak",
        "pajak motor di samsat naik",
        "akta kelahiran belum jadi di Kota Semarang",
    ]
    assert ["where" in CLASSIFIER.suggest(text, None).flags for text in asks] == [True, True]
    assert ["where" in CLASSIFIER.suggest(text, None).flags for text in clear] == [False, False, False]


def test_the_shipped_table_has_all_of_the_province() -> None:
    levels = Counter(each.level for each in BOOK.regions.by_code.values())
    assert levels == {"regency": 35, "district": 576}
    assert all(each.code[:5] in BOOK.regions.by_code for each in BOOK.regions.by_code.values())


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="needs the official list in ../shared/data")
def test_the_shipped_table_is_the_official_one() -> None:
    with OFFICIAL.open(encoding="utf-8") as file:
        official = {
            row["kode"]: row["nama"]
            for row in csv.DictReader(file)
            if row["kode"].startswith("33.") and row["tingkat"] in ("kabupaten_kota", "kecamatan")
        }
    assert official == {each.code: each.name for each in BOOK.regions.by_code.values()}


@given(st.text(max_size=300))
def test_any_text_has_some_place_or_none(text: str) -> None:
    place = place_of(text)
    assert place is None or 0 <= place.confidence <= 1
