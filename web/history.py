"""A case's events, told to three readers: the public, its reporter, and those who work on it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import DeliveryStatus
from laporhub.pipeline.events import (
    CaseEvent,
    MessageAdded,
    MessageWithdrawn,
    Noted,
    Opened,
    ReplyQueued,
    Transitioned,
)
from laporhub.pipeline.messages import Attachment
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.pipeline.wording import fill
from laporhub.web.i18n import Translator

Opener = Callable[[str], str | None]
"""Opens a sealed text; None when its key was erased."""


@dataclass(frozen=True, slots=True)
class Step:
    """One public step: what the case became, when, and through which role or unit (never which person)."""

    at: datetime
    label: str
    by: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of a conversation. `side`: "reporter", "hub" or "note"."""

    at: datetime
    side: str
    text: str
    by: str = ""
    sequence: int = 0
    attachments: tuple[Attachment, ...] = ()
    delivery: DeliveryStatus | None = None
    reason: str | None = None
    purpose: str = ""
    part_sealed: bool = False
    message_id: str = ""
    fate: str = ""
    """What its author did with it since: "withdrawn", "rewritten"; "rewrites" for the later version."""
    reply_id: str = ""
    channel: str = ""
    """Of a reply: where it was said."""


def status_title(rulebook: Rulebook, status: str, t: Translator, *, public: bool = False) -> str:
    """The state's name for staff, or its word for the public."""
    books = (rulebook, *rulebook.every_edition)
    state = next((book.profile.states[status] for book in books if status in book.profile.states), None)
    if state is None:
        return status
    return say((public and state.public) or state.title, t.language, rulebook.language)


def unit_title(rulebook: Rulebook, unit: str | None) -> str:
    known = rulebook.units.get(unit or "")
    return known.title if known else unit or ""


def unit_short(rulebook: Rulebook, unit: str | None) -> str:
    """The unit's short name where it has one, for lists."""
    known = rulebook.units.get(unit or "")
    return (known.short or known.title) if known else unit or ""


def channel_title(rulebook: Rulebook, channel: str, t: Translator) -> str:
    known = rulebook.profile.channels.get(channel)
    return say(known.title, t.language, rulebook.language) if known else channel


def who(rulebook: Rulebook, event: CaseEvent, t: Translator) -> str:
    """The unit or role behind an event."""
    if event.actorrole == "reporter":
        return t("Pelapor")
    if event.actorrole == "system":
        return t("Sistem")
    if event.actorunit:
        return unit_title(rulebook, event.actorunit)
    return role_title(rulebook, event.actorrole, t)


def role_title(rulebook: Rulebook, name: str, t: Translator) -> str:
    """What a role is called; a group, or a role that is gone, by its own name."""
    role = rulebook.profile.roles.get(name)
    return say(role.title, t.language, rulebook.language) if role else name


def signed(rulebook: Rulebook, event: CaseEvent, t: Translator) -> str:
    """The unit or role behind an event, and whose account it was, where that may be seen."""
    by = who(rulebook, event, t)
    is_staff = event.actorrole not in ("system", "reporter")
    return f"{by} ({event.actorid})" if is_staff and event.actorid else by


def shows_text(rulebook: Rulebook, state: CaseState) -> bool:
    """Whether the public may read the complaint: not private, and nothing in it waits for a person's look."""
    known = rulebook.profile.states.get(state.status)
    return not state.private and not state.review and not (known is not None and known.hides_text)


def public_steps(
    rulebook: Rulebook, events: Iterable[CaseEvent], t: Translator, *, names: bool = True
) -> list[Step]:
    """The steps in public words; those that look the same from outside are one. Without `names` not by whom."""
    steps: list[Step] = []
    for event in events:
        data = event.data
        if isinstance(data, Opened):
            step = Step(event.time, status_title(rulebook, data.status, t, public=True), t("Pelapor"))
        elif isinstance(data, Transitioned):
            label = status_title(rulebook, data.target, t, public=True)
            known = rulebook.profile.transitions.get(data.transition)
            if event.actorrole == "reporter" and known is not None:
                label = say(known.title, t.language, rulebook.language)
            step = Step(event.time, label, who(rulebook, event, t))
        else:
            continue
        if not steps or steps[-1].label != step.label:
            steps.append(step if names else replace(step, by=""))
    return steps


