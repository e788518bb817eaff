"""Who looks, how often, and who does which part: sending back without end, objections, several units on one case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ADMIN, SUPERVISOR, form, unit_admin, whatsapp
from test_case_life import BOOK, Life
from web_hub import OTHER_UNIT, UNIT, web_on

from laporhub.pipeline.commands import Actor, Words
from laporhub.pipeline.errors import Conflict, Forbidden, LaporHubError, Refused
from laporhub.pipeline.events import ClockStopped, Contributed, Involved, Released, Transitioned
from laporhub.pipeline.fanout import forwarded
from laporhub.pipeline.streams import read_unit_event
from laporhub.pipeline.topics import unit_topic
from laporhub.pipeline.workflow import allowed, may_confide, may_see

FIRST, SECOND, THIRD = list(BOOK.units)[:3]
OTHER_SUPERVISOR = Actor(id="gub-lain", role="admin_gubernur")


def reporter(life: Life) -> Actor:
    return Actor(id=life.case.reporter, role="reporter")


def steps(life: Life, actor: Actor) -> list[str]:
    return [name for name, _ in allowed(life.book, life.case, actor)]


def told(life: Life) -> list[str]:
    return [reply.purpose for reply in life.case.replies.values()]


def disposed(unit: str = FIRST) -> Life:
    life = Life()
    life.says("web", form(1))
    life.does(ADMIN, "dispose", unit=unit)
    return life


def sent_back(life: Life, times: int) -> None:
    for turn in range(times):
        if turn:
            life.does(ADMIN, "dispose", unit=FIRST)
        life.does(unit_admin(FIRST), "return", reason="Bukan kewenangan kami.")


# ── sending back ─────────────────────────────────────────────────────────────────────────────────


def test_units_send_a_case_back_three_times_then_the_supervisor_decides_for_good() -> None:
    life = disposed()
    sent_back(life, 2)
    assert life.case.status == "verified"
    life.does(ADMIN, "dispose", unit=FIRST)
    life.does(unit_admin(FIRST), "return", reason="Sekali lagi bukan kami.")
    assert (life.case.status, life.case.unit) == ("disputed", None)
    assert "dispose" not in steps(life, ADMIN), "nobody passes it on any more but the supervisor"
    assert life.case.clocks["disposition"].status == "running", "it waits no longer than others"
    life.does(SUPERVISOR, "settle", unit=FIRST, note="Ruas ini jalan provinsi.")
    with pytest.raises(Conflict) as refused:
        life.does(unit_admin(FIRST), "return", reason="Tetap bukan kami.")
    assert refused.value.code == "too_often"
    assert (life.case.status, life.case.unit) == ("disposed", FIRST)


@given(st.lists(st.sampled_from(["dispose", "return", "settle", "redispose"]), max_size=25))
@settings(max_examples=40)
def test_no_case_is_sent_back_more_often_than_the_profile_says(wanted: Sequence[str]) -> None:
    life = disposed()
    actors = {"dispose": ADMIN, "return": unit_admin(FIRST), "settle": SUPERVISOR, "redispose": ADMIN}
    for step in wanted:
        fields = {"reason": "x"} if step == "return" else {"unit": FIRST, "note": "x"}
        try:
            life.does(actors[step], step, **fields)
        except Refused:
            continue
    back = [e for e in life.events if isinstance(e.data, Transitioned) and e.data.transition == "return"]
    assert len(back) <= 3
    assert life.case.status == "disputed" or life.case.unit == FIRST or len(back) < 3


def test_a_case_is_moved_to_another_unit_before_it_is_answered() -> None:
    life = disposed()
    life.does(ADMIN, "redispose", unit=SECOND, note="Salah pilih.")
    assert (life.case.status, life.case.unit) == ("disposed", SECOND)
    assert told(life)[-2:] == ["disposed", "disposed"], "the reporter hears of the new one"
    assert not may_see(life.book, life.case, unit_admin(FIRST))


def test_a_unit_that_gets_the_case_later_has_the_standards_days_from_then_on() -> None:
    """Whether the first one returned it or it was moved; and the first one's lateness stays its own."""
    moved, returned = disposed(), disposed()
    first = moved.case.clocks["unit_response"]
    for life in (moved, returned):
        life.now += timedelta(days=14)
    moved.does(ADMIN, "redispose", unit=SECOND, note="Salah pilih.")
    returned.does(unit_admin(FIRST), "return", reason="Bukan kami.")
    returned.does(ADMIN, "dispose", unit=SECOND)
    for life in (moved, returned):
        clock = life.case.clocks["unit_response"]
        assert (
            clock.status == "running" and clock.due_at - clock.started_at == first.due_at - first.started_at
        )
        (stopped,) = [e for e in life.events if isinstance(e.data, ClockStopped) and _is_response(e.data)]
        assert stopped.unit == FIRST and isinstance(stopped.data, ClockStopped) and stopped.data.late


def _is_response(data: ClockStopped) -> bool:
    return data.clock == "unit_response"


