"""Batik.Net: from the letter of an office to the record it signs."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader
from support import Clock, form, hub_on

from laporhub.hub.hub import Hub
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.errors import NotFound, Refused
from laporhub.pipeline.items import Item
from laporhub.pipeline.messages import InlineFile
from laporhub.pipeline.papers import sheet
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.staff import Account
from laporhub.reports.paper import paper
from laporhub.web.i18n import translator

PROFILE = "batiknet"
BOOK = load(PROFILE)
TEAM = "tim-teknis"
CLERK = Actor(id="layanan-demo", role="petugas_layanan")
ENGINEER = Actor(id="petugas-demo", role="petugas_teknis", unit=TEAM)
FITTER = Actor(id="pelaksana-demo", role="pelaksana_teknis", unit=TEAM)
HEAD = Actor(id="penanggung-demo", role="penanggung_jawab")
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""09.00 WIB."""
FAULT = "Internet di ruang pelayanan lantai dua putus sejak pagi, lampu switch mati"
LETTER = InlineFile(data=b"%PDF-1.4\n%%EOF\n", media_type="application/pdf", name="surat.pdf")
REPLACED = "1 unit switch 8 port\n40 meter kabel UTP cat 6"


async def reported(hub: Hub, number: int = 1, **more: object) -> CaseState:
    given = {"files": (LETTER,), **more}
    receipt = await hub.receive(PROFILE, "web", form(number, FAULT, **given))
    state = hub.case(receipt.ticket)
    assert state is not None
    return state


async def diagnosed(hub: Hub) -> CaseState:
    state = await reported(hub)
    disposition = {"unit": TEAM, "opd": "dindik", "letter": "005/12/XI/2026"}
    await hub.act(state.id, "dispose", disposition, CLERK)
    return await hub.act(state.id, "check", {}, ENGINEER)


async def repaired(hub: Hub) -> CaseState:
    state = await diagnosed(hub)
    await hub.act(state.id, "list_equipment", {"diagnosis": "Switch mati", "equipment": REPLACED}, FITTER)
    await hub.act(state.id, "approve_list", {}, HEAD)
    await hub.act(state.id, "order", {}, ENGINEER)
    return await hub.act(state.id, "repair", {"result": "Switch diganti.", "replaced": REPLACED}, FITTER)


async def test_without_the_letter_it_waits_for_it(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(MONDAY), profile=PROFILE) as hub:
        state = await reported(hub, files=())
        assert (state.status, state.missing) == ("needs_info", ("letter",))
        state = await reported(hub, 2)
        assert (state.status, state.missing) == ("received", ())


async def test_a_light_fault_is_mended_at_once(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(MONDAY), profile=PROFILE) as hub:
        state = await diagnosed(hub)
        state = await hub.act(
            state.id, "handle", {"diagnosis": "Kabel longgar", "result": "Kabel dipasang lagi."}, FITTER
        )
        assert (state.status, state.clocks["repair"].status) == ("repaired", "stopped")


async def test_a_heavy_one_goes_by_list_and_order_to_result_and_signature(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(MONDAY), profile=PROFILE) as hub:
        state = await diagnosed(hub)
        with pytest.raises(Refused):
            await hub.act(state.id, "list_equipment", {"diagnosis": "Switch mati"}, FITTER)
        state = await hub.act(
            state.id, "list_equipment", {"diagnosis": "Switch mati", "equipment": REPLACED}, FITTER
        )
        assert state.status == "equipment_needed"
        with pytest.raises(Refused):
            await hub.act(state.id, "approve_list", {}, FITTER)
        state = await hub.act(state.id, "approve_list", {}, HEAD)
        assert state.status == "to_order"
        state = await hub.act(state.id, "order", {}, ENGINEER)
        assert state.status == "repairing"
        state = await hub.act(state.id, "repair", {"result": "Diganti.", "replaced": REPLACED}, FITTER)
        assert state.status == "repaired"
        state = await hub.act(state.id, "sign", {"signer": "Sekretaris Dinas Pendidikan"}, FITTER)
        assert state.status == "closed"


async def test_whoever_is_needed_next_is_told(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(MONDAY), profile=PROFILE) as hub:
        await repaired(hub)

        def told(actor: Actor) -> list[str]:
            account = Account(actor.id, (PROFILE,), actor.role, actor.unit)
            return [each.detail or each.occasion for _, each in hub.notices(PROFILE, account)]

        assert told(HEAD) == ["list_equipment"]
        assert told(ENGINEER) == told(FITTER) == ["order", "approve_list", "assigned"]
        assert told(CLERK) == []


async def test_one_to_two_days_and_the_offices_hours(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(MONDAY), profile=PROFILE) as hub:
        state = await reported(hub)
        clock = state.clocks["repair"]
        assert clock.due_at == datetime(2026, 11, 25, 8, 45, tzinfo=UTC)  # Wednesday 15.45 WIB
        assert clock.alarms["warn"] == datetime(2026, 11, 24, 8, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "clock", "is_open"),
    [
        (23, "07:59", False),
        (23, "08:00", True),
        (23, "12:00", False),
        (23, "12:29", False),
        (23, "12:30", True),
        (26, "15:44", True),
        (26, "15:45", False),
        (27, "10:59", True),
        (27, "11:00", False),
        (28, "09:00", False),
    ],
)
def test_the_hours_of_the_week(day: int, clock: str, is_open: bool) -> None:  # noqa: FBT001
    at = datetime.fromisoformat(f"2026-11-{day}T{clock}:00+07:00")
    assert BOOK.calendar.is_open(at) is is_open


