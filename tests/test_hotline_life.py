"""A call's way through a running hub: in by hook or file, answered by an officer who rings back."""

from __future__ import annotations

from pathlib import Path

from support import SUPERVISOR, Clock, hub_on, unit_admin

from laporhub.hub.commands_complaints import _ingest
from laporhub.hub.hub import Hub
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector import BY_HAND, Raw
from laporhub.pipeline.events import MessageAdded
from laporhub.pipeline.tracking import Query

PROFILE = "laporgub-jateng"
FIXTURES = Path(__file__).parent / "fixtures" / "hotline"
SECRET = "rahasia-percobaan-1"
OFFICER = Actor(id="hotline-demo", role="admin_hotline")
SETTINGS = {"connectors": {"hotline": {"secret": SECRET}}}


async def hook(hub: Hub, body: bytes, address: str = "/hooks/hotline") -> None:
    await hub.hook(
        PROFILE, "hotline", Raw(body, headers={"x-hotline-secret": SECRET}, url=f"https://x{address}")
    )


def queue(hub: Hub) -> list[CaseState]:
    """What waits for the hotline's officer."""
    from laporhub.pipeline.workflow import queue_statuses

    statuses = queue_statuses(hub.rulebooks[PROFILE], OFFICER.role)
    return list(
        hub.tracking.find(Query((PROFILE,), statuses=statuses, channels=("hotline",)), hub.now()).cases
    )


def row(number: int) -> bytes:
    return (FIXTURES / "Master.csv").read_bytes().splitlines()[number]


async def test_a_call_is_answered_by_an_officer_who_rings_back_and_the_clock_waits_for_it(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock, **SETTINGS) as hub:
        await hook(hub, (FIXTURES / "call.json").read_bytes())
        [state] = queue(hub)
        assert not state.replies  # the number was told on the phone
        unit = next(iter(hub.rulebooks[PROFILE].units))
        await hub.act(state.id, "dispose", {"unit": unit}, OFFICER)
        await hub.act(state.id, "respond", {"response": "Jalan sudah diperbaiki."}, unit_admin(unit))
        await hub.act(state.id, "approve", {}, OFFICER)
        while await hub.publisher.send_due():
            pass
        [state] = queue(hub)
        [reply] = state.replies.values()
        assert (state.status, reply.status, reply.reason) == ("approved", "failed", BY_HAND)
        [stands] = [each for each in hub.channels() if each.channel == "hotline"]
        assert (stands.failed, stands.error_rate) == (0, None), "nothing is wrong with the channel"
        assert state.clocks["delivery"].status == "running"
        clock.forward(minutes=20)
        state = await hub.act(state.id, "publish", {}, OFFICER)
        assert (state.status, state.clocks["delivery"].status, state.clocks["delivery"].late) == (
            "answered",
            "stopped",
            False,
        )
        assert queue(hub) == []


async def test_a_missed_call_waits_in_the_hotlines_queue_with_its_clock_running(tmp_path: Path) -> None:
    async with hub_on(tmp_path, **SETTINGS) as hub:
        await hook(hub, row(1))
        await hook(hub, row(1))
        await hook(hub, row(1).replace(b"1763863500.44", b"1763863599.45"))
        while await hub.publisher.send_due():
            pass
        [state] = queue(hub)
        assert state.messages == 2  # the same record twice is one, and the same number is rung back once
        assert state.status == "received"
        assert state.clocks["first_response"].status == "running"
        identity = hub.unseal(state.id, SUPERVISOR.id, "menelepon kembali")
        assert identity.phone == "+62811000042"


async def test_record_and_transcript_that_come_one_after_the_other_are_one_case(tmp_path: Path) -> None:
    said = (FIXTURES / "1763863200.41.vtt").read_bytes()
    for first, folder in ((True, tmp_path / "record"), (False, tmp_path / "transcript")):
        async with hub_on(folder, **SETTINGS) as hub:
            if first:
                await hook(hub, row(0))
            await hook(hub, said, "/hooks/hotline?call_id=1763863200.41")
            if not first:
                await hook(hub, row(0))
            [state] = hub.tracking.find(Query((PROFILE,)), hub.now()).cases
            assert "phone" in state.known
            assert hub.unseal(state.id, SUPERVISOR.id, "menelepon kembali").phone == "+6281100000041"
            assert "Panggilan terjawab" not in state.text
            again = state.seq
            await hook(hub, row(0))
            [state] = hub.tracking.find(Query((PROFILE,)), hub.now()).cases
            assert state.seq == again, "the same record once more changes nothing"
            assert "Sampah di Desa Contoh" in state.text


async def test_files_are_taken_once_however_often(tmp_path: Path) -> None:
    files = [
        FIXTURES / "Master.csv",
        FIXTURES / "1763863200.41.vtt",
        FIXTURES / "turns.csv",
        FIXTURES / "vosk.json",
    ]
    async with hub_on(tmp_path) as hub:
        first = await _ingest(hub, "hotline", files, {})
        again = await _ingest(hub, "hotline", list(reversed(files)), {})
        assert (first.accepted, first.rejected, first.dead_lettered) == (6, 0, 0)
        assert (again.accepted, again.duplicate) == (0, 6)


async def test_the_whole_transcript_is_sealed_and_only_its_author_reads_it(tmp_path: Path) -> None:
    async with hub_on(tmp_path, **SETTINGS) as hub:
        await hook(hub, (FIXTURES / "whisper.json").read_bytes())
        [state] = hub.tracking.find(Query((PROFILE,)), hub.now()).cases
        [said] = [event.data for event in hub.events(state.id) if isinstance(event.data, MessageAdded)]
        assert "ada yang bisa dibantu" not in said.text
        assert said.sealed_text is not None
        whole = hub.unseal_words(state, said.sealed_text)
        assert whole is not None
        assert "Petugas: Selamat pagi, hotline LaporGub" in whole
    data = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"ada yang bisa dibantu" not in data
    assert b"62811000042" not in data
