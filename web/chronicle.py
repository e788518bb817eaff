"""Everything that happened to a case, in words, for those who work on it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from laporhub.pipeline import clocks
from laporhub.pipeline.commands import Words
from laporhub.pipeline.events import (
    Answered,
    Asked,
    Assigned,
    CaseEvent,
    Classified,
    ClockAlarmed,
    ClockMoved,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    ClockStopped,
    Confided,
    Contributed,
    Drafted,
    Evidenced,
    Followed,
    Involved,
    Located,
    Merged,
    MessageAdded,
    MessageWithdrawn,
    Noted,
    Opened,
    Rated,
    Released,
    ReplyQueued,
    ReplyUpdated,
    Split,
    Transitioned,
)
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.web import words
from laporhub.web.delivery import fate
from laporhub.web.history import channel_title, clock_title, role_title, signed, status_title, unit_title
from laporhub.web.i18n import Translator


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the staff history; `details` are the fields that came with a step."""

    at: datetime
    sequence: int
    text: str
    by: str
    details: tuple[tuple[str, str], ...] = field(default=())


def staff_lines(rulebook: Rulebook, events: Sequence[CaseEvent], t: Translator) -> list[Line]:
    """Everything that happened, in words, newest first."""
    lines = []
    for event in reversed(events):
        told = _tell(rulebook, event, t)
        if told is not None:
            text, details = told
            lines.append(Line(event.time, event.sequence, text, signed(rulebook, event, t), details))
    return lines


_Told = tuple[str, tuple[tuple[str, str], ...]]


def _tell(rulebook: Rulebook, event: CaseEvent, t: Translator) -> _Told | None:
    match event.data:
        case Opened(channel=channel):
            return t("Laporan masuk lewat %(channel)s", channel=channel_title(rulebook, channel, t)), ()
        case MessageAdded(replaces=earlier):
            return (t("Pelapor mengubah pesannya") if earlier else t("Pesan pelapor")), ()
        case Located():
            return t("Foto menyebut tempat pengambilannya"), ()
        case MessageWithdrawn():
            return t("Pelapor menarik pesannya"), ()
        case Classified(suggestion=suggestion):
            best = suggestion.units[0] if suggestion.units else None
            if best is None:
                return t("Dibaca; tidak ada saran instansi"), ()
            unit = unit_title(rulebook, best.unit)
            return t("Saran: %(unit)s (%(percent)s%%)", unit=unit, percent=round(best.probability * 100)), ()
        case Transitioned() as step:
            return _step(rulebook, step, t)
        case Assigned(unit=unit):
            title = unit_title(rulebook, unit)
            return (t("Instansi tujuan: %(unit)s", unit=title) if unit else t("Instansi tujuan dicabut")), ()
        case ReplyQueued():
            return t("Pesan ke pelapor disiapkan"), ()
        case ReplyUpdated(status=status, reason=reason):
            return t("Pesan ke pelapor: %(fate)s", fate=fate(status, reason, t)), ()
        case Asked(requirement=name):
            return t("Pelapor ditanya: %(what)s", what=_requirement(rulebook, name, t)), ()
        case Answered(requirement=name, met=met):
            what = _requirement(rulebook, name, t)
            return (
                t("Sudah dijawab: %(what)s", what=what) if met else t("Tidak ada: %(what)s", what=what)
            ), ()
        case Confided():
            return t("Pesan dalam diskusi rahasia"), ()
        case Noted():
            return t("Catatan internal"), ()
        case Rated(rating=rating):
            return t("Nilai dari pelapor: %(rating)s dari 5", rating=rating), ()
        case (
            ClockStarted()
            | ClockPaused()
            | ClockResumed()
            | ClockMoved()
            | ClockStopped()
            | ClockAlarmed() as tick
        ):
            return _tick(rulebook, tick, t), ()
        case Drafted() | Split() | Merged():
            return None
        case Involved(unit=unit):
            return t("Diminta membantu: %(unit)s", unit=unit_title(rulebook, unit)), ()
        case Released(unit=unit):
            return t("Tidak lagi diminta membantu: %(unit)s", unit=unit_title(rulebook, unit)), ()
        case Contributed(unit=unit):
            return t("Bagian jawaban dari %(unit)s", unit=unit_title(rulebook, unit)), ()
        case Followed(ticket=ticket, left=left):
            return (
                t("Laporan %(ticket)s tidak lagi mengikuti laporan ini", ticket=ticket)
                if left
                else t("Laporan %(ticket)s mengikuti laporan ini", ticket=ticket)
            ), ()
        case Evidenced(files=files):
            return t.many("%(count)s foto bukti", "%(count)s foto bukti", len(files)), ()


def _requirement(rulebook: Rulebook, name: str, t: Translator) -> str:
    known = rulebook.profile.requirements.get(name)
    return say(known.title, t.language, rulebook.language) if known else name


def _step(rulebook: Rulebook, step: Transitioned, t: Translator) -> _Told:
    known = rulebook.profile.transitions.get(step.transition)
    title = say(known.title, t.language, rulebook.language) if known else step.transition
    source, target = (status_title(rulebook, status, t) for status in (step.source, step.target))
    details = []
    for name, value in step.fields.items():
        rule = known.fields.get(name) if known else None
        label = say(rule.title, t.language, rulebook.language) if rule else name
        if rule is not None and rule.type == "photo":
            continue  # shown among the files
        shown = value.text if isinstance(value, Words) else str(value)
        if rule is not None and rule.type == "unit":
            shown = unit_title(rulebook, shown)
        elif rule is not None and rule.options and shown in rule.options:
            shown = say(rule.options[shown], t.language, rulebook.language)
        if shown:
            details.append((label, shown))
    return t("%(title)s: %(source)s → %(target)s", title=title, source=source, target=target), tuple(details)


def _tick(
    rulebook: Rulebook,
    tick: ClockStarted | ClockPaused | ClockResumed | ClockMoved | ClockStopped | ClockAlarmed,
    t: Translator,
) -> str:
    clock = clock_title(rulebook, tick.clock, t)
    match tick:
        case ClockStarted(due_at=due_at) | ClockResumed(due_at=due_at):
            return t("%(clock)s: tenggat %(due)s", clock=clock, due=words.date_time(due_at, rulebook, t))
        case ClockMoved(due_at=due_at):
            return t(
                "%(clock)s: tenggat menjadi %(due)s karena kalender kerja berubah",
                clock=clock,
                due=words.date_time(due_at, rulebook, t),
            )
        case ClockPaused():
            return t("%(clock)s: berhenti sementara", clock=clock)
        case ClockStopped(late=late):
            return (
                t("%(clock)s: selesai terlambat", clock=clock)
                if late
                else t("%(clock)s: selesai tepat waktu", clock=clock)
            )
        case ClockAlarmed(late=False, alarm=clocks.THEN):
            return t("%(clock)s: waktunya habis", clock=clock)
        case ClockAlarmed(late=late, escalate_to=receiver):
            said = (
                t("%(clock)s: lewat tenggat", clock=clock)
                if late
                else t("%(clock)s: tenggat hampir habis", clock=clock)
            )
            return f"{said} → {role_title(rulebook, receiver, t)}" if receiver else said