def public_answers(rulebook: Rulebook, state: CaseState, events: Iterable[CaseEvent]) -> list[Entry]:
    """The published responses to a complaint that everybody may read, redacted."""
    purposes = rulebook.profile.publication.on_sent
    return [
        Entry(event.time, "hub", event.data.text, sequence=event.sequence)
        for event in events
        if isinstance(event.data, ReplyQueued)
        and event.data.purpose in purposes
        and shows_text(rulebook, state)
        and _arrived(state, event.data.reply_id)
    ]


def _arrived(state: CaseState, reply_id: str) -> bool:
    reply = state.replies.get(reply_id)
    return reply is not None and reply.status in ("sent", "delivered", "read")


def conversation(
    rulebook: Rulebook,
    state: CaseState,
    events: Iterable[CaseEvent],
    t: Translator,
    *,
    notes: bool = False,
    opener: Opener | None = None,
) -> list[Entry]:
    """What the reporter and the hub said to each other; with `notes` what staff said among themselves.

    `opener` opens the reporter's own words for the reporter; without it everything stays redacted.
    """
    said: list[Entry] = []
    events = list(events)
    fates = _fates(events)
    for event in events:
        match event.data:
            case MessageAdded() as message:
                text = (opener and message.sealed_text and opener(message.sealed_text)) or message.text
                said.append(
                    Entry(
                        event.time,
                        "reporter",
                        text,
                        t("Pelapor"),
                        event.sequence,
                        message.attachments,
                        part_sealed=message.sealed_text is not None and opener is None,
                        message_id=message.message_id,
                        fate=fates.get(message.message_id, ""),
                    )
                )
            case ReplyQueued() as reply:
                fate = state.replies.get(reply.reply_id)
                said.append(
                    Entry(
                        event.time,
                        "hub",
                        _opened(reply, opener),
                        say(rulebook.profile.title, t.language, rulebook.language),
                        event.sequence,
                        delivery=fate.status if fate else None,
                        reason=fate.reason if fate else None,
                        purpose=reply.purpose,
                        reply_id=reply.reply_id,
                        channel=reply.channel,
                    )
                )
            case Noted(words=note) if notes:
                said.append(Entry(event.time, "note", note.text, signed(rulebook, event, t), event.sequence))
            case _:
                pass
    return said


def _fates(events: Iterable[CaseEvent]) -> dict[str, str]:
    """Message → what its author did with it since, as `Entry` has it."""
    fates: dict[str, str] = {}
    versions: dict[str, list[str]] = {}
    for event in events:
        match event.data:
            case MessageAdded(message_id=name, replaces=earlier):
                found = next((each for each in versions.values() if earlier in each), None)
                if found is None:
                    versions[name] = [name, earlier] if earlier else [name]
                    continue
                fates |= dict.fromkeys(found, "rewritten") | {name: "rewrites"}
                found.append(name)
            case MessageWithdrawn(message_id=name):
                found = next((each for each in versions.values() if name in each), [name])
                fates |= dict.fromkeys(found, "withdrawn")
            case _:
                pass
    return fates


def _opened(reply: ReplyQueued, opener: Opener | None) -> str:
    if opener is None or reply.pattern is None:
        return reply.text
    pieces = [opener(piece) for piece in reply.sealed]
    return fill(reply.pattern, [p for p in pieces if p is not None]) if None not in pieces else reply.text


def clock_title(rulebook: Rulebook, clock: str, t: Translator) -> str:
    known = rulebook.profile.clocks.get(clock)
    return say(known.title, t.language, rulebook.language) if known else clock
