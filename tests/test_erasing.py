"""Whoever is erased can be read by nobody, in no file; whoever is kept long enough is erased by itself."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Connection, text
from support import ADMIN, SUPERVISOR, Clock, form, hub_on, unit_admin
from test_media import taken

from laporhub.hub.compose import keeper
from laporhub.hub.erasing import Erased, Eraser
from laporhub.hub.hub import Hub
from laporhub.hub.keeping import Store
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.events import MessageAdded
from laporhub.pipeline.messages import InlineFile
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_privacy import Privacy, Retention
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.tracking import Query

PROFILE, UNIT = "laporgub-jateng", "dinas-pupr"
DAY = timedelta(days=1)


def photo(shade: int) -> InlineFile:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, 90, 90)).save(out, "JPEG")
    return InlineFile(data=out.getvalue(), media_type="image/jpeg", name="bukti.jpg")


def kept_for(book: Rulebook, *, files: int | None = None, identity: int | None = None) -> Rulebook:
    privacy = Privacy(retention=Retention(files=files, identity=identity))
    return replace(book, profile=book.profile.model_copy(update={"privacy": privacy}))


@asynccontextmanager
async def retaining(folder: Path, clock: Clock, **limits: int | None) -> AsyncIterator[Hub]:
    async with hub_on(folder, clock) as hub:
        books = {name: kept_for(book, **limits) for name, book in hub.rulebooks.items()}
        hub.eraser = replace(hub.eraser, rulebooks=books)
        yield hub


async def sent(hub: Hub, number: int, **more: object) -> CaseState:
    receipt = await hub.receive(PROFILE, "web", form(number, **more))
    await keeper(hub, {}).keep_due()
    return found(hub, receipt.ticket)


def found(hub: Hub, ticket: str) -> CaseState:
    state = hub.case(ticket)
    assert state is not None
    return state


async def rejected(hub: Hub, number: int, **more: object) -> CaseState:
    """A case that has ended."""
    state = await sent(hub, number, **more)
    fields = {"reason": "unclear", "explanation": "Kurang jelas"}
    return await hub.act(state.id, "reject", fields, ADMIN)


def name_of(hub: Hub, state: CaseState) -> str | None:
    return hub.unseal(state.id, "gubernur", "pemeriksaan").name


# ── a person ──


async def test_after_erasing_nothing_of_the_person_opens_and_the_case_stays(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        state = await sent(hub, 1, text="Jalan berlubang, hubungi 0811 0000 0001", files=(photo(1),))
        other = await sent(hub, 2, files=(photo(1),))
        await hub.act(state.id, "dispose", {"unit": UNIT}, ADMIN)
        await hub.note(state.id, "Sudah ditelepon di 0811 0000 0001", ADMIN)
        await hub.confide(state.id, "Pelakunya tetangga saya", Actor(id=state.reporter, role="reporter"), "k")
        before = hub.tracking.count(Query(profiles=(PROFILE,)), "status", clock())
        done = hub.eraser.erase(state.reporter, "shell", "diminta pelapor")
        assert done.keys and done.files == 3

        sealed = [
            piece
            for event in hub.events(state.id)
            if isinstance(event.data, MessageAdded)
            for piece in (event.data.sealed_identity, event.data.sealed_text)
            if piece
        ]
        assert sealed and all(hub.ring.open(piece) is None for piece in sealed)
        assert [(file.reason, hub.file(file)) for file in hub.files(state.id)] == [("erased", None)]
        assert [each.text for each in hub.confidential(found(hub, state.ticket), SUPERVISOR)] == [None]
        assert name_of(hub, state) is None
        assert hub.tracking.count(Query(profiles=(PROFILE,)), "status", clock()) == before
        assert found(hub, state.ticket).text == state.text

        assert name_of(hub, other) == "Warga Contoh" and hub.file(hub.files(other.id)[0])
        kept = [(each.action, each.subject, each.reason) for each in hub.audit.entries()]
        assert ("erase", state.reporter, "diminta pelapor") in kept


async def test_a_key_that_was_erased_is_in_no_file_any_more(tmp_path: Path) -> None:
    """Who has the master key and a copy of the disk gets nothing: SQLite would leave a deleted row where it was."""
    async with hub_on(tmp_path) as hub:
        states = [await sent(hub, number) for number in range(30)]
        with hub.database.connect() as connection:
            rows = connection.execute(text("SELECT reporter, wrapped FROM reporter_keys")).all()
        wrapped = {row.reporter: bytes(row.wrapped) for row in rows}
        gone = [states[number].reporter for number in (3, 17, 29)]
        assert all(wrapped[reporter] in on_disk(tmp_path) for reporter in gone)
        for reporter in gone:
            hub.eraser.erase(reporter, "shell", "diminta pelapor")
        assert all(wrapped[reporter] not in on_disk(tmp_path) for reporter in gone)
        assert sum(wrapped[each.reporter] in on_disk(tmp_path) for each in states) == 27


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("hub.db*"))


def with_place() -> InlineFile:
    """Not all of one colour: it has a fingerprint."""
    out = io.BytesIO()
    Image.radial_gradient("L").save(out, "JPEG", exif=taken())
    return InlineFile(data=out.getvalue(), media_type="image/jpeg", name="rumah-saya.jpg")


TAKEN = with_place()


async def test_what_photos_told_of_a_person_goes_with_them(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        state, other = await sent(hub, 1, files=(TAKEN,)), await sent(hub, 2, files=(TAKEN,))
        [file] = hub.files(state.id)
        assert file.lat and file.taken_at and file.fingerprint and file.name
        assert bands(hub, file.id)
        hub.eraser.erase(state.reporter, "shell", "diminta pelapor")
        [left] = hub.files(state.id)
        told = (left.lat, left.lon, left.taken_at, left.fingerprint, left.name, left.digest, left.width)
        assert told == (None,) * 7
        assert (left.status, left.reason, left.next_at) == ("refused", "erased", None)
        assert not bands(hub, file.id)
        [theirs] = hub.files(other.id)
        assert theirs.lat and bands(hub, theirs.id) and hub.file(theirs) == TAKEN.data


@pytest.mark.parametrize("by", ["asking again", "the keeper"])
async def test_an_erasure_that_is_interrupted_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    async with hub_on(tmp_path) as hub:
        state, other = await sent(hub, 1, files=(TAKEN,)), await sent(hub, 2, files=(TAKEN,))

        def killed(store: Store, reporter: str) -> int:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Store, "erase", killed)
            hub.eraser.erase(state.reporter, "shell", "diminta pelapor")
        assert name_of(hub, state) is None
        assert [file.lat for file in hub.files(state.id)] == [None]
        assert len(blobs(tmp_path, state.reporter)) == 3
        if by == "asking again":
            assert hub.eraser.erase(state.reporter, "shell", "diminta pelapor").files == 3
        while await keeper(hub, {}).keep_due():
            pass
        assert blobs(tmp_path, state.reporter) == []
        assert [(file.digest, file.next_at) for file in hub.files(state.id)] == [(None, None)]
        assert len(blobs(tmp_path, other.reporter)) == 3


async def test_a_photo_that_is_being_fetched_while_its_sender_is_erased_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1, files=(TAKEN,)))
        state, honest = found(hub, receipt.ticket), Store.put

        def put(store: Store, reporter: str, *given: Any) -> str:
            monkeypatch.setattr(Store, "put", honest)
            hub.eraser.erase(state.reporter, "shell", "diminta pelapor")
            return honest(store, reporter, *given)

        monkeypatch.setattr(Store, "put", put)
        while await keeper(hub, {}).keep_due():
            pass
        [left] = hub.files(state.id)
        assert (left.status, left.lat, left.fingerprint, left.digest) == ("refused", None, None, None)
        assert blobs(tmp_path, state.reporter) == []
        assert not bands(hub, left.id)


def blobs(folder: Path, reporter: str) -> list[Path]:
    return [path for path in (folder / "files").rglob("*") if path.is_file() and path.parent.name == reporter]


def bands(hub: Hub, file: str) -> list[str]:
    with hub.database.connect() as connection:
        asked = text("SELECT band FROM picture_bands WHERE file_id = :file")
        return list(connection.execute(asked, {"file": file}).scalars())


# ── time limits ──


async def test_who_reported_is_forgotten_so_long_after_the_end_and_not_before(tmp_path: Path) -> None:
    clock = Clock()
    async with retaining(tmp_path, clock, identity=100) as hub:
        state = await rejected(hub, 1)
        clock.forward(days=99)
        assert hub.eraser.sweep() == Erased()
        assert name_of(hub, state) == "Warga Contoh"
        clock.forward(days=1)
        assert hub.eraser.sweep().persons == 1
        assert name_of(hub, state) is None
        assert found(hub, state.ticket).status == "rejected"
        last = [each for each in hub.audit.entries() if each.action == "erase"]
        assert [(each.actor, each.subject) for each in last] == [("system", state.reporter)]
        assert "100 days" in last[0].reason
        assert hub.eraser.sweep() == Erased()


async def test_whoever_has_an_open_case_is_not_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    async with retaining(tmp_path, clock, identity=100) as hub:
        old = await rejected(hub, 1)
        clock.forward(days=90)
        young = await hub.receive(PROFILE, "web", form(1, external_id="lagi", thread="lagi"))
        clock.forward(days=200)
        assert found(hub, young.ticket).reporter == old.reporter
        assert hub.eraser.sweep() == Erased()
        assert name_of(hub, old) == "Warga Contoh"
        await hub.act(young.case_id, "reject", {"reason": "unclear", "explanation": "x"}, ADMIN)
        clock.forward(days=100)
        assert hub.eraser.sweep().persons == 1


async def test_whoever_writes_while_the_sweep_runs_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep goes by a list: it looks again before it erases one who is on it."""
    clock = Clock()
    async with retaining(tmp_path, clock, identity=100) as hub:
        gone, again = await rejected(hub, 1), await rejected(hub, 2, files=(photo(2),))
        clock.forward(days=100)
        honest, loop = Eraser._persons_past, asyncio.get_running_loop()

        def meanwhile(eraser: Eraser) -> Iterator[tuple[str, int]]:
            listed = list(honest(eraser))
            assert {name for name, _ in listed} == {gone.reporter, again.reporter}
            new = hub.receive(PROFILE, "web", form(2, external_id="lagi", thread="lagi"))
            asyncio.run_coroutine_threadsafe(new, loop).result(30)
            return iter(listed)

        with monkeypatch.context() as patch:
            patch.setattr(Eraser, "_persons_past", meanwhile)
            assert (await asyncio.to_thread(hub.eraser.sweep)).persons == 1
        assert name_of(hub, gone) is None
        assert name_of(hub, again) == "Warga Contoh"
        assert [hub.file(each) for each in hub.files(again.id)] == [photo(2).data]
        assert ("not erased", again.reporter) in [(each.action, each.subject) for each in hub.audit.entries()]
        assert hub.eraser.sweep() == Erased()


