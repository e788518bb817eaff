"""Wadul Aladin, step by step as its standard and its procedure say it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from support import Clock, form, hub_on, whatsapp
from test_publisher import Platform

from laporhub.hub.hub import Hub
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector import BY_HAND
from laporhub.pipeline.embedded.engine import EmbeddedEngine
from laporhub.pipeline.embedded.ticker import Ticker
from laporhub.pipeline.errors import Conflict, Forbidden, NotFound
from laporhub.pipeline.events import ClockAlarmed, ReplyQueued
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.publisher import Publisher
from laporhub.pipeline.staff import Account
from laporhub.pipeline.workflow import needs_attention

PROFILE = "wadul-aladin"
BOOK = load(PROFILE)
UNIT = "dpupr"
ADMIN, TEAM = Actor(id="kota-demo", role="admin_kota"), Actor(id="tim-demo", role="tim_kota")
OPD = Actor(id="opd-demo", role="admin_opd", unit=UNIT)
CREW = Actor(id="regu-demo", role="tim_opd", unit=UNIT)
OFFICIAL = Actor(id="pejabat-demo", role="pejabat_pengaduan")
NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
"""A Monday, 12.00 WIB."""
TEXT = "Jalan di depan Pasar Contoh Kelurahan Medono berlubang sejak minggu lalu, sudah dua motor jatuh"


def told(number: int = 1, **more: object) -> Mapping[str, object]:
    return {"text": TEXT, "name": "Warga Contoh", **more}


async def received(hub: Hub, number: int = 1, **more: object) -> CaseState:
    receipt = await hub.receive(PROFILE, "whatsapp", whatsapp(number, **told(number, **more)))  # type: ignore[arg-type]
    return case(hub, receipt.ticket)


def case(hub: Hub, ticket: str) -> CaseState:
    state = hub.case(ticket)
    assert state is not None
    return state


def said(hub: Hub, state: CaseState) -> list[tuple[str, str]]:
    queued = [event.data for event in hub.events(state.id) if isinstance(event.data, ReplyQueued)]
    return [(reply.purpose, reply.text) for reply in queued]


async def send(hub: Hub) -> None:
    speaking = {(PROFILE, "whatsapp"): Platform()}
    publisher = Publisher(hub.database, hub.engine, speaking, hub.ring, hub.now)
    while await publisher.send_due():
        pass


async def ring(hub: Hub) -> None:
    assert isinstance(hub.engine, EmbeddedEngine)
    ticker = Ticker(hub.database, hub.engine, (PROFILE,), hub.now)
    while await ticker.ring_due():
        pass


def alarms(hub: Hub, state: CaseState, clock: str) -> list[str | None]:
    rung = [event.data for event in hub.events(state.id) if isinstance(event.data, ClockAlarmed)]
    return [each.escalate_to for each in rung if each.clock == clock and each.alarm != "warn"]


async def test_a_message_is_answered_by_itself_and_its_clocks_stop_with_the_answer(tmp_path: Path) -> None:
    clock = Clock(NOON)
    async with hub_on(tmp_path, clock, profile=PROFILE) as hub:
        state = await received(hub)
        assert state.ticket.startswith("PWWA")
        assert [purpose for purpose, _ in said(hub, state)] == ["ack"]
        assert {name: state.clocks[name].due_at - NOON for name in ("reception", "automatic_answer")} == {
            "reception": timedelta(minutes=2),
            "automatic_answer": timedelta(minutes=1),
        }
        clock.forward(seconds=20)
        await send(hub)
        sent = case(hub, state.ticket)
        stopped = [
            (sent.clocks[name].status, sent.clocks[name].late) for name in ("reception", "automatic_answer")
        ]
        assert stopped == [("stopped", False), ("stopped", False)]
        assert sent.clocks["verification"].status == "running"


async def test_on_a_page_the_answer_is_there_at_once(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(NOON), profile=PROFILE) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1, TEXT))
        clock = case(hub, receipt.ticket).clocks["automatic_answer"]
        assert (clock.status, clock.late, clock.stopped_at) == ("stopped", False, NOON)


async def test_an_answer_that_does_not_leave_within_a_minute_is_told_to_the_city(tmp_path: Path) -> None:
    clock = Clock(NOON)
    async with hub_on(tmp_path, clock, profile=PROFILE) as hub:
        state = await received(hub)
        clock.forward(minutes=1)
        await ring(hub)
        assert alarms(hub, state, "automatic_answer") == ["kota"]
        await ring(hub)
        assert alarms(hub, state, "automatic_answer") == ["kota"]
        clock.forward(minutes=5)
        await send(hub)
        assert case(hub, state.ticket).clocks["automatic_answer"].late


@pytest.mark.parametrize(
    ("hour", "minute", "begins"),
    [
        (7, 59, "Senin, 23 November 2026 pukul 08.00 WIB"),
        (8, 0, None),
        (20, 59, None),
        (21, 0, "Selasa, 24 November 2026 pukul 08.00 WIB"),
    ],
)
async def test_outside_service_hours_it_is_received_and_told_so(
    tmp_path: Path, hour: int, minute: int, begins: str | None
) -> None:
    clock = Clock(datetime(2026, 11, 23, hour, minute, tzinfo=BOOK.calendar.zone).astimezone(UTC))
    async with hub_on(tmp_path, clock, profile=PROFILE) as hub:
        state = await received(hub)
        ((_, text),) = said(hub, state)
        assert ("di luar jam layanan" in text) == (begins is not None)
        assert begins is None or begins in text


async def test_identity_and_what_happened_are_asked_for(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(NOON), profile=PROFILE) as hub:
        state = await received(hub, text="lapor pak", name=None)
        assert state.status == "needs_info"
        assert set(state.missing) == {"name", "chronology"}
        assert state.clocks["verification"].status == "paused"


async def test_a_general_complaint_is_answered_directly(tmp_path: Path) -> None:
    clock = Clock(NOON)
    async with hub_on(tmp_path, clock, profile=PROFILE) as hub:
        state = await received(hub)
        await send(hub)
        state = await hub.act(state.id, "answer", {"response": "Kantor buka pukul 08.00."}, ADMIN)
        assert (state.status, state.unit, state.clocks["verification"].late) == ("sending", None, False)
        clock.forward(minutes=2)
        await send(hub)
        state = case(hub, state.ticket)
        assert (state.status, state.clocks["delivery"].late) == ("answered", False)
        assert said(hub, state)[-1][1].count("Kantor buka pukul 08.00.") == 1


async def test_a_technical_one_goes_from_office_to_office(tmp_path: Path) -> None:
    clock = Clock(NOON)
    async with hub_on(tmp_path, clock, profile=PROFILE) as hub:
        state = await received(hub)
        state = await hub.act(state.id, "forward", {"unit": UNIT}, TEAM)
        assert (state.status, state.unit) == ("forwarded", UNIT)
        assert state.clocks["opd_reception"].due_at == NOON + timedelta(minutes=5)
        with pytest.raises((Forbidden, Conflict, NotFound)):
            await hub.act(state.id, "pass_on", {}, CREW)  # only the office's admin passes it on
        state = await hub.act(state.id, "pass_on", {}, OPD)
        assert (state.status, state.clocks["opd_reception"].status) == ("with_team", "stopped")
        state = await hub.act(state.id, "follow_up", {"response": "Lubang sudah ditambal."}, CREW)
        await send(hub)
        assert case(hub, state.ticket).status == "answered"
        assert "Dinas Pekerjaan Umum" in said(hub, state)[-1][1]


async def test_an_incomplete_one_comes_back_to_the_city_which_asks(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(NOON), profile=PROFILE) as hub:
        state = await received(hub)
        await hub.act(state.id, "forward", {"unit": UNIT}, TEAM)
        state = await hub.act(state.id, "return", {"reason": "Nama jalan belum ada"}, OPD)
        assert (state.status, state.unit, state.clocks["verification"].status) == (
            "received",
            None,
            "running",
        )
        state = await hub.act(state.id, "ask", {"question": "Di jalan apa?"}, ADMIN)
        assert state.status == "needs_info"


async def test_what_opds_return_again_and_again_the_official_decides(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(NOON), profile=PROFILE) as hub:
        state = await received(hub)
        for _ in range(3):
            assert state.status == "received"
            await hub.act(state.id, "forward", {"unit": UNIT}, ADMIN)
            state = await hub.act(state.id, "return", {"reason": "Bukan jalan kota"}, OPD)
        assert (state.status, state.unit) == ("with_official", None)
        clocks = {name: state.clocks[name].status for name in ("verification", "official")}
        assert clocks == {"verification": "stopped", "official": "running"}
        official = Account(OFFICIAL.id, (PROFILE,), OFFICIAL.role)
        assert [each.detail for _, each in hub.notices(PROFILE, official)] == ["refer"]
        await hub.act(state.id, "forward", {"unit": UNIT}, OFFICIAL)
        with pytest.raises(Conflict) as refused:
            await hub.act(state.id, "return", {"reason": "Tetap bukan"}, OPD)
        assert refused.value.code == "too_often"


async def test_a_case_goes_to_another_opd_and_in_the_end_the_official_decides_to_which(
    tmp_path: Path,
) -> None:
    clock = Clock(NOON)
    other = Actor(id="dlh-demo", role="admin_opd", unit="dlh")
    async with hub_on(tmp_path, clock, profile=PROFILE) as hub:
        state = await received(hub)
        await hub.act(state.id, "forward", {"unit": UNIT}, ADMIN)
        await hub.act(state.id, "pass_on", {}, OPD)
        for unit in ("dlh", UNIT, "dlh"):
            await send(hub)
            clock.forward(minutes=1)
            state = await hub.act(state.id, "redispose", {"unit": unit, "note": "Salah pilih"}, ADMIN)
            assert (state.status, state.unit) == ("forwarded", unit)
            reception = state.clocks["opd_reception"]
            assert (reception.status, reception.started_at) == ("running", clock())
        await send(hub)
        with pytest.raises(Conflict) as refused:
            await hub.act(state.id, "redispose", {"unit": UNIT, "note": "Lagi"}, ADMIN)
        assert refused.value.code == "too_often"
        with pytest.raises(Forbidden):
            await hub.act(state.id, "decide", {"unit": UNIT, "note": "Jalan kota"}, other)
        state = await hub.act(state.id, "decide", {"unit": UNIT, "note": "Jalan kota"}, OFFICIAL)
        assert state.unit == UNIT


async def test_who_is_late_is_told_first_then_the_official(tmp_path: Path) -> None:
    clock = Clock(NOON)
    async with hub_on(tmp_path, clock, profile=PROFILE) as hub:
        state = await received(hub)
        await send(hub)
        clock.forward(minutes=30)
        await ring(hub)
        assert alarms(hub, state, "verification") == ["kota"]
        clock.forward(minutes=30)
        await ring(hub)
        assert alarms(hub, state, "verification") == ["kota", "pejabat_pengaduan"]


async def test_what_the_officer_cannot_settle_the_official_does(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(NOON), profile=PROFILE) as hub:
        receipt = await hub.receive(PROFILE, "counter", form(1, TEXT))
        state = await hub.act(receipt.case_id, "hand_over", {"reason": "Perlu keputusan"}, ADMIN)
        assert state.status == "with_official"
        official = Account(OFFICIAL.id, (PROFILE,), OFFICIAL.role)
        assert [each.detail for _, each in hub.notices(PROFILE, official)] == ["hand_over"]
        with pytest.raises((Forbidden, Conflict)):
            await hub.act(state.id, "settle", {"response": "x"}, ADMIN)
        state = await hub.act(state.id, "settle", {"response": "Sudah kami putuskan."}, OFFICIAL)
        assert state.status == "answered"


@pytest.mark.parametrize(
    ("day", "due"),
    [
        ("2022-05-09", "2022-05-11T05:00:00+00:00"),  # 2 days, of 24 hours
        ("2023-12-31", "2024-01-02T05:00:00+00:00"),
    ],
)
async def test_in_2022_two_days_were_promised(tmp_path: Path, day: str, due: str) -> None:
    clock = Clock(datetime.fromisoformat(f"{day}T05:00:00+00:00"))
    async with hub_on(tmp_path, clock, profile=PROFILE) as hub:
        state = await received(hub)
        assert state.clocks["resolution"].due_at == datetime.fromisoformat(due)


def test_the_current_standard_promises_fourteen_working_days() -> None:
    for day in ("2024-01-01", "2026-11-23"):
        rules = BOOK.on(datetime.fromisoformat(f"{day}T05:00:00+00:00")).profile
        assert rules.clocks["resolution"].limit.working_days == 14


async def test_since_2025_what_is_never_completed_is_archived(tmp_path: Path) -> None:
    for year, status in ((2024, "received"), (2026, "archived")):
        clock = Clock(datetime(year, 11, 22, 5, 0, tzinfo=UTC))
        async with hub_on(tmp_path / str(year), clock, profile=PROFILE) as hub:
            state = await received(hub, text="lapor pak")
            for _ in range(2):
                clock.forward(days=10)
                await ring(hub)
            assert case(hub, state.ticket).status == status


def test_the_month_is_reported_to_mayor_vice_mayor_and_secretary() -> None:
    monthly = [report for report in BOOK.profile.reports if report.every == "month"]
    receivers = {to for report in monthly for to in report.to}
    assert {"wali_kota", "wakil_wali_kota", "sekda"} <= receivers


def test_every_way_in_of_the_standard_is_there() -> None:
    accounts = {name: channel.account for name, channel in BOOK.profile.channels.items()}
    assert accounts["whatsapp"] == "whatsapp:+62816644000"
    assert accounts["hotline"] == "+62285421243"
    assert accounts["email"] == "diskominfo@gafe.pekalongankota.go.id"
    assert accounts["web"] == "kominfo.pekalongankota.go.id"
    assert accounts["instagram"] == "@pkl.diskominfo"
    assert accounts["x"] == "@pkl_diskominfo"  # names on X have no dot
    assert BOOK.profile.channels["counter"].desk == "counter"
    assert "(0285) 420223" in str(BOOK.profile.contact)


def test_service_is_every_day_and_working_days_are_monday_to_friday() -> None:
    calendar, christmas = load("wadul-aladin").calendar, date(2026, 12, 25)
    saturday = date(2026, 11, 28)
    for day in (saturday, christmas):
        assert calendar.is_open(datetime.combine(day, time(20, 59), calendar.zone))
        assert not calendar.is_working_day(day)
    night = datetime.combine(christmas, time(22), calendar.zone)
    assert calendar.opens_after(night) == datetime.combine(date(2026, 12, 26), time(8), calendar.zone)


async def test_who_has_the_case_answers_or_decides_speaks_in_confidence_and_nobody_else(
    tmp_path: Path,
) -> None:
    async with hub_on(tmp_path, Clock(NOON), profile=PROFILE) as hub:
        state = await received(hub)
        await hub.act(state.id, "forward", {"unit": UNIT}, ADMIN)
        await hub.confide(
            state.id, "Pelakunya pegawai di sana.", Actor(id=state.reporter, role="reporter"), "1"
        )
        for actor in (ADMIN, OFFICIAL, OPD):
            heard = hub.confidential(case(hub, state.ticket), actor)
            assert [each.text for each in heard] == ["Pelakunya pegawai di sana."]
        for actor in (TEAM, CREW, Actor(id="walikota-demo", role="wali_kota")):
            with pytest.raises(Forbidden):
                hub.confidential(case(hub, state.ticket), actor)
        await hub.confide(state.id, "Kami periksa.", OPD, "2")
        purpose, words = said(hub, state)[-1]
        assert purpose == "confidential" and state.ticket in words and "Kami periksa" not in words


async def test_who_came_by_telephone_is_rung_up_about_a_confidential_answer(tmp_path: Path) -> None:
    async with hub_on(
        tmp_path, Clock(NOON), profile=PROFILE, connectors={"hotline": {"secret": "rahasia-percobaan-1"}}
    ) as hub:
        receipt = await hub.receive(PROFILE, "hotline", form(1, TEXT))
        await hub.act(receipt.case_id, "forward", {"unit": UNIT}, ADMIN)
        await hub.confide(receipt.case_id, "Kami periksa.", OPD, "1")
        purpose, words = said(hub, case(hub, receipt.ticket))[-1]
        assert purpose == "confidential" and receipt.ticket in words
        assert "Kami periksa" not in words and "http" not in words, "a link is not for reading out"
        while await hub.publisher.send_due():
            pass
        state = case(hub, receipt.ticket)
        reply = list(state.replies)[-1]
        assert (state.replies[reply].status, state.replies[reply].reason) == ("failed", BY_HAND)
        assert needs_attention(state)
        state = await hub.convey(state.id, reply, ADMIN)
        assert not needs_attention(state)
