"""What staff is told: in their inbox, and by e-mail and WhatsApp at the address of their unit or role, once each."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from support import ADMIN, Clock, Stub, form, hub_on, unit_admin
from test_publisher import LEASE, Platform
from web_hub import STAFF, Web, web_on

from laporhub import profiles
from laporhub.hub.hub import Hub
from laporhub.pipeline.clocks import tick
from laporhub.pipeline.commands import Act, Actor, Command, Words
from laporhub.pipeline.embedded.ticker import Ticker
from laporhub.pipeline.notices import Notice
from laporhub.pipeline.profile.load import ProfileError, load
from laporhub.pipeline.publisher import Publisher
from laporhub.pipeline.store.batch import Batch
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.tables import notices as table
from laporhub.pipeline.store.tables import outbox
from laporhub.pipeline.store.writes import Government

PROFILE = "laporgub-jateng"
UNIT, HELPER = "dinas-pupr", "dishub"
UNIT_PIC = 'pic: {email: pic-pupr@contoh.example, whatsapp: "+6281100009001"}'
ROLE_PIC = "pic: {email: pic-gubernur@contoh.example}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped profile, with made-up addresses of persons in charge."""
    copy = tmp_path_factory.mktemp("profile") / PROFILE
    shutil.copytree(profiles.folder(PROFILE), copy)
    units, rules = copy / "units.yaml", copy / "profile.yaml"
    units.write_text(units.read_text().replace(f"  - id: {UNIT}\n", f"  - id: {UNIT}\n    {UNIT_PIC}\n"))
    known = "sees_identity: true,"
    assert known in rules.read_text()
    rules.write_text(rules.read_text().replace(known, f"{known} {ROLE_PIC},"))
    return copy


@asynccontextmanager
async def telling(
    tmp_path: Path, folder: Path, clock: Clock, platform: Platform, mail: Platform | None = None
) -> AsyncIterator[Hub]:
    settings = {"connectors": {"email": MAILBOX}} if mail else {}
    async with hub_on(tmp_path, clock, profile=str(folder), **settings) as hub:
        lanes = {(PROFILE, "whatsapp"): platform} | ({(PROFILE, "email"): mail} if mail else {})
        hub.publisher = Publisher(hub.database, hub.engine, lanes, hub.ring, clock)  # type: ignore[arg-type]
        await hub.publisher.recover()
        yield hub


MAILBOX = {
    "imap_host": "localhost",
    "smtp_host": "localhost",
    "username": "lapor@contoh.example",
    "password": "sandi-percobaan",
}


async def sent(hub: Hub) -> None:
    while await hub.publisher.send_due():
        pass


async def disposed(hub: Hub, number: int = 1) -> str:
    receipt = await hub.receive(PROFILE, "web", form(number))
    await hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN)
    return receipt.case_id


def told(hub: Hub, name: str) -> list[Notice]:
    return [notice for _, notice in hub.notices(PROFILE, STAFF[name])]


def occasions(hub: Hub, name: str) -> list[tuple[str, str]]:
    return [(each.occasion, each.detail) for each in reversed(told(hub, name))]


async def ring(hub: Hub, clock: Clock) -> None:
    ticker = Ticker(hub.database, hub.engine, (PROFILE,), clock)
    while await ticker.ring_due():
        pass


# ── the inbox ────────────────────────────────────────────────────────────────────────────────────


async def test_the_unit_is_told_of_its_assignment_warning_and_escalation_and_whoever_is_named(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        await disposed(hub)
        assert occasions(hub, "pupr") == [("assigned", "")]
        assert occasions(hub, "perhubungan") == []
        clock.forward(days=5)
        await ring(hub, clock)
        assert occasions(hub, "pupr") == [("assigned", ""), ("warned", "unit_response")]
        clock.forward(days=25)
        await ring(hub, clock)
        assert occasions(hub, "pupr") == [("assigned", ""), ("warned", "unit_response")]
        assert occasions(hub, "gubernur") == [("escalated", "unit_response")]
        assert occasions(hub, "pimpinan") == [("escalated", "unit_response")]


def in_one_batch(hub: Hub, *commands: Command) -> None:
    with writer(hub.database).begin() as connection:
        batch = Batch(connection, {PROFILE: Government(hub.rulebooks[PROFILE], Stub())})
        batch.prepare([], commands)
        for command in commands:
            batch.handle(command)
        batch.save()


def given_to(case_id: str, step: str, unit: str, clock: Clock) -> Act:
    fields = {"unit": unit} | ({"note": Words(text="Salah pilih.")} if step == "redispose" else {})
    of = {"id": f"d_{step}", "profile": PROFILE, "case_id": case_id, "at": clock(), "actor": ADMIN}
    return Act.model_validate({**of, "transition": step, "fields": fields})


async def test_of_two_things_in_one_batch_each_is_told_as_the_case_was_then(tmp_path: Path) -> None:
    """A warning, and the case moved to another unit at once: it is told to the unit that it warned."""
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1))
        state = await hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN)
        clock.forward(days=5)
        warning = tick(state, clock())
        assert warning is not None
        in_one_batch(hub, warning, given_to(state.id, "redispose", HELPER, clock))
        assert occasions(hub, "pupr") == [("assigned", ""), ("warned", "unit_response")]
        assert occasions(hub, "perhubungan") == [("assigned", "")]


