"""Names of people: after words that announce one, after titles, and by themselves. Pure.

Capitals tell most; where there are none (or nothing else) a word must be known as a name. Roads, schools and hospitals
keep the names that they bear, and offices theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress, count

from laporhub.pipeline.identity.name_context import AFTER_PLACE, NEVER, ROLES, TITLES
from laporhub.pipeline.identity.name_forms import (
    A_NAME,
    A_PLACE,
    A_TITLE,
    ANNOUNCES,
    ENDING_AFTER_A_TITLE,
    MAYBE,
    ME,
    NO_NAME,
    OF_PEOPLE,
    OF_STREETS,
    PARTICLES,
    PERHAPS,
    PERSONS,
    SURELY,
    interest,
    is_plain,
    parts_of,
    signature,
    words_apart,
)
from laporhub.pipeline.identity.name_text import Words
from laporhub.pipeline.identity.name_words import NAMES, SHARED
from laporhub.pipeline.identity.span import HIDDEN, Span

_BETWEEN = " \t,.:;()=-–—/"
_ENDS = (".", "!", "?", "\n", "–", "—", " -")
"""What ends a sentence, so that a name may follow."""
_SAYS = frozenset(
    ("lapor", "melaporkan", "menyampaikan", "mengadukan", "dari", "izin", "ijin", "numpang", "ki", "iki")
)
_ASKED_WORDS = "hub hubungi wa kontak cp call telp tlp telepon tanya tny cari sy saya aku sama"
_ASKED = frozenset(_ASKED_WORDS.split())
"""Words after which somebody is told whom to ask, if a number follows."""
_FIRST = frozenset(("la", "wa", "ni", "i", "andi"))
"""What a name may begin with in some regions: "I Made …", "La Ode …"."""
_MOST = 5
"""Words of the longest name."""
_BESIDE, _SHORTEST = 2, 3
"""Words before the last of an unknown name beside a number, and letters that none of its words is shorter than."""
_SIGNATURE = 70
"""Characters at the end of a text where somebody may have signed."""


def names_in(
    text: str, known: Iterable[str] = (), places: frozenset[str] = frozenset(), *, only_known: bool = False
) -> list[Span]:
    """The names, in order; none overlap. `known` are names of people of whom the text surely speaks, `places` words
    that are names of places, and of nobody.
    """
    pieces = words_apart(text)
    if len(pieces) == 1:
        return []
    reader = _Reader(text, pieces, places)
    if only_known:
        reader.known_in_full(tuple(known))
    else:
        reader.known(parts_of(tuple(known)))
        reader.read()
        reader.signed()
        reader.beside_numbers()
    return reader.spans()


class _Reader(Words):
    """Reads where names begin, and how far they go."""

    # ── where a name may begin ───────────────────────────────────────────────────────────────────

    def read(self) -> None:
        """Name after name, from the left."""
        done = -1
        for place, worth in zip(compress(count(), self.worth), filter(None, self.worth), strict=True):
            if place <= done:
                continue
            if worth & ANNOUNCES:
                done = self._announced(place)
            if done < place and worth & ME:
                done = self._is_me(place)
            if done < place and worth & A_PLACE and self._is_a_place(place):
                done = self._named_after(place)
            if done < place and worth & A_TITLE:
                done = self._titled(place)
            if done < place and worth & OF_PEOPLE:
                done = self._bare(place)

    def _announced(self, place: int) -> int:
        """ "nama saya …", "a.n. …": what follows is a name, known or not."""
        start = self.where[place][0]
        found = SURELY.match(self.text, start)
        surely = found is not None
        found = found or MAYBE.match(self.text, start)
        first = self.word_at(found.end(), place) if found else None
        if first is None:
            return -1
        first = self.past_titles(first)
        trusting = surely or self.is_capital(first)
        return self.take(first, self._run(first, trusting=trusting, surely=surely))

    def _is_me(self, place: int) -> int:
        """ "saya Budi"."""
        first = place + 1
        if self._aside(first):
            return self.take(first, self._run(first, trusting=self.is_capital(first)))
        if not self.joined(place) or not (self._is_name(first) or self._is_new_name(first)):
            return -1
        return self.take(first, self._run(first, trusting=self.is_capital(first)))

    def _aside(self, place: int) -> bool:
        """Whether a name stands between commas: "saya, Budi, …"."""
        if place + 1 >= len(self.words) or self.pieces[2 * place] != ", ":
            return False
        last = self._run(place, trusting=self.is_capital(place))
        after = self.pieces[2 * last + 2] if last >= place else ""
        return after.startswith(",") and (self._is_name(place) or self.words[place].istitle())

    def _titled(self, place: int) -> int:
        """ "Pak Joko", "Bu Lurah Sri", "sopir Trimo"."""
        first = self.past_titles(place + 1)
        role = self.lower[place] in ROLES or first > place + 1
        if not self.joined(place) or not self._may_follow_a_title(first, role=role):
            return -1
        return self.take(first, max(first, self._run(first, trusting=self.is_capital(first))))

    def _bare(self, place: int) -> int:
        """A name by itself: a known one in capitals, or two words of which one is surely a name."""
        if self._is_asked_for(place):
            return self.take(place, self._run(place, trusting=False))
        if not (self.worth[place] & A_NAME or self._leads_to_a_name(place)):
            return -1
        in_capitals = self.is_capital(place)
        last = self._run(place, trusting=in_capitals)
        while in_capitals and last > place and not self.shapes[last]:
            last -= 1
        if last < place or not self._surely(place, last):
            return -1
        if not in_capitals and last == place and not self._stands_apart(place, last):
            return -1
        self._take_another(last)
        return self.take(self._with_the_one_before(place), last)

    def _is_asked_for(self, place: int) -> bool:
        """ "hub fajar 0812 …", "… bau. Wahyu": what may be a name, before a number or as a signature."""
        before, after = self.pieces[2 * place], self.pieces[2 * place + 2]
        if place + 1 == len(self.words):
            introduced = self.lower[place - 1] == "ini" if place else False
            return self.is_capital(place) and (introduced or before.strip(" ") in (".", ",", "!", "?"))
        return place > 0 and self.lower[place - 1] in _ASKED and after.strip(_BETWEEN)[:1] == HIDDEN

    def signed(self) -> None:
        """A name at the end, after thanks or on a line of its own."""
        end = len(self.text.rstrip(" \t\n).!"))
        tail = self.text[max(0, end - _SIGNATURE) : end]
        found = signature(tail)
        if not found:
            return
        place = self.word_at(end - len(tail) + found.start("name"), -1)
        if place is None:
            return
        place = self.past_titles(place)
        last = self._run(place, trusting=True)
        names = self.lower[place : last + 1]
        alone = last == place and self.words[place].istitle() and len(names[0]) > 3
        if last == len(self.words) - 1 and (alone or any(interest(each) & OF_PEOPLE for each in names)):
            self.take(place, last)

    def beside_numbers(self) -> None:
        """ "Kornelis D., 0812 …" where a sentence begins: who is unknown otherwise."""
        if not self.tells or HIDDEN not in self.text:
            return
        for place, after in enumerate(self.pieces[2::2]):
            if not self.words[place].istitle() or after.strip(_BETWEEN)[:1] != HIDDEN:
                continue
            first = place
            while (
                first
                and place - first < _BESIDE
                and self.joined(first - 1)
                and self.words[first - 1].istitle()
            ):
                first -= 1
            begins = not first or any(sign in self.pieces[2 * first] for sign in _ENDS)
            bears_it = first > 0 and self.lower[first - 1] in AFTER_PLACE  # a road and its house
            told = "," in after or first < place  # one word before a number may say what it is
            if (
                begins
                and told
                and ":" not in after
                and not bears_it
                and all(self._may_be_new(word) for word in self.lower[first : place + 1])
            ):
                self.take(first, place)

    def _may_be_new(self, lower: str) -> bool:
        says_more = lower in NO_NAME or lower in self.never or interest(lower) & (ANNOUNCES | A_TITLE)
        return len(lower) > _SHORTEST and not says_more and not is_plain(lower)

    # ── how far it goes ──────────────────────────────────────────────────────────────────────────

    def _run(self, place: int, *, trusting: bool, surely: bool = False) -> int:
        """The last word of the name that begins here; the place before it if none does.

        `trusting`: words that are not known as names belong to it, too, where nothing speaks against it. `surely`: nor
        does it that a place bears the name.
        """
        last = place - 1
        capital = self.is_capital(place)
        while last + 1 < len(self.words) and last - place + 1 < _MOST:
            if last >= place and not self.joined(last):
                break
            never = NEVER if surely else self.never
            if not self._goes_on(last + 1, never, trusting=trusting, capital=capital, first=last < place):
                break
            last += 1
            # Without capitals, a word that nobody knows does not go on where a known name stands.
            trusting = trusting and (capital or not self.worth[last] & A_NAME)
        while last > place and self.lower[last] in PARTICLES and len(self.lower[last]) > 1:
            last -= 1
        return last

    def _goes_on(
        self, place: int, never: frozenset[str], *, trusting: bool, capital: bool, first: bool
    ) -> bool:
        word, lower = self.words[place], self.lower[place]
        if lower in never or lower in ROLES or (lower in TITLES and lower not in NAMES):
            return False
        if self.worth[place] & OF_PEOPLE or (len(lower) == 1 and word.isupper()):
            return not first or lower not in PARTICLES or lower in SHARED
        if not trusting:
            return False
        if capital:
            return word[0].isupper() and (
                first or self.words[place - 1].isupper() or not (word.isupper() and len(word) > 3)
            )
        return len(lower) > 2 and not is_plain(lower)

    def _named_after(self, place: int) -> int:
        """The last word of the name that a road, school or firm bears."""
        last = place
        while last + 1 < len(self.words) and last - place < _MOST and self.joined(last, wide=True):
            lower = self.lower[last + 1]
            in_capitals = self.is_capital(last + 1) and lower not in TITLES
            known = self.worth[last + 1] & (OF_PEOPLE | A_PLACE)
            if not (in_capitals or known or lower in OF_STREETS) or (
                lower in ROLES and lower not in OF_STREETS
            ):
                break
            last += 1
        return last

    def _with_the_one_before(self, place: int) -> int:
        """A first name that nobody knows."""
        if place < 1 or not self.tells or not self.joined(place - 1):
            return place
        word, lower = self.words[place - 1], self.lower[place - 1]
        if lower in _FIRST and word.istitle():
            return place - 1
        is_first_name = (
            word.istitle()
            and self.words[place].istitle()
            and lower not in NO_NAME
            and lower not in self.never
        )
        return place - 1 if is_first_name and not is_plain(lower) else place

    def _take_another(self, last: int) -> None:
        """ "Suyatno dan Paijan": who is named in one breath with a name has one, too."""
        if (
            not self.tells
            or last + 2 >= len(self.words)
            or self.lower[last + 1] not in ("dan", "dn", "serta")
        ):
            return
        word, lower = self.words[last + 2], self.lower[last + 2]
        if word.istitle() and self.words[last].istitle() and lower not in NO_NAME and lower not in self.never:
            self.take(last + 2, last + 2)

    # ── what may be a name ───────────────────────────────────────────────────────────────────────

    def _is_name(self, place: int) -> bool:
        lower = self.lower[place]
        if lower in self.never or lower in TITLES or lower in ROLES:
            return False
        known = self.worth[place]
        return bool(known & A_NAME) or (bool(known & PERHAPS) and self._run(place, trusting=True) > place)

    def _is_new_name(self, place: int) -> bool:
        """Whether a word that nobody knows is somebody's own name, right after "saya"."""
        lower = self.lower[place]
        if lower in NO_NAME or lower in self.never or not self.is_capital(place):
            return False
        return self.words[place].istitle() and (self.lower[place - 1] not in ("dengan", "dgn") or place < 6)

    def _may_follow_a_title(self, place: int, *, role: bool) -> bool:
        if place >= len(self.words):
            return False
        lower = self.lower[place]
        if lower in self.never or lower in ROLES or len(lower) < 3:
            return False
        if self.worth[place] & A_NAME or (ENDING_AFTER_A_TITLE.fullmatch(lower) and not is_plain(lower)):
            return True
        in_capitals = self.is_capital(place) and not self.words[place].isupper()
        role = role and self.lower[place - 1] not in PERSONS
        return in_capitals or lower in SHARED if not role else in_capitals and lower in SHARED

    def _leads_to_a_name(self, place: int) -> bool:
        """Whether a word that is many things is the first of a name here: "Nur Hidayati", "Kartini binti Sarmo"."""
        if not self.joined(place):
            return False
        following = self.lower[place + 1]
        if following in ("bin", "binti"):
            return True
        capital, its = bool(self.shapes[place]), bool(self.shapes[place + 1])
        return capital == its and (
            following in NAMES or (its and self.tells and bool(self.worth[place + 1] & A_NAME))
        )

    def _surely(self, place: int, last: int) -> bool:
        if place and self.lower[place - 1] in AFTER_PLACE and "," not in self.pieces[2 * place]:
            return False
        in_capitals = self.is_capital(place)
        names = self.lower[place : last + 1]
        return (
            any(each in NAMES or (in_capitals and interest(each) & A_NAME) for each in names)
            or "binti" in names
        )

    def _stands_apart(self, first: int, last: int) -> bool:
        """Whether a known name in lower case stands where people put theirs: beside a number or an address, as a
        signature, or before what it has to say.
        """
        before, after = self.pieces[2 * first], self.pieces[2 * last + 2]
        begins = not first or any(sign in before for sign in _ENDS)
        beside = after.strip(_BETWEEN)[:1] == HIDDEN or before.strip(_BETWEEN)[-1:] == HIDDEN
        if self.lower[last] not in NAMES and self.lower[first] not in NAMES:
            return begins and beside  # a name that is also something else
        if beside:
            return True
        ends = last + 1 == len(self.words)
        says = not ends and self.lower[last + 1] in _SAYS
        return begins and (ends or says or after[:1] in (",", ":") or HIDDEN in before)

    def _is_a_place(self, place: int) -> bool:
        """Whether the word before does not make an office of it: "kepala sekolah", "kepala desa"."""
        if self.lower[place] == "sakit":
            return place > 0 and self.lower[place - 1] == "rumah"
        return not place or self.lower[place - 1] not in ("kepala", "wakil", "penjaga")
