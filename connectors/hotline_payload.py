"""What recording and telephone systems say of calls, read into calls. Pure. The content tells the format:

captions (WebVTT, SRT), Asterisk's call records, tables with a row a call or a row a turn, and JSON: Whisper's segments,
vosk's results, the transcript of AWS call analytics, our own record, or one of them inside our own.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import orjson

from laporhub.connectors import asterisk, captions
from laporhub.connectors.calls import Call, Turn, marked, merged
from laporhub.connectors.hotline_fields import NAMES, count, millis, moment, named, plain, share
from laporhub.pipeline.errors import Unparsable

_TELLS_BESIDE: Final = (
    "call_id",
    "revision",
    "started_at",
    "caller",
    "name",
    "agent",
    "asr_model",
    "recording",
)
_DEPTH: Final = 4
_BOM = "\ufeff"


def calls(body: bytes, beside: Mapping[str, str] | None = None) -> list[Call]:
    """The calls in a payload. `beside` is what was told with it, for formats that cannot say whose call it is.

    Calls that went out, or from desk to desk, are left out. Raises `Unparsable`.
    """
    text = decoded(body)
    if not text.strip():
        raise Unparsable("the payload is empty")
    given = {name: value for name, value in (beside or {}).items() if name in _TELLS_BESIDE and value}
    given.setdefault("call_id", "sha256-" + hashlib.sha256(body).hexdigest()[:24])
    if text.lstrip().startswith(("{", "[")):
        found = _of_json(text, given)
    elif captions.is_captions(text):
        found = [_call({}, given, tuple(captions.turns(text)), "captions")]
    else:
        found = list(_of_table(text, given))
    return merged(found)


def beside(url: str) -> Mapping[str, str]:
    """What the hook's address tells of the call: `?call_id=…&caller=…&started_at=…`."""
    try:
        return dict(parse_qsl(urlsplit(url).query, max_num_fields=50))
    except ValueError:
        return {}


def decoded(body: bytes) -> str:
    """UTF-8, UTF-16 with its mark, or Windows-1252; line ends as line feeds, no null bytes."""
    for encoding in ("utf-16",) if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8", "cp1252", "latin-1"):
        try:
            text = body.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Unparsable("the text cannot be decoded: send UTF-8")
    return text.removeprefix(_BOM).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────


def _of_json(text: str, given: Mapping[str, str]) -> list[Call]:
    whole = _documents(text)
    if all(isinstance(each, dict) and _is_vosk(each) for each in whole):
        return [_call(_head(whole), given, tuple(_vosk(whole)), "vosk")]
    found = [_record(each, given, 0) for each in whole]
    return [call for call in found if call is not None]


