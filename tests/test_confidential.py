"""What is said in confidence is read by the reporter, the agency that handles it and Admin Gubernur, and lies nowhere
else: not in streams, indices, units' topics or logs.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from support import ADMIN, SUPERVISOR, Clock, form, hub_on, laporgub, unit_admin, whatsapp
from web_hub import OTHER_UNIT, UNIT, web_on

from laporhub.hub.hub import Hub
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.errors import Forbidden, Refused
from laporhub.pipeline.events import CaseEvent, Confided, ReplyQueued
from laporhub.pipeline.fanout import forwarded, work
from laporhub.pipeline.store import confidential
from laporhub.pipeline.store.batch import Batch
from laporhub.pipeline.store.confidential import SealedWords

PROFILE = "laporgub-jateng"
SECRET = "Pelakunya bendahara desa, saya melihatnya sendiri"
ANSWER = "Terima kasih, pemeriksa kami menghubungi Anda diam-diam"


def reporter_of(hub: Hub, ticket: str) -> Actor:
    state = hub.case(ticket)
    assert state is not None
    return Actor(id=state.reporter, role="reporter")


async def disposed(hub: Hub, **more: object) -> str:
    receipt = await hub.receive(PROFILE, "web", form(1, **more))
    await hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN)
    return receipt.ticket


def words(hub: Hub, ticket: str, actor: Actor) -> list[str | None]:
    state = hub.case(ticket)
    assert state is not None
    return [each.text for each in hub.confidential(state, actor)]


async def said(hub: Hub, ticket: str) -> str:
    """Both sides have spoken; the case."""
    state = hub.case(ticket)
    assert state is not None
    await hub.confide(state.id, SECRET, reporter_of(hub, ticket), "k1")
    await hub.confide(state.id, ANSWER, unit_admin(UNIT), "k2")
    return state.id


async def test_reporter_agency_and_governors_admin_read_it_and_nobody_else(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        ticket = await disposed(hub)
        await said(hub, ticket)
        for actor in (reporter_of(hub, ticket), unit_admin(UNIT), SUPERVISOR):
            assert words(hub, ticket, actor) == [SECRET, ANSWER]
        others = (
            ADMIN,
            unit_admin(OTHER_UNIT),
            Actor(id="x", role="pimpinan"),
            Actor(id="p_somebody-else", role="reporter"),
            Actor(id="x", role="admin_unit"),
        )
        for actor in others:
            with pytest.raises(Forbidden):
                words(hub, ticket, actor)
            with pytest.raises(Forbidden):
                await hub.confide(hub.case(ticket).id, "Saya juga", actor, "k3")  # type: ignore[union-attr]


async def test_an_agency_that_lost_the_case_reads_it_no_more(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        ticket = await disposed(hub)
        case = await said(hub, ticket)
        await hub.act(case, "return", {"reason": "Bukan wewenang kami"}, unit_admin(UNIT))
        with pytest.raises(Forbidden):
            words(hub, ticket, unit_admin(UNIT))
        await hub.act(case, "dispose", {"unit": OTHER_UNIT}, ADMIN)
        assert words(hub, ticket, unit_admin(OTHER_UNIT)) == [SECRET, ANSWER]


async def test_every_look_of_staff_is_on_record_and_the_reporters_are_not(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        ticket = await disposed(hub)
        await said(hub, ticket)
        words(hub, ticket, reporter_of(hub, ticket))
        words(hub, ticket, SUPERVISOR)
        kept = [(each.actor, each.action, each.subject) for each in hub.audit.entries()]
        assert kept == [(SUPERVISOR.id, "read confidential", ticket)]


async def test_streams_units_topics_and_queues_have_a_sealed_reference_at_most(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        ticket = await disposed(hub)
        case = await said(hub, ticket)
        history = hub.events(case)
        told = [event for event in history if isinstance(event.data, Confided)]
        assert [event.data.reference.startswith("v1.") for event in told] == [True, True]  # type: ignore[union-attr]
        state = hub.case(ticket)
        assert state is not None
        records = [*forwarded(history, None, laporgub()), *work(state, laporgub())]
        streamed = "".join(event.model_dump_json() for event in history) + state.model_dump_json()
        streamed += "".join(str(record.value) for record in records)
        for secret in (*SECRET.split()[1:3], "diam-diam"):
            assert secret not in streamed
        assert all(name not in streamed for name in _names(hub))
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"bendahara" not in files and b"diam-diam" not in files


def _names(hub: Hub) -> list[str]:
    with hub.database.connect() as connection:
        return [row.id for row in connection.execute(text("SELECT id FROM confidential"))]


async def test_the_same_words_sent_twice_are_said_once(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        ticket = await disposed(hub)
        me = reporter_of(hub, ticket)
        state = hub.case(ticket)
        assert state is not None
        await hub.confide(state.id, SECRET, me, "k1")
        await hub.confide(state.id, SECRET, me, "k1")
        assert words(hub, ticket, me) == [SECRET]
        assert sum(isinstance(event.data, Confided) for event in hub.events(state.id)) == 1
        await hub.confide(state.id, SECRET, me, "k2")
        assert words(hub, ticket, me) == [SECRET, SECRET]


@pytest.mark.parametrize("nothing", ["", " \n", "x" * 100_001])
async def test_nothing_and_too_much_are_refused(tmp_path: Path, nothing: str) -> None:
    async with hub_on(tmp_path) as hub:
        ticket = await disposed(hub)
        with pytest.raises(Refused):
            await hub.confide(hub.case(ticket).id, nothing, SUPERVISOR, "k1")  # type: ignore[union-attr]
        assert words(hub, ticket, SUPERVISOR) == []


async def test_a_reporters_confidence_calls_for_attention_until_somebody_answers(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        ticket = await disposed(hub)
        state = hub.case(ticket)
        assert state is not None and not state.waiting
        waiting = await hub.confide(state.id, SECRET, reporter_of(hub, ticket), "k1")
        assert waiting.waiting and waiting.text == state.text
        answered = await hub.confide(state.id, ANSWER, unit_admin(UNIT), "k2")
        assert not answered.waiting


async def test_a_reporter_on_a_platform_gets_the_secret_link_and_no_stream_has_it(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "whatsapp", whatsapp(1))
        await hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN)
        await hub.confide(receipt.case_id, ANSWER, unit_admin(UNIT), "k1")
        reply = next(
            event.data
            for event in reversed(hub.events(receipt.case_id))
            if isinstance(event.data, ReplyQueued)
        )
        token = hub.tracking_token(receipt.case_id)
        assert reply.purpose == "confidential" and receipt.ticket in reply.text
        assert ANSWER not in reply.text and token not in reply.model_dump_json()
        assert token in str(hub.ring.open(reply.sealed[0]))


async def test_on_a_page_channel_the_page_itself_tells(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        ticket = await disposed(hub)
        case = await said(hub, ticket)
        replies = [event.data for event in hub.events(case) if isinstance(event.data, ReplyQueued)]
        assert "confidential" not in [reply.purpose for reply in replies]


async def test_it_outlives_a_restart_and_dies_with_the_reporters_key(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        ticket = await disposed(hub)
        await said(hub, ticket)
    async with hub_on(tmp_path, clock) as hub:
        assert words(hub, ticket, SUPERVISOR) == [SECRET, ANSWER]
        state = hub.case(ticket)
        assert state is not None
        hub.eraser.erase(state.reporter, "shell", "diminta pelapor")
        assert words(hub, ticket, SUPERVISOR) == [None, None]


# ── killed in between ──


async def rows(hub: Hub) -> int:
    with hub.database.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM confidential")).scalar_one())


async def test_words_and_what_tells_of_them_are_one_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub_on(tmp_path) as hub:
        ticket = await disposed(hub)
        me = reporter_of(hub, ticket)
        with monkeypatch.context() as patched:
            patched.setattr(Batch, "handle", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await hub.confide(hub.case(ticket).id, SECRET, me, "k1")  # type: ignore[union-attr]
        assert await rows(hub) == 0
        await hub.confide(hub.case(ticket).id, SECRET, me, "k1")  # type: ignore[union-attr]
        assert words(hub, ticket, me) == [SECRET]


async def left_untold(hub: Hub, ticket: str, actor: Actor) -> None:
    """What a process leaves that is killed after the words were stored and before anybody was told of them."""
    state = hub.case(ticket)
    assert state is not None
    sealed = hub.ring.seal(state.reporter, SECRET, hub.now())
    left = SealedWords("o_left", state.id, hub.now(), actor.id, actor.role, actor.unit, sealed)
    await hub.engine.submit(
        key=hub.ring.pending(state.reporter), job=lambda connection: confidential.add(connection, left)
    )


def confided(hub: Hub, ticket: str) -> list[CaseEvent]:
    state = hub.case(ticket)
    assert state is not None
    return [event for event in hub.events(state.id) if isinstance(event.data, Confided)]


async def test_words_that_nobody_was_told_of_are_told_of_once_when_it_is_sure_that_nobody_does(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        receipt = await hub.receive(PROFILE, "whatsapp", whatsapp(1))
        await hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN)
        await left_untold(hub, receipt.ticket, unit_admin(UNIT))
        assert await hub.tell_untold() == 0 and confided(hub, receipt.ticket) == []
        clock.forward(minutes=2)
    async with hub_on(tmp_path, clock) as hub:  # another process: it has none of the keys at hand
        assert [await hub.tell_untold() for _ in range(2)] == [1, 0]
        (event,) = confided(hub, receipt.ticket)
        assert (event.actorid, event.actorunit) == (unit_admin(UNIT).id, UNIT)
        assert words(hub, receipt.ticket, SUPERVISOR) == [SECRET]
        told = [reply.purpose for reply in hub.case(receipt.ticket).replies.values()]  # type: ignore[union-attr]
        assert told.count("confidential") == 1


async def test_words_that_were_told_of_are_told_of_no_second_time(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        ticket = await disposed(hub)
        await said(hub, ticket)
        clock.forward(minutes=2)
        assert await hub.tell_untold() == 0
        assert len(confided(hub, ticket)) == 2 and await rows(hub) == 2


@pytest.mark.parametrize("why", ["lost", "erased"])
async def test_words_that_can_be_told_to_nobody_any_more_are_not_kept(tmp_path: Path, why: str) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        ticket = await disposed(hub)
        state = hub.case(ticket)
        assert state is not None
        await left_untold(hub, ticket, unit_admin(UNIT))
        if why == "lost":
            await hub.act(state.id, "return", {"reason": "Bukan kami."}, unit_admin(UNIT))
        else:
            hub.eraser.erase(state.reporter, "shell", "diminta pelapor")
        clock.forward(minutes=2)
        assert await hub.tell_untold() == 0
        assert await rows(hub) == 0 and confided(hub, ticket) == []


# ── on the pages ──


def address(ticket: str) -> str:
    return f"/staff/cases/{ticket}"


async def test_the_agency_opens_it_with_a_press_and_answers(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.disposed(1)
        await web.hub.confide(receipt.case_id, SECRET, reporter_of(web.hub, receipt.ticket), "k1")
        await web.sign_in("pupr")
        closed = await web.browser.get(address(receipt.ticket))
        assert "Diskusi rahasia" in closed.text and "Buka diskusi (1 pesan)" in closed.text
        assert SECRET not in closed.text
        opened = await web.submit(
            address(receipt.ticket), f"{address(receipt.ticket)}/confidential/open#confidential"
        )
        assert opened.status_code == 200 and SECRET in opened.text
        sent = await web.submit(
            address(receipt.ticket), f"{address(receipt.ticket)}/confidential#confidential", {"text": ANSWER}
        )
        assert sent.status_code == 303
        own = await web.browser.get(web.link(receipt))
        assert SECRET in own.text and ANSWER in own.text
        public = await web.browser.get(f"/t/{receipt.ticket}")
        assert SECRET not in public.text and ANSWER not in public.text


async def test_an_empty_confidence_is_shown_again_with_what_is_wrong(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.disposed(1)
        await web.sign_in("pupr")
        page = await web.submit(
            address(receipt.ticket), f"{address(receipt.ticket)}/confidential#confidential", {"text": " "}
        )
        assert page.status_code == 422 and "Tulis pesan dulu." in page.text
        k = web.hub.tracking_token(receipt.case_id)
        own = await web.browser.post(f"/t/{receipt.ticket}/confidential", data={"k": k, "text": ""})
        assert own.status_code == 422 and "Bagian ini perlu diisi." in own.text


@pytest.mark.parametrize("name", ["disposisi", "pimpinan", "perhubungan", "tanpa-unit", "tetangga"])
async def test_others_are_not_shown_that_it_is_there(tmp_path: Path, name: str) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.disposed(1)
        await web.hub.confide(receipt.case_id, SECRET, reporter_of(web.hub, receipt.ticket), "k1")
        await web.sign_in(name)
        page = await web.browser.get(address(receipt.ticket))
        assert "Buka diskusi" not in page.text
        for action in ("confidential", "confidential/open"):
            sent = await web.browser.post(
                f"{address(receipt.ticket)}/{action}", data={"csrf": web.csrf(), "text": "Halo"}
            )
            assert sent.status_code in (403, 404) and SECRET not in sent.text
        api = f"/api/v1/cases/{receipt.ticket}/confidential"
        assert (await web.browser.get(api, headers=web.bearer(name))).status_code in (403, 404)
        sent = await web.browser.post(api, json={"text": "Halo"}, headers=web.bearer(name))
        assert sent.status_code in (403, 404)


async def test_the_reporter_speaks_and_reads_by_page_and_by_api(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report(1)
        sent = await web.submit(web.link(receipt), f"/t/{receipt.ticket}/confidential", {"text": SECRET})
        assert sent.status_code == 303
        token = web.hub.tracking_token(receipt.case_id)
        api = f"/api/v1/complaints/{receipt.ticket}/confidential"
        answer = await web.browser.post(api, params={"token": token}, json={"text": "Dan satu lagi"})
        assert answer.status_code == 201
        heard = (await web.browser.get(api, headers={"Authorization": f"Bearer {token}"})).json()
        assert [each["text"] for each in heard["messages"]] == [SECRET, "Dan satu lagi"]


@pytest.mark.parametrize("token", [None, "", "salah"])
async def test_without_the_token_nobody_reads_or_speaks(tmp_path: Path, token: str | None) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report(1)
        await web.hub.confide(receipt.case_id, SECRET, reporter_of(web.hub, receipt.ticket), "k1")
        api = f"/api/v1/complaints/{receipt.ticket}/confidential"
        params = {} if token is None else {"token": token}
        assert (await web.browser.get(api, params=params)).status_code == 401
        assert (await web.browser.post(api, params=params, json={"text": "x"})).status_code == 401
        page = await web.browser.post(
            f"/t/{receipt.ticket}/confidential", data={"k": token or "", "text": "x"}
        )
        assert page.status_code == 404


async def test_the_units_answer_by_api_is_told_by_unit_and_never_by_account(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.disposed(1)
        api = f"/api/v1/cases/{receipt.ticket}/confidential"
        sent = await web.browser.post(api, json={"text": ANSWER}, headers=web.bearer("pupr"))
        assert sent.status_code == 201
        token = web.hub.tracking_token(receipt.case_id)
        own = await web.browser.get(
            f"/api/v1/complaints/{receipt.ticket}/confidential", params={"token": token}
        )
        assert own.json()["messages"][0]["unit"] == UNIT
        assert '"pupr"' not in own.text
