"""Ids are the same for the same thing, different for different things; tickets survive the telephone."""

from hypothesis import given
from hypothesis import strategies as st

from laporhub.pipeline import ids


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_two_lists_of_parts_share_an_id_only_if_they_are_equal(one: list[str], other: list[str]) -> None:
    assert (ids.derive("x", *one) == ids.derive("x", *other)) == (one == other)


@given(st.text(min_size=1))
def test_a_ticket_is_found_however_it_is_typed(case: str) -> None:
    ticket = ids.ticket("LG", "WA", case)
    assert ids.parse_ticket(ticket) == ticket
    assert ids.parse_ticket(ticket.replace("-", "").lower()) == ticket
    assert ids.parse_ticket(f"  {ticket.replace('-', ' ')} ") == ticket


@given(st.text(min_size=1), st.integers(0, 11), st.integers(1, 9))
def test_one_misheard_digit_is_noticed(case: str, place: int, shift: int) -> None:
    digits = list(ids.ticket("LG", "WA", case).replace("-", ""))
    digits[4 + place] = str((int(digits[4 + place]) + shift) % 10)
    assert ids.parse_ticket("".join(digits)) is None


@given(st.text(min_size=1), st.integers(0, 10))
def test_two_digits_swapped_are_noticed(case: str, place: int) -> None:
    ticket = ids.ticket("LG", "WA", case).replace("-", "")
    swapped = list(ticket)
    swapped[4 + place], swapped[5 + place] = swapped[5 + place], swapped[4 + place]
    assert swapped == list(ticket) or ids.parse_ticket("".join(swapped)) is None


@given(st.text())
def test_what_is_no_ticket_is_never_an_error(typed: str) -> None:
    assert ids.parse_ticket(typed) is None or len(typed) >= 15


def test_a_taken_ticket_has_a_next_one() -> None:
    assert ids.ticket("LG", "WA", "case", 0) != ids.ticket("LG", "WA", "case", 1)


def test_event_ids_sort_like_the_history() -> None:
    names = [ids.event_id("c", number) for number in (1, 2, 10, 999, 100_000)]
    assert names == sorted(names)
