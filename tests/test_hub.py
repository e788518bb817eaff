"""The embedded hub, in one process: durable, exactly once, private, restartable."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy.exc import OperationalError
from support import ADMIN, COMPLETE, Clock, form, hub_on, unit_admin, whatsapp

from laporhub.hub.hub import Hub
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.door import Door
from laporhub.pipeline.errors import Conflict, Misconfigured, NotFound, Refused, RetryLater
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.tracking import Query

PROFILE = "laporgub-jateng"
OFFICE = "whatsapp:+628112920200"


def rows(folder: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / "hub.db")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def a_unit(hub: Hub) -> str:
    return next(iter(hub.rulebooks[PROFILE].units))


async def answered(hub: Hub, case_id: str) -> CaseState:
    unit = a_unit(hub)
    await hub.act(case_id, "dispose", {"unit": unit}, ADMIN)
    await hub.act(case_id, "respond", {"response": "Sudah diperbaiki."}, unit_admin(unit))
    return await hub.act(case_id, "approve", {}, ADMIN)


async def test_the_same_message_twice_is_one_case_and_the_same_answer(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        first = await hub.receive(PROFILE, "web", form(1))
        again = await hub.receive(PROFILE, "web", form(1))
        assert (again.ticket, again.received_at, again.duplicate) == (first.ticket, first.received_at, True)
        assert len(hub.tracking.find(Query((PROFILE,)), hub.now()).cases) == 1


async def test_a_thousand_at_once_shuffled_and_repeated(tmp_path: Path) -> None:
    order = [number for number in range(300) for _ in range(random.Random(number).randint(1, 3))]
    random.Random(1).shuffle(order)
    async with hub_on(tmp_path) as hub:
        receipts = await asyncio.gather(*(hub.receive(PROFILE, "web", form(number)) for number in order))
    assert len({receipt.ticket for receipt in receipts}) == 300
    assert sum(not receipt.duplicate for receipt in receipts) == 300
    assert rows(tmp_path, "SELECT count(*) FROM cases") == [(300,)]
    assert rows(tmp_path, "SELECT count(*) FROM tracking") == [(300,)]
    assert rows(tmp_path, "SELECT count(*) FROM messages") == [(300,)]


async def test_several_messages_of_one_conversation_at_once_are_one_case(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipts = await asyncio.gather(
            *(hub.receive(PROFILE, "whatsapp", whatsapp(1, sid=f"SM{n}")) for n in range(20))
        )
        assert len({receipt.ticket for receipt in receipts}) == 1
        assert len({receipt.message_id for receipt in receipts}) == 20
        state = hub.case(receipts[0].ticket)
        assert state is not None
        assert state.messages == 20


async def test_a_restart_goes_on_where_it_stopped(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1))
        token = hub.tracking_token(receipt.case_id)
    async with hub_on(tmp_path, clock) as hub:
        assert (await hub.receive(PROFILE, "web", form(1))).duplicate
        state = await answered(hub, receipt.case_id)
        assert state.status == "answered"
        assert hub.tracking_token(receipt.case_id) == token


async def test_the_state_is_what_its_events_add_up_to(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1))
        state = await answered(hub, receipt.case_id)
        replayed = None
        for event in hub.events(receipt.case_id):
            replayed = evolve(replayed, event)
        assert replayed == state


async def test_reads_see_ones_own_write_at_once(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        for number in range(20):
            receipt = await hub.receive(PROFILE, "web", form(number))
            assert hub.tracking.find(Query((PROFILE,), text=receipt.ticket), hub.now()).cases
            await hub.act(receipt.case_id, "verify", {}, ADMIN)
            found = hub.tracking.find(Query((PROFILE,), statuses=("verified",)), hub.now())
            assert receipt.ticket in {state.ticket for state in found.cases}


async def test_identity_is_nowhere_in_the_files_unsealed(tmp_path: Path) -> None:
    text = f"{COMPLETE}. Nama saya Sinta Contohwati, NIK 3374010101900001, hp 0811 2345 678"
    inbound = form(1, text, name="Sinta Contohwati", email="sinta@example.com")
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", inbound)
        await hub.receive(PROFILE, "whatsapp", whatsapp(2, text, name="Sinta Contohwati"))
        await hub.act(receipt.case_id, "ask", {"question": "Apakah nomor Anda 0811 2345 678?"}, ADMIN)
        identity = hub.unseal(receipt.case_id, "gub-demo", "menghubungi pelapor")
        assert (identity.name, identity.phone) == ("Sinta Contohwati", inbound.phone)
    data = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in ("Contohwati", "3374010101900001", "2345 678", "2345678", "62811000", "sinta@example.com"):
        assert secret.encode() not in data, secret
    assert rows(tmp_path, "SELECT actor, action, reason FROM audit") == [
        ("gub-demo", "unseal", "menghubungi pelapor")
    ]


async def test_words_of_staff_reach_the_reporter_whole_and_the_streams_redacted(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1))
        state = await hub.act(receipt.case_id, "ask", {"question": "Apakah nomor Anda 0811 2345 678?"}, ADMIN)
        said = [event.data for event in hub.events(state.id) if event.data.kind == "reply_queued"][-1]
        assert "0811" not in said.text
        assert said.pattern is not None
        opened = [hub.unseal_words(state, piece) for piece in said.sealed]
        assert opened == ["Apakah nomor Anda 0811 2345 678?"]


async def test_the_reporters_name_is_in_no_word_about_them(tmp_path: Path) -> None:
    """Whoever uses it, staff or reporter, in capitals or not, whole or the half of it."""
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1, COMPLETE, name="Nawang Wulansih"))
        await hub.note(receipt.case_id, "nawang sudah ditelepon", ADMIN)
        await hub.act(receipt.case_id, "ask", {"question": "Mohon NAWANG WULANSIH mengirim foto."}, ADMIN)
        state = hub.case(receipt.ticket)
        assert state is not None
        await hub.receive(
            PROFILE, "web", form(2, "Foto menyusul. Wulansih", case_id=state.id, name=None, phone=None)
        )
        told = " ".join(event.model_dump_json() for event in hub.events(receipt.case_id)).lower()
    assert "nawang" not in told
    assert "wulansih" not in told


async def test_erasing_a_reporter_leaves_the_case_without_the_person(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1))
        state = hub.case(receipt.ticket)
        assert state is not None
        assert hub.ring.erase(state.reporter) == 1
        assert hub.unseal(receipt.case_id, "gub-demo", "x").phone is None
        assert hub.case(receipt.ticket) == state


async def test_due_alarms_ring_once_and_survive_a_restart(tmp_path: Path) -> None:
    from laporhub.pipeline.embedded.ticker import Ticker

    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        for number in range(30):
            await hub.receive(PROFILE, "web", form(number))
        clock.forward(hours=9)
        assert await Ticker(hub.database, hub.engine, (PROFILE,), clock).ring_due() == 30
    async with hub_on(tmp_path, clock) as hub:
        ticker = Ticker(hub.database, hub.engine, (PROFILE,), clock)
        assert await ticker.ring_due() == 0
        clock.forward(hours=4)
        assert [await ticker.ring_due() for _ in range(2)] == [30, 0]
    alarms = [json.loads(str(body)) for (body,) in rows(tmp_path, "SELECT body FROM events")]  # type: ignore[arg-type]
    rung = [event["data"]["alarm"] for event in alarms if event["data"]["kind"] == "clock_alarmed"]
    assert sorted(rung) == ["0"] * 30 + ["warn"] * 30


async def test_a_second_hub_on_the_same_folder_refuses_to_start(tmp_path: Path) -> None:
    async with hub_on(tmp_path):
        with pytest.raises(Misconfigured, match="Another laporhub"):
            async with hub_on(tmp_path):
                pass


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), ("   \n ", "empty"), ("\x00\x00", "empty"), ("a" * 100_001, "too_long")]
)
async def test_what_is_no_complaint_is_refused_with_a_reason(tmp_path: Path, text: str, code: str) -> None:
    async with hub_on(tmp_path) as hub:
        with pytest.raises(Refused) as caught:
            await hub.receive(PROFILE, "web", form(1, text, location=None))
        assert caught.value.code == code
    assert rows(tmp_path, "SELECT count(*) FROM cases") == [(0,)]


@pytest.mark.parametrize(
    "text",
    [
        f"{COMPLETE} " + "x" * 99_000,
        f"\u202e{COMPLETE}\u202c",
        f"{COMPLETE}\x00\x07",
        f"{COMPLETE} 🙏🏽 😡",
        "شارع مكسور في Jalan Contoh Batang sudah lama sekali",
        f"{COMPLETE}\ud800",
    ],
    ids=["long", "right-to-left override", "null bytes", "emoji", "arabic", "lone surrogate"],
)
async def test_odd_texts_are_taken_whole(tmp_path: Path, text: str) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1, text))
        state = hub.case(receipt.ticket)
        assert state is not None
        assert not set(state.text) & {"\u202e", "\x00", "\x07", "\ud800"}
        said = next(event.data for event in hub.events(state.id) if event.data.kind == "message_added")
        assert said.sealed_text is None or hub.unseal_words(state, said.sealed_text) == text


async def test_an_unparsable_payload_waits_in_the_dead_letter_and_can_be_replayed(tmp_path: Path) -> None:
    raw = Raw(b"\xff\xfe not a form of ours, but of Sinta Contohwati", "application/x-www-form-urlencoded")
    async with hub_on(tmp_path) as hub:
        tally = await hub.take(PROFILE, "whatsapp", "twilio", raw)
        assert tally.dead_lettered == 1
        (letter,) = hub.dead_letters()
        assert letter.reason
        assert hub.dead_letter(letter.id)[1] == raw
        assert (await hub.replay(letter.id)).dead_lettered == 1
        assert len(hub.dead_letters()) == 1
        with pytest.raises(NotFound):
            await hub.replay("x_nothing")
    assert b"Contohwati" not in b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


async def test_one_refused_command_does_not_disturb_the_others_of_its_batch(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipts = [await hub.receive(PROFILE, "web", form(number)) for number in range(5)]
        results = await asyncio.gather(
            *(hub.act(each.case_id, "verify", {}, ADMIN) for each in receipts),
            hub.act(receipts[0].case_id, "approve", {}, ADMIN),
            hub.act(receipts[1].case_id, "dispose", {"unit": "nowhere"}, ADMIN),
            return_exceptions=True,
        )
        assert [isinstance(result, CaseState) for result in results] == [True] * 5 + [False] * 2
        assert isinstance(results[5], Conflict)


async def test_a_message_that_breaks_the_core_is_kept_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from laporhub.classifiers.cold_start import ColdStartClassifier

    honest = ColdStartClassifier.suggest

    def poisoned(self: object, text: str, location: object, taken: object = None) -> object:
        if "racun" in text:
            raise ZeroDivisionError("a mistake nobody foresaw")
        return honest(self, text, location, taken)  # type: ignore[arg-type]

    monkeypatch.setattr(ColdStartClassifier, "suggest", poisoned)
    async with hub_on(tmp_path) as hub:
        bodies = [
            urlencode(
                {"MessageSid": f"SM{n}", "Body": text, "From": f"whatsapp:+6281100000{n:03d}", "To": OFFICE}
            )
            for n, text in enumerate(["Jalan Contoh Batang rusak"] * 5 + ["racun"])
        ]
        tallies = await asyncio.gather(
            *(
                hub.take(PROFILE, None, "twilio", Raw(body.encode(), "application/x-www-form-urlencoded"))
                for body in bodies
            )
        )
        assert sum(tally.accepted for tally in tallies) == 5
        assert [letter.stage for letter in hub.dead_letters()] == ["intake"]
        monkeypatch.setattr(ColdStartClassifier, "suggest", honest)
        assert (await hub.replay(hub.dead_letters()[0].id)).accepted == 1
        assert hub.dead_letters() == []


async def test_a_database_that_is_away_is_no_dead_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform is asked to come again: 503. What is buried comes back only by hand."""

    class Lost(Exception):
        sqlite_errorname = "SQLITE_IOERR"

    def away(*_: object, **__: object) -> object:
        raise OperationalError("SELECT", None, Lost("disk I/O error"))

    said = {"MessageSid": f"SM{1:032d}", "From": "whatsapp:+6281100000001", "To": OFFICE, "Body": COMPLETE}
    raw = Raw(urlencode(said | {"MessageType": "text"}).encode(), "application/x-www-form-urlencoded")
    async with hub_on(tmp_path) as hub:
        with monkeypatch.context() as patch:
            patch.setattr(Door, "admit", away)
            with pytest.raises(RetryLater, match="send it again"):
                await hub.take(PROFILE, None, "twilio", raw)
        assert hub.dead_letters() == []
        assert (await hub.take(PROFILE, None, "twilio", raw)).accepted == 1


async def test_events_are_numbered_without_gaps_whatever_comes_at_once(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "whatsapp", whatsapp(1))
        reporter = hub.case(receipt.ticket)
        assert reporter is not None
        await asyncio.gather(
            *(
                hub.receive(PROFILE, "whatsapp", whatsapp(1, f"tambahan {n} di Jalan Contoh", f"SMx{n}"))
                for n in range(30)
            ),
            *(
                hub.note(receipt.case_id, f"catatan {n}", Actor(id="dewi", role="admin_disposisi"))
                for n in range(30)
            ),
            return_exceptions=False,
        )
        events: list[CaseEvent] = list(hub.events(receipt.case_id))
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))


async def test_a_search_index_that_fell_behind_is_built_anew_at_the_start(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        for number in range(5):
            await hub.receive(PROFILE, "web", form(number))
    connection = sqlite3.connect(tmp_path / "hub.db")
    connection.execute("DELETE FROM tracking")
    connection.execute("UPDATE cursors SET offset = 0")
    connection.commit()
    connection.close()
    async with hub_on(tmp_path) as hub:
        assert len(hub.tracking.find(Query((PROFILE,), text="berlubang"), hub.now()).cases) == 5