async def test_files_go_earlier_than_names_and_only_where_nobody_else_needs_them(tmp_path: Path) -> None:
    clock = Clock()
    async with retaining(tmp_path, clock, files=30, identity=100) as hub:
        ended = await rejected(hub, 1, files=(photo(1), photo(2)))
        same = form(1, external_id="lagi", thread="lagi", files=(photo(1),))
        still_open = await hub.receive(PROFILE, "web", same)
        await keeper(hub, {}).keep_due()
        clock.forward(days=30)
        assert hub.eraser.sweep() == Erased(files=2)
        assert [(file.status, file.reason, file.name) for file in hub.files(ended.id)] == [
            ("refused", "expired", None)
        ] * 2
        [shared] = hub.files(still_open.case_id)
        assert hub.file(shared) == photo(1).data
        assert len([path for path in (tmp_path / "files").rglob("*") if path.is_file()]) == 3
        assert name_of(hub, ended) == "Warga Contoh"
        assert [each.subject for each in hub.audit.entries() if each.action == "delete files"] == [
            ended.ticket
        ]
        assert hub.eraser.sweep() == Erased()


async def test_files_of_a_case_that_goes_on_while_the_sweep_runs_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    async with retaining(tmp_path, clock, files=1) as hub:
        over, again = [await rejected(hub, n, files=(photo(n),)) for n in (1, 2)]
        clock.forward(days=2)
        honest, loop = Eraser._files_past, asyncio.get_running_loop()

        def meanwhile(eraser: Eraser) -> Iterator[Any]:
            listed = list(honest(eraser))
            assert len(listed) == 2
            objecting = Actor(id=again.reporter, role="reporter")
            going_on = hub.act(again.id, "appeal", {"reason": "Ada foto."}, objecting)
            asyncio.run_coroutine_threadsafe(going_on, loop).result(30)
            return iter(listed)

        with monkeypatch.context() as patch:
            patch.setattr(Eraser, "_files_past", meanwhile)
            assert (await asyncio.to_thread(hub.eraser.sweep)) == Erased(files=1)
        assert [hub.file(each) for each in hub.files(again.id)] == [photo(2).data]
        assert [hub.file(each) for each in hub.files(over.id)] == [None]
        told = [(each.action, each.subject) for each in hub.audit.entries()]
        assert ("files not deleted", again.ticket) in told and ("files not deleted", over.ticket) not in told


