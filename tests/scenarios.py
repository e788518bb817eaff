"""What happens in the life of complaints, told once for every engine: each scenario drives a hub on a still clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from support import ADMIN, SUPERVISOR, Clock, form, unit_admin, whatsapp

from laporhub.hub.hub import Hub
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Locate
from laporhub.pipeline.errors import Conflict, Forbidden, Refused
from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.messages import Inbound, about

PROFILE = "laporgub-jateng"
SHORT = "tolong pak"


@dataclass
class Play:
    """A hub, its clock, and what moves its background: `ring` the alarms that are due, `send` the replies."""

    hub: Hub
    clock: Clock
    ring: Callable[[], Awaitable[None]]
    send: Callable[[], Awaitable[None]]
    offset: int
    """Tells the citizens of scenarios on one hub apart."""
    cases: list[str] = field(default_factory=list)

    async def hear(self, channel: str, inbound: Inbound) -> Receipt:
        receipt = await self.hub.receive(PROFILE, channel, inbound)
        if receipt.case_id not in self.cases:
            self.cases.append(receipt.case_id)
        return receipt

    async def form(self, number: int = 0, **more: object) -> Receipt:
        return await self.hear("web", form(self.offset + number, **more))

    async def chat(self, text: str, sid: int, number: int = 0, **more: object) -> Receipt:
        name = f"SM{self.offset + sid:032d}"
        return await self.hear("whatsapp", whatsapp(self.offset + number, text, name, **more))

    async def post(self, text: str, name: int, number: int = 0, **more: object) -> Receipt:
        """On X: a post in a thread, or a direct message."""
        given: dict[str, object] = {
            "external_id": f"{self.offset + name}",
            "author_id": f"{self.offset + number}",
        }
        return await self.hear("x", Inbound.model_validate(given | {"text": text, "verified": True} | more))

    async def act(self, case: str, step: str, actor: Actor = ADMIN, **fields: str) -> CaseState:
        self.clock.forward(minutes=1)
        return await self.hub.act(case, step, fields, actor)

    async def answer(self, case: str, unit: str = "dinas-pupr") -> CaseState:
        """Disposed, answered by the unit, approved."""
        await self.act(case, "dispose", unit=unit)
        await self.act(case, "respond", unit_admin(unit), response="Sudah kami perbaiki.")
        return await self.act(case, "approve")


async def a_form_is_answered(play: Play) -> None:
    receipt = await play.form()
    state = await play.answer(receipt.case_id)
    assert state.status == "answered"


async def a_photo_says_where_it_was_taken(play: Play) -> None:
    """Known once it was fetched: what was asked is answered by it."""
    receipt = await play.chat("Sampah menumpuk tidak diangkut sudah seminggu", 1)
    asked = play.hub.case(receipt.ticket)
    assert asked is not None and asked.asking == "place"
    told = Locate(
        id=f"d_photo_{play.offset}",
        profile=PROFILE,
        case_id=receipt.case_id,
        at=play.clock.forward(minutes=1),
        message_id=asked.said[0].ids[0],
        taken=about(-7.0512, 110.4377),
    )
    await play.hub.engine.submit(command=told)
    await play.send()  # where others do the work, what was told is done after that
    state = await play.act(receipt.case_id, "dispose", unit="kota-semarang")
    assert state.suggestion is not None and state.suggestion.place is not None
    assert (state.suggestion.place.region, state.suggestion.place.by_photo) == ("33.74", True)


async def a_chat_is_answered_where_it_came_from(play: Play) -> None:
    receipt = await play.chat("Jalan provinsi di depan Pasar Contoh Kabupaten Batang berlubang", 1)
    await play.send()
    await play.answer(receipt.case_id)
    await play.send()
    replies = play.hub.case(receipt.ticket)
    assert replies and {reply.status for reply in replies.replies.values()} == {"sent"}


async def what_is_missing_is_asked_for(play: Play) -> None:
    receipt = await play.chat(SHORT, 1)
    await play.send()
    play.clock.forward(minutes=5)
    again = await play.chat("Jalan provinsi di depan Pasar Contoh Kabupaten Batang berlubang", 2)
    assert again.case_id == receipt.case_id
    await play.send()


async def the_same_twice_is_once(play: Play) -> None:
    first = await play.form()
    second = await play.form()
    assert second.duplicate and second.case_id == first.case_id


async def many_at_once_stay_in_their_cases(play: Play) -> None:
    receipts = await asyncio.gather(*(play.form(number) for number in range(12)))
    assert len({receipt.case_id for receipt in receipts}) == 12


async def a_unit_sends_it_back_and_another_takes_it(play: Play) -> None:
    receipt = await play.form()
    await play.act(receipt.case_id, "dispose", unit="dishub")
    await play.act(
        receipt.case_id, "return", unit_admin("dishub"), reason="Ini jalan provinsi, kewenangan Dinas PU."
    )
    await play.answer(receipt.case_id)


async def a_rejected_one_is_told_why(play: Play) -> None:
    receipt = await play.form()
    step = play.hub.rulebooks[PROFILE].profile.transitions["reject"]
    fields = {
        name: next(iter(rule.options)) if rule.options else "Bukan kewenangan pemerintah provinsi."
        for name, rule in step.fields.items()
        if rule.required
    }
    state = await play.act(receipt.case_id, "reject", **fields)
    assert state.closed_at is not None


async def who_may_not_or_comes_late_is_refused(play: Play) -> None:
    receipt = await play.form()
    for step, actor, kind in (
        ("dispose", unit_admin("dishub"), Forbidden),
        ("approve", ADMIN, Conflict),
        ("no-such-step", ADMIN, Refused),
    ):
        try:
            await play.act(receipt.case_id, step, actor, unit="dishub")
        except kind:
            continue
        raise AssertionError(f"{step} was not refused")


async def clocks_warn_escalate_and_close(play: Play) -> None:
    receipt = await play.form()
    for _ in range(20):
        play.clock.forward(hours=3)
        await play.ring()
    await play.answer(receipt.case_id)
    for _ in range(30):
        play.clock.forward(hours=12)
        await play.ring()
    state = play.hub.case(receipt.ticket)
    assert state and any(clock.missed or clock.late for clock in state.clocks.values())


async def a_note_and_a_private_case(play: Play) -> None:
    receipt = await play.form(private=True)
    await play.hub.note(receipt.case_id, "Sudah ditelepon ke 081234567890.", SUPERVISOR)
    await play.answer(receipt.case_id)


async def the_reporter_goes_on_on_the_tracking_page(play: Play) -> None:
    receipt = await play.form()
    play.clock.forward(minutes=2)
    more = form(play.offset + 1, "Tambahan: lubangnya makin besar.", case_id=receipt.case_id)
    again = await play.hear("web", more)
    assert again.case_id == receipt.case_id


async def a_case_is_sent_back_until_somebody_decides(play: Play) -> None:
    receipt = await play.form()
    for unit in ("dishub", "dinas-pupr", "dishub"):
        await play.act(receipt.case_id, "dispose", unit=unit)
        state = await play.act(receipt.case_id, "return", unit_admin(unit), reason="Bukan kewenangan kami.")
    assert state.status == "disputed"
    await play.act(receipt.case_id, "settle", SUPERVISOR, unit="dinas-pupr", note="Jalan provinsi.")
    await refused(
        play, receipt.case_id, "return", unit_admin("dinas-pupr"), "too_often", reason="Tetap bukan."
    )
    await play.act(receipt.case_id, "respond", unit_admin("dinas-pupr"), response="Sudah.")


async def several_units_give_one_answer(play: Play) -> None:
    receipt = await play.form()
    lead, helper = unit_admin("dinas-pupr"), unit_admin("dishub")
    await play.act(receipt.case_id, "dispose", unit="dinas-pupr")
    await play.act(receipt.case_id, "involve", lead, unit="dishub", task="Lampu jalannya.")
    await refused(play, receipt.case_id, "respond", lead, "parts_open", response="Sudah.")
    await play.act(receipt.case_id, "contribute", helper, part="Lampu sudah diganti.")
    await play.act(receipt.case_id, "respond", lead, response="Jalan ditambal, lampu diganti.")
    state = await play.act(receipt.case_id, "approve")
    assert state.status == "answered"


async def duplicates_hear_of_one_answer(play: Play) -> None:
    main = await play.form()
    double = await play.chat("Jalan provinsi di depan Pasar Contoh Kabupaten Batang berlubang", 1, 1)
    await play.send()
    await play.act(double.case_id, "merge", into=main.ticket)
    await refused(play, main.case_id, "merge", ADMIN, "follows_itself", into=double.ticket)
    await play.answer(main.case_id)
    await play.send()
    await play.act(main.case_id, "close")
    state = play.hub.case(double.ticket)
    assert state and state.status == "closed"
    assert [reply.purpose for reply in state.replies.values()][-1] == "response"


async def a_duplicate_is_separated_again(play: Play) -> None:
    main = await play.form()
    double = await play.form(1)
    await play.act(double.case_id, "merge", into=main.ticket)
    await play.act(double.case_id, "split", reason="Ruas jalan lain.")
    await play.answer(main.case_id)
    state = await play.answer(double.case_id)
    assert state.main is None and state.status == "answered"


async def a_refused_reporter_objects_once(play: Play) -> None:
    receipt = await play.form()
    state = await play.act(receipt.case_id, "reject", reason="unclear", explanation="Kurang jelas.")
    reporter = Actor(id=state.reporter, role="reporter")
    await play.act(receipt.case_id, "appeal", reporter, reason="Fotonya sudah ada.")
    await play.act(receipt.case_id, "uphold", SUPERVISOR, explanation="Tetap kurang jelas.")
    await refused(play, receipt.case_id, "appeal", reporter, "too_often", reason="Lagi.")


async def what_is_anothers_is_handed_over(play: Play) -> None:
    receipt = await play.form()
    state = await play.act(receipt.case_id, "hand_over", receiver="regency", office="Kabupaten Contoh")
    assert state.status == "handed_over" and state.closed_at is not None


async def refused(play: Play, case: str, step: str, actor: Actor, code: str, **fields: str) -> None:
    """The step is refused for this reason, and nothing has changed."""
    before = len(play.hub.events(case))
    try:
        await play.act(case, step, actor, **fields)
    except Refused as error:
        assert error.code == code
    else:
        raise AssertionError(f"{step} was not refused")
    assert len(play.hub.events(case)) == before


async def a_post_is_gone_on_with_in_a_direct_message(play: Play) -> None:
    post = await play.post("jalan rusak pak", 1, thread="900")
    await play.send()
    play.clock.forward(minutes=5)
    answer = await play.post("Di Kabupaten Batang depan Pasar Contoh, sejak minggu lalu", 2, reply_to="dm")
    assert answer.case_id == post.case_id
    other = await play.post("lampu mati pak", 3, number=1, thread="901")
    last = await play.post("lampu mati juga", 4, number=1, thread="902")
    named = await play.post(
        f"soal {other.ticket}: di Batang", 5, number=1, ticket=other.ticket, reply_to="dm"
    )
    assert (named.case_id, len({other.case_id, last.case_id})) == (other.case_id, 2)


async def something_is_said_in_confidence(play: Play) -> None:
    receipt = await play.chat("Jalan provinsi di depan Pasar Contoh Kabupaten Batang berlubang", 1)
    state = await play.act(receipt.case_id, "dispose", unit="dinas-pupr")
    reporter, unit = Actor(id=state.reporter, role="reporter"), unit_admin("dinas-pupr")
    await play.hub.confide(receipt.case_id, "Pelakunya saya kenal", reporter, "k1")
    await play.hub.confide(receipt.case_id, "Terima kasih, kami periksa", unit, "k2")
    await play.send()
    heard = [each.text for each in play.hub.confidential(state, unit)]
    assert heard == ["Pelakunya saya kenal", "Terima kasih, kami periksa"]


SCENARIOS: tuple[Callable[[Play], Awaitable[None]], ...] = (
    a_form_is_answered,
    a_chat_is_answered_where_it_came_from,
    what_is_missing_is_asked_for,
    the_same_twice_is_once,
    many_at_once_stay_in_their_cases,
    a_unit_sends_it_back_and_another_takes_it,
    a_rejected_one_is_told_why,
    who_may_not_or_comes_late_is_refused,
    clocks_warn_escalate_and_close,
    a_note_and_a_private_case,
    the_reporter_goes_on_on_the_tracking_page,
    a_case_is_sent_back_until_somebody_decides,
    several_units_give_one_answer,
    duplicates_hear_of_one_answer,
    a_duplicate_is_separated_again,
    a_refused_reporter_objects_once,
    what_is_anothers_is_handed_over,
    a_post_is_gone_on_with_in_a_direct_message,
    something_is_said_in_confidence,
    a_photo_says_where_it_was_taken,
)
