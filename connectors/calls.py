"""One call on the hotline, whatever system recorded it: who said what, and what of it is the complaint. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias

Role: TypeAlias = Literal["caller", "agent", "system"]

UNCLEAR: Final = "[tidak jelas]"
"""Stands behind what the machine was not sure of, for the person who checks."""
UNKNOWN_SPEAKERS: Final = "[pembicara tidak dapat dibedakan]"
SURE_FROM: Final = 0.5
"""Confidence, 0 to 1, from which words stand without that mark."""
CALL_RECORD: Final = 0
"""The revision of a call record without words; transcripts count from 1."""

OFFICE_WORDS: Final = (
    "bisa dibantu",
    "bisa kami bantu",
    "bisa saya bantu",
    "dapat kami bantu",
    "dengan siapa saya",
    "hotline",
    "kami catat",
    "laporannya kami",
    "layanan pengaduan",
    "mohon ditunggu",
    "terima kasih telah menghubungi",
)
"""What people of an office say when they take a call, and callers do not."""

_ROLES: Final[Mapping[str, Role]] = {
    **dict.fromkeys(("agent", "petugas", "operator", "admin", "cs", "customer service", "staff"), "agent"),
    **dict.fromkeys(("caller", "customer", "pelapor", "penelepon", "warga", "masyarakat", "pelanggan"), "caller"),
    **dict.fromkeys(("system", "ivr", "mesin", "sistem"), "system"),
}  # fmt: skip
_NAMELESS = re.compile(r"(?:speaker|spk|pembicara)[ _-]?\d{1,3}", re.IGNORECASE)
_FILLER = re.compile(
    r"(?<![\w-])(?:e{2,}h*m*|e+h*m{2,}|eh+m+|hm+|m{3,}|u+h+m*|um+)(?![\w-])[,.…]*\s*", re.IGNORECASE
)
_STUTTER = re.compile(r"(?<![\w-])(\w+)(?:[ ,]+\1){2,}(?![\w-])", re.IGNORECASE)
_FIRST_TURNS = 3
_SHORT_ANSWER = 4
"""Up to so many words an answer means nothing without its question."""
_MERE_SOUND = frozenset(("halo", "hallo", "ya", "iya", "he eh", "heeh", "oh", "oke", "baik"))


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person says until another speaks. Milliseconds are from the beginning of the call, `conf` is 0 to 1."""

    text: str
    speaker: str | None = None
    """As the recording system calls them: "AGENT", "SPEAKER_00", a name."""
    start_ms: int | None = None
    end_ms: int | None = None
    conf: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call. `started_at` without a zone is in the telephone system's own time; `caller` is the number as it came.

    `revision` counts transcripts of the same call, see `CALL_RECORD`. `source` is the format it was read from.
    """

    call_id: str
    revision: int = 1
    started_at: datetime | None = None
    caller: str | None = None
    name: str | None = None
    agent: str | None = None
    answered: bool | None = None
    """None where nobody told."""
    seconds: int | None = None
    """How long they spoke."""
    turns: tuple[Turn, ...] = ()
    source: str = ""
    asr_model: str | None = None
    recording: str | None = None
    """The address of the sound."""


def merged(calls: Iterable[Call]) -> list[Call]:
    """Calls with the same id as one each, in the order in which they first came: a call record and its transcript,
    the rows of a table, two channels of one recording. Of two revisions the later one has the words.
    """
    found: dict[str, Call] = {}
    for call in calls:
        before = found.get(call.call_id)
        found[call.call_id] = call if before is None else _both(before, call)
    return list(found.values())


def _both(one: Call, other: Call) -> Call:
    late, early = (one, other) if one.revision >= other.revision else (other, one)
    same = one.revision == other.revision
    turns = _in_order((*one.turns, *other.turns)) if same else late.turns or early.turns
    answered = [call.answered for call in (late, early) if call.answered is not None]
    return Call(
        call_id=one.call_id,
        revision=late.revision,
        started_at=late.started_at or early.started_at,
        caller=late.caller or early.caller,
        name=late.name or early.name,
        agent=late.agent or early.agent,
        answered=any(answered) if answered else None,  # of several extensions that rang, one is enough
        seconds=max((call.seconds for call in (one, other) if call.seconds is not None), default=None),
        turns=turns,
        source=" + ".join(dict.fromkeys(each for each in (*_parts(one), *_parts(other)) if each)),
        asr_model=late.asr_model or early.asr_model,
        recording=late.recording or early.recording,
    )


def _parts(call: Call) -> list[str]:
    return call.source.split(" + ")


def _in_order(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """By time where it is known of all, else as they came; the same turn from two files is one."""
    once: list[Turn] = []
    seen: set[Turn] = set()
    for turn in turns:
        if turn.start_ms is None or turn not in seen:
            once.append(turn)
            seen.add(turn)
    if all(turn.start_ms is not None for turn in once):
        once.sort(key=lambda turn: turn.start_ms or 0)
    return tuple(once)


# ── who is who ───────────────────────────────────────────────────────────────────────────────────


def is_speaker(label: str) -> bool:
    """Whether a word before a colon can only be a speaker, and nothing that was said."""
    return _known_role(label) is not None or _NAMELESS.fullmatch(label.strip()) is not None


def _known_role(label: str | None) -> Role | None:
    plain = re.sub(r"[\d_\W]+$", "", (label or "").casefold().strip())
    return _ROLES.get(plain)


def roles(
    turns: Sequence[Turn], office_words: Sequence[str] = OFFICE_WORDS
) -> Mapping[str | None, Role | None]:
    """Speaker → role. Labels that say it come first; then whoever greets in the office's words is its agent.
    None where nothing tells: then a person must.
    """
    speakers = list(dict.fromkeys(turn.speaker for turn in turns))
    known: dict[str | None, Role | None] = {each: _known_role(each) for each in speakers}
    open_ = [each for each, role in known.items() if role is None and each is not None]
    if not open_:
        return known
    if "agent" in known.values():
        return known | dict.fromkeys(open_, "caller" if "caller" not in known.values() else None)
    if "caller" in known.values():
        return known | dict.fromkeys(open_, "agent")
    scores = {each: _office_score(turns, each, office_words) for each in open_}
    best = max(scores.values())
    if len(open_) < 2 or best == 0 or list(scores.values()).count(best) > 1:
        return known
    return known | {each: "agent" if score == best else "caller" for each, score in scores.items()}


def _office_score(turns: Sequence[Turn], speaker: str, office_words: Sequence[str]) -> int:
    first = [turn.text for turn in turns if turn.speaker == speaker][:_FIRST_TURNS]
    said = " ".join(" ".join(first).casefold().split())
    return sum(each.casefold() in said for each in office_words)


# ── the words ────────────────────────────────────────────────────────────────────────────────────


def marked(words: Iterable[tuple[str, float | None]]) -> str:
    """Words with their confidence as one text, with `UNCLEAR` behind each run of doubtful ones."""
    said: list[str] = []
    doubtful = False
    for word, conf in words:
        doubt = conf is not None and conf < SURE_FROM
        if doubtful and not doubt:
            said.append(UNCLEAR)
        said.append(word.strip())
        doubtful = doubt
    if doubtful:
        said.append(UNCLEAR)
    return " ".join(each for each in said if each)


def complaint(call: Call, office_words: Sequence[str] = OFFICE_WORDS) -> str:
    """What the caller said, without fillers; a short answer keeps its question. Where it is not known who speaks,
    all that was said, and a mark. Empty if there are no words.
    """
    who = roles(call.turns, office_words)
    if not any(role in ("caller", "agent") for role in who.values()):
        lines = [said for turn in call.turns if who[turn.speaker] != "system" and (said := _tidy(turn))]
        return "\n".join([*lines, UNKNOWN_SPEAKERS]) if lines else ""
    lines, question = [], ""
    for turn in call.turns:
        said, role = _tidy(turn), who[turn.speaker]
        if role == "agent":
            question = said or question
            continue
        if role == "system" or not said:
            continue
        short = len(said.split()) <= _SHORT_ANSWER
        if short and question.rstrip(" .").endswith("?"):
            lines.append(f"[Petugas: {question}] {said}")
        elif said.casefold().strip(" .,!?") not in _MERE_SOUND:
            lines.append(said)
        question = ""
    return "\n".join(lines)


def _tidy(turn: Turn) -> str:
    said = _STUTTER.sub(r"\1", _FILLER.sub("", turn.text))
    said = " ".join(said.split()).lstrip(",. ")
    doubtful = turn.conf is not None and turn.conf < SURE_FROM
    return f"{said} {UNCLEAR}" if said and doubtful and UNCLEAR not in said else said


_TITLES: Final[Mapping[Role | None, str]] = {"caller": "Penelepon", "agent": "Petugas", "system": "Sistem"}


def transcript(call: Call, office_words: Sequence[str] = OFFICE_WORDS) -> str:
    """All that was said, line by line: time, who, words as they came."""
    who = roles(call.turns, office_words)
    lines = []
    for turn in call.turns:
        title = _TITLES.get(who[turn.speaker]) or turn.speaker or ""
        at = "" if turn.start_ms is None else f"{turn.start_ms // 60_000:02}:{turn.start_ms // 1000 % 60:02} "
        lines.append(f"{at}{title}: {turn.text}" if title else f"{at}{turn.text}")
    return "\n".join(lines)


def with_facts(call: Call, facts: Mapping[str, str]) -> Call:
    """What the recording itself did not say, told beside it: in the address of the hook, or by the file's name."""
    given = {
        name: facts[name]
        for name in ("caller", "name", "agent", "asr_model", "recording")
        if facts.get(name) and not getattr(call, name)
    }
    return replace(call, **given)  # type: ignore[arg-type]