def test_a_case_is_not_moved_to_the_unit_that_has_it() -> None:
    """It would only give that unit its days anew."""
    life = disposed()
    with pytest.raises(Refused) as refused:
        life.does(ADMIN, "redispose", unit=FIRST, note="Sekali lagi.")
    assert (refused.value.code, refused.value.field) == ("already_there", "unit")


def test_a_case_is_moved_three_times_then_only_the_supervisor_decides_where_it_stays() -> None:
    life = disposed()
    for unit in (SECOND, FIRST, SECOND):
        life.does(ADMIN, "redispose", unit=unit, note="Salah pilih.")
    before = life.case
    with pytest.raises(Conflict) as refused:
        life.does(ADMIN, "redispose", unit=THIRD, note="Sekali lagi.")
    assert refused.value.code == "too_often" and life.case == before
    assert "redispose" not in steps(life, ADMIN), "what is refused is not offered"
    life.now += timedelta(days=14)
    life.does(SUPERVISOR, "settle", unit=THIRD, note="Ruas ini jalan provinsi.")
    clock = life.case.clocks["unit_response"]
    assert (life.case.unit, clock.status, clock.started_at) == (THIRD, "running", life.now)
    assert (clock.kept, clock.missed) == (3, 1), "those who had it before keep their own record"
    with pytest.raises(Conflict):
        life.does(ADMIN, "redispose", unit=FIRST, note="Tidak setuju.")


# ── objecting ────────────────────────────────────────────────────────────────────────────────────


def rejected() -> Life:
    life = Life()
    life.says("web", form(1))
    life.does(ADMIN, "reject", reason="unclear", explanation="Kurang jelas.")
    return life


def test_a_reporter_objects_once_and_another_role_looks() -> None:
    life = rejected()
    life.does(reporter(life), "appeal", reason="Fotonya sudah saya kirim.")
    assert life.case.status == "appealed" and told(life)[-1] == "appealed"
    assert steps(life, ADMIN) == [], "who refused it does not decide on the objection"
    life.does(SUPERVISOR, "uphold", explanation="Fotonya tidak menunjukkan lokasi.")
    assert life.case.status == "rejected" and told(life)[-1] == "upheld"
    assert "appeal" not in steps(life, reporter(life))
    with pytest.raises(Conflict) as refused:
        life.does(reporter(life), "appeal", reason="Sekali lagi.")
    assert refused.value.code == "too_often"


def test_an_objection_that_is_right_brings_the_case_back() -> None:
    life = rejected()
    life.does(reporter(life), "appeal", reason="Fotonya sudah saya kirim.")
    life.does(SUPERVISOR, "grant", explanation="Benar, kami proses.")
    assert life.case.status == "verified" and life.case.closed_at is None
    assert life.case.clocks["objection"].status == "stopped"
    assert life.case.clocks["disposition"].status == "running"


def test_nobody_decides_on_an_objection_to_their_own_refusal() -> None:
    life = Life()
    life.says("web", form(1))
    life.does(SUPERVISOR, "reject", reason="unclear", explanation="Kurang jelas.")
    life.does(reporter(life), "appeal", reason="Sudah jelas.")
    with pytest.raises(Forbidden) as refused:
        life.does(SUPERVISOR, "uphold", explanation="Tetap.")
    assert refused.value.code == "same_person"
    life.does(OTHER_SUPERVISOR, "grant", explanation="Kami proses.")
    assert life.case.status == "verified"


def test_an_objection_comes_in_time_or_not_at_all() -> None:
    life = rejected()
    life.now += timedelta(days=11)
    with pytest.raises(Conflict) as refused:
        life.does(reporter(life), "appeal", reason="Terlambat.")
    assert refused.value.code == "too_late"


def test_who_chats_after_a_rejection_has_a_new_complaint() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "reject", reason="unclear", explanation="Kurang jelas.")
    first = life.case.id
    life.says("whatsapp", whatsapp(1, sid="SM-lagi"))
    assert life.case.id != first


# ── several units ────────────────────────────────────────────────────────────────────────────────


def shared() -> Life:
    life = disposed()
    life.does(unit_admin(FIRST), "involve", unit=SECOND, task="Lampu jalannya.")
    return life


def test_several_units_give_one_answer() -> None:
    life = shared()
    lead, helper = unit_admin(FIRST), unit_admin(SECOND)
    assert may_see(life.book, life.case, helper)
    assert steps(life, helper) == ["contribute"], "a helper gives its part and no more"
    assert "contribute" not in steps(life, lead)
    assert may_confide(life.book, life.case, lead) and not may_confide(life.book, life.case, helper)
    with pytest.raises(Conflict) as refused:
        life.does(lead, "respond", response="Sudah.")
    assert refused.value.code == "parts_open"
    life.does(helper, "contribute", part="Lampu sudah diganti.")
    assert life.case.parts[SECOND].words == Words(text="Lampu sudah diganti.")
    life.does(lead, "respond", response="Jalan ditambal; lampu sudah diganti.")
    life.does(ADMIN, "approve")
    assert life.case.status == "answered", "one answer for all"
    assert [c for c in life.case.clocks if c == "unit_response"] == ["unit_response"], "and one clock"


