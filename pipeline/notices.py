"""What staff is told of a case: to whom, on which occasion, in which words. Pure, and without identity.

Everybody has an inbox; beside it a notice goes to the address of the unit or role (`pic`), where the profile has words
for the occasion. Ids are derived from the events, so each is told once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from laporhub.pipeline import clocks, ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.events import Assigned, CaseEvent, ClockAlarmed, Involved, Transitioned
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_life import Occasion, Pic
from laporhub.pipeline.profile.section import say
from laporhub.pipeline.wording import to_staff
from laporhub.pipeline.workflow import names_of


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a unit ("unit:…") or a role or group ("role:…") is told. `detail` names the clock or the step."""

    id: str
    at: datetime
    profile: str
    case_id: str
    ticket: str
    occasion: Occasion
    receiver: str
    channel: str
    private: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice on its way to an address: `by` is how ("email" or "whatsapp"), `channel` and `account` ours."""

    id: str
    at: datetime
    profile: str
    case_id: str
    by: Literal["email", "whatsapp"]
    channel: str
    account: str
    address: str
    purpose: str
    text: str


@dataclass(frozen=True, slots=True)
class Office:
    """Where the pages for staff are, and from which address mail goes out where mail is no channel of the profile."""

    base_url: str = ""
    mail_from: str = ""


def unit(name: str) -> str:
    """The receiver that is a unit."""
    return f"unit:{name}"


def role(name: str) -> str:
    """The receiver that is a role or group."""
    return f"role:{name}"


def notices_of(rulebook: Rulebook, state: CaseState, events: Sequence[CaseEvent]) -> Iterator[Notice]:
    """What these events of one case are told as; `state` is the case after them."""
    rulebook = rulebook.of(state)
    for event in events:
        for occasion, receivers, detail in _told(rulebook, state, event):
            for receiver in dict.fromkeys(receivers):
                yield Notice(
                    id=ids.derive("n", event.id, occasion, receiver),
                    at=event.time,
                    profile=event.profile,
                    case_id=event.case_id,
                    ticket=state.ticket,
                    occasion=occasion,
                    receiver=receiver,
                    channel=event.channel,
                    private=state.private,
                    detail=detail,
                )


def _told(
    rulebook: Rulebook, state: CaseState, event: CaseEvent
) -> Iterator[tuple[Occasion, Sequence[str], str]]:
    match event.data:
        case Assigned(unit=given) if given is not None:
            yield "assigned", [unit(given)], ""
        case Involved(unit=asked):
            yield "involved", [unit(asked)], ""
        case ClockAlarmed(silent=True):
            pass  # a later alarm tells it
        case ClockAlarmed(clock=name, alarm=alarm, escalate_to=who) if alarm.startswith(clocks.WARN):
            warned = _whose_turn(rulebook, state) if who is None else _behind(rulebook, state, who)
            yield "warned", list(warned), name
        case ClockAlarmed(clock=name, escalate_to=receiver) if receiver is not None:
            yield "escalated", list(_behind(rulebook, state, receiver)), name
        case Transitioned(transition=name) if (
            known := rulebook.profile.transitions.get(name)
        ) and known.notify:
            found = [each for who in known.notify for each in _behind(rulebook, state, who)]
            yield "stepped", found, name
        case _:
            pass


def _whose_turn(rulebook: Rulebook, state: CaseState) -> Iterator[str]:
    place = rulebook.profile.states.get(state.status)
    if place is not None and place.owner is not None:
        yield from _behind(rulebook, state, place.owner)


def _behind(rulebook: Rulebook, state: CaseState, name: str) -> Iterator[str]:
    """A role or group as receivers: of those who see only their unit's cases, the units at this one."""
    found = [each for known, each in rulebook.profile.roles.items() if name in names_of(rulebook, known)]
    if any(each.scope != "unit" for each in found):
        yield role(name)
    if any(each.scope == "unit" for each in found):
        yield from map(unit, filter(None, (state.unit, *state.parts)))


def receivers_of(rulebook: Rulebook, role_name: str, unit_name: str | None) -> tuple[str, ...]:
    """What an account with this role and unit is addressed as."""
    known = rulebook.profile.roles.get(role_name)
    if known is None:
        return ()
    if known.scope == "unit":
        return (unit(unit_name),) if unit_name else ()
    return tuple(sorted(map(role, names_of(rulebook, role_name))))


# ── letters ──────────────────────────────────────────────────────────────────────────────────────


def letters_of(
    rulebook: Rulebook, state: CaseState, notices: Sequence[Notice], office: Office
) -> Iterator[Letter]:
    """The notices that go to an address too."""
    rulebook = rulebook.of(state)
    for notice in notices:
        template = rulebook.profile.notices.template(notice.occasion)
        if template is None:
            continue
        for by, address in _addresses(rulebook, notice):
            channel, account = _ours(rulebook, by, office)
            if not account:
                continue
            yield Letter(
                id=ids.derive("n", notice.id, by, address),
                at=notice.at,
                profile=notice.profile,
                case_id=notice.case_id,
                by=by,
                channel=channel,
                account=account,
                address=f"whatsapp:{address}" if by == "whatsapp" else f"mailto:{address}",
                purpose=template,
                text=to_staff(rulebook, state, template, by, _more(rulebook, notice, office)),
            )


def _addresses(rulebook: Rulebook, notice: Notice) -> list[tuple[Literal["email", "whatsapp"], str]]:
    found: dict[tuple[Literal["email", "whatsapp"], str], None] = {}
    for pic in _pics(rulebook, notice):
        if pic.email:
            found["email", pic.email] = None
        if pic.whatsapp:
            found["whatsapp", pic.whatsapp] = None
    return list(found)


def _pics(rulebook: Rulebook, notice: Notice) -> Iterator[Pic]:
    kind, _, name = notice.receiver.partition(":")
    if kind == "unit":
        known = rulebook.units.get(name)
        if known is not None and known.pic is not None:
            yield known.pic
        return
    for each, rules in rulebook.profile.roles.items():
        sees = rules.scope != "channels" or notice.channel in rules.channels
        if (
            rules.pic
            and name in names_of(rulebook, each)
            and sees
            and (rules.sees_private or not notice.private)
        ):
            yield rules.pic


def _ours(rulebook: Rulebook, by: Literal["email", "whatsapp"], office: Office) -> tuple[str, str]:
    """The channel and our account on it by which staff is told; no account where there is none."""
    for name, channel in rulebook.profile.channels.items():
        if by == "email" and (channel.provider or name) == "email":
            return name, channel.account
        if by == "whatsapp" and channel.account.startswith("whatsapp:"):
            return name, channel.account
    return by, office.mail_from if by == "email" else ""


def _more(rulebook: Rulebook, notice: Notice, office: Office) -> Mapping[str, str]:
    clock, step = rulebook.profile.clocks.get(notice.detail), rulebook.profile.transitions.get(notice.detail)
    return {
        "link": f"{office.base_url.rstrip('/')}/staff/cases/{notice.ticket}",
        "clock": say(clock.title, rulebook.language) if clock else "",
        "step": say(step.title, rulebook.language) if step else "",
    }
