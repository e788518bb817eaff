"""Identity, account and phone numbers in digits, read group by group, as people space them. Pure.

Dates, sums of money, house numbers and coordinates beside them stay. In doubt a number goes: the untouched text is
sealed, and can be asked for. All patterns are linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from laporhub.pipeline.identity.span import ACCOUNT, NIK, PHONE, Span

# A digit, also an O typed for a nought; never a letter of a word.
_LETTER = r"[^\W\d_]"
_DIGIT = rf"(?:\d|(?<!{_LETTER})[oO](?=[1-9])|(?<=\d)[oO]{{1,3}}+(?=[ .-]?\d))"
_GAP = r"[ \t\u00a0.\-‐-―−()\[\]_*/\ufe0f\u20e3]{1,4}+"
_GROUP = re.compile(rf"{_DIGIT}++")
_NUMBERS = re.compile(
    rf"(?=[+(\[\d]|[oO][1-9])[+(\[]{{0,2}}{_DIGIT}++(?:{_GAP}{_DIGIT}++)*+[\ufe0f\u20e3]{{0,2}}"
)
_ANOTHER_ENDING = re.compile(r"(?: ?/ ?\d{1,4})+(?![\d/-]|[ .]\d)")
""" "0812…71/72": two numbers that differ in their last digits."""
_KEYCAP = ("\ufe0f", "\u20e3")
FEWEST = 7
"""Digits below which nothing is an identity."""

MOBILE = re.compile(r"(?:0|(?:00)?620?)8\d{7,11}")
LANDLINE = re.compile(r"(?:0|(?:00)?620?)[2-79]\d{7,10}")
_BARE_MOBILE = re.compile(r"8[1-9]\d \d{3,4} \d{3,5}")
_BEGINS_PHONE = re.compile(r"0[2-9]\d")
COMPLETE = 10
"""Digits at which a phone number may end, so that a date after it is no part of it."""
_MOST = 19
_OF_A_NIK, _BEFORE_ITS_LAST = 16, 12
"""Digits of an identity number, and of it without the last group."""

PHONE_BEFORE = re.compile(
    r"(?i)(?<![^\W\d_])(?:telp?|tlp|telpon|telepon|hp|wa|whatsapp|sms|fax|hub(?:ungi)?|kontak|cp|phone|call)"
    r"[\s.:,=]*(?:(?:no(?:mor)?|ke)[\s.:=]*)?$"
)
_WHOSE = (
    "saya|sy|aku|ku|kulo|kula|anak|istri|suami|ibu|bapak|kami|beliau|adik|pdam|pln|listrik|air|lama|baru|kks|kis"
    "|sudah|udah|mati"
)
ACCOUNT_BEFORE = re.compile(
    r"(?i)(?<![^\W\d_])(?:(?:no)?rek(?:ening)?|kartu(?: \w+)?|atm|va|virtual account|bca|bri|bni|btn|bsi|bpd|mandiri"
    r"|bank(?: \w+)?|id ?pel(?:anggan)?|no ?pel(?:anggan)?|pelanggan|meter|npwp|nip|nik|kk|ktp|bpjs|kis|seabank|jago"
    r"|gopay|ovo|dana|shopeepay|linkaja|(?:transfer|tf|trf) ke)"
    rf"(?:nya)?(?:\s(?:{_WHOSE})){{0,2}}"
    r"[\s.:,=]*(?:(?:no(?:mor)?|an)[\s.:=]*)?$"
)
FEWEST_OF_AN_ACCOUNT = 9
"""Digits from which a number is one of these where a word says so."""
_PASSPORT = re.compile(
    r"(?i)(?<![^\W\d_])pas+port?\w*(?:\W{1,3}(?:no|nomor|\w{2,6}))?\W{1,3}(?P<number>[a-z] ?\d{4} ?\d{3})(?!\w)"
)
_FILE_BEFORE = re.compile(
    r"(?i)(?<![^\W\d_])(?:register|registrasi|berkas|tiket|aduan|laporan|perkara|resi)[\s.:,=]*(?:(?:no(?:mor)?)[\s.:=]*)?$"
)
"""Words of the number that an office gives to a file."""
_TAX_NUMBER = re.compile(r"\d\d\.\d{3}\.\d{3}\.\d-\d{3}\.\d{3}")
_MONEY_BEFORE = re.compile(r"(?i)(?:(?<![^\W\d_])(?:rp|idr)|\$)[\s.:]*$")
_MONEY_AFTER = re.compile(r"(?i)\s*(?:,-|rupiah)")
CONTEXT = 30
"""Characters looked at before a number for a word that says what it is."""

YEAR = re.compile(r"(?:19|20)\d\d")
# What must stay, each whole: not glued by the same kind of gap to more digits.
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_TO = " ?[-./] ?"
_DATE = rf"{_DAY}{_TO}{_MONTH}{_TO}(?:(?:19|20)\d\d|\d\d)|(?:19|20)\d\d{_TO}{_MONTH}{_TO}{_DAY}"
_TIME = r"(?:[01]?\d|2[0-4])\.[0-5]\d(?: ?[-–] ?(?:[01]?\d|2[0-4])\.[0-5]\d)?"
_SUM = r"(?!62\.8)[1-9]\d{0,2}(?:\.\d{3})+"
_DEGREES = r"(?:(?:1[01]|\d)|9[5-9]|1[0-3]\d|14[01])\.\d{4,15}"
_STAYS = re.compile(
    rf"(?<![\d+])(?<!\d\.)(?:(?<!\d[-/])(?:{_DATE}|{_TIME}|{_DEGREES})(?![-./]?\d)|{_SUM}(?!\.?\d))"
)


def numbers(text: str, kept: frozenset[str]) -> list[Span]:
    """The identifying numbers, in order; none overlap. `kept` are those of offices, as `canonical` gives them."""
    spans = [*_passports(text)]
    for found in _NUMBERS.finditer(text):
        if found.end() - found.start() >= FEWEST:
            start = found.start()
            spans += (
                Span(start + run.start, start + run.end, run.kind)
                for run in _Chunk(found).runs(kept)
                if national(run.digits) not in kept
            )
    return spans


def _passports(text: str) -> Iterator[Span]:
    lowered = text.lower()
    if "paspor" in lowered or "passpor" in lowered:
        yield from (Span(*found.span("number"), ACCOUNT) for found in _PASSPORT.finditer(text))


def national_in(text: str) -> frozenset[str]:
    """The digits of the identifying numbers, in national spelling."""
    runs = (run for found in _NUMBERS.finditer(text) for run in _Chunk(found).runs(frozenset()))
    return frozenset(national(run.digits) for run in runs)


@dataclass(frozen=True, slots=True)
class _Run:
    """Digits that identify somebody: offsets in the chunk, and the placeholder for it."""

    start: int
    end: int
    digits: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Said:
    """What the words right before a number say that it is."""

    plus: bool
    phone: bool
    account: bool
    money: bool
    file: bool

    @classmethod
    def by(cls, lead: str) -> _Said:
        words = (PHONE_BEFORE, ACCOUNT_BEFORE, _MONEY_BEFORE, _FILE_BEFORE)
        return cls(
            lead.rstrip("(").endswith("+"),
            *(word.search(lead) is not None for word in words),
        )


class _Chunk:
    """Groups of digits with the gaps between them, and what is written around."""

    def __init__(self, found: re.Match[str]) -> None:
        self.text = found[0]
        self.before = found.string[max(0, found.start() - CONTEXT) : found.start()]
        self.after = found.string[found.end() : found.end() + CONTEXT]
        self.spans = [group.span() for group in _GROUP.finditer(self.text)]
        self.groups = [_ascii(self.text[start:end]) for start, end in self.spans]
        self.stays = _within(self.spans, [stay.span() for stay in _STAYS.finditer(self.text)])

    def runs(self, kept: frozenset[str]) -> Iterator[_Run]:
        """The identifying runs, in order; none overlap."""
        i = 0
        while i < len(self.groups):
            last, kind = (-1, "") if self.stays[i] else self._longest(i, kept)
            if last >= i:
                yield self._run(i, last, kind)
            i = max(i, last) + 1

    def _longest(self, i: int, kept: frozenset[str]) -> tuple[int, str]:
        """The last group of the longest identity beginning at group `i`, and its kind; or (-1, "")."""
        best, digits, known = (-1, ""), "", 0
        start = self.spans[i][0]
        said = _Said.by((self.before + self.text[max(0, start - CONTEXT) : start])[-CONTEXT:])
        for j in range(i, len(self.groups)):
            whole = known >= COMPLETE
            if j > i and ((whole and self.stays[j]) or not self._goes_on(digits, j)):
                break
            digits += self.groups[j]
            kind = self._kind(i, j, digits, said) if len(digits) >= FEWEST else ""
            if kind:
                best, known = (j, kind), len(digits)
            complete = kind == PHONE and i == j and len(digits) >= COMPLETE
            if complete or len(digits) >= _MOST or (kind and national(digits) in kept):
                break
        return best

    def _goes_on(self, digits: str, j: int) -> bool:
        """Whether a number may run on over the gap before group `j`: a slash stands between numbers, too."""
        gap = self.text[self.spans[j - 1][1] : self.spans[j][0]]
        if "/" in gap and MOBILE.fullmatch(digits) and self.groups[j].startswith(("08", "628")):
            return False  # the next number
        ends_a_nik = len(digits) + len(self.groups[j]) == _OF_A_NIK and len(digits) >= _BEFORE_ITS_LAST
        return "/" not in gap or digits.startswith(("08", "628")) or len(self.groups[j]) >= 6 or ends_a_nik

    def _kind(self, i: int, j: int, digits: str, said: _Said) -> str:
        """The placeholder for groups `i`..`j`, "" if they identify nobody."""
        groups = self.groups[i : j + 1]
        if len(digits) == 16 and not all(map(YEAR.fullmatch, groups)) and not any(self.stays[i : j + 1]):
            return NIK
        if _is_phone(digits, groups, said):
            return PHONE
        if said.file and not said.account:
            return ""
        if _TAX_NUMBER.fullmatch(self.text, self.spans[i][0], self.spans[j][1]):
            return ACCOUNT
        if i == j:
            fewest = FEWEST_OF_AN_ACCOUNT if said.account else COMPLETE
            return ACCOUNT if len(digits) >= fewest and not self._is_money(i, digits, said) else ""
        return ACCOUNT if self._is_spaced_account(i, j, digits, said) else ""

    def _is_money(self, i: int, digits: str, said: _Said) -> bool:
        end = self.spans[i][1]
        trail = (self.text[end : end + CONTEXT] + self.after)[:CONTEXT]
        is_money = said.money or _MONEY_AFTER.match(trail) is not None
        return is_money and len(digits) < 16 and digits[0] != "0"

    def _is_spaced_account(self, i: int, j: int, digits: str, said: _Said) -> bool:
        groups = self.groups[i : j + 1]
        if (
            not (FEWEST_OF_AN_ACCOUNT if said.account else COMPLETE) <= len(digits) <= _MOST
            or any(self.stays[i : j + 1])
            or all(map(YEAR.fullmatch, groups))
        ):
            return False
        if said.account:
            return True
        gaps = [self.text[self.spans[k - 1][1] : self.spans[k][0]] for k in range(i + 1, j + 1)]
        if any(
            " " in gap and _BEGINS_PHONE.match(group) for gap, group in zip(gaps, groups[1:], strict=True)
        ):
            return False  # a phone number begins there
        widest = max(map(len, groups))
        card = len(digits) > 16 and min(map(len, groups[:-1])) >= 4
        return card or widest >= 6 or (widest >= 3 and not any(" " in gap or "/" in gap for gap in gaps))

    def _run(self, i: int, j: int, kind: str) -> _Run:
        start, end = self.spans[i][0], self.spans[j][1]
        opening = "+([" if ")" in self.text[start:end] or "]" in self.text[start:end] else "+"
        while start > 0 and self.text[start - 1] in opening:
            start -= 1
        if kind == PHONE and (another := _ANOTHER_ENDING.match(self.text, end)):
            end = another.end()
        while self.text[end : end + 1] in _KEYCAP:
            end += 1
        return _Run(start, end, "".join(self.groups[i : j + 1]), kind)


def _within(spans: list[tuple[int, int]], wider: list[tuple[int, int]]) -> list[bool]:
    """Which of the spans lie in one of the wider ones; both in order."""
    inside = []
    k = 0
    for start, end in spans:
        while k < len(wider) and wider[k][1] < end:
            k += 1
        inside.append(k < len(wider) and wider[k][0] <= start)
    return inside


def _is_phone(digits: str, groups: list[str], said: _Said) -> bool:
    if said.plus and 8 <= len(digits) <= 15:
        return True
    if MOBILE.fullmatch(digits):
        return True
    if LANDLINE.fullmatch(digits) and (len(groups) == 1 or len(groups[0]) >= 3 or digits[0] == "6"):
        return True
    if _BARE_MOBILE.fullmatch(" ".join(groups)):
        return True
    return len(digits) <= 13 and said.phone


def _ascii(group: str) -> str:
    if group.isascii() and group.isdigit():
        return group
    return "".join("0" if digit in "oO" else str(unicodedata.digit(digit)) for digit in group)


def national(number: str) -> str:
    """One spelling for a number: 62811…, 0062811… and 620811… are 0811…"""
    for prefix in ("0062", "62"):
        if number.startswith(prefix) and len(number) >= len(prefix) + FEWEST:
            return "0" + number.removeprefix(prefix).lstrip("0")
    return number


@lru_cache(maxsize=64)
def canonical(keep: frozenset[str]) -> frozenset[str]:
    """`keep` in national spelling; landlines also without their area code, as neighbours give them."""
    numbers = {national(entry) for entry in keep}
    local = {number[area:] for number in numbers if LANDLINE.fullmatch(number) for area in (3, 4)}
    return frozenset(numbers | {number for number in local if len(number) >= FEWEST})