def _documents(text: str) -> list[Any]:
    """One document, a list of them, or one a line."""
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        try:
            return [orjson.loads(line) for line in text.splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            raise Unparsable(f"not JSON: {error}") from None
    documents = whole if isinstance(whole, list) else [whole]
    if not documents:
        raise Unparsable("an empty list")
    return documents


def _record(whole: Any, given: Mapping[str, str], depth: int) -> Call | None:
    """One object of any make. Our own names its turns, or holds the transcript of another make in `transcript`."""
    if not isinstance(whole, dict):
        raise Unparsable("a call is a JSON object")
    names = {str(name).casefold(): value for name, value in whole.items()}
    inner = names.get("transcript")
    if "segments" in names:
        return _call(names, given, tuple(_whisper(names["segments"])), "whisper")
    if isinstance(inner, list):
        return _call(names, given, tuple(_listed(inner)), "aws")
    if "turns" in names:
        return _call(names, given, tuple(_listed(names["turns"])), plain(names.get("source")) or "json")
    if isinstance(inner, dict) and depth < _DEPTH:
        told = {n: v for n in _TELLS_BESIDE if (v := plain(named(names, n)))}
        return _record(inner, {**given, **told}, depth + 1)
    if isinstance(inner, str) and captions.is_captions(inner):
        return _call(names, given, tuple(captions.turns(inner)), "captions")
    if _is_vosk(names):
        return _call(names, given, tuple(_vosk([names])), "vosk")
    record = {name: plain(value) or "" for name, value in names.items()}
    if record.get("disposition"):
        return asterisk.call(record)
    if (said := plain(named(names, "text"))) is not None:
        return _call(names, given, tuple(_turn(said, names)), "json")
    if plain(named(names, "call_id")) is None:
        raise Unparsable("neither a transcript nor a call record: no segments, turns, text or disposition")
    return _call(names, given, (), "json")


def _head(whole: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {str(name).casefold(): value for each in whole for name, value in each.items()}


def _listed(turns: Any) -> Iterator[Turn]:
    """Turns of our own record, and of AWS call analytics."""
    for each in _objects(turns, "turns"):
        names = {str(name).casefold(): value for name, value in each.items()}
        yield from _turn(_said(names), names)


def _said(names: Mapping[str, Any]) -> str:
    items = names.get("items")
    if isinstance(items, list) and items and all(isinstance(item, dict) for item in items):
        words = [
            (plain(item.get("Content")) or "", share(item.get("Confidence")))
            for item in items
            if item.get("Type", "pronunciation") == "pronunciation"
        ]
        if any(conf is not None and word for word, conf in words):
            return _with_marks(plain(names.get("content")) or "", words)
    return plain(named(names, "text")) or ""


def _with_marks(said: str, words: Sequence[tuple[str, float | None]]) -> str:
    """The sentence as it is, with its punctuation, unless something in it is doubtful."""
    with_marks = marked(words)
    return said if said and with_marks == marked((word, None) for word, _ in words) else with_marks


def _turn(said: str, names: Mapping[str, Any]) -> Iterator[Turn]:
    """A turn, or several where the text names its speakers line by line."""
    in_millis = any(name.endswith(("_ms", "millis")) for name in names)
    start, end = (millis(named(names, name), 1 if in_millis else 1000) for name in ("start", "end"))
    conf, speaker = share(named(names, "conf")), plain(named(names, "speaker"))
    spoken = [(speaker, said.strip())] if speaker else captions.labelled(said.strip(), None)
    for who, words in spoken:
        if words:
            yield Turn(words, who, start, end, conf)


def _whisper(segments: Any) -> Iterator[Turn]:
    """Segments with, from some makes, a speaker and words with their probability."""
    for each in _objects(segments, "segments"):
        said, log = plain(each.get("text")) or "", each.get("avg_logprob")
        conf = math.exp(min(0.0, log)) if isinstance(log, int | float) and math.isfinite(log) else None
        words = each.get("words")
        if isinstance(words, list) and words and all(isinstance(word, dict) for word in words):
            scored = [
                (plain(word.get("word")) or "", share(word.get("probability", word.get("score"))))
                for word in words
            ]
            if any(share is not None for _, share in scored):
                said, conf = _with_marks(said, scored), None
        if said.strip():
            speaker = plain(each.get("speaker"))
            yield Turn(
                said.strip(), speaker, millis(each.get("start"), 1000), millis(each.get("end"), 1000), conf
            )


def _is_vosk(whole: Mapping[str, Any]) -> bool:
    """A result with its words, or the empty one that stands for silence."""
    if not isinstance(whole.get("text"), str):
        return False
    return isinstance(whole.get("result"), list) or whole.keys() == {"text"}


def _vosk(results: Sequence[Mapping[str, Any]]) -> Iterator[Turn]:
    """Results, one after the other; silence has no words."""
    for each in results:
        words = [word for word in each.get("result") or () if isinstance(word, dict)]
        scored = [(plain(word.get("word")) or "", share(word.get("conf"))) for word in words]
        said = _with_marks(plain(each.get("text")) or "", scored) if scored else plain(each.get("text")) or ""
        if said.strip():
            start = millis(words[0].get("start"), 1000) if words else None
            end = millis(words[-1].get("end"), 1000) if words else None
            yield Turn(said.strip(), plain(each.get("speaker")), start, end)


def _objects(value: Any, name: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Unparsable(f"{name} is no list of objects", field=name)
    return value


# ── tables ───────────────────────────────────────────────────────────────────────────────────────


def _of_table(text: str, given: Mapping[str, str]) -> Iterator[Call]:
    """Rows of a call record, a call, or a turn. Raises `Unparsable` if no row can be read."""
    top = text.lstrip("\n").split("\n", 1)[0]
    try:
        rows = [
            row for row in csv.reader(io.StringIO(text), delimiter=max(",;\t|", key=top.count)) if any(row)
        ]
    except csv.Error as error:
        raise Unparsable(f"the table cannot be read: {error}") from None
    if rows and asterisk.is_record(rows[0]):
        if broken := next((row for row in rows if not asterisk.is_record(row)), None):
            raise Unparsable(f"a row with {len(broken)} cells is no call record of Asterisk")
        found = [asterisk.call(asterisk.named(row)) for row in rows]
        yield from (call for call in found if call is not None)
        return
    header = [name.strip().casefold().replace(" ", "_") for name in rows[0]] if rows else []
    if len(rows) < 2 or not _is_header(header):
        raise Unparsable("neither captions nor a table with a column text, or of Asterisk's call records")
    for row in rows[1:]:
        if len(row) > len(header):
            raise Unparsable(f"a row has {len(row)} cells, the header {len(header)}: put quotes around texts")
        cells = {name: cell for name, cell in zip(header, row, strict=False) if cell.strip()}
        yield from _row(cells, given)


def _is_header(header: Sequence[str]) -> bool:
    wanted = (*NAMES["text"], "disposition")
    return any(name in header for name in wanted)


def _row(cells: Mapping[str, str], given: Mapping[str, str]) -> Iterator[Call]:
    said = named(cells, "text")
    if said is None and "disposition" in cells:
        call = asterisk.call(cells)
        if call is not None:
            yield call
        return
    begins_at = "start" in cells and asterisk.moment(cells["start"]) is not None  # a date is no offset
    names = {("started_at" if name == "start" and begins_at else name): cell for name, cell in cells.items()}
    yield _call(names, given, tuple(_turn(said or "", names)), "table")


# ── pieces ───────────────────────────────────────────────────────────────────────────────────────


def _call(names: Mapping[str, Any], given: Mapping[str, str], turns: tuple[Turn, ...], source: str) -> Call:
    """A call from what its record says, and then from what was told beside it."""

    def told(name: str) -> str | None:
        return plain(named(names, name)) or given.get(name)

    revision, seconds = told("revision") or "", plain(named(names, "seconds")) or ""
    started = told("started_at")
    return Call(
        call_id=(told("call_id") or "")[:200],
        revision=count(revision, 1),
        started_at=moment(started) if started else None,
        caller=told("caller"),
        name=told("name"),
        agent=told("agent"),
        answered=answered if isinstance(answered := names.get("answered"), bool) else None,
        seconds=count(seconds, 0) or None,
        turns=turns,
        source=source,
        asr_model=told("asr_model"),
        recording=told("recording"),
    )
