"""What the reporter said, message by message: added, rewritten, taken back; and what is shown of it. Pure.

The state keeps the words once, as one text, and of each message how long its part is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.case_state import CaseState, Said
from laporhub.pipeline.events import CaseEvent, Classified, EventData, Located, MessageAdded, MessageWithdrawn
from laporhub.pipeline.messages import Spot

_said = trusted(Said)

TEXT_KEPT = 20_000
"""Characters of the reporter's words that the state keeps for classification; the events keep all."""


def find(state: CaseState, message_id: str) -> Said | None:
    """The message, by its own id or that of one that rewrote it."""
    return next((each for each in state.said if message_id in each.ids), None)


def is_stale(state: CaseState, message: MessageAdded) -> bool:
    """Whether this rewriting was written before the one that counts."""
    known = find(state, message.replaces or "")
    if known is None or known.written_at is None or message.sent_at is None:
        return False
    return message.sent_at < known.written_at


def added(state: CaseState, message: MessageAdded) -> dict[str, Any]:
    """What changes in the state with this message."""
    known = find(state, message.replaces) if message.replaces else None
    if known is not None:
        return _rewritten(state, known, message)
    joined = f"{state.text}\n{message.text}" if state.text and message.text else state.text or message.text
    kept = joined[:TEXT_KEPT]
    new = _said(
        ids=(message.replaces, message.message_id) if message.replaces else (message.message_id,),
        length=max(0, len(kept) - len(state.text) - bool(state.text and message.text)),
        attachments=len(message.attachments),
        location=message.location,
        taken=message.taken,
        written_at=message.sent_at if message.replaces else None,
    )
    return {
        "text": kept,
        **_told(state, message),
        "attachments": state.attachments + len(message.attachments),
        "location": message.location or state.location,
        "messages": state.messages + 1,
        "said": (*state.said, new),
        "waiting": True,
    }


def _rewritten(state: CaseState, known: Said, message: MessageAdded) -> dict[str, Any]:
    now = known.but(
        {
            "ids": (*known.ids, message.message_id),
            "attachments": len(message.attachments),
            "location": message.location,
            "taken": message.taken,
            "written_at": message.sent_at or known.written_at,
        }
    )
    return {
        **_with(state, known, now, message.text),
        **_told(state, message),
    }


def located(state: CaseState, photo: Located) -> dict[str, Any]:
    """What changes in the state when a photo of a message says where it was taken."""
    known = find(state, photo.message_id)
    now = known and known.but({"taken": photo.taken})
    return {"said": tuple(now if now and each is known else each for each in state.said)}


def taken(state: CaseState) -> Spot | None:
    """Where the latest photo that says so was taken."""
    return next((each.taken for each in reversed(state.said) if each.taken is not None), None)


def _told(state: CaseState, message: MessageAdded) -> dict[str, Any]:
    """What is known of who the reporter is: what was told stays told, though the message be rewritten."""
    return {
        "known": tuple(sorted({*state.known, *message.known})),
        "sealed_name": message.sealed_identity if "name" in message.known else state.sealed_name,
    }


def withdrawn(state: CaseState, message_id: str) -> dict[str, Any]:
    """What changes in the state when this message is taken back."""
    known = find(state, message_id)
    if known is None:
        return {}
    return _with(state, known, _said(ids=known.ids, gone=True), "")


def _with(state: CaseState, before: Said, after: Said, words: str) -> dict[str, Any]:
    """With another piece in the place of one, and its words."""
    pieces = [
        (after, words) if each is before else (each, text)
        for each, text in zip(state.said, _texts(state), strict=True)
    ]
    text, said = "", []
    for piece, its in pieces:
        start = len(text) + bool(text and its)
        text = (f"{text}\n{its}" if text and its else text or its)[:TEXT_KEPT]
        said.append(piece.but({"length": max(0, len(text) - start) if its else 0}))
    return {
        "text": text,
        "attachments": state.attachments - before.attachments + after.attachments,
        "location": next((each.location for each in reversed(said) if each.location), None),
        "said": tuple(said),
        "waiting": True,
    }


def _texts(state: CaseState) -> list[str]:
    """The words of each message, as far as they are kept."""
    start, found = 0, []
    for each in state.said:
        found.append(state.text[start : start + each.length])
        start += each.length + bool(each.length)
    return found


def as_shown(events: Sequence[CaseEvent]) -> list[CaseEvent]:
    """A case's history for readers: words that were rewritten or taken back since are left out, and with them the
    words that the classifier took for its reasons.
    """
    old = superseded(events)
    if not old:
        return list(events)
    return [
        event.but({"data": _wordless(event.data, said=number in old)})
        for number, event in enumerate(events)
        if not (number in old and isinstance(event.data, Located))
    ]


def superseded(events: Sequence[CaseEvent]) -> frozenset[int]:
    """Which events of a case's history, by their place in it, say something that was rewritten or taken back since."""
    root: dict[str, str] = {}
    places: dict[str, list[int]] = {}
    gone: set[str] = set()
    photos: list[tuple[int, str]] = []
    at: dict[str, int] = {}
    for number, event in enumerate(events):
        match event.data:
            case MessageAdded(message_id=name, replaces=earlier):
                first = root.get(earlier or name, earlier or name)
                root[name] = root[first] = first
                places.setdefault(first, []).append(number)
                at[name] = number
            case MessageWithdrawn(message_id=name):
                gone.add(root.get(name, name))
            case Located(message_id=name):
                photos.append((number, name))
            case _:
                pass
    old = frozenset(
        number for first, found in places.items() for number in (found if first in gone else found[:-1])
    )
    return old | {number for number, message in photos if at.get(message) in old}


def _wordless(data: EventData, *, said: bool) -> EventData:
    """That something was said or made out, and by whom; not what."""
    if isinstance(data, MessageAdded) and said:
        return data.but({"text": "", "sealed_text": None, "attachments": (), "location": None, "taken": None})
    if isinstance(data, Classified):
        found = data.suggestion
        units = tuple(unit.but({"reasons": ()}) for unit in found.units)
        place = found.place and found.place.roughly()
        return data.but({"suggestion": found.but({"units": units, "place": place})})
    return data
