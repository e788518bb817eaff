"""Where a photo was taken proposes where the case is, if nothing else says so: faintly, roughly, and for all to see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import web_hub
from hypothesis import given
from hypothesis import strategies as st
from support import ADMIN, form, hub_on, laporgub, whatsapp
from test_case_life import DOOR, Life, kinds
from test_media import picture, taken
from web_hub import PROFILE, Web, web_on

from laporhub.classifiers.cold_start import ColdStartClassifier
from laporhub.connectors import download
from laporhub.connectors.download import Fetched
from laporhub.hub import ground, keeping
from laporhub.hub.compose import keeper
from laporhub.hub.hub import Hub
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Locate
from laporhub.pipeline.events import CaseEvent, Classified, Located, MessageAdded
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.intake import withdrawal
from laporhub.pipeline.messages import Attachment, InlineFile, Location, Spot
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.regions import Regions, read_regions
from laporhub.pipeline.said import as_shown
from laporhub.pipeline.tracking import Query

TABLE = """code,name,lat,lon
33.74,Kota Semarang,,
33.74.12,Gunungpati,-7.09,110.37
33.74.10,Tembalang,-7.04,110.46
33.22,Kabupaten Semarang,-7.27,110.46
33.22.01,Getasan,,
33.24,Kabupaten Kendal,-7.02,110.16
33.25,Kabupaten Batang,-7.03,109.89
33.08,Kabupaten Magelang,-7.52,110.27"""


def table() -> Regions:
    """Some of the regions with made-up middles; of Kota Semarang all the districts that it has here."""
    return read_regions(TABLE.splitlines())


BOOK = replace(laporgub(), regions=table())
CLASSIFIER = ColdStartClassifier(BOOK.units, regions=BOOK.regions)
EAGER = ColdStartClassifier(BOOK.units, regions=BOOK.regions, sure_from=0.05)
IN_TEMBALANG = Spot(lat=-7.04, lon=110.46)
IN_KENDAL, BETWEEN = Spot(lat=-7.02, lon=110.15), Spot(lat=-7.15, lon=110.42)
RUBBISH = "Sampah menumpuk tidak diangkut sudah seminggu"
PHOTO = Attachment(url="https://media.example/1", media_type="image/jpeg")
WITHIN = st.builds(
    Spot, lat=st.floats(-7.6, -6.8, allow_nan=False), lon=st.floats(109.7, 110.7, allow_nan=False)
)


# ── what the classifier makes of it ──────────────────────────────────────────────────────────────


def test_a_photo_proposes_the_region_and_the_district_where_nothing_else_does() -> None:
    said = CLASSIFIER.suggest(RUBBISH, None, IN_TEMBALANG)
    assert said.place is not None and said.place.by_photo
    assert (said.place.region, said.place.district) == ("33.74", "33.74.10")
    assert said.place.name == "Tembalang, Kota Semarang"
    assert "tempat menurut foto: Kota Semarang" in said.units[0].reasons
    assert CLASSIFIER.suggest(RUBBISH, None).place is None


def test_a_photo_counts_less_than_a_shared_location_and_leaves_it_to_a_person() -> None:
    by_photo = EAGER.suggest(RUBBISH, None, IN_TEMBALANG)
    shared = EAGER.suggest(RUBBISH, Location(lat=-7.04, lon=110.46))
    assert by_photo.place is not None and shared.place is not None
    assert by_photo.place.confidence < shared.place.confidence and not shared.place.by_photo
    assert by_photo.units[0].unit == shared.units[0].unit == "kota-semarang"
    assert by_photo.units[0].probability < shared.units[0].probability
    assert shared.sure and not by_photo.sure
    assert "where" in by_photo.flags and "where" not in shared.flags, "whose it is would be asked"


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("Sampah menumpuk di Kendal", None),
        (RUBBISH, Location(address="Pasar Weleri, Kabupaten Kendal")),
        (RUBBISH, Location(lat=-7.02, lon=110.16)),
        (f"{RUBBISH} di -7.0200, 110.1600", None),
    ],
)
def test_whatever_the_reporter_says_of_the_place_goes_before_a_photo(
    text: str, location: Location | None
) -> None:
    said = CLASSIFIER.suggest(text, location, IN_TEMBALANG)
    assert said == CLASSIFIER.suggest(text, location)
    assert said.place is not None and said.place.region == "33.24"


@pytest.mark.parametrize(("lat", "lon", "region"), [(-7.04, 110.46, "33.74"), (-7.27, 110.46, "33.22")])
def test_a_name_that_two_regions_have_is_the_one_in_which_the_reporter_s_point_lies(
    lat: float, lon: float, region: str
) -> None:
    text = "Sampah menumpuk di Semarang tidak diangkut"
    open_said = CLASSIFIER.suggest(text, None)
    assert open_said.place is not None and open_said.place.region is None
    said = CLASSIFIER.suggest(text, Location(lat=lat, lon=lon))
    assert said.place is not None and (said.place.region, said.place.by_photo) == (region, False)
    codes = BOOK.units[said.units[0].unit].territory
    assert codes is not None and region in codes.codes
    assert said.units[0].probability > open_said.units[0].probability and "where" not in said.flags
    assert CLASSIFIER.suggest(f"{text} ({lat:.4f}, {lon:.4f})", None).place == said.place


def test_a_photo_only_proposes_which_of_two_regions_of_one_name_is_meant() -> None:
    said = EAGER.suggest("Sampah menumpuk di Semarang tidak diangkut", None, IN_TEMBALANG)
    assert said.place is not None and said.place.by_photo and said.place.region == "33.74"
    assert said.units[0].unit == "kota-semarang" and not said.sure
    assert "tempat menurut foto: Kota Semarang" in said.units[0].reasons and "where" in said.flags


def test_degrees_elsewhere_leave_an_ambiguous_name_open() -> None:
    text = "Sampah menumpuk di Semarang tidak diangkut"
    assert CLASSIFIER.suggest(text, None, IN_KENDAL) == CLASSIFIER.suggest(text, None)


def test_a_road_without_a_region_stays_and_the_photo_tells_the_region() -> None:
    place = CLASSIFIER.suggest("Lampu mati di Jalan Melati", None, IN_KENDAL).place
    assert place is not None and place.by_photo
    assert (place.region, place.road) == ("33.24", "Jalan Melati")
    told = place.told()
    assert told is not None and (told.name, told.region) == ("Jalan Melati", None)


@given(WITHIN)
def test_no_photo_is_ever_sure_and_its_point_is_not_given_for_the_place(spot: Spot) -> None:
    said = EAGER.suggest(RUBBISH, None, spot)
    if said.place is not None:
        assert said.place.by_photo and said.place.confidence < 0.5
        assert (said.place.lat, said.place.lon) == (None, None)
        assert not said.sure


def test_far_from_all_middles_a_photo_proposes_nothing() -> None:
    assert CLASSIFIER.suggest(RUBBISH, None, Spot(lat=48.86, lon=2.35)) == CLASSIFIER.suggest(RUBBISH, None)


def test_a_district_is_told_only_where_the_table_has_the_middles_of_all() -> None:
    around = table().around(-7.27, 110.46)
    assert around is not None and (around.regency, around.district) == ("33.22", None)


# ── the life of a case ───────────────────────────────────────────────────────────────────────────


def life() -> Life:
    return Life(BOOK, CLASSIFIER)  # type: ignore[arg-type]


def camera(exif: bool = True) -> InlineFile:
    return InlineFile(data=picture(exif=taken() if exif else None))


def located(case: CaseState, number: int = 0, spot: Spot = IN_TEMBALANG, message: str = "") -> Locate:
    return Locate(
        id=f"d_photo_{number}_{spot}",
        profile=case.profile,
        case_id=case.id,
        at=case.updated_at,
        message_id=message or case.said[-1].ids[-1],
        taken=spot,
    )


def test_a_photo_that_comes_along_is_known_at_once_and_nobody_is_asked_where() -> None:
    case = life()
    case.says("web", form(1, RUBBISH, location=None, files=(camera(exif=False), camera())))
    [message] = [each.data for each in case.events if isinstance(each.data, MessageAdded)]
    assert message.taken == Spot(lat=-7.02, lon=110.41), "to about a kilometre"
    assert case.case.suggestion is not None and case.case.suggestion.place is not None
    assert case.case.suggestion.place.by_photo
    assert "place" not in case.case.missing and case.case.status == "received"
    assert case.case.unit is None
    without = life()
    without.says("web", form(1, RUBBISH, location=None, files=(camera(exif=False),)))
    assert "place" in without.case.missing


def test_who_stays_anonymous_is_not_located() -> None:
    message = DOOR.admit(BOOK, "web", form(1, anonymous=True, files=(camera(),)), life().now)
    assert message.taken is None


def test_a_photo_that_was_fetched_answers_what_was_asked() -> None:
    case = life()
    case.says("whatsapp", whatsapp(1, RUBBISH, attachments=(PHOTO,)))
    assert case.case.asking == "place"
    before = len(case.texts())
    told = case.applies(located(case.case))
    assert kinds(told)[:3] == ["located", "classified", "answered"]
    assert case.case.status == "received" and case.case.asking != "place"
    assert len(case.texts()) == before + 1, "they are told that it goes on"
    assert case.applies(located(case.case)) == [], "the same again changes nothing"
    assert case.applies(located(case.case, 1, IN_KENDAL)) == [], "the first of a message counts"


def test_a_photo_between_two_regions_is_shown_and_the_question_stays() -> None:
    case = life()
    case.says("whatsapp", whatsapp(1, RUBBISH, attachments=(PHOTO,)))
    assert kinds(case.applies(located(case.case, spot=BETWEEN))) == ["located", "classified"]
    assert case.case.asking == "place" and "place" in case.case.missing
    assert case.case.suggestion is not None and case.case.suggestion.place is not None


def test_nobody_is_written_to_about_an_old_complaint_because_of_its_photo() -> None:
    case = life()
    case.says("whatsapp", whatsapp(1, RUBBISH, attachments=(PHOTO,), sent_at="2025-01-02T03:04:05Z"))
    assert case.texts() == []
    case.applies(located(case.case))
    assert case.texts() == [] and case.case.missing == ()


def test_where_a_unit_was_chosen_a_photo_changes_nothing_of_it() -> None:
    case = life()
    case.says("whatsapp", whatsapp(1, "Sampah menumpuk di Kendal", attachments=(PHOTO,)))
    case.does(ADMIN, "dispose", unit="kab-kendal")
    before = case.case.suggestion
    case.applies(located(case.case))
    assert case.case.suggestion == before and case.case.unit == "kab-kendal"


def test_with_the_message_goes_where_its_photo_was_taken() -> None:
    case = life()
    case.says("whatsapp", whatsapp(1, RUBBISH, attachments=(PHOTO,)))
    message = case.case.said[0].ids[0]
    case.applies(located(case.case))
    case.applies(withdrawal(message, case.case, case.now))
    assert case.case.suggestion is not None and case.case.suggestion.place is None
    assert not any(each.taken for each in case.case.said)
    shown = as_shown(case.events)
    assert not any(isinstance(each.data, Located) for each in shown)
    assert not any(isinstance(each.data, MessageAdded) and each.data.taken for each in shown)
    assert case.applies(located(case.case, 2, message=message)) == [], "it is nobody's any more"
    assert case.applies(located(case.case, 3, message="m_of_another_case")) == []


def test_a_photo_of_words_that_were_rewritten_since_does_not_count() -> None:
    case = life()
    case.says("whatsapp", whatsapp(1, RUBBISH, "SM1", attachments=(PHOTO,)))
    old = case.case.said[0].ids[-1]
    case.says("whatsapp", whatsapp(1, f"{RUBBISH} lagi", "SM2", replaces="SM1"))
    assert case.applies(located(case.case, message=old)) == []


def test_the_events_alone_tell_it_all_again() -> None:
    case = life()
    case.says("whatsapp", whatsapp(1, RUBBISH, attachments=(PHOTO,)))
    case.applies(located(case.case))
    case.says("whatsapp", whatsapp(1, "Baunya sampai ke rumah", "SM2"))
    again: CaseState | None = None
    for event in case.events:
        again = evolve(again, CaseEvent.model_validate_json(event.model_dump_json(exclude_none=True)))
    assert again == case.case
    assert again is not None and again.suggestion is not None and again.suggestion.place is not None
    assert again.suggestion.place.by_photo, "what they write later does not make it forgotten"


# ── in the hub ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def degrees(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Rulebook]:
    """LaporGub's profile with the table above."""

    def loaded(name: str) -> Rulebook:
        return replace(load(name), regions=table())

    monkeypatch.setattr(web_hub, "_load_once", loaded)
    return loaded