async def test_a_letter_names_the_unit_that_it_goes_to_though_the_case_moved_on_at_once(
    tmp_path: Path, folder: Path
) -> None:
    clock = Clock()
    async with telling(tmp_path, folder, clock, Platform()) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1))
        case = receipt.case_id
        in_one_batch(hub, given_to(case, "dispose", UNIT, clock), given_to(case, "redispose", HELPER, clock))
        with hub.database.connect() as connection:
            letters = connection.execute(select(outbox.c.text).where(outbox.c.purpose == "notice_assigned"))
            (letter,) = letters.scalars().all()
        units = hub.rulebooks[PROFILE].units
        assert units[UNIT].title in letter and units[HELPER].title not in letter


async def test_a_channels_admin_hears_of_their_own_channel_and_of_no_other(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        await hub.receive(PROFILE, "web", form(1))
        clock.forward(hours=10)
        await ring(hub, clock)
        assert ("warned", "first_response") in occasions(hub, "disposisi")
        assert occasions(hub, "x") == []


async def test_a_case_that_nobody_was_assigned_to_escalates_all_the_same(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        await hub.receive(PROFILE, "web", form(1))
        clock.forward(hours=13)
        await ring(hub, clock)
        await ring(hub, clock)
        assert occasions(hub, "gubernur") == [("escalated", "first_response")]


async def test_nobody_hears_of_a_private_case_that_they_may_not_see(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1, private=True))
        await hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN)
        clock.forward(days=30)
        await ring(hub, clock)
        assert occasions(hub, "pimpinan") == []
        assert ("escalated", "unit_response") in occasions(hub, "gubernur")


async def test_an_objection_and_a_dispute_are_told_to_the_supervisor(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1))
        reject = {"reason": "unclear", "explanation": "Kurang jelas."}
        state = await hub.act(receipt.case_id, "reject", reject, ADMIN)
        reporter = Actor(id=state.reporter, role="reporter")
        await hub.act(receipt.case_id, "appeal", {"reason": "Sudah jelas."}, reporter)
        assert occasions(hub, "gubernur") == [("stepped", "appeal")]


async def test_a_unit_that_is_asked_for_its_part_is_told(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        case = await disposed(hub)
        await hub.act(case, "involve", {"unit": HELPER, "task": "Lampunya."}, unit_admin(UNIT))
        assert occasions(hub, "perhubungan") == [("involved", "")]


async def test_once_however_often_it_is_done_and_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1))
        state = hub.case(receipt.ticket)
        assert state is not None
        for _ in range(2):  # pressed twice
            await hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN, seen=state.seq)
        await hub.receive(PROFILE, "web", form(1))
    async with hub_on(tmp_path, clock) as again:
        await again.receive(PROFILE, "web", form(1))
        assert occasions(again, "pupr") == [("assigned", "")]


# ── letters ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_pic_hears_by_whatsapp_and_mail_without_a_word_about_who_reports(
    tmp_path: Path, folder: Path
) -> None:
    platform, mail, clock = Platform(), Platform(), Clock()
    async with telling(tmp_path, folder, clock, platform, mail) as hub:
        case = await disposed(hub)
        await sent(hub)
        state = hub.case((await hub.receive(PROFILE, "web", form(1))).ticket)
        assert state is not None and state.id == case
        (by_phone,), (by_mail,) = platform.arrived, mail.arrived
        assert (by_phone.to, by_mail.to) == ("whatsapp:+6281100009001", "mailto:pic-pupr@contoh.example")
        assert by_mail.account == "lapor@contoh.example"
        assert by_mail.subject.startswith(f"Laporan {state.ticket} didisposisikan"), "no answer to anything"
        for each in (by_phone, by_mail):
            assert state.ticket in each.text and "/staff/cases/" in each.text
            assert not any(secret in each.text for secret in ("Warga", "0811", "62811", "Pasar Contoh"))