async def test_bytes_that_an_interrupted_sweep_left_are_deleted_by_the_keeper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    async with retaining(tmp_path, clock, files=1) as hub:
        state = await rejected(hub, 1, files=(photo(1),))
        clock.forward(days=2)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Store, "drop", killed)
            hub.eraser.sweep()
        [left] = hub.files(state.id)
        assert (left.status, left.reason, left.fingerprint) == ("refused", "expired", None)
        assert blobs(tmp_path, state.reporter) != []
        while await keeper(hub, {}).keep_due():
            pass
        assert blobs(tmp_path, state.reporter) == [] and hub.eraser.sweep() == Erased()


def killed(*_: object) -> None:
    raise KeyboardInterrupt


async def test_a_reopened_case_is_kept(tmp_path: Path) -> None:
    clock = Clock()
    async with retaining(tmp_path, clock, files=30, identity=30) as hub:
        state = await sent(hub, 1, files=(photo(1),))
        await hub.act(state.id, "dispose", {"unit": UNIT}, ADMIN)
        await hub.act(state.id, "respond", {"response": "Sudah ditambal"}, unit_admin(UNIT))
        await hub.act(state.id, "approve", {}, ADMIN)
        await hub.act(state.id, "close", {}, SUPERVISOR)
        clock.forward(days=5)
        await hub.act(state.id, "reopen", {"reason": "Berlubang lagi"}, SUPERVISOR)
        clock.forward(days=400)
        assert hub.eraser.sweep() == Erased()


