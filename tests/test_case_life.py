"""The life of a case under the LaporGub standard, decided by the pure core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ADMIN, MONDAY, SUPERVISOR, Stub, form, laporgub, unit_admin, whatsapp

from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import SYSTEM, Act, Actor, Command, Delivery, Note, OpenCase, Tick, Words
from laporhub.pipeline.decide import decide
from laporhub.pipeline.door import Door
from laporhub.pipeline.errors import Conflict, Forbidden, NotFound, Refused
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.evolve import evolve, next_alarm
from laporhub.pipeline.intake import interpret
from laporhub.pipeline.messages import Inbound, Message
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_time import Limit
from laporhub.pipeline.profile.schema_workflow import Routing
from laporhub.sinks.documents import case_document


class PlainSeals:
    """Seals that tests can look through."""

    def seal(self, reporter: str, plain: str, now: datetime) -> str:
        return f"v1.key-of-{reporter}.{plain}"


BOOK = laporgub()
UNIT, OTHER = list(BOOK.units)[:2]
DOOR = Door(PlainSeals(), b"pepper")


class Life:
    """One case, driven step by step."""

    def __init__(self, book: Rulebook = BOOK, classifier: Stub | None = None) -> None:
        self.book = book
        self.classifier = classifier or Stub(unit=UNIT)
        self.now = MONDAY
        self.state: CaseState | None = None
        self.events: list[CaseEvent] = []
        self._numbers = count()

    def says(self, channel: str, inbound: Inbound) -> Sequence[CaseEvent]:
        message = DOOR.admit(self.book, channel, inbound, self.now)  # type: ignore[arg-type]
        return self.hears(message)

    def hears(self, message: Message) -> Sequence[CaseEvent]:
        command = interpret(self.book, message, self.state)  # type: ignore[arg-type]
        ticket = ids.ticket("LG", "WP", command.case_id) if isinstance(command, OpenCase) else None
        if isinstance(command, OpenCase):
            self.state = None
        return self._apply(decide(self.book, self.state, command, self.classifier, ticket))  # type: ignore[arg-type]

    def does(
        self, actor: Actor, transition: str, seen: int | None = None, **fields: object
    ) -> Sequence[CaseEvent]:
        words = {
            name: Words(text=value)
            if isinstance(value, str) and name not in ("unit", "reason_code")
            else value
            for name, value in fields.items()
        }
        if transition == "reject":
            words["reason"] = str(fields["reason"])
        return self._apply(self._decided(actor, transition, words, seen))

    def _decided(self, actor: Actor, transition: str, fields: object, seen: int | None) -> list[CaseEvent]:
        assert self.state is not None
        command = Act(
            id=f"act-{next(self._numbers)}",
            profile=self.state.profile,
            case_id=self.state.id,
            at=self.now,
            actor=actor,
            transition=transition,
            fields=fields,  # type: ignore[arg-type]
            seen=seen,
        )
        return decide(self.book, self.state, command, self.classifier)  # type: ignore[arg-type]

    def delivered(self, purpose: str, status: str = "sent", reason: str | None = None) -> Sequence[CaseEvent]:
        assert self.state is not None
        reply = next(name for name, each in self.state.replies.items() if each.purpose == purpose)
        return self.delivered_as(reply, status, reason)

    def delivered_as(self, reply: str, status: str, reason: str | None = None) -> Sequence[CaseEvent]:
        assert self.state is not None
        command = Delivery(
            id=f"delivery-{next(self._numbers)}",
            profile=self.state.profile,
            case_id=self.state.id,
            at=self.now,
            reply_id=reply,
            status=status,  # type: ignore[arg-type]
            reason=reason,
        )
        return self._apply(decide(self.book, self.state, command, self.classifier))  # type: ignore[arg-type]

    def applies(self, command: Command) -> Sequence[CaseEvent]:
        """Any command for this case."""
        return self._apply(decide(self.book, self.state, command, self.classifier))  # type: ignore[arg-type]

    def rings(self) -> Sequence[CaseEvent]:
        """The next alarm, at its time."""
        assert self.state is not None
        alarm = next_alarm(self.state)
        assert alarm is not None
        due = self.state.clocks[alarm[0]].alarms[alarm[1]]
        self.now = max(self.now, due)
        return self._apply(decide(self.book, self.state, self.tick(*alarm, due), self.classifier))  # type: ignore[arg-type]

    def tick(self, clock: str, alarm: str, due: datetime) -> Tick:
        assert self.state is not None
        return Tick(
            id=f"tick-{clock}-{alarm}-{due}",
            profile=self.state.profile,
            case_id=self.state.id,
            at=self.now,
            clock=clock,
            alarm=alarm,
            due_at=due,
        )

    def _apply(self, events: list[CaseEvent]) -> Sequence[CaseEvent]:
        for event in events:
            self.state = evolve(self.state, event)
        self.events.extend(events)
        return events

    @property
    def case(self) -> CaseState:
        assert self.state is not None
        return self.state

    def texts(self) -> list[str]:
        return [event.data.text for event in self.events if event.data.kind == "reply_queued"]


def kinds(events: Sequence[CaseEvent]) -> list[str]:
    return [event.data.kind for event in events]


def test_a_complete_complaint_is_received_acknowledged_and_timed() -> None:
    life = Life()
    life.says("web", form(1))
    assert life.case.status == "received"
    assert life.case.missing == ()
    assert life.case.clocks["first_response"].due_at == MONDAY + timedelta(hours=12)
    assert life.case.ticket in life.texts()[0]


def test_the_whole_way_from_disposition_to_the_published_answer() -> None:
    life = Life()
    life.says("web", form(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    assert (life.case.status, life.case.unit) == ("disposed", UNIT)
    assert life.case.clocks["first_response"].status == "stopped"
    life.does(unit_admin(UNIT), "respond", response="Lubang sudah kami tambal hari ini.")
    assert life.case.status == "drafted"
    assert not any("tambal" in text for text in life.texts()), "a draft must not reach the reporter"
    life.does(ADMIN, "approve")
    assert "Lubang sudah kami tambal hari ini." in life.texts()[-1]
    assert life.case.status == "answered"
    assert life.case.clocks["unit_response"].status == "stopped"


def test_on_a_messaging_channel_the_answer_counts_when_it_is_sent() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.does(unit_admin(UNIT), "respond", response="Sudah ditambal.")
    life.does(ADMIN, "approve")
    assert life.case.status == "approved"
    life.delivered("response", "sent")
    assert life.case.status == "answered"


def test_an_answer_that_turns_out_undelivered_goes_back_to_a_person() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.does(unit_admin(UNIT), "respond", response="Sudah ditambal.")
    life.does(ADMIN, "approve")
    life.delivered("response", "sent")
    life.delivered("response", "failed", "window_closed")
    assert life.case.status == "approved"
    assert life.case.clocks["confirmation"].status == "stopped"
    life.does(ADMIN, "resend")
    assert len([t for t in life.texts() if "Sudah ditambal." in t]) == 2


@pytest.mark.parametrize("late", ["queued", "sent", "failed"])
def test_a_read_reply_is_never_downgraded(late: str) -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.delivered("ack", "read")
    assert life.delivered("ack", late) == []


def test_an_incomplete_complaint_is_asked_for_what_it_lacks_and_continues() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1, "tolong pak"))
    assert life.case.status == "needs_info"
    assert set(life.case.missing) == {"place", "chronology"}
    assert "Di mana kejadiannya?" in life.texts()[0]
    assert life.case.clocks["first_response"].status == "paused"
    life.now += timedelta(hours=5)
    life.says("whatsapp", whatsapp(1, "Lampu jalan mati sejak seminggu di Jalan Contoh, Desa Contoh", "SM2"))
    assert life.case.status == "received"
    assert life.case.clocks["first_response"].due_at == MONDAY + timedelta(hours=17)


@pytest.mark.parametrize("channel", ["whatsapp", "facebook"])  # one by one, and all at once
def test_whoever_cannot_complete_it_reaches_a_person_after_two_questions(channel: str) -> None:
    life = Life()
    life.says(channel, whatsapp(1, "tolong"))
    life.says(channel, whatsapp(1, "iya", "SM2"))
    assert life.case.status == "needs_info"
    life.says(channel, whatsapp(1, "ya", "SM3"))
    assert life.case.status == "received"
    assert life.case.missing, "the person who takes over sees what is missing"


def test_a_follow_up_joins_its_open_case_and_a_new_one_can_be_asked_for() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    first = life.case.id
    life.says("whatsapp", whatsapp(1, "masih belum ada yang datang", "SM2"))
    assert life.case.id == first
    assert life.case.waiting
    life.says("whatsapp", whatsapp(1, "Aduan baru: sampah menumpuk di Jalan Contoh", "SM3"))
    assert life.case.id != first


def closed_by_whatsapp() -> Life:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.does(unit_admin(UNIT), "respond", response="Sudah ditambal.")
    life.does(ADMIN, "approve")
    life.delivered("response", "sent")
    life.does(ADMIN, "close")
    return life


def test_a_message_soon_after_the_end_joins_the_case_and_is_answered_and_seen() -> None:
    life = closed_by_whatsapp()
    first = life.case.id
    life.now += timedelta(days=9)
    life.says("whatsapp", whatsapp(1, "masih berlubang", "SM2"))
    assert life.case.id == first
    assert life.case.waiting
    assert "aduan baru" in life.texts()[-1], "the reporter learns how to report something else"


def test_a_message_long_after_the_end_opens_a_new_case() -> None:
    life = closed_by_whatsapp()
    first = life.case.id
    life.now += timedelta(days=11)
    life.says("whatsapp", whatsapp(1, sid="SM3"))
    assert life.case.id != first


def test_after_a_rejection_the_next_message_is_a_complaint_of_its_own() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "reject", reason="unclear", explanation="Mohon jelaskan lagi.")
    first = life.case.id
    life.now += timedelta(days=1)
    life.says("whatsapp", whatsapp(1, sid="SM2"))
    assert life.case.id != first
    assert life.case.status == "received"


def test_a_case_that_came_back_from_its_reporter_is_timed() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "ask", question="Di sebelah mana?")
    life.says("whatsapp", whatsapp(1, "Di sebelah utara pasar", "SM2"))
    assert life.case.status == "received"
    assert next_alarm(life.case) is not None


def test_our_own_sent_does_not_undo_the_platforms_failed() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.does(unit_admin(UNIT), "respond", response="Sudah ditambal.")
    life.does(ADMIN, "approve")
    life.delivered("response", "failed", "window_closed")
    assert life.delivered("response", "sent") == []
    assert life.case.status == "approved"
    life.delivered("response", "delivered")
    assert life.case.status == "answered", "that it arrived after all counts"


def test_a_late_failure_of_an_older_answer_does_not_bring_an_answered_case_back() -> None:
    life = closed_by_whatsapp()
    older = next(name for name, each in life.case.replies.items() if each.purpose == "response")
    life.does(ADMIN, "reopen", reason="Masih berlubang.")
    life.does(ADMIN, "dispose", unit=UNIT)
    life.does(unit_admin(UNIT), "respond", response="Sekarang benar-benar ditambal.")
    life.does(ADMIN, "approve")
    newer = [name for name, each in life.case.replies.items() if each.purpose == "response"][-1]
    life.delivered_as(newer, "sent")
    life.delivered_as(older, "failed", "unreachable")
    assert life.case.status == "answered"


def test_an_answer_still_on_its_way_is_not_sent_once_more() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.does(unit_admin(UNIT), "respond", response="Sudah ditambal.")
    life.does(ADMIN, "approve")
    with pytest.raises(Conflict, match="on its way"):
        life.does(ADMIN, "resend")


def test_returning_a_late_case_does_not_make_it_punctual() -> None:
    life = Life()
    life.says("web", form(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.now += timedelta(days=30)
    life.does(unit_admin(UNIT), "return", reason="Bukan ruas jalan kami.")
    life.does(ADMIN, "dispose", unit=UNIT)
    clock = life.case.clocks["unit_response"]
    assert (clock.late, clock.missed) == (False, 1)


def test_a_profile_that_drops_an_escalation_or_a_clock_stops_no_case() -> None:
    life = Life()
    life.says("web", form(1))
    clocks = dict(BOOK.profile.clocks)
    clocks["first_response"] = clocks["first_response"].model_copy(update={"escalate": ()})
    life.book = replace(BOOK, profile=BOOK.profile.model_copy(update={"clocks": clocks}))
    while next_alarm(life.case) is not None:
        life.rings()
    left = {name: rule for name, rule in clocks.items() if name != "first_response"}
    life.book = replace(BOOK, profile=BOOK.profile.model_copy(update={"clocks": left}))
    life.does(ADMIN, "dispose", unit=UNIT)
    assert life.case.clocks["first_response"].status == "stopped"


def test_a_clock_whose_measure_changed_while_it_stood_still_goes_on_as_it_was() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1, "tolong pak"))
    changed = {"limit": Limit(working_days=2), "warn": None}
    rule = BOOK.profile.clocks["first_response"].model_copy(update=changed)
    clocks = {**BOOK.profile.clocks, "first_response": rule}
    life.book = replace(BOOK, profile=BOOK.profile.model_copy(update={"clocks": clocks}))
    life.says("whatsapp", whatsapp(1, "Lampu jalan mati sejak seminggu di Jalan Contoh", "SM2"))
    assert life.case.clocks["first_response"].due_at == life.now + timedelta(hours=12)


def test_new_abuse_in_an_assigned_case_is_for_a_person_to_see_first() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.classifier.flags = ("abusive",)
    life.says("whatsapp", whatsapp(1, "kata-kata kasar", "SM2"))
    assert life.case.review == ("polite",)


def test_old_messages_are_taken_without_answering_them_by_itself() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1, sent_at=MONDAY - timedelta(days=400)))
    assert life.case.status == "received"
    assert life.texts() == []


def test_whoever_only_reads_writes_no_notes() -> None:
    life = Life()
    life.says("web", form(1))
    note = Note(
        id="n",
        profile=BOOK.name,
        case_id=life.case.id,
        at=life.now,
        actor=Actor(id="boss", role="pimpinan"),
        words=Words(text="x"),
    )
    with pytest.raises(Forbidden):
        decide(BOOK, life.case, note, life.classifier)


def test_a_returned_case_waits_for_another_unit_and_its_clock_begins_anew() -> None:
    life = Life()
    life.says("web", form(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.now += timedelta(days=1)
    life.does(unit_admin(UNIT), "return", reason="Bukan ruas jalan kami.")
    assert (life.case.status, life.case.unit) == ("verified", None)
    assert life.case.clocks["unit_response"].status == "stopped"
    life.does(ADMIN, "dispose", unit=UNIT)
    assert life.case.clocks["unit_response"].started_at == life.now


def test_rejection_needs_a_reason_and_tells_the_reporter() -> None:
    life = Life()
    life.says("web", form(1))
    life.does(ADMIN, "reject", reason="unclear", explanation="Mohon jelaskan lagi.")
    assert life.case.closed_at == life.now
    assert "Mohon jelaskan lagi." in life.texts()[-1]
    assert not any(clock.status == "running" for clock in life.case.clocks.values())


def test_the_reporter_rates_and_may_reopen_only_within_the_window() -> None:
    life = Life()
    life.says("web", form(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.does(unit_admin(UNIT), "respond", response="Selesai.")
    life.does(ADMIN, "approve")
    reporter = Actor(id=life.case.reporter, role="reporter")
    life.does(reporter, "rate", rating=2)
    assert (life.case.status, life.case.rating) == ("closed", 2)
    life.now += timedelta(days=10, minutes=1)
    with pytest.raises(Conflict, match="over"):
        life.does(reporter, "reopen", reason="Masih berlubang.")
    life.now -= timedelta(minutes=2)
    life.does(reporter, "reopen", reason="Masih berlubang.")
    assert life.case.status == "verified"
    assert life.case.closed_at is None


def test_silence_after_the_answer_closes_the_case() -> None:
    life = Life()
    life.says("web", form(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.does(unit_admin(UNIT), "respond", response="Selesai.")
    life.does(ADMIN, "approve")
    while life.case.status == "answered":
        life.rings()
    assert life.case.status == "closed"
    assert life.now == MONDAY + timedelta(days=10)


def test_each_alarm_rings_once_also_for_a_case_nobody_took() -> None:
    life = Life()
    life.says("web", form(1))
    rung = []
    while (alarm := next_alarm(life.case)) is not None:
        rung.append(alarm)
        life.rings()
    assert rung == [("first_response", "warn"), ("first_response", "0")]
    escalations = [e.data for e in life.events if e.data.kind == "clock_alarmed" and e.data.escalate_to]
    assert [data.escalate_to for data in escalations] == ["admin_gubernur"]


def test_a_stale_tick_changes_nothing() -> None:
    life = Life()
    life.says("web", form(1))
    due = life.case.clocks["first_response"].due_at
    stale = life.tick("first_response", "0", due)
    life.does(ADMIN, "dispose", unit=UNIT)
    stale = stale.model_copy(update={"at": due})
    assert decide(BOOK, life.case, stale, life.classifier) == []


@pytest.mark.parametrize(
    ("actor", "transition", "error"),
    [
        (Actor(id="x", role="admin_x"), "dispose", Forbidden),
        (unit_admin(UNIT), "dispose", Forbidden),
        (Actor(id="boss", role="pimpinan"), "dispose", Forbidden),
        (Actor(id="nobody", role="made-up"), "dispose", Forbidden),
        (ADMIN, "approve", Conflict),
        (ADMIN, "no-such-step", NotFound),
        (SYSTEM, "verify", Forbidden),
    ],
)
def test_who_may_not_do_it_is_told_so(actor: Actor, transition: str, error: type[Refused]) -> None:
    life = Life()
    life.says("web", form(1))
    with pytest.raises(error):
        life.does(actor, transition, unit=UNIT)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "unit"),
        ({"unit": "no-such-unit"}, "unit"),
        ({"unit": UNIT, "extra": "x"}, "extra"),
    ],
)
def test_fields_that_do_not_fit_are_named(fields: dict[str, object], field: str) -> None:
    life = Life()
    life.says("web", form(1))
    with pytest.raises(Refused) as caught:
        life.does(ADMIN, "dispose", **fields)
    assert caught.value.field == field


def test_another_units_admin_cannot_answer() -> None:
    life = Life()
    life.says("web", form(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    with pytest.raises(Forbidden):
        life.does(unit_admin("another-unit"), "respond", response="x")


def test_a_stale_screen_is_refused() -> None:
    life = Life()
    life.says("web", form(1))
    seen = life.case.seq
    life.does(ADMIN, "verify", seen=seen)
    with pytest.raises(Conflict, match="changed"):
        life.does(SUPERVISOR, "dispose", seen=seen, unit=UNIT)


def test_a_flag_waits_for_a_person_even_where_disposition_is_automatic() -> None:
    automatic = Routing(transition="dispose", automatic=0.8)
    book = replace(BOOK, profile=BOOK.profile.model_copy(update={"routing": automatic}))
    sure = Life(book)
    sure.says("web", form(1))
    assert (sure.case.status, sure.case.unit) == ("disposed", UNIT)
    flagged = Life(book, Stub(unit=UNIT, flags=("sara",)))
    flagged.says("web", form(1))
    assert flagged.case.status == "received"
    unsure = Life(book, Stub(unit=UNIT, probability=0.5))
    unsure.says("web", form(1))
    assert unsure.case.status == "received"


def test_what_became_of_an_automatic_disposition_is_known() -> None:
    automatic = Routing(transition="dispose", automatic=0.8)
    book = replace(BOOK, profile=BOOK.profile.model_copy(update={"routing": automatic}))

    def disposed() -> Life:
        life = Life(book)
        life.says("web", form(1))
        assert (life.case.unit, life.case.automatic) == (UNIT, "given")
        assert "suggestion_right" not in case_document(life.case), "the system does not judge itself"
        return life

    kept = disposed()
    kept.does(unit_admin(UNIT), "respond", response="Sudah ditambal.")
    assert kept.case.automatic == "kept"
    assert case_document(kept.case)["suggestion_right"] is True
    returned = disposed()
    returned.does(unit_admin(UNIT), "return", reason="Bukan urusan kami")
    assert (returned.case.unit, returned.case.automatic) == (None, "returned")
    returned.does(ADMIN, "dispose", unit=OTHER)
    told = case_document(returned.case)
    assert (told["automatic"], told["suggestion_right"]) == ("returned", False)
    by_a_person = Life()
    by_a_person.says("web", form(1))
    by_a_person.does(ADMIN, "verify")
    by_a_person.does(ADMIN, "dispose", unit=UNIT)
    assert by_a_person.case.automatic is None
    assert "suggestion_right" in case_document(by_a_person.case)


def test_no_identity_is_in_any_event_unsealed() -> None:
    life = Life()
    text = "Nama saya Warga Contoh, NIK 3374010101900001, HP 0811-2345-678, jalan di Desa Contoh rusak sejak lama"
    life.says("web", form(1, text))
    for event in life.events:
        body = event.model_dump(exclude={"data": {"sealed_text", "sealed_identity"}}).__str__()
        for secret in ("Warga Contoh", "3374010101900001", "0811-2345-678", "62811000"):
            assert secret not in body


def test_events_are_cloudevents_with_the_attributes_readers_need() -> None:
    life = Life()
    life.says("web", form(1))
    for number, event in enumerate(life.events, 1):
        body = event.model_dump(mode="json")
        assert body["specversion"] == "1.0"
        assert body["type"] == f"org.laporhub.case.{body['data']['kind']}"
        assert body["sequence"] == number
        assert all(name.islower() and name.isalnum() for name in body)


# ── whatever happens ─────────────────────────────────────────────────────────────────────────────

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["says", "act", "rings", "again"]),
        st.sampled_from(sorted(BOOK.profile.transitions)),
        st.sampled_from(
            [ADMIN, SUPERVISOR, unit_admin(UNIT), SYSTEM, Actor(id="p_reporter", role="reporter")]
        ),
        st.integers(0, 72),
    ),
    max_size=14,
)


@settings(max_examples=60)
@given(STEPS)
def test_whatever_happens_the_case_stays_whole(steps: list[tuple[str, str, Actor, int]]) -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1, "jalan rusak"))
    last: Sequence[CaseEvent] = life.events
    filled = {
        "unit": UNIT,
        "reason": "unclear",
        "explanation": "x",
        "question": "x",
        "response": "x",
        "rating": 3,
    }
    for number, (what, transition, actor, hours) in enumerate(steps):
        life.now += timedelta(hours=hours)
        if actor.role == "reporter":
            actor = Actor(id=life.case.reporter, role="reporter")
        try:
            match what:
                case "says":
                    last = life.says("whatsapp", whatsapp(1, "di Jalan Contoh Batang", f"SMx{number}"))
                case "act":
                    step = BOOK.profile.transitions[transition]
                    last = life.does(actor, transition, **{n: filled.get(n, "x") for n in step.fields})
                case "rings" if next_alarm(life.case):
                    last = life.rings()
                case "again" if last:
                    assert last[0].cause in life.case.applied or last[0].case_id != life.case.id
        except Refused:
            continue
    case_events = [event for event in life.events if event.case_id == life.case.id]
    replayed = None
    for event in case_events:
        replayed = evolve(replayed, event)
    assert replayed == life.case, "a replay gives the same state"
    assert [event.sequence for event in case_events] == list(range(1, len(case_events) + 1))
    rung = [(e.data.clock, e.data.alarm, e.data.late) for e in case_events if e.data.kind == "clock_alarmed"]
    started = sum(event.data.kind in ("clock_started", "clock_resumed") for event in case_events)
    assert len(rung) <= 4 * started, "no alarm rings without end"
    assert life.case.closed_at is None or not any(
        clock.status == "running" for name, clock in life.case.clocks.items() if name != "confirmation"
    )
    has_owner = BOOK.profile.states[life.case.status].final or any(
        life.case.status in step.source for step in BOOK.profile.transitions.values()
    )
    assert has_owner