async def test_an_escalation_goes_to_the_address_of_the_role(tmp_path: Path, folder: Path) -> None:
    platform, mail, clock = Platform(), Platform(), Clock()
    async with telling(tmp_path, folder, clock, platform, mail) as hub:
        await hub.receive(PROFILE, "web", form(1))
        clock.forward(hours=13)
        await ring(hub, clock)
        await sent(hub)
        assert [each.to for each in mail.arrived] == ["mailto:pic-gubernur@contoh.example"]
        assert "Respons awal" in mail.arrived[0].text


@pytest.mark.parametrize("word", ["lost", "gone", "busy"])
async def test_a_letter_of_unknown_fate_is_looked_up_and_never_sent_twice(
    word: str, tmp_path: Path, folder: Path
) -> None:
    platform, clock = Platform(), Clock()
    platform.script.append(word)
    async with telling(tmp_path, folder, clock, platform) as hub:
        await disposed(hub)
        await sent(hub)
        clock.forward(hours=1)
        await sent(hub)
        assert len(platform.arrived) == 1
        assert statuses(hub) == ["sent"]


async def test_a_letter_cut_off_by_a_crash_is_looked_up(tmp_path: Path, folder: Path) -> None:
    platform, clock = Platform(), Clock()
    async with telling(tmp_path, folder, clock, platform) as hub:
        await disposed(hub)
        platform.script.append("broken")
        await sent(hub)
    clock.forward(seconds=LEASE.total_seconds())
    async with telling(tmp_path, folder, clock, platform) as again:
        await sent(again)
        assert statuses(again) == ["sent"] and len(platform.arrived) == 1


async def test_an_address_that_takes_nothing_stops_neither_case_nor_others(
    tmp_path: Path, folder: Path
) -> None:
    platform, clock = Platform(), Clock()
    platform.script.append("refuse")
    async with telling(tmp_path, folder, clock, platform) as hub:
        case = await disposed(hub)
        await sent(hub)
        assert statuses(hub) == ["failed"]
        await hub.act(case, "accept", {}, unit_admin(UNIT))
        await disposed(hub, 2)
        await sent(hub)
        assert statuses(hub) == ["failed", "sent"]


def statuses(hub: Hub) -> list[str]:
    with hub.database.connect() as connection:
        found = select(outbox.c.status).where(outbox.c.address.is_not(None)).order_by(outbox.c.ordinal)
        return [row.status for row in connection.execute(found)]


async def test_without_an_address_nothing_is_sent_and_the_inbox_has_it(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        await disposed(hub)
        assert statuses(hub) == []
        with hub.database.connect() as connection:
            assert [row.receiver for row in connection.execute(select(table.c.receiver))] == [f"unit:{UNIT}"]


@pytest.mark.parametrize("wrong", ["pic: {email: bukan-alamat}", 'pic: {whatsapp: "0811"}', "pic: {fax: 1}"])
def test_an_address_that_is_none_is_refused_with_its_line(wrong: str, tmp_path: Path, folder: Path) -> None:
    copy = tmp_path / PROFILE
    shutil.copytree(folder, copy)
    units = copy / "units.yaml"
    units.write_text(units.read_text().replace(UNIT_PIC, wrong))
    with pytest.raises(ProfileError) as error:
        load(copy)
    assert error.value.problems[0].line is not None


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with web_on(tmp_path) as opened:
        yield opened


async def test_staff_read_their_notices_and_say_so(web: Web) -> None:
    receipt = await web.disposed(1)
    await web.sign_in("pupr")
    page = (await web.browser.get("/staff/inbox")).text
    assert receipt.ticket in page and "Didisposisikan kepada instansi Anda" in page and "Baru" in page
    answer = await web.submit("/staff/inbox", f"/staff/inbox?profile={PROFILE}")
    assert answer.status_code == 303
    page = (await web.browser.get("/staff/inbox")).text
    assert receipt.ticket in page and "Baru" not in page
    await web.disposed(2)
    assert "1 belum dibaca" in (await web.browser.get("/staff/inbox")).text, "what came later is new"


async def test_nobody_reads_notices_without_signing_in_or_marks_them_from_elsewhere(web: Web) -> None:
    assert (await web.browser.get("/staff/inbox")).status_code == 303
    await web.disposed(1)
    await web.sign_in("pupr")
    forged = await web.browser.post("/staff/inbox", data={"upto": "99", "profile": PROFILE})
    assert forged.status_code == 403
    assert web.hub.unread_notices(PROFILE, STAFF["pupr"]) == 1