def test_the_quarter_is_evaluated() -> None:
    assert [report.every for report in BOOK.profile.reports] == ["quarter"]


async def test_what_needs_no_repair_is_answered_or_goes_to_the_official(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(MONDAY), profile=PROFILE) as hub:
        state = await reported(hub)
        state = await hub.act(state.id, "answer", {"response": "Sudah pulih dengan sendirinya."}, CLERK)
        assert state.status == "answered"
        state = await reported(hub, 2)
        state = await hub.act(state.id, "hand_over", {"reason": "Perlu keputusan"}, CLERK)
        with pytest.raises(Refused):
            await hub.act(state.id, "settle", {"response": "x"}, CLERK)
        official = Actor(id="pejabat-demo", role="pejabat_pengaduan")
        state = await hub.act(state.id, "settle", {"response": "Sudah diputuskan."}, official)
        assert state.status == "answered"


def test_every_way_in_of_the_standard_is_there() -> None:
    accounts = {name: channel.account for name, channel in BOOK.profile.channels.items()}
    assert accounts["hotline"] == "+62285421243"
    assert accounts["email"] == "diskominfo@gafe.pekalongankota.go.id"
    assert accounts["web"] == "kominfo.pekalongankota.go.id"
    assert accounts["instagram"] == "@pkl.diskominfo"
    assert accounts["x"] == "@pkl_diskominfo"  # names on X have no dot
    assert BOOK.profile.channels["counter"].desk == "counter"
    assert "(0285) 420223" in str(BOOK.profile.contact)


# ── the record ───────────────────────────────────────────────────────────────────────────────────


async def test_the_record_has_what_was_replaced_and_who_signs(tmp_path: Path) -> None:
    clock = Clock(MONDAY)
    async with hub_on(tmp_path, clock, profile=PROFILE) as hub:
        state = await repaired(hub)
        made = sheet(BOOK, state, hub.events(state.id), "berita_acara", CLERK)
        assert made.items == (Item("switch 8 port", "1 unit"), Item("kabel UTP cat 6", "40 meter"))
        assert made.signatures == (("OPD pelapor", "Dinas Pendidikan"), ("Petugas Teknis", ""))
        words = "\n".join(made.paragraphs)
        for wanted in (
            "Senin, 23 November 2026",
            "Dinas Pendidikan",
            state.ticket,
            "005/12/XI/2026",
            "Switch mati",
        ):
            assert wanted in words
        clock.forward(days=3)
        signed = await hub.act(state.id, "sign", {"signer": "Sekretaris"}, FITTER)
        later = sheet(BOOK, signed, hub.events(state.id), "berita_acara", CLERK)
        assert later.paragraphs == made.paragraphs


async def test_the_file_can_be_read_and_says_the_same(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(MONDAY), profile=PROFILE) as hub:
        state = await repaired(hub)
        made = sheet(BOOK, state, hub.events(state.id), "berita_acara", CLERK)
        data = paper(made, translator("id"))
        assert data == paper(made, translator("id"))
        (page,) = PdfReader(io.BytesIO(data)).pages
        text = page.extract_text()
        for wanted in (
            "BERITA ACARA",
            state.ticket,
            "switch 8 port",
            "40 meter",
            "OPD pelapor",
            "Petugas Teknis",
        ):
            assert wanted in text


async def test_a_long_list_goes_over_pages_and_the_signatures_stay_together(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(MONDAY), profile=PROFILE) as hub:
        state = await diagnosed(hub)
        many = "\n".join(f"{number} buah barang nomor {number}" for number in range(1, 61))
        given = {"diagnosis": "Petir 😀", "result": "Diganti.", "replaced": many}
        state = await hub.act(state.id, "handle", given, FITTER)
        made = sheet(BOOK, state, hub.events(state.id), "berita_acara", CLERK)
        pages = PdfReader(io.BytesIO(paper(made, translator("id")))).pages
        assert len(pages) > 1
        assert "barang nomor 60" in "".join(page.extract_text() for page in pages)
        last = pages[-1].extract_text()
        assert "OPD pelapor" in last and last.count("Nama, NIP dan cap") == 2


async def test_nobody_else_has_it_and_nobody_too_early(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(MONDAY), profile=PROFILE) as hub:
        early = await diagnosed(hub)
        with pytest.raises(NotFound):
            sheet(BOOK, early, hub.events(early.id), "berita_acara", CLERK)
    async with hub_on(tmp_path / "more", Clock(MONDAY), profile=PROFILE) as hub:
        state = await repaired(hub)
        reporter = Actor(id=state.reporter, role="reporter")
        assert sheet(BOOK, state, hub.events(state.id), "berita_acara", reporter).items
        others = [
            Actor(id="x", role="kepala_bidang"),
            Actor(id="x", role="pelaksana_teknis", unit="tim-lain"),
            Actor(id="orang-lain", role="reporter"),
        ]
        for other in others:
            with pytest.raises(NotFound):
                sheet(BOOK, state, hub.events(state.id), "berita_acara", other)
