"""What a mail's author wrote themselves: without what their program quoted, and without signatures. Pure.

Libraries for this know English and a dozen other languages, but cut nothing of what mail programs set to Indonesian
write; so the marks are our own, see tests/test_email_words.py for the programs they were taken from.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

_BEFORE = re.compile(r"(?:Pada|On|Am|Le)\s", re.IGNORECASE)
_WROTE = re.compile(r"\b(?:menulis|wrote|schrieb|a écrit)\s?:$", re.IGNORECASE)
"""Above a quotation: "Pada Sen, 23 Nov 2026 pukul 09.00 LaporGub <…> menulis:", also broken over lines."""
_LONGEST: Final = 600
_ORIGINAL = re.compile(
    r"\s*(?:-{2,}\s*(?:Pesan Asli|Pesan asli|Original Message|Pesan (?:yang )?(?:Di)?teruskan|Forwarded message)"
    r"\s*-{2,}|_{10,})\s*",
    re.IGNORECASE,
)
_FROM = re.compile(r"\s*\*?(?:Dari|From)\s*:\*?\s.*", re.IGNORECASE)
_SENT = re.compile(
    r"\s*\*?(?:Dikirim|Terkirim|Tanggal|Sent|Date|Kepada|To|Subjek|Perihal|Subject)\s*:\*?", re.IGNORECASE
)
_SIGNED = re.compile(
    r"\s*(?:Dikirim (?:dari|dengan|lewat|melalui)|Terkirim dari|Sent (?:from|with|via)|Dapatkan Outlook|Get Outlook|"
    r"Diambil dari|Yahoo Mail:)\b.{0,80}",
    re.IGNORECASE,
)
_QUOTED = re.compile(">")
_LONGEST_MARK: Final = 4
"""Lines over which a program may break the line above a quotation."""


def own_words(text: str) -> str:
    """What the author wrote; all of it where there is nothing but quotations (a mail passed on)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = _without_signature(_without_quotes(lines))
    found = "\n".join(kept).strip("\n")
    return found if found.strip() else "\n".join(lines).strip("\n")


def _without_quotes(lines: list[str]) -> list[str]:
    kept: list[str] = []
    at = 0
    while at < len(lines):
        if lines[at].startswith(">"):
            at += 1
        elif _begins_old_mail(lines, at):
            break
        elif length := _mark(lines, at):
            if not _follows(lines, at + length, _QUOTED):
                if "@" in "".join(lines[at : at + length]):
                    break  # a program that indents nothing: all that follows is old
                kept += lines[at : at + length]  # the author's own words look like it
            at += length
        else:
            kept.append(lines[at])
            at += 1
    return kept


def _begins_old_mail(lines: list[str], at: int) -> bool:
    """Whether the head of a mail stands here, as programs put it that quote without ">"."""
    if _ORIGINAL.fullmatch(lines[at]):
        return _follows(lines, at + 1, _FROM)
    return _FROM.fullmatch(lines[at]) is not None and _follows(lines, at + 1, _SENT)


def _mark(lines: list[str], at: int) -> int:
    """How many lines the mark above a quotation has here; 0 where there is none."""
    if not _BEFORE.match(lines[at]):
        return 0
    for length in range(1, _LONGEST_MARK + 1):
        words = " ".join(line[:_LONGEST].strip() for line in lines[at : at + length])
        if len(words) > _LONGEST:
            return 0
        if words.endswith(":") and _WROTE.search(words[-20:]) and re.search(r"\d", words):
            return length
    return 0


def _follows(lines: list[str], at: int, pattern: re.Pattern[str]) -> bool:
    """Whether the next line that says something is of this kind."""
    following = next((line for line in lines[at : at + 4] if line.strip()), "")
    return pattern.match(following) is not None


def _without_signature(lines: list[str]) -> list[str]:
    for at, line in enumerate(lines):
        if at and line.rstrip("\n") in ("-- ", "--") and any(each.strip() for each in lines[:at]):
            lines = lines[:at]
            break
    while lines and (not lines[-1].strip() or _SIGNED.fullmatch(lines[-1])):
        lines = lines[:-1]
    return lines


_BLOCKS: Final = frozenset(
    re.findall(
        r"\w+",
        "address article blockquote body div dl dt dd footer form h1 h2 h3 h4 h5 h6 header hr li main ol p pre "
        "section table tr ul",
    )
)
_SILENT: Final = frozenset({"script", "style", "title", "template", "noscript", "svg", "object"})
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})[^<>]*>")
_DECLARATION = re.compile(r"<[!?][^<>]*>")


def text_of_html(html: str) -> str:
    """The words of an HTML document: nothing is fetched, nothing runs, quotations get their ">". Tags that are none
    count as words.

    The standard library's parser needs minutes for some documents of a hundred kilobytes, and breaks on others; one
    look at each character is enough for words.
    """
    lines, at, missing = _Lines(), 0, set[str]()
    while at < len(html):
        start = html.find("<", at)
        if start != at:
            lines.add(html[at:] if start < 0 else html[at:start])
            at = len(html) if start < 0 else start
            continue
        if html.startswith("<!--", at) and (end := _end(html, "-->", at + 4, missing)) is not None:
            at = end
        elif tag := _TAG.match(html, at):
            name, at = tag[2].lower(), tag.end()
            if name in _SILENT and not tag[1] and (end := _end(html, f"</{name}", at, missing)) is not None:
                at = end
            elif not (name in _SILENT and tag[1]):
                lines.tag(name, closes=bool(tag[1]))
        elif declared := _DECLARATION.match(html, at):
            at = declared.end()
        else:
            lines.add("<")
            at += 1
    return lines.text()


def _end(html: str, mark: str, at: int, missing: set[str]) -> int | None:
    """Where what ends with `mark` is over; None where it never is. `missing` are marks that do not come any more."""
    found = (
        None if mark in missing else re.compile(re.escape(mark) + "[^<>]*>?", re.IGNORECASE).search(html, at)
    )
    if found is None:
        missing.add(mark)
        return None
    return found.end()


class _Lines:
    """Words put on lines as blocks begin and end."""

    def __init__(self) -> None:
        self._lines: list[list[str]] = [[]]
        self._quoted = 0

    def add(self, data: str) -> None:
        words = re.sub(r"[ \t\r\n\f]+", " ", unescape(data))
        line = self._lines[-1]
        if not line:
            words = words.lstrip(" ")
            if words and self._quoted:
                line.append("> ")
        if words:
            line.append(words)

    def tag(self, name: str, *, closes: bool) -> None:
        if name == "br":
            self._lines.append([])
        elif name in _BLOCKS:
            if any(piece.strip() for piece in self._lines[-1]):
                self._lines.append([])
            if closes and name == "p":
                self._lines.append([])
        if name == "blockquote":
            self._quoted = max(0, self._quoted - 1) if closes else self._quoted + 1

    def text(self) -> str:
        text = "\n".join("".join(line).replace("\xa0", " ").rstrip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")