async def fetched(hub: Hub) -> None:
    work = keeper(hub, {})
    while await work.keep_due():
        pass


def the_case(hub: Hub) -> CaseState:
    [case] = hub.tracking.find(Query((PROFILE,)), hub.now()).cases
    return case


FIELDS = {"text": RUBBISH, "place": "depan pasar", "phone": "0811-0000-0001", "key": "k1"}


async def sent(web: Web, **more: str) -> CaseState:
    exif = ("files", ("foto.jpg", camera().data, "image/jpeg"))
    answer = await web.browser.post("/", data=FIELDS | more, files=[exif])
    assert 'class="ticket">' in answer.text, answer.text
    await fetched(web.hub)
    return the_case(web.hub)


@pytest.mark.usefixtures("degrees")
async def test_officers_see_that_a_place_is_from_the_photo(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        case = await sent(web, place="di sana")
        await web.sign_in("disposisi")
        page = (await web.browser.get(f"/staff/cases/{case.ticket}")).text
        told = page.partition("Tempat menurut foto")[2].partition("</dd>")[0]
        assert "Kota Semarang" in told and "belum tentu benar" in told
        assert "tempat menurut foto: Kota Semarang" in page
        assert "Kota Semarang" not in page.partition("<dt>Lokasi</dt>")[2].partition("</dd>")[0]
        public = (await web.browser.get(f"/t/{case.ticket}")).text
        assert "Semarang" not in public


@pytest.mark.usefixtures("degrees")
async def test_no_event_says_more_than_about_where(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        case = await sent(web)
        [file] = web.hub.files(case.id)
        assert (file.lat, file.lon) == (-7.02, 110.41), "staff's own copy"
        history = web.hub.events(case.id)
        assert [each.data.taken for each in history if isinstance(each.data, MessageAdded)] == [
            Spot(lat=-7.02, lon=110.41)
        ]
        assert not any(isinstance(each.data, Located) for each in history), "told already"


@pytest.mark.usefixtures("degrees")
async def test_the_list_says_that_a_place_is_by_a_photo(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        files = (camera(),)
        await web.hub.receive(PROFILE, "web", form(1, RUBBISH, location=None, files=files))
        await web.sign_in("disposisi")
        assert "Kota Semarang (menurut foto)" in (await web.browser.get("/staff")).text
        listed = (await web.browser.get("/api/v1/cases")).json()
        assert listed["cases"][0]["place"] is None, "nobody said so"


@pytest.mark.usefixtures("degrees")
async def test_an_anonymous_reporter_s_photo_tells_nothing(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        case = await sent(web, anonymous="1")
        assert not any(each.taken for each in case.said)
        assert case.suggestion is not None and not (case.suggestion.place and case.suggestion.place.by_photo)


@pytest.fixture
async def hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, degrees: Callable[[str], Rulebook]
) -> AsyncIterator[Hub]:
    """One in which any file that is fetched is a photo that tells where it was taken."""

    async def fetch(*_: Any, **__: Any) -> Fetched:
        return Fetched(camera().data, "image/jpeg")

    monkeypatch.setattr(download, "fetch", fetch)
    monkeypatch.setattr(ground, "load", degrees)
    async with hub_on(tmp_path) as opened:
        yield opened


async def test_a_fetched_photo_tells_its_case_once(hub: Hub) -> None:
    receipt = await hub.receive(PROFILE, "whatsapp", whatsapp(1, RUBBISH, attachments=(PHOTO, PHOTO)))
    await fetched(hub)
    assert [each.status for each in hub.files(receipt.case_id)] == ["kept", "kept"]
    history = hub.events(receipt.case_id)
    assert [type(each.data) for each in history].count(Located) == 1
    place = [each.data for each in history if isinstance(each.data, Classified)][-1].suggestion.place
    assert place is not None and place.by_photo


async def test_a_photo_is_kept_though_its_case_will_not_hear_of_its_place(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = keeping._where_taken
    monkeypatch.setattr(
        keeping, "_where_taken", lambda row, at: (said := told(row, at)) and said.but({"case_id": "c_gone"})
    )
    receipt = await hub.receive(PROFILE, "whatsapp", whatsapp(1, RUBBISH, attachments=(PHOTO,)))
    await fetched(hub)
    assert [each.status for each in hub.files(receipt.case_id)] == ["kept"]
    assert not any(isinstance(each.data, Located) for each in hub.events(receipt.case_id))