def test_a_unit_that_is_not_needed_any_more_holds_nobody_up() -> None:
    life = shared()
    life.does(unit_admin(FIRST), "release", unit=SECOND)
    assert not may_see(life.book, life.case, unit_admin(SECOND))
    life.does(unit_admin(FIRST), "respond", response="Sudah kami perbaiki.")
    assert life.case.status == "drafted"


@pytest.mark.parametrize(
    ("step", "fields", "code"),
    [
        ("involve", {"unit": FIRST, "task": "x"}, "already_there"),
        ("involve", {"unit": SECOND, "task": "x"}, "already_there"),
        ("involve", {"unit": "dinas-yang-tidak-ada", "task": "x"}, "unknown_unit"),
        ("release", {"unit": THIRD}, "not_asked"),
    ],
)
def test_what_makes_no_sense_among_units_is_refused(step: str, fields: dict[str, str], code: str) -> None:
    life = shared()
    before = life.case
    with pytest.raises(Refused) as refused:
        life.does(unit_admin(FIRST), step, **fields)
    assert refused.value.code == code
    assert life.case == before, "nothing has changed"


def test_another_responsible_unit_asks_its_own_helpers() -> None:
    life = shared()
    life.does(ADMIN, "redispose", unit=THIRD, note="Salah pilih.")
    assert life.case.parts == {}
    assert not may_see(life.book, life.case, unit_admin(SECOND))


def test_a_helper_is_told_on_its_topic_from_when_it_is_asked_until_it_is_not() -> None:
    life = shared()
    life.says("web", form(1, "Tambahan: lampunya juga mati.", external_id="lagi", case_id=life.case.id))
    life.does(unit_admin(FIRST), "release", unit=SECOND)
    records = [
        each
        for each in forwarded(life.events, None, life.book)
        if each.topic == unit_topic(BOOK.name, SECOND)
    ]
    kinds = [read_unit_event(each.value).data.kind for each in records]
    assert kinds[0] == "case" and "message_added" in kinds and kinds[-1] == "taken_away"


@given(
    st.lists(
        st.tuples(st.sampled_from(["involve", "contribute", "release", "respond"]), st.integers(0, 2)),
        max_size=20,
    )
)
@settings(max_examples=40)
def test_no_answer_goes_out_while_a_part_is_still_to_come(wanted: Sequence[tuple[str, int]]) -> None:
    life = disposed()
    open_parts: set[str] = set()
    for step, number in wanted:
        unit = (FIRST, SECOND, THIRD)[number]
        actor = unit_admin(unit if step == "contribute" else FIRST)
        fields = {"contribute": {"part": "x"}, "respond": {"response": "x"}}.get(step, {"unit": unit})
        try:
            events = life.does(actor, step, **fields, **({"task": "x"} if step == "involve" else {}))
        except LaporHubError:
            continue
        if step == "respond":
            assert not open_parts
        for event in events:
            match event.data:
                case Involved(unit=asked):
                    open_parts.add(asked)
                case Contributed(unit=asked) | Released(unit=asked):
                    open_parts.discard(asked)
                case _:
                    pass
    assert open_parts == {unit for unit, part in life.case.parts.items() if part.words is None}


async def test_a_helper_finds_what_it_is_asked_for_and_the_lead_finds_the_parts(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.disposed(1)
        await web.hub.act(
            receipt.case_id, "involve", {"unit": OTHER_UNIT, "task": "Lampunya."}, unit_admin(UNIT)
        )
        await web.sign_in("perhubungan")
        listed = (await web.browser.get("/staff?tab=helping")).text
        assert receipt.ticket in listed and "Diminta membantu" in listed
        assert receipt.ticket not in (await web.browser.get("/staff?tab=all")).text
        page = f"/staff/cases/{receipt.ticket}"
        done = await web.submit(page, f"{page}/do/contribute", {"f_part": "Lampu sudah diganti."})
        assert done.status_code == 303
        async with web.another_browser() as web.browser:
            await web.sign_in("pupr")
            assert "tab=helping" in (await web.browser.get("/staff")).text
            assert receipt.ticket not in (await web.browser.get("/staff?tab=helping")).text
            html = (await web.browser.get(page)).text
            assert "Bagian instansi lain" in html
            form_of_answer = html.split(f"{page}/do/respond", 1)[1].split("</form>", 1)[0]
            assert "Lampu sudah diganti." in form_of_answer, "the parts are there to make one answer of"
        await web.hub.act(receipt.case_id, "release", {"unit": OTHER_UNIT}, ADMIN)
        async with web.another_browser() as web.browser:
            await web.sign_in("perhubungan")
            assert receipt.ticket not in (await web.browser.get("/staff?tab=helping")).text
            assert (await web.browser.get(page)).status_code == 404


async def test_the_parameter_of_helpers_shows_no_one_more_than_their_scope(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.disposed(1)
        for name in ("tanpa-unit", "perhubungan"):
            async with web.another_browser() as web.browser:
                await web.sign_in(name)
                assert receipt.ticket not in (await web.browser.get("/staff?tab=helping")).text
