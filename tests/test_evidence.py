"""Photos of what was done: needed where the profile says so, compared with the complaint, known when seen before."""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance
from support import ADMIN, MONDAY, form, hub_on, unit_admin
from test_media import taken
from web_hub import PROFILE, UNIT, Web, web_on

from laporhub import profiles
from laporhub.hub.compose import keeper
from laporhub.hub.hub import Hub
from laporhub.pipeline import media
from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.errors import Refused
from laporhub.pipeline.evidence import BITS, Doubt, bands, differ, doubts, metres
from laporhub.pipeline.messages import InlineFile, Location
from laporhub.pipeline.profile.schema_life import Evidence

HERE = Location(address="Jalan Contoh, Batang", lat=-6.9, lon=109.73)


def street(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A made-up street scene: shapes and shades, another for each seed."""
    draw_from = random.Random(seed)
    picture = Image.new("RGB", size, tuple(draw_from.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(picture)
    for _ in range(14):
        left, top = draw_from.randrange(size[0]), draw_from.randrange(size[1])
        shade = tuple(draw_from.randrange(256) for _ in range(3))
        draw.rectangle(
            (left, top, left + draw_from.randrange(40, 300), top + draw_from.randrange(40, 200)), fill=shade
        )
    return picture


def jpeg(picture: Image.Image, exif: Image.Exif | None = None, quality: int = 90) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, **({"exif": exif} if exif else {}))
    return out.getvalue()


def photo(data: bytes) -> dict[str, list[InlineFile]]:
    return {"photo": [InlineFile(data=data)]}


async def in_progress(hub: Hub, number: int = 1, **more: object) -> str:
    receipt = await hub.receive(PROFILE, "web", form(number, location=HERE, **more))
    await hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN)
    return receipt.case_id


async def responded(hub: Hub, case: str, data: bytes) -> CaseState:
    answer = {"response": "Sudah ditambal."}
    state = await hub.act(case, "respond", answer, unit_admin(UNIT), photos=photo(data))
    while await keeper(hub, {}).keep_due():
        pass
    return state


def warned(hub: Hub, state: CaseState) -> list[str]:
    return [doubt.kind for found in hub.doubts(state).values() for doubt in found]


# ── in a hub ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_photo_of_what_was_done_is_kept_sealed_and_compared(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        state = await responded(hub, await in_progress(hub), jpeg(street(1)))
        [file] = hub.files(state.id)
        assert (file.status, file.field, file.reporter) == ("kept", "photo", state.reporter)
        assert file.fingerprint is not None
        assert warned(hub, state) == ["no_time", "no_place"]


async def test_a_photo_seen_in_another_case_is_named(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        first = await responded(hub, await in_progress(hub, 1), jpeg(street(1)))
        smaller = ImageEnhance.Brightness(street(1).resize((320, 240))).enhance(1.05)
        second = await responded(hub, await in_progress(hub, 2), jpeg(smaller, quality=60))
        third = await responded(hub, await in_progress(hub, 3), jpeg(street(2)))
        [found] = [d for each in hub.doubts(second).values() for d in each if d.kind == "reused"]
        assert found.tickets == (first.ticket,)
        assert "reused" not in warned(hub, third)


async def test_the_reporters_own_photo_is_no_evidence(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        case = await in_progress(hub, files=(InlineFile(data=jpeg(street(1))),))
        state = await responded(hub, case, jpeg(street(1), quality=70))
        assert "own" in warned(hub, state) and "reused" not in warned(hub, state)


async def test_without_the_photo_that_the_profile_demands_nothing_happens(tmp_path: Path) -> None:
    copy = tmp_path / PROFILE
    shutil.copytree(profiles.folder(PROFILE), copy)
    rules = copy / "profile.yaml"
    before, after = "type: photo\n        required: false", "type: photo\n        required: true"
    assert before in rules.read_text()
    rules.write_text(rules.read_text().replace(before, after))
    async with hub_on(tmp_path / "data", profile=str(copy)) as hub:
        case = await in_progress(hub)
        with pytest.raises(Refused) as refused:
            await hub.act(case, "respond", {"response": "Sudah."}, unit_admin(UNIT))
        assert (refused.value.code, refused.value.field) == ("missing_field", "photo")
        forged = {"response": "Sudah.", "photo": "inline:0123"}
        with pytest.raises(Refused):
            await hub.act(case, "respond", forged, unit_admin(UNIT))
        assert (await responded(hub, case, jpeg(street(1)))).status == "drafted"


@pytest.mark.parametrize("data", [b"", b"kata-kata saja", b"%PDF-1.7 ...", b"<svg onload=alert(1)>"])
async def test_what_is_no_photo_is_refused_and_nothing_changes(data: bytes, tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        case = await in_progress(hub)
        with pytest.raises(Refused) as refused:
            await hub.act(case, "respond", {"response": "Sudah."}, unit_admin(UNIT), photos=photo(data))
        assert (refused.value.code, refused.value.field) == ("not_a_photo", "photo")
        assert hub.files(case) == []


# ── the pages ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with web_on(tmp_path) as opened:
        yield opened


async def test_staff_see_the_photo_with_its_warnings_and_the_reporter_once_it_is_answered(web: Web) -> None:
    receipt = await web.disposed(1)
    await web.sign_in("pupr")
    page = f"/staff/cases/{receipt.ticket}"
    sent = await web.browser.post(
        f"{page}/do/respond",
        data={"csrf": web.csrf(), "f_response": "Sudah ditambal."},
        files=[("f_photo", ("bukti.jpg", jpeg(street(1)), "image/jpeg"))],
    )
    assert sent.status_code == 303, sent.text
    while await keeper(web.hub, {}).keep_due():
        pass
    [file] = web.hub.files(receipt.case_id)
    html = (await web.browser.get(page)).text
    assert "Foto hasil penanganan" in html and "Foto tidak menyebut waktu" in html and file.id in html
    own = web.link(receipt)
    address = f"/t/{receipt.ticket}/files/{file.id}?{own.partition('?')[2]}"
    reporter = web.another_browser()
    async with reporter:
        assert file.id not in (await reporter.get(own)).text, "not before it is approved"
        assert (await reporter.get(address)).status_code == 404
        await web.hub.act(receipt.case_id, "approve", {}, ADMIN)
        assert file.id in (await reporter.get(own)).text
        shown = await reporter.get(address)
        assert shown.status_code == 200 and not Image.open(io.BytesIO(shown.content)).getexif()


async def test_a_file_that_is_no_photo_is_told_in_words_and_the_words_stay(web: Web) -> None:
    receipt = await web.disposed(1)
    await web.sign_in("pupr")
    answer = await web.browser.post(
        f"/staff/cases/{receipt.ticket}/do/respond",
        data={"csrf": web.csrf(), "f_response": "Sudah ditambal kemarin."},
        files=[("f_photo", ("x.jpg", b"bukan foto", "image/jpeg"))],
    )
    assert answer.status_code == 422
    assert "bukan foto yang dapat dibaca" in answer.text and "Sudah ditambal kemarin." in answer.text


# ── the rules ────────────────────────────────────────────────────────────────────────────────────


def state_at(location: Location | None) -> CaseState:
    return CaseState(
        id="c_1", profile=PROFILE, profile_version="2024-03-28", ticket="LGWP-1", seq=1, status="disposed",
        channel="web", account="x", conversation="v_1", reporter="p_1", opened_at=MONDAY, updated_at=MONDAY,
        location=location,
    )  # fmt: skip


def a_photo(**more: object) -> CaseFile:
    given: dict[str, object] = {
        "id": "f_1", "message_id": "e_1", "position": 0, "case_id": "c_1", "profile": PROFILE, "channel": "web",
        "reporter": "p_1", "url": "inline:1", "field": "photo",
    }  # fmt: skip
    return CaseFile(**(given | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"taken_at": MONDAY + timedelta(days=1), "lat": -6.9, "lon": 109.73}, []),
        ({"taken_at": MONDAY - timedelta(days=40), "lat": -6.9, "lon": 109.73}, ["before"]),
        ({"taken_at": MONDAY + timedelta(days=9), "lat": -6.9, "lon": 109.73}, ["future"]),
        ({"taken_at": MONDAY + timedelta(days=1), "lat": -7.0, "lon": 110.42}, ["far"]),
        ({"taken_at": MONDAY + timedelta(days=1)}, ["no_place"]),
        ({"lat": -6.9, "lon": 109.73}, ["no_time"]),
    ],
)
def test_time_and_place_are_compared_with_the_complaint(more: dict[str, object], expected: list[str]) -> None:
    found = doubts(a_photo(**more), state_at(HERE), Evidence(), (), timedelta(days=2))
    assert [each.kind for each in found] == expected


def test_how_far_is_told_in_metres_and_nothing_where_nobody_knows_the_place() -> None:
    semarang = a_photo(taken_at=MONDAY, lat=-6.9667, lon=110.4167)
    (far,) = doubts(semarang, state_at(HERE), Evidence(), ())
    assert far == Doubt("far", metres=far.metres) and 75_000 < far.metres < 77_000
    assert doubts(semarang, state_at(Location(address="Batang")), Evidence(), ()) == ()


DEGREES = st.tuples(st.floats(-89, 89), st.floats(-179, 179))


@given(DEGREES, DEGREES)
def test_distance_is_the_same_both_ways_and_nothing_to_itself(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    assert metres(*one, *other) == pytest.approx(metres(*other, *one), abs=0.01)
    assert metres(*one, *one) == pytest.approx(0, abs=0.01)
    assert 0 <= metres(*one, *other) <= 20_100_000


@given(st.integers(0, 2**BITS - 1), st.sets(st.integers(0, BITS - 1), max_size=3))
def test_fingerprints_that_differ_in_three_bits_share_a_band(value: int, flipped: set[int]) -> None:
    other = value
    for bit in flipped:
        other ^= 1 << bit
    one, two = f"{value:016x}", f"{other:016x}"
    assert set(bands(one)) & set(bands(two))
    assert differ(one, two) == len(flipped)


@given(st.integers(0, 10_000), st.floats(0.9, 1.1), st.integers(50, 95), st.integers(240, 1200))
@settings(max_examples=30)
def test_a_picture_saved_anew_looks_the_same(seed: int, light: float, quality: int, width: int) -> None:
    picture = street(seed)
    first = media.fingerprint(picture)
    again = ImageEnhance.Brightness(picture.resize((width, width * 3 // 4))).enhance(light)
    second = media.fingerprint(Image.open(io.BytesIO(jpeg(again, quality=quality))))
    if first is None or second is None:
        return
    assert differ(first, second) <= 8, "few bits change"


def test_pictures_of_nothing_have_no_fingerprint_and_different_ones_differ() -> None:
    assert media.fingerprint(Image.new("RGB", (640, 480), "white")) is None
    prints = [found for seed in range(60) if (found := media.fingerprint(street(seed)))]
    near = [(a, b) for n, a in enumerate(prints) for b in prints[n + 1 :] if differ(a, b) <= 3]
    assert len(prints) > 50 and near == []


def test_the_fingerprint_is_that_of_the_picture_as_it_is_shown() -> None:
    turned = taken()  # the camera was held upright
    looked = media.look_into(jpeg(street(1), turned), UTC)
    assert looked is not None and looked.facts.fingerprint is not None
    shown = media.fingerprint(Image.open(io.BytesIO(looked.shown)))
    assert shown is not None and differ(looked.facts.fingerprint, shown) <= 3