async def test_a_dead_letter_that_nobody_took_care_of_is_forgotten_too(tmp_path: Path) -> None:
    clock = Clock()
    async with retaining(tmp_path, clock, identity=100) as hub:
        await hub.take(PROFILE, "whatsapp", "twilio", Raw(b"{}", "application/json"))
        [letter] = hub.dead_letters()
        clock.forward(days=99)
        hub.eraser.sweep()
        assert hub.dead_letter(letter.id)[1] is not None
        clock.forward(days=1)
        assert hub.eraser.sweep() == Erased()
        assert hub.dead_letter(letter.id)[1] is None


async def test_without_a_limit_everything_is_kept(tmp_path: Path) -> None:
    clock = Clock()
    async with retaining(tmp_path, clock) as hub:
        state = await rejected(hub, 1, files=(photo(1),))
        clock.forward(days=10_000)
        assert hub.eraser.sweep() == Erased()
        assert name_of(hub, state) == "Warga Contoh"


async def test_one_process_sweeps_once_a_day(tmp_path: Path) -> None:
    clock = Clock()
    async with retaining(tmp_path, clock, identity=1) as hub:
        await rejected(hub, 1)
        assert hub.eraser.sweep_once_a_day() == Erased()
        clock.forward(hours=12)
        assert hub.eraser.sweep_once_a_day() is None
        clock.forward(hours=12)
        assert hub.eraser.sweep_once_a_day() == Erased(persons=1)
        assert hub.eraser.sweep_once_a_day() is None


async def test_a_sweep_that_is_killed_half_way_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    async with retaining(tmp_path, clock, files=1, identity=1) as hub:
        states = [await rejected(hub, number, files=(photo(number),)) for number in range(3)]
        clock.forward(days=2)
        honest, calls = KeyRing.erase, []

        def killed(ring: KeyRing, reporter: str, first: Callable[[Connection], bool]) -> int | None:
            calls.append(reporter)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return honest(ring, reporter, first)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(KeyRing, "erase", killed)
            hub.eraser.sweep()
        assert hub.eraser.sweep().persons == 2
        assert [name_of(hub, state) for state in states] == [None] * 3
        assert hub.audit.verify().faults == ()
