"""E-mail addresses, also as they are dictated ("budi at gmail titik com"); and our own tickets, which stay. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from laporhub.pipeline.identity.span import EMAIL, Span
from laporhub.pipeline.identity.spelled import DIGIT_WORDS
from laporhub.pipeline.ids import parse_ticket

_LOCAL = r"\w.!#$%&'*+/=?^`{|}~-"
_PROVIDERS = r"(?:g ?mail|googlemail|ya ?hoo|ymail|rocketmail|out ?look|hot ?mail|icloud)"
_PROVIDER = rf"{_PROVIDERS}(?:com\b|\b(?: ?[.,] ?(?:com|co\.id|co|id|con|cm)\b)?)"
_DOMAIN = rf"(?:(?:[\w-]++\.)+[^\W\d_][\w-]+|{_PROVIDER})"
_EMAIL = (
    rf"(?P<email>(?<![{_LOCAL}])[{_LOCAL}]++(?:@| ?@ ?(?={_PROVIDER})){_DOMAIN}"
    rf"(?:[{_LOCAL}]*+@{_DOMAIN})*)"  # addresses run together are one
)
_REFERENCE = (
    r"(?P<reference>(?<![\w-])[A-Z]{2,6}-20\d\d(?:\d{4})?-\d{3,8}(?![\w-])"
    r"|(?:(?<=tiket #)|(?<=aduan #)|(?<=laporan #))\d[\d-]{5,}(?!\w))"
)
"""A number that an office gave to a file: "LG-2025-001234"."""
_TICKET = r"(?P<ticket>(?<![^\W\d_])[A-Za-z]{3,6}-?[0-9]{4}-?[0-9]{4}-?[0-9]{4}(?![\w]|-[0-9]))"
_WHOLE = re.compile(f"{_EMAIL}|{_TICKET}")
_PATTERNS = {
    (True, True): re.compile(f"{_EMAIL}|{_TICKET}|{_REFERENCE}"),
    (True, False): _WHOLE,
    (False, True): re.compile(f"{_TICKET}|{_REFERENCE}"),
    (False, False): re.compile(_TICKET),
}
"""By whether the text has an "@", and what every reference has."""
_NEVER_A_TICKET = re.compile(
    r"(?i)no|nomo?r|nope|hp|wa|sms|te?lp?|telp?on|telepo|call|phone|hub|cp|rek|norek|nik|ktp|kk|nip"
    r"|npwp|va|bank|bpjs"
)

# ── said aloud, or written so that no machine finds it ───────────────────────────────────────────

_AT = re.compile(
    r"(?i)[ \t]*(?:[(\[{<][ \t]?(?:at|et|a|@)[ \t]?[)\]}>]|(?<=[ \t])(?:at|et|@|(?:a[ \t])?keong)(?=[ \t])|@)[ \t]*"
)
_DOT = r"[ \t]*(?:\.|[(\[{<][ \t]?(?:dot|titik|\.)[ \t]?[)\]}>]|(?<=[ \t])(?:dot|titik)(?=[ \t]))[ \t]*"
_END = r"(?:com|kom|con|cm|co|id|net|org|go|ac|sch|my|web|biz|info)"
_DOMAIN_SAID = re.compile(
    rf"(?i)(?:{_PROVIDERS}(?:{_DOT}{_END}\b){{0,2}}|[a-z0-9-]{{2,30}}(?:{_DOT}{_END}\b){{1,3}})"
)
_SIGN_SAID = r"titik|dot|underscore|strip"
_LOCAL_SAID = re.compile(
    rf"(?i)(?<![\w.])(?:(?:\w[ \t]){{2,}}[\w+-]*|[\w+-]+(?:(?:\.|[ \t](?:{_SIGN_SAID})[ \t]"
    rf"|[ \t]?[(\[{{<][ \t]?(?:{_SIGN_SAID}|\.)[ \t]?[)\]}}>][ \t]?)[\w+-]+){{0,4}}"
    rf"(?:[ \t](?:{'|'.join(DIGIT_WORDS)}))*)$"
)
_AT_LEFT_OUT = re.compile(rf"(?i)(?<![{_LOCAL}])(?=[\w.+-]*\d)[\w.+-]+ {_PROVIDERS} ?[.,] ?(?:com|co\.id)\b")
""" "budi.99 gmail.com": what has a digit in it is no word before the provider's name."""
_REACH = 64
_OF_A_TICKET, _OF_A_REFERENCE = 12, 7
_HINT: Final = (
    "mail",
    "yahoo",
    "outlook",
    "icloud",
    " titik ",
    " dot ",
    "dot)",
    "titik)",
    "dot]",
    "titik]",
    "dot>",
    "titik>",
)


def addresses(text: str, kept: frozenset[str], digits: int) -> tuple[list[Span], list[Span]]:
    """The e-mail addresses; and what must be left alone: tickets, and the offices' own addresses (`kept`).

    `digits` is how many the text has: without enough there is no ticket to look for.
    """
    found: list[Span] = []
    left: list[Span] = []
    at, reference = "@" in text, "-20" in text and digits >= _OF_A_REFERENCE
    if not (at or reference or digits >= _OF_A_TICKET):
        return found, left
    for match in _PATTERNS[at, reference].finditer(text):
        if match.lastgroup == "ticket":
            if _is_ticket(match[0]):
                left.append(Span(*match.span(), ""))
        elif match.lastgroup == "reference":
            if not _NEVER_A_TICKET.fullmatch(match[0].partition("-")[0]):
                left.append(Span(*match.span(), ""))
        elif not _is_link(match):
            is_office = bare(match[0]) in kept
            (left if is_office else found).append(Span(*match.span(), EMAIL))
    return found, left


def dictated(text: str) -> Iterator[Span]:
    """E-mail addresses in words. `text` is without those in signs."""
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINT):
        return
    for match in _AT.finditer(text):
        domain = _DOMAIN_SAID.match(text, match.end())
        if domain is None:
            continue
        start = max(0, match.start() - _REACH)
        local = _LOCAL_SAID.search(text[start : match.start()])
        if local is not None:
            yield Span(start + local.start(), domain.end(), EMAIL)
    yield from (Span(*match.span(), EMAIL) for match in _AT_LEFT_OUT.finditer(text))


def mails_in(text: str) -> frozenset[str]:
    """The addresses in signs, in lower case."""
    return frozenset(bare(found["email"]) for found in _WHOLE.finditer(text) if found["email"])


def bare(email: str) -> str:
    return email.replace(" ", "").lower()


def _is_ticket(found: str) -> bool:
    letters = found.rstrip("0123456789-")
    if parse_ticket(found) is None or _NEVER_A_TICKET.fullmatch(letters):
        return False
    return "-" in found or not found[len(letters) :].startswith(("08", "628"))


def _is_link(found: re.Match[str]) -> bool:
    return found[0].startswith("//") and found.string[: found.start()].endswith(("http:", "https:"))
