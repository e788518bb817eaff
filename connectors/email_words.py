"""What a mail's author wrote themselves: without what their program quoted, and without signatures. Pure.

Libraries for this know English and a dozen other languages, but cut nothing of what mail programs set to Indonesian
write; so the marks are our own, see tests/test_email_words.py for the programs they were taken from.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_WROTE = re.compile(
    r"(?:Pada(?: tanggal)?|On|Am|Le)\s.{0,300}\d.{0,300}?(?:menulis|wrote|schrieb|a écrit)\s*:", re.IGNORECASE
)
"""Above a quotation: "Pada Sen, 23 Nov 2026 pukul 09.00 LaporGub <…> menulis:", also broken over lines."""
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
    if not re.match(r"(?:Pada|On|Am|Le)\s", lines[at], re.IGNORECASE):
        return 0
    for length in range(1, _LONGEST_MARK + 1):
        if _WROTE.fullmatch(" ".join(line.strip() for line in lines[at : at + length])):
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
_SILENT: Final = frozenset({"head", "script", "style", "title", "template", "noscript", "svg", "object"})


class _Reader(HTMLParser):
    """HTML to plain text: nothing is fetched, nothing runs, quotations get their ">"."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines = [""]
        self._silent = 0
        self._quoted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._silent += tag in _SILENT
        if tag == "br":
            self._break()
        elif tag in _BLOCKS:
            self._open_line()
        self._quoted += tag == "blockquote"

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        if tag in _BLOCKS:
            self._open_line()
            if tag == "p":
                self._break()
        if tag == "blockquote" and self._quoted:
            self._quoted -= 1

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        words = re.sub(r"[ \t\r\n\f]+", " ", data)
        if not self.lines[-1]:
            words = words.lstrip(" ")
            if words and self._quoted:
                words = f"> {words}"
        self.lines[-1] += words

    def _open_line(self) -> None:
        if self.lines[-1].strip():
            self._break()

    def _break(self) -> None:
        self.lines[-1] = self.lines[-1].rstrip(" ")
        self.lines.append("")


def text_of_html(html: str) -> str:
    """The words of an HTML document; after a fault that the parser cannot pass, without its tags."""
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:  # the standard library's word for a declaration that is none, such as "<![;"
        reader.handle_data(re.sub(r"<[^<>]*>", " ", reader.rawdata))
    text = "\n".join(line.replace("\xa0", " ").rstrip() for line in reader.lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")
